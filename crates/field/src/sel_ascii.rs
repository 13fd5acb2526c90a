//! Asks an SEL relay over its command line, by Telnet, raw TCP or a serial line.
//!
//! What leaves is an empty line, to see whose session it is. At `=`, nobody's, comes `ID`. Where the relay says that this needs level 1, and its
//! owner consented and gave a password, come `ACC`, the password once, `ID` again, `STA` where that told no serial number, and `QUI`. At any other prompt somebody else is logged in: we leave
//! without a word. A relay that does not take the password is left as it is, and the breaker keeps us from it for a day (H14). Nothing but these
//! lines is sent: what the device says in Telnet's commands is passed over and never answered, because they are bytes from 80 on.

use std::time::Duration;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::sel_ascii::{ANSWER_BYTES_MAX, PROTOCOL, Prompt, Question, asks_for_level, prompt, tells_serial, tells_version};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, Refused, Secret, SelAscii};
use crate::pacing::{LINE_RESPONSE_MS_MAX, MESSAGE_GAP_MS, Pace, TimeFactor};

/// From a prompt to where nothing more belongs to it: `=` can be the beginning of `==>`. At 300 bit/s a byte takes 33 ms.
const PROMPT_SETTLES_MS: u64 = 500;
/// The hold of a session (the guard's table says the same).
const HOLD_S_MAX: Duration = Duration::from_secs(20);
const ANOTHERS: &str = "another person's session is open there (its prompt is not `=`): left without a word; ask again when it is closed";
const NOT_TAKEN: &str =
    "it did not take the password, which is not tried again; check it at the relay, because some lock at the third wrong one";

/// What one relay is to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// The password of level 1, where its owner consents to a login.
    pub password: Option<Secret>,
}

impl Questions {
    fn put(&self, question: Question) -> Put {
        let password = self.password.as_ref().map(Secret::bytes).unwrap_or_default();
        Put::new(question.name(), question.encode(password))
    }
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        SelAscii { password: self.password.clone() }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Session { asked: self.clone(), out: None, heard: Vec::new(), is_ours: false })
    }

    fn plan(&self) -> Vec<Planned> {
        const LEVEL: &str = "only if the relay says that ID needs level 1";
        let mut lines = vec![(Question::Prompt, ""), (Question::Id, "only if the prompt is `=`")];
        if self.password.is_some() {
            lines.extend([
                (Question::Login, LEVEL),
                (Question::Password, "only if it then asks for a password"),
                (Question::Id, "only if it took the password"),
                (Question::Status, "only if it took the password and its ID tells no serial number"),
                (Question::Quit, "only if it took the password"),
            ]);
        }
        let planned = |(question, only_if)| {
            let Put { question, bytes, .. } = self.put(question);
            Planned { question, bytes, only_if, then: String::new() }
        };
        lines.into_iter().map(planned).collect()
    }

    fn pace(&self, factor: TimeFactor) -> Pace {
        Pace {
            message_gap: factor.shorten(MESSAGE_GAP_MS),
            response_max: Duration::from_millis(LINE_RESPONSE_MS_MAX),
            hold_max: HOLD_S_MAX,
        }
    }
}

/// One command line.
struct Session {
    asked: Questions,
    /// The line that is out.
    out: Option<Question>,
    /// What the relay said since.
    heard: Vec<u8>,
    /// Whether level 1 is ours.
    is_ours: bool,
}

impl Session {
    /// What comes behind the line that is out, by the prompt to which it led.
    fn after(&mut self) -> Result<Option<Question>, &'static str> {
        let prompt = prompt(&self.heard);
        match (self.out, prompt) {
            (None, _) => Ok(Some(Question::Prompt)),
            (_, Some(Prompt::Operator)) | (Some(Question::Prompt | Question::Id), Some(Prompt::Reader)) if !self.is_ours => Err(ANOTHERS),
            (Some(Question::Prompt), Some(Prompt::Nobody)) => Ok(Some(Question::Id)),
            (Some(Question::Prompt), _) => Err("it asks for something else than a command"),
            // A command of level 1: without a login of ours it would only be refused.
            (Some(Question::Id), Some(Prompt::Reader)) if self.is_ours && !tells_serial(&self.heard) => Ok(Some(Question::Status)),
            (Some(Question::Id), _) if tells_version(&self.heard) || self.is_ours => Ok(None),
            (Some(Question::Id), _) if !asks_for_level(&self.heard) => Ok(None),
            (Some(Question::Id), _) if self.asked.password.is_some() => Ok(Some(Question::Login)),
            (Some(Question::Id), _) => Err("its ID needs level 1: its owner can consent to a login with --sel-login and give the password"),
            (Some(Question::Login), Some(Prompt::Password)) => Ok(Some(Question::Password)),
            (Some(Question::Login | Question::Password), Some(Prompt::Reader)) => {
                self.is_ours = true;
                Ok(Some(Question::Id))
            }
            (Some(Question::Login), _) => Err("it does not let anybody log in there"),
            (Some(Question::Password), _) => Err(NOT_TAKEN),
            (Some(Question::Status | Question::Quit), _) => Ok(None),
        }
    }
}

impl Dialogue for Session {
    fn next(&mut self) -> Next {
        let question = match self.after() {
            Ok(Some(question)) => question,
            Ok(None) => return Next::Done,
            Err(because) => return Next::Unwilling(because),
        };
        (self.out, self.heard) = (Some(question), Vec::new());
        Next::Put(self.asked.put(question))
    }

    /// What came; where an answer ends, only its prompt tells.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        Ok(Some(bytes.len()))
    }

    fn take(&mut self, message: &[u8]) -> Take {
        if self.heard.len().saturating_add(message.len()) > ANSWER_BYTES_MAX {
            return Take::Hostile("it sends more than any answer to ID has");
        }
        self.heard.extend_from_slice(message);
        match prompt(&self.heard) {
            Some(_) => Take::Settling(Duration::from_millis(PROMPT_SETTLES_MS)),
            None => Take::More,
        }
    }

    fn goodbye(&mut self) -> Option<Put> {
        std::mem::take(&mut self.is_ours).then(|| self.asked.put(Question::Quit))
    }
}

#[cfg(test)]
mod tests;
