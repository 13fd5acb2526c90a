//! The second half of the story: a baseline, a change that goes as expected, one that does not, and evidence of the first.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nameplate_core::baseline::{Approval, Clock, Decision, ProductLine};
use nameplate_core::catalog::Asset;
use nameplate_core::change::{Delta, Event, Judged, Place, Plan, Terms, Verdict};
use nameplate_core::claim::Field;
use nameplate_core::evidence::verify;
use nameplate_core::ledger::Body;
use nameplate_core::observation::Address;
use nameplate_core::profile::ProfileSet;
use nameplate_core::wire::modbus::Question;
use nameplate_simulators::modbus::{Flash, Persona, Phase};
use nameplate_simulators::plant::Plant;

use super::{DEVICES, TIME_FACTOR, UNIT, persona};
use crate::cli::Format;
use crate::command::ask::Kept;
use crate::command::ask::keys::Keys;
use crate::command::change::{self, Following, How};
use crate::command::evidence::{self, Exported, is_proven, sentences};
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::print;
use crate::store::{Draft, Store, now_ns};

/// No owner has written rules for the devices of the demo.
const HOW: How = How { time_factor: TIME_FACTOR, site: None, anew: Keys::new(), kept: Kept { state: None, writes: false } };

/// Who does what in the story.
const ENGINEER: &str = "the engineer";
const COLLEAGUE: &str = "a colleague";
/// How long a flashed device refuses connections; with the pacing scaled as it is, one or two tries fall into it.
const REBOOT: Duration = Duration::from_millis(700);
/// An hour is enough for a window.
const WINDOW_NS: u64 = 3_600_000_000_000;
/// Object 2 of a Modbus identity: the revision.
const REVISION: u8 = 2;
/// Place of each device of the plant in its list.
const FEEDER_METER: usize = 1;
const NETWORK_ANALYSER: usize = 2;
const ENERGY_METER: usize = 3;

/// Tells it; returns the devices that were flashed, by name.
pub async fn tell(plant: &Plant, intake: &mut Intake<'_>, profiles: &ProfileSet) -> Result<Vec<&'static str>, Failure> {
    baseline(plant, intake, profiles)?;
    let mended = Work { order: "DEMO-2", device: FEEDER_METER, from: "v03.110", to: "v03.120", sends: "v03.120" };
    print::out("\n6  Change. The feeder meter is flashed: it reboots, is silent, and answers with its next release.\n\n")?;
    let verdict = mended.run(plant, intake, profiles, None).await?;
    expect(verdict, Verdict::IdentityNotProven, "the flashed meter")?;
    close(intake, "DEMO-2")?;
    print::out("\n7  Another change. The energy meter is flashed, and somebody flashes the network analyser beside it as well.\n\n")?;
    let spoiled = Work { order: "DEMO-3", device: ENERGY_METER, from: "V2.3.3", to: "V2.3.4", sends: "V2.3.4,2014-06-02" };
    let verdict = spoiled.run(plant, intake, profiles, Some("v1.70")).await?;
    expect(verdict, Verdict::AnotherDeviceChanged, "the neighbour that nobody ordered to be flashed")?;
    print::out("The change stays open: this is the red line before the crew leaves.\n")?;
    Ok(vec![DEVICES[FEEDER_METER].0, DEVICES[ENERGY_METER].0, DEVICES[NETWORK_ANALYSER].0])
}

/// Writes the bundle of the first change and checks it, as an auditor would.
pub fn bundle(directory: &Path, out: &Path) -> Result<(), Failure> {
    print::out("\n8  Evidence. The first change as one file that anyone can check without us.\n\n")?;
    let Exported { entries, fingerprint, .. } = evidence::export(&mut Store::write(directory)?, "DEMO-2", out)?;
    let bytes = fs::read(out).map_err(|e| Failure::input(out.display(), e))?;
    let verdict = verify(&bytes, Some(&fingerprint));
    print::out(&sentences(&verdict, Some(&fingerprint)))?;
    let (out, size) = (out.display(), bytes.len());
    print::out(&format!(
        "\n{out}: {entries} entries, {size} bytes. Check it again, with either verifier:\n  \
         nameplate evidence verify {out} --key {fingerprint}\n  \
         python3 tests/verify/verify_evidence.py {out} --key {fingerprint}\n"
    ))?;
    if is_proven(&verdict) { Ok(()) } else { Err(Failure::new(Code::Failed, "the bundle does not prove what it holds")) }
}

/// A new bundle in the system's temporary directory: it outlives the demo.
pub fn bundle_path() -> PathBuf {
    std::env::temp_dir().join(format!("nameplate-demo-{}.evidence", std::process::id()))
}

fn baseline(plant: &Plant, intake: &mut Intake<'_>, profiles: &ProfileSet) -> Result<(), Failure> {
    let line = ProductLine { profile: Some(DEVICES[FEEDER_METER].1.to_owned()), ..ProductLine::default() };
    let approval = Approval::of(Decision::Approved, line, "v03.120", ENGINEER, "tested on the bench");
    let approval = Approval { second: Some(COLLEAGUE.to_owned()), ..approval };
    intake.say(Draft::new(now_ns(), Body::Approval(approval)))?;
    intake.commit()?;
    let meter = asset(intake, address(plant, FEEDER_METER))?;
    let clock = Clock { now_ns: now_ns(), stale_after_ns: u64::MAX };
    print::out("5  Baseline. v03.120 is approved for this family of feeder meters, by two persons.\n\n")?;
    for judged in intake.view.baselines.judge(meter, profiles, clock) {
        let installed = judged.installed.as_deref().unwrap_or("unknown");
        let approved = judged.approved.join(", ");
        print::out(&format!("{}  installed {installed}, approved {approved}: {}\n", meter.id, judged.conformance.name()))?;
    }
    Ok(())
}

/// A work order of the story.
struct Work {
    order: &'static str,
    device: usize,
    from: &'static str,
    to: &'static str,
    /// What the device sends as its revision afterwards.
    sends: &'static str,
}

impl Work {
    /// Opens it, reads before, flashes, reads after; the worst verdict.
    async fn run(&self, plant: &Plant, intake: &mut Intake<'_>, profiles: &ProfileSet, beside: Option<&str>) -> Result<Verdict, Failure> {
        let plan = self.plan(plant, intake)?;
        for delta in &plan.expected {
            print::out(&format!("work order {}: {delta}, and nothing else, not next door either\n", self.order))?;
        }
        intake.say(Draft::new(now_ns(), Body::Change(Event::Opened(plan))))?;
        intake.commit()?;
        change::before(intake, (self.order, None), &HOW).await?;
        flash(plant, profiles, self.device, self.sends, REBOOT).await?;
        if let Some(revision) = beside {
            flash(plant, profiles, NETWORK_ANALYSER, revision, Duration::ZERO).await?;
        }
        let following = Following { equal: 3, patience_s: 600, accepted_by: None };
        let verdicts = change::after(intake, (self.order, None), &following, &HOW).await?;
        let found = intake.view.changes.get(self.order);
        let found = found.ok_or_else(|| Failure::new(Code::Failed, format!("{} is not in the ledger", self.order)))?;
        print::out(&change::page::verdicts(found, &verdicts, Format::Table))?;
        Ok(worst(&verdicts))
    }

    fn plan(&self, plant: &Plant, intake: &Intake<'_>) -> Result<Plan, Failure> {
        let place = |at: usize| -> Result<Place, Failure> {
            let listens = address(plant, at);
            let asset = asset(intake, listens)?.id.clone();
            Ok(Place {
                asset,
                address: Address { ip: Some(listens.ip()), port: Some(listens.port()), unit: Some(UNIT), ..Address::default() },
                via: None,
                asked: None,
            })
        };
        let scope = place(self.device)?;
        let (from, to) = (Some(self.from.to_owned()), Some(self.to.to_owned()));
        let delta = Delta {
            asset: scope.asset.clone(),
            component: "self".to_owned(),
            field: Field::FirmwareRevision,
            from,
            from_unknown: false,
            to,
        };
        Ok(Plan {
            order: self.order.to_owned(),
            scope: vec![scope],
            neighbours: vec![place(NETWORK_ANALYSER)?],
            expected: vec![delta],
            questions: vec![Question::REGULAR.name().to_owned()],
            from_ns: now_ns(),
            until_ns: now_ns().saturating_add(WINDOW_NS),
            by: ENGINEER.to_owned(),
            terms: Terms::default(),
        })
    }
}

/// Gives a device of the plant another revision; everything else of it stays.
async fn flash(plant: &Plant, profiles: &ProfileSet, at: usize, revision: &str, silent: Duration) -> Result<(), Failure> {
    let (name, profile) = DEVICES[at];
    let mut release = Persona { unit: Some(UNIT), ..persona(profiles, profile)? };
    release.objects.insert(REVISION, revision.as_bytes().to_vec());
    let phases = if silent.is_zero() { Vec::new() } else { vec![Phase::Refuses(silent)] };
    plant.flash(name, Flash { phases, release }).await;
    Ok(())
}

fn close(intake: &mut Intake<'_>, order: &str) -> Result<(), Failure> {
    // Function 43 has no serial number: that it is the same device is a second person's word, and it is recorded as that.
    let (verdicts, accepted_by) = change::close(intake, order, ENGINEER, Some(COLLEAGUE))?;
    let by = accepted_by.unwrap_or_default();
    print::out(&format!("{order} is closed: {}; {by} has seen the device and takes that\n", worst(&verdicts).text()))
}

fn worst(verdicts: &[Judged]) -> Verdict {
    nameplate_core::change::worst(verdicts)
}

fn expect(verdict: Verdict, expected: Verdict, what: &str) -> Result<(), Failure> {
    let why = || format!("{what}: the verdict is {:?}, {:?} was expected", verdict.text(), expected.text());
    if verdict == expected { Ok(()) } else { Err(Failure::new(Code::Failed, why())) }
}

/// Where a device of the plant listens.
fn address(plant: &Plant, at: usize) -> SocketAddr {
    plant.addresses()[at].1
}

fn asset<'a>(intake: &'a Intake<'_>, listens: SocketAddr) -> Result<&'a Asset, Failure> {
    let mut here = intake.view.catalog.at(listens.ip());
    let found = here.find(|asset| asset.addresses.iter().any(|address| address.port == Some(listens.port())));
    found.ok_or_else(|| Failure::new(Code::Failed, format!("{listens} is not in the catalog")))
}
