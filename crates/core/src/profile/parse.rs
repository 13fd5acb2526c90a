//! From a profile's text to a valid profile. Every rule has a name, every error says file and line.

use std::collections::BTreeMap;
use std::fmt;

use nameplate_wire::modbus::registers::{BLOCKS_MAX, Read};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::pattern::Pattern;
use super::slice::Slice;
use super::{Component, Confidence, DeviceClass, Example, Extract, Form, Profile, Role, Said, objects};
use crate::claim::{Field, Grade};
use crate::observation::{hex, over, unhex};
use crate::register::Register;
use crate::version::Order;

/// A profile's text in bytes: the house allows 150 lines.
const PROFILE_BYTES_MAX: usize = 64 * 1024;
/// The protocol that has pages.
const PAGED: &str = "http";
/// The protocol that has registers.
const REGISTERED: &str = "modbus";
/// Pages of one reading: each is a connection of its own.
const PAGES_MAX: usize = 2;
/// A path's bytes; the guard has the same.
const PATH_BYTES_MAX: usize = 128;
/// A value in function 43/14 has one length byte; a page has 253 bytes less 10 for its header and the object's.
const OBJECT_BYTES_MAX: usize = 243;

/// A profile that cannot be used: where, which rule, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The profile's id or file.
    pub profile: String,
    /// Line in its text, from 1, where one line is to blame.
    pub line: Option<usize>,
    /// The rule's name: `toml`, `pattern`, `anchored`, ...
    pub rule: &'static str,
    /// What is wrong and what would be right.
    pub why: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile {}", self.profile)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {} (rule {})", self.why, self.rule)
    }
}

impl std::error::Error for Invalid {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    vendor: String,
    family: String,
    device_class: DeviceClass,
    identity_of: Role,
    protocol: Spanned<String>,
    version_order: Order,
    confidence: Confidence,
    #[serde(default)]
    families: Vec<String>,
    #[serde(default)]
    fallback: bool,
    #[serde(default)]
    placeholders: Vec<String>,
    #[serde(default)]
    notes: String,
    #[serde(default)]
    ask: Vec<Spanned<String>>,
    #[serde(default)]
    read: Vec<Spanned<ReadText>>,
    #[serde(default, rename = "match")]
    matches: BTreeMap<Spanned<String>, Spanned<String>>,
    component: Vec<ComponentText>,
    #[serde(default)]
    example: Vec<Spanned<ExampleText>>,
}

/// A read of registers: what it is called there, which it is, and in which list of the maker it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadText {
    name: String,
    modbus: RegistersText,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistersText {
    function: u8,
    address: u16,
    quantity: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentText {
    role: Role,
    extract: BTreeMap<Field, ExtractText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtractText {
    from: Spanned<From>,
    pattern: Option<Spanned<String>>,
    unless: Option<Spanned<String>>,
    register: Option<Register>,
    #[serde(default = "identity_object")]
    grade: Grade,
}

/// One fact, or several of which the first that can be used counts.
#[derive(Deserialize)]
#[serde(untagged)]
enum From {
    One(String),
    FirstOf(Vec<String>),
}

const fn identity_object() -> Grade {
    Grade::IdentityObject
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleText {
    source: String,
    licence: String,
    over: Option<Spanned<String>>,
    #[serde(default)]
    asked: Vec<Spanned<String>>,
    form: Option<Form>,
    frames: Option<Vec<Spanned<String>>>,
    text: Option<Vec<String>>,
    #[serde(default)]
    objects: BTreeMap<Spanned<String>, String>,
    server_id: Option<Spanned<String>>,
    expect: BTreeMap<Role, BTreeMap<Field, String>>,
}

/// Reads one profile. `id` is its path without the ending.
///
/// # Errors
/// [`Invalid`] with the line and the rule that is broken.
pub fn parse(id: &str, text: &str) -> Result<Profile, Invalid> {
    let at = |span: Option<std::ops::Range<usize>>, rule: &'static str, why: String| {
        let line = span.map(|span| text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1));
        Invalid { profile: id.to_owned(), line, rule, why }
    };
    if text.len() > PROFILE_BYTES_MAX {
        return Err(at(None, "size", format!("{} bytes; a profile has at most {PROFILE_BYTES_MAX}", text.len())));
    }
    let read: Text = toml::from_str(text).map_err(|e| at(e.span(), "toml", e.message().to_owned()))?;
    let matches = match_rules(&read, &at)?;
    let components = read.component.iter().map(|c| component(c, read.protocol.as_ref(), &at)).collect::<Result<Vec<_>, _>>()?;
    let ask = if read.protocol.as_ref() == objects::PROTOCOL { own_objects(&read, &at)? } else { pages(&read, &at)? };
    let reads = registers(&read, &at)?;
    let examples = read.example.iter().map(|e| example(e, &at)).collect::<Result<Vec<_>, _>>()?;
    if examples.is_empty() {
        return Err(at(None, "example", "an [[example]] is missing: a profile without one proves nothing".into()));
    }
    Ok(Profile {
        id: id.to_owned(),
        sha256: hex(&Sha256::digest(text)),
        text: text.to_owned(),
        vendor: read.vendor,
        family: read.family,
        device_class: read.device_class,
        identity_of: read.identity_of,
        protocol: read.protocol.into_inner(),
        version_order: read.version_order,
        confidence: read.confidence,
        families: read.families,
        fallback: read.fallback,
        placeholders: read.placeholders,
        notes: read.notes,
        ask,
        reads,
        matches,
        components,
        examples,
    })
}

/// Makes an [`Invalid`] for a place in the text.
type At<'a> = dyn Fn(Option<std::ops::Range<usize>>, &'static str, String) -> Invalid + 'a;

/// A pattern, and how many groups it has.
fn pattern(text: &Spanned<String>, at: &At<'_>) -> Result<(Pattern, usize), Invalid> {
    Pattern::new(text.as_ref())
        .map_err(|why| at(Some(text.span()), "pattern", format!("the pattern {:?} cannot be used: {why}", text.as_ref())))
}

/// Literal paths: what the device is asked, word by word, so that nothing in an answer or a pattern can change it.
fn pages(read: &Text, at: &At<'_>) -> Result<Vec<String>, Invalid> {
    let page = |path: &Spanned<String>| {
        let no = |why: &str| Err(at(Some(path.span()), "ask", format!("{:?} {why}", path.as_ref())));
        let is_literal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        match path.as_ref() {
            _ if read.protocol.as_ref() != PAGED => no("can be asked over http and snmp alone; other protocols ask what they ask"),
            text if !text.starts_with('/') || text.len() > PATH_BYTES_MAX || !text.bytes().all(is_literal) => {
                no("is no literal path: / and letters, digits, - . _ ~ /; a query may act on a device")
            }
            text => Ok(text.to_owned()),
        }
    };
    if let Some(third) = read.ask.get(PAGES_MAX) {
        return Err(at(Some(third.span()), "ask", format!("a profile asks for at most {PAGES_MAX} pages")));
    }
    read.ask.iter().map(page).collect()
}

/// Objects of an agent. Each is used, so that nothing is asked in vain, and who tells his family by one of them says before whom to ask for it.
fn own_objects(read: &Text, at: &At<'_>) -> Result<Vec<String>, Invalid> {
    if let Some(more) = read.ask.get(objects::PROFILE_OBJECTS_MAX) {
        return Err(at(Some(more.span()), "ask", format!("a profile asks for at most {} objects", objects::PROFILE_OBJECTS_MAX)));
    }
    let read_from = || read.component.iter().flat_map(|component| component.extract.values()).flat_map(|rule| rule.from.as_ref().paths());
    for name in &read.ask {
        let no = |why: &str| at(Some(name.span()), "ask", format!("{:?} {why}", name.as_ref()));
        objects::checked(name.as_ref()).map_err(no)?;
        let is_used = |fact: &str| read_from().any(|path| path == fact) || read.matches.keys().any(|path| path.as_ref() == fact);
        if objects::fact_of_own(name.as_ref()).is_some_and(|fact| !is_used(&fact)) {
            return Err(no("is asked, and no rule reads it"));
        }
    }
    let of_system = read.matches.keys().any(|path| path.as_ref().starts_with("snmp.system."));
    match read.ask.first() {
        Some(first) if !of_system && !read.fallback => {
            let why = "a profile that asks says in [match] what the agent's system group says: not every agent is to be asked".into();
            Err(at(Some(first.span()), "ask", why))
        }
        _ => Ok(read.ask.iter().map(|name| name.as_ref().clone()).collect()),
    }
}

impl From {
    fn paths(&self) -> &[String] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::FirstOf(paths) => paths,
        }
    }
}

/// Literal reads of registers, each with where its list stands. Only what the decoder knows can be read again from evidence, and is asked.
fn registers(text: &Text, at: &At<'_>) -> Result<Vec<Read>, Invalid> {
    let read = |spanned: &Spanned<ReadText>| {
        let no = |why: String| Err(at(Some(spanned.span()), "read", why));
        let ReadText { name, modbus: RegistersText { function, address, quantity }, source } = spanned.as_ref();
        let read = Read { function: *function, address: *address, quantity: *quantity };
        match () {
            () if text.protocol.as_ref() != REGISTERED => no("registers are read over modbus alone".to_owned()),
            () if name.is_empty() || source.is_empty() => {
                no("a read says what it is called, and which list of its maker it is from".to_owned())
            }
            () if !Read::all().any(|known| known == read) => {
                no(format!("{read:?} is no read that the decoder knows (wire, modbus/registers.rs): it could not be read again"))
            }
            () => Ok(read),
        }
    };
    if let Some(more) = text.read.get(BLOCKS_MAX) {
        return Err(at(Some(more.span()), "read", format!("a profile has at most {BLOCKS_MAX} reads: a serial line has no more to spare")));
    }
    text.read.iter().map(read).collect()
}

fn match_rules(read: &Text, at: &At<'_>) -> Result<BTreeMap<String, Pattern>, Invalid> {
    if read.fallback != read.matches.is_empty() {
        return Err(at(None, "match", "a profile has a [match] table, or it says fallback = true, and not both".into()));
    }
    let mut matches = BTreeMap::new();
    for (fact, text) in &read.matches {
        check_fact(fact.as_ref(), fact.span(), read.protocol.as_ref(), at)?;
        if !text.as_ref().starts_with('^') {
            let why =
                format!("the pattern {:?} starts with ^, so that it cannot match in the middle of another maker's text", text.as_ref());
            return Err(at(Some(text.span()), "anchored", why));
        }
        matches.insert(fact.as_ref().clone(), pattern(text, at)?.0);
    }
    Ok(matches)
}

fn check_fact(fact: &str, span: std::ops::Range<usize>, protocol: &str, at: &At<'_>) -> Result<(), Invalid> {
    let own = fact.strip_prefix(protocol).is_some_and(|rest| rest.starts_with('.'));
    let why = || format!("{fact:?} is no fact of {protocol}: its facts are called {protocol}.something");
    let name = fact.strip_prefix(protocol).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    if name.contains('[') && Slice::read(name).is_none() {
        let why = format!("{fact:?} are no registers: {REGISTERED}.register[ADDRESS:QUANTITY], and .words, .number, ... behind it");
        return Err(at(Some(span), "registers", why));
    }
    if own { Ok(()) } else { Err(at(Some(span), "fact", why())) }
}

fn component(read: &ComponentText, protocol: &str, at: &At<'_>) -> Result<Component, Invalid> {
    let mut extract = BTreeMap::new();
    for (field, rule) in &read.extract {
        let from = rule.from.as_ref().paths().to_vec();
        if from.is_empty() {
            return Err(at(Some(rule.from.span()), "fact", "a value is from a fact, or from the first of several".into()));
        }
        from.iter().try_for_each(|fact| check_fact(fact, rule.from.span(), protocol, at))?;
        let compiled = rule.pattern.as_ref().map(|text| pattern(text, at)).transpose()?;
        if let (Some(text), Some((_, groups))) = (&rule.pattern, &compiled) {
            // Both ends: a value cut out of the middle of a longer text would be another value.
            if !(text.as_ref().starts_with('^') && text.as_ref().ends_with('$')) || *groups > 2 {
                let why = format!("the pattern {:?} runs from ^ to $ and has at most one group", text.as_ref());
                return Err(at(Some(text.span()), "whole-text", why));
            }
        }
        let unless = rule.unless.as_ref().map(|text| pattern(text, at)).transpose()?.map(|(unless, _)| unless);
        extract.insert(
            *field,
            Extract { from, pattern: compiled.map(|(pattern, _)| pattern), unless, register: rule.register, grade: rule.grade },
        );
    }
    Ok(Component { role: read.role, extract })
}

fn example(read: &Spanned<ExampleText>, at: &At<'_>) -> Result<Example, Invalid> {
    let span = read.span();
    let read = read.as_ref();
    let has_values = !read.objects.is_empty() || read.server_id.is_some();
    let said = match (&read.frames, &read.text, has_values) {
        (Some(frames), None, false) => Said::Frame(frames.iter().map(|digits| digits_of(digits, at)).collect::<Result<_, _>>()?),
        (None, Some(texts), false) => Said::Frame(texts.iter().map(|text| text.as_bytes().to_vec()).collect()),
        (None, None, true) => values(read, at)?,
        _ => return Err(at(Some(span), "example", "an example has one of: frames; text; objects and/or server_id".into())),
    };
    // Who writes nothing else means what stands there.
    let own = read.source.starts_with("own");
    let form = read.form.unwrap_or(match (&said, &read.text) {
        _ if own => Form::Built,
        (Said::Decoded { .. }, _) => Form::Decoded,
        (Said::Frame(_), Some(_)) => Form::Text,
        (Said::Frame(_), None) => Form::Frame,
    });
    let over = read.over.as_ref().map(|text| {
        let why = || format!("{:?} carries no protocol here; tcp, udp, link type 88cc, link llc 82, ... do", text.as_ref());
        over(text.as_ref()).ok_or_else(|| at(Some(text.span()), "over", why()))
    });
    let asked = read.asked.iter().map(|digits| digits_of(digits, at)).collect::<Result<_, _>>()?;
    let (source, licence) = (read.source.clone(), read.licence.clone());
    Ok(Example { source, licence, over: over.transpose()?, asked, said, form, expect: read.expect.clone() })
}

/// The bytes that these digits write.
fn digits_of(digits: &Spanned<String>, at: &At<'_>) -> Result<Vec<u8>, Invalid> {
    unhex(digits.as_ref())
        .map_err(|offset| at(Some(digits.span()), "hex", format!("character {} is no pair of hexadecimal digits", offset + 1)))
}

/// Decoded values of Modbus; the simulator builds the frames.
fn values(read: &ExampleText, at: &At<'_>) -> Result<Said, Invalid> {
    let mut objects = BTreeMap::new();
    for (id, value) in &read.objects {
        let number = id.as_ref().parse::<u8>();
        let number = number.map_err(|_| at(Some(id.span()), "object", format!("{:?} is no object id (0 to 255)", id.as_ref())))?;
        if value.len() > OBJECT_BYTES_MAX {
            return Err(at(Some(id.span()), "object", format!("{} bytes; an object has at most {OBJECT_BYTES_MAX}", value.len())));
        }
        objects.insert(number, value.as_bytes().to_vec());
    }
    let server_id = read.server_id.as_ref().map(|digits| digits_of(digits, at)).transpose()?;
    Ok(Said::Decoded { objects, server_id })
}

#[cfg(test)]
mod tests;
