//! A decision: the band, what it could be, the rule, the reasons, what is not known, and by when.

use super::benchmark::{Benchmarks, benchmarks};
use super::factor::{Factor, Levels};
use super::facts::Factors;
use super::policy::{Ease, Policy};
use super::{Band, Day};

/// The days that a due date is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// On which day the finding was there first.
    pub found_on: Day,
    /// On which day the fix was released, where that is known.
    pub fix_released: Option<Day>,
}

/// A priority with all that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The band.
    pub band: Band,
    /// The mildest and the worst band that it could be, were all known; both the band itself where nothing that is missing matters.
    pub could_be: (Band, Band),
    /// The name of the rule that decided.
    pub rule: String,
    /// Each factor with the level it counts as, and what that was read from: `reach it_reachable: zone "DMZ"`.
    pub because: Vec<String>,
    /// What is not known, per factor.
    pub unknown: Vec<Unknown>,
    /// What a person should look at.
    pub remarks: Vec<String>,
    /// The policy's name.
    pub policy: String,
    /// SHA-256 of the policy's bytes.
    pub policy_sha256: String,
    /// By when; `None` where the policy has no date for the band: with the next planned work.
    pub due: Option<Due>,
    /// What published tables say. They do not move the band or the date.
    pub benchmarks: Benchmarks,
}

/// A factor that is not known, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Which.
    pub factor: Factor,
    /// The facts that are missing or were not understood: `exposure`, `zone "Cell 4"`.
    pub facts: Vec<String>,
    /// The level that it counts as.
    pub counts_as: &'static str,
    /// The mildest and the worst level that it could be.
    pub could_be: (&'static str, &'static str),
}

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Bring in the fix.
    Fix,
    /// Put a mitigation in place: there is no fix.
    Mitigate,
    /// The one or the other: nobody says whether there is a fix.
    Either,
}

impl Act {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fix => "fix",
            Self::Mitigate => "mitigate",
            Self::Either => "fix or mitigate",
        }
    }
}

/// By when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// What.
    pub act: Act,
    /// The last day.
    pub by: Day,
    /// The day it is counted from: of the finding, or of the fix where that came later.
    pub from: Day,
    /// How many days.
    pub days: u32,
}

impl Policy {
    /// Decides. A worse fact never lowers the band, nor either end of what it could be.
    #[must_use]
    pub fn decide(&self, factors: &Factors, dates: Dates) -> Decision {
        let levels = |of: &dyn Fn(Factor) -> usize| -> Levels { Factor::ALL.map(of) };
        let counted = levels(&|factor| factors.reading(factor).counted(self.unknown(factor)));
        let least = self.band(&levels(&|factor| factors.reading(factor).least));
        let most = self.band(&levels(&|factor| factors.reading(factor).most));
        let rule = self.rule(&counted);
        let band = self.band(&counted);
        Decision {
            band,
            could_be: (least, most),
            rule: rule.map(|rule| rule.name.clone()).unwrap_or_default(),
            because: because(factors, &counted),
            unknown: unknown(factors, &counted),
            remarks: factors.remarks.clone(),
            policy: self.name.clone(),
            policy_sha256: self.sha256.clone(),
            due: self.due(band, factors, dates),
            benchmarks: benchmarks(factors, dates.found_on),
        }
    }

    /// An ease that nobody names counts as the one with the fewest days.
    fn due(&self, band: Band, factors: &Factors, dates: Dates) -> Option<Due> {
        let possible = match (factors.ease, factors.fix_offered) {
            (Some(ease), _) => vec![ease],
            (None, Some(true)) => vec![Ease::Online, Ease::Outage],
            (None, _) => Ease::ALL.to_vec(),
        };
        let days = possible.into_iter().filter_map(|ease| self.days(band, ease)).min()?;
        let act = match factors.fix_offered {
            Some(true) => Act::Fix,
            Some(false) => Act::Mitigate,
            None => Act::Either,
        };
        let released = dates.fix_released.filter(|_| act == Act::Fix);
        let from = released.map_or(dates.found_on, |released| released.max(dates.found_on));
        Some(Due { act, by: from.plus(days), from, days })
    }
}

fn because(factors: &Factors, counted: &Levels) -> Vec<String> {
    let each = Factor::ALL.into_iter().zip(counted).map(|(factor, level)| {
        let read = &factors.reading(factor).because;
        let from = if read.is_empty() { "not known".to_owned() } else { read.join("; ") };
        format!("{} {}: {from}", factor.name(), factor.level_name(*level))
    });
    each.collect()
}

fn unknown(factors: &Factors, counted: &Levels) -> Vec<Unknown> {
    let open = Factor::ALL.into_iter().zip(counted).filter(|(factor, _)| !factors.reading(*factor).missing.is_empty());
    open.map(|(factor, level)| {
        let reading = factors.reading(factor);
        let could_be = (factor.level_name(reading.least), factor.level_name(reading.most));
        Unknown { factor, facts: reading.missing.clone(), counts_as: factor.level_name(*level), could_be }
    })
    .collect()
}
