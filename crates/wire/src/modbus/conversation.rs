//! Two directions of one TCP connection, as they are heard: messages are cut out of the streams and handed to [`Answering`].

use std::collections::{BTreeMap, VecDeque};

use super::registers::{Block, Open};
use super::{Answering, Continue, MBAP_BYTES, Mbap, NAME, Question, rtu, umas};
use crate::conversation::{Conversation, Coverage, End, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Cutter, Malformed, Message};

/// Modbus TCP. Any two small numbers around a zero look like its header, so it is followed on known ports only.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[umas::NAME],
    tcp: &[super::PORT],
    udp: &[],
    link: &[],
    likeness: |bytes, _| match Mbap::read(bytes) {
        // A serial server hands frames on as they stand on the line; some numbers in them look like this header, their check bytes tell.
        Ok(_) if !rtu::is_frame(bytes) => Likeness::Possible,
        _ => Likeness::No,
    },
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
    pending: VecDeque<Pending>,
    paged: BTreeMap<u8, Answering>,
    /// Registers of units, until something else is answered.
    blocks: Open,
    /// Whether registers that are a nameplate were asked for: only then an answer of registers is looked at.
    asks_registers: bool,
    units_seen: [u64; 4],
    /// Units that answered in UMAS.
    umas_seen: [u64; 4],
    server: End,
    coverage: Coverage,
    umas_coverage: Coverage,
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Pending {
    transaction: u16,
    unit: u8,
    /// Which identity question it is, if it is one.
    question: Option<Question>,
    umas: Option<umas::Asked>,
    at: At,
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
            let malformed = questions.messages(said.bytes, length, &mut |adu| self.question(adu, said.at));
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
        self.blocks.finish(out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
        if self.umas_coverage.seen > 0 {
            each(umas::NAME, self.umas_coverage);
        }
    }
}

/// How long the message is that starts here.
fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(Mbap::read(bytes)?.map(|mbap| mbap.adu_bytes))
}

impl Connection {
    fn question(&mut self, adu: &[u8], at: At) {
        let Ok(Some(mbap)) = Mbap::read(adu) else { return };
        self.coverage.seen += 1;
        self.coverage.decoded += 1;
        if self.pending.len() == QUESTIONS_PENDING_MAX {
            self.pending.pop_front();
        }
        let (question, umas) = (Question::read(adu).map(|(_, question)| question), umas::Asked::read(adu, at));
        self.count_umas(mbap, adu);
        self.asks_registers |= matches!(question, Some(Question::Registers(_)));
        self.pending.push_back(Pending { transaction: mbap.transaction, unit: mbap.unit, question, umas, at });
    }

    /// An answer, whole or cut; one that is cut inside its header is nothing.
    fn answer(&mut self, adu: &[u8], at: At, out: &mut dyn FnMut(Heard)) {
        let Ok(Some(mbap)) = Mbap::read(adu) else { return };
        self.coverage.seen += 1;
        self.coverage.decoded += u64::from(adu.len() == mbap.adu_bytes);
        self.count_umas(mbap, adu);
        self.message(mbap, adu, at, out);
    }

    fn count_umas(&mut self, mbap: Mbap, adu: &[u8]) {
        if umas::carries(adu) {
            self.umas_coverage.seen += 1;
            self.umas_coverage.decoded += u64::from(adu.len() == mbap.adu_bytes);
        }
    }

    fn message(&mut self, mbap: Mbap, adu: &[u8], at: At, out: &mut dyn FnMut(Heard)) {
        let (word, bit) = (usize::from(mbap.unit >> 6), 1 << (mbap.unit & 63));
        let shape = Answering::question_of(adu);
        let is_umas = umas::carries(adu);
        if shape.is_none() && !is_umas && !self.asks_registers && self.units_seen[word] & bit != 0 {
            return;
        }
        let asked = self.asked(mbap);
        // Only an answer that was heard asked for shows a server: bytes in the middle of a torn stream can look like a header.
        if asked.is_some() && self.units_seen[word] & bit == 0 {
            self.units_seen[word] |= bit;
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker: self.unit(mbap.unit), at });
        }
        if let Some(Pending { umas: Some(umas), .. }) = asked.as_ref().filter(|_| is_umas) {
            if self.umas_seen[word] & bit == 0 {
                self.umas_seen[word] |= bit;
                out(Heard::Present { protocol: umas::NAME, role: Role::Server, speaker: self.unit(mbap.unit), at });
            }
            umas.answer(mbap, adu, self.unit(mbap.unit), at).into_iter().for_each(|reading| out(Heard::Reading(reading)));
        }
        self.registers(asked.as_ref(), adu, at, out);
        let Some(shape) = shape else { return };
        let asked = asked.and_then(|asked| asked.question).filter(|question| question.asks_as(shape));
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

    /// Registers, where the question for them was heard.
    fn registers(&mut self, asked: Option<&Pending>, adu: &[u8], at: At, out: &mut dyn FnMut(Heard)) {
        let Some(&Pending { transaction, unit, question, at: asked_at, .. }) = asked else { return };
        let Some(Question::Registers(read)) = question else { return self.blocks.close(unit, out) };
        let question = Question::Registers(read).encode(transaction, unit);
        let pdu = (MBAP_BYTES, adu.get(MBAP_BYTES..).unwrap_or_default());
        let block = Block { read, asked: (&question, asked_at), said: (adu, at), pdu, key: transaction };
        let speaker = self.unit(unit);
        self.blocks.take((NAME, Over::Tcp), speaker, &block, out);
    }

    /// What this transaction asked, where it was heard. The latest counts: some clients give all their requests one number.
    fn asked(&mut self, mbap: Mbap) -> Option<Pending> {
        let of_this = |pending: &Pending| (pending.transaction, pending.unit) == (mbap.transaction, mbap.unit);
        self.pending.iter().rposition(of_this).and_then(|at| self.pending.remove(at))
    }

    fn unit(&self, unit: u8) -> Address {
        Address { unit: Some(unit), ..(&self.server).into() }
    }
}

#[cfg(test)]
mod tests;
