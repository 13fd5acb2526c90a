//! How devices stand: to the advisories, and to the approved baselines.

use axum::extract::{RawQuery, State};
use nameplate_core::baseline::Clock;
use nameplate_core::catalog::STALE_NS;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::behind::{Behind, page};
use super::events::limit;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::command::check::conformance::{self, Conformances};
use crate::command::check::findings::{Findings, Found};
use crate::command::check::line::Line;

/// Findings, device by device. Of a vulnerability for which no document names a device there is none: that is not "not affected".
#[derive(Serialize, ToSchema)]
#[schema(as = Findings)]
pub struct FindingsAnswer<'a> {
    /// They.
    findings: Vec<Line<'a>>,
    /// How many fit the conditions, in all answers.
    matched: usize,
    /// `after` of the next answer; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The documents that were looked at; empty where none was taken in.
    corpus: String,
}

/// What the advisories say of the devices.
#[utoipa::path(
    get, path = "/findings", tag = "findings", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("asset" = Option<String>, Query, description = "Only of this device"),
        ("advisory" = Option<String>, Query, description = "Only of this document"),
        ("cve" = Option<String>, Query, description = "Only of this vulnerability"),
        ("verdict" = Option<String>, Query, description = "Only with this verdict: affected, not_affected, indeterminate or contradiction"),
        ("band" = Option<String>, Query, description = "Only in this band: critical, important, moderate or low"),
        ("after" = Option<String>, Query, description = "Go on behind an answer: its `next`"),
        ("limit" = Option<usize>, Query, description = "Findings of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = FindingsAnswer), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["asset", "advisory", "cve", "verdict", "band", "after", "limit"])?;
    let [asset, advisory, cve, verdict, band] = ["asset", "advisory", "cve", "verdict", "band"]
        .map(|name| said.one::<String>(name))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?
        .try_into()
        .unwrap_or_default();
    let (after, limit) = (said.place::<Behind<4>>("after")?, limit(&said)?);
    let judged = web.judged();
    let look = move |house: &crate::house::House| {
        judged.look(house, asset.as_deref(), |_, findings, found| {
            let is = |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(own));
            let is_wanted = |one: &&Found<'_>| {
                is(&advisory, &one.proof.advisory)
                    && is(&cve, &one.proof.cve)
                    && is(&verdict, one.verdict.name())
                    && is(&band, one.decision.as_ref().map_or("", |decision| decision.band.name()))
            };
            let mut all: Vec<&Found<'_>> = found.iter().filter(is_wanted).collect();
            let key = |one: &&Found<'_>| {
                let (installed, proof) = (&one.subject.installed, &one.proof);
                [&installed.asset, &installed.component, &proof.advisory, &proof.cve].map(String::clone)
            };
            all.sort_by_cached_key(key);
            let (shown, next) = page(&all, key, after.as_ref(), limit);
            let corpus = findings.map(Findings::corpus).unwrap_or_default();
            Answer::of(&FindingsAnswer { findings: shown.iter().map(|one| Line::of(one)).collect(), matched: all.len(), next, corpus })
        })
    };
    web.apart(look).await
}

/// Each revision of each part beside its approved baseline.
#[derive(Serialize, ToSchema)]
pub struct Conformance<'a> {
    /// The worst devices first.
    parts: &'a [conformance::Line<'a>],
    /// How many there are.
    matched: usize,
    /// `after` of the next answer; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// One sentence over all.
    summary: String,
}

/// How each part of each device stands to its approved baseline.
#[utoipa::path(
    get, path = "/conformance", tag = "findings", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("after" = Option<String>, Query, description = "Go on behind an answer: its `next`"),
        ("limit" = Option<usize>, Query, description = "Parts of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Conformance), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn conformance(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["after", "limit"])?;
    let (after, limit) = (said.place::<Behind<4>>("after")?, limit(&said)?);
    let look = move |known: &crate::house::Known<'_>| {
        let clock = Clock { now_ns: known.now_ns, stale_after_ns: STALE_NS };
        let all = Conformances::of(known.view, known.profiles, clock);
        let mut lines = all.lines();
        lines.sort_by_cached_key(conformance::Line::place);
        let (parts, next) = page(&lines, conformance::Line::place, after.as_ref(), limit);
        Answer::of(&Conformance { parts, matched: lines.len(), next, summary: all.summary() })
    };
    web.known(look).await
}
