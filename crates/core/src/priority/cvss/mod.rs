//! CVSS vectors, read whole and strictly: version 2 (FIRST, "A Complete Guide to the CVSS Version 2.0"), 3.0 and 3.1 (FIRST, specification
//! documents, section 6 "Vector String") and 4.0 (FIRST, specification document, section 7 "Vector String").
//!
//! What is said of a vulnerability is taken from the metrics, not from the score: a plant cares what stops and who gets at it.

mod metrics;
mod score;

use std::fmt;

use metrics::{Metric, V2, V3, V4};

/// Longer texts are not read: all metrics of version 4 with their longest values have 178 bytes.
const VECTOR_BYTES_MAX: usize = 256;

/// Which CVSS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// Version 2, whose vectors have no name in front.
    V2,
    /// `CVSS:3.0/`.
    V30,
    /// `CVSS:3.1/`.
    V31,
    /// `CVSS:4.0/`.
    V40,
}

impl Edition {
    /// Its metrics, and how many of them (the first ones) a vector must have.
    const fn metrics(self) -> (&'static [Metric], usize) {
        match self {
            Self::V2 => (V2, 6),
            Self::V30 | Self::V31 => (V3, 8),
            Self::V40 => (V4, 11),
        }
    }
}

/// A vector, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    edition: Edition,
    /// For each metric of the edition its value's place in [`Metric::values`]; `None` where the vector leaves it out.
    chosen: Vec<Option<usize>>,
}

/// Why a text is no vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadVector {
    /// It is longer than any vector.
    Long,
    /// It begins with the name of no edition that is known: `CVSS:5.0`.
    Edition,
    /// A part is no metric with a value of this edition: its place from 1.
    Part(usize),
    /// A metric stands there twice.
    Twice(&'static str),
    /// Version 4 has one order of metrics; this one stands behind one that follows it.
    Order(&'static str),
    /// A metric that must be there is not.
    Missing(&'static str),
}

impl fmt::Display for BadVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Long => write!(f, "longer than any CVSS vector ({VECTOR_BYTES_MAX} bytes)"),
            Self::Edition => f.write_str("no CVSS of version 2, 3.0, 3.1 or 4.0"),
            Self::Part(at) => write!(f, "part {at} is no metric with a value"),
            Self::Twice(name) => write!(f, "{name} stands there twice"),
            Self::Order(name) => write!(f, "{name} is not in its place"),
            Self::Missing(name) => write!(f, "{name} is missing"),
        }
    }
}

impl std::error::Error for BadVector {}

impl Vector {
    /// Reads a vector.
    ///
    /// # Errors
    /// [`BadVector`]: the first thing that is wrong.
    pub fn read(text: &str) -> Result<Self, BadVector> {
        if text.len() > VECTOR_BYTES_MAX {
            return Err(BadVector::Long);
        }
        let (edition, body) = named(text)?;
        let (metrics, needed) = edition.metrics();
        let mut chosen = vec![None; metrics.len()];
        let mut behind = 0;
        for (number, part) in (1..).zip(body.split('/')) {
            let (name, value) = part.split_once(':').ok_or(BadVector::Part(number))?;
            let at = metrics.iter().position(|metric| metric.name == name).ok_or(BadVector::Part(number))?;
            let metric = metrics.get(at).ok_or(BadVector::Part(number))?;
            let value = metric.values.iter().position(|known| *known == value).ok_or(BadVector::Part(number))?;
            if edition == Edition::V40 && at < behind {
                return Err(if chosen.get(at) == Some(&None) { BadVector::Order(metric.name) } else { BadVector::Twice(metric.name) });
            }
            behind = at;
            match chosen.get_mut(at) {
                Some(place @ None) => *place = Some(value),
                _ => return Err(BadVector::Twice(metric.name)),
            }
        }
        match metrics.iter().zip(&chosen).take(needed).find(|(_, value)| value.is_none()) {
            Some((metric, _)) => Err(BadVector::Missing(metric.name)),
            None => Ok(Self { edition, chosen }),
        }
    }

    /// Which CVSS.
    #[must_use]
    pub const fn edition(&self) -> Edition {
        self.edition
    }

    /// The value of a metric as it stands in the vector; `None` where it does not.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'static str> {
        let (metrics, _) = self.edition.metrics();
        let (metric, chosen) = metrics.iter().zip(&self.chosen).find(|(metric, _)| metric.name == name)?;
        metric.values.get((*chosen)?).copied()
    }

    /// True where the metric has this value.
    #[must_use]
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == Some(value)
    }

    /// The base score in tenths (98 is 9.8), worked out in whole numbers. `None` for version 4, whose score is read out of a table that is
    /// not here.
    #[must_use]
    pub fn base_tenths(&self) -> Option<u16> {
        match self.edition {
            Edition::V2 => score::v2(self),
            Edition::V30 | Edition::V31 => score::v3(self),
            Edition::V40 => None,
        }
    }

    /// What of the device an attacker gets, from 0 to 3: next to nothing; it is disturbed, or its secrets are out; it stops or does
    /// something else; both. Integrity and availability come first, because a plant runs on them. Of version 4 the systems behind count
    /// as well, and so does `S:P`, the publisher's word that people may come to harm.
    #[must_use]
    pub fn effect(&self) -> usize {
        let worst = |names: [&str; 3]| names.into_iter().map(|name| self.impact(name)).max().unwrap_or(0);
        let [secrets, integrity, availability] = [["C", "VC", "SC"], ["I", "VI", "SI"], ["A", "VA", "SA"]].map(worst);
        match (integrity, availability) {
            _ if self.is("S", "P") => 3,
            (2, 2) => 3,
            (2, _) | (_, 2) => 2,
            (1, _) | (_, 1) => 1,
            _ if secrets == 2 => 1,
            _ => 0,
        }
    }

    /// 0 to 2; 0 where the edition has no such metric.
    fn impact(&self, name: &str) -> usize {
        match self.value(name) {
            Some("H" | "C") => 2,
            Some("L" | "P") => 1,
            _ => 0,
        }
    }

    /// Who gets at it, from 0 to 3: who stands in front of it; who is on the device; who is on its network but has to overcome something
    /// (rights, a person's help, circumstances, or being in the same segment); anyone who reaches it.
    #[must_use]
    pub fn access(&self) -> usize {
        let free = |name: &str, value: &str| self.value(name).is_none_or(|said| said == value);
        let unhindered = free("AC", "L") && free("AT", "N") && free("PR", "N") && free("UI", "N") && free("Au", "N");
        match self.value("AV") {
            Some("P") => 0,
            Some("L") => 1,
            Some("N") if unhindered => 3,
            _ => 2,
        }
    }

    /// What the publisher says of exploits, from 0 to 3: nothing; shown to work; works everywhere; seen in attacks. "Unproven" is
    /// nothing: it was true on the day it was written.
    #[must_use]
    pub fn exploits(&self) -> usize {
        match (self.edition, self.value("E")) {
            (Edition::V40, Some("A")) => 3,
            (Edition::V2 | Edition::V30 | Edition::V31, Some("H")) => 2,
            (_, Some("P" | "POC" | "F")) => 1,
            _ => 0,
        }
    }

    /// Whether an attack can be automated (version 4, `AU`); `None` where the publisher does not say.
    #[must_use]
    pub fn automatable(&self) -> Option<bool> {
        match self.value("AU") {
            Some("Y") => Some(true),
            Some("N") => Some(false),
            _ => None,
        }
    }
}

/// The edition that a text names, and what stands behind the name.
fn named(text: &str) -> Result<(Edition, &str), BadVector> {
    let editions = [("CVSS:3.1/", Edition::V31), ("CVSS:3.0/", Edition::V30), ("CVSS:4.0/", Edition::V40)];
    let found = editions.into_iter().find_map(|(name, edition)| Some((edition, text.strip_prefix(name)?)));
    found.map_or_else(
        || if text.starts_with("AV:") || text.starts_with("AC:") { Ok((Edition::V2, text)) } else { Err(BadVector::Edition) },
        Ok,
    )
}

#[cfg(test)]
mod tests;
