//! Basic encoding rules, as far as MMS, GOOSE and sampled values need them: definite lengths, tags of up to three bytes.
//!
//! Source: ITU-T X.690 (2021), clauses 8.1.2 (identifier) and 8.1.3 (length).

use core::ops::Range;

use crate::{Cursor, Malformed};

/// Low five bits of an identifier that say that the tag number follows. Clause 8.1.2.4.
const TAG_LONG: u8 = 0x1f;
/// Tag bytes behind the first: MMS numbers its services up to 85, further ones up to three digits.
const TAG_BYTES_MAX: usize = 2;
/// Length bytes behind the first: no message here is longer than 64 KiB, and encoders pad to four.
const LENGTH_BYTES_MAX: usize = 4;
const SAID_BY: &str = "identifier and length (X.690, 8.1)";

/// One value: its tag, and where its contents stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// The identifier's bytes as one number: `a2` is 0xa2, `bf 4d` is 0xbf4d.
    pub tag: u32,
    /// What it promises; may end behind the bytes that are there.
    pub contents: Range<usize>,
    /// False where its contents are not all there.
    pub whole: bool,
}

impl Value {
    /// The next value; the cursor goes behind it, or to the end where its contents are not all there.
    pub fn next(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let first = cursor.u8(SAID_BY)?;
        let mut tag = u32::from(first);
        if first & TAG_LONG == TAG_LONG {
            for count in 1.. {
                let more = cursor.u8(SAID_BY)?;
                tag = tag << 8 | u32::from(more);
                if more & 0x80 == 0 {
                    break;
                }
                if count == TAG_BYTES_MAX {
                    return Err(cursor.wrong("a tag number of at most two bytes (X.690, 8.1.2.4)"));
                }
            }
        }
        let length = match cursor.u8(SAID_BY)? {
            short @ 0..0x80 => usize::from(short),
            long => {
                let count = usize::from(long & 0x7f);
                if !(1..=LENGTH_BYTES_MAX).contains(&count) {
                    return Err(cursor.wrong("a definite length of at most four bytes (X.690, 8.1.3)"));
                }
                cursor.take(count, SAID_BY)?.iter().fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte))
            }
        };
        let contents = cursor.at()..cursor.at().saturating_add(length);
        let whole = length <= cursor.rest().len();
        *cursor = cursor.from(contents.end);
        Ok(Self { tag, contents, whole })
    }

    /// A cursor over its contents, as far as they are there.
    pub fn inside<'a>(&self, cursor: &Cursor<'a>) -> Cursor<'a> {
        cursor.from(self.contents.start).until(self.contents.end)
    }

    /// The first value with that tag in what is left; the others are passed over.
    pub fn find(mut cursor: Cursor<'_>, tag: u32) -> Option<Self> {
        while !cursor.is_empty() {
            let value = Self::next(&mut cursor).ok()?;
            if value.tag == tag {
                return Some(value);
            }
        }
        None
    }

    /// Goes down a way of tags, at each step into the first value that has it.
    pub fn down<'a>(cursor: Cursor<'a>, way: &[u32]) -> Option<Cursor<'a>> {
        way.iter().try_fold(cursor, |cursor, tag| Some(Self::find(cursor, *tag)?.inside(&cursor)))
    }

    /// An unsigned number of up to four bytes (a leading zero byte more is allowed). `None` where it is longer or not all there.
    pub fn number(&self, bytes: &[u8]) -> Option<u32> {
        let bytes = self.whole.then(|| bytes.get(self.contents.clone()))??;
        let digits = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        (!bytes.is_empty() && digits.len() <= 4).then(|| digits.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Option<(u32, Range<usize>, bool)>) {
        let mut cursor = Cursor::new("test", bytes);
        let value = Value::next(&mut cursor).ok().map(|value| (value.tag, value.contents, value.whole));
        assert_eq!(value, expected, "{bytes:02x?}");
    }

    #[test]
    fn a_value_is_its_tag_and_the_place_of_its_contents() {
        check(&[0x02, 0x01, 0x05], Some((0x02, 2..3, true)));
        check(&[0xbf, 0x4d, 0x00], Some((0xbf4d, 3..3, true)));
        check(&[0xa1, 0x82, 0x01, 0x00, 0x00], Some((0xa1, 4..260, false)));
        check(&[0xa1, 0x81, 0x01, 0x00], Some((0xa1, 3..4, true)));
        check(&[0xa1, 0x80, 0x00, 0x00], None);
        check(&[0x02], None);
        check(&[0x1f, 0xff, 0xff, 0xff, 0x00], None);
        check(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], Some((0x30, 6..0x1_0000_0005, false)));
    }

    #[test]
    fn a_number_has_up_to_four_bytes() {
        for (bytes, expected) in [
            (&[2, 1, 5][..], Some(5)),
            (&[2, 5, 0, 0xff, 0, 0, 1][..], Some(0xff00_0001)),
            (&[2, 5, 1, 0, 0, 0, 0][..], None),
            (&[2, 0][..], None),
            (&[2, 2, 1][..], None),
        ] {
            let value = Value::next(&mut Cursor::new("test", bytes)).expect("a value");
            assert_eq!(value.number(bytes), expected, "{bytes:02x?}");
        }
    }
}
