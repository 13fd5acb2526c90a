//! Asks over HART-IP, by TCP or UDP: what answers at one polling address.
//!
//! What leaves is a session as secondary master (one that the server ends itself after 20 s of silence), command 0 to the polling address, and
//! to the long address that its answer tells command 20 (since HART 6) and command 13; then the session's close. A server that gives no session,
//! and an instrument that answers command 0 with an error, are asked no more. Commands are a second apart: behind a gateway each of them
//! crosses a loop of 1200 bit/s.

use std::collections::VecDeque;
use std::time::Duration;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::hart_ip::{self, Answered, Long, PROTOCOL, Question};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, HartIp, Refused};
use crate::pacing::{Pace, TimeFactor};

/// From an answer to the next command (docs/read-only.md, section 3).
const MESSAGE_GAP_MS: u64 = 1_000;
/// Wait for an answer that crosses a loop.
const RESPONSE_S_MAX: Duration = Duration::from_secs(5);
/// The hold of a session (the guard's table says the same).
const HOLD_S_MAX: Duration = Duration::from_secs(20);
/// Since this revision of the universal commands there is a long tag.
const LONG_TAG_SINCE: u8 = 6;
/// Codes of a server that gives a session: yes; yes, with a timer of its own (HCF_SPEC-085).
const SESSION_GIVEN: [u8; 2] = [0, 8];
/// Response code of an instrument that has no such command (HCF_SPEC-307): others may follow.
const NOT_IMPLEMENTED: u8 = 64;

/// What is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Questions {
    /// The polling address; of a gateway its own is 0.
    pub polling: u8,
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        HartIp::polling(self.polling).grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        let waiting = VecDeque::from([Question::Initiate, Question::Identity(self.polling)]);
        Box::new(Session { waiting, out: Question::Initiate, sequence: 0, stands: false, unasked: Vec::new() })
    }

    fn plan(&self) -> Vec<Planned> {
        let nobody = Long([0; 5]);
        let planned = |(question, sequence, only_if): (Question, u16, _)| Planned {
            question: question.name(),
            bytes: question.encode(sequence),
            only_if,
            then: match question {
                Question::LongTag(_) | Question::Tag(_) => "the address is the one that command 0 told".to_owned(),
                _ => String::new(),
            },
        };
        let messages = [
            (Question::Initiate, 1, ""),
            (Question::Identity(self.polling), 2, "only if the server gives a session"),
            (Question::LongTag(nobody), 3, "only if command 0 was answered, by HART 6 or later"),
            (Question::Tag(nobody), 4, "only if command 0 was answered"),
            (Question::Close, 5, "only if a session stands"),
        ];
        messages.into_iter().map(planned).collect()
    }

    fn pace(&self, factor: TimeFactor) -> Pace {
        Pace { message_gap: factor.shorten(MESSAGE_GAP_MS), response_max: RESPONSE_S_MAX, hold_max: HOLD_S_MAX }
    }
}

/// One session, command by command.
struct Session {
    waiting: VecDeque<Question>,
    /// The question that is out, and its sequence number.
    out: Question,
    sequence: u16,
    /// Whether a session may stand at the server.
    stands: bool,
    unasked: Vec<&'static str>,
}

impl Session {
    fn put(&mut self, question: Question) -> Put {
        self.sequence = self.sequence.wrapping_add(1);
        self.out = question;
        Put::new(question.name(), question.encode(self.sequence))
    }

    fn stop(&mut self) {
        self.unasked.extend(self.waiting.drain(..).map(|question| question.name()));
    }
}

impl Dialogue for Session {
    fn next(&mut self) -> Next {
        let Some(question) = self.waiting.pop_front() else { return Next::Done };
        // Until the server says no, there may be one.
        self.stands |= question == Question::Initiate;
        Next::Put(self.put(question))
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        hart_ip::length(bytes)
    }

    fn take(&mut self, message: &[u8]) -> Take {
        let Some(answered) = Answered::read(message, self.sequence, self.out) else {
            return Take::Stray(Malformed::wrong(
                "hart-ip",
                1,
                "answer to the question that waits: kind, sequence number, address, command (HCF_SPEC-085)",
            ));
        };
        match answered {
            Answered::Session(code) if SESSION_GIVEN.contains(&code) => {}
            Answered::Session(_) | Answered::Refused => {
                self.stands &= self.out != Question::Initiate;
                self.stop();
            }
            Answered::Command { code: 0, identity: Some((long, revision)), whole: true } => {
                let long_tag = (revision >= LONG_TAG_SINCE).then_some(Question::LongTag(long));
                self.waiting.extend(long_tag.into_iter().chain([Question::Tag(long)]));
            }
            Answered::Command { code: 0 | NOT_IMPLEMENTED, whole: true, .. } => {}
            // Busy, broken on its way, or not to be trusted.
            Answered::Command { .. } => self.stop(),
        }
        Take::Answer
    }

    fn goodbye(&mut self) -> Option<Put> {
        std::mem::take(&mut self.stands).then(|| self.put(Question::Close))
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.clone()
    }
}

#[cfg(test)]
mod tests;
