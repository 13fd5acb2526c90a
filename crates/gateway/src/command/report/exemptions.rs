//! What is left as it is for a reason and a time: waivers, mitigations and deferrals of baselines and findings, and what changes leave.

use nameplate_core::baseline::{Exemption, ExemptionKind};
use nameplate_core::observation::rfc3339;
use nameplate_core::view::View;

use super::{Rows, table};
use crate::output::Results;
use crate::sheet::book::Tint;
use crate::sheet::page::Bar;

/// Columns of the table.
const LEFT: [&str; 10] = ["state", "kind", "of", "devices", "until", "days", "by", "second", "reason", "entry"];
/// The kind of what a change leaves.
const LEFT_BY: &str = "left by a change";
/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;
/// What ends within so many days is said to end soon: a month of planning.
const SOON_DAYS: u64 = 30;

/// How it stands, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Overdue,
    Soon,
    InForce,
    Replaced,
}

impl State {
    const fn shown(self) -> (Tint, &'static str) {
        match self {
            Self::Overdue => (Tint::Bad, "overdue"),
            Self::Soon => (Tint::Doubt, "ends soon"),
            Self::InForce => (Tint::Good, "in force"),
            Self::Replaced => (Tint::Plain, "replaced"),
        }
    }

    fn at(until_ns: u64, now_ns: u64) -> Self {
        match until_ns {
            until if until < now_ns => Self::Overdue,
            until if until - now_ns <= SOON_DAYS * DAY_NS => Self::Soon,
            _ => Self::InForce,
        }
    }
}

/// A line before it is printed: how it stands, its end, three cells before that and four behind it.
type Line = (State, u64, [String; 3], [String; 4]);

/// What is overdue of exemptions, a line each: what, who, since when, by whom. What changes leave is theirs to tell.
pub fn overdue(view: &View, now_ns: u64) -> Rows {
    let over = lines(view, now_ns).into_iter().filter(|(state, _, texts, _)| *state == State::Overdue && !texts[0].starts_with(LEFT_BY));
    over.map(|(_, until, [kind, of, devices], [by, ..])| (Tint::Bad, vec![format!("{kind} of {of}"), devices, rfc3339(until), by]))
        .collect()
}

/// Every exemption, the worst first.
fn lines(view: &View, now_ns: u64) -> Vec<Line> {
    let all: Vec<&(u64, Exemption)> = view.baselines.exemptions().collect();
    let mut lines = Vec::new();
    for (at, (entry, one)) in all.iter().enumerate() {
        // The one recorded last counts.
        let same = |(_, later): &&&(u64, Exemption)| (&later.assets, &later.finding) == (&one.assets, &one.finding);
        let replaced = all.iter().skip(at + 1).find(same);
        let state = if replaced.is_some() { State::Replaced } else { State::at(one.until_ns, now_ns) };
        let kind = match one.kind {
            ExemptionKind::Waiver => "waiver",
            ExemptionKind::Mitigation => "mitigation",
            ExemptionKind::Deferral => "deferral",
        };
        let of = one.finding.clone().unwrap_or_else(|| "conformance".to_owned());
        let devices = if one.assets.is_empty() { "all".to_owned() } else { one.assets.join(" ") };
        let reason =
            replaced.map(|(later, _)| format!("{}; entry {later} took its place", one.reason)).unwrap_or_else(|| one.reason.clone());
        let texts = [kind.to_owned(), of, devices];
        lines.push((state, one.until_ns, texts, [one.by.clone(), one.second.clone().unwrap_or_default(), reason, entry.to_string()]));
    }
    for change in view.changes.iter() {
        for asset in change.plan.places().map(|place| &place.asset) {
            let last = change.left.iter().rfind(|(_, left)| left.assets.contains(asset));
            let Some((entry, left, until)) = last.and_then(|(entry, left)| Some((entry, left, left.until_ns?))) else { continue };
            let texts = [format!("{LEFT_BY}: {}", left.fate.name()), format!("work order {}", change.plan.order), asset.clone()];
            lines.push((State::at(until, now_ns), until, texts, [left.by.clone(), String::new(), left.reason.clone(), entry.to_string()]));
        }
    }
    lines.sort_by(|(one, until, _, texts), (other, later, _, more)| (one, until, &texts[3]).cmp(&(other, later, &more[3])));
    lines
}

/// The report.
pub fn report(view: &View, now_ns: u64) -> Results {
    let lines = lines(view, now_ns);
    let count = |state: State| lines.iter().filter(|(one, ..)| *one == state).count();
    let parts = [State::Overdue, State::Soon, State::InForce].map(|state| (state.shown().0, state.shown().1, count(state)));
    let rows = lines.iter().map(|(state, until, texts, rest)| {
        let (tint, word) = state.shown();
        let days = |from: u64, to: u64| (to.saturating_sub(from) / DAY_NS).to_string();
        let days = if *until < now_ns { format!("-{}", days(*until, now_ns)) } else { days(now_ns, *until) };
        let cells = [word.to_owned()].into_iter().chain(texts.clone()).chain([rfc3339(*until), days]).chain(rest.clone());
        (tint, cells.collect())
    });
    Results {
        title: "What is left as it is".to_owned(),
        sentences: vec![
            format!("As known at {}.", rfc3339(now_ns)),
            format!(
                "Overdue: its end is over, so that what it excused is open again. Ends soon: within {SOON_DAYS} days. Replaced: a later one for \
                 the same devices and the same finding took its place. Days are whole days left; behind a minus, days over."
            ),
            "An exemption changes no verdict. A device may conform or be fixed meanwhile: `nameplate check` says so.".to_owned(),
        ],
        bars: vec![Bar { title: "Exemptions".to_owned(), parts: parts.to_vec() }],
        tables: vec![table("Exemptions", &LEFT, rows.collect())],
        ..Results::default()
    }
}
