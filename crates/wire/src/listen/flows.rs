//! One followed conversation between addresses: two streams, or datagrams, and what is said in them.

use super::table::Place;
use super::{Event, broken, senders, told};
use crate::Malformed;
use crate::conversation::{Conversation, End, Over, Said};
use crate::link::Peeled;
use crate::protocols::Directory;
use crate::tcp::{At, Piece, Segment, Stream};
use crate::udp::Datagram;

/// Beginnings (of a segment, of a datagram) that are looked at before a conversation is taken for one that is not read here: the capture
/// may start in the middle of a message.
const LOOKS_MAX: u8 = 6;

/// One TCP connection, or two ends that exchange datagrams.
#[derive(Debug)]
pub(super) struct Flow {
    /// Heard from again since the search for the next to evict passed by.
    pub(super) used: bool,
    over: Over,
    /// The server stands first in the conversation's key.
    server_first: bool,
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
    #[inline]
    fn known(&mut self, directory: &Directory, over: Over, ports: [Option<u16>; 2], bytes: &[u8]) -> Option<&mut Box<dyn Conversation>> {
        if let Self::Unknown(looks) = *self {
            *self = Self::look(looks, directory, over, ports, bytes);
        }
        if let Self::Known(conversation) = self { Some(conversation) } else { None }
    }

    #[cold]
    fn look(looks: u8, directory: &Directory, over: Over, ports: [Option<u16>; 2], bytes: &[u8]) -> Self {
        let expected = ports.into_iter().flatten().find_map(|port| directory.on_port(over, port));
        match directory.of_bytes(bytes, over, expected) {
            Some(protocol) => Self::Known((protocol.start)(over)),
            None if looks >= LOOKS_MAX => Self::PassedOver,
            None => Self::Unknown(looks + 1),
        }
    }
}

impl Flow {
    /// Between server and client, of which the server stands first in its key or not.
    pub(super) fn new(over: Over, (server, client): (Place, Place), server_first: bool) -> Self {
        Self {
            used: false,
            over,
            server_first,
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
    pub(super) fn restart(&mut self, roles: (Place, Place), server_first: bool) {
        *self = Self { used: true, ..Self::new(self.over, roles, server_first) };
    }

    /// False where nothing more of it needs to be heard.
    #[inline]
    pub(super) const fn is_followed(&self) -> bool {
        !matches!(self.talk, Talk::PassedOver)
    }

    /// True for the side of the server; the sides are told apart by which of them stands first in the key.
    #[inline]
    pub(super) const fn is_server(&self, first: bool) -> bool {
        self.server_first == first
    }

    /// Notes who sent a frame.
    #[inline]
    pub(super) fn meet(&mut self, from_server: bool, peeled: &Peeled<'_>) {
        if from_server && !self.server_spoke {
            (self.server.mac, self.server_spoke) = (peeled.sender(), true);
        } else if self.server.mac.is_none() {
            self.server.mac = peeled.receiver();
        }
        if !from_server && self.client.mac.is_none() {
            self.client.mac = peeled.sender();
        }
    }

    /// Takes a SYN. False where it opens another connection than the one heard so far.
    pub(super) fn synchronise(&mut self, from_server: bool, seq: u32) -> bool {
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

    /// Takes a segment: what it says about the other side's stream, then its own bytes.
    #[inline]
    pub(super) fn take(
        &mut self,
        directory: &Directory,
        from_server: bool,
        segment: &Segment<'_>,
        at: At,
        held_total: &mut usize,
        out: &mut dyn FnMut(Event),
    ) {
        if let Some(ack) = segment.ack {
            let other = if from_server { &mut self.questions } else { &mut self.answers };
            if other.acked(ack) {
                self.hear(directory, !from_server, at, out, |stream, pieces| stream.settle(held_total, pieces));
            }
        }
        if segment.fills() {
            self.hear(directory, from_server, at, out, |stream, pieces| stream.push(segment, at, held_total, pieces));
        }
    }

    /// Lets one direction's stream hand on its pieces, and the conversation hear them.
    fn hear(
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
                    conversation.hear(&said, &mut |heard| out(told(heard, *over, said.missing, [from, to])));
                }
            }
            Piece::Gap(bytes) => {
                let Talk::Known(conversation) = talk else { return };
                conversation.lose(from_server, at, &mut |heard| out(told(heard, *over, 0, [from, to])));
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
        by_server: bool,
        peeled: &Peeled<'_>,
        datagram: &Datagram<'_>,
        out: &mut dyn FnMut(Event),
    ) {
        // A server's port is a part of its address. So is a peer's, who asks from the port on which the same protocol asks him; what a client took for one
        // question is not.
        let spoken = |port: u16| directory.on_port(Over::Udp, port).map(|protocol| protocol.name);
        let served = self.server.port.and_then(spoken);
        let port = |port: u16, server: bool| (server || served.is_some() && spoken(port) == served).then_some(port);
        let (src, dst) = if by_server { (&self.server, &self.client) } else { (&self.client, &self.server) };
        let from = End { mac: peeled.sender(), ip: src.ip, port: port(datagram.src_port, by_server) };
        let to = End { mac: peeled.receiver(), ip: dst.ip, port: port(datagram.dst_port, !by_server) };
        let Some(conversation) = self.talk.known(directory, Over::Udp, [self.server.port, to.port], datagram.payload) else { return };
        let said = Said { bytes: datagram.payload, missing: datagram.missing, at, from: &from, to: &to, by_server };
        conversation.hear(&said, &mut |heard| out(told(heard, Over::Udp, said.missing, [&from, &to])));
    }

    /// Hands on what still waits, and ends the conversation. More may be heard afterwards: of a connection that only seemed over.
    pub(super) fn finish(&mut self, directory: &Directory, at: At, held_total: &mut usize, out: &mut dyn FnMut(Event)) {
        for from_server in [false, true] {
            self.hear(directory, from_server, at, out, |stream, pieces| stream.flush(held_total, pieces));
        }
        if let Talk::Known(mut conversation) = core::mem::replace(&mut self.talk, Talk::Unknown(0)) {
            senders::end(&mut conversation, self.over, at, [&self.server, &self.client], out);
        }
        self.used = false;
    }
}
