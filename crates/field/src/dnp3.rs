//! Asks an outstation over DNP3, by TCP, UDP or a serial line: the five attributes that are its identity, in one READ.
//!
//! What leaves is READ of group 0, variations 252, 250, 248, 243 and 242 in one message: the answer is short and stands in one fragment, which
//! no outstation wants to have confirmed. One that refuses the five together (IIN2) is asked for each alone, the software version first; after
//! two that it does not have, and none that it has, it has no attributes. All attributes (variation 254) are asked only where they are wanted.
//! An answer in several fragments is read as far as it comes: its rest waits for a confirmation that is never sent.
//!
//! An outstation that begins with an unsolicited response answers a READ when that response is confirmed or its own time-out is over (IEEE
//! 1815-2012, 4.6). That is waited for. Some forget the READ meanwhile: it is not repeated, but each attribute may then be asked alone. An
//! empty unsolicited response is confirmed, once, where the owner consents.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use nameplate_wire::Malformed;
use nameplate_wire::conversation::{Over, Protocol};
use nameplate_wire::dnp3::{Frame, PROTOCOL, Question, Reply, Route};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Dnp3, Grant, REPLIES_MAX, Refused};
use crate::pacing::{LINE_RESPONSE_MS_MAX, Pace, TimeFactor};

/// The hold: an outstation that waits for a confirmation needs more than the usual 10 s (the guard's table says the same).
const HOLD_S_MAX: Duration = Duration::from_secs(20);
/// From the question to its answer where an unsolicited response waits to be confirmed: 15 s, the longest time-out that is usual, and a second
/// for the way. It leaves time in the hold to ask for each attribute alone.
const CONFIRM_WAIT_S_MAX: Duration = Duration::from_secs(16);
/// The same where it was confirmed: nothing keeps the answer any more, if the question was not forgotten.
const CONFIRMED_WAIT_S_MAX: Duration = Duration::from_secs(4);
/// Bytes of a fragment: outstations send 2048 (4.2.1); one that sends on for ever is left.
const FRAGMENT_BYTES_MAX: usize = 8 << 10;
/// Attributes refused alone before the outstation counts as one without any.
const REFUSED_ANSWERS_MAX: u8 = 2;
/// The order in which they are asked alone: the firmware first.
const ALONE: [u8; 5] = [242, 252, 250, 248, 243];

/// Link control: sent by a master; sent by the primary station (9.2.4.1.3).
const DIR: u8 = 0x80;
const PRM: u8 = 0x40;
const FUNCTION: u8 = 0x0f;
const RESET_LINK: u8 = 0;
const TEST_LINK: u8 = 2;
const CONFIRMED: u8 = 3;
const UNCONFIRMED: u8 = 4;
const REQUEST_LINK_STATE: u8 = 9;
/// Transport header: last and first frame, and the number (8.2.1).
const FIN: u8 = 0x80;
const FIR: u8 = 0x40;
const TRANSPORT_SEQUENCE: u8 = 0x3f;
/// Application control: first and last fragment, and the number (4.2.2.4).
const FIRST: u8 = 0x80;
const LAST: u8 = 0x40;
const SEQUENCE: u8 = 0x0f;
/// Application control, function code, internal indications (4.2.2).
const RESPONSE_HEADER_BYTES: usize = 4;
const RESPONSE: u8 = 0x81;
const UNSOLICITED: u8 = 0x82;
const AUTHENTICATION: u8 = 0x83;
/// IIN2: no such function; no such object, or a range that is not there (4.2.2.6).
const NO_FUNCTION: u8 = 0x01;
const NO_OBJECT: u8 = 0x06;

/// What one outstation is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Questions {
    /// Our own link address and the outstation's.
    pub route: Route,
    /// A stream, a serial line, or datagrams with whole frames.
    pub over: Over,
    /// All attributes instead of the five.
    pub all: bool,
    /// The owner's consent to confirm one empty unsolicited response.
    pub confirm_unsolicited: bool,
    /// Where another master was heard with our own link address: then nothing is asked (H4).
    pub master_heard_at: Option<IpAddr>,
    /// Whoever is heard there is nameplate itself, as the owner says.
    pub ours: Option<IpAddr>,
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        let Self { route: Route { master, outstation }, all, confirm_unsolicited, master_heard_at, .. } = *self;
        Dnp3 { master, outstation, all, confirm_unsolicited, master_heard_at }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Outstation::new(self))
    }

    fn plan(&self) -> Vec<Planned> {
        let ask = |question: Question, sequence: u8, only_if| Planned {
            question: question.name(),
            bytes: question.encode(self.route, sequence),
            only_if,
            then: String::new(),
        };
        let mut planned = if self.all {
            vec![ask(Question::All, 0, "")]
        } else {
            let alone = ALONE.into_iter().zip(1..).map(|(variation, sequence)| {
                ask(
                    Question::Attribute(variation),
                    sequence,
                    "only if the outstation refuses or forgets the five together, and did not tell this one",
                )
            });
            std::iter::once(ask(Question::Identity, 0, "")).chain(alone).collect()
        };
        let reply =
            |reply: Reply, only_if| Planned { question: reply.name(), bytes: reply.encode(self.route), only_if, then: String::new() };
        planned.push(reply(Reply::Ack, "only if the outstation wants a frame acknowledged"));
        planned.push(reply(Reply::LinkState, "only if the outstation asks whether the link stands"));
        if self.confirm_unsolicited {
            planned.push(reply(Reply::Unsolicited { sequence: 0 }, "only if the outstation begins with an empty unsolicited response"));
        }
        planned
    }

    fn pace(&self, factor: TimeFactor) -> Pace {
        let usual = Pace::new(factor);
        let response_max = if self.over == Over::Serial { Duration::from_millis(LINE_RESPONSE_MS_MAX) } else { usual.response_max };
        Pace { hold_max: HOLD_S_MAX, response_max, ..usual }
    }
}

/// One outstation, asked READ by READ.
struct Outstation {
    asked: Questions,
    waiting: VecDeque<Question>,
    /// The question that is out, and its frame.
    out: Question,
    question: Vec<u8>,
    /// Its sequence number; each question has the next.
    sequence: u8,
    fragment: Option<Fragment>,
    replies: VecDeque<Reply>,
    replied: u8,
    /// Whether it may still be confirmed.
    may_confirm: bool,
    /// Whether the answer waits behind an unsolicited response.
    kept_back: bool,
    /// Whether it told any attribute.
    told: bool,
    refused_alone: u8,
    unasked: Vec<&'static str>,
}

/// A fragment that is put together out of frames.
#[derive(Default)]
struct Fragment {
    is_unsolicited: bool,
    /// The transport sequence number that comes next.
    next: u8,
    frames: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Outstation {
    fn new(asked: &Questions) -> Self {
        let first = if asked.all { Question::All } else { Question::Identity };
        Self {
            asked: *asked,
            waiting: VecDeque::from([first]),
            out: first,
            question: Vec::new(),
            sequence: u8::MAX,
            fragment: None,
            replies: VecDeque::new(),
            replied: 0,
            may_confirm: asked.confirm_unsolicited,
            kept_back: false,
            told: false,
            refused_alone: 0,
            unasked: Vec::new(),
        }
    }

    /// One frame that came to our address.
    fn frame(&mut self, frame: &Frame, bytes: &[u8]) -> Take {
        let function = frame.control & FUNCTION;
        if frame.control & PRM == 0 || !matches!(function, RESET_LINK | TEST_LINK | CONFIRMED | UNCONFIRMED | REQUEST_LINK_STATE) {
            return stray(3, "a frame that somebody asked for (IEEE 1815-2012, 9.2.4.1.3)");
        }
        if function != UNCONFIRMED {
            if self.replied == REPLIES_MAX {
                return Take::Hostile("it wants its frames acknowledged for ever");
            }
            self.replied += 1;
            self.replies.push_back(if function == REQUEST_LINK_STATE { Reply::LinkState } else { Reply::Ack });
        }
        match function {
            CONFIRMED | UNCONFIRMED => self.user_data(&frame.user, bytes),
            _ => Take::More,
        }
    }

    /// What a frame carries: a fragment, or a part of one.
    fn user_data(&mut self, user: &[u8], frame: &[u8]) -> Take {
        let Some((&transport, part)) = user.split_first() else { return stray(10, "transport header (IEEE 1815-2012, 8.2.1)") };
        let mut fragment = if transport & FIR == 0 {
            match self.fragment.take() {
                Some(fragment) if fragment.next == transport & TRANSPORT_SEQUENCE => fragment,
                _ => return stray(10, "transport sequence number (IEEE 1815-2012, 8.2.1)"),
            }
        } else {
            match self.begins(part) {
                Ok(is_unsolicited) => Fragment { is_unsolicited, ..Fragment::default() },
                Err(take) => return take,
            }
        };
        fragment.next = transport.wrapping_add(1) & TRANSPORT_SEQUENCE;
        fragment.frames.push(frame.to_vec());
        fragment.bytes.extend_from_slice(part);
        if fragment.bytes.len() > FRAGMENT_BYTES_MAX {
            return Take::Hostile("its answer has no end");
        }
        if transport & FIN == 0 {
            self.fragment = Some(fragment);
            return Take::More;
        }
        if fragment.is_unsolicited { self.unsolicited(&fragment.bytes) } else { self.answer(&fragment) }
    }

    /// Whether the fragment that begins here is an unsolicited response; an error where it is neither that nor our answer.
    fn begins(&self, part: &[u8]) -> Result<bool, Take> {
        match *part {
            [_, UNSOLICITED, _, _, ..] => Ok(true),
            [control, RESPONSE | AUTHENTICATION, _, _, ..] if control & SEQUENCE == self.sequence & SEQUENCE && control & FIRST != 0 => {
                Ok(false)
            }
            [_, RESPONSE | AUTHENTICATION, ..] => Err(stray(11, "sequence number of the question that waits (IEEE 1815-2012, 4.2.2.4)")),
            _ => Err(stray(12, "a response (IEEE 1815-2012, 4.2.2.5)")),
        }
    }

    /// Until it is confirmed or given up our answer does not come; what holds events is never confirmed, they would be lost to others.
    fn unsolicited(&mut self, fragment: &[u8]) -> Take {
        self.kept_back = true;
        if !self.may_confirm || fragment.len() > RESPONSE_HEADER_BYTES {
            return Take::Later(CONFIRM_WAIT_S_MAX);
        }
        self.may_confirm = false;
        let sequence = fragment.first().map_or(0, |control| control & SEQUENCE);
        self.replies.push_back(Reply::Unsolicited { sequence });
        Take::Later(CONFIRMED_WAIT_S_MAX)
    }

    /// What the answer means for what is asked next. Anything but attributes is none of ours: nothing is asked on account of it.
    fn answer(&mut self, fragment: &Fragment) -> Take {
        self.kept_back = false;
        let (control, refused) = match fragment.bytes.as_slice() {
            [control, _, _, refused, ..] => (*control, *refused),
            _ => (0, NO_FUNCTION),
        };
        let frames = fragment.frames.iter().map(Vec::as_slice);
        let readings = PROTOCOL.replay(Over::Tcp, [self.question.as_slice()], frames);
        let told: Vec<&str> = readings.iter().flat_map(|reading| &reading.facts).map(|fact| fact.path.as_str()).collect();
        let tells = |variation: u8| told.iter().any(|path| path.strip_prefix("dnp3.attribute.") == Some(variation.to_string().as_str()));
        self.told |= ALONE.into_iter().any(tells);
        let misses = refused & NO_OBJECT != 0 && refused & NO_FUNCTION == 0 && control & LAST != 0;
        match self.out {
            Question::Identity if misses => {
                self.waiting = ALONE.into_iter().filter(|variation| !tells(*variation)).map(Question::Attribute).collect();
            }
            Question::Attribute(variation) if !tells(variation) => {
                self.refused_alone += 1;
                if !misses || (self.refused_alone >= REFUSED_ANSWERS_MAX && !self.told) {
                    self.stop();
                }
            }
            _ if control & LAST == 0 => self.stop(),
            _ => {}
        }
        Take::Answer
    }

    fn stop(&mut self) {
        self.unasked.extend(self.waiting.drain(..).map(|question| question.name()));
    }
}

impl Dialogue for Outstation {
    fn next(&mut self) -> Next {
        if std::mem::take(&mut self.kept_back) && self.out == Question::Identity {
            self.waiting = ALONE.map(Question::Attribute).into();
        }
        let Some(question) = self.waiting.pop_front() else { return Next::Done };
        self.sequence = self.sequence.wrapping_add(1);
        self.out = question;
        self.fragment = None;
        self.question = question.encode(self.asked.route, self.sequence);
        Next::Put(Put::new(question.name(), self.question.clone()))
    }

    /// A datagram holds whole frames, one or several (13.2.2).
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        if self.asked.over != Over::Udp {
            return Frame::length(bytes);
        }
        let mut end = 0;
        while let Some(rest) = bytes.get(end..).filter(|rest| !rest.is_empty()) {
            let Some(length) = Frame::length(rest)? else { return Ok(None) };
            end += length;
        }
        Ok(Some(end))
    }

    fn take(&mut self, message: &[u8]) -> Take {
        let mut frames = Vec::new();
        let mut rest = message;
        while !rest.is_empty() {
            let frame = match Frame::read(rest).and_then(|frame| belongs(frame, self.asked.route)) {
                Ok(frame) => frame,
                Err(malformed) => return Take::Stray(malformed),
            };
            let (bytes, behind) = rest.split_at(Frame::length(rest).ok().flatten().unwrap_or(rest.len()).min(rest.len()));
            frames.push((frame, bytes));
            rest = behind;
        }
        let mut all = Take::More;
        for (frame, bytes) in frames {
            match self.frame(&frame, bytes) {
                take @ (Take::Stray(_) | Take::Hostile(_)) => {
                    self.replies.clear();
                    return take;
                }
                take @ (Take::Answer | Take::Later(_)) if all != Take::Answer => all = take,
                _ => {}
            }
        }
        all
    }

    fn reply(&mut self) -> Option<Put> {
        let reply = self.replies.pop_front()?;
        Some(Put { answered: false, ..Put::new(reply.name(), reply.encode(self.asked.route)) })
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.clone()
    }
}

/// Only what the outstation that was asked sends to us is its answer: a serial server carries a whole line.
fn belongs(frame: Frame, route: Route) -> Result<Frame, Malformed> {
    if frame.control & DIR != 0 {
        return Err(Malformed::wrong("dnp3", 3, "direction: from an outstation (IEEE 1815-2012, 9.2.4.1.3.1)"));
    }
    if frame.destination != route.master {
        return Err(Malformed::wrong("dnp3", 4, "our own link address (IEEE 1815-2012, 9.2.4.1.4)"));
    }
    if frame.source != route.outstation {
        return Err(Malformed::wrong("dnp3", 6, "link address of the outstation that was asked (IEEE 1815-2012, 9.2.4.1.5)"));
    }
    Ok(frame)
}

const fn stray(offset: usize, said_by: &'static str) -> Take {
    Take::Stray(Malformed::wrong("dnp3", offset, said_by))
}

#[cfg(test)]
mod tests;
