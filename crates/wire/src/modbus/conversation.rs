//! Two directions of one TCP connection, as they are heard: messages are cut out of the streams and handed to [`Answering`].

use std::collections::{BTreeMap, VecDeque};

use super::{Answering, Continue, Mbap, NAME, Question};
use crate::conversation::{Conversation, Coverage, End, Heard, Likeness, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Cutter, Malformed, Message};

/// Modbus TCP. Any two small numbers around a zero look like its header, so it is followed on known ports only.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[super::PORT],
    udp: &[],
    link: &[],
    likeness: |bytes, _| if Mbap::read(bytes).is_ok() { Likeness::Possible } else { Likeness::No },
    start: |_| Box::new(Connection::default()),
};

/// Requests remembered per connection until their answer comes; the TCP guide (4.3.3) lets a server take 1 to 16 at a time.
const QUESTIONS_PENDING_MAX: usize = 32;
/// Units whose paged answers are put together at a time on one connection: a client reads one device after the other.
const UNITS_PAGED_MAX: usize = 4;

/// One TCP connection with a Modbus server.
#[derive(Debug, Default)]
pub struct Connection {
    questions: Cutter,
    answers: Cutter,
    /// Transaction, unit, and which identity question it was, if it was one.
    pending: VecDeque<(u16, u8, Option<Question>)>,
    paged: BTreeMap<u8, Answering>,
    units_seen: [u64; 4],
    server: End,
    coverage: Coverage,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let malformed = if said.by_server {
            self.server = *said.from;
            let mut answers = core::mem::take(&mut self.answers);
            let malformed = answers.messages(said.bytes, length, &mut |adu| self.answer(adu, said.at, out));
            self.answers = answers;
            malformed
        } else {
            let mut questions = core::mem::take(&mut self.questions);
            let malformed = questions.messages(said.bytes, length, &mut |adu| self.question(adu));
            self.questions = questions;
            malformed
        };
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        if by_server {
            let cut = self.answers.lose();
            self.answer(&cut, at, out);
        } else {
            self.questions.lose();
        }
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(true, at, out);
        for (_, paged) in core::mem::take(&mut self.paged) {
            out(Heard::Reading(paged.into_reading()));
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

/// How long the message is that starts here.
fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(Mbap::read(bytes)?.map(|mbap| mbap.adu_bytes))
}

impl Connection {
    fn question(&mut self, adu: &[u8]) {
        let Ok(Some(mbap)) = Mbap::read(adu) else { return };
        self.coverage.seen += 1;
        self.coverage.decoded += 1;
        if self.pending.len() == QUESTIONS_PENDING_MAX {
            self.pending.pop_front();
        }
        self.pending.push_back((mbap.transaction, mbap.unit, Question::read(adu).map(|(_, question)| question)));
    }

    /// An answer, whole or cut; one that is cut inside its header is nothing.
    fn answer(&mut self, adu: &[u8], at: At, out: &mut dyn FnMut(Heard)) {
        let Ok(Some(mbap)) = Mbap::read(adu) else { return };
        self.coverage.seen += 1;
        self.coverage.decoded += u64::from(adu.len() == mbap.adu_bytes);
        self.message(mbap, adu, at, out);
    }

    fn message(&mut self, mbap: Mbap, adu: &[u8], at: At, out: &mut dyn FnMut(Heard)) {
        let (word, bit) = (usize::from(mbap.unit >> 6), 1 << (mbap.unit & 63));
        let shape = Answering::question_of(adu);
        if shape.is_none() && self.units_seen[word] & bit != 0 {
            return;
        }
        let asked = self.asked(mbap);
        // Only an answer that was heard asked for shows a server: bytes in the middle of a torn stream can look like a header.
        if asked.is_some() && self.units_seen[word] & bit == 0 {
            self.units_seen[word] |= bit;
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker: self.unit(mbap.unit), at });
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
                Answering::new(asked.unwrap_or(shape), self.unit(mbap.unit))
            }
        };
        match answering.answer(Message { frame: at.frame, time_ns: at.time_ns, bytes: adu.to_vec() }) {
            Continue::Next(_) if self.paged.len() < UNITS_PAGED_MAX => drop(self.paged.insert(mbap.unit, answering)),
            Continue::Next(_) | Continue::Complete | Continue::Stop => out(Heard::Reading(answering.into_reading())),
        }
    }

    /// What this transaction asked, where it was heard: `Some(None)` for a request that is no identity question.
    fn asked(&mut self, mbap: Mbap) -> Option<Option<Question>> {
        let at = self.pending.iter().position(|(transaction, unit, _)| (*transaction, *unit) == (mbap.transaction, mbap.unit))?;
        self.pending.remove(at).map(|(_, _, question)| question)
    }

    fn unit(&self, unit: u8) -> Address {
        Address { unit: Some(unit), ..(&self.server).into() }
    }
}

#[cfg(test)]
mod tests;
