//! What two ends say to each other in EtherNet/IP: questions wait until their answers come, and connections are known by their ids.

use std::collections::VecDeque;

use super::memory::{Memory, digest};
use super::{Carried, HEADER_BYTES, Header, LIST_IDENTITY, NAME, SEND_RR_DATA, SEND_UNIT_DATA, identity, is_cyclic, length};
use crate::cip::{self, Reply, Request, Route, Span, Wanted};
use crate::conversation::{Conversation, Coverage, End, Happening, Heard, Over, Role, Said};
use crate::tcp::At;
use crate::{Address, Authority, Cutter, Message, Reading, pccc};

/// Questions without an answer yet; clients have one to a few underway.
const QUESTIONS_PENDING_MAX: usize = 32;
/// Pending questions of which the bytes are kept.
const QUESTIONS_KEPT_MAX: usize = 8;
/// Bytes of a question that is kept: what fits an unconnected message (504) or a usual connection, with its encapsulation.
const QUESTION_BYTES_MAX: usize = 1024;
/// Open connections of a conversation: an engineering station has a handful to each module.
const CONNECTIONS_MAX: usize = 32;
/// Questions to one module that are followed until it shows that it is there.
const TRIES_MAX: u64 = 4;

/// A question that was heard.
#[derive(Debug)]
struct Asked {
    by_server: bool,
    key: Key,
    /// True for a PCCC command.
    pccc: bool,
    kept: Option<Box<Kept>>,
}

/// By what an answer finds its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// The sender's context comes back with the answer (2-3.1).
    Context([u8; 8]),
    /// Connection from originator to target, and the count in it (2-6.3.2.2).
    Connected(u32, u16),
}

/// The bytes of a question, without which its answer could not be read.
#[derive(Debug)]
struct Kept {
    at: At,
    bytes: Vec<u8>,
    span: Span,
    wanted: Wanted,
}

/// A connection for questions, as its Forward_Open made it.
#[derive(Debug)]
struct Opened {
    by_server: bool,
    to_target: u32,
    to_originator: u32,
    route: Route,
    question: Box<Kept>,
    answer: Message,
}

/// One TCP connection, or the datagrams between two ends.
#[derive(Debug)]
pub struct Talk {
    over: Over,
    /// Of the client and the server.
    sides: [Cutter; 2],
    ends: [End; 2],
    asked: VecDeque<Asked>,
    opened: VecDeque<Opened>,
    told: Memory,
    met: Memory,
    coverage: Coverage,
    cip: Coverage,
    pccc: Coverage,
}

/// A message and who sent it.
#[derive(Clone, Copy)]
struct Spoken<'m> {
    bytes: &'m [u8],
    at: At,
    by_server: bool,
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let (side, other) = (usize::from(said.by_server), usize::from(!said.by_server));
        (self.ends[side], self.ends[other]) = (*said.from, *said.to);
        if self.over != Over::Tcp {
            return self.datagram(said, out);
        }
        let mut cutter = core::mem::take(&mut self.sides[side]);
        let (at, by_server) = (said.at, said.by_server);
        let malformed = cutter.messages(said.bytes, length, &mut |bytes| self.message(Spoken { bytes, at, by_server }, out));
        self.sides[side] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let cut = self.sides[usize::from(by_server)].lose();
        self.message(Spoken { bytes: &cut, at, by_server }, out);
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(false, at, out);
        self.lose(true, at, out);
        // Some devices restart before they answer.
        for Asked { by_server, kept, .. } in core::mem::take(&mut self.asked) {
            if let Some(kept) = kept.filter(|kept| kept.wanted == Wanted::Change(Happening::Reset))
                && let Ok(request) = Request::read(&kept.bytes, kept.span)
            {
                let device = request.way(&kept.bytes).behind((&self.ends[usize::from(!by_server)]).into());
                self.changed(Happening::Reset, device, kept.at, out);
            }
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
        each(cip::NAME, self.cip);
        each(pccc::NAME, self.pccc);
    }
}

impl Talk {
    pub fn new(over: Over) -> Self {
        let (sides, ends, asked, opened) = Default::default();
        let (told, met, coverage, cip, pccc) = Default::default();
        Self { over, sides, ends, asked, opened, told, met, coverage, cip, pccc }
    }

    fn datagram(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let Said { bytes, at, by_server, .. } = *said;
        if is_cyclic(bytes) {
            self.coverage.seen += 1;
            self.coverage.decoded += 1;
            // The port of cyclic data is not where a device answers.
            let speaker = || Address { port: None, ..said.speaker() };
            self.meet(Role::Publisher, by_server, speaker, at, out);
        } else if let Some(length) = length(bytes).ok().flatten() {
            self.message(Spoken { bytes: bytes.get(..length).unwrap_or(bytes), at, by_server }, out);
        }
    }

    /// A message, whole or cut.
    fn message(&mut self, spoken: Spoken<'_>, out: &mut dyn FnMut(Heard)) {
        let Ok(Some(header)) = Header::read(spoken.bytes) else { return };
        let whole = spoken.bytes.len() == HEADER_BYTES + header.length;
        self.coverage.seen += 1;
        self.coverage.decoded += u64::from(whole && header.is_known());
        match header.command {
            LIST_IDENTITY if header.length > 0 => self.list_identity(spoken, out),
            SEND_RR_DATA | SEND_UNIT_DATA => self.carried(&header, spoken, out),
            // A session's number comes from the server, so a message with one answers.
            command if header.is_known() && header.length > 0 && header.session != 0 && spoken.by_server => {
                if self.met.knows(digest(&[b"command", &command.to_le_bytes()])) {
                    self.meet_both(spoken, out);
                }
            }
            command if !spoken.by_server => _ = self.met.count(digest(&[b"command", &command.to_le_bytes()])),
            _ => {}
        }
    }

    /// Whoever sends an identity is the one it is about: only questions come without.
    fn list_identity(&mut self, spoken: Spoken<'_>, out: &mut dyn FnMut(Heard)) {
        let Spoken { bytes, at, by_server } = spoken;
        let speaker = Address::from(self.end(by_server));
        if self.told.is_new(digest(&[b"list identity", &[u8::from(by_server)]]), digest(&[&bytes[HEADER_BYTES.min(bytes.len())..]])) {
            let mut reading = Reading::of(NAME, self.over, "enip.list_identity", speaker.clone(), at, bytes);
            identity(&mut reading, bytes);
            if !reading.facts.is_empty() {
                self.meet(Role::Server, by_server, || speaker, at, out);
            }
            out(Heard::Reading(reading));
        }
    }

    fn carried(&mut self, header: &Header, spoken: Spoken<'_>, out: &mut dyn FnMut(Heard)) {
        let Some(carried) = Carried::read(spoken.bytes) else { return };
        let Some(service) = spoken.bytes.get(carried.span.at) else { return };
        self.cip.seen += 1;
        self.cip.decoded += u64::from(spoken.bytes.len() >= carried.span.end);
        let key = carried.connected.map_or(Key::Context(header.context), |(connection, count)| Key::Connected(connection, count));
        if service & cip::REPLY_BIT == 0 {
            self.question(key, carried.span, spoken, out);
        } else {
            self.answer(key, carried.span, spoken, out);
        }
    }

    fn question(&mut self, key: Key, span: Span, spoken: Spoken<'_>, out: &mut dyn FnMut(Heard)) {
        let Spoken { bytes, at, by_server } = spoken;
        let Ok(request) = Request::read(bytes, span) else { return };
        let pccc = request.is_pccc();
        self.pccc.seen += u64::from(pccc);
        self.pccc.decoded += u64::from(pccc && bytes.len() >= span.end);
        let wanted = request.wanted(bytes);
        let route = &bytes[request.route.clone()];
        let followed = match wanted {
            Wanted::Nothing => matches!(key, Key::Context(_)) && self.met.count(digest(&[b"try", route])) < TRIES_MAX,
            Wanted::Change(happening) => !self.met.knows(digest(&[happening_name(happening), route])),
            Wanted::Open => {
                self.opening(&request, spoken, out);
                true
            }
            Wanted::Identity | Wanted::Status => true,
        };
        let keep = followed && bytes.len() <= QUESTION_BYTES_MAX;
        if keep && self.asked.iter().filter(|asked| asked.kept.is_some()).count() == QUESTIONS_KEPT_MAX {
            // The oldest is the least likely to be answered yet.
            let oldest = self.asked.iter_mut().find(|asked| asked.kept.is_some());
            oldest.map(|asked| asked.kept = None);
        }
        let kept = keep.then(|| Box::new(Kept { at, bytes: bytes.to_vec(), span, wanted }));
        if self.asked.len() == QUESTIONS_PENDING_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(Asked { by_server, key, pccc, kept });
    }

    /// Who opens says who he is, and whom he expects.
    fn opening(&mut self, request: &Request, spoken: Spoken<'_>, out: &mut dyn FnMut(Heard)) {
        let Spoken { bytes, at, by_server } = spoken;
        let (over, client, server) = (self.over, self.end(by_server).into(), Address::from(self.end(!by_server)));
        let mut readings = Vec::new();
        let mut reading = Reading::of(cip::NAME, over, "cip.originator", client, at, bytes);
        cip::originator(&mut reading, request);
        readings.push(Reading { authority: Authority::Client, ..reading });
        cip::electronic_keys(request, bytes, &mut |route, facts| {
            let mut reading = Reading::of(cip::NAME, over, "cip.electronic_key", route.behind(server.clone()), at, bytes);
            facts(&mut reading);
            readings.push(Reading { authority: Authority::Belief, ..reading });
        });
        for reading in readings.into_iter().filter(|reading| !reading.facts.is_empty()) {
            let facts: Vec<&[u8]> = reading.facts.iter().map(|fact| fact.bytes.as_slice()).collect();
            let about = reading.speaker.path.as_deref().unwrap_or_default();
            if self.told.is_new(digest(&[reading.question.as_bytes(), about.as_bytes()]), digest(&facts)) {
                out(Heard::Reading(reading));
            }
        }
    }

    fn answer(&mut self, key: Key, span: Span, spoken: Spoken<'_>, out: &mut dyn FnMut(Heard)) {
        let Spoken { bytes, at, by_server } = spoken;
        let connection = match key {
            Key::Context(_) => None,
            Key::Connected(id, _) => self.opened.iter().position(|opened| opened.by_server != by_server && opened.to_originator == id),
        };
        let Some(asked) = self.asked_for(key, connection, by_server) else { return };
        self.pccc.seen += u64::from(asked.pccc);
        self.pccc.decoded += u64::from(asked.pccc && bytes.len() >= span.end);
        self.meet_both(spoken, out);
        let (Some(kept), Ok(reply)) = (asked.kept, Reply::read(bytes, span)) else { return };
        let Ok(request) = Request::read(&kept.bytes, kept.span) else { return };
        if !reply.answers(&request) {
            return;
        }
        let mut route = request.way(&kept.bytes);
        let connection = connection.and_then(|at| self.opened.get(at));
        if let Some(opened) = connection {
            route = opened.route.clone();
        }
        let mut speaker = route.behind(self.end(by_server).into());
        if let (Key::Connected(..), None) = (key, connection) {
            // To which module this connection goes was not heard. It may be another than the one with the address.
            let Key::Connected(id, _) = asked.key else { return };
            speaker.path = Some(format!("connection 0x{id:08x}"));
        } else if self.met.is_new(digest(&[b"module", speaker.path.as_deref().unwrap_or_default().as_bytes()]), 0) {
            out(Heard::Present { protocol: cip::NAME, role: Role::Server, speaker: speaker.clone(), at });
        }
        match kept.wanted {
            Wanted::Identity | Wanted::Status => self.identity((&request, *kept), reply, spoken, speaker, out),
            Wanted::Open => self.open(&request, kept, reply, spoken),
            Wanted::Change(happening) if reply.status == 0 => {
                self.met.count(digest(&[happening_name(happening), &kept.bytes[request.route.clone()]]));
                self.changed(happening, speaker, kept.at, out);
            }
            Wanted::Change(_) | Wanted::Nothing => {}
        }
    }

    /// Takes the question that this answers off the list. Where several can be it and differ in what their answers would mean, nobody
    /// can say which it is: then it is none.
    fn asked_for(&mut self, key: Key, connection: Option<usize>, by_server: bool) -> Option<Asked> {
        let known = connection.and_then(|at| self.opened.get(at)).map(|opened| opened.to_target);
        let opened = &self.opened;
        let is_it = |asked: &Asked| {
            asked.by_server != by_server
                && match (asked.key, key) {
                    (Key::Connected(id, count), Key::Connected(_, answered)) => {
                        count == answered && known.map_or_else(|| opened.iter().all(|opened| opened.to_target != id), |known| known == id)
                    }
                    (asked, key) => asked == key,
                }
        };
        let first = self.asked.iter().position(is_it)?;
        if self.asked.iter().skip(first + 1).any(is_it) {
            let content = |asked: &Asked| asked.kept.as_ref().map(|kept| kept.span.of(&kept.bytes).to_vec());
            let mut contents = self.asked.iter().filter(|asked| is_it(asked)).map(content);
            let same = contents.next().is_some_and(|one| one.is_some() && contents.all(|other| other == one));
            if !same {
                let keep: Vec<bool> = self.asked.iter().map(|asked| !is_it(asked)).collect();
                let mut keep = keep.into_iter();
                self.asked.retain(|_| keep.next().unwrap_or(true));
                return None;
            }
        }
        self.asked.remove(first)
    }

    fn open(&mut self, request: &Request, kept: Box<Kept>, reply: Reply, spoken: Spoken<'_>) {
        let Some((to_target, to_originator)) = reply.opened(spoken.bytes) else { return };
        let route = cip::electronic_keys(request, &kept.bytes, &mut |_, _| {});
        if self.opened.len() == CONNECTIONS_MAX {
            self.opened.pop_front();
        }
        let answer = Message { frame: spoken.at.frame, time_ns: spoken.at.time_ns, bytes: spoken.bytes.to_vec() };
        self.opened.push_back(Opened { by_server: !spoken.by_server, to_target, to_originator, route, question: kept, answer });
    }

    fn identity(
        &mut self,
        (request, kept): (&Request, Kept),
        reply: Reply,
        spoken: Spoken<'_>,
        speaker: Address,
        out: &mut dyn FnMut(Heard),
    ) {
        let Spoken { bytes, at, .. } = spoken;
        let status = kept.wanted == Wanted::Status;
        let path = speaker.path.clone().unwrap_or_default();
        let (asked, answer) = (request.body(&kept.bytes), crate::Cursor::new(cip::NAME, bytes).from(reply.body.at).until(reply.body.end));
        let (question, said) = if status {
            (digest(&[b"status", path.as_bytes()]), digest(&[pccc::lasting(answer)]))
        } else {
            (digest(&[b"identity", path.as_bytes(), kept.span.of(&kept.bytes)]), digest(&[&[reply.status], answer.rest()]))
        };
        if !self.told.is_new(question, said) {
            return;
        }
        let (protocol, name) = if status { (pccc::NAME, "pccc.status") } else { (cip::NAME, "cip.identity") };
        let mut reading = Reading::of(protocol, self.over, name, speaker, at, bytes);
        if status {
            pccc::status(&mut reading, asked, answer);
        } else {
            cip::identity(&mut reading, (request, &kept.bytes), bytes, reply);
        }
        if reading.facts.is_empty() && reading.malformed.is_empty() {
            return;
        }
        let opened = self.opened.iter().find(|opened| matches!(kept_connection(&kept), Some(id) if id == opened.to_target));
        let Some(opened) = opened else { return out(Heard::Reading(reading.asked_by(kept.at, &kept.bytes))) };
        let mut reading = reading.asked_by(opened.question.at, &opened.question.bytes).asked_by(kept.at, &kept.bytes);
        // The answer that opened the connection says which ids belong together: it is heard before the one that is read.
        reading.messages.insert(reading.asked, opened.answer.clone());
        reading.facts.iter_mut().for_each(|fact| fact.message += 1);
        reading.malformed.iter_mut().for_each(|(message, _)| *message += 1);
        out(Heard::Reading(reading));
    }

    fn changed(&mut self, happening: Happening, device: Address, at: At, out: &mut dyn FnMut(Heard)) {
        // What was told before may be another thing now: it is told again, even where it stayed the same.
        self.told.clear();
        let path = device.path.as_deref().unwrap_or_default();
        if self.met.is_new(digest(&[b"changed", happening_name(happening), path.as_bytes()]), 0) {
            out(Heard::Happened { protocol: cip::NAME, happening, device, at });
        }
    }

    fn end(&self, server: bool) -> &End {
        &self.ends[usize::from(server)]
    }

    /// An answer to a question that was heard shows both ends.
    fn meet_both(&mut self, spoken: Spoken<'_>, out: &mut dyn FnMut(Heard)) {
        let (server, client) = (*self.end(spoken.by_server), *self.end(!spoken.by_server));
        self.meet(Role::Server, spoken.by_server, || (&server).into(), spoken.at, out);
        self.meet(Role::Client, !spoken.by_server, || (&client).into(), spoken.at, out);
    }

    fn meet(&mut self, role: Role, side: bool, speaker: impl FnOnce() -> Address, at: At, out: &mut dyn FnMut(Heard)) {
        if self.met.is_new(digest(&[role.name().as_bytes(), &[u8::from(side)]]), 0) {
            out(Heard::Present { protocol: NAME, role, speaker: speaker(), at });
        }
    }
}

/// The connection by which a kept question came.
fn kept_connection(kept: &Kept) -> Option<u32> {
    Carried::read(&kept.bytes)?.connected.map(|(connection, _)| connection)
}

const fn happening_name(happening: Happening) -> &'static [u8] {
    match happening {
        Happening::FirmwareTransfer => b"transfer",
        Happening::Reset => b"reset",
        Happening::Renamed => b"renamed",
    }
}
