//! Mailboxes (ETG.1000.6, 5.6): objects of a slave's dictionary in CoE answers, and firmware in FoE requests. Where in a slave its mailbox
//! lies is a matter of its configuration: it is told by its header, whose length, type and service agree.

use core::ops::Range;

use super::datagram::Datagram;
use crate::conversation::Said;
use crate::{Reading, Shape};

/// Registers of every slave end here; its memory, with the mailboxes, follows.
const MEMORY: u16 = 0x1000;
/// Length, address, channel, type.
const HEADER_BYTES: usize = 6;
/// Mailbox types: CAN application protocol, and file access.
const COE: u8 = 3;
const FOE: u8 = 4;
/// CoE's service in the upper four bits: an SDO answer.
const SDO_ANSWER: u8 = 3;
/// FoE: a request to write a file. Behind it stand a password and the file's name.
const FOE_WRITE: u8 = 2;
const FOE_NAME_START: usize = 6;

/// True where bytes can be one of the mailboxes that are read here.
pub(super) fn may_be(datagram: &Datagram<'_>) -> bool {
    datagram.offset >= MEMORY && datagram.bytes.get(HEADER_BYTES - 1).is_some_and(|kind| matches!(kind & 0x0f, COE | FOE))
}

/// The body of a mailbox of that type, and where it starts in the frame.
fn body<'a>(datagram: &Datagram<'a>, expected: u8) -> Option<(&'a [u8], usize)> {
    if datagram.offset < MEMORY {
        return None;
    }
    let &[l0, l1, _, _, _, kind, ref rest @ ..] = datagram.bytes else { return None };
    let body = rest.get(..usize::from(u16::from_le_bytes([l0, l1])))?;
    (kind & 0x0f == expected).then_some((body, datagram.start + HEADER_BYTES))
}

/// True for a file that a slave takes.
pub(super) fn begins_firmware(datagram: &Datagram<'_>) -> bool {
    let Some((body, _)) = datagram.writes().then(|| body(datagram, FOE)).flatten() else { return false };
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().all(|byte| matches!(byte, 0 | b' '..=b'~'));
    matches!(body, [FOE_WRITE, 0, ..]) && body.get(FOE_NAME_START..).is_some_and(is_name)
}

/// An object of identity in an SDO answer.
pub(super) fn identity(datagram: &Datagram<'_>, said: &Said<'_>, reading: &mut Reading) -> bool {
    let Some((body, start)) = datagram.reads().then(|| body(datagram, COE)).flatten() else { return false };
    let Some((index, subindex, value)) = object(body) else { return false };
    let (path, shape) = match (index, subindex) {
        (0x1008, 0) => ("ethercat.coe.name", Shape::Text),
        (0x1009, 0) => ("ethercat.coe.hardware", Shape::Text),
        (0x100a, 0) => ("ethercat.coe.software", Shape::Text),
        (0x1018, 1) => ("ethercat.coe.vendor", Shape::HexLe),
        (0x1018, 2) => ("ethercat.coe.product", Shape::HexLe),
        (0x1018, 3) => ("ethercat.coe.revision", Shape::HexLe),
        (0x1018, 4) => ("ethercat.coe.serial", Shape::NumberLe),
        _ => return false,
    };
    if shape != Shape::Text && value.len() != 4 {
        return false;
    }
    let bytes = body.get(value.clone()).unwrap_or_default();
    let length = match shape {
        // NULs behind a text are padding.
        Shape::Text => bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1),
        _ => bytes.len(),
    };
    if length == 0 {
        return false;
    }
    *reading = Reading::of(super::NAME, reading.over, "ethercat.coe", reading.speaker.clone(), said.at, said.bytes);
    reading.fact(path, shape, start + value.start..start + value.start + length);
    true
}

/// Index, subindex and the place of the value of an upload's answer (ETG.1000.6, 5.6.2.4): expedited with up to four bytes, or normal
/// with its length. What is continued in segments is no whole value.
fn object(body: &[u8]) -> Option<(u16, u8, Range<usize>)> {
    let &[_, service, command, i0, i1, subindex, s0, s1, s2, s3, ..] = body else { return None };
    if service >> 4 != SDO_ANSWER {
        return None;
    }
    let value = match command & 0xe3 {
        0x43 => 6..10 - usize::from(command >> 2 & 3),
        0x42 => 6..10,
        0x41 => 10..usize::try_from(u32::from_le_bytes([s0, s1, s2, s3])).ok()?.checked_add(10)?,
        _ => return None,
    };
    body.get(value.clone())?;
    Some((u16::from_le_bytes([i0, i1]), subindex, value))
}
