//! Messages written out by hand from RFC 3412, RFC 3414 and RFC 3416: the user is `ot`, the engine 8000000001, its clock 3 and 300.

use std::time::Duration;

use super::*;
use crate::guard::usm::{Auth, Privacy};
use crate::guard::{Endpoint, Judge, Limits, Permit, Secret};

const DISCOVERY: &str = "303e 020103 3011 02044e500001 020300ffe3 040104 020103 0410 300e 0400 020100 020100 0400 0400 0400
                         3014 0400 0400 a00e 02044e500001 020100 020100 3000";
/// The answer to it: usmStatsUnknownEngineIDs.
const REPORT: &str = "3067 020103 3011 02044e500001 020300ffe3 040100 020103 0416 3014 04058000000001 020103 0202012c 0400 0400 0400
                      3037 04058000000001 0400 a82c 02044e500001 020100 020100 301e 301c 060a2b060106030f01010400 410e 0101010101010101010101010101";
const SYSTEM: &str =
    "3038 300c06082b060102010101000500 300c06082b060102010102000500 300c06082b060102010103000500 300c06082b060102010105000500";
const ENGINE_SAID: &str = "04058000000001 020103 0202012c";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// With the length before them in the shortest form.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = if content.len() < 0x80 { vec![content.len() as u8] } else { vec![0x81, content.len() as u8] };
    [&[tag][..], &length, content].concat()
}

/// A question of `ot` with these flags, this engine and clock, zeros for authentication and salt, and a PDU.
fn message(flags: u8, engine: &str, zeros: (usize, usize), tag: u8, bindings: &str) -> Vec<u8> {
    let (mac, salt) = (element(4, &vec![0; zeros.0]), element(4, &vec![0; zeros.1]));
    let security = element(4, &element(0x30, &[unhex(engine), unhex("04026f74"), mac, salt].concat()));
    let settings = if tag == 0xa5 { "020100 020104" } else { "020100 020100" };
    let pdu = element(tag, &unhex(&format!("02044e500002 {settings} {bindings}")));
    let scoped = element(0x30, &[unhex("04058000000001 0400"), pdu].concat());
    let header = unhex(&format!("020103 3011 02044e500002 020300ffe3 0401{flags:02x} 020103"));
    element(0x30, &[header, security, scoped].concat())
}

fn protected() -> User {
    User::new("ot", 7).authenticated(Auth::Sha256, &Secret::new("maplesyrup")).encrypted(Privacy::Aes128, &Secret::new("quite hidden"))
}

fn permit(user: &User) -> Permit {
    let grant = SnmpV3 { user: user.clone(), objects: Vec::new(), entities: false }.grant().expect("a grant");
    let limits = Limits::of(&grant);
    Permit::new(Endpoint::Udp(([192, 0, 2, 1], 161).into()), grant, "WO-1", limits).expect("a permit")
}

/// What leaves after the discovery and its report.
fn judge(user: &User, message: &[u8]) -> Result<crate::guard::Message, Refused> {
    let mut judge = Judge::new(&permit(user));
    let discovery = judge.push(&unhex(DISCOVERY), Duration::ZERO)?.message.expect("a whole message");
    assert_eq!((discovery.question, discovery.bytes), ("snmp.discovery", unhex(DISCOVERY)));
    judge.heard(&unhex(REPORT));
    judge.answered();
    let pushed = judge.push(message, Duration::ZERO)?;
    match (pushed.message, judge.finish()) {
        (Some(message), None) => Ok(message),
        (_, refused) => Err(refused.expect("it was held")),
    }
}

#[test]
fn what_is_granted_leaves_sealed() {
    let open = User::new("ot", 7);
    let plain = message(4, ENGINE_SAID, (0, 0), 0xa0, SYSTEM);
    assert_eq!(judge(&open, &plain).expect("it may leave").bytes, plain);
    let user = protected();
    let plain = message(7, ENGINE_SAID, (24, 8), 0xa0, SYSTEM);
    let left = judge(&user, &plain).expect("it may leave");
    let object = unhex("06082b06010201010100");
    let shows = |bytes: &[u8]| bytes.windows(object.len()).any(|window| window == object);
    assert!(left.shown == plain && shows(&left.shown) && !shows(&left.bytes), "the record has what was asked, the wire has not");
    let engine = Engine { id: unhex("8000000001"), boots: 3, time: 300 };
    let opened = user.open(&left.bytes, Some(&engine)).expect("it is authentic");
    assert!(shows(&opened));
}

#[test]
fn one_wrong_bit_is_refused_and_nothing_unlisted_is_sealed() {
    let user = protected();
    let plain = message(7, ENGINE_SAID, (24, 8), 0xa0, SYSTEM);
    // Message id and request id are free but for their first two bits.
    let request_id = plain.len() - 58 - 6 - 4;
    let is_free = |at: usize| [10, request_id].iter().any(|id| (*id..id + 4).contains(&at));
    for at in 0..plain.len() {
        for bit in 0..8 {
            let mut wrong = plain.clone();
            wrong[at] ^= 1 << bit;
            let free = is_free(at) && !([10, request_id].contains(&at) && bit >= 6);
            assert_eq!(judge(&user, &wrong).is_ok(), free, "byte {at} {:02x}", wrong[at]);
        }
    }
}

#[test]
fn what_must_never_leave_does_not() {
    let user = protected();
    for tag in (0..=255).filter(|tag| *tag != 0xa0) {
        assert!(judge(&user, &message(7, ENGINE_SAID, (24, 8), tag, SYSTEM)).is_err(), "{tag:02x}");
    }
    let community_table = "300f 300d 06092b06010603120101 02 0500";
    assert!(judge(&user, &message(7, ENGINE_SAID, (24, 8), 0xa0, community_table)).is_err());
    // Less protected than the permit says, another user's way, a scoped PDU that somebody else encrypted.
    for (flags, zeros) in [(4, (0, 0)), (5, (24, 0)), (7, (12, 8)), (0, (0, 0)), (3, (24, 8))] {
        assert!(judge(&user, &message(flags, ENGINE_SAID, zeros, 0xa0, SYSTEM)).is_err(), "{flags}");
    }
    let mut sealed = user.seal(&message(7, ENGINE_SAID, (24, 8), 0xa3, SYSTEM), 1).expect("USM itself seals what it is given");
    assert!(judge(&user, &sealed).is_err());
    sealed.truncate(0);
}

#[test]
fn an_engine_is_asked_as_it_said_itself() {
    let user = protected();
    for other in ["04058000000002 020103 0202012c", "04058000000001 020104 0202012c", "04058000000001 020103 0202012d"] {
        let refused = judge(&user, &message(7, other, (24, 8), 0xa0, SYSTEM)).expect_err(other);
        assert!(["snmp.engine", "snmp.clock"].contains(&refused.rule), "{refused}");
    }
    let mut judge = Judge::new(&permit(&user));
    let early = message(7, ENGINE_SAID, (24, 8), 0xa0, SYSTEM);
    assert!(judge.push(&early, Duration::ZERO).is_err(), "before it said anything");
}

#[test]
fn a_grant_is_not_wider_than_the_row() {
    let grant = |user: User, objects| SnmpV3 { user, objects, entities: false }.grant().map(|_| ());
    let rule = |outcome: Result<(), Refused>| outcome.expect_err("too wide").rule;
    assert_eq!(rule(grant(User::new("", 1), Vec::new())), "permit.user");
    assert_eq!(rule(grant(User::new([b'u'; 33], 1), Vec::new())), "permit.user");
    assert_eq!(rule(grant(User::new("ot", 1), vec![vec![0x2b, 6]])), "permit.objects");
    assert_eq!(grant(User::new("ot", 1), vec![vec![0x2b, 6, 1, 2, 1, 1, 6, 0]]), Ok(()));
}

#[test]
fn no_print_shows_a_password() {
    let print = format!("{:?} {:?}", permit(&protected()), Judge::new(&permit(&protected())));
    assert!(!print.contains("maplesyrup") && !print.contains("quite hidden"), "{print}");
}
