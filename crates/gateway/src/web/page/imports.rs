//! Files that people bring: taken in, or a sheet beside the catalog. What came of it is shown at once.

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;

use super::listing::{Cell, Listing, Row};
use super::{Frame, Problem, Shown, shown};
use crate::account::Person;
use crate::command::import::advisories::Line;
use crate::print::count;
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::compare::compared;
use crate::web::api::imports::{Signers, Wrong, list_kind, take_advisories, take_baseline, take_devices};
use crate::web::api::{patches, updates};

/// Rows that are shown; a page of more is read by nobody, and the command writes files.
const ROWS_MAX: usize = 2_000;

#[derive(Template)]
#[template(path = "imports.html")]
struct Page<'a> {
    frame: Frame<'a>,
}

#[derive(Template)]
#[template(path = "taken.html")]
struct Taken<'a> {
    frame: Frame<'a>,
    title: String,
    said: Vec<String>,
    tables: Vec<Listing>,
}

/// The page.
pub async fn page(Extension(person): Extension<Person>) -> Shown {
    shown(&Page { frame: Frame { person: Some(&person), here: "/imports" } })
}

/// What came of a file.
struct Came {
    title: String,
    said: Vec<String>,
    tables: Vec<Listing>,
}

/// Takes a file in.
pub async fn take(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    if !matches!(&*kind, "devices" | "advisories" | "baseline" | "host-patches" | "update") {
        return Err(Problem::missing("there is no such list").into());
    }
    let upload = web.file_of_form(&headers, body).await?;
    let by = person.name.clone();
    let came = web.apart(move |house| {
        let field = |name: &str| upload.fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let title = format!("Taken in: {}", upload.name);
        Ok(match &*kind {
            "devices" => {
                let taken = take_devices(house, by, &upload, field("worksheet"))?;
                let said = format!(
                    "{} rows taken, {} left out; {} devices are known from sheets alone.",
                    taken.rows, taken.left_out, taken.devices_only_in_sheets
                );
                let tables = vec![
                    wrong("left-out", "rows that were left out", &taken.left_out_rows),
                    wrong("doubts", "cells in doubt", &taken.doubts),
                ];
                Came { title, said: [said].into_iter().chain(taken.notes).collect(), tables }
            }
            "advisories" => {
                let list = field("list").map(list_kind).transpose()?;
                let signers = Signers { trust: field("trust").map(str::to_owned), publisher: field("publisher").map(str::to_owned) };
                let taken = take_advisories(house, by, &upload, list, signers)?;
                Came { title, said: taken.summary.lines().map(str::to_owned).collect(), tables: vec![documents(&taken.documents)] }
            }
            "host-patches" => {
                let taken = patches::take_list(house, &by, &upload, field("system").unwrap_or_default(), field("host"))?;
                let tables = vec![wrong("left-out", "rows that were left out", &taken.left_out_rows)];
                Came { title, said: vec![format!("{}; {} left out.", taken.summary, count(taken.left_out as u64, "row"))], tables }
            }
            "update" => {
                let taken = updates::take(house, &by, &upload)?;
                Came { title, said: taken.summary.lines().map(str::to_owned).collect(), tables: vec![documents(&taken.documents)] }
            }
            _ => {
                let taken = take_baseline(house, by, &upload)?;
                let said = format!("{} decisions taken; what the owner has to approve waits for another person.", taken.decisions);
                Came { title, said: vec![said], tables: Vec::new() }
            }
        })
    });
    told(&person, came.await?, "/imports")
}

/// Documents, and what became of each.
fn documents(lines: &[Line]) -> Listing {
    let rows = lines.iter().take(ROWS_MAX).map(|line| {
        let [file, what, publisher, id, revision, why] = line.cells();
        let tint = if line.is_refused() { Tint::Bad } else { Tint::Plain };
        Row::of(tint, [what, publisher, id, revision, file, why].map(Cell::of).into())
    });
    let header = &["taken", "publisher", "id", "revision", "file", "why"];
    Listing { id: "documents", title: "documents", header, rows: rows.collect(), none: "There were none." }
}

/// Shows how a sheet stands to the catalog.
pub async fn compare(State(web): State<Web>, Extension(person): Extension<Person>, headers: HeaderMap, body: Body) -> Shown {
    let upload = web.file_of_form(&headers, body).await?;
    let came = web.apart(move |house| {
        let worksheet = upload.fields.get("worksheet").map(|text| text.trim()).filter(|text| !text.is_empty());
        compared(house, &upload, worksheet, |told, left_out| {
            let lines = told.lines.iter().flat_map(|line| line.cells().into_iter().map(move |cells| (line, cells)));
            let row = |(line, cells): (&crate::command::compare::Line<'_>, Vec<String>)| {
                let cells = cells.into_iter().enumerate().map(|(at, cell)| match line.asset() {
                    Some(id) if at == ASSET_AT => Cell::device(id, id),
                    _ => Cell::of(cell),
                });
                Row::of(line.tint(), cells.collect())
            };
            let rows: Vec<Row> = lines.take(ROWS_MAX).map(row).collect();
            let header = &crate::command::compare::HEADER;
            let table =
                Listing { id: "comparison", title: "comparison", header, rows, none: "The sheet has no rows, and nothing was ever seen." };
            let said = told.said.clone();
            Ok(Came {
                title: format!("{} and the catalog", upload.name),
                said,
                tables: vec![table, wrong("left-out", "rows that could not be read", &Wrong::of(left_out))],
            })
        })
    });
    told(&person, came.await?, "/devices")
}

/// The column of a comparison that has the device.
const ASSET_AT: usize = 2;

fn wrong(id: &'static str, title: &'static str, all: &[Wrong]) -> Listing {
    let row = |wrong: &Wrong| {
        Row::of(
            Tint::Doubt,
            vec![Cell::of(wrong.line.to_string()), Cell::of(wrong.column.clone().unwrap_or_default()), Cell::of(wrong.why.clone())],
        )
    };
    Listing { id, title, header: &["line", "column", "why"], rows: all.iter().map(row).collect(), none: "None." }
}

fn told(person: &Person, Came { title, said, tables }: Came, here: &'static str) -> Shown {
    shown(&Taken { frame: Frame { person: Some(person), here }, title, said, tables })
}
