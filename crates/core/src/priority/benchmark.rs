//! What published decision tables say of a finding: CISA's directive BOD 26-04 and CERT/CC's table for deployers. Benchmarks: they move
//! neither the band nor the owner's date.
//!
//! Where a point is not known, every row that is possible counts, and the answer is a range. "Fix on system upgrade" is only ever said
//! where all four points are known.

use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Day;
use super::factor::Factor;
use super::facts::Factors;
use crate::advisory::exploitation::TechnicalImpact;

/// A published table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Who published it, and where it is from.
    pub source: String,
    /// Each point: its name, then its values, the mildest first.
    points: Vec<Vec<String>>,
    outcomes: Vec<Outcome>,
    rows: Vec<Vec<String>>,
}

/// An answer of a table.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// As the table has it.
    pub name: String,
    /// Calendar days that it gives; `None` where it gives none.
    pub days: Option<u32>,
}

/// What a table says of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benchmark {
    /// The table's name.
    pub table: &'static str,
    /// The mildest answer that is possible.
    pub least: &'static Outcome,
    /// The worst answer that is possible.
    pub most: &'static Outcome,
    /// The points that are not known.
    pub unknown: Vec<&'static str>,
    /// The last day by the worst answer, counted from the finding; `None` where it gives no days.
    pub by: Option<Day>,
}

impl Benchmark {
    /// The answer, where every point is known.
    #[must_use]
    pub fn settled(&self) -> Option<&'static Outcome> {
        self.unknown.is_empty().then_some(self.most)
    }
}

impl fmt::Display for Benchmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, least, most, unknown, .. } = self;
        match self.settled() {
            Some(outcome) => write!(f, "{table}: {}", outcome.name),
            None if least == most => write!(f, "{table}: {} or sooner ({} not known)", least.name, unknown.join(", ")),
            None => write!(f, "{table}: between {} and {} ({} not known)", least.name, most.name, unknown.join(", ")),
        }
    }
}

/// What the tables say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benchmarks {
    /// CISA's directive. It asks for what is publicly exposed; KEV's own `dueDate` is not used.
    pub bod_26_04: Option<Benchmark>,
    /// CERT/CC's table for deployers.
    pub deployer: Option<Benchmark>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    bod_26_04: Table,
    deployer: Table,
}

// The text is part of the program, and a test reads it: it cannot fail where it passed that.
static TABLES: LazyLock<Option<Tables>> = LazyLock::new(|| toml::from_str(include_str!("benchmark.toml")).ok());

/// What is possible of a point: from this of its values to that.
type Ends = (usize, usize);

const fn ends(known: Option<bool>) -> Ends {
    match known {
        Some(true) => (1, 1),
        Some(false) => (0, 0),
        None => (0, 1),
    }
}

/// Both tables, for a finding that was there first on this day.
pub(super) fn benchmarks(factors: &Factors, found_on: Day) -> Benchmarks {
    let of = |factor: Factor, value: fn(usize) -> usize| -> Ends {
        let reading = factors.reading(factor);
        (value(reading.least), value(reading.most))
    };
    let automatable = ends(factors.automatable());
    let impact = ends(factors.technical_impact.map(|impact| impact == TechnicalImpact::Total));
    // Reach: only the internet is public. Isolated and OT alone are "small", what IT reaches is "controlled".
    let exposed = of(Factor::Reach, |level| usize::from(level == 3));
    let exposure = of(Factor::Reach, |level| level.saturating_sub(1));
    // What is likely (EPSS) is not seen in use: it counts as a public proof of concept.
    let exploitation = of(Factor::Exploitation, |level| [0, 1, 1, 2].get(level).copied().unwrap_or(2));
    let human_impact = of(Factor::Consequence, |level| level);
    let tables = TABLES.as_ref();
    Benchmarks {
        bod_26_04: tables.and_then(|tables| tables.bod_26_04.answer(&[ends(factors.kev), exposed, automatable, impact], found_on)),
        deployer: tables.and_then(|tables| tables.deployer.answer(&[exploitation, exposure, automatable, human_impact], found_on)),
    }
}

impl Table {
    /// The answers that are possible; `None` where the table has no such row.
    fn answer(&'static self, possible: &[Ends], found_on: Day) -> Option<Benchmark> {
        let fits = |row: &&Vec<String>| {
            let each = row.iter().zip(&self.points).zip(possible);
            each.into_iter().all(|((value, point), (from, to))| {
                let at = point.iter().skip(1).position(|known| known == value);
                at.is_some_and(|at| (*from..=*to).contains(&at))
            })
        };
        let outcome = |row: &Vec<String>| self.outcomes.iter().position(|outcome| Some(&outcome.name) == row.last());
        let answers = || self.rows.iter().filter(fits).filter_map(outcome);
        let (least, most) = (self.outcomes.get(answers().min()?)?, self.outcomes.get(answers().max()?)?);
        let open = self.points.iter().zip(possible).filter(|(_, (from, to))| from != to);
        Some(Benchmark {
            table: &self.name,
            least,
            most,
            unknown: open.filter_map(|(point, _)| point.first().map(String::as_str)).collect(),
            by: most.days.map(|days| found_on.plus(days)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bod(kev: Option<bool>, exposed: Option<bool>, automatable: Option<bool>, total: Option<bool>) -> Benchmark {
        let tables = TABLES.as_ref().expect("tables");
        let found_on = Day::read("2026-11-22").expect("a day");
        tables.bod_26_04.answer(&[ends(kev), ends(exposed), ends(automatable), ends(total)], found_on).expect("an answer")
    }

    #[test]
    fn the_tables_are_complete_and_a_worse_point_is_never_a_milder_answer() {
        let tables = TABLES.as_ref().expect("tables");
        for (table, rows) in [(&tables.bod_26_04, 16), (&tables.deployer, 72)] {
            assert_eq!(table.rows.len(), rows, "{}", table.name);
            let sizes: Vec<usize> = table.points.iter().map(|point| point.len() - 1).collect();
            assert_eq!(sizes.iter().product::<usize>(), rows);
            let outcome = |at: &[usize]| {
                let row: Vec<&String> = table.points.iter().zip(at).map(|(point, at)| &point[at + 1]).collect();
                let found: Vec<_> = table.rows.iter().filter(|known| known.iter().zip(&row).all(|(one, other)| one == *other)).collect();
                assert_eq!(found.len(), 1, "{row:?}");
                let name = found[0].last().expect("an outcome");
                table.outcomes.iter().position(|outcome| outcome.name == *name).expect("a known outcome")
            };
            let all = (0..rows).map(|place| {
                let mut rest = place;
                sizes
                    .iter()
                    .map(|size| {
                        let at = rest % size;
                        rest /= size;
                        at
                    })
                    .collect::<Vec<_>>()
            });
            for at in all {
                for point in (0..sizes.len()).filter(|point| at[*point] + 1 < sizes[*point]) {
                    let mut worse = at.clone();
                    worse[point] += 1;
                    assert!(outcome(&worse) >= outcome(&at), "{}: {at:?}", table.name);
                }
            }
        }
    }

    #[test]
    fn the_directive_gives_its_days_where_all_is_known() {
        for (kev, exposed, automatable, total, name, by) in [
            (false, false, false, false, "fix on system upgrade", None),
            (false, false, false, true, "fix on system upgrade", None),
            (false, false, true, true, "60 days", Some("2027-01-21")),
            (true, false, false, false, "14 days", Some("2026-12-06")),
            (false, true, true, true, "3 days", Some("2026-11-25")),
            (true, false, true, true, "3 days and forensic triage", Some("2026-11-25")),
            (true, true, true, true, "3 days and forensic triage", Some("2026-11-25")),
        ] {
            let said = bod(Some(kev), Some(exposed), Some(automatable), Some(total));
            assert_eq!(said.settled().map(|outcome| &*outcome.name), Some(name));
            assert_eq!(said.by.map(|day| day.to_string()).as_deref(), by, "{name}");
        }
    }

    #[test]
    fn an_unknown_point_is_a_range_and_never_fix_on_upgrade() {
        for (automatable, total, least, most, text) in [
            (None, Some(true), 0, 1, "CISA BOD 26-04: between fix on system upgrade and 60 days (automatable not known)"),
            (None, None, 0, 1, "CISA BOD 26-04: between fix on system upgrade and 60 days (automatable, technical_impact not known)"),
            (Some(false), None, 0, 0, "CISA BOD 26-04: fix on system upgrade or sooner (technical_impact not known)"),
            (Some(true), None, 1, 1, "CISA BOD 26-04: 60 days or sooner (technical_impact not known)"),
        ] {
            let said = bod(Some(false), Some(false), automatable, total);
            let outcomes = &TABLES.as_ref().expect("tables").bod_26_04.outcomes;
            assert_eq!((said.settled(), said.least, said.most), (None, &outcomes[least], &outcomes[most]));
            assert_eq!(said.to_string(), text);
        }
        let nothing = bod(None, None, None, None);
        assert_eq!((&*nothing.least.name, &*nothing.most.name), ("fix on system upgrade", "3 days and forensic triage"));
    }
}
