//! What is said of one component in several ways: claims that conflict, and documents that disagree.

use super::installed::Installed;
use super::why::Why;
use super::{Finding, Verdict};

/// More readings of one component than these are not tried out: then nothing is decided.
const READINGS_MAX: usize = 16;

/// The verdicts of a component whose claims may conflict: each reading of it is judged, and what they do not agree on is indeterminate.
pub fn among_claims<'a>(installed: &Installed, mut judge: impl FnMut(&Installed) -> Vec<Finding<'a>>) -> Vec<Finding<'a>> {
    if installed.conflicts.is_empty() {
        return judge(installed);
    }
    let Some(readings) = readings(installed) else {
        let mut findings = judge(installed);
        let field = installed.conflicts.first().map(|(field, _)| field.clone());
        for finding in &mut findings {
            undecide(finding, field.as_deref());
        }
        return findings;
    };
    let judged: Vec<Vec<Finding<'a>>> = readings.iter().map(&mut judge).collect();
    let mut all: Vec<Finding<'a>> = judged.iter().flatten().cloned().collect();
    all.sort_by_key(|finding| (finding.advisory, finding.vulnerability));
    all.dedup_by_key(|finding| (finding.advisory, finding.vulnerability));
    let same = |one: &Finding<'_>, other: &Finding<'_>| (one.advisory, one.vulnerability) == (other.advisory, other.vulnerability);
    for finding in &mut all {
        let agree = judged.iter().all(|findings| findings.iter().any(|other| same(finding, other) && other.verdict == finding.verdict));
        if !agree {
            let field = installed.conflicts.first().map(|(field, _)| field.as_str());
            undecide(finding, field);
        }
    }
    all
}

fn undecide(finding: &mut Finding<'_>, field: Option<&str>) {
    finding.verdict = Verdict::Indeterminate;
    finding.why = Why::Claims;
    finding.missing = field.map(|field| field.to_owned().into());
}

/// The component as each of its claims has it; `None` where there are too many of them.
fn readings(installed: &Installed) -> Option<Vec<Installed>> {
    let mut readings = vec![Installed { conflicts: Vec::new(), ..installed.clone() }];
    for (field, values) in &installed.conflicts {
        let with = |one: &Installed, value: &String| {
            let mut one = one.clone();
            set(&mut one, field, value);
            one
        };
        if values.is_empty() {
            continue;
        }
        if readings.len().saturating_mul(values.len()) > READINGS_MAX {
            return None;
        }
        readings = readings.iter().flat_map(|one| values.iter().map(|value| with(one, value)).collect::<Vec<_>>()).collect();
    }
    Some(readings)
}

fn set(installed: &mut Installed, field: &str, value: &str) {
    let slot = match field {
        "manufacturer" => &mut installed.manufacturer,
        "model" => &mut installed.model,
        "product_code" => &mut installed.product_code,
        "hardware_revision" => &mut installed.hardware_revision,
        "firmware_revision" => &mut installed.firmware_revision,
        "software_revision" => &mut installed.software_revision,
        "serial_number" => &mut installed.serial_number,
        _ => return installed.facts.insert(field, vec![value.to_owned()]),
    };
    *slot = Some(value.to_owned());
}

/// Documents about one vulnerability that disagree: what one rules out stands only where no other leaves it open, and what one affirms
/// only where no other rules it out.
pub fn among_documents(findings: &mut [Finding<'_>], name: impl Fn(&Finding<'_>) -> u32) {
    let mut order: Vec<(u32, usize)> = findings.iter().enumerate().map(|(place, finding)| (name(finding), place)).collect();
    order.sort_unstable();
    for same in order.chunk_by(|one, other| one.0 == other.0).filter(|same| same.len() > 1) {
        let first = |verdicts: &[Verdict]| {
            same.iter()
                .filter_map(|(_, place)| findings.get(*place))
                .find(|finding| verdicts.contains(&finding.verdict))
                .map(|one| one.advisory)
        };
        let (affected, excluded) = (first(&[Verdict::Affected]), first(&[Verdict::NotAffected]));
        let open = first(&[Verdict::Indeterminate, Verdict::Contradiction]);
        let Some(excluded) = excluded else { continue };
        for (_, place) in same {
            let Some(finding) = findings.get_mut(*place) else { continue };
            let (beside, why) = match finding.verdict {
                Verdict::Affected => (Some(excluded), Why::Documents),
                Verdict::NotAffected if affected.is_some() => (affected, Why::Documents),
                Verdict::NotAffected => (open, Why::OtherOpen),
                _ => continue,
            };
            if beside.is_some() {
                finding.verdict = Verdict::Indeterminate;
                finding.why = why;
                finding.beside = beside;
            }
        }
    }
}
