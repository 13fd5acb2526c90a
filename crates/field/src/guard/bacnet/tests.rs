use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit, hex};

fn permit(asked: &Bacnet) -> Permit {
    let grant = asked.grant().expect("a grant");
    let limits = Limits::of(&grant);
    Permit::new(Endpoint::Udp(([192, 0, 2, 1], 47808).into()), grant, "WO-1", limits).expect("a permit")
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// The rule that refuses the message as the first of a connection; `None` where it leaves.
fn rule(asked: &Bacnet, message: &str) -> Option<&'static str> {
    let mut judge = Judge::new(&permit(asked));
    let bytes = unhex(message);
    match judge.push(&bytes, Duration::ZERO) {
        Ok(pushed) if pushed.message.as_ref().map(|message| hex(&message.bytes)) == Some(hex(&bytes)) => None,
        Ok(_) => Some("held"),
        Err(refused) => Some(refused.rule),
    }
}

/// Written by hand from ASHRAE 135 and read-only.md.
#[test]
fn only_identity_properties_of_the_configured_device_leave() {
    let direct = Bacnet { instance: 2001, route: None };
    let check = |message: &str, expected: Option<&str>| assert_eq!(rule(&direct, message), expected, "{message}");
    for property in ["194b", "1979", "1978", "1946", "192c", "190c", "194d"] {
        check(&format!("810a0011 0104 0005 99 0c 0c020007d1 {property}"), None);
    }
    check("810a0012 0104 0005 01 0c 0c020007d1 1a0174", None);
    for (message, why) in [
        ("810a0011 0104 0005 01 0c 0c020007d2 192c", "bacnet.object"),
        ("810a0011 0104 0005 01 0c 0c000007d1 192c", "bacnet.object"),
        ("810a0011 0104 0005 01 0c 0c020007d1 1955", "bacnet.property"),
        ("810a0012 0104 0005 01 0c 0c020007d1 1a0175", "bacnet.property"),
        ("810a0013 0104 0005 01 0c 0c020007d1 192c 2901", "bacnet.length"),
        ("810a0010 0104 0005 01 0c 0c020007d1 192c", "bacnet.length"),
        // WriteProperty, DeviceCommunicationControl, ReinitializeDevice, ReadPropertyMultiple.
        ("810a0011 0104 0005 01 0f 0c020007d1 192c", "bacnet.service"),
        ("810a0011 0104 0005 01 11 0c020007d1 192c", "bacnet.service"),
        ("810a0011 0104 0005 01 14 0c020007d1 192c", "bacnet.service"),
        ("810a0011 0104 0005 01 0e 0c020007d1 192c", "bacnet.service"),
        // Who-Is, and a network message.
        ("810a0008 0100 1008", "bacnet.npdu"),
        ("810a0007 0180 00", "bacnet.npdu"),
        ("810a0011 0104 1005 01 0c 0c020007d1 192c", "bacnet.apdu"),
        ("810a0011 0104 0205 01 0c 0c020007d1 192c", "bacnet.apdu"),
        // Distribute-Broadcast, Original-Broadcast, Register-Foreign-Device.
        ("81090011 0104 0005 01 0c 0c020007d1 192c", "bacnet.bvlc"),
        ("810b0011 0104 0005 01 0c 0c020007d1 192c", "bacnet.bvlc"),
        ("81050006 003c", "bacnet.bvlc"),
        ("810a0016 0124 0005 01 72 ff 0003 01 0c 0c020007d1 192c", "bacnet.npdu"),
    ] {
        check(message, Some(why));
    }
}

#[test]
fn behind_a_router_only_the_configured_station_is_asked() {
    let routed = Bacnet { instance: 7, route: Some((5, vec![0x72])) };
    let check = |message: &str, expected: Option<&str>| assert_eq!(rule(&routed, message), expected, "{message}");
    check("810a0016 0124 0005 01 72 ff 0003 01 0c 0c02000007 192c", None);
    check("810a0016 0124 0005 01 73 ff 0003 01 0c 0c02000007 192c", Some("bacnet.route"));
    check("810a0016 0124 0006 01 72 ff 0003 01 0c 0c02000007 192c", Some("bacnet.route"));
    check("810a0015 0124 0005 00 ff 0003 01 0c 0c02000007 192c", Some("bacnet.route"));
    check("810a0011 0104 0005 01 0c 0c02000007 192c", Some("bacnet.npdu"));
}

#[test]
fn a_grant_is_one_device() {
    let check = |instance, route: Option<(u16, &[u8])>, expected: &str| {
        let asked = Bacnet { instance, route: route.map(|(network, mac)| (network, mac.to_vec())) };
        assert_eq!(asked.grant().expect_err(expected).rule, expected);
    };
    check(INSTANCE_ANY + 1, None, "permit.instance");
    check(1, Some((0, &[1])), "permit.route");
    check(1, Some((u16::MAX, &[1])), "permit.route");
    check(1, Some((5, &[])), "permit.route");
    check(1, Some((5, &[0xff])), "permit.route");
    check(1, Some((5, &[1; 7])), "permit.route");
    assert_eq!(Bacnet { instance: INSTANCE_ANY, route: None }.grant().expect("a grant").station(), "any");
}

#[test]
fn the_tenth_question_is_refused() {
    let mut judge = Judge::new(&permit(&Bacnet { instance: 2001, route: None }));
    let message = unhex("810a0011 0104 0005 01 0c 0c020007d1 192c");
    for _ in 0..BACNET_REQUESTS_MAX {
        judge.push(&message, Duration::ZERO).expect("on the allowlist");
        judge.answered();
    }
    assert_eq!(judge.push(&message, Duration::ZERO).expect_err("one too many").rule, "budget.requests");
}
