//! Asks over SNMP: one GET of the system group, then, where somebody asked for them, GETs of named objects and rows of entPhysicalTable.
//!
//! What leaves first is one GET of sysDescr.0, sysObjectID.0, sysUpTime.0 and sysName.0. An agent that answers with an error is asked nothing more.
//! Rows of parts come four at a time by GETBULK, to version 1 one at a time by GETNEXT, each message behind the last row that every column
//! had, at most 16 times. Over versions 2c and 3 the objects that a built-in profile names for such a device follow through a socket of their own,
//! whose grant holds these lists and no other: at most 4 messages, none where the version is known. The community is tried once: a wrong one is met with silence, and raises a trap at some agents.
//!
//! Version 3 begins with a discovery, whose report says who the agent is and what its clock says. What is put here is plain: the guard judges it,
//! encrypts and authenticates it ([`crate::guard::usm`]), and answers are opened before they are read. A user who is refused is not tried again.

use std::collections::VecDeque;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::snmp::{self, Answer, COLUMNS, Oid, PROTOCOL, Question, Secured, Version, request_id};

use nameplate_core::profile::{Further, Matched, ProfileSet};
use nameplate_wire::Reading;
use nameplate_wire::conversation::Over;

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::usm::{Engine, REPORTABLE, User};
use crate::guard::{
    ENTITY_QUESTIONS_MAX, Grant, OBJECT_QUESTIONS_MAX, Refused, SNMP_MESSAGES_MAX, SNMP_OBJECTS_MAX, Secret, Snmp, SnmpV3, V3_MESSAGES_MAX,
};

/// What a report counts: usmStatsUnsupportedSecLevels.0, NotInTimeWindows, UnknownUserNames, WrongDigests, DecryptionErrors. RFC 3414, 5.
const UNSUPPORTED_LEVEL: &[u8] = &[0x2b, 6, 1, 6, 3, 15, 1, 1, 1, 0];
const NOT_IN_TIME_WINDOW: &[u8] = &[0x2b, 6, 1, 6, 3, 15, 1, 1, 2, 0];
const UNKNOWN_USER: &[u8] = &[0x2b, 6, 1, 6, 3, 15, 1, 1, 3, 0];
const WRONG_DIGEST: &[u8] = &[0x2b, 6, 1, 6, 3, 15, 1, 1, 5, 0];
const DECRYPTION_ERROR: &[u8] = &[0x2b, 6, 1, 6, 3, 15, 1, 1, 6, 0];

/// What one agent is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// In which version, and who asks.
    pub access: Access,
    /// Objects to ask for besides the system group; none in version 1, where one that is not there costs the answer for all.
    pub objects: Vec<Oid>,
    /// Whether to ask for the rows of entPhysicalTable: what it is made of.
    pub entities: bool,
}

/// A version with its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Version 1 and a community.
    V1(Secret),
    /// Version 2c and a community.
    V2c(Secret),
    /// Version 3 and a user.
    V3(User),
}

/// Who asks, as the guard has it.
enum Asker {
    Community(Snmp),
    User(SnmpV3),
}

impl Questions {
    /// In their order.
    fn questions(&self) -> Vec<Question> {
        let discovery = matches!(self.access, Access::V3(_)).then_some(Question::Discovery);
        let objects = self.objects.chunks(SNMP_OBJECTS_MAX).map(|objects| Question::Objects(objects.to_vec()));
        let rows = self.entities.then(|| self.rows(None));
        discovery.into_iter().chain([Question::System]).chain(objects).chain(rows).collect()
    }

    /// What the guard is told of who asks.
    fn asker(&self, objects: Vec<Vec<u8>>) -> Asker {
        let by_community = |v1, community: &Secret, objects| Snmp { v1, community: community.clone(), objects, entities: self.entities };
        match &self.access {
            Access::V1(community) => Asker::Community(by_community(true, community, objects)),
            Access::V2c(community) => Asker::Community(by_community(false, community, objects)),
            Access::V3(user) => Asker::User(SnmpV3 { user: user.clone(), objects, entities: self.entities }),
        }
    }

    fn rows(&self, after: Option<u32>) -> Question {
        match self.access {
            Access::V1(_) => Question::NextEntity { after },
            Access::V2c(_) | Access::V3(_) => Question::Entities { after },
        }
    }

    /// The id of message `n`.
    fn id(&self, n: u8) -> u32 {
        match &self.access {
            Access::V1(_) | Access::V2c(_) => request_id(n),
            Access::V3(user) => user.message_id(n),
        }
    }

    /// Message `n`, to an engine where that is known; the guard seals it.
    fn encode(&self, question: &Question, n: u8, engine: &Engine) -> Vec<u8> {
        let user = match &self.access {
            Access::V1(community) => return question.encode(Version::V1, community.bytes(), self.id(n)),
            Access::V2c(community) => return question.encode(Version::V2c, community.bytes(), self.id(n)),
            Access::V3(user) => user,
        };
        let nobody = Secured { id: self.id(n), flags: REPORTABLE, engine: b"", boots: 0, time: 0, user: b"", mac_bytes: 0, salt_bytes: 0 };
        if *question == Question::Discovery {
            return nobody.encode(question);
        }
        let (mac_bytes, salt_bytes) = user.placeholders();
        let Engine { id, boots, time } = engine;
        Secured { flags: user.flags(), engine: id, boots: *boots, time: *time, user: &user.name, mac_bytes, salt_bytes, ..nobody }
            .encode(question)
    }
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        let objects = self.objects.iter().map(|object| object.bytes().to_vec()).collect();
        match self.asker(objects) {
            Asker::Community(asker) => asker.grant(),
            Asker::User(asker) => asker.grant(),
        }
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        let engine = Engine::default();
        let waiting = self.questions().into();
        Box::new(Asking {
            asked: self.clone(),
            waiting,
            out: Question::System,
            messages: 0,
            row_messages: 0,
            engine,
            uptime_ticks: None,
            unasked: Vec::new(),
            further: Further::default(),
            is_further: false,
        })
    }

    fn plan(&self) -> Vec<Planned> {
        let planned = |(question, number): (Question, u8)| Planned {
            bytes: self.encode(&question, number, &Engine::default()),
            question: question.name(),
            only_if: if number == 1 { "" } else { "unless an earlier answer stops us" },
            then: match question {
                Question::Discovery => "the messages after it name the engine and its clock as it said them".to_owned(),
                Question::System if matches!(self.access, Access::V1(_)) => String::new(),
                Question::System => {
                    let again =
                        if matches!(self.access, Access::V3(_)) { "once more where its clock is not what it had said; " } else { "" };
                    let most = OBJECT_QUESTIONS_MAX;
                    format!("{again}where a built-in profile knows what it says it is: GETs of the objects that it names, at most {most}")
                }
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
    /// Version 3: who is asked, and its clock, as it said last.
    engine: Engine,
    uptime_ticks: Option<u32>,
    unasked: Vec<&'static str>,
    /// What profiles name for what it said it is.
    further: Further,
    /// On the socket for that.
    is_further: bool,
}

impl Asking {
    /// What an answer says of the objects that are still to be asked.
    fn learn(&mut self, message: &[u8]) {
        let readings: Vec<Reading> = PROTOCOL.replay(Over::Udp, [], [message]);
        let Some(reading) = readings.first() else { return };
        let set = ProfileSet::embedded();
        if self.out == Question::System && !self.is_further && !matches!(self.asked.access, Access::V1(_)) {
            self.further = set.further(reading);
        }
        if !self.is_further || !matches!(self.out, Question::Objects(_)) {
            return;
        }
        let found = match set.interpret(reading).matched {
            Matched::One(id) => self.further.then.iter().position(|(of, _)| *of == id),
            _ => None,
        };
        if let Some(at) = found {
            // One that hides is found: what is its own follows.
            let (_, lists) = self.further.then.swap_remove(at);
            self.further.then.clear();
            self.waiting = lists.into_iter().map(Question::Objects).filter(|question| *question != self.out).collect();
        } else if set.tells_version(reading) {
            self.waiting.clear();
        }
    }

    /// The agent is in no state to be asked more.
    fn stop(&mut self) {
        self.unasked.extend(self.waiting.drain(..).map(|question| question.name()));
    }

    /// A report is no answer: it says what is wrong with the question's header. Of the clock alone we learn, once; who is refused is refused.
    fn reported(&mut self, report: &[u8], message: &[u8]) -> Take {
        let about = |why| Take::Stray(Malformed::wrong(PROTOCOL.name, 0, why));
        let Some(engine) = Engine::of(message) else { return about("a report names its engine (RFC 3414, 4)") };
        match (&self.out, report) {
            (Question::Discovery, _) => self.engine = engine,
            (Question::System | Question::Objects(_), NOT_IN_TIME_WINDOW) if engine != self.engine && self.messages <= 2 => {
                self.engine = engine;
                self.waiting.push_front(self.out.clone());
            }
            (_, UNKNOWN_USER) => return about("the agent does not know this user (usmStatsUnknownUserNames)"),
            (_, WRONG_DIGEST) => return about("the agent says that the password is wrong (usmStatsWrongDigests)"),
            (_, UNSUPPORTED_LEVEL) => return about("the agent does not let this user in this way (usmStatsUnsupportedSecLevels)"),
            (_, DECRYPTION_ERROR) => return about("the agent says that the second password is wrong (usmStatsDecryptionErrors)"),
            _ => return about("a report that says why there is no answer (RFC 3414, 3.2)"),
        }
        Take::Answer
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
        let most = if matches!(self.asked.access, Access::V3(_)) { V3_MESSAGES_MAX } else { SNMP_MESSAGES_MAX };
        if self.messages == most {
            self.stop();
        }
        let Some(question) = self.waiting.pop_front() else { return Next::Done };
        self.messages = self.messages.saturating_add(1);
        self.row_messages += u8::from(matches!(question, Question::NextEntity { .. } | Question::Entities { .. }));
        let bytes = self.asked.encode(&question, self.messages, &self.engine);
        let put = Put::new(question.name(), bytes);
        self.out = question;
        Next::Put(put)
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        Ok(snmp::length(bytes))
    }

    /// What is encrypted is read as if it had come in clear; what is not authentic is not read.
    fn open(&self, message: Vec<u8>) -> Result<Vec<u8>, Malformed> {
        let Access::V3(user) = &self.asked.access else { return Ok(message) };
        user.open(&message, Some(&self.engine)).map_err(|why| Malformed::wrong(PROTOCOL.name, 0, why))
    }

    fn take(&mut self, message: &[u8]) -> Take {
        let answer = match Answer::read(message) {
            Ok(answer) if answer.id == self.asked.id(self.messages) => answer,
            Ok(_) => return Take::Stray(Malformed::wrong(PROTOCOL.name, 0, "request id of the question that waits (RFC 3416, 3)")),
            Err(malformed) => return Take::Stray(malformed),
        };
        if let Some(report) = &answer.report {
            return self.reported(report, message);
        }
        self.uptime_ticks = answer.uptime_ticks.filter(|_| !answer.failed).or(self.uptime_ticks);
        match self.out {
            Question::Discovery => {
                return Take::Stray(Malformed::wrong(PROTOCOL.name, 0, "discovery is answered by a report (RFC 3414, 4)"));
            }
            // To version 1 the end of everything that an agent has is an error, too.
            _ if answer.failed => self.stop(),
            Question::NextEntity { after } | Question::Entities { after } => return self.further(after, &answer),
            Question::System | Question::Objects(_) => self.learn(message),
        }
        Take::Answer
    }

    fn onward(&mut self) -> Option<Result<Grant, Refused>> {
        let lists = self.further.all();
        if self.is_further || lists.is_empty() {
            return None;
        }
        self.is_further = true;
        (self.messages, self.row_messages, self.engine) = (0, 0, Engine::default());
        let discovery = matches!(self.asked.access, Access::V3(_)).then_some(Question::Discovery);
        let first = std::mem::take(&mut self.further.first).into_iter().map(Question::Objects);
        self.waiting = discovery.into_iter().chain(first).collect();
        let names: Vec<Vec<Vec<u8>>> = lists.iter().map(|list| list.iter().map(|name| name.bytes().to_vec()).collect()).collect();
        Some(match self.asked.asker(Vec::new()) {
            Asker::Community(asker) => asker.grant_lists(&names),
            Asker::User(asker) => asker.grant_lists(&names),
        })
    }

    fn uptime_ticks(&self) -> Option<u32> {
        self.uptime_ticks
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.clone()
    }
}

#[cfg(test)]
mod tests;
