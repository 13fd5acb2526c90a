//! Paths: what a request is about, and the way to the module that answers it (CIP volume 1, appendix C, padded EPATH).

use core::fmt::Write as _;
use core::ops::Range;

use crate::{Address, Cursor, Malformed};

/// Hops of a route that are written out; a route has one for a module beside the one that was reached, two or three for another rack.
const HOPS_MAX: usize = 16;
/// The port that is the backplane of a chassis (CIP volume 1, 3-5.4.1.2: port 1).
const BACKPLANE: u16 = 1;

const EPATH: &str = "a path segment (CIP volume 1, C-1.4)";
const KEY_BYTES: usize = 8;

/// One segment of a path. Ranges count from the start of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Through that port to the node with that address; `text` where the address is written in ASCII.
    Hop { port: u16, link: Range<usize>, text: bool },
    /// The class of the object that is meant.
    Class(u32),
    /// Its instance.
    Instance(u32),
    /// Its attribute.
    Attribute(u32),
    /// What the sender takes the node at this place of the path for: vendor, device type, product code, major and minor revision.
    Key(Range<usize>),
    /// Something else.
    Other,
}

/// The segments of a path, up to the first that cannot be read.
#[derive(Clone, Debug)]
pub struct Segments<'m> {
    rest: Cursor<'m>,
    broken: bool,
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        if self.broken {
            return None;
        }
        let first = self.rest.u8(EPATH).ok()?;
        let segment = self.segment(first).ok();
        self.broken = segment.is_none();
        segment
    }
}

impl<'m> Segments<'m> {
    pub const fn new(path: Cursor<'m>) -> Self {
        Self { rest: path, broken: false }
    }

    fn segment(&mut self, first: u8) -> Result<Segment, Malformed> {
        let skip = match first >> 5 {
            0 => return self.hop(first),
            1 => return self.logical(first),
            2 if first & 0x10 == 0 => 1,
            3 if first & 0x1f != 0 => padded(usize::from(first & 0x1f)),
            // Data segments and the longer network segments count in words, the symbolic one in bytes.
            2 => usize::from(self.rest.u8(EPATH)?) * 2,
            4 if first == 0x80 => usize::from(self.rest.u8(EPATH)?) * 2,
            4 if first == 0x91 => padded(usize::from(self.rest.u8(EPATH)?)),
            _ => return Err(self.rest.wrong(EPATH)),
        };
        self.rest.range(skip, EPATH)?;
        Ok(Segment::Other)
    }

    fn hop(&mut self, first: u8) -> Result<Segment, Malformed> {
        let text = first & 0x10 != 0;
        let count = if text { usize::from(self.rest.u8(EPATH)?) } else { 1 };
        let port = match first & 0x0f {
            0x0f => self.rest.u16_le(EPATH)?,
            port => u16::from(port),
        };
        let link = self.rest.range(count, EPATH)?;
        if text && count % 2 == 1 && !self.rest.is_empty() {
            self.rest.range(1, EPATH)?;
        }
        Ok(Segment::Hop { port, link, text })
    }

    fn logical(&mut self, first: u8) -> Result<Segment, Malformed> {
        const KEY: u8 = 0x34;
        const KEY_TABLE: u8 = 4;
        if first == KEY {
            if self.rest.u8(EPATH)? != KEY_TABLE {
                return Err(self.rest.wrong(EPATH));
            }
            return Ok(Segment::Key(self.rest.range(KEY_BYTES, EPATH)?));
        }
        let value = match first & 3 {
            0 => u32::from(self.rest.u8(EPATH)?),
            1 => {
                self.rest.u8(EPATH)?;
                u32::from(self.rest.u16_le(EPATH)?)
            }
            2 => {
                self.rest.u8(EPATH)?;
                self.rest.u32_le(EPATH)?
            }
            _ => return Err(self.rest.wrong(EPATH)),
        };
        Ok(match (first >> 2) & 7 {
            0 => Segment::Class(value),
            1 => Segment::Instance(value),
            4 => Segment::Attribute(value),
            _ => Segment::Other,
        })
    }
}

const fn padded(bytes: usize) -> usize {
    bytes + bytes % 2
}

/// A way through ports, as it is read hop by hop.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// `1/0`, `1/3/2/10.0.0.7`: port and link in turn.
    text: String,
    slot: Option<u16>,
    hops: usize,
}

impl Route {
    /// All hops of a path.
    pub fn of(message: &[u8], path: Cursor<'_>) -> Self {
        let mut route = Self::default();
        route.follow(message, path, &mut |_, _| {});
        route
    }

    /// Goes on along a path; `met` hears of each key, and how far the way was there.
    pub fn follow(&mut self, message: &[u8], path: Cursor<'_>, met: &mut dyn FnMut(&Self, Range<usize>)) {
        let mut segments = Segments::new(path);
        for segment in &mut segments {
            match segment {
                Segment::Hop { port, link, text } => self.hop(port, message.get(link).unwrap_or_default(), text),
                Segment::Key(key) => met(self, key),
                _ => {}
            }
        }
        if segments.broken || self.hops > HOPS_MAX {
            // Where such a way ends is not known, only that it is this one.
            (self.hops, self.slot) = (self.hops.max(1), None);
            self.text = path.rest().iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}"));
        }
    }

    fn hop(&mut self, port: u16, link: &[u8], text: bool) {
        self.hops += 1;
        if self.hops > HOPS_MAX {
            return;
        }
        let slash = if self.text.is_empty() { "" } else { "/" };
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".:-_".contains(byte);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{slash}{port}/");
        match link {
            [link] if !text => {
                self.slot = (port == BACKPLANE && self.hops == 1).then_some(u16::from(*link));
                let _ = write!(self.text, "{link}");
            }
            link if text && link.iter().all(is_plain) => self.text.extend(link.iter().map(|byte| char::from(*byte))),
            link => link.iter().for_each(|byte| {
                let _ = write!(self.text, "{byte:02x}");
            }),
        }
        if self.hops > 1 {
            self.slot = None;
        }
    }

    /// The module at the end of this way, behind an address, known by its whole path: `192.168.1.10/1/0` is slot 0 of the chassis of the
    /// module with that address. It speaks over a connection of its own, so the connection's end is its address, too.
    pub fn behind(&self, address: Address) -> Address {
        if self.hops == 0 {
            return address;
        }
        let path = address.ip.map_or_else(|| self.text.clone(), |ip| format!("{ip}/{}", self.text));
        Address { path: Some(path), slot: self.slot, ..address }
    }

    /// As [`Route::behind`], for an answer that another module hands on: the address is that module's alone.
    pub fn handed_on_by(&self, address: Address) -> Address {
        if self.hops == 0 {
            return address;
        }
        Address { mac: None, ip: None, port: None, ..self.behind(address) }
    }
}
