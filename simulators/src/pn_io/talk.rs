//! One peer: a look-up, a read, and what trips.

use std::sync::Arc;

use super::{ORDER_BYTES, PORT, Persona, SERIAL_BYTES, TYPE_BYTES};
use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::{le16, stated16};
use crate::report::Speaker;

/// Two (read-only.md, section 2: "1 + 2", the one is on layer 2).
const QUESTIONS_MAX: u32 = 2;
const HEADER_BYTES: usize = 80;
const REQUEST: u8 = 0;
const RESPONSE: u8 = 2;
const REJECT: u8 = 6;
/// A request that may be repeated without harm; an answer that is whole and wants no acknowledgement.
const IDEMPOTENT: u8 = 0x20;
const WHOLE: u8 = 0x0A;
const LOOK_UP: u16 = 2;
const READ_IMPLICIT: u16 = 5;
/// Why a call was rejected (C706, appendix E, `nca_s_unk_if`).
const UNKNOWN_INTERFACE: u32 = 0x1C01_0003;
/// An answer to a read failed: application, "not supported" (IEC 61158-6-10, 5.2.6).
const NOT_SUPPORTED: u32 = 0xDE80_A900;
/// Milliseconds since it started do not matter to anybody here.
const STARTED: u32 = 0xA4;

/// UUIDs as five numbers; the last eight bytes have no order.
type Uuid = (u32, u16, u16, [u8; 8]);
const MAPPER: Uuid = (0xE1AF_8308, 0x5D1F, 0x11C9, [0x91, 0xA4, 0x08, 0x00, 0x2B, 0x14, 0xA0, 0xFA]);
const TRANSFER_SYNTAX: Uuid = (0x8A88_5D04, 0x1CEB, 0x11C9, [0x9F, 0xE8, 0x08, 0x00, 0x2B, 0x10, 0x48, 0x60]);

const fn profinet(number: u32) -> Uuid {
    (0xDEA0_0000 + number, 0x6C97, 0x11D1, [0x82, 0x71, 0x00, 0xA0, 0x24, 0x42, 0xDF, 0x7D])
}

/// Numbers in the order in which a sender writes them.
struct Pen {
    upper_first: bool,
    bytes: Vec<u8>,
}

impl Pen {
    const fn new(upper_first: bool) -> Self {
        Self { upper_first, bytes: Vec::new() }
    }

    fn u16(&mut self, number: u16) -> &mut Self {
        self.bytes.extend(if self.upper_first { number.to_be_bytes() } else { number.to_le_bytes() });
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.bytes.extend(if self.upper_first { number.to_be_bytes() } else { number.to_le_bytes() });
        self
    }

    fn uuid(&mut self, (first, second, third, rest): Uuid) -> &mut Self {
        self.u32(first).u16(second).u16(third).raw(&rest)
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
}

impl Persona {
    fn object(&self) -> Uuid {
        let (first, second, third, _) = profinet(0);
        let mut rest = [0x82, 0x71, 0, 0, 0, 0, 0, 0];
        for (at, id) in rest.chunks_mut(2).skip(1).zip(self.ids) {
            at.copy_from_slice(&id.to_be_bytes());
        }
        (first, second, third, rest)
    }

    /// What may be asked of it first, in the conversation of this number.
    pub(super) fn look_up(activity: [u8; 16]) -> Vec<u8> {
        let mut pen = Pen::new(false);
        // All elements, whatever object, whatever interface, from the start, one of them.
        pen.u32(0).u32(1).raw(&[0; 16]).u32(2).uuid(profinet(1)).u16(1).u16(0).u32(1).raw(&[0; 20]).u32(1);
        asked([0; 16], MAPPER, activity, (3, 0, LOOK_UP), &pen.bytes)
    }

    /// And then.
    pub(super) fn read(&self, activity: [u8; 16]) -> Vec<u8> {
        let mut pen = Pen::new(false);
        pen.u32(320).u32(64).u32(320).u32(0).u32(64);
        pen.raw(&[0, 9, 0, 0x3C, 1, 0]).raw(&[0; 22]).raw(&[0, 0, 0, 1, 0, 0, 0xAF, 0xF0, 0, 0, 1, 0]).raw(&[0; 24]);
        let mut object = Pen::new(false);
        object.uuid(self.object());
        let object = object.bytes.try_into().unwrap_or_default();
        asked(object, profinet(if self.controller { 2 } else { 1 }), activity, (1, 1, READ_IMPLICIT), &pen.bytes)
    }
}

/// A question: version of the interface, number of the message, operation.
fn asked(object: [u8; 16], interface: Uuid, activity: [u8; 16], (version, number, operation): (u32, u32, u16), body: &[u8]) -> Vec<u8> {
    let mut pen = Pen::new(false);
    pen.raw(&[4, REQUEST, IDEMPOTENT, 0, 0x10, 0, 0, 0]).raw(&object).uuid(interface).raw(&activity);
    pen.u32(0).u32(version).u32(number).u16(operation).u32(u32::MAX).u16(stated16(body.len())).u32(0).raw(body);
    pen.bytes
}

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn carriers(&self) -> &'static [Carrier] {
        &[Carrier::Udp]
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Peer { persona: self.clone(), activity: None })
    }

    fn sample(&self) -> Vec<u8> {
        Self::look_up([0x4E; 16])
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        let number = if answer.get(4) == Some(&0) { 67 } else { 64 };
        Layout { header_bytes: HEADER_BYTES, transaction: Some(number), unit: None, protocol: Some(0), length: Some(74..76) }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        (*fault == Fault::HostileText).then(|| {
            let (kind, order, serial) = (hostile_text(0, TYPE_BYTES), hostile_text(1, ORDER_BYTES), hostile_text(2, SERIAL_BYTES));
            Arc::new(Self { kind, order, serial, ..self.clone() }) as Arc<dyn Language>
        })
    }
}

struct Peer {
    persona: Persona,
    /// The conversation in which it was looked up.
    activity: Option<[u8; 16]>,
}

impl Talk for Peer {
    fn cut(&self, heard: &[u8]) -> Cut {
        match (heard.first(), le16(heard, 74).map(usize::from)) {
            (Some(4), Some(length)) if length.checked_add(HEADER_BYTES) == Some(heard.len()) => Cut::Whole(heard.len()),
            _ => Cut::Broken("no message of RPC version 4 of just this length"),
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let activity: [u8; 16] = question.get(40..56).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let Some(&[kind, ..]) = question.get(1..) else { return Heard::silent("shorter than its header") };
        if kind != REQUEST {
            return Heard::silent("no request: a ping, an acknowledgement, a cancel");
        }
        if question == Persona::look_up(activity) {
            let again = self.activity.replace(activity).is_some();
            return self.heard(self.looked_up(activity), again.then_some("a second look-up"));
        }
        if question == self.persona.read(activity) {
            let stranger = self.activity != Some(activity);
            return self.heard(self.identified(activity), stranger.then_some("a read before the look-up, or in another conversation"));
        }
        // Offset 24 begins the interface: the mapper's, or one of PROFINET's.
        Heard::silent(match (question.get(24), le16(question, 68)) {
            (Some(0x08), Some(LOOK_UP)) => "a look-up of more than one entry, from a handle, or of another kind",
            (Some(0x08), _) => "another operation of the endpoint mapper",
            (Some(1..=4), Some(0)) => "a connect",
            (Some(1..=4), Some(1)) => "a release",
            (Some(1..=4), Some(2)) => "a read in a relation",
            (Some(1..=4), Some(3)) => "a write",
            (Some(1..=4), Some(4)) => "a control",
            (Some(1..=4), Some(READ_IMPLICIT)) => "a read of something else than I&M0 of this device",
            _ => "another interface",
        })
    }
}

impl Peer {
    fn heard(&self, answer: Vec<u8>, trip: Option<&'static str>) -> Heard {
        trip.map_or_else(|| Heard::answered(answer.clone()), |why| Heard::tripped(answer.clone(), why))
    }

    fn pen(&self) -> Pen {
        Pen::new(self.persona.upper_first)
    }

    fn looked_up(&self, activity: [u8; 16]) -> Vec<u8> {
        let mut pen = self.pen();
        if self.persona.rejects_look_ups {
            pen.u32(UNKNOWN_INTERFACE);
            return self.answer(REJECT, MAPPER, activity, (3, 0, LOOK_UP), &pen.bytes);
        }
        let (line, tower) = (self.persona.annotation(), self.tower());
        let lengths = [line.len(), tower.len()].map(|length| u32::from(stated16(length)));
        // No handle: there is nothing behind this entry. One entry, an array of one from 0 with one; its tower comes behind it.
        pen.raw(&[0; 20]).u32(1).u32(1).u32(0).u32(1).uuid(self.persona.object()).u32(3);
        pen.u32(0).u32(lengths[0]).raw(&line).u32(lengths[1]).u32(lengths[1]).raw(&tower);
        pen.raw(&[0][..(4 - tower.len() % 4) % 4]).u32(0);
        self.answer(RESPONSE, MAPPER, activity, (3, 0, LOOK_UP), &pen.bytes)
    }

    /// Five floors, the lower byte first always: interface, transfer syntax, RPC without connections, UDP, IP.
    fn tower(&self) -> Vec<u8> {
        let mut pen = Pen::new(false);
        pen.u16(5);
        for (uuid, version) in [(profinet(if self.persona.controller { 2 } else { 1 }), 1), (TRANSFER_SYNTAX, 2)] {
            pen.u16(19).raw(&[0x0D]).uuid(uuid).u16(version).u16(2).u16(0);
        }
        pen.u16(1).raw(&[0x0A]).u16(2).u16(0);
        pen.u16(1).raw(&[0x08]).u16(2).raw(&PORT.to_be_bytes());
        pen.u16(1).raw(&[0x09]).u16(4).raw(&[127, 0, 0, 1]);
        pen.bytes
    }

    fn identified(&self, activity: [u8; 16]) -> Vec<u8> {
        let (failed, record) = match self.persona.reads_by_relation_only {
            true => (NOT_SUPPORTED, Vec::new()),
            false => (0, self.persona.identification()),
        };
        let length = u32::from(stated16(record.len()));
        let mut pen = self.pen();
        pen.u32(failed).u32(64 + length).u32(320).u32(0).u32(64 + length);
        // IODReadResHeader: no relation, API 0, slot 0, subslot 1, AFF0, how long, padding.
        pen.raw(&[0x80, 9, 0, 0x3C, 1, 0]).raw(&[0; 22]).raw(&[0, 0, 0, 1, 0, 0, 0xAF, 0xF0]);
        pen.raw(&length.to_be_bytes()).raw(&[0; 24]).raw(&record);
        self.answer(RESPONSE, profinet(if self.persona.controller { 2 } else { 1 }), activity, (1, 1, READ_IMPLICIT), &pen.bytes)
    }

    fn answer(&self, kind: u8, interface: Uuid, activity: [u8; 16], (version, number, operation): (u32, u32, u16), body: &[u8]) -> Vec<u8> {
        // The activity came with the lower byte first.
        let [a, b, c, d, e, f, g, h, rest @ ..] = activity;
        let activity: Uuid = (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]), rest);
        let mut pen = self.pen();
        pen.raw(&[4, kind, WHOLE, 0, if self.persona.upper_first { 0 } else { 0x10 }, 0, 0, 0]);
        pen.uuid(self.persona.object()).uuid(interface).uuid(activity);
        pen.u32(STARTED).u32(version).u32(number).u16(operation).u32(u32::MAX).u16(stated16(body.len())).u32(0).raw(body);
        pen.bytes
    }
}
