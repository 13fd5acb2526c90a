//! Reading a range: from left to right, every byte into a piece.

use super::limit::{Limit, Side};
use super::phrase;
use super::set::{self, Doubt, Term};
use super::words::{BEFORE, BEHIND, JOINS, KINDS, SHUT, blank_len, is_name, starts, starts_blank};
use super::{Condition, Piece, RANGE_BYTES_MAX, Range, Role};
use crate::version::{Relation, Scheme, Version};

pub fn range(scheme: &'static Scheme, text: &str) -> Range {
    let mut reading = Reading { scheme, text, low: low(text), at: 0, ..Reading::start(scheme, text) };
    if text.len() <= RANGE_BYTES_MAX {
        reading.terms();
    } else {
        reading.lay(Role::Rest, text.len());
    }
    reading.end_of_part();
    let Reading { terms, conditions, component, pieces, parts, mut doubt, .. } = reading;
    let (set, told) = set::of(terms);
    doubt = doubt.or(told);
    let whole = pieces.iter().all(|piece| piece.role != Role::Rest);
    Range { text: text.into(), scheme, pieces, set, conditions, one_part: parts <= 1, doubt, component, whole }
}

/// Lower case, underscores as blanks, byte for byte as long as the text.
fn low(text: &str) -> String {
    text.to_ascii_lowercase().replace(['_', '\t', '\r', '\n'], " ")
}

struct Reading<'a> {
    scheme: &'static Scheme,
    text: &'a str,
    low: String,
    at: usize,
    pieces: Vec<Piece>,
    terms: Vec<Term>,
    conditions: Vec<Condition>,
    component: Option<Box<str>>,
    /// `All versions` or a condition stood in this part, and no version yet.
    framed: bool,
    /// A version stood in this part.
    counted: bool,
    /// Parts with `|` between.
    parts: usize,
    /// An operator that waits for its version.
    side: Option<Side>,
    /// No join stands between the last term and what follows.
    adjoining: bool,
    doubt: Option<Doubt>,
}

impl<'a> Reading<'a> {
    fn start(scheme: &'static Scheme, text: &'a str) -> Self {
        Self {
            scheme,
            text,
            low: String::new(),
            at: 0,
            pieces: Vec::new(),
            terms: Vec::new(),
            conditions: Vec::new(),
            component: None,
            framed: false,
            counted: false,
            parts: 0,
            side: None,
            adjoining: false,
            doubt: None,
        }
    }

    fn left(&self) -> &str {
        self.low.get(self.at..).unwrap_or_default()
    }

    /// Lays the next `len` bytes into a piece; two rests side by side are one.
    fn lay(&mut self, role: Role, len: usize) {
        let from = self.at;
        self.at = from.saturating_add(len).min(self.text.len());
        match self.pieces.last_mut() {
            _ if self.at == from => {}
            Some(last) if last.role == role && matches!(role, Role::Rest | Role::Space) => last.bytes.end = self.at,
            _ => self.pieces.push(Piece { role, bytes: from..self.at }),
        }
    }

    fn terms(&mut self) {
        while !self.left().is_empty() {
            let blanks = self.left().bytes().take_while(|byte| *byte == b' ').count();
            if blanks > 0 {
                self.lay(Role::Space, blanks);
            } else if !(self.parenthesis()
                || self.frame()
                || self.phrase()
                || self.operator()
                || self.hanging()
                || self.join()
                || self.version())
            {
                let word = self.left().find([' ', '|', '<', '>']).unwrap_or(self.left().len()).max(1);
                let word = (word..=self.left().len()).find(|end| self.left().is_char_boundary(*end)).unwrap_or(word);
                self.lay(Role::Rest, word);
            }
        }
        if self.side.is_some() {
            // An operator with nothing behind it: what it bounds is lost.
            self.demote(Role::Operator);
        }
    }

    /// Marks the last piece of that role as not understood.
    fn demote(&mut self, role: Role) {
        if let Some(piece) = self.pieces.iter_mut().rev().find(|piece| piece.role == role) {
            piece.role = Role::Rest;
        }
    }

    /// `vers:all/`, `All versions`, `*`: every version, unless an end follows.
    fn frame(&mut self) -> bool {
        let left = self.left().to_owned();
        if let Some(rest) = left.strip_prefix("vers:")
            && let Some(slash) = rest.find('/')
        {
            let star = usize::from(rest.get(slash.saturating_add(1)..).is_some_and(|rest| rest.starts_with('*')));
            self.framed |= star == 1;
            self.lay(Role::Frame, slash.saturating_add(6).saturating_add(star));
            return true;
        }
        if left.starts_with('*') {
            self.framed = true;
            self.lay(Role::Frame, 1);
            return true;
        }
        let mut words = left.split(' ').filter(|word| !word.is_empty()).peekable();
        let all = words.next_if(|word| matches!(*word, "all" | "any"));
        let kind = words.next_if(|word| KINDS.contains(word));
        let versions = words.next_if(|word| matches!(*word, "versions" | "releases" | "version"));
        let bios = kind.filter(|kind| *kind == "bios");
        let Some(last) = versions.filter(|word| all.is_some() || *word != "version").or(kind.filter(|_| all.is_some())) else {
            let alone = all.filter(|_| words.peek().is_none_or(|word| word.starts_with(['<', '>', '('])));
            self.framed |= alone.is_some();
            self.lay(Role::Frame, alone.map_or(0, str::len));
            return alone.is_some();
        };
        let len = left.find(last).map_or(0, |at| at.saturating_add(last.len()));
        if bios == Some("bios") {
            self.component = Some("bios".into());
        }
        self.framed |= all.is_some();
        self.lay(Role::Frame, len);
        true
    }

    /// A condition or a remark.
    fn phrase(&mut self) -> bool {
        let Some(said) = phrase::at(self.left(), self.side) else { return false };
        if said.took_operator {
            self.side = None;
        }
        let role = if said.condition.is_some() { Role::Condition } else { Role::Note };
        self.framed |= said.condition.is_some() && !self.counted;
        self.conditions.extend(said.condition);
        self.lay(role, said.bytes);
        true
    }

    /// A parenthesis that no phrase knows: all of it is not understood, whatever stands inside.
    fn parenthesis(&mut self) -> bool {
        let known = !self.left().starts_with('(') || phrase::at(self.left(), self.side).is_some();
        if known || SHUT.iter().any(|(words, _)| self.left().starts_with(words)) {
            return false;
        }
        let mut open = 0_usize;
        let end = self.left().char_indices().find_map(|(at, sign)| {
            match sign {
                '(' => open = open.saturating_add(1),
                ')' => open = open.saturating_sub(1),
                _ => {}
            }
            (open == 0).then_some(at.saturating_add(1))
        });
        self.lay(Role::Rest, end.unwrap_or(self.left().len()));
        true
    }

    fn operator(&mut self) -> bool {
        if self.left().starts_with('=') && !self.left().starts_with("=<") && !self.left().starts_with("=>") && self.side.is_none() {
            self.lay(Role::Operator, if self.left().starts_with("==") { 2 } else { 1 });
            return true;
        }
        let Some((words, side)) = BEFORE.into_iter().find(|(words, _)| starts(self.left(), words)) else { return false };
        let ahead = self.left().get(words.len()..).unwrap_or_default().trim_start();
        if ahead.is_empty() && words.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return false;
        }
        if self.side.is_some() {
            self.demote(Role::Operator);
        }
        if self.adjoining && matches!(self.terms.last(), Some(Term::Point(_))) {
            self.point_before_operator(side, words);
        }
        self.side = Some(side);
        self.adjoining = false;
        self.lay(Role::Operator, words.len());
        true
    }

    /// A text right in front of an operator: `NMC2 <= 6.9.6` names a part, `R16x through R17` begins a span.
    fn point_before_operator(&mut self, side: Side, words: &str) {
        let worded = words.starts_with(|c: char| c.is_ascii_alphabetic());
        match self.terms.pop() {
            Some(Term::Point(version)) if side.is_upper() && (version.is_plain() || (worded && version.is_whole())) => {
                self.terms.push(Term::End(Limit { side: Side::From, version }));
                if !worded {
                    // "1.91 <= 2.8.0" may mean that, or a list.
                    self.doubt = Some(Doubt::Carried);
                }
            }
            Some(Term::Point(version)) if version.has_label() && self.terms.is_empty() && is_name(version.text()) => {
                self.component = Some(version.text().trim().to_lowercase().into());
                if let Some(piece) = self.pieces.iter_mut().rev().find(|piece| matches!(piece.role, Role::Version | Role::Rest)) {
                    piece.role = Role::Component;
                }
            }
            last => {
                self.terms.extend(last);
                self.demote(Role::Version);
            }
        }
    }

    /// `and below`, `(including)`: makes an end of the version in front.
    fn hanging(&mut self) -> bool {
        let is_point = self.adjoining && matches!(self.terms.last(), Some(Term::Point(_)));
        let shut = SHUT.into_iter().find(|(words, _)| self.left().starts_with(words));
        let behind = BEHIND.into_iter().filter(|(words, _)| starts_blank(self.left(), words)).max_by_key(|(words, _)| words.len());
        let has_low = self.terms.iter().rev().nth(1).is_some_and(|term| matches!(term, Term::End(end) if !end.side.is_upper()));
        let (len, side) = match (shut, behind) {
            (Some((words, included)), _) => (
                words.len(),
                match (has_low, included) {
                    (true, true) => Side::UpTo,
                    (true, false) => Side::Below,
                    (false, true) => Side::From,
                    (false, false) => Side::Above,
                },
            ),
            (None, Some((words, side))) => (blank_len(self.left(), words).len(), side),
            (None, None) => return false,
        };
        if !is_point {
            return false;
        }
        if let Some(Term::Point(version)) = self.terms.pop() {
            self.terms.push(Term::End(Limit { side, version }));
        }
        self.lay(Role::Operator, len);
        true
    }

    fn join(&mut self) -> bool {
        let Some(join) = JOINS.into_iter().find(|join| starts(self.left(), join)) else { return false };
        self.adjoining = false;
        match join {
            "|" => self.end_of_part(),
            "or" => self.terms.push(Term::Or),
            _ => {}
        }
        self.lay(Role::Join, join.len());
        true
    }

    /// A part without a version of its own names every version.
    fn end_of_part(&mut self) {
        if self.framed && !self.counted {
            self.terms.push(Term::All);
        }
        self.parts = self.parts.saturating_add(1);
        (self.framed, self.counted) = (false, false);
    }

    /// A version, up to what cannot belong to one.
    fn version(&mut self) -> bool {
        let end = self.version_end();
        let Some(text) = self.text.get(self.at..self.at.saturating_add(end)).filter(|text| !text.trim().is_empty()) else { return false };
        let trimmed = text.trim_end().len();
        let text = text.get(..trimmed).unwrap_or_default();
        if self.adjoining {
            // A second text without a join: nobody knows what it says.
            return false;
        }
        let between = self.left().starts_with("between ").then_some("between ".len());
        if let Some(len) = between {
            self.lay(Role::Operator, len);
            return true;
        }
        let side = self.side.take();
        let terms = match side {
            Some(side) => vec![Term::End(Limit { side, version: Version::read(self.scheme, text) })],
            None => self.span(text).unwrap_or_else(|| vec![Term::Point(Version::read(self.scheme, text))]),
        };
        let rest = terms.last().map_or(0, |term| match term {
            Term::End(Limit { version, .. }) | Term::Point(version) if terms.len() == 1 => version.rest().len(),
            _ => 0,
        });
        let unread = terms.iter().any(|term| matches!(term, Term::End(Limit { version, .. }) if version.is_unread()));
        self.terms.extend(terms);
        (self.adjoining, self.counted) = (true, true);
        if unread {
            self.lay(Role::Rest, text.len());
        } else {
            self.lay(Role::Version, text.len().saturating_sub(rest));
            self.lay(Role::Rest, rest);
        }
        true
    }

    /// Where the version that begins here cannot go on.
    fn version_end(&self) -> usize {
        let left = self.left();
        let mut open = 0_usize;
        for (at, sign) in left.char_indices() {
            match sign {
                '<' | '>' | '|' | ';' | '\u{2264}' | '\u{2265}' if open == 0 => return at,
                ' ' | '(' | ',' if open == 0 && at > 0 && self.stops(at) => return at,
                '(' => open = open.saturating_add(1),
                ')' => open = open.saturating_sub(1),
                _ => {}
            }
        }
        left.len()
    }

    fn stops(&self, at: usize) -> bool {
        let rest = self.left().get(at..).unwrap_or_default();
        let word = rest.trim_start_matches(' ');
        let said = || word.len() < rest.len() || word.starts_with('(');
        let listed = rest.starts_with(", ") || rest == "," || SHUT.iter().any(|(words, _)| word.starts_with(words));
        let worded = || {
            let behind = BEHIND.iter().any(|(words, _)| starts_blank(word, words));
            let before = BEFORE.iter().any(|(words, _)| starts(word, words));
            behind || before || starts(word, "and") || starts(word, "or")
        };
        // A date has its comma inside.
        let date = rest.starts_with(", ") && rest.get(2..6).is_some_and(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
        (listed && !date) || (said() && (phrase::at(word, self.side).is_some() || (word.len() < rest.len() && worded())))
    }

    /// `20-33`, `01.14.000 -01.47.000`, `V191-V195`: from one to the other, where both sides are built alike and the first is older.
    fn span(&self, text: &str) -> Option<Vec<Term>> {
        text.match_indices(['-', '\u{2013}', '\u{2014}']).find_map(|(at, dash)| {
            let (front, back) = (text.get(..at)?, text.get(at.saturating_add(dash.len())..)?);
            let low = Version::read(self.scheme, front);
            let high = Version::read(self.scheme, back);
            let apart = dash != "-" || front.ends_with(' ') || back.starts_with(' ') || low.is_one_number();
            let fits = apart && low.is_whole() && high.is_whole() && low.same_shape(&high) && low.compare(&high) == Relation::Before;
            // A number alone is a line with all of its releases.
            let high = if high.is_one_number() { Version::read(self.scheme, &format!("{}.x", back.trim())) } else { high };
            let ends = [(Side::From, low), (Side::UpTo, high)];
            fits.then(|| ends.map(|(side, version)| Term::End(Limit { side, version })).into())
        })
    }
}
