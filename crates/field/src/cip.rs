//! Asks modules of a chassis through the one that has the address: a session, the Identity object of each slot that is named, in rising order, and
//! the end of the session, however it went.
//!
//! A module that does not know Get_Attributes_All is asked for its revision alone; the cap of messages has room for one such question. Whoever
//! passes messages on says so where a slot is empty: the next slot is asked. Where a safety controller shows itself and nobody is named who consents
//! to asking beside one, no further slot is asked.

use std::collections::VecDeque;
use std::time::Duration;

use nameplate_core::hazard::is_safety_controller;
use nameplate_wire::Malformed;
use nameplate_wire::conversation::{Over, Protocol};
use nameplate_wire::enip::{Answer, PROTOCOL, Question};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::enip;
use crate::guard::{Cip, Grant, Limits, Refused};
use crate::pacing::{Pace, TimeFactor};

/// General status "service not supported" (CIP volume 1, appendix B).
const SERVICE_NOT_SUPPORTED: u8 = 0x08;
/// Attribute 4 of the Identity object: major and minor revision (CIP volume 1, 5-2.2).
const REVISION: u8 = 4;

/// Which modules of one chassis are to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// Their slots, in any order. Never guessed: from the owner, an import, a capture.
    pub slots: Vec<u8>,
    /// A safety controller is known to stand among them, or beside them.
    pub safety_controller: bool,
    /// Who of the owner's consents to asking beside a safety controller.
    pub consent: Option<String>,
}

impl Questions {
    /// Each slot once, as the guard wants them.
    fn rising(&self) -> VecDeque<u8> {
        let mut slots = self.slots.clone();
        slots.sort_unstable();
        slots.dedup();
        slots.into()
    }
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn name(&self) -> &'static str {
        "cip"
    }

    fn grant(&self) -> Result<Grant, Refused> {
        if self.slots.is_empty() {
            let why = "no slot is named; the module that has the address itself is asked over enip";
            return Err(Refused::before_any_byte("ask.questions", why));
        }
        let slots = self.rising().into();
        Cip { slots, attributes: vec![REVISION], safety_controller: self.safety_controller, consent: self.consent.clone() }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Chassis {
            waiting: self.rising(),
            consented: self.consent.is_some(),
            session: None,
            out: Question::RegisterSession,
            context: 0,
            single: None,
            singles_left: 1,
            unasked: 0,
        })
    }

    fn plan(&self) -> Vec<Planned> {
        let slots = self.rising();
        let all = slots.iter().map(|slot| (Question::Identity { slot: *slot, attribute: None }, "once the session stands"));
        let one = slots.front().map(|slot| {
            let when = "in place of the message before, for the first module that does not know service 01 (general status 8)";
            (Question::Identity { slot: *slot, attribute: Some(REVISION) }, when)
        });
        let messages = [(Question::RegisterSession, "")].into_iter().chain(all).chain(one);
        let messages = messages.chain([(Question::UnregisterSession, "at the end, wherever the session stands")]);
        let planned = |((question, only_if), context): ((Question, _), u8)| Planned {
            question: question.name(),
            bytes: question.encode(0, context),
            only_if,
            then: String::new(),
        };
        messages.zip(1..).map(planned).collect()
    }

    fn pace(&self, factor: TimeFactor) -> Pace {
        let hold_max = self.grant().map_or(Duration::ZERO, |grant| Limits::of(&grant).hold_max);
        let pace = Pace::new(factor);
        Pace { hold_max: hold_max.max(pace.hold_max), ..pace }
    }
}

/// One chassis, while it is asked.
struct Chassis {
    waiting: VecDeque<u8>,
    consented: bool,
    /// Its handle, while it stands.
    session: Option<u32>,
    out: Question,
    context: u8,
    /// The slot whose revision is asked for next.
    single: Option<u8>,
    singles_left: u8,
    unasked: usize,
}

impl Chassis {
    fn put(&mut self, question: Question) -> Put {
        self.context = self.context.wrapping_add(1);
        self.out = question;
        Put::new(question.name(), question.encode(self.session.unwrap_or(0), self.context))
    }

    fn stop(&mut self) {
        self.unasked = self.unasked.saturating_add(self.waiting.len());
        self.waiting.clear();
    }

    /// True where the identity that a module told is that of a safety controller.
    fn is_safety(&self, message: &[u8]) -> bool {
        let asked = self.out.encode(self.session.unwrap_or(0), self.context);
        let readings = PROTOCOL.replay(Over::Tcp, [asked.as_slice()], [message]);
        let mut facts = readings.iter().flat_map(|reading| &reading.facts);
        facts.any(|fact| fact.path == "cip.identity.product_name" && is_safety_controller(&String::from_utf8_lossy(&fact.bytes)))
    }

    fn replied(&mut self, of_router: bool, status: u8, message: &[u8]) {
        match (of_router, status, self.out) {
            (false, 0, _) if !self.consented && self.is_safety(message) => self.stop(),
            (false, SERVICE_NOT_SUPPORTED, Question::Identity { slot, attribute: None }) => {
                if let Some(left) = self.singles_left.checked_sub(1) {
                    (self.singles_left, self.single) = (left, Some(slot));
                }
            }
            // It does not pass messages on at all.
            (true, SERVICE_NOT_SUPPORTED, _) => self.stop(),
            _ => {}
        }
    }
}

impl Dialogue for Chassis {
    fn next(&mut self) -> Next {
        if self.context == 0 {
            return Next::Put(self.put(Question::RegisterSession));
        }
        if self.session.is_none() {
            self.stop();
        }
        let question = match self.single.take() {
            Some(slot) => Some(Question::Identity { slot, attribute: Some(REVISION) }),
            None => self.waiting.pop_front().map(|slot| Question::Identity { slot, attribute: None }),
        };
        question.map_or(Next::Done, |question| Next::Put(self.put(question)))
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        enip::length(bytes)
    }

    fn take(&mut self, message: &[u8]) -> Take {
        match self.out.answered(self.session.unwrap_or(0), self.context, message) {
            Err(malformed) => return Take::Stray(malformed),
            Ok(Answer::Session(session)) => self.session = Some(session),
            // The encapsulation itself says no, as it will to the next.
            Ok(Answer::Refused(_)) => self.stop(),
            Ok(Answer::Reply { of_router, status }) => self.replied(of_router, status, message),
            Ok(Answer::Identity) => {}
        }
        Take::Answer
    }

    fn goodbye(&mut self) -> Option<Put> {
        self.session?;
        let put = self.put(Question::UnregisterSession);
        self.session = None;
        Some(Put { answered: false, ..put })
    }

    fn unasked(&self) -> Vec<&'static str> {
        vec!["cip.identity"; self.unasked]
    }
}

#[cfg(test)]
mod tests;
