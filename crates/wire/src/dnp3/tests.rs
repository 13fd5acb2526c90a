use super::*;
use crate::Reading;
use crate::conversation::{End, Heard, Likeness, Over, Role, Said};
use crate::tcp::At;

/// An independent outstation's answers (py1815 0.3.0, Apache-2.0): to a read of group 0 variation 254, all attributes; of variation 255,
/// which there are; of variation 242.
const ALL: &str = "0564bb4401000a004908c0c181800000f200000001195231323762212d5632205a3030373030342d443230326587333034313700f300000001084857207235\
    266576203400f5000000010d5754502033e334202f204d4343203200f6000000010852c73254552d3030333100f7000000010c496e1d2e666c75656e7420525455\
    00f8000000017eea0941342d3737312d303900f90000000174fb0e4945454520313831352d3230313200b534fa00000001074143453336303000fc001193000001\
    124d6f746f726f6c6120536f6c4d527574696f6e737678";
const LIST: &str = "0564234401000a00d7fbc0c281800000ff000000fe12f200f3007d12f500f600f700f800f900fa00fc00f88c";
const SOFTWARE: &str = "05642a4401000a00ecd4c0c381800000f200000001195231323752fd2d5632205a3030373030342d4432303265873330343137a943";
/// The question to the last of them.
const ASKED: &str = "05640dc40a00010075bac2c30100f2000000905b";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The checksum as 9.2.4.1.6 describes it, bit by bit.
fn sum(bytes: &[u8]) -> [u8; 2] {
    let mut sum = 0_u16;
    for byte in bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xa6bc } else { sum >> 1 };
        }
    }
    (!sum).to_le_bytes()
}

/// A frame around user data: control 44 is an outstation's, C4 a master's; outstation 10 and master 1.
fn frame(control: u8, user: &[u8]) -> Vec<u8> {
    let (to, from) = if control & 0x80 == 0 { (1, 10) } else { (10, 1) };
    let mut frame = vec![5, 0x64, u8::try_from(user.len() + 5).unwrap(), control, to, 0, from, 0];
    frame.extend(sum(&frame));
    for block in user.chunks(16) {
        frame.extend(block);
        frame.extend(sum(block));
    }
    frame
}

fn hear(over: Over, messages: &[(&[u8], bool)]) -> Vec<Heard> {
    let (mut conversation, mut heard, end) = ((PROTOCOL.start)(over), Vec::new(), End::default());
    for (bytes, by_server) in messages {
        let said = Said { bytes, missing: 0, at: At::default(), from: &end, to: &end, by_server: *by_server };
        conversation.hear(&said, &mut |event| heard.push(event));
    }
    conversation.finish(At::default(), &mut |event| heard.push(event));
    heard
}

fn readings(messages: &[(&[u8], bool)]) -> Vec<Reading> {
    let readings = hear(Over::Tcp, messages).into_iter();
    readings.filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None }).collect()
}

fn facts(reading: &Reading) -> Vec<(&str, &[u8])> {
    reading.facts.iter().map(|fact| (fact.path.as_str(), &fact.bytes[..])).collect()
}

fn check(messages: &[Vec<u8>], expected: &[(&str, &[u8])]) {
    let whole: Vec<(&[u8], bool)> = messages.iter().map(|message| (&message[..], true)).collect();
    let found = readings(&whole);
    let [reading] = &found[..] else { panic!("{found:?}") };
    assert_eq!(facts(reading), expected);
    assert!(reading.complete && reading.malformed.is_empty(), "{reading:?}");
    assert_eq!(reading.speaker.link, Some(10));
    for (index, message) in messages.iter().enumerate() {
        for cut in 0..message.len() {
            let mut shorter = whole[..=index].to_vec();
            shorter[index].0 = &message[..cut];
            for part in readings(&shorter) {
                assert!(!part.complete, "message {index} cut after {cut}");
                assert!(facts(&part).iter().all(|fact| expected.contains(fact)), "message {index} cut after {cut}: {part:?}");
            }
        }
    }
}

const EVERY: [(&str, &[u8]); 9] = [
    ("dnp3.attribute.242", b"R127-V2 Z007004-D20230417"),
    ("dnp3.attribute.243", b"HW rev 4"),
    ("dnp3.attribute.245", b"WTP 3 / MCC 2"),
    ("dnp3.attribute.246", b"RTU-0031"),
    ("dnp3.attribute.247", b"Influent RTU"),
    ("dnp3.attribute.248", b"A4-771-09"),
    ("dnp3.attribute.249", b"IEEE 1815-2012"),
    ("dnp3.attribute.250", b"ACE3600"),
    ("dnp3.attribute.252", b"Motorola Solutions"),
];

#[test]
fn an_outstation_tells_its_attributes() {
    check(&[bytes(ALL)], &EVERY);
    let list = [242, 0, 243, 0, 245, 0, 246, 0, 247, 0, 248, 0, 249, 0, 250, 0, 252, 0];
    check(&[bytes(LIST)], &[("dnp3.attribute.255", &list)]);
    check(&[bytes(SOFTWARE)], &EVERY[..1]);
    // Numbers, an index before each point (qualifier 17), and a set of the maker's own.
    let user = [0xc0, 0xc1, 0x81, 0, 0, 0, 241, 0x17, 1, 0, 2, 2, 0, 4, 0, 5, 0, 3, 3, 1, 2, b'o', b'k'];
    check(&[frame(0x44, &user)], &[("dnp3.attribute.241", &[0, 4]), ("dnp3.set.3.attribute.5", b"ok")]);
}

#[test]
fn an_answer_in_several_frames_and_fragments_is_one_reading() {
    // Two frames of one fragment, then a second fragment; the value of variation 252 runs over the seam of the frames.
    let one = frame(0x44, &[0x40, 0x81, 0x81, 0, 0, 0, 252, 0, 0, 0, 1, 4, b'A', b'c']);
    let two = frame(0x44, &[0x81, b'm', b'e']);
    let three = frame(0x44, &[0xc2, 0x42, 0x81, 0, 0, 0, 242, 0, 0, 0, 1, 2, b'V', b'1']);
    let expected: [(&str, &[u8]); 2] = [("dnp3.attribute.252", b"Acme"), ("dnp3.attribute.242", b"V1")];
    check(&[one.clone(), two.clone(), three.clone()], &expected);
    // Without the frame between nothing is put together over the gap.
    let torn = readings(&[(&one, true), (&three, true)]);
    assert!(torn.iter().all(|reading| !reading.complete && !facts(reading).contains(&expected[0])), "{torn:?}");
    // The second part alone is heard as a part.
    let [late] = &readings(&[(&three, true)])[..] else { panic!() };
    assert_eq!((late.complete, facts(late)), (false, vec![expected[1]]));
}

#[test]
fn a_block_with_a_wrong_checksum_gives_nothing() {
    let mut software = bytes(SOFTWARE);
    software[30] ^= 1;
    let [reading] = &readings(&[(&software, true)])[..] else { panic!() };
    assert_eq!((reading.complete, facts(reading)), (false, vec![]));
}

#[test]
fn no_such_attribute_is_an_answer_to_its_question() {
    let refusal = frame(0x44, &[0xc0, 0xc3, 0x81, 0x80, 0x02]);
    let asked = bytes(ASKED);
    let [reading] = &readings(&[(&asked, false), (&refusal, true)])[..] else { panic!() };
    assert_eq!((reading.asked, reading.messages.len(), facts(reading)), (1, 2, vec![("dnp3.exception", &[0x80, 0x02][..])]));
    // The same answer to nobody's question, and measured values in answer to a question for attributes, say nothing.
    assert_eq!(readings(&[(&refusal, true)]), []);
    let values = frame(0x44, &[0xc0, 0xc3, 0x81, 0, 0, 30, 2, 0, 0, 0, 1, 0x10, 0x27]);
    assert_eq!(readings(&[(&asked, false), (&values, true)]), []);
}

#[test]
fn who_answers_what_was_asked_takes_part_and_restarts_are_told_once() {
    let restart = frame(0xc4, &[0xc0, 0xc5, 0x0d]);
    let name = frame(0xc4, &[0xc0, 0xc5, 0x02, 0, 247, 0, 0, 0, 1, 1, b'x']);
    let (software, asked) = (bytes(SOFTWARE), bytes(ASKED));
    let messages = [(&software[..], true), (&asked, false), (&software, true), (&restart, false), (&restart, false), (&name, false)];
    let told: Vec<String> = hear(Over::Udp, &messages)
        .iter()
        .filter_map(|heard| match heard {
            Heard::Present { role, speaker, .. } => Some(format!("{} {:?}", role.name(), speaker.link)),
            Heard::Happened { happening, device, .. } => Some(format!("{happening:?} {:?}", device.link)),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["server Some(10)", "client Some(1)", "Reset Some(10)", "Renamed Some(10)"]);
    let unasked = frame(0x44, &[0xc0, 0xf0, 0x82, 0, 0]);
    assert!(matches!(hear(Over::Tcp, &[(&unasked, true)])[..], [Heard::Present { role: Role::Server, .. }]));
}

#[test]
fn a_header_has_a_checksum() {
    let all = bytes(ALL);
    assert_eq!((PROTOCOL.likeness)(&all, Over::Tcp), Likeness::Certain);
    assert_eq!((PROTOCOL.likeness)(&all[..9], Over::Tcp), Likeness::Possible);
    let mut other = all;
    other[4] ^= 1;
    assert_eq!((PROTOCOL.likeness)(&other, Over::Tcp), Likeness::No);
    assert_eq!((PROTOCOL.likeness)(b"\x05\x00\x00\x03", Over::Tcp), Likeness::No);
    assert_eq!(crc(b"123456789"), [0x82, 0xea], "the check value of CRC-16/DNP in the catalogue of parametrised CRC algorithms");
}
