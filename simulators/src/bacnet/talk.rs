//! One peer: ReadProperty of the device object, and what trips.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{OBJECT_IDENTIFIER, PORT, Persona, Refusal, Value, WILDCARD, tagged};
use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::{be16, stated16};
use crate::report::Speaker;

/// One for each property and one more (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 9;
/// The properties that may be read (there).
const PROPERTIES: [u32; 8] = [75, 120, 121, 70, 44, 12, 77, 372];
const READ_PROPERTY: u8 = 0x0C;
const BVLL_BYTES: usize = 4;
const UNKNOWN_PROPERTY: Refusal = Refusal::Error(2, 32);
const UNKNOWN_OBJECT: Refusal = Refusal::Error(1, 31);
const UNRECOGNIZED_SERVICE: Refusal = Refusal::Reject(9);

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
        Box::new(Peer { persona: self.clone(), invoked: BTreeSet::new() })
    }

    fn sample(&self) -> Vec<u8> {
        let network = match &self.behind {
            None => vec![1, 4],
            Some((network, mac)) => {
                [&[1, 0x24][..], &network.to_be_bytes(), &[u8::try_from(mac.len()).unwrap_or(0)], mac, &[0xFF]].concat()
            }
        };
        let segments = if self.behind.is_some() { 3 } else { 5 };
        let object = self.object().to_be_bytes();
        bvll(&[&network[..], &[0, segments, 1, READ_PROPERTY, 0x0C], &object, &[0x19, 75]].concat())
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        let apdu =
            BVLL_BYTES + if answer.get(5) == Some(&8) { 5_usize.saturating_add(answer.get(8).copied().unwrap_or(0).into()) } else { 2 };
        let unit = (answer.get(apdu) == Some(&0x30)).then_some(apdu + 7);
        Layout { header_bytes: BVLL_BYTES, transaction: Some(apdu + 1), unit, protocol: Some(BVLL_BYTES), length: Some(2..4) }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        (*fault == Fault::HostileText).then(|| {
            let mut hostile = self.clone();
            for (number, value) in hostile.properties.values_mut().enumerate() {
                if let Value::Text(_, text) = value {
                    *text = hostile_text(number, 400);
                }
            }
            Arc::new(hostile) as Arc<dyn Language>
        })
    }
}

/// Original-Unicast-NPDU (J.2.11).
fn bvll(npdu: &[u8]) -> Vec<u8> {
    let length = stated16(npdu.len().saturating_add(BVLL_BYTES));
    [&[0x81, 0x0A][..], &length.to_be_bytes(), npdu].concat()
}

struct Peer {
    persona: Persona,
    invoked: BTreeSet<u8>,
}

impl Talk for Peer {
    fn cut(&self, heard: &[u8]) -> Cut {
        match be16(heard, 2).map(usize::from) {
            Some(length) if heard.first() == Some(&0x81) && length == heard.len() => Cut::Whole(length),
            _ => Cut::Broken("no BVLL message of just this length"),
        }
    }

    fn take(&mut self, datagram: &[u8]) -> Heard {
        let &[_, function, _, _, ref npdu @ ..] = datagram else { return Heard::silent("shorter than its header") };
        if function != 0x0A {
            return Heard::silent("a BVLL message that is no unicast: a broadcast, or a call of a BBMD");
        }
        let mut trips = Vec::new();
        let (segments, apdu) = match self.address(npdu) {
            Ok(addressed) => addressed,
            Err(why) => return Heard::silent(why),
        };
        let &[kind, size, invoke, service, ref operands @ ..] = apdu else {
            return Heard::silent("no confirmed request: Who-Is, I-Am and the like are not on the allowlist");
        };
        if kind != 0 {
            return Heard::silent("no confirmed request without segments: it is not on the allowlist");
        }
        trips.extend((size != segments).then_some("another size of answers than the allowlist states"));
        trips.extend((!self.invoked.insert(invoke)).then_some("an invoke id that was used before"));
        let told = match service {
            READ_PROPERTY => self.read_property(operands, &mut trips),
            _ => {
                trips.push("a service that is not on the allowlist");
                Err(UNRECOGNIZED_SERVICE)
            }
        };
        let answer = match told {
            Ok(value) => [&[0x30, invoke, service], &value[..]].concat(),
            Err(Refusal::Error(class, code)) => vec![0x50, invoke, service, 0x91, class, 0x91, code],
            Err(Refusal::Reject(reason)) => vec![0x60, invoke, reason],
            Err(Refusal::Abort(reason)) => vec![0x71, invoke, reason],
        };
        let network = match &self.persona.behind {
            None => vec![1, 0],
            Some((network, mac)) => [&[1, 8][..], &network.to_be_bytes(), &[u8::try_from(mac.len()).unwrap_or(0)], mac].concat(),
        };
        Heard { answers: vec![bvll(&[network, answer].concat())], trips, hangs_up: false }
    }
}

impl Peer {
    /// What stands behind the network header (6.2), and which size of answers is due there; `Err` says why the question is not for us.
    fn address<'a>(&self, npdu: &'a [u8]) -> Result<(u8, &'a [u8]), &'static str> {
        match (npdu, &self.persona.behind) {
            ([1, 4, apdu @ ..], None) => Ok((5, apdu)),
            ([1, 0x24, 0xFF, 0xFF, ..], _) => Err("a broadcast to all networks"),
            ([1, 0x24, n1, n0, length, rest @ ..], Some((network, mac))) => {
                let (to, rest) = rest.split_at_checked((*length).into()).ok_or("a network header that is cut off")?;
                let ours = u16::from_be_bytes([*n1, *n0]) == *network && to == mac.as_slice();
                let (_hops, apdu) = rest.split_first().ok_or("a network header that is cut off")?;
                if ours { Ok((3, apdu)) } else { Err("another network or device than the configured one") }
            }
            _ => Err("a network header other than that of a unicast request that expects an answer"),
        }
    }

    fn read_property(&self, operands: &[u8], trips: &mut Vec<&'static str>) -> Result<Vec<u8>, Refusal> {
        let (object, property) = match *operands {
            [0x0C, o3, o2, o1, o0, 0x19, property] => (u32::from_be_bytes([o3, o2, o1, o0]), u32::from(property)),
            [0x0C, o3, o2, o1, o0, 0x1A, p1, p0] => (u32::from_be_bytes([o3, o2, o1, o0]), u32::from(u16::from_be_bytes([p1, p0]))),
            _ => {
                trips.push("ReadProperty of an array's element, or garbled");
                return Err(Refusal::Reject(4));
            }
        };
        let own = self.persona.object();
        let wildcard = object == own | WILDCARD;
        trips.extend((object != own && !wildcard).then_some("another object than the device"));
        trips.extend((!PROPERTIES.contains(&property)).then_some("a property that is not on the allowlist"));
        if object != own && !(wildcard && self.persona.answers_wildcard) {
            return Err(UNKNOWN_OBJECT);
        }
        if let Some(refusal) = self.persona.refuses.get(&property) {
            return Err(*refusal);
        }
        let value = match self.persona.properties.get(&property) {
            Some(value) => value.encoded(),
            None if property == OBJECT_IDENTIFIER => tagged(12, &own.to_be_bytes()),
            None => return Err(UNKNOWN_PROPERTY),
        };
        let [p1, p0] = stated16(usize::try_from(property).unwrap_or(usize::MAX)).to_be_bytes();
        let property = if p1 == 0 { vec![0x19, p0] } else { vec![0x1A, p1, p0] };
        // The answer names the device by its own instance (15.5.1.1.1).
        Ok([&[0x0C][..], &own.to_be_bytes(), &property, &[0x3E], &value, &[0x3F]].concat())
    }
}
