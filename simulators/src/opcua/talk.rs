//! One connection: hello, a channel, what needs no session, and one session.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Persona;
use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::le32;
use crate::report::Speaker;

const PORT: u16 = 4_840;
/// Messages on one connection (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 12;
/// More than any question of ours needs.
const QUESTION_BYTES_MAX: u32 = 4_096;
const CHANNEL: [u8; 8] = [9, 0, 0, 0, 3, 0, 0, 0];
/// Channel, token, sequence number and request id stand before the body.
const BODY: usize = 24;
/// The session's NodeId: namespace 1, a number.
const SESSION: [u8; 4] = [1, 1, 0x39, 0x05];
const NONE: &[u8] = b"http://opcfoundation.org/UA/SecurityPolicy#None";
/// Session timeout of the allowlist, nodes of a Read, references of a Browse.
const SESSION_MS_MAX: f64 = 30_000.0;
const NODES_MAX: u32 = 16;
const REFERENCES_MAX: u32 = 50;
const TOO_MANY_SESSIONS: u32 = 0x8056_0000;
const SERVICE_UNSUPPORTED: u32 = 0x800b_0000;

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Connection { persona: self.clone(), hello: false, channel: false, session: false, sequence: 0 })
    }

    fn sample(&self) -> Vec<u8> {
        let sizes = [0, 65_536, 65_536, 262_144, 16].map(u32::to_le_bytes).concat();
        chunk(b"HELF", &[sizes, text(b"opc.tcp://192.0.2.1:4840")].concat())
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        let on_channel = answer.starts_with(b"MSG");
        Layout {
            header_bytes: 8,
            transaction: on_channel.then_some(20),
            unit: on_channel.then_some(8),
            protocol: Some(1),
            length: Some(4..8),
        }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        (*fault == Fault::HostileText).then(|| {
            let of = |number| String::from_utf8_lossy(&hostile_text(number, 200)).into_owned();
            Arc::new(Self { application: [of(0), of(1), of(2)], build: [of(3), of(4), of(5), of(6), of(7)], ..self.clone() })
                as Arc<dyn Language>
        })
    }
}

struct Connection {
    persona: Persona,
    hello: bool,
    channel: bool,
    session: bool,
    sequence: u32,
}

impl Talk for Connection {
    fn cut(&self, heard: &[u8]) -> Cut {
        let begins =
            [b"HELF", b"OPNF", b"MSGF", b"CLOF"].into_iter().any(|word| heard.iter().zip(word).all(|(byte, wanted)| byte == wanted));
        match (begins, le32(heard, 4)) {
            (false, _) => Cut::Broken("no whole message of a client"),
            (true, None) => Cut::More,
            (true, Some(size)) if !(8..=QUESTION_BYTES_MAX).contains(&size) => Cut::Broken("a message of another length than a question's"),
            (true, Some(size)) if heard.len() >= size as usize => Cut::Whole(size as usize),
            (true, Some(_)) => Cut::More,
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        match question.get(..3) {
            Some(b"HEL") if !self.hello => {
                self.hello = true;
                Heard::answered(chunk(b"ACKF", &[0, 65_536, 65_536, 262_144, 16].map(u32::to_le_bytes).concat()))
            }
            Some(b"OPN") if self.hello && !self.channel => self.open(question),
            Some(b"MSG") if self.channel => self.service(question),
            Some(b"CLO") if self.channel => {
                self.channel = false;
                let left = self.session.then_some("a channel that is closed before its session");
                Heard { answers: Vec::new(), trips: left.into_iter().collect(), hangs_up: true }
            }
            _ => Heard::silent("a message out of its order"),
        }
    }

    fn leaves(&mut self) -> Option<&'static str> {
        self.session.then_some("the session was not closed")
    }
}

impl Connection {
    fn open(&mut self, question: &[u8]) -> Heard {
        let mut walk = Walk(question.get(12..).unwrap_or_default());
        if walk.text() != Some(NONE) {
            return Heard::silent("another policy than None");
        }
        self.channel = true;
        let token = [&CHANNEL[..4], &CHANNEL[4..], &[0; 8], &number(60_000)].concat();
        let body = [good(449, 1), number(0), token, vec![0xff; 4]].concat();
        let head = [&CHANNEL[..4], &text(NONE), &[0xff; 8], &number(1), &number(1)].concat();
        Heard::answered(chunk(b"OPNF", &[head, body].concat()))
    }

    fn service(&mut self, question: &[u8]) -> Heard {
        let (Some(sequence), Some(request)) = (le32(question, 16), le32(question, 20)) else { return Heard::silent("cut short") };
        let mut walk = Walk(question.get(BODY..).unwrap_or_default());
        let &[1, 0, low, high] = walk.take(4).unwrap_or_default() else { return Heard::silent("a type that is not of namespace 0") };
        let session = walk.node().unwrap_or_default();
        let handle = walk.take(27).and_then(|header| le32(header, 8)).unwrap_or(0);
        let service = u16::from_le_bytes([low, high]);
        let mut trips = Vec::new();
        trips.extend((question.get(8..16) != Some(&CHANNEL[..])).then_some("another channel"));
        trips.extend((sequence <= self.sequence).then_some("a sequence number that does not rise"));
        self.sequence = sequence;
        let needs_session = !matches!(service, 422 | 428 | 461);
        trips.extend((needs_session && (!self.session || session != SESSION)).then_some("outside of its session"));
        let (told, trip) = self.told(service, handle, &mut walk);
        trips.extend(trip);
        let head = [&CHANNEL[..], &number(sequence), &number(request)].concat();
        Heard { answers: vec![chunk(b"MSGF", &[head, told].concat())], trips, hangs_up: false }
    }

    fn told(&mut self, service: u16, handle: u32, walk: &mut Walk<'_>) -> (Vec<u8>, Option<&'static str>) {
        match service {
            422 => ([good(425, handle), number(1), self.application()].concat(), None),
            428 => ([good(431, handle), self.endpoints()].concat(), None),
            461 => self.create(handle, walk),
            467 => ([good(470, handle), vec![0xff; 4], number(0), number(0)].concat(), None),
            473 => {
                if std::mem::take(&mut self.session) {
                    self.persona.sessions.fetch_sub(1, Ordering::SeqCst);
                }
                (good(476, handle), (walk.take(1) != Some(&[1])).then_some("it leaves subscriptions"))
            }
            527 => self.browse(handle, walk),
            631 => self.read(handle, walk),
            _ => (fault(handle, SERVICE_UNSUPPORTED), Some("a service that is not on the allowlist")),
        }
    }

    fn create(&mut self, handle: u32, walk: &mut Walk<'_>) -> (Vec<u8>, Option<&'static str>) {
        // Who asks: two URIs, a name with its mask, a kind; three null fields, the server's URI.
        let described =
            walk.text().and_then(|_| walk.text()).and_then(|_| walk.take(1)).and_then(|_| walk.text()).and_then(|_| walk.take(20));
        // URL, name, nonce, certificate.
        let rest = described.and_then(|_| (0..4).try_for_each(|_| walk.text().map(drop)));
        let asked = rest.and_then(|()| walk.take(8)).and_then(|ms| ms.try_into().ok()).map(f64::from_le_bytes);
        let trip = (!asked.is_some_and(|ms| (0.0..=SESSION_MS_MAX).contains(&ms))).then_some("a session of more than 30 s");
        let most = self.persona.sessions_max;
        let standing =
            self.persona.sessions.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |standing| (standing < most).then_some(standing + 1));
        if self.session || standing.is_err() {
            return (fault(handle, TOO_MANY_SESSIONS), trip.or(self.session.then_some("a second session")));
        }
        self.session = true;
        let keeps = self.persona.keeps_ms.or(asked).unwrap_or(SESSION_MS_MAX).to_le_bytes();
        let session = [&[1, 1, 0x40, 5][..], &SESSION, &keeps, &[0xff; 8]].concat();
        ([good(464, handle), session, self.endpoints(), number(0), vec![0xff; 8], number(0)].concat(), trip)
    }

    fn application(&self) -> Vec<u8> {
        let [uri, product, name] = &self.persona.application;
        let name = [&[2][..], &text(name.as_bytes())].concat();
        [text(uri.as_bytes()), text(product.as_bytes()), name, number(0), vec![0xff; 8], number(0)].concat()
    }

    fn endpoints(&self) -> Vec<u8> {
        let url = text(b"opc.tcp://simulated:4840");
        let user = [text(b"anybody"), number(0), vec![0xff; 12]].concat();
        [number(1), url, self.application(), vec![0xff; 4], number(1), text(NONE), number(1), user, text(b"uatcp"), vec![0]].concat()
    }

    /// Nodes of a list, each with what stands behind it.
    fn nodes<'a>(walk: &mut Walk<'a>, behind: usize) -> Vec<&'a [u8]> {
        let count = walk.number().unwrap_or(0).min(100);
        (0..count).filter_map(|_| walk.node().filter(|_| walk.take(behind).is_some())).collect()
    }

    fn read(&self, handle: u32, walk: &mut Walk<'_>) -> (Vec<u8>, Option<&'static str>) {
        walk.take(12);
        let nodes = Self::nodes(walk, 14);
        let values: Vec<u8> = nodes.iter().flat_map(|node| self.value(node)).collect();
        let count = u32::try_from(nodes.len()).unwrap_or(0);
        let trip = (!(1..=NODES_MAX).contains(&count)).then_some("a Read of more than 16 nodes, or of none");
        ([good(634, handle), number(count), values, number(0)].concat(), trip)
    }

    fn value(&self, node: &[u8]) -> Vec<u8> {
        const UNKNOWN: [u8; 5] = [2, 0, 0, 0x34, 0x80];
        let a_text = |value: &str| [&[1, 12][..], &text(value.as_bytes())].concat();
        match *node {
            [1, 0, 0xcf, 8] => {
                let di = (!self.persona.devices.is_empty()).then_some("http://opcfoundation.org/UA/DI/");
                let uris: Vec<&str> = ["http://opcfoundation.org/UA/", "urn:simulated"].into_iter().chain(di).collect();
                let array: Vec<u8> = uris.iter().flat_map(|uri| text(uri.as_bytes())).collect();
                [vec![1, 0x8c], number(u32::try_from(uris.len()).unwrap_or(0)), array].concat()
            }
            [1, 0, low @ 0xd5..=0xd9, 8] => self.persona.build.get(usize::from(low - 0xd5)).map_or(UNKNOWN.to_vec(), |value| a_text(value)),
            // A build date: 2024-05-17, in steps of 100 ns since 1601.
            [1, 0, 0xda, 8] => [&[1, 13][..], &133_604_640_000_000_000_u64.to_le_bytes()].concat(),
            [1, 2, low, high] => self.persona.property(u16::from_le_bytes([low, high]).into()).map_or(UNKNOWN.to_vec(), a_text),
            _ => UNKNOWN.to_vec(),
        }
    }

    fn browse(&self, handle: u32, walk: &mut Walk<'_>) -> (Vec<u8>, Option<&'static str>) {
        walk.take(14);
        let most = walk.number().unwrap_or(u32::MAX);
        let nodes = Self::nodes(walk, 15);
        let count = u32::try_from(nodes.len()).unwrap_or(0);
        let of = |node: &&[u8]| {
            let references = self.references(node);
            let listed: Vec<u8> = references.iter().take(most as usize).flatten().copied().collect();
            let count = u32::try_from(references.len()).unwrap_or(0).min(most);
            [number(0), vec![0xff; 4], number(count), listed].concat()
        };
        let results: Vec<u8> = nodes.iter().flat_map(of).collect();
        let trip = (most == 0 || most.saturating_mul(count) > REFERENCES_MAX).then_some("a Browse of more than 50 references");
        ([good(530, handle), number(count), results, number(0)].concat(), trip)
    }

    fn references(&self, node: &[u8]) -> Vec<Vec<u8>> {
        let reference = |node: usize, name: &str| {
            let [low, high] = u16::try_from(node).unwrap_or(0).to_le_bytes();
            [&[0, 46, 1, 1, 2, low, high, 2, 0][..], &text(name.as_bytes()), &[0], &number(1), &[0, 0]].concat()
        };
        let devices = &self.persona.devices;
        match *node {
            [1, 2, 0x89, 0x13] => devices.iter().zip(1..).map(|((name, _), number)| reference(number * 1_000, name)).collect(),
            [1, 2, low, high] => {
                let device = usize::from(u16::from_le_bytes([low, high]));
                let properties = (device / 1_000).checked_sub(1).and_then(|index| devices.get(index)).map(|(_, properties)| properties);
                properties.into_iter().flatten().zip(1..).map(|((name, _), number)| reference(device + number, name)).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn number(number: u32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&number(u32::try_from(bytes.len()).unwrap_or(0))[..], bytes].concat()
}

fn chunk(word: &[u8; 4], rest: &[u8]) -> Vec<u8> {
    [&word[..], &number(u32::try_from(rest.len() + 8).unwrap_or(0)), rest].concat()
}

/// Type and header of an answer (OPC 10000-4, 7.34).
fn headed(service: u16, handle: u32, result: u32) -> Vec<u8> {
    [&[1, 0][..], &service.to_le_bytes(), &[0; 8], &number(handle), &number(result), &[0], &number(0), &[0; 3]].concat()
}

fn good(service: u16, handle: u32) -> Vec<u8> {
    headed(service, handle, 0)
}

fn fault(handle: u32, code: u32) -> Vec<u8> {
    headed(397, handle, code)
}

/// What is left of a question.
struct Walk<'a>(&'a [u8]);

impl<'a> Walk<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4).and_then(|four| le32(four, 0))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(if length == u32::MAX { 0 } else { length as usize })
    }

    /// A NodeId of two or four bytes: it has no others.
    fn node(&mut self) -> Option<&'a [u8]> {
        let length = if self.0.first() == Some(&0) { 2 } else { 4 };
        self.take(length)
    }
}
