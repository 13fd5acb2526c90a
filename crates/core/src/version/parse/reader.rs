//! The reader of one text: it goes over it once, from left to right, and lays every byte into a piece.

use super::{Mark, Number, Piece, Role, Step};
use crate::version::scheme::{Form, Minor, Scheme};

/// Letters in front of the first number: more than these are a sentence.
const LABEL_BYTES_MAX: usize = 24;
/// Words in front of the first number: more than these are a sentence.
const LABEL_WORDS_MAX: usize = 3;
/// Letters of a mark that no scheme knows: more than these are prose.
const WORD_BYTES_MAX: usize = 12;
/// Shorter runs of hexadecimal digits are no hash of a commit.
const HASH_BYTES_MIN: usize = 7;
/// So often letters and digits change in a hash, and in no version.
const HASH_CHANGES_MIN: usize = 2;
/// Digits of a date written in one.
const DATE_DIGITS: usize = 8;
/// What comes before the release that it is named after.
const EARLY: [&str; 5] = ["alpha", "beta", "preview", "pre", "rc"];

/// Words of a sentence, which are no marks of a version.
const PROSE: [&str; 16] =
    ["except", "excluding", "not", "but", "and", "or", "with", "without", "for", "on", "than", "until", "since", "after", "only", "if"];

/// What introduces a build in parentheses.
const BUILDS: [&str; 3] = ["build number", "build nr", "build"];

/// Where the reading stands.
pub struct Reader<'a> {
    scheme: &'static Scheme,
    /// Lower case, underscores as blanks; byte for byte as long as the text.
    low: String,
    text: &'a str,
    at: usize,
    pub pieces: Vec<Piece>,
}

impl<'a> Reader<'a> {
    pub fn new(scheme: &'static Scheme, text: &'a str) -> Self {
        let low = text.to_ascii_lowercase().replace(['_', '\t', '\r', '\n'], " ");
        let mut reader = Self { scheme, low, text, at: 0, pieces: Vec::new() };
        reader.skip(b" ");
        reader
    }

    fn left(&self) -> &str {
        self.low.get(self.at..).unwrap_or_default()
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.low.as_bytes().get(self.at.saturating_add(ahead)).copied().unwrap_or_default()
    }

    /// Lays the next `len` bytes into a piece.
    fn take(&mut self, role: Role, len: usize) -> &str {
        let from = self.at;
        self.at = self.at.saturating_add(len).min(self.low.len());
        if self.at > from {
            self.pieces.push(Piece { role, bytes: from..self.at });
        }
        self.low.get(from..self.at).unwrap_or_default()
    }

    fn run(&self, from: usize, is: impl Fn(u8) -> bool) -> usize {
        self.low.bytes().skip(self.at.saturating_add(from)).take_while(|byte| is(*byte)).count()
    }

    fn skip(&mut self, signs: &[u8]) {
        let len = self.run(0, |byte| signs.contains(&byte));
        self.take(Role::Space, len);
    }

    fn back_to(&mut self, at: usize) {
        self.at = at;
        self.pieces.retain(|piece| piece.bytes.start < at);
    }

    /// All of the text is one thing.
    pub fn all(&mut self, role: Role) {
        self.take(role, self.text.len());
    }

    /// Lays what is left into the last piece, and says from where; `None` where nothing is.
    pub fn rest(&mut self) -> Option<usize> {
        let from = self.at;
        let blank = self.left().trim().is_empty();
        self.take(if blank { Role::Space } else { Role::Rest }, self.text.len());
        (!blank).then_some(from)
    }

    /// One to three letters and nothing else.
    pub fn letters_alone(&mut self) -> bool {
        let is = matches!(self.left().trim_end().len(), 1..=3) && self.left().trim_end().bytes().all(|byte| byte.is_ascii_lowercase());
        if is {
            self.take(Role::Number, self.left().trim_end().len());
        }
        is
    }

    /// The device family in front of `-R400-V1`.
    pub fn family(&mut self) -> Option<Box<str>> {
        let at = self.left().match_indices("-r").map(|(at, _)| at).find(|at| {
            let digits = self.run(at.saturating_add(2), |byte| byte.is_ascii_digit());
            digits > 0 && self.left().get(at.saturating_add(2).saturating_add(digits)..).is_some_and(|rest| rest.starts_with("-v"))
        })?;
        let family = self.take(Role::Label, at.saturating_add(1)).trim_end_matches('-').into();
        Some(family)
    }

    /// The letters in front of the first number, without prefixes; `None` where no number follows, or a sentence stands there.
    pub fn label(&mut self) -> Option<String> {
        if self.is_hash() {
            let len = self.run(0, |byte| byte.is_ascii_alphanumeric());
            return Some(self.take(Role::Label, len).to_owned());
        }
        if let Some(label) = self.scheme.label(self.left()) {
            return Some(self.take(Role::Label, label.len()).to_owned());
        }
        self.prefixes();
        let len = self.run(0, |byte| byte.is_ascii_lowercase() || b" .-/".contains(&byte));
        let label = self.left().get(..len).unwrap_or_default();
        let prose = label.split_whitespace().any(|word| PROSE.contains(&word));
        let sentence = prose || len > LABEL_BYTES_MAX || label.split_whitespace().count() > LABEL_WORDS_MAX;
        let goes_on = self.byte(len).is_ascii_digit();
        if sentence || !goes_on || label.starts_with(['.', '-', '/']) {
            return None;
        }
        let mut label = self.take(Role::Label, len).trim_end_matches([' ', '.', '-', '/']).to_owned();
        if let Some((front, last)) = label.rsplit_once(' ')
            && self.scheme.prefix(last) == Some(last.len())
        {
            label = front.to_owned();
        }
        Some(label)
    }

    /// `V`, `Version v`: says nothing where a number follows.
    fn prefixes(&mut self) {
        while let Some(len) = self.scheme.prefix(self.left()) {
            let blanks = self.run(len, |byte| byte == b' ' || byte == b'.');
            let behind = len.saturating_add(blanks);
            let again = blanks > 0 && self.scheme.prefix(self.left().get(behind..).unwrap_or_default()).is_some();
            let wild = self.byte(behind) == b'x' && !self.byte(behind.saturating_add(1)).is_ascii_alphanumeric();
            if !self.byte(behind).is_ascii_digit() && !again && !wild {
                return;
            }
            self.take(Role::Prefix, behind);
        }
    }

    /// True where the run of letters and digits here looks like the hash of a commit.
    fn is_hash(&self) -> bool {
        let len = self.run(0, |byte| byte.is_ascii_alphanumeric());
        let run = self.left().as_bytes().get(..len).unwrap_or_default();
        let changes = run.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit())).count();
        len >= HASH_BYTES_MIN && changes >= HASH_CHANGES_MIN && run.iter().all(u8::is_ascii_hexdigit)
    }

    /// Numbers with dots between; `None` where none stands here. A number too long to count is left as the rest.
    pub fn numbers(&mut self, release: bool) -> Option<Vec<Number>> {
        let mut numbers = vec![self.number(false)?];
        loop {
            let at = self.at;
            match self.scheme.dot(self.left().trim_start_matches(' ')) {
                Some(len) => {
                    self.skip(b" ");
                    self.take(Role::Mark, len);
                    self.skip(b" .");
                }
                None if self.byte(0) == b'.' => {
                    self.take(Role::Space, 1);
                }
                None => return Some(numbers),
            }
            match self.number(release && numbers.len() == 1) {
                Some(number) => numbers.push(number),
                None => {
                    self.back_to(at);
                    return Some(numbers);
                }
            }
        }
    }

    fn number(&mut self, minor: bool) -> Option<Number> {
        let len = self.run(0, |byte| byte.is_ascii_digit());
        let free = self.run(len, |byte| byte == b'x');
        // Where single letters are revisions, 1.21X is one.
        let letter = len > 0 && self.scheme.form == Form::Letters;
        let free = if letter || self.byte(len.saturating_add(free)).is_ascii_alphanumeric() { 0 } else { free };
        if len == 0 {
            let free = if free == 0 && self.at > 0 && self.byte(0) == b'*' { 1 } else { free };
            let any = (free > 0).then_some(Number::Any);
            self.take(Role::Number, free);
            return any;
        }
        if self.is_hash() {
            return None;
        }
        let digits = self.left().get(..len).unwrap_or_default().to_owned();
        let value = digits.parse::<u128>().ok()?;
        let last = minor && self.byte(len.saturating_add(free)) != b'.';
        let lacks =
            self.scheme.minor_digits.filter(|_| last).and_then(|always| u32::try_from(always.saturating_sub(len)).ok()).unwrap_or(0);
        let (value, short) = match self.scheme.minor {
            Minor::Number => (value, lacks > 0 && value != 0),
            Minor::Fraction => (10_u128.checked_pow(lacks).and_then(|power| value.checked_mul(power))?, false),
        };
        let unsure = short || (!self.scheme.year_first && is_day_first(&digits));
        self.take(Role::Number, len.saturating_add(free));
        Some(match (u32::try_from(free).ok()?, unsure) {
            (0, false) if minor && digits.starts_with('0') && len > 1 => Number::Padded(value, u32::try_from(len).ok()?),
            (0, false) => Number::Known(value),
            (0, true) => Number::Unsure(value),
            (free, _) => Number::Begins(value, free),
        })
    }

    /// The steps behind the release numbers, as far as they are understood.
    pub fn tail(&mut self, steps: &mut Vec<Step>) {
        let mut tier_min = 0;
        loop {
            let at = self.at;
            self.skip(b" ");
            let sign = self.byte(0);
            let between = if b"-./+,".contains(&sign) { sign } else { 0 };
            if between != 0 {
                self.take(Role::Space, 1);
                self.skip(b" ");
            }
            if self.left().is_empty() && between != b'-' && between != b'/' && between != b'+' {
                return;
            }
            let attached = self.at == at || (self.at == at.saturating_add(1) && between != 0 && between != b',');
            let step = match self.byte(0) {
                b'0'..=b'9' if between != b',' => {
                    let sign = if between == 0 { b' ' } else { between };
                    self.numbers(false).map(|numbers| Some(Step { mark: Mark::Sign(sign), numbers }))
                }
                b'a'..=b'z' if between != b',' => self.word(attached, self.at == at, &mut tier_min),
                b'(' if between == 0 => self.parenthesis(steps),
                _ => None,
            };
            let Some(step) = step else {
                self.back_to(at);
                return;
            };
            steps.extend(step);
        }
    }

    /// A word with its number. `Some(None)` is a word that says nothing of the order.
    fn word(&mut self, attached: bool, adjoining: bool, tier_min: &mut u8) -> Option<Option<Step>> {
        if let Some((tier, place, len)) = self.scheme.level(self.left())
            && tier >= *tier_min
        {
            let gap = self.run(len, |byte| b" .-".contains(&byte));
            if self.byte(len.saturating_add(gap)).is_ascii_digit() {
                *tier_min = tier.saturating_add(1);
                self.take(Role::Mark, len);
                self.skip(b" .-");
                let numbers = self.numbers(false)?;
                return Some(Some(Step { mark: Mark::Level(tier, place), numbers }));
            }
        }
        let len = self.run(0, |byte| byte.is_ascii_lowercase());
        if (adjoining || self.scheme.form == Form::Letters) && len == 1 && !self.byte(1).is_ascii_digit() {
            let mark = Mark::Letter(self.byte(0));
            self.take(Role::Mark, 1);
            return Some(Some(Step { mark, numbers: Vec::new() }));
        }
        if self.is_hash() {
            let len = self.run(0, |byte| byte.is_ascii_alphanumeric());
            let mark = Mark::Word(self.take(Role::Mark, len).into());
            return Some(Some(Step { mark, numbers: Vec::new() }));
        }
        let gap = usize::from(b" .-".contains(&self.byte(len)));
        let counted = self.byte(len.saturating_add(gap)).is_ascii_digit();
        let word = self.left().get(..len)?.to_owned();
        let known = self.scheme.is_aside(&word) || EARLY.contains(&word.as_str());
        if len > WORD_BYTES_MAX || PROSE.contains(&word.as_str()) || (!counted && !attached && !known) {
            return None;
        }
        self.take(Role::Mark, len);
        let numbers = if counted {
            self.take(Role::Space, gap);
            self.numbers(false)?
        } else {
            Vec::new()
        };
        if self.scheme.is_aside(&word) {
            return Some(None);
        }
        let mark = if EARLY.contains(&word.as_str()) { Mark::Early(word.into()) } else { Mark::Word(word.into()) };
        Some(Some(Step { mark, numbers }))
    }

    /// A number in parentheses, perhaps with a prefix in front or one letter behind: `(7)`, `(4a)`, `(v9.90.196)`.
    fn parenthesis(&mut self, steps: &mut Vec<Step>) -> Option<Option<Step>> {
        self.take(Role::Space, 1);
        let build = BUILDS.into_iter().find(|word| self.left().starts_with(word));
        self.take(Role::Mark, build.map_or(0, str::len));
        self.skip(b" .");
        self.prefixes();
        let numbers = self.numbers(false)?;
        let mark = if build.is_some() { Mark::Word("build".into()) } else { Mark::Sign(b'(') };
        let letter = self.byte(0).is_ascii_lowercase().then(|| self.byte(0));
        self.take(Role::Mark, usize::from(letter.is_some()));
        if self.byte(0) != b')' {
            return None;
        }
        self.take(Role::Space, 1);
        let step = Step { mark, numbers };
        let Some(letter) = letter else { return Some(Some(step)) };
        steps.push(step);
        Some(Some(Step { mark: Mark::Letter(letter), numbers: Vec::new() }))
    }
}

/// True for eight digits that are a date only with the year behind: as numbers they have no order.
fn is_day_first(digits: &str) -> bool {
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<u32>().ok()).unwrap_or_default();
    let date = |year: u32, one: u32, two: u32| (1990..2100).contains(&year) && (1..=12).contains(&one) && (1..=31).contains(&two);
    let (first, second) = (part(0, 2), part(2, 4));
    digits.len() == DATE_DIGITS
        && !date(part(0, 4), part(4, 6), part(6, 8))
        && (date(part(4, 8), first, second) || date(part(4, 8), second, first))
}
