//! What two ends say to each other in EtherNet/IP: questions wait until their answers come, and connections are known by their ids.

use super::memory::{Memory, digest};
use super::pending::{Asked, Kept, Key, Opened, Pending};
use super::{Carried, HEADER_BYTES, Header, LIST_IDENTITY, NAME, SEND_RR_DATA, SEND_UNIT_DATA, identity, is_cyclic, length};
use crate::cip::{self, Reply, Request, Span, Wanted};
use crate::conversation::{Conversation, Coverage, End, Happening, Heard, Over, Role, Said};
use crate::tcp::At;
use crate::{Address, Authority, Cursor, Cutter, Malformed, Message, Reading, pccc};

/// Bytes of a question that is kept: what fits an unconnected message (504) or a usual connection, with its encapsulation.
const QUESTION_BYTES_MAX: usize = 1024;
/// Questions to one module that are followed until it shows that it is there.
const TRIES_MAX: u64 = 4;

/// One TCP connection, or the datagrams between two ends.
#[derive(Debug)]
pub struct Talk {
    over: Over,
    /// Of the client and the server.
    sides: [Cutter; 2],
    ends: [End; 2],
    pending: Pending,
    told: Memory,
    met: Memory,
    /// Who was told to take part, four bits for each side.
    roles: u8,
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
        for Asked { by_server, key, kept, .. } in self.pending.unanswered() {
            if let Some(kept) = kept.filter(|kept| kept.wanted == Wanted::Change(Happening::Reset))
                && let Ok(request) = Request::read(&kept.bytes, kept.span)
            {
                let device = self.module(&request, &kept, key, !by_server);
                self.changed(Happening::Reset, device, kept.at, out);
            }
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        for (name, coverage) in [(NAME, self.coverage), (cip::NAME, self.cip), (pccc::NAME, self.pccc)] {
            if coverage.seen > 0 {
                each(name, coverage);
            }
        }
    }
}

impl Talk {
    pub fn new(over: Over) -> Self {
        let (sides, ends, pending, told, met) = Default::default();
        let (roles, coverage, cip, pccc) = Default::default();
        Self { over, sides, ends, pending, told, met, roles, coverage, cip, pccc }
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
                let was_asked = self.met.knows(digest(&[b"command", &command.to_le_bytes()]));
                if was_asked {
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
            missing(&mut reading, bytes, length(bytes).ok().flatten().unwrap_or(0));
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
            Wanted::Change(happening) => !self.met.knows(done(happening, key, route)),
            Wanted::Open => {
                self.opening(&request, spoken, out);
                true
            }
            Wanted::Identity | Wanted::Status => true,
        };
        // A question that is cut can show a shorter way than it went.
        let keep = followed && (span.end..=QUESTION_BYTES_MAX).contains(&bytes.len());
        let kept = keep.then(|| Box::new(Kept { at, bytes: bytes.to_vec(), span, wanted }));
        self.pending.ask(Asked { by_server, key, pccc, kept });
    }

    /// Who opens says who he is, and whom he expects.
    fn opening(&mut self, request: &Request, spoken: Spoken<'_>, out: &mut dyn FnMut(Heard)) {
        let Spoken { bytes, at, by_server } = spoken;
        let (over, client, server) = (self.over, self.end(by_server).into(), Address::from(self.end(!by_server)));
        let mut readings = Vec::new();
        let mut reading = Reading::of(cip::NAME, over, "cip.originator", client, at, bytes);
        cip::originator(&mut reading, request);
        readings.push(Reading { authority: Authority::Client, ..reading });
        cip::way_of_open(request, bytes, &mut |route, key| {
            let mut reading = Reading::of(cip::NAME, over, "cip.electronic_key", route.behind(server.clone()), at, bytes);
            cip::electronic_key(&mut reading, bytes, key);
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
        let Some(asked) = self.pending.answered(key, by_server) else { return };
        self.pccc.seen += u64::from(asked.pccc);
        self.pccc.decoded += u64::from(asked.pccc && bytes.len() >= span.end);
        self.meet_both(spoken, out);
        let (Some(kept), Ok(reply)) = (asked.kept, Reply::read(bytes, span)) else { return };
        let Ok(request) = Request::read(&kept.bytes, kept.span) else { return };
        if !reply.answers(&request) {
            return;
        }
        let speaker = self.module(&request, &kept, asked.key, by_server);
        let is_known = matches!(key, Key::Context(_)) || self.pending.connection_of(asked.key).is_some();
        let path = speaker.path.as_deref().unwrap_or_default();
        if is_known && self.met.is_new(digest(&[b"module", path.as_bytes()]), 0) {
            out(Heard::Present { protocol: cip::NAME, role: Role::Server, speaker: speaker.clone(), at });
        }
        match kept.wanted {
            Wanted::Identity | Wanted::Status => self.identity((&request, *kept), (asked.key, reply), spoken, speaker, out),
            Wanted::Open => self.open(&request, kept, reply, spoken),
            Wanted::Change(happening) if reply.status == 0 => {
                self.met.count(done(happening, asked.key, &kept.bytes[request.route.clone()]));
                self.changed(happening, speaker, kept.at, out);
            }
            Wanted::Change(_) | Wanted::Nothing => {}
        }
    }

    /// Where a module is. To which one a connection goes whose opening was not heard nobody can say: it may be another than the one
    /// with the address, so it has the connection's name.
    fn module(&self, request: &Request, kept: &Kept, key: Key, server: bool) -> Address {
        let address = Address::from(self.end(server));
        match (key, self.pending.connection_of(key)) {
            (_, Some(opened)) => opened.route.behind(address),
            (Key::Connected(id, _), None) => Address { path: Some(format!("connection 0x{id:08x}")), ..address },
            _ if kept.wanted == Wanted::Open => {
                cip::way_of_open(request, &kept.bytes, &mut |_, _| {}).map_or(address.clone(), |route| route.behind(address))
            }
            _ => request.way(&kept.bytes).handed_on_by(address),
        }
    }

    fn open(&mut self, request: &Request, question: Box<Kept>, reply: Reply, spoken: Spoken<'_>) {
        let Some((to_target, to_originator)) = reply.opened(spoken.bytes) else { return };
        let Some(route) = cip::way_of_open(request, &question.bytes, &mut |_, _| {}) else { return };
        let answer = Message { frame: spoken.at.frame, time_ns: spoken.at.time_ns, bytes: spoken.bytes.to_vec() };
        self.pending.open(Opened { by_server: !spoken.by_server, to_target, to_originator, route, question, answer });
    }

    fn identity(
        &mut self,
        (request, kept): (&Request, Kept),
        (key, reply): (Key, Reply),
        spoken: Spoken<'_>,
        speaker: Address,
        out: &mut dyn FnMut(Heard),
    ) {
        let Spoken { bytes, at, .. } = spoken;
        let status = kept.wanted == Wanted::Status;
        let path = speaker.path.clone().unwrap_or_default();
        let (asked, answer) = (request.body(&kept.bytes), Cursor::new(cip::NAME, bytes).from(reply.body.at).until(reply.body.end));
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
        if status && reply.status == 0 {
            pccc::diagnostic_status(&mut reading, asked, answer);
        } else if !status {
            cip::identity(&mut reading, (request, &kept.bytes), bytes, reply);
        }
        missing(&mut reading, bytes, reply.body.end);
        if reading.facts.is_empty() && reading.malformed.is_empty() {
            return;
        }
        let Some(opened) = self.pending.connection_of(key) else { return out(Heard::Reading(reading.asked_by(kept.at, &kept.bytes))) };
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
        let bit = match role {
            Role::Server => 1,
            Role::Client => 2,
            Role::Publisher => 4,
        } << (u8::from(side) * 4);
        if self.roles & bit == 0 {
            self.roles |= bit;
            out(Heard::Present { protocol: NAME, role, speaker: speaker(), at });
        }
    }
}

/// Notes that a message which reads well ends before its promised end.
fn missing(reading: &mut Reading, bytes: &[u8], end: usize) {
    if reading.complete && bytes.len() < end {
        let said_by = "length of the encapsulation or of an item (CIP volume 2, 2-3.1, 2-6.2)";
        reading.broken(Malformed::short(NAME, bytes.len(), end - bytes.len(), 0, said_by));
    }
}

/// That something was done to whoever is asked so.
fn done(happening: Happening, key: Key, route: &[u8]) -> u64 {
    let connection = if let Key::Connected(id, _) = key { id.to_le_bytes() } else { [0; 4] };
    digest(&[happening_name(happening), &connection, route])
}

const fn happening_name(happening: Happening) -> &'static [u8] {
    match happening {
        Happening::FirmwareTransfer => b"transfer",
        Happening::Reset => b"reset",
        Happening::Renamed => b"renamed",
        Happening::Programmed => b"programmed",
    }
}
