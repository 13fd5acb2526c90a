//! The levels of the factors out of what is known. Where two sources say two things, the worse counts; what is not known or not
//! understood is named.

use super::Day;
use super::cvss::Vector;
use super::factor::{Factor, Reading};
use super::policy::{Ease, Policy, Word};
use crate::advisory::exploitation::{Exploitation, Exploited, List, ListKind, TechnicalImpact};
use crate::advisory::{Remediation, Score};

/// Characters of an owner's or a publisher's word that a decision repeats.
const WORD_CHARS_MAX: usize = 60;

/// What the owner says of an asset: cells of the inventory file. An empty cell is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Column `zone`.
    pub zone: Option<String>,
    /// Column `exposure`.
    pub exposure: Option<String>,
    /// Column `criticality`.
    pub criticality: Option<String>,
    /// Column `safety_system`: whether it is part of one.
    pub safety_system: Option<String>,
    /// Column `business_value`.
    pub business_value: Option<String>,
    /// Column `device_class`, or what the profile says.
    pub device_class: Option<String>,
}

impl Setting {
    /// Out of the cells of an asset, asked for by the column's name.
    #[must_use]
    pub fn of<'c>(cell: impl Fn(&str) -> Option<&'c str>) -> Self {
        let text = |column: &str| cell(column).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            zone: text("zone"),
            exposure: text("exposure"),
            criticality: text("criticality"),
            safety_system: text("safety_system"),
            business_value: text("business_value"),
            device_class: text("device_class"),
        }
    }
}

/// All that a priority is made of, for one vulnerability on one asset.
#[derive(Clone, Debug)]
pub struct Known<'k> {
    /// The scores of this vulnerability for this product, of all documents; the worse counts.
    pub scores: Vec<&'k Score>,
    /// What the lists say of this vulnerability.
    pub exploitation: Option<&'k Exploitation>,
    /// The lists that were read: who is not in one that was not read is unknown.
    pub lists: &'k [List],
    /// What the owner says of the asset.
    pub setting: &'k Setting,
    /// What is offered for this product.
    pub remediations: Vec<&'k Remediation>,
}

/// The factors of one finding, as a policy's words have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// One reading for each of [`Factor::ALL`], in its order.
    pub readings: [Reading; Factor::ALL.len()],
    /// Whether it stands in CISA's catalog of known exploited vulnerabilities; `None` where that was not read.
    pub kev: Option<bool>,
    /// What control an attacker gains, as SSVC has it.
    pub technical_impact: Option<TechnicalImpact>,
    /// How hard the fix is to bring in; `None` where the publisher does not say.
    pub ease: Option<Ease>,
    /// Whether a fix is offered at all; `None` where nothing is said of it.
    pub fix_offered: Option<bool>,
    /// What a person should look at: a score that is not its vector's.
    pub remarks: Vec<String>,
}

impl Factors {
    /// The factors out of what is known.
    #[must_use]
    pub fn of(policy: &Policy, known: &Known<'_>) -> Self {
        let (vectors, bad, remarks) = vectors(&known.scores);
        let kev = kev(known);
        let ssvc = known.exploitation.and_then(|exploitation| exploitation.ssvc.as_ref());
        let readings = Factor::ALL.map(|factor| match factor {
            Factor::Effect => severity(factor, &vectors, &bad, Vector::effect),
            Factor::Access => severity(factor, &vectors, &bad, Vector::access),
            Factor::Exploitation => exploitation(policy, known, kev, &vectors),
            Factor::Automatable => automatable(known, &vectors),
            Factor::Reach => reach(policy, known.setting),
            Factor::Consequence => consequence(policy, known.setting),
            Factor::Value => value(policy, known.setting),
        });
        let (ease, fix_offered) = ease(&known.remediations);
        Self { readings, kev, technical_impact: ssvc.map(|ssvc| ssvc.technical_impact), ease, fix_offered, remarks }
    }

    /// What is known of a factor.
    #[must_use]
    pub fn reading(&self, factor: Factor) -> &Reading {
        &self.readings[factor as usize]
    }

    /// Whether an attack can be automated; `None` where it is not known.
    #[must_use]
    pub fn automatable(&self) -> Option<bool> {
        let reading = self.reading(Factor::Automatable);
        (reading.least == reading.most).then_some(reading.least > 0)
    }
}

/// Vectors with the text that each was read from, the texts that are none, and remarks.
type Vectors<'k> = Vec<(&'k str, Vector)>;

fn vectors<'k>(scores: &[&'k Score]) -> (Vectors<'k>, Vec<String>, Vec<String>) {
    let (mut vectors, mut bad, mut remarks) = (Vectors::new(), Vec::new(), Vec::new());
    for score in scores {
        match Vector::read(&score.vector) {
            Ok(vector) => {
                if let (Some(ours), Some(theirs)) = (vector.base_tenths(), tenths(&score.base))
                    && ours != theirs
                {
                    remarks.push(format!("base score {} is not that of {}: {}.{}", short(&score.base), score.vector, ours / 10, ours % 10));
                }
                vectors.push((&score.vector, vector));
            }
            Err(_) if score.vector.is_empty() => {}
            Err(error) => bad.push(format!("cvss_vector {:?}: {error}", short(&score.vector))),
        }
    }
    (vectors, bad, remarks)
}

/// `9.8` or `10` in tenths; `None` where it is no such text.
fn tenths(base: &str) -> Option<u16> {
    let (whole, tenth) = base.split_once('.').unwrap_or((base, "0"));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 10)?;
    let tenth: u16 = tenth.parse().ok().filter(|tenth| *tenth <= 9)?;
    Some(whole * 10 + tenth)
}

fn short(text: &str) -> String {
    text.chars().take(WORD_CHARS_MAX).collect()
}

/// The day that a list gives, in our own letters.
fn dated(text: &str) -> String {
    Day::read(text).map_or_else(|| "an unknown day".to_owned(), |day| day.to_string())
}

fn severity(factor: Factor, vectors: &Vectors<'_>, bad: &[String], level: impl Fn(&Vector) -> usize) -> Reading {
    let worst = vectors.iter().max_by_key(|(_, vector)| level(vector));
    let mut reading = match worst {
        Some((text, vector)) => Reading::known(level(vector), (*text).to_owned()),
        None => Reading::unknown(factor, if bad.is_empty() { &["cvss_vector"] } else { &[] }),
    };
    if !bad.is_empty() {
        reading.most = factor.worst();
        reading.missing.extend_from_slice(bad);
    }
    reading
}

fn is_read(lists: &[List], kind: ListKind) -> Option<&List> {
    lists.iter().rev().find(|list| list.kind == kind)
}

fn kev(known: &Known<'_>) -> Option<bool> {
    if known.exploitation.is_some_and(|exploitation| exploitation.kev.is_some()) {
        return Some(true);
    }
    is_read(known.lists, ListKind::Kev).map(|_| false)
}

/// The worst of KEV, SSVC, EPSS and the vectors' exploit metric. What is left open: without SSVC nobody said whether an exploit is public;
/// without EPSS, whether it is likely; without KEV, whether it is used.
fn exploitation(policy: &Policy, known: &Known<'_>, kev: Option<bool>, vectors: &Vectors<'_>) -> Reading {
    let mut said: Vec<(usize, String)> = Vec::new();
    let lists = known.exploitation;
    if let Some(entry) = lists.and_then(|lists| lists.kev.as_ref()) {
        said.push((3, format!("KEV: since {}", dated(&entry.date_added))));
    } else if let Some(list) = is_read(known.lists, ListKind::Kev) {
        said.push((0, format!("KEV of {}: not listed", dated(&list.date))));
    }
    let ssvc = lists.and_then(|lists| lists.ssvc.as_ref());
    if let Some(ssvc) = ssvc {
        let (level, word) = match ssvc.exploitation {
            Exploited::None => (0, "none"),
            Exploited::Poc => (1, "poc"),
            Exploited::Active => (3, "active"),
        };
        said.push((level, format!("SSVC: {word} on {}", dated(&ssvc.timestamp))));
    }
    let epss = lists.and_then(|lists| lists.epss.as_ref());
    if let Some(epss) = epss {
        let level = if epss.score_millionths >= policy.epss_likely_millionths { 2 } else { 0 };
        let (whole, rest) = (epss.score_millionths / 1_000_000, epss.score_millionths % 1_000_000);
        said.push((level, format!("EPSS: {whole}.{rest:06} on {}", dated(&epss.date))));
    }
    if let Some((text, vector)) = vectors.iter().max_by_key(|(_, vector)| vector.exploits()).filter(|(_, vector)| vector.exploits() > 0) {
        said.push((vector.exploits(), format!("E:{} in {text}", vector.value("E").unwrap_or_default())));
    }
    let least = said.iter().map(|(level, _)| *level).max().unwrap_or(0);
    let (most, missing): (usize, &[&str]) = match (kev, ssvc, epss) {
        (None, Some(_), _) => (3, &["kev"]),
        (None, None, _) => (3, &["kev", "ssvc"]),
        (Some(_), None, None) => (2, &["ssvc", "epss"]),
        (Some(_), None, Some(_)) => (1, &["ssvc"]),
        (Some(_), Some(_), _) => (0, &[]),
    };
    let missing: &[&str] = if most > least { missing } else { &[] };
    let because = said.into_iter().map(|(_, text)| text).collect();
    let missing = missing.iter().map(|&fact| fact.to_owned()).collect();
    Reading { least, most: most.max(least), suggested: None, because, missing }
}

fn automatable(known: &Known<'_>, vectors: &Vectors<'_>) -> Reading {
    let ssvc = known.exploitation.and_then(|exploitation| exploitation.ssvc.as_ref());
    let ssvc = ssvc.map(|ssvc| (ssvc.automatable, format!("SSVC: {}", if ssvc.automatable { "yes" } else { "no" })));
    let metric = vectors.iter().filter_map(|(text, vector)| Some((vector.automatable()?, (*text).to_owned())));
    let worst = ssvc.into_iter().chain(metric).max_by_key(|(yes, _)| *yes);
    worst
        .map_or_else(|| Reading::unknown(Factor::Automatable, &["automatable"]), |(yes, because)| Reading::known(usize::from(yes), because))
}

/// A factor out of cells: those that were understood, the worse of them, and those that were not.
fn cells(factor: Factor, cells: &[(&str, Option<&str>, Option<usize>)], missing: &[&str]) -> Reading {
    let understood = cells.iter().filter_map(|(column, cell, level)| Some(((*level)?, format!("{column} {:?}", short((*cell)?)))));
    let strange = cells.iter().filter(|(_, cell, level)| cell.is_some() && level.is_none());
    let strange: Vec<String> = strange.map(|(column, cell, _)| format!("{column} {:?}", short(cell.unwrap_or_default()))).collect();
    let worst = understood.max_by_key(|(level, _)| *level);
    let mut reading = match worst {
        Some((level, because)) => Reading::known(level, because),
        None => Reading::unknown(factor, if strange.is_empty() { missing } else { &[] }),
    };
    if !strange.is_empty() {
        reading.most = factor.worst();
        if reading.most > reading.least {
            reading.missing.extend(strange);
        }
    }
    reading
}

fn reach(policy: &Policy, setting: &Setting) -> Reading {
    let (zone, exposure) = (setting.zone.as_deref(), setting.exposure.as_deref());
    let of_zone = zone.and_then(|zone| policy.word(Word::Zone, zone).or_else(|| policy.word(Word::Reach, zone)));
    let of_exposure = exposure.and_then(|exposure| policy.word(Word::Reach, exposure));
    // A zone's own name says nothing to a stranger; where the exposure is known, it is not missed.
    let zone = zone.filter(|_| of_zone.is_some() || of_exposure.is_none());
    cells(Factor::Reach, &[("exposure", exposure, of_exposure), ("zone", zone, of_zone)], &["exposure", "zone"])
}

fn consequence(policy: &Policy, setting: &Setting) -> Reading {
    let criticality = setting.criticality.as_deref();
    let level = criticality.and_then(|criticality| policy.word(Word::Consequence, criticality));
    let mut reading = cells(Factor::Consequence, &[("criticality", criticality, level)], &["criticality"]);
    if let Some(cell) = setting.safety_system.as_deref() {
        match policy.word(Word::SafetySystem, cell) {
            Some(0) => {}
            Some(_) => reading = Reading::known(Factor::Consequence.worst(), format!("safety_system {:?}", short(cell))),
            None => {
                reading.most = Factor::Consequence.worst();
                if reading.most > reading.least {
                    reading.missing.push(format!("safety_system {:?}", short(cell)));
                }
            }
        }
    }
    if reading.most > reading.least
        && let Some(class) = setting.device_class.as_deref()
        && let Some(level) = policy.word(Word::DeviceClass, class)
    {
        reading.suggested = Some(level);
        reading.because.push(format!("device_class {:?}", short(class)));
    }
    reading
}

fn value(policy: &Policy, setting: &Setting) -> Reading {
    let of = |cell: Option<&str>| cell.and_then(|cell| policy.word(Word::Value, cell));
    let (value, criticality) = (setting.business_value.as_deref(), setting.criticality.as_deref());
    match (value, of(criticality)) {
        (None, Some(level)) => cells(Factor::Value, &[("criticality", criticality, Some(level))], &[]),
        _ => cells(Factor::Value, &[("business_value", value, of(value))], &["business_value"]),
    }
}

/// How hard the fix is, of the best offer; and whether there is one.
fn ease(remediations: &[&Remediation]) -> (Option<Ease>, Option<bool>) {
    let mut fixes = remediations.iter().filter(|remediation| remediation.category == "vendor_fix").peekable();
    if fixes.peek().is_some() {
        let each = fixes.map(|fix| match fix.restart.as_deref() {
            None => None,
            Some("none") => Some(Ease::Online),
            Some(_) => Some(Ease::Outage),
        });
        // One that does not say may be the one that needs none.
        return (each.collect::<Option<Vec<_>>>().and_then(|each| each.into_iter().min()), Some(true));
    }
    let none = |remediation: &&&Remediation| ["none_available", "no_fix_planned"].contains(&&*remediation.category);
    if remediations.iter().any(|remediation| none(&remediation)) { (Some(Ease::Unfixed), Some(false)) } else { (None, None) }
}
