//! How far changes are: what is done, left for a reason and undone, with who said so.

use std::collections::BTreeSet;

use nameplate_core::change::{Change, Judged};
use nameplate_core::observation::rfc3339;
use nameplate_core::view::View;

use super::burndown::{self, BurnDown};
use super::{Rows, table};
use crate::output::Results;
use crate::sheet::book::Tint;
use crate::sheet::page::Bar;

/// Columns of the two tables.
const OF_CHANGES: [&str; 9] = ["order", "stage", "window until", "requested by", "approved by", "done", "left", "undone", "overdue"];
const OF_DEVICES: [&str; 8] = ["order", "ring", "device", "state", "verdict", "why", "until", "said by"];

/// The report; `now_ns` tells what is overdue.
pub fn report(view: &View, now_ns: u64) -> Results {
    let (mut bars, mut changes, mut devices) = (Vec::new(), Vec::new(), Vec::new());
    let (mut plots, mut over_time) = (Vec::new(), Vec::new());
    for change in view.changes.iter() {
        let progress = Progress::of(change, now_ns);
        let [done, left, undone, overdue] = progress.counts();
        let tint = if overdue > 0 {
            Tint::Bad
        } else if undone > 0 || left > 0 {
            Tint::Doubt
        } else {
            Tint::Good
        };
        changes.push((tint, progress.line([done, left, undone, overdue])));
        bars.push(Bar {
            title: format!("{} ({})", change.plan.order, change.stage()),
            parts: vec![(Tint::Good, "done", done), (Tint::Doubt, "left for a reason", left), (Tint::Bad, "undone", undone)],
        });
        devices.extend(progress.devices());
        let BurnDown { plot, rows } = BurnDown::of(change, now_ns);
        plots.push(plot);
        over_time.extend(rows);
    }
    Results {
        title: "Progress of changes".to_owned(),
        sentences: vec![
            format!("As known at {}.", rfc3339(now_ns)),
            "A device counts once in a change, at its worst verdict. Done: as expected, and in a verified ring where there are rings. Left: with \
             a reason on record. Undone: everything else."
                .to_owned(),
            "Overdue: undone behind the end of the window, or left until a time that is over.".to_owned(),
            "The plots: devices undone over time; dashed the plan, which goes evenly through the window, because an order says no more."
                .to_owned(),
        ],
        bars,
        plots,
        tables: vec![
            table("Changes", &OF_CHANGES, changes),
            table("Devices", &OF_DEVICES, devices),
            table("Undone over time", &burndown::COLUMNS, over_time),
        ],
    }
}

/// Devices of open changes: done, left, undone.
pub fn totals(view: &View, now_ns: u64) -> [usize; 3] {
    let open = view.changes.iter().filter(|change| change.closed.is_none());
    open.fold([0; 3], |all, change| {
        let [done, left, undone, _] = Progress::of(change, now_ns).counts();
        [all[0] + done, all[1] + left, all[2] + undone]
    })
}

/// What is overdue of changes, a line for each device: what, who, since when, by whom.
pub fn overdue(view: &View, now_ns: u64) -> Rows {
    let of = |change: &Change| {
        let progress = Progress::of(change, now_ns);
        let late = change.plan.scope.iter().map(|place| place.asset.clone()).filter(|asset| progress.is_overdue(asset));
        let row = |asset: String| {
            let left = change.is_left(&asset);
            let what = left.map_or("undone", |left| left.fate.name());
            let until = left.and_then(|left| left.until_ns).unwrap_or(change.plan.until_ns);
            let by = left.map_or(&change.plan.by, |left| &left.by).clone();
            (Tint::Bad, vec![format!("work order {}: {what}", change.plan.order), asset, rfc3339(until), by])
        };
        late.map(row).collect::<Rows>()
    };
    view.changes.iter().flat_map(of).collect()
}

/// One change at one time.
struct Progress<'a> {
    change: &'a Change,
    undone: BTreeSet<String>,
    now_ns: u64,
}

impl<'a> Progress<'a> {
    fn of(change: &'a Change, now_ns: u64) -> Self {
        let open = change.closed.is_none();
        let undone = change.undone(false).into_iter().filter(|_| open).map(|judged| judged.asset).collect();
        Self { change, undone, now_ns }
    }

    fn is_overdue(&self, asset: &str) -> bool {
        let ended = |until: u64| until < self.now_ns;
        let left = self.change.is_left(asset).and_then(|left| left.until_ns);
        (self.undone.contains(asset) && ended(self.change.plan.until_ns)) || left.is_some_and(ended)
    }

    /// Devices in scope: done, left, undone; and how many of these are overdue.
    fn counts(&self) -> [usize; 4] {
        let assets = || self.change.plan.scope.iter().map(|place| place.asset.as_str());
        let left = assets().filter(|asset| self.change.is_left(asset).is_some()).count();
        let undone = assets().filter(|asset| self.change.is_left(asset).is_none() && self.undone.contains(*asset)).count();
        let overdue = assets().filter(|asset| self.is_overdue(asset)).count();
        [self.change.plan.scope.len().saturating_sub(left).saturating_sub(undone), left, undone, overdue]
    }

    fn line(&self, counts: [usize; 4]) -> Vec<String> {
        let plan = &self.change.plan;
        let approved = self.change.approved.as_ref().map(|step| step.by.clone()).unwrap_or_default();
        let told = [plan.order.clone(), self.change.stage().to_owned(), rfc3339(plan.until_ns), plan.by.clone(), approved];
        told.into_iter().chain(counts.map(|count| count.to_string())).collect()
    }

    /// Ring by ring; behind them the neighbours that are not as they were.
    fn devices(&self) -> Vec<(Tint, Vec<String>)> {
        let (change, verdicts) = (self.change, self.verdicts());
        let mut rows = Vec::new();
        for (number, ring) in (1..).zip(change.plan.rings()) {
            let named = format!("{number} {}, {}", ring.name, change.ring_stage(number));
            rows.extend(verdicts.iter().filter(|judged| ring.assets.contains(&judged.asset)).map(|judged| self.row(&named, judged)));
        }
        let neighbour = |judged: &&Judged| change.plan.neighbours.iter().any(|place| place.asset == judged.asset);
        let concerns = |judged: &&Judged| self.undone.contains(&judged.asset) || change.is_left(&judged.asset).is_some();
        rows.extend(verdicts.iter().filter(neighbour).filter(concerns).map(|judged| self.row("neighbour", judged)));
        rows
    }

    fn verdicts(&self) -> Vec<Judged> {
        self.change.closed.as_ref().map_or_else(|| self.change.verdicts(), |closed| closed.verdicts.clone())
    }

    fn row(&self, ring: &str, judged: &Judged) -> (Tint, Vec<String>) {
        let left = self.change.is_left(&judged.asset);
        let is_undone = self.undone.contains(&judged.asset);
        let (tint, state) = match left {
            Some(left) => (Tint::Doubt, left.fate.name()),
            None if is_undone => (Tint::Bad, "undone"),
            None => (Tint::Good, "done"),
        };
        let overdue = if self.is_overdue(&judged.asset) { ", overdue" } else { "" };
        let why = left.map_or_else(|| judged.why.clone(), |left| format!("{}; {}", left.reason, judged.why));
        let cells = [
            self.change.plan.order.clone(),
            ring.to_owned(),
            judged.asset.clone(),
            format!("{state}{overdue}"),
            judged.verdict.text().to_owned(),
            why,
            left.and_then(|left| left.until_ns).map(rfc3339).unwrap_or_default(),
            left.map(|left| left.by.clone()).unwrap_or_default(),
        ];
        (tint, cells.to_vec())
    }
}
