//! One change as it is looked at on a phone in the outage: what to do next, ring by ring, what the readings say, and what is left.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Redirect;
use nameplate_core::account::Right;
use nameplate_core::change::{Change, Event, Judged, Precheck, Verdict};
use nameplate_core::observation::rfc3339;

use super::said::Said;
use super::{Frame, Problem, Refused, Shown, escaped, shown};
use crate::account::Person;
use crate::cli::Format;
use crate::command::change::page::standing;
use crate::command::change::{plan, steps, stopped_by};
use crate::command::report::known_as;
use crate::house::Known;
use crate::web::Web;
use crate::web::api::changes::readings::{When, asked, taken};
use crate::web::api::changes::step;
use crate::web::api::changes::steps::{NewCheck, NewLeft, checked, closed, left};
use crate::web::api::evidence::{File, Subject, bundle};

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
    /// What was agreed, a line each.
    plan: Vec<String>,
    may_record: bool,
    may_audit: bool,
    is_closed: bool,
    /// Devices that may be left.
    open: Vec<(String, String)>,
    prechecks: [&'static str; 4],
}

/// What to do next, and the buttons for it that this person has.
struct Next {
    said: String,
    buttons: Vec<Button>,
}

/// What is sent when it is pressed.
#[derive(Clone)]
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
        let changes = &known.view.changes;
        let agreed = plan::page(change, Format::Table, |ring| stopped_by(changes, change, ring, known.now_ns));
        let name = |id: &str| known.view.catalog.asset(id).map(known_as).filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_owned());
        let open = change.plan.places().map(|place| place.asset.as_str()).filter(|id| change.is_left(id).is_none());
        Self {
            open: open.map(|id| (id.to_owned(), name(id))).collect(),
            plan: agreed.lines().map(str::to_owned).collect(),
            may_record: person.rights.has(Right::Record),
            may_audit: person.rights.has(Right::Audit),
            is_closed: change.closed.is_some(),
            prechecks: Precheck::ALL.map(Precheck::name),
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
        let plan = &change.plan;
        let next = |said: String, buttons: &[(Right, Button)]| {
            let own = buttons.iter().filter(|(right, _)| person.rights.has(*right)).map(|(_, button)| button.clone());
            Self { said, buttons: own.collect() }
        };
        if change.closed.is_some() {
            return next("It is closed. Nothing is left to do.".to_owned(), &[]);
        }
        if change.undone(false).is_empty() {
            let close = Button::of("close", 0, "Close it");
            return next("Nothing is undone. Somebody closes it.".to_owned(), &[(Right::Record, close)]);
        }
        if plan.is_staged() && change.approved.is_none() {
            let approve = Button::of("approve", 0, "Approve");
            return next(format!("Somebody other than {} approves it.", plan.by), &[(Right::Approve, approve)]);
        }
        let undone = |number: &u32| change.verified(*number).is_none();
        let Some(ring) = (1..).take(plan.rings().len()).find(undone) else {
            return next("All rings are verified; a device is undone: say below why it is left.".to_owned(), &[]);
        };
        let named = if plan.is_staged() { format!("ring {ring}") } else { "it".to_owned() };
        let ask = (Right::Ask, Button::of("ask", ring, "Have the devices read now"));
        let before = (Right::Record, Button::of("before", ring, "Take what they said as the reading before"));
        let after = (Right::Record, Button::of("after", ring, "Take what they said as the reading after"));
        let verify = (Right::Approve, Button { is_unproven: true, ..Button::of("verify", ring, &format!("Verify {named}")) });
        let installed = (Right::Record, Button::of("installed", ring, "It is installed"));
        match change.ring_stage(ring) {
            "waits" => {
                let open = Button::of("open_ring", ring, &format!("Open {named}"));
                next(format!("Open {named}: what comes before is done."), &[(Right::Record, open)])
            }
            "open" => next(format!("Read {named} before anything is done to it."), &[ask, before]),
            "read before" => next(format!("Install {named}, and say so here."), &[installed]),
            "installed" => next(format!("Read {named} after."), &[ask, after]),
            _ => next(format!("Somebody other than its installer verifies {named}; or it is read once more."), &[verify, ask, after]),
        }
    }
}

impl Button {
    fn of(act: &'static str, ring: u32, title: &str) -> Self {
        Self { act, ring, title: title.to_owned(), is_unproven: false }
    }
}

/// A bundle of evidence about it. Who takes it stands in the ledger first.
pub async fn evidence(State(web): State<Web>, Extension(person): Extension<Person>, Path(order): Path<String>) -> Result<File, Refused> {
    Ok(web.folded(move |house| bundle(house, person.name, &Subject::Change(order))).await?)
}

/// All that the forms of this page have.
const FIELDS: [&str; 13] =
    ["act", "ring", "accepts_unproven", "asset", "becomes", "until", "reason", "kind", "sha256", "source", "of", "proof", "note"];

/// Takes a step; the ledger's own rules say whether it may be. Which right it needs stands here.
pub async fn take(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Path(order): Path<String>,
    body: String,
) -> Result<Redirect, Refused> {
    let said = Said::of(&body, &FIELDS)?;
    let path = format!("/changes/{}", escaped(&order));
    let act = said.text("act");
    let right = match act.as_str() {
        "approve" | "verify" => Right::Approve,
        "ask" => Right::Ask,
        "open_ring" | "before" | "installed" | "after" | "check" | "leave" | "close" => Right::Record,
        _ => return Err(Problem::bad("there is no such step").into()),
    };
    if !person.rights.has(right) {
        return Err(Problem::forbidden(format!("{} may not: that needs the right \"{}\"", person.name, right.name())).into());
    }
    does(&web, person, (order, &act), &said).await?;
    Ok(Redirect::to(&path))
}

async fn does(web: &Web, person: Person, (order, act): (String, &str), said: &Said) -> Result<(), Problem> {
    let (ring, by) = (said.number("ring")?, person.name.clone());
    let event = match act {
        "ask" => return web.apart(move |house| asked(house, &person, &order, ring).map(drop)).await,
        "before" => return web.apart(move |house| taken(house, by, (order, ring), When::Before).map(drop)).await,
        "after" => return web.apart(move |house| taken(house, by, (order, ring), When::After).map(drop)).await,
        "check" => return checked(web, person, order, check_of(said)?).await.map(drop),
        "leave" => return left(web, person, order, left_of(said)?).await.map(drop),
        "close" => return closed(web, person, order).await.map(drop),
        "approve" => Event::Approved { order, by },
        "open_ring" => Event::RingOpened { order, ring, by },
        "installed" => Event::Installed { order, ring, by },
        _ => Event::Verified { order, ring, by, accepts_unproven: said.has("accepts_unproven", "true") },
    };
    step(web, event).await.map(drop)
}

fn check_of(said: &Said) -> Result<NewCheck, Problem> {
    let kind = steps::kind(&said.text("kind")).map_err(Problem::bad)?;
    // How it is known to be the vendor's is one text, and a choice of what it is.
    let authentic = said.option("proof").zip(said.option("of"));
    let is = |what: &str| authentic.as_ref().filter(|(_, of)| of == what).map(|(text, _)| text.clone());
    Ok(NewCheck {
        kind,
        assets: said.words("asset"),
        sha256: said.option("sha256"),
        source: said.option("source"),
        vendor_sha256: is("vendor_sha256"),
        signature: is("signature"),
        not_offered: is("not_offered"),
        note: said.option("note"),
    })
}

fn left_of(said: &Said) -> Result<NewLeft, Problem> {
    Ok(NewLeft {
        assets: said.words("asset"),
        becomes: steps::becomes(&said.text("becomes")).map_err(Problem::bad)?,
        until: said.time("until"),
        reason: said.text("reason"),
    })
}
