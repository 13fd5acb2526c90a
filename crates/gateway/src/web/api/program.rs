//! The gateway itself: the program as an asset of its own, what is inside it, and how it is set up.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use nameplate_core::observation::{hex, rfc3339};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::answer::Answer;
use super::ledger::store;
use super::{Problem, Web};
use crate::command::doctor::{Finding, of_itself};
use crate::command::update::Line;
use crate::house::House;
use crate::outbox::Standing;
use crate::web::tls;

/// Where the package keeps the bill of materials.
const BILL: &str = "/usr/share/doc/nameplate/sbom.cdx.json";
/// The longest that is read; ours has some hundred kilobytes.
const BILL_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The program, as an asset.
#[derive(Clone, Serialize, ToSchema)]
pub struct Program {
    pub manufacturer: &'static str,
    pub model: &'static str,
    /// Its version.
    pub firmware_revision: &'static str,
    /// SHA-256 of the program that runs.
    pub sha256: String,
    /// Since when it runs.
    pub since: String,
    /// Fingerprint of the site's key, by which this gateway is told from others.
    pub fingerprint: String,
    /// The bill of materials that came with its package is there: `/program/sbom`.
    pub has_sbom: bool,
}

/// SHA-256 of the program, worked out once: it is some tens of megabytes. Empty where the system does not show it.
fn sha256() -> &'static str {
    static SHA256: OnceLock<String> = OnceLock::new();
    SHA256.get_or_init(|| {
        let mut hasher = Sha256::new();
        let read = fs::File::open("/proc/self/exe").and_then(|mut file| std::io::copy(&mut file, &mut HashWriter(&mut hasher)));
        read.map(|_| hex(&hasher.finalize())).unwrap_or_default()
    })
}

/// Hashes what is written.
struct HashWriter<'h>(&'h mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Program {
    /// The one that runs.
    ///
    /// # Errors
    /// The store's.
    pub fn of(house: &House) -> Result<Self, Problem> {
        Ok(Self {
            manufacturer: "nameplate",
            model: "nameplate gateway",
            firmware_revision: env!("CARGO_PKG_VERSION"),
            sha256: sha256().to_owned(),
            since: rfc3339(house.started_ns),
            fingerprint: store(house)?.public_key().fingerprint(),
            has_sbom: Path::new(BILL).exists(),
        })
    }
}

/// This program as an asset of its own, to be held under a baseline like the others.
#[utoipa::path(
    get, path = "/program", tag = "program", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Program), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn own(State(web): State<Web>) -> Result<Answer, Problem> {
    web.apart(|house| Answer::of(&Program::of(house)?)).await
}

/// What is inside the program: the bill of materials of its package, CycloneDX 1.5.
#[utoipa::path(
    get, path = "/program/sbom", tag = "program", security(("token" = ["read"]), ("session" = ["read"])),
    responses(
        (status = 200, body = serde_json::Value, content_type = "application/vnd.cyclonedx+json"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn bill(State(web): State<Web>) -> Result<Response, Problem> {
    let none = || Problem::missing("it was not installed from its package, which has the bill of materials");
    let text = web
        .apart(move |_| {
            let is_there = fs::metadata(BILL).is_ok_and(|file| file.is_file() && file.len() <= BILL_BYTES_MAX);
            if is_there { fs::read_to_string(BILL).map_err(|_| none()) } else { Err(none()) }
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "application/vnd.cyclonedx+json")], text).into_response())
}

/// How the gateway is set up.
#[derive(Serialize, ToSchema)]
pub struct Settings {
    pub program: Program,
    /// Keys of the configuration, each with what holds now. A plan each.
    pub configuration: Vec<Setting>,
    /// The ledger's signed checkpoint.
    pub checkpoint: Checkpoint,
    /// SHA-256 of the page's certificate, as browsers show it; until when it holds stands below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Updates that were applied, the last of each publisher and kind.
    pub updates: Vec<Line>,
    /// Who is told what happens, and how it stands with each.
    pub targets: Vec<Standing>,
    /// What it sees of itself: directory, ledger, clock, disk, certificate.
    pub seen: Vec<Finding>,
}

/// A key of the configuration.
#[derive(Serialize, ToSchema)]
pub struct Setting {
    pub key: String,
    pub holds: String,
}

/// What stands in the ledger's checkpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckpointRoot)]
pub struct Checkpoint {
    /// Entries under it.
    pub size: u64,
    /// Root of the tree, as C2SP tlog-checkpoint writes it.
    pub root: String,
    /// Names under it: the site's own, and those of witnesses. Where a witness keeps its countersignatures itself, only its own is here.
    pub signed_by: Vec<String>,
}

impl Settings {
    /// Those in force.
    ///
    /// # Errors
    /// The store's; 503 before there is a configuration.
    pub fn of(house: &House) -> Result<Self, Problem> {
        let config = house.config().ok_or_else(|| Problem::unavailable("it is starting"))?;
        let (updates, now_ns) = house.known(|known| (known.view.updates.clone(), known.now_ns));
        let store = store(house)?;
        let note = store.checkpoint();
        let signers = note.lines().filter_map(|line| line.strip_prefix("\u{2014} ")).filter_map(|line| line.split(' ').next());
        Ok(Self {
            program: Program::of(house)?,
            configuration: config.told().into_iter().map(|(key, holds)| Setting { key, holds }).collect(),
            checkpoint: Checkpoint {
                size: store.size(),
                root: note.lines().nth(2).unwrap_or_default().to_owned(),
                signed_by: signers.map(str::to_owned).collect(),
            },
            certificate: tls::fingerprint(&config.page, &house.directory),
            updates: updates.last().map(|one| Line::of(one, now_ns)).collect(),
            targets: house.targets().values().cloned().collect(),
            seen: of_itself(&config, &house.directory, &updates, now_ns),
        })
    }
}

/// How the gateway is set up, and what it sees of itself. No secret stands there.
#[utoipa::path(
    get, path = "/settings", tag = "program", security(("token" = ["audit"]), ("session" = ["audit"])),
    responses((status = 200, body = Settings), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn settings(State(web): State<Web>) -> Result<Answer, Problem> {
    web.apart(|house| Answer::of(&Settings::of(house)?)).await
}
