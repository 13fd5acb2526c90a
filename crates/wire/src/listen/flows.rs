//! The table of followed connections, and one connection: two streams and the conversation that they carry.

use core::net::IpAddr;
use std::collections::HashMap;

use super::{Event, broken};
use crate::link::Peeled;
use crate::modbus::{self, Conversation, Heard};
use crate::tcp::{At, Piece, Stream};
use crate::{Address, Malformed};

/// Connections followed at once; a site has thousands, a port scan in the capture may have more. The least used go first.
pub(super) const FLOWS_MAX: usize = 65_536;

/// Address and port of one side.
pub(super) type End = (IpAddr, u16);

/// A connection, the same whichever side sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(End, End);

impl Key {
    pub(super) fn of(src: End, dst: End) -> Self {
        if src <= dst { Self(src, dst) } else { Self(dst, src) }
    }
}

/// Connections by key. The keys are chosen by whoever sends, so the map keeps the standard library's keyed hash; only frames
/// on a server port come this far.
#[derive(Debug, Default)]
pub(super) struct Flows {
    index: HashMap<Key, usize>,
    slots: Vec<(Key, Flow)>,
    /// Where the search for the next to evict goes on (the clock algorithm, or second chance: no list to keep in order).
    hand: usize,
}

impl Flows {
    pub(super) fn find(&mut self, key: &Key) -> Option<usize> {
        let slot = *self.index.get(key)?;
        let (_, flow) = self.slots.get_mut(slot)?;
        flow.used = true;
        Some(slot)
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Flow> {
        self.slots.get_mut(slot).map(|(_, flow)| flow)
    }

    /// Gives a new connection a slot; where all are taken, one that was not used of late is finished by `evict`.
    pub(super) fn open(&mut self, key: Key, (server, client): (End, End), evict: &mut dyn FnMut(&mut Flow)) -> usize {
        let slot = if self.slots.len() < FLOWS_MAX {
            self.slots.push((key, Flow::new(server, client)));
            self.slots.len() - 1
        } else {
            let slot = self.unused();
            if let Some((old, flow)) = self.slots.get_mut(slot) {
                evict(flow);
                self.index.remove(old);
                (*old, *flow) = (key, Flow::new(server, client));
            }
            slot
        };
        self.index.insert(key, slot);
        slot
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Flow> + '_ {
        self.index.clear();
        self.slots.drain(..).map(|(_, flow)| flow)
    }

    /// Slots and keys in use.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.slots.len(), self.index.len())
    }

    fn unused(&mut self) -> usize {
        loop {
            let slot = self.hand;
            self.hand = (slot + 1) % FLOWS_MAX;
            match self.slots.get_mut(slot) {
                // A round clears every mark, so the second round finds one.
                Some((_, flow)) if flow.used => flow.used = false,
                _ => return slot,
            }
        }
    }
}

/// One TCP connection.
#[derive(Debug)]
pub(super) struct Flow {
    /// Heard from again since the search for the next to evict passed by.
    used: bool,
    /// Where the server is; its hardware address is that of its own frames, or before the first of those where frames to it went.
    server: Address,
    server_spoke: bool,
    client: IpAddr,
    questions: Stream,
    answers: Stream,
    questions_closed: bool,
    answers_closed: bool,
    /// Made with the first bytes: by then the server has usually sent a frame.
    conversation: Option<Conversation>,
}

impl Flow {
    fn new(server: End, client: End) -> Self {
        Self {
            used: false,
            server: Address { ip: Some(server.0), port: Some(server.1), ..Address::default() },
            server_spoke: false,
            client: client.0,
            questions: Stream::default(),
            answers: Stream::default(),
            questions_closed: false,
            answers_closed: false,
            conversation: None,
        }
    }

    /// Begins another connection on the same ports.
    pub(super) fn restart(&mut self, server: End, client: End) {
        *self = Self { used: true, ..Self::new(server, client) };
    }

    /// Notes who sent a frame; true where it was the server.
    pub(super) fn meet(&mut self, src: End, peeled: &Peeled<'_>) -> bool {
        let from_server = self.is_server(src);
        if from_server && !self.server_spoke {
            (self.server.mac, self.server_spoke) = (peeled.src, true);
        } else if self.server.mac.is_none() {
            self.server.mac = peeled.dst;
        }
        from_server
    }

    /// Takes a SYN. False where it opens another connection than the one heard so far.
    pub(super) fn synchronise(&mut self, src: End, seq: u32) -> bool {
        if self.is_server(src) { self.answers.open(seq) } else { self.questions.open(seq) }
    }

    /// Takes a FIN; true when neither side will send more.
    pub(super) fn close(&mut self, from_server: bool) -> bool {
        if from_server {
            self.answers_closed = true
        } else {
            self.questions_closed = true
        }
        self.questions_closed && self.answers_closed
    }

    /// Lets one direction's stream hand on its pieces, and the conversation hear them.
    pub(super) fn hear(
        &mut self,
        from_server: bool,
        at: At,
        out: &mut dyn FnMut(Event),
        feed: impl FnOnce(&mut Stream, &mut dyn FnMut(Piece<'_>)),
    ) {
        let Self { server, client, questions, answers, conversation, .. } = self;
        let stream = if from_server { answers } else { questions };
        feed(stream, &mut |piece| {
            let conversation = conversation.get_or_insert_with(|| Conversation::new(server.clone()));
            let speaker = || if from_server { server.clone() } else { Address { ip: Some(*client), ..Address::default() } };
            match piece {
                Piece::Bytes(bytes, At { frame, time_ns }) if from_server => {
                    conversation.answer(bytes, frame, time_ns, &mut |heard| out(event(server, heard)));
                }
                Piece::Bytes(bytes, At { frame, time_ns }) => {
                    // A client's bytes that are no Modbus are reported against the client.
                    conversation.question(bytes, frame, time_ns, &mut |heard| out(event(&speaker(), heard)));
                }
                Piece::Gap(bytes) => {
                    if from_server {
                        conversation.answer_gap(at.frame, at.time_ns, &mut |heard| out(event(server, heard)));
                    } else {
                        conversation.question_gap();
                    }
                    if bytes > 0 {
                        out(Event::Gap { frame: at.frame, time_ns: at.time_ns, speaker: speaker(), bytes: bytes as u64 });
                    }
                }
                Piece::Conflict => {
                    let malformed = Malformed::wrong("tcp", 4, "two versions of the same bytes: the first counts (RFC 9293, 3.10.7.4)");
                    out(broken(at, Some(speaker()), malformed));
                }
            }
        });
    }

    /// Hands on what still waits, and ends the conversation. More may be heard afterwards: of a connection that only seemed over.
    pub(super) fn finish(&mut self, at: At, held_total: &mut usize, out: &mut dyn FnMut(Event)) {
        for from_server in [false, true] {
            self.hear(from_server, at, out, |stream, pieces| stream.flush(held_total, pieces));
        }
        if let Some(mut conversation) = self.conversation.take() {
            conversation.finish(at.frame, at.time_ns, &mut |heard| out(event(&self.server, heard)));
        }
        self.used = false;
    }

    fn is_server(&self, end: End) -> bool {
        (self.server.ip, self.server.port) == (Some(end.0), Some(end.1))
    }
}

fn event(speaker: &Address, heard: Heard) -> Event {
    match heard {
        Heard::Reading(reading) => Event::Reading(reading),
        Heard::Server { unit, frame, time_ns } => {
            let speaker = Address { unit: Some(unit), ..speaker.clone() };
            Event::Server { protocol: modbus::NAME, speaker, frame, time_ns }
        }
        Heard::Malformed { frame, time_ns, malformed } => broken(At { frame, time_ns }, Some(speaker.clone()), malformed),
    }
}
