//! A text to a configuration, or to every mistake in it.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::plan::Plan;
use super::keys::{Draft, Key, SECTIONS, Section, Written};
use super::{Config, Page, value};
use crate::disk::FreeMin;
use crate::log;
use crate::outbox::{From, Target, Url, Way};

/// How like two words are (Jaro-Winkler, 1 is the same) that one may have been meant by the other.
const LIKE_FACTOR_MIN: f64 = 0.8;

/// What is wrong in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// Which key, and what is wrong with it.
    pub why: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// Reads all of it, so that all mistakes are told at once.
pub fn read(text: &str) -> Result<Config, Vec<Mistake>> {
    let mut reader = Reader { text, draft: Draft::blank(), mistakes: Vec::new() };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.mistake(error.span().map_or(0, |span| span.start), error.message().to_owned());
    }
    // What is left of a broken text says nothing about its keys.
    if reader.mistakes.is_empty() {
        SECTIONS.iter().for_each(|section| reader.section(section, document.get_ref()));
    }
    let Reader { draft, mut mistakes, .. } = reader;
    mistakes.sort();
    mistakes.dedup();
    if mistakes.is_empty() { Ok(draft.config) } else { Err(mistakes) }
}

impl Draft {
    /// Nothing yet: every value of it is set, by a default or by the file, before anybody reads it.
    pub fn blank() -> Self {
        let page = Page {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            names: Vec::new(),
            certificate: None,
            key: None,
            client_ca: None,
            tls: true,
        };
        let log = log::Settings::default();
        let config = Config {
            hatch: PathBuf::new(),
            field_key: None,
            disk_free_min: FreeMin::default(),
            publishers: PathBuf::new(),
            plans: Vec::new(),
            targets: Vec::new(),
            page,
            log,
        };
        let plan = Plan { name: String::new(), devices: Vec::new(), every: Duration::ZERO, catch_up: Duration::ZERO };
        let url = Url { way: Way::Webhook, tls: true, host: String::new(), port: 0, path: String::new() };
        let target = Target { name: String::new(), url, secret: None, ca: PathBuf::new(), events: Vec::new(), from: From::Now };
        Self { config, plan, target }
    }
}

struct Reader<'t> {
    text: &'t str,
    draft: Draft,
    mistakes: Vec<Mistake>,
}

/// A key of the file, and what stands behind it.
type Entry<'a, 't> = (&'a Spanned<Cow<'t, str>>, &'a Spanned<DeValue<'t>>);

impl Reader<'_> {
    fn section(&mut self, section: &Section, document: &DeTable<'_>) {
        if section.name.is_empty() {
            let own = |key: &str| !SECTIONS.iter().any(|other| !other.name.is_empty() && other.name == key);
            return self.row(section, 0, &document.iter().filter(|(key, _)| own(key.get_ref())).collect::<Vec<_>>());
        }
        let name = section.name;
        match document.get(name).map(|found| (found.span().start, found.get_ref())) {
            None if section.repeats => {}
            None => self.row(section, 0, &[]),
            Some((at, DeValue::Table(table))) if !section.repeats => self.row(section, at, &table.iter().collect::<Vec<_>>()),
            Some((_, DeValue::Array(rows))) if section.repeats => {
                for row in rows.iter() {
                    match row.get_ref() {
                        DeValue::Table(table) => self.row(section, row.span().start, &table.iter().collect::<Vec<_>>()),
                        other => self.mistake(row.span().start, format!("[[{name}]] is a table, not {}", value::kind(other))),
                    }
                }
            }
            Some((at, _)) if section.repeats => self.mistake(at, format!("{name}: it is written as [[{name}]]")),
            Some((at, _)) => self.mistake(at, format!("{name}: it is written as [{name}]")),
        }
    }

    /// One table of the file; `at` is where it begins.
    fn row(&mut self, section: &Section, at: usize, entries: &[Entry<'_, '_>]) {
        let before = self.mistakes.len();
        if section.repeats {
            // What one row left out is not what the row before it said.
            let Draft { plan, target, .. } = Draft::blank();
            (self.draft.plan, self.draft.target) = (plan, target);
        }
        for key in section.keys {
            let found = entries.iter().find(|(name, _)| name.get_ref() == key.name);
            match (found, key.written) {
                (Some((_, value)), _) => {
                    if let Err(why) = (key.set)(&mut self.draft, value.get_ref()) {
                        self.mistake(value.span().start, format!("{}: {why}", key.name));
                    }
                }
                (None, Written::Default(text)) => default(&mut self.draft, key, text),
                (None, Written::Needed(example)) => {
                    self.mistake(at, format!("{} is missing: {} = {example}", key.name, key.name));
                }
                (None, Written::Optional(_)) => {}
            }
        }
        for (name, _) in entries.iter().filter(|(name, _)| !section.keys.iter().any(|key| key.name == name.get_ref())) {
            self.mistake(name.span().start, unknown(section, name.get_ref()));
        }
        if self.mistakes.len() > before {
            return;
        }
        if let Err((key, why)) = (section.check)(&self.draft) {
            let at = entries.iter().find(|(name, _)| name.get_ref() == key).map_or(at, |(name, _)| name.span().start);
            self.mistake(at, format!("{key}: {why}"));
        }
        (section.done)(&mut self.draft);
    }

    fn mistake(&mut self, at: usize, why: String) {
        let line = self.text.get(..at).map_or(1, |before| before.matches('\n').count().saturating_add(1));
        self.mistakes.push(Mistake { line, why });
    }
}

/// Sets what holds where nobody writes it. The tests set every default, so none is refused here.
fn default(draft: &mut Draft, key: &Key, text: &str) {
    if let Ok(value) = DeValue::parse(text) {
        let _ = (key.set)(draft, value.get_ref());
    }
}

/// What to say of a key that there is not.
fn unknown(section: &Section, name: &str) -> String {
    let elsewhere = SECTIONS.iter().find(|other| other.name != section.name && other.keys.iter().any(|key| key.name == name));
    if let Some(elsewhere) = elsewhere {
        return match elsewhere.name {
            "" => format!("{name}: it stands above all tables, not in [{}]", section.name),
            table => format!("{name}: it stands in [{table}]"),
        };
    }
    let tables = SECTIONS.iter().map(|other| other.name).filter(|table| section.name.is_empty() && !table.is_empty());
    let known = section.keys.iter().map(|key| key.name).chain(tables);
    let like = known.map(|known| (strsim::jaro_winkler(known, name), known)).max_by(|one, other| one.0.total_cmp(&other.0));
    match like.filter(|(like, _)| *like >= LIKE_FACTOR_MIN) {
        Some((_, meant)) => format!("{name}: there is no such key; did you mean {meant}?"),
        None => format!("{name}: there is no such key; `nameplate config explain` lists them"),
    }
}
