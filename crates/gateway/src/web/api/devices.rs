//! Devices: the catalog, page by page, and one with all that it said.

use axum::Json;
use axum::extract::{RawQuery, State};
use nameplate_core::catalog::{Asset, events};
use nameplate_core::query::{Cursor, Filter, Query, Sort};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Of;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::house::Known;
use crate::lines::DeviceLine;

/// Devices of a page, where nothing else is asked for.
const LIMIT: usize = 100;
/// Devices of a page at most: some megabytes.
const PAGE_DEVICES_MAX: usize = 1_000;

/// A page of devices.
#[derive(Serialize, ToSchema)]
pub struct Devices {
    /// In the order that was asked for.
    devices: Vec<DeviceLine>,
    /// How many fit the conditions, on all pages.
    matched: usize,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Entries of the ledger that this follows from.
    entries: u64,
}

/// A condition: `firmware_revision<3.2`.
#[derive(ToSchema)]
#[schema(pattern = "^[^=!~<>\\s][^=!~<>]*(!=|=|~|<|>)")]
#[expect(dead_code, reason = "it is a shape of the description")]
pub struct Condition(String);

/// Devices that fit conditions.
#[utoipa::path(
    get, path = "/devices", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("filter" = Option<Vec<Condition>>, Query, description = "A condition, `firmware_revision<3.2`; where there are several, all must hold. Tests: = != ~ < <= > >="),
        ("sort" = Option<String>, Query, description = "A column; `-last_seen` is the latest first", pattern = "^-?[^\\s-]"),
        ("limit" = Option<usize>, Query, description = "Devices of the page, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "Go on behind a page: its `next`"),
    ),
    responses((status = 200, body = Devices), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Json<Devices>, Problem> {
    let asked = asked(query.as_deref(), LIMIT)?;
    let look = move |known: &Known<'_>| {
        let page = asked.page(known.view.catalog.assets(), known.profiles).map_err(|e| Problem::bad(e.0))?;
        let devices = page.assets.iter().map(|asset| DeviceLine::new(asset, known.profiles)).collect();
        Ok(Json(Devices { devices, matched: page.matched, next: page.next.map(|next| next.to_string()), entries: known.size }))
    };
    web.known(look).await
}

/// One device with everything it said, its parts and what happened to it.
#[utoipa::path(
    get, path = "/devices/{id}", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    params(("id" = String, Path, description = "Its id, or one that it had before, or enough of its beginning")),
    responses((status = 200, body = DeviceLine), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn one(State(web): State<Web>, Of(id): Of<String>) -> Result<Json<DeviceLine>, Problem> {
    let look = move |known: &Known<'_>| {
        let asset = find(known, &id)?;
        let mut happened = events(&known.view.catalog, known.profiles);
        happened.retain(|event| event.asset == asset.id);
        Ok(Json(DeviceLine::new(asset, known.profiles).among(asset, &known.view.catalog, &happened)))
    };
    web.known(look).await
}

/// What a query asks for.
///
/// # Errors
/// 400, with what was not understood.
pub fn asked(query: Option<&str>, limit: usize) -> Result<Query, Problem> {
    let said = Parameters::of(query, &["filter", "sort", "limit", "after"])?;
    let limit = said.one::<usize>("limit")?.unwrap_or(limit);
    if !(1..=PAGE_DEVICES_MAX).contains(&limit) {
        return Err(Problem::bad(format!("limit is 1 to {PAGE_DEVICES_MAX}")));
    }
    Ok(Query {
        filters: said.all::<Filter>("filter")?,
        sort: said.one::<Sort>("sort")?,
        after: said.place::<Cursor>("after")?,
        limit: Some(limit),
    })
}

/// The device with that id.
///
/// # Errors
/// 404.
pub fn find<'a>(known: &Known<'a>, id: &str) -> Result<&'a Asset, Problem> {
    let none = || Problem::missing("no device, or more than one, has an id that begins so");
    known.view.catalog.asset(id).ok_or_else(none)
}
