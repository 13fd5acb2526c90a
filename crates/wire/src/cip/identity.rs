//! What the Identity object (class 1) says about its device, and what a Forward_Open says about who opens and about whom he expects.

use core::ops::Range;

use super::{
    EMBEDDED_ERROR, GET_ATTRIBUTE_LIST, GET_ATTRIBUTE_SINGLE, GET_ATTRIBUTES_ALL, IDENTITY, LARGE_FORWARD_OPEN, MULTIPLE_SERVICE, Parts,
    Reply, Request, Route,
};
use crate::{Cursor, Malformed, Reading, Shape};

/// The protocol's name as in docs/GLOSSARY.
pub const NAME: &str = "cip";

/// General status of a Get_Attribute_List of which some attributes could not be read (appendix B).
const ATTRIBUTE_LIST_ERROR: u8 = 0x0a;

/// Attributes of the Identity object's instance (volume 1, 5-2.2).
const REVISION: u16 = 4;
const SERIAL: u16 = 6;
const PRODUCT_NAME: u16 = 7;

/// Bytes of attributes 1 to 6, which every Get_Attributes_All begins with (5-2.3.2).
const FIXED: [u16; 6] = [1, 2, 3, REVISION, 5, SERIAL];

/// Attribute's name, shape and bytes; no bytes for texts. `None` where its length cannot be told.
const fn attribute(id: u16) -> Option<(&'static str, Shape, usize)> {
    Some(match id {
        1 => ("vendor", Shape::NumberLe, 2),
        2 => ("device_type", Shape::NumberLe, 2),
        3 => ("product_code", Shape::NumberLe, 2),
        REVISION => ("revision", Shape::Dotted, 2),
        5 => ("status", Shape::HexLe, 2),
        SERIAL => ("serial", Shape::HexLe, 4),
        PRODUCT_NAME => ("product_name", Shape::Text, 0),
        8 => ("state", Shape::NumberLe, 1),
        9 => ("configuration", Shape::HexLe, 2),
        10 => ("heartbeat", Shape::NumberLe, 1),
        11 => ("language", Shape::Text, 3),
        13 => ("international_name", Shape::Text, 0),
        15 => ("assigned_name", Shape::Text, 0),
        16 => ("assigned_description", Shape::Text, 0),
        17 => ("location", Shape::Text, 0),
        _ => return None,
    })
}

/// True for those that say what the device is; its status and state are polled all the time and do not.
const fn is_identity(id: u16) -> bool {
    matches!(id, 1..=4 | SERIAL | PRODUCT_NAME | 13 | 15..=17)
}

/// True where a request to the Identity object asks for something that says what the device is. Instance 0 is the class itself: its
/// revision is the object definition's.
pub fn is_asked(request: &Request, message: &[u8]) -> bool {
    let wants = |id: u32| u16::try_from(id).is_ok_and(is_identity);
    request.instance > 0
        && match request.service {
            GET_ATTRIBUTES_ALL => true,
            GET_ATTRIBUTE_SINGLE => wants(request.attribute),
            GET_ATTRIBUTE_LIST => {
                let mut list = request.body.cursor(message);
                let count = list.u16_le(LIST).unwrap_or(0);
                (0..count).map_while(|_| list.u16_le(LIST).ok()).any(|id| wants(u32::from(id)))
            }
            _ => false,
        }
}

const LIST: &str = "attributes of a list (CIP volume 1, A-4.3)";
const ATTRIBUTE: &str = "an attribute of the Identity object (CIP volume 1, 5-2.2)";

/// Takes the facts of an identity answer, the last message of `reading`, which answers `request` in the message `asked`.
pub fn identity(reading: &mut Reading, (request, asked): (&Request, &[u8]), answer: &[u8], reply: Reply) {
    if request.service != MULTIPLE_SERVICE {
        return facts(reading, (request, asked), answer, reply);
    }
    if !matches!(reply.status, 0 | EMBEDDED_ERROR) {
        return;
    }
    let questions = Parts::read(asked, request.body).map(|part| Request::plain(asked, part));
    for (request, part) in questions.zip(Parts::read(answer, reply.body)) {
        let Ok(request) = request else { continue };
        if request.class != IDENTITY || !is_asked(&request, asked) {
            continue;
        }
        match Reply::read(answer, part) {
            Ok(reply) if reply.service == request.service => facts(reading, (&request, asked), answer, reply),
            Ok(_) => reading.broken(Malformed::wrong(NAME, part.at, "services are answered in their order (A-4.10)")),
            Err(malformed) => return reading.broken(malformed),
        }
    }
}

fn facts(reading: &mut Reading, (request, _): (&Request, &[u8]), answer: &[u8], reply: Reply) {
    let listed = request.service == GET_ATTRIBUTE_LIST && reply.status == ATTRIBUTE_LIST_ERROR;
    if reply.status != 0 && !listed {
        return;
    }
    let mut object = Object { reading, instance: request.instance, body: reply.body.cursor(answer), end: reply.body.end };
    let read = match request.service {
        GET_ATTRIBUTES_ALL => object.all(),
        GET_ATTRIBUTE_LIST => object.list(),
        _ => object.single(request.attribute),
    };
    if let Err(malformed) = read {
        reading.broken(malformed);
    }
}

/// One instance of the Identity object, as an answer shows it.
struct Object<'r, 'm> {
    reading: &'r mut Reading,
    instance: u32,
    body: Cursor<'m>,
    /// Where the answer ends by its own word.
    end: usize,
}

impl Object<'_, '_> {
    /// Behind the name stand more attributes in some devices and padding in others: they are left.
    fn all(&mut self) -> Result<(), Malformed> {
        for id in FIXED {
            self.value(id)?;
        }
        self.value(PRODUCT_NAME)
    }

    fn list(&mut self) -> Result<(), Malformed> {
        let count = self.body.u16_le(LIST)?;
        for _ in 0..count {
            let (id, status) = (self.body.u16_le(LIST)?, self.body.u16_le(LIST)?);
            if status == 0 {
                if attribute(id).is_none() {
                    // A maker's own attribute: where it ends nobody can say.
                    return Ok(());
                }
                self.value(id)?;
            }
        }
        Ok(())
    }

    /// An answer that is longer than the attribute is another one.
    fn single(&mut self, id: u32) -> Result<(), Malformed> {
        let Ok(id) = u16::try_from(id) else { return Ok(()) };
        match attribute(id) {
            Some((.., 0)) => self.value(id),
            Some((.., bytes)) if self.end == self.body.at().saturating_add(bytes) => self.value(id),
            Some(_) => Err(self.body.wrong(ATTRIBUTE)),
            None => Ok(()),
        }
    }

    fn value(&mut self, id: u16) -> Result<(), Malformed> {
        let Some((name, shape, bytes)) = attribute(id) else { return Ok(()) };
        match id {
            PRODUCT_NAME => {
                let count = usize::from(self.body.u8(ATTRIBUTE)?);
                self.text(name, shape, count)
            }
            13 | 15..=17 => self.international(name),
            _ => {
                let range = self.body.range(bytes, ATTRIBUTE)?;
                self.fact(name, shape, range);
                Ok(())
            }
        }
    }

    /// STRINGI (appendix C-5.2.6): the first of its languages.
    fn international(&mut self, name: &str) -> Result<(), Malformed> {
        const STRING: u8 = 0xd0;
        const STRING2: u8 = 0xd5;
        const SHORT_STRING: u8 = 0xda;
        if self.body.u8(ATTRIBUTE)? == 0 {
            return Ok(());
        }
        self.body.range(3, "language (C-5.2.6)")?;
        let kind = self.body.u8(ATTRIBUTE)?;
        self.body.range(2, "character set (C-5.2.6)")?;
        match kind {
            STRING => {
                let count = usize::from(self.body.u16_le(ATTRIBUTE)?);
                self.text(name, Shape::Text, count)
            }
            STRING2 => {
                let count = usize::from(self.body.u16_le(ATTRIBUTE)?) * 2;
                self.text(name, Shape::Utf16Le, count)
            }
            SHORT_STRING => {
                let count = usize::from(self.body.u8(ATTRIBUTE)?);
                self.text(name, Shape::Text, count)
            }
            _ => Err(self.body.wrong("a kind of string (C-5.2.6)")),
        }
    }

    fn text(&mut self, name: &str, shape: Shape, count: usize) -> Result<(), Malformed> {
        let range = self.body.range(count, ATTRIBUTE)?;
        if count > 0 {
            self.fact(name, shape, range);
        }
        Ok(())
    }

    /// The first instance is the device; others are parts of it, under paths of their own. What was said first stands.
    fn fact(&mut self, name: &str, shape: Shape, range: Range<usize>) {
        let path = match self.instance {
            1 => format!("cip.identity.{name}"),
            instance => format!("cip.identity.{instance}.{name}"),
        };
        if self.reading.facts.iter().all(|fact| fact.path != path) {
            self.reading.fact(path, shape, range);
        }
    }
}

/// Offsets in the parameters of a Forward_Open (volume 1, 3-5.5.2).
const ORIGINATOR_AT: usize = 12;
const ORIGINATOR_SERIAL_AT: usize = 14;
const PATH_AT: usize = 35;
/// A large one has two more bytes for each direction's parameters.
const LARGE_PATH_AT: usize = 39;

/// What the one who opens a connection says about himself, the last message of `reading`.
pub fn originator(reading: &mut Reading, open: &Request) {
    let at = open.body.at;
    let within = |range: Range<usize>| if range.end <= open.body.end { range } else { 0..0 };
    for (name, shape, from, bytes) in [("vendor", Shape::NumberLe, ORIGINATOR_AT, 2), ("serial", Shape::HexLe, ORIGINATOR_SERIAL_AT, 4)] {
        let range = within(at + from..at + from + bytes);
        if !range.is_empty() {
            reading.fact(format!("cip.originator.{name}"), shape, range);
        }
    }
}

/// The way to whom a connection goes. `met` hears where on it an electronic key stands (C-1.4.2): what the originator takes the node
/// there for. A key of zeros asks for nothing and is left out. `None` where the way is not all there.
pub fn way_of_open(open: &Request, message: &[u8], met: &mut dyn FnMut(&Route, Range<usize>)) -> Option<Route> {
    let mut route = open.way(message);
    let at = if open.service == LARGE_FORWARD_OPEN { LARGE_PATH_AT } else { PATH_AT };
    let start = open.body.at.saturating_add(at);
    let words = message.get(start).filter(|_| start < open.body.end)?;
    let end = start + 1 + usize::from(*words) * 2;
    if end > open.body.end.min(message.len()) {
        return None;
    }
    route.follow(message, Cursor::new(NAME, message).from(start + 1).until(end), &mut |route, key| {
        if message.get(key.clone()).is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0)) {
            met(route, key);
        }
    });
    Some(route)
}

/// The upper bit of the major revision allows any device that is compatible with it.
const COMPATIBLE_BIT: u8 = 0x80;

/// Takes the facts of an electronic key in the last message of `reading`.
pub fn electronic_key(reading: &mut Reading, message: &[u8], key: Range<usize>) {
    let at = key.start;
    for (name, from) in [("vendor", 0), ("device_type", 2), ("product_code", 4)] {
        reading.fact(format!("cip.key.{name}"), Shape::NumberLe, at + from..at + from + 2);
    }
    match message.get(at + 6..at + 8) {
        Some([major, _]) if major & COMPATIBLE_BIT != 0 => reading.fact("cip.key.compatible", Shape::Hex, at + 6..at + 8),
        // A minor of 0 is any.
        Some([_, 0]) => reading.fact("cip.key.major", Shape::Number, at + 6..at + 7),
        _ => reading.fact("cip.key.revision", Shape::Dotted, at + 6..at + 8),
    }
}
