//! Phrases beside versions, from the table `phrases.toml`.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Deserialize;

use super::condition::{Condition, Test};
use super::fact_name;
use super::limit::Side;
use crate::version::{Scheme, Version};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Number,
    SerialFirst,
    SerialMonth,
    SerialWindow,
    Date,
    Patch,
    AnyOf,
    Component,
    Says,
    Note,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    kind: Kind,
    #[serde(default)]
    fact: Option<String>,
    pattern: String,
    /// A range with it, which a test reads.
    #[cfg_attr(not(test), expect(dead_code, reason = "data of the table, read by its test"))]
    pub example: String,
    #[serde(skip)]
    matcher: Option<Regex>,
}

/// What a phrase says, and how many bytes it has.
pub struct Said {
    pub bytes: usize,
    /// Absent for a note.
    pub condition: Option<Condition>,
    /// True where it asks for an operator that stands in front of it, and took it.
    pub took_operator: bool,
}

static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Table {
        phrase: Vec<Phrase>,
    }
    let table = toml::from_str::<Table>(include_str!("phrases.toml")).map(|table| table.phrase).unwrap_or_default();
    let compiled = table.into_iter().map(|mut phrase| {
        phrase.matcher = Regex::new(&format!("^(?:{})", phrase.pattern)).ok();
        phrase
    });
    compiled.collect()
});

/// All phrases.
#[cfg(test)]
pub fn all() -> &'static [Phrase] {
    &PHRASES
}

/// The phrase that `low` begins with; `before` is the operator in front of it.
pub fn at(low: &str, before: Option<Side>) -> Option<Said> {
    PHRASES.iter().find_map(|phrase| {
        let found = phrase.matcher.as_ref()?.captures(low)?;
        let bytes = found.get(0)?.end();
        if phrase.kind == Kind::Note {
            return Some(Said { bytes, condition: None, took_operator: false });
        }
        let own = found.name("op").and_then(|op| side(op.as_str()));
        let takes = matches!(phrase.kind, Kind::SerialFirst | Kind::Date);
        let (test, takes) = (phrase.test(&found, own.or(before.filter(|_| takes)))?, takes && own.is_none() && before.is_some());
        let name = found.name("name").map(|name| fact_name(name.as_str()));
        let fact = phrase.fact.clone().or(name)?;
        Some(Said { bytes, condition: Some(Condition::new(fact, test)), took_operator: takes })
    })
}

fn side(op: &str) -> Option<Side> {
    Some(match op {
        "<=" | "until" | "or earlier" | "and earlier" | "or lower" | "or prior" | "and prior" => Side::UpTo,
        "<" | "before" | "prior to" => Side::Below,
        ">=" | "or later" | "and later" => Side::From,
        ">" => Side::Above,
        _ => return None,
    })
}

impl Phrase {
    fn test(&self, found: &Captures<'_>, side: Option<Side>) -> Option<Test> {
        let group = |name: &str| found.name(name).map(|group| group.as_str().to_owned());
        let version = || Some(Version::read(Scheme::named("plain")?, &group("value")?));
        Some(match self.kind {
            Kind::Number | Kind::Component | Kind::Date => Test::Version { side, version: version()? },
            Kind::SerialFirst => Test::SerialFirst { side, digits: group("digits")?.parse().ok()?, value: group("value")? },
            Kind::SerialMonth => Test::SerialFirst { side, digits: group("value")?.len(), value: group("value")? },
            Kind::SerialWindow => Test::SerialWindow { from: group("from")?, to: group("to")? },
            Kind::Patch => Test::Patch { present: group("present")? == "with", value: group("value")? },
            Kind::AnyOf => Test::AnyOf(words(&group("value")?)),
            Kind::Says => Test::Says,
            Kind::Note => return None,
        })
    }
}

fn words(list: &str) -> Vec<String> {
    list.split([',', ' ']).filter(|word| !word.is_empty() && *word != "and").map(str::to_owned).collect()
}
