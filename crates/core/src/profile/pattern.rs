//! A pattern of a profile. There are hundreds, and a plant has a dozen families: each is compiled where a text comes that it may match, and not before.

use std::sync::OnceLock;

use regex::bytes::{Captures, Regex, RegexBuilder};

/// Compiled size of one pattern in bytes: a profile's patterns read short texts; more than this is a mistake or an attack.
const PATTERN_BYTES_MAX: usize = 64 * 1024;
/// What is more than itself in a pattern.
const META: &str = r"\.+*?()|[]{}^$";

/// A pattern that can be compiled. It is of bytes: `\d` is one of ten digits, as it is meant, and not one of all scripts, which makes a pattern many times as large.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: Box<str>,
    /// What a text begins with that it matches.
    beginning: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Checks a pattern; how many groups it has, the whole among them, stands beside it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<(Self, usize), String> {
        // Some 10 KiB each: it goes again.
        let groups = compile(text).map_err(|e| last_line(&e.to_string()).to_owned())?.captures_len();
        Ok((Self { text: text.into(), beginning: beginning(text).into(), compiled: OnceLock::new() }, groups))
    }

    /// Whether it is found in a text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.may_match(text) && self.compiled().is_some_and(|regex| regex.is_match(text.as_bytes()))
    }

    /// Where it is found in a text, and its groups.
    #[must_use]
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        if self.may_match(text) { self.compiled()?.captures(text.as_bytes()) } else { None }
    }

    fn may_match(&self, text: &str) -> bool {
        text.starts_with(&*self.beginning)
    }

    /// It was compiled once, so it can be.
    fn compiled(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.text).ok()).as_ref()
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).size_limit(PATTERN_BYTES_MAX).build()
}

/// A regex error draws the pattern over several lines; its last line says what is wrong.
fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap_or(text).trim_start_matches("error: ")
}

/// The letters behind `^` that stand for themselves, in a pattern that offers nothing beside them.
fn beginning(pattern: &str) -> &str {
    let Some(rest) = pattern.strip_prefix('^').filter(|rest| !rest.contains('|')) else { return "" };
    let end = rest.find(|c| META.contains(c)).unwrap_or(rest.len());
    let (letters, behind) = rest.split_at(end);
    // The last letter may be one that need not be there.
    let is_optional = behind.starts_with(['?', '*', '{']);
    let last = letters.chars().next_back().filter(|_| is_optional).map_or(0, char::len_utf8);
    letters.get(..letters.len().saturating_sub(last)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_pattern_is_what_each_text_begins_with_that_it_matches() {
        for (pattern, expected) in [
            ("^CWS06$", "CWS06"),
            ("^Acme M1( [A-Z])?$", "Acme M1"),
            ("^ab?c", "a"),
            ("^ab*", "a"),
            ("^ab+", "ab"),
            ("^ab{0,2}", "a"),
            ("^\u{fc}?x", ""),
            ("^a|^b", ""),
            ("^(?i)acme", ""),
            ("^V\\.1", "V"),
            ("abc", ""),
            ("^", ""),
        ] {
            assert_eq!(beginning(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_matches_what_its_regex_does() {
        let texts = [
            "",
            "a",
            "b",
            "ab",
            "abc",
            "ac",
            "acme",
            "ACME",
            "V.1",
            "V11",
            "CWS06",
            "CWS061",
            "xCWS06",
            "\u{fc}x",
            "x",
            "Acme M1",
            "Acme M1 B",
        ];
        for pattern in
            ["^CWS06$", "^Acme M1( [A-Z])?$", "^ab?c", "^ab*", "^ab+", "^ab{0,2}", "^\u{fc}?x", "^a|^b", "^(?i)acme", "^V\\.1", "abc", "^"]
        {
            let (own, _) = Pattern::new(pattern).expect("a pattern");
            let regex = compile(pattern).expect("a pattern");
            for text in texts {
                assert_eq!(own.is_match(text), regex.is_match(text.as_bytes()), "{pattern} {text}");
                let range = |found: Option<Captures<'_>>| {
                    found.map(|found| found.iter().map(|part| part.map(|part| part.range())).collect::<Vec<_>>())
                };
                assert_eq!(range(own.captures(text)), range(regex.captures(text.as_bytes())), "{pattern} {text}");
            }
        }
    }
}
