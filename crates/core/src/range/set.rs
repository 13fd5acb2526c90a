//! What the terms of a range say together: the rule for `|`, lists, and one bound per line.

use super::answer::{Truth, Why};
use super::limit::{Limit, Side, is_named};
use crate::version::{Relation, Version};

/// A term as it stands in the text.
#[derive(Clone, Debug)]
pub enum Term {
    /// Every version.
    All,
    /// One end.
    End(Limit),
    /// A version alone.
    Point(Version),
    /// The word `or`: what stands before it and behind it are two ranges.
    Or,
}

/// What the terms say together.
#[derive(Clone, Debug)]
pub enum Set {
    /// Every version.
    All,
    /// Nothing that could be read.
    Unread,
    /// In one of these.
    Spans(Vec<Span>),
    /// Several upper ends, each for its own line.
    PerLine(Vec<Limit>),
}

/// A part of the versions.
#[derive(Clone, Debug)]
pub enum Span {
    /// Between two ends, or on one side of one.
    Ends(Option<Limit>, Option<Limit>),
    /// One version.
    Point(Version),
}

/// Why a version that is in no span may still be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// `<= 9.4 | >= 10.2.1`: perhaps the operators are the wrong way round.
    Inverted,
    /// `<= 1.12.0.27 | 1.12.13.2`: perhaps the operator holds for what follows it, or the list is a damaged text.
    Carried,
    /// Ends that shut each other out.
    Contradictory,
    /// `<= 8.1 | >= 8.1.10`: the one end lies in the line that the other names.
    OneLine,
}

/// Puts the terms together.
///
/// A lower end followed by an upper end that is not below it is a span between both, whatever stands between them. An upper end alone,
/// a lower end alone and a version alone are each a part, and the range is all of them. Several upper ends are one per line. An upper
/// end followed by a lower end above it, with no `or` between, leaves a gap, and what lies in it is not decided.
pub fn of(terms: Vec<Term>) -> (Set, Option<Doubt>) {
    if terms.iter().all(|term| matches!(term, Term::Or)) {
        return (Set::Unread, None);
    }
    if terms.iter().any(|term| matches!(term, Term::All)) {
        return (Set::All, None);
    }
    let mut spans = Vec::new();
    let mut doubt = None;
    let (mut ends, mut points, mut or) = (0_usize, 0_usize, false);
    let mut low: Option<Limit> = None;
    for term in terms {
        match term {
            Term::All => {}
            Term::Or => {
                or = true;
                spans.extend(low.take().map(|low| Span::Ends(Some(low), None)));
            }
            Term::Point(version) => {
                points = points.saturating_add(1);
                spans.extend(low.take().map(|low| Span::Ends(Some(low), None)));
                spans.push(Span::Point(version));
            }
            Term::End(end) if end.side.is_upper() => {
                ends = ends.saturating_add(1);
                match low.take() {
                    Some(from) if crosses(&from, &end) => {
                        doubt = Some(Doubt::Contradictory);
                        spans.extend([Span::Ends(None, Some(end)), Span::Ends(Some(from), None)]);
                    }
                    from => spans.push(Span::Ends(from, Some(end))),
                }
            }
            Term::End(end) => {
                ends = ends.saturating_add(1);
                spans.extend(low.replace(end).map(|low| Span::Ends(Some(low), None)));
            }
        }
    }
    spans.extend(low.map(|low| Span::Ends(Some(low), None)));
    if ends > 0 && points > 0 {
        doubt = doubt.or(Some(Doubt::Carried));
    }
    match spans.as_slice() {
        [Span::Ends(None, Some(upper)), Span::Ends(Some(lower), None)] if doubt.is_none() && !or => {
            if crosses(lower, upper) {
                let one_line = upper.version.is_continued_by(&lower.version);
                let doubt = if one_line { Doubt::OneLine } else { Doubt::Inverted };
                (Set::Spans(spans), Some(doubt))
            } else {
                (Set::Spans(vec![Span::Ends(Some(lower.clone()), Some(upper.clone()))]), None)
            }
        }
        [_, _, ..] if spans.iter().all(|span| matches!(span, Span::Ends(None, Some(_)))) => {
            let limits = spans.into_iter().filter_map(|span| match span {
                Span::Ends(_, upper) => upper,
                Span::Point(_) => None,
            });
            (Set::PerLine(limits.collect()), doubt)
        }
        _ => (Set::Spans(spans), doubt),
    }
}

/// True where the lower end is above the upper one: nothing lies between them.
fn crosses(lower: &Limit, upper: &Limit) -> bool {
    match lower.version.compare(&upper.version) {
        Relation::After => true,
        Relation::Equal => lower.side == Side::Above || upper.side == Side::Below,
        _ => false,
    }
}

impl Set {
    /// Whether the version is in it.
    pub fn has(&self, version: &Version) -> Truth {
        match self {
            Self::All => Truth::Yes,
            Self::Unread => Truth::Unknown(Why::Unread),
            Self::Spans(spans) => spans.iter().fold(Truth::No, |truth, span| truth.or(span.has(version))),
            Self::PerLine(limits) => per_line(limits.iter(), version),
        }
    }

    /// True where the range names this text.
    pub fn names(&self, version: &Version) -> bool {
        match self {
            Self::All | Self::Unread => false,
            Self::PerLine(limits) => limits.iter().any(|end| end.version.same_text(version)),
            Self::Spans(spans) => spans.iter().any(|span| match span {
                Span::Point(point) => point.same_text(version),
                Span::Ends(low, high) => low.iter().chain(high).any(|end| end.version.same_text(version)),
            }),
        }
    }

    /// True where the version is below some limit or named: it may be what a doubtful text means.
    pub fn leaves_open(&self, doubt: Doubt, version: &Version) -> bool {
        let Self::Spans(spans) = self else { return true };
        match doubt {
            Doubt::Contradictory | Doubt::OneLine => true,
            Doubt::Inverted => !spans.iter().any(|span| span.has(version) == Truth::Yes),
            // Above all that the text names, no reading of it takes the version in, unless a version of the list was torn apart.
            Doubt::Carried => spans.iter().any(|span| match span {
                Span::Point(point) => !above(version, point) || !point.same_shape(version),
                Span::Ends(_, Some(end)) => !above(version, &end.version),
                Span::Ends(..) => true,
            }),
        }
    }

    pub fn shown(&self) -> String {
        match self {
            Self::All => "all versions".to_owned(),
            Self::Unread => "nothing read".to_owned(),
            Self::Spans(spans) => spans.iter().map(Span::shown).collect::<Vec<_>>().join(" or "),
            Self::PerLine(limits) => {
                let limits: Vec<String> = limits.iter().map(shown).collect();
                format!("per line {}", limits.join(", "))
            }
        }
    }
}

fn above(version: &Version, named: &Version) -> bool {
    version.standing(named).only(crate::version::Standing::AFTER)
}

fn shown(limit: &Limit) -> String {
    format!("{}{}", limit.side.sign(), limit.version.text().trim())
}

impl Span {
    fn has(&self, version: &Version) -> Truth {
        match self {
            Self::Point(point) => is_named(point, version),
            Self::Ends(low, high) => {
                let low = low.as_ref().map_or(Truth::Yes, |end| end.takes_in(version));
                low.and(high.as_ref().map_or(Truth::Yes, |end| end.takes_in(version)))
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Point(version) => format!("={}", version.text().trim()),
            Self::Ends(low, high) => low.iter().chain(high).map(shown).collect::<Vec<_>>().join(" and "),
        }
    }
}

/// Each end holds for its own line. Below all ends is inside, above all is outside; a version of a line that no end names is undecided.
pub fn per_line<'e>(limits: impl Iterator<Item = &'e Limit> + Clone, version: &Version) -> Truth {
    let counted = || limits.clone().filter(|end| end.version.same_counting(version));
    let mut truths = counted().map(|end| end.takes_in(version));
    let Some(first) = truths.next() else { return Truth::Unknown(Why::NoOrder) };
    if truths.all(|truth| truth == first) {
        return first;
    }
    let Some(numbers) = counted().filter_map(|end| version.within_line_of(&end.version)).max() else {
        return Truth::Unknown(Why::NoLine);
    };
    let mut own = counted().filter(|end| version.within_line_of(&end.version) == Some(numbers)).map(|end| end.takes_in(version));
    let first = own.next().unwrap_or(Truth::Unknown(Why::NoLine));
    if own.all(|truth| truth == first) { first } else { Truth::Unknown(Why::NoLine) }
}
