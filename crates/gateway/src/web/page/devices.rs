//! The list of devices.

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use nameplate_core::catalog::Asset;
use nameplate_core::claim::Field;
use nameplate_core::observation::rfc3339;

use super::{Frame, Shown, shown};
use crate::account::Person;
use crate::command::report::known_as;
use crate::house::Known;
use crate::lines::{device_class, place};
use crate::print::count;
use crate::web::Web;
use crate::web::api::devices::asked;

/// Rows of a page: what a plant's PC shows at once, some screens long.
const ROWS: usize = 100;
/// Columns behind the name.
const HEADER: [&str; 9] = ["device", "address", "class", "manufacturer", "model", "firmware", "serial number", "zone", "last seen"];
/// What it can be sorted by.
const ORDERS: [(&str, &str); 8] = [
    ("tag", "tag"),
    ("ip", "address"),
    ("manufacturer", "manufacturer"),
    ("model", "model"),
    ("firmware_revision", "firmware"),
    ("zone", "zone"),
    ("-last_seen", "last seen, latest first"),
    ("last_seen", "last seen, longest ago first"),
];

#[derive(Template)]
#[template(path = "devices.html")]
struct Page<'a> {
    frame: Frame<'a>,
    filter: String,
    sort: String,
    orders: &'static [(&'static str, &'static str)],
    why: Option<String>,
    matched: String,
    header: &'static [&'static str],
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    name: String,
    class: &'static str,
    cells: Vec<String>,
}

/// The page.
pub async fn list(State(web): State<Web>, Extension(person): Extension<Person>, RawQuery(query): RawQuery) -> Shown {
    let said = |name: &str| {
        let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes()).into_owned();
        pairs.filter(|(of, value)| of == name && !value.is_empty()).map(|(_, value)| value).next()
    };
    let (filter, sort, after) = (said("filter"), said("sort").unwrap_or_else(|| "tag".to_owned()), said("after"));
    let told = |after: Option<String>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let pairs = [("filter", filter.as_deref()), ("sort", Some(sort.as_str())), ("after", after.as_deref())];
        query.extend_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name, value?)))).finish()
    };
    let (why, query) = match asked(Some(&told(after)), ROWS) {
        Ok(query) => (None, query),
        Err(problem) => (Some(problem.words().1.to_owned()), asked(None, ROWS)?),
    };
    let look = move |known: &Known<'_>| {
        let page = query.page(known.view.catalog.assets(), known.profiles).map_err(|e| super::Problem::bad(e.0))?;
        let rows: Vec<Row> = page.assets.iter().map(|asset| Row::of(asset, known)).collect();
        Ok((rows, page.matched, page.next))
    };
    let (rows, matched, next) = web.known(look).await?;
    shown(&Page {
        frame: Frame { person: Some(&person), here: "/devices" },
        next: next.map(|next| format!("/devices?{}", told(Some(next.to_string())))),
        matched: count(matched as u64, "device"),
        filter: filter.unwrap_or_default(),
        sort,
        orders: &ORDERS,
        why,
        header: &HEADER,
        rows,
    })
}

impl Row {
    fn of(asset: &Asset, known: &Known<'_>) -> Self {
        let value = |field| asset.shown(field).map(|current| current.standing.claim.value.clone()).unwrap_or_default();
        let firmware = match value(Field::FirmwareRevision) {
            none if none.is_empty() => format!("unknown: {}", asset.why_unknown),
            firmware => firmware,
        };
        let model = [value(Field::Model), value(Field::ProductCode)].into_iter().find(|value| !value.is_empty()).unwrap_or_default();
        let name = Some(known_as(asset)).filter(|name| !name.is_empty()).unwrap_or_else(|| asset.id.clone());
        Self {
            id: asset.id.clone(),
            name,
            class: match (asset.is_listed_only(), asset.why_unknown.is_empty()) {
                (true, _) => "other",
                (false, false) => "doubt",
                (false, true) => "plain",
            },
            cells: vec![
                asset.addresses.last().map(place).unwrap_or_default(),
                device_class(asset, known.profiles),
                value(Field::Manufacturer),
                model,
                firmware,
                value(Field::SerialNumber),
                asset.columns.get("zone").cloned().unwrap_or_default(),
                if asset.is_listed_only() { "never, only in a sheet".to_owned() } else { rfc3339(asset.seen_ns.1) },
            ],
        }
    }
}
