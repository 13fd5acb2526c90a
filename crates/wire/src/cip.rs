//! CIP, the Common Industrial Protocol: requests to objects of a device, here to the Identity object, as EtherNet/IP carries them.
//!
//! Sources: ODVA, The CIP Networks Library, volume 1 (Common Industrial Protocol), edition 3.3: 2-4 (request and reply), 3-5.5
//! (Connection Manager: Forward_Open, Unconnected_Send), 5-2 (Identity object), appendix A (services), appendix C (data, paths).
//! A reply does not name the object that answers, so it is read together with its question.

mod identity;
mod path;

use core::ops::Range;

use crate::conversation::Happening;
use crate::{Cursor, Malformed, pccc};

pub use identity::{NAME, electronic_key, identity, originator, way_of_open};
pub use path::Route;
use path::{Segment, Segments};

/// The bit that makes a service's reply of it (2-4.2).
pub const REPLY_BIT: u8 = 0x80;

/// Request header, path and what follows (2-4.1).
const REQUEST: &str = "a request (CIP volume 1, 2-4.1)";
const REPLY: &str = "a reply (CIP volume 1, 2-4.2)";

/// Service: all attributes of an instance (appendix ).
pub const GET_ATTRIBUTES_ALL: u8 = 0x01;
const GET_ATTRIBUTE_LIST: u8 = 0x03;
const RESET: u8 = 0x05;
const MULTIPLE_SERVICE: u8 = 0x0a;
/// Service: one attribute of an instance (appendix ).
pub const GET_ATTRIBUTE_SINGLE: u8 = 0x0e;
const SET_ATTRIBUTE_SINGLE: u8 = 0x10;
const EXECUTE_PCCC: u8 = 0x4b;
/// Service of the Connection Manager: passes a request on (3-5.5.4).
pub const UNCONNECTED_SEND: u8 = 0x52;
const FORWARD_OPEN: u8 = 0x54;
const LARGE_FORWARD_OPEN: u8 = 0x5b;
/// Writes one block of a firmware image (Rockwell Automation, class 0xA1; seen in a recorded update).
const TRANSFER: u8 = 0x4d;

const IDENTITY: u32 = 0x01;
const MESSAGE_ROUTER: u32 = 0x02;
const CONNECTION_MANAGER: u32 = 0x06;
const PCCC_OBJECT: u32 = 0x67;
const FIRMWARE_STORE: u32 = 0xa1;
const TCP_IP_INTERFACE: u32 = 0xf5;

/// Some, not all, of the parts of a Multiple_Service_Packet failed (appendix B).
const EMBEDDED_ERROR: u8 = 0x1e;
/// The route could not be gone (appendix B: connection failure, resource unavailable): a router answered, not the module.
const ROUTE_ERRORS: [u8; 2] = [0x01, 0x02];

/// Where a CIP message stands in a message of the encapsulation: its end is the promised one, captured or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of its first byte.
    pub at: usize,
    /// Offset behind its last.
    pub end: usize,
}

impl Span {
    fn cursor(self, message: &[u8]) -> Cursor<'_> {
        Cursor::new(NAME, message).from(self.at).until(self.end)
    }

    /// What is there of it.
    pub fn of(self, message: &[u8]) -> &[u8] {
        self.cursor(message).rest()
    }
}

/// A request as it reaches the object that answers it: what routers are told around it is peeled off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The service that is asked for.
    pub service: u8,
    class: u32,
    instance: u32,
    attribute: u32,
    /// The service's parameters.
    body: Span,
    /// The way to the module through [`UNCONNECTED_SEND`]; empty where the one with the address itself is asked.
    pub route: Range<usize>,
}

/// What a listener does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Its answer says nothing about what the device is.
    Nothing,
    /// It asks for identity.
    Identity,
    /// It asks for the diagnostic status in PCCC.
    Status,
    /// It opens a connection.
    Open,
    /// It does something to the device.
    Change(Happening),
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Malformed`] where the header, or what is wrapped in it, is not all there.
    pub fn read(message: &[u8], span: Span) -> Result<Self, Malformed> {
        let outer = Self::plain(message, span)?;
        if (outer.service, outer.class) != (UNCONNECTED_SEND, CONNECTION_MANAGER) {
            return Ok(outer);
        }
        let mut body = outer.body.cursor(message);
        body.range(2, "priority and ticks (3-5.5.4)")?;
        let count = usize::from(body.u16_le("size of the wrapped message (3-5.5.4)")?);
        let inner = body.range(count + count % 2, "the wrapped message (3-5.5.4)")?;
        let words = body.u8("size of the route (3-5.5.4)")?;
        body.range(1, "reserved (3-5.5.4)")?;
        let route = body.range(usize::from(words) * 2, "the route (3-5.5.4)")?;
        Ok(Self { route, ..Self::plain(message, Span { at: inner.start, end: inner.start + count })? })
    }

    fn plain(message: &[u8], span: Span) -> Result<Self, Malformed> {
        let mut cursor = span.cursor(message);
        let (service, words) = (cursor.u8(REQUEST)?, cursor.u8(REQUEST)?);
        let path = cursor.range(usize::from(words) * 2, REQUEST)?;
        let (class, instance, attribute) = match *message.get(path.clone()).unwrap_or_default() {
            // Nearly all requests have one of these.
            [0x20, class, 0x24, instance] => (u32::from(class), u32::from(instance), 0),
            [0x20, class, 0x24, instance, 0x30, attribute] => (u32::from(class), u32::from(instance), u32::from(attribute)),
            [0x91, ..] => (0, 0, 0),
            _ => object(Cursor::new(NAME, message).from(path.start).until(path.end)),
        };
        let body = Span { at: path.end, end: span.end.max(path.end) };
        Ok(Self { service, class, instance, attribute, body, route: 0..0 })
    }

    /// True for a PCCC command wrapped in CIP, whatever it asks.
    #[must_use]
    pub const fn is_pccc(&self) -> bool {
        self.service == EXECUTE_PCCC && self.class == PCCC_OBJECT
    }

    /// What it wants.
    #[must_use]
    pub fn wanted(&self, message: &[u8]) -> Wanted {
        match (self.service, self.class) {
            (MULTIPLE_SERVICE, MESSAGE_ROUTER) => self.wanted_of_parts(message),
            (GET_ATTRIBUTES_ALL | GET_ATTRIBUTE_LIST | GET_ATTRIBUTE_SINGLE, IDENTITY) if identity::is_asked(self, message) => {
                Wanted::Identity
            }
            (EXECUTE_PCCC, PCCC_OBJECT) if pccc::asks_status(self.body.cursor(message)) => Wanted::Status,
            (FORWARD_OPEN | LARGE_FORWARD_OPEN, CONNECTION_MANAGER) => Wanted::Open,
            (RESET, IDENTITY) => Wanted::Change(Happening::Reset),
            (TRANSFER, FIRMWARE_STORE) => Wanted::Change(Happening::FirmwareTransfer),
            // Interface configuration and host name (volume 2, 5-4.3).
            (SET_ATTRIBUTE_SINGLE, TCP_IP_INTERFACE) if matches!(self.attribute, 5 | 6) => Wanted::Change(Happening::Renamed),
            _ => Wanted::Nothing,
        }
    }

    fn wanted_of_parts(&self, message: &[u8]) -> Wanted {
        let parts = Parts::read(message, self.body).filter_map(|part| Self::plain(message, part).ok());
        let of_part = |part: Self| if part.service == MULTIPLE_SERVICE { Wanted::Nothing } else { part.wanted(message) };
        let wanted = parts.map(of_part).find(|wanted| matches!(wanted, Wanted::Identity | Wanted::Change(_)));
        wanted.unwrap_or(Wanted::Nothing)
    }

    /// The way to the module.
    #[must_use]
    pub fn way(&self, message: &[u8]) -> Route {
        Route::of(message, Cursor::new(NAME, message).from(self.route.start).until(self.route.end))
    }

    /// Its parameters.
    #[must_use]
    pub fn body<'m>(&self, message: &'m [u8]) -> Cursor<'m> {
        self.body.cursor(message)
    }
}

/// Class, instance and attribute that a path names; 0 where it names none. The first of each counts: what follows is a member of it.
fn object(path: Cursor<'_>) -> (u32, u32, u32) {
    let (mut class, mut instance, mut attribute) = (None, None, None);
    for segment in Segments::new(path) {
        match segment {
            Segment::Class(value) => _ = class.get_or_insert(value),
            Segment::Instance(value) => _ = instance.get_or_insert(value),
            Segment::Attribute(value) => _ = attribute.get_or_insert(value),
            // A tag's name stands for an object that has nothing to do with identity.
            Segment::Other => break,
            Segment::Hop { .. } | Segment::Key(_) => {}
        }
    }
    (class.unwrap_or(0), instance.unwrap_or(0), attribute.unwrap_or(0))
}

/// A reply, or as much of it as is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The service that it answers.
    pub service: u8,
    /// General status (appendix B): 0 is success.
    pub status: u8,
    /// What follows the additional status.
    pub body: Span,
}

impl Reply {
    /// Reads a reply's header.
    ///
    /// # Errors
    /// [`Malformed`] where it is not whole.
    pub fn read(message: &[u8], span: Span) -> Result<Self, Malformed> {
        let mut cursor = span.cursor(message);
        let [service, _, status, words] = cursor.array(REPLY)?;
        if service & REPLY_BIT == 0 {
            return Err(Malformed::wrong(NAME, span.at, REPLY));
        }
        let extended = cursor.range(usize::from(words) * 2, REPLY)?;
        let body = Span { at: extended.end, end: span.end.max(extended.end) };
        Ok(Self { service: service & !REPLY_BIT, status, body })
    }

    /// True where it can come from the object that was asked; false where a router or another object speaks.
    #[must_use]
    pub fn answers(&self, request: &Request) -> bool {
        self.service == request.service && self.is_of_target()
    }

    /// True where it does not tell that the way to the target could not be gone.
    #[must_use]
    pub fn is_of_target(&self) -> bool {
        !ROUTE_ERRORS.contains(&self.status)
    }

    /// The two ids of the connection that a [`Wanted::Open`] opened: from originator to target, from target to originator (3-5.5.2).
    #[must_use]
    pub fn opened(&self, message: &[u8]) -> Option<(u32, u32)> {
        let mut body = self.body.cursor(message);
        let ids = (body.u32_le(REPLY).ok()?, body.u32_le(REPLY).ok()?);
        (self.status == 0).then_some(ids)
    }
}

/// What a Multiple_Service_Packet holds, question or answer (appendix ): offsets count from the count in front of them.
struct Parts<'m> {
    offsets: Cursor<'m>,
    start: usize,
    end: usize,
    left: u16,
    next: Option<usize>,
}

impl<'m> Parts<'m> {
    fn read(message: &'m [u8], body: Span) -> Self {
        let mut offsets = body.cursor(message);
        let left = offsets.u16_le(REQUEST).unwrap_or(0);
        let next = offsets.u16_le(REQUEST).ok().map(usize::from);
        Self { offsets, start: body.at, end: body.end, left, next }
    }
}

impl Iterator for Parts<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        self.left = self.left.checked_sub(1)?;
        let at = self.start.checked_add(self.next?)?;
        let following = if self.left == 0 { None } else { Some(usize::from(self.offsets.u16_le(REQUEST).ok()?)) };
        self.next = following;
        let end = following.map_or(self.end, |following| self.start.saturating_add(following));
        (at < end && end <= self.end).then_some(Span { at, end })
    }
}

#[cfg(test)]
mod tests;
