//! The clocks of NERC CIP-007-6, requirement R2 (security patch management), with dates as arguments.
//!
//! Part 2.2: security patches that a tracked source released are evaluated for applicability at least once every 35 calendar days. Part
//! 2.3: within 35 calendar days of the completed evaluation each applicable patch is applied, or a dated mitigation plan is made, or an
//! existing one is revised. Part 2.4: a plan is carried out within its own time frame.
//!
//! The clocks run on every security patch of a tracked source, whether an advisory names it or not. CIP-007-6 is in force; CIP-007-7 (FERC
//! Order 919 of 2026-03-19) takes its place in 2028.

use std::fmt;

use super::Day;

/// Part 2.2: days from one evaluation of a source to the next.
pub const EVALUATION_DAYS_MAX: u32 = 35;
/// Part 2.3: days from the evaluation to what is done about an applicable patch.
pub const ACTION_DAYS_MAX: u32 = 35;

/// A source of security patches that is tracked for a set of cyber assets (part 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchSource {
    /// Its name: a vendor's page, a service.
    pub name: String,
    /// The day from which on it is tracked.
    pub tracked_since: Day,
    /// Every security patch that it released, in any order.
    pub patches: Vec<Patch>,
    /// The evaluations, in any order.
    pub evaluations: Vec<Evaluation>,
    /// What was done, in any order.
    pub actions: Vec<Action>,
}

/// A security patch that a source released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Its name.
    pub id: String,
    /// The day of its release.
    pub released: Day,
}

/// An evaluation of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The day on which it was completed.
    pub completed: Day,
    /// The patches that it looked at, and whether each is applicable.
    pub judged: Vec<(String, bool)>,
}

/// Something that was done about a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Which patch.
    pub patch: String,
    /// On which day.
    pub on: Day,
    /// What.
    pub what: Done,
}

/// What was done about a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was applied everywhere.
    Applied,
    /// A mitigation plan was made, or an existing one revised, that is carried out by then.
    Planned(Day),
    /// The mitigation plan was carried out.
    Mitigated,
}

/// A clock that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The last day.
    pub due: Day,
    /// What is due.
    pub what: Duty,
}

/// What a clock runs for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Part 2.2: the next evaluation of the source.
    Evaluate,
    /// Part 2.3: this applicable patch is applied or planned for.
    Act(String),
    /// Part 2.4: the plan for this patch is carried out, or its time frame extended with approval.
    CarryOut(String),
}

/// Where the record falls short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Something was done after its last day, on the second day.
    Late(Duty, Day, Day),
    /// Something is not done, and its last day is over.
    Overdue(Duty, Day),
    /// This patch was released before this evaluation was completed, which does not name it.
    PassedOver(String, Day),
    /// An evaluation or an action names a patch of which the record has no release.
    NoRelease(String),
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evaluate => f.write_str("evaluation of the source (CIP-007-6 R2.2)"),
            Self::Act(patch) => write!(f, "patch {patch}: apply it, or a dated mitigation plan (CIP-007-6 R2.3)"),
            Self::CarryOut(patch) => write!(f, "patch {patch}: carry out its mitigation plan (CIP-007-6 R2.4)"),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(duty, due, on) => write!(f, "{duty}: due on {due}, done on {on}"),
            Self::Overdue(duty, due) => write!(f, "{duty}: due on {due}, not done"),
            Self::PassedOver(patch, completed) => {
                write!(f, "patch {patch}: the evaluation of {completed} does not name it (CIP-007-6 R2.2)")
            }
            Self::NoRelease(patch) => write!(f, "patch {patch}: no release on record"),
        }
    }
}

impl PatchSource {
    /// The clocks that run on this day, the next one first. Those whose last day is over are gaps as well.
    #[must_use]
    pub fn clocks(&self, today: Day) -> Vec<Clock> {
        let mut clocks = self.walk(today).0;
        clocks.sort_by_key(|clock| clock.due);
        clocks
    }

    /// Where the record falls short on this day.
    #[must_use]
    pub fn gaps(&self, today: Day) -> Vec<Gap> {
        let (clocks, mut gaps) = self.walk(today);
        gaps.extend(clocks.into_iter().filter(|clock| clock.due < today).map(|clock| Gap::Overdue(clock.what, clock.due)));
        gaps
    }

    /// Evaluations up to this day, in their order.
    fn evaluations(&self, today: Day) -> Vec<&Evaluation> {
        let mut evaluations: Vec<_> = self.evaluations.iter().filter(|evaluation| evaluation.completed <= today).collect();
        evaluations.sort_by_key(|evaluation| evaluation.completed);
        evaluations
    }

    fn walk(&self, today: Day) -> (Vec<Clock>, Vec<Gap>) {
        let (mut clocks, mut gaps) = (Vec::new(), Vec::new());
        let evaluations = self.evaluations(today);
        let mut last = self.tracked_since;
        for evaluation in &evaluations {
            let due = last.plus(EVALUATION_DAYS_MAX);
            if evaluation.completed > due {
                gaps.push(Gap::Late(Duty::Evaluate, due, evaluation.completed));
            }
            last = evaluation.completed.max(last);
        }
        clocks.push(Clock { due: last.plus(EVALUATION_DAYS_MAX), what: Duty::Evaluate });
        for patch in self.patches.iter().filter(|patch| patch.released <= today) {
            // One that came out on the day of an evaluation may have come after it.
            let first = evaluations.iter().find(|evaluation| evaluation.completed > patch.released);
            let names = |evaluation: &&&Evaluation| evaluation.judged.iter().any(|(id, _)| *id == patch.id);
            let judged = evaluations.iter().find(names);
            if let Some(first) = first.filter(|first| judged.is_none_or(|judged| judged.completed > first.completed)) {
                gaps.push(Gap::PassedOver(patch.id.clone(), first.completed));
            }
            // Once it was found applicable the clock runs, whatever a later evaluation says of it.
            let applicable = |evaluation: &&&Evaluation| evaluation.judged.iter().any(|(id, applies)| *id == patch.id && *applies);
            if let Some(evaluation) = evaluations.iter().find(applicable) {
                self.act(patch, evaluation.completed.plus(ACTION_DAYS_MAX), today, &mut clocks, &mut gaps);
            }
        }
        gaps.extend(self.strangers(&evaluations));
        (clocks, gaps)
    }

    /// Parts 2.3 and 2.4 for a patch that is applicable.
    fn act(&self, patch: &Patch, due: Day, today: Day, clocks: &mut Vec<Clock>, gaps: &mut Vec<Gap>) {
        let mut actions: Vec<_> = self.actions.iter().filter(|action| action.patch == patch.id && action.on <= today).collect();
        actions.sort_by_key(|action| action.on);
        let id = || patch.id.clone();
        let Some(first) = actions.first() else {
            clocks.push(Clock { due, what: Duty::Act(id()) });
            return;
        };
        if first.on > due {
            gaps.push(Gap::Late(Duty::Act(id()), due, first.on));
        }
        let mut plan: Option<Day> = None;
        for action in actions {
            // A plan that is revised after its own last day was not carried out in time.
            if let Some(until) = plan.filter(|until| action.on > *until) {
                gaps.push(Gap::Late(Duty::CarryOut(id()), until, action.on));
            }
            plan = match action.what {
                Done::Planned(until) => Some(until),
                Done::Applied | Done::Mitigated => return,
            };
        }
        if let Some(due) = plan {
            clocks.push(Clock { due, what: Duty::CarryOut(id()) });
        }
    }

    fn strangers(&self, evaluations: &[&Evaluation]) -> Vec<Gap> {
        let judged = evaluations.iter().flat_map(|evaluation| evaluation.judged.iter().map(|(id, _)| id));
        let mut named: Vec<&String> = judged.chain(self.actions.iter().map(|action| &action.patch)).collect();
        named.sort_unstable();
        named.dedup();
        let known = |id: &&String| self.patches.iter().any(|patch| patch.id == **id);
        named.into_iter().filter(|id| !known(id)).map(|id| Gap::NoRelease(id.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::read(text).expect("a day")
    }

    /// Evaluations as (day, patch, applicable), actions as (day, what) about patch P, which was released on 2026-03-10.
    fn source(evaluations: &[(&str, &str, bool)], actions: &[(&str, Done)]) -> PatchSource {
        let judged = |patch: &str, applies| if patch.is_empty() { vec![] } else { vec![(patch.to_owned(), applies)] };
        PatchSource {
            name: "maker".into(),
            tracked_since: day("2026-03-01"),
            patches: vec![Patch { id: "P".into(), released: day("2026-03-10") }],
            evaluations: evaluations
                .iter()
                .map(|(on, patch, applies)| Evaluation { completed: day(on), judged: judged(patch, *applies) })
                .collect(),
            actions: actions.iter().map(|(on, what)| Action { patch: "P".into(), on: day(on), what: *what }).collect(),
        }
    }

    fn check(source: &PatchSource, today: &str, clocks: &[(&str, Duty)], gaps: &[Gap]) {
        let expected: Vec<Clock> = clocks.iter().map(|(due, what)| Clock { due: day(due), what: what.clone() }).collect();
        assert_eq!(source.clocks(day(today)), expected, "{today}");
        assert_eq!(source.gaps(day(today)), gaps, "{today}");
    }

    use Duty::{Act, CarryOut, Evaluate};

    #[test]
    fn a_source_is_evaluated_every_35_days() {
        let none = source(&[], &[]);
        check(&none, "2026-04-05", &[("2026-04-05", Evaluate)], &[]);
        check(&none, "2026-04-06", &[("2026-04-05", Evaluate)], &[Gap::Overdue(Evaluate, day("2026-04-05"))]);
        let late = source(&[("2026-04-06", "P", false)], &[]);
        check(&late, "2026-04-06", &[("2026-05-11", Evaluate)], &[Gap::Late(Evaluate, day("2026-04-05"), day("2026-04-06"))]);
    }

    #[test]
    fn a_patch_that_no_evaluation_names_is_a_gap() {
        let over = source(&[("2026-04-01", "", false)], &[]);
        check(&over, "2026-04-02", &[("2026-05-06", Evaluate)], &[Gap::PassedOver("P".into(), day("2026-04-01"))]);
        // On the day of its release nobody has to have seen it, and the next evaluation names it.
        let next = source(&[("2026-03-10", "", false), ("2026-04-01", "P", false)], &[]);
        check(&next, "2026-04-02", &[("2026-05-06", Evaluate)], &[]);
        let stranger = source(&[("2026-04-01", "Q", false), ("2026-03-12", "P", false)], &[]);
        check(&stranger, "2026-04-02", &[("2026-05-06", Evaluate)], &[Gap::NoRelease("Q".into())]);
    }

    #[test]
    fn an_applicable_patch_is_applied_or_planned_for_within_35_days_of_the_evaluation() {
        let evaluations = [("2026-04-01", "P", true), ("2026-05-01", "", false), ("2026-06-01", "", false)];
        let open = source(&evaluations, &[]);
        check(&open, "2026-05-06", &[("2026-05-06", Act("P".into())), ("2026-06-05", Evaluate)], &[]);
        let overdue = [Gap::Overdue(Act("P".into()), day("2026-05-06"))];
        check(&open, "2026-05-07", &[("2026-05-06", Act("P".into())), ("2026-06-05", Evaluate)], &overdue);
        let applied = source(&evaluations, &[("2026-05-06", Done::Applied)]);
        check(&applied, "2026-05-07", &[("2026-06-05", Evaluate)], &[]);
        let late = source(&evaluations, &[("2026-05-10", Done::Planned(day("2026-09-30")))]);
        let gap = [Gap::Late(Act("P".into()), day("2026-05-06"), day("2026-05-10"))];
        check(&late, "2026-06-02", &[("2026-07-06", Evaluate), ("2026-09-30", CarryOut("P".into()))], &gap);
    }

    #[test]
    fn a_plan_is_carried_out_in_its_own_time() {
        let evaluations = [("2026-04-01", "P", true), ("2026-05-01", "", false), ("2026-06-01", "", false)];
        let planned = |rest: &[(&str, Done)]| source(&evaluations, &[&[("2026-04-20", Done::Planned(day("2026-05-31")))], rest].concat());
        let next = ("2026-07-06", Evaluate);
        let lapsed = [Gap::Overdue(CarryOut("P".into()), day("2026-05-31"))];
        check(&planned(&[]), "2026-06-02", &[("2026-05-31", CarryOut("P".into())), next.clone()], &lapsed);
        check(&planned(&[("2026-05-31", Done::Mitigated)]), "2026-06-02", std::slice::from_ref(&next), &[]);
        let revised = planned(&[("2026-05-20", Done::Planned(day("2026-12-31")))]);
        check(&revised, "2026-06-02", &[next.clone(), ("2026-12-31", CarryOut("P".into()))], &[]);
        let too_late = [Gap::Late(CarryOut("P".into()), day("2026-05-31"), day("2026-06-02"))];
        check(&planned(&[("2026-06-02", Done::Applied)]), "2026-06-02", &[next], &too_late);
    }
}
