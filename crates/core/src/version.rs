//! How the releases of a product line are ordered. Named schemes, chosen by a profile; what a scheme cannot read has no order.

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
        match self {
            Self::Opaque => None,
            Self::Dotted => {
                let digits = text.strip_prefix(['v', 'V']).unwrap_or(text);
                let parts: Option<Vec<&str>> = digits.split('.').map(number).collect();
                parts.map(|parts| parts.join("."))
            }
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
}
