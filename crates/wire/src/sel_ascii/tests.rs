//! Lines of relays: sandialabs/PEAT docs/sel.rst (SEL-700G), a public test of a SEL tool (SEL-751). Their check digits are theirs.

use super::*;
use crate::shorter;

const SEL_700G: &[u8] = b"\x02\r\n\"FID=SEL-700G-R200-V0-Z006003-D20180629\",\"08F0\"\r\n\
    \"BFID=BOOTLDR-R501-V0-Z000000-D20140224\",\"0947\"\r\n\"CID=59A0\",\"025C\"\r\n\"DEVID=SEL-700G\",\"0408\"\r\n\
    \"DEVCODE=74\",\"0312\"\r\n\"PARTNO=0700G12B1B1B7281A230\",\"06C2\"\r\n\"CONFIG=112222010\",\"041E\"\r\n\
    \"SEL DISPLAY PACKAGE=1.0.50700.2000\",\"087C\"\r\n\"iedName=\",\"0360\"\r\n\x03\r\n=";
const TOLD: [(&str, &str); 8] = [
    ("sel-ascii.fid", "SEL-700G-R200-V0-Z006003-D20180629"),
    ("sel-ascii.bfid", "BOOTLDR-R501-V0-Z000000-D20140224"),
    ("sel-ascii.cid", "59A0"),
    ("sel-ascii.devid", "SEL-700G"),
    ("sel-ascii.devcode", "74"),
    ("sel-ascii.partno", "0700G12B1B1B7281A230"),
    ("sel-ascii.config", "112222010"),
    ("sel-ascii.sel_display_package", "1.0.50700.2000"),
];
const SEL_751: &[u8] = b"\"FID=SEL-751-R401-V0-Z101100-D20240308\",\"08A3\"\n\"CID=1D4A\",\"0267\"\n\"DEVID=SEL-751\",\"03C7\"\n=>";

fn check(messages: &[&[u8]], expected: &[(&str, &str)]) {
    shorter::check(&PROTOCOL, Over::Tcp, messages, expected);
}

#[test]
fn an_answer_to_id_is_told_line_by_line_and_the_same_by_telnets_decoder() {
    check(&[SEL_700G], &TOLD);
    check(&[SEL_751], &[("sel-ascii.fid", "SEL-751-R401-V0-Z101100-D20240308"), ("sel-ascii.cid", "1D4A"), ("sel-ascii.devid", "SEL-751")]);
    let asked = [&b"\r"[..]];
    let readings = crate::telnet::PROTOCOL.replay(Over::Tcp, asked, [&b"\r\n="[..], b"ID\r\n", SEL_700G]);
    let told: Vec<(String, String)> = shorter::facts(&readings).into_iter().filter(|(path, _)| path.starts_with("sel-ascii.")).collect();
    assert_eq!(told, TOLD.map(|(path, value)| (path.to_owned(), value.to_owned())));
}

#[test]
fn it_may_come_in_parts_with_echo_and_with_telnets_commands() {
    let bytes: Vec<&[u8]> = SEL_700G.chunks(1).collect();
    let readings = PROTOCOL.replay(Over::Serial, [], bytes);
    assert_eq!(shorter::facts(&readings).len(), TOLD.len());
    assert!(readings.len() == 1 && readings[0].complete, "{readings:?}");
    let mixed = [b"\xff\xfb\x01\r\n=ID\r\n\xff\xfd\x03", SEL_751].concat();
    assert_eq!(shorter::facts(&PROTOCOL.replay(Over::Tcp, [], [&mixed[..]])).len(), 3);
}

#[test]
fn what_stands_before_the_first_line_is_not_kept() {
    let said = [b"Password: ? SECRET\r\n", SEL_751].concat();
    let readings = PROTOCOL.replay(Over::Tcp, [&b"SECRET\r"[..]], [&said[..]]);
    assert_eq!(readings[0].messages[0].bytes, SEL_751);
}

#[test]
fn a_line_with_wrong_check_digits_gives_nothing() {
    let changed = |from: u8, to: u8| SEL_751.iter().map(|byte| if *byte == from { to } else { *byte }).collect::<Vec<u8>>();
    // R401 becomes R501, and so does every other 4.
    let readings = PROTOCOL.replay(Over::Tcp, [], [&changed(b'4', b'5')[..]]);
    assert!(!readings[0].facts.iter().any(|fact| fact.path == "sel-ascii.fid"), "{readings:?}");
    assert!(!readings[0].malformed.is_empty() && !readings[0].complete);
    for (line, malformed) in [
        (&b"\"FID=X\",\"0000\"\r\n="[..], 1),
        (b"\"FID=\",\"0\"\r\n=", 0),
        (b"\"MONTH\",\"DAY\",\"0ACA\"\r\n=", 0),
        (b"FID=SEL-751-R401-V0-Z101100-D20240308\r\n=", 0),
        (b"\",\"0000\"\r\n=", 0),
        (b"\"=\",\"0000\"\r\n=", 0),
    ] {
        let readings = PROTOCOL.replay(Over::Tcp, [], [line]);
        assert_eq!(shorter::facts(&readings), [], "{}", line.escape_ascii());
        assert_eq!(readings.iter().map(|reading| reading.malformed.len()).sum::<usize>(), malformed, "{}", line.escape_ascii());
    }
    let twice = [&SEL_751[..SEL_751.len() - 2], SEL_751].concat();
    let readings = PROTOCOL.replay(Over::Tcp, [], [&twice[..]]);
    assert_eq!((readings[0].facts.len(), readings[0].malformed.len(), readings[0].complete), (3, 3, false));
}

/// SEL-551 instruction manual (date code 20110408), p. 5.19, behind an echo; how many blanks stand between is ours.
const STATUS: &[u8] =
    b"STA\r\nFEEDER 1          Date: 03/05/96    Time: 14:17:01.359\r\nSTATION A\r\n\r\nFID=SEL-551-R100-Vr-D960226     CID=00FF\r\n\r\n\
    SELF TESTS\r\nW=Warn  F=Fail\r\n     IA    IB    IC    IN    MOF\r\nOS   3     5     3     3     0\r\n\
    PS   5.03  5.03 -5.03 10.35 -10.20 2.82\r\n\r\nRelay Enabled\r\n\r\n=>";

#[test]
fn a_status_report_is_told_by_its_labels() {
    check(&[STATUS], &[("sel-ascii.fid", "SEL-551-R100-Vr-D960226"), ("sel-ascii.cid", "00FF")]);
    let readings = PROTOCOL.replay(Over::Tcp, [], [STATUS]);
    let [reading] = readings.as_slice() else { panic!("one answer: {readings:?}") };
    assert!(reading.complete && reading.question == Question::Status.name(), "{reading:?}");
    assert!(reading.messages[0].bytes.starts_with(b"FID="), "nothing before the first label is kept");
    // Where lines with check digits stand, they count, and nothing else does.
    let mixed = [&SEL_751[..SEL_751.len() - 2], STATUS].concat();
    assert_eq!(shorter::facts(&PROTOCOL.replay(Over::Tcp, [], [&mixed[..]])).len(), 3);
    assert!(tells_serial(b"\"SERIALNO=12\",\"036D\"\r\n=>") != tells_serial(SEL_751));
}

#[test]
fn a_prompt_is_told_by_its_last_line() {
    for (said, expected) in [
        (&b"\r\n="[..], Some(Prompt::Nobody)),
        (b"=", Some(Prompt::Nobody)),
        (b"\x03\r\n=> ", Some(Prompt::Reader)),
        (b"\r\n=\xff\xfb\x01>", Some(Prompt::Reader)),
        (b"\r\n==>", Some(Prompt::Operator)),
        (b"\r\n=>>", Some(Prompt::Operator)),
        (b"\r\n==>>", Some(Prompt::Operator)),
        (b"\r\nPassword: ? ", Some(Prompt::Password)),
        (b"\r\n==", None),
        (b"=\r\n", None),
        (b"login:", None),
        (b"", None),
        (b"\r\nx=", None),
    ] {
        assert_eq!(prompt(said), expected, "{}", said.escape_ascii());
    }
    assert!(asks_for_level(b"\r\nInvalid Access Level\r\n=") && !asks_for_level(b"\r\nInvalid Command\r\n="));
}

#[test]
fn only_a_version_with_check_digits_makes_it_certain() {
    for (bytes, expected) in [
        (SEL_751, Likeness::Certain),
        (&SEL_751[..20], Likeness::Possible),
        (b"\"FID=X\",\"0000\"\r\n", Likeness::Possible),
        (b"login: ", Likeness::Possible),
        (b"\x00\x01", Likeness::No),
        (b"", Likeness::No),
    ] {
        assert_eq!(likeness(bytes, Over::Tcp), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_flood_is_not_kept() {
    let flood = vec![b'x'; 5 * ANSWER_BYTES_MAX];
    assert_eq!(PROTOCOL.replay(Over::Tcp, [], [&flood[..]]), []);
    assert_eq!(Question::Login.encode(b"SECRET"), b"ACC\r");
    assert_eq!(Question::Password.encode(b"SECRET"), b"SECRET\r");
}
