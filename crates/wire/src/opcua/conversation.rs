//! A connection with an OPC UA server: chunks are cut out of both streams, and messages that say who somebody is are put together.

use std::collections::VecDeque;

use super::application::{self, From};
use super::builtin::node_id;
use super::nodes::{self, BROWSE, FAULT, Names, READ, TRANSLATE};
use super::{Chunk, HEADER_BYTES, Kind, NAME};
use crate::conversation::{Conversation, Coverage, End, Heard, Over, Role, Said};
use crate::gathered::Gathered;
use crate::tcp::At;
use crate::{Address, Cursor, Cutter, Reading, Shape};

/// As much of a chunk as is held: the usual buffers are of 64 KiB.
const CHUNK_BYTES_MAX: usize = 128 << 10;
/// A message that is put together: endpoints with their certificates come to some tens of KiB.
const MESSAGE_BYTES_MAX: usize = 256 << 10;
/// Questions whose answers are awaited: clients send a handful at a time.
const QUESTIONS_MAX: usize = 8;
/// Bytes of a question that is kept: a Read of some hundred nodes.
const QUESTION_BYTES_MAX: usize = 16 << 10;
/// Request ids remembered until one of them is answered, to see who is server.
const IDS_MAX: usize = 8;

/// Behind the message header: channel (4), token (4), sequence number (4), request id (4). 6.7.2.
const BODY: usize = HEADER_BYTES + 16;
const ABORTED: u8 = b'A';
const GOES_ON: u8 = b'C';

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Connection {
    cutters: [Cutter; 2],
    ends: [End; 2],
    /// A message of each side that is being put together: its request id and service.
    partial: [Option<(u32, u32, Gathered)>; 2],
    asked: VecDeque<(u32, u32, Gathered)>,
    names: Names,
    /// The last request ids of each side, until it is known who is server.
    ids: [[u32; IDS_MAX]; 2],
    ids_next: usize,
    hello: Option<usize>,
    present: bool,
    policy_told: bool,
    coverage: Coverage,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(said.by_server);
        (self.ends[side], self.ends[1 - side]) = (*said.from, *said.to);
        let mut cutter = core::mem::take(&mut self.cutters[side]);
        let length = |bytes: &[u8]| Ok(Chunk::read(bytes)?.map(|chunk| chunk.size));
        let malformed = cutter.heads(said.bytes, CHUNK_BYTES_MAX, length, &mut |bytes| self.chunk(bytes, side, said.at, out));
        self.cutters[side] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(by_server);
        let cut = self.cutters[side].lose();
        self.chunk(&cut, side, at, out);
        if let Some((id, service, message)) = self.partial[side].take() {
            self.message((id, service), message, false, side, out);
        }
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(false, at, out);
        self.lose(true, at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Connection {
    /// A chunk, whole or cut.
    fn chunk(&mut self, bytes: &[u8], side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let Ok(Some(chunk)) = Chunk::read(bytes) else { return };
        self.coverage.seen += 1;
        if chunk.kind == Kind::Message {
            return self.part(chunk, bytes, side, at, out);
        }
        self.coverage.decoded += 1;
        match chunk.kind {
            Kind::Hello => self.hello = Some(side),
            Kind::Acknowledge if self.hello == Some(1 - side) => self.meet(side, at, out),
            Kind::ReverseHello => self.reverse(chunk, bytes, side, at, out),
            Kind::Open => self.policy(chunk, bytes, side, at, out),
            _ => {}
        }
    }

    /// The server is on this side, and somebody asked it.
    fn meet(&mut self, side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        if !core::mem::replace(&mut self.present, true) {
            for (role, side) in [(Role::Server, side), (Role::Client, 1 - side)] {
                out(Heard::Present { protocol: NAME, role, speaker: (&self.ends[side]).into(), at });
            }
        }
    }

    /// Without a hello: an answer has the request id of a question that the other side has sent.
    fn match_ids(&mut self, id: u32, side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        if self.ids[1 - side].contains(&id) && id != 0 {
            self.meet(side, at, out);
        }
        self.ids[side][self.ids_next] = id;
        self.ids_next = (self.ids_next + 1) % IDS_MAX;
    }

    /// A server that opens the connection itself says who it is (7.1.2.6).
    fn reverse(&mut self, chunk: Chunk, bytes: &[u8], side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let mut cursor = Cursor::new(NAME, bytes).from(HEADER_BYTES);
        let mut field = || {
            let length = cursor.u32_le("string length (5.2.2.4)").ok()? as usize;
            cursor.range(length, "string length (5.2.2.4)").ok().filter(|range| !range.is_empty())
        };
        let (Some(uri), url) = (field(), field()) else { return };
        let name = String::from_utf8_lossy(bytes.get(uri.clone()).unwrap_or_default()).into_owned();
        let speaker = Address { name: Some(name), ..(&self.ends[side]).into() };
        let mut reading = Reading::of(NAME, Over::Tcp, "opcua.reverse", speaker, at, bytes);
        reading.complete = bytes.len() == chunk.size;
        reading.fact("opcua.application.uri", Shape::Text, uri);
        url.into_iter().for_each(|url| reading.fact("opcua.endpoint.url", Shape::Text, url));
        out(Heard::Reading(reading));
    }

    /// Which policy secures the channel: channel (4), policy, certificate, thumbprint (6.7.2.3). What is sent under another than None
    /// is not read.
    fn policy(&mut self, chunk: Chunk, bytes: &[u8], side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let mut cursor = Cursor::new(NAME, bytes).from(HEADER_BYTES + 4);
        let length = cursor.u32_le("length of a policy (6.7.2.3)").unwrap_or_default() as usize;
        let Ok(policy) = cursor.range(length, "policy (6.7.2.3)") else { return };
        let text = bytes.get(policy.clone()).unwrap_or_default();
        let server = self.hello.map_or(1, |client| 1 - client);
        if side != server || self.policy_told || text.is_empty() || text.ends_with(b"#None") {
            return;
        }
        self.policy_told = true;
        let mut reading = Reading::of(NAME, Over::Tcp, "opcua.channel", (&self.ends[side]).into(), at, bytes);
        reading.complete = bytes.len() == chunk.size;
        reading.fact("opcua.channel.policy", Shape::Text, policy);
        out(Heard::Reading(reading));
    }

    /// A chunk of a message.
    fn part(&mut self, chunk: Chunk, bytes: &[u8], side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let id = bytes.get(BODY - 4..BODY).and_then(|id| id.try_into().ok()).map(u32::from_le_bytes);
        let Some(id) = id.filter(|_| chunk.size >= BODY) else { return };
        if !self.present {
            self.match_ids(id, side, at, out);
        }
        let (message, service) = match self.partial[side].take() {
            Some((known, service, message)) if known == id => {
                self.coverage.decoded += 1;
                (message, service)
            }
            earlier => {
                if let Some((id, service, message)) = earlier {
                    self.message((id, service), message, false, side, out);
                }
                let Some(service) = service(bytes) else { return };
                self.coverage.decoded += 1;
                if !self.is_of_interest(service, id) {
                    return;
                }
                (Gathered::default(), service)
            }
        };
        self.gather(chunk, bytes, (id, service), message, side, at, out);
    }

    fn gather(
        &mut self,
        chunk: Chunk,
        bytes: &[u8],
        (id, service): (u32, u32),
        mut message: Gathered,
        side: usize,
        at: At,
        out: &mut dyn FnMut(Heard),
    ) {
        let whole = bytes.len() == chunk.size;
        if chunk.last == ABORTED {
            return;
        }
        message.message(at, bytes);
        message.join(BODY..bytes.len());
        if whole && chunk.last == GOES_ON && message.bytes().len() < MESSAGE_BYTES_MAX {
            self.partial[side] = Some((id, service, message));
        } else {
            self.message((id, service), message, whole && chunk.last != GOES_ON, side, out);
        }
    }

    /// Whether a message can say who somebody is; the rest, nearly all of the traffic, is not held.
    fn is_of_interest(&self, service: u32, id: u32) -> bool {
        let asks = |service| self.asked.iter().any(|(_, asked, _)| *asked == service);
        match service {
            BROWSE | TRANSLATE => true,
            READ => true,
            FAULT => self.asked.iter().any(|(asked, service, _)| *asked == id && *service == READ),
            answer if [BROWSE, TRANSLATE, READ].contains(&answer.saturating_sub(3)) => {
                asks(answer - 3) && self.asked.iter().any(|(asked, ..)| *asked == id)
            }
            other => from(other).is_some(),
        }
    }

    /// A message, put together as far as it was heard.
    fn message(&mut self, (id, service): (u32, u32), message: Gathered, whole: bool, side: usize, out: &mut dyn FnMut(Heard)) {
        let speaker: Address = (&self.ends[side]).into();
        if let Some(from) = from(service) {
            return application::read(from, &message, whole, &speaker).into_iter().for_each(|reading| out(Heard::Reading(reading)));
        }
        if [BROWSE, TRANSLATE, READ].contains(&service) {
            // A Read is kept where it asks for a nameplate, or may, once the answer to a browse has named its nodes.
            let browses = self.asked.iter().any(|(_, asked, _)| *asked != READ);
            if message.bytes().len() <= QUESTION_BYTES_MAX && (service != READ || browses || self.names.wants(&message)) {
                if self.asked.len() == QUESTIONS_MAX {
                    self.asked.pop_front();
                }
                self.asked.push_back((id, service, message));
            }
            return;
        }
        let Some(place) = self.asked.iter().position(|(asked, ..)| *asked == id) else { return };
        let Some((_, question, asked)) = self.asked.remove(place) else { return };
        match (question, service) {
            (READ, FAULT) if self.names.wants(&asked) => nodes::fault(&asked, &message, &speaker).into_iter().for_each(|reading| {
                out(Heard::Reading(reading));
            }),
            (BROWSE | TRANSLATE, answer) if answer == question + 3 => self.names.learn(question, &asked, &message),
            (READ, answer) if answer == READ + 3 => {
                self.names.read(&asked, &message, whole, &speaker).into_iter().for_each(|reading| out(Heard::Reading(reading)));
            }
            _ => {}
        }
    }
}

/// Which service a message belongs to, by the number of its body's type.
fn service(bytes: &[u8]) -> Option<u32> {
    match bytes.get(BODY..)? {
        // As it is nearly always encoded.
        [1, 0, low, high, ..] => Some(u16::from_le_bytes([*low, *high]).into()),
        _ => node_id(&mut Cursor::new(NAME, bytes).from(BODY)).ok()?.standard(),
    }
}

/// The messages that hold ApplicationDescriptions (NodeIds.csv).
const fn from(service: u32) -> Option<From> {
    Some(match service {
        425 => From::FindServers,
        431 => From::GetEndpoints,
        437 | 12_211 => From::RegisterServer,
        461 => From::ClientsSession,
        464 => From::CreateSession,
        _ => return None,
    })
}
