//! The list of devices. Filter, order and columns stand in the address, so that a bookmark is a view that was saved.

use askama::Template;
use axum::Extension;
use axum::extract::{Form, RawQuery, State};
use axum::response::Redirect;
use nameplate_core::catalog::Asset;
use nameplate_core::sheet::COLUMNS;
use serde::Deserialize;

use super::{Frame, Refused, Shown, shown};
use crate::account::Person;
use crate::command::report::known_as;
use crate::house::Known;
use crate::lines::{inventory_row, place};
use crate::print::count;
use crate::web::Web;
use crate::web::api::devices::asked;
use crate::web::views::Own;

/// Rows of a page: what a plant's PC shows at once, some screens long.
const ROWS: usize = 100;
/// Columns that are shown, where nobody chose any.
const USUAL: [&str; 8] = ["address", "device_class", "manufacturer", "model", "firmware_revision", "serial_number", "zone", "last_seen"];
/// Where it answers, as people write it; the other columns are those of the inventory file.
const ADDRESS: &str = "address";
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
    said: Said,
    orders: &'static [(&'static str, &'static str)],
    choices: Vec<(&'static str, String, bool)>,
    why: Option<String>,
    matched: String,
    header: Vec<String>,
    rows: Vec<Row>,
    next: Option<String>,
    /// Views that this person keeps: names, and their addresses.
    views: Own,
    /// What stands in the address, to be kept.
    view: String,
}

struct Row {
    id: String,
    name: String,
    class: &'static str,
    cells: Vec<String>,
}

/// What stands in the address.
struct Said {
    filters: Vec<String>,
    sort: String,
    columns: Vec<&'static str>,
    after: Option<String>,
}

impl Said {
    fn of(query: &str) -> Self {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let all =
            |name: &'static str| pairs.iter().filter(move |(of, value)| of == name && !value.is_empty()).map(|(_, value)| value.clone());
        let columns: Vec<&'static str> = names().filter(|name| all("column").any(|chosen| chosen == *name)).collect();
        Self {
            filters: all("filter").collect(),
            sort: all("sort").next().unwrap_or_else(|| "tag".to_owned()),
            columns: if columns.is_empty() { USUAL.to_vec() } else { columns },
            after: all("after").next(),
        }
    }

    /// As the API is asked for the same.
    fn asked(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.filters.iter().map(|filter| ("filter", filter.as_str()))).append_pair("sort", &self.sort);
        query.extend_pairs(self.after.iter().map(|after| ("after", after.as_str()))).finish()
    }

    /// The address of the page behind this one.
    fn behind(&self, after: String) -> String {
        format!("/devices?{}", self.with_columns(Some(after)))
    }

    /// What makes this view, as it stands in an address.
    fn view(&self) -> String {
        self.with_columns(None)
    }

    fn with_columns(&self, after: Option<String>) -> String {
        let next = Self { filters: self.filters.clone(), sort: self.sort.clone(), columns: self.columns.clone(), after };
        let mut query = form_urlencoded::Serializer::new(next.asked());
        if next.columns != USUAL {
            query.extend_pairs(next.columns.iter().map(|column| ("column", column)));
        }
        query.finish()
    }
}

/// All columns, in the order in which they are shown.
fn names() -> impl Iterator<Item = &'static str> {
    [ADDRESS].into_iter().chain(COLUMNS.iter().map(|column| column.name).filter(|name| *name != "tag"))
}

fn title(column: &str) -> String {
    column.replace('_', " ")
}

/// The page.
pub async fn list(State(web): State<Web>, Extension(person): Extension<Person>, RawQuery(query): RawQuery) -> Shown {
    let said = Said::of(query.as_deref().unwrap_or_default());
    let (why, query) = match asked(Some(&said.asked()), ROWS) {
        Ok(query) => (None, query),
        Err(problem) => (Some(problem.words().1.to_owned()), asked(None, ROWS)?),
    };
    let columns = said.columns.clone();
    let view = said.view();
    let look = move |known: &Known<'_>| {
        let page = query.page(known.view.catalog.assets(), known.profiles).map_err(|e| super::Problem::bad(e.0))?;
        let rows: Vec<Row> = page.assets.iter().map(|asset| Row::of(asset, &columns, known)).collect();
        Ok((rows, page.matched, page.next))
    };
    let (rows, matched, next) = web.known(look).await?;
    shown(&Page {
        frame: Frame { person: Some(&person), here: "/devices" },
        next: next.map(|next| said.behind(next.to_string())),
        matched: count(matched as u64, "device"),
        orders: &ORDERS,
        choices: names().map(|name| (name, title(name), said.columns.contains(&name))).collect(),
        why,
        views: web.views().of(&person.name),
        view,
        header: said.columns.iter().map(|column| title(column)).collect(),
        rows,
        said,
    })
}

/// A view that somebody keeps or forgets.
#[derive(Deserialize)]
pub struct View {
    title: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    forget: bool,
}

/// Keeps a view under a name, or forgets it.
pub async fn view(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Form(View { title, query, forget }): Form<View>,
) -> Result<Redirect, Refused> {
    let (own, to) = (web.clone(), format!("/devices?{query}"));
    let keep = move |_: &crate::house::House| {
        let mut views = own.views();
        if forget { views.forget(&person.name, &title) } else { views.keep(&person.name, &title, &query) }
    };
    web.apart(keep).await?;
    Ok(Redirect::to(if to.len() > "/devices?".len() && to.is_ascii() && !to.contains(char::is_control) { &to } else { "/devices" }))
}

impl Row {
    fn of(asset: &Asset, columns: &[&str], known: &Known<'_>) -> Self {
        let names: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let cell = |(name, cell): (&&str, String)| match *name {
            ADDRESS => asset.address().map(place).unwrap_or_default(),
            "firmware_revision" if cell.is_empty() => format!("unknown: {}", asset.why_unknown),
            "last_seen" if cell.is_empty() => "never, only in a sheet".to_owned(),
            _ => cell,
        };
        let cells = columns.iter().zip(inventory_row(asset, &names, known.profiles)).map(cell).collect();
        Self {
            id: asset.id.clone(),
            name: Some(known_as(asset)).filter(|name| !name.is_empty()).unwrap_or_else(|| asset.id.clone()),
            class: match (asset.is_listed_only(), asset.why_unknown.is_empty()) {
                (true, _) => "other",
                (false, false) => "doubt",
                (false, true) => "plain",
            },
            cells,
        }
    }
}
