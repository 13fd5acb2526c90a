//! An SNMP message down to its variable bindings: where everything stands, nothing taken out.

use core::ops::Range;

use super::NAME;
use crate::{Cursor, Malformed};

/// Tags. X.690, 8; RFC 3416, 3; RFC 1157, 4.1.
const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const IP_ADDRESS: u8 = 0x40;
pub(super) const TIME_TICKS: u8 = 0x43;
/// Versions as they stand in the message.
pub(super) const V1: u32 = 0;
pub(super) const V2C: u32 = 1;
const V3: u32 = 3;
/// The flag of a v3 message that wants an answer, and the security model that names engines. RFC 3412, 6.4; RFC 3414.
const REPORTABLE: u8 = 4;
const USM: u32 = 3;

/// What a PDU is. RFC 3416, 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Get, GetNext, GetBulk.
    Read,
    Set,
    Response,
    Report,
    Inform,
    TrapV1,
    TrapV2,
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Message<'a> {
    /// Bytes that it is long, if nothing is missing.
    pub length: usize,
    /// False where the capture cut it.
    pub whole: bool,
    /// True where all lengths end together.
    pub fits: bool,
    /// Question and answer have the same: request id, in v3 message id.
    pub id: u32,
    /// The community of v1 and v2c.
    pub community: Range<usize>,
    /// v3: the engine whose clock counts, and whether an answer is wanted.
    pub engine: Option<Range<usize>>,
    pub reportable: bool,
    /// `None` where it is encrypted.
    pub pdu: Option<Pdu<'a>>,
}

/// A protocol data unit.
#[derive(Clone, Debug)]
pub(super) struct Pdu<'a> {
    pub kind: Kind,
    /// True for an answer that says what went wrong: its bindings are the question's.
    pub failed: bool,
    /// v1 traps: the kind of object that sends it, and its address.
    pub enterprise: Option<Range<usize>>,
    pub agent: Option<[u8; 4]>,
    pub bindings: Cursor<'a>,
}

/// One variable binding: where its name and its value stand, and the value's tag.
pub(super) struct Binding {
    pub name: Range<usize>,
    pub tag: u8,
    pub value: Range<usize>,
}

/// Tag, length, and what is there of the content. Only definite lengths of up to four octets. X.690, 8.1.
pub(super) fn element(c: &mut Cursor<'_>) -> Result<(u8, usize), Malformed> {
    let [tag, first] = c.array("tag and length (X.690, 8.1)")?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => {
            let bytes = c.take(usize::from(first & 0x7f), "length (X.690, 8.1.3.5)")?;
            bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
        }
        _ => return Err(c.wrong("a definite length of up to 4 octets (RFC 3417, 8)")),
    };
    Ok((tag, length))
}

/// Whether the start of a message stands here, cut inside its header.
pub(super) fn is_cut(bytes: &[u8]) -> bool {
    let mut c = Cursor::new(NAME, bytes);
    matches!(element(&mut c), Ok((SEQUENCE, length)) if length > c.rest().len()) && matches!(c.rest(), [INTEGER, 1, 0 | 1 | 3, ..])
}

/// The content of a constructed value as far as it is there; `c` goes on behind it.
pub(super) fn enter<'a>(c: &mut Cursor<'a>, tag: u8, said_by: &'static str) -> Result<Cursor<'a>, Malformed> {
    let start = *c;
    match element(c)? {
        (found, length) if found == tag => {
            let inside = c.until(c.at().saturating_add(length));
            *c = c.from(c.at().saturating_add(length));
            Ok(inside)
        }
        _ => Err(start.wrong(said_by)),
    }
}

/// The content of a primitive value, all of it.
pub(super) fn primitive(c: &mut Cursor<'_>, tag: u8, said_by: &'static str) -> Result<Range<usize>, Malformed> {
    let start = *c;
    match element(c)? {
        (found, length) if found == tag => c.range(length, said_by),
        _ => Err(start.wrong(said_by)),
    }
}

/// The lower 32 bits of an INTEGER.
pub(super) fn integer(c: &mut Cursor<'_>, said_by: &'static str) -> Result<u32, Malformed> {
    let start = *c;
    let range = primitive(c, INTEGER, said_by)?;
    let bytes = start.from(range.start).rest().get(..range.len()).unwrap_or_default();
    // One octet more than the number needs holds its sign.
    if bytes.is_empty() || bytes.len() > 5 {
        return Err(start.wrong(said_by));
    }
    Ok(bytes.iter().fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte)))
}

impl<'a> Message<'a> {
    /// Reads a message as far as its bindings.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut c = Cursor::new(NAME, bytes);
        let start = c;
        let (tag, length) = element(&mut c)?;
        let length = c.at().saturating_add(length);
        if tag != SEQUENCE {
            return Err(start.wrong("a message is a sequence (RFC 1157, 4)"));
        }
        let mut c = c.until(length);
        let mut message =
            Self { length, whole: bytes.len() >= length, fits: false, id: 0, community: 0..0, engine: None, reportable: false, pdu: None };
        match integer(&mut c, "version (RFC 1157, 4)")? {
            V1 | V2C => {
                message.community = primitive(&mut c, OCTETS, "community (RFC 1157, 4)")?;
                (message.id, message.fits) = message.pdu(&mut c)?;
            }
            V3 => message.version3(&mut c)?,
            _ => return Err(start.wrong("version 1, 2c or 3")),
        }
        Ok(message)
    }

    /// RFC 3412, 6.
    fn version3(&mut self, c: &mut Cursor<'a>) -> Result<(), Malformed> {
        let mut header = enter(c, SEQUENCE, "header data (RFC 3412, 6)")?;
        self.id = integer(&mut header, "message id (RFC 3412, 6.2)")?;
        integer(&mut header, "message size (RFC 3412, 6.3)")?;
        let start = header;
        let flags = primitive(&mut header, OCTETS, "flags (RFC 3412, 6.4)")?;
        self.reportable = start.from(flags.start).rest().first().is_some_and(|flags| flags & REPORTABLE != 0);
        let model = integer(&mut header, "security model (RFC 3412, 6.5)")?;
        let mut security = enter(c, OCTETS, "security parameters (RFC 3412, 6.6)")?;
        if model == USM {
            let mut parameters = enter(&mut security, SEQUENCE, "security parameters (RFC 3414, 2.4)")?;
            let engine = primitive(&mut parameters, OCTETS, "authoritative engine (RFC 3414, 2.4)")?;
            self.engine = Some(engine).filter(|engine| !engine.is_empty());
        }
        let mut encrypted = *c;
        if matches!(element(&mut encrypted)?, (OCTETS, _)) {
            self.fits = true;
            return Ok(());
        }
        let mut scoped = enter(c, SEQUENCE, "scoped PDU (RFC 3412, 6.8)")?;
        primitive(&mut scoped, OCTETS, "context engine (RFC 3412, 6.8)")?;
        primitive(&mut scoped, OCTETS, "context name (RFC 3412, 6.8)")?;
        self.fits = self.pdu(&mut scoped)?.1;
        Ok(())
    }

    /// Reads the PDU's header; returns its request id, and whether its bindings end with it.
    fn pdu(&mut self, c: &mut Cursor<'a>) -> Result<(u32, bool), Malformed> {
        let mut tag = *c;
        let (tag, _) = element(&mut tag)?;
        let kind = match tag {
            0xa0 | 0xa1 | 0xa5 => Kind::Read,
            0xa2 => Kind::Response,
            0xa3 => Kind::Set,
            0xa4 => Kind::TrapV1,
            0xa6 => Kind::Inform,
            0xa7 => Kind::TrapV2,
            0xa8 => Kind::Report,
            _ => return Err(c.wrong("a PDU (RFC 3416, 3)")),
        };
        let mut inside = enter(c, tag, "a PDU (RFC 3416, 3)")?;
        let (mut id, mut failed, mut enterprise, mut agent) = (0, false, None, None);
        if kind == Kind::TrapV1 {
            enterprise = Some(primitive(&mut inside, OID, "enterprise (RFC 1157, 4.1.6)")?);
            let start = inside;
            let address = primitive(&mut inside, IP_ADDRESS, "agent address (RFC 1157, 4.1.6)")?;
            agent = start.from(address.start).rest().first_chunk().copied().filter(|_| address.len() == 4);
            integer(&mut inside, "generic trap (RFC 1157, 4.1.6)")?;
            integer(&mut inside, "specific trap (RFC 1157, 4.1.6)")?;
            primitive(&mut inside, TIME_TICKS, "time (RFC 1157, 4.1.6)")?;
        } else {
            id = integer(&mut inside, "request id (RFC 3416, 3)")?;
            failed = integer(&mut inside, "error status (RFC 3416, 3)")? != 0;
            integer(&mut inside, "error index (RFC 3416, 3)")?;
        }
        let bindings = enter(&mut inside, SEQUENCE, "bindings (RFC 3416, 3)")?;
        self.pdu = Some(Pdu { kind, failed, enterprise, agent, bindings });
        Ok((id, inside.is_empty() && c.is_empty()))
    }
}

impl Pdu<'_> {
    /// Hands on every binding that is all there, and says what is wrong behind the last.
    pub(super) fn bindings(&self, each: &mut dyn FnMut(Binding)) -> Result<(), Malformed> {
        let mut c = self.bindings;
        while !c.is_empty() {
            let mut binding = enter(&mut c, SEQUENCE, "a binding (RFC 3416, 3)")?;
            let name = primitive(&mut binding, OID, "a binding's name (RFC 3416, 3)")?;
            let (tag, length) = element(&mut binding)?;
            let value = binding.range(length, "a binding's value (RFC 3416, 3)")?;
            if !binding.is_empty() {
                return Err(binding.wrong("a binding is a name and a value (RFC 3416, 3)"));
            }
            each(Binding { name, tag, value });
        }
        Ok(())
    }
}
