//! What each decoder takes for a message: those of the captures that are named, read again and again from memory, without what stands
//! around them (files, addresses, streams).
//!
//! `cargo bench -p nameplate-wire -- FILE-OR-FOLDER...`; `cargo xtask soak --bench` runs it over ../shared/captures. Plain loops, because
//! the differences that matter here are factors: a harness with statistics costs every build of the tests more than it would tell.

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::net::IpAddr;
use std::path::Path;
use std::time::Instant;

use nameplate_wire::Mac;
use nameplate_wire::capture::{Decoder, Frame, Step};
use nameplate_wire::conversation::{End, Kind, Over, Protocol, Said};
use nameplate_wire::ip::{self, Packet};
use nameplate_wire::link::{self, Payload};
use nameplate_wire::protocols::Directory;
use nameplate_wire::tcp::{At, Piece, Segment, Stream};
use nameplate_wire::udp::Datagram;

/// Each protocol is read for so long, and the fastest round counts: what else the machine does only makes rounds slower.
const PROTOCOL_SECONDS: f64 = 0.3;
/// Rounds at least, so that one that something else delayed does not count.
const ROUNDS_MIN: u32 = 5;

/// Who speaks with whom: on a link layer the sender alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Between(Over, (IpAddr, u16), (IpAddr, u16)),
    Sender(Kind, Option<Mac>),
}

/// One conversation as its decoder hears it.
struct Recorded {
    over: Over,
    server: End,
    client: End,
    streams: [Stream; 2],
    protocol: Option<&'static Protocol>,
    pieces: Vec<(bool, At, Vec<u8>)>,
}

impl Recorded {
    fn new(over: Over, server: End, client: End) -> Self {
        Self { over, server, client, streams: Default::default(), protocol: None, pieces: Vec::new() }
    }

    fn hear(&mut self, directory: &Directory, by_server: bool, at: At, bytes: &[u8]) {
        let expected = self.server.port.and_then(|port| directory.on_port(self.over, port));
        self.protocol = self.protocol.or_else(|| directory.of_bytes(bytes, self.over, expected));
        if self.protocol.is_some() {
            self.pieces.push((by_server, at, bytes.to_vec()));
        }
    }

    /// Messages that were seen.
    fn replay(&self, protocol: &Protocol) -> u64 {
        let mut conversation = (protocol.start)(self.over);
        for (by_server, at, bytes) in &self.pieces {
            let (from, to) = if *by_server { (&self.server, &self.client) } else { (&self.client, &self.server) };
            let said = Said { bytes, missing: 0, at: *at, from, to, by_server: *by_server };
            conversation.hear(&said, &mut |heard| drop(black_box(heard)));
        }
        conversation.finish(At::default(), &mut |heard| drop(black_box(heard)));
        let mut seen = 0;
        conversation.coverage(&mut |_, coverage| seen += coverage.seen);
        seen
    }
}

fn main() {
    let directory = Directory::new(&[]);
    let mut recorded: BTreeMap<&str, (&'static Protocol, Vec<Recorded>)> = BTreeMap::new();
    // Cargo adds words of its own that begin with a dash.
    for name in std::env::args().skip(1).filter(|word| !word.starts_with('-')) {
        each_file(Path::new(&name), &mut |file| {
            for conversation in record(&directory, file) {
                let Some(protocol) = conversation.protocol else { continue };
                recorded.entry(protocol.name).or_insert_with(|| (protocol, Vec::new())).1.push(conversation);
            }
        });
    }
    println!("{:<14} {:>13} {:>9} {:>13} {:>10}", "protocol", "conversations", "messages", "bytes/message", "ns/message");
    for (name, (protocol, conversations)) in &recorded {
        let (mut messages, mut best, mut rounds, begun) = (0, f64::MAX, 0, Instant::now());
        while rounds < ROUNDS_MIN || begun.elapsed().as_secs_f64() < PROTOCOL_SECONDS {
            let round = Instant::now();
            messages = conversations.iter().map(|conversation| conversation.replay(protocol)).sum();
            best = best.min(round.elapsed().as_secs_f64());
            rounds += 1;
        }
        let bytes: usize = conversations.iter().flat_map(|conversation| &conversation.pieces).map(|(.., bytes)| bytes.len()).sum();
        let each = |whole: f64| whole / messages.max(1) as f64;
        println!("{name:<14} {:>13} {messages:>9} {:>13.0} {:>10.0}", conversations.len(), each(bytes as f64), each(best * 1e9));
    }
}

fn each_file(path: &Path, each: &mut dyn FnMut(&[u8])) {
    if let Ok(folder) = fs::read_dir(path) {
        folder.flatten().for_each(|entry| each_file(&entry.path(), each));
    } else if let Ok(file) = fs::read(path) {
        each(&file);
    }
}

/// The conversations of a capture. What is no capture has none.
fn record(directory: &Directory, file: &[u8]) -> Vec<Recorded> {
    let (mut decoder, mut at, mut conversations) = (Decoder::new(), 0, BTreeMap::new());
    loop {
        match decoder.next(&file[at..]) {
            Step::Need(_) => break,
            Step::Skip(consumed) | Step::Malformed { consumed, .. } => at += consumed,
            Step::Frame { frame, consumed } => {
                hear(directory, &frame, &mut conversations);
                at += consumed;
            }
        }
    }
    conversations.into_values().collect()
}

/// Parts, tunnels and buses are left out: they change nothing of what a message takes.
fn hear(directory: &Directory, frame: &Frame<'_>, conversations: &mut BTreeMap<Key, Recorded>) {
    let at = At { frame: frame.number, time_ns: frame.time_ns };
    let Ok(peeled) = link::peel(frame) else { return };
    let packet = match peeled.payload {
        Payload::Ipv4(bytes) => ip::ipv4(bytes, 0),
        Payload::Ipv6(bytes) => ip::ipv6(bytes, 0),
        Payload::Link(kind, bytes) => {
            let Some(protocol) = directory.on_link(kind) else { return };
            let (from, to) = (End { mac: peeled.sender(), ..End::default() }, End { mac: peeled.receiver(), ..End::default() });
            let recorded = conversations.entry(Key::Sender(kind, from.mac)).or_insert_with(|| Recorded::new(Over::Link(kind), from, to));
            recorded.protocol = Some(protocol);
            return recorded.pieces.push((true, at, bytes.to_vec()));
        }
        Payload::Other(_) | Payload::UnknownLink => return,
    };
    let Some(packet) = packet.ok().filter(|packet| packet.part.is_none()) else { return };
    match packet.protocol {
        ip::PROTOCOL_TCP => {
            let Ok(segment) = Segment::read(packet.payload, packet.missing) else { return };
            let (recorded, by_server) = between(directory, Over::Tcp, &packet, segment.src_port, segment.dst_port, conversations);
            let (mut stream, mut total) = (std::mem::take(&mut recorded.streams[usize::from(by_server)]), 0);
            stream.push(&segment, at, &mut total, &mut |piece| {
                if let Piece::Bytes(bytes, at) = piece {
                    recorded.hear(directory, by_server, at, bytes);
                }
            });
            recorded.streams[usize::from(by_server)] = stream;
        }
        ip::PROTOCOL_UDP => {
            let Ok(datagram) = Datagram::read(packet.payload, packet.missing) else { return };
            let (recorded, by_server) = between(directory, Over::Udp, &packet, datagram.src_port, datagram.dst_port, conversations);
            recorded.hear(directory, by_server, at, datagram.payload);
        }
        _ => {}
    }
}

/// The conversation of two addresses, and whether the server sent: who has a known port, or the lower one.
fn between<'c>(
    directory: &Directory,
    over: Over,
    packet: &Packet<'_>,
    src_port: u16,
    dst_port: u16,
    conversations: &'c mut BTreeMap<Key, Recorded>,
) -> (&'c mut Recorded, bool) {
    let unknown = |port: u16| directory.on_port(over, port).is_none();
    let by_server = (unknown(src_port), src_port) <= (unknown(dst_port), dst_port);
    let (src, dst) = ((packet.ends.src(), src_port), (packet.ends.dst(), dst_port));
    let (server, client) = if by_server { (src, dst) } else { (dst, src) };
    let end = |(ip, port): (IpAddr, u16), port_counts: bool| End { mac: None, ip: Some(ip), port: port_counts.then_some(port) };
    let recorded = conversations
        .entry(Key::Between(over, server, client))
        .or_insert_with(|| Recorded::new(over, end(server, true), end(client, !unknown(client.1))));
    (recorded, by_server)
}
