//! Text in a field of fixed width.

use core::ops::Range;

/// The part of `field` that is text: without the NUL and space characters that fill a fixed field at its end, and none of it where the
/// bytes are not all there.
#[must_use]
pub fn unpadded(bytes: &[u8], field: Range<usize>) -> Range<usize> {
    let text = bytes.get(field.clone()).unwrap_or_default();
    let length = text.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
    field.start..field.start + length
}

#[cfg(test)]
mod tests {
    use super::unpadded;

    #[test]
    fn filling_is_no_text() {
        for (field, expected) in [(0..8, 0..4), (0..4, 0..4), (4..8, 4..4), (6..20, 6..6)] {
            assert_eq!(unpadded(b"V1.2\0 \0 ", field.clone()), expected, "{field:?}");
        }
    }
}
