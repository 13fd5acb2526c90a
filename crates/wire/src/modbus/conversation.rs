//! Two directions of one TCP connection, as they are heard: messages are cut out of the streams and handed to [`Answering`].

use std::collections::{BTreeMap, VecDeque};

use super::{Answering, Continue, MBAP_BYTES, Mbap, Question};
use crate::{Address, Malformed, Message, Reading};

/// Requests remembered per connection until their answer comes; the TCP guide (4.3.3) lets a server take 1 to 16 at a time.
const QUESTIONS_PENDING_MAX: usize = 32;
/// Units whose paged answers are put together at a time on one connection: a client reads one device after the other.
const UNITS_PAGED_MAX: usize = 4;

/// What a conversation yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An identity answer, whole or as far as it was heard.
    Reading(Reading),
    /// A unit answered for the first time in this conversation (any function: it is there, and it is a server).
    Server {
        /// The unit that answered.
        unit: u8,
        /// Frame of that answer.
        frame: u64,
        /// Time of that answer in nanoseconds since 1970.
        time_ns: u64,
    },
    /// Bytes that are no Modbus TCP; the rest of their segment is passed over.
    Malformed {
        /// Frame in which they stand.
        frame: u64,
        /// Time of that frame in nanoseconds since 1970.
        time_ns: u64,
        /// Offsets count from the start of the message.
        malformed: Malformed,
    },
}

/// One TCP connection with a Modbus server.
#[derive(Debug)]
pub struct Conversation {
    server: Address,
    questions: Stream,
    answers: Stream,
    /// Transaction, unit, and which identity question it was, if it was one.
    pending: VecDeque<(u16, u8, Option<Question>)>,
    paged: BTreeMap<u8, Answering>,
    units_seen: [u64; 4],
}

impl Conversation {
    /// A connection whose server is at `server` (its unit is left open: it stands in each message).
    #[must_use]
    pub fn new(server: Address) -> Self {
        Self {
            server,
            questions: Stream::default(),
            answers: Stream::default(),
            pending: VecDeque::new(),
            paged: BTreeMap::new(),
            units_seen: [0; 4],
        }
    }

    /// Takes the client's bytes of one segment, in order.
    pub fn question(&mut self, bytes: &[u8], frame: u64, time_ns: u64, out: &mut dyn FnMut(Heard)) {
        let pending = &mut self.pending;
        let malformed = self.questions.messages(bytes, &mut |mbap, adu| {
            if pending.len() == QUESTIONS_PENDING_MAX {
                pending.pop_front();
            }
            pending.push_back((mbap.transaction, mbap.unit, Question::read(adu).map(|(_, question)| question)));
        });
        if let Some(malformed) = malformed {
            out(Heard::Malformed { frame, time_ns, malformed });
        }
    }

    /// Takes the server's bytes of one segment, in order.
    pub fn answer(&mut self, bytes: &[u8], frame: u64, time_ns: u64, out: &mut dyn FnMut(Heard)) {
        let mut answers = core::mem::take(&mut self.answers);
        let malformed = answers.messages(bytes, &mut |mbap, adu| self.message(mbap, adu, frame, time_ns, out));
        self.answers = answers;
        if let Some(malformed) = malformed {
            out(Heard::Malformed { frame, time_ns, malformed });
        }
    }

    /// Bytes of the client are missing here.
    pub fn question_gap(&mut self) {
        self.questions.lose();
    }

    /// Bytes of the server are missing here: what is there of a message is read as far as it goes.
    pub fn answer_gap(&mut self, frame: u64, time_ns: u64, out: &mut dyn FnMut(Heard)) {
        let cut = self.answers.lose();
        if let Ok(Some(mbap)) = Mbap::read(&cut) {
            self.message(mbap, &cut, frame, time_ns, out);
        }
    }

    /// The connection or the capture is over.
    pub fn finish(&mut self, frame: u64, time_ns: u64, out: &mut dyn FnMut(Heard)) {
        self.answer_gap(frame, time_ns, out);
        for (_, paged) in core::mem::take(&mut self.paged) {
            out(Heard::Reading(paged.into_reading()));
        }
    }

    fn message(&mut self, mbap: Mbap, adu: &[u8], frame: u64, time_ns: u64, out: &mut dyn FnMut(Heard)) {
        let (word, bit) = (usize::from(mbap.unit >> 6), 1 << (mbap.unit & 63));
        let shape = Answering::question_of(adu);
        if shape.is_none() && self.units_seen[word] & bit != 0 {
            return;
        }
        let asked = self.asked(mbap);
        // Only an answer that was heard asked for shows a server: bytes in the middle of a torn stream can look like a header.
        if asked.is_some() && self.units_seen[word] & bit == 0 {
            self.units_seen[word] |= bit;
            out(Heard::Server { unit: mbap.unit, frame, time_ns });
        }
        let Some(shape) = shape else { return };
        let asked = asked.flatten().filter(|question| question.asks_as(shape));
        let mut answering = match self.paged.remove(&mbap.unit) {
            Some(paged) if paged.continues_with(asked, adu) => paged,
            earlier => {
                // Another answer came before the next page: what was heard of the earlier one stands as it is.
                if let Some(paged) = earlier {
                    out(Heard::Reading(paged.into_reading()));
                }
                let speaker = Address { unit: Some(mbap.unit), ..self.server.clone() };
                Answering::new(asked.unwrap_or(shape), speaker)
            }
        };
        match answering.answer(Message { frame, time_ns, bytes: adu.to_vec() }) {
            Continue::Next(_) if self.paged.len() < UNITS_PAGED_MAX => drop(self.paged.insert(mbap.unit, answering)),
            Continue::Next(_) | Continue::Complete | Continue::Stop => out(Heard::Reading(answering.into_reading())),
        }
    }

    /// What this transaction asked, where it was heard: `Some(None)` for a request that is no identity question.
    fn asked(&mut self, mbap: Mbap) -> Option<Option<Question>> {
        let at = self.pending.iter().position(|(transaction, unit, _)| (*transaction, *unit) == (mbap.transaction, mbap.unit))?;
        self.pending.remove(at).map(|(_, _, question)| question)
    }
}

/// One direction: cuts messages out of an ordered stream. It holds at most one unfinished message.
#[derive(Debug, Default)]
struct Stream {
    held: Vec<u8>,
    /// The stream broke the protocol: said once, then silent until a header starts a segment again.
    broken: bool,
}

impl Stream {
    /// Hands every whole message in `held` and `bytes` to `each`; returns what broke the stream, once.
    fn messages(&mut self, bytes: &[u8], each: &mut dyn FnMut(Mbap, &[u8])) -> Option<Malformed> {
        if self.held.is_empty() {
            let (used, malformed) = self.cut(bytes, each);
            // At most one message's worth of a rest: `cut` stops only when the rest is shorter than the message it starts.
            self.held.extend_from_slice(bytes.get(used..).unwrap_or_default());
            return malformed;
        }
        let mut joined = core::mem::take(&mut self.held);
        joined.extend_from_slice(bytes);
        let (used, malformed) = self.cut(&joined, each);
        joined.drain(..used);
        self.held = joined;
        malformed
    }

    /// Cuts messages off the front; returns how many bytes are done with and what broke the stream.
    fn cut(&mut self, bytes: &[u8], each: &mut dyn FnMut(Mbap, &[u8])) -> (usize, Option<Malformed>) {
        let mut at = 0;
        while at < bytes.len() {
            match Mbap::read(&bytes[at..]) {
                Ok(Some(mbap)) => {
                    self.broken = false;
                    let Some(adu) = bytes.get(at..at + mbap.adu_bytes) else { break };
                    each(mbap, adu);
                    at += mbap.adu_bytes;
                }
                Ok(None) => break,
                Err(malformed) => {
                    let said = core::mem::replace(&mut self.broken, true);
                    return (bytes.len(), (!said).then_some(malformed));
                }
            }
        }
        (at, None)
    }

    /// Bytes are missing: gives up what was held; the next segment is expected to start with a header. A cut header is nothing.
    fn lose(&mut self) -> Vec<u8> {
        let held = core::mem::take(&mut self.held);
        if held.len() < MBAP_BYTES { Vec::new() } else { held }
    }
}

#[cfg(test)]
mod tests;
