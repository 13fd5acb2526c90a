//! Reports for people, as `nameplate report` writes them: made beside everybody's work, one at a time.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::asked::Of;
use super::evidence::file_name;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::cli::Format;
use crate::command::devices::moment;
use crate::command::report::{Asked, KINDS, Kind, text};
use crate::house::House;
use crate::output::Results;
use crate::sheet::page::policy;
use crate::store::Store;
use crate::web::manners::Policy;

/// A kind of report.
#[derive(Serialize, ToSchema)]
pub struct KindLine {
    /// As it is asked for: `/reports/{kind}`.
    kind: &'static str,
    /// What it says.
    says: &'static str,
}

/// The kinds of reports.
#[utoipa::path(
    get, path = "/reports", tag = "reports", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Vec<KindLine>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list() -> Json<Vec<KindLine>> {
    Json(KINDS.iter().map(|(kind, says)| KindLine { kind, says }).collect())
}

/// A report, as `json` has it.
#[derive(Serialize, ToSchema)]
pub struct Report {
    title: String,
    /// What is to be said above the tables.
    sentences: Vec<String>,
    tables: Vec<TableLine>,
}

/// A table of it.
#[derive(Serialize, ToSchema)]
struct TableLine {
    name: &'static str,
    /// Columns in their order.
    header: Vec<String>,
    /// Rows: cells by their columns.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
}

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Html,
    Csv,
    Xlsx,
    Ndjson,
    Json,
}

impl Form {
    fn named(name: &str) -> Result<Self, Problem> {
        Ok(match name {
            "html" => Self::Html,
            "csv" => Self::Csv,
            "xlsx" => Self::Xlsx,
            "ndjson" => Self::Ndjson,
            "json" => Self::Json,
            _ => return Err(Problem::bad(format!("format={name:?}: there are html, csv, xlsx, ndjson and json"))),
        })
    }

    /// Its media type, and how a file of it ends.
    const fn media(self) -> (&'static str, &'static str) {
        match self {
            Self::Html => ("text/html; charset=utf-8", "html"),
            Self::Csv => ("text/csv; charset=utf-8", "csv"),
            Self::Xlsx => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
            Self::Ndjson => ("application/x-ndjson", "ndjson"),
            Self::Json => ("application/json", "json"),
        }
    }
}

/// A report. What was known at a time is what the ledger had by then, and nothing that came later.
#[utoipa::path(
    get, path = "/reports/{kind}", tag = "reports", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("kind" = String, Path, description = "Which: `/reports` has them"),
        ("format" = Option<String>, Query, description = "html, csv, xlsx, ndjson or json; json where nothing is said"),
        ("as_of" = Option<String>, Query, description = "As it was known on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z", pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"),
        ("since" = Option<String>, Query, description = "Of the overview: what changed since then; 30 days where nothing is said", pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"),
        ("asset" = Option<String>, Query, description = "Of the report on a device: its id"),
        ("standard" = Option<Vec<String>>, Query, description = "Of NERC: CIP-007-6, CIP-007-7, CIP-010-4, CIP-010-5; may be repeated"),
    ),
    responses(
        (status = 200, content((Report = "application/json"), (String = "text/html"), (String = "text/csv"), (String = "application/x-ndjson"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn one(State(web): State<Web>, Of(kind): Of<String>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let said = Parameters::of(query.as_deref(), &["format", "as_of", "since", "asset", "standard"])?;
    let filled = |name: &str| Ok::<_, Problem>(said.one::<String>(name)?.filter(|text| !text.is_empty()));
    let form = Form::named(&filled("format")?.unwrap_or_else(|| "json".to_owned()))?;
    let as_of = filled("as_of")?.map(|text| moment("as_of", &text, "23:59:59.999999999")).transpose()?;
    let asked = Asked { asset: filled("asset")?, since: filled("since")?, standards: said.all("standard")? };
    let report = Kind::named(&kind, asked)?.ok_or_else(|| Problem::missing("there is no such report; /api/v1/reports has all"))?;
    let made = move |house: &House| {
        let store = Store::read(&house.directory)?.ok_or_else(|| Problem::unavailable("there is no ledger yet"))?;
        let results = report.of(&store, house.profiles, as_of)?;
        Ok((bytes(&results, form)?, kind))
    };
    let (bytes, kind) = web.folded(made).await?;
    let (media, ending) = form.media();
    let mut response = ([(header::CONTENT_TYPE, media)], bytes).into_response();
    match form {
        Form::Html => {
            // It is one file with its style in it, and runs nothing.
            response.extensions_mut().insert(Policy(policy()));
        }
        Form::Json => {}
        _ => {
            let name = format!("attachment; filename=\"{}.{ending}\"", file_name(&kind));
            if let Ok(name) = HeaderValue::from_str(&name) {
                response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
            }
        }
    }
    Ok(response)
}

fn bytes(results: &Results, form: Form) -> Result<Vec<u8>, Problem> {
    Ok(match form {
        Form::Html => results.page().into_bytes(),
        Form::Csv => text(&results.tables, Format::Csv).into_bytes(),
        Form::Ndjson => text(&results.tables, Format::Ndjson).into_bytes(),
        Form::Xlsx => results.workbook().map_err(Problem::conflict)?,
        Form::Json => serde_json::to_vec(&Report::of(results)).map_err(|_| Problem::own_fault())?,
    })
}

impl Report {
    /// Of results.
    pub fn of(results: &Results) -> Self {
        let tables = results.tables.iter().map(|table| {
            let row = |cells: &Vec<String>| {
                let cell = |(title, cell): (&String, &String)| (title.replace(' ', "_"), Value::from(cell.as_str()));
                table.header.iter().zip(cells).map(cell).collect()
            };
            TableLine { name: table.name, header: table.header.clone(), rows: table.rows.iter().map(|(_, cells)| row(cells)).collect() }
        });
        Self { title: results.title.clone(), sentences: results.sentences.clone(), tables: tables.collect() }
    }
}
