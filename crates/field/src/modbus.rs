//! Asks over Modbus TCP: what is put, page by page.
//!
//! What leaves is `2B 0E 02 00` (regular identification) unless the caller names other questions; each further page asks
//! `2B 0E 02 <next object>`. A device that refuses code 2 (exception 2 or 3) is asked for the basic objects (`2B 0E 01 00`) instead; one
//! that does not know function 43 (exception 1) is asked no other identification. Nothing is ever sent twice: an answer may still come.

use std::collections::VecDeque;

use nameplate_wire::conversation::Protocol;
use nameplate_wire::modbus::{Answering, Continue, MBAP_BYTES, Mbap, PROTOCOL, Question};
use nameplate_wire::{Address, Malformed, Message};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, Modbus, REQUESTS_MAX, Refused};

/// The device does not know the function. Specification, clause 7.
const EXCEPTION_ILLEGAL_FUNCTION: u8 = 1;
/// It knows the function, but not this object ...
const EXCEPTION_ILLEGAL_ADDRESS: u8 = 2;
/// ... or not this set of objects (6.21 names code 3; devices send 2 as well).
const EXCEPTION_ILLEGAL_VALUE: u8 = 3;
/// Top bit of an answer's function code: it is an exception. Specification 4.1.
const EXCEPTION_BIT: u8 = 0x80;
/// "More follows" in a page of function 43/14. Specification 6.21.
const MORE_FOLLOWS: u8 = 0xff;
/// The unit of a device that is no gateway (TCP guide 4.4.2.1).
pub const UNIT_NONE: u8 = 0xff;

/// What one unit is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// Its unit identifier.
    pub unit: u8,
    /// In this order. Function 17 is granted only by standing here.
    pub questions: Vec<Question>,
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        if self.questions.is_empty() {
            return Err(Refused::before_any_byte("ask.questions", "no question is named, and a connection alone tells nothing"));
        }
        Modbus { server_id: self.questions.contains(&Question::ServerId), ..Modbus::unit(self.unit) }.grant()
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
            bytes: question.encode(transaction, self.unit),
            question: question.name(),
            only_if,
            then: match question {
                Question::Identification { code: code @ (2 | 3), .. } => {
                    format!("while more follows: 2B 0E {code:02X} <next object>; at most {REQUESTS_MAX} requests in all")
                }
                _ => String::new(),
            },
        };
        messages.into_iter().zip(1..).map(planned).collect()
    }
}

/// One unit, asked page by page.
struct Pages {
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
        Self { unit: asked.unit, waiting, current: None, out: Question::REGULAR, page: None, requests: 0, unasked: Vec::new() }
    }

    /// The device is in no state to be asked more, or need not be.
    fn stop(&mut self) {
        self.unasked.extend(std::mem::take(&mut self.waiting));
    }

    fn excepted(&mut self, code: u8, question: Question) {
        match code {
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
            Some(page) => page,
            None if self.requests == REQUESTS_MAX => {
                self.stop();
                return Next::Done;
            }
            None => {
                let Some(question) = self.waiting.pop_front() else { return Next::Done };
                self.current = Some((question, Answering::new(question, Address::default())));
                question
            }
        };
        self.requests = self.requests.saturating_add(1);
        self.out = out;
        Next::Put(Put::new(out.name(), out.encode(u16::from(self.requests), self.unit)))
    }

    /// Another protocol id is read past, so that one stray message does not cost the answer behind it.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let Some(&[t0, t1, _, _, l0, l1]) = bytes.first_chunk() else { return Ok(None) };
        Ok(Mbap::read(&[t0, t1, 0, 0, l0, l1, 0])?.map(|mbap| mbap.adu_bytes))
    }

    fn take(&mut self, adu: &[u8]) -> Take {
        if let Err(malformed) = belongs(adu, u16::from(self.requests), self.unit, self.out) {
            return Take::Stray(malformed);
        }
        let Some((question, answering)) = &mut self.current else { return Take::Answer };
        let question = *question;
        match (answering.answer(Message { frame: 0, time_ns: 0, bytes: adu.to_vec() }), question) {
            (Continue::Next(object), Question::Identification { code: code @ (2 | 3), .. }) => {
                self.page = Some(Question::Identification { code, object });
            }
            // The allowlist has `2B 0E 01 00` and single objects, not what may follow on them: what was read stands in part.
            (Continue::Next(_), _) => {}
            (Continue::Complete, _) => {
                if let Some(code) = exception(adu) {
                    self.excepted(code, question);
                }
            }
            (Continue::Stop, _) if says_more(adu) => return Take::Hostile("its pages go round in circles"),
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
        Some(shape) if question.asks_as(shape) => Ok(()),
        _ => Err(Malformed::wrong("modbus", MBAP_BYTES, "function that was asked (specification 4.1)")),
    }
}

/// The exception code, if this answer is one (specification 4.1: function with its top bit, then the code).
fn exception(adu: &[u8]) -> Option<u8> {
    match adu.get(MBAP_BYTES..)? {
        [function, code, ..] if function & EXCEPTION_BIT != 0 => Some(*code),
        _ => None,
    }
}

/// True when an identification page says that more follows (specification 6.21: the fifth byte of the PDU).
fn says_more(adu: &[u8]) -> bool {
    exception(adu).is_none() && adu.get(MBAP_BYTES + 4).is_some_and(|more| *more == MORE_FOLLOWS)
}

#[cfg(test)]
mod tests;
