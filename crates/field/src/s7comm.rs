//! Asks over S7comm: a session as S7 basic communication, and the system state lists (SZL) by which a CPU says what it is.
//!
//! What leaves is a connection request, the setup and Read SZL 0011 index 0; index 1 where the CPU refuses that index. By the owner's consent
//! list 001C follows, unless 0011 names no order number, or that of a CPU that is or may be fail-safe (H23). Further parts of a list are
//! fetched. There is no goodbye in S7comm: the connection is closed and read to its end (H10). Nothing is ever sent twice.

use std::collections::VecDeque;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::{Over, Protocol};
use nameplate_wire::iso::{PACKET_BYTES_MAX, PROTOCOL, content, packet_bytes};
use nameplate_wire::s7comm::{Answer, Question, Says};

use crate::ask::{Adapter, Planned};
use crate::dialogue::cotp::{Came, Parts};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, Refused, S7_MESSAGES_MAX, S7comm};

/// TCP port of ISO transport. RFC 1006, clause 4.
pub const PORT: u16 = 102;
/// "Information function unavailable": what CPUs answer to an index that they have not got (Wireshark's table of errors).
const NO_SUCH_INDEX: u16 = 0xd402;
/// The whole list, and the index that some want instead.
const MODULES: Question = Question::Modules { index: 0 };
const MODULES_OF_ONE: Question = Question::Modules { index: 1 };
/// Order numbers in list 0011: the module's, and that of its basic hardware.
const ORDER_NUMBERS: [&str; 2] = ["s7comm.module.order_number", "s7comm.hardware.order_number"];

/// What one CPU is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Questions {
    /// Its rack, 0 to 7.
    pub rack: u8,
    /// Its slot, 0 to 31.
    pub slot: u8,
    /// The owner consents to list 001C for this class of CPU.
    pub consent_001c: bool,
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    /// ISO transport carries others, too.
    fn name(&self) -> &'static str {
        "s7comm"
    }

    fn grant(&self) -> Result<Grant, Refused> {
        let Self { rack, slot, consent_001c } = *self;
        S7comm { rack, slot, consent_001c }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Session::new(*self))
    }

    fn plan(&self) -> Vec<Planned> {
        let more = || format!("while more follows: the next part; at most {S7_MESSAGES_MAX} messages in all");
        let mut messages = vec![
            (Question::Connect { rack: self.rack, slot: self.slot }, "", String::new()),
            (Question::Setup, "only if the CPU confirms the connection", String::new()),
            (MODULES, "only if it confirms the setup", more()),
            (MODULES_OF_ONE, "only if it has not got index 0 (error D402)", more()),
        ];
        if self.consent_001c {
            messages.push((Question::Components, "only if the list before names an order number, and none of a fail-safe CPU", more()));
        }
        let planned = |((question, only_if, then), reference): ((Question, _, _), u16)| Planned {
            question: question.name(),
            bytes: question.encode(reference),
            only_if,
            then,
        };
        messages.into_iter().zip(1..).map(planned).collect()
    }
}

/// One session.
struct Session {
    consent_001c: bool,
    waiting: VecDeque<Question>,
    /// The message that is out.
    out: Question,
    /// The list that is being read.
    list: Option<Question>,
    /// The part of it to ask for next.
    part: Option<Question>,
    /// Answers with parts of list 0011 so far, as they came.
    modules: Vec<Vec<u8>>,
    /// What is on the way of a message whose last packet is not here yet.
    parts: Parts,
    /// Messages put; the last one's number is its reference.
    messages: u8,
    unasked: Vec<&'static str>,
}

impl Session {
    fn new(asked: Questions) -> Self {
        let out = Question::Connect { rack: asked.rack, slot: asked.slot };
        Self {
            consent_001c: asked.consent_001c,
            waiting: [out, Question::Setup, MODULES].into(),
            out,
            list: None,
            part: None,
            modules: Vec::new(),
            parts: Parts::new(PACKET_BYTES_MAX),
            messages: 0,
            unasked: Vec::new(),
        }
    }

    /// It answers, but not with what the next question needs.
    fn stop(&mut self) {
        let lists = std::mem::take(&mut self.waiting).into_iter().filter(|question| *question != Question::Setup);
        self.unasked.extend(lists.map(|question| question.name()));
        if self.consent_001c && !matches!(self.list, Some(Question::Components)) {
            self.unasked.push(Question::Components.name());
        }
    }

    /// A message that is whole.
    fn answer(&mut self, body: &[u8]) -> Take {
        let answer = match Answer::read(body) {
            Ok(answer) => answer,
            Err(malformed) => return Take::Stray(malformed),
        };
        if answer.reference != u16::from(self.messages) {
            return Take::Stray(Malformed::wrong("s7comm", 4, "reference of the question that waits"));
        }
        match (self.out, answer.says) {
            (Question::Setup, Says::SetUp) => {}
            (Question::Setup, Says::Failed(..)) => self.stop(),
            (Question::Modules { .. } | Question::Components | Question::More { .. }, says) => return self.listed(says, body),
            _ => return Take::Stray(Malformed::wrong("s7comm", 1, "kind of message that was asked for")),
        }
        Take::Answer
    }

    /// What it says to a list or to a part of one.
    fn listed(&mut self, says: Says, body: &[u8]) -> Take {
        if let (Question::More { sequence: asked }, Says::Part { sequence, .. }) = (self.out, says)
            && asked != sequence
        {
            return Take::Stray(Malformed::wrong("s7comm", 17, "number of the list that is being read"));
        }
        if matches!(self.list, Some(Question::Modules { .. })) {
            self.modules.push(content(body));
        }
        match says {
            Says::Part { more: true, empty: true, .. } => return Take::Hostile("it says that more follows and gives nothing"),
            Says::Part { sequence, more: true, .. } => self.part = Some(Question::More { sequence }),
            Says::Part { .. } => self.list_is_whole(),
            Says::NoList(NO_SUCH_INDEX) if self.out == MODULES => self.waiting.push_back(MODULES_OF_ONE),
            Says::NoList(_) | Says::Failed(..) => self.stop(),
            Says::SetUp => return Take::Stray(Malformed::wrong("s7comm", 1, "kind of message that was asked for")),
        }
        Take::Answer
    }

    /// 001C follows on 0011 alone, and only where that leaves no doubt what kind of CPU it is.
    fn list_is_whole(&mut self) {
        if !self.consent_001c || matches!(self.list, Some(Question::Components)) {
            return;
        }
        let readings = PROTOCOL.replay(Over::Tcp, [], self.modules.iter().map(Vec::as_slice));
        let facts = readings.iter().flat_map(|reading| &reading.facts);
        let orders: Vec<&[u8]> =
            facts.filter(|fact| ORDER_NUMBERS.contains(&fact.path.as_str())).map(|fact| fact.bytes.as_slice()).collect();
        if orders.iter().any(|order| !order.is_empty()) && !orders.iter().any(|order| may_be_fail_safe(order)) {
            self.waiting.push_back(Question::Components);
        } else {
            self.unasked.push(Question::Components.name());
        }
    }
}

impl Dialogue for Session {
    fn next(&mut self) -> Next {
        let out = match self.part.take() {
            Some(_) if self.messages == S7_MESSAGES_MAX => return Next::Hostile("it still has more after 6 messages"),
            Some(part) => part,
            None => {
                if self.messages == S7_MESSAGES_MAX {
                    self.unasked.extend(std::mem::take(&mut self.waiting).iter().map(Question::name));
                }
                let Some(question) = self.waiting.pop_front() else { return Next::Done };
                if matches!(question, Question::Modules { .. } | Question::Components) {
                    self.list = Some(question);
                }
                question
            }
        };
        self.messages = self.messages.saturating_add(1);
        self.out = out;
        Next::Put(Put::new(out.name(), out.encode(u16::from(self.messages))))
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        packet_bytes(bytes)
    }

    fn take(&mut self, packet: &[u8]) -> Take {
        let is_called = matches!(self.out, Question::Connect { .. });
        match self.parts.take(packet, is_called) {
            Came::Confirmed => Take::Answer,
            Came::Refused => {
                self.stop();
                Take::Answer
            }
            Came::Message(message) => self.answer(&message),
            Came::Nothing(take) => take,
        }
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.clone()
    }
}

/// Order numbers of fail-safe CPUs, and of those that run fail-safe programs. In `6ES7 315-2FH13-0AB0` the letter behind the dash's digit
/// says it: F; H redundant (S7-400H), S the distributed and U the technology ones (1510SP F, 1517TF). S7-1200 have theirs one further
/// (`6ES7 214-1AF40-0XB0`). Too many rather than too few.
fn may_be_fail_safe(order: &[u8]) -> bool {
    let Some(dash) = order.iter().position(|byte| *byte == b'-') else { return true };
    let letter = |behind: usize| order.get(dash.saturating_add(behind)).map(u8::to_ascii_uppercase);
    let is_1200 = order.windows(7).any(|window| window == b"6ES7 21");
    matches!(letter(2), None | Some(b'F' | b'H' | b'S' | b'U')) || is_1200 && letter(3) == Some(b'F')
}

#[cfg(test)]
mod tests;
