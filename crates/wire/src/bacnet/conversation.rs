//! Frames of a conversation, or of one sender on a segment: who asked, who answered, and what is new in what he said.

use std::collections::HashMap;

use super::NAME;
use super::frame::{self, Content, Opened, Place};
use super::service::{self, Device, OBJECT_NAME, Service};
use super::speaker::{self, Digest, SEGMENTS_MAX, Segmented, Speaker};
use crate::conversation::{Conversation, Coverage, End, Happening, Heard, Over, Role, Said};
use crate::keyed::Keyed;
use crate::tcp::At;
use crate::{Authority, Cursor, Malformed, Message, Reading};

/// Devices that are told apart in one conversation: a router speaks for all behind it, and MS/TP alone has 254 to a network.
const SPEAKERS_MAX: usize = 1_024;
/// Answers in segments that are put together at once. A client reads one device after the other.
const ANSWERS_IN_PARTS_MAX: usize = 4;
/// Message of the network layer that announces a router. Clause 6.4.2.
const I_AM_ROUTER: u8 = 1;
/// ReinitializeDevice: cold start, warm start, activate changes. Clause 16.4.1.1.1.
const RESTARTS: [u8; 3] = [0, 1, 7];

/// A conversation.
#[derive(Debug)]
pub(super) struct Talk {
    over: Over,
    /// Questions by invoke id that were heard from either side and not yet answered.
    asked: [[u64; 4]; 2],
    /// Who ordered a change last, with its invoke id: it happened when the device says so.
    ordered: Option<(bool, u8, Happening)>,
    /// Who answered whom last: mostly the same two do it again.
    last: Option<((bool, Place), (bool, Place))>,
    speakers: HashMap<(bool, Place), Speaker, Keyed>,
    segmented: Vec<Segmented>,
    keyed: Keyed,
    coverage: Coverage,
}

/// One frame and what it holds.
struct Heeded<'a, 's> {
    said: &'s Said<'a>,
    opened: Opened<'a>,
}

impl Heeded<'_, '_> {
    fn speaker(&self) -> (bool, Place) {
        (self.said.by_server, self.opened.from)
    }

    fn hearer(&self) -> (bool, Place) {
        (!self.said.by_server, self.opened.to)
    }
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let read = frame::open(self.over, said.bytes, said.missing).and_then(|opened| {
            self.coverage.decoded += u64::from(opened.content != Content::Unread);
            match opened.content {
                Content::Apdu => self.apdu(&Heeded { said, opened }, out),
                Content::Network(kind) => {
                    if kind == I_AM_ROUTER {
                        self.present(Role::Publisher, (said.by_server, opened.from), said.from, said.at, out);
                    }
                    Ok(())
                }
                Content::Link | Content::Unread => Ok(()),
            }
        });
        if let Err(malformed) = read {
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn finish(&mut self, _at: At, out: &mut dyn FnMut(Heard)) {
        for segmented in core::mem::take(&mut self.segmented) {
            self.joined(segmented, false, out);
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Talk {
    pub(super) fn new(over: Over) -> Self {
        let (keyed, segmented) = (Keyed::default(), Vec::new());
        Self {
            over,
            asked: [[0; 4]; 2],
            ordered: None,
            last: None,
            speakers: HashMap::with_hasher(keyed),
            segmented,
            keyed,
            coverage: Coverage::default(),
        }
    }

    /// Clause 20.1.
    fn apdu(&mut self, heeded: &Heeded<'_, '_>, out: &mut dyn FnMut(Heard)) -> Result<(), Malformed> {
        let mut c = heeded.opened.rest;
        let first = c.u8("an APDU (20.1)")?;
        let segmented = first & 8 != 0;
        match first >> 4 {
            0 => {
                let [_, invoke] = c.array("confirmed request (20.1.2)")?;
                self.asked[usize::from(heeded.said.by_server)][usize::from(invoke >> 6)] |= 1 << (invoke & 63);
                if segmented {
                    return Ok(());
                }
                let service = c.u8("service choice (20.1.2.8)")?;
                self.request(heeded, (invoke, service), c, out)
            }
            1 => match c.u8("service choice (20.1.3.2)")? {
                0 => self.announced(heeded, Service::IAm, c, out),
                1 => self.announced(heeded, Service::IHave, c, out),
                13 => self.announced(heeded, Service::WhoAmI, c, out),
                _ => Ok(()),
            },
            3 => {
                let invoke = c.u8("invoke id (20.1.5.4)")?;
                let segment = if segmented { Some(c.array("sequence and window (20.1.5.5)")?) } else { None };
                let service = match c.u8("service choice (20.1.5.7)")? {
                    12 => Some(Service::ReadProperty),
                    14 => Some(Service::ReadPropertyMultiple),
                    _ => None,
                };
                let read = match (service, segment) {
                    (None, _) => Ok(()),
                    (Some(service), None) => self.identity(heeded, service, c, out),
                    (Some(service), Some([sequence, _])) => {
                        self.segment(heeded, (invoke, sequence, first & 4 != 0), service, c, out);
                        Ok(())
                    }
                };
                self.answered(heeded, invoke, out);
                read
            }
            // An abort of the client's own answers nothing.
            7 if first & 1 == 0 => Ok(()),
            kind @ (2 | 5 | 6 | 7) => {
                let invoke = c.u8("invoke id (20.1.4)")?;
                if let Some((.., happening)) = self.ordered.take_if(|(by, order, _)| (*by, *order) == (!heeded.said.by_server, invoke))
                    && kind == 2
                {
                    let Said { from, at, .. } = *heeded.said;
                    self.happened(heeded.speaker(), from, happening, at, out);
                }
                self.answered(heeded, invoke, out);
                Ok(())
            }
            4 => Ok(()),
            _ => Err(heeded.opened.rest.wrong("a PDU type from 0 to 7 (20.1.1)")),
        }
    }

    /// A request: only those that change a device are looked at.
    fn request(
        &mut self,
        heeded: &Heeded<'_, '_>,
        (invoke, service): (u8, u8),
        c: Cursor<'_>,
        out: &mut dyn FnMut(Heard),
    ) -> Result<(), Malformed> {
        let happening = match (service, c.rest()) {
            (15, parameters) if !service::is_about_others(Service::WriteProperty, parameters) => self.written(heeded, c, out)?,
            (20, [0x09, state, ..]) if RESTARTS.contains(state) => Some(Happening::Reset),
            _ => None,
        };
        let Said { to, at, by_server, .. } = *heeded.said;
        match happening {
            // It happens when the device says so; on a segment that is in another sender's conversation.
            Some(happening) if self.over == Over::Udp => self.ordered = Some((by_server, invoke, happening)),
            Some(happening) => self.happened(heeded.hearer(), to, happening, at, out),
            None => {}
        }
        Ok(())
    }

    /// WriteProperty on a device object: what somebody wants it to say of itself. Clause 15.9.
    fn written(&self, heeded: &Heeded<'_, '_>, mut c: Cursor<'_>, out: &mut dyn FnMut(Heard)) -> Result<Option<Happening>, Malformed> {
        let mut values = Vec::new();
        let read = service::read(Service::WriteProperty, &mut c, &mut |value| values.push(value))?;
        if values.is_empty() {
            return Ok(None);
        }
        let Said { bytes, to, at, .. } = *heeded.said;
        let known = self.speakers.get(&heeded.hearer()).and_then(|device| device.instance);
        let device = heeded.opened.to.address(to, read.instance.or(known));
        let mut reading = Reading::of(NAME, self.over, Service::WriteProperty.question(), device, at, bytes);
        reading.authority = Authority::Belief;
        let renamed = values.iter().any(|value| value.property == OBJECT_NAME);
        values.into_iter().for_each(|value| reading.fact(value.path(), value.shape, value.range));
        out(Heard::Reading(reading));
        Ok(renamed.then_some(Happening::Renamed))
    }

    fn happened(&mut self, device: (bool, Place), end: &End, happening: Happening, at: At, out: &mut dyn FnMut(Heard)) {
        let Some(known) = self.speaker(device) else { return };
        if !known.happened.contains(&happening) {
            known.happened.push(happening);
            let device = device.1.address(end, known.instance);
            out(Heard::Happened { protocol: NAME, happening, device, at });
        }
    }

    /// An answer of any kind. Between addresses its question was heard; on a segment it is in another sender's conversation.
    fn answered(&mut self, heeded: &Heeded<'_, '_>, invoke: u8, out: &mut dyn FnMut(Heard)) {
        let Said { from, to, at, by_server, .. } = *heeded.said;
        if self.over == Over::Udp {
            let (asked, bit) = (&mut self.asked[usize::from(!by_server)][usize::from(invoke >> 6)], 1 << (invoke & 63));
            if *asked & bit == 0 {
                return;
            }
            *asked &= !bit;
            let both = Some((heeded.speaker(), heeded.hearer()));
            if core::mem::replace(&mut self.last, both) == both {
                return;
            }
            self.present(Role::Client, heeded.hearer(), to, at, out);
        }
        self.present(Role::Server, heeded.speaker(), from, at, out);
    }

    fn announced(&mut self, heeded: &Heeded<'_, '_>, service: Service, c: Cursor<'_>, out: &mut dyn FnMut(Heard)) -> Result<(), Malformed> {
        self.identity(heeded, service, c, out)?;
        self.present(Role::Publisher, heeded.speaker(), heeded.said.from, heeded.said.at, out);
        Ok(())
    }

    /// Parameters that stand in one message.
    fn identity(
        &mut self,
        heeded: &Heeded<'_, '_>,
        service: Service,
        mut c: Cursor<'_>,
        out: &mut dyn FnMut(Heard),
    ) -> Result<(), Malformed> {
        if service::is_about_others(service, c.rest()) {
            return Ok(());
        }
        // Nothing is allocated where the same was told before.
        let (start, bytes) = (c, heeded.said.bytes);
        let mut digest = Digest::new(self.keyed, service);
        let read = service::read(service, &mut c, &mut |value| digest.take(&value, bytes));
        let (speaker, device) = (heeded.speaker(), read.clone().unwrap_or_default());
        let Some(instance) = self.news(speaker, digest.finish(device), device) else { return read.map(drop) };
        // Who asks what it is has no instance: the one that was heard from this address is another device's.
        let instance = instance.filter(|_| service != Service::WhoAmI);
        let Said { from, at, .. } = *heeded.said;
        let mut reading = Reading::of(NAME, self.over, service.question(), speaker.1.address(from, instance), at, bytes);
        c = start;
        let _ = service::read(service, &mut c, &mut |value| reading.fact(value.path(), value.shape, value.range));
        reading.complete = heeded.opened.whole;
        if let Err(malformed) = read {
            reading.broken(malformed);
        }
        out(Heard::Reading(reading));
        Ok(())
    }

    /// One segment of an answer. Clause 5.4: sequence numbers from 0 on.
    fn segment(
        &mut self,
        heeded: &Heeded<'_, '_>,
        (invoke, sequence, more): (u8, u8, bool),
        service: Service,
        c: Cursor<'_>,
        out: &mut dyn FnMut(Heard),
    ) {
        let speaker = heeded.speaker();
        let known = self.segmented.iter().position(|held| (held.speaker, held.invoke) == (speaker, invoke));
        let mut held = match known.map(|at| self.segmented.remove(at)) {
            Some(held) if sequence != 0 || held.next == 1 => held,
            earlier => {
                if let Some(earlier) = earlier {
                    self.joined(earlier, false, out);
                }
                if sequence != 0 || service::is_about_others(service, c.rest()) {
                    return;
                }
                let (messages, starts, joined) = (Vec::new(), Vec::new(), Vec::new());
                Segmented { speaker, from: *heeded.said.from, invoke, next: 0, service, messages, starts, joined }
            }
        };
        // A segment that was sent again changes nothing; one that is missing ends the answer.
        if sequence == held.next {
            let Said { bytes, at, .. } = heeded.said;
            held.messages.push(Message { frame: at.frame, time_ns: at.time_ns, bytes: bytes.to_vec() });
            held.starts.push(c.at());
            held.joined.extend_from_slice(c.rest());
            held.next = held.next.wrapping_add(1);
            if !more || !heeded.opened.whole {
                return self.joined(held, !more && heeded.opened.whole, out);
            }
        } else if sequence > held.next {
            return self.joined(held, false, out);
        }
        if held.messages.len() >= SEGMENTS_MAX || self.segmented.len() >= ANSWERS_IN_PARTS_MAX {
            return self.joined(held, false, out);
        }
        self.segmented.push(held);
    }

    /// Reads what the segments hold together.
    fn joined(&mut self, held: Segmented, whole: bool, out: &mut dyn FnMut(Heard)) {
        let Segmented { speaker, from, service, messages, starts, joined, .. } = held;
        let (mut values, mut digest) = (Vec::new(), Digest::new(self.keyed, service));
        let read = service::read(service, &mut Cursor::new(NAME, &joined), &mut |value| {
            digest.take(&value, &joined);
            values.push(value);
        });
        let device = read.clone().unwrap_or_default();
        let Some(instance) = self.news(speaker, digest.finish(device), device) else { return };
        let mut reading = Reading::new(NAME, self.over, service.question(), speaker.1.address(&from, instance));
        reading.facts = values.into_iter().filter_map(|value| speaker::fact(value, &joined, &messages, &starts)).collect();
        (reading.messages, reading.complete) = (messages, whole);
        if let Err(malformed) = read {
            reading.broken(malformed);
        }
        out(Heard::Reading(reading));
    }

    /// Whether an answer says something that this speaker did not say before; if so, the instance that it is from, as far as that is known.
    fn news(&mut self, speaker: (bool, Place), digest: Option<(u64, u64)>, device: Device) -> Option<Option<u32>> {
        let digest = digest?;
        let said = self.speaker(speaker)?;
        said.instance = device.instance.or(said.instance);
        said.is_news(digest).then_some(said.instance)
    }

    fn present(&mut self, role: Role, who: (bool, Place), end: &End, at: At, out: &mut dyn FnMut(Heard)) {
        let Some(speaker) = self.speaker(who) else { return };
        if !speaker.roles.contains(&role) {
            speaker.roles.push(role);
            let speaker = who.1.address(end, speaker.instance);
            out(Heard::Present { protocol: NAME, role, speaker, at });
        }
    }

    /// The speaker's own entry. Where there is no room another's is given up: what that one says next is told again.
    fn speaker(&mut self, who: (bool, Place)) -> Option<&mut Speaker> {
        if !self.speakers.contains_key(&who) && self.speakers.len() >= SPEAKERS_MAX {
            let any = self.speakers.keys().next().copied()?;
            self.speakers.remove(&any);
        }
        Some(self.speakers.entry(who).or_default())
    }
}
