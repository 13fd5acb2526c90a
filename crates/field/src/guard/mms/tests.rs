//! Messages by hand from the standards; the association and Identify after a public capture (ITI/ICS-Security-Tools
//! pcaps/IEC61850/piccolo.pcap, frames 1 and 3).

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit};

const CONNECT: &str = "03000016 11e0 0000 0001 00 c1020001 c2020001 c0010a";
const INITIATE: &str = "030000be02f080 0db5 0506130100160102 14020002 33020001 34020001 c19f 31819c a003800101 a28194 810400000001 820400000001 \
    a423 300f020101060452010001300406025101 3010020103060528ca220201300406025101 6161 305f 020101 a05a 6058 a107060528ca220203 \
    a20706052901876701 a30302010c a606060429018767 a70302010c be32 2830 06025101 020103 a027 a825 80023e80 810101 820101 830105 a416 800101 \
    810305f100 820c03 6800000000000000000010";
const IDENTIFY: &str = "0300001b 02f080 01000100 610e 300c 020103 a007 a005 020103 8200";
const DOMAINS: &str = "03000024 02f080 01000100 6117 3015 020103 a010 a00e 020104 a109 a003800109 a1028000";
const CONCLUDE: &str = "03000016 02f080 01000100 6109 3007 020103 a002 8b00";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

fn value(tag: u8, contents: &[u8]) -> Vec<u8> {
    match contents.len() {
        short @ 0..0x80 => [&[tag, short as u8][..], contents].concat(),
        middle @ 0x80..0x100 => [&[tag, 0x81, middle as u8][..], contents].concat(),
        long => [&[tag, 0x82, (long >> 8) as u8, long as u8][..], contents].concat(),
    }
}

/// A packet around a confirmed service of this tag.
fn confirmed(service: &[u8]) -> Vec<u8> {
    let list = [&[2, 1, 3][..], &value(0xa0, &value(0xa0, &[&[2, 1, 5][..], service].concat()))].concat();
    let body = [&[2, 0xf0, 0x80, 1, 0, 1, 0][..], &value(0x61, &value(0x30, &list))].concat();
    [&[3, 0][..], &(body.len() as u16 + 4).to_be_bytes(), &body].concat()
}

fn read_of(names: &[(&str, String)]) -> Vec<u8> {
    let variable = |(domain, item): &(&str, String)| {
        let name = [value(0x1a, domain.as_bytes()), value(0x1a, item.as_bytes())].concat();
        value(0x30, &value(0xa0, &value(0xa1, &name)))
    };
    confirmed(&value(0xa4, &value(0xa1, &value(0xa0, &names.iter().flat_map(variable).collect::<Vec<u8>>()))))
}

const OF_DEVICE: [&str; 8] = ["vendor", "hwRev", "swRev", "serNum", "model", "location", "name", "d"];
const OF_NODE: [&str; 3] = ["vendor", "swRev", "configRev"];

fn device(domain: &str, plate: &str) -> Vec<u8> {
    read_of(&OF_DEVICE.map(|attribute| (domain, format!("{plate}${attribute}"))))
}

fn node(domain: &str, plate: &str) -> Vec<u8> {
    read_of(&OF_NODE.map(|attribute| (domain, format!("{plate}${attribute}"))))
}

const PHY_NAM: &str = "LPHD1$DC$PhyNam";
const NAM_PLT: &str = "LLN0$DC$NamPlt";

fn listed() -> Mms {
    Mms { transport: vec![0, 1], session: vec![0, 1], presentation: vec![0, 0, 0, 1], domain: None, node: "LPHD1".to_owned() }
}

fn configured() -> Mms {
    Mms { domain: Some("IED1LD0".to_owned()), ..listed() }
}

/// Pushes the messages one after the other, each after an answer; how many left, and the rule that stopped the rest.
#[track_caller]
fn check(asked: &Mms, messages: &[Vec<u8>], left: usize, rule: Option<&str>) {
    let grant = asked.grant().expect("a grant");
    let limits = Limits::of(&grant);
    let permit = Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 102).into()), grant, "WO-1", limits).expect("a permit");
    let mut judge = Judge::new(&permit);
    let mut out = 0;
    for bytes in messages {
        match judge.push(bytes, Duration::ZERO) {
            Ok(pushed) => out += usize::from(pushed.message.is_some_and(|message| message.bytes == *bytes)),
            Err(_) => break,
        }
        judge.answered();
    }
    let closed = judge.closed().map(|refused| refused.rule);
    assert_eq!((out, closed), (left, rule), "{:?}", judge.closed());
}

#[test]
fn what_is_on_the_allowlist_leaves() {
    let start = || [CONNECT, INITIATE, IDENTIFY].map(unhex).to_vec();
    let of_domain = |domain: &str| vec![device(domain, PHY_NAM), node(domain, NAM_PLT), unhex(CONCLUDE)];
    check(&configured(), &[start(), of_domain("IED1LD0")].concat(), 6, None);
    let listing = [start(), vec![unhex(DOMAINS)]].concat();
    for domain in ["A", "IED1LD0", &"x".repeat(64), &"LD_0".repeat(15)] {
        check(&listed(), &[listing.clone(), of_domain(domain)].concat(), 7, None);
        check(&Mms { domain: Some(domain.to_owned()), ..listed() }, &[start(), of_domain(domain)].concat(), 6, None);
    }
    let prefixed = Mms { node: "DevIDLPHD1".to_owned(), ..configured() };
    check(&prefixed, &[device("IED1LD0", "DevIDLPHD1$DC$PhyNam")], 1, None);
    let called = Mms { transport: vec![0, 0, 0, 9], session: vec![7], presentation: vec![1; 16], ..configured() };
    let connect = unhex("03000018 13e0 0000 0001 00 c1020001 c20400000009 c0010a");
    let initiate = INITIATE.replace("030000be02f080 0db5", "030000c902f080 0dc0").replace("34020001 c19f 31819c", "340107 c1ab 3181a8");
    let initiate = initiate.replace("a28194", "a281a0").replace("820400000001", &format!("8210{}", "01".repeat(16)));
    check(&called, &[connect, unhex(&initiate)], 2, None);
}

#[test]
fn a_name_that_selects_controls_or_writes_never_leaves() {
    for asked in [listed(), configured()] {
        for constraint in ["CO", "SP", "SG", "SE", "RP", "BR", "SV", "ST", "MX", "CF", "EX", "GO", "LG", "dc", "D", ""] {
            let both = [device("IED1LD0", &format!("LPHD1${constraint}$PhyNam")), node("IED1LD0", &format!("LLN0${constraint}$NamPlt"))];
            for message in both {
                check_refused(&asked, &message);
                if asked == configured() && constraint.len() == 2 {
                    check(&asked, &[message], 0, Some("mms.plate"));
                }
            }
        }
        for item in ["CSWI1$CO$Pos$SBO", "CSWI1$CO$Pos$SBOw$ctlVal", "LPHD1$CO$Proxy$Oper", "LLN0$CO$Mod$SBO"] {
            check_refused(&asked, &read_of(&[("IED1LD0", item.to_owned())]));
            let among =
                OF_DEVICE.map(|attribute| ("IED1LD0", if attribute == "d" { item.to_owned() } else { format!("{PHY_NAM}${attribute}") }));
            check_refused(&asked, &read_of(&among));
        }
        let more = [&OF_DEVICE[..], &["owner"]].concat();
        let nine: Vec<(&str, String)> = more.iter().map(|attribute| ("IED1LD0", format!("{PHY_NAM}${attribute}"))).collect();
        check_refused(&asked, &read_of(&nine));
    }
}

/// Never, whatever the rule says.
#[track_caller]
fn check_refused(asked: &Mms, message: &[u8]) {
    let grant = asked.grant().expect("a grant");
    let limits = Limits::of(&grant);
    let permit = Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 102).into()), grant, "WO-1", limits).expect("a permit");
    assert!(Judge::new(&permit).push(message, Duration::ZERO).is_err(), "{message:02x?}");
}

#[test]
fn every_other_service_and_pdu_is_refused() {
    // Status, rename, write, GetVariableAccessAttributes, lists of variables, domains, programs, semaphores, files, journals: all but three.
    for tag in (0..=255_u8).filter(|tag| ![0x82, 0xa1, 0xa4].contains(tag)) {
        let mut identify = unhex(IDENTIFY);
        identify[25] = tag;
        check(&listed(), &[identify], 0, Some("mms.service"));
        let mut read = device("IED1LD0", PHY_NAM);
        let at = read.iter().position(|byte| *byte == 0xa4).expect("a Read");
        read[at] = tag;
        check_refused(&listed(), &read);
    }
    for tag in (0..=255_u8).filter(|tag| *tag != 0xa0) {
        let mut identify = unhex(IDENTIFY);
        identify[20] = tag;
        check(&listed(), &[identify], 0, Some("mms.pdu"));
    }
    // A named list of variables; names of variables; names behind a name.
    check_refused(&listed(), &confirmed(&value(0xa4, &value(0xa1, &value(0xa1, &value(0x80, b"list"))))));
    check(&listed(), &[unhex(&DOMAINS.replace("a003800109", "a003800100"))], 0, Some("mms.names"));
    check(&listed(), &[unhex(&DOMAINS.replace("a1028000", "a1028100"))], 0, Some("mms.names"));
}

#[test]
fn one_wrong_byte_is_refused_by_its_own_rule() {
    let rows = [
        (CONNECT, "03000016", "03010016", "mms.packet"),
        (CONNECT, "03000016", "03000017", "mms.packet"),
        (CONNECT, "11e0", "11d0", "mms.tpdu"),
        (CONNECT, " 00 c1", " 40 c1", "mms.class"),
        (CONNECT, "c1020001", "c1020101", "mms.calling"),
        (CONNECT, "c2020001", "c2020002", "mms.transport"),
        (CONNECT, "c0010a", "c0010d", "mms.tpdu_size"),
        (INITIATE, "02f080", "02f000", "mms.tpdu"),
        (INITIATE, "0db5", "0eb5", "mms.session"),
        (INITIATE, "34020001", "34020002", "mms.session"),
        (INITIATE, "820400000001", "820400000002", "mms.presentation"),
        (INITIATE, "02010306", "02010506", "mms.presentation"),
        (INITIATE, "a107060528ca220203", "a107060528ca220204", "mms.association"),
        (INITIATE, "80023e80", "80023e81", "mms.initiate"),
        (INITIATE, "820c03 68", "820c03 6c", "mms.initiate"),
        (IDENTIFY, "020103 8200", "020183 8200", "mms.invoke"),
        (IDENTIFY, "8200", "8201", "mms.service"),
        (IDENTIFY, "8200", "8000", "mms.service"),
        (IDENTIFY, "300c", "300d", "mms.length"),
        (IDENTIFY, "020103 a007", "020101 a007", "mms.presentation"),
        (CONCLUDE, "8b00", "8a00", "mms.pdu"),
    ];
    for (message, right, wrong, rule) in rows {
        assert!(message.contains(right), "{message} has {right}");
        check(&listed(), &[unhex(&message.replacen(right, wrong, 1))], 0, Some(rule));
    }
}

#[test]
fn an_association_never_carries_a_password() {
    // ISO 8650-1: sender requirements, mechanism 2.2.3.1 (password), the value; between who calls and the user information.
    let authentication = "8a020780 8b0352 0301 ac0a 80087365 63726574 2121";
    let with = INITIATE.replace("a70302010c be32", &format!("a70302010c {authentication} be32"));
    check_refused(&listed(), &unhex(&with));
}

#[test]
fn the_logical_device_is_the_one_that_is_configured_or_a_name() {
    check(&configured(), &[device("IED1LD1", PHY_NAM)], 0, Some("mms.domain"));
    check(&configured(), &[unhex(DOMAINS)], 0, Some("mms.service"));
    check(&configured(), &[device("IED1LD0", "LPHD2$DC$PhyNam")], 0, Some("mms.node"));
    check(&configured(), &[node("IED1LD0", "LLN1$DC$NamPlt")], 0, Some("mms.node"));
    for domain in ["LD$CO", "LD 0", "LD/0", "L\0", "gr\u{fc}n"] {
        check(&listed(), &[device(domain, PHY_NAM)], 0, Some("mms.domain"));
    }
    check_refused(&listed(), &device("", PHY_NAM));
    check_refused(&listed(), &device(&"x".repeat(65), PHY_NAM));
    let two = OF_NODE.map(|attribute| (if attribute == "swRev" { "LD1" } else { "LD0" }, format!("{NAM_PLT}${attribute}")));
    check(&listed(), &[read_of(&two)], 0, Some("mms.domain"));
}

#[test]
fn caps_hold() {
    for once in
        [unhex(CONNECT), unhex(INITIATE), unhex(IDENTIFY), unhex(DOMAINS), device("LD0", PHY_NAM), node("LD0", NAM_PLT), unhex(CONCLUDE)]
    {
        check(&listed(), &[once.clone(), once], 1, Some("budget.question"));
    }
    check(&listed(), &[device("LD0", PHY_NAM), device("LD1", PHY_NAM)], 1, Some("budget.question"));
}

#[test]
fn a_grant_cannot_widen_the_table() {
    let rows = [
        (Mms { transport: vec![], ..listed() }, "permit.selector"),
        (Mms { transport: vec![0; 33], ..listed() }, "permit.selector"),
        (Mms { session: vec![0; 17], ..listed() }, "permit.selector"),
        (Mms { presentation: vec![], ..listed() }, "permit.selector"),
        (Mms { domain: Some(String::new()), ..listed() }, "permit.domain"),
        (Mms { domain: Some("LD0$CO".to_owned()), ..listed() }, "permit.domain"),
        (Mms { domain: Some("x".repeat(65)), ..listed() }, "permit.domain"),
        (Mms { node: "LLN0".to_owned(), ..listed() }, "permit.node"),
        (Mms { node: "LPHD1$CO".to_owned(), ..listed() }, "permit.node"),
        (Mms { node: "PrefixTooLongLPHD1".to_owned(), ..listed() }, "permit.node"),
    ];
    for (asked, rule) in rows {
        assert_eq!(asked.grant().expect_err(rule).rule, rule, "{asked:?}");
    }
}
