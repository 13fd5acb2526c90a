//! One session: initiated as a secondary master, commands that only read, closed.

use std::sync::Arc;

use super::{PORT, Persona};
use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::{be16, stated8, stated16};
use crate::report::Speaker;

/// Six commands (read-only.md, section 2), the beginning and the end.
const QUESTIONS_MAX: u32 = 6 + 2;
/// More than any question of ours needs.
const QUESTION_BYTES_MAX: usize = 64;
const HEADER_BYTES: usize = 8;
const VERSION: u8 = 1;

const REQUEST: u8 = 0;
const RESPONSE: u8 = 1;
const INITIATE: u8 = 0;
const CLOSE: u8 = 1;
const TOKEN_PASSING: u8 = 3;
/// The inactivity time of the allowlist: 20 s, as a secondary master.
const INITIATE_BODY: [u8; 5] = [0, 0, 0, 0x4E, 0x20];

const STX_SHORT: u8 = 0x02;
const STX_LONG: u8 = 0x82;
/// What makes an ACK of an STX.
const ACK: u8 = 0x04;
/// Set in the address of a primary master.
const PRIMARY: u8 = 0x80;
const NOT_IMPLEMENTED: u8 = 64;

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn carriers(&self) -> &'static [Carrier] {
        &[Carrier::Tcp, Carrier::Udp]
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Session { persona: self.clone(), open: false, sequence: None })
    }

    fn sample(&self) -> Vec<u8> {
        message(REQUEST, INITIATE, 0, [0, 1], &INITIATE_BODY)
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        // Of a token-passing answer the last byte of the address.
        let unit = match answer.get(HEADER_BYTES) {
            Some(delimiter) if answer.get(2) == Some(&TOKEN_PASSING) => Some(HEADER_BYTES + if delimiter & 0x80 == 0 { 1 } else { 5 }),
            _ => None,
        };
        Layout { header_bytes: HEADER_BYTES, transaction: Some(5), unit, protocol: Some(0), length: Some(6..8) }
    }

    fn seal(&self, mut answer: Vec<u8>) -> Vec<u8> {
        if answer.get(2) == Some(&TOKEN_PASSING)
            && let Some(frame) = answer.get(HEADER_BYTES..answer.len().saturating_sub(1))
        {
            let sum = checksum(frame);
            answer.pop();
            answer.push(sum);
        }
        answer
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        (*fault == Fault::HostileText)
            .then(|| Arc::new(Self { long_tag: hostile_text(0, 32), tag: "=1+1".to_owned(), ..self.clone() }) as Arc<dyn Language>)
    }
}

fn checksum(frame: &[u8]) -> u8 {
    frame.iter().fold(0, |sum, byte| sum ^ byte)
}

fn message(kind: u8, id: u8, code: u8, sequence: [u8; 2], body: &[u8]) -> Vec<u8> {
    let length = stated16(body.len().saturating_add(HEADER_BYTES)).to_be_bytes();
    [&[VERSION, kind, id, code][..], &sequence, &length, body].concat()
}

struct Session {
    persona: Persona,
    open: bool,
    sequence: Option<u16>,
}

impl Talk for Session {
    fn cut(&self, heard: &[u8]) -> Cut {
        let broken = Cut::Broken("no HART-IP header of version 1, or of another length than a question's");
        if heard.first().is_some_and(|&version| version != VERSION) {
            return broken;
        }
        match be16(heard, 6).map(usize::from) {
            None => Cut::More,
            Some(length) if !(HEADER_BYTES..=QUESTION_BYTES_MAX).contains(&length) => broken,
            Some(length) if heard.len() >= length => Cut::Whole(length),
            Some(_) => Cut::More,
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let &[_, kind, id, code, s1, s0, _, _, ref body @ ..] = question else { return Heard::silent("shorter than its header") };
        let mut trips = Vec::new();
        let number = u16::from_be_bytes([s1, s0]);
        if self.sequence.is_some_and(|before| before.wrapping_add(1) != number) {
            trips.push("a sequence number that is not the next");
        }
        self.sequence = Some(number);
        let (told, trip) = match (kind, id) {
            (REQUEST, INITIATE) => self.initiate(body),
            (REQUEST, CLOSE) => self.close(body),
            (REQUEST, TOKEN_PASSING) => self.command(body),
            _ => (None, Some("a message that is not on the allowlist")),
        };
        trips.extend(trip);
        trips.extend((code != 0).then_some("a request that states a result"));
        let answers = told.map(|told| message(RESPONSE, id, 0, [s1, s0], &told)).into_iter().collect();
        Heard { answers, trips, hangs_up: false }
    }

    fn leaves(&mut self) -> Option<&'static str> {
        self.open.then_some("the session was not closed")
    }
}

type Told = (Option<Vec<u8>>, Option<&'static str>);

impl Session {
    fn initiate(&mut self, body: &[u8]) -> Told {
        if self.open {
            return (None, Some("a second session on one connection"));
        }
        self.open = true;
        let trip = (body != INITIATE_BODY).then_some("not as a secondary master for 20 s");
        (Some(body.to_vec()), trip)
    }

    fn close(&mut self, body: &[u8]) -> Told {
        let sound = self.open && body.is_empty();
        self.open = false;
        (Some(Vec::new()), (!sound).then_some("a close without a session, or with a body"))
    }

    fn command(&self, frame: &[u8]) -> Told {
        if !self.open {
            return (None, Some("a command outside a session"));
        }
        let Some((&sum, checked)) = frame.split_last() else { return (None, Some("no frame")) };
        let (delimiter, address, rest) = match *checked {
            [STX_SHORT, _, ref rest @ ..] => (STX_SHORT, checked.get(1..2).unwrap_or_default(), rest),
            [STX_LONG, _, _, _, _, _, ref rest @ ..] => (STX_LONG, checked.get(1..6).unwrap_or_default(), rest),
            _ => return (None, Some("no frame from a master without preambles and expansion")),
        };
        let &[command, 0] = rest else { return (None, Some("a command with data: none that only identifies has any")) };
        if sum != checksum(checked) {
            return (None, Some("a frame whose checksum does not fit"));
        }
        let is_primary = address.first().is_some_and(|&first| first & PRIMARY != 0);
        let plain: Vec<u8> = address.iter().enumerate().map(|(at, byte)| if at == 0 { byte & !PRIMARY } else { *byte }).collect();
        let addressed = match delimiter {
            STX_SHORT => plain == [0],
            _ => plain == self.persona.long_address(),
        };
        if !addressed {
            return (None, Some("another device's address: a sweep"));
        }
        let listed = matches!(command, 0 | 13 | 20) || self.persona.listed.contains_key(&command);
        let trip = match () {
            () if is_primary => Some("as the primary master"),
            () if !listed => Some("a command that is not on the allowlist"),
            () if delimiter == STX_SHORT && command != 0 => Some("a short frame with another command than 0"),
            () => None,
        };
        let refused = self.persona.refuses.get(&command).copied();
        let (code, told) = match (refused, self.persona.told(command)) {
            (None, Some(told)) => (0, told),
            (refused, _) => (refused.unwrap_or(NOT_IMPLEMENTED), Vec::new()),
        };
        // Response code and field device status, then what the command tells.
        let answer = [&[delimiter | ACK][..], address, &[command, stated8(told.len().saturating_add(2)), code, 0], &told].concat();
        let sum = checksum(&answer);
        (Some([answer, vec![sum]].concat()), trip)
    }
}
