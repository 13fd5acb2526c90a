//! What stands in a value of DER, one field after the other.

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader};

/// Tags, as their one byte (X.690, 8.1.2).
pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BITS: u8 = 0x03;
pub const BYTES: u8 = 0x04;
pub const OBJECT: u8 = 0x06;
pub const UTC_TIME: u8 = 0x17;
pub const TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// The byte of a constructed tag of the context.
pub const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// All of a field, and its value.
type Field<'a> = (&'a [u8], &'a [u8]);

/// The fields of one value.
pub struct Fields<'a> {
    what: &'static str,
    rest: SliceReader<'a>,
}

impl<'a> Fields<'a> {
    /// Of the inside of a value; `what` names it in errors.
    ///
    /// # Errors
    /// It is longer than DER can be here.
    pub fn of(what: &'static str, value: &'a [u8]) -> Result<Self, String> {
        SliceReader::new(value).map(|rest| Self { what, rest }).map_err(|e| format!("{what}: {e}"))
    }

    /// The next field, if it has this tag: all of it, and its value.
    ///
    /// # Errors
    /// It is no DER.
    pub fn whole(&mut self, tag: u8) -> Result<Option<Field<'a>>, String> {
        if self.rest.peek_byte() != Some(tag) {
            return Ok(None);
        }
        let bytes = self.rest.tlv_bytes().map_err(|e| self.wrong(&e))?;
        let value = AnyRef::from_der(bytes).map_err(|e| self.wrong(&e))?.value();
        Ok(Some((bytes, value)))
    }

    /// The value of the next field, if it has this tag.
    ///
    /// # Errors
    /// It is no DER.
    pub fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, String> {
        Ok(self.whole(tag)?.map(|(_, value)| value))
    }

    /// The value of the next field, which has this tag.
    ///
    /// # Errors
    /// It has another, or is no DER.
    pub fn take(&mut self, tag: u8) -> Result<&'a [u8], String> {
        self.optional(tag)?.ok_or_else(|| format!("{}: a field of the kind {tag:02x} is missing", self.what))
    }

    /// The fields of the next field, which has this tag.
    ///
    /// # Errors
    /// As [`Fields::take`].
    pub fn inside(&mut self, tag: u8) -> Result<Self, String> {
        let what = self.what;
        self.take(tag).and_then(|value| Self::of(what, value))
    }

    /// Passes over the next field, whatever it is; false where there is none.
    ///
    /// # Errors
    /// It is no DER.
    pub fn skip(&mut self) -> Result<bool, String> {
        if self.rest.is_finished() {
            return Ok(false);
        }
        self.rest.tlv_bytes().map(|_| true).map_err(|e| self.wrong(&e))
    }

    /// The object that the next field, an AlgorithmIdentifier, names, and what stands behind it.
    ///
    /// # Errors
    /// As [`Fields::take`].
    pub fn algorithm(&mut self) -> Result<(&'a [u8], Self), String> {
        let mut algorithm = self.inside(SEQUENCE)?;
        Ok((algorithm.take(OBJECT)?, algorithm))
    }

    /// That nothing more stands there.
    ///
    /// # Errors
    /// Something does.
    pub fn end(&self) -> Result<(), String> {
        if self.rest.is_finished() { Ok(()) } else { Err(format!("{}: more stands behind its end", self.what)) }
    }

    fn wrong(&self, error: &der::Error) -> String {
        format!("{}: it is no DER: {error}", self.what)
    }
}

/// A time of DER, UTCTime or GeneralizedTime, as RFC 3339 writes it (RFC 5280, 4.1.2.5; RFC 3161, 2.4.2: fractions may stand).
pub fn rfc3339(tag: u8, value: &[u8]) -> Option<String> {
    let text = str::from_utf8(value).ok()?.strip_suffix('Z')?;
    let text = match (tag, text.get(..2)) {
        (UTC_TIME, Some(year)) => format!("{}{text}", if year < "50" { "20" } else { "19" }),
        _ => text.to_owned(),
    };
    let (date, fraction) = text.split_once('.').map_or((text.as_str(), None), |(date, fraction)| (date, Some(fraction)));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if date.len() != 14 || !plain(date) || !fraction.is_none_or(plain) {
        return None;
    }
    let at = |from: usize, until: usize| date.get(from..until).unwrap_or_default();
    let fraction = fraction.map(|digits| format!(".{digits}")).unwrap_or_default();
    let told = format!("{}-{}-{}T{}:{}:{}{fraction}Z", at(0, 4), at(4, 6), at(6, 8), at(8, 10), at(10, 12), at(12, 14));
    humantime::parse_rfc3339(&told).is_ok().then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_people_write_it() {
        for (tag, value, expected) in [
            (UTC_TIME, "260302101530Z", Some("2026-03-02T10:15:30Z")),
            (UTC_TIME, "990302101530Z", Some("1999-03-02T10:15:30Z")),
            (TIME, "20260302101530Z", Some("2026-03-02T10:15:30Z")),
            (TIME, "20260302101530.25Z", Some("2026-03-02T10:15:30.25Z")),
            (TIME, "20260302101530", None),
            (TIME, "20261302101530Z", None),
            (TIME, "2026030210153aZ", None),
            (TIME, "20260302101530.Z", None),
        ] {
            assert_eq!(rfc3339(tag, value.as_bytes()).as_deref(), expected, "{value}");
        }
    }
}
