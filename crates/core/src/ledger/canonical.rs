//! The one way to write a value as JSON, so that equal values have equal bytes and equal hashes.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// Nesting that a value may have; an entry has 6. Writing recurses, and a stack is not endless.
const NESTING_LEVELS_MAX: usize = 64;

/// A value that has no canonical form here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCanonical {
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for NotCanonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for NotCanonical {}

/// The canonical JSON of a value: no white space, keys in the order of their UTF-16 code units, strings with the shortest escapes
/// (RFC 8785, 3.2), integers in full. RFC 8785 would round integers above 2^53 as JavaScript does; here none is rounded, and there
/// are no fractions.
///
/// # Errors
/// [`NotCanonical`]: a number that is no integer of 64 bits, a map whose keys are no strings or not all different, or nesting without
/// reason.
pub fn canonical(value: &impl Serialize) -> Result<Vec<u8>, NotCanonical> {
    // serde_json writes no white space and the shortest escapes already; what is left is the order of keys.
    let text = serde_json::to_string(value).map_err(|e| NotCanonical { why: e.to_string() })?;
    let mut ordered = Ordered { text: &text, at: 0, bytes: Vec::with_capacity(text.len()) };
    ordered.value(NESTING_LEVELS_MAX)?;
    Ok(ordered.bytes)
}

/// JSON without white space, on its way into the order of its keys.
struct Ordered<'a> {
    text: &'a str,
    at: usize,
    bytes: Vec<u8>,
}

/// A key with its quotation marks, and where its member stands in what was written.
type Member<'a> = (&'a str, Range<usize>);

impl<'a> Ordered<'a> {
    fn value(&mut self, levels: usize) -> Result<(), NotCanonical> {
        let deeper = levels.checked_sub(1).ok_or_else(|| NotCanonical { why: format!("nested more than {NESTING_LEVELS_MAX} deep") })?;
        match self.next() {
            Some(b'{') => self.object(deeper),
            Some(b'[') => {
                self.mark();
                while self.next().is_some_and(|byte| byte != b']') {
                    if self.next() == Some(b',') {
                        self.mark();
                    }
                    self.value(deeper)?;
                }
                self.mark();
                Ok(())
            }
            Some(b'"') => {
                let text = self.string();
                self.bytes.extend_from_slice(text.as_bytes());
                Ok(())
            }
            _ => self.word(),
        }
    }

    fn object(&mut self, levels: usize) -> Result<(), NotCanonical> {
        self.mark();
        let first = self.bytes.len();
        let mut members: Vec<Member<'a>> = Vec::new();
        while self.next().is_some_and(|byte| byte != b'}') {
            if self.next() == Some(b',') {
                self.at += 1;
            }
            let start = self.bytes.len();
            let key = self.string();
            self.bytes.extend_from_slice(key.as_bytes());
            self.mark();
            self.value(levels)?;
            self.bytes.push(b',');
            members.push((key, start..self.bytes.len()));
        }
        self.order(first, members)?;
        // The last comma gives way to the end.
        if self.bytes.len() > first {
            self.bytes.pop();
        }
        self.mark();
        Ok(())
    }

    /// Puts the members that were written from `first` on into their order.
    fn order(&mut self, first: usize, mut members: Vec<Member<'a>>) -> Result<(), NotCanonical> {
        if members.is_sorted_by(|(a, _), (b, _)| by_utf16(a, b).is_lt()) {
            return Ok(());
        }
        members.sort_by(|(a, _), (b, _)| by_utf16(a, b));
        if let Some([(key, _), ..]) = members.windows(2).find(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return Err(NotCanonical { why: format!("the key {key} stands there twice") });
        }
        let written = self.bytes.split_off(first);
        for (_, range) in members {
            self.bytes.extend_from_slice(written.get(range.start - first..range.end - first).unwrap_or_default());
        }
        Ok(())
    }

    /// `null`, `true`, `false` or a number.
    fn word(&mut self) -> Result<(), NotCanonical> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = rest.split([',', ']', '}']).next().unwrap_or_default();
        let known = ["null", "true", "false"].contains(&word) || word.parse::<u64>().is_ok() || word.parse::<i64>().is_ok();
        if !known {
            return Err(NotCanonical { why: format!("{word} is no integer of 64 bits") });
        }
        self.bytes.extend_from_slice(word.as_bytes());
        self.at += word.len();
        Ok(())
    }

    /// Passes over a string; gives it with its quotation marks.
    fn string(&mut self) -> &'a str {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (mut end, mut escaped) = (1, false);
        for byte in rest.iter().skip(1) {
            end += 1;
            match byte {
                b'"' if !escaped => break,
                b'\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        let string = self.text.get(self.at..self.at + end).unwrap_or_default();
        self.at += end;
        string
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Copies one byte: a bracket, a comma, a colon.
    fn mark(&mut self) {
        self.bytes.extend(self.next());
        self.at += 1;
    }
}

/// The order of RFC 8785, 3.2.3, of keys in quotation marks.
fn by_utf16(a: &str, b: &str) -> Ordering {
    let inner = |key: &str| serde_json::from_str::<String>(key).unwrap_or_default();
    let plain = |key: &str| key.is_ascii() && !key.contains('\\');
    if plain(a) && plain(b) {
        // Without their quotation marks: a blank and an exclamation mark come before those.
        return bare(a).cmp(bare(b));
    }
    inner(a).encode_utf16().cmp(inner(b).encode_utf16())
}

/// A key's bytes between its quotation marks.
fn bare(key: &str) -> &[u8] {
    key.as_bytes().get(1..key.len().saturating_sub(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_have_equal_bytes() {
        // The strings and the order of keys are RFC 8785's own examples (3.2.2 and 3.2.3).
        let table = [
            (json!({"b": 1, "a": [true, null, {}]}), r#"{"a":[true,null,{}],"b":1}"#),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(-1), "-1"),
            (json!("\u{20ac}$\u{000f}\nA'B\"\\\\\"/"), r#""€$\u000f\nA'B\"\\\\\"/""#),
            (
                json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7}),
                "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}",
            ),
        ];
        for (value, expected) in table {
            assert_eq!(String::from_utf8(canonical(&value).unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn what_looks_like_json_inside_a_text_stays_there() {
        for text in ["", "\\", "\"", "\\\"", "},{\"a\":[1,2", "],", "\u{1}\u{1f600}", "a\\"] {
            let (key, value) = (format!("b{text}"), json!({format!("b{text}"): [text, text], "a": {"z": text, "y": null}}));
            let expected = format!(r#"{{"a":{{"y":null,"z":{0}}},{1}:[{0},{0}]}}"#, json!(text), json!(key));
            assert_eq!(String::from_utf8(canonical(&value).unwrap()).unwrap(), expected);
        }
        for (value, expected) in [(json!({}), "{}"), (json!([]), "[]"), (json!([[], {}, ""]), r#"[[],{},""]"#), (json!(""), "\"\"")] {
            assert_eq!(String::from_utf8(canonical(&value).unwrap()).unwrap(), expected);
        }
    }

    /// A map with one key twice, as a careless type may serialise itself.
    struct Twice;

    impl Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_map([("a", 1), ("a", 2)])
        }
    }

    #[test]
    fn what_has_no_one_form_is_refused() {
        assert!(canonical(&Twice).is_err());
        assert!(canonical(&u128::MAX).is_err());
        assert!(canonical(&1.5).is_err());
        let nested = (0..100).fold(json!(0), |inner, _| json!([inner]));
        assert!(canonical(&nested).is_err());
    }
}
