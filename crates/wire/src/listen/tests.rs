use core::net::IpAddr;

use super::table::FLOWS_MAX;
use super::*;
use crate::Mac;

const CLIENT: (u8, u16) = (1, 40_000);
const SERVER: (u8, u16) = (2, 502);
const FIN: u8 = 0x11;
const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const RST: u8 = 0x14;
const ACK: u8 = 0x10;

/// Report Server ID, unit 5 (MODBUS Application Protocol V1.1b3, 6.13): the question, and an answer of id `ABC` and run indicator.
const QUESTION: &[u8] = &[0, 1, 0, 0, 0, 2, 5, 0x11];
const ANSWER: &[u8] = &[0, 1, 0, 0, 0, 7, 5, 0x11, 4, b'A', b'B', b'C', 0xff];

/// Ethernet, IPv4, TCP by hand: hosts are 192.0.2.x with hardware addresses 02:..:0x.
fn tcp(src: (u8, u16), dst: (u8, u16), seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let total = (40 + payload.len()) as u16;
    let mut bytes = vec![2, 0, 0, 0, 0, dst.0, 2, 0, 0, 0, 0, src.0, 8, 0, 0x45, 0];
    bytes.extend(total.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, src.0, 192, 0, 2, dst.0]);
    bytes.extend(src.1.to_be_bytes());
    bytes.extend(dst.1.to_be_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(ack.to_be_bytes());
    bytes.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(payload);
    bytes
}

/// Ethernet, IPv4, UDP by hand, of the same hosts.
fn udp(src: (u8, u16), dst: (u8, u16), payload: &[u8]) -> Vec<u8> {
    let length = |header: usize| u16::try_from(header + payload.len()).unwrap().to_be_bytes();
    let ethernet = [2, 0, 0, 0, 0, dst.0, 2, 0, 0, 0, 0, src.0, 8, 0, 0x45, 0];
    let ip = [&length(28)[..], &[0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, src.0, 192, 0, 2, dst.0]].concat();
    let ports = [src.1.to_be_bytes(), dst.1.to_be_bytes(), length(8), [0; 2]].concat();
    [&ethernet[..], &ip, &ports, payload].concat()
}

fn ask(seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    tcp(CLIENT, SERVER, seq, ack, flags, payload)
}

fn answer(seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    tcp(SERVER, CLIENT, seq, ack, flags, payload)
}

/// One line per event, as short as it can be told.
fn told(event: &Event) -> String {
    let at = |speaker: &Address| match (speaker.ip, speaker.port) {
        (Some(IpAddr::V4(ip)), Some(port)) => format!(".{}:{port}", ip.octets()[3]),
        (Some(IpAddr::V4(ip)), None) => format!(".{}", ip.octets()[3]),
        _ => String::from("?"),
    };
    match event {
        Event::Reading(reading) => {
            let facts: Vec<_> = reading.facts.iter().filter(|fact| fact.path == "modbus.server_id").map(|fact| &fact.bytes[..]).collect();
            let frame = reading.messages.last().map_or(0, |message| message.frame);
            format!("{frame} {} reads {:?}", at(&reading.speaker), String::from_utf8_lossy(&facts.concat()))
        }
        Event::Present { speaker, at: when, .. } => {
            format!("{} {} unit {:?} serves", when.frame, at(speaker), speaker.unit.unwrap_or(0))
        }
        Event::Happened { .. } => "happened".to_owned(),
        Event::Covered { protocol, coverage } => format!("{protocol} {}/{}", coverage.decoded, coverage.seen),
        Event::Malformed { at: At { frame, .. }, speaker, malformed } => {
            format!("{frame} {} {} malformed at {}", speaker.as_ref().map_or(String::from("?"), at), malformed.layer, malformed.offset)
        }
        Event::Gap { at: At { frame, .. }, speaker, bytes } => format!("{frame} {} lost {bytes}", at(speaker)),
        Event::Fragment { at: At { frame, .. }, speaker } => format!("{frame} {} fragment", at(speaker)),
        Event::Undecoded { at: At { frame, .. }, link } => format!("{frame} link {}", link.0),
    }
}

fn events(decode_as: &[u16], frames: &[Vec<u8>]) -> Vec<Event> {
    let (mut listener, mut events) =
        (Listener::new(&decode_as.iter().map(|port| (*port, &crate::modbus::PROTOCOL)).collect::<Vec<_>>()), vec![]);
    for (bytes, number) in frames.iter().zip(1..) {
        let frame = Frame { number, time_ns: number * 10, link: LinkType::ETHERNET, bytes, wire_len: bytes.len() as u32 };
        listener.frame(&frame, &mut |event| events.push(event));
    }
    listener.finish(&mut |event| events.push(event));
    events
}

fn check(decode_as: &[u16], frames: &[Vec<u8>], expected: &[&str]) {
    let events = events(decode_as, frames);
    let told: Vec<_> = events.iter().filter(|event| !matches!(event, Event::Covered { .. })).map(told).collect();
    assert_eq!(told, expected);
}

const SERVES: &str = "2 .2:502 unit 5 serves";
const READS: &str = r#"2 .2:502 reads "ABC�""#;

#[test]
fn an_answer_is_heard_with_its_speaker() {
    check(&[], &[ask(10, 20, ACK, QUESTION), answer(20, 18, ACK, ANSWER)], &[SERVES, READS]);
    let events = events(&[], &[ask(10, 20, ACK, QUESTION), answer(20, 18, ACK, ANSWER)]);
    let Some(Event::Reading(reading)) = events.get(1) else { panic!("{events:?}") };
    let speaker = Address {
        mac: Some(Mac([2, 0, 0, 0, 0, 2])),
        ip: Some([192, 0, 2, 2].into()),
        port: Some(502),
        unit: Some(5),
        ..Address::default()
    };
    assert_eq!((&reading.speaker, reading.messages[0].time_ns, &reading.messages[0].bytes[..]), (&speaker, 20, ANSWER));
}

#[test]
fn only_known_server_ports_are_followed() {
    let odd = (2, 1502);
    let frames = [tcp(CLIENT, odd, 10, 20, ACK, QUESTION), tcp(odd, CLIENT, 20, 18, ACK, ANSWER)];
    check(&[], &frames, &[]);
    check(&[1502], &frames, &["2 .2:1502 unit 5 serves", r#"2 .2:1502 reads "ABC�""#]);
}

#[test]
fn with_two_known_ports_a_syn_or_the_lower_port_shows_the_server() {
    let high = (2, 1502);
    let low = (1, 502);
    let exchange = [tcp(low, high, 10, 20, ACK, QUESTION), tcp(high, low, 20, 18, ACK, ANSWER)];
    let handshake = [tcp(low, high, 9, 0, SYN, &[]), tcp(high, low, 19, 10, SYN_ACK, &[])];
    let found = ["4 .2:1502 unit 5 serves", r#"4 .2:1502 reads "ABC�""#];
    check(&[1502], &[&handshake[..], &exchange[..]].concat(), &found);
    // Without a SYN port 502 would be the server: its bytes are no answer that was asked for, and nothing is claimed of .2.
    let told: Vec<_> = events(&[1502], &exchange).iter().map(told).collect();
    assert!(told.iter().all(|line| !line.contains(".2:1502")), "{told:?}");
    check(
        &[1502],
        &[tcp(high, low, 10, 20, ACK, QUESTION), tcp(low, high, 20, 18, ACK, ANSWER)],
        &["2 .1:502 unit 5 serves", r#"2 .1:502 reads "ABC�""#],
    );
}

#[test]
fn a_gap_is_an_event_and_the_next_message_is_read() {
    let frames = [
        ask(10, 20, ACK, QUESTION),
        answer(20, 18, ACK, &ANSWER[..9]),
        // 4 bytes are never captured, but acknowledged.
        ask(18, 33, ACK, QUESTION),
        answer(33, 26, ACK, ANSWER),
    ];
    let told: Vec<_> = events(&[], &frames).iter().map(told).collect();
    assert!(told.contains(&"4 .2:502 lost 4".to_owned()) && told.contains(&READS.replacen('2', "4", 1)), "{told:?}");
    // The client's lost bytes are named by its address alone.
    check(&[], &[ask(10, 20, ACK, QUESTION), ask(30, 20, ACK, QUESTION)], &["2 .1 lost 12"]);
}

#[test]
fn a_connection_ends_and_its_ports_are_used_again() {
    let first = [ask(10, 20, ACK, QUESTION), answer(20, 18, ACK, ANSWER)];
    for end in [
        vec![ask(18, 33, FIN, &[]), answer(33, 19, FIN, &[])],
        vec![ask(18, 33, RST, &[]), ask(18, 33, RST, &[])],
        vec![ask(18, 33, ACK, &[]); 2],
    ] {
        // Within the old sequence numbers, so that without its SYN it would pass for a repetition.
        let again = [ask(4, 0, SYN, &[]), answer(9, 5, SYN_ACK, &[]), ask(5, 10, ACK, QUESTION), answer(10, 13, ACK, ANSWER)];
        let expected = [SERVES, READS, "8 .2:502 unit 5 serves", r#"8 .2:502 reads "ABC�""#];
        check(&[], &[&first[..], &end, &again].concat(), &expected);
    }
    // The last answer sent again after the end, and a SYN sent twice, are not heard twice.
    let twice = [ask(9, 0, SYN, &[]), ask(9, 0, SYN, &[]), answer(19, 10, SYN_ACK, &[]), answer(19, 10, SYN_ACK, &[])];
    let rest = [ask(18, 33, FIN, &[]), answer(33, 19, FIN, &[]), answer(20, 18, ACK, ANSWER)];
    check(&[], &[&twice[..], &first, &rest].concat(), &["6 .2:502 unit 5 serves", r#"6 .2:502 reads "ABC�""#]);
}

#[test]
fn what_is_not_read_is_told() {
    let mut fragment = ask(10, 20, ACK, QUESTION);
    fragment[20] = 0x20;
    let mut version = ask(10, 20, ACK, QUESTION);
    version[14] = 0x55;
    let mut offset = ask(10, 20, ACK, QUESTION);
    offset[46] = 0x10;
    let expected = ["2 ? ipv4 malformed at 0", "3 .1 tcp malformed at 12", "4 ? ethernet malformed at 0", "1 .1 fragment"];
    check(&[], &[fragment, version, offset, vec![1, 2, 3]], &expected);
    // Two versions of held bytes.
    let frames = [ask(10, 20, ACK, QUESTION), answer(24, 18, ACK, &ANSWER[4..]), answer(20, 18, ACK, &[&ANSWER[..9], b"XYZ"].concat())];
    check(&[], &frames, &["3 .2:502 tcp malformed at 4", SERVES, READS]);
    let (mut listener, mut lines) = (Listener::new(&[]), vec![]);
    let frame = Frame { number: 7, time_ns: 0, link: LinkType(147), bytes: &[1], wire_len: 1 };
    listener.frame(&frame, &mut |event| lines.push(told(&event)));
    assert_eq!(lines, ["7 link 147"]);
}

/// The answer's packet inside `header`, in a frame from .2.
fn wrapped(ethertype: [u8; 2], header: &[u8], inner: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ethertype[..], header, inner].concat()
}

#[test]
fn an_answer_in_parts_or_in_a_tunnel_is_heard_as_it_is() {
    let (question, whole) = (ask(10, 20, ACK, QUESTION), answer(20, 18, ACK, ANSWER));
    // The packet's first 24 payload bytes (20 of TCP), and the rest, 13 - 4 bytes; the last part may come first.
    let part = |from: usize, to: usize, offset: [u8; 2]| {
        let mut frame = [&whole[..34], &whole[34 + from..34 + to]].concat();
        frame[16..18].copy_from_slice(&((20 + to - from) as u16).to_be_bytes());
        frame[20..22].copy_from_slice(&offset);
        frame
    };
    let (first, last) = (part(0, 24, [0x20, 0]), part(24, whole.len() - 34, [0, 3]));
    let heard = |frame: u8| [SERVES, READS].map(|line| line.replacen('2', &frame.to_string(), 1));
    let check = |frames: &[Vec<u8>]| {
        let expected = heard(frames.len() as u8);
        super::tests::check(&[], frames, &expected.each_ref().map(String::as_str));
    };
    check(&[question.clone(), first.clone(), last.clone()]);
    check(&[question.clone(), last, first]);
    let gre_outer = [&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, 47, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2, 0, 0, 0x65, 0x58][..]].concat();
    check(&[question.clone(), wrapped([8, 0], &gre_outer, &whole)]);
    let vxlan_outer = [
        &[0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2][..],
        &[0xc0, 0, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 42, 0],
    ]
    .concat();
    check(&[question.clone(), wrapped([8, 0], &vxlan_outer, &whole)]);
    check(&[question.clone(), wrapped([0x88, 0x64], &[0x11, 0, 0, 1, 0, 55, 0, 0x21], &whole[14..])]);
    check(&[question, wrapped([0x88, 0x47], &[0, 1, 1, 64], &whole[14..])]);
}

/// The snap length rule: whatever is cut off any frame, the reading is the same or less, never another.
#[test]
fn a_capture_that_cuts_its_frames_says_the_same_or_less() {
    let frames = [ask(10, 20, ACK, QUESTION), answer(20, 18, ACK, ANSWER), ask(18, 33, ACK, QUESTION), answer(33, 26, ACK, ANSWER)];
    let values = |snap_bytes: usize, tell_wire_len: bool| {
        let (mut listener, mut values) = (Listener::new(&[]), vec![]);
        let mut take = |event| {
            if let Event::Reading(reading) = event {
                values.extend(reading.facts.into_iter().map(|fact| (fact.path, fact.bytes)));
            }
        };
        for (bytes, number) in frames.iter().zip(1..) {
            let cut = &bytes[..snap_bytes.min(bytes.len())];
            let wire_len = if tell_wire_len { bytes.len() } else { cut.len() } as u32;
            listener.frame(&Frame { number, time_ns: 0, link: LinkType::ETHERNET, bytes: cut, wire_len }, &mut take);
        }
        listener.finish(&mut take);
        values
    };
    let whole = values(usize::MAX, true);
    assert!(whole.iter().filter(|(path, bytes)| path == "modbus.server_id" && bytes == b"ABC\xff").count() == 2, "{whole:?}");
    for snap_bytes in 0..frames[1].len() {
        for tell_wire_len in [true, false] {
            for value in values(snap_bytes, tell_wire_len) {
                assert!(whole.contains(&value), "{snap_bytes} bytes of each frame say {value:?}");
            }
        }
    }
}

#[test]
fn the_table_of_connections_is_capped_and_keeps_what_is_in_use() {
    let (mut listener, mut told_lines) = (Listener::new(&[]), vec![]);
    let mut number = 0;
    let mut hear = |listener: &mut Listener, bytes: &[u8]| {
        number += 1;
        let frame = Frame { number, time_ns: 0, link: LinkType::ETHERNET, bytes, wire_len: bytes.len() as u32 };
        listener.frame(&frame, &mut |event| told_lines.push(told(&event)));
    };
    hear(&mut listener, &ask(10, 20, ACK, QUESTION));
    // A port scan of twice the table's size; the connection speaks now and then.
    for i in 0..2 * FLOWS_MAX as u32 {
        let source = ((i >> 15) as u8 + 10, (i & 0x7fff) as u16 + 1_000);
        hear(&mut listener, &tcp(source, SERVER, 1, 0, SYN, &[]));
        if i % 1_000 == 0 {
            hear(&mut listener, &ask(18, 20, ACK, &[]));
        }
    }
    hear(&mut listener, &answer(20, 18, ACK, ANSWER));
    assert_eq!(listener.flows.len(), FLOWS_MAX);
    assert!(told_lines.iter().any(|line| line.ends_with("unit 5 serves")), "the connection was forgotten: {told_lines:?}");
}

#[test]
fn who_is_present_is_told_with_what_carried_him() {
    let announcement = [0x02, 7, 4, 0, 1, 0x30, 0xf9, 0xad, 0xa0, 0x04, 2, 7, b'1', 0x06, 2, 0, 120, 0, 0];
    let lldp = [&[1, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1, 0x88, 0xcc][..], &announcement].concat();
    let notify = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:alive\r\nSERVER: x\r\n\r\n";
    let length = |more: usize| u16::try_from(notify.len() + more).unwrap().to_be_bytes();
    let mut ssdp =
        [&[1, 0, 0x5e, 0x7f, 0xff, 0xfa, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0][..], &length(28), &[0, 0, 0, 0, 64, 17, 0, 0]].concat();
    ssdp.extend([10, 0, 0, 1, 239, 255, 255, 250, 0x07, 0x6c, 0x07, 0x6c]);
    ssdp.extend([&length(8)[..], &[0, 0], notify].concat());
    let present = |event: Event| if let Event::Present { protocol, over, .. } = event { Some((protocol, over)) } else { None };
    let told: Vec<_> = events(&[], &[lldp, ssdp]).into_iter().filter_map(present).collect();
    assert_eq!(told, [("lldp", Over::Link(Kind::Ethertype(0x88cc))), ("ssdp", Over::Udp)]);
}

#[test]
fn a_clients_port_is_no_part_of_its_address_whatever_else_is_at_home_there() {
    // GetRequest and GetResponse of sysDescr.0 (RFC 1157, 4.1), the client on one of the ports of BACnet, as 16 of 28,232 that Linux draws from are.
    let name = [6, 8, 0x2b, 6, 1, 2, 1, 1, 1, 0];
    let message = |length: u8, pdu: [u8; 2], binding: u8, value: &[u8]| {
        let header =
            [&[0x30, length, 2, 1, 0, 4, 6], &b"public"[..], &pdu, &[2, 1, 1, 2, 1, 0, 2, 1, 0, 0x30, binding + 2, 0x30, binding]].concat();
        [&header[..], &name, value].concat()
    };
    let (get, got) = (message(38, [0xa0, 25], 12, &[5, 0]), message(39, [0xa2, 26], 13, &[4, 1, b'X']));
    let (client, server) = ((1, 47_815), (2, 161));
    let said = events(&[], &[udp(client, server, &get), udp(server, client, &got)]);
    let speakers: Vec<_> = said
        .iter()
        .filter_map(|event| if let Event::Present { speaker, .. } = event { Some((speaker.ip, speaker.port)) } else { None })
        .collect();
    assert_eq!(speakers, [(Some([192, 0, 2, 2].into()), Some(161)), (Some([192, 0, 2, 1].into()), None)]);
}

#[test]
fn of_two_known_ports_what_is_said_shows_the_server() {
    // I-Am of device 9 (ASHRAE 135-2020, 20.1.3 and 16.10) from a second BACnet network, to a client on the port of DNP3, which is the lower one.
    let i_am = [0x81, 0x0a, 0, 0x14, 1, 0, 0x10, 0, 0xc4, 2, 0, 0, 9, 0x22, 5, 0xc4, 0x91, 0, 0x21, 15];
    let said = events(&[], &[udp((2, 47_809), (1, 20_000), &i_am)]);
    let present: Vec<_> = said
        .iter()
        .filter_map(|event| {
            if let Event::Present { protocol, speaker, role, .. } = event {
                Some((*protocol, speaker.ip, speaker.port, *role))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(present, [("bacnet", Some([192, 0, 2, 2].into()), Some(47_809), Role::Publisher)]);
}
