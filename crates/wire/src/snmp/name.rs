//! Names of managed objects.

use core::fmt;
use core::str::FromStr;

/// An object's name as it stands in a message, without tag and length. X.690, 8.19.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oid(Vec<u8>);

/// Numbers that a name has at most. RFC 3416, 2 (after RFC 2578, 3.5).
const OID_NUMBERS_MAX: usize = 128;

impl Oid {
    /// A name that was read.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One number of a name in the fewest bytes, seven bits each, the last without the top bit. X.690, 8.19.2.
pub(super) fn arc(number: u32) -> impl Iterator<Item = u8> {
    let groups = 1 + number.checked_ilog2().unwrap_or(0) / 7;
    (0..groups).rev().map(move |group| (number >> (7 * group)) as u8 & 0x7f | if group > 0 { 0x80 } else { 0 })
}

impl FromStr for Oid {
    type Err = &'static str;

    /// `1.3.6.1.2.1.1.1.0`, with or without a dot before it; what is wrong in words.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
        let numbers: Option<Vec<u32>> = text.strip_prefix('.').unwrap_or(text).split('.').map(digits).collect();
        let numbers = numbers.ok_or("an object's name is numbers with dots between them")?;
        match numbers.as_slice() {
            [first @ 0..=1, second @ 0..=39, rest @ ..] if (1..=OID_NUMBERS_MAX - 2).contains(&rest.len()) => {
                Ok(Self(arc(first * 40 + second).chain(rest.iter().flat_map(|number| arc(*number))).collect()))
            }
            _ => Err("an object's name has 3 to 128 numbers and begins with 0 or 1 and a number up to 39"),
        }
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.0.first().copied().unwrap_or(0);
        let rest = super::object::numbers(self.0.get(1..).unwrap_or_default());
        write!(f, "{}.{}{}", first / 40, first % 40, rest.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first is X.690's way to write RFC 3418's sysDescr.0; 248 (Hirschmann) and 4297 take two bytes.
    #[test]
    fn a_name_is_numbers() {
        for (text, bytes) in [
            ("1.3.6.1.2.1.1.1.0", &[0x2b, 6, 1, 2, 1, 1, 1, 0][..]),
            ("1.3.6.1.4.1.248.14", &[0x2b, 6, 1, 4, 1, 0x81, 0x78, 14]),
            ("1.3.6.1.4.1.4297", &[0x2b, 6, 1, 4, 1, 0xa1, 0x49]),
            ("1.0.8802", &[0x28, 0xc4, 0x62]),
            ("0.0.4294967295", &[0, 0x8f, 0xff, 0xff, 0xff, 0x7f]),
        ] {
            let oid: Oid = text.parse().expect(text);
            assert_eq!((oid.bytes(), oid.to_string().as_str()), (bytes, text));
            assert_eq!(format!(".{text}").parse(), Ok(oid));
        }
        for text in ["", "1", "1.3", "1.3.", "1.3.6.x", "1.3.-6", "1.3.+6", "3.1.1", "1.40.1", "2.5.4", "1.3.4294967296", "sysDescr.0"] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
        assert!(format!("1.3{}", ".1".repeat(127)).parse::<Oid>().is_err());
    }
}
