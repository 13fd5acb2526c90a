//! Questions as they left towards asyncua 2.1.0 and were read by it and by tshark, with other numbers; its answers cut down to what counts.

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit, hex};

const HELLO: &str =
    "48454c4638000000 00000000 00000100 00000100 00000400 10000000 18000000 6f70632e7463703a2f2f3139322e302e322e393a34383430";
const OPEN: &str = "4f504e4684000000 00000000 2f000000 687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379234e6f6e65 \
                    ffffffff ffffffff 01000000 01000000 0100be01 0000 0000000000000000 01000000 00000000 ffffffff 10270000 000000 00000000 \
                    00000000 01000000 ffffffff 60ea0000";
const ENDPOINTS: &str = "4d5347465d000000 06000000 0d000000 02000000 02000000 0100ac01 0000 0000000000000000 02000000 00000000 ffffffff 10270000 \
                         000000 18000000 6f70632e7463703a2f2f3139322e302e322e393a34383430 ffffffff ffffffff";
const ACTIVATE: &str = "4d53474669000000 06000000 0d000000 04000000 04000000 0100d301 0100e903 0000000000000000 04000000 00000000 ffffffff \
                        10270000 000000 ffffffffffffffff ffffffff ffffffff 01004101 01 0d000000 09000000 616e6f6e796d6f7573 ffffffff ffffffff";
const BROWSE_SET: &str = "4d53474664000000 06000000 0d000000 06000000 06000000 01000f02 0100e903 0000000000000000 06000000 00000000 ffffffff \
                          10270000 000000 0000 0000000000000000 00000000 32000000 01000000 01028913 00000000 0021 01 01000000 0a000000";
const BROWSE_DEVICE: &str = "4d53474664000000 06000000 0d000000 07000000 07000000 01000f02 0100e903 0000000000000000 07000000 00000000 ffffffff \
                             10270000 000000 0000 0000000000000000 00000000 10000000 01000000 01028a13 00000000 002e 01 02000000 0a000000";
const READ_DEVICE: &str = "4d5347465d000000 06000000 0d000000 08000000 08000000 01007702 0100e903 0000000000000000 08000000 00000000 ffffffff \
                           10270000 000000 0000000000000000 03000000 01000000 01028b13 0d000000 ffffffff 0000 ffffffff";
const CLOSE: &str = "4d5347463c000000 06000000 0d000000 09000000 09000000 0100d901 0100e903 0000000000000000 09000000 00000000 ffffffff \
                     10270000 000000 01";
const CLOSE_CHANNEL: &str = "434c4f4639000000 06000000 0d000000 0a000000 0a000000 0100c401 0000 0000000000000000 0a000000 00000000 ffffffff \
                             10270000 000000";

/// In the order of a session.
const SESSION_OF: [&str; 9] = [HELLO, OPEN, ENDPOINTS, ACTIVATE, BROWSE_SET, BROWSE_DEVICE, READ_DEVICE, CLOSE, CLOSE_CHANNEL];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
}

/// The server's side: a channel (6, token 13), a session (i=1001), a policy for users, DI as namespace 2, one device with one revision.
fn said() -> Vec<u8> {
    let good = "00000000000000000000000000000000 00 00000000 000000";
    let channel = "060000000d000000";
    let none = "2f000000687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379234e6f6e65";
    let chunk = |word: &str, rest: String| {
        let rest = bytes(&rest);
        [&bytes(word)[..], &(rest.len() as u32 + 8).to_le_bytes(), &rest].concat()
    };
    let answer = |service: &str, body: &str| chunk("4d534746", format!("{channel} 0000000000000000 0100{service} {good} {body}"));
    let opened = format!("0100c101 {good} 00000000 {channel} 0000000000000000 60ea0000 ffffffff");
    let open = chunk("4f504e46", format!("06000000 {none} ffffffffffffffff 0000000000000000 {opened}"));
    let described = "ffffffff ffffffff 00 00000000 ffffffff ffffffff 00000000";
    let user = "09000000616e6f6e796d6f7573 00000000 ffffffff ffffffff ffffffff";
    let endpoint = format!("ffffffff {described} ffffffff 01000000 {none} 01000000 {user} ffffffff 00");
    let session =
        answer("d001", &format!("0001 0100e903 00000000004cdd40 ffffffff ffffffff 01000000 {endpoint} 00000000 ffffffff ffffffff"));
    let di = "1f000000687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f44492f";
    let namespaces = answer("7a02", &format!("01000000 01 8c 03000000 00000000 00000000 {di} 00000000"));
    let reference =
        |node: &str, name: &str| format!("01000000 00000000 ffffffff 01000000 002e 01 {node} 0200 {name} 00 02000000 0000 00000000");
    let devices = answer("1202", &reference("01028a13", "03000000504c43"));
    let parts = answer("1202", &reference("01028b13", "10000000536f6674776172655265766973696f6e"));
    [open, session, namespaces, devices, parts].concat()
}

fn asked() -> Opcua {
    Opcua { url: "opc.tcp://192.0.2.9:4840".to_owned(), servers: false, session: true }
}

fn judge(granted: &Opcua) -> Judge {
    let grant = granted.grant().expect("a grant");
    let limits = Limits::of(&grant);
    Judge::new(&Permit::new(Endpoint::Tcp(([192, 0, 2, 9], 4840).into()), grant, "WO-1", limits).expect("a permit"))
}

/// Writes the messages, each after an answer, and returns the last question or the rule that refused.
fn judged(mut judge: Judge, messages: &[Vec<u8>]) -> Result<&'static str, &'static str> {
    let mut last = "";
    for message in messages {
        judge.answered();
        let pushed = judge.push(message, Duration::ZERO).map_err(|refused| refused.rule)?;
        last = pushed.message.ok_or("not whole")?.question;
        assert_eq!(pushed.taken, message.len(), "{}", hex(message));
    }
    Ok(last)
}

fn after(said: &[u8]) -> Judge {
    let mut judge = judge(&asked());
    judge.heard(said);
    judge
}

#[test]
fn a_session_leaves_as_the_device_named_it() {
    let messages: Vec<Vec<u8>> = SESSION_OF.iter().map(|message| bytes(message)).collect();
    assert_eq!(judged(after(&said()), &messages), Ok("opcua.channel.close"));
    for (message, question) in messages.iter().zip(["opcua.hello", "opcua.channel", "opcua.endpoints", "opcua.session.activate"]) {
        assert_eq!(judged(after(&said()), std::slice::from_ref(message)), Ok(question));
    }
}

#[test]
fn what_the_device_did_not_say_does_not_leave() {
    for (message, rule) in [
        (ENDPOINTS, "opcua.channel"),
        (ACTIVATE, "opcua.channel"),
        (BROWSE_SET, "opcua.channel"),
        (CLOSE, "opcua.channel"),
        (CLOSE_CHANNEL, "opcua.channel"),
    ] {
        assert_eq!(judged(judge(&asked()), &[bytes(message)]), Err(rule), "{message}");
    }
    let elsewhere = Opcua { session: false, ..asked() };
    for message in [ACTIVATE, BROWSE_SET, BROWSE_DEVICE, READ_DEVICE, CLOSE] {
        let mut judge = judge(&elsewhere);
        judge.heard(&said());
        assert!(judged(judge, &[bytes(message)]).is_err(), "no session was granted: {message}");
    }
    // What it says byte by byte is the same; what is cut says nothing that it did not.
    let mut slowly = judge(&asked());
    said().iter().for_each(|byte| slowly.heard(&[*byte]));
    let messages: Vec<Vec<u8>> = SESSION_OF.iter().map(|message| bytes(message)).collect();
    assert_eq!(judged(slowly, &messages), Ok("opcua.channel.close"));
    for cut in 0..said().len() {
        assert!(judged(after(&said()[..cut]), &[bytes(READ_DEVICE)]).is_err(), "cut after {cut}");
    }
}

#[test]
fn no_bit_of_a_message_may_be_another() {
    for message in SESSION_OF {
        let sound = bytes(message);
        // Ours to choose: sequence number, request id, request handle, each below 256. A hello and an open have none.
        let session = if message.contains("0100e903") { 4 } else { 2 };
        let free = if [HELLO, OPEN].contains(&message) { vec![] } else { vec![16, 20, 28 + session + 8] };
        for (at, bit) in (0..sound.len()).flat_map(|at| (0..8).map(move |bit| (at, 1 << bit))) {
            let mut changed = sound.clone();
            changed[at] ^= bit;
            let left = judged(after(&said()), &[changed]).is_ok();
            // Where nobody has said which namespace is DI's it is 0: so a dry run shows it.
            let unsaid = message == BROWSE_SET && (at, sound[at] ^ bit) == (82, 0);
            assert_eq!(left, free.contains(&at) || unsaid, "byte {at} of {message}");
        }
    }
}

#[test]
fn services_that_change_anything_are_refused() {
    // Write, Call, HistoryRead, HistoryUpdate, AddNodes, DeleteNodes, CreateSubscription, Publish, RegisterNodes, RegisterServer, BrowseNext.
    for service in [673_u16, 712, 664, 700, 488, 500, 787, 826, 560, 437, 533] {
        let mut message = bytes(BROWSE_SET);
        message[26..28].copy_from_slice(&service.to_le_bytes());
        assert_eq!(judged(after(&said()), &[message]), Err("opcua.service"), "{service}");
    }
    let mut kept = bytes(CLOSE);
    *kept.last_mut().expect("bytes") = 0;
    assert_eq!(judged(after(&said()), &[kept]), Err("opcua.delete"));
    let again = [bytes(BROWSE_SET), bytes(BROWSE_SET)];
    assert!(judged(after(&said()), &again).is_err(), "nothing is sent twice");
}

#[test]
fn wider_grants_are_refused() {
    let rule = |url: &str| Opcua { url: url.to_owned(), ..asked() }.grant().expect_err(url).rule;
    for url in ["http://192.0.2.9", "opc.tcp://a b", "opc.tcp://\u{e9}", &format!("opc.tcp://{}", "a".repeat(300))] {
        assert_eq!(rule(url), "permit.url");
    }
}
