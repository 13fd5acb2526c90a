//! A finding as it is printed.

use nameplate_core::baseline::Exempted;
use nameplate_core::finding::Proof;
use nameplate_core::priority::Decision;
use serde::Serialize;
use utoipa::ToSchema;

use super::findings::Found;
use crate::cli::Format;
use crate::print;

/// In the place of a step where none recognised the device.
const NO_IDENTITY: &str = "none";

/// One verdict, as a program reads it.
#[derive(Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct Line<'a> {
    asset: &'a str,
    component: &'a str,
    advisory: &'a str,
    publisher: &'a str,
    cve: &'a str,
    verdict: &'static str,
    identity: &'static str,
    missing: &'a [String],
    /// Of these the one that would decide: with it the verdict is another, or another fact is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_decide: Option<&'a str>,
    range: &'a str,
    reason: &'a str,
    band: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Priority<'a>>,
    remediation: Option<&'a str>,
    document_sha256: &'a str,
    /// That it is left as it is, or that this is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    exempted: Option<String>,
    /// What became of it: `not_remediated`, `in_progress` or `done`; `remediation` is what the document offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation_order: Option<&'a str>,
    /// The entry of the ledger that shows it; of what is done, the reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation_entry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation_why: Option<&'a str>,
}

/// What the band is made of.
#[derive(Serialize, ToSchema)]
struct Priority<'a> {
    /// The mildest and the worst band, were all known.
    could_be: [&'static str; 2],
    rule: &'a str,
    unknown: Vec<&'a str>,
    due: Option<String>,
    act: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    remarks: &'a [String],
    policy_sha256: &'a str,
}

/// Columns of a table and a CSV.
const HEADER: [&str; 15] = [
    "asset",
    "component",
    "cve",
    "advisory",
    "verdict",
    "band",
    "due",
    "identity",
    "missing",
    "range",
    "reason",
    "remediation",
    "publisher",
    "document_sha256",
    "remediation_state",
];
/// As many of them as fit a terminal.
const TABLE_COLUMNS: usize = 11;

impl<'a> Line<'a> {
    /// Of a finding.
    pub fn of(found: &'a Found<'a>) -> Self {
        let Proof { publisher, advisory, document_sha256, cve, missing, range, reason, remediation, .. } = &found.proof;
        let known = found.remediation.as_ref();
        Self {
            asset: &found.subject.installed.asset,
            component: &found.subject.installed.component,
            advisory,
            publisher,
            cve,
            verdict: found.verdict.name(),
            identity: found.proof.identity.map_or(NO_IDENTITY, nameplate_core::finding::identity::Step::name),
            missing,
            would_decide: found.would_decide.as_deref(),
            range,
            reason,
            band: found.decision.as_ref().map(|decision| decision.band.name()),
            priority: found.decision.as_ref().map(Priority::of),
            remediation: remediation.as_deref(),
            document_sha256,
            exempted: found.exempted.as_ref().map(Exempted::shown),
            remediation_state: known.map(|known| known.state.name()),
            remediation_order: known.and_then(|known| known.order.as_deref()),
            remediation_entry: known.and_then(|known| known.entry),
            remediation_why: known.map(|known| known.why.as_str()),
        }
    }

    fn cells(&self) -> Vec<String> {
        let due = self.priority.as_ref().and_then(|priority| priority.due.clone()).unwrap_or_default();
        let others: Vec<&str> = self.missing.iter().map(String::as_str).filter(|fact| Some(*fact) != self.would_decide).collect();
        let missing = match self.would_decide {
            Some(fact) if others.is_empty() => fact.to_owned(),
            Some(fact) => format!("{fact} (decides), {}", others.join(", ")),
            None => others.join(", "),
        };
        let reason = self.exempted.iter().fold(self.reason.to_owned(), |reason, exempted| format!("{exempted}; {reason}"));
        let [band, remediation] = [self.band, self.remediation].map(Option::unwrap_or_default);
        [
            self.asset,
            self.component,
            self.cve,
            self.advisory,
            self.verdict,
            band,
            &due,
            self.identity,
            &missing,
            self.range,
            &reason,
            remediation,
            self.publisher,
            self.document_sha256,
            self.remediation_state.unwrap_or_default(),
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

impl<'a> Priority<'a> {
    fn of(decision: &'a Decision) -> Self {
        Self {
            could_be: [decision.could_be.0.name(), decision.could_be.1.name()],
            rule: &decision.rule,
            unknown: decision.unknown.iter().map(|unknown| unknown.factor.name()).collect(),
            due: decision.due.as_ref().map(|due| due.by.to_string()),
            act: decision.due.as_ref().map(|due| due.act.name()),
            remarks: &decision.remarks,
            policy_sha256: &decision.policy_sha256,
        }
    }
}

/// What stands above the lines.
pub fn header(format: Format) -> String {
    if format == Format::Csv { print::csv_line(&HEADER.map(str::to_owned)) } else { String::new() }
}

/// One line of a stream.
pub fn line(found: &Found<'_>, format: Format) -> String {
    match format {
        Format::Csv => print::csv_line(&Line::of(found).cells()),
        _ => print::json_line(&Line::of(found)),
    }
}

/// Everything at once, for a person: what is most urgent first.
pub fn table(mut all: Vec<Found<'_>>) -> String {
    all.sort_by_key(|found| std::cmp::Reverse(found.decision.as_ref().map(|decision| decision.band)));
    let rows: Vec<Vec<String>> = all.iter().map(|found| Line::of(found).cells().into_iter().take(TABLE_COLUMNS).collect()).collect();
    let titles = HEADER.map(str::to_uppercase);
    let titles: Vec<&str> = titles.iter().map(String::as_str).take(TABLE_COLUMNS).collect();
    print::table(&titles, &rows)
}
