use super::*;
use crate::conversation::End;
use crate::shorter;
use crate::tcp::At;

fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    labels.flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat()).chain([0]).collect()
}

/// Type, class with the cache flush bit, time to live, length, value.
fn record(owner: &[u8], kind: u8, value: &[u8]) -> Vec<u8> {
    [owner, &[0, kind, 0x80, 1, 0, 0, 0, 120, 0, u8::try_from(value.len()).unwrap()], value].concat()
}

fn answer(records: &[Vec<u8>]) -> Vec<u8> {
    let head = [0, 0, 0x84, 0, 0, 0, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0];
    [&head[..], &records.concat()].concat()
}

fn check(records: &[Vec<u8>], expected: &[(&str, &str)]) {
    shorter::check(&PROTOCOL, Over::Udp, &[&answer(records)], expected);
}

#[test]
fn records_tell_host_services_and_their_texts() {
    let instance = name("Line 4._http._tcp.local");
    let text = [&[10][..], b"md=RTU-560", &[6], b"fw=1.2", &[4], b"note", &[3], b"=ab", &[3], b"SN="].concat();
    check(
        &[record(&instance, 16, &text)],
        &[("mdns.instance", "Line 4"), ("mdns.service", "\\x05_http\\x04_tcp"), ("mdns.txt.md", "RTU-560"), ("mdns.txt.fw", "1.2")],
    );
    let target = [&[0, 0, 0, 0, 0, 80][..], &name("plc-4.local")].concat();
    check(
        &[record(&instance, 33, &target)],
        &[("mdns.instance", "Line 4"), ("mdns.service", "\\x05_http\\x04_tcp"), ("mdns.host", "plc-4")],
    );
    // A pointer to the name at offset 12.
    check(
        &[record(&name("plc-4.local"), 1, &[10, 0, 0, 4]), record(&[0xc0, 12], 13, b"\x03ARM\x05Linux")],
        &[("mdns.host", "plc-4"), ("mdns.hinfo.cpu", "ARM"), ("mdns.hinfo.os", "Linux")],
    );
    check(&[record(&name("4.0.0.10.in-addr.arpa"), 12, &name("plc-4.local"))], &[("mdns.host", "plc-4")]);
    check(&[record(&name("_services._dns-sd._udp.local"), 12, &name("_ipp._tcp.local"))], &[("mdns.service", "\\x04_ipp\\x04_tcp")]);
}

#[test]
fn pointers_that_go_round_end() {
    check(&[record(&[0xc0, 12], 1, &[10, 0, 0, 4])], &[]);
    check(&[record(&[1, b'a', 0xc0, 12], 1, &[10, 0, 0, 4])], &[]);
    let long = answer(&vec![record(&name("a.b"), 1, &[10, 0, 0, 4]); 200]);
    assert_eq!(shorter::facts(&PROTOCOL.replay(Over::Udp, [], [&long[..]])).len(), 1);
}

#[test]
fn what_others_are_is_belief() {
    let message = answer(&[record(&name("plc-4.local"), 1, &[10, 0, 0, 4])]);
    let question = [&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], &message[12..]].concat();
    for (bytes, ip, expected) in [
        (&message, [10, 0, 0, 4], Some((Authority::Device, [10, 0, 0, 4]))),
        (&message, [10, 0, 0, 9], Some((Authority::Belief, [10, 0, 0, 4]))),
        (&question, [10, 0, 0, 4], None),
    ] {
        let from = End { ip: Some(ip.into()), ..End::default() };
        let said = Said { bytes, missing: 0, at: At::default(), from: &from, to: &from, by_server: false };
        let mut heard = Vec::new();
        let mut conversation = (PROTOCOL.start)(Over::Udp);
        for _ in 0..2 {
            conversation.hear(&said, &mut |one| {
                if let Heard::Reading(reading) = one {
                    heard.push((reading.authority, reading.speaker.ip));
                }
            });
        }
        assert_eq!(heard, expected.map(|(authority, ip)| (authority, Some(ip.into()))).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn only_its_own_port_makes_it_likely() {
    let message = answer(&[record(&name("plc-4.local"), 1, &[10, 0, 0, 4])]);
    assert_eq!((PROTOCOL.likeness)(&message, Over::Udp), Likeness::Possible);
    assert_eq!((PROTOCOL.likeness)(&[0, 0, 0x29, 0x10, 0, 1], Over::Udp), Likeness::No);
    assert_eq!((PROTOCOL.likeness)(&[0; 12], Over::Udp), Likeness::No);
}
