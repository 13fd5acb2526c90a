//! One connection: opened by the guard, asked by the adapter, closed politely, and put on record where it failed.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;

use nameplate_wire::Address;
use nameplate_wire::modbus::Question;

use super::history::{BROKEN_OFF, Device, HOLD_SPENT, HOSTILE, since_1970};
use super::{Ask, Clock, Event, What};
use crate::breaker::{Attempt, End};
use crate::guard::{Ended, Failed, Guarded, Permit, Refused, connect};
use crate::modbus::{self, Step};
use crate::pacing::Pace;
use crate::touch::{Kind, Line, TouchRecord};

/// One target and unit, while it is asked.
pub(super) struct Connection {
    pub(super) ask: Ask,
    /// The work order; it stands in every line of the record.
    pub(super) reason: String,
    pub(super) touch: Arc<TouchRecord>,
    pub(super) clock: Clock,
    pub(super) tell: UnboundedSender<Event>,
}

impl Connection {
    /// From the connect to the close; what the breaker learns of it.
    pub(super) async fn run(self, permit: Permit, pace: Pace) -> (Device, Attempt) {
        let began = since_1970((self.clock)());
        let end = match connect(permit, Arc::clone(&self.touch)).await {
            Ok(stream) => {
                self.say(What::Opened);
                self.talk(stream, pace).await
            }
            Err(failed) => {
                let end = match &failed {
                    Failed::Refused(_) => End::Unknown,
                    Failed::Io { source, .. } => end_of(source),
                };
                self.say_failed(failed);
                end
            }
        };
        let ended = since_1970((self.clock)());
        // Whose attempt it is, the history knows.
        (Device::new(self.ask.target, self.ask.unit), Attempt { began, ended, end, of_change: false })
    }

    async fn talk(&self, mut stream: Guarded<TcpStream>, pace: Pace) -> End {
        let (ip, port, unit) = (self.ask.target.ip().to_canonical(), self.ask.target.port(), self.ask.unit);
        let speaker = Address { ip: Some(ip), port: Some(port), unit: Some(unit), ..Address::default() };
        // The guard's clock started with the connection; ours must not end after it.
        let pace = Pace { hold_max: pace.hold_max.saturating_sub(stream.hold()), ..pace };
        let clock = || u64::try_from(since_1970((self.clock)()).as_nanos()).unwrap_or(u64::MAX);
        let mut out = |step| {
            self.say(match step {
                Step::Sent { question, bytes } => What::Sent { question: question.name(), bytes },
                Step::Reading(reading) => What::Reading(reading),
                Step::Stray { bytes, malformed } => What::Stray { bytes, malformed },
            });
        };
        let end = modbus::ask(&mut stream, &speaker, &self.ask.questions, pace, &clock, &mut out).await;
        if matches!(end, modbus::End::Silent { .. }) {
            stream.time_out().unwrap_or_else(|refused| self.say_failed(refused.into()));
        }
        let unasked = match &end {
            modbus::End::Answered { unasked, .. } => unasked.iter().map(Question::name).collect(),
            _ => Vec::new(),
        };
        let end = self.judge(end);
        match stream.close().await {
            Ok(closed) => self.say(What::Closed { closed, unasked }),
            Err(failed) => self.say_failed(failed),
        }
        end
    }

    /// Says how it ended and puts a failure on record, so that the next process's breaker sees it, too.
    fn judge(&self, end: modbus::End) -> End {
        let why = end.to_string();
        let (judged, on_record, what) = match end {
            modbus::End::Answered { latency, .. } => return End::Answered { latency },
            modbus::End::Refused(refused) => {
                self.say_failed(refused.into());
                return End::Unknown;
            }
            modbus::End::Silent { partial } => {
                // The guard has written `timeout`.
                self.say(What::NoAnswer { why, partial });
                return End::Failed;
            }
            modbus::End::Closed { partial } => (End::Failed, BROKEN_OFF.to_owned(), What::NoAnswer { why: why.clone(), partial }),
            modbus::End::HoldSpent { partial } => (End::Failed, HOLD_SPENT.to_owned(), What::NoAnswer { why: why.clone(), partial }),
            modbus::End::Hostile { partial, .. } => (End::Hostile, HOSTILE.to_owned(), What::Hostile { why: why.clone(), partial }),
            modbus::End::Io { operation, source } => {
                (end_of(&source), Ended::of(&source).to_string(), What::Failed { operation, why: source.to_string() })
            }
        };
        self.say(what);
        let mut line = Line::new(Kind::Failed);
        (line.target, line.unit) = (Some(self.ask.target), Some(self.ask.unit));
        (line.ended, line.why, line.reason) = (Some(on_record), Some(why), Some(self.reason.clone()));
        if let Err(error) = self.touch.append(line) {
            self.say_failed(Refused::before_any_byte("touch.record", error.to_string()).into());
        }
        judged
    }

    fn say_failed(&self, failed: Failed) {
        self.say(match failed {
            Failed::Refused(refused) => What::Refused { refused, not_before: None },
            Failed::Io { operation, source, .. } => What::Failed { operation, why: source.to_string() },
        });
    }

    fn say(&self, what: What) {
        // Where nobody listens any more the round was dropped, and this task with it.
        let _told = self.tell.send(Event { target: self.ask.target, unit: self.ask.unit, what });
    }
}

/// What an IO error tells the breaker: once is enough where the device itself said no.
fn end_of(error: &io::Error) -> End {
    match Ended::of(error) {
        Ended::Refused | Ended::Reset => End::Rebuffed,
        _ => End::Failed,
    }
}
