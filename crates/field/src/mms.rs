//! Asks over MMS, as IEC 61850 has it: who the server is, and the name plates of one logical device.
//!
//! What leaves is a connection request, an association without a password, Identify, the list of domains where the owner names no logical
//! device, and two Reads of attributes of name plates; then Conclude. Each attribute is a variable of its own: in a structure's answer nothing
//! says which value is which, and a value under a wrong name is worse than none (ADR 0022). Every name has the functional constraint DC; a
//! control object is never read, because that can select it (H16). A server that wants a password, or is called otherwise, is left with a word
//! about it. Nothing is ever sent twice.

use std::collections::VecDeque;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::iso::{PROTOCOL, packet_bytes, tpdu_bytes};
use nameplate_wire::mms::{Answer, DEVICE_NODE, PDU_BYTES_MAX, PRESENTATION_SELECTOR, Question, SESSION_SELECTOR, TRANSPORT_SELECTOR};

use crate::ask::{Adapter, Planned};
use crate::dialogue::cotp::{Came, Parts};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, Mms, Refused};

/// TCP port of ISO transport. RFC 1006, clause 4.
pub const PORT: u16 = 102;
/// A PDU of the length that we offered, with what session and presentation put around it.
const MESSAGE_BYTES_MAX: usize = PDU_BYTES_MAX + 64;
/// A logical device's name (IEC 61850-7-2, 22.2).
const DOMAIN_BYTES_MAX: usize = 64;
/// How the logical device of the device itself is called by recommendation (IEC 61850-7-1).
const ROOT: &str = "LD0";
/// What stands in a plan for a name that the server will give.
const LISTED: &str = "LD0";

/// What one server is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// The transport selector that is called.
    pub transport: Vec<u8>,
    /// The session selector that is called.
    pub session: Vec<u8>,
    /// The presentation selector that is called.
    pub presentation: Vec<u8>,
    /// The logical device whose plates are read; without it the server's own, or the first that it lists.
    pub domain: Option<String>,
    /// The logical node with the device's plate.
    pub node: String,
}

impl Default for Questions {
    /// As servers are called where nothing else is configured.
    fn default() -> Self {
        Self {
            transport: TRANSPORT_SELECTOR.to_vec(),
            session: SESSION_SELECTOR.to_vec(),
            presentation: PRESENTATION_SELECTOR.to_vec(),
            domain: None,
            node: DEVICE_NODE.to_owned(),
        }
    }
}

impl Questions {
    /// Before it is known which logical device is read.
    fn first(&self) -> Vec<Question> {
        let mut first = vec![
            Question::Connect { called: self.transport.clone() },
            Question::Initiate { session: self.session.clone(), presentation: self.presentation.clone() },
            Question::Identify,
        ];
        if self.domain.is_none() {
            first.push(Question::Domains);
        }
        first
    }

    fn plates(&self, domain: &str) -> [Question; 2] {
        let domain = domain.to_owned();
        [Question::DevicePlate { domain: domain.clone(), node: self.node.clone() }, Question::NodePlate { domain }]
    }
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    /// ISO transport carries others, too.
    fn name(&self) -> &'static str {
        "mms"
    }

    fn grant(&self) -> Result<Grant, Refused> {
        let Self { transport, session, presentation, domain, node } = self.clone();
        Mms { transport, session, presentation, domain, node }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Session::new(self.clone()))
    }

    fn plan(&self) -> Vec<Planned> {
        let plates = self.plates(self.domain.as_deref().unwrap_or(LISTED));
        let questions = self.first().into_iter().chain(plates).chain([Question::Conclude]);
        let planned = |(question, number): (Question, u8)| Planned {
            question: question.name(),
            bytes: question.encode(number),
            only_if: match question {
                Question::Connect { .. } => "",
                Question::Initiate { .. } => "only if the connection is confirmed",
                Question::Conclude => "only if the association stands",
                _ => "only if the association stands, without a password",
            },
            then: match question {
                Question::DevicePlate { .. } | Question::NodePlate { .. } if self.domain.is_none() => {
                    format!("the logical device is one that the server lists: the one that ends in {ROOT}, or the first")
                }
                _ => String::new(),
            },
        };
        questions.zip(1..).map(planned).collect()
    }
}

/// One association.
struct Session {
    asked: Questions,
    waiting: VecDeque<Question>,
    /// The message that is out, and its number.
    out: Question,
    number: u8,
    /// What is on the way of a message whose last packet is not here yet.
    parts: Parts,
    /// Whether an association stands at the server.
    stands: bool,
    /// The largest TPDU that the server takes.
    tpdu_bytes_max: Option<usize>,
    unasked: Vec<&'static str>,
}

impl Session {
    fn new(asked: Questions) -> Self {
        let mut waiting: VecDeque<Question> = asked.first().into();
        if let Some(domain) = &asked.domain {
            waiting.extend(asked.plates(domain));
        }
        Self {
            asked,
            waiting,
            out: Question::Conclude,
            number: 0,
            parts: Parts::new(MESSAGE_BYTES_MAX),
            stands: false,
            tpdu_bytes_max: None,
            unasked: Vec::new(),
        }
    }

    fn put(&mut self, question: Question) -> Put {
        self.number = self.number.saturating_add(1);
        self.out = question;
        Put::new(self.out.name(), self.out.encode(self.number))
    }

    /// A message that is whole.
    fn answer(&mut self, body: &[u8]) -> Take {
        match Answer::read(body, &self.out, self.number) {
            Err(malformed) => return Take::Stray(malformed),
            Ok(Answer::Associated) => self.stands = true,
            Ok(Answer::Refused(because)) => return Take::Unwilling(because),
            Ok(Answer::Aborted) => {
                self.stands = false;
                return Take::Unwilling("it ends the association: it may have no place for another client");
            }
            Ok(Answer::Answered(domains)) if self.out == Question::Domains => self.read_in(&domains),
            // Whoever cannot say what it has, cannot be asked for it; all other questions stand for themselves.
            Ok(Answer::Failed) if self.out == Question::Domains => self.read_in(&[]),
            Ok(Answer::Answered(_) | Answer::Failed | Answer::Concluded) => {}
        }
        Take::Answer
    }

    /// The plates of one of these logical devices: of the device's own where there is one, else of the first.
    fn read_in(&mut self, domains: &[Vec<u8>]) {
        let is_one = |name: &&str| name.len() <= DOMAIN_BYTES_MAX && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let names: Vec<&str> =
            domains.iter().filter_map(|name| core::str::from_utf8(name).ok()).filter(|name| !name.is_empty()).filter(is_one).collect();
        match names.iter().find(|name| name.ends_with(ROOT)).or(names.first()) {
            Some(domain) => self.waiting.extend(self.asked.plates(domain)),
            None => self.unasked.extend(self.asked.plates(LISTED).iter().map(Question::name)),
        }
    }
}

impl Dialogue for Session {
    fn next(&mut self) -> Next {
        let Some(question) = self.waiting.pop_front() else { return Next::Done };
        let put = self.put(question);
        // The header of the packet does not count.
        if self.tpdu_bytes_max.is_some_and(|most| put.bytes.len() > most.saturating_add(4)) {
            self.unasked.push(put.question);
            self.unasked.extend(self.waiting.drain(..).map(|question| question.name()));
            return Next::Done;
        }
        Next::Put(put)
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        packet_bytes(bytes)
    }

    fn take(&mut self, packet: &[u8]) -> Take {
        let is_called = matches!(self.out, Question::Connect { .. });
        match self.parts.take(packet, is_called) {
            Came::Confirmed => {
                self.tpdu_bytes_max = tpdu_bytes(packet);
                Take::Answer
            }
            Came::Refused => {
                self.stands = false;
                Take::Unwilling("it refuses the connection: it may be called by another transport selector, or have no place left")
            }
            Came::Message(message) => self.answer(&message),
            Came::Nothing(take) => take,
        }
    }

    fn goodbye(&mut self) -> Option<Put> {
        std::mem::take(&mut self.stands).then(|| self.put(Question::Conclude))
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.clone()
    }
}

#[cfg(test)]
mod tests;
