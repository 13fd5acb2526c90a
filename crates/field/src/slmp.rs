//! Asks over SLMP (MELSEC, 3E frames), by TCP or UDP: one message, Read Type Name. It tells the model; no answer of SLMP holds a firmware
//! version. Nothing is ever sent twice.

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::slmp::{PROTOCOL, Question, answer_bytes, belongs};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, Refused, Slmp};

/// What a controller is asked: there is but one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Questions;

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        Ok(Slmp.grant())
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Once { is_put: false })
    }

    fn plan(&self) -> Vec<Planned> {
        let Put { question, bytes, .. } = put();
        vec![Planned { question, bytes, only_if: "", then: String::new() }]
    }
}

fn put() -> Put {
    Put::new(Question::TypeName.name(), Question::TypeName.encode())
}

/// The question, once.
struct Once {
    is_put: bool,
}

impl Dialogue for Once {
    fn next(&mut self) -> Next {
        if std::mem::replace(&mut self.is_put, true) { Next::Done } else { Next::Put(put()) }
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        answer_bytes(bytes)
    }

    fn take(&mut self, message: &[u8]) -> Take {
        belongs(message).map_or_else(Take::Stray, |()| Take::Answer)
    }
}

#[cfg(test)]
mod tests;
