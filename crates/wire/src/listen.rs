//! The passive path in one pass: frames in, events out. Nothing is sent.

mod flows;
mod senders;

use crate::capture::{Frame, LinkType};
use crate::conversation::{Coverage, End, Happening, Heard, Kind, Over, Protocol, Role, Said};
use crate::ip::{self, Packet};
use crate::link::{self, Payload, Peeled};
use crate::parts::{Parts, Unfinished};
use crate::protocols::Directory;
use crate::tcp::{At, Segment};
use crate::tunnel::{self, Inner, TUNNELS_MAX};
use crate::udp::Datagram;
use crate::{Address, Malformed, Reading};
use flows::{Flows, Key, Place};
use senders::Senders;

/// What a pass over frames yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An identity answer, whole or as far as it was heard; or what somebody believes about a device.
    Reading(Reading),
    /// Somebody takes part in a protocol for the first time in a conversation, whether or not he tells what he is.
    Present {
        /// As in [`Reading::protocol`].
        protocol: &'static str,
        /// What he is there.
        role: Role,
        /// Where he is.
        speaker: Address,
        /// The message that showed it.
        at: At,
    },
    /// Something was done to a device: a firmware transfer, a reset.
    Happened {
        /// As in [`Reading::protocol`].
        protocol: &'static str,
        /// What.
        happening: Happening,
        /// To whom.
        device: Address,
        /// The message that showed it.
        at: At,
    },
    /// Bytes of some layer that break its rules, or that the capture cut inside a header.
    Malformed {
        /// The frame in which they stand.
        at: At,
        /// Who sent them, as far as it was read.
        speaker: Option<Address>,
        /// Offsets count from the start of that layer.
        malformed: Malformed,
    },
    /// Bytes of a followed connection that were sent and not captured.
    Gap {
        /// The frame at which they were given up.
        at: At,
        /// Who sent them; a port only where it was the server.
        speaker: Address,
        /// How many.
        bytes: u64,
    },
    /// A packet that was sent in parts, not all of which were heard. It is not decoded.
    Fragment {
        /// The frame that holds the first part that was heard.
        at: At,
        /// Who sent it.
        speaker: Address,
    },
    /// A frame of a link type that is not read here.
    Undecoded {
        /// The frame.
        at: At,
        /// Its link type.
        link: LinkType,
    },
    /// A conversation is over: how many messages of a protocol it had.
    Covered {
        /// As in [`Reading::protocol`].
        protocol: &'static str,
        /// How many.
        coverage: Coverage,
    },
}

/// Follows the conversations in a sequence of frames. Memory is bounded by the caps here, in [`crate::tcp`] and in the protocols.
#[derive(Debug)]
pub struct Listener {
    directory: Directory,
    flows: Flows,
    senders: Senders,
    parts: Parts,
    /// Out-of-order bytes held by all flows.
    held_total: usize,
    last: At,
}

impl Listener {
    /// A listener for all protocols on their own ports, and on the server ports in `also`.
    #[must_use]
    pub fn new(also: &[(u16, &'static Protocol)]) -> Self {
        let (directory, flows, senders, parts) = (Directory::new(also), Flows::default(), Senders::default(), Parts::default());
        Self { directory, flows, senders, parts, held_total: 0, last: At::default() }
    }

    /// Takes the next frame.
    pub fn frame(&mut self, frame: &Frame<'_>, out: &mut dyn FnMut(Event)) {
        let at = At { frame: frame.number, time_ns: frame.time_ns };
        self.last = at;
        let cut = (frame.wire_len as usize).saturating_sub(frame.bytes.len());
        match link::peel(frame) {
            // A link type that is one protocol altogether, or one that is not read.
            Ok(peeled @ Peeled { payload: Payload::UnknownLink, .. }) => {
                let kind = Kind::Bus(frame.link.0);
                if self.directory.on_link(kind).is_none() {
                    return out(Event::Undecoded { at, link: frame.link });
                }
                self.peeled(at, &Peeled { payload: Payload::Link(kind, frame.bytes), ..peeled }, cut, 0, out);
            }
            Ok(peeled) => self.peeled(at, &peeled, cut, 0, out),
            Err(malformed) => out(broken(at, None, malformed)),
        }
    }

    /// Takes what a link layer carries; `cut` bytes of it were not captured, and it stands inside so many tunnels.
    fn peeled(&mut self, at: At, peeled: &Peeled<'_>, cut: usize, tunnels: usize, out: &mut dyn FnMut(Event)) {
        let packet = match peeled.payload {
            Payload::Ipv4(bytes) => ip::ipv4(bytes, cut),
            Payload::Ipv6(bytes) => ip::ipv6(bytes, cut),
            Payload::Link(kind, bytes) => {
                return match tunnel::of_link(kind, bytes) {
                    Ok(Some(inner)) => self.inner(at, peeled, inner, cut, tunnels, out),
                    Ok(None) => self.senders.hear(&self.directory, at, peeled, kind, (bytes, cut), out),
                    Err(malformed) => out(broken(at, Some(Address { mac: peeled.src, ..Address::default() }), malformed)),
                };
            }
            Payload::Other(_) | Payload::UnknownLink => return,
        };
        let packet = match packet {
            Ok(packet) => packet,
            Err(malformed) => return out(broken(at, Some(Address { mac: peeled.src, ..Address::default() }), malformed)),
        };
        let Some(part) = packet.part else { return self.packet(at, peeled, &packet, tunnels, out) };
        let mut unfinished = |Unfinished { at, speaker }| out(Event::Fragment { at, speaker });
        match self.parts.take(&packet, part, peeled.src, at, &mut unfinished) {
            Ok(Some(whole)) => self.packet(at, peeled, &Packet { payload: &whole, missing: 0, part: None, ..packet }, tunnels, out),
            Ok(None) => {}
            Err(malformed) => out(broken(at, Some(sender(peeled, &packet)), malformed)),
        }
    }

    /// Takes a whole packet.
    fn packet(&mut self, at: At, peeled: &Peeled<'_>, packet: &Packet<'_>, tunnels: usize, out: &mut dyn FnMut(Event)) {
        match packet.protocol {
            ip::PROTOCOL_TCP => match Segment::read(packet.payload, packet.missing) {
                Ok(segment) => self.segment(at, peeled, packet, &segment, out),
                Err(malformed) => out(broken(at, Some(sender(peeled, packet)), malformed)),
            },
            ip::PROTOCOL_UDP => match Datagram::read(packet.payload, packet.missing) {
                Ok(datagram) => {
                    let vxlan = Some(datagram.payload).filter(|_| datagram.dst_port == tunnel::VXLAN_PORT).and_then(tunnel::of_vxlan);
                    match vxlan {
                        Some(inner) => self.inner(at, peeled, inner, datagram.missing, tunnels, out),
                        None => self.datagram(at, peeled, packet, &datagram, out),
                    }
                }
                Err(malformed) => out(broken(at, Some(sender(peeled, packet)), malformed)),
            },
            protocol => match tunnel::of_ip(protocol, packet.payload) {
                Ok(Some(inner)) => self.inner(at, &Peeled { src: None, dst: None, ..*peeled }, inner, packet.missing, tunnels, out),
                Ok(None) => {}
                Err(malformed) => out(broken(at, Some(sender(peeled, packet)), malformed)),
            },
        }
    }

    /// Takes what stands inside a tunnel.
    fn inner(&mut self, at: At, peeled: &Peeled<'_>, inner: Inner<'_>, cut: usize, tunnels: usize, out: &mut dyn FnMut(Event)) {
        if tunnels == TUNNELS_MAX {
            return out(broken(at, None, Malformed::wrong("tunnel", 0, "more than 4 tunnels inside each other")));
        }
        let payload = match inner {
            Inner::Ipv4(bytes) => Payload::Ipv4(bytes),
            Inner::Ipv6(bytes) => Payload::Ipv6(bytes),
            Inner::Ethernet(bytes) => {
                return match link::ethernet(bytes) {
                    Ok(peeled) => self.peeled(at, &peeled, cut, tunnels + 1, out),
                    Err(malformed) => out(broken(at, None, malformed)),
                };
            }
        };
        self.peeled(at, &Peeled { payload, ..*peeled }, cut, tunnels + 1, out);
    }

    /// The frames are over: hands on what was still waiting for more.
    pub fn finish(&mut self, out: &mut dyn FnMut(Event)) {
        for mut flow in self.flows.drain() {
            flow.finish(&self.directory, self.last, &mut self.held_total, out);
        }
        self.senders.finish(self.last, out);
        self.parts.finish(&mut |Unfinished { at, speaker }| out(Event::Fragment { at, speaker }));
    }

    fn segment(&mut self, at: At, peeled: &Peeled<'_>, packet: &Packet<'_>, segment: &Segment<'_>, out: &mut dyn FnMut(Event)) {
        let held_total = &mut self.held_total;
        let (src, dst) = ((packet.src, segment.src_port), (packet.dst, segment.dst_port));
        let key = Key::of(Over::Tcp, src, dst);
        let flow = match self.flows.find(&key) {
            Some(flow) => flow,
            // Nothing to follow: a bare acknowledgement or reset takes no room in the table.
            None if segment.rst || !(segment.syn || segment.fills()) => return,
            None => {
                let roles = server_and_client(&self.directory, segment, src, dst);
                self.flows.open(key, Over::Tcp, roles, &mut |evicted| evicted.finish(&self.directory, at, held_total, out))
            }
        };
        let Some(flow) = self.flows.get_mut(flow) else { return };
        if segment.rst {
            return flow.finish(&self.directory, at, held_total, out);
        }
        if segment.syn && !flow.synchronise(src, segment.seq) {
            // The ports are used again: what was heard of the connection before is all there will be of it.
            flow.finish(&self.directory, at, held_total, out);
            flow.restart(server_and_client(&self.directory, segment, src, dst));
            flow.synchronise(src, segment.seq);
        }
        let from_server = flow.meet(src, peeled);
        if flow.is_followed() {
            if let Some(ack) = segment.ack {
                flow.hear(&self.directory, !from_server, at, out, |stream, pieces| stream.acked(ack, held_total, pieces));
            }
            flow.hear(&self.directory, from_server, at, out, |stream, pieces| stream.push(segment, at, held_total, pieces));
        }
        if segment.fin && flow.close(from_server) {
            flow.finish(&self.directory, at, held_total, out);
        }
    }

    fn datagram(&mut self, at: At, peeled: &Peeled<'_>, packet: &Packet<'_>, datagram: &Datagram<'_>, out: &mut dyn FnMut(Event)) {
        let held_total = &mut self.held_total;
        let (src, dst) = ((packet.src, datagram.src_port), (packet.dst, datagram.dst_port));
        let known = |place: Place| self.directory.on_port(Over::Udp, place.1).is_some();
        let (server, client) = match (known(src), known(dst)) {
            (true, true) if src.1 != dst.1 => {
                if src.1 < dst.1 {
                    (src, dst)
                } else {
                    (dst, src)
                }
            }
            (true, true) => (src, dst),
            // Clients take a new port for each question: all of one client's are one conversation.
            (true, false) => (src, (dst.0, 0)),
            (false, true) => (dst, (src.0, 0)),
            (false, false) if src.1 < dst.1 => (src, dst),
            (false, false) => (dst, src),
        };
        let key = Key::of(Over::Udp, server, client);
        let flow = match self.flows.find(&key) {
            Some(flow) => flow,
            None => self.flows.open(key, Over::Udp, (server, client), &mut |evicted| evicted.finish(&self.directory, at, held_total, out)),
        };
        let Some(flow) = self.flows.get_mut(flow) else { return };
        if flow.is_followed() {
            flow.hear_datagram(&self.directory, at, (src, peeled.src), (dst, peeled.dst), datagram, out);
        }
    }
}

/// The side with a known port is the server. Where both or none are known it is the side that a SYN goes to, or without a SYN the lower
/// port, or with equal ports the side that did not speak first.
fn server_and_client(directory: &Directory, segment: &Segment<'_>, src: Place, dst: Place) -> (Place, Place) {
    let known = |place: Place| directory.on_port(Over::Tcp, place.1).is_some();
    let from_server = match (known(src), known(dst)) {
        (true, false) => true,
        (false, true) => false,
        _ if segment.syn => segment.ack.is_some(),
        _ => src.1 < dst.1,
    };
    if from_server { (src, dst) } else { (dst, src) }
}

/// Who sent a packet.
fn sender(peeled: &Peeled<'_>, packet: &Packet<'_>) -> Address {
    Address { mac: peeled.src, ip: Some(packet.src), ..Address::default() }
}

fn broken(at: At, speaker: Option<Address>, malformed: Malformed) -> Event {
    Event::Malformed { at, speaker, malformed }
}

impl From<Heard> for Event {
    fn from(heard: Heard) -> Self {
        match heard {
            Heard::Reading(reading) => Self::Reading(reading),
            Heard::Present { protocol, role, speaker, at } => Self::Present { protocol, role, speaker, at },
            Heard::Happened { protocol, happening, device, at } => Self::Happened { protocol, happening, device, at },
            Heard::Malformed { speaker, at, malformed } => broken(at, Some(speaker), malformed),
        }
    }
}

#[cfg(test)]
mod tests;
