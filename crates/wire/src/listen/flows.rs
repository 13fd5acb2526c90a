//! The table of followed conversations between addresses, and one of them: two streams, or datagrams, and what is said in them.

use core::net::IpAddr;
use std::collections::HashMap;

use super::{Event, broken, senders};
use crate::conversation::{Conversation, End, Over, Said};
use crate::link::Peeled;
use crate::protocols::Directory;
use crate::tcp::{At, Piece, Stream};
use crate::udp::Datagram;
use crate::{Mac, Malformed};

/// Conversations followed at once; a site has thousands, a port scan in the capture may have more. The least used go first.
pub(super) const FLOWS_MAX: usize = 65_536;

/// Beginnings (of a segment, of a datagram) that are looked at before a conversation is taken for one that is not read here: the capture
/// may start in the middle of a message.
const LOOKS_MAX: u8 = 6;

/// Address and port of one side.
pub(super) type Place = (IpAddr, u16);

/// A conversation, the same whichever side sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Over, Place, Place);

impl Key {
    pub(super) fn of(over: Over, src: Place, dst: Place) -> Self {
        if src <= dst { Self(over, src, dst) } else { Self(over, dst, src) }
    }
}

/// Conversations by key. The keys are chosen by whoever sends, so the map keeps the standard library's keyed hash.
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

    /// Gives a new conversation a slot; where all are taken, one that was not used of late is finished by `evict`.
    pub(super) fn open(&mut self, key: Key, over: Over, roles: (Place, Place), evict: &mut dyn FnMut(&mut Flow)) -> usize {
        let slot = if self.slots.len() < FLOWS_MAX {
            self.slots.push((key, Flow::new(over, roles)));
            self.slots.len() - 1
        } else {
            let slot = self.unused();
            if let Some((old, flow)) = self.slots.get_mut(slot) {
                evict(flow);
                self.index.remove(old);
                (*old, *flow) = (key, Flow::new(over, roles));
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

/// One TCP connection, or two ends that exchange datagrams.
#[derive(Debug)]
pub(super) struct Flow {
    /// Heard from again since the search for the next to evict passed by.
    used: bool,
    over: Over,
    /// Its hardware address is that of its own frames, or before the first of those where frames to it went.
    server: End,
    server_spoke: bool,
    client: End,
    questions: Stream,
    answers: Stream,
    questions_closed: bool,
    answers_closed: bool,
    talk: Talk,
}

/// What is spoken.
#[derive(Debug)]
enum Talk {
    /// Not known after so many looks.
    Unknown(u8),
    Known(Box<dyn Conversation>),
    /// Nothing that is read here.
    PassedOver,
}

impl Talk {
    /// The conversation, as soon as bytes tell which protocol it is in.
    fn known(&mut self, directory: &Directory, over: Over, ports: [Option<u16>; 2], bytes: &[u8]) -> Option<&mut Box<dyn Conversation>> {
        if let Self::Unknown(looks) = self {
            let expected = ports.into_iter().flatten().find_map(|port| directory.on_port(over, port));
            *self = match directory.of_bytes(bytes, over, expected) {
                Some(protocol) => Self::Known((protocol.start)(over)),
                None if *looks >= LOOKS_MAX => Self::PassedOver,
                None => Self::Unknown(*looks + 1),
            };
        }
        if let Self::Known(conversation) = self { Some(conversation) } else { None }
    }
}

impl Flow {
    fn new(over: Over, (server, client): (Place, Place)) -> Self {
        Self {
            used: false,
            over,
            server: End { mac: None, ip: Some(server.0), port: Some(server.1) },
            server_spoke: false,
            client: End { mac: None, ip: Some(client.0), port: None },
            questions: Stream::default(),
            answers: Stream::default(),
            questions_closed: false,
            answers_closed: false,
            talk: Talk::Unknown(0),
        }
    }

    /// Begins another connection on the same ports.
    pub(super) fn restart(&mut self, roles: (Place, Place)) {
        *self = Self { used: true, ..Self::new(self.over, roles) };
    }

    /// False where nothing more of it needs to be heard.
    pub(super) const fn is_followed(&self) -> bool {
        !matches!(self.talk, Talk::PassedOver)
    }

    /// Notes who sent a frame; true where it was the server.
    pub(super) fn meet(&mut self, src: Place, peeled: &Peeled<'_>) -> bool {
        let from_server = (self.server.ip, self.server.port) == (Some(src.0), Some(src.1));
        if from_server && !self.server_spoke {
            (self.server.mac, self.server_spoke) = (peeled.src, true);
        } else if self.server.mac.is_none() {
            self.server.mac = peeled.dst;
        }
        if !from_server && self.client.mac.is_none() {
            self.client.mac = peeled.src;
        }
        from_server
    }

    /// Takes a SYN. False where it opens another connection than the one heard so far.
    pub(super) fn synchronise(&mut self, src: Place, seq: u32) -> bool {
        let from_server = (self.server.ip, self.server.port) == (Some(src.0), Some(src.1));
        if from_server { self.answers.open(seq) } else { self.questions.open(seq) }
    }

    /// Takes a FIN; true when neither side will send more.
    pub(super) fn close(&mut self, from_server: bool) -> bool {
        if from_server {
            self.answers_closed = true;
        } else {
            self.questions_closed = true;
        }
        self.questions_closed && self.answers_closed
    }

    /// Lets one direction's stream hand on its pieces, and the conversation hear them.
    pub(super) fn hear(
        &mut self,
        directory: &Directory,
        from_server: bool,
        at: At,
        out: &mut dyn FnMut(Event),
        feed: impl FnOnce(&mut Stream, &mut dyn FnMut(Piece<'_>)),
    ) {
        let Self { server, client, questions, answers, talk, over, .. } = self;
        let (stream, from, to) = if from_server { (answers, &*server, &*client) } else { (questions, &*client, &*server) };
        feed(stream, &mut |piece| match piece {
            Piece::Bytes(bytes, at) => {
                if let Some(conversation) = talk.known(directory, *over, [server.port, None], bytes) {
                    let said = Said { bytes, missing: 0, at, from, to, by_server: from_server };
                    conversation.hear(&said, &mut |heard| out(heard.into()));
                }
            }
            Piece::Gap(bytes) => {
                let Talk::Known(conversation) = talk else { return };
                conversation.lose(from_server, at, &mut |heard| out(heard.into()));
                if bytes > 0 {
                    out(Event::Gap { at, speaker: from.into(), bytes: bytes as u64 });
                }
            }
            Piece::Conflict => {
                let malformed = Malformed::wrong("tcp", 4, "two versions of the same bytes: the first counts (RFC 9293, 3.10.7.4)");
                out(broken(at, Some(from.into()), malformed));
            }
        });
    }

    /// Lets the conversation hear a datagram.
    pub(super) fn hear_datagram(
        &mut self,
        directory: &Directory,
        at: At,
        (src, src_mac): (Place, Option<Mac>),
        (dst, dst_mac): (Place, Option<Mac>),
        datagram: &Datagram<'_>,
        out: &mut dyn FnMut(Event),
    ) {
        let by_server = (self.server.ip, self.server.port) == (Some(src.0), Some(src.1));
        // A server's port is a part of its address; what a client took for one question is not.
        let port = |place: Place, server: bool| (server || directory.on_port(Over::Udp, place.1).is_some()).then_some(place.1);
        let from = End { mac: src_mac, ip: Some(src.0), port: port(src, by_server) };
        let to = End { mac: dst_mac, ip: Some(dst.0), port: port(dst, !by_server) };
        let Some(conversation) = self.talk.known(directory, Over::Udp, [self.server.port, to.port], datagram.payload) else { return };
        let said = Said { bytes: datagram.payload, missing: datagram.missing, at, from: &from, to: &to, by_server };
        conversation.hear(&said, &mut |heard| out(heard.into()));
    }

    /// Hands on what still waits, and ends the conversation. More may be heard afterwards: of a connection that only seemed over.
    pub(super) fn finish(&mut self, directory: &Directory, at: At, held_total: &mut usize, out: &mut dyn FnMut(Event)) {
        for from_server in [false, true] {
            self.hear(directory, from_server, at, out, |stream, pieces| stream.flush(held_total, pieces));
        }
        if let Talk::Known(mut conversation) = core::mem::replace(&mut self.talk, Talk::Unknown(0)) {
            senders::end(&mut conversation, at, out);
        }
        self.used = false;
    }
}
