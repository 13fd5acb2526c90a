//! Where things stand in a message of version 3. RFC 3412, 6; RFC 3414, 2.4.

use std::ops::Range;

/// Bytes of an engine's id (RFC 3411, 5, SnmpEngineID).
const ENGINE_BYTES: std::ops::RangeInclusive<usize> = 5..=32;

/// An engine and its clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// Its id; empty while nobody knows it.
    pub id: Vec<u8>,
    /// How often it started.
    pub boots: u32,
    /// Seconds since then.
    pub time: u32,
}

impl Engine {
    /// The engine that a message names; `None` where it names none.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<Self> {
        Frame::read(message).map(|frame| frame.engine).filter(|engine| ENGINE_BYTES.contains(&engine.id.len()))
    }

    /// Boots and time as they stand in a message.
    #[must_use]
    pub fn clock(&self) -> Vec<u8> {
        [self.boots, self.time].into_iter().flat_map(integer).collect()
    }
}

/// A message of version 3.
pub(super) struct Frame {
    pub flags: u8,
    pub engine: Engine,
    /// The authentication, and the salt.
    pub mac: Range<usize>,
    pub salt: Range<usize>,
    /// All before the scoped PDU, without the outermost tag and length.
    pub head: Range<usize>,
    /// The scoped PDU with its tag and length; where it is encrypted, what is inside of that.
    pub scoped: Range<usize>,
    pub encrypted: Range<usize>,
}

impl Frame {
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let mut c = Walk { bytes: message, at: 0, end: message.len() };
        let mut c = c.enter(0x30).filter(|whole| whole.end == message.len())?;
        let start = c.at;
        if c.integer()? != 3 {
            return None;
        }
        let mut header = c.enter(0x30)?;
        header.integer()?;
        header.integer()?;
        let flags = *message.get(header.value(0x04)?)?.first()?;
        if header.integer()? != 3 {
            return None;
        }
        let mut security = c.enter(0x04)?.enter(0x30)?;
        let id = message.get(security.value(0x04)?)?.to_vec();
        let (boots, time) = (security.integer()?, security.integer()?);
        security.value(0x04)?;
        let (mac, salt) = (security.value(0x04)?, security.value(0x04)?);
        let (head, scoped) = (start..c.at, c.at..c.end);
        let encrypted = c.value(0x04).unwrap_or(0..0);
        Some(Self { flags, engine: Engine { id, boots, time }, mac, salt, head, scoped, encrypted })
    }

    /// True for a plain report. RFC 3416, 3.
    pub(super) fn is_report(&self, message: &[u8]) -> bool {
        let pdu = || {
            let mut c = Walk { bytes: message, at: self.scoped.start, end: self.scoped.end }.enter(0x30)?;
            c.value(0x04)?;
            c.value(0x04)?;
            message.get(c.at).copied()
        };
        pdu() == Some(0xa8)
    }
}

/// Elements one after the other. X.690, 8.1, definite lengths of up to two bytes: a datagram has no more.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl Walk<'_> {
    fn value(&mut self, tag: u8) -> Option<Range<usize>> {
        let [found, first, more @ ..] = self.bytes.get(self.at..self.end)? else { return None };
        let (length, width) = match (first, more) {
            (..=0x7f, _) => (usize::from(*first), 2),
            (0x81, [length, ..]) => (usize::from(*length), 3),
            (0x82, [upper, lower, ..]) => (usize::from(u16::from_be_bytes([*upper, *lower])), 4),
            _ => return None,
        };
        let start = self.at.checked_add(width)?;
        let end = start.checked_add(length).filter(|end| *found == tag && *end <= self.end)?;
        self.at = end;
        Some(start..end)
    }

    fn enter(&mut self, tag: u8) -> Option<Self> {
        let Range { start: at, end } = self.value(tag)?;
        Some(Self { bytes: self.bytes, at, end })
    }

    /// A number below 2 to the 31st.
    fn integer(&mut self) -> Option<u32> {
        let range = self.value(0x02)?;
        let bytes = self.bytes.get(range)?;
        let number = bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        ((1..=4).contains(&bytes.len()) && bytes.first()? & 0x80 == 0).then_some(number)
    }
}

/// An INTEGER in the fewest bytes. X.690, 8.3.2.
fn integer(number: u32) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let skip = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
    let mut value = bytes.get(skip..).unwrap_or_default().to_vec();
    if value.first().is_some_and(|first| first & 0x80 != 0) {
        value.insert(0, 0);
    }
    element(0x02, &value)
}

/// Tag, length in the fewest bytes, content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes() {
        [0, lower @ ..=0x7f] => bytes.push(lower),
        [0, lower] => bytes.extend([0x81, lower]),
        [upper, lower] => bytes.extend([0x82, upper, lower]),
    }
    bytes.extend_from_slice(content);
    bytes
}
