//! What passed on the simulators' connections, as a classic pcap: Ethernet, IPv4, TCP or UDP, with the addresses of a plant instead of
//! loopback's.
//!
//! Byte layouts: draft-ietf-opsawg-pcap (little-endian, microseconds, link type 1), IEEE 802.3; below it `tap/packet.rs`.

mod packet;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::language::Carrier;
use crate::report::{Ended, Speaker};
use packet::{End, TCP, UDP, ipv4_header, tcp_segment, udp_datagram};

/// A capture of a demonstration is some kilobytes; from here on frames are counted and left out.
const PCAP_BYTES_MAX: usize = 64 << 20;
/// What a TCP segment carries on Ethernet: 1,500 bytes less the IPv4 and TCP headers.
const SEGMENT_BYTES_MAX: usize = 1_460;
/// The shortest Ethernet frame without its check sequence; shorter ones are padded.
const FRAME_BYTES_MIN: usize = 60;
/// Snap length that the file header states: no frame here comes near it.
const SNAP_BYTES: u32 = 65_535;
/// The port that a device seems to listen at of which nothing else is said.
const MODBUS_PORT: u16 = 502;
/// The EtherType of IPv4.
const IPV4: u16 = 0x0800;
/// Initial sequence numbers are this far apart, so that two connections are not mistaken for one.
const SEQUENCE_STEP: u32 = 0x0123_4567;

const FIN: u8 = 0x01;
const SYN: u8 = packet::SYN;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = packet::ACK;

/// One station of the simulated plant, as it is seen on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station {
    /// Its hardware address; a made-up one should be locally administered (second hex digit 2, 6, A or E).
    pub mac: [u8; 6],
    /// Its address.
    pub ip: Ipv4Addr,
}

/// A recorder that several devices write to. Clones write to the same capture.
#[derive(Clone, Debug)]
pub struct Tap(Arc<Mutex<Record>>);

#[derive(Debug)]
struct Record {
    pcap: Vec<u8>,
    room_bytes: usize,
    epoch: Duration,
    since: Instant,
    frames_left_out: u64,
    conversations: u32,
    packet_id: u16,
}

impl Tap {
    /// An empty capture; its first frame is stamped with this time or later.
    pub fn new(started: SystemTime) -> Self {
        Self::with_room(started, PCAP_BYTES_MAX)
    }

    /// The same with room for so many bytes, for whoever knows how many there will be.
    pub fn with_room(started: SystemTime, room_bytes: usize) -> Self {
        let mut pcap = Vec::new();
        pcap.extend(0xA1B2_C3D4_u32.to_le_bytes());
        pcap.extend(2_u16.to_le_bytes());
        pcap.extend(4_u16.to_le_bytes());
        pcap.extend([0; 8]);
        pcap.extend(SNAP_BYTES.to_le_bytes());
        pcap.extend(1_u32.to_le_bytes());
        let epoch = started.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Arc::new(Mutex::new(Record {
            pcap,
            room_bytes,
            epoch,
            since: Instant::now(),
            frames_left_out: 0,
            conversations: 0,
            packet_id: 0,
        })))
    }

    /// The capture so far: a whole pcap file.
    pub fn pcap(&self) -> Vec<u8> {
        self.record().pcap.clone()
    }

    /// Frames that found no room any more.
    pub fn frames_left_out(&self) -> u64 {
        self.record().frames_left_out
    }

    /// What a device needs to have its connections recorded: the stations to show for it, for whoever asks and for its master.
    pub fn link(&self, device: Station, asker: Station, master: Station) -> Link {
        Link { tap: self.clone(), device, asker, master, port: MODBUS_PORT }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A device's way into the tap.
#[derive(Clone, Debug)]
pub struct Link {
    tap: Tap,
    device: Station,
    asker: Station,
    master: Station,
    port: u16,
}

impl Link {
    /// The same for a device whose protocol has this port.
    #[must_use]
    pub fn at_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Records a handshake and gives the conversation that follows it. A station that is shown at the address where it really listens
    /// is shown with its port; any other wears the registered one.
    pub fn open(&self, speaker: Speaker, client_port: u16, listens_at: SocketAddr) -> Conversation {
        let mut conversation = self.conversation(Carrier::Tcp, speaker, client_port, listens_at);
        conversation.segment(Side::Client, SYN, &[]);
        conversation.segment(Side::Device, SYN | ACK, &[]);
        conversation.segment(Side::Client, ACK, &[]);
        conversation
    }

    /// The same for datagrams: there is no handshake.
    pub fn open_datagrams(&self, speaker: Speaker, client_port: u16, listens_at: SocketAddr) -> Conversation {
        self.conversation(Carrier::Udp, speaker, client_port, listens_at)
    }

    /// Records one frame of this EtherType from whoever asks to the device.
    pub fn frame(&self, ethertype: u16, payload: &[u8]) {
        self.tap.record().enter_frame(self.asker, self.device, ethertype, payload);
    }

    fn conversation(&self, over: Carrier, speaker: Speaker, client_port: u16, listens_at: SocketAddr) -> Conversation {
        let port = if listens_at.ip() == IpAddr::V4(self.device.ip) { listens_at.port() } else { self.port };
        let client = match speaker {
            Speaker::Asker => self.asker,
            Speaker::Master => self.master,
        };
        let number = {
            let mut record = self.tap.record();
            record.conversations = record.conversations.wrapping_add(1);
            record.conversations
        };
        let client_next = number.wrapping_mul(SEQUENCE_STEP);
        let device_next = client_next.wrapping_add(SEQUENCE_STEP / 2);
        Conversation {
            tap: self.tap.clone(),
            over,
            client: End { station: client, port: client_port, next: client_next },
            device: End { station: self.device, port, next: device_next },
            ended: false,
        }
    }
}

/// One recorded TCP connection, or the datagrams between two ends.
#[derive(Debug)]
pub struct Conversation {
    tap: Tap,
    over: Carrier,
    client: End,
    device: End,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Device,
}

impl Conversation {
    /// Bytes that the client sent.
    pub fn from_client(&mut self, bytes: &[u8]) {
        self.stream(Side::Client, bytes);
    }

    /// Bytes that the device sends.
    pub fn from_device(&mut self, bytes: &[u8]) {
        self.stream(Side::Device, bytes);
    }

    /// The end of the connection, as the device saw it.
    pub fn end(&mut self, ended: Ended) {
        match ended {
            _ if self.ended => {}
            Ended::StillOpen | Ended::Datagrams => {}
            Ended::PeerReset => self.segment(Side::Client, RST | ACK, &[]),
            Ended::PeerFin => self.finish(Side::Client, Side::Device),
            Ended::Device => self.finish(Side::Device, Side::Client),
        }
        self.ended = true;
    }

    /// The device's own reset.
    pub fn reset_by_device(&mut self) {
        self.segment(Side::Device, RST | ACK, &[]);
        self.ended = true;
    }

    fn finish(&mut self, first: Side, second: Side) {
        self.segment(first, FIN | ACK, &[]);
        self.segment(second, FIN | ACK, &[]);
        self.segment(first, ACK, &[]);
    }

    fn stream(&mut self, from: Side, bytes: &[u8]) {
        if self.over == Carrier::Udp {
            let (sender, receiver) = self.ends(from);
            let datagram = udp_datagram(sender, receiver, bytes);
            let (from, to) = (sender.station, receiver.station);
            return self.tap.record().enter(from, to, UDP, &datagram);
        }
        for segment in bytes.chunks(SEGMENT_BYTES_MAX) {
            self.segment(from, PSH | ACK, segment);
        }
    }

    fn segment(&mut self, from: Side, flags: u8, payload: &[u8]) {
        let (sender, receiver) = self.ends(from);
        let acknowledged = if flags & ACK == 0 { 0 } else { receiver.next };
        let tcp = tcp_segment(sender, receiver, acknowledged, flags, payload);
        let consumed = u32::try_from(payload.len()).unwrap_or(u32::MAX).wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        sender.next = sender.next.wrapping_add(consumed);
        let (from, to) = (sender.station, receiver.station);
        self.tap.record().enter(from, to, TCP, &tcp);
    }

    fn ends(&mut self, from: Side) -> (&mut End, &End) {
        match from {
            Side::Client => (&mut self.client, &self.device),
            Side::Device => (&mut self.device, &self.client),
        }
    }
}

impl Record {
    fn enter(&mut self, from: Station, to: Station, protocol: u8, payload: &[u8]) {
        self.packet_id = self.packet_id.wrapping_add(1);
        let mut packet = ipv4_header(from.ip, to.ip, self.packet_id, protocol, payload.len());
        packet.extend(payload);
        self.enter_frame(from, to, IPV4, &packet);
    }

    fn enter_frame(&mut self, from: Station, to: Station, ethertype: u16, payload: &[u8]) {
        let mut frame = [to.mac, from.mac].concat();
        frame.extend(ethertype.to_be_bytes());
        frame.extend(payload);
        frame.resize(frame.len().max(FRAME_BYTES_MIN), 0);
        if self.pcap.len() + frame.len() > self.room_bytes {
            self.frames_left_out = self.frames_left_out.saturating_add(1);
            return;
        }
        let time = self.epoch.saturating_add(self.since.elapsed());
        let frame_bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        // Classic pcap has 32-bit seconds: good until 2106.
        self.pcap.extend(u32::try_from(time.as_secs()).unwrap_or(u32::MAX).to_le_bytes());
        self.pcap.extend(time.subsec_micros().to_le_bytes());
        self.pcap.extend(frame_bytes.to_le_bytes());
        self.pcap.extend(frame_bytes.to_le_bytes());
        self.pcap.extend(frame);
    }
}
