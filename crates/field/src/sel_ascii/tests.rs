//! The relay's lines are those of sandialabs/PEAT docs/sel.rst (SEL-700G); its other words are those of the SEL-311L manual.

use nameplate_wire::conversation::Over::{self, Serial, Tcp};

use super::*;
use crate::ask::{Ask, Via, plan};
use crate::dialogue::story::Do::{self, Close, Drip, Hear, Say};
use crate::dialogue::story::story;
use crate::guard::Endpoint;

const ANSWER: &str = "\x02\r\n\"FID=SEL-700G-R200-V0-Z006003-D20180629\",\"08F0\"\r\n\"CID=59A0\",\"025C\"\r\n\x03\r\n=";
const READ: &str = "read sel-ascii.id whole: sel-ascii.fid=SEL-700G-R200-V0-Z006003-D20180629 sel-ascii.cid=59A0";
const LEVEL: &str = "ID\r\nInvalid Access Level\r\n=";
/// SEL-551 instruction manual (date code 20110408), p. 5.19, with the label of SEL-751's table 7.45.
const STATUS: &str =
    "STA\r\nFEEDER 1\r\nSerial Num = 1112223334\r\nFID=SEL-551-R100-Vr-D960226 CID=00FF\r\nSELF TESTS\r\nRelay Enabled\r\n=>";
const STATUS_READ: &str =
    "read sel-ascii.status whole: sel-ascii.serialno=1112223334 sel-ascii.fid=SEL-551-R100-Vr-D960226 sel-ascii.cid=00FF";
const PASSWORD: &str = "s3cret";

fn hex(text: &str) -> &'static str {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().leak()
}

fn hear(text: &str) -> Do {
    Hear(hex(text))
}

fn say(text: &str) -> Do {
    Say(hex(text))
}

fn told(password: Option<&str>, over: Over, script: &[Do], expected: &[&str]) {
    let asked = Questions { password: password.map(Secret::new) };
    assert_eq!(story(&asked, over, script).0, expected);
}

#[test]
fn at_nobodys_prompt_id_is_asked() {
    let asked = ["asked sel-ascii.prompt 1", "asked sel-ascii.id 3", READ, "answered"];
    for over in [Tcp, Serial] {
        told(None, over, &[hear("\r"), say("\r\n="), hear("ID\r"), say(ANSWER)], &asked);
        // With an echo, and in parts.
        told(None, over, &[hear("\r"), say("\r\r\n"), say("="), hear("ID\r"), say("ID\r\n"), Drip(9, hex(ANSWER))], &asked);
        // With a password at hand, but no need of it.
        told(Some(PASSWORD), over, &[hear("\r"), say("\r\n="), hear("ID\r"), say(ANSWER)], &asked);
    }
    let negotiates = Say("fffb01 fffd03 0d0a3d");
    told(None, Tcp, &[hear("\r"), negotiates, hear("ID\r"), say(ANSWER)], &asked);
}

#[test]
fn at_another_persons_prompt_nothing_more_is_sent() {
    for prompt in ["\r\n=>", "\r\n==>", "\r\n=>>", "\r\n==>>"] {
        told(Some(PASSWORD), Tcp, &[hear("\r"), say(prompt)], &["asked sel-ascii.prompt 1", ANOTHERS]);
        // Byte by byte the first of them could be nobody's.
        told(Some(PASSWORD), Serial, &[hear("\r"), Drip(300, hex(prompt))], &["asked sel-ascii.prompt 1", ANOTHERS]);
    }
    let wanted = "it asks for something else than a command";
    told(Some(PASSWORD), Tcp, &[hear("\r"), say("\r\nPassword: ? ")], &["asked sel-ascii.prompt 1", wanted]);
    // Somebody logs in while we ask.
    let meanwhile = [hear("\r"), say("\r\n="), hear("ID\r"), say("\r\n=>")];
    told(Some(PASSWORD), Tcp, &meanwhile, &["asked sel-ascii.prompt 1", "asked sel-ascii.id 3", ANOTHERS]);
}

#[test]
fn where_id_needs_level_1_the_password_is_tried_once() {
    let asked = ["asked sel-ascii.prompt 1", "asked sel-ascii.id 3", "asked sel-ascii.login 4", "asked sel-ascii.password 7"];
    let script = |more: Vec<Do>| {
        let first = [hear("\r"), say("\r\n="), hear("ID\r"), say(LEVEL), hear("ACC\r"), say("ACC\r\nPassword: ? "), hear("s3cret\r")];
        first.into_iter().chain(more).collect::<Vec<_>>()
    };
    let inside = ANSWER.replace("\r\n=", "\r\n=>");
    let with_status = ["asked sel-ascii.id 3", READ, "asked sel-ascii.status 4", STATUS_READ, "asked sel-ascii.quit 4", "answered"];
    let status = |before: Vec<Do>| before.into_iter().chain([hear("STA\r"), say(STATUS), hear("QUI\r"), say("\r\n=")]).collect::<Vec<_>>();
    let taken = script(status(vec![say("\r\nLevel 1\r\n=>"), hear("ID\r"), say(&inside)]));
    told(Some(PASSWORD), Tcp, &taken, &[&asked[..], &with_status].concat());
    // Where ID tells the serial number, nothing more is asked.
    let serial = inside.replace("\x03", "\"SERIALNO=1112223334\",\"0500\"\r\n\x03");
    let told_all = script(vec![say("\r\nLevel 1\r\n=>"), hear("ID\r"), say(&serial), hear("QUI\r"), say("\r\n=")]);
    let read = format!("{READ} sel-ascii.serialno=1112223334");
    told(Some(PASSWORD), Tcp, &told_all, &[&asked[..], &["asked sel-ascii.id 3", &read, "asked sel-ascii.quit 4", "answered"]].concat());
    for refusal in ["\r\nInvalid Password\r\nPassword: ? ", "\r\nAccess Denied\r\n=", "\r\n==>"] {
        let why = if refusal.ends_with("==>") { ANOTHERS } else { NOT_TAKEN };
        told(Some(PASSWORD), Tcp, &script(vec![say(refusal)]), &[&asked[..], &[why]].concat());
    }
    let closed = "the device closed the connection (0 bytes of an answer)";
    told(Some(PASSWORD), Tcp, &script(vec![Close]), &[&asked[..], &[closed]].concat());
    let silent = "no whole answer within the time-out (0 bytes of one)";
    told(Some(PASSWORD), Tcp, &script(vec![]), &[&asked[..], &[silent]].concat());
    // Without a password a relay may let in whoever asks.
    let open = [hear("\r"), say("="), hear("ID\r"), say(LEVEL), hear("ACC\r"), say("\r\n=>"), hear("ID\r"), say(&inside)];
    told(Some(PASSWORD), Tcp, &status(open.into()), &[&asked[..3], &with_status].concat());
    let (lines, _) = story(&Questions::default(), Tcp, &[hear("\r"), say("="), hear("ID\r"), say(LEVEL)]);
    assert!(lines.last().is_some_and(|end| end.contains("--sel-login")), "{lines:?}");
}

#[test]
fn an_echo_is_no_answer_and_a_flood_is_hostile() {
    told(None, Tcp, &[hear("\r"), say("\r\n")], &["asked sel-ascii.prompt 1", "no whole answer within the time-out (0 bytes of one)"]);
    let flood = hex(&"x".repeat(ANSWER_BYTES_MAX + 1));
    let (lines, _) = story(&Questions::default(), Tcp, &[hear("\r"), Say(flood)]);
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it sends more than any answer to ID has"));
}

#[test]
fn a_device_may_close_anywhere() {
    for cut in 0..ANSWER.len() - 1 {
        let (lines, _) = story(&Questions::default(), Tcp, &[hear("\r"), say("\r\n="), hear("ID\r"), say(&ANSWER[..cut]), Close]);
        assert!(lines.last().is_some_and(|end| end.starts_with("the device closed")), "{cut}: {lines:?}");
        let other = lines.iter().any(|line| line.contains("sel-ascii.fid=") && !line.contains("R200-V0-Z006003-D20180629"));
        assert!(!other, "{cut}: {lines:?}");
    }
}

#[test]
fn what_is_planned_passes_the_guard_and_shows_no_password() {
    for endpoint in ["192.0.2.7:23", "serial:/dev/ttyS9@9600-8N1"] {
        let endpoint: Endpoint = endpoint.parse().expect("an endpoint");
        let via = Via::SelAscii(Questions { password: Some(Secret::new(PASSWORD)) });
        let planned = plan(&[Ask { endpoint, via }]).expect("the guard lets it pass");
        let lines: Vec<&[u8]> = planned.iter().map(|one| one.message.bytes.as_slice()).collect();
        assert_eq!(lines, [&b"\r"[..], b"ID\r", b"ACC\r", b"******\r", b"ID\r", b"STA\r", b"QUI\r"]);
        assert!(!format!("{planned:?}").contains(PASSWORD));
    }
}
