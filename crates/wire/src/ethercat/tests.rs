//! Frames are put together from ETG.1000's tables here: no public capture of them was at hand.

use super::*;
use crate::Reading;
use crate::conversation::End;

/// One datagram: command, index, address, register, bytes, working counter.
type Part<'a> = (u8, u8, u16, u16, &'a [u8], u16);

const READ: u8 = 4;
const WRITE: u8 = 5;
/// Asks the EEPROM for a word: control, address.
const ASK_VENDOR: &[u8] = &[0x00, 0x01, 0x08, 0, 0, 0];
const ASK_SERIAL: &[u8] = &[0x00, 0x01, 0x0e, 0, 0, 0];
/// An EK1100 of Beckoff, as its description file says.
const EK1100: &[u8] = &[0x02, 0, 0, 0, 0x52, 0x2c, 0x4c, 0x04];

fn frame(parts: &[Part<'_>]) -> Vec<u8> {
    let mut bytes = vec![0, 0x10];
    for (place, (command, index, address, register, data, answered)) in parts.iter().enumerate() {
        let more = if place + 1 < parts.len() { 0x8000 } else { 0 };
        bytes.extend([*command, *index]);
        for word in [*address, *register, data.len() as u16 | more, 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(*data);
        bytes.extend(answered.to_le_bytes());
    }
    bytes
}

fn hear(frames: &[Vec<u8>]) -> (Vec<Heard>, Coverage) {
    let (mut heard, mut coverage) = (vec![], Coverage::default());
    let mut segment = (PROTOCOL.start)(Over::Link(Kind::Ethertype(ETHERTYPE)));
    let (from, to) = (&End { mac: Some(Mac([0, 1, 5, 0, 0, 1])), ..End::default() }, &End::default());
    for (bytes, frame) in frames.iter().zip(1..) {
        let at = At { frame, time_ns: frame * 1_000_000 };
        segment.hear(&Said { bytes, missing: 0, at, from, to, by_server: true }, &mut |event| heard.push(event));
    }
    segment.coverage(&mut |_, counted| coverage = counted);
    (heard, coverage)
}

fn readings(heard: &[Heard]) -> Vec<&Reading> {
    heard.iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None }).collect()
}

/// Each fact with the slave that it belongs to, and how many questions stand before it.
fn facts(heard: &[Heard]) -> Vec<String> {
    let of = |reading: &&Reading| {
        let slave = reading.speaker.link.map(|link| format!("station {link}"));
        let slave = slave.or(reading.speaker.slot.map(|slot| format!("position {slot}"))).unwrap_or_default();
        let asked = reading.asked;
        let facts = reading.facts.iter().map(move |fact| format!("{slave}, {asked} asked: {} {}", fact.path, fact.bytes.escape_ascii()));
        facts.collect::<Vec<_>>()
    };
    readings(heard).iter().flat_map(of).collect()
}

fn check(name: &str, frames: &[&[Part<'_>]], expected: &[&str]) {
    let frames: Vec<Vec<u8>> = frames.iter().map(|parts| frame(parts)).collect();
    let (heard, _) = hear(&frames);
    assert_eq!(facts(&heard), expected, "{name}");
    for reading in readings(&heard) {
        let (asked, answers) = reading.messages.split_at(reading.asked);
        let bytes = |message: &crate::Message| message.bytes.clone();
        let (asked, answers): (Vec<_>, Vec<_>) = (asked.iter().map(bytes).collect(), answers.iter().map(bytes).collect());
        let again = PROTOCOL.replay(reading.over, asked.iter().map(Vec::as_slice), answers.iter().map(Vec::as_slice));
        let values = |reading: &Reading| reading.facts.clone();
        assert_eq!(again.iter().map(values).collect::<Vec<_>>(), [values(reading)], "{name}, read again");
    }
    for end in 0..frames.last().map_or(0, Vec::len) {
        let mut shorter = frames.clone();
        shorter.last_mut().into_iter().for_each(|last| last.truncate(end));
        for fact in facts(&hear(&shorter).0) {
            assert!(expected.contains(&fact.as_str()), "{name}, cut after {end} bytes: {fact}");
        }
    }
}

#[test]
fn words_of_an_eeprom_are_read_with_their_address() {
    let vendor = "station 4097, 1 asked: ethercat.sii.vendor \\x02\\x00\\x00\\x00";
    let product = "station 4097, 1 asked: ethercat.sii.product R,L\\x04";
    let asked: &[Part<'_>] = &[(WRITE, 1, 4097, 0x0502, ASK_VENDOR, 0)];
    let asked_back: &[Part<'_>] = &[(WRITE, 1, 4097, 0x0502, ASK_VENDOR, 1)];
    check("eight bytes", &[asked, &[(READ, 2, 4097, 0x0508, EK1100, 1)]], &[vendor, product]);
    check("four bytes", &[asked, asked_back, &[(READ, 2, 4097, 0x0508, &EK1100[..4], 1)]], &[vendor]);
    check("only the way back was heard", &[asked_back, &[(READ, 2, 4097, 0x0508, EK1100, 1)]], &[vendor, product]);
    check("not on the way out", &[asked, &[(READ, 2, 4097, 0x0508, EK1100, 0)]], &[]);
    check("another slave's answer", &[asked, &[(READ, 2, 4098, 0x0508, EK1100, 1)]], &[]);
    check("nobody was heard asking", &[&[(READ, 2, 4097, 0x0508, EK1100, 1)]], &[]);
    let two = [(WRITE, 1, 4097, 0x0502, ASK_VENDOR, 1), (READ, 2, 4097, 0x0508, EK1100, 1), (READ, 3, 4097, 0x0508, &EK1100[4..], 1)];
    check("a question has one answer", &[&two], &[vendor, product]);
    let serial = &[(WRITE, 1, 4097, 0x0502, ASK_SERIAL, 1), (READ, 2, 4097, 0x0508, &[0x39, 0x30, 0, 0, 0xff, 0xff, 0xff, 0xff], 1)];
    check("the word behind is none of identity", &[serial], &["station 4097, 1 asked: ethercat.sii.serial 90\\x00\\x00"]);
}

#[test]
fn an_answer_with_its_address_needs_no_question() {
    let registers = |status: [u8; 2], words: &[u8]| [&status, &[0x0a, 0, 0, 0][..], words].concat();
    let words = [0x52, 0x2c, 0x4c, 0x04, 0, 0, 0x11, 0];
    let product = "station 1, 0 asked: ethercat.sii.product R,L\\x04";
    let revision = "station 1, 0 asked: ethercat.sii.revision \\x00\\x00\\x11\\x00";
    check("four bytes", &[&[(READ, 1, 1, 0x0502, &registers([0, 0], &words[..4]), 1)]], &[product]);
    check("eight, by the status", &[&[(READ, 1, 1, 0x0502, &registers([0x40, 0], &words), 1)]], &[product, revision]);
    check("eight asked for, four given", &[&[(READ, 1, 1, 0x0502, &registers([0, 0], &words), 1)]], &[product]);
    check("busy", &[&[(READ, 1, 1, 0x0502, &registers([0, 0x80], &words), 1)]], &[]);
    let (heard, _) = hear(&[
        frame(&[(READ, 1, 1, 0x0502, &registers([0, 0], &words[..4]), 1)]),
        frame(&[(READ, 2, 1, 0x0502, &registers([0, 0], &words[..4]), 1)]),
    ]);
    assert_eq!(readings(&heard).len(), 1, "told once");
}

#[test]
fn a_position_is_known_on_the_way_out() {
    let (read, write) = (1, 2);
    // The third slave; five are on the wire.
    let (out, back) = (2_u16.wrapping_neg(), 3);
    let frames: [&[Part<'_>]; 4] = [
        &[(write, 1, out, 0x0502, ASK_VENDOR, 0)],
        &[(write, 1, back, 0x0502, ASK_VENDOR, 1)],
        &[(read, 2, out, 0x0508, &[0; 8], 0)],
        &[(read, 2, back, 0x0508, EK1100, 1)],
    ];
    let facts = ["position 2, 2 asked: ethercat.sii.vendor \\x02\\x00\\x00\\x00", "position 2, 2 asked: ethercat.sii.product R,L\\x04"];
    check("by position", &frames, &facts);
    check("the way out was not heard", &[frames[1], frames[3]], &[]);
}

#[test]
fn objects_of_identity_are_read_from_mailboxes() {
    let mailbox = |kind: u8, body: &[u8]| [&(body.len() as u16).to_le_bytes(), &[1, 0, 0, kind][..], body].concat();
    let answer = |sdo: &[u8]| [&mailbox(0x13, &[&[0, 0x30][..], sdo].concat())[..], &[0; 20]].concat();
    let heard = |bytes: &[u8], expected: &[&str]| check("mailbox", &[&[(READ, 1, 5, 0x1080, bytes, 1)]], expected);
    heard(&answer(b"\x43\x18\x10\x02\x52\x2c\x4c\x04"), &["station 5, 0 asked: ethercat.coe.product R,L\\x04"]);
    heard(&answer(b"\x4b\x0a\x10\0v1\0\0"), &["station 5, 0 asked: ethercat.coe.software v1"]);
    heard(&answer(b"\x41\x08\x10\0\x06\0\0\0EK1101"), &["station 5, 0 asked: ethercat.coe.name EK1101"]);
    heard(&answer(b"\x41\x09\x10\0\x02\0\0\x00A\0"), &["station 5, 0 asked: ethercat.coe.hardware A"]);
    heard(&answer(b"\x41\x08\x10\0\x40\0\0\0EK1101"), &[]);
    heard(&answer(b"\x43\x41\x60\0\x37\x16\0\0"), &[]);
    heard(&answer(b"\x80\x08\x10\0\0\0\x02\x06"), &[]);
    heard(&mailbox(0x12, b"\0\x30\x43\x18\x10\x02\x52\x2c\x4c\x04"), &[]);
    check("a register", &[&[(READ, 1, 5, 0x0110, &answer(b"\x43\x18\x10\x02\x52\x2c\x4c\x04"), 1)]], &[]);
    check("on the way out", &[&[(READ, 1, 5, 0x1080, &answer(b"\x43\x18\x10\x02\x52\x2c\x4c\x04"), 0)]], &[]);
}

#[test]
fn a_file_that_a_slave_takes_is_firmware() {
    let happened = |opcode: u8, answered: u16| {
        let body = [&[opcode, 0, 0, 0, 0, 0][..], b"EL7031.efw"].concat();
        let mailbox = [&(body.len() as u16).to_le_bytes(), &[0, 0, 0, 0x14][..], &body].concat();
        let frames = [frame(&[(WRITE, 1, 7, 0x1000, &mailbox, answered)]), frame(&[(WRITE, 2, 7, 0x1000, &mailbox, answered)])];
        let (heard, _) = hear(&frames);
        let of = |heard: Heard| if let Heard::Happened { device, .. } = heard { device.link } else { None };
        heard.into_iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(happened(2, 1), [7], "told once");
    assert_eq!(happened(2, 0), [], "no slave took it");
    assert_eq!(happened(1, 1), [], "a file is read");
}

#[test]
fn slaves_and_their_master_are_met_when_a_frame_comes_back() {
    let status: Part<'_> = (READ, 1, 4097, 0x0130, &[8, 0], 1);
    let frames = [frame(&[(READ, 1, 4097, 0x0130, &[0, 0], 0)]), frame(&[status, (12, 2, 0, 1, &[0; 40], 3)]), frame(&[status])];
    let (heard, coverage) = hear(&frames);
    let met = |heard: &Heard| if let Heard::Present { role, speaker, .. } = heard { Some((*role, speaker.link)) } else { None };
    assert_eq!(heard.iter().filter_map(met).collect::<Vec<_>>(), [(Role::Client, None), (Role::Server, Some(4097))]);
    assert_eq!(coverage, Coverage { seen: 3, decoded: 3 });
    let (heard, coverage) = hear(&[vec![0, 0x10, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], vec![0, 0x40, 1, 2]]);
    assert!(matches!(&heard[..], [Heard::Malformed { malformed, .. }] if malformed.offset == 2), "no such command; EAP is not read");
    assert_eq!(coverage, Coverage { seen: 2, decoded: 1 });
}

#[test]
fn only_datagrams_look_like_it() {
    let likeness = |bytes: &[u8]| (PROTOCOL.likeness)(bytes, Over::Link(Kind::Ethertype(ETHERTYPE)));
    assert_eq!(likeness(&frame(&[(READ, 1, 1, 0x0130, &[0, 0], 0)])), Likeness::Possible);
    for other in [&[][..], &[0, 0x10], &[0, 0x40, 1, 2, 3], &[0x45; 40]] {
        assert_eq!(likeness(other), Likeness::No, "{other:x?}");
    }
}
