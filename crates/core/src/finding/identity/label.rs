//! What a product's name says: which devices it means, and what it says beside that. Every byte of the name is in a piece.

use std::collections::BTreeSet;
use std::ops::Range;

use super::order::{self, Order};
use super::word::{self, Sign, Word};
use super::{line, vendor};

/// Longer names are cut: the longest of the corpus has 186 bytes.
const NAME_BYTES_MAX: usize = 512;

/// More words of a name are not read: the most of the corpus is 30.
const WORDS_MAX: usize = 64;

/// A name means no more devices than that: `FX5U-xMy/z` with its lists is 24, and a list of 12 relays of three kinds is 36.
const NAMES_MAX: usize = 128;

/// What a piece of a product's name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Blanks and signs that say nothing.
    Space,
    /// The maker.
    Maker,
    /// A word of the model.
    Model,
    /// A word that says nothing of which device it is.
    Noise,
    /// An order number or a mask over several.
    Order,
    /// A line of releases: `V4.X`, `prior to V4.7`.
    Line,
    /// A demand beside the model: a serial number, an option.
    Condition,
    /// Who else is meant, or who is not: `incl. SIPLUS variants`, `except ...`.
    Scope,
    /// A remark: an acronym, `(discontinued product)`.
    Note,
    /// The part of the device that the version belongs to.
    Part,
    /// Not understood.
    Rest,
}

/// A piece of a name, by its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub role: Role,
    /// Where it stands.
    pub bytes: Range<usize>,
}

/// A name, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Label {
    /// The devices that it means, each as the words of its model.
    pub(super) names: Vec<Vec<String>>,
    /// Order numbers.
    pub(super) orders: Vec<Order>,
    /// The line of releases.
    pub(super) line: Option<String>,
    /// Demands that no order number settles.
    pub(super) conditions: Vec<String>,
    /// Demands on the variant of a device: an order number settles them.
    pub(super) variants: Vec<String>,
    /// The part that the version belongs to.
    pub(super) part: Option<String>,
    /// The series of hardware that it means; none: any.
    pub(super) series: Vec<char>,
    /// It speaks of a family.
    pub(super) family: bool,
    /// It means SIPLUS variants too.
    pub(super) siplus: bool,
    /// It means related devices of other lines too.
    pub(super) related: bool,
    /// Words that it includes: `(incl. F)`.
    pub(super) includes: Vec<String>,
    /// Words of devices that it does not mean.
    pub(super) except: Vec<Vec<String>>,
    /// All of the text, in order, without gaps.
    pub(super) pieces: Vec<Piece>,
}

impl Label {
    /// True where it says which device it means.
    pub(super) fn says_device(&self) -> bool {
        !self.orders.is_empty() || self.names.iter().any(|name| !name.is_empty())
    }
}

/// An item of the model while a name is read.
enum Item {
    /// A word with all that it stands for.
    Word(Vec<Vec<String>>),
    /// A word that says nothing where others do.
    Brand(String),
    /// A comma.
    Comma,
    /// `and`.
    And,
}

struct Reader<'a> {
    words: &'a [Word],
    makers: Vec<&'a str>,
    text: &'a str,
    at: usize,
    items: Vec<Item>,
    roles: Vec<(Range<usize>, Role)>,
    label: Label,
}

/// Reads the name of a product of these makers.
pub(super) fn read(text: &str, makers: &BTreeSet<String>) -> Label {
    let kept = word::cut(text, NAME_BYTES_MAX);
    let all = word::words(kept);
    let words = all.get(..WORDS_MAX).unwrap_or(&all);
    let mut reader = Reader {
        words,
        makers: makers.iter().map(String::as_str).collect(),
        text,
        at: 0,
        items: Vec::new(),
        roles: Vec::new(),
        label: Label::default(),
    };
    reader.all();
    let end = words.last().map_or(0, |word| word.at.end);
    if kept.len() < text.len() || words.len() < all.len() {
        reader.roles.push((end..text.len(), Role::Rest));
    }
    let Reader { items, roles, mut label, .. } = reader;
    label.names = names(&items, &mut label.family);
    label.pieces = pieces(text.len(), roles);
    label
}

impl Reader<'_> {
    fn all(&mut self) {
        self.maker();
        self.maker();
        while self.at < self.words.len() {
            let taken = self.scope().or_else(|| self.condition()).or_else(|| self.part()).or_else(|| self.order());
            let taken = taken.or_else(|| self.line()).or_else(|| self.series()).or_else(|| self.note()).unwrap_or_else(|| self.model());
            self.at += taken.max(1);
        }
    }

    fn word(&self, ahead: usize) -> &str {
        self.words.get(self.at + ahead).map_or("", |word| word.text.as_str())
    }

    fn sign(&self, ahead: usize) -> Option<Sign> {
        self.words.get(self.at + ahead).map(|word| word.sign)
    }

    /// Gives so many words from here a role.
    fn mark(&mut self, words: usize, role: Role) {
        let from = self.words.get(self.at).map(|word| word.at.start);
        let to = self.words.get(self.at + words.saturating_sub(1)).map(|word| word.at.end);
        if let (Some(from), Some(to)) = (from, to) {
            self.roles.push((from..to, role));
        }
    }

    fn written(&self, words: usize) -> String {
        let from = self.words.get(self.at).map_or(0, |word| word.at.start);
        let to = self.words.get(self.at + words.saturating_sub(1)).map_or(from, |word| word.at.end);
        self.text.get(from..to).unwrap_or_default().to_owned()
    }

    fn written_word(&self, ahead: usize) -> String {
        self.words.get(self.at + ahead).and_then(|word| self.text.get(word.at.clone())).unwrap_or_default().to_owned()
    }

    /// How many words from here to the end of the parenthesis, or of the text.
    fn to_end_of_scope(&self) -> usize {
        let mut depth = 0_usize;
        for (count, word) in self.words.iter().skip(self.at).enumerate() {
            match word.sign {
                Sign::Open => depth += 1,
                Sign::Close if depth == 0 => return count,
                Sign::Close => depth -= 1,
                _ => {}
            }
        }
        self.words.len() - self.at
    }

    /// The maker's name in front of the model.
    fn maker(&mut self) {
        const MAKER_WORDS_MAX: usize = 4;
        for count in (1..=MAKER_WORDS_MAX).rev() {
            let Some(words) = self.words.get(self.at..self.at + count) else { continue };
            let name: Vec<&str> = words.iter().flat_map(|word| word.text.split(['-', '.'])).filter(|word| !word.is_empty()).collect();
            let name = name.join(" ");
            let known = vendor::is_name(&name) || self.makers.contains(&name.as_str());
            if words.iter().all(|word| word.sign == Sign::Word) && known {
                self.mark(count, Role::Maker);
                self.at += count;
                return;
            }
        }
    }

    /// `incl. SIPLUS variants`, `except IM155-6 PN ST`, `not including EchoPAC`.
    fn scope(&mut self) -> Option<usize> {
        let excludes =
            matches!(self.word(0), "except" | "excluding" | "excl" | "not" if self.word(0) != "not" || self.word(1) == "including");
        if excludes {
            let count = self.to_end_of_scope();
            let words = self.words.get(self.at + 1..self.at + count).unwrap_or_default();
            let parts = words.split(|word| matches!(word.sign, Sign::And | Sign::Comma));
            let tokens = parts
                .map(|part| part.iter().filter(|word| !word::kinds(&word.text).noise).flat_map(|word| word::split(&word.text)).collect());
            self.label.except.extend(tokens.filter(|part: &Vec<String>| !part.is_empty()));
            self.mark(count, Role::Scope);
            return Some(count);
        }
        if !matches!(self.word(0), "incl" | "including") {
            return None;
        }
        let end = self.to_end_of_scope();
        let rest = self.words.get(self.at..self.at + end)?;
        let count = rest.iter().position(|word| matches!(word.text.as_str(), "except" | "excluding")).unwrap_or(end);
        for word in rest.get(1..count).unwrap_or_default() {
            match word.text.as_str() {
                "siplus" => self.label.siplus = true,
                "related" => self.label.related = true,
                text if word::kinds(text).noise || text == "net" => {}
                text => self.label.includes.extend(word::split(text)),
            }
        }
        self.mark(count, Role::Scope);
        Some(count)
    }

    /// A serial number, an option, a date of making, what it must be fitted with.
    fn condition(&mut self) -> Option<usize> {
        let (first, second) = (self.word(0), self.word(1));
        let serial = |at: usize| self.word(at) == "serial" && matches!(self.word(at + 1), "number" | "numbers" | "no");
        let digits = first == "the" && second == "first" && self.word(3) == "digits";
        let hard = serial(0)
            || serial(1) && matches!(first, "with" | "a")
            || digits
            || first == "manufactured"
            || first == "with" && second == "option";
        let hardware =
            first == "hardware" && second == "version" || first == "revisions" || first == "revision" && self.sign(1) == Some(Sign::Word);
        let fitted = matches!(first, "with" | "without" | "containing" | "equipped")
            && !matches!(second, "firmware" | "embedded" | "legacy" | "network")
            && !word::kinds(second).part;
        if hard || hardware {
            let count = self.to_end_of_scope();
            let count = if hardware { self.hardware_words(count) } else { count };
            self.label.conditions.push(self.written(count));
            self.mark(count, Role::Condition);
            return Some(count);
        }
        let count = match first {
            "w" => 2,
            _ if fitted => self.to_end_of_scope(),
            _ => return None,
        };
        self.label.variants.push(self.written(count));
        self.mark(count, Role::Condition);
        Some(count)
    }

    /// `hardware version 4.0 and below`, `revisions A B C`: as far as numbers and single letters go.
    fn hardware_words(&self, most: usize) -> usize {
        let words = self.words.get(self.at..self.at + most).unwrap_or_default();
        let belongs = |word: &Word| {
            word.sign == Sign::And
                || matches!(word.text.as_str(), "hardware" | "version" | "revision" | "revisions" | "below" | "above" | "later" | "earlier")
                || word.text.len() == 1
                || word.text.starts_with(|c: char| c.is_ascii_digit())
        };
        words.iter().position(|word| !belongs(word)).unwrap_or(words.len())
    }

    /// `using NMC2`, `with embedded NMC2`, `NMC2` behind the model.
    fn part(&mut self) -> Option<usize> {
        let lead = usize::from(matches!(self.word(0), "using" | "with")) + usize::from(self.word(1) == "embedded");
        let is_part = word::kinds(self.word(lead)).part && (lead > 0 || !self.items.is_empty());
        if !is_part {
            return None;
        }
        self.label.part = Some(self.written_word(lead));
        self.mark(lead + 1, Role::Part);
        Some(lead + 1)
    }

    fn order(&mut self) -> Option<usize> {
        if self.sign(0) != Some(Sign::Word) {
            return None;
        }
        let before = self.at.saturating_sub(4)..self.at;
        let told = self
            .words
            .get(before)
            .unwrap_or_default()
            .iter()
            .any(|word| matches!(word.text.as_str(), "number" | "numbers" | "mlfb" | "mlfbs" | "mlfb:"));
        let rest = self.words.get(self.at..)?;
        let (count, orders) = order::begins(rest, &self.makers, told)?;
        self.label.orders.extend(orders);
        self.mark(count, Role::Order);
        Some(count)
    }

    /// `V4.X`, `v15`, `prior to V4.7`, `V7.1 and earlier`, `R121` alone.
    fn line(&mut self) -> Option<usize> {
        let before = self.at.checked_sub(1).and_then(|at| self.words.get(at)).map_or("", |word| word.text.as_str());
        let sel = self.makers.contains(&"schweitzer engineering laboratories");
        let words = self.words.get(self.at..)?;
        let count = line::length(words, before, self.items.is_empty(), sel)?;
        let line = self.written(count);
        let held = self.label.line.take();
        self.label.line = Some(held.map_or_else(|| line.clone(), |held| format!("{held} {line}")));
        self.mark(count, Role::Line);
        Some(count)
    }

    /// `Series A`, `Series B and C`, `1400 B/C`.
    fn series(&mut self) -> Option<usize> {
        let letters = |word: &str| {
            let parts = word.split('/');
            parts.map(|part| part.chars().next().filter(|c| c.is_ascii_lowercase() && part.len() == 1)).collect::<Option<Vec<char>>>()
        };
        let rockwell = self.makers.contains(&"rockwell automation");
        let lead = usize::from(self.word(0) == "series");
        if lead == 0 && (!rockwell || self.at + 1 != self.words.len() || self.items.is_empty()) {
            return None;
        }
        let mut found = letters(self.word(lead))?;
        let mut count = lead + 1;
        while self.sign(count).is_some_and(|sign| matches!(sign, Sign::And | Sign::Comma)) {
            let Some(more) = letters(self.word(count + 1)) else { break };
            found.extend(more);
            count += 2;
        }
        self.label.series.extend(found.iter().map(char::to_ascii_uppercase));
        self.mark(count, Role::Order);
        Some(count)
    }

    /// A parenthesis that repeats what stands before it, or says nothing.
    fn note(&mut self) -> Option<usize> {
        if self.sign(0) != Some(Sign::Open) {
            return None;
        }
        let close = self.words.iter().skip(self.at).position(|word| word.sign == Sign::Close)?;
        let inside = self.words.get(self.at + 1..self.at + close)?;
        let said = inside.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let remark = ["discontinued", "eol", "end-of-life", "end of life", "formerly", "former name", "previously", "all supported"];
        let initials: String = self.words.get(..self.at)?.iter().filter_map(|word| word.text.chars().next()).collect();
        let acronym = said.len() > 1 && said.bytes().all(|byte| byte.is_ascii_lowercase()) && initials.ends_with(said.as_str());
        if !acronym && !remark.iter().any(|word| said.starts_with(word)) {
            return None;
        }
        self.mark(close + 1, Role::Note);
        Some(close + 1)
    }

    fn model(&mut self) -> usize {
        match self.sign(0) {
            Some(Sign::Comma) => self.items.push(Item::Comma),
            Some(Sign::And) => self.items.push(Item::And),
            Some(Sign::Open | Sign::Close) | None => {}
            Some(Sign::Word) => return self.model_word(),
        }
        1
    }

    fn model_word(&mut self) -> usize {
        let rest =
            self.words.iter().skip(self.at).filter(|word| !matches!(word.sign, Sign::Open | Sign::Close)).map(|word| word.text.as_str());
        if let Some((count, says)) = word::phrase(rest) {
            let count = self.with_brackets(count);
            self.mark(count, if says.is_empty() { Role::Noise } else { Role::Model });
            if !says.is_empty() {
                self.items.push(Item::Word(vec![vec![says.to_owned()]]));
            }
            return count;
        }
        let text = self.word(0).to_owned();
        let kinds = word::kinds(&text);
        self.label.family |= kinds.family;
        let (role, count) = if kinds.noise {
            (Role::Noise, 1)
        } else if kinds.brand {
            self.items.push(Item::Brand(text));
            (Role::Noise, 1)
        } else if text.contains('\u{fffd}') {
            (Role::Rest, 1)
        } else {
            let (count, all) = super::expand::word(self.words.get(self.at..).unwrap_or_default());
            if all.is_empty() {
                (Role::Rest, count)
            } else {
                self.items.push(Item::Word(all));
                (Role::Model, count)
            }
        };
        self.mark(count, role);
        count
    }

    /// A phrase of so many words, with the brackets between them.
    fn with_brackets(&self, words: usize) -> usize {
        let mut left = words;
        for (count, word) in self.words.iter().skip(self.at).enumerate() {
            if !matches!(word.sign, Sign::Open | Sign::Close) {
                left -= 1;
            }
            if left == 0 {
                return count + 1;
            }
        }
        words
    }
}

/// The devices that the items mean: one, or each of a list.
fn names(items: &[Item], family: &mut bool) -> Vec<Vec<String>> {
    let mut elements: Vec<Vec<&Item>> = vec![Vec::new()];
    for (at, item) in items.iter().enumerate() {
        let held = elements.last().map(Vec::as_slice).unwrap_or_default();
        let ahead = items.get(at + 1..).unwrap_or_default();
        let parts = match item {
            Item::Comma => alike(held, ahead),
            Item::And => {
                numbered(held.iter().copied()) && numbered(ahead.iter().take_while(|item| !matches!(item, Item::And | Item::Comma)))
            }
            Item::Word(_) => same_numbers(held, item),
            Item::Brand(_) => false,
        };
        if parts {
            elements.push(Vec::new());
        }
        if let (Item::Word(_) | Item::Brand(_), Some(last)) = (item, elements.last_mut()) {
            last.push(item);
        }
    }
    let first = elements.first().cloned().unwrap_or_default();
    let mut all: Vec<Vec<String>> = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        let element = if at == 0 { element.clone() } else { completed(&first, element) };
        all.extend(product(&element));
    }
    *family |= all.len() > 1;
    all.sort_unstable();
    all.dedup();
    all.truncate(NAMES_MAX);
    all
}

/// The word of an item, where it is one.
fn one<'a>(item: &'a Item) -> Option<&'a str> {
    match item {
        Item::Word(all) => all.first().and_then(|name| name.last()).map(String::as_str),
        _ => None,
    }
}

fn numbered<'a>(items: impl IntoIterator<Item = &'a Item>) -> bool {
    items.into_iter().filter_map(one).any(|word| word.contains(|c: char| c.is_ascii_digit()))
}

/// `KTP400F, KTP700`: both begin with a letter, the same one, and hold a digit.
fn alike(held: &[&Item], ahead: &[Item]) -> bool {
    let last = held.last().and_then(|item| one(item)).unwrap_or_default();
    let next = ahead.iter().find_map(one).unwrap_or_default();
    let shaped = |word: &str| word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.contains(|c: char| c.is_ascii_digit());
    let relay = |word: &str| {
        word.len() <= 6 && word.starts_with(|c: char| matches!(c, '6' | '7')) && word.contains(|c: char| c.is_ascii_alphabetic())
    };
    shaped(last) && shaped(next) && last.get(..1) == next.get(..1) || relay(last) && relay(next)
}

/// `NPort 5210 5230 and 5232`: numbers of one length behind each other.
fn same_numbers(held: &[&Item], item: &Item) -> bool {
    const LIST_DIGITS_MIN: usize = 4;
    let number = |word: &str| word.len() >= LIST_DIGITS_MIN && word.bytes().all(|byte| byte.is_ascii_digit());
    let last = held.last().and_then(|item| one(item)).unwrap_or_default();
    one(item).is_some_and(|word| number(word) && number(last) && word.len() == last.len())
}

/// An element of a list with what it shares with the first: `CP 1616 and CP 1604`, `NPort 5210 and 5232`.
fn completed<'a>(first: &[&'a Item], element: &[&'a Item]) -> Vec<&'a Item> {
    let begins = element.iter().find_map(|item| one(item)).unwrap_or_default();
    if begins.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return element.to_vec();
    }
    let head = first.iter().take_while(|item| !one(item).unwrap_or_default().starts_with(|c: char| c.is_ascii_digit()));
    head.copied().chain(element.iter().copied()).collect()
}

/// Each choice of what the words stand for, without brands where others say more.
fn product(items: &[&Item]) -> Vec<Vec<String>> {
    let said = items.iter().any(|item| matches!(item, Item::Word(_)));
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for item in items {
        match item {
            Item::Word(choices) => {
                let longer = all.iter().flat_map(|name| choices.iter().map(move |choice| name.iter().chain(choice).cloned().collect()));
                all = longer.take(NAMES_MAX).collect();
            }
            Item::Brand(brand) if !said => all.iter_mut().for_each(|name| name.push(brand.clone())),
            _ => {}
        }
    }
    for name in &mut all {
        name.sort_unstable();
        name.dedup();
    }
    all
}

/// The pieces of a text, without gaps.
fn pieces(length: usize, roles: Vec<(Range<usize>, Role)>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut end = 0;
    for (bytes, role) in roles {
        if bytes.start < end {
            continue;
        }
        if bytes.start > end {
            pieces.push(Piece { role: Role::Space, bytes: end..bytes.start });
        }
        end = bytes.end;
        pieces.push(Piece { role, bytes });
    }
    if end < length {
        pieces.push(Piece { role: Role::Space, bytes: end..length });
    }
    pieces
}
