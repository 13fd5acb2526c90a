use std::time::Duration;

use nameplate_wire::conversation::Over;

use super::*;
use crate::ask::{Ask, Via, plan};
use crate::dialogue::script::Do::{Close, Hear, Say, Wait};
use crate::dialogue::script::{Do, hex, story};
use crate::guard::REFUSALS_MAX;

fn say(text: &[u8]) -> Do {
    Say(hex(text))
}

fn hear(text: &[u8]) -> Do {
    Hear(hex(text))
}

#[track_caller]
fn check(server: Greeting, script: &[Do], expected: &[&str]) -> Duration {
    let (lines, took) = story(&Questions(server), Over::Tcp, script);
    assert_eq!(lines, expected, "{server:?}");
    took
}

const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";
const SSH_READ: &str = "read ssh.server whole: ssh.banner=SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3 ssh.protocol=2.0 ssh.software=OpenSSH_9.2p1 \
    ssh.comments=Debian-2+deb12u3";
const FTP: &[u8] = b"220 NanoDAC FTP server (VxWorks VxWorks 6.6) ready.\r\n";
const FTP_READ: &str = "read ftp.greeting whole: ftp.banner=NanoDAC FTP server (VxWorks VxWorks 6.6) ready.";
const CLOSED: &str = "the device closed the connection (0 bytes of an answer)";
const SILENT: &str = "no whole answer within the time-out (0 bytes of one)";

#[test]
fn ssh_is_read_without_a_byte() {
    check(Greeting::Ssh, &[say(SSH)], &[SSH_READ, "answered"]);
    check(Greeting::Ssh, &[say(b"Authorised use only\r\n"), Wait(900), say(SSH)], &[SSH_READ, "answered"]);
    // What a server adds at once: its key exchange.
    check(Greeting::Ssh, &[say(&[SSH, b"\0\0\x03\x2c\x0a\x14"].concat())], &[SSH_READ, "answered"]);
    check(Greeting::Ssh, &[Close], &[CLOSED]);
    assert_eq!(check(Greeting::Ssh, &[], &[SILENT]), Duration::from_secs(5));
    let endless = "hostile: its bytes are no ssh: ssh: byte 4096: a line ends (RFC 4253, 4.2: 255 bytes) (5000 bytes)";
    check(Greeting::Ssh, &[say(&[b'a'; 5_000])], &[endless]);
    check(Greeting::Ssh, &[say(&b"a\r\n".repeat(2_000))], &["hostile: it says more than any greeting has"]);
}

#[test]
fn ftp_is_told_goodbye_where_it_greeted() {
    let quit = || hear(b"QUIT\r\n");
    check(Greeting::Ftp, &[say(FTP), quit(), say(b"221 Bye\r\n")], &[FTP_READ, "asked ftp.quit", "answered"]);
    let lines = [say(b"220-Welcome\r\n to plant 4\r\n"), Wait(900), say(b"220 ready\r\n"), quit()];
    let read = "read ftp.greeting whole: ftp.banner=Welcome ftp.banner.2=to plant 4 ftp.banner.3=ready";
    check(Greeting::Ftp, &lines, &[read, "asked ftp.quit", "answered"]);
    check(Greeting::Ftp, &[say(b"421 Too many\r\n")], &["it takes nobody now, as it says"]);
    check(Greeting::Ftp, &[say(b"120 In a minute\r\n")], &["it is not ready yet; ask another day"]);
    check(
        Greeting::Ftp,
        &[say(SSH)],
        &["hostile: its bytes are no ftp: ftp: byte 0: a reply begins with three digits (RFC 959, 4.2) (40 bytes)"],
    );
    check(Greeting::Ftp, &[Close], &[CLOSED]);
    check(Greeting::Ftp, &[say(b"220-a\r\n")], &["no whole answer within the time-out (7 bytes of one)"]);
}

#[test]
fn telnet_is_read_up_to_the_question_who_is_there() {
    let asked = "asked telnet.refusal";
    // Echo offered, then terminal type and window size wanted; the device goes on when all is refused.
    let script = [
        say(b"\xff\xfb\x01\xff\xfd\x18"),
        hear(b"\xff\xfe\x01"),
        hear(b"\xff\xfc\x18"),
        say(b"\xff\xfd\x1f"),
        hear(b"\xff\xfc\x1f"),
        // Once more, and what wants nothing: not answered.
        say(b"\xff\xfd\x18\xff\xfc\x03\xff\xfe\x03Model name       : NPort\r\nlogin: "),
    ];
    let read = "read telnet.greeting whole: telnet.line.1=Model name       : NPort telnet.prompt=login:";
    check(Greeting::Telnet, &script, &[asked, asked, asked, read, "answered"]);
}

#[test]
fn telnet_without_a_question_is_read_until_it_is_still() {
    let read = "read telnet.greeting in part: telnet.line.1=MOXA menu";
    let took = check(Greeting::Telnet, &[say(b"MOXA menu\r\n"), Wait(1_500), say(b"> ")], &[read, "answered"]);
    assert_eq!(took, Duration::from_millis(3_500));
    check(Greeting::Telnet, &[say(b"MOXA menu\r\n"), Close], &[read, "answered"]);
    check(Greeting::Telnet, &[say(b"\xff\xfd\x18"), hear(b"\xff\xfc\x18")], &["asked telnet.refusal", SILENT]);
    check(Greeting::Telnet, &[Close], &[CLOSED]);
    check(Greeting::Telnet, &[say(&[b'x'; 5_000])], &["hostile: it says more than any greeting has"]);
    let all: Vec<u8> = (0..100).flat_map(|option| [0xff, 0xfd, option]).collect();
    let refused: Vec<Do> = (0..REFUSALS_MAX).map(|option| hear(&[0xff, 0xfc, option])).collect();
    let script: Vec<Do> = std::iter::once(say(&all)).chain(refused).collect();
    let expected: Vec<&str> = std::iter::repeat_n("asked telnet.refusal", usize::from(REFUSALS_MAX)).chain([SILENT]).collect();
    check(Greeting::Telnet, &script, &expected);
}

#[test]
fn a_cut_greeting_says_nothing_else_than_the_whole() {
    for (server, greeting) in [(Greeting::Ssh, SSH), (Greeting::Ftp, FTP)] {
        for cut in 0..greeting.len() - 2 {
            let (lines, _) = story(&Questions(server), Over::Tcp, &[say(&greeting[..cut]), Close]);
            let partial = format!("the device closed the connection ({cut} bytes of an answer)");
            assert_eq!(lines, [partial], "{server:?} {cut}");
        }
    }
    let whole = b"\xff\xfb\x01\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0NPort\r\nV1.6\r\nlogin: ";
    for cut in 0..whole.len() {
        let (lines, _) = story(&Questions(Greeting::Telnet), Over::Tcp, &[say(&whole[..cut]), Close]);
        let read = lines.iter().filter_map(|line| line.strip_prefix("read ")).flat_map(|line| line.split("telnet.").skip(2));
        let fits = |fact: &str| ["line.1=NPort", "line.2=V1.6", "prompt=login:"].contains(&fact.trim());
        assert!(read.clone().all(fits), "{cut}: {lines:?}");
    }
}

#[test]
fn what_is_planned_is_the_connection() {
    let planned = |server| {
        let ask = Ask { endpoint: "192.0.2.7:22".parse().expect("an endpoint"), via: Via::Greeting(Questions(server)) };
        let planned = plan(&[ask]).expect("the guard lets it pass");
        planned.into_iter().map(|one| (one.message.question, one.message.bytes)).collect::<Vec<_>>()
    };
    assert_eq!(planned(Greeting::Ssh), [("ssh.server", vec![])]);
    assert_eq!(planned(Greeting::Ftp), [("ftp.greeting", vec![]), ("ftp.quit", b"QUIT\r\n".to_vec())]);
    assert_eq!(planned(Greeting::Telnet), [("telnet.greeting", vec![])]);
}
