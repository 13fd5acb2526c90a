//! Lists that people made, taken in: sheets, advisories and decisions, as `nameplate import` takes them. What could not be taken is said row by row.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use nameplate_core::account::Event;
use nameplate_core::advisory::exploitation::ListKind;
use nameplate_core::baseline::pack::{FILE_BYTES_MAX, Form};
use nameplate_core::ledger;
use nameplate_core::sheet::{self, Import, Invalid};
use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::Parameters;
use super::{Problem, Web};
use crate::account::Person;
use crate::advisories::bytes_of;
use crate::command::baseline::exchange::{Decided, NO_FORM};
use crate::command::import::advisories::{Basket, Given, Line};
use crate::failure::Failure;
use crate::house::House;
use crate::sheet::read_as;
use crate::store::Draft;
use crate::update::openpgp;
use crate::web::upload::Upload;

/// Rows that are named; the count of all stands beside them.
const TOLD_ROWS_MAX: usize = 1_000;

/// A row or a cell that was not taken, or is in doubt.
#[derive(Serialize, ToSchema)]
pub struct Wrong {
    /// The line, or the row of the spreadsheet, from 1.
    pub line: usize,
    /// The column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is wrong.
    pub why: String,
}

impl Wrong {
    /// The first of them.
    pub fn of(all: &[Invalid]) -> Vec<Self> {
        let wrong = |Invalid { line, column, why }: &Invalid| Self { line: *line, column: column.clone(), why: why.clone() };
        all.iter().take(TOLD_ROWS_MAX).map(wrong).collect()
    }
}

/// What was taken of a sheet.
#[derive(Serialize, ToSchema)]
#[schema(as = TakenSheet)]
pub struct Devices {
    /// Its name.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// Rows that were taken.
    pub rows: usize,
    /// How many were not.
    pub left_out: usize,
    /// The first 1000 of those.
    pub left_out_rows: Vec<Wrong>,
    /// Cells that are kept and are no version, because a spreadsheet changed them; the first 1000.
    pub doubts: Vec<Wrong>,
    /// How it was read.
    pub notes: Vec<String>,
    /// Devices that are known from sheets alone now.
    pub devices_only_in_sheets: usize,
}

/// What was taken of documents.
#[derive(Serialize, ToSchema)]
#[schema(as = TakenAdvisories)]
pub struct Advisories {
    /// Each document, and what became of it.
    pub documents: Vec<Line>,
    /// All of it in sentences.
    pub summary: String,
    /// The entry of the ledger; absent where there was nothing new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

/// What was taken of a file of decisions.
#[derive(Serialize, ToSchema)]
#[schema(as = TakenBaseline)]
pub struct Baseline {
    /// Decisions in it: what the owner has to approve waits for another person.
    pub decisions: usize,
}

/// An inventory sheet: CSV with a header, or XLSX. A row that is wrong is left out, the others are taken; they never overwrite a reading.
#[utoipa::path(
    post, path = "/imports/devices", tag = "imports", security(("token" = ["record"]), ("session" = ["record"])),
    params(
        ("name" = String, Query, description = "The file's name", min_length = 1),
        ("worksheet" = Option<String>, Query, description = "The worksheet, where several of a workbook have columns of devices"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, at most 64 MiB"),
    responses((status = 200, body = Devices), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn devices(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Json<Devices>, Problem> {
    let said = Parameters::of(query.as_deref(), &["name", "worksheet"])?;
    let (upload, worksheet) = (file(&web, &said, body).await?, said.one::<String>("worksheet")?);
    web.apart(move |house| take_devices(house, person.name, &upload, worksheet.as_deref()).map(Json)).await
}

/// Advisories: a CSAF 2.0 document, a bulletin in CSV, a zip file of these; or a list of what is exploited.
#[utoipa::path(
    post, path = "/imports/advisories", tag = "imports", security(("token" = ["record"]), ("session" = ["record"])),
    params(
        ("name" = String, Query, description = "The file's name; its ending says what it is: .json, .csv, .zip", min_length = 1),
        ("list" = Option<String>, Query, description = "It is a list: kev, ssvc or epss", pattern = "^(kev|ssvc|epss)$"),
        ("trust" = Option<String>, Query, description = "Take in only a bundle that this key signed: its fingerprint, or the key"),
        ("publisher" = Option<String>, Query, description = "A signature beside a document (x.json.asc in the zip file) must be by this publisher: its \
            OpenPGP key is NAME.asc in the folder of publishers"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, at most 64 MiB"),
    responses((status = 200, body = Advisories), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn advisories(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Json<Advisories>, Problem> {
    let said = Parameters::of(query.as_deref(), &["name", "list", "trust", "publisher"])?;
    let list = said.one::<String>("list")?.as_deref().map(list_kind).transpose()?;
    let signers = Signers { trust: said.one("trust")?, publisher: said.one("publisher")? };
    let upload = file(&web, &said, body).await?;
    web.apart(move |house| take_advisories(house, person.name, &upload, list, signers).map(Json)).await
}

/// Decisions about releases: another site's, a vendor's list, one's own. One bad row, and nothing of the file is taken; another person approves each.
#[utoipa::path(
    post, path = "/imports/baseline", tag = "imports", security(("token" = ["record"]), ("session" = ["record"])),
    params(("name" = String, Query, description = "The file's name; its ending says what it is: .csv, .toml, .json, .ndjson", min_length = 1)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file"),
    responses((status = 200, body = Baseline), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn baseline(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Json<Baseline>, Problem> {
    let said = Parameters::of(query.as_deref(), &["name"])?;
    let upload = file(&web, &said, body).await?;
    web.apart(move |house| take_baseline(house, person.name, &upload).map(Json)).await
}

/// The file of a request, under the name that its parameters give.
///
/// # Errors
/// As [`Web::file`].
pub async fn file(web: &Web, said: &Parameters, body: Body) -> Result<Upload, Problem> {
    let name = said.one::<String>("name")?.ok_or_else(|| Problem::bad("name is missing: the file's name"))?;
    web.file(&name, body).await
}

/// A list of what is exploited, by its word.
///
/// # Errors
/// 400: there is none.
pub fn list_kind(word: &str) -> Result<ListKind, Problem> {
    Ok(match word {
        "kev" => ListKind::Kev,
        "ssvc" => ListKind::Ssvc,
        "epss" => ListKind::Epss,
        _ => return Err(Problem::bad(format!("list={word:?}: there are kev, ssvc and epss"))),
    })
}

/// What somebody sent and could not be read is theirs to mend.
pub fn unread(failure: Failure) -> Problem {
    Problem::bad(failure.why)
}

/// Takes a sheet in.
///
/// # Errors
/// 400: where it is no sheet; the store.
pub fn take_devices(house: &House, by: String, upload: &Upload, worksheet: Option<&str>) -> Result<Devices, Problem> {
    let read = read_as(&upload.name, &upload.path, worksheet).map_err(unread)?;
    let (sheet::Taken { sheet, left_out, doubts, notes }, sha256) = (read.taken, read.sha256);
    let (file, rows) = (upload.name.clone(), sheet.rows.len());
    let what = format!("takes in the sheet {file}, SHA-256 {sha256}");
    let import = Import { file: file.clone(), sha256: sha256.clone(), sheet };
    let bodies = vec![ledger::Body::Account(Event::Wanted { by, what }), ledger::Body::Import(import)];
    house.enter(|_, _| Ok::<_, Problem>((bodies, ())))?;
    let only = |known: &crate::house::Known<'_>| known.view.catalog.assets().filter(|asset| asset.is_listed_only()).count();
    Ok(Devices {
        file,
        sha256,
        rows,
        left_out: left_out.len(),
        left_out_rows: Wrong::of(&left_out),
        doubts: Wrong::of(&doubts),
        notes,
        devices_only_in_sheets: house.known(only),
    })
}

/// Who must have signed advisories; as in [`Given`], but a publisher by its name.
pub struct Signers {
    /// The bundle.
    pub trust: Option<String>,
    /// The documents.
    pub publisher: Option<String>,
}

/// Takes documents or a list in.
///
/// # Errors
/// 400: a list that is none, a publisher who is not known; the store. A document that cannot be read is named in the answer.
pub fn take_advisories(
    house: &House,
    by: String,
    upload: &Upload,
    list: Option<ListKind>,
    Signers { trust, publisher }: Signers,
) -> Result<Advisories, Problem> {
    let config = house.config().ok_or_else(|| Problem::unavailable("it is starting"))?;
    let publisher = publisher.map(|name| openpgp(&config.publishers, &name).map_err(Problem::bad)).transpose()?;
    let (name, path) = (upload.name.clone(), upload.path.clone());
    let what = format!("takes in advisories from {name}");
    let given = match list {
        Some(kind) => Given { lists: vec![(kind, name, path)], trust, publisher, ..Given::default() },
        None => Given { paths: vec![(name, path)], trust, publisher, ..Given::default() },
    };
    let mut basket = Basket::of(given).map_err(unread)?;
    let (changes, entry) = house.enter_at(|view, now_ns, first| {
        let changes = basket.changes(&view.advisories);
        if changes.nothing {
            return Ok((Vec::new(), (changes, None)));
        }
        let wanted = Draft::new(now_ns, ledger::Body::Account(Event::Wanted { by, what }));
        let payloads = std::mem::take(&mut basket.payloads);
        let delivery = Draft { time_ns: now_ns, body: ledger::Body::Advisories(basket.delivery.clone()), payloads };
        Ok::<_, Problem>((vec![wanted, delivery], (changes, Some(first.saturating_add(1)))))
    })?;
    Ok(Advisories { documents: basket.lines(&changes), summary: basket.summary(&changes, entry), entry })
}

/// Takes decisions in: they are proposed by who sends them.
///
/// # Errors
/// 400: where it is no such file, or a row that the rules of baselines forbid; the store.
pub fn take_baseline(house: &House, by: String, upload: &Upload) -> Result<Baseline, Problem> {
    let refused = |why: String| Problem::bad(format!("{}: {why}; nothing of the file was taken", upload.name));
    let form = Form::of(&upload.name).ok_or_else(|| refused(NO_FORM.to_owned()))?;
    let bytes = bytes_of(&upload.path, FILE_BYTES_MAX as u64).map_err(refused)?;
    let decided = Decided::of((form, &bytes), &upload.name, by.trim(), None).map_err(|invalid| refused(invalid.to_string()))?;
    house.enter(|view, now_ns| {
        let mut bodies = decided.bodies(view, house.profiles, now_ns).map_err(|invalid| refused(invalid.to_string()))?;
        let decisions = bodies.len();
        let what = format!("takes in decisions from {}", upload.name);
        bodies.insert(0, ledger::Body::Account(Event::Wanted { by, what }));
        Ok((bodies, Baseline { decisions }))
    })
}
