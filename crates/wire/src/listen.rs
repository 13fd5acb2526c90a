//! The passive path in one pass: frames in, events out. Nothing is sent.

mod flows;
mod senders;
mod table;

use core::cmp::Reverse;

use crate::capture::{Frame, LinkType};
use crate::conversation::{Coverage, End, Happening, Heard, Kind, Over, Protocol, Role, Said};
use crate::ip::{self, Ends, Packet};
use crate::link::{self, Payload, Peeled};
use crate::parts::{Parts, Unfinished};
use crate::protocols::Directory;
use crate::tcp::{At, Segment};
use crate::tunnel::{self, Inner, TUNNELS_MAX};
use crate::udp::Datagram;
use crate::{Address, Malformed, Reading};
use flows::Flow;
use senders::Senders;
use table::{Flows, Key, Place};

/// What a pass over frames yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An identity answer, whole or as far as it was heard; or what somebody believes about a device.
    Reading(Reading),
    /// Somebody takes part in a protocol for the first time in a conversation, whether or not he tells what he is.
    Present {
        /// As in [`Reading::protocol`].
        protocol: &'static str,
        /// What carried it.
        over: Over,
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
        /// By whom: the other end of that conversation; `None` where its frames were not there any more.
        by: Option<Address>,
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
        let read = match peeled.payload {
            Payload::Ipv4(bytes) => ip::ipv4(bytes, cut),
            Payload::Ipv6(bytes) => ip::ipv6(bytes, cut),
            Payload::Link(kind, bytes) => match tunnel::of_link(kind, bytes) {
                Ok(None) => return self.senders.hear(&self.directory, at, peeled, kind, (bytes, cut), out),
                Ok(Some(inner)) => return self.inner(at, peeled, inner, cut, tunnels, out),
                Err(malformed) => Err(malformed),
            },
            Payload::Other(_) | Payload::UnknownLink => return,
        };
        let mut packet = match read {
            Ok(packet) => packet,
            Err(malformed) => return out(broken(at, Some(Address { mac: peeled.sender(), ..Address::default() }), malformed)),
        };
        let whole;
        if let Some(part) = packet.part {
            let mut unfinished = |Unfinished { at, speaker }| out(Event::Fragment { at, speaker });
            whole = match self.parts.take(&packet, part, peeled.sender(), at, &mut unfinished) {
                Ok(Some(whole)) => whole,
                Ok(None) => return,
                Err(malformed) => return out(broken(at, Some(sender(peeled, &packet)), malformed)),
            };
            packet = Packet { payload: &whole, missing: 0, part: None, ..packet };
        }
        self.packet(at, peeled, &packet, tunnels, out);
    }

    /// Takes a whole packet.
    #[inline]
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

    /// Conversations between addresses that are followed: the most that were so at once, up to 65,536.
    #[must_use]
    pub fn followed(&self) -> usize {
        self.flows.len()
    }

    /// The frames are over: hands on what was still waiting for more.
    pub fn finish(&mut self, out: &mut dyn FnMut(Event)) {
        for mut flow in self.flows.drain() {
            flow.finish(&self.directory, self.last, &mut self.held_total, out);
        }
        self.senders.finish(self.last, out);
        self.parts.finish(&mut |Unfinished { at, speaker }| out(Event::Fragment { at, speaker }));
    }

    #[inline]
    fn segment(&mut self, at: At, peeled: &Peeled<'_>, packet: &Packet<'_>, segment: &Segment<'_>, out: &mut dyn FnMut(Event)) {
        let held_total = &mut self.held_total;
        let (key, src_first) = Key::of(Over::Tcp, packet.ends, segment.src_port, segment.dst_port);
        let slot = match self.flows.find(&key) {
            Some(slot) => slot,
            // Nothing to follow: a bare acknowledgement or reset takes no room in the table.
            None if segment.rst || !(segment.syn || segment.fills()) => return,
            None => {
                let (roles, from_server) = server_and_client(&self.directory, segment, packet.ends);
                let flow = Flow::new(Over::Tcp, roles, from_server == src_first);
                self.flows.open(key, flow, &mut |evicted| evicted.finish(&self.directory, at, held_total, out))
            }
        };
        let Some(flow) = self.flows.get_mut(slot) else { return };
        if segment.rst {
            return flow.finish(&self.directory, at, held_total, out);
        }
        if segment.syn && !flow.synchronise(flow.is_server(src_first), segment.seq) {
            // The ports are used again: what was heard of the connection before is all there will be of it.
            flow.finish(&self.directory, at, held_total, out);
            let (roles, from_server) = server_and_client(&self.directory, segment, packet.ends);
            flow.restart(roles, from_server == src_first);
            flow.synchronise(from_server, segment.seq);
        }
        let from_server = flow.is_server(src_first);
        flow.meet(from_server, peeled);
        if flow.is_followed() {
            flow.take(&self.directory, from_server, segment, at, held_total, out);
        }
        if segment.fin && flow.close(from_server) {
            flow.finish(&self.directory, at, held_total, out);
        }
    }

    fn datagram(&mut self, at: At, peeled: &Peeled<'_>, packet: &Packet<'_>, datagram: &Datagram<'_>, out: &mut dyn FnMut(Event)) {
        let held_total = &mut self.held_total;
        let (src_port, dst_port) = (datagram.src_port, datagram.dst_port);
        let known = |port: u16| self.directory.on_port(Over::Udp, port);
        let (src_serves, one_client) = match (known(src_port), known(dst_port)) {
            // What a client took for one question may be the port of another protocol: what is said tells, and the lower one where it does not.
            (Some(src), Some(dst)) if src.name != dst.name => {
                let likeness = |protocol: &Protocol| (protocol.likeness)(datagram.payload, Over::Udp);
                ((likeness(src), Reverse(src_port)) > (likeness(dst), Reverse(dst_port)), false)
            }
            (Some(_), Some(_)) => (src_port <= dst_port, false),
            // Clients take a new port for each question: all of one client's are one conversation.
            (Some(_), None) => (true, true),
            (None, Some(_)) => (false, true),
            (None, None) => (src_port < dst_port, false),
        };
        let (src_port, dst_port) = match (one_client, src_serves) {
            (false, _) => (src_port, dst_port),
            (true, true) => (src_port, 0),
            (true, false) => (0, dst_port),
        };
        let (key, src_first) = Key::of(Over::Udp, packet.ends, src_port, dst_port);
        let slot = match self.flows.find(&key) {
            Some(slot) => slot,
            None => {
                let (src, dst) = ((packet.ends.src(), src_port), (packet.ends.dst(), dst_port));
                let roles = if src_serves { (src, dst) } else { (dst, src) };
                let flow = Flow::new(Over::Udp, roles, src_serves == src_first);
                self.flows.open(key, flow, &mut |evicted| evicted.finish(&self.directory, at, held_total, out))
            }
        };
        let Some(flow) = self.flows.get_mut(slot) else { return };
        if flow.is_followed() {
            // Of two equal ports the one that spoke first was taken for the server's.
            let by_server = flow.is_server(src_first);
            flow.hear_datagram(&self.directory, at, by_server, peeled, datagram, out);
        }
    }
}

/// The side with a known port is the server. Where both or none are known it is the side that a SYN goes to, or without a SYN the lower
/// port, or with equal ports the side that did not speak first.
/// Also tells whether it is the server who sent.
fn server_and_client(directory: &Directory, segment: &Segment<'_>, ends: Ends<'_>) -> ((Place, Place), bool) {
    let (src, dst) = ((ends.src(), segment.src_port), (ends.dst(), segment.dst_port));
    let known = |place: Place| directory.on_port(Over::Tcp, place.1).is_some();
    let from_server = match (known(src), known(dst)) {
        (true, false) => true,
        (false, true) => false,
        _ if segment.syn => segment.ack.is_some(),
        _ => src.1 < dst.1,
    };
    (if from_server { (src, dst) } else { (dst, src) }, from_server)
}

/// Who sent a packet.
fn sender(peeled: &Peeled<'_>, packet: &Packet<'_>) -> Address {
    Address { mac: peeled.sender(), ip: Some(packet.ends.src()), ..Address::default() }
}

fn broken(at: At, speaker: Option<Address>, malformed: Malformed) -> Event {
    Event::Malformed { at, speaker, malformed }
}

/// What a conversation told of bytes that were carried so between these ends, of which `missing` more were on the wire.
fn told(heard: Heard, over: Over, missing: usize, ends: [&End; 2]) -> Event {
    match heard {
        Heard::Reading(reading) => Event::Reading(Reading { cut: missing, ..reading }),
        Heard::Present { protocol, role, speaker, at } => Event::Present { protocol, over, role, speaker, at },
        Heard::Happened { protocol, happening, device, at } => {
            let is_device = |end: &End| if end.ip.is_some() { end.ip == device.ip } else { end.mac.is_some() && end.mac == device.mac };
            let by = ends.into_iter().find(|end| !is_device(end) && **end != End::default()).map(Address::from);
            Event::Happened { protocol, happening, device, by, at }
        }
        Heard::Malformed { speaker, at, malformed } => broken(at, Some(speaker), malformed),
    }
}

#[cfg(test)]
mod tests;
