//! A policy out of its text.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::{Days, Ease, Invalid, Policy, Rule, Word, folded, sound};
use crate::observation::hex;
use crate::priority::Band;
use crate::priority::factor::{Factor, Levels};

/// A policy is read and argued over by people. The built-in one has 8 KiB.
const POLICY_BYTES_MAX: usize = 256 * 1024;
/// Every combination of levels is tried on every rule; more rules nobody keeps apart.
const RULES_MAX: usize = 1_000;
/// Ten years: whoever plans further ahead has no date.
const DAYS_MAX: u32 = 3_653;

type Words = BTreeMap<String, Vec<Spanned<String>>>;
type Named = BTreeMap<Spanned<String>, Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    name: Spanned<String>,
    epss_likely: Spanned<String>,
    unknown: Spanned<Named>,
    #[serde(default)]
    rule: Vec<Spanned<RuleText>>,
    #[serde(default)]
    due: BTreeMap<Spanned<String>, DueText>,
    #[serde(default)]
    zones: Named,
    #[serde(default)]
    words: BTreeMap<Spanned<String>, Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: String,
    band: Spanned<String>,
    #[serde(default)]
    at_least: Named,
    #[serde(default)]
    at_most: Named,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DueText {
    online: Spanned<u32>,
    outage: Spanned<u32>,
    unfixed: Spanned<u32>,
}

/// A text, for what points into it.
pub struct Source<'t>(pub &'t str);

impl<'t> Source<'t> {
    /// The text as TOML.
    pub fn toml<T: serde::Deserialize<'t>>(&self) -> Result<T, Invalid> {
        toml::from_str(self.0)
            .map_err(|error| Invalid { line: error.span().map(|span| self.line(&span)), why: error.message().replace('\n', " ") })
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.0.get(..span.start).map_or(1, |before| before.matches('\n').count().saturating_add(1))
    }

    /// What is wrong there.
    pub fn bad(&self, span: &Range<usize>, why: String) -> Invalid {
        Invalid { line: Some(self.line(span)), why }
    }
}

pub fn policy(text: &str) -> Result<Policy, Invalid> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(Invalid { line: None, why: format!("{} bytes; a policy has at most {POLICY_BYTES_MAX}", text.len()) });
    }
    let source = Source(text);
    let read: Text = source.toml()?;
    if read.name.as_ref().trim().is_empty() {
        return Err(source.bad(&read.name.span(), "a policy has a name".into()));
    }
    if read.rule.len() > RULES_MAX {
        return Err(Invalid { line: None, why: format!("{} rules; a policy has at most {RULES_MAX}", read.rule.len()) });
    }
    let rules = read.rule.iter().map(|rule| one_rule(&source, rule)).collect::<Result<Vec<_>, _>>()?;
    let decides = sound::decides(&rules)?;
    Ok(Policy {
        unknown: unknown(&source, &read.unknown)?,
        epss_likely_millionths: millionths(&source, &read.epss_likely)?,
        words: words(&source, &read)?,
        due: due(&source, &read.due)?,
        name: read.name.into_inner(),
        sha256: hex(&Sha256::digest(text)),
        rules,
        decides,
    })
}

fn factor(source: &Source<'_>, name: &Spanned<String>) -> Result<Factor, Invalid> {
    let found = Factor::ALL.into_iter().find(|factor| factor.name() == name.as_ref());
    found.ok_or_else(|| source.bad(&name.span(), format!("{:?} is no factor", name.as_ref())))
}

fn level(source: &Source<'_>, factor: Factor, name: &Spanned<String>) -> Result<usize, Invalid> {
    let known = || format!("{:?} is no level of {}: {}", name.as_ref(), factor.name(), factor.levels().join(", "));
    factor.level(name.as_ref()).ok_or_else(|| source.bad(&name.span(), known()))
}

fn one_rule(source: &Source<'_>, rule: &Spanned<RuleText>) -> Result<Rule, Invalid> {
    let text = rule.as_ref();
    let found = Band::ALL.into_iter().find(|band| band.name() == text.band.as_ref());
    let band = found.ok_or_else(|| source.bad(&text.band.span(), format!("{:?} is no band", text.band.as_ref())))?;
    let mut at_least: Levels = [0; Factor::ALL.len()];
    let mut at_most: Levels = Factor::ALL.map(Factor::worst);
    for (ends, named) in [(&mut at_least, &text.at_least), (&mut at_most, &text.at_most)] {
        for (name, value) in named {
            let factor = factor(source, name)?;
            ends[factor as usize] = level(source, factor, value)?;
        }
    }
    if text.name.trim().is_empty() {
        return Err(source.bad(&rule.span(), "a rule has a name".into()));
    }
    Ok(Rule { name: text.name.clone(), line: source.line(&rule.span()), band, at_least, at_most })
}

fn unknown(source: &Source<'_>, named: &Spanned<Named>) -> Result<Levels, Invalid> {
    let mut levels: [Option<usize>; Factor::ALL.len()] = [None; Factor::ALL.len()];
    for (name, value) in named.as_ref() {
        let factor = factor(source, name)?;
        let level = level(source, factor, value)?;
        if level == 0 {
            let why = format!("an unknown {} must not count as {:?}: what nobody knows is not good news", factor.name(), value.as_ref());
            return Err(source.bad(&value.span(), why));
        }
        levels[factor as usize] = Some(level);
    }
    let left_out = Factor::ALL.into_iter().find(|factor| levels[*factor as usize].is_none());
    match left_out {
        Some(factor) => Err(source.bad(&named.span(), format!("[unknown] does not say what {} counts as", factor.name()))),
        None => Ok(levels.map(Option::unwrap_or_default)),
    }
}

/// `0.10` as 100,000 millionths. A text, because floats are not exact.
fn millionths(source: &Source<'_>, text: &Spanned<String>) -> Result<u32, Invalid> {
    let bad = || source.bad(&text.span(), format!("{:?} is no probability from 0 to 1 with at most six decimals", text.as_ref()));
    let (whole, decimals) = text.as_ref().split_once('.').unwrap_or((text.as_ref(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if decimals.len() > 6 || !digits(decimals) || !matches!(whole, "0" | "1") {
        return Err(bad());
    }
    let value: u32 = format!("{whole}{decimals:0<6}").parse().map_err(|_| bad())?;
    if value <= 1_000_000 { Ok(value) } else { Err(bad()) }
}

fn words(source: &Source<'_>, read: &Text) -> Result<BTreeMap<(Word, String), usize>, Invalid> {
    let mut words = BTreeMap::new();
    let mut take = |column: Word, word: &Spanned<String>, level: usize| match words.insert((column, folded(word.as_ref())), level) {
        Some(other) if other != level => Err(source.bad(&word.span(), format!("{:?} has two meanings", word.as_ref()))),
        _ => Ok(()),
    };
    for (zone, meaning) in &read.zones {
        take(Word::Zone, zone, level(source, Factor::Reach, meaning)?)?;
    }
    for (table, meanings) in &read.words {
        let (column, factor, levels): (Word, _, &[&str]) = match table.as_ref().as_str() {
            "reach" => (Word::Reach, "reach", Factor::Reach.levels()),
            "consequence" => (Word::Consequence, "consequence", Factor::Consequence.levels()),
            "value" => (Word::Value, "value", Factor::Value.levels()),
            "device_class" => (Word::DeviceClass, "consequence", Factor::Consequence.levels()),
            "safety_system" => (Word::SafetySystem, "safety_system", &["no", "yes"]),
            other => return Err(source.bad(&table.span(), format!("there are no words for {other:?}"))),
        };
        for (meaning, spellings) in meanings {
            let found = levels.iter().position(|level| level == meaning);
            let bad = || source.bad(&table.span(), format!("{meaning:?} is no level of {factor}: {}", levels.join(", ")));
            let level = found.ok_or_else(bad)?;
            spellings.iter().try_for_each(|word| take(column, word, level))?;
        }
    }
    Ok(words)
}

fn due(source: &Source<'_>, read: &BTreeMap<Spanned<String>, DueText>) -> Result<[Option<Days>; Band::ALL.len()], Invalid> {
    let mut due: [Option<Days>; Band::ALL.len()] = [None; Band::ALL.len()];
    let mut lines = [0; Band::ALL.len()];
    for (name, text) in read {
        let found = Band::ALL.into_iter().find(|band| band.name() == name.as_ref());
        let band = found.ok_or_else(|| source.bad(&name.span(), format!("{:?} is no band", name.as_ref())))?;
        let days = [&text.online, &text.outage, &text.unfixed];
        if let Some(long) = days.into_iter().find(|days| *days.as_ref() > DAYS_MAX) {
            return Err(source.bad(&long.span(), format!("more than {DAYS_MAX} days are no date")));
        }
        if text.online.as_ref() > text.outage.as_ref() {
            return Err(source.bad(&text.online.span(), "a fix without a restart cannot have more time than one that needs it".into()));
        }
        lines[band.rank()] = source.line(&text.online.span());
        due[band.rank()] = Some(days.map(|days| *days.as_ref()));
    }
    for (rank, pair) in due.windows(2).enumerate() {
        let [worse, milder] = pair else { continue };
        let (worse_name, name) = (Band::ALL[rank].name(), Band::ALL[rank.saturating_add(1)].name());
        let line = |at: usize| lines.get(at).copied().filter(|line| *line > 0);
        for ease in Ease::ALL {
            let of = |days: &Option<Days>| days.as_ref().and_then(|days| days.get(ease as usize).copied()).unwrap_or(u32::MAX);
            if of(worse) > of(milder) {
                let (first, second) = (line(rank).map_or("no row".into(), |line| format!("line {line}")), line(rank.saturating_add(1)));
                let second = second.unwrap_or_default();
                let why = format!("{worse_name} ({first}) would be due later than {name} (line {second}): {}", ease.name());
                return Err(Invalid { line: line(rank).or(Some(second)), why });
            }
        }
    }
    Ok(due)
}
