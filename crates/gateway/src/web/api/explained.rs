//! From a verdict back to the document and the comparison, and from a field back to the rule, the observation and the bytes: as `nameplate explain` does.

use axum::extract::State;
use nameplate_core::claim::Field;
use nameplate_core::finding::Considered;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::Of;
use super::devices::find;
use super::ledger::store;
use super::{Problem, Web};
use crate::command::check::findings::Found;
use crate::command::check::line::Line;
use crate::command::explain::finding::story;
use crate::command::explain::walk::{Walk, walks, why_unknown};

/// Findings of a device with all that led to them.
#[derive(Serialize, ToSchema)]
struct Explained<'a> {
    findings: Vec<Proved<'a>>,
    /// The documents that were looked at.
    corpus: String,
}

/// A finding with its proof.
#[derive(Serialize, ToSchema)]
struct Proved<'a> {
    finding: Line<'a>,
    /// Of the document.
    revision: &'a str,
    /// Every product of the document that was considered.
    products: Vec<Product<'a>>,
    /// Passages that contradict each other, or the other document.
    passages: &'a [String],
    remarks: &'a [&'static str],
    /// All of it for a person, line by line. Where the installed release comes from: `/devices/{id}/fields/{field}`.
    story: Vec<String>,
}

/// A product of a document, and how the device stands to it.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsideredProduct)]
struct Product<'a> {
    id: &'a str,
    name: &'a str,
    /// Its version or range, as written.
    release: &'a str,
    /// What the document says of it, in the words of CSAF.
    stands: &'static str,
    recognised_by: &'static str,
    because: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_missing: Option<&'static str>,
    demands: &'a [String],
    scheme: &'static str,
    /// The range, as it was understood.
    parsed: &'a str,
    /// What is installed, as the device says it.
    installed: Vec<&'a str>,
    /// `inside`, `outside`, `undecided` or `contradiction`.
    answer: &'static str,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'a str>,
    /// It decided the verdict.
    decides: bool,
}

impl<'a> Product<'a> {
    fn of(one: &'a Considered) -> Self {
        Self {
            id: &one.product_id,
            name: &one.name,
            release: &one.release,
            stands: one.status,
            recognised_by: one.step.name(),
            because: &one.because,
            identity_missing: one.identity_missing,
            demands: &one.demands,
            scheme: one.scheme,
            parsed: &one.parsed,
            installed: one.installed.iter().map(|(said, _)| said.as_str()).collect(),
            answer: one.answer,
            why: one.why,
            missing: one.missing.as_deref(),
            decides: one.decides,
        }
    }
}

impl<'a> Proved<'a> {
    fn of(found: &'a Found<'a>) -> Self {
        Self {
            finding: Line::of(found),
            revision: &found.proof.revision,
            products: found.proof.products.iter().map(Product::of).collect(),
            passages: &found.proof.passages,
            remarks: &found.proof.remarks,
            story: story(found).lines().map(str::to_owned).collect(),
        }
    }
}

/// Why a verdict about a device is what it is.
#[utoipa::path(
    get, path = "/devices/{id}/findings/{name}", tag = "findings", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("id" = String, Path, description = "The device's id"),
        ("name" = String, Path, description = "The vulnerability, or the document's id"),
    ),
    responses((status = 200, body = Explained), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn finding(State(web): State<Web>, Of((id, name)): Of<(String, String)>) -> Result<Answer, Problem> {
    let judged = web.judged();
    web.apart(move |house| {
        let id = house.known(|known| find(known, &id).map(|asset| asset.id.clone()))?;
        judged.look(house, Some(&id), |_, findings, found| {
            let is = |text: &str| text.eq_ignore_ascii_case(&name);
            let fitting = found.iter().filter(|one| is(&one.proof.cve) || is(&one.proof.advisory));
            let proved: Vec<Proved<'_>> = fitting.map(Proved::of).collect();
            if proved.is_empty() {
                return Err(Problem::missing("no document names this device for it; that is not \"not affected\""));
            }
            Answer::of(&Explained { findings: proved, corpus: findings.map(|findings| findings.corpus()).unwrap_or_default() })
        })
    })
    .await
}

/// A field of each part of a device, and what it rests on.
#[derive(Serialize, ToSchema)]
struct Walked {
    /// A part each; none where the field is not known.
    parts: Vec<Walk>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_because: Option<String>,
}

/// What a field of a device rests on: the profile's rule, the observation, and the bytes.
#[utoipa::path(
    get, path = "/devices/{id}/fields/{field}", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("id" = String, Path, description = "The device's id"),
        ("field" = String, Path, description = "Of the nameplate: firmware_revision, model, serial_number, ..."),
    ),
    responses((status = 200, body = Walked), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn field(State(web): State<Web>, Of((id, field)): Of<(String, String)>) -> Result<Answer, Problem> {
    web.apart(move |house| {
        let store = store(house)?;
        house.known(|known| {
            let asset = find(known, &id)?;
            let parts = walks(asset, &[named(&field)?], &store, known.profiles)?;
            let unknown_because = parts.is_empty().then(|| why_unknown(asset).to_owned());
            Answer::of(&Walked { parts, unknown_because })
        })
    })
    .await
}

/// A field by its name.
///
/// # Errors
/// 404, with the names that there are.
pub fn named(field: &str) -> Result<Field, Problem> {
    let names = || Field::ALL.map(Field::name).join(", ");
    Field::named(field).ok_or_else(|| Problem::missing(format!("{field:?} is no field of a nameplate; there is {}", names())))
}
