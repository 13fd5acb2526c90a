//! The network map, and who was not heard of late.

use axum::extract::{RawQuery, State};
use nameplate_core::observation::rfc3339;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::behind::{Behind, page};
use super::events::limit;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::command::report::known_as;
use crate::map::Map;

/// Days without a word, where nothing is said: as `check` calls a reading stale.
const SILENT_DAYS: u64 = 30;
/// Longer nobody looks back.
const SILENT_DAYS_MAX: u64 = 36_600;
/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;

/// The devices by zone and level, and what is known to join two of them. No link is guessed: who only speaks to somebody is not there.
#[utoipa::path(
    get, path = "/map", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Map), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn map(State(web): State<Web>) -> Result<Answer, Problem> {
    web.known(|known| Answer::of(&Map::of(known.view, known.profiles))).await
}

/// Devices that were not heard of late, those silent for longest first.
#[derive(Serialize, ToSchema)]
struct Silent<'a> {
    devices: Vec<SilentDevice<'a>>,
    /// How many there are, in all answers.
    matched: usize,
    /// `after` of the next answer; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A device that was not heard of late.
#[derive(Serialize, ToSchema)]
struct SilentDevice<'a> {
    id: &'a str,
    name: String,
    last_seen: String,
    /// Whole days since then.
    days: u64,
}

/// Devices that said nothing for some days. Those that are only in a sheet were never heard, and are not among them.
#[utoipa::path(
    get, path = "/silent", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("days" = Option<u64>, Query, description = "Not heard for so many days; 30 where nothing is said", maximum = 36600),
        ("after" = Option<String>, Query, description = "Go on behind an answer: its `next`"),
        ("limit" = Option<usize>, Query, description = "Devices of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Silent), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn silent(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["days", "after", "limit"])?;
    let days = said.number("days")?.unwrap_or(SILENT_DAYS);
    if days > SILENT_DAYS_MAX {
        return Err(Problem::bad(format!("days is at most {SILENT_DAYS_MAX}")));
    }
    let (after, limit) = (said.place::<Behind<2>>("after")?, limit(&said)?);
    web.known(move |known| {
        let quiet = |last_ns: u64| known.now_ns.saturating_sub(last_ns);
        let heard = known.view.catalog.assets().filter(|asset| !asset.is_listed_only());
        let mut all: Vec<_> = heard.filter(|asset| quiet(asset.seen_ns.1) >= days * DAY_NS).collect();
        let key = |asset: &&nameplate_core::catalog::Asset| [rfc3339(asset.seen_ns.1), asset.id.clone()];
        all.sort_by_cached_key(key);
        let (shown, next) = page(&all, key, after.as_ref(), limit);
        let devices = shown.iter().map(|asset| SilentDevice {
            id: &asset.id,
            name: known_as(asset),
            last_seen: rfc3339(asset.seen_ns.1),
            days: quiet(asset.seen_ns.1) / DAY_NS,
        });
        Answer::of(&Silent { devices: devices.collect(), matched: all.len(), next })
    })
    .await
}
