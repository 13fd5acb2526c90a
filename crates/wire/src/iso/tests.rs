//! Packets are written in hexadecimal, as a capture's reader copies them; what they yield is one line per event.

use super::*;

/// Who sends: the client asks, the server answers.
pub(crate) const ASKS: bool = false;
pub(crate) const ANSWERS: bool = true;

/// Bytes of hexadecimal digits.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).expect("ASCII"), 16).expect("a digit")).collect()
}

/// A packet with one DT TPDU around a layer's bytes.
pub(crate) fn packet(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(DATA_AT + body.len()).expect("a short body");
    [&[3, 0], &length.to_be_bytes()[..], &[2, 0xf0, 0x80], body].concat()
}

/// One line per event, one per fact; a text as text, other shapes in hexadecimal.
pub(crate) fn told(heard: &Heard) -> Vec<String> {
    match heard {
        Heard::Reading(reading) => {
            let whole = if reading.complete { "whole" } else { "part" };
            let first = format!("{} {whole}", reading.question);
            let facts = reading.facts.iter().map(|fact| {
                let text = match fact.shape {
                    crate::Shape::Text => String::from_utf8_lossy(&fact.bytes).into_owned(),
                    _ => fact.bytes.iter().map(|b| format!("{b:02x}")).collect(),
                };
                format!("{} {text}", fact.path)
            });
            core::iter::once(first).chain(facts).collect()
        }
        Heard::Present { protocol, role, speaker, .. } => {
            let place = speaker.slot.map_or_else(String::new, |slot| format!(" in {}/{slot}", speaker.rack.unwrap_or_default()));
            vec![format!("{protocol} {}{place}", role.name())]
        }
        Heard::Malformed { malformed, .. } => vec![format!("malformed {} {}", malformed.layer, malformed.offset)],
        Heard::Happened { .. } => vec!["happened".to_owned()],
    }
}

/// What a conversation yields whose pieces were sent by the client or by the server.
pub(crate) fn hear(pieces: &[(bool, &[u8])]) -> Vec<Heard> {
    let mut heard = Vec::new();
    let mut conversation = (PROTOCOL.start)(Over::Tcp);
    let (from, to) = (&End::default(), &End::default());
    for (frame, &(by_server, bytes)) in (1..).zip(pieces) {
        let at = At { frame, time_ns: 0 };
        conversation.hear(&Said { bytes, missing: 0, at, from, to, by_server }, &mut |event| heard.push(event));
    }
    conversation.finish(At::default(), &mut |event| heard.push(event));
    heard
}

pub(crate) fn check(name: &str, pieces: &[(bool, &[u8])], expected: &[&str]) {
    let heard: Vec<String> = hear(pieces).iter().flat_map(told).collect();
    assert_eq!(heard, expected, "{name}");
    check_facts_stand_where_they_say(name, pieces);
    check_prefixes(name, pieces);
}

/// A fact's bytes are those of its message from its offset on, as far as that goes (a list goes on in the next message).
fn check_facts_stand_where_they_say(name: &str, pieces: &[(bool, &[u8])]) {
    for heard in hear(pieces) {
        let Heard::Reading(reading) = heard else { continue };
        for fact in &reading.facts {
            let there = &reading.messages[fact.message].bytes[fact.offset..];
            let both = there.len().min(fact.bytes.len());
            assert_eq!(there[..both], fact.bytes[..both], "{name}: {}", fact.path);
        }
    }
}

/// The last piece cut at any length gives the same facts or fewer.
fn check_prefixes(name: &str, pieces: &[(bool, &[u8])]) {
    let facts = |pieces: &[(bool, &[u8])]| -> Vec<String> {
        let is_fact = |line: &String| line.contains('.') && !line.ends_with(" whole") && !line.ends_with(" part");
        hear(pieces).iter().flat_map(told).filter(is_fact).collect()
    };
    let whole = facts(pieces);
    let Some(((by_server, last), before)) = pieces.split_last() else { return };
    for cut in 0..last.len() {
        let shorter = [before, &[(*by_server, &last[..cut])]].concat();
        for fact in facts(&shorter) {
            assert!(whole.contains(&fact), "{name}: cut after {cut} bytes says {fact}");
        }
    }
}

/// A read of one byte and its answer, as libnodave asks it.
const JOB: &str = "0300001f02f080320100000001000e00000401120a10020001000084000000";
const ACK: &str = "0300001a02f0803203000000010002000500000401ff0400082a";
/// CR of a PG to rack 0, slot 2 (selectors 01.00 and 01.02), and its CC.
const REQUEST: &str = "0300001611e00000000600c1020100c2020102c0010a";
const CONFIRM: &str = "0300001611d00006000300c0010ac1020100c2020102";

#[test]
fn the_called_selector_tells_rack_and_slot_of_who_answers() {
    let (request, confirm, job, ack) = (hex(REQUEST), hex(CONFIRM), hex(JOB), hex(ACK));
    let present = ["s7comm server in 0/2", "s7comm client"];
    check("from the start", &[(ASKS, &request), (ANSWERS, &confirm), (ASKS, &job), (ANSWERS, &ack), (ASKS, &job)], &present);
    check("from the middle", &[(ASKS, &job), (ANSWERS, &ack)], &["s7comm server", "s7comm client"]);
    check("nobody asked", &[(ANSWERS, &ack)], &[]);
}

#[test]
fn a_message_in_several_tpdus_is_one_packet() {
    // Identify of MMS (ISO 9506-2, 9.4) in three DT TPDUs, an empty one among them.
    let body = hex("a114020101a20f8001418106522d312e30318202 3432");
    let part = |last: u8, body: &[u8]| [&[3, 0, 0, 7 + body.len() as u8, 2, 0xf0, last][..], body].concat();
    let sent = [part(0, &body[..9]), part(0, &[]), part(0x80, &body[9..])].concat();
    let told = ["mms.identify whole", "mms.identify.vendor A", "mms.identify.model R-1.01", "mms.identify.revision 42"];
    check("three parts", &[(ANSWERS, &sent)], &told);
    let Some(Heard::Reading(joined)) = hear(&[(ANSWERS, &sent)]).pop() else { panic!("a reading") };
    assert_eq!(joined.messages[0].bytes, packet(&body));
    check("the joined packet", &[(ANSWERS, &joined.messages[0].bytes)], &told);
}

#[test]
fn what_is_put_together_is_bounded() {
    let mut part = vec![3, 0, 0xff, 0xff, 2, 0xf0, 0];
    part.resize(0xffff, 0);
    check("two parts of 64 KiB", &[(ANSWERS, &part), (ANSWERS, &part)], &["malformed cotp 4"]);
}

#[test]
fn a_broken_packet_is_said_once() {
    check("no version", &[(ASKS, b"GET / HTTP/1.1\r\n"), (ASKS, b"more")], &["malformed tpkt 0"]);
    check("no room for a TPDU", &[(ASKS, &[3, 0, 0, 6, 1, 0xf0])], &["malformed tpkt 2"]);
}

#[test]
fn only_what_nobody_else_sends_is_certain() {
    let cases: [(&str, Vec<u8>, Likeness); 10] = [
        ("a CR with selectors", hex(REQUEST), Likeness::Certain),
        ("a CC with selectors", hex(CONFIRM), Likeness::Certain),
        ("a job", hex(JOB), Likeness::Certain),
        ("S7comm-plus", hex("0300002102f08072020012333100006e0400000000000006000000000072020000"), Likeness::Certain),
        ("MMS", hex("0300001b02f08001000100610e300c020103a007a0050201018200"), Likeness::Certain),
        (
            "RDP: a CR with a cookie",
            hex("0300002d28e00000000100436f6f6b69653a206d737473686173683d726470757365720d0a0100080003000000"),
            Likeness::Possible,
        ),
        ("RDP: MCS connect initial", hex("0300000c02f0807f65820000"), Likeness::Possible),
        ("H.323: Q.931 without COTP", hex("0300000c0802002105040388"), Likeness::No),
        ("TLS", hex("160301020001000001fc0303"), Likeness::No),
        ("Modbus", hex("000100000006ff0300000001"), Likeness::No),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(likeness(&bytes, Over::Tcp), expected, "{name}");
        for cut in 0..bytes.len() {
            let likeness = likeness(&bytes[..cut], Over::Tcp);
            assert!(
                likeness != Likeness::Certain && (expected == Likeness::No || likeness == Likeness::Possible),
                "{name} cut after {cut}"
            );
        }
    }
}
