//! Which frames are listened to: hosts, networks, ports, VLANs. One exact judgement, for files and for interfaces; [`kernel`] compiles a
//! coarser one that spares the way up to here.

pub mod kernel;

use core::net::IpAddr;
use core::str::FromStr;

use crate::capture::Frame;
use crate::ip::{self, Packet};
use crate::link::{self, Payload, Peeled};
use crate::tunnel::{self, Inner, TUNNELS_MAX};
use crate::udp::Datagram;

/// A network: all addresses that share the first bits with this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    /// An address in it; what stands behind the prefix does not count.
    pub address: IpAddr,
    /// How many bits count: 0 to 32, or to 128.
    pub prefix_bits: u8,
}

impl Net {
    /// Whether an address is in it; one of the other IP version never is.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= u32::from(self.prefix_bits)
    }
}

impl FromStr for Net {
    type Err = &'static str;

    /// `10.0.0.0/8`, `2001:db8::/32`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, bits) = text.split_once('/').ok_or("give ADDRESS/BITS, as in 10.20.0.0/16")?;
        let address: IpAddr = address.parse().map_err(|_| "what stands before the / is no IP address")?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = bits.parse().ok().filter(|bits| *bits <= bits_max).ok_or("a prefix has 0 to 32 bits, with IPv6 0 to 128")?;
        Ok(Self { address, prefix_bits })
    }
}

/// What is listened to. Of several of one kind one has to fit, and of each kind that is named. None named: everything is.
///
/// A frame passes when its packet fits, or a packet that it carries in a tunnel. An address or a port fits at either end. A part of a
/// packet behind its first has no ports: any port fits it, or the packet would never be whole; behind the first part of a tunnel's packet
/// nothing can be told, so all of those pass. What is no IP (LLDP, PROFINET DCP) has a VLAN and neither address nor port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Addresses, either end.
    pub hosts: Vec<IpAddr>,
    /// Networks, either end.
    pub nets: Vec<Net>,
    /// TCP and UDP ports, either end.
    pub ports: Vec<u16>,
    /// Innermost VLAN ids, 1 to 4094.
    pub vlans: Vec<u16>,
}

impl Filter {
    /// Whether it lets everything pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.nets.is_empty() && self.ports.is_empty() && self.vlans.is_empty()
    }

    /// Whether a frame is listened to. One that cannot be read as far as it takes to tell is not.
    #[must_use]
    pub fn passes(&self, frame: &Frame<'_>) -> bool {
        let cut = (frame.wire_len as usize).saturating_sub(frame.bytes.len());
        self.is_empty() || link::peel(frame).is_ok_and(|peeled| self.peeled(&peeled, cut, 0))
    }

    fn peeled(&self, peeled: &Peeled<'_>, cut: usize, tunnels: usize) -> bool {
        let packet = match peeled.payload {
            Payload::Ipv4(bytes) => ip::ipv4(bytes, cut).ok(),
            Payload::Ipv6(bytes) => ip::ipv6(bytes, cut).ok(),
            Payload::Link(kind, bytes) => {
                let inside = tunnel::of_link(kind, bytes).ok().flatten();
                return self.fits(peeled.vlan, None) || inside.is_some_and(|inner| self.inner(peeled, inner, cut, tunnels));
            }
            Payload::Other(_) | Payload::UnknownLink => None,
        };
        self.fits(peeled.vlan, packet.as_ref()) || packet.is_some_and(|packet| self.carried(peeled, &packet, tunnels))
    }

    /// Whether what a packet carries fits.
    fn carried(&self, peeled: &Peeled<'_>, packet: &Packet<'_>, tunnels: usize) -> bool {
        if packet.protocol == ip::PROTOCOL_UDP {
            // VXLAN is never sent in parts (RFC 7348, 4.3).
            let datagram = Datagram::read(packet.payload, packet.missing).ok().filter(|_| is_start(packet));
            let datagram = datagram.filter(|datagram| datagram.dst_port == tunnel::VXLAN_PORT);
            let inner = datagram.and_then(|datagram| Some((tunnel::of_vxlan(datagram.payload)?, datagram.missing)));
            return inner.is_some_and(|(inner, missing)| self.inner(peeled, inner, missing, tunnels));
        }
        if !is_start(packet) {
            return [tunnel::PROTOCOL_IPV4, tunnel::PROTOCOL_IPV6, tunnel::PROTOCOL_GRE].contains(&packet.protocol);
        }
        let inside = tunnel::of_ip(packet.protocol, packet.payload).ok().flatten();
        inside.is_some_and(|inner| self.inner(peeled, inner, packet.missing, tunnels))
    }

    fn inner(&self, peeled: &Peeled<'_>, inner: Inner<'_>, cut: usize, tunnels: usize) -> bool {
        let payload = match inner {
            _ if tunnels == TUNNELS_MAX => return false,
            Inner::Ipv4(bytes) => Payload::Ipv4(bytes),
            Inner::Ipv6(bytes) => Payload::Ipv6(bytes),
            Inner::Ethernet(bytes) => return link::ethernet(bytes).is_ok_and(|peeled| self.peeled(&peeled, cut, tunnels + 1)),
        };
        self.peeled(&Peeled { payload, ..*peeled }, cut, tunnels + 1)
    }

    fn fits(&self, vlan: Option<u16>, packet: Option<&Packet<'_>>) -> bool {
        let ends = packet.map(|packet| [packet.ends.src(), packet.ends.dst()]);
        let either = |fit: &dyn Fn(IpAddr) -> bool| ends.is_some_and(|ends| ends.into_iter().any(fit));
        (self.vlans.is_empty() || vlan.is_some_and(|vlan| self.vlans.contains(&vlan)))
            && (self.hosts.is_empty() || either(&|end| self.hosts.contains(&end)))
            && (self.nets.is_empty() || either(&|end| self.nets.iter().any(|net| net.holds(end))))
            && (self.ports.is_empty() || packet.is_some_and(|packet| self.port_fits(packet)))
    }

    /// Both protocols begin with their ports (RFC 768; RFC 9293, 3.1).
    fn port_fits(&self, packet: &Packet<'_>) -> bool {
        if ![ip::PROTOCOL_TCP, ip::PROTOCOL_UDP].contains(&packet.protocol) {
            return false;
        }
        let ports = packet.payload.first_chunk::<4>();
        let ports = ports.map(|&[s0, s1, d0, d1]| [u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])]);
        !is_start(packet) || ports.is_some_and(|ports| ports.iter().any(|port| self.ports.contains(port)))
    }
}

/// Whole, or the first part.
fn is_start(packet: &Packet<'_>) -> bool {
    packet.part.is_none_or(|part| part.offset == 0)
}

#[cfg(test)]
mod tests;
