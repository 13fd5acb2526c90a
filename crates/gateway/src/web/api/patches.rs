//! What patch servers say of devices, beside what the devices say; and a list of one, taken in as `nameplate import host-patches` does.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use nameplate_core::account::Event;
use nameplate_core::ledger;
use nameplate_core::patching::{FILE_BYTES_MAX, Judged, Stand, judge};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::behind::{Behind, page};
use super::devices::find;
use super::events::limit;
use super::imports::{Wrong, file};
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::account::Person;
use crate::advisories::bytes_of;
use crate::command::import::host_patches::{List, system};
use crate::command::patches::{Line, stand};
use crate::house::House;
use crate::web::upload::Upload;

/// One line for a device and a release, or for a device and a patch where no release is named.
#[derive(Serialize, ToSchema)]
struct Patches<'a> {
    /// They, those that contradict each other first.
    patches: Vec<Line<'a>>,
    /// How many fit the conditions, in all answers.
    matched: usize,
    /// `after` of the next answer; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What was taken of a patch server's list.
#[derive(Serialize, ToSchema)]
#[schema(as = TakenHostPatches)]
pub struct HostPatches {
    /// Its name.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// The patch server.
    pub system: String,
    /// Rows that were taken.
    pub rows: usize,
    /// Hosts that stand in the catalog from here on.
    pub new_hosts: usize,
    /// How many rows were not taken.
    pub left_out: usize,
    /// The first 1000 of those.
    pub left_out_rows: Vec<Wrong>,
    /// In a sentence.
    pub summary: String,
}

/// What patch servers say of patches on devices, and how that stands to what the devices say. A contradiction is ended by the device's own reading alone.
#[utoipa::path(
    get, path = "/patches", tag = "patches", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("asset" = Option<String>, Query, description = "Only of this device"),
        ("stand" = Option<String>, Query, description = "Only those that stand so: contradicted, not_read, behind, confirmed, nothing_to_read or open", pattern = "^(contradicted|not_read|behind|confirmed|nothing_to_read|open)$"),
        ("after" = Option<String>, Query, description = "Go on behind an answer: its `next`"),
        ("limit" = Option<usize>, Query, description = "Lines of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Patches), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["asset", "stand", "after", "limit"])?;
    let asset = said.one::<String>("asset")?;
    let wanted =
        said.one::<String>("stand")?.map(|word| stand(&word).map_err(|why| Problem::bad(format!("stand={word:?}: {why}")))).transpose()?;
    let (after, limit) = (said.place::<Behind<2>>("after")?, limit(&said)?);
    web.known(move |known| {
        let asset = asset.as_deref().map(|id| find(known, id)).transpose()?.map(|asset| asset.id.as_str());
        let mut all = judge(&known.view.patches, &known.view.catalog, known.profiles);
        all.retain(|one| {
            wanted.is_none_or(|stand| one.stand == stand) && asset.is_none_or(|id| one.asset.is_some_and(|asset| asset.id == id))
        });
        let (shown, next) = page(&all, key, after.as_ref(), limit);
        Answer::of(&Patches { patches: shown.iter().map(Line::of).collect(), matched: all.len(), next })
    })
    .await
}

/// In their order.
fn key(judged: &Judged<'_>) -> [String; 2] {
    let weight = Stand::ALL.iter().take_while(|stand| **stand != judged.stand).count();
    [weight.to_string(), judged.id.clone()]
}

/// A patch server's list: CSV with a header, JSON, or lines of JSON. A row that is wrong is left out, the others are taken; they never stand before a reading.
#[utoipa::path(
    post, path = "/imports/host-patches", tag = "imports", security(("token" = ["record"]), ("session" = ["record"])),
    params(
        ("name" = String, Query, description = "The file's name; its ending says what it is: .csv, .json, .ndjson", min_length = 1),
        ("system" = String, Query, description = "The patch server, as you call it: wsus, configmgr, katello"),
        ("host" = Option<String>, Query, description = "Whom rows are about that name no host"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, at most 64 MiB"),
    responses((status = 200, body = HostPatches), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn take(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Json<HostPatches>, Problem> {
    let said = Parameters::of(query.as_deref(), &["name", "system", "host"])?;
    let system = said.one::<String>("system")?.ok_or_else(|| Problem::bad("system is missing: the patch server"))?;
    let host = said.one::<String>("host")?;
    let upload = file(&web, &said, body).await?;
    web.apart(move |house| take_list(house, &person.name, &upload, &system, host.as_deref()).map(Json)).await
}

/// Takes a list in.
///
/// # Errors
/// 400: where it is none; the store.
pub fn take_list(house: &House, by: &str, upload: &Upload, of: &str, host: Option<&str>) -> Result<HostPatches, Problem> {
    let system = system(of).map_err(Problem::bad)?;
    let refused = |why: String| Problem::bad(format!("{}: {why}", upload.name));
    let bytes = bytes_of(&upload.path, FILE_BYTES_MAX as u64).map_err(refused)?;
    let list = List::of(&upload.name, &bytes, system, host).map_err(refused)?;
    let what = format!("takes in the list {} of {of}", upload.name);
    let taken = house.enter(|view, _| {
        let (mut bodies, taken) = list.bodies(view, by);
        if !bodies.is_empty() {
            bodies.insert(0, ledger::Body::Account(Event::Wanted { by: by.to_owned(), what }));
        }
        Ok::<_, Problem>((bodies, taken))
    })?;
    let summary = house.known(|known| taken.summary(known.view, known.profiles));
    Ok(HostPatches {
        left_out_rows: Wrong::of(&taken.left_out),
        file: taken.file,
        sha256: taken.sha256,
        system: taken.system,
        rows: taken.rows,
        new_hosts: taken.new_hosts,
        left_out: taken.left_out_rows,
        summary,
    })
}
