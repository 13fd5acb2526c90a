//! Asks over PROFINET DCP, on layer 2: one Get of the blocks that say who a station is, to its own hardware address.
//!
//! After a Get a station answers DCP to nobody else for 3 s (H24): so one, and the reading is held for those 3 s, in which no other one of ours begins.
//! It has no firmware to tell; PROFINET IO (`pn_io`) has.

use std::time::Duration;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::pn_dcp::{self, PROTOCOL, Question};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, PnDcp, Refused};
use crate::pacing::{Pace, TimeFactor};

/// So long a station answers nobody else (IEC 61158-6-10, 4.3: the client's hold time).
const BOUND_S: Duration = Duration::from_secs(3);

/// What one station is to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// Who of the owner's says that the station runs; nobody is asked without.
    pub consent: Option<String>,
    /// The transaction's number. `None` draws one for each.
    pub transaction: Option<u32>,
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        PnDcp { consent: self.consent.clone() }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        let drawn = || {
            let mut number = [0; 4];
            getrandom::fill(&mut number).ok().map(|()| u32::from_be_bytes(number))
        };
        // One of all times would do: there is but one transaction.
        let transaction = self.transaction.or_else(drawn).unwrap_or(1);
        Box::new(Get { question: Question { transaction }, put: false, answered: false })
    }

    fn plan(&self) -> Vec<Planned> {
        let question = Question { transaction: self.transaction.unwrap_or_default() };
        let then = format!("then it is held for {} s, in which the station answers DCP to nobody else", BOUND_S.as_secs());
        vec![Planned { question: Question::NAME, bytes: question.encode(), only_if: "", then }]
    }

    fn pace(&self, factor: TimeFactor) -> Pace {
        Pace { response_max: BOUND_S, ..Pace::new(factor) }
    }
}

/// One transaction.
struct Get {
    question: Question,
    put: bool,
    answered: bool,
}

impl Dialogue for Get {
    fn next(&mut self) -> Next {
        if std::mem::replace(&mut self.put, true) { Next::Done } else { Next::Put(Put::new(Question::NAME, self.question.encode())) }
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        pn_dcp::length(bytes)
    }

    fn take(&mut self, message: &[u8]) -> Take {
        if !self.question.is_answered_by(message) {
            return Take::Stray(Malformed::wrong(
                pn_dcp::NAME,
                2,
                "answer to the Get that waits: service, transaction (IEC 61158-6-10, 4.3.1.3)",
            ));
        }
        if std::mem::replace(&mut self.answered, true) {
            return Take::Stray(Malformed::wrong(pn_dcp::NAME, 4, "a Get is answered once (IEC 61158-6-10, 4.3.1.3)"));
        }
        Take::Settling(BOUND_S)
    }
}

#[cfg(test)]
mod tests;
