//! An EtherCAT frame is a list of datagrams (ETG.1000.4, 5.3 and 5.4), each a command for some slaves with the bytes they read or write.

use core::ops::Range;

use super::NAME;
use crate::{Cursor, Malformed};

/// Commands that name one slave: by its position (the address counts up on the way), or by its station address.
const READ_POSITION: u8 = 1;
const WRITE_POSITION: u8 = 2;
const READ_STATION: u8 = 4;
const WRITE_STATION: u8 = 5;
/// The last command that there is (FRMW).
const COMMAND_LAST: u8 = 14;
/// The lower eleven bits of a length.
const LENGTH_BITS: u16 = 0x07ff;
/// A further datagram follows.
const MORE_BIT: u16 = 0x8000;
/// The upper four bits of the frame's header: 1 for datagrams (5.3.3).
const TYPE_DATAGRAMS: u16 = 1;

/// Which slave a datagram names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slave {
    /// By its place on the wire, from 0; true only on the way out.
    Position(u16),
    /// By the address that its master gave it.
    Station(u16),
}

/// One datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    command: u8,
    pub index: u8,
    pub slave: Slave,
    /// The address in the slave at which it reads or writes.
    pub offset: u16,
    pub bytes: &'a [u8],
    /// Where its bytes start in the frame.
    pub start: usize,
    /// How many slaves did it so far.
    pub answered: u16,
}

impl Datagram<'_> {
    pub(super) const fn names_one_slave(&self) -> bool {
        matches!(self.command, READ_POSITION | WRITE_POSITION | READ_STATION | WRITE_STATION)
    }

    pub(super) const fn reads(&self) -> bool {
        matches!(self.command, READ_POSITION | READ_STATION)
    }

    pub(super) const fn writes(&self) -> bool {
        matches!(self.command, WRITE_POSITION | WRITE_STATION)
    }

    /// The bytes of these registers, if all are in this datagram, and where they stand in the frame.
    pub(super) fn registers(&self, from: u16, count: usize) -> Option<(&[u8], Range<usize>)> {
        let skip = usize::from(from.checked_sub(self.offset)?);
        let start = self.start.checked_add(skip)?;
        Some((self.bytes.get(skip..skip.checked_add(count)?)?, start..start + count))
    }
}

/// The datagrams of a frame, in order. After one that is broken there are no more.
#[derive(Debug)]
pub(super) struct Datagrams<'a> {
    cursor: Cursor<'a>,
    more: bool,
}

impl<'a> Datagrams<'a> {
    /// Reads the header; a frame of another type (EAP's variables) has no datagrams.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(NAME, bytes);
        let header = cursor.u16_le("a frame's length and type (ETG.1000.4, 5.3.3)")?;
        Ok(Self { cursor, more: header >> 12 == TYPE_DATAGRAMS })
    }

    fn datagram(&mut self) -> Result<Datagram<'a>, Malformed> {
        let start = self.cursor;
        let [command, index, a0, a1, o0, o1, l0, l1, _, _] = self.cursor.array("a datagram's header (ETG.1000.4, 5.4.1)")?;
        if command > COMMAND_LAST {
            return Err(start.wrong("a command is 0 to 14 (ETG.1000.4, 5.4.1)"));
        }
        let (address, length) = (u16::from_le_bytes([a0, a1]), u16::from_le_bytes([l0, l1]));
        let at = self.cursor.at();
        let bytes = self.cursor.take(usize::from(length & LENGTH_BITS), "a datagram's length (ETG.1000.4, 5.4.1)")?;
        let answered = self.cursor.u16_le("a working counter (ETG.1000.4, 5.4.1)")?;
        self.more = length & MORE_BIT != 0;
        let slave = match command {
            READ_POSITION | WRITE_POSITION => Slave::Position(address.wrapping_neg()),
            _ => Slave::Station(address),
        };
        Ok(Datagram { command, index, slave, offset: u16::from_le_bytes([o0, o1]), bytes, start: at, answered })
    }
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = Result<Datagram<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if !core::mem::replace(&mut self.more, false) {
            return None;
        }
        Some(self.datagram())
    }
}
