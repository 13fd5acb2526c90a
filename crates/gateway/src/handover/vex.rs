//! What the findings come to, as CSAF 2.0 says it: a VEX document (OASIS CSAF 2.0, profile 5, clause 4.5). A product of it is a part of a device of this site, by
//! the device's own id.
//!
//! Of several documents that name one vulnerability and one part the worst word counts: a product has one status in CSAF (6.1.6). What we say is that of the documents
//! that were taken in, held against readings; a vulnerability that no document names for a part has no line here, and that means nothing.

use std::collections::BTreeMap;

use nameplate_core::finding::Verdict;
use nameplate_core::finding::installed::Installed;
use nameplate_core::observation::rfc3339;
use nameplate_core::text::printable;
use serde_json::{Map, Value, json};

use super::Site;
use crate::command::check::findings::Found;

/// Said where the documents offer nothing.
const NO_REMEDIATION: &str = "The documents offer no remediation for this release.";

/// What is said of one part of one device, of one vulnerability.
#[derive(Default)]
struct Word<'f> {
    /// From the worst to the best; of one verdict in the order of the documents.
    found: Vec<&'f Found<'f>>,
}

impl<'f> Word<'f> {
    fn worst(&self) -> Option<&'f Found<'f>> {
        self.found.iter().copied().min_by_key(|found| rank(found.verdict))
    }
}

/// Affected is worse than not knowing, and that is worse than not affected.
const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Affected => 0,
        Verdict::Contradiction | Verdict::Indeterminate => 1,
        Verdict::NotAffected => 2,
    }
}

/// The document; `None` where there is no finding: CSAF has no VEX without a vulnerability.
pub fn document(site: &Site<'_>, found: &[Found<'_>]) -> Option<Value> {
    let mut products: BTreeMap<String, &Installed> = BTreeMap::new();
    let mut vulnerabilities: BTreeMap<(bool, &str), BTreeMap<String, Word<'_>>> = BTreeMap::new();
    for one in found {
        let id = product_id(&one.subject.installed);
        products.insert(id.clone(), &one.subject.installed);
        let is_cve = is_cve(&one.proof.cve);
        let name = if one.proof.cve.is_empty() { one.proof.advisory.as_str() } else { one.proof.cve.as_str() };
        vulnerabilities.entry((is_cve, name)).or_default().entry(id).or_default().found.push(one);
    }
    if vulnerabilities.is_empty() {
        return None;
    }
    let date = rfc3339(site.at_ns);
    let products: Vec<Value> = products.iter().map(|(id, installed)| product(id, installed)).collect();
    let vulnerabilities: Vec<Value> = vulnerabilities.iter().map(|((is_cve, name), words)| vulnerability(*is_cve, name, words)).collect();
    Some(json!({
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "lang": "en",
            "title": format!("Vulnerabilities of the devices of {}", site.name),
            "distribution": { "tlp": { "label": "AMBER" } },
            "publisher": { "category": "user", "name": site.name, "namespace": format!("urn:{}", site.origin.replace('/', ":")) },
            "tracking": {
                "id": format!("{}-{}", site.origin.replace('/', "-"), site.entries),
                "status": "final",
                "version": "1",
                "initial_release_date": date,
                "current_release_date": date,
                "revision_history": [{ "date": date, "number": "1", "summary": format!("By the ledger up to entry {}", site.entries) }],
                "generator": { "date": date, "engine": { "name": "nameplate", "version": env!("CARGO_PKG_VERSION") } },
            },
        },
        "product_tree": { "full_product_names": products },
        "vulnerabilities": vulnerabilities,
    }))
}

fn product_id(installed: &Installed) -> String {
    format!("{}/{}", installed.asset, printable(&installed.component))
}

/// `CVE-` year and at least four digits (CSAF 2.0, 3.2.3.2).
fn is_cve(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(year, number)| year.len() == 4 && number.len() >= 4 && digits(year) && digits(number))
}

fn product(id: &str, installed: &Installed) -> Value {
    let release = installed.firmware_revision.as_ref().or(installed.software_revision.as_ref());
    let words = [&installed.manufacturer, &installed.model].into_iter().flatten().chain(release);
    let name: Vec<String> = words.map(|word| printable(word)).collect();
    let mut helper = Map::new();
    if let Some(code) = installed.product_code.as_deref().map(printable).filter(|code| !code.is_empty()) {
        helper.insert("model_numbers".to_owned(), json!([escaped(&code)]));
    }
    if let Some(serial) = installed.serial_number.as_deref().map(printable).filter(|serial| !serial.is_empty()) {
        helper.insert("serial_numbers".to_owned(), json!([escaped(&serial)]));
    }
    let mut product = Map::from_iter([
        ("product_id".to_owned(), json!(id)),
        ("name".to_owned(), json!(if name.is_empty() { format!("unknown device ({id})") } else { format!("{} ({id})", name.join(" ")) })),
    ]);
    if !helper.is_empty() {
        product.insert("product_identification_helper".to_owned(), Value::Object(helper));
    }
    Value::Object(product)
}

/// In numbers `?` and `*` stand for others, unless a backslash stands before them (CSAF 2.0, 3.1.3.3.6).
fn escaped(number: &str) -> String {
    number.replace('\\', "\\\\").replace('?', "\\?").replace('*', "\\*")
}

fn vulnerability(is_cve: bool, name: &str, words: &BTreeMap<String, Word<'_>>) -> Value {
    let worst: Vec<(&String, &Found<'_>, &Word<'_>)> = words.iter().filter_map(|(id, word)| Some((id, word.worst()?, word))).collect();
    let mut status: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    let (mut remediations, mut threats, mut details) = (Vec::new(), Vec::new(), Vec::new());
    for (id, found, word) in &worst {
        status.entry(status_of(found.verdict)).or_default().push(id);
        match found.verdict {
            Verdict::Affected => remediations.push(remediation(id, word)),
            Verdict::NotAffected => {
                threats.push(json!({ "category": "impact", "details": printable(&found.proof.reason), "product_ids": [id] }));
            }
            Verdict::Contradiction | Verdict::Indeterminate => {}
        }
        details.push(format!("{id}: {}", reason(found)));
    }
    let advisories: std::collections::BTreeSet<String> =
        words.values().flat_map(|word| &word.found).map(|found| format!("{} {}", found.proof.publisher, found.proof.advisory)).collect();
    let by = format!("By {}.", advisories.iter().map(|one| printable(one)).collect::<Vec<_>>().join("; "));
    let mut vulnerability = Map::from_iter([
        (
            "notes".to_owned(),
            json!([
                { "category": "summary", "title": "Documents", "text": by },
                { "category": "details", "title": "Why, by device", "text": details.join("\n") },
            ]),
        ),
        ("product_status".to_owned(), json!(status)),
    ]);
    if is_cve {
        vulnerability.insert("cve".to_owned(), json!(name));
    } else {
        let publisher = worst.first().map_or_else(String::new, |(_, found, _)| printable(&found.proof.publisher));
        let system = if publisher.is_empty() { "unknown".to_owned() } else { publisher };
        vulnerability.insert("ids".to_owned(), json!([{ "system_name": system, "text": printable(name) }]));
    }
    for (key, list) in [("remediations", remediations), ("threats", threats)] {
        if !list.is_empty() {
            vulnerability.insert(key.to_owned(), json!(list));
        }
    }
    Value::Object(vulnerability)
}

const fn status_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Affected => "known_affected",
        Verdict::NotAffected => "known_not_affected",
        Verdict::Contradiction | Verdict::Indeterminate => "under_investigation",
    }
}

/// What to do: what the documents offer that say it is affected.
fn remediation(id: &str, word: &Word<'_>) -> Value {
    let affected = || word.found.iter().filter(|found| found.verdict == Verdict::Affected);
    let offers_fix = affected().any(|found| found.proof.offers_fix);
    let texts: std::collections::BTreeSet<String> =
        affected().filter_map(|found| found.proof.remediation.as_deref().map(printable)).collect();
    let details = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    let category = match (offers_fix, details.is_empty()) {
        (true, _) => "vendor_fix",
        (false, true) => "none_available",
        (false, false) => "mitigation",
    };
    let details = if details.is_empty() { NO_REMEDIATION.to_owned() } else { details };
    json!({ "category": category, "details": details, "product_ids": [id] })
}

fn reason(found: &Found<'_>) -> String {
    let missing = found.would_decide.iter().map(|fact| format!("; missing: {}", printable(fact))).collect::<String>();
    let exempted = found.exempted.as_ref().map(|exempted| format!("; {}", printable(&exempted.shown()))).unwrap_or_default();
    let due = found.decision.as_ref().and_then(|decision| Some(format!("; {}, due {}", decision.band.name(), decision.due.as_ref()?.by)));
    format!("{}: {}{missing}{exempted}{}", found.verdict.name(), printable(&found.proof.reason), due.unwrap_or_default())
}
