//! Steps of people on approved baselines: proposals and what becomes of them, decisions, and what is left as it is. Who takes a step is who asks; the rule of
//! two persons is that of the ledger (docs/baselines.md).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use nameplate_core::baseline::{Decision, Event, ExemptionKind, Proposed};
use nameplate_core::ledger;
use nameplate_core::view::View;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::{Body, Of};
use super::baselines::other;
use super::{Problem, Web};
use crate::account::Person;
use crate::command::baseline::admitted;
use crate::command::baseline::decide::Decide;
use crate::command::baseline::steps::Exempt;
use crate::failure::Failure;
use crate::house::House;

/// What somebody decides, or proposes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DecisionWord)]
pub enum Word {
    /// The release may run.
    #[default]
    Approved,
    /// It must not.
    Disapproved,
    /// It is being tested.
    InTest,
    /// Another took its place.
    Superseded,
    /// It is not for this product or this site.
    NotApplicable,
}

impl Word {
    const fn decision(self) -> Decision {
        match self {
            Self::Approved => Decision::Approved,
            Self::Disapproved => Decision::Disapproved,
            Self::InTest => Decision::InTest,
            Self::Superseded => Decision::Superseded,
            Self::NotApplicable => Decision::NotApplicable,
        }
    }
}

/// A decision on releases, as `nameplate baseline` takes it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    pub decision: Word,
    /// The product line: a profile's id; or `manufacturer`, with `model` or `product_code`.
    pub profile: Option<String>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub product_code: Option<String>,
    /// Which part of the device; the profile's only part, else `self`, where nothing is said.
    pub part: Option<String>,
    /// Which of its revisions; `firmware_revision` where nothing is said.
    pub field: Option<String>,
    /// The release, as the device says it; or `range`.
    pub release: Option<String>,
    /// Releases, as advisories write them: `< V5.2.5`.
    pub range: Option<String>,
    /// For these hardware revisions only.
    pub hardware: Option<String>,
    /// For devices whose sheet says so: `zone`, `site`, ...
    pub scope: BTreeMap<String, String>,
    /// In force from this day's begin or time on: 2026-03-02 or 2026-03-02T10:15:30Z.
    #[schema(
        pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"
    )]
    pub from: Option<String>,
    /// In force until this day's end or time.
    #[schema(
        pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"
    )]
    pub until: Option<String>,
    /// For these devices only, by their ids.
    pub assets: Vec<String>,
    /// Of the approved releases this is the one to go to.
    pub preferred: bool,
    /// This is what the vendor says, not what the owner decides. Needs `document`.
    pub vendor: bool,
    /// The document it rests on.
    pub document: Option<String>,
    /// SHA-256 of that document.
    pub document_sha256: Option<String>,
    /// What the document says, letter by letter.
    pub text: Option<String>,
    /// Why.
    pub reason: String,
}

impl Wanted {
    /// As the command has it. What its options exclude is excluded here.
    fn decide(self, by: String) -> Result<(Decision, Decide), Problem> {
        if self.release.is_some() && self.range.is_some() {
            return Err(Problem::bad("a decision is on a release or on a range, not on both"));
        }
        if self.document.is_none() && (self.vendor || self.document_sha256.is_some() || self.text.is_some()) {
            return Err(Problem::bad("which document says so? Name document"));
        }
        let decide = Decide {
            profile: self.profile,
            manufacturer: self.manufacturer,
            model: self.model,
            product_code: self.product_code,
            part: self.part,
            field: self.field.unwrap_or_else(|| "firmware_revision".to_owned()),
            release: self.release,
            range: self.range,
            hardware: self.hardware,
            scope: self.scope.into_iter().collect(),
            from: self.from,
            until: self.until,
            assets: self.assets,
            preferred: self.preferred,
            vendor: self.vendor,
            document: self.document,
            document_sha256: self.document_sha256,
            text: self.text,
            affected: Vec::new(),
            by,
            // The second person is who accepts it, in his own name.
            second: None,
            reason: Some(self.reason),
        };
        Ok((self.decision.decision(), decide))
    }
}

/// A mistake in what was asked for. The command's options have the names of the fields here.
fn mistaken(failure: Failure) -> Problem {
    Problem::from(Failure { why: failure.why.replace("--", ""), ..failure })
}

/// What was recorded.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordedDecision)]
pub struct Recorded {
    /// Its entry in the ledger.
    pub entry: u64,
}

/// Writes what `decide` makes of what is known, if the rules allow it now; `of` finds its entry.
fn enter(
    house: &House,
    decide: impl FnOnce(&View, u64) -> Result<ledger::Body, Problem>,
    of: impl FnOnce(&View) -> Option<u64>,
) -> Result<Recorded, Problem> {
    house.enter(|view, now_ns| {
        let body = decide(view, now_ns)?;
        admitted(&body, &view.baselines, house.profiles, now_ns).map_err(Problem::conflict)?;
        Ok::<_, Problem>((vec![body], ()))
    })?;
    house.known(|known| of(known.view)).map(|entry| Recorded { entry }).ok_or_else(Problem::own_fault)
}

/// Proposes a decision in somebody's name.
///
/// # Errors
/// 400: it is none; 409: what is known forbids it.
pub fn proposed(house: &House, by: String, wanted: Wanted) -> Result<Recorded, Problem> {
    let (decision, decide) = wanted.decide(by.clone())?;
    let make = |view: &View, _| {
        let what = Proposed::Release(decide.of_assets(decision, &view.catalog, house.profiles).map_err(mistaken)?);
        Ok(ledger::Body::Baseline(Event::Proposed { what }))
    };
    enter(house, make, |view| view.baselines.proposals().filter(|one| one.what.by() == by).last().map(|one| one.index))
}

/// Decides in somebody's name, without a proposal. An approval always is a proposal first.
///
/// # Errors
/// As [`proposed`].
pub fn decided(house: &House, by: String, wanted: Wanted) -> Result<Recorded, Problem> {
    let (decision, decide) = wanted.decide(by.clone())?;
    if decision == Decision::Approved {
        return Err(Problem::conflict("an approval is proposed by one person and accepted by another"));
    }
    let make = |view: &View, _| Ok(ledger::Body::Approval(decide.of_assets(decision, &view.catalog, house.profiles).map_err(mistaken)?));
    enter(house, make, |view| view.baselines.decided().filter(|one| one.approval.by == by).last().map(|one| one.index))
}

/// Accepts a proposal, or gives it up.
///
/// # Errors
/// 404: there is none; 409: who proposed it does not accept it, or it does not wait any more.
pub fn settled(house: &House, event: Event) -> Result<Recorded, Problem> {
    let (Event::Accepted { proposal, .. } | Event::Withdrawn { proposal, .. }) = event else { return Err(Problem::own_fault()) };
    let make = |view: &View, _| {
        if view.baselines.proposals().all(|one| one.index != proposal) {
            return Err(Problem::missing("this entry is no proposal"));
        }
        Ok(ledger::Body::Baseline(event))
    };
    enter(house, make, |view| other(view, proposal))
}

/// Leaves something as it is, in somebody's name.
///
/// # Errors
/// As [`proposed`].
pub fn exempted(house: &House, by: String, Left { kind, assets, finding, until, reason }: Left) -> Result<Recorded, Problem> {
    let kind = match kind {
        LeftWord::Waive => ExemptionKind::Waiver,
        LeftWord::Mitigate => ExemptionKind::Mitigation,
        LeftWord::Defer => ExemptionKind::Deferral,
    };
    let exempt = Exempt { assets, finding, until, by: by.clone(), second: None, reason };
    let make = |view: &View, now_ns| {
        let exemption = exempt.of_assets(kind, &view.catalog, now_ns).map_err(mistaken)?;
        Ok(ledger::Body::Baseline(Event::Exempted(exemption)))
    };
    enter(house, make, |view| view.baselines.exemptions().filter(|(_, one)| one.by == by).last().map(|(entry, _)| *entry))
}

/// Proposes a decision on releases; another person accepts it.
#[utoipa::path(
    post, path = "/proposals", tag = "baselines", security(("token" = ["record"]), ("session" = ["record"])),
    request_body = Wanted,
    responses((status = 201, body = Recorded), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn propose(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let recorded = web.apart(move |house| proposed(house, person.name, wanted)).await?;
    Ok((StatusCode::CREATED, Json(recorded)))
}

/// Why, where more is to be said than the proposal says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    #[serde(default)]
    reason: Option<String>,
}

/// Accepts a proposal; not by who made it.
#[utoipa::path(
    post, path = "/proposals/{entry}/accept", tag = "baselines", security(("token" = ["approve"]), ("session" = ["approve"])),
    params(("entry" = u64, Path, description = "The proposal's entry")),
    request_body = Acceptance,
    responses((status = 200, body = Recorded), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn accept(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of(proposal): Of<u64>,
    Body(Acceptance { reason }): Body<Acceptance>,
) -> Result<Json<Recorded>, Problem> {
    web.apart(move |house| settled(house, Event::Accepted { proposal, by: person.name, reason })).await.map(Json)
}

/// Why a proposal is given up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    reason: String,
}

/// Gives up a proposal.
#[utoipa::path(
    post, path = "/proposals/{entry}/withdraw", tag = "baselines", security(("token" = ["record"]), ("session" = ["record"])),
    params(("entry" = u64, Path, description = "The proposal's entry")),
    request_body = Withdrawal,
    responses((status = 200, body = Recorded), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn withdraw(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of(proposal): Of<u64>,
    Body(Withdrawal { reason }): Body<Withdrawal>,
) -> Result<Json<Recorded>, Problem> {
    web.apart(move |house| settled(house, Event::Withdrawn { proposal, by: person.name, reason })).await.map(Json)
}

/// Decides on releases without a proposal: disapproved, in test, superseded or not applicable.
#[utoipa::path(
    post, path = "/decisions", tag = "baselines", security(("token" = ["approve"]), ("session" = ["approve"])),
    request_body = Wanted,
    responses((status = 201, body = Recorded), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn decide(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let recorded = web.apart(move |house| decided(house, person.name, wanted)).await?;
    Ok((StatusCode::CREATED, Json(recorded)))
}

/// What is done instead of patching.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeftWord {
    /// The risk is accepted.
    Waive,
    /// Something else keeps it small.
    Mitigate,
    /// Not now; it is looked at again on the day.
    Defer,
}

/// Something that is left as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Left {
    pub kind: LeftWord,
    /// Of these devices, by their ids; of all with the finding where none is named.
    #[serde(default)]
    pub assets: Vec<String>,
    /// This vulnerability or document; the conformance to the baseline where none is named.
    #[serde(default)]
    pub finding: Option<String>,
    /// Until this day's end or time; of a deferral, when it is looked at again.
    #[schema(
        pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"
    )]
    pub until: String,
    /// Why; of a mitigation, what it is.
    pub reason: String,
}

/// Leaves a device or a vulnerability as it is until a day. Verdicts stay, and say who answers for it.
#[utoipa::path(
    post, path = "/exemptions", tag = "baselines", security(("token" = ["approve"]), ("session" = ["approve"])),
    request_body = Left,
    responses((status = 201, body = Recorded), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn exempt(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Body(left): Body<Left>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let recorded = web.apart(move |house| exempted(house, person.name, left)).await?;
    Ok((StatusCode::CREATED, Json(recorded)))
}
