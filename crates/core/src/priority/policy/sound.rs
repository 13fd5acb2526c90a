//! Whether a policy can be trusted: every combination of levels is decided, every rule decides one, and a worse fact is never the lower
//! band. The combinations are few enough to try them all.

use super::{Invalid, Rule};
use crate::priority::factor::{COMBINATIONS, Factor, Levels, levels_at, place};

/// For every combination the place of the rule that decides.
pub fn decides(rules: &[Rule]) -> Result<Vec<u16>, Invalid> {
    let mut decides = Vec::with_capacity(COMBINATIONS);
    for levels in (0..COMBINATIONS).map(levels_at) {
        let first = rules.iter().position(|rule| rule.holds(&levels));
        let rule = first.and_then(|at| u16::try_from(at).ok());
        decides.push(rule.ok_or_else(|| Invalid { line: None, why: format!("no rule decides for {}", shown(&levels)) })?);
    }
    monotone(rules, &decides)?;
    let idle = (0..).zip(rules).find(|(at, _)| !decides.contains(at));
    match idle {
        Some((_, rule)) => {
            Err(Invalid { line: Some(rule.line), why: format!("{:?} never decides: rules above take all of its cases", rule.name) })
        }
        None => Ok(decides),
    }
}

fn monotone(rules: &[Rule], decides: &[u16]) -> Result<(), Invalid> {
    let rule = |levels: &Levels| rules.get(usize::from(*decides.get(place(levels))?));
    for levels in (0..COMBINATIONS).map(levels_at) {
        for (at, factor) in Factor::ALL.into_iter().enumerate().filter(|(at, factor)| levels[*at] < factor.worst()) {
            let mut worse = levels;
            worse[at] = worse[at].saturating_add(1);
            let (Some(mild), Some(bad)) = (rule(&levels), rule(&worse)) else { continue };
            if bad.band < mild.band {
                let why = format!(
                    "a worse fact would be the lower band: {:?} (line {}) says {} for {}, and {:?} (line {}) says {} for the same with {} {}",
                    mild.name,
                    mild.line,
                    mild.band.name(),
                    shown(&levels),
                    bad.name,
                    bad.line,
                    bad.band.name(),
                    factor.name(),
                    factor.level_name(worse[at]),
                );
                return Err(Invalid { line: Some(bad.line), why });
            }
        }
    }
    Ok(())
}

fn shown(levels: &Levels) -> String {
    let each = Factor::ALL.into_iter().zip(levels).map(|(factor, level)| format!("{} {}", factor.name(), factor.level_name(*level)));
    each.collect::<Vec<_>>().join(", ")
}
