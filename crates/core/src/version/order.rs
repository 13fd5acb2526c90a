//! How the releases of a product line are ordered. Named schemes, chosen by a profile; what a scheme cannot read has no order.
//!
//! The choices are argued in docs/decisions/0009.

use std::cmp::Ordering;

use serde::Deserialize;

/// A scheme of version texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Numbers with dots between, after an optional `v`: each number compares as a number, so `3.110` comes after `3.11`.
    Dotted,
    /// No order is known: texts are equal or they differ.
    Opaque,
}

impl Order {
    /// The normal form that stands beside the device's own text; `None` where the scheme cannot read it.
    #[must_use]
    pub fn normal(self, text: &str) -> Option<String> {
        self.parts(text).map(|parts| parts.join("."))
    }

    /// True when both texts name one release: by their normal forms where both have one, else letter by letter. `03.1` is `3.1`;
    /// `2.1` is not `2.1.0`.
    #[must_use]
    pub fn same(self, one: &str, other: &str) -> bool {
        match (self.parts(one), self.parts(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        }
    }

    /// How `one` stands to `other`; `None` where nobody can say. A text that goes on where the other ends is the later one, unless it
    /// goes on with nothing but zeros: whether `2.1.0` is another release than `2.1`, only its maker knows.
    #[must_use]
    pub fn compare(self, one: &str, other: &str) -> Option<Ordering> {
        if self.same(one, other) {
            return Some(Ordering::Equal);
        }
        let (one, other) = (self.parts(one)?, self.parts(other)?);
        let differ = one.iter().zip(&other).map(|(one, other)| by_number(one, other)).find(|order| order.is_ne());
        let goes_on = |parts: &[&str], from: usize| parts.iter().skip(from).any(|part| *part != "0");
        differ.or_else(|| {
            if goes_on(&one, other.len()) {
                Some(Ordering::Greater)
            } else if goes_on(&other, one.len()) {
                Some(Ordering::Less)
            } else {
                None
            }
        })
    }

    /// True when both are of one release line: as many numbers, and all but the last the same. `3.160` and `3.170` are, `3.160` and
    /// `4.0` are not, nor are `2.1` and `2.1.1`.
    #[must_use]
    pub fn same_line(self, one: &str, other: &str) -> bool {
        let line = |text| self.parts(text).and_then(|parts| parts.split_last().map(|(_, line)| line.to_vec()));
        line(one).is_some_and(|own| Some(own) == line(other))
    }

    /// The numbers of a text, without leading zeros.
    fn parts(self, text: &str) -> Option<Vec<&str>> {
        match self {
            Self::Opaque => None,
            Self::Dotted => text.strip_prefix(['v', 'V']).unwrap_or(text).split('.').map(number).collect(),
        }
    }
}

/// A decimal number without its leading zeros; `None` for anything else. Text, not an integer: no length overflows.
fn number(part: &str) -> Option<&str> {
    if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let plain = part.trim_start_matches('0');
    Some(if plain.is_empty() { "0" } else { plain })
}

/// Numbers without leading zeros: the longer one is greater, of equal length the digits decide.
fn by_number(one: &str, other: &str) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_texts_have_a_normal_form_and_others_have_none() {
        for (text, expected) in [
            ("v03.110", Some("3.110")),
            ("V2.70", Some("2.70")),
            ("5.1.20", Some("5.1.20")),
            ("0", Some("0")),
            ("08.0B", None),
            ("V3.3.0.1GC", None),
            ("2..1", None),
            ("", None),
            ("v", None),
        ] {
            assert_eq!(Order::Dotted.normal(text).as_deref(), expected, "{text}");
        }
        assert_eq!(Order::Opaque.normal("2.1"), None);
    }

    fn check(order: Order, one: &str, other: &str, expected: Option<Ordering>) {
        assert_eq!(order.compare(one, other), expected, "{one} to {other}");
        assert_eq!(order.compare(other, one), expected.map(Ordering::reverse), "{other} to {one}");
        assert_eq!(order.same(one, other), expected == Some(Ordering::Equal), "{one} = {other}");
    }

    #[test]
    fn numbers_compare_as_numbers_part_by_part() {
        use Ordering::{Equal, Greater, Less};
        for (one, other, expected) in [
            ("3.110", "3.11", Some(Greater)),
            ("2.10", "2.9", Some(Greater)),
            ("03.1", "3.1", Some(Equal)),
            ("v03.110", "3.110", Some(Equal)),
            ("V2.70", "v2.70", Some(Equal)),
            ("2.9.9", "3.0", Some(Less)),
            ("2.1.3", "2.1", Some(Greater)),
            ("2.1.0.1", "2.1", Some(Greater)),
            ("2.1.0", "2.1", None),
            ("0", "0.0", None),
            ("99999999999999999999999.1", "99999999999999999999998.2", Some(Greater)),
            ("100000000000000000000", "99999999999999999999", Some(Greater)),
            ("2.1a", "2.1b", None),
            ("2.1a", "2.1a", Some(Equal)),
            ("2.1", "2.1b", None),
            ("", "1", None),
        ] {
            check(Order::Dotted, one, other, expected);
        }
    }

    #[test]
    fn opaque_texts_are_equal_or_they_differ() {
        check(Order::Opaque, "2.1", "2.2", None);
        check(Order::Opaque, "2.1", "02.1", None);
        check(Order::Opaque, "2.1", "2.1", Some(Ordering::Equal));
    }

    #[test]
    fn a_release_line_is_all_but_the_last_number() {
        for (one, other, expected) in [
            ("3.160", "v03.170", true),
            ("5.1.20", "5.1.3", true),
            ("5.1.20", "5.2.20", false),
            ("3.160", "4.0", false),
            ("2.1", "2.1.1", false),
            ("7", "8", true),
            ("7a", "7a", false),
        ] {
            assert_eq!(Order::Dotted.same_line(one, other), expected, "{one} and {other}");
        }
        assert!(!Order::Opaque.same_line("3.1", "3.2"));
    }
}
