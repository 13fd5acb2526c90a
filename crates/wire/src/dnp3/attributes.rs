//! Group 0: an outstation's attributes, each with its type and length (annex A.2).

use super::NAME;
use crate::gathered::Gathered;
use crate::{Cursor, Malformed, Reading, Shape};

/// Application control, function code, internal indications.
pub(super) const RESPONSE_HEADER_BYTES: usize = 4;

/// Reads the attributes of one response fragment into a reading that holds its frames already.
pub(super) fn read(fragment: &Gathered, reading: &mut Reading) {
    let cursor = Cursor::new(NAME, fragment.bytes()).from(RESPONSE_HEADER_BYTES);
    if let Err(malformed) = objects(cursor, fragment, reading) {
        fragment.broken(reading, malformed);
    }
}

fn objects(mut cursor: Cursor<'_>, fragment: &Gathered, reading: &mut Reading) -> Result<(), Malformed> {
    while !cursor.is_empty() {
        let group = cursor.u8("group of an object header (4.2.2.7)")?;
        if group != 0 {
            // Other objects in the same response: no attributes, and how long they are is of no interest here.
            reading.complete = false;
            return Ok(());
        }
        let variation = cursor.u8("variation of an object header (4.2.2.7)")?;
        let at = cursor;
        // The points of group 0 are sets of attributes: 0 is the standard's own, the others are the maker's.
        match cursor.u8("qualifier of an object header (4.2.2.7)")? {
            0x00 => {
                let (first, last) = (cursor.u8("first point")?, cursor.u8("last point")?);
                for set in first..=last {
                    attribute(&mut cursor, (set.into(), variation), fragment, reading)?;
                }
            }
            0x01 => {
                let (first, last) = (cursor.u16_le("first point")?, cursor.u16_le("last point")?);
                for set in first..=last {
                    attribute(&mut cursor, (set, variation), fragment, reading)?;
                }
            }
            0x17 => {
                for _ in 0..cursor.u8("number of points")? {
                    let set = cursor.u8("index of a point")?;
                    attribute(&mut cursor, (set.into(), variation), fragment, reading)?;
                }
            }
            0x28 => {
                for _ in 0..cursor.u16_le("number of points")? {
                    let set = cursor.u16_le("index of a point")?;
                    attribute(&mut cursor, (set, variation), fragment, reading)?;
                }
            }
            _ => return Err(at.wrong("attributes are sent with qualifier 00, 01, 17 or 28 (annex A.2)")),
        }
    }
    Ok(())
}

/// One attribute: type, length, value (annex A.2.1).
fn attribute(cursor: &mut Cursor<'_>, (set, variation): (u16, u8), fragment: &Gathered, reading: &mut Reading) -> Result<(), Malformed> {
    let kind = cursor.u8("type of an attribute (annex A.2)")?;
    let length = usize::from(cursor.u8("length of an attribute (annex A.2)")?);
    // The extended list counts from 256 on.
    let length = if kind == 255 { length + 256 } else { length };
    let value = cursor.range(length, "length of an attribute (annex A.2)")?;
    let shape = match kind {
        1 => Shape::Text,
        2 | 7 => Shape::NumberLe,
        3 | 4 => Shape::HexLe,
        _ => Shape::Hex,
    };
    let path = if set == 0 { format!("dnp3.attribute.{variation}") } else { format!("dnp3.set.{set}.attribute.{variation}") };
    fragment.fact(reading, path, shape, value);
    Ok(())
}
