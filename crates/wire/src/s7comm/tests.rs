use crate::iso::tests::{ANSWERS, ASKS, check, hear, hex, packet};

/// Read of list 0x0011, and the answer of an IM151-8 (ITI/ICS-Security-Tools pcaps/s7/s7comm_reading_plc_status.pcap, frame 59).
const ASKED: &str = "0300002102f080320700001100000800080001120411440102ff09000400110000";
const MODULES: &str = "0300009902f080320700001100000c007c000112081284010200000000ff09007800110000001c0004000136455337203135312d38414230312d304142302000c000030001000636455337203135312d38414230312d304142302000c0000300010007202020202020202020202020202020202020202000c0560302060081426f6f74204c6f61646572202020202020202020000041200909";

/// A part of a list: sequence, reference, "more follows", and the bytes.
fn part(sequence: u8, reference: u8, more: u8, list: &[u8]) -> Vec<u8> {
    let data = [&[0xff, 9, 0, list.len() as u8][..], list].concat();
    let header = [0x32, 7, 0, 0, 0, 9, 0, 12, 0, data.len() as u8, 0, 1, 0x12, 8, 0x12, 0x84, 1, sequence, reference, more, 0, 0];
    packet(&[&header[..], &data].concat())
}

/// A record of list xy1C.
fn component(index: u8, text: &str) -> Vec<u8> {
    let mut record = vec![0, index];
    record.extend(text.bytes());
    record.resize(34, 0);
    record
}

/// A record of list xy11.
fn module(index: u8, order: &str, version: &[u8; 4]) -> Vec<u8> {
    [&[0, index][..], format!("{order:20}").as_bytes(), &[0, 0xc0], version].concat()
}

fn list(id: u16, record_bytes: u8, count: u8, records: &[Vec<u8>]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &[0, 0, 0, record_bytes, 0, count], &records.concat()].concat()
}

#[test]
fn firmware_is_index_seven_and_nothing_else() {
    let (asked, modules) = (hex(ASKED), hex(MODULES));
    let expected = [
        "s7comm server",
        "s7comm client",
        "s7comm.module_identification whole",
        "s7comm.module.order_number 6ES7 151-8AB01-0AB0",
        "s7comm.module.version 0003",
        "s7comm.hardware.order_number 6ES7 151-8AB01-0AB0",
        "s7comm.hardware.version 0003",
        "s7comm.firmware.order_number ",
        "s7comm.firmware.version 56030206",
        "s7comm.boot_loader.name Boot Loader",
    ];
    check("a capture's answer", &[(ASKS, &asked), (ANSWERS, &modules)], &expected);
    let loader = list(0x0111, 28, 1, &[module(0x81, "Boot Loader", b"V\x22\x09\x09")]);
    let expected = ["s7comm.module_identification whole", "s7comm.boot_loader.name Boot Loader", "s7comm.boot_loader.version 56220909"];
    check("a boot loader", &[(ANSWERS, &part(1, 0, 0, &loader))], &expected);
    let odd = list(0x0011, 28, 2, &[module(7, "", b"\x01\x03\x02\x04"), module(2, "6ES7 953-8LG20-0AA0", b"\x00\x01\x00\x00")]);
    let expected = [
        "s7comm.module_identification whole",
        "s7comm.firmware.order_number ",
        "s7comm.module_0002.order_number 6ES7 953-8LG20-0AA0",
        "s7comm.module_0002.version 00010000",
    ];
    check("no V, no firmware", &[(ANSWERS, &part(1, 0, 0, &odd))], &expected);
}

#[test]
fn who_loads_or_stops_a_program_is_told_once_and_where_the_cpu_agreed() {
    let job = |function: u8, reference: u8| packet(&[0x32, 1, 0, 0, 0, reference, 0, 1, 0, 0, function]);
    let ack = |function: u8, reference: u8, error: u8| packet(&[0x32, 3, 0, 0, 0, reference, 0, 1, 0, 0, error, 0, function]);
    let present = ["s7comm server", "s7comm client"];
    let told = ["s7comm server", "s7comm client", "happened"];
    for function in [0x1a, 0x28, 0x29] {
        let again =
            [(ASKS, &job(function, 1)[..]), (ANSWERS, &ack(function, 1, 0)), (ASKS, &job(function, 2)), (ANSWERS, &ack(function, 2, 0))];
        check("agreed", &again, &told);
        check("refused", &[(ASKS, &job(function, 1)), (ANSWERS, &ack(function, 1, 0x81))], &present);
        check("asked alone", &[(ASKS, &job(function, 1))], &[]);
        check("not asked", &[(ANSWERS, &ack(function, 1, 0))], &[]);
    }
    check("a read", &[(ASKS, &job(4, 1)), (ANSWERS, &ack(4, 1, 0))], &present);
}

#[test]
fn a_list_in_parts_is_one_reading_and_a_record_may_lie_across() {
    let names = [component(1, "Station"), component(2, "PLC_1"), component(5, "S C-B1U393142011"), component(7, "CPU 315-2 PN/DP")];
    let all = list(0x001c, 34, 4, &names);
    let whole = [
        "s7comm.component_identification whole",
        "s7comm.station.name Station",
        "s7comm.module.name PLC_1",
        "s7comm.serial_number S C-B1U393142011",
        "s7comm.module.type CPU 315-2 PN/DP",
    ];
    for cut in [9, 43, 80, 90, 110] {
        let (first, second) = (part(3, 0xd7, 1, &all[..cut]), part(3, 0xd7, 0, &all[cut..]));
        check("in two parts", &[(ANSWERS, &first), (ANSWERS, &second)], &whole);
    }
    let first = part(3, 0xd7, 1, &all[..90]);
    let begun = ["s7comm.component_identification part", "s7comm.station.name Station", "s7comm.module.name PLC_1"];
    check("the rest is missing", &[(ANSWERS, &first)], &begun);
    check("another list's rest", &[(ANSWERS, &first), (ANSWERS, &part(4, 0xd7, 0, &all[90..]))], &begun);
}

#[test]
fn a_reading_in_parts_is_read_again_from_its_messages() {
    let all = list(0x001c, 34, 2, &[component(5, "S C-B1U393142011"), component(7, "CPU 315-2 PN/DP")]);
    let (first, second) = (part(3, 0xd7, 1, &all[..20]), part(3, 0xd7, 0, &all[20..]));
    let heard = hear(&[(ANSWERS, &first), (ANSWERS, &second)]);
    let [crate::conversation::Heard::Reading(reading)] = heard.as_slice() else { panic!("one reading") };
    let again = crate::iso::PROTOCOL.replay(reading.over, [], reading.messages.iter().map(|message| message.bytes.as_slice()));
    assert_eq!(again.iter().map(|again| &again.facts).collect::<Vec<_>>(), [&reading.facts]);
}

#[test]
fn what_is_no_list_of_identity_says_nothing() {
    check("another list", &[(ANSWERS, &part(1, 0, 0, &list(0x0131, 40, 0, &[])))], &[]);
    check("a header alone", &[(ANSWERS, &part(1, 0, 0, &list(0x0f11, 28, 4, &[])))], &[]);
    let wrong = list(0x0011, 34, 1, &[module(7, "", b"V\x01\x02\x03")]);
    check("records of another length", &[(ANSWERS, &part(1, 0, 0, &wrong))], &["s7comm.module_identification part"]);
    let short = list(0x0011, 28, 9, &[module(7, "", b"V\x01\x02\x03")]);
    let expected = ["s7comm.module_identification part", "s7comm.firmware.order_number ", "s7comm.firmware.version 56010203"];
    check("fewer records than promised", &[(ANSWERS, &part(1, 0, 0, &short))], &expected);
    // A block that is being loaded has a version and an author in its header: the project's.
    let block = [b"pp\x01\x01\x02\x08\x00\x01\x00\x00\x00\x7a\x00\x00\x00\x00SIMATIC IEC     \x42\x10" as &[u8], &[0; 40]].concat();
    let upload = [&[0x32, 3, 0, 0, 0, 2, 0, 2, 0, block.len() as u8, 0, 0, 0x1e, 0][..], &block].concat();
    check("a block", &[(ANSWERS, &packet(&upload))], &[]);
}

/// Frames 41 and 42 of the capture above ask for an index of list 0x001C that the CPU has not got; so does the return code of a list.
#[test]
fn a_list_that_is_not_there_is_a_reading_without_claims() {
    let asked = packet(&hex("3207000000000008000800 01120411440100ff090004001c0000"));
    let (error, code) =
        (packet(&hex("320700000000000c0004000112081284010100 00d4020a000000")), "320700000000000c0004 0001120812840101 0000 0000 0a000000");
    let presence = ["s7comm server", "s7comm client"];
    for (answer, said) in [(error, "s7comm.error d402"), (packet(&hex(code)), "s7comm.error 0a")] {
        let expected = [&presence[..], &["s7comm.component_identification whole", said]].concat();
        check("no such list", &[(ASKS, &asked), (ANSWERS, &answer)], &expected);
        check("nobody asked", &[(ANSWERS, &answer)], &[]);
    }
    let other = packet(&hex("3207000000000008000800 01120411440100ff09000401310001"));
    let error = packet(&hex("320700000000000c0004000112081284010100 00d4010a000000"));
    check("another list", &[(ASKS, &other), (ANSWERS, &error)], &presence);
}
