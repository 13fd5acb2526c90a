//! A message that its protocol sent in parts, with headers or checksums in between: joined, and with the way back from each byte to
//! where it was sent.

use core::ops::Range;

use crate::tcp::At;
use crate::{Fact, Malformed, Message, Reading, Shape};

/// Joined bytes. The protocol bounds them: it stops giving more.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    bytes: Vec<u8>,
    messages: Vec<Message>,
    /// Where a run of joined bytes starts, and the message and offset at which it was sent.
    runs: Vec<(usize, usize, usize)>,
}

impl Gathered {
    /// The next part as it was sent; nothing of it is joined yet.
    pub fn message(&mut self, at: At, bytes: &[u8]) {
        self.messages.push(Message { frame: at.frame, time_ns: at.time_ns, bytes: bytes.to_vec() });
    }

    /// Joins these bytes of the last part; a range that is not all there joins nothing.
    pub fn join(&mut self, range: Range<usize>) {
        let Some(message) = self.messages.len().checked_sub(1) else { return };
        let Some(bytes) = self.messages[message].bytes.get(range.clone()) else { return };
        self.runs.push((self.bytes.len(), message, range.start));
        self.bytes.extend_from_slice(bytes);
    }

    /// All that was joined.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts the parts behind the messages of a reading; facts and findings may follow.
    pub fn hand_to(&self, reading: &mut Reading) {
        reading.messages.extend_from_slice(&self.messages);
    }

    /// Takes a fact out of the joined bytes, after [`Gathered::hand_to`]. A range that is not all there gives none.
    pub fn fact(&self, reading: &mut Reading, path: impl Into<String>, shape: Shape, range: Range<usize>) {
        let Some(bytes) = self.bytes.get(range.clone()) else { return };
        let (message, offset) = self.sent(reading, range.start);
        reading.facts.push(Fact { path: path.into(), bytes: bytes.to_vec(), shape, message, offset });
    }

    /// Notes what is wrong at an offset of the joined bytes; the answer is not whole then.
    pub fn broken(&self, reading: &mut Reading, malformed: Malformed) {
        let (message, offset) = self.sent(reading, malformed.offset);
        reading.malformed.push((message, Malformed { offset, ..malformed }));
        reading.complete = false;
    }

    /// The message of the reading, and the offset in it, at which a joined byte was sent.
    fn sent(&self, reading: &Reading, at: usize) -> (usize, usize) {
        let run = self.runs.partition_point(|(start, ..)| *start <= at).checked_sub(1).and_then(|run| self.runs.get(run));
        let (start, message, offset) = run.copied().unwrap_or_default();
        let before = reading.messages.len().saturating_sub(self.messages.len());
        (before + message, offset + (at - start))
    }
}
