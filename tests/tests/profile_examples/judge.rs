//! Right, unknown or wrong.

use nameplate_core::claim::{Claim, Field};
use nameplate_core::profile::{Matched, ProfileSet};
use nameplate_core::text::printable;

use crate::rows::{Kind, Row};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Right,
    Unknown,
    /// A version was read where the example names none: nobody can judge it here, and it is looked at line by line.
    Beyond,
    Wrong,
}

impl Verdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unknown => "unknown",
            Self::Beyond => "beyond",
            Self::Wrong => "wrong",
        }
    }
}

/// One value of one example.
#[derive(Debug)]
pub struct Line {
    pub id: String,
    pub protocol: String,
    pub kind: Kind,
    pub expected: String,
    pub read: String,
    pub verdict: Verdict,
    pub reason: String,
}

impl Line {
    pub fn text(&self) -> String {
        let Self { id, protocol, kind, expected, read, verdict, reason } = self;
        let cells =
            [id, protocol, kind.name(), &printable(expected), &printable(read), verdict.name(), reason].map(|cell| cell.replace('\t', " "));
        cells.join("\t") + "\n"
    }
}

/// The fields that say it.
const fn fields(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Version => &[Field::FirmwareRevision, Field::SoftwareRevision],
        Kind::Model => &[Field::Model, Field::ProductCode],
        Kind::Serial => &[Field::SerialNumber],
        Kind::Hardware => &[Field::HardwareRevision],
    }
}

/// A text without what writers do to it: blanks (between two digits they are dots), case, the letter before a version, `0x`.
fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == '\0').filter(|word| !word.is_empty()).collect();
    let join = |text: String, word: &&str| {
        let digits = text.ends_with(|c: char| c.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit());
        text + if digits { "." } else { "" } + word
    };
    let text = words.iter().fold(String::new(), join).to_lowercase();
    let text = text.trim_start_matches("0x");
    text.strip_prefix('v').map_or(text, |rest| rest.trim_start_matches('.')).to_owned()
}

/// The numbers of a text that is nothing but numbers and dots: 5.0 is 5.00.
fn numbers(text: &str) -> Option<Vec<u64>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

/// Equal; or put together of several expected parts (`B/11.00` of B and 11.00, `1.6 Build 17` of 1.6 and 17), or the expected text without
/// what stands behind its number (`V2.3.3,2013-12-18`).
pub fn is_same(kind: Kind, read: &str, expected: &[String]) -> bool {
    let equal = |one: &str, text: &str| one == text || numbers(one).is_some_and(|one| numbers(text) == Some(one));
    let is_one = |text: &str| expected.iter().any(|one| equal(&plain(one), &plain(text)));
    // A product's name may stand before the number; a word without one is no part of it.
    let number = |part: &str| part.trim_matches(|c: char| !c.is_alphanumeric()).trim_start_matches(|c: char| c.is_alphabetic()).to_owned();
    let parts: Vec<&str> = read.split(['/', ' ']).filter(|part| part.contains(|c: char| c.is_ascii_digit()) || part.len() == 1).collect();
    let is_part = |part: &str| is_one(part) || is_one(&number(part));
    let begins = || {
        let behind =
            |one: &String| plain(one).strip_prefix(&plain(read)).map(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '.'));
        expected.iter().any(|one| behind(one) == Some(true))
    };
    let holds = |one: &String| {
        let (one, read) = (plain(one), plain(read));
        one.contains(&read) || read.contains(&one)
    };
    match kind {
        Kind::Version => is_one(read) || begins() || (!parts.is_empty() && parts.iter().all(|part| is_part(part))),
        // A name may be said with more or fewer words around it.
        Kind::Model => expected.iter().any(holds),
        Kind::Serial | Kind::Hardware => is_one(read),
    }
}

/// The claims of all readings of an example, and who read it.
pub fn claims(set: &ProfileSet, row: &Row) -> (Vec<Claim>, Vec<Matched>) {
    let said = row.answer.readings().iter().map(|reading| set.interpret(reading)).collect::<Vec<_>>();
    (said.iter().flat_map(|said| said.claims.clone()).collect(), said.into_iter().map(|said| said.matched).collect())
}

/// A line for each value that is expected, and one for a version that is not.
pub fn judge(set: &ProfileSet, row: &Row) -> Vec<Line> {
    let (claims, matched) = claims(set, row);
    // A module's own version beside the device's is another part's, which the examples do not name.
    let is_module = |claim: &Claim| claim.component == "communication-module";
    let alone = claims.iter().filter(|claim| claim.field.is_revision()).all(is_module);
    let of = |kind: Kind| {
        let said = claims.iter().filter(move |claim| fields(kind).contains(&claim.field) && (alone || !is_module(claim)));
        said.map(|claim| claim.value.as_str())
    };
    let line = |kind: Kind, expected: &[String], verdict: Verdict| Line {
        id: row.id.clone(),
        protocol: row.answer.protocol.clone(),
        kind,
        expected: expected.join(" | "),
        read: of(kind).collect::<Vec<_>>().join(" | "),
        verdict,
        reason: reason(verdict, &matched),
    };
    let mut lines: Vec<Line> = Vec::new();
    for (kind, expected) in &row.expected {
        let read: Vec<&str> = of(*kind).collect();
        let verdict = match read.iter().filter(|read| is_same(*kind, read, expected)).count() {
            _ if read.is_empty() => Verdict::Unknown,
            0 => Verdict::Wrong,
            // One right value does not excuse a wrong firmware beside it; a number beside a name is another field.
            same if *kind != Kind::Model && same < read.len() => Verdict::Wrong,
            _ => Verdict::Right,
        };
        lines.push(line(*kind, expected, verdict));
    }
    if row.expected.iter().all(|(kind, _)| *kind != Kind::Version) && of(Kind::Version).next().is_some() {
        lines.push(line(Kind::Version, &[], Verdict::Beyond));
    }
    lines
}

fn reason(verdict: Verdict, matched: &[Matched]) -> String {
    let by = |ids: &[String]| ids.join(", ");
    match (verdict, matched.first()) {
        (Verdict::Right, _) => String::new(),
        (Verdict::Beyond, _) => "the example names no version; the text has it".into(),
        (_, None) => "no identity answer that is read here".into(),
        (_, Some(Matched::Fallback(_))) => {
            "no profile knows this text: it is kept as a description, and no version is taken out of it".into()
        }
        (_, Some(Matched::One(id))) => format!("{id} claims none: the answer has none of the device, or says not whose it is"),
        (_, Some(Matched::None)) => "nothing reads this protocol's answers".into(),
        (_, Some(Matched::Several(ids))) => format!("several profiles match: {}", by(ids)),
    }
}
