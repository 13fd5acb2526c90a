//! Conversations as tables: what passed, in order, and beside it what is heard. Bytes are quoted from public captures (repository and
//! frame beside them) or written by hand after the standard; values are those of another dissector or of the hand.

use super::*;
use crate::conversation::{Conversation, End, Heard, Said};
use crate::tcp::At;
use crate::{Authority, Fact};

/// ITI ICS-Security-Tools, EthernetIP/enip_test.pcap, frame 7.
const LIST_IDENTITY_ANSWER: &str = "63003300000000000000000000000000c1debed100000000 0100 0c002d00 0100 0002af120a0101a4000000000000\
    0000 0100 0c00 3a00 0403 3000 8e4d5200 0b313735362d454e42542f41 03";
/// ITI ICS-Security-Tools, openics/EIP-FirmwareChange.pcap, frames 10682 and 10683; 10592 and 10593.
const ALL: &str = "6f00160000010212000000008d3f0000489ae00000000000 0000000014000200 00000000 b2000600 010220012401";
const ALL_ANSWER: &str = "6f002e0000010212000000008d3f0000489ae00000000000 0000000014000200 00000000 b2001e00 81000000 0100 0c00 \
    3a00 0403 3000 c3ae5100 0b313735362d454e42542f41";
const RESET: &str = "6f00170000010212000000007e3f0000489ae00000000000 0000000014000200 00000000 b2000700 05022001240100";
const RESET_ANSWER: &str = "6f00140000010212000000007e3f0000489ae00000000000 0000000014000200 00000000 b2000400 85000000";
/// openics/EIP-IPAddressChangeAttempt.pcap, frames 2 and 4: through the backplane.
const SLOT: &str = "6f00240000010211000000000481300018a7e10000000000 000000000a000200 00000000 b2001400 5202200624 01069a0600010220\
    012401 01000100";
const SLOT_ANSWER: &str = "6f00370000010211000000000481300018a7e10000000000 000000000a000200 00000000 b2002700 81000000 0100 0e00 \
    3600 1014 6030 3f825100 14313735362d4c36312f42204c4f47495835353631";
/// openics/EIP-RebootorRestart.pcap, frames 21, 22.
const OPEN: &str = "6f0040000001021100000000c69b02002008e10000000000 0000000020000200 00000000 b2003000 540220062401 07f9 14000080 \
    1300fe80 1400 4d00 f32b9532 00000000 00127a00 f443 00127a00 f443 a3 03 010020022401";
const OPEN_ANSWER: &str = "6f002e000001021100000000c69b02002008e10000000000 0000000020000200 00000000 b2001e00 d4000000 01037900 \
    1300fe80 1400 4d00 f32b9532 00127a00 00127a00 0000";
/// As frames 192, 193 there, on that connection: attributes 4 and 6.
const LIST: &str = "7000220000010211000000000000000000000000 00000000 00000000 0100 0200 a1000400 01037900 b1000e00 0200 0302200124\
    01 0200 0400 0600";
const LIST_ANSWER: &str = "70002a0000010211000000000000000000000000 00000000 00000000 0000 0200 a1000400 1300fe80 b1001600 0200 830\
    00000 0200 0400 0000 1014 0600 0000 3f825100";
/// By hand, after volume 1, 3-5.5.2 and C-1.4.2: a Forward_Open to slot 3 that expects there 1756-ENBT/A 4.1 or one compatible with it.
const KEYED: &str = "6f004a000001021100000000c79b02002008e10000000000 0000000020000200 00000000 b2003a00 540220062401 07f9 14000080 \
    1400fe80 1500 0100 44332211 00000000 00127a00 f443 00127a00 f443 a3 08 0103 3404 0100 0c00 3a00 8401 20022401";
/// idaholab Malcolm-Test-Artifacts, Digital_Bond_S4/WinXP.pcap, frames 1 and 3.
const STATUS: &str = "6f00220044558b880000000051c90e0020ccd70000000000 000000000a000200 00000000 b2001200 4b0220672401 074d00d323aa0\
    7 0600d7b1 03";
const STATUS_ANSWER: &str = "6f00380044558b880000000051c90e0020ccd70000000000 0000000004020200 00000000 b2002800 cb000000 074d00d323\
    aa07 4600d7b1 00ee4a9c23 313736332d4c4543202020 00002600781a30fc01";
/// ntop nDPI, cip_io.pcap, frame 1.
const CYCLIC: &str = "0200 0280 0800 787b3a00 48d65e04 b1000c00 5a8d 0100 0000 00000000 0000";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_digit(16).unwrap_or(0) as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
}

/// What an unconnected message holds, in an encapsulation with that context.
fn unconnected(context: u8, cip: &str) -> Vec<u8> {
    let cip = bytes(cip);
    let (length, item) = ((cip.len() as u16 + 16).to_le_bytes(), (cip.len() as u16).to_le_bytes());
    let mut message = vec![0x6f, 0, length[0], length[1], 7, 0, 0, 0, 0, 0, 0, 0, context, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    message.extend([0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0xb2, 0, item[0], item[1]]);
    message.extend(cip);
    message
}

fn hear(over: Over, steps: &[(bool, Vec<u8>)]) -> Vec<Heard> {
    let mut heard = Vec::new();
    let mut talk = Talk::new(over);
    for (frame, (by_server, bytes)) in (1..).zip(steps) {
        let at = At { frame, time_ns: 0 };
        let said = Said { bytes, missing: 0, at, from: &End::default(), to: &End::default(), by_server: *by_server };
        talk.hear(&said, &mut |event| heard.push(event));
    }
    talk.finish(At::default(), &mut |event| heard.push(event));
    heard
}

fn written(fact: &Fact) -> String {
    let hex = |bytes: &mut dyn Iterator<Item = &u8>| bytes.map(|byte| format!("{byte:02x}")).collect::<String>();
    let value = match fact.shape {
        Shape::Text => String::from_utf8_lossy(&fact.bytes).into_owned(),
        Shape::Dotted => fact.bytes.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        Shape::HexLe | Shape::NumberLe => hex(&mut fact.bytes.iter().rev()),
        _ => hex(&mut fact.bytes.iter()),
    };
    format!("{}={value}", fact.path.rsplit_once('.').map_or("", |(_, name)| name))
}

fn line(heard: Heard) -> String {
    match heard {
        Heard::Present { protocol, role, speaker, .. } => {
            format!("{protocol} {} {}", role.name(), speaker.path.unwrap_or_default()).trim().to_owned()
        }
        Heard::Happened { happening, device, at, .. } => format!("{happening:?} {} at {}", device.path.unwrap_or_default(), at.frame),
        Heard::Malformed { malformed, .. } => format!("malformed at {}", malformed.offset),
        Heard::Reading(reading) => {
            let (slot, path) = (reading.speaker.slot, reading.speaker.path.unwrap_or_default());
            let whose = if reading.authority == Authority::Device { String::new() } else { format!("{:?} ", reading.authority) };
            let facts: Vec<String> = reading.facts.iter().map(written).collect();
            let rest = if reading.complete { "" } else { " part" };
            format!("{whose}{} {path} {slot:?} {}{rest}", reading.question, facts.join(" "))
        }
    }
}

/// Client's and server's messages in turn, as `>hex` and `<hex`; who takes part is left out of `expected`.
fn check(over: Over, steps: &[(bool, Vec<u8>)], expected: &[&str]) {
    let lines: Vec<String> = hear(over, steps).into_iter().filter(|heard| !matches!(heard, Heard::Present { .. })).map(line).collect();
    assert_eq!(lines, expected, "{steps:02x?}");
}

fn asked(hex: &str) -> (bool, Vec<u8>) {
    (false, bytes(hex))
}

fn said(hex: &str) -> (bool, Vec<u8>) {
    (true, bytes(hex))
}

const ENBT: &str = "cip.identity  None vendor=0001 device_type=000c product_code=003a revision=4.3 status=0030 serial=0051aec3 \
    product_name=1756-ENBT/A";
const L61: &str = "cip.identity 1/0 Some(0) vendor=0001 device_type=000e product_code=0036 revision=16.20 status=3060 serial=0051823f \
    product_name=1756-L61/B LOGIX5561";
const ORIGINATOR: &str = "Client cip.originator  None vendor=004d serial=32952bf3";

#[test]
fn an_identity_is_read_as_the_device_said_it() {
    let list = "enip.list_identity  None address=10.1.1.164 vendor=0001 device_type=000c product_code=003a revision=4.3 status=0030 \
        serial=00524d8e product_name=1756-ENBT/A state=03";
    check(Over::Tcp, &[said(LIST_IDENTITY_ANSWER)], &[list]);
    check(Over::Udp, &[said(LIST_IDENTITY_ANSWER)], &[list]);
    check(Over::Tcp, &[asked(ALL), said(ALL_ANSWER)], &[ENBT]);
    check(Over::Tcp, &[asked(SLOT), said(SLOT_ANSWER)], &[L61]);
    let status = "pccc.status  None type=ee interface=4a processor=9c series=23 bulletin=1763-LEC";
    check(Over::Tcp, &[asked(STATUS), said(STATUS_ANSWER)], &[status]);
}

#[test]
fn an_answer_without_its_question_is_nobody_s_identity() {
    check(Over::Tcp, &[said(ALL_ANSWER), said(SLOT_ANSWER), said(LIST_ANSWER), said(STATUS_ANSWER)], &[]);
    check(Over::Tcp, &[asked(ALL), said(SLOT_ANSWER)], &[]);
}

#[test]
fn a_connection_leads_to_the_module_it_was_opened_to() {
    let list = "cip.identity 1/0 Some(0) revision=16.20 serial=0051823f";
    check(Over::Tcp, &[asked(OPEN), said(OPEN_ANSWER), asked(LIST), said(LIST_ANSWER)], &[ORIGINATOR, list]);
    let unknown = "cip.identity connection 0x00790301 None revision=16.20 serial=0051823f";
    check(Over::Tcp, &[asked(LIST), said(LIST_ANSWER)], &[unknown]);
    let refused = OPEN_ANSWER.replace("d4000000", "d4000100");
    check(Over::Tcp, &[asked(OPEN), said(&refused), asked(LIST), said(LIST_ANSWER)], &[ORIGINATOR, unknown]);
}

#[test]
fn what_an_originator_expects_is_his_belief_about_the_module_at_the_end_of_the_way() {
    let (me, key) = ("Client cip.originator  None vendor=0001 serial=11223344", "Belief cip.electronic_key 1/3 Some(3) vendor=0001");
    check(Over::Tcp, &[asked(KEYED)], &[me, &format!("{key} device_type=000c product_code=003a compatible=8401")]);
    let exact = KEYED.replace("8401 2002", "0401 2002");
    check(Over::Tcp, &[asked(&exact)], &[me, &format!("{key} device_type=000c product_code=003a revision=4.1")]);
    let major = KEYED.replace("8401 2002", "0400 2002");
    check(Over::Tcp, &[asked(&major)], &[me, &format!("{key} device_type=000c product_code=003a major=04")]);
    let any = KEYED.replace("0100 0c00 3a00 8401", "0000 0000 0000 0000");
    check(Over::Tcp, &[asked(&any)], &[me]);
}

#[test]
fn single_attributes_lists_and_packets_of_them_are_read() {
    let attributes: [(&str, &str, &[&str]); 10] = [
        ("0e03 20012401 3004", "8e000000 1014", &["revision=16.20"]),
        ("0e03 20012401 3006", "8e000000 3f825100", &["serial=0051823f"]),
        ("0e03 20012401 3007", "8e000000 0341424305", &["product_name=ABC"]),
        // Status and state are polled and no identity; instance 0 is the class; class 0x8e is another object.
        ("0e03 20012401 3005", "8e000000 6030", &[]),
        ("0e03 20012400 3004", "8e000000 1014", &[]),
        ("0e03 208e2401 3004", "8e000000 1014", &[]),
        // The second instance is a part of the device.
        ("0e03 20012402 3004", "8e000000 0105", &["revision=1.5"]),
        ("0302 20012401 0200 0400 6500", "830a0000 0200 0400 0000 0201 6500 1400", &["revision=2.1"]),
        // 16-bit class and instance, a maker's attribute first: where it ends nobody knows.
        ("0304 21000100 25000100 0200 6500 0400", "83000000 0200 6500 0000 0166 0400 0000 0201", &[]),
        (
            "0a02 20022401 0200 0600 0e00 0e03 20012401 3004 0e03 20012401 3006",
            "8a000000 0200 0600 0c00 8e000000 0304 8e000000 78563412",
            &["revision=3.4", "serial=12345678"],
        ),
    ];
    for (question, answer, facts) in attributes {
        let reading = format!("cip.identity  None {}", facts.join(" "));
        let expected: &[&str] = if facts.is_empty() { &[] } else { &[reading.as_str()] };
        check(Over::Tcp, &[(false, unconnected(1, question)), (true, unconnected(1, answer))], expected);
    }
    let part = hear(Over::Tcp, &[(false, unconnected(1, "0e03 20012402 3004")), (true, unconnected(1, "8e000000 0105"))]);
    assert!(part.iter().any(|heard| matches!(heard, Heard::Reading(reading) if reading.facts[0].path == "cip.identity.2.revision")));
}

#[test]
fn an_answer_that_breaks_the_rules_gives_no_value() {
    let rows = [
        ("0e03 20012401 3004", "8e000000 101400", "cip.identity  None  part"),
        ("0e03 20012401 3007", "8e000000 05414243", "cip.identity  None  part"),
        ("0102 20012401", "81000000 0100 0c00 3a00 04", "cip.identity  None vendor=0001 device_type=000c product_code=003a part"),
    ];
    for (question, answer, expected) in rows {
        check(Over::Tcp, &[(false, unconnected(1, question)), (true, unconnected(1, answer))], &[expected]);
    }
    for refused in ["81000800", "81000100", "d2000100", "81000500 00"] {
        check(Over::Tcp, &[(false, unconnected(1, "0102 20012401")), (true, unconnected(1, refused))], &[]);
    }
}

#[test]
fn an_answer_that_could_belong_to_two_questions_belongs_to_none() {
    let slot = |slot: u8| unconnected(0, &format!("5202 20062401 069a 0600 0102 20012401 0100 01{slot:02x}"));
    let answer = || (true, unconnected(0, "81000000 0100 0e00 3600 1014 6030 3f825100 00"));
    let read = "cip.identity 1/0 Some(0) vendor=0001 device_type=000e product_code=0036 revision=16.20 status=3060 serial=0051823f";
    check(Over::Tcp, &[(false, slot(0)), answer()], &[read]);
    check(Over::Tcp, &[(false, slot(0)), (false, slot(0)), answer()], &[read]);
    check(Over::Tcp, &[(false, slot(0)), (false, slot(1)), answer(), answer()], &[]);
    // And then it is clear again.
    check(Over::Tcp, &[(false, slot(1)), (false, slot(0)), answer(), (false, slot(0)), answer()], &[read]);
}

#[test]
fn the_same_answer_is_told_once_and_again_after_a_reset() {
    let poll = [asked(ALL), said(ALL_ANSWER)];
    check(Over::Tcp, &[&poll[..], &poll].concat(), &[ENBT]);
    let other = said(&ALL_ANSWER.replace("0403", "0404"));
    check(Over::Tcp, &[&poll[..], &[asked(ALL), other], &poll].concat(), &[ENBT, &ENBT.replace("4.3", "4.4"), ENBT]);
    let reset = [asked(RESET), said(RESET_ANSWER)];
    check(Over::Tcp, &[&poll[..], &reset, &poll].concat(), &[ENBT, "Reset  at 3", ENBT]);
}

#[test]
fn what_is_done_to_a_device_is_told_once_where_the_device_did_it() {
    let transfer = [(false, unconnected(3, "4d02 20a12401 0102")), (true, unconnected(3, "cd000000"))];
    check(Over::Tcp, &[&transfer[..], &transfer, &transfer].concat(), &["FirmwareTransfer  at 1"]);
    check(Over::Tcp, &[asked(RESET), said(&RESET_ANSWER.replace("85000000", "85000f00"))], &[]);
    // No answer came: it went down.
    check(Over::Tcp, &[asked(RESET)], &["Reset  at 1"]);
    let slot = [(false, unconnected(3, "5202 20062401 069a 0700 0502 20012401 0000 0100 0102")), (true, unconnected(3, "85000000"))];
    check(Over::Tcp, &slot, &["Reset 1/2 at 1"]);
    let address = [(false, unconnected(3, "1003 20f52401 3005 0a0b0c0d")), (true, unconnected(3, "90000000"))];
    check(Over::Tcp, &address, &["Renamed  at 1"]);
}

#[test]
fn who_takes_part_is_told_once_and_never_guessed() {
    type Row<'a> = (Over, Vec<(bool, Vec<u8>)>, &'a [&'a str]);
    let rows: [Row<'_>; 5] = [
        (Over::Tcp, vec![asked(ALL), said(ALL_ANSWER), asked(ALL), said(ALL_ANSWER)], &["enip server", "enip client", "cip server"]),
        (Over::Tcp, vec![asked(SLOT), said(SLOT_ANSWER)], &["enip server", "enip client", "cip server 1/0"]),
        (Over::Tcp, vec![asked(ALL), asked(SLOT), said(LIST_ANSWER)], &[]),
        (Over::Udp, vec![said(CYCLIC), said(CYCLIC), asked(CYCLIC)], &["enip publisher", "enip publisher"]),
        (Over::Udp, vec![said(LIST_IDENTITY_ANSWER)], &["enip server"]),
    ];
    for (over, steps, expected) in rows {
        let lines: Vec<String> = hear(over, &steps).into_iter().filter(|heard| matches!(heard, Heard::Present { .. })).map(line).collect();
        assert_eq!(lines, expected, "{steps:02x?}");
    }
}

#[test]
fn every_beginning_of_an_answer_says_the_same_or_less() {
    let rows: [&[&str]; 6] = [
        &[LIST_IDENTITY_ANSWER],
        &[ALL, ALL_ANSWER],
        &[SLOT, SLOT_ANSWER],
        &[OPEN, LIST, OPEN_ANSWER, LIST_ANSWER],
        &[KEYED],
        &[STATUS, STATUS_ANSWER],
    ];
    let facts = |heard: Vec<Heard>| -> Vec<Fact> {
        heard.into_iter().flat_map(|heard| if let Heard::Reading(reading) = heard { reading.facts } else { Vec::new() }).collect()
    };
    for row in rows {
        let (last, before) = row.split_last().expect("messages");
        let by_server = |hex: &str| [OPEN_ANSWER, ALL_ANSWER, SLOT_ANSWER, LIST_ANSWER, STATUS_ANSWER].contains(&hex);
        let mut steps: Vec<_> = before.iter().map(|hex| (by_server(hex), bytes(hex))).collect();
        let message = bytes(last);
        steps.push((by_server(last), message.clone()));
        let whole = facts(hear(Over::Tcp, &steps));
        assert!(!whole.is_empty());
        for cut in 0..message.len() {
            steps.last_mut().expect("messages").1 = message[..cut].to_vec();
            for fact in facts(hear(Over::Tcp, &steps)) {
                assert!(whole.contains(&fact), "{last} cut after {cut} bytes: {fact:?}");
            }
        }
    }
}

#[test]
fn a_reading_replays_from_its_own_messages() {
    for steps in
        [vec![asked(OPEN), said(OPEN_ANSWER), asked(LIST), said(LIST_ANSWER)], vec![asked(SLOT), said(SLOT_ANSWER)], vec![asked(KEYED)]]
    {
        for heard in hear(Over::Tcp, &steps) {
            let Heard::Reading(reading) = heard else { continue };
            let messages: Vec<&[u8]> = reading.messages.iter().map(|message| message.bytes.as_slice()).collect();
            let (questions, answers) = messages.split_at(reading.asked);
            let again = PROTOCOL.replay(Over::Tcp, questions.iter().copied(), answers.iter().copied());
            let again = again.into_iter().find(|other| other.question == reading.question).expect("the same question");
            assert_eq!((&again.facts, &again.speaker, again.asked), (&reading.facts, &reading.speaker, reading.asked));
        }
    }
}

#[test]
fn its_own_messages_are_known_and_no_others() {
    use Likeness::{Certain, No, Possible};
    let zeros = "00000000 00000000 0000000000000000 00000000";
    let rows: [(Over, &str, Likeness); 22] = [
        (Over::Tcp, LIST_IDENTITY_ANSWER, Certain),
        (Over::Tcp, ALL, Certain),
        (Over::Tcp, ALL_ANSWER, Certain),
        (Over::Tcp, LIST, Certain),
        (Over::Udp, LIST_IDENTITY_ANSWER, Certain),
        (Over::Udp, &format!("6300 0000 {zeros}"), Certain),
        (Over::Udp, CYCLIC, Certain),
        (Over::Tcp, CYCLIC, No),
        (Over::Tcp, &format!("6500 0400 {zeros} 0100 0000"), Certain),
        (Over::Tcp, &format!("6500 0400 {zeros} 0200 0000"), No),
        (Over::Tcp, &format!("0400 0000 {zeros}"), Possible),
        (Over::Tcp, &ALL[..20], Possible),
        (Over::Udp, &ALL[..20], No),
        // TLS, HTTP, Modbus, S7, FINS/TCP; FINS and a game on UDP 44818 (nDPI, toca-boca.pcap, frames 36 and 37).
        (Over::Tcp, "1603010200010001fc03030000000000000000000000000000000000000000", No),
        (Over::Tcp, "474554202f20485454502f312e310d0a486f73743a20780d0a0d0a", No),
        (Over::Tcp, "000100000006010300000001", No),
        (Over::Tcp, "0300001902f08032010000", No),
        (Over::Tcp, "46494e530000000c000000000000000000000000", No),
        (Over::Udp, "80000200010000020000ef0501 00 000000000000000000000000", No),
        (Over::Udp, "000000028ad3d3fd161535be01ff0000000000140000000000000001", No),
        (Over::Udp, "47eb000100000d97161535be01ff00000000001400000000000000008ad3d3fd", No),
        (Over::Udp, "535554464c4f57", No),
    ];
    for (over, hex, expected) in rows {
        assert_eq!(likeness(&bytes(hex), over), expected, "{over:?} {hex}");
    }
    for message in [LIST_IDENTITY_ANSWER, ALL, ALL_ANSWER, LIST, OPEN, STATUS_ANSWER] {
        let message = bytes(message);
        assert!((1..message.len()).all(|cut| likeness(&message[..cut], Over::Tcp) > No), "{message:02x?}");
    }
}

#[test]
fn a_diagnostic_status_is_read_where_its_layout_is_known() {
    let question = "4b02 20672401 07 4d00 78563412 06 00 0100 03";
    let rows = [
        // 1770-6.5.16, 10-3: SLC 5/02, series B, release 3; 10-22: PLC-5/40E, series C, revision D; 10-17: 1785-KA5, without a text.
        ("00 ee 1f 25 22 352f303220202020202020 0000", "type=ee interface=1f processor=25 series=22 bulletin=5/02"),
        ("06 eb 4b 00c00000 43 01", "type=eb processor=4b series=43"),
        ("00 ee 30 2f 00100020", "type=ee interface=30 processor=2f part"),
        ("00 ee 30 2f 00100020030000000000000000000000", "type=ee interface=30 processor=2f"),
        ("00 15 19", "type=15"),
        ("00", ""),
    ];
    for (status, facts) in rows {
        let answer = format!("cb000000 07 4d00 78563412 46 00 0100 {status}");
        let steps = [(false, unconnected(1, question)), (true, unconnected(1, &answer))];
        let part = if facts.is_empty() { " part" } else { "" };
        check(Over::Tcp, &steps, &[&format!("pccc.status  None {facts}{part}")]);
    }
    let nothing = [
        (question, "cb000000 07 4d00 78563412 46 10 0100"),
        (question, "cb000800"),
        // Another function of the same command: an echo.
        ("4b02 20672401 07 4d00 78563412 06 00 0100 00 ee", "cb000000 07 4d00 78563412 46 00 0100 ee"),
    ];
    for (question, answer) in nothing {
        check(Over::Tcp, &[(false, unconnected(1, question)), (true, unconnected(1, answer))], &[]);
    }
    let other = "cb000000 07 4d00 78563412 46 00 0200 00ee1f2522 352f303220202020202020 0000";
    check(Over::Tcp, &[(false, unconnected(1, question)), (true, unconnected(1, other))], &["pccc.status  None  part"]);
}
