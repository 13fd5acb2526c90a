//! What went wrong in changes: from the download to the reading after, by stage, order, family and device, and what to do instead.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::change::{Change, Fate, Judged, Precheck, Verdict};
use nameplate_core::observation::rfc3339;
use nameplate_core::view::View;

use super::{Rows, table};
use crate::output::Results;
use crate::sheet::book::Tint;
use crate::sheet::page::Bar;

/// Columns of the tables.
const ERRORS: [&str; 10] = ["stage", "order", "ring", "device", "family", "what", "why", "instead", "time", "entry"];
const COUNTED: [&str; 3] = ["what", "errors", "devices"];

/// Where a change goes wrong, in the order of its steps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// The software is not known to be the vendor's.
    Download,
    /// What else has to be done before is not on record.
    Prepare,
    /// In the first of several rings, whatever it is.
    Test,
    /// The device did not become what it should.
    Install,
    /// It cannot be said, or something else is not as it was.
    Verify,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Download, Self::Prepare, Self::Test, Self::Install, Self::Verify];

    const fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Prepare => "prepare",
            Self::Test => "test",
            Self::Install => "install",
            Self::Verify => "verify",
        }
    }

    const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::NotChanged | Verdict::WrongRelease | Verdict::NotRunning => Self::Install,
            _ => Self::Verify,
        }
    }
}

/// One thing that went wrong with one device.
struct Fault {
    stage: Stage,
    order: String,
    ring: String,
    device: String,
    family: String,
    what: String,
    why: String,
    instead: &'static str,
    /// When it was read, and the entry that says so.
    at: (Option<u64>, Option<u64>),
}

/// The report; `now_ns` tells whether a window has begun.
pub fn report(view: &View, now_ns: u64) -> Results {
    let family = |asset: &str| {
        let asset = view.catalog.asset(asset);
        asset.and_then(|asset| asset.profile.clone()).unwrap_or_else(|| "no profile".to_owned())
    };
    let mut faults: Vec<Fault> = view.changes.iter().flat_map(|change| of_change(change, &family, now_ns)).collect();
    faults.sort_by(|a, b| (a.stage, &a.order, &a.ring, &a.device).cmp(&(b.stage, &b.order, &b.ring, &b.device)));
    let count = |stage: Stage| faults.iter().filter(|fault| fault.stage == stage).count();
    let parts = Stage::ALL.map(|stage| (Tint::Bad, stage.name(), count(stage)));
    let remarks = view.changes.remarks.iter().map(|remark| (Tint::Bad, vec![remark.clone()])).collect();
    Results {
        title: "Errors of changes".to_owned(),
        sentences: vec![
            format!("As known at {}.", rfc3339(now_ns)),
            "Download: the software's source, hash and authenticity are not on record, and the window has begun. Prepare: the same of a backup, \
             a set, a triage. Install: the release is not the one that was ordered, or the device is not known to run. Verify: it cannot be \
             said, or something else is not as it was. Whatever goes wrong in the first of several rings is a failure of the test."
                .to_owned(),
            "A device counts once for a change's readings, at its verdict, and once for each check that is missing.".to_owned(),
        ],
        bars: vec![Bar { title: "All changes".to_owned(), parts: parts.to_vec() }],
        tables: vec![
            table("Errors", &ERRORS, faults.iter().map(|fault| (Tint::Bad, fault.cells())).collect()),
            table("By stage", &COUNTED, counted(&faults, |fault| fault.stage.name())),
            table("By order", &COUNTED, counted(&faults, |fault| &fault.order)),
            table("By family", &COUNTED, counted(&faults, |fault| &fault.family)),
            table("Steps that do not count", &["remark"], remarks),
        ],
        ..Results::default()
    }
}

/// What went wrong in one change.
fn of_change(change: &Change, family: &dyn Fn(&str) -> String, now_ns: u64) -> Vec<Fault> {
    let plan = &change.plan;
    let rings = plan.rings();
    let fault = |stage, asset: &str, what: String, why: String, instead, at| {
        let number = plan.ring_of(asset);
        let ring = number.and_then(|number| rings.get(usize::try_from(number).ok()?.checked_sub(1)?));
        let stage = if number == Some(1) && rings.len() > 1 && stage > Stage::Prepare { Stage::Test } else { stage };
        let ring = number.zip(ring).map_or("neighbour".to_owned(), |(number, ring)| format!("{number} {}", ring.name));
        let (order, device) = (plan.order.clone(), asset.to_owned());
        Fault { stage, order, ring, device, family: family(asset), what, why, instead, at }
    };
    let mut faults = Vec::new();
    if plan.from_ns <= now_ns {
        for (place, kind) in plan.scope.iter().flat_map(|place| plan.terms.prechecks.iter().map(move |kind| (place, *kind))) {
            if !change.checks.iter().any(|(_, check)| check.kind == kind && check.is_for(&place.asset)) {
                let stage = if kind == Precheck::Software { Stage::Download } else { Stage::Prepare };
                let what = format!("{} is not on record", kind.name());
                let why = format!("the order asks for it, and its window began at {}", rfc3339(plan.from_ns));
                faults.push(fault(stage, &place.asset, what, why, of_check(kind), (None, None)));
            }
        }
    }
    let verdicts = change.closed.as_ref().map_or_else(|| change.verdicts(), |closed| closed.verdicts.clone());
    for judged in verdicts {
        let read = change.after.iter().rfind(|step| step.tries.iter().any(|one| one.asset == judged.asset));
        let failed =
            change.left.iter().rfind(|(_, left)| left.assets.contains(&judged.asset)).filter(|(_, left)| left.fate == Fate::Failed);
        let said = failed.map(|(_, left)| format!("; left as failed by {}: {}", left.by, left.reason)).unwrap_or_default();
        let Judged { asset, verdict, why } = &judged;
        match (read, failed) {
            (Some(step), _) if !is_good(change, *verdict, asset) => {
                let at = (Some(step.time_ns), Some(step.index));
                faults.push(fault(Stage::of(*verdict), asset, verdict.text().to_owned(), format!("{why}{said}"), of_verdict(*verdict), at));
            }
            (None, Some((index, left))) => {
                let what = "left as failed, and not read after".to_owned();
                let why = format!("{} (by {})", left.reason, left.by);
                faults.push(fault(Stage::Install, asset, what, why, of_verdict(Verdict::Unreadable), (None, Some(*index))));
            }
            _ => {}
        }
    }
    faults
}

fn is_good(change: &Change, verdict: Verdict, asset: &str) -> bool {
    let closed = change.closed.as_ref().and_then(|closed| closed.accepted_by.as_deref());
    let accepted = || closed.or_else(|| change.accepted(change.plan.ring_of(asset)?)).is_some();
    verdict == Verdict::AsExpected || (verdict == Verdict::IdentityNotProven && accepted())
}

const fn of_check(kind: Precheck) -> &'static str {
    match kind {
        Precheck::Software => {
            "get the file from its source again, and record its hash and how it is known to be the vendor's: `change check`"
        }
        Precheck::Backup => "back up configuration and logic, and record the file's hash: `change check`",
        Precheck::Set => "make sure that all that goes together is there, and record which set: `change check`",
        Precheck::Triage => "look for traces of an intrusion before they are overwritten, and record it: `change check`",
    }
}

const fn of_verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotChanged => {
            "see whether it restarted, and whether the new image runs or is only stored; install again, as often as the order allows"
        }
        Verdict::WrongRelease => {
            "stop the ring; hold the file's hash against the check's; install what was ordered, or roll back by an order of its own"
        }
        Verdict::NotRunning => "bring it to run and read it again (`change after`), or roll back by an order of its own",
        Verdict::PartnerAnswered => "read each of the pair at its own address (`change after`)",
        Verdict::Unreadable => {
            "wait out the restart and read it again; else at its panel, with a second person and a photograph with its hash (`device read`)"
        }
        Verdict::IdentityNotProven => "a second person takes that upon himself, or the owner gives the serial number",
        Verdict::SomethingElseChanged => "find out who changed it before the crew leaves; another serial number is another device",
        Verdict::AnotherDeviceChanged => "look at that device before the crew leaves, and at who had its project open",
        Verdict::AsExpected => "",
    }
}

impl Fault {
    fn cells(&self) -> Vec<String> {
        let (time, entry) = (self.at.0.map(rfc3339).unwrap_or_default(), self.at.1.map(|entry| entry.to_string()).unwrap_or_default());
        let texts = [self.stage.name(), &self.order, &self.ring, &self.device, &self.family, &self.what, &self.why, self.instead];
        texts.map(str::to_owned).into_iter().chain([time, entry]).collect()
    }
}

/// How many, by a word of theirs; the most first.
fn counted<'a>(faults: &'a [Fault], by: impl Fn(&'a Fault) -> &'a str) -> Rows {
    let mut counts: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for fault in faults {
        let (count, devices) = counts.entry(by(fault)).or_default();
        *count += 1;
        devices.insert(&fault.device);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let row =
        |(what, (count, devices)): (&str, (usize, BTreeSet<&str>))| vec![what.to_owned(), count.to_string(), devices.len().to_string()];
    counts.into_iter().map(|one| (Tint::Plain, row(one))).collect()
}
