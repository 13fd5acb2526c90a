//! Advisories: the documents that were taken in, and one of them.

use std::cmp::Reverse;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use nameplate_core::advisory::Advisory;

use super::findings::{tint, urgency};
use super::listing::{Cell, Listing, Row};
use super::{Frame, Shown, escaped, shown};
use crate::account::Person;
use crate::command::check::findings::Findings;
use crate::command::check::threat::{Touch, by_document, touch_of};
use crate::command::report::known_as;
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::advisories::{find, remedies};

/// Rows of a page; a corpus has thousands, of which those that touch a device stand first.
const ROWS_MAX: usize = 250;
/// Devices that are named beside a document.
const DEVICES_MAX: usize = 200;

#[derive(Template)]
#[template(path = "advisories.html")]
struct All<'a> {
    frame: Frame<'a>,
    words: String,
    corpus: Option<String>,
    matched: usize,
    listing: Listing,
}

/// Where a document's page is.
pub fn path(advisory: &Advisory) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("publisher", &advisory.publisher).finish();
    format!("/advisories/{}?{query}", escaped(&advisory.id))
}

/// All documents, those that touch a device first, and of them the newest.
pub async fn all(State(web): State<Web>, Extension(person): Extension<Person>, RawQuery(query): RawQuery) -> Shown {
    let words = value(query.as_deref(), "words").unwrap_or_default();
    let judged = web.judged();
    let (words, mut rows, corpus) = web
        .apart(move |house| {
            judged.look(house, None, |_, findings, found| {
                let touches = by_document(found);
                let mut all: Vec<(&Advisory, Option<&Touch<'_>>)> =
                    findings.iter().flat_map(|findings| findings.documents()).map(|one| (one, touch_of(&touches, one))).collect();
                all.retain(|(one, _)| has(one, &words));
                let touches = |touch: Option<&Touch<'_>>| touch.is_some_and(|touch| !touch.devices.is_empty());
                all.sort_by_key(|(one, touch)| (!touches(*touch), Reverse(one.current_release.as_str()), one.id.as_str()));
                let rows: Vec<Row> = all.into_iter().map(|(one, touch)| row(one, touch)).collect();
                Ok((words, rows, findings.map(Findings::corpus)))
            })
        })
        .await?;
    let matched = rows.len();
    rows.truncate(ROWS_MAX);
    let listing = Listing {
        id: "documents",
        title: "documents",
        header: &["document", "band", "due", "title", "publisher", "released", "devices", "findings"],
        rows,
        none: "None. nameplate import advisories takes them in.",
    };
    shown(&All { frame: Frame { person: Some(&person), here: "/advisories" }, words, corpus, matched, listing })
}

fn value(query: Option<&str>, wanted: &str) -> Option<String> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// Whether all of these words stand in it.
fn has(one: &Advisory, words: &str) -> bool {
    let text = format!("{} {} {}", one.id, one.title, one.publisher).to_lowercase();
    let said = |word: &str| text.contains(word) || one.vulnerabilities.iter().any(|one| one.cve.to_lowercase().contains(word));
    words.to_lowercase().split_whitespace().all(said)
}

fn row(one: &Advisory, touch: Option<&Touch<'_>>) -> Row {
    let [band, due] = touch.map(urgency).unwrap_or_default();
    let cells = vec![
        Cell::to(one.id.clone(), path(one)),
        band,
        due,
        Cell::of(one.title.clone()),
        Cell::of(one.publisher.clone()),
        Cell::of(one.current_release.clone()),
        Cell::of(touch.map_or(0, |touch| touch.devices.len()).to_string()),
        Cell::of(touch.map(|touch| touch.counts.shown()).unwrap_or_default()),
    ];
    Row::of(tint(touch.and_then(|touch| touch.band)), cells)
}

#[derive(Template)]
#[template(path = "advisory.html")]
struct One<'a> {
    frame: Frame<'a>,
    id: String,
    title: String,
    facts: Vec<(&'static str, String)>,
    vulnerabilities: Listing,
    devices: Listing,
}

/// One document.
pub async fn one(State(web): State<Web>, Extension(person): Extension<Person>, Path(id): Path<String>, RawQuery(query): RawQuery) -> Shown {
    let publisher = value(query.as_deref(), "publisher");
    let judged = web.judged();
    let (id, title, facts, vulnerabilities, devices) = web
        .apart(move |house| {
            judged.look(house, None, |known, findings, found| {
                let one = find(findings, &id, publisher.as_deref())?;
                let touches = by_document(found);
                let touch = touch_of(&touches, one);
                let ids = touch.iter().flat_map(|touch| touch.devices.iter().copied()).take(DEVICES_MAX);
                let device = |id: &str| {
                    let name = known.view.catalog.asset(id).map(known_as).unwrap_or_default();
                    Row::of(Tint::Plain, vec![Cell::device(id, &name)])
                };
                Ok((one.id.clone(), one.title.clone(), facts(one, touch), said(one), ids.map(device).collect()))
            })
        })
        .await?;
    let vulnerabilities = Listing {
        id: "vulnerabilities",
        title: "vulnerabilities",
        header: &["vulnerability", "title", "score", "what is offered"],
        rows: vulnerabilities,
        none: "It names none.",
    };
    let none = "It names no device here. That is not \"not affected\".";
    let devices = Listing { id: "devices", title: "devices that are affected, or may be", header: &["device"], rows: devices, none };
    shown(&One { frame: Frame { person: Some(&person), here: "/advisories" }, id, title, facts, vulnerabilities, devices })
}

fn facts(one: &Advisory, touch: Option<&Touch<'_>>) -> Vec<(&'static str, String)> {
    vec![
        ("publisher", one.publisher.clone()),
        ("revision", one.revision.clone()),
        ("first", one.initial_release.clone()),
        ("released", one.current_release.clone()),
        ("products", one.products.len().to_string()),
        ("findings", touch.map(|touch| touch.counts.shown()).unwrap_or_else(|| "none".to_owned())),
        ("sha256", one.sha256.clone()),
    ]
}

/// Its vulnerabilities, each with what is offered against it.
fn said(one: &Advisory) -> Vec<Row> {
    let row = |one: &nameplate_core::advisory::Vulnerability| {
        let scores: Vec<&str> = one.scores.iter().map(|score| score.base.as_str()).collect();
        let worst = scores.into_iter().max_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse::<f64>().unwrap_or(0.0)));
        let offered: Vec<String> = remedies(one).iter().map(|fix| format!("{}: {}", fix.category, fix.details)).collect();
        let cve = Cell::to(one.cve.clone(), format!("/findings/{}", escaped(&one.cve)));
        let cells = [Cell::of(one.title.clone()), Cell::of(worst.unwrap_or_default()), Cell::of(offered.join("; "))];
        Row::of(Tint::Plain, [cve].into_iter().chain(cells).collect())
    };
    one.vulnerabilities.iter().map(row).collect()
}
