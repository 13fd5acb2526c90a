//! Advisories: the documents that were taken in, and what each is to the devices.

use axum::extract::{RawQuery, State};
use nameplate_core::advisory::{Advisory, ProductStatus, Vulnerability};
use nameplate_core::observation::rfc3339;
use nameplate_core::priority::Band;
use nameplate_core::view::View;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::Of;
use super::behind::{Behind, page};
use super::events::limit;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::command::check::findings::Findings;
use crate::command::check::threat::{Counts, Touch, by_document, touch_of};

/// Documents by publisher and id.
#[derive(Serialize, ToSchema)]
struct Advisories<'a> {
    advisories: Vec<Document<'a>>,
    /// How many fit the conditions, in all answers.
    matched: usize,
    /// `after` of the next answer; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many documents there are, and the day of the newest; empty where none was taken in.
    corpus: String,
}

/// A document, and what it is to the devices.
#[derive(Serialize, ToSchema)]
#[schema(as = Advisory)]
pub struct Document<'a> {
    pub publisher: &'a str,
    pub id: &'a str,
    pub title: &'a str,
    revision: &'a str,
    /// As the document writes it.
    initial_release: &'a str,
    /// As the document writes it.
    pub current_release: &'a str,
    sha256: &'a str,
    /// When it was first taken in here.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<String>,
    vulnerabilities: usize,
    products: usize,
    /// The worst band of what is open.
    pub band: Option<&'static str>,
    /// The first day by which something has to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    pub findings: Counts,
    /// Ids of the devices that are affected, or may be.
    pub devices: Vec<&'a str>,
}

impl<'a> Document<'a> {
    /// Of a document; `touch` where it names a device.
    pub fn of(advisory: &'a Advisory, touch: Option<&Touch<'a>>, view: &View) -> Self {
        let came = view.advisories.came_ns().find(|((publisher, id), _)| (publisher, id) == (&advisory.publisher, &advisory.id));
        Self {
            publisher: &advisory.publisher,
            id: &advisory.id,
            title: &advisory.title,
            revision: &advisory.revision,
            initial_release: &advisory.initial_release,
            current_release: &advisory.current_release,
            sha256: &advisory.sha256,
            taken: came.map(|(_, (first_ns, _))| rfc3339(first_ns)),
            vulnerabilities: advisory.vulnerabilities.len(),
            products: advisory.products.len(),
            band: touch.and_then(|touch| touch.band).map(Band::name),
            due: touch.and_then(|touch| touch.due).map(|due| due.to_string()),
            findings: touch.map(|touch| touch.counts).unwrap_or_default(),
            devices: touch.iter().flat_map(|touch| touch.devices.iter().copied()).collect(),
        }
    }
}

/// The documents that were taken in, the current revision of each.
#[utoipa::path(
    get, path = "/advisories", tag = "findings", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("touching" = Option<bool>, Query, description = "Only those that name a device which is affected, or may be"),
        ("after" = Option<String>, Query, description = "Go on behind an answer: its `next`"),
        ("limit" = Option<usize>, Query, description = "Documents of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Advisories), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["touching", "after", "limit"])?;
    let touching = said.one::<bool>("touching")?.unwrap_or(false);
    let (after, limit) = (said.place::<Behind<2>>("after")?, limit(&said)?);
    let judged = web.judged();
    web.apart(move |house| {
        judged.look(house, None, |known, findings, found| {
            let touches = by_document(found);
            let is_wanted = |one: &&Advisory| !touching || touch_of(&touches, one).is_some_and(|touch| !touch.devices.is_empty());
            let mut all: Vec<&Advisory> = findings.iter().flat_map(|findings| findings.documents()).filter(is_wanted).collect();
            let key = |one: &&Advisory| [one.publisher.clone(), one.id.clone()];
            all.sort_by_cached_key(key);
            let (shown, next) = page(&all, key, after.as_ref(), limit);
            let advisories = shown.iter().map(|one| Document::of(one, touch_of(&touches, one), known.view)).collect();
            Answer::of(&Advisories { advisories, matched: all.len(), next, corpus: findings.map(Findings::corpus).unwrap_or_default() })
        })
    })
    .await
}

/// One document.
#[derive(Serialize, ToSchema)]
struct One<'a> {
    advisory: Document<'a>,
    /// Names of its products, in its order.
    products: Vec<&'a str>,
    vulnerabilities: Vec<Told<'a>>,
}

/// What a document says of a vulnerability.
#[derive(Serialize, ToSchema)]
#[schema(as = AdvisoryVulnerability)]
struct Told<'a> {
    cve: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwe: Option<&'a str>,
    /// What is said of which products, by their places in `products`.
    stands: Vec<Stand<'a>>,
    scores: Vec<Scored<'a>>,
    remediations: Vec<Remedy<'a>>,
}

/// Products of which one thing is said.
#[derive(Serialize, ToSchema)]
struct Stand<'a> {
    /// In the words of CSAF: `known_affected`, `fixed`, ...
    #[schema(value_type = String)]
    said: ProductStatus,
    products: &'a [u32],
}

/// A CVSS score, as written.
#[derive(Serialize, ToSchema)]
pub struct Scored<'a> {
    vector: &'a str,
    base: &'a str,
}

/// What is offered against a vulnerability, as written.
#[derive(Serialize, ToSchema)]
pub struct Remedy<'a> {
    /// `vendor_fix`, `mitigation`, `workaround`, ...
    pub category: &'a str,
    pub details: &'a str,
    /// Where more is said. It is text of the document: nothing here opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart: Option<&'a str>,
}

/// Its scores.
pub fn scores(one: &Vulnerability) -> Vec<Scored<'_>> {
    one.scores.iter().map(|score| Scored { vector: &score.vector, base: &score.base }).collect()
}

/// What is offered against it.
pub fn remedies(one: &Vulnerability) -> Vec<Remedy<'_>> {
    let mut all: Vec<Remedy<'_>> = Vec::new();
    for fix in &one.remediations {
        // Documents repeat a remediation for each group of products.
        if !all.iter().any(|known| known.category == fix.category && known.details == fix.details) {
            all.push(Remedy { category: &fix.category, details: &fix.details, url: fix.url.as_deref(), restart: fix.restart.as_deref() });
        }
    }
    all
}

/// The document with an id; where two publishers have one, which of them has to be said.
///
/// # Errors
/// 404: there is none; 400: there are several.
pub fn find<'a>(findings: Option<&'a Findings>, id: &str, publisher: Option<&str>) -> Result<&'a Advisory, Problem> {
    let is = |one: &&Advisory| one.id.eq_ignore_ascii_case(id) && publisher.is_none_or(|publisher| one.publisher == publisher);
    let mut fitting = findings.into_iter().flat_map(|findings| findings.documents()).filter(is);
    let first = fitting.next().ok_or_else(|| Problem::missing("no document that was taken in has this id"))?;
    match fitting.next() {
        Some(_) => Err(Problem::bad("several publishers have a document with this id; name one with ?publisher=")),
        None => Ok(first),
    }
}

/// One document: what it says of which products, and what it is to the devices.
#[utoipa::path(
    get, path = "/advisories/{id}", tag = "findings", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("id" = String, Path, description = "The document's id: ICSA-24-095-02"),
        ("publisher" = Option<String>, Query, description = "Its publisher, where several have a document with that id"),
    ),
    responses((status = 200, body = One), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn one(State(web): State<Web>, Of(id): Of<String>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let publisher = Parameters::of(query.as_deref(), &["publisher"])?.one::<String>("publisher")?;
    let judged = web.judged();
    web.apart(move |house| {
        judged.look(house, None, |known, findings, found| {
            let advisory = find(findings, &id, publisher.as_deref())?;
            let touches = by_document(found);
            Answer::of(&One {
                advisory: Document::of(advisory, touch_of(&touches, advisory), known.view),
                products: advisory.products.iter().map(|product| product.full_name.as_str()).collect(),
                vulnerabilities: advisory.vulnerabilities.iter().map(told).collect(),
            })
        })
    })
    .await
}

fn told(one: &Vulnerability) -> Told<'_> {
    Told {
        cve: &one.cve,
        title: &one.title,
        cwe: one.cwe.as_deref(),
        stands: one.statuses.iter().map(|(said, products)| Stand { said: *said, products }).collect(),
        scores: scores(one),
        remediations: remedies(one),
    }
}
