//! CIP-010 R1 and R2: what is installed, what changed and by whose order, what was checked before, and when it was last looked at.

use nameplate_core::baseline::{Clock, Conformance, Decided, Judged, Track};
use nameplate_core::catalog::{Asset, Recorded};
use nameplate_core::change::drift::{Drift, drifts};
use nameplate_core::change::{Authentic, Change, Precheck};
use nameplate_core::claim::Field;
use nameplate_core::observation::rfc3339;
use nameplate_core::priority::Day;

use super::{Gap, Impact, Shown};
use crate::command::report::{Rows, Told, table};
use crate::sheet::book::Tint;

/// CIP-010-4 R1, part 1.3: days from the completed change to the updated baseline.
const UPDATE_DAYS_MAX: u32 = 30;
/// CIP-010-4 R2, part 2.1: days from one look at the baseline to the next.
const MONITOR_DAYS_MAX: u32 = 35;
/// Columns of the tables.
const INSTALLED: [&str; 8] = ["device", "impact", "part", "field", "reported", "how", "baseline", "entry"];
const CHANGED: [&str; 9] = ["device", "what", "before", "after", "completed", "authorized by", "baseline updated", "days", "readings"];
const CONTROLS: [&str; 6] = ["order", "devices", "closed", "controls that could be impacted", "verified after, by whom", "your evidence"];
const SOFTWARE: [&str; 6] = ["order", "device", "source and integrity", "sha256", "by", "entry"];
const MONITORED: [&str; 5] = ["device", "impact", "last read", "days", "applies"];

/// All of it.
pub fn shown(told: &Told<'_>, assets: &[&Asset]) -> Shown {
    let mut gaps = Vec::new();
    let tables = vec![
        table("CIP-010 R1.1 installed", &INSTALLED, installed(told, assets, &mut gaps)),
        table("CIP-010 R1.2 R1.3 changes", &CHANGED, changed(told, assets, &mut gaps)),
        table("CIP-010 R1.4 controls", &CONTROLS, told.view.changes.iter().map(controls).collect()),
        table("CIP-010 R1.6 software", &SOFTWARE, software(told, assets, &mut gaps)),
        table("CIP-010 R2.1 monitored", &MONITORED, monitored(told, assets, &mut gaps)),
    ];
    Shown { gaps, tables }
}

fn gap(part: &'static str, what: &str, gap: String, due: Option<Day>, entry: Option<u64>) -> Gap {
    Gap { part, what: what.to_owned(), gap, due, entry }
}

fn installed(told: &Told<'_>, assets: &[&Asset], gaps: &mut Vec<Gap>) -> Rows {
    let clock = Clock { now_ns: told.now_ns, stale_after_ns: u64::MAX };
    let mut rows = Vec::new();
    for asset in assets {
        for judged in told.view.baselines.judge(asset, told.profiles, clock) {
            let Judged { component, field, installed, grade, conformance, reason, entry, .. } = &judged;
            let what = format!("{} {component} {}", asset.id, field.name());
            let tint = match (installed, conformance) {
                (None, _) => {
                    gaps.push(gap("CIP-010 R1.1", &what, format!("not known: {reason}"), None, None));
                    Tint::Bad
                }
                (Some(_), _) if judged.stale => {
                    gaps.push(gap("CIP-010 R1.1", &what, "known from a list only; no reading says it".to_owned(), None, None));
                    Tint::Bad
                }
                (Some(_), Conformance::Conforms) => Tint::Good,
                (Some(_), _) => Tint::Doubt,
            };
            let how = grade.map(|grade| grade.name().to_owned()).unwrap_or_default();
            let texts = [asset.id.clone(), Impact::of(asset).name().to_owned(), component.clone(), field.name().to_owned()];
            let baseline = format!("{}: {reason}", conformance.name());
            let more = [installed.clone().unwrap_or_default(), how, baseline, entry.map(|entry| entry.to_string()).unwrap_or_default()];
            rows.push((tint, texts.into_iter().chain(more).collect()));
        }
    }
    rows
}

/// A change that somebody made, ordered or not.
fn changed(told: &Told<'_>, assets: &[&Asset], gaps: &mut Vec<Gap>) -> Rows {
    let mut rows = Vec::new();
    for drift in drifts(&told.view.catalog, &told.view.changes) {
        let Some(asset) = assets.iter().find(|asset| asset.id == *drift.replaced_by.as_ref().unwrap_or(&drift.asset)) else { continue };
        let what = format!("{} {}", drift.asset, drift.what);
        let order = drift.expected_by.as_deref().and_then(|order| told.view.changes.get(order));
        let (authorized, is_authorized) = match order.map(|order| (order, &order.approved)) {
            Some((order, Some(step))) => (format!("work order {}, approved by {}", order.plan.order, step.by), true),
            Some((order, None)) => (format!("work order {}, which nobody approved on record", order.plan.order), false),
            None => (format!("nobody: no work order expected it{}", open_meanwhile(&drift)), false),
        };
        let first = drift.between_ns.1;
        if !is_authorized {
            let said = format!("{:?} became {:?} before {}; authorized by {authorized}", drift.before, drift.after, rfc3339(first));
            gaps.push(gap("CIP-010 R1.2", &what, said, None, drift.entries.1));
        }
        // Where an order brought it, it is completed when that is closed.
        let completed = order.map_or(Some(first), |order| order.closed.as_ref().map(|closed| closed.time_ns));
        let (updated, days, is_late) = updated(told, asset, &drift, completed);
        if let Some(due) = is_late {
            let said = format!("{:?} is installed; baseline: {updated}", drift.after);
            gaps.push(gap("CIP-010 R1.3", &what, said, Some(due), drift.entries.1));
        }
        let readings = [drift.entries.0, drift.entries.1].map(|entry| entry.map_or("?".to_owned(), |entry| entry.to_string()));
        let completed = completed.map_or("the order is open".to_owned(), rfc3339);
        let tint = if is_authorized && is_late.is_none() { Tint::Good } else { Tint::Bad };
        let texts = [drift.asset, drift.what, drift.before, drift.after, completed, authorized, updated, days];
        rows.push((tint, texts.into_iter().chain([format!("entries {} and {}", readings[0], readings[1])]).collect()));
    }
    rows
}

fn open_meanwhile(drift: &Drift) -> String {
    if drift.could_have.is_empty() { String::new() } else { format!("; open meanwhile: {}", drift.could_have.join(", ")) }
}

/// The decision that makes the new release the baseline, the days to it, and the last day where it is not in time.
fn updated(told: &Told<'_>, asset: &Asset, drift: &Drift, completed_ns: Option<u64>) -> (String, String, Option<Day>) {
    let versions = [Field::FirmwareRevision, Field::SoftwareRevision, Field::BootRevision, Field::Patch];
    let part = drift.what.rsplit_once('.').and_then(|(component, field)| Some((component, Field::named(field)?)));
    let Some((component, field)) = part.filter(|(_, field)| versions.contains(field)) else {
        return ("no release: nobody decides on it".to_owned(), String::new(), None);
    };
    let release = (drift.after.as_str(), Track::Owner);
    let decided = told.view.baselines.decision(asset, (component, field), release, told.profiles, told.now_ns);
    let due = completed_ns.map(|completed| Day::of_ns(completed).plus(UPDATE_DAYS_MAX));
    let late = |on: Day| due.filter(|due| on > *due);
    let Some(Decided { index, time_ns, approval, .. }) = decided else {
        return ("no decision on record".to_owned(), String::new(), late(Day::of_ns(told.now_ns)));
    };
    let days = completed_ns.map(|completed| Day::of_ns(*time_ns).since(Day::of_ns(completed)).to_string());
    let said = format!("{} by {} on {}, entry {index}", approval.decision.name(), approval.by, Day::of_ns(*time_ns));
    (said, days.unwrap_or_default(), late(Day::of_ns(*time_ns)))
}

fn controls(change: &Change) -> (Tint, Vec<String>) {
    let closed = change.closed.as_ref().map(|closed| rfc3339(closed.time_ns)).unwrap_or_default();
    let cells = [change.plan.order.clone(), change.plan.scope.len().to_string(), closed];
    (Tint::Plain, cells.into_iter().chain([String::new(), String::new(), String::new()]).collect())
}

/// The checks of software, for each device that an order was read after or installed on.
fn software(told: &Told<'_>, assets: &[&Asset], gaps: &mut Vec<Gap>) -> Rows {
    let mut rows = Vec::new();
    for change in told.view.changes.iter() {
        let order = &change.plan.order;
        for device in change.plan.scope.iter().map(|place| &place.asset) {
            if !assets.iter().any(|asset| asset.id == *device || asset.was.contains(device)) {
                continue;
            }
            let mut checks = change.checks.iter().filter(|(_, check)| check.kind == Precheck::Software && check.is_for(device)).peekable();
            let ring = change.plan.ring_of(device);
            let went_in = change.after.iter().any(|step| step.tries.iter().any(|one| one.asset == *device))
                || change.installed.iter().any(|step| Some(step.ring) == ring);
            if checks.peek().is_none() {
                let (tint, said) = if went_in { (Tint::Bad, "not on record") } else { (Tint::Doubt, "not on record yet") };
                if went_in {
                    let said = "the software's source and integrity were not verified on record before it went in".to_owned();
                    gaps.push(gap("CIP-010 R1.6", &format!("work order {order}, {device}"), said, None, Some(change.opened.0)));
                }
                rows.push((tint, [order, device, said, "", "", ""].map(str::to_owned).to_vec()));
            }
            for (entry, check) in checks {
                let (tint, how) = match &check.authentic {
                    Some(Authentic::VendorSha256(_)) => (Tint::Good, "the vendor's hash was compared".to_owned()),
                    Some(Authentic::Signature(whose)) => (Tint::Good, format!("a signature was checked: {whose}")),
                    Some(Authentic::NotOffered(whose)) => (Tint::Doubt, format!("the source offers no method: {whose}")),
                    None => (Tint::Doubt, "nobody said".to_owned()),
                };
                let said = format!("{}; {how}", check.source.as_deref().unwrap_or_default());
                let sha256 = check.sha256.clone().unwrap_or_default();
                rows.push((tint, vec![order.clone(), device.clone(), said, sha256, check.by.clone(), entry.to_string()]));
            }
        }
    }
    rows
}

fn monitored(told: &Told<'_>, assets: &[&Asset], gaps: &mut Vec<Gap>) -> Rows {
    let today = Day::of_ns(told.now_ns);
    let mut rows = Vec::new();
    for asset in assets {
        let impact = Impact::of(asset);
        let is_revision =
            |one: &&Recorded| matches!(one.claim.field, Field::FirmwareRevision | Field::SoftwareRevision | Field::BootRevision);
        let last = asset.claims.iter().filter(is_revision).max_by_key(|one| one.time_ns);
        // Of the recorder's clock or of the capture's one is wrong; nobody knows which, so it shows nothing.
        let is_ahead = last.is_some_and(|last| last.time_ns > told.now_ns);
        let days = last.filter(|_| !is_ahead).map(|last| today.since(Day::of_ns(last.time_ns)));
        let due = last.map(|last| Day::of_ns(last.time_ns).plus(MONITOR_DAYS_MAX));
        let applies = impact != Impact::Medium;
        let is_late = is_ahead || due.is_none_or(|due| due < today);
        if applies && is_late {
            let clock = if is_ahead { ", which is later than this report: a clock is wrong" } else { "" };
            let said = last.map(|last| format!("last read {}{clock}", rfc3339(last.time_ns)));
            let said = said.unwrap_or_else(|| "no revision of it was ever read".to_owned());
            gaps.push(gap("CIP-010 R2.1", &asset.id, said, due, last.and_then(|last| last.entry)));
        }
        let tint = match (applies, is_late) {
            (true, true) => Tint::Bad,
            (true, false) => Tint::Good,
            (false, _) => Tint::Plain,
        };
        let applies = match impact {
            Impact::High => "yes",
            Impact::Medium => "no: high impact only",
            Impact::Low | Impact::Unknown => "impact not known: taken to apply",
        };
        let [last, days] = [last.map(|last| rfc3339(last.time_ns)), days.map(|days| days.to_string())].map(Option::unwrap_or_default);
        rows.push((tint, vec![asset.id.clone(), impact.name().to_owned(), last, days, applies.to_owned()]));
    }
    rows
}
