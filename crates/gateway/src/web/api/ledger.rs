//! The ledger: its signed checkpoint, and its entries as they stand there.

use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::events::limit;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::command::evidence::page::told;
use crate::house::House;
use crate::store::Store;

/// The latest checkpoint.
#[derive(Serialize, ToSchema)]
pub struct Checkpoint {
    /// Entries under it.
    size: u64,
    /// The signed note, as C2SP tlog-checkpoint has it.
    note: String,
    /// Fingerprint of the key that signs now.
    fingerprint: String,
}

/// The ledger, opened for reading beside its writer.
///
/// # Errors
/// 503: there is none yet; the store's.
pub fn store(house: &House) -> Result<Store, Problem> {
    Store::read(&house.directory)?.ok_or_else(|| Problem::unavailable("there is no ledger yet"))
}

/// The latest signed checkpoint: whoever keeps it can tell later whether the log was changed.
#[utoipa::path(
    get, path = "/ledger/checkpoint", tag = "ledger", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Checkpoint), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn checkpoint(State(web): State<Web>) -> Result<Answer, Problem> {
    web.apart(|house| {
        let store = store(house)?;
        Answer::of(&Checkpoint { size: store.size(), note: store.checkpoint().to_owned(), fingerprint: store.public_key().fingerprint() })
    })
    .await
}

/// Entries, in their order.
#[derive(Serialize, ToSchema)]
pub struct Entries {
    entries: Vec<EntryLine>,
    /// `from` of the next answer; absent behind the last entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// Entries of the ledger.
    size: u64,
}

/// An entry.
#[derive(Serialize, ToSchema)]
struct EntryLine {
    index: u64,
    /// When it was recorded.
    time: String,
    /// `observation`, `touch`, `account`, ...: docs/evidence.md names them.
    kind: &'static str,
    /// What it says, in words.
    told: String,
    /// Its bytes in the log: canonical JSON, of which its leaf hash is made.
    record: String,
}

/// Entries as they stand in the log.
#[utoipa::path(
    get, path = "/ledger/entries", tag = "ledger", security(("token" = ["audit"]), ("session" = ["audit"])),
    params(
        ("from" = Option<u64>, Query, description = "The first entry; 0 where nothing is said"),
        ("limit" = Option<usize>, Query, description = "Entries of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Entries), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn entries(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["from", "limit"])?;
    let (from, limit) = (said.number("from")?.unwrap_or(0), limit(&said)?);
    web.apart(move |house| {
        let store = store(house)?;
        let end = from.saturating_add(limit as u64).min(store.size());
        let line = |index| {
            let (record, entry) = (store.record(index)?, store.entry(index)?);
            let (kind, told) = told(&entry.body);
            let time = nameplate_core::observation::rfc3339(entry.time_ns);
            Ok(EntryLine { index, time, kind, told, record: String::from_utf8_lossy(&record).into_owned() })
        };
        let entries = (from..end).map(line).collect::<Result<_, Problem>>()?;
        Answer::of(&Entries { entries, next: (end < store.size()).then_some(end), size: store.size() })
    })
    .await
}
