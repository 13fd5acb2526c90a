//! Messages of public captures: ITI/ICS-Security-Tools pcaps/MELSEC/melsoft_UDP_clean_1.pcap, frames 13 and 14 (an FX5U), frames 1 and 2;
//! and the start of a Q03UDE's answer to the same question over TCP (hi-KK/ICS-Protocol-identify), a fact each.

use super::*;

const ASKED: &[u8] =
    b"\x57\x01\0\0\0\x11\x11\x07\0\0\xff\xff\x03\0\0\xfe\x03\0\0\x20\0\x1c\x0a\x16\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \x01\x21\x01\0\0\0\0\x01";
const FX5U: &[u8] =
    b"\xd7\x01\0\0\0\x11\x11\x7f\0\0\0\xa8\x03\0\xff\xff\x03\0\0\x38\0\x9c\x0a\x18\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \x01\x21\x01\0\0\0FX5U-32MT/ES\0\0\0\0\x29\x4a\0\x08\0\0\0\0";
const Q03UDE: &[u8] =
    b"\xd7\0\xc8\0\0\x11\x11\x07\0\0\0\xe4\x03\0\xff\xff\x03\0\08\0\x9c\0\x0c\x08\0\0\0\0\x10\x04\0\0\0\0\x01\x01\x01\0\0\0\
    Q03UDECPU       h\x02\0\x08\xba\xba\x08\x10 !\x03\x16\0 \x02\0\x01\x01\xe8\x02";
const SEARCHED: &[u8] = b"\x5a\0\0\x01";
const FOUND: &[u8] = b"\xda\0\0\x01\x14\0\xc0\xa8\x03\x65\xc0\xa8\0\x65";

fn check(over: Over, said: &[(bool, &[u8])], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut note = |event: Heard| {
        heard.push(match event {
            Heard::Present { role, .. } => role.name().to_owned(),
            Heard::Reading(reading) => {
                let facts: Vec<_> = reading.facts.iter().map(|fact| fact.bytes.escape_ascii().to_string()).collect();
                format!("{} {}", reading.question, facts.join(" "))
            }
            other => format!("{other:?}"),
        });
    };
    let mut talk = Talk::new(over);
    for (by_server, bytes) in said {
        let (at, from, to) = (At::default(), &End::default(), &End::default());
        talk.hear(&Said { bytes, missing: 0, at, from, to, by_server: *by_server }, &mut note);
    }
    assert_eq!(heard, expected);
}

#[test]
fn a_controller_tells_its_type() {
    check(Over::Udp, &[(false, ASKED), (true, FX5U)], &["server", "client", r"melsoft.cpu FX5U-32MT/ES )J"]);
    check(Over::Tcp, &[(true, &Q03UDE[..30]), (true, &Q03UDE[30..])], &["server", "client", r"melsoft.cpu Q03UDECPU h\x02"]);
    check(Over::Udp, &[(false, SEARCHED), (true, FOUND), (true, FOUND)], &["server", "client"]);
    check(Over::Udp, &[(true, FOUND), (false, ASKED), (true, b"\xd7"), (true, b"")], &[]);
    let refused = [&FX5U[..51], b"\x01\x40", &FX5U[53..]].concat();
    check(Over::Udp, &[(true, &refused)], &["server", "client"]);
}

#[test]
fn a_shorter_answer_says_the_same_or_less() {
    for message in [FX5U, Q03UDE] {
        let facts =
            |bytes: &[u8]| PROTOCOL.replay(Over::Udp, [], [bytes]).into_iter().flat_map(|reading| reading.facts).collect::<Vec<_>>();
        let whole = facts(message);
        assert_eq!(whole.len(), 2);
        for cut in 0..message.len() {
            assert!(facts(&message[..cut]).iter().all(|fact| whole.contains(fact)), "{cut}");
        }
    }
}

#[test]
fn what_only_starts_alike_is_something_else() {
    for (over, bytes, expected) in [
        (Over::Udp, ASKED, Likeness::Certain),
        (Over::Tcp, FX5U, Likeness::Certain),
        (Over::Udp, &FX5U[..40], Likeness::Possible),
        (Over::Udp, SEARCHED, Likeness::Possible),
        (Over::Tcp, SEARCHED, Likeness::No),
        (Over::Tcp, b"Welcome to this server", Likeness::No),
        (Over::Tcp, b"W", Likeness::No),
    ] {
        assert_eq!(likeness(bytes, over), expected, "{}", bytes.escape_ascii());
    }
}
