//! A sheet beside the catalog, as `nameplate compare` has it. Nothing is stored.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use nameplate_core::sheet;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::imports::{Wrong, file, unread};
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::command::compare::{Line, Told, in_catalog};
use crate::house::House;
use crate::sheet::read_as;
use crate::web::upload::Upload;

/// How a sheet stands to the catalog.
#[derive(Serialize, ToSchema)]
pub struct Comparison<'a> {
    /// All of it in sentences.
    said: &'a [String],
    /// Rows that differ.
    differs: u64,
    /// The sheet's rows, and then what is only on the wire. Not seen is not gone.
    rows: &'a [Line<'a>],
    /// How many rows could not be read.
    left_out: usize,
    /// The first 1000 of those.
    left_out_rows: Vec<Wrong>,
}

/// Compares a sheet with the catalog: what matches, what differs and how, what was not seen and where was looked, what is only on the wire.
#[utoipa::path(
    post, path = "/compare", tag = "imports", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("name" = String, Query, description = "The file's name", min_length = 1),
        ("worksheet" = Option<String>, Query, description = "The worksheet, where several of a workbook have columns of devices"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "CSV with a header, or XLSX; at most 64 MiB"),
    responses((status = 200, body = Comparison), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn compare(State(web): State<Web>, RawQuery(query): RawQuery, body: Body) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["name", "worksheet"])?;
    let (upload, worksheet) = (file(&web, &said, body).await?, said.one::<String>("worksheet")?);
    let told = |told: &Told<'_>, left_out: &[sheet::Invalid]| {
        let left_out_rows = Wrong::of(left_out);
        Answer::of(&Comparison { said: &told.said, differs: told.differs, rows: &told.lines, left_out: left_out.len(), left_out_rows })
    };
    web.apart(move |house| compared(house, &upload, worksheet.as_deref(), told)).await
}

/// Compares, and tells what came of it; the page does the same.
///
/// # Errors
/// 400: where it is no sheet; what `tell` says.
pub fn compared<T>(
    house: &House,
    upload: &Upload,
    worksheet: Option<&str>,
    tell: impl FnOnce(&Told<'_>, &[sheet::Invalid]) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let sheet::Taken { sheet, left_out, .. } = read_as(&upload.name, &upload.path, worksheet).map_err(unread)?.taken;
    house.known(|known| {
        let compared = sheet::compare(&sheet, &known.view.catalog, known.profiles, &in_catalog(known.view));
        tell(&Told::of(&compared, &sheet, known.view), &left_out)
    })
}
