//! Records that are read or written: I&M0 is who a module is, I&M1 to I&M3 are what the owner wrote into it (IEC 61158-6-10, 5.2.17).

use super::header::Rpc;
use super::{ARGUMENTS_BYTES, block, reading, text_fact};
use crate::conversation::Said;
use crate::{Address, Authority, Cursor, Malformed, Reading, Shape};

/// Indices of the I&M records.
const IM0: u16 = 0xaff0;
const IM3: u16 = 0xaff3;
/// Types of their blocks, in the same order.
const IM0_BLOCK: u16 = 0x0020;
/// Headers in front of a record: of a read's answer, of a write.
const READ_ANSWER: u16 = 0x8009;
const WRITE_REQUEST: u16 = 0x0008;
/// The subslot that stands for the module itself.
const SUBSLOT_MODULE: u16 = 1;
/// The slot of the device's access point, which is the device itself: not one of its modules (IEC 61158-6-10, 4.10.3.3).
const SLOT_DEVICE: u16 = 0;
/// What a software revision begins with: V released, R revision, P prototype, U under test, T test device (5.2.17.6).
const REVISION_LETTERS: [u8; 5] = *b"VRPUT";

/// The I&M record in a read's answer (the device's word) or in a write (what somebody wants it to say). `None` for other records.
pub(super) fn read(rpc: &Rpc, said: &Said<'_>) -> Result<Option<Reading>, Malformed> {
    let mut cursor = rpc.cursor(said.bytes);
    let failed = rpc.u32(&mut cursor, "a status or maximum (IEC 61158-6-10, 5.2.3)")? != 0 && rpc.is_response();
    cursor.take(ARGUMENTS_BYTES - 4, "the arguments of a call (IEC 61158-6-10, 5.2.3)")?;
    if failed || cursor.is_empty() {
        return Ok(None);
    }
    let (kind, header) = block(&mut cursor)?;
    if kind != if rpc.is_response() { READ_ANSWER } else { WRITE_REQUEST } {
        return Ok(None);
    }
    let mut inside = Cursor::new(super::NAME, said.bytes).from(header.start).until(header.end);
    inside.take(22, "a sequence number, a relation, an API (IEC 61158-6-10, 5.2.3.4)")?;
    let slot = inside.u16_be("a slot (IEC 61158-6-10, 5.2.3.4)")?;
    let subslot = inside.u16_be("a subslot (IEC 61158-6-10, 5.2.3.4)")?;
    inside.take(2, "padding (IEC 61158-6-10, 5.2.3.4)")?;
    let index = inside.u16_be("a record's index (IEC 61158-6-10, 5.2.3.4)")?;
    if !(IM0..=IM3).contains(&index) {
        return Ok(None);
    }
    let question = ["pn-io.im.0", "pn-io.im.1", "pn-io.im.2", "pn-io.im.3"][usize::from(index - IM0)];
    let about: Address = if rpc.is_response() { said.from.into() } else { said.to.into() };
    let name = (subslot != SUBSLOT_MODULE).then(|| format!("subslot 0x{subslot:04x}"));
    let slot = (slot != SLOT_DEVICE || name.is_some()).then_some(slot);
    let mut found = reading(rpc, said, question, Address { slot, name, ..about });
    if !rpc.is_response() {
        found.authority = Authority::Belief;
    }
    let (kind, record) = block(&mut cursor)?;
    if kind != IM0_BLOCK + (index - IM0) {
        return Ok(None);
    }
    let mut inside = Cursor::new(super::NAME, said.bytes).from(record.start).until(record.end);
    match index {
        IM0 => identification(&mut inside, said.bytes, &mut found)?,
        0xaff1 => {
            text("pn-io.im.function", 32, &mut inside, said.bytes, &mut found)?;
            text("pn-io.im.location", 22, &mut inside, said.bytes, &mut found)?;
        }
        0xaff2 => text("pn-io.im.date", 16, &mut inside, said.bytes, &mut found)?,
        _ => text("pn-io.im.descriptor", 54, &mut inside, said.bytes, &mut found)?,
    }
    Ok(Some(found))
}

/// I&M0 (5.2.17.1 to 5.2.17.10).
fn identification(inside: &mut Cursor<'_>, bytes: &[u8], reading: &mut Reading) -> Result<(), Malformed> {
    reading.fact("pn-io.im.vendor", Shape::Hex, inside.range(2, "a vendor id")?);
    text("pn-io.im.order", 20, inside, bytes, reading)?;
    text("pn-io.im.serial", 16, inside, bytes, reading)?;
    reading.fact("pn-io.im.hardware", Shape::Number, inside.range(2, "a hardware revision")?);
    let software = inside.range(4, "a software revision")?;
    let has_letter = bytes.get(software.start).is_some_and(|letter| REVISION_LETTERS.contains(letter));
    match has_letter {
        true => reading.fact("pn-io.im.software", Shape::LetterDotted, software),
        false => reading.fact("pn-io.im.software.other", Shape::Hex, software),
    }
    reading.fact("pn-io.im.counter", Shape::Number, inside.range(2, "a revision counter")?);
    reading.fact("pn-io.im.profile", Shape::Hex, inside.range(2, "a profile id")?);
    reading.fact("pn-io.im.profile.type", Shape::Hex, inside.range(2, "a profile's own type")?);
    reading.fact("pn-io.im.version", Shape::Dotted, inside.range(2, "the version of I&M")?);
    reading.fact("pn-io.im.supported", Shape::Hex, inside.range(2, "the records that there are")?);
    Ok(())
}

fn text(path: &str, length: usize, inside: &mut Cursor<'_>, bytes: &[u8], reading: &mut Reading) -> Result<(), Malformed> {
    let range = inside.range(length, "a text of an I&M record (IEC 61158-6-10, 5.2.17)")?;
    text_fact(path, range.start, bytes.get(range.clone()).unwrap_or_default(), reading);
    Ok(())
}
