//! A place in somebody's bytes that only moves forward, and never past their end.

use core::ops::Range;

use crate::Malformed;

/// Reads fields one after the other. Offsets count from the start of the bytes it was made of, as [`crate::Fact::offset`] does.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    layer: &'static str,
}

impl<'a> Cursor<'a> {
    /// At the start of `bytes`; `layer` is what a [`Malformed`] of it names.
    #[must_use]
    pub const fn new(layer: &'static str, bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, layer }
    }

    /// At another offset of the same bytes; behind their end it stands at the end.
    #[must_use]
    pub fn from(self, at: usize) -> Self {
        Self { at: at.min(self.bytes.len()), ..self }
    }

    /// The same place, with nothing behind `end`.
    #[must_use]
    pub fn until(self, end: usize) -> Self {
        let end = end.clamp(self.at, self.bytes.len());
        Self { bytes: self.bytes.get(..end).unwrap_or(self.bytes), ..self }
    }

    /// Offset of the next byte.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What is left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    /// True at the end.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The next `count` bytes. `said_by` is the rule that promises them, with its clause.
    ///
    /// # Errors
    /// [`Malformed`] where fewer are left; nothing is taken then. So for the others.
    pub fn take(&mut self, count: usize, said_by: &'static str) -> Result<&'a [u8], Malformed> {
        let range = self.range(count, said_by)?;
        Ok(self.bytes.get(range).unwrap_or(&[]))
    }

    /// As [`Cursor::take`], but where they stand: what [`crate::Reading::fact`] wants.
    pub fn range(&mut self, count: usize, said_by: &'static str) -> Result<Range<usize>, Malformed> {
        let left = self.bytes.len() - self.at;
        if count > left {
            return Err(Malformed::short(self.layer, self.at, count, left, said_by));
        }
        let range = self.at..self.at + count;
        self.at = range.end;
        Ok(range)
    }

    /// The next bytes as an array.
    pub fn array<const N: usize>(&mut self, said_by: &'static str) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N, said_by)?;
        bytes.try_into().map_err(|_| self.wrong(said_by))
    }

    /// The next byte.
    pub fn u8(&mut self, said_by: &'static str) -> Result<u8, Malformed> {
        Ok(u8::from_be_bytes(self.array(said_by)?))
    }

    /// The next two bytes, upper first.
    pub fn u16_be(&mut self, said_by: &'static str) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array(said_by)?))
    }

    /// The next two bytes, lower first.
    pub fn u16_le(&mut self, said_by: &'static str) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array(said_by)?))
    }

    /// The next four bytes, upper first.
    pub fn u32_be(&mut self, said_by: &'static str) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array(said_by)?))
    }

    /// The next four bytes, lower first.
    pub fn u32_le(&mut self, said_by: &'static str) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array(said_by)?))
    }

    /// A finding at this place.
    #[must_use]
    pub const fn wrong(&self, said_by: &'static str) -> Malformed {
        Malformed::wrong(self.layer, self.at, said_by)
    }
}
