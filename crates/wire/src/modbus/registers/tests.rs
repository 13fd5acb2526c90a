//! Questions and answers by hand from V1.1b3, 6.3; check bytes by the CRC-16/MODBUS of any manual.

use super::*;
use crate::conversation::Protocol;
use crate::modbus::{self, rtu};

/// An ADU of Modbus TCP.
fn adu(transaction: u8, pdu: &[u8]) -> Vec<u8> {
    [&[0, transaction, 0, 0, 0, pdu.len() as u8 + 1, 1], pdu].concat()
}

/// A frame of a line: CRC-16, polynomial A001, lower byte first.
fn frame(pdu: &[u8]) -> Vec<u8> {
    let body = [&[1], pdu].concat();
    let step = |crc: u16| if crc & 1 == 1 { crc >> 1 ^ 0xa001 } else { crc >> 1 };
    let crc = body.iter().fold(0xffff, |crc: u16, byte| (0..8).fold(crc ^ u16::from(*byte), |crc, _| step(crc)));
    [body, crc.to_le_bytes().to_vec()].concat()
}

const NAMES_ASKED: &[u8] = &[3, 0, 29, 0, 60];
const FIRMWARE_ASKED: &[u8] = &[3, 0x06, 0x64, 0, 5];
const FIRMWARE: &[u8] = &[3, 10, 0, 0, 0, 2, 0, 10, 0, 5, 0, 0];
const POLL_ASKED: &[u8] = &[3, 0x0b, 0xb8, 0, 5];
const REFUSED: &[u8] = &[0x83, 2];

/// Names, models and manufacturer of a meter.
fn names(manufacturer: &str) -> Vec<u8> {
    let texts = ["Feeder", "PM5560", manufacturer].map(|text| [text.as_bytes(), &[0; 40]].concat()[..40].to_vec());
    [&[3, 120][..], &texts.concat()].concat()
}

/// Who speaks (true: the unit), and what: what is heard of it, each reading as its blocks, over TCP and on a line.
fn check(name: &str, said: &[(bool, &[u8])], expected: &[&str]) {
    let over_tcp = said.iter().zip(2..).map(|((by_server, pdu), at)| (*by_server, adu(at / 2, pdu))).collect();
    let on_a_line = said.iter().map(|(by_server, pdu)| (*by_server, frame(pdu))).collect();
    for (protocol, over, messages) in [(&modbus::PROTOCOL, Over::Tcp, over_tcp), (&rtu::PROTOCOL, Over::Tcp, on_a_line)] {
        let readings = heard(protocol, over, &messages);
        let blocks = |reading: &Reading| reading.facts.iter().map(|fact| fact.path.clone()).collect::<Vec<_>>().join(" ");
        let expected: Vec<String> = expected.iter().map(|line| line.replace("modbus", protocol.name)).collect();
        assert_eq!(readings.iter().map(blocks).collect::<Vec<_>>(), expected, "{name}, {}", protocol.name);
        for reading in readings {
            let (asked, said) = reading.messages.split_at(reading.asked);
            let bytes = |messages: &[Message]| messages.iter().map(|message| message.bytes.clone()).collect::<Vec<_>>();
            let (asked, said) = (bytes(asked), bytes(said));
            let again = protocol.replay(over, asked.iter().map(Vec::as_slice), said.iter().map(Vec::as_slice));
            assert_eq!(
                again.iter().map(|again| &again.facts).collect::<Vec<_>>(),
                [&reading.facts],
                "{name}: again out of its own messages"
            );
        }
    }
}

fn heard(protocol: &Protocol, over: Over, messages: &Vec<(bool, Vec<u8>)>) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut conversation = (protocol.start)(over);
    let (at, from, to) = (At::default(), &Default::default(), &Default::default());
    let mut note = |heard| {
        if let Heard::Reading(reading) = heard {
            readings.push(reading);
        }
    };
    for (by_server, bytes) in messages {
        conversation.hear(&crate::conversation::Said { bytes, missing: 0, at, from, to, by_server: *by_server }, &mut note);
    }
    conversation.finish(at, &mut note);
    readings
}

#[test]
fn blocks_that_are_read_one_after_the_other_are_one_reading() {
    let (ask, answer) = (false, true);
    let named = names("Schneider Electric");
    let both = "modbus.registers.29 modbus.registers.1636";
    let story = [(ask, NAMES_ASKED), (answer, &named), (ask, FIRMWARE_ASKED), (answer, FIRMWARE)];
    check("both", &story, &[both]);
    check("names alone", &story[..2], &["modbus.registers.29"]);
    check("the second refused", &[story[0], story[1], story[2], (answer, REFUSED)], &["modbus.registers.29"]);
    check(
        "a poll between them",
        &[story[0], story[1], (ask, POLL_ASKED), (answer, FIRMWARE), story[2], story[3]],
        &["modbus.registers.29"],
    );
    check("twice", &[story[0], story[1], story[0], story[1]], &["modbus.registers.29", "modbus.registers.29"]);
}

#[test]
fn registers_that_nobody_was_heard_to_ask_for_or_that_are_a_process_are_nothing() {
    let (ask, answer) = (false, true);
    let named = names("Schneider Electric");
    check("an answer alone", &[(answer, &named)], &[]);
    check("a version alone", &[(ask, FIRMWARE_ASKED), (answer, FIRMWARE)], &[]);
    check("numbers where the maker has text", &[(ask, NAMES_ASKED), (answer, &names("\u{1}\u{2}"))], &[]);
    check("nothing where the maker has text", &[(ask, NAMES_ASKED), (answer, &names(""))], &[]);
    check("other registers", &[(ask, POLL_ASKED), (answer, FIRMWARE)], &[]);
    check("another number of them", &[(ask, NAMES_ASKED), (answer, FIRMWARE)], &[]);
    check("refused", &[(ask, NAMES_ASKED), (answer, REFUSED)], &[]);
}

#[test]
fn an_answer_that_is_cut_anywhere_is_nothing() {
    let named = adu(1, &names("Schneider Electric"));
    for cut in 0..named.len() {
        assert_eq!(heard(&modbus::PROTOCOL, Over::Tcp, &vec![(false, adu(1, NAMES_ASKED)), (true, named[..cut].to_vec())]), [], "{cut}");
    }
}

#[test]
fn a_unit_that_is_silent_once_lends_its_question_to_nobody_else() {
    let (ask, answer) = (false, true);
    let named = names("Schneider Electric");
    // The names were asked for twice, and answered once; then something else is asked, and what comes is its answer.
    let story = [(ask, NAMES_ASKED), (ask, NAMES_ASKED), (answer, named.as_slice()), (ask, POLL_ASKED), (answer, FIRMWARE)];
    let frames = story.iter().map(|(by_server, pdu)| (*by_server, frame(pdu))).collect();
    let readings = heard(&rtu::PROTOCOL, Over::Serial, &frames);
    assert_eq!(readings.iter().map(|reading| reading.facts.len()).collect::<Vec<_>>(), [1]);
    // The version was asked for, without an answer; a poll of as many registers is answered.
    let story = [(ask, NAMES_ASKED), (answer, named.as_slice()), (ask, FIRMWARE_ASKED), (ask, POLL_ASKED), (answer, FIRMWARE)];
    let frames = story.iter().map(|(by_server, pdu)| (*by_server, frame(pdu))).collect();
    let readings = heard(&rtu::PROTOCOL, Over::Serial, &frames);
    assert_eq!(readings.iter().map(|reading| reading.facts.len()).collect::<Vec<_>>(), [1], "the poll is no version");
}

#[test]
fn a_number_of_a_model_marks_an_answer_and_input_registers_are_none_that_hold() {
    let (ask, answer) = (false, true);
    let type_asked: &[u8] = &[3, 0x29, 0x71, 0, 1];
    check("a D-500", &[(ask, type_asked), (answer, &[3, 2, 0xd5, 0x00])], &["modbus.registers.10609"]);
    check("another number", &[(ask, type_asked), (answer, &[3, 2, 0xd5, 0x01])], &[]);
    let (kind, version): (&[u8], &[u8]) = (&[4, 3, 2, 0, 6], &[4, 1, 0xf4, 0, 1]);
    let said = [&[4, 12][..], b"AGC150GEN\0\0\0"].concat();
    let story = [(ask, kind), (answer, &said[..]), (ask, version), (answer, &[4, 2, 4, 0x88][..])];
    check("input registers", &story, &["modbus.input_registers.770 modbus.input_registers.500"]);
    check("as holding registers", &[(ask, &[3, 3, 2, 0, 6]), (answer, &[&[3][..], &said[1..]].concat())], &[]);
}
