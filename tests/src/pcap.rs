//! Classic pcap files taken apart and put together again: what a capture loses and mixes up on its way, done to it on purpose; and
//! captures of messages that were written by hand.
//!
//! Layouts: draft-ietf-opsawg-pcap (little-endian, as the simulators' tap writes it), IEEE 802.3, RFC 791, RFC 9293.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use nameplate_simulators::modbus::Persona;
use nameplate_simulators::plant::{Layout, Place, Plant};
use nameplate_simulators::scada::Ask;
use nameplate_simulators::tap::Station;

use crate::product::block_on;

/// Header of a classic pcap file, and of a record in it.
const FILE_BYTES: usize = 24;
const RECORD_BYTES: usize = 16;
/// Ethernet and IPv4 headers as the tap writes them: no VLAN tag, no options.
const ETHERNET_BYTES: usize = 14;
const IP_BYTES: usize = 20;
/// Between two polls of a master, and how long it waits.
const INTERVAL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(2);

fn station(last: u8) -> Station {
    Station { mac: [0x02, 0, 0, 0, 0, last], ip: Ipv4Addr::new(192, 168, 20, last) }
}

/// What a tap recorded in a plant of these devices, whose masters read every identity once: records, each with its header.
///
/// # Panics
/// When the plant cannot be started.
pub fn plant(devices: Vec<Persona>) -> Vec<Vec<u8>> {
    let (master, asker) = (station(1), station(2));
    let layout = Layout { master, asker, interval: INTERVAL, patience: PATIENCE, started: SystemTime::now() };
    let asks = vec![Ask::Identification(2), Ask::ServerId];
    let place = |(persona, last)| Place { name: String::new(), persona, fault: None, station: station(last), asks: asks.clone() };
    let capture = block_on(async {
        let mut plant = Plant::start(devices.into_iter().zip(11..).map(place), layout).await.expect("a plant");
        plant.heard().await;
        plant.capture()
    });
    records_of(&capture)
}

/// The records of a file, each with its header.
///
/// # Panics
/// When the file is not whole.
pub fn records_of(file: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = file.get(FILE_BYTES..).expect("a file header");
    let mut records = Vec::new();
    while let Some(length) = rest.get(8..12) {
        let captured = u32::from_le_bytes(length.try_into().expect("four bytes"));
        let (record, behind) = rest.split_at(RECORD_BYTES + usize::try_from(captured).expect("a short frame"));
        records.push(record.to_vec());
        rest = behind;
    }
    records
}

/// A file of these records: microseconds, Ethernet.
pub fn pcap_of<'a>(records: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let header = [&[0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0][..], &[0; 8], &[0xFF, 0xFF, 0, 0, 1, 0, 0, 0]].concat();
    records.into_iter().fold(header, |mut file, record| {
        file.extend(record);
        file
    })
}

/// Captured bytes of a record.
pub fn wire_bytes(record: &[u8]) -> usize {
    record.len().saturating_sub(RECORD_BYTES)
}

/// The record cut to so many captured bytes; its length on the wire stays.
///
/// # Panics
/// When it is no record.
pub fn cut(record: &[u8], bytes: usize) -> Vec<u8> {
    let captured = bytes.min(wire_bytes(record));
    let mut short = record.get(..RECORD_BYTES + captured).expect("a record").to_vec();
    short.splice(8..12, u32::try_from(captured).expect("a short frame").to_le_bytes());
    short
}

/// The record's TCP payload in records of so many bytes each; the record itself where it has none.
///
/// # Panics
/// When it is no TCP segment as the tap writes it.
pub fn split(record: &[u8], bytes: usize) -> Vec<Vec<u8>> {
    let frame = record.get(RECORD_BYTES..).expect("a record");
    let header = ETHERNET_BYTES + IP_BYTES + usize::from(frame[ETHERNET_BYTES + IP_BYTES + 12] >> 4) * 4;
    // Behind the IP packet there may be padding.
    let end = ETHERNET_BYTES + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let sequence = u32::from_be_bytes(frame[38..42].try_into().expect("four bytes"));
    let piece = |(number, payload): (usize, &[u8])| {
        let mut piece = [&frame[..header], payload].concat();
        let total = u16::try_from(header - ETHERNET_BYTES + payload.len()).expect("a short packet");
        piece.splice(16..18, total.to_be_bytes());
        let from = u32::try_from(number * bytes).expect("a short payload");
        piece.splice(38..42, sequence.wrapping_add(from).to_be_bytes());
        let length = u32::try_from(piece.len()).expect("a short frame").to_le_bytes();
        [&record[..8], &length, &length, &piece].concat()
    };
    let pieces: Vec<Vec<u8>> = frame[header..end].chunks(bytes).enumerate().map(piece).collect();
    if pieces.is_empty() { vec![record.to_vec()] } else { pieces }
}

/// First second of a capture that was written by hand; each record is a second later.
const FIRST_SECOND: u32 = 1_700_000_000;
/// The port of a client that was written by hand.
const CLIENT_PORT: u16 = 49_152;
const ACK: u8 = 0x10;
const PROTOCOL_TCP: u8 = 6;

/// A record of one Ethernet frame, `second` seconds after the first.
///
/// # Panics
/// When the frame is longer than any.
pub fn record(second: u32, frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).expect("a short frame").to_le_bytes();
    [&(FIRST_SECOND + second).to_le_bytes()[..], &[0; 4], &length, &length, frame].concat()
}

/// What a client and a server on that TCP port said, message by message; true where the server speaks. The client is
/// 192.168.20.1, the server 192.168.20.2. No checksums: nobody who listens needs them.
///
/// # Panics
/// When a message is longer than a packet.
pub fn said_over_tcp(port: u16, messages: &[(bool, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut next = [1_u32, 1];
    let spoken = messages.iter().zip(0..).map(|((by_server, payload), second)| {
        let side = usize::from(*by_server);
        let ports = if *by_server { [port, CLIENT_PORT] } else { [CLIENT_PORT, port] };
        let [from, to] = ports.map(u16::to_be_bytes);
        let (seq, ack) = (next[side].to_be_bytes(), next[1 - side].to_be_bytes());
        let segment = [&from[..], &to, &seq, &ack, &[0x50, ACK, 0xFF, 0xFF, 0, 0, 0, 0], payload].concat();
        next[side] = next[side].wrapping_add(u32::try_from(payload.len()).expect("a short message"));
        record(second, &in_ipv4(*by_server, &segment))
    });
    spoken.collect()
}

fn in_ipv4(by_server: bool, payload: &[u8]) -> Vec<u8> {
    let (client, server) = (station(1), station(2));
    let (from, to) = if by_server { (server, client) } else { (client, server) };
    let total = u16::try_from(IP_BYTES + payload.len()).expect("a short packet").to_be_bytes();
    let header = [0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, PROTOCOL_TCP, 0, 0];
    [&to.mac[..], &from.mac, &[8, 0], &header, &from.ip.octets(), &to.ip.octets(), payload].concat()
}
