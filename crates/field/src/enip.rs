//! Asks over EtherNet/IP without a session: one ListIdentity to one device, over UDP, or over TCP where that is all that is let through.

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::enip::{self, PROTOCOL, Question};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Enip, Grant, Refused};

/// An identity has some sixty bytes, an unconnected message at most 504 (CIP volume 2, 2-4.7); items of the maker's own may stand behind them.
const ANSWER_BYTES_MAX: usize = 1024;

/// How long the message is that starts here.
///
/// # Errors
/// [`Malformed`] where it cannot be one, or is longer than any answer to us.
pub(crate) fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    match enip::length(bytes)? {
        Some(length) if length > ANSWER_BYTES_MAX => {
            Err(Malformed::wrong("enip", 2, "an answer to an identity question has at most 1024 bytes (CIP volume 2, 2-4)"))
        }
        length => Ok(length),
    }
}

/// Who has the address; there is nothing else to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Questions;

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        Enip.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Once { asked: false })
    }

    fn plan(&self) -> Vec<Planned> {
        let Put { question, bytes, .. } = put();
        vec![Planned { question, bytes, only_if: "", then: String::new() }]
    }
}

fn put() -> Put {
    Put::new(Question::ListIdentity.name(), Question::ListIdentity.encode(0, 0))
}

struct Once {
    asked: bool,
}

impl Dialogue for Once {
    fn next(&mut self) -> Next {
        if std::mem::replace(&mut self.asked, true) { Next::Done } else { Next::Put(put()) }
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        length(bytes)
    }

    fn take(&mut self, message: &[u8]) -> Take {
        Question::ListIdentity.answered(0, 0, message).map_or_else(Take::Stray, |_| Take::Answer)
    }
}

#[cfg(test)]
mod tests;
