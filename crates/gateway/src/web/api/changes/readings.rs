//! Reading the devices of a change on a gateway: the field side asks those that its site file lists, and what they said since is the reading.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use nameplate_core::account;
use nameplate_core::change::{Change, Event, Outcome, Try};
use nameplate_core::evidence::read_again;
use nameplate_core::ledger::{self, Body};
use nameplate_core::observation::hex;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::asked::Of;
use super::super::field::{listed, names, want};
use super::super::{Problem, Web};
use super::missing;
use crate::account::Person;
use crate::command::change::heard::Listening;
use crate::command::change::reads::{after_of, before_of, places};
use crate::house::{House, Known};
use crate::store::Store;

/// Which reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before anything is done.
    Before,
    /// After it was.
    After,
}

impl When {
    const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// Who of a ring is asked.
#[derive(Serialize, ToSchema)]
pub struct Asked {
    /// Devices that are asked as soon as the round before is over.
    devices: usize,
    /// Those that the site file does not list; what is heard of them counts alone.
    unlisted: Vec<String>,
}

/// A reading that was taken.
#[derive(Serialize, ToSchema)]
pub struct Read {
    /// The work order.
    order: String,
    /// How far the change is now.
    stage: String,
    /// Devices of which there is a reading.
    read: usize,
    /// Those of which there is none, and why.
    unread: Vec<Unread>,
}

/// A device that said nothing.
#[derive(Serialize, ToSchema)]
struct Unread {
    asset: String,
    why: String,
}

/// Has the devices of a ring and the neighbours read, those that the site file lists, within their windows and budgets.
#[utoipa::path(
    post, path = "/changes/{order}/rings/{ring}/ask", tag = "changes", security(("token" = ["ask"]), ("session" = ["ask"])),
    params(("order" = String, Path, description = "The work order"), ("ring" = u32, Path, description = "From 1; 1 where there are no rings")),
    responses((status = 202, body = Asked), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn ask(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of((order, ring)): Of<(String, u32)>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    let asked = web.apart(move |house| asked(house, &person, &order, ring)).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// As [`ask`]; the page wants the same.
///
/// # Errors
/// 404; 409: the ring is not open, the field side is not there, it lists none of the devices.
pub fn asked(house: &House, person: &Person, order: &str, ring: u32) -> Result<Asked, Problem> {
    let devices = |known: &Known<'_>| {
        let change = known.view.changes.get(order).ok_or_else(missing)?;
        if change.closed.is_some() || !change.is_open(ring) {
            return Err(Problem::conflict(format!("ring {ring} of work order {order} is not open; nothing of it is read")));
        }
        let (scope, neighbours) = places(change, Some(ring));
        let own = |id: &str| known.view.catalog.asset(id).map(names).unwrap_or_default();
        Ok(scope.into_iter().chain(neighbours).map(|place| (place.asset.clone(), own(&place.asset))).collect::<Vec<_>>())
    };
    let devices = house.known(devices)?;
    let (mut wanted, mut unlisted) = (Vec::new(), Vec::new());
    {
        let field = house.field();
        for (asset, names) in devices {
            match listed(&field, &names) {
                Some(name) => wanted.push(name),
                None => unlisted.push(asset),
            }
        }
    }
    if wanted.is_empty() {
        return Err(Problem::conflict("the site file lists none of these devices, so nobody can be asked; what is heard of them counts"));
    }
    let devices = wanted.len();
    want(house, person, wanted, order)?;
    Ok(Asked { devices, unlisted })
}

/// Takes what the devices of a ring said since the window opened as the reading before: to us, or to somebody else.
#[utoipa::path(
    post, path = "/changes/{order}/rings/{ring}/before", tag = "changes", security(("token" = ["record"]), ("session" = ["record"])),
    params(("order" = String, Path, description = "The work order"), ("ring" = u32, Path, description = "From 1; 1 where there are no rings")),
    responses((status = 200, body = Read), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn before(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of((order, ring)): Of<(String, u32)>,
) -> Result<Json<Read>, Problem> {
    web.apart(move |house| taken(house, person.name, (order, ring), When::Before).map(Json)).await
}

/// Takes what they said since somebody installed, else since the reading before, as the reading after.
#[utoipa::path(
    post, path = "/changes/{order}/rings/{ring}/after", tag = "changes", security(("token" = ["record"]), ("session" = ["record"])),
    params(("order" = String, Path, description = "The work order"), ("ring" = u32, Path, description = "From 1; 1 where there are no rings")),
    responses((status = 200, body = Read), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn after(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of((order, ring)): Of<(String, u32)>,
) -> Result<Json<Read>, Problem> {
    web.apart(move |house| taken(house, person.name, (order, ring), When::After).map(Json)).await
}

/// As [`before`] and [`after`]; the page takes the same.
///
/// # Errors
/// 404; 409: a step that is not due.
pub fn taken(house: &House, by: String, (order, ring): (String, u32), when: When) -> Result<Read, Problem> {
    // What was said is on the disk then, and its bytes can be read.
    house.commit()?;
    let mut event = house.known(|known| reading(known, (&order, ring), when))?;
    let (Event::Before { tries, .. } | Event::After { tries, .. }) = &mut event else { return Err(Problem::own_fault()) };
    if let Some(store) = Store::read(&house.directory)? {
        tries.iter_mut().for_each(|one| with_facts(one, &store));
    }
    let unread: Vec<Unread> = tries.iter().filter_map(Unread::of).collect();
    let read = tries.len().saturating_sub(unread.len());
    house.enter(|view, now_ns| {
        view.changes.allows(&event, now_ns).map_err(Problem::conflict)?;
        // The step itself names nobody: a command line has no accounts.
        let what = format!("takes what devices said as the reading {} ring {ring} of work order {order}", when.word());
        let wanted = ledger::Body::Account(account::Event::Wanted { by, what });
        Ok::<_, Problem>((vec![wanted, ledger::Body::Change(event)], ()))
    })?;
    let stage = house.known(|known| known.view.changes.get(&order).map_or("", Change::stage).to_owned());
    Ok(Read { order, stage, read, unread })
}

/// What the devices of a ring said, as far as the catalog has it.
fn reading(known: &Known<'_>, (order, number): (&str, u32), when: When) -> Result<Event, Problem> {
    let (view, now_ns) = (known.view, known.now_ns);
    let change = view.changes.get(order).ok_or_else(missing)?;
    let ring = (change.plan.is_staged() || number != 1).then_some(number);
    let mut listening = Listening { since_ns: None, until_ns: Some(now_ns), asked: true };
    let event = match when {
        When::Before => before_of(view, (order, ring), &listening),
        When::After => {
            listening.since_ns = installed_ns(change, number);
            after_of(view, (order, ring), &listening, None)
        }
    };
    // What the rules forbid is a conflict here, and no word that was not understood.
    event.map_err(|failure| Problem::conflict(failure.why))
}

/// With what the bytes say beside the fields, of which no claim is made: whether it runs.
fn with_facts(one: &mut Try, store: &Store) {
    let Outcome::Read { nameplate } = &mut one.outcome else { return };
    for entry in &one.entries {
        let Ok(Body::Observation(observed)) = store.entry(*entry).map(|entry| entry.body) else { continue };
        let payloads: Vec<Vec<u8>> = observed.observation.messages.iter().filter_map(|name| store.payload(name).ok().flatten()).collect();
        let messages: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        let Ok(reading) = read_again(&observed.observation, &messages) else { continue };
        // Entries rise: the last word counts.
        nameplate.facts.extend(reading.facts.iter().map(|fact| (fact.path.clone(), hex(&fact.bytes))));
    }
}

/// When somebody last said that a ring is installed: what was said before says nothing of what is there now.
fn installed_ns(change: &Change, ring: u32) -> Option<u64> {
    change.installed.iter().rfind(|step| step.ring == ring).map(|step| step.time_ns)
}

impl Unread {
    fn of(one: &Try) -> Option<Self> {
        match &one.outcome {
            Outcome::Unread { why } => Some(Self { asset: one.asset.clone(), why: why.clone() }),
            Outcome::Read { .. } => None,
        }
    }
}
