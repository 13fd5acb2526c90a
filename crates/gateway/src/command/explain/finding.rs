//! From a verdict back to the passages of the document, the comparison, and what the device said.

use nameplate_core::finding::{Considered, Proof};
use nameplate_core::priority::Decision;
use nameplate_core::text::printable;

use crate::command::check::findings::Found;

/// Where the text of a line begins.
const INDENT: &str = "                 ";
/// Characters of a remediation that are shown; documents have whole pages.
const TEXT_CHARS_MAX: usize = 600;

/// Everything that led to a verdict.
pub fn story(found: &Found<'_>) -> String {
    let Proof { publisher, advisory, revision, document_sha256, cve, identity, missing, reason, remediation, .. } = &found.proof;
    let installed = &found.subject.installed;
    let mut text = format!("{}  {} in {}: {}\n", printable(&installed.asset), printable(cve), printable(advisory), found.verdict.name());
    let mut line = |word: &str, said: &str| text += &format!("  {word:<15}{}\n", shown(said));
    line("because", reason);
    line("recognised by", identity.map_or("nothing", nameplate_core::finding::identity::Step::name));
    if !missing.is_empty() {
        line("missing", &missing.join(", "));
    }
    line("component", &installed.component);
    for product in &found.proof.products {
        text += &considered(product);
    }
    let mut line = |word: &str, said: &str| text += &format!("  {word:<15}{}\n", shown(said));
    found.proof.passages.iter().for_each(|passage| line("passage", passage));
    if let Some(remediation) = remediation {
        line("remediation", remediation);
    }
    found.proof.remarks.iter().for_each(|remark| line("remark", remark));
    line("document", &format!("{publisher}, {advisory}, revision {revision}, sha256 {document_sha256}"));
    text + &found.decision.as_ref().map(priority).unwrap_or_default() + "\n"
}

/// A product of the document, and how the device stands to it.
fn considered(product: &Considered) -> String {
    let Considered { product_id, name, release, status, step, because, scheme, parsed, answer, why, .. } = product;
    let decides = if product.decides { ", decides" } else { "" };
    let release = if release.is_empty() { "no release named" } else { release };
    let mut text = format!("  {:<15}{product_id} {:?}: {} ({status}{decides})\n", "product", printable(name.trim()), shown(release.trim()));
    let mut line = |said: String| text += &format!("{INDENT}{}\n", shown(&said));
    let unsure = product.identity_missing.map_or_else(String::new, |fact| format!("; to be sure, {fact} is missing"));
    line(format!("recognised by {}: {because}{unsure}", step.name()));
    let demands: Vec<&str> = product.line.iter().chain(&product.demands).map(String::as_str).collect();
    if !demands.is_empty() {
        line(format!("its name demands {}", demands.join(", ")));
    }
    if !parsed.is_empty() {
        line(format!("read as {parsed}{}", if scheme.is_empty() { String::new() } else { format!(", scheme {scheme}") }));
    }
    let missing = product.missing.as_ref().map_or_else(String::new, |fact| format!("; {fact} is missing"));
    let installed = product.installed.iter().map(|(said, normal)| match normal {
        Some(normal) if normal != said => format!("{said} (in order as {normal})"),
        _ => said.clone(),
    });
    let installed: Vec<String> = installed.collect();
    let installed = if installed.is_empty() { "no known release".to_owned() } else { installed.join(" and ") };
    line(format!("{installed} is {answer}: {why}{missing}"));
    text
}

/// What the band is made of.
fn priority(decision: &Decision) -> String {
    let Decision { band, could_be: (least, most), rule, because, policy, policy_sha256, .. } = decision;
    let open = if least == most { String::new() } else { format!("; it could be {} to {}", least.name(), most.name()) };
    let mut text = format!("  {:<15}{}, by the rule {:?}{open}\n", "band", band.name(), printable(rule));
    let mut line = |said: String| text += &format!("{INDENT}{}\n", shown(&said));
    because.iter().for_each(|one| line(one.clone()));
    for unknown in &decision.unknown {
        let (factor, facts) = (unknown.factor.name(), unknown.facts.join(", "));
        line(format!(
            "{factor} is not known for sure ({facts}); it counts as {}, and could be {} to {}",
            unknown.counts_as, unknown.could_be.0, unknown.could_be.1
        ));
    }
    decision.remarks.iter().for_each(|remark| line(format!("look at: {remark}")));
    line(format!("policy {policy:?}, sha256 {policy_sha256}"));
    if let Some(due) = &decision.due {
        text += &format!("  {:<15}{} by {}: {} days from {}\n", "due", due.act.name(), due.by, due.days, due.from);
    }
    let benchmarks = [&decision.benchmarks.bod_26_04, &decision.benchmarks.deployer];
    benchmarks.into_iter().flatten().for_each(|benchmark| text += &format!("  {:<15}{benchmark}\n", "beside it"));
    text
}

/// On one line, safe for a terminal, and not longer than a person reads.
fn shown(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let safe = printable(&words);
    if safe.chars().count() <= TEXT_CHARS_MAX { safe } else { safe.chars().take(TEXT_CHARS_MAX).chain(['…']).collect() }
}
