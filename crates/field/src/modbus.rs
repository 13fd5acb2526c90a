//! Asks over Modbus TCP: one question at a time, each answer read by the decoder that also reads captures.
//!
//! What leaves is `2B 0E 02 00` (regular identification) unless the caller names other questions; each further page asks
//! `2B 0E 02 <next object>`. A device that refuses code 2 (exception 2 or 3) is asked for the basic objects (`2B 0E 01 00`) instead; one
//! that does not know function 43 (exception 1) is asked no other identification. Nothing is ever sent twice: an answer may still come.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout_at};

use nameplate_wire::modbus::{ADU_BYTES_MAX, Answering, Continue, MBAP_BYTES, Mbap, Question};
use nameplate_wire::{Address, Malformed, Message, Reading};

use crate::guard::{REQUESTS_MAX, Refused};
use crate::pacing::Pace;

/// Messages that are no answer to our question before we leave: one late answer is life, a stream of them is not.
pub const STRAYS_MAX: u8 = 8;

/// The device does not know the function. Specification, clause 7.
const EXCEPTION_ILLEGAL_FUNCTION: u8 = 1;
/// It knows the function, but not this object ...
const EXCEPTION_ILLEGAL_ADDRESS: u8 = 2;
/// ... or not this set of objects (6.21 names code 3; devices send 2 as well).
const EXCEPTION_ILLEGAL_VALUE: u8 = 3;
/// Top bit of an answer's function code: it is an exception. Specification 4.1.
const EXCEPTION_BIT: u8 = 0x80;
/// "More follows" in a page of function 43/14. Specification 6.21.
const MORE_FOLLOWS: u8 = 0xff;
/// The unit of a device that is no gateway (TCP guide 4.4.2.1).
pub const UNIT_NONE: u8 = 0xff;
/// Bytes up to and including the MBAP length field, which says how many follow.
const LENGTH_END: usize = 6;

/// Something that happened while a device was asked.
#[expect(clippy::large_enum_variant, reason = "a handful of steps in a conversation, each used at once")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A question left.
    Sent {
        /// Which one; for a further page with its first object.
        question: Question,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A question was answered, at least in part; an exception is an answer, too.
    Reading(Reading),
    /// A message came that is no answer to the question that waits.
    Stray {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Why it does not count.
        malformed: Malformed,
    },
}

/// How it ended.
#[derive(Debug)]
pub enum End {
    /// Every question that was put was answered.
    Answered {
        /// The slowest answer, from the question's last byte to the answer's.
        latency: Duration,
        /// Questions that were not put, because of an exception, a broken answer or the cap.
        unasked: Vec<Question>,
    },
    /// No whole answer within the time-out.
    Silent {
        /// What had come of it.
        partial: Vec<u8>,
    },
    /// The device closed the connection before its answer was whole.
    Closed {
        /// What had come of it.
        partial: Vec<u8>,
    },
    /// It would be read for ever, or speaks no Modbus.
    Hostile {
        /// In words.
        because: &'static str,
        /// Bytes of a message that was not finished.
        partial: Vec<u8>,
    },
    /// The hold was used up before the device was through.
    HoldSpent {
        /// What had come of its last answer.
        partial: Vec<u8>,
    },
    /// The guard refused what we wanted to send: an error of ours.
    Refused(Refused),
    /// The connection failed.
    Io {
        /// `write` or `read`.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { .. } => write!(f, "answered"),
            Self::Silent { partial } => write!(f, "no whole answer within the time-out ({} bytes of one)", partial.len()),
            Self::Closed { partial } => write!(f, "the device closed the connection ({} bytes of an answer)", partial.len()),
            Self::Hostile { because, .. } => write!(f, "hostile: {because}"),
            Self::HoldSpent { partial } => write!(f, "our longest hold was over ({} bytes of an answer)", partial.len()),
            Self::Refused(refused) => refused.fmt(f),
            Self::Io { operation, source } => write!(f, "{operation}: {source}"),
        }
    }
}

/// Puts `questions` to `speaker` (whose unit must be set; 255 stands in for none) over a fresh connection, tells `out` what happens, and
/// says how it ended. `clock` gives nanoseconds since 1970 for the messages. Closing the stream is the caller's.
pub async fn ask<S>(
    stream: &mut S,
    speaker: &Address,
    questions: &[Question],
    pace: Pace,
    clock: &dyn Fn() -> u64,
    out: &mut dyn FnMut(Step),
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let hold_end = Instant::now() + pace.hold_max;
    let mut asking =
        Asking { stream, speaker, pace, clock, out, hold_end, earliest: Instant::now(), requests: 0, strays: 0, latency: Duration::ZERO };
    let mut waiting: VecDeque<Question> = questions.iter().copied().collect();
    let mut unasked = Vec::new();
    while asking.requests < REQUESTS_MAX
        && let Some(question) = waiting.pop_front()
    {
        match asking.put(question).await {
            Ok(Put::Answered) => {}
            Ok(Put::Exception(EXCEPTION_ILLEGAL_FUNCTION)) => {
                // What is left of the same function would be refused alike.
                let (alike, other) = waiting.into_iter().partition::<VecDeque<_>, _>(|next| next.asks_as(question));
                unasked.extend(alike);
                waiting = other;
            }
            Ok(Put::Exception(EXCEPTION_ILLEGAL_ADDRESS | EXCEPTION_ILLEGAL_VALUE)) => {
                if question == Question::REGULAR && !waiting.contains(&Question::BASIC) {
                    waiting.push_front(Question::BASIC);
                }
            }
            // Busy, failed, no path behind the gateway, or broken: the device is in no state to be asked more.
            Ok(Put::Exception(_) | Put::Broken) => break,
            Err(end) => return end,
        }
    }
    unasked.extend(waiting);
    End::Answered { latency: asking.latency, unasked }
}

/// What became of one question.
enum Put {
    /// Read to its end.
    Answered,
    /// Answered by an exception with this code.
    Exception(u8),
    /// Answered by something that cannot be read to its end.
    Broken,
}

/// One connection while it is asked.
struct Asking<'a, S> {
    stream: &'a mut S,
    speaker: &'a Address,
    pace: Pace,
    clock: &'a dyn Fn() -> u64,
    out: &'a mut dyn FnMut(Step),
    hold_end: Instant,
    /// Before this nothing is sent.
    earliest: Instant,
    requests: u8,
    strays: u8,
    latency: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Asking<'_, S> {
    /// Puts one question and reads its answer, page by page. What was read of it goes out whatever happens.
    async fn put(&mut self, question: Question) -> Result<Put, End> {
        let mut answering = Answering::new(question, self.speaker.clone());
        let mut pages = 0_u8;
        let mut next = question;
        let put = loop {
            if self.requests == REQUESTS_MAX {
                break Err(End::Hostile { because: "it still has more after 8 requests", partial: Vec::new() });
            }
            let message = match self.exchange(next).await {
                Ok(message) => message,
                Err(end) => break Err(end),
            };
            pages = pages.saturating_add(1);
            let (exception, has_more) = (exception(&message.bytes), says_more(&message.bytes));
            match (answering.answer(message), question) {
                (Continue::Next(object), Question::Identification { code: code @ (2 | 3), .. }) => {
                    next = Question::Identification { code, object };
                }
                // The allowlist has `2B 0E 01 00` and single objects, not what may follow on them: what was read stands in part.
                (Continue::Next(_), _) => break Ok(Put::Answered),
                (Continue::Complete, _) => break Ok(exception.map_or(Put::Answered, Put::Exception)),
                (Continue::Stop, _) if has_more => {
                    break Err(End::Hostile { because: "its pages go round in circles", partial: Vec::new() });
                }
                (Continue::Stop, _) => break Ok(Put::Broken),
            }
        };
        if pages > 0 {
            (self.out)(Step::Reading(answering.into_reading()));
        }
        put
    }

    /// One request, one answer.
    async fn exchange(&mut self, question: Question) -> Result<Message, End> {
        if self.earliest >= self.hold_end {
            return Err(End::HoldSpent { partial: Vec::new() });
        }
        sleep_until(self.earliest).await;
        self.requests = self.requests.saturating_add(1);
        let transaction = u16::from(self.requests);
        let unit = self.speaker.unit.unwrap_or(UNIT_NONE);
        let bytes = question.encode(transaction, unit);
        match timeout_at(self.hold_end, write(self.stream, &bytes)).await {
            Err(_) => return Err(End::HoldSpent { partial: Vec::new() }),
            Ok(Err(source)) => return Err(broken("write", source)),
            Ok(Ok(())) => (self.out)(Step::Sent { question, bytes }),
        }
        let sent = Instant::now();
        loop {
            let adu = self.message(sent).await?;
            match belongs(&adu, transaction, unit, question) {
                Ok(()) => {
                    self.latency = self.latency.max(sent.elapsed());
                    self.earliest = Instant::now() + self.pace.message_gap;
                    return Ok(Message { frame: 0, time_ns: (self.clock)(), bytes: adu });
                }
                Err(malformed) => (self.out)(Step::Stray { bytes: adu, malformed }),
            }
            self.strays = self.strays.saturating_add(1);
            if self.strays > STRAYS_MAX {
                return Err(End::Hostile { because: "it sends messages that nobody asked for", partial: Vec::new() });
            }
        }
    }

    /// The next message of the device, whole, by its length field; never a byte behind it. The wait counts from the question, so that
    /// a device that sends a byte now and then gains nothing.
    async fn message(&mut self, sent: Instant) -> Result<Vec<u8>, End> {
        let deadline = (sent + self.pace.response_max).min(self.hold_end);
        let mut buffer = [0_u8; ADU_BYTES_MAX];
        let (mut had, mut needed) = (0, LENGTH_END);
        while had < needed {
            let room = buffer.get_mut(had..needed).unwrap_or_default();
            let read = timeout_at(deadline, self.stream.read(room)).await;
            let partial = || buffer.get(..had).unwrap_or_default().to_vec();
            match read {
                Err(_) if deadline == self.hold_end => return Err(End::HoldSpent { partial: partial() }),
                Err(_) => return Err(End::Silent { partial: partial() }),
                Ok(Err(source)) => return Err(broken("read", source)),
                Ok(Ok(0)) => return Err(End::Closed { partial: partial() }),
                Ok(Ok(more)) => had += more,
            }
            if had == LENGTH_END && needed == LENGTH_END {
                needed = promised(&buffer)
                    .ok_or_else(|| End::Hostile { because: "its bytes are no Modbus TCP", partial: buffer[..had].to_vec() })?;
            }
        }
        Ok(buffer.get(..needed).unwrap_or_default().to_vec())
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

fn broken(operation: &'static str, source: io::Error) -> End {
    match Refused::within(&source) {
        Some(refused) => End::Refused(refused.clone()),
        None => End::Io { operation, source },
    }
}

/// Bytes of the message that starts here, by its length field; `None` where that cannot be one. Another protocol id is read past, so
/// that one stray message does not cost the answer behind it.
fn promised(header: &[u8; ADU_BYTES_MAX]) -> Option<usize> {
    let [t0, t1, _, _, l0, l1, ..] = *header;
    let mbap = Mbap::read(&[t0, t1, 0, 0, l0, l1, 0]).ok().flatten()?;
    Some(mbap.adu_bytes)
}

/// Whether a message answers the question that waits; if not, the byte that says so.
fn belongs(adu: &[u8], transaction: u16, unit: u8, question: Question) -> Result<(), Malformed> {
    let Some(mbap) = Mbap::read(adu)? else {
        return Err(Malformed::short("mbap", 0, MBAP_BYTES, adu.len(), "MBAP header (TCP guide 3.1.3)"));
    };
    if mbap.transaction != transaction {
        return Err(Malformed::wrong("mbap", 0, "transaction of the question that waits (TCP guide 3.1.3)"));
    }
    if mbap.unit != unit {
        return Err(Malformed::wrong("mbap", 6, "unit that was asked (TCP guide 3.1.3)"));
    }
    match Answering::question_of(adu) {
        Some(shape) if question.asks_as(shape) => Ok(()),
        _ => Err(Malformed::wrong("modbus", MBAP_BYTES, "function that was asked (specification 4.1)")),
    }
}

/// The exception code, if this answer is one (specification 4.1: function with its top bit, then the code).
fn exception(adu: &[u8]) -> Option<u8> {
    match adu.get(MBAP_BYTES..)? {
        [function, code, ..] if function & EXCEPTION_BIT != 0 => Some(*code),
        _ => None,
    }
}

/// True when an identification page says that more follows (specification 6.21: the fifth byte of the PDU).
fn says_more(adu: &[u8]) -> bool {
    exception(adu).is_none() && adu.get(MBAP_BYTES + 4).is_some_and(|more| *more == MORE_FOLLOWS)
}

#[cfg(test)]
mod tests;
