//! IPv4 packets with a TCP segment or a UDP datagram in them (RFC 791, RFC 9293, RFC 768, RFC 1071).

use std::net::Ipv4Addr;

use super::Station;

/// A usual receive window.
const WINDOW_BYTES: u16 = 64_240;

/// Protocol numbers of IPv4.
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

pub(super) const SYN: u8 = 0x02;
pub(super) const ACK: u8 = 0x10;

#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) station: Station,
    pub(super) port: u16,
    /// The next sequence number that it sends.
    pub(super) next: u32,
}

/// An IPv4 header without options.
pub(super) fn ipv4_header(from: Ipv4Addr, to: Ipv4Addr, id: u16, protocol: u8, payload_bytes: usize) -> Vec<u8> {
    let total = u16::try_from(payload_bytes.saturating_add(20)).unwrap_or(u16::MAX);
    let mut header = vec![0x45, 0];
    header.extend(total.to_be_bytes());
    header.extend(id.to_be_bytes());
    // Do not fragment; time to live 64; the checksum follows below.
    header.extend([0x40, 0, 64, protocol, 0, 0]);
    header.extend(from.octets());
    header.extend(to.octets());
    let sum = checksum(&header);
    header.splice(10..12, sum.to_be_bytes());
    header
}

pub(super) fn tcp_segment(sender: &End, receiver: &End, acknowledged: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    // A SYN tells the largest segment (RFC 9293, 3.7.1): kind 2, length 4.
    let options: &[u8] = if flags & SYN == 0 { &[] } else { &[2, 4, 0x05, 0xB4] };
    let header_words = if options.is_empty() { 5_u8 } else { 6 };
    let mut segment = Vec::with_capacity(24 + payload.len());
    segment.extend(sender.port.to_be_bytes());
    segment.extend(receiver.port.to_be_bytes());
    segment.extend(sender.next.to_be_bytes());
    segment.extend(acknowledged.to_be_bytes());
    segment.extend([header_words << 4, flags]);
    segment.extend(WINDOW_BYTES.to_be_bytes());
    segment.extend([0; 4]);
    segment.extend(options);
    segment.extend(payload);
    let sum = checksum_with_ends(sender, receiver, TCP, &segment);
    segment.splice(16..18, sum.to_be_bytes());
    segment
}

/// RFC 768.
pub(super) fn udp_datagram(sender: &End, receiver: &End, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(8 + payload.len());
    datagram.extend(sender.port.to_be_bytes());
    datagram.extend(receiver.port.to_be_bytes());
    datagram.extend(u16::try_from(payload.len().saturating_add(8)).unwrap_or(u16::MAX).to_be_bytes());
    datagram.extend([0; 2]);
    datagram.extend(payload);
    // A sum of 0 would say that there is none.
    let sum = match checksum_with_ends(sender, receiver, UDP, &datagram) {
        0 => u16::MAX,
        sum => sum,
    };
    datagram.splice(6..8, sum.to_be_bytes());
    datagram
}

/// The checksum over a segment or datagram and the pseudo header before it.
fn checksum_with_ends(sender: &End, receiver: &End, protocol: u8, payload: &[u8]) -> u16 {
    let mut summed = [sender.station.ip.octets(), receiver.station.ip.octets()].concat();
    summed.extend([0, protocol]);
    summed.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
    summed.extend(payload);
    checksum(&summed)
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        let word = u16::from_be_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]);
        sum = sum.wrapping_add(u32::from(word));
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}
