//! Asks over SNMP: one GET of the system group, then, where somebody asked for them, GETs of named objects and rows of entPhysicalTable.
//!
//! What leaves first is one GET of sysDescr.0, sysObjectID.0, sysUpTime.0 and sysName.0. An agent that answers with an error is asked nothing more.
//! Rows of parts come four at a time by GETBULK, to version 1 one at a time by GETNEXT, each message behind the last row that every column
//! had, at most 16 times. The community is tried once: a wrong one is met with silence, and raises a trap at some agents.

use std::collections::VecDeque;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::snmp::{self, Answer, COLUMNS, Oid, PROTOCOL, Question, Version, request_id};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{ENTITY_QUESTIONS_MAX, Grant, Refused, SNMP_MESSAGES_MAX, SNMP_OBJECTS_MAX, Secret, Snmp};

/// What one agent is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// In which version.
    pub version: Version,
    /// The community.
    pub community: Secret,
    /// Objects to ask for besides the system group; none in version 1, where one that is not there costs the answer for all.
    pub objects: Vec<Oid>,
    /// Whether to ask for the rows of entPhysicalTable: what it is made of.
    pub entities: bool,
}

impl Questions {
    /// In their order.
    fn questions(&self) -> Vec<Question> {
        let objects = self.objects.chunks(SNMP_OBJECTS_MAX).map(|objects| Question::Objects(objects.to_vec()));
        let rows = self.entities.then(|| self.rows(None));
        [Question::System].into_iter().chain(objects).chain(rows).collect()
    }

    fn rows(&self, after: Option<u32>) -> Question {
        match self.version {
            Version::V1 => Question::NextEntity { after },
            Version::V2c => Question::Entities { after },
        }
    }
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        let objects = self.objects.iter().map(|object| object.bytes().to_vec()).collect();
        Snmp { v1: self.version == Version::V1, community: self.community.clone(), objects, entities: self.entities }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        let waiting = self.questions().into();
        Box::new(Asking { asked: self.clone(), waiting, out: Question::System, messages: 0, row_messages: 0, unasked: Vec::new() })
    }

    fn plan(&self) -> Vec<Planned> {
        let planned = |(question, number): (Question, u8)| Planned {
            bytes: question.encode(self.version, self.community.bytes(), request_id(number)),
            question: question.name(),
            only_if: if number == 1 { "" } else { "unless an earlier answer stops us" },
            then: match question {
                Question::NextEntity { .. } | Question::Entities { .. } => {
                    format!("while more rows follow: the same behind the last row; at most {ENTITY_QUESTIONS_MAX} in all")
                }
                _ => String::new(),
            },
        };
        self.questions().into_iter().zip(1..).map(planned).collect()
    }
}

/// One agent, message by message.
struct Asking {
    asked: Questions,
    waiting: VecDeque<Question>,
    /// The question that waits for its answer.
    out: Question,
    messages: u8,
    row_messages: u8,
    unasked: Vec<&'static str>,
}

impl Asking {
    /// The agent is in no state to be asked more.
    fn stop(&mut self) {
        self.unasked.extend(self.waiting.drain(..).map(|question| question.name()));
    }

    /// Where the table goes on behind these rows: behind the last one that each column had which has not come to its end.
    fn further(&mut self, after: Option<u32>, answer: &Answer) -> Take {
        let mut last = [after; COLUMNS.len()];
        let mut ended = [false; COLUMNS.len()];
        for (entity, column) in answer.entities.iter().zip((0..COLUMNS.len()).cycle()) {
            match entity {
                Some((found, row)) if *found == COLUMNS[column] && !ended[column] => {
                    if Some(*row) <= last[column] {
                        return Take::Hostile("its rows go round in circles");
                    }
                    last[column] = Some(*row);
                }
                _ => ended[column] = true,
            }
        }
        let next = last.iter().zip(ended).filter(|(_, ended)| !ended).map(|(last, _)| *last).min();
        match next {
            None => {}
            Some(next) if next > after && self.row_messages < ENTITY_QUESTIONS_MAX => self.waiting.push_back(self.asked.rows(next)),
            // More than our cap, or an answer without a word about some column: what was read stands.
            Some(_) => self.unasked.push(self.out.name()),
        }
        Take::Answer
    }
}

impl Dialogue for Asking {
    fn next(&mut self) -> Next {
        if self.messages == SNMP_MESSAGES_MAX {
            self.stop();
        }
        let Some(question) = self.waiting.pop_front() else { return Next::Done };
        self.messages = self.messages.saturating_add(1);
        self.row_messages += u8::from(matches!(question, Question::NextEntity { .. } | Question::Entities { .. }));
        let bytes = question.encode(self.asked.version, self.asked.community.bytes(), request_id(self.messages));
        let put = Put::new(question.name(), bytes);
        self.out = question;
        Next::Put(put)
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        Ok(snmp::length(bytes))
    }

    fn take(&mut self, message: &[u8]) -> Take {
        let answer = match Answer::read(message) {
            Ok(answer) if answer.id == request_id(self.messages) => answer,
            Ok(_) => return Take::Stray(Malformed::wrong(PROTOCOL.name, 0, "request id of the question that waits (RFC 3416, 3)")),
            Err(malformed) => return Take::Stray(malformed),
        };
        match self.out {
            // To version 1 the end of everything that an agent has is an error, too.
            _ if answer.failed => self.stop(),
            Question::NextEntity { after } | Question::Entities { after } => return self.further(after, &answer),
            Question::System | Question::Objects(_) => {}
        }
        Take::Answer
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.clone()
    }
}

#[cfg(test)]
mod tests;
