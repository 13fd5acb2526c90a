//! Distinguished encoding (X.690, clauses 8.1 and 10.1): definite lengths in as few bytes as they need, tags of one byte.

use core::ops::Range;

use crate::Malformed;

/// Bytes of a length: a certificate is shorter than 2^24 bytes.
const LENGTH_BYTES_MAX: usize = 3;

/// Reads one element after the other within a range of `bytes`.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    bytes: &'a [u8],
    within: Range<usize>,
}

impl<'a> Elements<'a> {
    /// The elements in that range.
    pub(super) fn of(bytes: &'a [u8], within: Range<usize>) -> Self {
        let end = within.end.min(bytes.len());
        Self { bytes, within: within.start.min(end)..end }
    }

    /// Tag and content of the next element.
    pub(super) fn next(&mut self) -> Result<(u8, Range<usize>), Malformed> {
        let at = self.within.start;
        let wrong = |said_by| Malformed::wrong("der", at, said_by);
        let rest = self.bytes.get(self.within.clone()).unwrap_or_default();
        let [tag, length, behind @ ..] = rest else { return Err(wrong("an element (X.690, 8.1)")) };
        if tag & 0x1f == 0x1f {
            return Err(wrong("a tag of one byte (X.690, 8.1.2.2)"));
        }
        let (length, digits) = match length {
            0..=0x7f => (usize::from(*length), 0),
            _ => {
                let digits = usize::from(length & 0x7f);
                let number = behind.get(..digits).filter(|_| (1..=LENGTH_BYTES_MAX).contains(&digits));
                let number = number.ok_or(wrong("a definite length (X.690, 10.1)"))?;
                let value = number.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
                if value < 0x80 || number.first() == Some(&0) {
                    return Err(wrong("a length has as few bytes as it needs (X.690, 10.1)"));
                }
                (value, digits)
            }
        };
        let start = at + 2 + digits;
        let content = start..start.saturating_add(length);
        if content.end > self.within.end {
            return Err(Malformed::short("der", start, length, self.within.end.saturating_sub(start), "a length (X.690, 8.1.3)"));
        }
        self.within.start = content.end;
        Ok((*tag, content))
    }

    /// The content of the next element, which has that tag.
    pub(super) fn tagged(&mut self, tag: u8, said_by: &'static str) -> Result<Range<usize>, Malformed> {
        let at = self.within.start;
        match self.next()? {
            (found, content) if found == tag => Ok(content),
            _ => Err(Malformed::wrong("der", at, said_by)),
        }
    }

    /// The elements in the next element, which has that tag.
    pub(super) fn inside(&mut self, tag: u8, said_by: &'static str) -> Result<Self, Malformed> {
        let content = self.tagged(tag, said_by)?;
        Ok(Self::of(self.bytes, content))
    }

    /// The next element's tag.
    pub(super) fn tag(&self) -> Option<u8> {
        self.bytes.get(self.within.clone())?.first().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.within.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_strictly() {
        for (bytes, expected) in [
            (&[0x02, 1, 5][..], Some((0x02, 2..3))),
            (&[0x30, 0], Some((0x30, 2..2))),
            (&[0x02, 2, 5], None),
            (&[0x02], None),
            (&[0x1f, 0x81, 0], None),
            (&[0x30, 0x80, 0, 0], None),
            (&[0x30, 0x81, 1, 0], None),
            (&[0x30, 0x84, 0, 0, 0, 1, 0], None),
        ] {
            assert_eq!(Elements::of(bytes, 0..bytes.len()).next().ok(), expected, "{bytes:02x?}");
        }
        let long = [&[0x04, 0x81, 0x80][..], &[0; 128]].concat();
        assert_eq!(Elements::of(&long, 0..long.len()).next().ok(), Some((0x04, 3..131)));
        assert!(Elements::of(&long, 0..130).next().is_err());
    }
}
