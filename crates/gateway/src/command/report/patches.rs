//! Patch status in the words of IEC TR 62443-2-3: what the supplier approves, what the owner authorizes, what is effective, what is installed.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::baseline::{Baselines, Clock, Decided, Decision, Judged, Track};
use nameplate_core::catalog::Asset;
use nameplate_core::change::Change;
use nameplate_core::claim::Field;
use nameplate_core::finding::Verdict;
use nameplate_core::observation::rfc3339;

use super::{Told, known_as, table};
use crate::command::check::findings::Found;
use crate::failure::Failure;
use crate::output::Results;
use crate::sheet::book::Tint;
use crate::sheet::page::Bar;

/// Columns of the tables.
const PATCHES: [&str; 10] = ["device", "known as", "part", "installed", "patch", "state", "supplier", "owner", "work order", "for"];
const DEVICES: [&str; 5] = ["device", "known as", "level", "because of", "patches open"];
const STATES: [&str; 3] = ["state", "devices at this level", "said here where"];

/// The states of IEC TR 62443-2-3:2015, the worst level of a device first: what is not installed ranks by how far it is from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    NotAuthorized,
    NotApproved,
    NotKnown,
    Available,
    InTest,
    Approved,
    InInternalTest,
    Authorized,
    Effective,
    Installed,
    NotApplicable,
    /// No patch of it is on record at all.
    None,
}

impl State {
    const ALL: [Self; 12] = [
        Self::NotAuthorized,
        Self::NotApproved,
        Self::NotKnown,
        Self::Available,
        Self::InTest,
        Self::Approved,
        Self::InInternalTest,
        Self::Authorized,
        Self::Effective,
        Self::Installed,
        Self::NotApplicable,
        Self::None,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::NotAuthorized => "Not Authorized",
            Self::NotApproved => "Not Approved",
            Self::NotKnown => "not known",
            Self::Available => "Available",
            Self::InTest => "In Test",
            Self::Approved => "Approved",
            Self::InInternalTest => "In Internal Test",
            Self::Authorized => "Authorized",
            Self::Effective => "Effective",
            Self::Installed => "Installed",
            Self::NotApplicable => "Not Applicable",
            Self::None => "no patch on record",
        }
    }

    const fn said_where(self) -> &'static str {
        match self {
            Self::NotAuthorized => "the owner disapproved the release; of a device: it is installed all the same",
            Self::NotApproved => "the supplier disapproved the release; of a device: it is installed all the same",
            Self::NotKnown => "no word of the report: what is installed was never read",
            Self::Available => {
                "a document offers it for a vulnerability that affects the device, and neither supplier's list nor owner says more; Released is not told apart"
            }
            Self::InTest => "the supplier's list says that it is being tested",
            Self::Approved => "the supplier's list approves it",
            Self::InInternalTest => "the owner is testing it",
            Self::Authorized => "the owner approved it",
            Self::Effective => "the owner approved it, or an open work order is approved, and that order is to bring it",
            Self::Installed => "the device reports it",
            Self::NotApplicable => "supplier or owner say that it is not for this device; it does not count for the device's level",
            Self::None => "no word of the report: no decision and no document names a patch for the device",
        }
    }

    const fn tint(self) -> Tint {
        match self {
            Self::NotAuthorized | Self::NotApproved | Self::NotKnown | Self::Available => Tint::Bad,
            Self::InTest | Self::Approved | Self::InInternalTest | Self::Authorized | Self::Effective => Tint::Doubt,
            Self::Installed => Tint::Good,
            Self::NotApplicable | Self::None => Tint::Plain,
        }
    }
}

/// One patch for one part of one device.
struct Patch {
    part: String,
    installed: String,
    patch: String,
    state: State,
    /// Decisions of supplier and owner, the work order, and what it is for.
    said: [String; 4],
    /// Whether the device's level has to do with it.
    counts: bool,
}

/// The report.
pub fn report(told: &Told<'_>) -> Result<Results, Failure> {
    let judgement = told.judgement()?;
    let found: Vec<Found<'_>> = judgement.iter().flat_map(|judgement| judgement.found(told)).collect();
    let mut offered: BTreeMap<&str, Vec<&Found<'_>>> = BTreeMap::new();
    for one in found.iter().filter(|one| one.verdict == Verdict::Affected) {
        offered.entry(&one.subject.installed.asset).or_default().push(one);
    }
    let (mut rows, mut devices, mut levels) = (Vec::new(), Vec::new(), BTreeMap::<State, usize>::new());
    for asset in told.view.catalog.assets() {
        let all = of_asset(told, asset, offered.get(asset.id.as_str()).map(Vec::as_slice).unwrap_or_default());
        let worst = all.iter().filter(|one| one.counts).min_by_key(|one| one.state);
        let level = worst.map_or(State::None, |one| one.state);
        *levels.entry(level).or_default() += 1;
        let because = worst.map(|one| format!("{} {}", one.part, one.patch)).unwrap_or_default();
        let open = all.iter().filter(|one| one.counts && one.state != State::Installed).count();
        devices.push((level, vec![asset.id.clone(), known_as(asset), level.name().to_owned(), because, open.to_string()]));
        for Patch { part, installed, patch, state, said, .. } in all {
            let cells = [asset.id.clone(), known_as(asset), part, installed, patch, state.name().to_owned()];
            rows.push((state.tint(), cells.into_iter().chain(said).collect()));
        }
    }
    devices.sort_by_key(|(level, _)| *level);
    let count = |state: State| levels.get(&state).copied().unwrap_or_default();
    let states =
        State::ALL.map(|state| (state.tint(), [state.name(), &count(state).to_string(), state.said_where()].map(str::to_owned).to_vec()));
    let parts = State::ALL.into_iter().filter(|state| count(*state) > 0).map(|state| (state.tint(), state.name(), count(state)));
    Ok(Results {
        title: "Patch status".to_owned(),
        sentences: vec![
            format!("As known at {}. States in the words of IEC TR 62443-2-3:2015; the last table says where each is said here.", rfc3339(told.now_ns)),
            "A device counts once, at its worst level: a release that runs though it must not, then what is not known, then the patch that is \
             furthest from being installed. Only patches newer than what is installed count, and those whose order to it is not known."
                .to_owned(),
            "Supplier: decisions of the track `vendor` (docs/baselines.md). Owner: the owner's own decisions.".to_owned(),
        ],
        bars: vec![Bar { title: "Devices by their level".to_owned(), parts: parts.collect() }],
        tables: vec![
            table("Devices", &DEVICES, devices.into_iter().map(|(level, cells)| (level.tint(), cells)).collect()),
            table("Patches", &PATCHES, rows),
            table("States", &STATES, states.to_vec()),
        ],
        ..Results::default()
    })
}

/// Every patch that is on record for a device, part by part.
fn of_asset(told: &Told<'_>, asset: &Asset, offered: &[&Found<'_>]) -> Vec<Patch> {
    let clock = Clock { now_ns: told.now_ns, stale_after_ns: u64::MAX };
    let mut all = Vec::new();
    for judged in told.view.baselines.judge(asset, told.profiles, clock) {
        let part = Part::of(told, asset, &judged);
        let mut own: Vec<Patch> = part.releases().into_iter().filter_map(|release| part.how_far(&release)).collect();
        let decided: Vec<&str> =
            part.about().filter_map(|one| one.approval.origin.as_ref()).map(|origin| origin.document.as_str()).collect();
        let mut by_document: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for found in
            offered.iter().filter(|found| found.subject.installed.component == judged.component && judged.field == Field::FirmwareRevision)
        {
            let text = found.proof.remediation.as_deref().unwrap_or_default();
            if found.proof.offers_fix && !decided.iter().any(|document| document.eq_ignore_ascii_case(&found.proof.advisory)) {
                by_document.entry((&found.proof.advisory, text)).or_default().insert(&found.proof.cve);
            }
        }
        own.extend(by_document.into_iter().map(|((document, text), cves)| {
            let cves = cves.into_iter().collect::<Vec<_>>().join(" ");
            let said = [String::new(), String::new(), String::new(), format!("{document}: {cves}")];
            part.with(format!("as {document} offers: {text}"), State::Available, said, true)
        }));
        if judged.installed.is_none() && judged.field == Field::FirmwareRevision && !own.is_empty() {
            own.push(part.with("?".to_owned(), State::NotKnown, Default::default(), true));
        }
        all.extend(own);
    }
    all
}

/// One revision of one part of a device.
struct Part<'a> {
    told: &'a Told<'a>,
    asset: &'a Asset,
    judged: &'a Judged,
    /// Changes that were to bring a release to it, with that release.
    ordered: Vec<(&'a Change, &'a str)>,
}

impl<'a> Part<'a> {
    fn of(told: &'a Told<'_>, asset: &'a Asset, judged: &'a Judged) -> Self {
        let called = |id: &str| asset.id == id || asset.was.iter().any(|was| was == id);
        let brings = |change: &'a Change| {
            let mut deltas = change.plan.expected.iter().filter(|delta| called(&delta.asset) && change.is_left(&delta.asset).is_none());
            deltas
                .find(|delta| delta.component == judged.component && delta.field == judged.field)
                .and_then(|delta| Some((change, delta.to.as_deref()?)))
        };
        Self { told, asset, judged, ordered: told.view.changes.iter().filter_map(brings).collect() }
    }

    /// Decisions on releases of it, by name, of both tracks.
    fn about(&self) -> impl Iterator<Item = &'a Decided> {
        let (asset, component, field) = (self.asset, &self.judged.component, self.judged.field);
        let is_of =
            move |one: &&Decided| one.approval.component == *component && one.approval.field == field && one.approval.range.is_none();
        self.told.view.baselines.decided().filter(is_of).filter(move |one| one.is_about(asset))
    }

    fn releases(&self) -> Vec<String> {
        let decided = self.about().map(|one| one.approval.release.trim());
        let ordered = self.ordered.iter().map(|(_, release)| release.trim());
        let mut all: Vec<String> = Vec::new();
        for release in decided.chain(ordered).chain(self.judged.installed.as_deref().map(str::trim)) {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(release)) {
                all.push(release.to_owned());
            }
        }
        all
    }

    fn decision(&self, release: &str, track: Track) -> Option<&'a Decided> {
        let part = (self.judged.component.as_str(), self.judged.field);
        self.told.view.baselines.decision(self.asset, part, (release, track), self.told.profiles, self.told.now_ns)
    }

    /// How far a release is; `None` for one that nobody decided on or ordered, and for one that is not newer.
    fn how_far(&self, release: &str) -> Option<Patch> {
        let [owner, supplier] = [Track::Owner, Track::Vendor].map(|track| self.decision(release, track));
        let says = |one: Option<&Decided>| one.map(|one| one.approval.decision);
        let is_installed = self.judged.installed.as_deref().is_some_and(|installed| installed.trim().eq_ignore_ascii_case(release));
        let ordered: Vec<&Change> =
            self.ordered.iter().filter(|(_, to)| to.trim().eq_ignore_ascii_case(release)).map(|(change, _)| *change).collect();
        if owner.is_none() && supplier.is_none() && ordered.is_empty() {
            return None;
        }
        let ordered: Vec<&Change> = ordered.into_iter().filter(|change| change.closed.is_none()).collect();
        let is_posted =
            ordered.iter().any(|change| change.approved.is_some()) || (!ordered.is_empty() && says(owner) == Some(Decision::Approved));
        let state = match (says(owner), says(supplier)) {
            (Some(Decision::Disapproved), _) => State::NotAuthorized,
            (_, Some(Decision::Disapproved)) if is_installed => State::NotApproved,
            _ if is_installed => State::Installed,
            (Some(Decision::NotApplicable), _) => State::NotApplicable,
            _ if is_posted => State::Effective,
            (Some(Decision::Approved), _) => State::Authorized,
            (Some(Decision::InTest), _) => State::InInternalTest,
            (_, Some(Decision::Disapproved)) => State::NotApproved,
            (_, Some(Decision::NotApplicable)) => State::NotApplicable,
            (_, Some(Decision::Approved)) => State::Approved,
            (_, Some(Decision::InTest)) => State::InTest,
            (Some(Decision::Superseded), _) | (_, Some(Decision::Superseded)) => return None,
            (None, None) if !ordered.is_empty() => State::Available,
            (None, None) => return None,
        };
        let part = (self.judged.component.as_str(), self.judged.field);
        let is_ahead = is_installed || Baselines::is_ahead(self.asset, part, release, self.told.profiles) != Some(false);
        let refused = matches!(state, State::NotAuthorized | State::NotApproved | State::NotApplicable);
        let word =
            |one: Option<&Decided>| one.map(|one| format!("{} by {}, entry {}", one.approval.decision.name(), one.approval.by, one.index));
        let orders = ordered.iter().map(|change| change.plan.order.as_str()).collect::<Vec<_>>().join(" ");
        let origin =
            [owner, supplier].into_iter().flatten().find_map(|one| one.approval.origin.as_ref()).map(|origin| origin.document.clone());
        let said = [word(supplier).unwrap_or_default(), word(owner).unwrap_or_default(), orders, origin.unwrap_or_default()];
        is_ahead.then(|| self.with(release.to_owned(), state, said, is_installed || !refused))
    }

    fn with(&self, patch: String, state: State, said: [String; 4], counts: bool) -> Patch {
        let part = format!("{} {}", self.judged.component, self.judged.field.name());
        Patch { part, installed: self.judged.installed.clone().unwrap_or_default(), patch, state, said, counts }
    }
}
