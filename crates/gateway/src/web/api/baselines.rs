//! Approved baselines: decisions, proposals, sets, and what is left as it is.

use axum::extract::{RawQuery, State};
use nameplate_core::baseline::Became;
use nameplate_core::catalog::Asset;
use nameplate_core::view::View;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::Of;
use super::events::limit;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::command::baseline::exemptions::ExemptionLine;
use crate::command::baseline::list::{self, IN_FORCE, Line, lines};
use crate::command::baseline::sets::SetLine;
use crate::house::Known;

/// Devices of which a decision says that it is about them; a product line of a site has fewer.
const DEVICES_MAX: usize = 10_000;

/// Decisions, sets and proposals, in the order of their entries.
#[derive(Serialize, ToSchema)]
struct Baselines<'a> {
    decisions: Vec<Line<'a>>,
    /// `after` of the next answer; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// An approval needs two persons, whoever records it.
    two_persons: bool,
}

/// Every decision on releases, every set and every proposal, and what became of it.
#[utoipa::path(
    get, path = "/baselines", tag = "baselines", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("in_force" = Option<bool>, Query, description = "Only what counts: no proposals, and nothing that has ended or was replaced"),
        ("after" = Option<u64>, Query, description = "Go on behind an answer: its `next`"),
        ("limit" = Option<usize>, Query, description = "Decisions of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Baselines), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["in_force", "after", "limit"])?;
    let in_force = said.one::<bool>("in_force")?.unwrap_or(false);
    let (after, limit) = (said.number("after")?, limit(&said)?);
    web.known(move |known| {
        let mut all = lines(&known.view.baselines, known.profiles, known.now_ns);
        all.retain(|line| after.is_none_or(|after| line.entry > after) && (!in_force || line.force == IN_FORCE));
        let is_more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| is_more).map(|line| line.entry);
        Answer::of(&Baselines { decisions: all, next, two_persons: known.view.baselines.needs_two_persons() })
    })
    .await
}

/// One decision, set or proposal.
#[derive(Serialize, ToSchema)]
struct One<'a> {
    decision: Line<'a>,
    /// Of a decision that began as a proposal, its entry; of a proposal the entry that accepted it or gave it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_entry: Option<u64>,
    /// Ids of the devices that it is about, or may be.
    devices: Vec<&'a str>,
}

/// One decision, set or proposal, by its entry.
#[utoipa::path(
    get, path = "/baselines/{entry}", tag = "baselines", security(("token" = ["read"]), ("session" = ["read"])),
    params(("entry" = u64, Path, description = "Its entry in the ledger")),
    responses((status = 200, body = One), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn one(State(web): State<Web>, Of(entry): Of<u64>) -> Result<Answer, Problem> {
    web.known(move |known| {
        let decision = line(known, entry)?;
        let devices = devices(known.view, entry).iter().map(|asset| asset.id.as_str()).collect();
        Answer::of(&One { decision, other_entry: other(known.view, entry), devices })
    })
    .await
}

/// The line of an entry.
///
/// # Errors
/// 404: it is none of baselines.
pub fn line<'a>(known: &Known<'a>, entry: u64) -> Result<Line<'a>, Problem> {
    let line = list::line(&known.view.baselines, known.profiles, known.now_ns, entry);
    line.ok_or_else(|| Problem::missing("this entry is no decision on releases"))
}

/// The entry that belongs to this one: a decision's proposal, or what became of a proposal.
pub fn other(view: &View, entry: u64) -> Option<u64> {
    let decided = view.baselines.decided().find(|one| one.index == entry).and_then(|one| one.proposal);
    let became = view.baselines.proposals().find(|one| one.index == entry).and_then(|one| match one.became {
        Became::Accepted(by) | Became::Withdrawn(by) => Some(by),
        Became::Waits => None,
    });
    decided.or(became)
}

/// The devices that a decision is about, or may be.
pub fn devices(view: &View, entry: u64) -> Vec<&Asset> {
    let Some(decided) = view.baselines.decided().find(|one| one.index == entry) else { return Vec::new() };
    view.catalog.assets().filter(|asset| decided.is_about(asset)).take(DEVICES_MAX).collect()
}

/// Groups of parts that are approved together.
#[derive(Serialize, ToSchema)]
struct Sets<'a> {
    sets: Vec<SetLine<'a>>,
}

/// How groups of parts stand to the sets of releases that are approved together.
#[utoipa::path(
    get, path = "/sets", tag = "baselines", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Sets), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn sets(State(web): State<Web>) -> Result<Answer, Problem> {
    web.known(|known| {
        let mut judged = known.view.baselines.judge_sets(&known.view.catalog, known.profiles, known.now_ns);
        judged.sort_by_key(|one| one.conformance);
        Answer::of(&Sets { sets: judged.iter().map(SetLine::new).collect() })
    })
    .await
}

/// What is left as it is.
#[derive(Serialize, ToSchema)]
struct Exemptions<'a> {
    exemptions: Vec<ExemptionLine<'a>>,
}

/// What is left as it is for a reason and a time.
#[utoipa::path(
    get, path = "/exemptions", tag = "baselines", security(("token" = ["read"]), ("session" = ["read"])),
    params(("in_force" = Option<bool>, Query, description = "Only what has not ended")),
    responses((status = 200, body = Exemptions), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn exemptions(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let in_force = Parameters::of(query.as_deref(), &["in_force"])?.one::<bool>("in_force")?.unwrap_or(false);
    web.known(move |known| {
        let mut exemptions = ExemptionLine::all(&known.view.baselines, known.now_ns);
        exemptions.retain(|line| !in_force || line.is_in_force());
        Answer::of(&Exemptions { exemptions })
    })
    .await
}
