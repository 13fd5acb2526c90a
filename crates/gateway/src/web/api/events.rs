//! What happened to devices, and what changed since an entry.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::{RawQuery, State};
use nameplate_core::catalog::{Event, Happened, done_to, events};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::parameters::Parameters;
use super::{Problem, Web, shapes};
use crate::command::devices::moment;
use crate::command::events::{EventLine, kind};
use crate::house::Known;
use crate::lines::DeviceLine;

/// Lines of an answer, where nothing is said.
const LIMIT: usize = 100;
/// Lines of an answer at most.
const ANSWER_LINES_MAX: usize = 1_000;

/// Events in the order of their times.
#[derive(Serialize, ToSchema)]
pub struct Events<'a> {
    /// They.
    events: Vec<EventLine<'a>>,
    /// `after` of the next answer; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What happened to devices: new, changed, swapped, moved, silent. It is read out of what is known, so an event can change with what is learned later.
#[utoipa::path(
    get, path = "/events", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("since" = Option<String>, Query, description = "Only what happened on that day or later: 2026-03-02 or 2026-03-02T10:15:30Z", pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"),
        ("kind" = Option<Vec<shapes::Happened>>, Query, description = "Only of this kind; may be repeated"),
        ("after" = Option<String>, Query, description = "Go on behind an answer: its `next`"),
        ("limit" = Option<usize>, Query, description = "Events of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Events), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["since", "kind", "after", "limit"])?;
    let since = said.one::<String>("since")?.map(|since| moment("since", &since, "00:00:00")).transpose()?.unwrap_or(0);
    let kinds: Vec<Happened> = said.all::<String>("kind")?.iter().map(|word| kind(word).map_err(Problem::bad)).collect::<Result<_, _>>()?;
    let (after, limit) = (said.place::<Place>("after")?.map(|Place(time_ns, number)| (time_ns, number)), limit(&said)?);
    let look = move |known: &Known<'_>| {
        let mut all: Vec<Event<'_>> = events(&known.view.catalog, known.profiles);
        all.extend(done_to(&known.view.catalog, &known.view.happenings));
        all.retain(|event| event.time_ns >= since && (kinds.is_empty() || kinds.contains(&event.happened)));
        all.sort_by_key(|event| event.time_ns);
        // Of those of one time, which one it was: their order is that of the catalog.
        let mut counted = BTreeMap::new();
        let numbered = all.iter().map(|event| {
            let number = counted.entry(event.time_ns).or_insert(0_usize);
            *number += 1;
            ((event.time_ns, *number), event)
        });
        let mut behind = numbered.filter(|(at, _)| after.is_none_or(|after| *at > after));
        let page: Vec<_> = behind.by_ref().take(limit).collect();
        let next = page.last().filter(|_| behind.next().is_some()).map(|((time_ns, number), _)| format!("{time_ns}.{number}"));
        Answer::of(&Events { events: page.iter().map(|(_, event)| EventLine::new(event)).collect(), next })
    };
    web.known(look).await
}

/// Where an answer ended: time, and which of that time.
struct Place(u64, usize);

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let parts = text.split_once('.').and_then(|(time, number)| Some(Self(time.parse().ok()?, number.parse().ok()?)));
        parts.ok_or("it is no place to go on from; that is the `next` of an answer")
    }
}

/// How many lines are asked for.
///
/// # Errors
/// 400: none, or too many.
pub fn limit(said: &Parameters) -> Result<usize, Problem> {
    let limit = said.one::<usize>("limit")?.unwrap_or(LIMIT);
    if (1..=ANSWER_LINES_MAX).contains(&limit) { Ok(limit) } else { Err(Problem::bad(format!("limit is 1 to {ANSWER_LINES_MAX}"))) }
}

/// What changed since an entry. Taking it twice changes nothing.
#[derive(Serialize, ToSchema)]
pub struct Deltas {
    /// Devices as they are now, of which something was entered since; in the order in which it was.
    changed: Vec<DeviceLine>,
    /// Ids that are no device's own any more.
    gone: Vec<Gone>,
    /// `after` of the next answer.
    next: u64,
    /// Whether that one has more already.
    is_more: bool,
}

/// An id that is no device's own any more.
#[derive(Serialize, ToSchema)]
struct Gone {
    /// It.
    id: String,
    /// The device that it turned out to be.
    is_now: String,
}

/// Devices that changed since an entry of the ledger, and ids that went: what another system needs to keep its own list equal to this one.
#[utoipa::path(
    get, path = "/deltas", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("after" = Option<u64>, Query, description = "Entries up to this one are known: the `next` of the answer before; everything where nothing is said"),
        ("limit" = Option<usize>, Query, description = "Devices of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Deltas), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn deltas(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["after", "limit"])?;
    let (after, limit) = (said.number("after")?, limit(&said)?);
    let look = move |known: &Known<'_>| {
        let catalog = &known.view.catalog;
        let mut changed: Vec<(u64, &str)> =
            catalog.entered().into_iter().filter(|(entry, _)| after.is_none_or(|after| *entry > after)).collect();
        changed.sort_unstable();
        // Devices of one entry (a list has many) stay together: the next answer begins behind an entry.
        let end = changed.get(limit - 1).map_or(changed.len(), |(last, _)| changed.partition_point(|(entry, _)| entry <= last));
        let is_more = end < changed.len();
        changed.truncate(end);
        let next = if is_more { changed.last().map_or(0, |(entry, _)| *entry) } else { known.size.saturating_sub(1) };
        let assets: Vec<_> = changed.iter().filter_map(|(_, id)| catalog.asset(id)).collect();
        let gone = assets.iter().flat_map(|asset| asset.was.iter().map(|id| Gone { id: id.clone(), is_now: asset.id.clone() })).collect();
        let changed = assets.iter().map(|asset| DeviceLine::new(asset, known.profiles)).collect();
        Answer::of(&Deltas { changed, gone, next, is_more })
    };
    web.known(look).await
}
