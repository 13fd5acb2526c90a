//! What is fuzzed, as plain functions: each takes any bytes and panics where an invariant does not hold.

use nameplate_core::advisory::{Advisory, ProductIndex, bulletin, csaf};
use nameplate_wire::capture::{Decoder, Frame, LinkType, Step};
use nameplate_wire::conversation::{End, Heard, Over, Protocol, Said};
use nameplate_wire::listen::{Event, Listener};
use nameplate_wire::modbus::{self, Mbap};
use nameplate_wire::tcp::At;
use nameplate_wire::{Fact, Mac, Reading, greeting, http, mms, opcua, pn_dcp, pn_io, protocols, telnet};

/// What one reading may hold of what was heard: a message of OPC UA in chunks with its questions has most.
const READING_BYTES_MAX: usize = 1 << 20;
/// Messages of one reading: a fragment of DNP3 has up to 300 frames.
const READING_MESSAGES_MAX: usize = 512;
/// Readings of one input whose prefixes are tried, and about how many prefixes of each.
const READINGS_CUT_MAX: usize = 2;
const CUTS: usize = 8;

/// A pcap file: reading ends, each step consumes, and it makes no difference in which portions the file arrives.
pub fn pcap(data: &[u8]) {
    const MAGICS: [u32; 3] = [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34];
    capture(data);
    let Some((first, rest)) = data.split_first() else { return };
    let magic = MAGICS[usize::from(*first >> 1) % MAGICS.len()];
    let magic = if first & 1 == 0 { magic.to_le_bytes() } else { magic.to_be_bytes() };
    capture(&[&magic, rest].concat());
}

/// An advisory, and a table of bulletins: what is read refers to its own products alone, says what was tolerated in sentences of the closed list,
/// and reads as itself again.
pub fn csaf(data: &[u8]) {
    if let Ok(advisory) = csaf::read(data) {
        refers_to_its_own(&advisory);
        assert_eq!(csaf::read(data).as_ref(), Ok(&advisory));
        assert!(
            advisory.tolerances.iter().all(|tolerance| csaf::tolerance::Kind::of(&tolerance.what).is_some()),
            "{:?}",
            advisory.tolerances
        );
    }
    for bulletin in bulletin::read(data).unwrap_or_default() {
        refers_to_its_own(&bulletin.advisory);
        let again = bulletin::read(&bulletin.rows);
        // A line number may stand in a tolerance, and is another in a file of its own.
        let said = |advisory: &Advisory| Advisory { tolerances: Vec::new(), ..advisory.clone() };
        let [again] = &again.expect("its rows are a file")[..] else { panic!("not one bulletin") };
        assert_eq!((&again.rows, said(&again.advisory)), (&bulletin.rows, said(&bulletin.advisory)));
    }
}

fn refers_to_its_own(advisory: &Advisory) {
    let known = |products: &[ProductIndex]| products.iter().all(|product| (*product as usize) < advisory.products.len());
    for of in &advisory.vulnerabilities {
        let said = of.statuses.iter().map(|(_, products)| products).chain(of.flags.iter().map(|(_, products)| products));
        let offered = of.remediations.iter().map(|offer| &offer.products).chain(of.scores.iter().map(|score| &score.products));
        assert!(said.chain(offered).all(|products| known(products)), "{of:?}");
        assert!(of.statuses.iter().all(|(_, products)| !products.is_empty()), "{of:?}");
    }
    let parts = advisory.products.iter().filter_map(|product| product.relationship.as_ref());
    assert!(parts.into_iter().all(|of| known(&[of.component, of.platform])), "{:?}", advisory.products);
}

/// A pcapng file, as [`pcap`].
pub fn pcapng(data: &[u8]) {
    capture(data);
    // Behind a section header and an Ethernet interface that need not be found first.
    const SECTION: [u8; 28] =
        [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 28, 0, 0, 0];
    const INTERFACE: [u8; 20] = [1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
    capture(&[&SECTION[..], &INTERFACE[..], data].concat());
}

/// Segments of one connection, in any order, overlapping, cut: what comes out of them stands in its messages.
pub fn tcp(data: &[u8]) {
    let mut listener = Listener::new(&[]);
    let (mut at, mut number) = (0, 0);
    let mut seqs = [u32::MAX - 100, 100];
    // Control, distance to the sequence number in hand, payload length, and then the payload.
    while let Some([control, d0, d1, length, ..]) = data.get(at..) {
        at += 4;
        let payload = data.get(at..).unwrap_or(&[]);
        let payload = payload.get(..usize::from(*length)).unwrap_or(payload);
        at += payload.len();
        number += 1;
        let from_server = usize::from(control & 1);
        let seq = seqs[from_server].wrapping_add_signed(i32::from(i16::from_le_bytes([*d0, *d1])));
        if control & 2 == 0 {
            seqs[from_server] = seq.wrapping_add(payload.len() as u32);
        }
        // RST, SYN, FIN, and without ACK only where asked for.
        let flags = [0x10, 0x10, 0x10, 0x11, 0x14, 0x02, 0x12, 0x00][usize::from(control >> 2 & 7)];
        let frame = segment(from_server == 1, seq, seqs[1 - from_server], flags, payload);
        let cut = if control & 0x80 == 0 { 0 } else { usize::from(control >> 5 & 3) * 16 };
        let bytes = &frame[..frame.len().saturating_sub(cut)];
        let wire_len = frame.len() as u32;
        listener.frame(&Frame { number, time_ns: number, link: LinkType::IPV4, bytes, wire_len }, &mut |event| heard(&event));
    }
    listener.finish(&mut |event| heard(&event));
}

/// Bytes of a Modbus server in portions; and of one message every prefix, which must not say anything else than the whole.
pub fn modbus(data: &[u8]) {
    let Some((portion, answers)) = data.split_first() else { return };
    let portion = usize::from(*portion % 64) + 1;
    let mut conversation = (modbus::PROTOCOL.start)(Over::Tcp);
    let (from, to) = (&End::default(), &End::default());
    for (number, bytes) in (1..).zip(answers.chunks(portion)) {
        let at = At { frame: number, time_ns: number };
        conversation.hear(&Said { bytes, missing: 0, at, from, to, by_server: false }, &mut |_| {});
        conversation.hear(&Said { bytes, missing: 0, at, from, to, by_server: true }, &mut |heard| {
            if let Heard::Reading(reading) = heard {
                stands_in_its_messages(&reading);
            }
        });
    }
    conversation.finish(At::default(), &mut |_| {});

    let Ok(Some(mbap)) = Mbap::read(answers) else { return };
    let Some(message) = answers.get(..mbap.adu_bytes) else { return };
    let whole = facts_of(message);
    for end in 0..message.len() {
        for fact in facts_of(&message[..end]) {
            assert!(whole.contains(&fact), "{end} bytes of {message:02x?} say {fact:02x?}, the whole says {whole:02x?}");
        }
    }
}

/// What a live device answers, read as the asking side does: never a panic, and never another sense in other portions.
pub fn answer(data: &[u8]) {
    greeting_or_page(data);
    session(data);
}

/// What servers say to whoever asks: where an answer of HTTP ends does not depend on the portions in which it comes, and what is found in a greeting
/// lies in it.
fn greeting_or_page(data: &[u8]) {
    let Some((portion, said)) = data.split_first() else { return };
    let portion = usize::from(*portion % 64) + 1;
    let at_once = http::Answer::default().take(said);
    let mut answer = http::Answer::default();
    let in_portions = said.chunks(portion).map(|bytes| answer.take(bytes)).find(|taken| *taken != Ok(false)).unwrap_or(Ok(false));
    assert_eq!(in_portions, at_once, "in portions of {portion}");

    let whole = telnet::whole(said);
    assert!(whole <= said.len());
    let refusals = telnet::refusals(&said[..whole]);
    assert_eq!(refusals, telnet::refusals(said), "a command that goes on is refused");
    assert!(refusals.iter().all(|refusal| said.contains(&refusal[2])));
    if let Ok(Some((end, ready))) = greeting::ftp_reply(said) {
        assert_eq!(greeting::ftp_reply(&said[..end]), Ok(Some((end, ready))));
    }
}

/// A datagram or frame of PROFINET before what pairs answers with our questions: what is taken for a question of ours is one byte for byte, and a
/// cut look-up tells no other object than the whole.
pub fn profinet(data: &[u8]) {
    if let Some((activity, question)) = pn_io::Question::read(data) {
        assert_eq!(question.encode(activity), data);
    }
    if let Some(question) = pn_dcp::Question::read(data) {
        assert!(data.starts_with(&question.encode()), "{data:02x?}");
    }
    for length in [pn_io::length(data), pn_dcp::length(data)].into_iter().flatten().flatten() {
        assert_eq!(length, data.len());
    }
    let transaction = data.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    let _whatever_it_is = pn_dcp::Question { transaction }.is_answered_by(data);
    let Some(activity) = data.get(40..56).and_then(|bytes| bytes.try_into().ok()) else { return };
    let looked_up = |end: usize| pn_io::Answered::read(&data[..end], activity, pn_io::Question::LookUp);
    let whole = looked_up(data.len());
    for end in (0..data.len()).step_by(data.len() / CUTS + 1) {
        if let Some(pn_io::Answered::LookedUp(Some(object))) = looked_up(end) {
            assert_eq!(whole, Some(pn_io::Answered::LookedUp(Some(object))), "{end} bytes of {data:02x?}");
        }
    }
}

fn facts_of(message: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut facts = Vec::new();
    for reading in modbus::PROTOCOL.replay(Over::Tcp, [], [message]) {
        stands_in_its_messages(&reading);
        facts.extend(reading.facts.into_iter().map(|fact| (fact.path, fact.bytes)));
    }
    facts
}

fn heard(event: &Event) {
    if let Event::Reading(reading) = event {
        stands_in_its_messages(reading);
    }
}

/// A fact's first byte stands where it says, and the others behind it: headers and checksums may stand in between.
fn stands_in_its_messages(reading: &Reading) {
    let held: usize = reading.messages.iter().map(|message| message.bytes.len()).sum();
    assert!(held <= READING_BYTES_MAX && reading.messages.len() <= READING_MESSAGES_MAX, "{held} bytes of messages");
    for Fact { path, bytes, message, offset, .. } in &reading.facts {
        let from = |(index, at): (usize, usize)| reading.messages.get(index).and_then(|message| message.bytes.get(at..)).unwrap_or(&[]);
        let first = from((*message, *offset));
        assert!(bytes.is_empty() || first.first() == bytes.first(), "{path} does not stand where it says");
        let mut behind = first.iter().chain((message + 1..reading.messages.len()).flat_map(|index| from((index, 0))));
        assert!(bytes.iter().all(|byte| behind.any(|other| other == byte)), "{path} does not stand in its messages");
    }
}

/// What a server of MMS or OPC UA answers to the question that the first byte names, with the number that the second does: what the next question
/// takes from it stands in it.
fn session(data: &[u8]) {
    let Some(([which, number], body)) = data.split_first_chunk::<2>() else { return };
    let (domain, node) = (String::from("LD0"), String::from("LPHD1"));
    let mms = [
        mms::Question::Initiate { session: vec![0, 1], presentation: vec![0, 0, 0, 1] },
        mms::Question::Identify,
        mms::Question::Domains,
        mms::Question::DevicePlate { domain: domain.clone(), node },
        mms::Question::NodePlate { domain },
        mms::Question::Conclude,
    ];
    let opcua = [
        opcua::Question::Open,
        opcua::Question::Servers,
        opcua::Question::Endpoints,
        opcua::Question::Create,
        opcua::Question::Build,
        opcua::Question::Devices(2),
        opcua::Question::Parts(&[]),
        opcua::Question::Device(&[]),
        opcua::Question::Close,
    ];
    let which = usize::from(*which) % (mms.len() + opcua.len());
    let stands_there = |told: &[u8]| told.is_empty() || body.windows(told.len()).any(|part| part == told);
    if let Some(question) = mms.get(which) {
        if let Ok(mms::Answer::Answered(names)) = mms::Answer::read(body, question, *number) {
            assert!(names.iter().all(|name| stands_there(name)), "{names:02x?} do not stand in {body:02x?}");
        }
        return;
    }
    // A chunk, as it comes from the stream, and what is joined of several.
    let _ = opcua::length(body);
    if let Ok(opcua::Part::Of { body: part, .. }) = opcua::Part::read(body) {
        assert!(stands_there(part));
    }
    let Some(question) = opcua.get(which - mms.len()) else { return };
    if let Ok(opcua::Answer::Created { session, .. }) = opcua::Answer::read(body, question, (*number).into()) {
        assert!(stands_there(&session), "{session:02x?} does not stand in {body:02x?}");
    }
}

/// Everything that carries a protocol.
fn carriers(protocol: &Protocol) -> Vec<Over> {
    let ports = [(protocol.tcp, Over::Tcp), (protocol.udp, Over::Udp)];
    let over_ip = ports.into_iter().filter(|(ports, _)| !ports.is_empty()).map(|(_, over)| over);
    over_ip.chain(protocol.link.iter().map(|kind| Over::Link(*kind))).collect()
}

/// A conversation in the protocol that the first byte names, over the carrier that the second does. Then each step: who speaks (1), and
/// whether his bytes are missing here (2); how many (two bytes, lower first); and what he says.
pub fn protocol(data: &[u8]) {
    let Some(([which, carrier], mut rest)) = data.split_first_chunk::<2>() else { return };
    let protocol = protocols::ALL[usize::from(*which) % protocols::ALL.len()];
    let carriers = carriers(protocol);
    let over = carriers.get(usize::from(*carrier) % carriers.len().max(1)).copied().unwrap_or_default();
    let ends = [1, 2].map(|last| {
        let (mac, ip) = (Some(Mac([2, 0, 0, 0, 0, last])), Some([192, 168, 20, last].into()));
        End { mac, ip: ip.filter(|_| !matches!(over, Over::Link(_))), port: (last == 2).then_some(1) }
    });
    let (mut conversation, mut readings, mut number) = ((protocol.start)(over), Vec::new(), 0);
    let mut heard = |heard| {
        if let Heard::Reading(reading) = heard {
            stands_in_its_messages(&reading);
            if readings.len() < READINGS_CUT_MAX {
                readings.push(reading);
            }
        }
    };
    while let Some(([control, l0, l1], behind)) = rest.split_first_chunk::<3>() {
        let (bytes, behind) = behind.split_at(usize::from(u16::from_le_bytes([*l0, *l1])).min(behind.len()));
        (rest, number) = (behind, number + 1);
        let (by_server, at) = (control & 1 == 1, At { frame: number, time_ns: number });
        let side = usize::from(by_server);
        let is_lost = control & 2 == 2;
        if is_lost && over == Over::Tcp {
            conversation.lose(by_server, at, &mut heard);
        }
        let missing = if is_lost && over != Over::Tcp { 16 } else { 0 };
        conversation.hear(&Said { bytes, missing, at, from: &ends[side], to: &ends[1 - side], by_server }, &mut heard);
    }
    conversation.finish(At { frame: number + 1, time_ns: number + 1 }, &mut heard);
    let mut covered = true;
    conversation.coverage(&mut |_, coverage| covered &= coverage.decoded <= coverage.seen);
    assert!(covered, "{}: more was decoded than seen", protocol.name);
    readings.iter().for_each(prefixes_say_no_more);
}

/// What a reading's messages say when they are heard again with the last one cut is a part of what they say whole. Where the whole
/// breaks a rule, it may be given up for that, and a prefix shows nothing of it yet.
fn prefixes_say_no_more(reading: &Reading) {
    let (asked, answers) = reading.messages.split_at(reading.asked);
    let Some((last, before)) = answers.split_last() else { return };
    let again = |length: usize| -> Vec<Reading> {
        let answers = before.iter().map(|message| &message.bytes[..]).chain([&last.bytes[..length]]);
        let carrier = protocols::named(reading.protocol).expect("told by a protocol of the table");
        let readings = carrier.replay(reading.over, asked.iter().map(|message| &message.bytes[..]), answers);
        let own = |again: &Reading| again.protocol == reading.protocol && (again.question == reading.question || reading.asked == 0);
        readings.into_iter().filter(own).collect()
    };
    let whole = again(last.bytes.len());
    if !reading.complete || !whole.iter().all(|reading| reading.complete) {
        return;
    }
    for length in (0..last.bytes.len()).step_by(last.bytes.len() / CUTS + 1) {
        for fact in again(length).iter().flat_map(|reading| &reading.facts) {
            let is_there =
                whole.iter().flat_map(|reading| &reading.facts).any(|other| (&other.path, &other.bytes) == (&fact.path, &fact.bytes));
            assert!(is_there, "{}: {length} bytes of {:02x?} say {fact:02x?}, the whole says {whole:02x?}", reading.protocol, last.bytes);
        }
    }
}

/// Reads a capture at once and in portions of growing size, and listens to it.
fn capture(file: &[u8]) {
    let whole = frames_of(file, usize::MAX);
    assert_eq!(frames_of(file, 1 + file.len() / 7), whole);
}

/// How many frames and malformed records a capture has when it arrives in portions of that many bytes.
fn frames_of(file: &[u8], portion: usize) -> (u64, u64) {
    let (mut decoder, mut listener) = (Decoder::new(), Listener::new(&[]));
    let (mut at, mut there, mut count) = (0, 0, (0, 0));
    loop {
        let input = &file[at..there];
        let consumed = match decoder.next(input) {
            Step::Need(needed) => {
                assert!(needed > input.len(), "needs {needed} bytes and has {}", input.len());
                if there == file.len() {
                    break;
                }
                there = there.saturating_add(portion).min(file.len());
                continue;
            }
            Step::Skip(consumed) => consumed,
            Step::Frame { frame, consumed } => {
                count.0 += 1;
                assert_eq!(frame.number, count.0);
                listener.frame(&frame, &mut |event| heard(&event));
                consumed
            }
            Step::Malformed { malformed, consumed, .. } => {
                count.1 += 1;
                assert!(malformed.offset <= there, "{malformed}");
                consumed
            }
        };
        assert!((1..=input.len()).contains(&consumed), "{consumed} of {} bytes consumed", input.len());
        at += consumed;
    }
    count.1 += u64::from(decoder.cut_off(&file[at..]).is_some());
    listener.finish(&mut |event| heard(&event));
    count
}

fn segment(from_server: bool, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let total = (40 + payload.len()) as u16;
    let (src, dst, ports) = if from_server { (1, 2, [502, 40_000]) } else { (2, 1, [40_000_u16, 502]) };
    let mut bytes = vec![0x45, 0];
    bytes.extend(total.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, src, 192, 0, 2, dst]);
    bytes.extend(ports[0].to_be_bytes());
    bytes.extend(ports[1].to_be_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(ack.to_be_bytes());
    bytes.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(payload);
    bytes
}
