//! The one line in which a PROFINET device says what it is, in columns that blanks fill up. It stands in the endpoint mapper's
//! annotation and, with the serial number in it, in LLDP's chassis id.
//!
//! Source: IEC 61158-6-10, 4.3.1.4.14 (annotation) and 4.12.3 (system identification): device type (25), blank, order number (20), blank,
//! \[serial number (16), blank,\] hardware revision (5), blank, software revision: a letter and three numbers of three digits.

use core::ops::Range;

use crate::{Reading, Shape};

/// Columns of the type, the order number, the serial number, and the hardware revision.
const TYPE_BYTES: usize = 25;
const ORDER_BYTES: usize = 20;
const SERIAL_BYTES: usize = 16;
const HARDWARE_BYTES: usize = 5;
/// The letter of the software revision and its three numbers.
const SOFTWARE_BYTES: usize = 10;
/// Length of the line with a serial number.
pub const SYSTEM_IDENTIFICATION_BYTES: usize = TYPE_BYTES + ORDER_BYTES + SERIAL_BYTES + HARDWARE_BYTES + SOFTWARE_BYTES + 4;
/// Length of the line without.
pub const ANNOTATION_BYTES: usize = SYSTEM_IDENTIFICATION_BYTES - SERIAL_BYTES - 1;

/// Where in the line what stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    columns: Vec<(&'static str, Shape, Range<usize>)>,
}

impl Identification {
    /// The line in a chassis id, with a serial number.
    #[must_use]
    pub fn of_chassis(text: &[u8]) -> Option<Self> {
        let serial = ("serial", Shape::Text, SERIAL_BYTES);
        Self::of(text.get(..SYSTEM_IDENTIFICATION_BYTES)?, &[TYPE, ORDER, serial, HARDWARE, SOFTWARE])
            .filter(|_| text.get(SYSTEM_IDENTIFICATION_BYTES..).is_some_and(is_filling))
    }

    /// The line in an annotation, without one.
    #[must_use]
    pub fn of_annotation(text: &[u8]) -> Option<Self> {
        Self::of(text.get(..ANNOTATION_BYTES)?, &[TYPE, ORDER, HARDWARE, SOFTWARE])
            .filter(|_| text.get(ANNOTATION_BYTES..).is_some_and(is_filling))
    }

    /// Text in columns has a blank between each two, and the last is a letter with digits: what has not is another text.
    fn of(text: &[u8], widths: &[(&'static str, Shape, usize)]) -> Option<Self> {
        let (mut columns, mut at) = (Vec::new(), 0);
        for (name, shape, width) in widths {
            if at > 0 {
                (text.get(at) == Some(&b' ')).then_some(())?;
                at += 1;
            }
            columns.push((*name, *shape, at..at + width));
            at += width;
        }
        let (letter, numbers) = text.get(columns.last()?.2.clone())?.split_first()?;
        let digits =
            |column: &[u8]| column.last().is_some_and(u8::is_ascii_digit) && column.iter().all(|b| *b == b' ' || b.is_ascii_digit());
        let revision = letter.is_ascii_uppercase() && numbers.chunks(3).all(digits);
        (revision && text.iter().all(|byte| (b' '..=b'~').contains(byte))).then_some(Self { columns })
    }

    /// Facts at `path` of a line that starts at `start` in the reading's last message. A column of blanks is no fact.
    pub fn facts(&self, path: &str, start: usize, reading: &mut Reading) {
        for (name, shape, range) in &self.columns {
            let range = start + range.start..start + range.end;
            let bytes = reading.messages.last().and_then(|message| message.bytes.get(range.clone()));
            if bytes.is_some_and(|bytes| bytes.iter().any(|byte| *byte != b' ')) {
                reading.fact(format!("{path}.{name}"), *shape, range);
            }
        }
    }
}

const TYPE: (&str, Shape, usize) = ("type", Shape::Text, TYPE_BYTES);
const ORDER: (&str, Shape, usize) = ("order", Shape::Text, ORDER_BYTES);
const HARDWARE: (&str, Shape, usize) = ("hardware", Shape::Text, HARDWARE_BYTES);
const SOFTWARE: (&str, Shape, usize) = ("software", Shape::LetterColumns, SOFTWARE_BYTES);

fn is_filling(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0 | b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_columns_is_told_from_other_texts() {
        let chassis = b"S7-1500                   6ES7 516-3AN01-0AB0  S C-K7LT20762018     3 V  2  6  0";
        let names = |found: Option<Identification>| found.map(|found| found.columns.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        assert_eq!(names(Identification::of_chassis(chassis)), Some(vec!["type", "order", "serial", "hardware", "software"]));
        assert_eq!(Identification::of_annotation(chassis), None);
        let annotation = b"S7-1500                   6ES7 672-5DC01-0YA0      0 V  2  1  7";
        assert_eq!(
            names(Identification::of_annotation(&[&annotation[..], b"\0"].concat())),
            Some(vec!["type", "order", "hardware", "software"])
        );
        assert_eq!(Identification::of_annotation(b"a sentence of sixty-three letters, and what letters they are ..."), None);
        assert_eq!(Identification::of_annotation(&annotation[..ANNOTATION_BYTES - 1]), None);
    }
}
