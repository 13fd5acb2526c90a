//! Findings by threat: what each vulnerability is to the devices, and what the documents say of it.

use axum::extract::{RawQuery, State};
use nameplate_core::advisory::{Advisory, Vulnerability};
use nameplate_core::priority::Band;
use serde::Serialize;
use utoipa::ToSchema;

use super::advisories::{Remedy, Scored, remedies, scores};
use super::answer::Answer;
use super::asked::Of;
use super::behind::{Behind, page};
use super::events::limit;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::command::check::findings::Findings;
use crate::command::check::threat::{Counts, Touch, by_cve};

/// Vulnerabilities that a document names a device for, the most urgent first.
#[derive(Serialize, ToSchema)]
struct Threats<'a> {
    threats: Vec<Threat<'a>>,
    /// How many fit the conditions, in all answers.
    matched: usize,
    /// `after` of the next answer; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The documents that were looked at; empty where none was taken in.
    corpus: String,
}

/// What one vulnerability is to the devices.
#[derive(Serialize, ToSchema)]
struct Threat<'a> {
    cve: &'a str,
    title: &'a str,
    /// Ids of the documents that name a device for it.
    documents: Vec<&'a str>,
    /// The worst of its findings that are open.
    band: Option<&'static str>,
    /// The first day by which something has to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    findings: Counts,
    /// Ids of the devices that are affected, or may be.
    devices: Vec<&'a str>,
    /// A document offers a fix.
    offers_fix: bool,
    /// What would settle most of what nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_tell: Option<&'a str>,
}

impl<'a> Threat<'a> {
    fn of(cve: &'a str, touch: &'a Touch<'a>, findings: Option<&'a Findings>) -> Self {
        Self {
            cve,
            title: findings.and_then(|findings| told(findings, cve).next()).map_or("", |(_, one)| one.title.as_str()),
            documents: touch.beside.iter().copied().collect(),
            band: touch.band.map(Band::name),
            due: touch.due.map(|due| due.to_string()),
            findings: touch.counts,
            devices: touch.devices.iter().copied().collect(),
            offers_fix: touch.offers_fix,
            would_tell: touch.would_tell(),
        }
    }
}

/// What documents say of a vulnerability.
pub fn told<'a>(findings: &'a Findings, cve: &'a str) -> impl Iterator<Item = (&'a Advisory, &'a Vulnerability)> {
    let of =
        move |advisory: &'a Advisory| advisory.vulnerabilities.iter().filter(move |one| one.cve == cve).map(move |one| (advisory, one));
    findings.documents().iter().flat_map(of)
}

/// Vulnerabilities that a document names a device for. Of one for which no document does there is none: that is not "not affected".
#[utoipa::path(
    get, path = "/threats", tag = "findings", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("band" = Option<String>, Query, description = "Only in this band: critical, important, moderate or low"),
        ("after" = Option<String>, Query, description = "Go on behind an answer: its `next`"),
        ("limit" = Option<usize>, Query, description = "Vulnerabilities of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Threats), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["band", "after", "limit"])?;
    let (band, after, limit) = (said.one::<String>("band")?, said.place::<Behind<2>>("after")?, limit(&said)?);
    let judged = web.judged();
    web.apart(move |house| {
        judged.look(house, None, |_, findings, found| {
            let all = by_cve(found);
            let is_wanted =
                |touch: &Touch<'_>| band.as_deref().is_none_or(|wanted| touch.band.map_or("", Band::name).eq_ignore_ascii_case(wanted));
            let mut all: Vec<(&str, &Touch<'_>)> =
                all.iter().filter(|(_, touch)| is_wanted(touch)).map(|(cve, touch)| (*cve, touch)).collect();
            let key = |(cve, touch): &(&str, &Touch<'_>)| [Touch::rank(touch.band), (*cve).to_owned()];
            all.sort_by_cached_key(key);
            let (shown, next) = page(&all, key, after.as_ref(), limit);
            let threats = shown.iter().map(|(cve, touch)| Threat::of(cve, touch, findings)).collect();
            Answer::of(&Threats { threats, matched: all.len(), next, corpus: findings.map(Findings::corpus).unwrap_or_default() })
        })
    })
    .await
}

/// One vulnerability, and what each document says of it.
#[derive(Serialize, ToSchema)]
struct One<'a> {
    threat: Threat<'a>,
    documents: Vec<Document<'a>>,
}

/// What a document says of a vulnerability.
#[derive(Serialize, ToSchema)]
#[schema(as = ThreatDocument)]
struct Document<'a> {
    publisher: &'a str,
    id: &'a str,
    title: &'a str,
    revision: &'a str,
    /// As the document writes it.
    current_release: &'a str,
    sha256: &'a str,
    scores: Vec<Scored<'a>>,
    remediations: Vec<Remedy<'a>>,
}

/// One vulnerability: what the documents say of it, and what it is to the devices. `/findings?cve=` has device by device.
#[utoipa::path(
    get, path = "/threats/{cve}", tag = "findings", security(("token" = ["read"]), ("session" = ["read"])),
    params(("cve" = String, Path, description = "As documents name it: CVE-2022-38465")),
    responses((status = 200, body = One), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn one(State(web): State<Web>, Of(cve): Of<String>) -> Result<Answer, Problem> {
    let judged = web.judged();
    web.apart(move |house| {
        judged.look(house, None, |_, findings, found| {
            let all = by_cve(found);
            let none = || Problem::missing("no document names a device here for this vulnerability; that is not \"not affected\"");
            let (cve, touch) = all.iter().find(|(own, _)| own.eq_ignore_ascii_case(&cve)).ok_or_else(none)?;
            let documents = findings.iter().flat_map(|findings| told(findings, cve)).map(|(advisory, one)| Document {
                publisher: &advisory.publisher,
                id: &advisory.id,
                title: &advisory.title,
                revision: &advisory.revision,
                current_release: &advisory.current_release,
                sha256: &advisory.sha256,
                scores: scores(one),
                remediations: remedies(one),
            });
            Answer::of(&One { threat: Threat::of(cve, touch, findings), documents: documents.collect() })
        })
    })
    .await
}
