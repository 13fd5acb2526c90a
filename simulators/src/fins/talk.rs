//! One client: its node number by TCP, then Controller Data Read, and nothing else.

use std::sync::Arc;

use super::{PORT, Persona};
use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::{be32, padded};
use crate::report::Speaker;

/// Node number and reading (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 2;
/// The header of FINS/TCP: the word, length, command, error code.
const TCP_HEADER_BYTES: usize = 16;
const FINS_HEADER_BYTES: usize = 10;
/// More than any question of ours needs.
const QUESTION_BYTES_MAX: u32 = 64;

const NODE_REQUEST: u32 = 0;
const NODE_ANSWER: u32 = 1;
const FRAME: u32 = 2;
/// All connections are in use (W421, 7-4-4).
const ALL_IN_USE: u32 = 0x20;
/// Command code not known.
const UNDEFINED_COMMAND: u16 = 0x0401;
const MODEL_BYTES: usize = 20;
/// Reserved for the system, behind model and version.
const SYSTEM_BYTES: usize = 40;
/// Program area, data memory and the like, as a CP1L states them.
const AREAS: [u8; 12] = [0x00, 0x0A, 0x17, 0x2A, 0x10, 0x08, 0, 0, 0, 0, 0, 0];

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

    fn talk(&self, _: Speaker, over: Carrier) -> Box<dyn Talk> {
        Box::new(Client { persona: self.clone(), over, node: None })
    }

    fn sample(&self) -> Vec<u8> {
        wrapped(NODE_REQUEST, 0, &[0; 4])
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        let by_tcp = answer.starts_with(b"FINS");
        let frame = if by_tcp { TCP_HEADER_BYTES } else { 0 };
        let is_frame = !by_tcp || be32(answer, 8) == Some(FRAME);
        Layout {
            header_bytes: frame.saturating_add(if is_frame { FINS_HEADER_BYTES } else { 0 }),
            transaction: is_frame.then_some(frame + 9),
            unit: is_frame.then_some(frame + 7),
            protocol: by_tcp.then_some(3),
            length: by_tcp.then_some(4..8),
        }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        (*fault == Fault::HostileText).then(|| {
            Arc::new(Self { model: hostile_text(1, MODEL_BYTES), version: hostile_text(2, MODEL_BYTES), ..self.clone() })
                as Arc<dyn Language>
        })
    }
}

fn wrapped(command: u32, code: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len().saturating_add(8)).unwrap_or(u32::MAX);
    [b"FINS", &length.to_be_bytes()[..], &command.to_be_bytes(), &code.to_be_bytes(), body].concat()
}

struct Client {
    persona: Persona,
    over: Carrier,
    /// The node number that it was given by TCP.
    node: Option<u8>,
}

impl Talk for Client {
    fn cut(&self, heard: &[u8]) -> Cut {
        if self.over == Carrier::Udp {
            return if heard.is_empty() { Cut::More } else { Cut::Whole(heard.len()) };
        }
        let broken = Cut::Broken("no FINS/TCP header of a question");
        if heard.iter().zip(b"FINS").any(|(byte, due)| byte != due) {
            return broken;
        }
        match be32(heard, 4) {
            None => Cut::More,
            Some(length) if !(8..=QUESTION_BYTES_MAX).contains(&length) => broken,
            Some(length) => match usize::try_from(length).unwrap_or(usize::MAX).saturating_add(8) {
                end if heard.len() >= end => Cut::Whole(end),
                _ => Cut::More,
            },
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        if self.over == Carrier::Udp {
            let assigned = question.get(7).is_some_and(|node| self.persona.assigned.contains(node));
            let mut heard = self.read(question);
            heard.trips.extend((!assigned).then_some("a source node that the plant did not assign"));
            return heard;
        }
        let body = question.get(TCP_HEADER_BYTES..).unwrap_or_default();
        match (be32(question, 8), be32(question, 12), self.node) {
            (Some(NODE_REQUEST), Some(0), None) => self.give_node(body),
            (Some(FRAME), Some(0), Some(node)) => {
                let own = body.get(7) == Some(&node);
                let mut heard = self.read(body);
                heard.answers.iter_mut().for_each(|answer| *answer = wrapped(FRAME, 0, answer));
                heard.trips.extend((!own).then_some("a source node other than the one that was given"));
                heard
            }
            _ => Heard { hangs_up: true, ..Heard::silent("no FINS/TCP message that is due here") },
        }
    }
}

impl Client {
    fn give_node(&mut self, body: &[u8]) -> Heard {
        let trips: Vec<&'static str> = (body != [0; 4]).then_some("a node number of one's own choice").into_iter().collect();
        self.node = self.persona.gives_node;
        let (answer, hangs_up) = match self.node {
            Some(node) => (wrapped(NODE_ANSWER, 0, &[0, 0, 0, node, 0, 0, 0, self.persona.node]), false),
            None => (wrapped(NODE_ANSWER, ALL_IN_USE, &[0; 8]), true),
        };
        Heard { answers: vec![answer], trips, hangs_up }
    }

    /// One FINS frame: header of ten bytes, command of two, parameters.
    fn read(&self, frame: &[u8]) -> Heard {
        let &[icf, 0, 2, dna, da1, da2, sna, sa1, sa2, sid, c1, c0, ref parameters @ ..] = frame else {
            return Heard::silent("no FINS command");
        };
        if icf != 0x80 {
            return Heard::silent("no FINS command that expects an answer");
        }
        let mut trips = Vec::new();
        if da1 == u8::MAX || ![0, self.persona.node].contains(&da1) {
            return Heard::silent("a broadcast, or another node");
        }
        trips.extend(([dna, da2, sna, sa2] != [0; 4]).then_some("through a gateway, or to another unit than the CPU"));
        let is_read = (c1, c0, parameters) == (5, 1, &[0]);
        trips.extend((!is_read).then_some("a command that is not on the allowlist"));
        let code = if is_read { self.persona.refuses } else { Some(UNDEFINED_COMMAND) };
        let [e1, e0] = code.unwrap_or(0).to_be_bytes();
        let mut answer = vec![0xC0, 0, 2, sna, sa1, sa2, dna, da1, da2, sid, c1, c0, e1, e0];
        if code.is_none() {
            answer.extend(padded(&self.persona.model, MODEL_BYTES, b' '));
            answer.extend(padded(&self.persona.version, MODEL_BYTES, 0));
            answer.extend([0; SYSTEM_BYTES]);
            answer.extend(AREAS);
        }
        Heard { answers: vec![answer], trips, hangs_up: false }
    }
}
