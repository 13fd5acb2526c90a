use super::*;
use crate::shorter;

fn check(messages: &[&[u8]], expected: &[(&str, &str)]) {
    shorter::check(&PROTOCOL, Over::Tcp, messages, expected);
}

#[test]
fn a_greeting_is_told_line_by_line() {
    let moxa = b"\xff\xfb\x01\xff\xfb\x03Model name       : NPort IA-5250\r\0\nFirmware version : 1.6 Build 17060616\r\0\n\
        Please keyin your username:";
    check(
        &[moxa],
        &[
            ("telnet.line.1", "Model name       : NPort IA-5250"),
            ("telnet.line.2", "Firmware version : 1.6 Build 17060616"),
            ("telnet.prompt", "Please keyin your username"),
        ],
    );
    check(&[b"\xff\xfd\x18EDR-G903 ", b"login: admin\r\nLast password change 1.1."], &[("telnet.prompt", "EDR-G903 login:")]);
    check(&[b"VxWorks 5.4\r\nnot ended"], &[("telnet.line.1", "VxWorks 5.4")]);
    // A command in the middle of a line: nobody can quote the line.
    check(&[b"VxW\xff\xfb\x01orks\r\nok\r\n"], &[("telnet.line.1", "ok")]);
    check(&[b"\xff\xfa\x18\x01\xff\xf0ok\r\n"], &[("telnet.line.1", "ok")]);
}

#[test]
fn what_a_user_types_is_not_kept() {
    let (mut connection, mut heard) = (Connection::default(), Vec::new());
    let end = crate::conversation::End::default();
    for (bytes, by_server) in [(&b"ok\r\n> "[..], true), (b"\xff\xfd\x01", false), (b"secret\r\n", false), (b"secret\r\n", true)] {
        let said = Said { bytes, missing: 0, at: At::default(), from: &end, to: &end, by_server };
        connection.hear(&said, &mut |one| heard.push(one));
    }
    connection.finish(At::default(), &mut |one| heard.push(one));
    assert!(
        matches!(&heard[..], [Heard::Present { .. }, Heard::Reading(reading)] if reading.messages[0].bytes == b"ok\r\n> "),
        "{heard:?}"
    );
    let long = vec![b'x'; 3 * GREETING_BYTES_MAX];
    assert_eq!(shorter::facts(&PROTOCOL.replay(Over::Tcp, [], [&long[..]])), []);
}

#[test]
fn negotiation_makes_it_certain() {
    for (bytes, expected) in [
        (&b"\xff\xfb\x01\xff\xfd\x03"[..], Likeness::Certain),
        (b"\xff\xfb\x01\xff\xfd\xf3", Likeness::Possible),
        (b"\xff\xfb\x01", Likeness::Possible),
        (b"\xff\xff\xff\xff\xff\xff", Likeness::No),
        (b"\xffSMB", Likeness::No),
        (b"login: ", Likeness::Possible),
        (b"SSH-2.0-x\r\n", Likeness::No),
        (b"HTTP/1.1 200 OK\r\n", Likeness::No),
        (b"\x00\x01\x00\x00\x00\x06", Likeness::No),
    ] {
        assert_eq!(likeness(bytes, Over::Tcp), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn every_option_is_refused_and_nothing_else_answered() {
    // RFC 855: WILL ECHO, DO TERMINAL-TYPE, WONT, DONT, a subnegotiation with an escaped 255 in it, NOP, an escaped 255.
    let heard = b"\xff\xfb\x01a\xff\xfd\x18\xff\xfc\x03\xff\xfe\x03\xff\xfa\x18\xff\xff\xfd\xff\xf0\xff\xf1\xff\xff";
    assert_eq!(refusals(heard), [[0xff, 0xfe, 1], [0xff, 0xfc, 0x18]]);
    assert!(has_text(heard));
    assert!(!has_text(b"\xff\xfd\x41\r\n"), "an option is no text");
}

#[test]
fn a_command_that_goes_on_is_waited_for() {
    for (bytes, expected) in [
        (&b"ab"[..], 2),
        (b"ab\xff", 2),
        (b"ab\xff\xfd", 2),
        (b"ab\xff\xfd\x01", 5),
        (b"ab\xff\xfd\x01\xff", 5),
        (b"\xff\xfa\x18\x01", 0),
        (b"\xff\xfa\x18\x01\xff\xf0", 6),
        (b"\xff\xf1", 2),
        (b"", 0),
    ] {
        assert_eq!(whole(bytes), expected, "{}", bytes.escape_ascii());
    }
}
