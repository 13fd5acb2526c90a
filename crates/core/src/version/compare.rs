//! How two versions of one scheme stand to each other: a partial order, and the set of what is possible where it has no answer.

use std::cmp::Ordering;

use super::parse::{Class, Mark, Number, Step};
use super::scheme::{Letter, Scheme};
use super::{Version, Zeros};

/// How one release stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It came before the other.
    Before,
    /// They are one release.
    Equal,
    /// It came after the other.
    After,
    /// Only the maker could say.
    NotComparable,
}

/// Which relations are possible between two versions: one where it is known, several where not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing(u8);

impl Standing {
    /// It came before the other.
    pub const BEFORE: Self = Self(1);
    /// They are one release.
    pub const EQUAL: Self = Self(2);
    /// It came after the other.
    pub const AFTER: Self = Self(4);
    /// Nothing is known.
    pub const UNKNOWN: Self = Self(7);

    const fn of(order: Ordering) -> Self {
        match order {
            Ordering::Less => Self::BEFORE,
            Ordering::Equal => Self::EQUAL,
            Ordering::Greater => Self::AFTER,
        }
    }

    /// One or the other.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True where nothing but `among` is possible.
    #[must_use]
    pub const fn only(self, among: Self) -> bool {
        self.0 & !among.0 == 0
    }

    /// True where `one` is possible.
    #[must_use]
    pub const fn may_be(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    /// The relation, where one is left.
    #[must_use]
    pub const fn relation(self) -> Relation {
        match self {
            Self::BEFORE => Relation::Before,
            Self::EQUAL => Relation::Equal,
            Self::AFTER => Relation::After,
            _ => Relation::NotComparable,
        }
    }
}

impl Version {
    /// How this version stands to `other`: a partial order on the texts of one scheme. Versions of two schemes have none. A wildcard at
    /// the end (`3.x`) stands where its line begins, one inside (`3.X.14`) has an order to what differs before it.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Relation {
        let (own, others) = (first_of_line(self), first_of_line(other));
        let standing = self.standing_with(&own, other, &others);
        // A wildcard inside matches what stands against it, and the other way round it says nothing: then there is no order.
        if mirrored(other.standing_with(&others, self, &own)) != standing {
            return Relation::NotComparable;
        }
        let line = self.has_wildcard() || other.has_wildcard();
        // A line is none of its releases, and not the one that it begins with.
        if line && standing == Standing::EQUAL && self.folded != other.folded { Relation::NotComparable } else { standing.relation() }
    }

    /// What is possible between this version of a device and a `bound` of a range: a wildcard of the bound matches any number, and one
    /// of the device says nothing.
    #[must_use]
    pub fn standing(&self, bound: &Self) -> Standing {
        self.standing_with(&self.release, bound, &bound.release)
    }

    fn standing_with(&self, release: &[Number], other: &Self, other_release: &[Number]) -> Standing {
        if !std::ptr::eq(self.scheme, other.scheme) {
            return Standing::UNKNOWN;
        }
        if self.same_text(other) {
            return Standing::EQUAL;
        }
        let labels = match labels(self.scheme, &self.class, &other.class) {
            Some(Ordering::Equal) => numbers(self.scheme.zeros, release, &self.tail, other_release, &other.tail, self.scheme),
            Some(order) => Standing::of(order),
            None => Standing::UNKNOWN,
        };
        let lost = release.is_empty() || other_release.is_empty();
        if lost { Standing::UNKNOWN } else { labels }
    }

    /// True where both are of one release line: one label, as many numbers, and all but the last the same; what stands on top of the
    /// release does not count. `3.160` and `3.170` are, `2.1` and `2.1.1` are not.
    #[must_use]
    pub fn same_line(&self, other: &Self) -> bool {
        let alike = std::ptr::eq(self.scheme, other.scheme) && self.class == other.class && self.release.len() == other.release.len();
        match (self.release.split_last(), other.release.split_last()) {
            (Some((_, own)), Some((_, line))) => alike && own == line,
            _ => false,
        }
    }

    /// True where `longer` begins with all that this version says and goes on: it may be a line, or one release of it.
    #[must_use]
    pub fn is_continued_by(&self, longer: &Self) -> bool {
        let own = line_start(self);
        if self.class != longer.class || !longer.release.starts_with(own) {
            return false;
        }
        let more = longer.release.len() > own.len();
        let steps = longer.tail.len() > self.tail.len() && longer.tail.starts_with(&self.tail);
        (more && self.tail.is_empty()) || (longer.release.len() == own.len() && steps)
    }

    /// True where both texts are built alike: one label, as many numbers, the same marks.
    #[must_use]
    pub fn same_shape(&self, other: &Self) -> bool {
        let marks = self.tail.iter().map(|step| &step.mark).eq(other.tail.iter().map(|step| &step.mark));
        self.class == other.class && self.release.len() == other.release.len() && marks
    }

    /// True for numbers with dots and what the scheme knows behind them, and at least two numbers: nothing but a version looks so.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let known = |step: &Step| matches!(step.mark, Mark::Level(..) | Mark::Letter(_) | Mark::Early(_));
        self.class.label.is_empty() && self.release.len() >= 2 && self.is_whole() && self.tail.iter().all(known)
    }

    /// True for one number with nothing behind it.
    #[must_use]
    pub fn is_one_number(&self) -> bool {
        self.release.len() == 1 && self.tail.is_empty()
    }

    /// True where letters stand in front of its number, or it has none.
    #[must_use]
    pub fn has_label(&self) -> bool {
        !self.class.label.is_empty() || self.release.is_empty()
    }

    /// True where nothing of it was understood.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.release.is_empty()
    }

    /// True where its last number is a wildcard and nothing stands behind it: `3.x`, `R16x`.
    #[must_use]
    pub fn is_line(&self) -> bool {
        self.tail.is_empty() && matches!(self.release.last(), Some(Number::Begins(..) | Number::Any))
    }

    /// True where a wildcard stands in it.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        self.release.iter().any(|number| matches!(number, Number::Begins(..) | Number::Any))
    }

    /// How many of the first numbers this version shares with `line`, a version without its last number; `None` where it is of another line.
    #[must_use]
    pub fn within_line_of(&self, line: &Self) -> Option<usize> {
        let (_, line_numbers) = line.release.split_last()?;
        (self.class == line.class && !line_numbers.is_empty() && self.release.starts_with(line_numbers)).then_some(line_numbers.len())
    }

    /// True where both texts are the same but for case, blanks and underscores.
    #[must_use]
    pub fn same_text(&self, other: &Self) -> bool {
        self.digest == other.digest && self.folded == other.folded
    }

    /// True where both belong to one counting: other labels have no order to this one.
    #[must_use]
    pub fn same_counting(&self, other: &Self) -> bool {
        self.class == other.class
    }
}

/// The numbers of the first release that a line can have: `R160` of `R16x`, `3` of `3.x`.
fn first_of_line(version: &Version) -> Vec<Number> {
    let mut numbers = line_start(version).to_vec();
    if let Some(last) = numbers.last_mut()
        && let Number::Begins(first, free) = *last
        && let Some(value) = 10_u128.checked_pow(free).and_then(|power| first.checked_mul(power))
        && version.tail.is_empty()
    {
        *last = Number::Known(value);
    }
    numbers
}

/// The numbers without wildcards at the end, where nothing stands behind them.
fn line_start(version: &Version) -> &[Number] {
    let len = version.release.iter().rposition(|number| *number != Number::Any).map_or(0, |at| at.saturating_add(1));
    if version.tail.is_empty() { version.release.get(..len).unwrap_or_default() } else { &version.release }
}

/// How two labels stand; `None` where they are two countings.
fn labels(scheme: &Scheme, one: &Class, other: &Class) -> Option<Ordering> {
    if one.counting != other.counting {
        return None;
    }
    if let (Some(one), Some(other)) = (&one.family, &other.family)
        && one != other
    {
        return None;
    }
    if one.label.is_empty() && other.label.is_empty() {
        return Some(Ordering::Equal);
    }
    let letters = scheme.label_orders && one.label.len() == 1 && other.label.len() == 1;
    if letters || one.label == other.label { Some(one.label.cmp(&other.label)) } else { None }
}

/// Numbers first; where they are the same as far as both go, the marks behind them.
fn numbers(zeros: Zeros, one: &[Number], one_tail: &[Step], other: &[Number], other_tail: &[Step], scheme: &Scheme) -> Standing {
    for (one, other) in one.iter().zip(other) {
        match number(*one, *other, scheme) {
            Standing::EQUAL => {}
            standing => return standing,
        }
    }
    let open = |numbers: &[Number]| numbers.last() == Some(&Number::Any);
    if (open(other) && other_tail.is_empty() && one.len() >= other.len().saturating_sub(1)) || one.len() == other.len() {
        return if open(other) && other_tail.is_empty() { Standing::EQUAL } else { tails(one_tail, other_tail, scheme) };
    }
    let (longer, more, shorter_tail) = if one.len() > other.len() {
        (Standing::AFTER, one.get(other.len()..), other_tail)
    } else {
        (Standing::BEFORE, other.get(one.len()..), one_tail)
    };
    let more = more.unwrap_or_default();
    if more.iter().all(|number| number.is_zero()) {
        let behind = tails(one_tail, other_tail, scheme);
        return if zeros == Zeros::Same { behind } else { behind.or(longer) };
    }
    let early = matches!(shorter_tail.first(), Some(Step { mark: Mark::Early(_), .. }));
    let first = more.iter().find(|number| !number.is_zero());
    let counted = first.is_some_and(|number| matches!(number, Number::Known(_) | Number::Padded(..)));
    if (shorter_tail.is_empty() || early) && counted { longer } else { Standing::UNKNOWN }
}

fn number(one: Number, other: Number, scheme: &Scheme) -> Standing {
    match (one.plain(scheme), other.plain(scheme)) {
        (Number::Padded(0, _), Number::Known(other) | Number::Padded(other, _)) => Standing::of(0.cmp(&other)),
        (Number::Known(one) | Number::Padded(one, _), Number::Padded(0, _)) => Standing::of(one.cmp(&0)),
        (Number::Padded(one, width), Number::Known(other)) if digits(other) >= width => Standing::of(one.cmp(&other)),
        (Number::Known(one), Number::Padded(other, width)) if digits(one) >= width => Standing::of(one.cmp(&other)),
        (Number::Padded(one, width), Number::Padded(other, same)) if width == same => Standing::of(one.cmp(&other)),
        (Number::Known(one), Number::Known(other)) => Standing::of(one.cmp(&other)),
        (Number::Known(one), Number::Begins(other, free)) => {
            Standing::of(10_u128.checked_pow(free).and_then(|power| one.checked_div(power)).unwrap_or_default().cmp(&other))
        }
        (Number::Begins(one, free), Number::Known(other)) => {
            let begins = 10_u128.checked_pow(free).and_then(|power| other.checked_div(power)).unwrap_or_default();
            match one.cmp(&begins) {
                Ordering::Equal => Standing::UNKNOWN,
                order => Standing::of(order),
            }
        }
        (Number::Known(_), Number::Any) => Standing::EQUAL,
        (one, other) if one == other => Standing::EQUAL,
        _ => Standing::UNKNOWN,
    }
}

/// Decimal digits of a number.
fn digits(value: u128) -> u32 {
    value.checked_ilog10().map_or(1, |log| log.saturating_add(1))
}

/// The steps behind equal numbers, the most weighty first.
fn tails(one: &[Step], other: &[Step], scheme: &Scheme) -> Standing {
    let (mut one, mut other) = (steps(one), steps(other));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return Standing::EQUAL,
            (Some(step), None) => return alone(step, scheme),
            (None, Some(step)) => return mirrored(alone(step, scheme)),
            (Some(one), Some(other)) => match pair(one, other, scheme) {
                Standing::EQUAL => {}
                standing => return standing,
            },
        }
    }
}

/// The steps that say something: service pack 0 is the release itself.
fn steps(tail: &[Step]) -> impl Iterator<Item = &Step> {
    tail.iter().filter(|step| !matches!(step.mark, Mark::Level(..)) || step.numbers.iter().any(|number| !number.is_zero()))
}

/// A step against nothing.
fn alone(step: &Step, scheme: &Scheme) -> Standing {
    match &step.mark {
        Mark::Level(..) => Standing::AFTER,
        Mark::Letter(_) if scheme.letter == Letter::Order => Standing::AFTER,
        Mark::Early(_) => Standing::BEFORE,
        _ => Standing::UNKNOWN,
    }
}

fn pair(one: &Step, other: &Step, scheme: &Scheme) -> Standing {
    match (&one.mark, &other.mark) {
        (Mark::Rest(one), Mark::Rest(other)) if one != other => Standing::UNKNOWN,
        (mark, same) if mark == same => counts(&one.numbers, &other.numbers, scheme),
        (Mark::Level(one, _), Mark::Level(other, _)) if one != other => Standing::of(other.cmp(one)),
        (Mark::Letter(one), Mark::Letter(other)) if scheme.letter == Letter::Order => Standing::of(one.cmp(other)),
        (Mark::Early(_), Mark::Level(..)) => Standing::BEFORE,
        (Mark::Level(..), Mark::Early(_)) => Standing::AFTER,
        (Mark::Early(_), Mark::Letter(_)) if scheme.letter == Letter::Order => Standing::BEFORE,
        (Mark::Letter(_), Mark::Early(_)) if scheme.letter == Letter::Order => Standing::AFTER,
        (Mark::Early(one), Mark::Early(other)) => early(one, other),
        _ => Standing::UNKNOWN,
    }
}

/// The counters of two equal marks.
fn counts(one: &[Number], other: &[Number], scheme: &Scheme) -> Standing {
    if one.is_empty() != other.is_empty() {
        return Standing::UNKNOWN;
    }
    for (one, other) in one.iter().zip(other) {
        match number(*one, *other, scheme) {
            Standing::EQUAL => {}
            standing => return standing,
        }
    }
    let more = |numbers: &[Number], from: usize| numbers.iter().skip(from).any(|number| !number.is_zero());
    match one.len().cmp(&other.len()) {
        Ordering::Equal => Standing::EQUAL,
        Ordering::Greater if more(one, other.len()) => Standing::AFTER,
        Ordering::Less if more(other, one.len()) => Standing::BEFORE,
        _ => Standing::UNKNOWN,
    }
}

/// Alpha, beta, release candidate; of the others nobody knows.
fn early(one: &str, other: &str) -> Standing {
    let rank = |word: &str| ["alpha", "beta", "rc"].iter().position(|known| *known == word);
    match (rank(one), rank(other)) {
        (Some(one), Some(other)) => Standing::of(one.cmp(&other)),
        _ => Standing::UNKNOWN,
    }
}

/// The same from the other side: before and after change places.
const fn mirrored(Standing(possible): Standing) -> Standing {
    Standing((possible & 1) << 2 | (possible & 2) | (possible & 4) >> 2)
}
