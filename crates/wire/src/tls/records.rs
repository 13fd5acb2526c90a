//! Records, and the handshake messages that are put together from them.

use core::ops::Range;

use crate::conversation::Coverage;

/// Kind, version, length (RFC 8446, 5.1).
pub(super) const RECORD_HEADER_BYTES: usize = 5;
/// RFC 5246, 6.2.3: 2^14 and what compression and cipher add.
const RECORD_BYTES_MAX: usize = (1 << 14) + 2_048;
const HANDSHAKE: u8 = 22;

/// Whether a record starts here, as far as its header is there.
pub(super) fn is_record(bytes: &[u8]) -> bool {
    match bytes {
        [20..=24, 3, 0..=4, high, low, ..] => (1..=RECORD_BYTES_MAX).contains(&usize::from(u16::from_be_bytes([*high, *low]))),
        _ => false,
    }
}

/// A record for each of these messages; `None` where one is longer than a record.
pub(super) fn of_handshake(messages: [&[u8]; 2]) -> Option<Vec<u8>> {
    let mut records = Vec::new();
    for message in messages {
        let [high, low] = u16::try_from(message.len()).ok().filter(|length| *length <= 1 << 14)?.to_be_bytes();
        records.extend([HANDSHAKE, 3, 3, high, low]);
        records.extend_from_slice(message);
    }
    Some(records)
}

/// Counts records without holding them.
#[derive(Debug, Default)]
pub(super) struct Walk {
    header: [u8; RECORD_HEADER_BYTES],
    have: usize,
    left: usize,
    lost: bool,
}

impl Walk {
    /// Waits for a record that starts a segment.
    pub(super) fn lost() -> Self {
        Self { lost: true, ..Self::default() }
    }

    /// Passes over bytes of the stream; true where they stop being records.
    pub(super) fn records(&mut self, bytes: &[u8], coverage: &mut Coverage) -> bool {
        let mut rest = bytes;
        if self.lost && is_record(bytes) {
            *self = Self::default();
        }
        while let Some(byte) = rest.first().filter(|_| !self.lost) {
            if self.left > 0 {
                let used = self.left.min(rest.len());
                self.left -= used;
                rest = rest.get(used..).unwrap_or_default();
                continue;
            }
            self.header[self.have] = *byte;
            self.have += 1;
            rest = rest.get(1..).unwrap_or_default();
            if self.have == RECORD_HEADER_BYTES {
                let [_, _, _, high, low] = self.header;
                (self.have, self.left) = (0, usize::from(u16::from_be_bytes([high, low])));
                coverage.seen += 1;
                self.lost = !is_record(&self.header);
                coverage.decoded += u64::from(!self.lost);
            }
        }
        self.lost
    }
}

/// The first bytes of one side, and the handshake in them.
#[derive(Debug, Default)]
pub(super) struct Flight {
    raw: Vec<u8>,
    handshake: Vec<u8>,
    /// Where each record's part of the handshake stands in `handshake` and in `raw`.
    pieces: Vec<(Range<usize>, usize)>,
    /// Bytes of `raw` that are dealt with.
    used: usize,
    /// Bytes of the record at `used` that are not there yet.
    left: usize,
    /// A record of another kind came: what follows may be encrypted.
    over: bool,
}

impl Flight {
    /// Takes bytes of the stream; false where they are more than `bytes_max`.
    pub(super) fn take(&mut self, bytes: &[u8], bytes_max: usize) -> bool {
        let room = bytes_max.saturating_sub(self.raw.len());
        self.raw.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        while !self.over && self.used < self.raw.len() {
            if self.left == 0 {
                let Some(header) = self.raw.get(self.used..self.used + RECORD_HEADER_BYTES) else { break };
                if header.first() != Some(&HANDSHAKE) || !is_record(header) {
                    self.over = true;
                    break;
                }
                self.left = usize::from(u16::from_be_bytes([header[3], header[4]]));
                self.used += RECORD_HEADER_BYTES;
                self.pieces.push((self.handshake.len()..self.handshake.len(), self.used));
            }
            let there = self.raw.get(self.used..).unwrap_or_default();
            let there = there.get(..self.left).unwrap_or(there);
            self.handshake.extend_from_slice(there);
            self.used += there.len();
            self.left -= there.len();
            if let Some((range, _)) = self.pieces.last_mut() {
                range.end = self.handshake.len();
            }
        }
        // Once the room is full, what is missing will not come.
        room > bytes.len() || self.over
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn handshake(&self) -> &[u8] {
        &self.handshake
    }

    /// The whole message that starts at `at` in the handshake: its kind, and where its content stands.
    pub(super) fn message(&self, at: usize) -> Option<(u8, Range<usize>)> {
        let [kind, a, b, c] = *self.handshake.get(at..)?.first_chunk::<4>()?;
        let end = at + 4 + (u32::from_be_bytes([0, a, b, c]) as usize);
        (end <= self.handshake.len()).then_some((kind, at + 4..end))
    }

    /// Where the first certificate stands in the first message of kind `certificate` from `at` on; the others of its list are not waited for.
    pub(super) fn first_certificate(&self, mut at: usize, certificate: u8) -> Option<Range<usize>> {
        while *self.handshake.get(at)? != certificate {
            at = self.message(at)?.1.end;
        }
        // Kind, length, length of the list, length of the first (RFC 5246, 7.4.2).
        let [_, _, _, _, _, _, _, a, b, c] = *self.handshake.get(at..)?.first_chunk::<10>()?;
        let start = at + 10;
        let end = start + (u32::from_be_bytes([0, a, b, c]) as usize);
        (end <= self.handshake.len()).then_some(start..end)
    }

    /// Where a part of the handshake stands in the stream; nowhere if a record ends in the middle of it.
    pub(super) fn raw(&self, part: Range<usize>) -> Option<Range<usize>> {
        let (piece, raw) = self.pieces.iter().find(|(piece, _)| piece.start <= part.start && part.end <= piece.end)?;
        let start = raw + (part.start - piece.start);
        Some(start..start + part.len())
    }

    /// Where the handshake's byte before `end` ends in the stream.
    pub(super) fn raw_end(&self, end: usize) -> usize {
        self.raw(end.saturating_sub(1)..end).map_or(self.raw.len(), |raw| raw.end)
    }

    /// The stream up to there.
    pub(super) fn bytes(&self, end: usize) -> &[u8] {
        self.raw.get(..end).unwrap_or(&self.raw)
    }
}
