//! TCP (RFC 9293): the segment header, and one direction of a connection put back in order within fixed bounds.
//!
//! A [`Stream`] hands segments that come in order straight through, uncopied. Others wait for the hole before them to be
//! filled; when it cannot be, the hole becomes a [`Piece::Gap`]. Of bytes that came twice, the first version counts.

use crate::Malformed;

/// Without options: five words of four bytes (RFC 9293, 3.1, data offset).
const HEADER_BYTES_MIN: usize = 20;
/// Out-of-order bytes held per direction: the largest window without scaling (RFC 9293, 3.1), which devices rarely exceed.
pub const HELD_BYTES_MAX: usize = 64 << 10;
/// Out-of-order pieces held per direction: bounds the cost of sorting in one-byte segments (one segment may add a few more).
pub const HELD_PIECES_MAX: usize = 64;
/// Out-of-order bytes held for all streams together, so that many streams with holes do not add up to gigabytes.
pub const HELD_BYTES_TOTAL_MAX: usize = 64 << 20;
/// A sequence number farther away than this is no hole but another connection on the same ports, or a forgery.
pub const HOLE_BYTES_MAX: usize = 1 << 20;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// One TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number of the first payload byte, or of the SYN.
    pub seq: u32,
    /// The next byte that the sender expects from the other side, if it says so.
    pub ack: Option<u32>,
    /// Opens a connection.
    pub syn: bool,
    /// The sender will send no more.
    pub fin: bool,
    /// The connection is aborted.
    pub rst: bool,
    /// The payload as far as it was captured.
    pub payload: &'a [u8],
    /// Bytes that the payload had on the wire beyond `payload`.
    pub missing: usize,
}

impl<'a> Segment<'a> {
    /// Reads a segment from an IP payload that had `missing` more bytes on the wire.
    ///
    /// # Errors
    /// `Malformed` where the fixed header is not whole or the data offset points outside the segment.
    #[inline]
    pub fn read(bytes: &'a [u8], missing: usize) -> Result<Self, Malformed> {
        let Some(fixed) = bytes.first_chunk::<HEADER_BYTES_MIN>() else {
            return Err(Malformed::short("tcp", 0, HEADER_BYTES_MIN, bytes.len(), "a TCP header (RFC 9293, 3.1)"));
        };
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, ..] = *fixed;
        let header_bytes = usize::from(offset >> 4) * 4;
        if header_bytes < HEADER_BYTES_MIN {
            return Err(Malformed::wrong("tcp", 12, "data offset is at least 5 words (RFC 9293, 3.1)"));
        }
        let sent = bytes.len().saturating_add(missing);
        if header_bytes > sent {
            return Err(Malformed::short("tcp", 0, header_bytes, sent, "data offset (RFC 9293, 3.1)"));
        }
        let payload = bytes.get(header_bytes..).unwrap_or(&[]);
        Ok(Self {
            src_port: u16::from_be_bytes([s0, s1]),
            dst_port: u16::from_be_bytes([d0, d1]),
            seq: u32::from_be_bytes([q0, q1, q2, q3]),
            ack: (flags & ACK != 0).then_some(u32::from_be_bytes([a0, a1, a2, a3])),
            syn: flags & SYN != 0,
            fin: flags & FIN != 0,
            rst: flags & RST != 0,
            payload,
            missing: sent - header_bytes - payload.len(),
        })
    }

    /// Whether it takes room in the stream's bytes.
    #[inline]
    pub const fn fills(&self) -> bool {
        !self.payload.is_empty() || self.missing > 0
    }
}

/// When something was heard: the frame's number and its time in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Frame number from 1.
    pub frame: u64,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: u64,
}

/// What a stream hands on, in the order of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The next bytes, all of one segment, and the frame that brought them.
    Bytes(&'a [u8], At),
    /// So many bytes were sent here and not captured; 0 where the stream goes on at an unrelated sequence number.
    Gap(usize),
    /// A segment disagrees with held bytes; its version of them was dropped.
    Conflict,
}

#[derive(Debug)]
struct Held {
    seq: u32,
    at: At,
    bytes: Vec<u8>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Stream {
    /// Sequence number of the byte that is handed on next; `None` until something was heard.
    next: Option<u32>,
    /// Sequence number of the SYN, where it was heard.
    opened: Option<u32>,
    /// What the other side said last that it expects.
    acked: Option<u32>,
    /// Out-of-order pieces: in order, without overlap, none at `next`.
    held: Vec<Held>,
    held_bytes: usize,
}

impl Stream {
    /// Takes a SYN. False where it opens another connection than the one heard so far: then the caller starts anew.
    pub fn open(&mut self, seq: u32) -> bool {
        if self.next.is_none() {
            (self.next, self.opened) = (Some(seq.wrapping_add(1)), Some(seq));
        }
        self.opened == Some(seq)
    }

    /// Takes a segment. `held_total` counts the bytes held by all streams and is kept up to date.
    pub fn push(&mut self, segment: &Segment<'_>, at: At, held_total: &mut usize, out: &mut dyn FnMut(Piece<'_>)) {
        let (payload, missing) = (segment.payload, segment.missing);
        if payload.len() + missing == 0 {
            return;
        }
        // What comes in its turn, as nearly all does, needs none of what follows.
        if self.next == Some(segment.seq) && missing == 0 && !segment.syn && self.held.is_empty() {
            self.next = Some(segment.seq.wrapping_add(bytes_u32(payload.len())));
            return out(Piece::Bytes(payload, at));
        }
        let seq = if segment.syn { segment.seq.wrapping_add(1) } else { segment.seq };
        let next = match (self.next, self.acked) {
            (Some(next), _) => next,
            // Heard from its middle, but the other side told what comes next.
            (None, Some(acked)) if ahead(acked, seq) > 0 => acked,
            // One byte at first sight may be a keep-alive probe, whose byte is none of the stream's (RFC 9293, 3.8.4).
            (None, _) if payload.len() + missing == 1 => return self.next = Some(seq.wrapping_add(1)),
            (None, _) => seq,
        };
        self.next = Some(next);
        if ahead(next, seq).unsigned_abs() as usize > HOLE_BYTES_MAX {
            self.flush(held_total, out);
            out(Piece::Gap(0));
            (self.next, self.acked) = (Some(seq), None);
        }
        loop {
            let next = self.next.unwrap_or(seq);
            let room = self.held.len() < HELD_PIECES_MAX
                && self.held_bytes.saturating_add(payload.len()) <= HELD_BYTES_MAX
                && held_total.saturating_add(payload.len()) <= HELD_BYTES_TOTAL_MAX;
            if self.held.is_empty() && (!room || ahead(next, seq) <= 0 || self.acked_past(next, seq)) {
                return self.direct(seq, payload, missing, at, out);
            }
            if room {
                self.hold(next, seq, payload, at, held_total, out);
                self.settle(held_total, out);
                return self.skip_cut(seq, payload.len(), missing, held_total, out);
            }
            self.give_up_hole(held_total, out);
        }
    }

    /// Takes what the other side says it expects: a hole that it does not see was lost by the capture alone. True where something is
    /// held: then [`Stream::settle`] may hand it on.
    #[inline]
    pub fn acked(&mut self, ack: u32) -> bool {
        self.acked = Some(ack);
        !self.held.is_empty()
    }

    /// Hands on all that is held, with its gaps: nothing more will come.
    pub fn flush(&mut self, held_total: &mut usize, out: &mut dyn FnMut(Piece<'_>)) {
        while !self.held.is_empty() {
            self.give_up_hole(held_total, out);
        }
    }

    /// Hands on a segment without holding it: what stands before it is lost, what was handed on already is left out.
    fn direct(&mut self, seq: u32, payload: &[u8], missing: usize, at: At, out: &mut dyn FnMut(Piece<'_>)) {
        let ahead = ahead(self.next.unwrap_or(seq), seq);
        if ahead > 0 {
            out(Piece::Gap(ahead.unsigned_abs() as usize));
        }
        let known = ahead.min(0).unsigned_abs() as usize;
        let fresh = payload.get(known..).unwrap_or(&[]);
        if !fresh.is_empty() {
            out(Piece::Bytes(fresh, at));
        }
        let missing = missing.saturating_sub(known.saturating_sub(payload.len()));
        if missing > 0 {
            out(Piece::Gap(missing));
        }
        let end = seq.wrapping_add(bytes_u32(known.max(payload.len()) + missing));
        if fresh.len() + missing > 0 {
            self.next = Some(end);
        }
    }

    /// Keeps what of a segment is neither handed on nor held yet. `next` is the stream's.
    fn hold(&mut self, next: u32, seq: u32, payload: &[u8], at: At, held_total: &mut usize, out: &mut dyn FnMut(Piece<'_>)) {
        let ahead = ahead(next, seq);
        let mut rest = payload.get(ahead.min(0).unsigned_abs() as usize..).unwrap_or(&[]);
        // Places in the stream, counted from `next`.
        let mut place = ahead.max(0).unsigned_abs() as usize;
        let (mut index, mut conflict) = (0, false);
        while !rest.is_empty() {
            let (start, end) = match self.held.get(index) {
                Some(held) => {
                    let start = held.seq.wrapping_sub(next) as usize;
                    (start, start + held.bytes.len())
                }
                None => (usize::MAX, usize::MAX),
            };
            if end <= place {
                index += 1;
            } else if start <= place {
                let (known, behind) = rest.split_at(rest.len().min(end - place));
                conflict |= self.held[index].bytes.get(place - start..place - start + known.len()) != Some(known);
                (rest, place) = (behind, place + known.len());
            } else {
                let (fresh, behind) = rest.split_at(rest.len().min(start - place));
                self.held.insert(index, Held { seq: next.wrapping_add(bytes_u32(place)), at, bytes: fresh.to_vec() });
                self.held_bytes += fresh.len();
                *held_total += fresh.len();
                (rest, place) = (behind, place + fresh.len());
            }
        }
        if conflict {
            out(Piece::Conflict);
        }
    }

    /// Hands on what is held at the front, and over holes that the other side does not see.
    pub fn settle(&mut self, held_total: &mut usize, out: &mut dyn FnMut(Piece<'_>)) {
        let Some(mut next) = self.next else { return };
        let mut done = 0;
        for held in &self.held {
            let hole = ahead(next, held.seq);
            if hole > 0 {
                if !self.acked_past(next, held.seq) {
                    break;
                }
                out(Piece::Gap(hole.unsigned_abs() as usize));
            }
            out(Piece::Bytes(&held.bytes, held.at));
            next = held.seq.wrapping_add(bytes_u32(held.bytes.len()));
            self.held_bytes -= held.bytes.len();
            *held_total = held_total.saturating_sub(held.bytes.len());
            done += 1;
        }
        self.held.drain(..done);
        self.next = Some(next);
    }

    /// The end of a segment that the capture cut is a hole for good, as soon as the stream has come to it.
    fn skip_cut(&mut self, seq: u32, captured: usize, missing: usize, held_total: &mut usize, out: &mut dyn FnMut(Piece<'_>)) {
        let cut = seq.wrapping_add(bytes_u32(captured));
        if missing == 0 || self.next != Some(cut) {
            return;
        }
        let hole = self.held.first().map_or(missing, |held| missing.min(held.seq.wrapping_sub(cut) as usize));
        out(Piece::Gap(hole));
        self.next = Some(cut.wrapping_add(bytes_u32(hole)));
        self.settle(held_total, out);
    }

    fn give_up_hole(&mut self, held_total: &mut usize, out: &mut dyn FnMut(Piece<'_>)) {
        if let (Some(held), Some(next)) = (self.held.first(), self.next) {
            out(Piece::Gap(held.seq.wrapping_sub(next) as usize));
            self.next = Some(held.seq);
            self.settle(held_total, out);
        }
    }

    /// Whether the other side expects `seq` or later, and so has all before it.
    fn acked_past(&self, next: u32, seq: u32) -> bool {
        self.acked.is_some_and(|acked| ahead(seq, acked) >= 0 && ahead(next, acked).unsigned_abs() as usize <= HOLE_BYTES_MAX)
    }
}

/// How far `seq` is ahead of `next`; negative behind it. Sequence numbers wrap (RFC 9293, 3.4).
const fn ahead(next: u32, seq: u32) -> i32 {
    seq.wrapping_sub(next).cast_signed()
}

/// Lengths here are at most those of a captured IP packet; what is longer cannot be placed in a stream anyway.
fn bytes_u32(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
