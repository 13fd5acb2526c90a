//! Reads a product's name, word by word, from left to right.

use std::collections::BTreeSet;
use std::ops::Range;

use super::label::{Label, NAME_BYTES_MAX, Role};
use super::list::{self, Item};
use super::word::{self, Sign, Word};
use super::{line, order, vendor};

/// More words of a name are not read: the most of the corpus is 30.
const WORDS_MAX: usize = 64;

struct Reader<'a> {
    words: &'a [Word],
    makers: Vec<&'a str>,
    text: &'a str,
    at: usize,
    items: Vec<Item>,
    roles: Vec<(Range<usize>, Role)>,
    /// Devices of their own that the name includes.
    included: Vec<Vec<String>>,
    label: Label,
}

/// A name of a product of these makers, read.
pub(super) fn name(text: &str, makers: &BTreeSet<String>) -> Label {
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
        included: Vec::new(),
        label: Label::default(),
    };
    reader.all();
    reader.unread();
    let end = words.last().map_or(0, |word| word.at.end);
    if kept.len() < text.len() || words.len() < all.len() {
        reader.roles.push((end..text.len(), Role::Rest));
    }
    let Reader { items, roles, included, mut label, .. } = reader;
    label.names = list::names(&items, &mut label.family);
    if label.names.iter().any(|name| !name.is_empty()) {
        label.names.extend(included);
        // A card is what the name says of it, wherever it is put: `Rack PDU using NMC2`.
        label.card = label.part.as_deref().map(str::to_lowercase);
    }
    label.pieces = super::label::pieces(text.len(), roles);
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

    /// What shows that the name is not whole: half a parenthesis, an end in the middle of a sentence, letters that were damaged.
    fn unread(&mut self) {
        let mut open = Vec::new();
        let mut rest = Vec::new();
        for word in self.words {
            match word.sign {
                Sign::Open => open.push(word.at.clone()),
                Sign::Close if open.pop().is_none() => rest.push(word.at.clone()),
                _ => {}
            }
        }
        rest.extend(open);
        let dangling = |word: &&Word| {
            matches!(word.sign, Sign::And | Sign::Comma)
                || matches!(word.text.as_str(), "with" | "for" | "the" | "of" | "respective" | "incl" | "using")
        };
        rest.extend(self.words.last().filter(dangling).map(|word| word.at.clone()));
        let damaged = |c: &char| matches!(c, '\u{fffd}' | 'Ã' | 'Â' | 'â' | '¢' | '„' | '\u{80}'..='\u{9f}');
        rest.extend(word::cut(self.text, NAME_BYTES_MAX).char_indices().filter(|(_, c)| damaged(c)).map(|(at, c)| at..at + c.len_utf8()));
        self.roles.extend(rest.into_iter().map(|bytes| (bytes, Role::Rest)));
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
        // `American Power Conversion Corp` has four.
        const MAKER_WORDS_MAX: usize = 4;
        if !vendor::may_begin(self.word(0), &self.makers) {
            return;
        }
        for count in (1..=MAKER_WORDS_MAX).rev() {
            let Some(words) = self.words.get(self.at..self.at + count) else { continue };
            let name: Vec<&str> = words.iter().flat_map(|word| word.text.split(['-', '.'])).filter(|word| !word.is_empty()).collect();
            let name = name.join(" ");
            let last = self.at + count == self.words.len();
            let known =
                vendor::is_name(&name) && (!last || self.at == 0 && self.is_of(&name)) || !last && self.makers.contains(&name.as_str());
            if words.iter().all(|word| word.sign == Sign::Word) && known {
                self.mark(count, Role::Maker);
                self.at += count;
                return;
            }
        }
    }

    /// True where the table calls this name one of the makers.
    fn is_of(&self, name: &str) -> bool {
        vendor::read(name).names.iter().any(|name| self.makers.contains(&name.as_str()))
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
        let meant = rest.get(1..count).unwrap_or_default();
        for word in meant {
            match word.text.as_str() {
                "siplus" => self.label.siplus = true,
                "related" => self.label.related = true,
                text if word::kinds(text).noise || text == "net" => {}
                text => self.label.includes.extend(word::split(text)),
            }
        }
        // `incl. X408 and SIPLUS NET variants`: a device of its own. Related ones are a table's matter.
        let meant = meant.split(|word| word.text == "with").next().unwrap_or_default();
        for part in meant.split(|word| matches!(word.sign, Sign::And | Sign::Comma)).filter(|_| !self.label.related) {
            let words: Vec<String> = part
                .iter()
                .filter(|word| word.sign == Sign::Word && !word::kinds(&word.text).noise)
                .flat_map(|word| word::split(&word.text))
                .collect();
            if words.iter().any(|word| word.contains(|c: char| c.is_ascii_digit())) && !words.iter().any(|word| word == "siplus") {
                self.included.push(words);
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
            Some(Sign::And) => {
                self.items.push(Item::And);
                self.mark(1, Role::Noise);
            }
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
        let (role, count) = if kinds.noise || self.begins_a_later_word(&text) {
            (Role::Noise, 1)
        } else if kinds.brand {
            self.items.push(Item::Brand(text));
            (Role::Noise, 1)
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

    /// `MV` of `MV Series MV1200S`.
    fn begins_a_later_word(&self, text: &str) -> bool {
        let later = self.words.get(self.at + 2..).unwrap_or_default();
        self.word(1) == "series" && later.iter().any(|word| word.text.starts_with(text) && word.text != text)
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
