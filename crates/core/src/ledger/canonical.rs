//! The one way to write a value as JSON, so that equal values have equal bytes and equal hashes.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

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
/// [`NotCanonical`]: a number that is no integer of 64 bits, a map whose keys are no strings, or nesting without reason.
pub fn canonical(value: &impl Serialize) -> Result<Vec<u8>, NotCanonical> {
    let value = serde_json::to_value(value).map_err(|e| NotCanonical { why: e.to_string() })?;
    let mut bytes = Vec::new();
    write(&value, NESTING_LEVELS_MAX, &mut bytes)?;
    Ok(bytes)
}

fn write(value: &Value, levels: usize, bytes: &mut Vec<u8>) -> Result<(), NotCanonical> {
    let deeper = levels.checked_sub(1).ok_or_else(|| NotCanonical { why: format!("nested more than {NESTING_LEVELS_MAX} deep") })?;
    match value {
        Value::Number(number) if !(number.is_u64() || number.is_i64()) => {
            return Err(NotCanonical { why: format!("{number} is no integer of 64 bits") });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => scalar(value, bytes)?,
        Value::Array(items) => {
            bytes.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    bytes.push(b',');
                }
                write(item, deeper, bytes)?;
            }
            bytes.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            bytes.push(b'{');
            for (at, (key, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    bytes.push(b',');
                }
                scalar(key, bytes)?;
                bytes.push(b':');
                write(member, deeper, bytes)?;
            }
            bytes.push(b'}');
        }
    }
    Ok(())
}

fn scalar(value: &impl Serialize, bytes: &mut Vec<u8>) -> Result<(), NotCanonical> {
    serde_json::to_writer(bytes, value).map_err(|e| NotCanonical { why: e.to_string() })
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
    fn what_has_no_one_form_is_refused() {
        assert!(canonical(&1.5).is_err());
        let nested = (0..100).fold(json!(0), |inner, _| json!([inner]));
        assert!(canonical(&nested).is_err());
    }
}
