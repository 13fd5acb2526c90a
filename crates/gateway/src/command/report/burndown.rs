//! How many devices of a change were undone at which time, and how many should have been.

use nameplate_core::change::Change;
use nameplate_core::observation::rfc3339;

use super::Rows;
use crate::sheet::book::Tint;
use crate::sheet::plot::Plot;

/// Columns of the table: the numbers of the plots.
pub const COLUMNS: [&str; 5] = ["order", "time", "undone", "planned", "entry"];

/// One change over time.
pub struct BurnDown {
    /// The lines.
    pub plot: Plot,
    /// Its numbers.
    pub rows: Rows,
}

impl BurnDown {
    /// From the opening up to now. What is left for a reason is not undone. The plan goes evenly from the window's first moment to its last,
    /// because an order says no more.
    pub fn of(change: &Change, now_ns: u64) -> Self {
        let plan = &change.plan;
        let all = plan.scope.len() as u64;
        let mut latest = 0_u64;
        let (mut counted, mut rows) = (Vec::new(), Rows::new());
        for (entry, time_ns) in change.turns() {
            let Some(then) = change.up_to(entry) else { continue };
            let is_open = then.closed.is_none();
            let undone = then.undone(false).into_iter().filter(|judged| is_open && plan.ring_of(&judged.asset).is_some()).count() as u64;
            // A clock that was set back draws no line to the left.
            latest = latest.max(time_ns);
            counted.push((latest, undone));
            let planned = planned(plan.from_ns, plan.until_ns, all, time_ns);
            let tint = if undone > planned { Tint::Doubt } else { Tint::Plain };
            let cells = [plan.order.clone(), rfc3339(time_ns), undone.to_string(), planned.to_string(), entry.to_string()];
            rows.push((tint, cells.to_vec()));
        }
        let last = counted.last().copied();
        counted.extend(last.filter(|(at, _)| change.closed.is_none() && *at < now_ns).map(|(_, undone)| (now_ns, undone)));
        let planned = [(plan.from_ns, all), (plan.until_ns, 0)];
        Self { plot: Plot { title: format!("{}, devices undone", plan.order), counted, planned }, rows }
    }
}

/// How many may still be undone at a time, were all of them done evenly; rounded up.
fn planned(from_ns: u64, until_ns: u64, all: u64, at_ns: u64) -> u64 {
    let whole = u128::from(until_ns.saturating_sub(from_ns)).max(1);
    let rest = u128::from(until_ns.saturating_sub(at_ns.max(from_ns)));
    u64::try_from((u128::from(all) * rest).div_ceil(whole)).unwrap_or(all)
}

#[cfg(test)]
mod tests {
    use super::planned;

    #[test]
    fn a_plan_goes_evenly_through_its_window() {
        for (at, expected) in [(0, 10), (100, 10), (101, 10), (150, 5), (199, 1), (200, 0), (300, 0)] {
            assert_eq!(planned(100, 200, 10, at), expected, "{at}");
        }
    }
}
