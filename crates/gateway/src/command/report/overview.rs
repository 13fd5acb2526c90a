//! The page for those who have one minute: how urgent, how far, how well known, what is overdue, what changed.

use std::collections::BTreeMap;

use nameplate_core::baseline::{Clock, Conformance, worst};
use nameplate_core::blind::spots;
use nameplate_core::catalog::{Asset, Happened, events};
use nameplate_core::finding::Verdict;
use nameplate_core::finding::remediation::State;
use nameplate_core::observation::rfc3339;
use nameplate_core::priority::{Band, Day};
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;

use super::{Rows, Told, changes, exemptions, table};
use crate::command::check::findings::Found;
use crate::failure::Failure;
use crate::output::Results;
use crate::sheet::book::Tint;
use crate::sheet::page::Bar;

/// What changed, where no date is given: in so many nanoseconds before (30 days, a month of planning).
pub const SINCE_NS: u64 = 30 * DAY_NS;
/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;
/// A device that was not read for longer is stale, as `check` has it (30 days).
const STALE_NS: u64 = 30 * DAY_NS;
/// Lines of what is overdue: one screen. Where there are more, a sentence says how many.
const OVERDUE_LINES_MAX: usize = 20;
/// Columns of the tables.
const COUNTED: [&str; 3] = ["what", "count", "how it is counted"];
const OVERDUE: [&str; 4] = ["what", "who", "since", "by"];
const CHANGED: [&str; 2] = ["what happened", "times"];

/// The report; `since_ns` is from when on it tells what changed.
pub(super) fn report(told: &Told<'_>, since_ns: u64) -> Result<Results, Failure> {
    let judgement = told.judgement()?;
    let found: Vec<Found<'_>> = judgement.iter().flat_map(|judgement| judgement.found(told)).collect();
    let assets: Vec<&Asset> = told.view.catalog.assets().collect();
    let mut overdue = exemptions::overdue(told.view, told.now_ns);
    overdue.extend(changes::overdue(told.view, told.now_ns));
    overdue.extend(dues(&found, told.now_ns));
    let (bars, mut counts) = (
        vec![
            by_band(&found, &assets),
            by_conformance(told.view, told.profiles, &assets, told.now_ns),
            coverage(&assets, told.now_ns),
            progress(told.view, told.now_ns),
        ],
        Rows::new(),
    );
    for bar in &bars {
        let shade = |tint: Tint, count: usize| if count == 0 { Tint::Plain } else { tint };
        counts.extend(
            bar.parts
                .iter()
                .map(|(tint, what, count)| (shade(*tint, *count), vec![(*what).to_owned(), count.to_string(), bar.title.clone()])),
        );
    }
    let all = overdue.len();
    let said = match all {
        0 => "Nothing is overdue.".to_owned(),
        1..=OVERDUE_LINES_MAX => format!("Overdue: {all}."),
        _ => format!("Overdue: {all}, of which {OVERDUE_LINES_MAX} are shown."),
    };
    overdue.truncate(OVERDUE_LINES_MAX);
    let evaluated = told.view.evaluations.last().map_or("Nobody has recorded an evaluation of the advisories.".to_owned(), |last| {
        let days = Day::of_ns(told.now_ns).since(Day::of_ns(last.time_ns));
        format!("The advisories were last evaluated {days} days ago, by {} (entry {}).", last.evaluation.by, last.index)
    });
    let corpus = judgement.map_or("no advisory was taken in, so nothing is said of vulnerabilities".to_owned(), |it| it.findings.corpus());
    Ok(Results {
        title: "Overview".to_owned(),
        sentences: vec![
            format!("As known at {}. {} devices; advisories: {corpus}. {evaluated}", rfc3339(told.now_ns), assets.len()),
            said,
            "Each device counts once in a bar, at its worst. Of a vulnerability that no document names a device for, nothing is said."
                .to_owned(),
        ],
        bars,
        tables: vec![
            table("Overdue", &OVERDUE, overdue),
            table("Counts", &COUNTED, counts),
            table("Changed", &CHANGED, changed(told, since_ns)),
        ],
        ..Results::default()
    })
}

/// Devices by the worst band of what is open.
pub fn by_band(found: &[Found<'_>], assets: &[&Asset]) -> Bar {
    let mut bands: BTreeMap<&str, Band> = BTreeMap::new();
    for one in found.iter().filter(|one| is_open(one)) {
        let Some(decision) = &one.decision else { continue };
        let band = bands.entry(&one.subject.installed.asset).or_insert(decision.band);
        *band = decision.band.max(*band);
    }
    let tint = |band| if matches!(band, Band::Critical | Band::Important) { Tint::Bad } else { Tint::Doubt };
    let mut parts: Vec<(Tint, &'static str, usize)> =
        Band::ALL.map(|band| (tint(band), band.name(), bands.values().filter(|one| **one == band).count())).to_vec();
    parts.push((Tint::Plain, "no open finding", assets.len().saturating_sub(bands.len())));
    Bar { title: "Devices by the band of their worst open finding".to_owned(), parts }
}

/// Whether somebody has something to do about it.
pub fn is_open(found: &Found<'_>) -> bool {
    found.verdict != Verdict::NotAffected || found.remediation.as_ref().is_some_and(|known| known.state != State::Done)
}

/// Devices by their worst part.
pub fn by_conformance(view: &View, profiles: &ProfileSet, assets: &[&Asset], now_ns: u64) -> Bar {
    let clock = Clock { now_ns, stale_after_ns: u64::MAX };
    let judged: Vec<Conformance> =
        assets.iter().filter_map(|asset| Some(worst(&view.baselines.judge(asset, profiles, clock))?.conformance)).collect();
    let count = |one: Conformance| judged.iter().filter(|other| **other == one).count();
    let tint = |one| match one {
        Conformance::Conforms => Tint::Good,
        Conformance::Disapproved | Conformance::Unknown => Tint::Bad,
        _ => Tint::Doubt,
    };
    Bar {
        title: "Devices by the conformance of their worst part".to_owned(),
        parts: Conformance::ALL.map(|one| (tint(one), one.name(), count(one))).to_vec(),
    }
}

/// How well the devices are known.
pub fn coverage(assets: &[&Asset], now_ns: u64) -> Bar {
    let blind: Vec<&str> = spots(assets.iter().copied()).into_iter().map(|spot| spot.asset.id.as_str()).collect();
    let mut counts = [0_usize; 4];
    for asset in assets {
        let at = match () {
            () if asset.is_listed_only() => 3,
            () if blind.contains(&asset.id.as_str()) || !asset.why_unknown.is_empty() => 2,
            () if now_ns.saturating_sub(asset.seen_ns.1) > STALE_NS => 1,
            () => 0,
        };
        counts.iter_mut().skip(at).take(1).for_each(|count| *count += 1);
    }
    let [known, stale, blind, listed] = counts;
    let parts = vec![
        (Tint::Good, "firmware known", known),
        (Tint::Doubt, "known, and not seen for 30 days", stale),
        (Tint::Bad, "blind spots: no firmware", blind),
        (Tint::Other, "only in a sheet", listed),
    ];
    Bar { title: "Coverage".to_owned(), parts }
}

/// Devices of open changes.
pub fn progress(view: &View, now_ns: u64) -> Bar {
    let [done, left, undone] = changes::totals(view, now_ns);
    let parts = vec![(Tint::Good, "done", done), (Tint::Doubt, "left for a reason", left), (Tint::Bad, "undone", undone)];
    Bar { title: "Devices of open changes".to_owned(), parts }
}

/// Findings whose day is over and that nobody answers for.
pub fn dues(found: &[Found<'_>], now_ns: u64) -> Rows {
    let today = Day::of_ns(now_ns);
    let excused = |one: &Found<'_>| one.exempted.as_ref().is_some_and(|exempted| !exempted.has_ended);
    let mut dues: BTreeMap<(Day, &str), usize> = BTreeMap::new();
    for one in found.iter().filter(|one| is_open(one) && !excused(one)) {
        let due = one.decision.as_ref().and_then(|decision| decision.due.as_ref()).filter(|due| due.by < today);
        if let Some(due) = due {
            *dues.entry((due.by, &one.subject.installed.asset)).or_default() += 1;
        }
    }
    let row = |((day, asset), count): ((Day, &str), usize)| {
        vec![format!("{count} findings"), asset.to_owned(), day.to_string(), "policy".to_owned()]
    };
    dues.into_iter().map(|due| (Tint::Bad, row(due))).collect()
}

fn changed(told: &Told<'_>, since_ns: u64) -> Rows {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events(&told.view.catalog, told.profiles).iter().filter(|event| event.time_ns >= since_ns) {
        *counts.entry(Happened::name(event.happened)).or_default() += 1;
    }
    let title = (Tint::Plain, vec![format!("since {}", rfc3339(since_ns)), String::new()]);
    [title].into_iter().chain(counts.into_iter().map(|(what, count)| (Tint::Plain, vec![what.to_owned(), count.to_string()]))).collect()
}
