use crate::iso::tests::{ANSWERS, ASKS, check, hex, packet};

/// A value: tag and contents.
fn value(tag: u8, contents: &[u8]) -> Vec<u8> {
    match contents.len() {
        short @ 0..0x80 => [&[tag, short as u8][..], contents].concat(),
        long => [&[tag, 0x82, (long >> 8) as u8, long as u8][..], contents].concat(),
    }
}

/// A PDU in presentation and session data. ISO 8823-1, 8.4; ISO 8327-1, 8.3.
fn data(pdu: &[u8]) -> Vec<u8> {
    let list = [&[2, 1, 3][..], &value(0xa0, pdu)].concat();
    packet(&[&[1, 0, 1, 0][..], &value(0x61, &value(0x30, &list))].concat())
}

fn request(invoke: u8, service: &[u8]) -> Vec<u8> {
    data(&value(0xa0, &[&[2, 1, invoke][..], service].concat()))
}

fn response(invoke: u8, service: &[u8]) -> Vec<u8> {
    data(&value(0xa1, &[&[2, 1, invoke][..], service].concat()))
}

fn name(domain: &str, item: &str) -> Vec<u8> {
    value(0xa1, &[value(0x1a, domain.as_bytes()), value(0x1a, item.as_bytes())].concat())
}

fn read(items: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = items.iter().flat_map(|item| value(0x30, &value(0xa0, &name("LD0", item)))).collect();
    value(0xa4, &value(0xa1, &value(0xa0, &list)))
}

fn results(results: &[Vec<u8>]) -> Vec<u8> {
    value(0xa4, &value(0xa1, &results.concat()))
}

fn text(text: &str) -> Vec<u8> {
    value(0x8a, text.as_bytes())
}

fn structure(values: &[Vec<u8>]) -> Vec<u8> {
    value(0xa2, &values.concat())
}

/// A type of structure with these components.
fn described(components: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let component = |(name, described): &(&str, Vec<u8>)| value(0x30, &[value(0x80, name.as_bytes()), value(0xa1, described)].concat());
    value(0xa2, &value(0xa1, &components.iter().flat_map(component).collect::<Vec<u8>>()))
}

fn types(described: &[u8]) -> Vec<u8> {
    value(0xa6, &[&[0x80, 1, 0][..], &value(0xa2, described)].concat())
}

const STRING: &[u8] = &[0x8a, 2, 0xff, 1];

#[test]
fn a_server_says_who_made_it() {
    // ITI/ICS-Security-Tools pcaps/IEC61850/piccolo.pcap, frames 3 and 4.
    let asked = hex("0300001b02f08001000100610e300c020103a007a0050201018200");
    let answer =
        hex("0300003c02f08001000100612f302d020103a028a126020101a2218009494e464f2054454348810d53363138353020666f722050438205302e302e31");
    let told = ["mms.identify whole", "mms.identify.vendor INFO TECH", "mms.identify.model S61850 for PC", "mms.identify.revision 0.0.1"];
    let present = ["mms server", "mms client"];
    check("asked", &[(ASKS, &asked), (ANSWERS, &answer)], &[&present[..], &told].concat());
    check("bare", &[(ANSWERS, &packet(&answer[20..]))], &told);
    // An ICCP server may ask its client: then that one is a server, too.
    check("the other way round", &[(ANSWERS, &asked), (ASKS, &answer)], &[&present[..], &told].concat());
}

#[test]
fn a_plate_s_attribute_is_known_by_its_own_name() {
    let asked = request(7, &read(&["LPHD1$DC$PhyNam$swRev", "LPHD1$DC$PhyNam$serNum", "MMXU1$MX$A", "LLN0$DC$NamPlt$swRev"]));
    let answer = response(7, &results(&[text("2.10"), vec![0x80, 1, 10], text("1.1"), text("3")]));
    let told = ["mms server", "mms client", "mms.read.nameplate whole", "mms.phynam.swrev 2.10", "mms.namplt.swrev 3"];
    check("leaves", &[(ASKS, &asked), (ANSWERS, &answer)], &told);
    check("without the question", &[(ANSWERS, &answer)], &[]);
    check("another invoke id", &[(ASKS, &request(8, &read(&["LPHD1$DC$PhyNam$swRev"]))), (ANSWERS, &answer)], &[]);
    let empty = response(7, &results(&[structure(&[text(""), text("")])]));
    let told = ["mms server", "mms client", "mms.read.nameplate whole", "mms.phynam.vendor ", "mms.phynam.component_2 "];
    check("an empty plate", &[(ASKS, &request(7, &read(&["LPHD1$DC$PhyNam"]))), (ANSWERS, &empty)], &told);
}

#[test]
fn a_structure_has_the_names_of_its_description() {
    let plate = described(&[("vendor", STRING.into()), ("swRev", STRING.into()), ("model", STRING.into())]);
    let node = described(&[("PhyHealth", described(&[("d", STRING.into())])), ("PhyNam", plate.clone())]);
    let values = structure(&[text("Maker"), text("R7"), text("MK-1")]);
    let told =
        ["mms server", "mms client", "mms.read.nameplate whole", "mms.phynam.vendor Maker", "mms.phynam.swrev R7", "mms.phynam.model MK-1"];
    let types_asked = |item: &str| request(1, &value(0xa6, &value(0xa0, &name("LD0", item))));
    let asked = |item: &str| request(2, &read(&[item]));
    let cases = [
        ("the plate", "LPHD1$DC$PhyNam", &plate, "LPHD1$DC$PhyNam", values.clone()),
        ("all descriptions", "LPHD1$DC", &node, "LPHD1$DC", structure(&[structure(&[text("health")]), values.clone()])),
        ("described with more", "LPHD1$DC", &node, "LPHD1$DC$PhyNam", values.clone()),
    ];
    for (case, described_item, described, item, answer) in cases {
        let pieces = [
            (ASKS, &types_asked(described_item)[..]),
            (ANSWERS, &response(1, &types(described))),
            (ASKS, &asked(item)),
            (ANSWERS, &response(2, &results(&[answer]))),
        ];
        check(case, &pieces, &told);
        check_replay(&pieces);
    }
    let told = ["mms server", "mms client", "mms.read.nameplate whole", "mms.phynam.vendor Maker", "mms.phynam.component_2 R7"];
    let pieces = [(ASKS, &asked("LPHD1$DC$PhyNam")[..]), (ANSWERS, &response(2, &results(&[values])))];
    check("not described", &pieces, &[&told[..], &["mms.phynam.component_3 MK-1"]].concat());
}

/// What was recorded says the same when it is read again.
fn check_replay(pieces: &[(bool, &[u8])]) {
    let heard = crate::iso::tests::hear(pieces);
    let Some(crate::conversation::Heard::Reading(reading)) = heard.last() else { panic!("a reading") };
    let (asked, answers) = reading.messages.split_at(reading.asked);
    let again = crate::iso::PROTOCOL.replay(reading.over, asked.iter().map(|m| &m.bytes[..]), answers.iter().map(|m| &m.bytes[..]));
    assert_eq!(again.iter().map(|again| &again.facts).collect::<Vec<_>>(), [&reading.facts]);
}

#[test]
fn nesting_and_lies_about_lengths_end() {
    let mut deep = text("x");
    for _ in 0..200 {
        deep = structure(&[deep]);
    }
    let asked = request(2, &read(&["LPHD1"]));
    check("deep", &[(ASKS, &asked), (ANSWERS, &response(2, &results(&[deep])))], &["mms server", "mms client", "mms.read.nameplate whole"]);
    check("a length of 4 GiB", &[(ANSWERS, &data(&hex("a10c020101a284ffffffff800141")))], &["mms.identify whole", "mms.identify.vendor A"]);
}
