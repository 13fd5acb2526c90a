use crate::iso::tests::{ANSWERS, ASKS, check, hex, packet};

/// I&M0 of a S7-1200, quoted as a fact from a public capture.
const MAINTENANCE: &str = "0300008102f0807203007220fef822fe23c77caa056645b9d05152a433909750f536a437ce6fb72740e9a4903200000586000000443400000014003c002000380100002a36455337203231352d31414734302d30584230205320562d4c4f424d3134333220202020000a560403010000000000010101000e740000000072030000";
/// The question for it, shortened to what is read of it.
const MAINTENANCE_ASKED: &str =
    "72030031 20 0000000000000000000000000000000000000000000000000000000000000000 3100000586000000440000039034 72030000";

/// The answer to "create object" with the attributes given.
fn created(opcode: u8, attributes: &[u8]) -> Vec<u8> {
    let inner = [&[opcode, 0, 0, 0x04, 0xca, 0, 0, 0, 1, 0x36, 0, 2, 0x87, 0x14, 0x87, 0x15, 0xa1, 0, 0, 1, 0x20][..], attributes].concat();
    packet(&[&[0x72, 1, 0, inner.len() as u8][..], &inner, &[0x72, 1, 0, 0]].concat())
}

/// Attribute 319, a text.
fn paom(text: &str) -> Vec<u8> {
    [&[0xa3, 0x82, 0x32, 0, 0x17, 0, 0, 1, 0x3a, 0x82, 0x3f, 0, 0x15, text.len() as u8][..], text.as_bytes(), &[0xa2, 0, 0]].concat()
}

#[test]
fn a_cpu_says_its_order_number_and_version_when_a_session_is_set_up() {
    let session = ["s7comm-plus.session whole", "s7comm-plus.session.order_number 6ES7 215-1AG40-0XB0", "s7comm-plus.session.version V4.3"];
    check("an answer", &[(ANSWERS, &created(0x32, &paom("1;6ES7 215-1AG40-0XB0 ;V4.3")))], &session);
    check("another text", &[(ANSWERS, &created(0x32, &paom("2;1084")))], &[]);
    check("no version", &[(ANSWERS, &created(0x32, &paom("1;6ES7 215-1AG40-0XB0 ;4")))], &[]);
    check("a length that lies", &[(ANSWERS, &created(0x32, b"\x82\x3f\x00\x15\xff1;6ES7 215;V4.3"))], &[]);
}

#[test]
fn a_maintenance_record_names_module_serial_and_firmware() {
    let (asked, answer) = (packet(&hex(MAINTENANCE_ASKED)), hex(MAINTENANCE));
    let record = [
        "s7comm-plus.maintenance whole",
        "s7comm-plus.im0.vendor 002a",
        "s7comm-plus.im0.order_number 6ES7 215-1AG40-0XB0",
        "s7comm-plus.im0.serial_number S V-LOBM1432",
        "s7comm-plus.im0.hardware_revision 000a",
        "s7comm-plus.im0.software_revision 56040301",
    ];
    check("alone", &[(ANSWERS, &answer)], &record);
    let present = ["s7comm-plus server", "s7comm-plus client"];
    check("asked for", &[(ASKS, &asked), (ANSWERS, &answer)], &[&present[..], &record].concat());
}

#[test]
fn what_a_client_says_of_a_device_is_its_belief_and_the_device_says_otherwise() {
    use crate::Authority;
    use crate::conversation::Heard;
    let project = created(0x31, &paom("1;6ES7 215-1AG40-0XB0 ;V4.2"));
    let device = created(0x32, &paom("1;6ES7 215-1AG40-0XB0 ;V4.3"));
    let heard = crate::iso::tests::hear(&[(ASKS, &project), (ANSWERS, &device)]);
    let versions: Vec<(Authority, &[u8])> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Reading(reading) => Some((reading.authority, reading.facts[1].bytes.as_slice())),
            _ => None,
        })
        .collect();
    assert_eq!(versions, [(Authority::Belief, &b"V4.2"[..]), (Authority::Device, &b"V4.3"[..])]);
}
