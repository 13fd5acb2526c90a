//! An entry's bytes in the log, and the way back. Reading is what opening a large log spends its time on.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::canonical::{NotCanonical, canonical};
use super::entry::{Body, Entry, Observed};
use crate::observation::Observation;

/// How the record of an observation begins: keys are sorted, and no other kind has this one first.
const OBSERVATION: &[u8] = br#"{"body":{"decoder":"#;
/// How the record of a touch line begins.
const TOUCH: &[u8] = br#"{"body":{"kind":"touch","#;

/// A record that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for BadRecord {}

impl From<serde_json::Error> for BadRecord {
    fn from(error: serde_json::Error) -> Self {
        Self { why: error.to_string() }
    }
}

/// The entry of an observation, read in one pass: the tag of [`Body`] stands behind the fields it decides about, and serde would
/// copy them all before it knew.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObservationRecord<'a> {
    #[serde(borrow)]
    pub(super) body: ObservationBody<'a>,
    pub(super) index: u64,
    pub(super) time_ns: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObservationBody<'a> {
    #[serde(borrow)]
    pub(super) decoder: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) interpretation: &'a RawValue,
    pub(super) kind: &'a str,
    pub(super) observation: Observation,
    #[serde(borrow)]
    pub(super) profile_sha256: Option<Cow<'a, str>>,
}

impl<'a> ObservationRecord<'a> {
    /// The observation's record with what it meant unread; `None` for a record of another kind.
    pub(super) fn of(record: &'a [u8]) -> Result<Option<Self>, BadRecord> {
        if !record.starts_with(OBSERVATION) {
            return Ok(None);
        }
        let read: Self = serde_json::from_slice(record)?;
        if read.body.kind == "observation" {
            return Ok(Some(read));
        }
        Err(BadRecord { why: format!("an observation's fields, and its kind is {:?}", read.body.kind) })
    }
}

impl Entry {
    /// Its bytes in the log: canonical JSON.
    ///
    /// # Errors
    /// [`NotCanonical`].
    pub fn record(&self) -> Result<Vec<u8>, NotCanonical> {
        canonical(self)
    }

    /// The entry of a record.
    ///
    /// # Errors
    /// [`BadRecord`]: no JSON, or no entry that this program knows.
    pub fn of(record: &[u8]) -> Result<Self, BadRecord> {
        let Some(raw) = ObservationRecord::of(record)? else { return Ok(serde_json::from_slice(record)?) };
        let ObservationRecord { body, index, time_ns } = raw;
        let (decoder, profile_sha256) = (body.decoder.into_owned(), body.profile_sha256.map(Cow::into_owned));
        let (observation, interpretation) = (body.observation, serde_json::from_str(body.interpretation.get())?);
        Ok(Self { index, time_ns, body: Body::Observation(Observed { observation, interpretation, profile_sha256, decoder }) })
    }
}

/// True for a record that no fold looks at: a touch line.
#[must_use]
pub fn is_touch(record: &[u8]) -> bool {
    record.starts_with(TOUCH)
}

/// What stands behind the body of a record: its last two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// [`Entry::index`].
    pub index: u64,
    /// [`Entry::time_ns`].
    pub time_ns: u64,
    /// Its length in the record.
    pub bytes: usize,
}

impl Tail {
    /// Of a record, without reading the rest. `None` where it does not end so.
    #[must_use]
    pub fn of(record: &[u8]) -> Option<Self> {
        let (rest, time_ns) = number_before(record.strip_suffix(b"}")?)?;
        let (rest, index) = number_before(rest.strip_suffix(br#","time_ns":"#)?)?;
        let body = rest.strip_suffix(br#","index":"#)?;
        body.ends_with(b"}").then_some(Self { index, time_ns, bytes: record.len() - body.len() })
    }
}

/// The number that these bytes end with, as JSON writes it.
fn number_before(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, digits) = bytes.split_at(bytes.len() - digits);
    Some((rest, number(digits)?))
}

/// The number that these digits are, as JSON writes it.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let written = digits == b"0" || !(digits.is_empty() || digits.starts_with(b"0"));
    let push = |value: u64, digit: &u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    written.then(|| digits.iter().try_fold(0, push))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(record: &[u8]) -> Option<(u64, u64)> {
        Tail::of(record).map(|tail| (tail.index, tail.time_ns))
    }

    fn touch(line: &str) -> Entry {
        Entry { index: 17, time_ns: u64::MAX, body: Body::Touch { line: line.into() } }
    }

    #[test]
    fn a_number_is_one_as_json_writes_it() {
        let cases = [("0", Some(0)), ("17", Some(17)), ("18446744073709551615", Some(u64::MAX))];
        let none = ["", "00", "017", "18446744073709551616", "99999999999999999999"].map(|text| (text, None));
        for (text, expected) in cases.into_iter().chain(none) {
            assert_eq!(number(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = touch(r#"{"kind":"sent"},"index":5,"time_ns":6}"#).record().unwrap();
        assert_eq!(
            String::from_utf8(record.clone()).unwrap(),
            r#"{"body":{"kind":"touch","line":"{\"kind\":\"sent\"},\"index\":5,\"time_ns\":6}"},"index":17,"time_ns":18446744073709551615}"#
        );
        assert!(is_touch(&record));
        assert_eq!(tail(&record), Some((17, u64::MAX)));
        assert_eq!(Entry::of(&record).unwrap(), touch(r#"{"kind":"sent"},"index":5,"time_ns":6}"#));
    }

    #[test]
    fn what_does_not_end_like_a_record_has_no_index() {
        for bytes in [
            "",
            "}",
            r#"{"index":1,"time_ns":2}"#,
            r#"{"body":{},"index":1,"time_ns":2"#,
            r#"{"body":{},"index":,"time_ns":2}"#,
            r#"{"body":{},"index":01,"time_ns":2}"#,
        ] {
            assert_eq!(tail(bytes.as_bytes()), None, "{bytes}");
        }
        assert_eq!(tail(br#"{"body":{},"index":1,"time_ns":2}"#), Some((1, 2)));
    }
}
