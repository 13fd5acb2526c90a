//! Changes: how far each is, and the steps that people take. Who takes a step is who asks; the rules of persons are those of the ledger (docs/accounts.md).

pub mod open;
pub mod readings;
pub mod steps;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use nameplate_core::change::Event;
use nameplate_core::ledger;
use nameplate_core::view::View;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::{Body, Of};
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::account::Person;
use crate::command::change::drift::{self, DriftLine};
use crate::command::change::page::{self, ChangeLine, ReadingLine, VerdictLine};
use crate::command::change::plan::{self, CheckLine, LeftLine, PlanLine, RingLine};
use crate::command::change::stopped_by;
use crate::house::Known;

/// All changes.
#[derive(Serialize, ToSchema)]
pub struct Changes<'a> {
    changes: Vec<ChangeLine<'a>>,
}

/// One change with its readings and verdicts.
#[derive(Serialize, ToSchema)]
pub struct Change<'a> {
    change: ChangeLine<'a>,
    rings: Vec<Ring>,
    readings: Vec<ReadingLine<'a>>,
    verdicts: Vec<VerdictLine<'a>>,
}

/// A ring of a change.
#[derive(Serialize, ToSchema)]
struct Ring {
    /// From 1.
    number: u32,
    name: String,
    /// How far it is, in words.
    stage: &'static str,
    assets: Vec<String>,
    /// Seconds that it soaks before the next one opens.
    soak_s: u64,
}

/// All changes, in the order in which they were opened.
#[utoipa::path(
    get, path = "/changes", tag = "changes", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Changes), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>) -> Result<Answer, Problem> {
    web.known(|known| Answer::of(&Changes { changes: known.view.changes.iter().map(page::line).collect() })).await
}

/// One change.
#[utoipa::path(
    get, path = "/changes/{order}", tag = "changes", security(("token" = ["read"]), ("session" = ["read"])),
    params(("order" = String, Path, description = "The work order")),
    responses((status = 200, body = Change), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn one(State(web): State<Web>, Of(order): Of<String>) -> Result<Answer, Problem> {
    let look = move |known: &Known<'_>| {
        let change = known.view.changes.get(&order).ok_or_else(missing)?;
        let rings = (1..).zip(change.plan.rings());
        let rings = rings.map(|(number, ring)| Ring {
            number,
            name: ring.name.clone(),
            stage: change.ring_stage(number),
            assets: ring.assets.clone(),
            soak_s: ring.soak_s,
        });
        let steps = change.before.iter().map(|step| ("before", step)).chain(change.after.iter().map(|step| ("after", step)));
        let readings = steps.flat_map(|(name, step)| step.tries.iter().map(move |one| page::reading(change, name, one)));
        let judged = page::standing(change);
        let verdicts = judged.iter().map(|judged| page::verdict(change, judged)).collect();
        Answer::of(&Change { change: page::line(change), rings: rings.collect(), readings: readings.collect(), verdicts })
    };
    web.known(look).await
}

/// What was agreed, how far each ring is, what was checked and what is left.
#[derive(Serialize, ToSchema)]
pub struct Plan<'a> {
    plan: PlanLine<'a>,
    rings: Vec<RingLine>,
    checks: Vec<CheckLine<'a>>,
    left: Vec<LeftLine<'a>>,
}

/// What was agreed, how far each ring is and what stands in its way.
#[utoipa::path(
    get, path = "/changes/{order}/plan", tag = "changes", security(("token" = ["read"]), ("session" = ["read"])),
    params(("order" = String, Path, description = "The work order")),
    responses((status = 200, body = Plan), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn agreed(State(web): State<Web>, Of(order): Of<String>) -> Result<Answer, Problem> {
    let look = move |known: &Known<'_>| {
        let changes = &known.view.changes;
        let change = changes.get(&order).ok_or_else(missing)?;
        let rings = plan::rings(change, |ring| stopped_by(changes, change, ring, known.now_ns));
        Answer::of(&Plan { plan: plan::line(change), rings, checks: plan::checks(change), left: plan::left_lines(change) })
    };
    web.known(look).await
}

/// What devices report otherwise than before.
#[derive(Serialize, ToSchema)]
pub struct Drifts<'a> {
    drifts: Vec<DriftLine<'a>>,
}

/// What devices report otherwise than before, and no change expected: firmware, hardware, serial number, product code, model and patches.
#[utoipa::path(
    get, path = "/drifts", tag = "changes", security(("token" = ["read"]), ("session" = ["read"])),
    params(("all" = Option<bool>, Query, description = "Also what a work order expected")),
    responses((status = 200, body = Drifts), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn drifted(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let all = Parameters::of(query.as_deref(), &["all"])?.one::<bool>("all")?.unwrap_or(false);
    let look = move |known: &Known<'_>| {
        let found = drift::known(known.view);
        let shown = found.iter().filter(|drift| all || drift.expected_by.is_none());
        Answer::of(&Drifts { drifts: shown.map(|one| drift::line(one, known.view)).collect() })
    };
    web.known(look).await
}

/// A step that was taken.
#[derive(Serialize, ToSchema)]
pub struct Taken {
    /// The work order.
    order: String,
    /// How far the change is now.
    stage: String,
}

fn missing() -> Problem {
    Problem::missing("no change was opened for this work order")
}

/// Takes a step, if the change allows it now.
///
/// # Errors
/// 404: there is no such change; 409: it does not allow it, with the reason.
pub async fn step(web: &Web, event: Event) -> Result<Json<Taken>, Problem> {
    let order = event.order().to_owned();
    decided(web, order, move |_, _| Ok(event)).await
}

/// As [`step`], of which what is known at that moment says what it is.
///
/// # Errors
/// As [`step`], and what `decide` says.
pub async fn decided(
    web: &Web,
    order: String,
    decide: impl FnOnce(&View, u64) -> Result<Event, Problem> + Send + 'static,
) -> Result<Json<Taken>, Problem> {
    web.apart(move |house| {
        house.enter(|view, now_ns| {
            view.changes.get(&order).ok_or_else(missing)?;
            let event = decide(view, now_ns)?;
            view.changes.allows(&event, now_ns).map_err(Problem::conflict)?;
            Ok::<_, Problem>((vec![ledger::Body::Change(event)], ()))
        })?;
        house.known(|known| {
            let stage = known.view.changes.get(&order).map_or("", |change| change.stage()).to_owned();
            Ok(Json(Taken { order, stage }))
        })
    })
    .await
}

/// Approves a change; not by who opened it.
#[utoipa::path(
    post, path = "/changes/{order}/approve", tag = "changes", security(("token" = ["approve"]), ("session" = ["approve"])),
    params(("order" = String, Path, description = "The work order")),
    responses((status = 200, body = Taken), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn approve(State(web): State<Web>, Extension(person): Extension<Person>, Of(order): Of<String>) -> Result<Json<Taken>, Problem> {
    step(&web, Event::Approved { order, by: person.name }).await
}

/// Opens a ring: the change is approved, all is checked, the ring before is verified and has soaked.
#[utoipa::path(
    post, path = "/changes/{order}/rings/{ring}/open", tag = "changes", security(("token" = ["record"]), ("session" = ["record"])),
    params(("order" = String, Path, description = "The work order"), ("ring" = u32, Path, description = "From 1")),
    responses((status = 200, body = Taken), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn open_ring(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of((order, ring)): Of<(String, u32)>,
) -> Result<Json<Taken>, Problem> {
    step(&web, Event::RingOpened { order, ring, by: person.name }).await
}

/// Says that a ring is installed.
#[utoipa::path(
    post, path = "/changes/{order}/rings/{ring}/installed", tag = "changes", security(("token" = ["record"]), ("session" = ["record"])),
    params(("order" = String, Path, description = "The work order"), ("ring" = u32, Path, description = "From 1")),
    responses((status = 200, body = Taken), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn installed(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of((order, ring)): Of<(String, u32)>,
) -> Result<Json<Taken>, Problem> {
    step(&web, Event::Installed { order, ring, by: person.name }).await
}

/// What a verification accepts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// This person accepts that no serial number proves the identity.
    #[serde(default)]
    accepts_unproven: bool,
}

/// Says that a ring is as it should be: the readings have to agree, and it is not the installer's word.
#[utoipa::path(
    post, path = "/changes/{order}/rings/{ring}/verify", tag = "changes", security(("token" = ["approve"]), ("session" = ["approve"])),
    params(("order" = String, Path, description = "The work order"), ("ring" = u32, Path, description = "From 1")),
    request_body = Verification,
    responses((status = 200, body = Taken), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn verify(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of((order, ring)): Of<(String, u32)>,
    Body(Verification { accepts_unproven }): Body<Verification>,
) -> Result<Json<Taken>, Problem> {
    step(&web, Event::Verified { order, ring, by: person.name, accepts_unproven }).await
}
