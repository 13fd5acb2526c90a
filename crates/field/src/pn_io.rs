//! Asks over PROFINET IO: what a device says of itself to whoever looks it up, and its I&M0.
//!
//! What leaves is one look-up of the endpoint mapper, whose entry has the line of identification (type, order number, revisions) and names the
//! device's object; and one read of I&M0 from that object, without a relation. A device that is no object of PROFINET's, or that refuses the look-up,
//! is asked no more. Nothing is connected, so nothing is to be released; what the device does not answer is not asked again.

use std::collections::VecDeque;
use std::time::Duration;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::pn_io::{self, Answered, Object, PROTOCOL, Question};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, PnIo, Refused};

/// From a question to its answer, where the device says that it works on it.
const WORKING_S_MAX: Duration = Duration::from_secs(5);
/// Stands in a plan for ids that the look-up tells.
const NOBODY: Object = Object { interface: 1, ids: [0; 6] };

/// What one device is to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// Who of the owner's says that the device runs; nobody is asked without.
    pub consent: Option<String>,
    /// The number of the conversation. `None` draws one for each, as it must be towards a device that remembers those it had.
    pub activity: Option<[u8; 16]>,
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        PnIo { consent: self.consent.clone() }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        let activity = self.activity.or_else(drawn);
        Box::new(Activity { activity, waiting: VecDeque::from([Question::LookUp]), out: Question::LookUp, unasked: Vec::new() })
    }

    fn plan(&self) -> Vec<Planned> {
        let planned = |question: Question, only_if, then: &str| Planned {
            question: question.name(),
            bytes: question.encode(self.activity.unwrap_or_default()),
            only_if,
            then: then.to_owned(),
        };
        vec![
            planned(Question::LookUp, "", ""),
            planned(Question::Identity(NOBODY), "only if the look-up names an object", "its ids are those that the look-up told"),
        ]
    }
}

/// A random UUID (RFC 9562, 5.4), lower byte first.
fn drawn() -> Option<[u8; 16]> {
    let mut uuid = [0; 16];
    getrandom::fill(&mut uuid).ok()?;
    uuid[7] = uuid[7] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    Some(uuid)
}

/// One conversation.
struct Activity {
    /// Its number; none where the system has no random ones to give.
    activity: Option<[u8; 16]>,
    waiting: VecDeque<Question>,
    /// The question that is out.
    out: Question,
    unasked: Vec<&'static str>,
}

impl Dialogue for Activity {
    fn next(&mut self) -> Next {
        let Some(activity) = self.activity else { return Next::Unwilling("the system gives no random numbers for a conversation's own") };
        let Some(question) = self.waiting.pop_front() else { return Next::Done };
        self.out = question;
        Next::Put(Put::new(question.name(), question.encode(activity)))
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        pn_io::length(bytes)
    }

    fn take(&mut self, message: &[u8]) -> Take {
        match Answered::read(message, self.activity.unwrap_or_default(), self.out) {
            None => {
                let why = "answer to the question that waits: activity, number, interface, operation (C706, 12.5.2.2)";
                return Take::Stray(Malformed::wrong(pn_io::NAME, 40, why));
            }
            Some(Answered::Working) => return Take::Later(WORKING_S_MAX),
            Some(Answered::LookedUp(Some(object))) => self.waiting.push_back(Question::Identity(object)),
            Some(Answered::LookedUp(None) | Answered::Refused) => {
                self.unasked.extend((self.out == Question::LookUp).then(|| Question::Identity(NOBODY).name()));
            }
            Some(Answered::Identity) => {}
        }
        Take::Answer
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.clone()
    }
}

#[cfg(test)]
mod tests;
