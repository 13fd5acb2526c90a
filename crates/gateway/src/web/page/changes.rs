//! Changes: how far each is; and one as it is looked at on a phone in the outage: what to do next, ring by ring, and what the readings say.

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use nameplate_core::account::Right;
use nameplate_core::change::{Change, Event, Judged, Verdict};
use nameplate_core::observation::rfc3339;
use serde::Deserialize;

use super::listing::{Cell, Listing, Row};
use super::overview::drawn;
use super::{Frame, Problem, Refused, Shown, escaped, shown};
use crate::account::Person;
use crate::command::change::page::standing;
use crate::command::report::known_as;
use crate::house::Known;
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::changes::step;

#[derive(Template)]
#[template(path = "changes.html")]
struct All<'a> {
    frame: Frame<'a>,
    changes: Listing,
    plots: Vec<String>,
}

/// All changes, the latest first.
pub async fn all(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    let look = |known: &Known<'_>| {
        let mut rows: Vec<Row> = known.view.changes.iter().map(|change| row(change, known.now_ns)).collect();
        rows.reverse();
        Ok((rows, drawn(known.view, known.now_ns)))
    };
    let (rows, plots) = web.known(look).await?;
    let changes = Listing {
        id: "changes",
        title: "work orders",
        header: &["work order", "stage", "devices", "undone", "from", "until", "opened by", "approved by"],
        rows,
        none: "No change was opened; nameplate change open does it.",
    };
    shown(&All { frame: Frame { person: Some(&person), here: "/changes" }, changes, plots })
}

fn row(change: &Change, now_ns: u64) -> Row {
    let plan = &change.plan;
    let undone = if change.closed.is_some() { 0 } else { change.undone(false).len() };
    let tint = match () {
        () if undone > 0 && plan.until_ns < now_ns => Tint::Bad,
        () if undone > 0 => Tint::Doubt,
        () => Tint::Good,
    };
    let cells = vec![
        Cell::to(plan.order.clone(), format!("/changes/{}", escaped(&plan.order))),
        Cell::of(change.stage()),
        Cell::of(plan.scope.len().to_string()),
        Cell::of(undone.to_string()),
        Cell::of(rfc3339(plan.from_ns)),
        Cell::of(rfc3339(plan.until_ns)),
        Cell::of(plan.by.clone()),
        Cell::of(change.approved.as_ref().map(|step| step.by.clone()).unwrap_or_default()),
    ];
    Row::of(tint, cells)
}

#[derive(Template)]
#[template(path = "change.html")]
struct One<'a> {
    frame: Frame<'a>,
    told: Told,
}

/// One change.
struct Told {
    order: String,
    path: String,
    window: String,
    stage: &'static str,
    next: Next,
    rings: Vec<Ring>,
    neighbours: Vec<Device>,
}

/// What to do next, and the button for it where this person has one.
struct Next {
    said: String,
    button: Option<Button>,
}

/// What is sent when it is pressed.
struct Button {
    act: &'static str,
    ring: u32,
    title: String,
    /// Somebody has to say that identities without a proof are accepted.
    is_unproven: bool,
}

/// A ring with its devices.
struct Ring {
    title: String,
    stage: &'static str,
    devices: Vec<Device>,
}

/// A device of it.
struct Device {
    id: String,
    name: String,
    class: &'static str,
    said: String,
    why: String,
}

/// The page.
pub async fn one(State(web): State<Web>, Extension(person): Extension<Person>, Path(order): Path<String>) -> Shown {
    let own = person.clone();
    let look = move |known: &Known<'_>| {
        let change = known.view.changes.get(&order).ok_or_else(|| Problem::missing("no change was opened for this work order"))?;
        Ok(Told::of(change, known, &own))
    };
    let told = web.known(look).await?;
    shown(&One { frame: Frame { person: Some(&person), here: "/changes" }, told })
}

impl Told {
    fn of(change: &Change, known: &Known<'_>, person: &Person) -> Self {
        let judged = standing(change);
        let device = |id: &String| Device::of(change, judged.iter().find(|judged| judged.asset == *id), id, known);
        let rings = (1..).zip(change.plan.rings()).map(|(number, ring)| Ring {
            title: if change.plan.is_staged() { format!("ring {number}: {}", ring.name) } else { "devices".to_owned() },
            stage: change.ring_stage(number),
            devices: ring.assets.iter().map(device).collect(),
        });
        Self {
            order: change.plan.order.clone(),
            path: escaped(&change.plan.order),
            window: format!("{} to {}", rfc3339(change.plan.from_ns), rfc3339(change.plan.until_ns)),
            stage: change.stage(),
            next: Next::of(change, person),
            rings: rings.collect(),
            neighbours: change.plan.neighbours.iter().map(|place| device(&place.asset)).collect(),
        }
    }
}

impl Device {
    fn of(change: &Change, judged: Option<&Judged>, id: &str, known: &Known<'_>) -> Self {
        let name = known.view.catalog.asset(id).map(known_as).filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_owned());
        let (class, said, why) = match (change.is_left(id), judged) {
            (Some(left), _) => ("doubt", format!("left: {}", left.fate.name()), left.reason.clone()),
            (None, None) => ("plain", "not read after yet".to_owned(), String::new()),
            (None, Some(judged)) => {
                let class = match judged.verdict {
                    Verdict::AsExpected => "good",
                    Verdict::IdentityNotProven | Verdict::Unreadable => "doubt",
                    _ => "bad",
                };
                (class, judged.verdict.text().to_owned(), judged.why.clone())
            }
        };
        Self { id: id.to_owned(), name, class, said, why }
    }
}

impl Next {
    /// What the change waits for. Whoever may not do it sees who does.
    fn of(change: &Change, person: &Person) -> Self {
        let (plan, order) = (&change.plan, &change.plan.order);
        let only = |said: String| Self { said, button: None };
        if change.closed.is_some() {
            return only("It is closed. Nothing is left to do.".to_owned());
        }
        if plan.is_staged() && change.approved.is_none() {
            return Self::with(person, Right::Approve, "approve", 0, "Approve", format!("Somebody other than {} approves it.", plan.by));
        }
        let undone = |number: &u32| change.verified(*number).is_none() && change.ring_stage(*number) != "verified";
        let Some(ring) = (1..).take(plan.rings().len()).find(undone) else {
            return only(format!("All is verified. Close it: nameplate change close {order}"));
        };
        let named = if plan.is_staged() { format!("ring {ring}") } else { "it".to_owned() };
        match change.ring_stage(ring) {
            "waits" => Self::with(
                person,
                Right::Record,
                "open_ring",
                ring,
                &format!("Open {named}"),
                format!("Open {named}: what comes before is done."),
            ),
            "open" => only(format!("Read {named} before: nameplate change before {order}")),
            "read before" => {
                Self::with(person, Right::Record, "installed", ring, "It is installed", format!("Install {named}, and say so here."))
            }
            "installed" => only(format!("Read {named} after: nameplate change after {order}")),
            _ if !plan.is_staged() => only(format!("Read after. Close it: nameplate change close {order}")),
            _ => Self::with(
                person,
                Right::Approve,
                "verify",
                ring,
                &format!("Verify {named}"),
                format!("Somebody other than its installer verifies {named}."),
            ),
        }
    }

    fn with(person: &Person, right: Right, act: &'static str, ring: u32, title: &str, said: String) -> Self {
        let button = person.rights.has(right).then(|| Button { act, ring, title: title.to_owned(), is_unproven: act == "verify" });
        Self { said, button }
    }
}

/// A step that somebody takes.
#[derive(Deserialize)]
pub struct Step {
    act: String,
    #[serde(default)]
    ring: u32,
    #[serde(default)]
    accepts_unproven: bool,
}

/// Takes a step; the ledger's own rules say whether it may be. Which right it needs stands here.
pub async fn take(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Path(order): Path<String>,
    Form(Step { act, ring, accepts_unproven }): Form<Step>,
) -> Result<Redirect, Refused> {
    let path = format!("/changes/{}", escaped(&order));
    let by = person.name.clone();
    let (right, event) = match act.as_str() {
        "approve" => (Right::Approve, Event::Approved { order, by }),
        "open_ring" => (Right::Record, Event::RingOpened { order, ring, by }),
        "installed" => (Right::Record, Event::Installed { order, ring, by }),
        "verify" => (Right::Approve, Event::Verified { order, ring, by, accepts_unproven }),
        _ => return Err(Problem::bad("there is no such step").into()),
    };
    if !person.rights.has(right) {
        return Err(Problem::forbidden(format!("{} may not: that needs the right \"{}\"", person.name, right.name())).into());
    }
    let _taken = step(&web, event).await?;
    Ok(Redirect::to(&path))
}
