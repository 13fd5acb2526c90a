//! The one way to write a value as JSON, so that equal values have equal bytes and equal hashes.

mod serializer;

use std::borrow::Cow;
use std::fmt;

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
    let mut page = Page::default();
    page.write(value)?;
    Ok(page.bytes)
}

/// What [`canonical`] JSON is written on, one value after the other. It is written in one pass: an object's members are put into their
/// order when it ends.
#[derive(Debug, Default)]
pub struct Page {
    bytes: Vec<u8>,
    /// The members so far of every object that has not ended, one object behind the other.
    members: Vec<Member>,
    /// Where members stand while they are moved.
    moved: Vec<u8>,
    /// Arrays and objects that have not ended.
    levels: usize,
}

/// A key, and where it and its value stand.
#[derive(Debug)]
struct Member {
    /// What decides nearly always: see [`beginning`].
    beginning: u64,
    key: Cow<'static, str>,
    start: usize,
    end: usize,
}

impl Page {
    /// Writes a value in the place of the one before; gives its [`canonical`] JSON.
    ///
    /// # Errors
    /// As [`canonical`].
    pub fn write(&mut self, value: &impl Serialize) -> Result<&[u8], NotCanonical> {
        self.bytes.clear();
        self.members.clear();
        self.levels = 0;
        value.serialize(&mut *self)?;
        Ok(&self.bytes)
    }

    /// Begins an array or an object.
    fn open(&mut self, bracket: u8) -> Result<(), NotCanonical> {
        self.levels += 1;
        if self.levels >= NESTING_LEVELS_MAX {
            return Err(NotCanonical { why: format!("nested more than {NESTING_LEVELS_MAX} deep") });
        }
        self.bytes.push(bracket);
        Ok(())
    }

    /// Ends it.
    fn close(&mut self, bracket: u8) {
        self.levels -= 1;
        self.bytes.push(bracket);
    }

    fn string(&mut self, text: &str) -> Result<(), NotCanonical> {
        // Without leaving the loop early: so it takes many letters at once.
        let escapes = text.bytes().fold(false, |found, byte| found | matches!(byte, 0..b' ' | b'"' | b'\\'));
        if escapes {
            return self.word(&text);
        }
        self.quoted(text);
        Ok(())
    }

    /// A string without anything to escape.
    fn quoted(&mut self, text: &str) {
        self.bytes.reserve(text.len() + 2);
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'"');
    }

    /// What serde_json writes as it should stand: a number, `true`, `null`, a string with the shortest escapes.
    fn word(&mut self, value: &impl Serialize) -> Result<(), NotCanonical> {
        serde_json::to_writer(&mut self.bytes, value).map_err(|e| NotCanonical { why: e.to_string() })
    }

    /// Puts the members from `first` on, those of the object that ends, into their order.
    fn order(&mut self, first: usize) -> Result<(), NotCanonical> {
        let members = self.members.get_mut(first..).unwrap_or_default();
        let order = |a: &Member, b: &Member| a.beginning.cmp(&b.beginning).then_with(|| a.key.encode_utf16().cmp(b.key.encode_utf16()));
        if !members.is_sorted_by(|a, b| order(a, b).is_lt()) {
            let start = members.first().map_or(0, |member| member.start);
            members.sort_unstable_by(order);
            if let Some([twice, ..]) = members.windows(2).find(|pair| matches!(pair, [a, b] if a.key == b.key)) {
                return Err(NotCanonical { why: format!("the key {:?} stands there twice", twice.key) });
            }
            self.moved.clear();
            for member in &*members {
                self.moved.extend_from_slice(self.bytes.get(member.start..member.end).unwrap_or_default());
                self.moved.push(b',');
            }
            // The last comma gives way to the end.
            self.moved.pop();
            self.bytes.truncate(start);
            self.bytes.extend_from_slice(&self.moved);
        }
        self.members.truncate(first);
        Ok(())
    }
}

/// The first four UTF-16 code units of a key, which the order of RFC 8785, 3.2.3, looks at first.
fn beginning(key: &str) -> u64 {
    let joined = |beginning: u64, unit: u16| beginning << 16 | u64::from(unit);
    match key.as_bytes() {
        // Nearly all: a byte is a unit.
        &[a, b, c, d, ..] if (a | b | c | d).is_ascii() => [a, b, c, d].map(u16::from).into_iter().fold(0, joined),
        _ => key.encode_utf16().chain(std::iter::repeat(0)).take(4).fold(0, joined),
    }
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

    #[derive(Serialize)]
    enum Kind {
        Unit,
        One(u8),
        Two(u8, u8),
        Named { b: u8, a: Option<()> },
    }

    #[test]
    fn a_variant_is_written_as_serde_json_does() {
        let table = [
            (Kind::Unit, r#""Unit""#),
            (Kind::One(1), r#"{"One":1}"#),
            (Kind::Two(1, 2), r#"{"Two":[1,2]}"#),
            (Kind::Named { b: 1, a: None }, r#"{"Named":{"a":null,"b":1}}"#),
        ];
        for (kind, expected) in table {
            let around = canonical(&[("z", &kind)]).unwrap();
            assert_eq!(String::from_utf8(around).unwrap(), format!(r#"[["z",{expected}]]"#));
        }
    }

    #[test]
    fn a_page_forgets_the_value_before() {
        let mut page = Page::default();
        assert!(page.write(&json!({"b": {"c": 1.5}})).is_err());
        assert_eq!(page.write(&json!({"b": 1, "a": 2})).unwrap(), br#"{"a":2,"b":1}"#);
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
        assert!(canonical(&std::collections::BTreeMap::from([(1, 2)])).is_err());
        assert!(canonical(&u128::MAX).is_err());
        assert!(canonical(&1.5).is_err());
        let nested = (0..100).fold(json!(0), |inner, _| json!([inner]));
        assert!(canonical(&nested).is_err());
    }
}
