use super::*;
use crate::shorter;

/// A name in letters: 15 characters and what it names.
fn encoded(name: &str, kind: u8) -> Vec<u8> {
    let mut bytes = vec![32];
    let padded = format!("{name:15}");
    bytes.extend(padded.bytes().chain([kind]).flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]));
    bytes.push(0);
    bytes
}

/// A browser's message as [MS-CIFS] 2.2.4.33.1 carries it.
fn datagram(message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x11, 2, 0, 1, 10, 0, 0, 1, 0, 138, 0, 0, 0, 0];
    bytes.extend([encoded("HMI", 0x20), encoded("WORKGROUP", 0x1d)].concat());
    let mut smb = b"\xffSMB\x25".to_vec();
    smb.resize(SMB_HEADER_BYTES, 0);
    smb.push(17);
    smb.extend([0; 24]);
    smb.extend([86, 0, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
    smb.extend(b"\\MAILSLOT\\BROWSE\0");
    assert_eq!(smb.len(), 86, "the data's offset");
    bytes.extend(smb);
    bytes.extend(message);
    bytes
}

#[test]
fn a_host_announces_its_name_and_version() {
    let mut announcement = vec![HOST_ANNOUNCEMENT, 0, 0x80, 0xfc, 10, 0];
    announcement.extend(b"HMI\0junk\0\0\0\0\0\0\0\0");
    announcement.extend([5, 1, 3, 0x90, 0x80, 0, 15, 1, 0x55, 0xaa]);
    announcement.extend(b"Line 4\0");
    let expected = [
        ("netbios-browser.host", "HMI"),
        ("netbios-browser.os_version", "\\x05\\x01"),
        ("netbios-browser.server_type", "\\x03\\x90\\x80\\x00"),
        ("netbios-browser.comment", "Line 4"),
    ];
    shorter::check(&BROWSER, Over::Udp, &[&datagram(&announcement)], &expected);
    announcement[0] = 0x0c;
    shorter::check(&BROWSER, Over::Udp, &[&datagram(&announcement)], &[]);
    let election = [&[ELECTION, 1, 3, 15, 1, 32, 1, 2, 3, 4, 0, 0, 0, 0][..], b"HMI\0"].concat();
    shorter::check(&BROWSER, Over::Udp, &[&datagram(&election)], &[("netbios-browser.host", "HMI")]);
}

/// A registration of a name by RFC 1002, 4.2.2.
fn registration(kind: u8, flags: u8) -> Vec<u8> {
    let tail = [0xc0, 12, 0, 0x20, 0, 1, 0, 0, 0, 0, 0, 6, flags, 0, 10, 0, 0, 1];
    [&[0, 1, 0x29, 0x10, 0, 1, 0, 0, 0, 0, 0, 1][..], &encoded("HMI", kind), &[0, 0x20, 0, 1], &tail].concat()
}

#[test]
fn a_name_is_its_hosts_and_no_groups() {
    let hmi = "EIENEJCACACACACACACACACACACACA";
    shorter::check(&NAMES, Over::Udp, &[&registration(0x20, 0)], &[("netbios-ns.host", hmi)]);
    shorter::check(&NAMES, Over::Udp, &[&registration(0x00, 0x80)], &[]);
    shorter::check(&NAMES, Over::Udp, &[&registration(0x1d, 0)], &[]);
    let head = [&[0, 1, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], &encoded("*", 0), &[0, 0x21, 0, 1, 0, 0, 0, 0, 0, 47]].concat();
    let names = [&head[..], &[2], b"HMI            \0\x04\0", b"PLANT          \0\x84\0", b"\x00\x80\xf4\x01\x02\x03"].concat();
    let expected = [
        ("netbios-ns.host", "HMI            "),
        ("netbios-ns.group", "PLANT          "),
        ("netbios-ns.unit", "\\x00\\x80\\xf4\\x01\\x02\\x03"),
    ];
    shorter::check(&NAMES, Over::Udp, &[&names], &expected);
}

#[test]
fn other_datagrams_are_no_netbios() {
    for (protocol, bytes, expected) in [
        (&BROWSER, &datagram(b"")[..], Likeness::Possible),
        (&BROWSER, b"\x30\x26\x02\x01\x01\x04\x06public", Likeness::No),
        (&NAMES, &registration(0x20, 0), Likeness::Possible),
        (&NAMES, b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www", Likeness::No),
    ] {
        assert_eq!((protocol.likeness)(bytes, Over::Udp), expected, "{bytes:02x?}");
    }
}
