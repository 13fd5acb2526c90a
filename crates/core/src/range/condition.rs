//! A condition beside the version, asked of facts that may be unknown.

use super::Facts;
use super::answer::{Truth, Why};
use super::limit::{Limit, Side, is_named};
use crate::version::{Scheme, Version};

/// What is asked of a fact.
#[derive(Clone, Debug)]
pub enum Test {
    /// A number, a date or a version on one side of this one, or this one.
    Version { side: Option<Side>, version: Version },
    /// The first digits of a serial number on one side of these, or these.
    SerialFirst { side: Option<Side>, digits: usize, value: String },
    /// A serial number with the same letters in front, from one to the other.
    SerialWindow { from: String, to: String },
    /// A patch that is there, or is not.
    Patch { present: bool, value: String },
    /// One of these.
    AnyOf(Vec<String>),
    /// The phrase itself, answered with yes or no.
    Says,
}

/// A condition.
#[derive(Clone, Debug)]
pub struct Condition {
    fact: Box<str>,
    test: Test,
    /// Fact values are read in it.
    scheme: Option<&'static Scheme>,
}

impl Condition {
    pub fn new(fact: String, test: Test) -> Self {
        Self { fact: fact.into(), test, scheme: Scheme::named("plain") }
    }

    /// The fact that it asks for.
    pub fn fact(&self) -> &str {
        &self.fact
    }

    /// Whether it holds, as far as is known.
    pub fn holds(&self, facts: &Facts) -> Truth {
        let Some(known) = facts.get(&self.fact) else { return Truth::Unknown(Why::Fact) };
        let any = |is: &dyn Fn(&str) -> Truth| known.iter().fold(Truth::No, |truth, value| truth.or(is(value.trim())));
        // A list without an entry says that there is none: good for patches and options, and no value of anything else.
        if known.is_empty() && !matches!(self.test, Test::Patch { .. } | Test::AnyOf(_)) {
            return Truth::Unknown(Why::Fact);
        }
        match &self.test {
            Test::Version { side, version } => any(&|value| self.compared(*side, version, value)),
            Test::SerialFirst { side, digits, value } => any(&|serial| first_digits(serial, *digits, *side, value)),
            Test::SerialWindow { from, to } => any(&|serial| window(serial, from, to)),
            Test::Patch { present, value } => {
                let installed = known.iter().any(|patch| patch.to_ascii_lowercase().split_whitespace().any(|word| word == value));
                if installed == *present { Truth::Yes } else { Truth::No }
            }
            Test::AnyOf(words) => {
                let has = known
                    .iter()
                    .any(|value| words.iter().any(|word| value.trim().to_ascii_lowercase().split(' ').any(|part| part == word)));
                if has { Truth::Yes } else { Truth::No }
            }
            Test::Says => any(&|value| match value.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Truth::Yes,
                "false" | "no" | "0" => Truth::No,
                _ => Truth::Unknown(Why::FactUnread),
            }),
        }
    }

    fn compared(&self, side: Option<Side>, version: &Version, value: &str) -> Truth {
        let Some(scheme) = self.scheme else { return Truth::Unknown(Why::FactUnread) };
        let read = Version::read(scheme, value);
        if !read.is_whole() {
            return Truth::Unknown(Why::FactUnread);
        }
        side.map_or_else(|| is_named(version, &read), |side| Limit { side, version: version.clone() }.takes_in(&read))
    }

    /// The condition in one spelling.
    pub fn shown(&self) -> String {
        let sign = |side: &Option<Side>| side.map_or("=", Side::sign);
        let fact = &self.fact;
        match &self.test {
            Test::Version { side, version } => format!("{fact}{}{}", sign(side), version.text()),
            Test::SerialFirst { side, digits, value } => format!("first {digits} digits of {fact}{}{value}", sign(side)),
            Test::SerialWindow { from, to } => format!("{fact} from {from} to {to}"),
            Test::Patch { present: true, value } => format!("{fact} has {value}"),
            Test::Patch { present: false, value } => format!("{fact} lacks {value}"),
            Test::AnyOf(words) => format!("{fact} is {}", words.join(" or ")),
            Test::Says => fact.to_string(),
        }
    }
}

/// The first digits of a serial number against others of the same length.
fn first_digits(serial: &str, digits: usize, side: Option<Side>, value: &str) -> Truth {
    let first = serial.chars().take(digits).collect::<String>().to_ascii_lowercase();
    // Mitsubishi's months are 1 to 9, X, Y and Z, in the order of their bytes.
    let is_month = |at: usize| at == 2 && value.len() == 3;
    let counts = |(at, byte): (usize, u8)| byte.is_ascii_digit() || (is_month(at) && matches!(byte, b'x'..=b'z'));
    if first.len() != digits || value.len() != digits || !first.bytes().enumerate().all(counts) {
        return Truth::Unknown(Why::FactUnread);
    }
    let holds = match side {
        Some(Side::Below) => first.as_str() < value,
        Some(Side::UpTo) => first.as_str() <= value,
        Some(Side::From) => first.as_str() >= value,
        Some(Side::Above) => first.as_str() > value,
        None => first == value,
    };
    if holds { Truth::Yes } else { Truth::No }
}

/// Digits behind the same letters, as far as the window's ends have them.
fn window(serial: &str, from: &str, to: &str) -> Truth {
    let serial = serial.to_ascii_lowercase();
    let letters = from.trim_end_matches(|c: char| c.is_ascii_digit());
    let part = serial.get(..from.len()).filter(|part| from.len() == to.len() && part.starts_with(letters) && to.starts_with(letters));
    let Some(part) = part.filter(|part| part.bytes().skip(letters.len()).all(|byte| byte.is_ascii_digit())) else {
        return Truth::Unknown(Why::FactUnread);
    };
    if from <= part && part <= to { Truth::Yes } else { Truth::No }
}
