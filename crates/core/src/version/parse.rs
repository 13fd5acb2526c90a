//! Reading one version text. Every byte ends up in a piece, and what is not understood is named as the rest.

use std::ops::Range;

use super::date;
use super::scheme::{Form, Scheme};

mod reader;

use reader::Reader;

/// Longer texts are not read: the longest of the advisories' corpus has 80 bytes, and a bound keeps attacker input cheap.
pub const VERSION_BYTES_MAX: usize = 256;

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Blanks and the signs between parts.
    Space,
    /// Says nothing: `V`.
    Prefix,
    /// Letters in front of the first number that belong to the line: `FW`, `R`, `SEL-751-`.
    Label,
    /// A number or a wildcard.
    Number,
    /// A mark behind the numbers: `SP`, `HF`, a letter, a build.
    Mark,
    /// Not understood.
    Rest,
}

/// A piece of a text, by its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub role: Role,
    /// Where it stands in the text.
    pub bytes: Range<usize>,
}

/// One number of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Number {
    /// Its value; leading zeros carry no order.
    Known(u128),
    /// Its first digits, with so many digits free: `16x`.
    Begins(u128, u32),
    /// Any number, or none: `X`.
    Any,
    /// The second of two numbers, with zeros in front to so many digits: nobody knows whether `1.05` is `1.5`, or comes before it, as
    /// it does where the minor always has two digits.
    Padded(u128, u32),
    /// A number whose digits can be read in two ways; equal to itself, and in no order to others.
    Unsure(u128),
}

/// What introduces a step behind the release numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// On top of the release: its tier in the scheme and its place in the tier.
    Level(u8, u8),
    /// A letter right behind a number.
    Letter(u8),
    /// Before the release: `beta`, `rc`.
    Early(Box<str>),
    /// Another word.
    Word(Box<str>),
    /// A sign: `-`, `(`, `/`, a blank.
    Sign(u8),
    /// What was not understood, in lower case.
    Rest(Box<str>),
}

/// One step behind the release numbers: `HF29`, `(7)`, `Build 4022`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    pub mark: Mark,
    pub numbers: Vec<Number>,
}

/// To which counting a version belongs: two countings have no order.
#[derive(Clone, Debug, Default)]
pub struct Class {
    /// Letters in front of the first number; the train of Cisco IOS.
    pub label: Box<str>,
    /// The device family of an SEL identification; absent where the text has none.
    pub family: Option<Box<str>>,
    /// What the first number counts.
    pub counting: Counting,
}

impl PartialEq for Class {
    // Nearly all labels are empty: comparing no bytes with no bytes took most of the time of a million answers.
    fn eq(&self, other: &Self) -> bool {
        let label = self.label.len() == other.label.len() && (self.label.is_empty() || self.label == other.label);
        let family = self.family.is_none() && other.family.is_none() || self.family == other.family;
        self.counting == other.counting && label && family
    }
}

/// What a first number counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Counting {
    /// Releases.
    #[default]
    Releases,
    /// Years: `2020 R2`.
    Years,
    /// Days or pieces: dates written in one, serial numbers, order numbers.
    Pieces,
}

impl Number {
    pub(super) const fn is_zero(self) -> bool {
        matches!(self, Self::Known(0) | Self::Padded(0, _))
    }

    /// The number where zeros in front say nothing.
    pub(super) fn plain(self, scheme: &Scheme) -> Self {
        match self {
            Self::Padded(value, _) if scheme.padded => Self::Known(value),
            other => other,
        }
    }
}

/// A version text as its scheme reads it.
#[derive(Clone, Debug)]
pub struct Version {
    pub(super) scheme: &'static Scheme,
    pub(super) text: Box<str>,
    pub(super) folded: Box<str>,
    /// Of the folded text: two that differ in it are two texts, and most are told apart by it.
    pub(super) digest: u64,
    pub(super) class: Class,
    pub(super) release: Vec<Number>,
    pub(super) tail: Vec<Step>,
    pieces: Vec<Piece>,
    rest_from: usize,
}

/// Years that a first number of four digits may be.
const YEARS: Range<u128> = 1990..2100;
/// A first number from here on counts no releases.
const PIECES_MIN: u128 = 10_000;

impl Version {
    /// Reads a text. Never fails: what is not understood is the [`Version::rest`].
    #[must_use]
    pub fn read(scheme: &'static Scheme, text: &str) -> Self {
        let folded: Box<str> = fold(text).into();
        let mut reader = Reader::new(scheme, text);
        let mut version = Self {
            scheme,
            text: text.into(),
            digest: digest(&folded),
            folded,
            class: Class::default(),
            release: Vec::new(),
            tail: Vec::new(),
            pieces: Vec::new(),
            rest_from: text.len(),
        };
        if text.len() <= VERSION_BYTES_MAX {
            version.fill(&mut reader);
        }
        if let Some(from) = reader.rest() {
            version.rest_from = from;
            let left = fold(text.get(from..).unwrap_or_default());
            version.tail.push(Step { mark: Mark::Rest(left.into()), numbers: Vec::new() });
        }
        version.pieces = reader.pieces;
        version
    }

    fn fill(&mut self, reader: &mut Reader<'_>) {
        if let Some(numbers) = date::with_month_name(&self.folded) {
            reader.all(Role::Number);
            self.class.label = "date".into();
            self.release = numbers.into_iter().map(Number::Known).collect();
            return;
        }
        if self.scheme.form == Form::Letters && reader.letters_alone() {
            self.class.label = format!("{} letters", self.folded.len()).into();
            self.release = vec![Number::Known(self.folded.bytes().fold(0, |sum, letter| sum << 8 | u128::from(letter)))];
            return;
        }
        if self.scheme.form == Form::Fid {
            self.class.family = reader.family();
        }
        let Some(label) = reader.label() else { return };
        self.class.label = label.into();
        let Some(release) = reader.numbers(true) else { return };
        self.release = release;
        self.class.counting = match self.release.first() {
            Some(Number::Known(year)) if YEARS.contains(year) => Counting::Years,
            Some(Number::Known(first)) if *first >= PIECES_MIN => Counting::Pieces,
            _ => Counting::Releases,
        };
        reader.tail(&mut self.tail);
        self.settle();
    }

    /// What the form of the scheme makes of the steps.
    fn settle(&mut self) {
        let after_paren = self.tail.iter().position(|step| step.mark == Mark::Sign(b'('));
        match (self.scheme.form, after_paren) {
            (Form::Index, Some(at)) => {
                let index = self.tail.remove(at);
                self.tail.drain(..at);
                self.class = Class { label: "fw".into(), ..Class::default() };
                self.release = index.numbers;
            }
            (Form::Train, Some(at)) => self.train(at.saturating_add(1)),
            _ => {}
        }
        if self.scheme.zeros == super::Zeros::Same && self.class.label.is_empty() {
            self.plain_zeros();
        }
    }

    /// The train stands behind the parenthesis and the letter in it: `E` of `15.2(4a)E3`. Without a number it is the train's first release.
    fn train(&mut self, behind: usize) {
        let is_letter = |step: Option<&Step>| matches!(step, Some(Step { mark: Mark::Letter(_), .. }));
        let is_word = |step: Option<&Step>| matches!(step, Some(Step { mark: Mark::Word(_), .. }));
        let next = behind.saturating_add(1);
        let letter_inside = is_letter(self.tail.get(behind)) && (is_letter(self.tail.get(next)) || is_word(self.tail.get(next)));
        if letter_inside && let Mark::Letter(letter) = self.tail.remove(behind).mark {
            // A maintenance release with a letter follows the one without.
            let inside = self.tail.get_mut(behind.saturating_sub(1));
            inside.into_iter().for_each(|step| step.numbers.push(Number::Known(u128::from(letter))));
        }
        let Some(step) = self.tail.get_mut(behind) else { return };
        let train = match &step.mark {
            Mark::Word(word) => word.to_string(),
            Mark::Letter(letter) => char::from(*letter).to_string(),
            _ => return,
        };
        step.mark = Mark::Sign(b'~');
        if step.numbers.is_empty() {
            step.numbers.push(Number::Known(0));
        }
        self.class.label = format!("train {train}").into();
    }

    /// Zeros at the end say nothing: two numbers stay, further zeros go. `14` is `14.0`, and `4.1.0` is `4.1`.
    fn plain_zeros(&mut self) {
        while self.release.len() > 2 && self.release.last().is_some_and(|last| last.is_zero()) {
            self.release.pop();
        }
        if let [Number::Known(_)] = self.release.as_slice() {
            self.release.push(Number::Known(0));
        }
    }

    /// The text as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The scheme that read it.
    #[must_use]
    pub fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// The end of the text that was not understood; empty where all of it was.
    #[must_use]
    pub fn rest(&self) -> &str {
        self.text.get(self.rest_from..).unwrap_or_default()
    }

    /// True where all of the text was understood and there is a number in it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.rest().is_empty() && !self.release.is_empty()
    }

    /// The pieces of the text, in its order, without gaps.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The text with its differences in writing taken out (case, blanks, underscores, leading zeros, spellings); `None` where it was
    /// not understood to its end. Two texts of one line with equal normal forms name one release.
    #[must_use]
    pub fn normal(&self) -> Option<String> {
        self.is_whole().then(|| {
            let mut shown = String::from(&*self.class.label);
            shown.push_str(&written(&self.release));
            for step in &self.tail {
                let mark = match &step.mark {
                    Mark::Level(tier, place) => format!(" {}", self.scheme.level_name(*tier, *place)),
                    Mark::Letter(letter) => char::from(*letter).to_string(),
                    Mark::Early(word) | Mark::Word(word) | Mark::Rest(word) => format!(" {word}"),
                    Mark::Sign(sign) => char::from(*sign).to_string(),
                };
                shown.push_str(&mark);
                shown.push_str(&written(&step.numbers));
            }
            shown
        })
    }
}

fn written(numbers: &[Number]) -> String {
    let shown = numbers.iter().map(|number| match number {
        Number::Known(value) | Number::Unsure(value) => value.to_string(),
        Number::Padded(value, width) => format!("{value:0width$}", width = *width as usize),
        Number::Begins(value, free) => format!("{value}{}", "x".repeat(*free as usize)),
        Number::Any => "x".to_owned(),
    });
    shown.collect::<Vec<_>>().join(".")
}

/// FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Lower case, underscores as blanks, single blanks, none at the ends.
pub fn fold(text: &str) -> String {
    text.replace('_', " ").split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
