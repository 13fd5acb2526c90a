use super::*;
use crate::conversation::End;
use crate::shorter;
use crate::tcp::At;

const CHADDR: [u8; 6] = [0, 0x80, 0xf4, 1, 2, 3];

/// A message by RFC 2131, clause 2.
fn message(op: u8, options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; FIXED_BYTES];
    (bytes[0], bytes[1], bytes[2]) = (op, ETHERNET, 6);
    bytes[28..34].copy_from_slice(&CHADDR);
    bytes.extend_from_slice(&COOKIE);
    bytes.extend_from_slice(options);
    bytes
}

fn check(options: &[u8], expected: &[(&str, &str)]) {
    shorter::check(&PROTOCOL, Over::Udp, &[&message(REQUEST, options)], expected);
}

#[test]
fn options_tell_what_a_client_is() {
    check(b"\x35\x01\x01\x0c\x03plc\x3c\x08MSFT 5.0\xff", &[("dhcp.host_name", "plc"), ("dhcp.vendor_class", "MSFT 5.0")]);
    check(b"\x0c\x03plc", &[("dhcp.host_name", "plc")]);
    check(b"\x3d\x07\x01\x00\x80\xf4\x01\x02\x03\xff", &[]);
    check(b"\x3d\x05\x00m340\xff", &[("dhcp.client_name", "m340")]);
    check(b"\x3d\x04\x01\x02\x03\x04\xff", &[("dhcp.client_id", "\\x01\\x02\\x03\\x04")]);
    check(b"\x51\x08\x00\x00\x00plc-1\xff", &[("dhcp.fqdn", "plc-1")]);
    check(b"\x51\x0b\x04\x00\x00\x02io\x03org\x00\xff", &[("dhcp.fqdn", "\\x02io\\x03org\\x00")]);
    check(b"\x4d\x04\x03hmi\xff", &[("dhcp.user_class", "hmi")]);
    check(b"\x7c\x09\x00\x00\x10\xe3\x04\x03abc\xff", &[("dhcp.enterprise", "\\x00\\x00\\x10\\xe3"), ("dhcp.enterprise_class", "abc")]);
    check(
        b"\x7d\x11\x00\x00\x0d\xe9\x0c\x01\x0300a\x02\x01S\x03\x02P1\xff",
        &[("dhcp.device.oui", "00a"), ("dhcp.device.serial", "S"), ("dhcp.device.class", "P1")],
    );
    // The first of two counts: a shorter message would show only that one.
    check(b"\x0c\x01a\x0c\x01b\xff", &[("dhcp.host_name", "a")]);
}

#[test]
fn options_stand_in_the_boot_file_where_one_says_so() {
    let mut overloaded = message(REQUEST, b"\x34\x01\x01\xff");
    overloaded[108..114].copy_from_slice(b"\x3c\x03abc\xff");
    shorter::check(&PROTOCOL, Over::Udp, &[&overloaded], &[("dhcp.vendor_class", "abc")]);
    overloaded[FIXED_BYTES + 4 + 2] = 2;
    shorter::check(&PROTOCOL, Over::Udp, &[&overloaded], &[]);
}

fn hear(messages: &[&[u8]], from: &End) -> Vec<Heard> {
    let (mut conversation, mut heard) = ((PROTOCOL.start)(Over::Udp), Vec::new());
    for bytes in messages {
        let said = Said { bytes, missing: 0, at: At::default(), from, to: &End::default(), by_server: false };
        conversation.hear(&said, &mut |one| heard.push(one));
    }
    heard
}

#[test]
fn an_acknowledgement_shows_server_and_address_and_its_name_is_belief() {
    let server = End { ip: Some([10, 0, 0, 1].into()), port: Some(67), ..End::default() };
    let mut ack = message(REPLY, b"\x35\x01\x05\x36\x04\x0a\x00\x00\x01\x0c\x03plc\xff");
    ack[16..20].copy_from_slice(&[10, 0, 0, 7]);
    let heard = hear(&[&ack, &ack], &server);
    let present: Vec<_> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Present { role, speaker, .. } => Some((*role, speaker.ip, speaker.mac)),
            _ => None,
        })
        .collect();
    assert_eq!(present, [(Role::Server, server.ip, None), (Role::Client, Some([10, 0, 0, 7].into()), Some(Mac(CHADDR)))]);
    let beliefs: Vec<_> = heard.iter().filter(|heard| matches!(heard, Heard::Reading(r) if r.authority == Authority::Belief)).collect();
    assert_eq!((beliefs.len(), heard.len()), (1, 3), "the second time says nothing new");
    // An offer is none, and a relay is not the server.
    let mut offer = message(REPLY, b"\x35\x01\x02\x36\x04\x0a\x00\x00\x09\xff");
    offer[16..20].copy_from_slice(&[10, 0, 0, 7]);
    assert!(
        matches!(hear(&[&offer], &server).as_slice(), [Heard::Present { role: Role::Server, speaker, .. }] if speaker.ip == Some([10, 0, 0, 9].into()))
    );
}

#[test]
fn who_renews_says_his_address() {
    let client = End { mac: Some(Mac(CHADDR)), ip: Some([10, 0, 0, 7].into()), port: Some(68) };
    let heard = hear(&[&message(REQUEST, b"\x0c\x01a\xff")], &client);
    assert!(
        matches!(&heard[..], [Heard::Present { role: Role::Client, speaker, .. }, _] if speaker.ip == client.ip && speaker.port.is_none())
    );
    assert!(matches!(&hear(&[&[1, 1, 6]], &client)[..], [Heard::Malformed { .. }]));
}

#[test]
fn the_cookie_makes_it_certain() {
    let bytes = message(REQUEST, b"\xff");
    assert_eq!(likeness(&bytes, Over::Udp), Likeness::Certain);
    assert_eq!(likeness(&bytes[..238], Over::Udp), Likeness::Possible);
    assert_eq!(likeness(b"\x03\x01\x06", Over::Udp), Likeness::No);
    assert_eq!(likeness(b"\x01\x01\x11", Over::Udp), Likeness::No);
}
