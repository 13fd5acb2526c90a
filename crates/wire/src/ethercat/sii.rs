//! The slave information interface: registers through which a master reads a slave's EEPROM (ETG.1000.4, 6.4), and the EEPROM's words
//! (ETG.2010, 3): vendor, product, revision, serial number.

use core::ops::Range;

use super::datagram::Datagram;
use crate::{Reading, Shape};

/// Control and status, the word's address, and the words themselves.
const CONTROL: u16 = 0x0502;
const ADDRESS: u16 = 0x0504;
const WORDS: u16 = 0x0508;
/// In the upper byte of control: read. In that of status: busy, and not acknowledged. In its lower byte: reads bring eight bytes, not four.
const READ_BIT: u8 = 0x01;
const BUSY_BITS: u8 = 0x80 | 0x20;
const EIGHT_BIT: u8 = 0x40;

/// First words of identity, and what each two are called.
const IDENTITY: [(u32, &str, Shape); 4] = [
    (0x08, "ethercat.sii.vendor", Shape::HexLe),
    (0x0a, "ethercat.sii.product", Shape::HexLe),
    (0x0c, "ethercat.sii.revision", Shape::HexLe),
    (0x0e, "ethercat.sii.serial", Shape::NumberLe),
];

/// True for registers of the interface.
pub(super) const fn is_near(datagram: &Datagram<'_>) -> bool {
    matches!(datagram.offset, CONTROL..=WORDS)
}

/// The word that a write asks the EEPROM for.
pub(super) fn asks_for(datagram: &Datagram<'_>) -> Option<u32> {
    if !datagram.writes() || !is_near(datagram) {
        return None;
    }
    let (control, _) = datagram.registers(CONTROL, 2)?;
    (control.get(1)? & READ_BIT != 0).then_some(())?;
    word(datagram)
}

/// A word's address of two bytes or four, whichever is there.
fn word(datagram: &Datagram<'_>) -> Option<u32> {
    let long = datagram.registers(ADDRESS, 4).and_then(|(bytes, _)| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_le_bytes);
    let short = || datagram.registers(ADDRESS, 2).and_then(|(bytes, _)| <[u8; 2]>::try_from(bytes).ok()).map(u16::from_le_bytes);
    long.or_else(|| short().map(u32::from))
}

/// The words that a read brought, and their address where it was read with them. Nothing while the EEPROM is busy.
pub(super) fn answers(datagram: &Datagram<'_>) -> Option<(Option<u32>, Range<usize>)> {
    if !datagram.reads() || !is_near(datagram) {
        return None;
    }
    let (_, four) = datagram.registers(WORDS, 4)?;
    let status = datagram.registers(CONTROL, 2).map(|(status, _)| status);
    if status.is_some_and(|status| status.get(1).is_none_or(|upper| upper & BUSY_BITS != 0)) {
        return None;
    }
    // A master that reads eight bytes alone has looked at the status before.
    let eight = status.is_none_or(|status| status.first().is_some_and(|lower| lower & EIGHT_BIT != 0));
    let words = datagram.registers(WORDS, 8).filter(|_| eight).map_or(four, |(_, eight)| eight);
    Some((word(datagram), words))
}

/// True where words from this one on hold a whole field of identity.
pub(super) fn is_identity(word: u32, bytes: usize) -> bool {
    IDENTITY.iter().any(|(first, ..)| place(*first, word, bytes).is_some())
}

/// Facts of the words at `range` of the reading's message, the first of which is `word`.
pub(super) fn facts(word: u32, range: Range<usize>, reading: &mut Reading) {
    for (first, path, shape) in IDENTITY {
        if let Some(skip) = place(first, word, range.len()) {
            reading.fact(path, shape, range.start + skip..range.start + skip + 4);
        }
    }
}

/// Where a field of two words stands in so many bytes from a word on.
fn place(field: u32, word: u32, bytes: usize) -> Option<usize> {
    let skip = usize::try_from(field.checked_sub(word)?).ok()?.checked_mul(2)?;
    (skip.checked_add(4)? <= bytes).then_some(skip)
}
