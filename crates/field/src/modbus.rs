//! Asks over Modbus, on TCP or on a line, our own or behind a serial server: what is put, page by page.
//!
//! What leaves is `2B 0E 02 00` (regular identification) unless the caller names other questions; each further page asks
//! `2B 0E 02 <next object>`. A device that refuses code 2 (exception 2 or 3) is asked for the basic objects (`2B 0E 01 00`) instead; one
//! that does not know function 43 (exception 1) is asked no other identification. Nothing is ever sent twice: an answer may still come.

use std::collections::VecDeque;
use std::time::Duration;

use nameplate_wire::conversation::{Over, Protocol};
use nameplate_wire::modbus::registers::Read;
use nameplate_wire::modbus::{Answering, Continue, MBAP_BYTES, Mbap, PROTOCOL, Question, rtu, sunspec};
use nameplate_wire::{Address, Malformed, Message};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, LINE_REQUESTS_MAX, Modbus, REQUESTS_MAX, Refused, Registers};
use crate::pacing::{LINE_RESPONSE_MS_MAX, Pace, TimeFactor};

/// The device does not know the function. Specification, clause 7.
const EXCEPTION_ILLEGAL_FUNCTION: u8 = 1;
/// It knows the function, but not this object ...
const EXCEPTION_ILLEGAL_ADDRESS: u8 = 2;
/// ... or not this set of objects (6.21 names code 3; devices send 2 as well).
const EXCEPTION_ILLEGAL_VALUE: u8 = 3;
/// Read holding registers. Specification 6.3.
const FUNCTION_HOLDING_REGISTERS: u8 = 3;
/// Top bit of an answer's function code: it is an exception. Specification 4.1.
const EXCEPTION_BIT: u8 = 0x80;
/// "More follows" in a page of function 43/14. Specification 6.21.
const MORE_FOLLOWS: u8 = 0xff;
/// The unit of a device that is no gateway (TCP guide 4.4.2.1).
pub const UNIT_NONE: u8 = 0xff;

/// What stands around a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Modbus TCP.
    #[default]
    Tcp,
    /// Frames of a serial line; a serial server takes them, too: "RTU over TCP".
    Rtu,
}

/// What one unit is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// How.
    pub framing: Framing,
    /// Its unit identifier.
    pub unit: u8,
    /// In this order. Function 17 and registers are granted only by standing here.
    pub questions: Vec<Question>,
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        match self.framing {
            Framing::Tcp => &PROTOCOL,
            Framing::Rtu => &rtu::PROTOCOL,
        }
    }

    fn grant(&self) -> Result<Grant, Refused> {
        if self.questions.is_empty() {
            return Err(Refused::before_any_byte("ask.questions", "no question is named, and a connection alone tells nothing"));
        }
        let asked = Modbus {
            server_id: self.questions.contains(&Question::ServerId),
            registers: self.questions.iter().filter_map(registers).collect(),
            ..Modbus::unit(self.unit)
        };
        match self.framing {
            Framing::Tcp => asked.grant(),
            Framing::Rtu => asked.grant_on_a_line(),
        }
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Pages::new(self))
    }

    /// The questions with what stands in for one that the device refuses.
    fn plan(&self) -> Vec<Planned> {
        let mut messages = Vec::new();
        for (index, question) in self.questions.iter().enumerate() {
            messages.push((*question, if index == 0 { "" } else { "unless an earlier answer stops us" }));
            if *question == Question::REGULAR && !self.questions.iter().skip(index).any(|later| *later == Question::BASIC) {
                messages.push((Question::BASIC, "only if the device refuses the regular set (exception 2 or 3)"));
            }
        }
        let planned = |((question, only_if), transaction): ((Question, _), u16)| Planned {
            bytes: self.framing.encode(question, transaction, self.unit),
            question: question.name(),
            only_if,
            then: match question {
                Question::Identification { code: code @ (2 | 3), .. } => {
                    let most = self.framing.requests_max();
                    format!("while more follows: 2B 0E {code:02X} <next object>; at most {most} requests in all")
                }
                _ => String::new(),
            },
        };
        messages.into_iter().zip(1..).map(planned).collect()
    }

    fn pace(&self, factor: TimeFactor) -> Pace {
        let pace = Pace::new(factor);
        match self.framing {
            Framing::Tcp => pace,
            Framing::Rtu => Pace { response_max: Duration::from_millis(LINE_RESPONSE_MS_MAX), ..pace },
        }
    }
}

impl Framing {
    const fn requests_max(self) -> u8 {
        match self {
            Self::Tcp => REQUESTS_MAX,
            Self::Rtu => LINE_REQUESTS_MAX,
        }
    }

    fn encode(self, question: Question, transaction: u16, unit: u8) -> Vec<u8> {
        match self {
            Self::Tcp => question.encode(transaction, unit),
            Self::Rtu => rtu::encode(question, unit),
        }
    }

    const fn pdu_at(self) -> usize {
        match self {
            Self::Tcp => MBAP_BYTES,
            Self::Rtu => rtu::PDU_AT,
        }
    }
}

/// The registers that a question reads, literally.
fn registers(question: &Question) -> Option<Registers> {
    match *question {
        Question::Sunspec { base } => Some(Registers { function: FUNCTION_HOLDING_REGISTERS, address: base, quantity: sunspec::REGISTERS }),
        Question::Registers(Read { function, address, quantity }) => Some(Registers { function, address, quantity }),
        _ => None,
    }
}

/// One unit, asked page by page.
struct Pages {
    framing: Framing,
    unit: u8,
    waiting: VecDeque<Question>,
    /// The question that is being answered, and its pages so far.
    current: Option<(Question, Answering)>,
    /// The message that is out: the question itself, or its next page.
    out: Question,
    /// The page to ask for next.
    page: Option<Question>,
    requests: u8,
    unasked: Vec<Question>,
}

impl Pages {
    fn new(asked: &Questions) -> Self {
        let waiting = asked.questions.iter().copied().collect();
        let Questions { framing, unit, .. } = *asked;
        Self { framing, unit, waiting, current: None, out: Question::REGULAR, page: None, requests: 0, unasked: Vec::new() }
    }

    /// The device is in no state to be asked more, or need not be.
    fn stop(&mut self) {
        self.unasked.extend(std::mem::take(&mut self.waiting));
    }

    fn excepted(&mut self, code: u8, question: Question) {
        match code {
            // Who does not have one block of a family is not of it.
            EXCEPTION_ILLEGAL_ADDRESS | EXCEPTION_ILLEGAL_VALUE if matches!(question, Question::Registers(_)) => {
                self.excepted(EXCEPTION_ILLEGAL_FUNCTION, question)
            }
            EXCEPTION_ILLEGAL_FUNCTION => {
                // What is left of the same function would be refused alike.
                let (alike, other) = std::mem::take(&mut self.waiting).into_iter().partition(|next| next.asks_as(question));
                let alike: VecDeque<Question> = alike;
                self.unasked.extend(alike);
                self.waiting = other;
            }
            EXCEPTION_ILLEGAL_ADDRESS | EXCEPTION_ILLEGAL_VALUE => {
                if question == Question::REGULAR && !self.waiting.contains(&Question::BASIC) {
                    self.waiting.push_front(Question::BASIC);
                }
            }
            // Busy, failed, or no path behind the gateway.
            _ => self.stop(),
        }
    }
}

impl Dialogue for Pages {
    fn next(&mut self) -> Next {
        let out = match self.page.take() {
            Some(_) if self.requests == REQUESTS_MAX => return Next::Hostile("it still has more after 8 requests"),
            // Two requests are all that a line has to spare: what was read so far stands in part.
            page if self.requests == self.framing.requests_max() => {
                self.unasked.extend(page);
                self.stop();
                return Next::Done;
            }
            Some(page) => page,
            None => {
                let Some(question) = self.waiting.pop_front() else { return Next::Done };
                let answering = match self.framing {
                    Framing::Tcp => Answering::new(question, Address::default()),
                    Framing::Rtu => Answering::serial(question, Address::default(), Over::Serial),
                };
                self.current = Some((question, answering));
                question
            }
        };
        self.requests = self.requests.saturating_add(1);
        self.out = out;
        Next::Put(Put::new(out.name(), self.framing.encode(out, u16::from(self.requests), self.unit)))
    }

    /// Another protocol id is read past, so that one stray message does not cost the answer behind it.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        if self.framing == Framing::Rtu {
            return rtu::length(bytes);
        }
        let Some(&[t0, t1, _, _, l0, l1]) = bytes.first_chunk() else { return Ok(None) };
        Ok(Mbap::read(&[t0, t1, 0, 0, l0, l1, 0])?.map(|mbap| mbap.adu_bytes))
    }

    fn take(&mut self, adu: &[u8]) -> Take {
        let belongs = match self.framing {
            Framing::Tcp => belongs(adu, u16::from(self.requests), self.unit, self.out),
            Framing::Rtu => belongs_on_a_line(adu, self.unit, self.out),
        };
        if let Err(malformed) = belongs {
            return Take::Stray(malformed);
        }
        let Some((question, answering)) = &mut self.current else { return Take::Answer };
        let (question, pdu) = (*question, adu.get(self.framing.pdu_at()..).unwrap_or_default());
        if let Question::Registers(_) = question {
            // Of registers there are no pages; what the family is, and so what they mean, the profile says.
            if let Some(code) = exception(pdu) {
                self.excepted(code, question);
            }
            return Take::Answer;
        }
        match (answering.answer(Message { frame: 0, time_ns: 0, bytes: adu.to_vec() }), question) {
            (Continue::Next(object), Question::Identification { code: code @ (2 | 3), .. }) => {
                self.page = Some(Question::Identification { code, object });
            }
            // The allowlist has `2B 0E 01 00` and single objects, not what may follow on them: what was read stands in part.
            (Continue::Next(_), _) => {}
            (Continue::Complete, _) => {
                if let Some(code) = exception(pdu) {
                    self.excepted(code, question);
                }
            }
            // Registers that are no common model: what stands there is nobody's identity, and the other questions are not touched by it.
            (Continue::Stop, Question::Sunspec { .. }) => {}
            (Continue::Stop, _) if says_more(pdu) => return Take::Hostile("its pages go round in circles"),
            (Continue::Stop, _) => self.stop(),
        }
        Take::Answer
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.iter().map(Question::name).collect()
    }
}

/// Whether a message answers the question that waits; if not, the byte that says so.
fn belongs(adu: &[u8], transaction: u16, unit: u8, question: Question) -> Result<(), Malformed> {
    let Some(mbap) = Mbap::read(adu)? else {
        return Err(Malformed::short("mbap", 0, MBAP_BYTES, adu.len(), "MBAP header (TCP guide 3.1.3)"));
    };
    if mbap.transaction != transaction {
        return Err(Malformed::wrong("mbap", 0, "transaction of the question that waits (TCP guide 3.1.3)"));
    }
    if mbap.unit != unit {
        return Err(Malformed::wrong("mbap", 6, "unit that was asked (TCP guide 3.1.3)"));
    }
    match Answering::question_of(adu) {
        _ if is_of_registers(adu.get(MBAP_BYTES..), question) => Ok(()),
        Some(shape) if question.asks_as(shape) => Ok(()),
        _ => Err(Malformed::wrong("modbus", MBAP_BYTES, "function that was asked (specification 4.1)")),
    }
}

/// The same on a line, where a question has no number: an answer that comes too late cannot be told from the right one, so silence ends
/// the conversation. An adapter may echo our own question, which is no answer.
fn belongs_on_a_line(frame: &[u8], unit: u8, question: Question) -> Result<(), Malformed> {
    if frame.first() != Some(&unit) {
        return Err(Malformed::wrong("modbus-rtu", 0, "unit that was asked (serial line 2.2)"));
    }
    if rtu::encode(question, unit) == frame {
        return Err(Malformed::wrong("modbus-rtu", 1, "an answer, not the echo of the question (serial line 2.1)"));
    }
    match Answering::question_of_pdu(frame.get(rtu::PDU_AT..).unwrap_or_default()) {
        _ if is_of_registers(frame.get(rtu::PDU_AT..frame.len().saturating_sub(rtu::CHECK_BYTES)), question) => Ok(()),
        Some(shape) if question.asks_as(shape) => Ok(()),
        _ => Err(Malformed::wrong("modbus-rtu", 1, "function that was asked (specification 4.1)")),
    }
}

/// True for registers, or an exception instead of them, where registers were asked for.
fn is_of_registers(pdu: Option<&[u8]>, question: Question) -> bool {
    let function = pdu.and_then(|pdu| pdu.first()).map(|function| function & !EXCEPTION_BIT);
    match question {
        // Registers do not say which they are: that many bytes, or none of it.
        Question::Registers(read) => pdu.is_some_and(|pdu| read.is_answered_by(pdu)),
        _ => registers(&question).is_some() && function == Some(FUNCTION_HOLDING_REGISTERS),
    }
}

/// The exception code, if this answer is one (specification 4.1: function with its top bit, then the code).
fn exception(pdu: &[u8]) -> Option<u8> {
    match pdu {
        [function, code, ..] if function & EXCEPTION_BIT != 0 => Some(*code),
        _ => None,
    }
}

/// True when an identification page says that more follows (specification 6.21: the fifth byte of the PDU).
fn says_more(pdu: &[u8]) -> bool {
    exception(pdu).is_none() && pdu.get(4).is_some_and(|more| *more == MORE_FOLLOWS)
}

#[cfg(test)]
mod tests;
