//! The frames of SLMP: where the body of a message starts, who it is for, and where it ends.

use core::str;

use crate::Malformed;

/// Subheaders of questions; an answer has the top bit. 3E, 4E with a serial number, and the form of CC-Link IE TSN.
const PLAIN: u8 = 0x50;
const TIME_SENSITIVE: u8 = 0x68;
const SUBHEADERS: &[&[u8]] = &[&[PLAIN, 0], &[0x54, 0], &[TIME_SENSITIVE, 0], &[0xd0, 0], &[0xd4, 0], &[0xe8, 0]];
const ASCII_SUBHEADERS: &[&[u8]] = &[b"5000", b"5400", b"D000", b"D400"];
const ANSWER: u8 = 0x80;
/// Network, station, I/O number (2), multidrop station.
const ROUTE_BYTES: usize = 5;
/// Bytes from the start to the body: 3E, 4E, TSN. In ASCII each takes two.
pub(super) const PLAIN_BYTES: usize = 9;
const NUMBERED_BYTES: usize = 13;
const TIME_SENSITIVE_BYTES: usize = 16;
/// What a length field may count: 960 words take 3840 characters in ASCII; some room for what iQ-R adds.
pub(super) const BODY_BYTES_MAX: usize = 8192;
/// An end code, or a timer: no body is shorter.
const BODY_BYTES_MIN: usize = 2;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) answer: bool,
    pub(super) ascii: bool,
    /// A form with a serial number.
    pub(super) serial: Option<u16>,
    /// Network, station, I/O number, multidrop station.
    pub(super) route: [u8; ROUTE_BYTES],
    /// Offset of the timer (question) or end code (answer).
    pub(super) body: usize,
    /// Length of the whole message.
    pub(super) bytes: usize,
}

impl Frame {
    /// Reads a header; `None` while it is not all there.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let wrong = |at, said_by| Malformed::wrong("slmp", at, said_by);
        let ascii = matches!(bytes.first(), Some(b'5' | b'D'));
        let begins = |subheader: &[u8]| bytes.iter().zip(subheader).all(|(byte, expected)| byte == expected);
        let known: &[&[u8]] = if ascii { ASCII_SUBHEADERS } else { SUBHEADERS };
        let Some(subheader) = known.iter().find(|subheader| begins(subheader)) else {
            return Err(wrong(0, "subheader is 5000, 5400 or 6800, in an answer D000, D400 or E800 (SLMP reference, 4.2)"));
        };
        let (head, numbered) = match subheader {
            [PLAIN | 0xd0, ..] | [_, b'0', ..] => (PLAIN_BYTES, false),
            [TIME_SENSITIVE | 0xe8, ..] => (TIME_SENSITIVE_BYTES, true),
            _ => (NUMBERED_BYTES, true),
        };
        let body = if ascii { 2 * head } else { head };
        if bytes.len() < body {
            return Ok(None);
        }
        let answer = octets::<1>(bytes, 0, ascii).is_some_and(|[first]| first & ANSWER != 0);
        let route_at = if numbered { 6 } else { 2 };
        let (Some(mut route), Some(length), Some(serial)) =
            (octets(bytes, route_at, ascii), octets(bytes, head - 2, ascii), octets(bytes, 2, ascii))
        else {
            return Err(wrong(2, "an ASCII frame has hexadecimal digits (SLMP reference, 4.2)"));
        };
        if ascii {
            route.get_mut(2..4).unwrap_or_default().reverse();
        }
        let (length, serial) = (usize::from(from(length, ascii)), numbered.then(|| from(serial, ascii)));
        let [_, _, low, high, _] = route;
        if !is_processor(u16::from_le_bytes([low, high])) || numbered && octets(bytes, 4, ascii) != Some([0, 0]) {
            return Err(wrong(route_at, "an I/O number of a processor (SLMP reference, 4.3), reserved bytes are 0"));
        }
        if !(BODY_BYTES_MIN..=BODY_BYTES_MAX).contains(&length) {
            return Err(wrong(head - 2, "length of the body (SLMP reference, 4.3)"));
        }
        Ok(Some(Self { answer, ascii, serial, route, body, bytes: body + length }))
    }

    /// A number of the body, as its form writes it.
    pub(super) fn word(&self, message: &[u8], at: usize) -> Option<u16> {
        if self.ascii {
            return octets(message.get(self.body..)?, at, true).map(u16::from_be_bytes);
        }
        message.get(self.body + at..)?.first_chunk().copied().map(u16::from_le_bytes)
    }
}

/// Requested processors: the own station, its CPUs and their control and standby ones, and modules at input/output 0000 to 01FF.
const fn is_processor(io: u16) -> bool {
    matches!(io, 0x03ff | 0x03d0..=0x03d3 | 0x03e0..=0x03e3 | 0x0000..=0x01ff)
}

/// Bytes at an offset; in ASCII two characters each.
fn octets<const N: usize>(bytes: &[u8], at: usize, ascii: bool) -> Option<[u8; N]> {
    if !ascii {
        return bytes.get(at..)?.first_chunk().copied();
    }
    let mut octets = [0; N];
    for (octet, pair) in octets.iter_mut().zip(bytes.get(2 * at..2 * (at + N))?.chunks_exact(2)) {
        *octet = str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+')).and_then(|pair| u8::from_str_radix(pair, 16).ok())?;
    }
    Some(octets)
}

fn from(two: [u8; 2], ascii: bool) -> u16 {
    if ascii { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
}
