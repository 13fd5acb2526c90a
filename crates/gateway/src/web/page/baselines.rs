//! Approved baselines: what waits for a second person, what counts, how the devices stand to it, what is left as it is; and the steps of people.

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use nameplate_core::account::Right;
use nameplate_core::baseline::{Became, Clock, Event, SetConformance, person};
use nameplate_core::catalog::STALE_NS;
use serde::Deserialize;

use super::listing::{Cell, Listing, Row};
use super::{Frame, Problem, Refused, Shown, shown};
use crate::account::Person;
use crate::command::baseline::exemptions::{self, ExemptionLine};
use crate::command::baseline::list::{HEADER, IN_FORCE, Line, lines};
use crate::command::check::conformance::Conformances;
use crate::command::report::known_as;
use crate::house::{House, Known};
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::baselines::{devices, line, other};
use crate::web::api::decisions::{Left, LeftWord, Wanted, Word, decided, exempted, proposed, settled};

/// Rows of a table: what stands behind them is in the API and in `nameplate baseline list`.
const ROWS_MAX: usize = 250;
/// Devices that a decision's page names.
const DEVICES_MAX: usize = 200;

#[derive(Template)]
#[template(path = "baselines.html")]
struct All<'a> {
    frame: Frame<'a>,
    told: Told,
    may_record: bool,
    may_approve: bool,
}

/// All that is said of baselines.
struct Told {
    summary: String,
    two_persons: bool,
    waiting: Listing,
    in_force: Listing,
    conformance: Listing,
    sets: Listing,
    exemptions: Listing,
}

/// All of them.
pub async fn all(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    let told = web.known(|known| Ok(Told::of(known))).await?;
    let (may_record, may_approve) = (person.rights.has(Right::Record), person.rights.has(Right::Approve));
    shown(&All { frame: Frame { person: Some(&person), here: "/baselines" }, told, may_record, may_approve })
}

/// A line of the command as a row; its entry leads to its page.
fn row(line: &Line<'_>, tint: Tint) -> Row {
    let cells = line.cells().into_iter().enumerate();
    let cell = |(at, text): (usize, String)| match at {
        0 => Cell::to(text, format!("/baselines/{}", line.entry)),
        _ => Cell::of(text),
    };
    Row::of(tint, cells.map(cell).collect())
}

impl Told {
    fn of(known: &Known<'_>) -> Self {
        let baselines = &known.view.baselines;
        let all = lines(baselines, known.profiles, known.now_ns);
        let waits: Vec<u64> = baselines.proposals().filter(|one| one.became == Became::Waits).map(|one| one.index).collect();
        let some = |is: &dyn Fn(&Line<'_>) -> bool, tint| {
            all.iter().rev().filter(|line| is(line)).take(ROWS_MAX).map(|line| row(line, tint)).collect()
        };
        let clock = Clock { now_ns: known.now_ns, stale_after_ns: STALE_NS };
        let conformances = Conformances::of(known.view, known.profiles, clock);
        Self {
            summary: conformances.summary(),
            two_persons: baselines.needs_two_persons(),
            waiting: Listing {
                id: "waiting",
                title: "proposals that wait for another person",
                header: &HEADER,
                rows: some(&|line| waits.contains(&line.entry), Tint::Doubt),
                none: "None.",
            },
            in_force: Listing {
                id: "force",
                title: "decisions in force",
                header: &HEADER,
                rows: some(&|line| line.force == IN_FORCE, Tint::Plain),
                none: "Nobody decided on a release.",
            },
            conformance: of_devices(known, &conformances),
            sets: of_sets(known),
            exemptions: of_exemptions(known),
        }
    }
}

/// How the devices stand, the worst first.
fn of_devices(known: &Known<'_>, all: &Conformances<'_>) -> Listing {
    let row = |line: &crate::command::check::conformance::Line<'_>| {
        let name = known.view.catalog.asset(line.asset()).map(known_as).unwrap_or_default();
        let tint = match line.conformance() {
            "conforms" => Tint::Good,
            "disapproved" | "unknown" => Tint::Bad,
            _ => Tint::Doubt,
        };
        let cells = line.told().map(Cell::of);
        Row::of(tint, [Cell::device(line.asset(), &name)].into_iter().chain(cells).collect())
    };
    Listing {
        id: "conformance",
        title: "how the devices stand",
        header: &["device", "part", "field", "installed", "stands", "approved", "why"],
        rows: all.lines().iter().take(ROWS_MAX).map(row).collect(),
        none: "There is no device.",
    }
}

/// Groups of parts.
fn of_sets(known: &Known<'_>) -> Listing {
    let mut judged = known.view.baselines.judge_sets(&known.view.catalog, known.profiles, known.now_ns);
    judged.sort_by_key(|one| one.conformance);
    let row = |one: nameplate_core::baseline::SetJudged| {
        let tint = match one.conformance {
            SetConformance::Mixed => Tint::Bad,
            SetConformance::Unknown => Tint::Doubt,
            _ => Tint::Good,
        };
        let cells = [one.name, one.conformance.name().to_owned(), one.assets.join(" "), one.off.join("; ")].map(Cell::of);
        Row::of(tint, cells.into_iter().chain([Cell::to(one.entry.to_string(), format!("/baselines/{}", one.entry))]).collect())
    };
    Listing {
        id: "sets",
        title: "releases that are approved together",
        header: &["set", "stands", "devices", "off", "entry"],
        rows: judged.into_iter().take(ROWS_MAX).map(row).collect(),
        none: "None are.",
    }
}

fn of_exemptions(known: &Known<'_>) -> Listing {
    let all = ExemptionLine::all(&known.view.baselines, known.now_ns);
    let row = |line: &ExemptionLine<'_>| {
        let tint = if line.is_in_force() { Tint::Plain } else { Tint::Doubt };
        Row::of(tint, line.cells().into_iter().map(Cell::of).collect())
    };
    Listing {
        id: "exemptions",
        title: "left as it is",
        header: &exemptions::HEADER,
        rows: all.iter().rev().take(ROWS_MAX).map(row).collect(),
        none: "Nothing is.",
    }
}

/// What somebody wants done. Which of the rest is needed depends on `act`; what is empty was not filled in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Filled {
    act: String,
    decision: String,
    profile: String,
    manufacturer: String,
    model: String,
    product_code: String,
    part: String,
    release: String,
    range: String,
    from: String,
    until: String,
    asset: String,
    finding: String,
    document: String,
    kind: String,
    preferred: bool,
    reason: String,
}

fn some(text: String) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

impl Filled {
    fn wanted(self) -> Result<Wanted, Problem> {
        let decision = match self.decision.as_str() {
            "approved" => Word::Approved,
            "disapproved" => Word::Disapproved,
            "in_test" => Word::InTest,
            "superseded" => Word::Superseded,
            "not_applicable" => Word::NotApplicable,
            _ => return Err(Problem::bad("there is no such decision")),
        };
        Ok(Wanted {
            decision,
            profile: some(self.profile),
            manufacturer: some(self.manufacturer),
            model: some(self.model),
            product_code: some(self.product_code),
            part: some(self.part),
            release: some(self.release),
            range: some(self.range),
            from: some(self.from),
            until: some(self.until),
            assets: some(self.asset).into_iter().collect(),
            document: some(self.document),
            preferred: self.preferred,
            reason: self.reason.trim().to_owned(),
            ..Wanted::default()
        })
    }

    fn left(self) -> Result<Left, Problem> {
        let kind = match self.kind.as_str() {
            "waive" => LeftWord::Waive,
            "mitigate" => LeftWord::Mitigate,
            "defer" => LeftWord::Defer,
            _ => return Err(Problem::bad("there is no such thing to do instead")),
        };
        let (assets, finding) = (some(self.asset).into_iter().collect(), some(self.finding));
        Ok(Left { kind, assets, finding, until: self.until, reason: self.reason })
    }
}

/// Refuses who may not.
fn needs(person: &Person, right: Right) -> Result<(), Problem> {
    if person.rights.has(right) {
        return Ok(());
    }
    Err(Problem::forbidden(format!("{} may not: that needs the right \"{}\"", person.name, right.name())))
}

/// Proposes, decides, or leaves something as it is.
pub async fn act(State(web): State<Web>, Extension(person): Extension<Person>, Form(filled): Form<Filled>) -> Result<Redirect, Refused> {
    let by = person.name.clone();
    let entry = match filled.act.as_str() {
        "propose" => {
            needs(&person, Right::Record)?;
            let wanted = filled.wanted()?;
            web.apart(move |house| proposed(house, by, wanted)).await?.entry
        }
        "decide" => {
            needs(&person, Right::Approve)?;
            let wanted = filled.wanted()?;
            web.apart(move |house| decided(house, by, wanted)).await?.entry
        }
        "leave" => {
            needs(&person, Right::Approve)?;
            let left = filled.left()?;
            web.apart(move |house: &House| exempted(house, by, left)).await?;
            return Ok(Redirect::to("/baselines#exemptions"));
        }
        _ => return Err(Problem::bad("there is no such step").into()),
    };
    Ok(Redirect::to(&format!("/baselines/{entry}")))
}

#[derive(Template)]
#[template(path = "baseline.html")]
struct One<'a> {
    frame: Frame<'a>,
    entry: u64,
    facts: Vec<(&'static str, String)>,
    other: Option<u64>,
    devices: Listing,
    waits: bool,
    is_own: bool,
    may_record: bool,
    may_approve: bool,
}

/// One decision, set or proposal.
pub async fn one(State(web): State<Web>, Extension(who): Extension<Person>, Path(entry): Path<u64>) -> Shown {
    let own = person(&who.name);
    let look = move |known: &Known<'_>| {
        let cells = line(known, entry)?.cells();
        let facts: Vec<(&'static str, String)> = HEADER.into_iter().zip(cells).filter(|(_, cell)| !cell.is_empty()).collect();
        let device = |asset: &&nameplate_core::catalog::Asset| Row::of(Tint::Plain, vec![Cell::device(&asset.id, &known_as(asset))]);
        let rows: Vec<Row> = devices(known.view, entry).iter().take(DEVICES_MAX).map(device).collect();
        let proposal = known.view.baselines.proposals().find(|one| one.index == entry);
        let waits = proposal.is_some_and(|one| one.became == Became::Waits);
        let is_own = proposal.is_some_and(|one| person(one.what.by()) == own);
        Ok((facts, other(known.view, entry), rows, waits, is_own))
    };
    let (facts, other, rows, waits, is_own) = web.known(look).await?;
    let (may_record, may_approve) = (who.rights.has(Right::Record), who.rights.has(Right::Approve));
    let none = if waits { "Nothing is decided yet." } else { "It is about no device that is known." };
    let devices = Listing { id: "devices", title: "devices that it is about, or may be", header: &["device"], rows, none };
    let frame = Frame { person: Some(&who), here: "/baselines" };
    shown(&One { frame, entry, facts, other, devices, waits, is_own, may_record, may_approve })
}

/// What becomes of a proposal.
#[derive(Deserialize)]
pub struct Settled {
    act: String,
    #[serde(default)]
    reason: String,
}

/// Accepts a proposal, or gives it up.
pub async fn settle(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Path(proposal): Path<u64>,
    Form(Settled { act, reason }): Form<Settled>,
) -> Result<Redirect, Refused> {
    let by = person.name.clone();
    let (right, event) = match act.as_str() {
        "accept" => (Right::Approve, Event::Accepted { proposal, by, reason: some(reason) }),
        "withdraw" => (Right::Record, Event::Withdrawn { proposal, by, reason }),
        _ => return Err(Problem::bad("there is no such step").into()),
    };
    needs(&person, right)?;
    let entry = web.apart(move |house| settled(house, event)).await?.entry;
    let entry = if act == "accept" { entry } else { proposal };
    Ok(Redirect::to(&format!("/baselines/{entry}")))
}
