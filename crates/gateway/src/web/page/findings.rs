//! Findings in two ways: by what threatens, and by device; and one threat with each device's proof.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use nameplate_core::priority::Band;

use super::device::Finding;
use super::listing::{Cell, Listing, Row};
use super::{Frame, Problem, Shown, escaped, shown};
use crate::account::Person;
use crate::command::check::findings::{Findings, Found};
use crate::command::check::threat::{Touch, by_cve, by_device};
use crate::command::explain::walk::{walks, why_unknown};
use crate::command::report::known_as;
use crate::house::Known;
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::advisories::remedies;
use crate::web::api::devices::find;
use crate::web::api::explained::named;
use crate::web::api::ledger::store;
use crate::web::api::threats::told;

/// Rows of a page: what is less urgent than these waits until they are done, or is behind a filter.
const ROWS_MAX: usize = 250;
/// Devices of a threat with their proof; each has a screen of it.
const PROOFS_MAX: usize = 50;
/// What can be looked at alone.
const BANDS: [&str; 5] = ["", "critical", "important", "moderate", "low"];

#[derive(Template)]
#[template(path = "findings.html")]
struct Page<'a> {
    frame: Frame<'a>,
    said: Said,
    bands: [&'static str; 5],
    corpus: Option<String>,
    matched: usize,
    listing: Listing,
}

/// What stands in the address.
#[derive(Default)]
struct Said {
    by_device: bool,
    band: String,
}

impl Said {
    fn of(query: &str) -> Self {
        let mut said = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "by" => said.by_device = value == "device",
                "band" if BANDS.contains(&&*value) => said.band = value.into_owned(),
                _ => {}
            }
        }
        said
    }

    fn wants(&self, touch: &Touch<'_>) -> bool {
        self.band.is_empty() || touch.band.map(Band::name) == Some(&self.band)
    }
}

/// The page.
pub async fn all(State(web): State<Web>, Extension(person): Extension<Person>, RawQuery(query): RawQuery) -> Shown {
    let said = Said::of(query.as_deref().unwrap_or_default());
    let judged = web.judged();
    let (said, mut rows, corpus) = web
        .apart(move |house| {
            judged.look(house, None, |known, findings, found| {
                let rows = if said.by_device { of_devices(known, found, &said) } else { of_threats(findings, found, &said) };
                Ok((said, rows, findings.map(Findings::corpus)))
            })
        })
        .await?;
    let matched = rows.len();
    rows.truncate(ROWS_MAX);
    let none = "No document names a device here for a vulnerability. That is not \"not affected\".";
    let listing = if said.by_device {
        let header = &["device", "band", "due", "vulnerabilities", "findings"];
        Listing { id: "by", title: "by device", header, rows, none }
    } else {
        let header = &["vulnerability", "band", "due", "title", "devices", "findings", "a fix is offered", "what would tell"];
        Listing { id: "by", title: "by threat", header, rows, none }
    };
    shown(&Page { frame: Frame { person: Some(&person), here: "/findings" }, said, bands: BANDS, corpus, matched, listing })
}

/// How a row is meant.
pub fn tint(band: Option<Band>) -> Tint {
    match band {
        Some(Band::Critical | Band::Important) => Tint::Bad,
        Some(Band::Moderate | Band::Low) => Tint::Doubt,
        None => Tint::Plain,
    }
}

/// Band and day, as cells say them.
pub fn urgency(touch: &Touch<'_>) -> [Cell; 2] {
    let band = touch.band.map(Band::name).unwrap_or_default();
    [Cell::of(band), Cell::of(touch.due.map(|due| due.to_string()).unwrap_or_default())]
}

fn of_threats(findings: Option<&Findings>, found: &[Found<'_>], said: &Said) -> Vec<Row> {
    let threats = by_cve(found);
    let mut threats: Vec<(&str, &Touch<'_>)> =
        threats.iter().filter(|(_, touch)| said.wants(touch)).map(|(cve, touch)| (*cve, touch)).collect();
    threats.sort_by_cached_key(|(cve, touch)| (Touch::rank(touch.band), touch.due, *cve));
    let row = |(cve, touch): (&str, &Touch<'_>)| {
        let title = findings.and_then(|findings| told(findings, cve).next()).map(|(_, one)| one.title.clone()).unwrap_or_default();
        let cells = vec![
            Cell::of(title),
            Cell::of(touch.devices.len().to_string()),
            Cell::of(touch.counts.shown()),
            Cell::of(if touch.offers_fix { "yes" } else { "no" }),
            Cell::of(touch.would_tell().unwrap_or_default()),
        ];
        let first = Cell::to(cve, format!("/findings/{}", escaped(cve)));
        Row::of(tint(touch.band), [first].into_iter().chain(urgency(touch)).chain(cells).collect())
    };
    threats.into_iter().map(row).collect()
}

fn of_devices(known: &Known<'_>, found: &[Found<'_>], said: &Said) -> Vec<Row> {
    let devices = by_device(found);
    let mut devices: Vec<(&str, &Touch<'_>)> =
        devices.iter().filter(|(_, touch)| said.wants(touch)).map(|(id, touch)| (*id, touch)).collect();
    devices.sort_by_cached_key(|(id, touch)| (Touch::rank(touch.band), touch.due, *id));
    let row = |(id, touch): (&str, &Touch<'_>)| {
        let name = known.view.catalog.asset(id).map(known_as).filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_owned());
        let first = Cell::to(name, format!("/devices/{id}#findings"));
        let cells = [Cell::of(touch.beside.len().to_string()), Cell::of(touch.counts.shown())];
        Row::of(tint(touch.band), [first].into_iter().chain(urgency(touch)).chain(cells).collect())
    };
    devices.into_iter().map(row).collect()
}

#[derive(Template)]
#[template(path = "threat.html")]
struct Threat<'a> {
    frame: Frame<'a>,
    told: Told,
}

/// One vulnerability.
struct Told {
    cve: String,
    counts: String,
    urgency: String,
    documents: Vec<Document>,
    devices: Vec<Device>,
    unshown: usize,
    corpus: String,
}

/// What a document says of it.
struct Document {
    id: String,
    path: String,
    title: String,
    publisher: String,
    released: String,
    remedies: Vec<(String, String)>,
}

/// A finding about a device.
struct Device {
    id: String,
    name: String,
    finding: Finding,
}

/// One threat, with every device that it touches.
pub async fn one(State(web): State<Web>, Extension(person): Extension<Person>, Path(cve): Path<String>) -> Shown {
    let judged = web.judged();
    let told = web
        .apart(move |house| {
            judged.look(house, None, |known, findings, found| {
                let all = by_cve(found);
                let none = || Problem::missing("no document names a device here for this vulnerability; that is not \"not affected\"");
                let (cve, touch) = all.iter().find(|(own, _)| **own == cve).ok_or_else(none)?;
                Ok(Told::of(cve, touch, known, findings.ok_or_else(none)?, found))
            })
        })
        .await?;
    shown(&Threat { frame: Frame { person: Some(&person), here: "/findings" }, told })
}

impl Told {
    fn of(cve: &str, touch: &Touch<'_>, known: &Known<'_>, findings: &Findings, found: &[Found<'_>]) -> Self {
        let mut own: Vec<&Found<'_>> = found.iter().filter(|one| one.proof.cve == cve).collect();
        own.sort_by_key(|one| std::cmp::Reverse(one.decision.as_ref().map(|decision| decision.band)));
        let device = |one: &&Found<'_>| {
            let id = one.subject.installed.asset.clone();
            let name = known.view.catalog.asset(&id).map(known_as).filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
            Device { id, name, finding: Finding::of(one) }
        };
        let document = |(advisory, one): (&nameplate_core::advisory::Advisory, &nameplate_core::advisory::Vulnerability)| Document {
            id: advisory.id.clone(),
            path: super::advisories::path(advisory),
            title: advisory.title.clone(),
            publisher: advisory.publisher.clone(),
            released: advisory.current_release.clone(),
            remedies: remedies(one).into_iter().map(|fix| (fix.category.to_owned(), fix.details.to_owned())).collect(),
        };
        let due = touch.due.map(|due| format!(", due {due}")).unwrap_or_default();
        Self {
            cve: cve.to_owned(),
            counts: touch.counts.shown(),
            urgency: touch.band.map(|band| format!("{}{due}", band.name())).unwrap_or_default(),
            documents: told(findings, cve).map(document).collect(),
            unshown: own.len().saturating_sub(PROOFS_MAX),
            devices: own.iter().take(PROOFS_MAX).map(device).collect(),
            corpus: findings.corpus(),
        }
    }
}

#[derive(Template)]
#[template(path = "field.html")]
struct Field<'a> {
    frame: Frame<'a>,
    id: String,
    name: String,
    field: String,
    lines: Vec<String>,
}

/// What a field of a device rests on: the rule, the observation, the bytes.
pub async fn field(State(web): State<Web>, Extension(person): Extension<Person>, Path((id, field)): Path<(String, String)>) -> Shown {
    let wanted = named(&field)?;
    let look = move |house: &crate::house::House| {
        let store = store(house)?;
        house.known(|known| {
            let asset = find(known, &id)?;
            let walks = walks(asset, &[wanted], &store, known.profiles)?;
            let mut lines: Vec<String> =
                walks.iter().flat_map(|walk| walk.shown().lines().map(str::to_owned).collect::<Vec<_>>()).collect();
            if lines.is_empty() {
                lines.push(format!("It is not known: {}.", why_unknown(asset)));
            }
            Ok::<_, Problem>((asset.id.clone(), known_as(asset), lines))
        })
    };
    let (id, name, lines) = web.apart(look).await?;
    shown(&Field { frame: Frame { person: Some(&person), here: "/devices" }, id, name, field, lines })
}
