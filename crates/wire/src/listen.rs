//! The passive path in one pass: frames in, events out. Nothing is sent, and no protocol is guessed from its shape: only
//! TCP connections with a known server port are followed.

mod flows;

use crate::capture::{Frame, LinkType};
use crate::ip::{self, Packet};
use crate::link::{self, Payload, Peeled};
use crate::modbus;
use crate::tcp::{At, Segment};
use crate::{Address, Malformed, Reading};
use flows::{End, Flows, Key};

/// What a pass over frames yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An identity answer, whole or as far as it was heard.
    Reading(Reading),
    /// A unit answered for the first time in its connection: there is a server, whether or not it tells what it is.
    Server {
        /// As in [`Reading::protocol`].
        protocol: &'static str,
        /// Where it answers.
        speaker: Address,
        /// Frame of that answer.
        frame: u64,
        /// Time of that answer in nanoseconds since 1970.
        time_ns: u64,
    },
    /// Bytes of some layer that break its rules, or that the capture cut inside a header.
    Malformed {
        /// The frame in which they stand.
        frame: u64,
        /// Its time in nanoseconds since 1970.
        time_ns: u64,
        /// Who sent them, as far as it was read.
        speaker: Option<Address>,
        /// Offsets count from the start of that layer.
        malformed: Malformed,
    },
    /// Bytes of a followed connection that were sent and not captured.
    Gap {
        /// The frame at which they were given up.
        frame: u64,
        /// Its time in nanoseconds since 1970.
        time_ns: u64,
        /// Who sent them; a port only where it was the server.
        speaker: Address,
        /// How many.
        bytes: u64,
    },
    /// A part of an IP packet that was sent in parts. It is not decoded.
    Fragment {
        /// The frame that holds it.
        frame: u64,
        /// Its time in nanoseconds since 1970.
        time_ns: u64,
        /// Who sent it.
        speaker: Address,
    },
    /// A frame of a link type that is not read here.
    Undecoded {
        /// The frame.
        frame: u64,
        /// Its time in nanoseconds since 1970.
        time_ns: u64,
        /// Its link type.
        link: LinkType,
    },
}

/// Follows the connections in a sequence of frames. Memory is bounded by the caps here, in [`crate::tcp`] and in the protocols.
#[derive(Debug)]
pub struct Listener {
    ports: Vec<u16>,
    flows: Flows,
    /// Out-of-order bytes held by all flows.
    held_total: usize,
    last: At,
}

impl Listener {
    /// A listener for Modbus on its registered port, and on the server ports `decode_as`.
    pub fn new(decode_as: Vec<u16>) -> Self {
        let mut ports = decode_as;
        ports.insert(0, modbus::PORT);
        Self { ports, flows: Flows::default(), held_total: 0, last: At::default() }
    }

    /// Takes the next frame.
    pub fn frame(&mut self, frame: &Frame<'_>, out: &mut dyn FnMut(Event)) {
        let at = At { frame: frame.number, time_ns: frame.time_ns };
        self.last = at;
        let peeled = match link::peel(frame) {
            Ok(peeled) => peeled,
            Err(malformed) => return out(broken(at, None, malformed)),
        };
        let cut = (frame.wire_len as usize).saturating_sub(frame.bytes.len());
        let packet = match peeled.payload {
            Payload::Ipv4(bytes) => ip::ipv4(bytes, cut),
            Payload::Ipv6(bytes) => ip::ipv6(bytes, cut),
            Payload::Other(_) => return,
            Payload::UnknownLink => return out(Event::Undecoded { frame: at.frame, time_ns: at.time_ns, link: frame.link }),
        };
        let packet = match packet {
            Ok(packet) => packet,
            Err(malformed) => return out(broken(at, Some(Address { mac: peeled.src, ..Address::default() }), malformed)),
        };
        let speaker = || Address { mac: peeled.src, ip: Some(packet.src), ..Address::default() };
        if packet.fragment {
            return out(Event::Fragment { frame: at.frame, time_ns: at.time_ns, speaker: speaker() });
        }
        if packet.protocol != ip::PROTOCOL_TCP {
            return;
        }
        match Segment::read(packet.payload, packet.missing) {
            Ok(segment) if self.ports.contains(&segment.src_port) || self.ports.contains(&segment.dst_port) => {
                self.segment(at, &peeled, &packet, &segment, out);
            }
            Ok(_) => {}
            Err(malformed) => out(broken(at, Some(speaker()), malformed)),
        }
    }

    /// The frames are over: hands on what was still waiting for more.
    pub fn finish(&mut self, out: &mut dyn FnMut(Event)) {
        for mut flow in self.flows.drain() {
            flow.finish(self.last, &mut self.held_total, out);
        }
    }

    fn segment(&mut self, at: At, peeled: &Peeled<'_>, packet: &Packet<'_>, segment: &Segment<'_>, out: &mut dyn FnMut(Event)) {
        let held_total = &mut self.held_total;
        let (src, dst) = ((packet.src, segment.src_port), (packet.dst, segment.dst_port));
        let key = Key::of(src, dst);
        let flow = match self.flows.find(&key) {
            Some(flow) => flow,
            // Nothing to follow: a bare acknowledgement or reset takes no room in the table.
            None if segment.rst || !(segment.syn || segment.fills()) => return,
            None => {
                let roles = server_and_client(&self.ports, segment, src, dst);
                self.flows.open(key, roles, &mut |evicted| evicted.finish(at, held_total, out))
            }
        };
        let Some(flow) = self.flows.get_mut(flow) else { return };
        if segment.rst {
            return flow.finish(at, held_total, out);
        }
        if segment.syn && !flow.synchronise(src, segment.seq) {
            // The ports are used again: what was heard of the connection before is all there will be of it.
            flow.finish(at, held_total, out);
            let (server, client) = server_and_client(&self.ports, segment, src, dst);
            flow.restart(server, client);
            flow.synchronise(src, segment.seq);
        }
        let from_server = flow.meet(src, peeled);
        if let Some(ack) = segment.ack {
            flow.hear(!from_server, at, out, |stream, pieces| stream.acked(ack, held_total, pieces));
        }
        flow.hear(from_server, at, out, |stream, pieces| stream.push(segment, at, held_total, pieces));
        if segment.fin && flow.close(from_server) {
            flow.finish(at, held_total, out);
        }
    }
}

/// The side with the known port is the server. Where both ports are known it is the side that a SYN goes to, or without a SYN
/// the lower port, or with equal ports the side that did not speak first.
fn server_and_client(ports: &[u16], segment: &Segment<'_>, src: End, dst: End) -> (End, End) {
    let from_server = match (ports.contains(&src.1), ports.contains(&dst.1)) {
        (true, true) if segment.syn => segment.ack.is_some(),
        (true, true) => src.1 < dst.1,
        (from_known, _) => from_known,
    };
    if from_server { (src, dst) } else { (dst, src) }
}

fn broken(at: At, speaker: Option<Address>, malformed: Malformed) -> Event {
    Event::Malformed { frame: at.frame, time_ns: at.time_ns, speaker, malformed }
}

#[cfg(test)]
mod tests;
