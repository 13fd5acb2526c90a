//! The beginning of a profile: what one answer says, written as a profile whose guesses say that they are guesses.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nameplate_wire::conversation::Over;
use nameplate_wire::{Reading, protocols};
use regex::Regex;

use super::{Matched, ProfileSet, Role};
use crate::claim::{Claim, Field, Grade};
use crate::observation::{hex, over_text};
use crate::text;

/// Facts that are shown and not used: a profile has 150 lines, and the others are read by whoever asks for them.
const FACTS_SHOWN_MAX: usize = 40;
/// Characters of a value in a comment: a line has to stay one.
const SHOWN_CHARS_MAX: usize = 100;

/// An answer with the questions that it takes to read it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The protocol's name.
    pub protocol: String,
    /// What carried it.
    pub over: Over,
    /// The questions.
    pub asked: Vec<Vec<u8>>,
    /// What the device sent.
    pub said: Vec<Vec<u8>>,
    /// Where it is from, for a person to complete.
    pub source: String,
}

impl Answer {
    /// What the messages say, read as those of an example are.
    #[must_use]
    pub fn readings(&self) -> Vec<Reading> {
        let Some(protocol) = protocols::named(&self.protocol) else { return Vec::new() };
        let readings = protocol.replay(self.over, self.asked.iter().map(Vec::as_slice), self.said.iter().map(Vec::as_slice));
        readings.into_iter().filter(|reading| reading.protocol == self.protocol).collect()
    }

    /// The example's part of a profile, with what `claims` say as expectation.
    #[must_use]
    pub fn example(&self, claims: &[Claim]) -> String {
        let list = |messages: &[Vec<u8>]| messages.iter().map(|bytes| format!("    \"{}\",\n", hex(bytes))).collect::<String>();
        let mut out = format!("[[example]]\nsource = {}\nlicence = \"fact\"\n", literal(&self.source));
        if protocols::named(&self.protocol).is_some_and(|protocol| protocol.usually_over() != self.over) {
            let _ = writeln!(out, "over = \"{}\"", over_text(self.over));
        }
        if !self.asked.is_empty() {
            let _ = write!(out, "asked = [\n{}]\n", list(&self.asked));
        }
        let _ = write!(out, "frames = [\n{}]\n", list(&self.said));
        let mut expected: BTreeMap<&str, BTreeMap<Field, &str>> = BTreeMap::new();
        for claim in claims {
            expected.entry(&claim.component).or_default().entry(claim.field).or_insert(&claim.value);
        }
        for (role, fields) in expected {
            let _ = writeln!(out, "[example.expect.{role}]");
            for (field, value) in fields {
                let _ = writeln!(out, "{} = {}", field.name(), literal(value));
            }
        }
        out
    }
}

/// What stands at the head of a new profile.
#[derive(Clone, Debug)]
pub struct Head {
    /// The maker.
    pub vendor: String,
    /// The family.
    pub family: String,
}

impl Head {
    /// The profile's id: both in small letters and hyphens.
    #[must_use]
    pub fn id(&self) -> String {
        let word = |text: &str| {
            let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
            plain.split_whitespace().collect::<Vec<_>>().join("-")
        };
        format!("{}/{}", word(&self.vendor), word(&self.family))
    }
}

/// Writes the profile that this answer begins.
///
/// # Errors
/// Why there is nothing to begin with: no answer was read, a profile knows it already, or it says nothing.
pub fn draft(set: &ProfileSet, head: &Head, answer: &Answer) -> Result<String, String> {
    let readings = answer.readings();
    if readings.is_empty() {
        return Err(format!("these messages hold no identity answer of {}", answer.protocol));
    }
    let mut claims: Vec<Claim> = Vec::new();
    for reading in &readings {
        let said = set.interpret(reading);
        match said.matched {
            Matched::One(id) => return Err(format!("profile {id} reads it already; `profile test {id}` shows how")),
            Matched::Several(ids) => return Err(format!("several profiles read it already: {}", ids.join(", "))),
            Matched::Fallback(_) | Matched::None => claims.extend(said.claims),
        }
    }
    // A component has a field once: the first value is what the rule of last resort shows.
    let mut seen = Vec::new();
    claims.retain(|claim| {
        let key = (claim.component.clone(), claim.field);
        let is_new = !seen.contains(&key);
        seen.push(key);
        is_new
    });
    let facts: Vec<(&str, String)> = readings.iter().flat_map(texts).collect();
    let matches = recognition(&claims, &facts).ok_or("nothing in it would tell this family from another: no text, no number of a maker")?;
    Ok([top(head, answer), matches, components(&claims, &facts), String::from("\n"), answer.example(&claims)].concat())
}

fn top(head: &Head, answer: &Answer) -> String {
    format!(
        "# Begun by `nameplate profile new` from {}. Every line with the word guess is to be looked at.\n\
         vendor = {}\nfamily = {}\n\
         device_class = \"unknown\" # guess: plc, protection-relay, rtu, power-meter, drive, industrial-switch, gateway, ...\n\
         identity_of = \"{}\" # guess: who answers at this address? communication-module, cpu, gateway?\n\
         protocol = \"{}\"\n\
         version_order = \"opaque\" # guess: \"dotted\" where 1.10 is newer than 1.9\n\
         confidence = \"seen\"\n\
         notes = \"\"\n\n",
        text::printable(&answer.source),
        literal(&head.vendor),
        literal(&head.family),
        Role::Device.name(),
        answer.protocol,
    )
}

/// Facts with their text, those that have one.
fn texts(reading: &Reading) -> Vec<(&str, String)> {
    let text = |fact: &nameplate_wire::Fact| text::decode_fact(fact.shape, &fact.bytes).ok().filter(|text| !text.is_empty());
    reading.facts.iter().filter_map(|fact| Some((fact.path.as_str(), text(fact)?))).collect()
}

/// `[match]`: the maker and the model, as they stand; else the beginning of a text, up to its first number.
fn recognition(claims: &[Claim], facts: &[(&str, String)]) -> Option<String> {
    let is_maker = |path: &str| path.ends_with(".vendor") || path.ends_with(".vendor_name") || path.ends_with(".device_type");
    let text_of = |path: &str| facts.iter().find(|(known, _)| *known == path).map(|(_, text)| text.as_str());
    let mut rules: BTreeMap<&str, String> = BTreeMap::new();
    for (path, text) in facts.iter().filter(|(path, _)| is_maker(path)) {
        rules.insert(path, format!("^{}$", escaped(text)));
    }
    let tells = |field: Field| matches!(field, Field::Manufacturer | Field::Model | Field::ProductCode);
    for claim in claims.iter().filter(|claim| tells(claim.field)) {
        rules.insert(&claim.rule, format!("^{}$", escaped(text_of(&claim.rule)?)));
    }
    if rules.is_empty() {
        let claim = claims.iter().find(|claim| claim.field == Field::Description)?;
        let text = text_of(&claim.rule)?;
        let words = text.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
        rules.insert(&claim.rule, format!("^{}", escaped(if words.trim().is_empty() { text } else { words })));
    }
    let lines = rules.iter().map(|(path, pattern)| format!("\"{path}\" = {}\n", literal(pattern)));
    Some(format!("# guess: what every device of this family says, and no other does\n[match]\n{}", lines.collect::<String>()))
}

/// `[[component]]`: every claim, and what else was read as a comment.
fn components(claims: &[Claim], facts: &[(&str, String)]) -> String {
    let mut out = String::new();
    let mut roles: Vec<&str> = claims.iter().map(|claim| claim.component.as_str()).collect();
    roles.dedup();
    for role in roles {
        let _ = write!(out, "\n[[component]]\nrole = \"{role}\"\n[component.extract]\n");
        for claim in claims.iter().filter(|claim| claim.component == role) {
            let grade = if claim.grade == Grade::IdentityObject { String::new() } else { format!(", grade = \"{}\"", claim.grade.name()) };
            let whole = facts.iter().find(|(path, _)| *path == claim.rule).map(|(_, text)| text.as_str());
            // A value that was cut out of a longer text comes out of it by a pattern of the rule of last resort, which is not ours to copy.
            let pattern = match whole {
                Some(whole) if whole != claim.value => around(whole, &claim.value),
                _ => None,
            };
            let pattern = pattern.map(|pattern| format!(", pattern = {}", literal(&pattern))).unwrap_or_default();
            let _ = writeln!(out, "{} = {{ from = \"{}\"{pattern}{grade} }}", claim.field.name(), claim.rule);
        }
    }
    let unused = facts.iter().filter(|(path, _)| !claims.iter().any(|claim| claim.rule == *path));
    for (path, text) in unused.take(FACTS_SHOWN_MAX) {
        let _ = writeln!(out, "# also read: \"{path}\" = {}", shown(text));
    }
    for (path, text) in facts {
        if let Some(version) = version_in(text).filter(|version| version != text)
            && let Some(pattern) = around(text, &version)
        {
            let _ = writeln!(out, "# guess: firmware_revision = {{ from = \"{path}\", pattern = {} }}", literal(&pattern));
        }
    }
    out
}

/// The first thing in a text that looks like a version: numbers with dots between.
fn version_in(text: &str) -> Option<String> {
    let looks = Regex::new(r"\b[Vv]?\d+(?:\.\d+)+[0-9A-Za-z]*\b").ok()?;
    looks.find(text).map(|found| found.as_str().to_owned())
}

/// A pattern for the whole text with this value as its group.
fn around(whole: &str, value: &str) -> Option<String> {
    let (before, after) = whole.split_once(value)?;
    let rest = if after.is_empty() { String::new() } else { format!("{}.*", escaped(&after.chars().take(1).collect::<String>())) };
    Some(format!(r"^{}(\S+?){rest}$", escaped(before)))
}

/// A text as a pattern that matches just it. A hyphen needs no backslash outside of brackets.
fn escaped(text: &str) -> String {
    regex::escape(text).replace(r"\-", "-")
}

fn shown(text: &str) -> String {
    let safe = text::printable(text);
    literal(&safe.chars().take(SHOWN_CHARS_MAX).collect::<String>())
}

/// A TOML string: literal where it can be, so that a backslash is one.
fn literal(text: &str) -> String {
    if !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    let escape = |c: char| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{check, parse};

    /// A draft of a meter's greeting, and whether it is a profile that holds.
    fn check_draft(protocol: &str, said: &[u8], lines: &[&str]) {
        let set = ProfileSet::built_in().expect("the built-in profiles");
        let over = protocols::named(protocol).expect("a protocol").usually_over();
        let answer = Answer { protocol: protocol.into(), over, asked: vec![], said: vec![said.to_vec()], source: "a test".into() };
        let head = Head { vendor: "Bright & Water".into(), family: "BW 7".into() };
        assert_eq!(head.id(), "bright-water/bw-7");
        let text = draft(&set, &head, &answer).expect("a draft");
        for line in lines {
            assert!(text.lines().any(|there| there == *line), "{line}\n{text}");
        }
        let profile = parse("bright-water/bw-7", &text).unwrap_or_else(|invalid| panic!("{invalid}\n{text}"));
        let mut with = set.clone();
        with.add(profile.clone()).expect("a new id");
        assert_eq!(check(&with, &profile, &|_| answer.said.clone()), [], "{text}");
        assert_eq!(
            draft(&with, &head, &answer).expect_err("known"),
            "profile bright-water/bw-7 reads it already; `profile test bright-water/bw-7` shows how"
        );
    }

    #[test]
    fn what_a_draft_says_holds_as_it_stands() {
        check_draft(
            "telnet",
            b"Meter 'X' V1.20 ready\r\n",
            &["\"telnet.line.1\" = \"^Meter 'X' V\"", "description = { from = \"telnet.line.1\", grade = \"banner\" }"],
        );
        check_draft(
            "ftp",
            b"220 BW-7 FTP server 4.2.1b ready.\r\n",
            &[r#"# guess: firmware_revision = { from = "ftp.banner", pattern = '^BW-7 FTP server (\S+?) .*$' }"#],
        );
        let identification =
            [&[0, 1, 0, 0, 0, 32, 255, 0x2b, 14, 1, 1, 0, 0, 3, 0, 11][..], b"Brightwater\x01\x04BW-7\x02\x035.1"].concat();
        check_draft(
            "modbus",
            &identification,
            &["\"modbus.object.0\" = '^Brightwater$'", "firmware_revision = { from = \"modbus.object.2\" }", "firmware_revision = '5.1'"],
        );
    }

    #[test]
    fn an_answer_that_says_nothing_begins_no_profile() {
        let set = ProfileSet::default();
        let answer = |protocol: &str, said: &[u8]| Answer {
            protocol: protocol.into(),
            over: Over::Tcp,
            asked: vec![],
            said: vec![said.to_vec()],
            source: String::new(),
        };
        let head = Head { vendor: "X".into(), family: "Y".into() };
        assert!(draft(&set, &head, &answer("modbus", b"nothing")).expect_err("nothing").contains("no identity answer"));
        assert!(draft(&set, &head, &answer("no-such", b"nothing")).is_err());
    }
}
