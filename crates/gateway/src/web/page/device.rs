//! One device: what it said and who says otherwise, its parts, what happened to it, what documents say of it; and what a person can do about it here.

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use nameplate_core::account::Right;
use nameplate_core::blind::spots;
use nameplate_core::catalog::{Asset, Recorded, done_to, events};
use nameplate_core::claim::Field;
use nameplate_core::finding::Verdict;
use nameplate_core::observation::rfc3339;
use nameplate_core::patching::{Judged, Stand, judge_one};
use nameplate_core::priority::Band;
use serde::Deserialize;

use super::listing::{Cell, Listing, Row};
use super::{Frame, Problem, Refused, Shown, escaped, shown};
use crate::account::Person;
use crate::command::check::findings::Found;
use crate::command::explain::finding::story;
use crate::command::patches::Line as PatchLine;
use crate::command::report::{known_as, overview};
use crate::house::{House, Known};
use crate::lines::{device_class, place, way};
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::devices::find;
use crate::web::api::evidence::{File, Subject, bundle};
use crate::web::api::field::want;
use crate::web::judged::{found, subjects};

/// Findings with their proof; each has a screen of it. What is most urgent stands first.
const FINDINGS_MAX: usize = 50;
/// Patches of one host, those that need somebody first; the rest is in the API.
const PATCHES_MAX: usize = 500;
/// Lines of what happened, the latest first.
const EVENTS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "device.html")]
struct Page<'a> {
    frame: Frame<'a>,
    told: Told,
    /// As the site file names it, where it may be asked.
    listed: Option<String>,
    is_there: bool,
    round: Option<String>,
    may_ask: bool,
    may_audit: bool,
}

/// What is known of it.
struct Told {
    id: String,
    name: String,
    facts: Vec<(&'static str, String)>,
    remarks: Vec<String>,
    said: Listing,
    parts: Listing,
    changes: Listing,
    patches: Listing,
    happened: Listing,
    findings: Vec<Proved>,
    unshown: usize,
    corpus: Option<String>,
}

/// A finding about it.
struct Proved {
    id: String,
    finding: Finding,
}

/// A finding and all that led to it.
pub struct Finding {
    /// How it is meant.
    pub class: &'static str,
    /// In a line.
    pub summary: String,
    /// What is missing where nobody can tell, the fact that would decide first.
    pub missing: String,
    /// All that led to it, line by line.
    pub story: Vec<String>,
}

/// The page.
pub async fn page(State(web): State<Web>, Extension(person): Extension<Person>, Path(id): Path<String>) -> Shown {
    let judged = web.judged();
    let (told, listed) = web
        .apart(move |house| {
            let findings = judged.findings(house)?;
            house.known(|known| {
                let asset = find(known, &id)?;
                let listed = house.field().name_of(asset).cloned();
                let parts = subjects(known, Some(&asset.id));
                let found: Vec<Found<'_>> = findings.iter().flat_map(|findings| found(findings, &parts, known)).collect();
                Ok((Told::of(asset, known, found, findings.as_ref().map(|findings| findings.corpus())), listed))
            })
        })
        .await?;
    let field = web.house().field().clone();
    shown(&Page {
        frame: Frame { person: Some(&person), here: "/devices" },
        listed,
        is_there: field.since_ns.is_some(),
        round: field.round.map(|round| round.why),
        may_ask: person.rights.has(Right::Ask),
        may_audit: person.rights.has(Right::Audit),
        told,
    })
}

/// A work order.
#[derive(Deserialize)]
pub struct Order {
    order: String,
}

/// Has it read as soon as the round before is over.
pub async fn read(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Path(id): Path<String>,
    Form(Order { order }): Form<Order>,
) -> Result<Redirect, Refused> {
    let asked = id.clone();
    let wish = move |house: &House| {
        let listed = house.known(|known| Ok::<_, Problem>(house.field().name_of(find(known, &asked)?).cloned()))?;
        let listed = listed.ok_or_else(|| Problem::conflict("the site file lists no device that is known to be this one"))?;
        want(house, &person, vec![listed], &order)
    };
    web.apart(wish).await?;
    Ok(Redirect::to(&format!("/devices/{}#read", escaped(&id))))
}

/// A bundle of evidence about it. Who takes it stands in the ledger first.
pub async fn evidence(State(web): State<Web>, Extension(person): Extension<Person>, Path(id): Path<String>) -> Result<File, Refused> {
    Ok(web.folded(move |house| bundle(house, person.name, &Subject::Device(id))).await?)
}

impl Told {
    fn of(asset: &Asset, known: &Known<'_>, mut found: Vec<Found<'_>>, corpus: Option<String>) -> Self {
        found.retain(overview::is_open);
        found.sort_by_key(|one| std::cmp::Reverse(one.decision.as_ref().map(|decision| decision.band)));
        let name = known_as(asset);
        Self {
            id: asset.id.clone(),
            name: if name.is_empty() { asset.id.clone() } else { name },
            facts: facts(asset, known),
            remarks: asset.remarks.iter().cloned().chain(asset.wrong_beliefs()).collect(),
            said: said(asset),
            parts: parts(asset, known),
            changes: changes(asset, known),
            patches: patches(asset, known),
            happened: happened(asset, known),
            unshown: found.len().saturating_sub(FINDINGS_MAX),
            findings: found.iter().take(FINDINGS_MAX).map(|one| Proved { id: asset.id.clone(), finding: Finding::of(one) }).collect(),
            corpus,
        }
    }
}

impl Finding {
    /// Of what was found.
    pub fn of(found: &Found<'_>) -> Self {
        let band = found.decision.as_ref().map(|decision| decision.band);
        let due =
            found.decision.as_ref().and_then(|decision| decision.due.as_ref()).map(|due| format!(", due {}", due.by)).unwrap_or_default();
        let became = found.remediation.as_ref().map(|known| format!(", {}", known.state.name())).unwrap_or_default();
        let left = if found.exempted.as_ref().is_some_and(|exempted| !exempted.has_ended) { ", left for a reason" } else { "" };
        let (cve, advisory) = (&found.proof.cve, &found.proof.advisory);
        let band_said = band.map(|band| format!("{}: ", band.name())).unwrap_or_default();
        Self {
            class: match (found.verdict, band) {
                (Verdict::NotAffected, _) => "good",
                (Verdict::Affected | Verdict::Contradiction, Some(Band::Critical | Band::Important)) => "bad",
                _ => "doubt",
            },
            summary: format!("{band_said}{cve} in {advisory}: {}{due}{became}{left}", found.verdict.name()),
            missing: if found.verdict == Verdict::Indeterminate { missing(found) } else { String::new() },
            story: story(found).lines().map(str::to_owned).collect(),
        }
    }
}

/// The fact that would decide, and the others.
fn missing(found: &Found<'_>) -> String {
    let decides = found.would_decide.as_deref();
    let others = found.proof.missing.iter().map(String::as_str).filter(|fact| Some(*fact) != decides);
    decides.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

/// What patch servers say of it, beside what it says.
fn patches(asset: &Asset, known: &Known<'_>) -> Listing {
    let judged = judge_one(asset, &known.view.patches, &known.view.catalog, known.profiles);
    let row = |one: &Judged<'_>| {
        let tint = match one.stand {
            Stand::Contradicted => Tint::Bad,
            Stand::NotRead | Stand::Behind => Tint::Doubt,
            Stand::Confirmed => Tint::Good,
            Stand::NothingToRead | Stand::Open => Tint::Plain,
        };
        let line = PatchLine::of(one);
        let said: Vec<String> =
            line.said.iter().map(|word| format!("{}: {} {} ({})", word.system, word.patch, word.state, word.taken)).collect();
        let expected = [line.field, line.release].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let again = if line.read_before { "read before that: read it again" } else { "" };
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let cells = [line.stand.to_owned(), said.join("; "), expected, text(line.read), text(line.read_at.as_deref()), again.to_owned()];
        Row::of(tint, cells.map(Cell::of).into())
    };
    Listing {
        id: "patches",
        title: "what patch servers say",
        header: &["stands", "said", "expected", "it says", "at", "remark"],
        rows: judged.iter().take(PATCHES_MAX).map(row).collect(),
        none: "No patch server says anything of it.",
    }
}

/// What stands about it in a line each.
fn facts(asset: &Asset, known: &Known<'_>) -> Vec<(&'static str, String)> {
    let mut facts = vec![("id", asset.id.clone()), ("class", device_class(asset, known.profiles))];
    facts.extend(asset.addresses.iter().rev().map(|address| {
        let mac = address.mac.as_ref().filter(|_| address.ip.is_some()).map(|mac| format!(", {mac}")).unwrap_or_default();
        ("address", format!("{}{mac}", place(address)))
    }));
    facts.push(match asset.is_listed_only() {
        true => ("seen", "never, only in a sheet".to_owned()),
        false => ("seen", format!("{} to {}", rfc3339(asset.seen_ns.0), rfc3339(asset.seen_ns.1))),
    });
    facts.push(("profile", asset.profile.clone().unwrap_or_else(|| "none matched".to_owned())));
    if !asset.why_unknown.is_empty() {
        facts.push(("firmware", format!("unknown: {}", asset.why_unknown)));
    }
    let question = spots([asset]).first().and_then(|spot| spot.question);
    facts.extend(question.map(|question| ("settled by", format!("{} ({}): {}", question.asks, question.over, question.bytes))));
    let speaks = asset.speaks.iter().map(|(protocol, roles)| format!("{protocol} {}", roles.iter().cloned().collect::<Vec<_>>().join(" ")));
    facts.push(("speaks", speaks.map(|one| one.trim().to_owned()).collect::<Vec<_>>().join(", ")));
    facts.extend(asset.was.iter().map(|was| ("was", was.clone())));
    facts.extend(asset.columns.iter().map(|(column, cell)| ("in a sheet", format!("{column}: {cell}"))));
    facts.extend(
        asset.facts.iter().map(|(name, fact)| ("by hand", format!("{name}, by {} at {}: {}", fact.by, rfc3339(fact.time_ns), fact.reason))),
    );
    facts
}

/// Each field of each part, and below it who says otherwise.
fn said(asset: &Asset) -> Listing {
    let row = |recorded: &Recorded, otherwise: bool| {
        let claim = &recorded.claim;
        let field = if otherwise { format!("{}, others say", claim.field.name()) } else { claim.field.name().to_owned() };
        // A list's word stands in an entry, too, and has no bytes.
        let entry = recorded.entry.map(|entry| entry.to_string()).unwrap_or_default();
        let entry = match (recorded.entry, recorded.observation) {
            (Some(number), Some(_)) => Cell::to(entry, format!("/observations/{number}")),
            _ => Cell::of(entry),
        };
        let cells = [
            claim.component.clone(),
            String::new(),
            claim.value.clone(),
            claim.grade.name().to_owned(),
            way(&recorded.source).to_owned(),
            rfc3339(recorded.time_ns),
            rfc3339(recorded.since_ns),
            claim.rule.clone(),
        ];
        let mut cells: Vec<Cell> = cells.into_iter().map(Cell::of).collect();
        cells[1] = Cell::to(field, format!("/devices/{}/fields/{}", asset.id, claim.field.name()));
        cells.push(entry);
        Row::of(if otherwise { Tint::Doubt } else { Tint::Plain }, cells)
    };
    let current = asset
        .components()
        .into_iter()
        .flat_map(|component| Field::ALL.into_iter().filter_map(move |field| asset.current(component, field)));
    let rows = current.flat_map(|current| {
        [row(current.standing, false)].into_iter().chain(current.conflicting.into_iter().map(|one| row(one, true))).collect::<Vec<_>>()
    });
    Listing {
        id: "nameplate",
        title: "nameplate",
        header: &["part", "field", "value", "grade", "way", "last said", "first said", "rule", "entry"],
        rows: rows.collect(),
        none: "It has not said what it is.",
    }
}

/// Whose part it is, and its own parts.
fn parts(asset: &Asset, known: &Known<'_>) -> Listing {
    let catalog = &known.view.catalog;
    let row = |word: &str, id: &str| {
        let other = catalog.asset(id);
        let model =
            other.and_then(|other| other.shown(Field::Model)).map(|current| current.standing.claim.value.clone()).unwrap_or_default();
        let at = other.and_then(|other| other.address()).map(place).unwrap_or_default();
        let name = other.map(known_as).unwrap_or_default();
        Row::of(Tint::Plain, vec![Cell::of(word), Cell::device(id, &name), Cell::of(at), Cell::of(model)])
    };
    let parent = catalog.parents().get(asset.id.as_str()).map(|parent| row("part of", parent));
    let own = catalog.children().remove(asset.id.as_str()).unwrap_or_default();
    let rows = parent.into_iter().chain(own.into_iter().map(|part| row("part", part))).collect();
    Listing {
        id: "parts",
        title: "parts and modules",
        header: &["what", "device", "where", "model"],
        rows,
        none: "No device is known to be a part of it, nor it of another.",
    }
}

/// The changes that it was in.
fn changes(asset: &Asset, known: &Known<'_>) -> Listing {
    let called = |id: &str| id == asset.id || asset.was.iter().any(|was| was == id);
    let own = known.view.changes.iter().filter(|change| change.plan.places().any(|place| called(&place.asset)));
    let row = |change: &nameplate_core::change::Change| {
        let order = Cell::to(change.plan.order.clone(), format!("/changes/{}", escaped(&change.plan.order)));
        let verdict = change.verdict_on(&asset.id).filter(|_| !change.after.is_empty());
        let (verdict, why) = verdict.map(|judged| (judged.verdict.text().to_owned(), judged.why)).unwrap_or_default();
        Row::of(Tint::Plain, vec![order, Cell::of(change.stage()), Cell::of(verdict), Cell::of(why), Cell::of(change.plan.by.clone())])
    };
    Listing {
        id: "changes",
        title: "changes",
        header: &["work order", "stage", "verdict", "why", "opened by"],
        rows: own.map(row).collect(),
        none: "It was in no change.",
    }
}

/// What happened to it, the latest first.
fn happened(asset: &Asset, known: &Known<'_>) -> Listing {
    let mut all = events(&known.view.catalog, known.profiles);
    all.extend(done_to(&known.view.catalog, &known.view.happenings));
    all.retain(|event| event.asset == asset.id);
    all.sort_by_key(|event| std::cmp::Reverse(event.time_ns));
    let row = |event: nameplate_core::catalog::Event<'_>| {
        let about = event.about.map(|(part, field)| format!("{part} {}", field.name())).unwrap_or_default();
        let entry = event.entry.map(|entry| entry.to_string()).unwrap_or_default();
        let what = event.happened.name().replace('-', " ");
        let remark =
            [event.relation.unwrap_or_default(), &event.remark].into_iter().filter(|one| !one.is_empty()).collect::<Vec<_>>().join("; ");
        Row::plain([rfc3339(event.time_ns), what, about, event.before, event.after, remark, entry])
    };
    Listing {
        id: "timeline",
        title: "what happened",
        header: &["time", "what", "about", "before", "after", "remark", "entry"],
        rows: all.into_iter().take(EVENTS_MAX).map(row).collect(),
        none: "Nothing: it was only listed.",
    }
}
