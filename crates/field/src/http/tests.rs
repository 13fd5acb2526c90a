use nameplate_wire::conversation::Over;

use super::*;
use crate::ask::{Ask, Via, plan};
use crate::dialogue::script::Do::{Close, Hear, Say, Wait};
use crate::dialogue::script::{Do, hex, story};

fn asked(paths: &[&str]) -> Questions {
    Questions { host: "192.0.2.7".to_owned(), paths: paths.iter().map(|path| (*path).to_owned()).collect(), sealed: false }
}

fn say(text: impl AsRef<[u8]>) -> Do {
    Say(hex(text.as_ref()))
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: 192.0.2.7\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n";
const PAGE: &str = "<html><head><title>Feeder 4</title></head>";
const READ: &str = "read http.answer whole: http.server=Embed/2.1 http.product=Embed/2.1 http.title=Feeder 4";

/// One connection; the lines behind the question.
#[track_caller]
fn check(script: Vec<Do>, expected: &[&str]) {
    let script: Vec<Do> = std::iter::once(Hear(hex(GET))).chain(script).collect();
    let (lines, _) = story(&asked(&["/"]), Over::Tcp, &script);
    assert_eq!(lines.first().map(String::as_str), Some("asked http.get"));
    assert_eq!(&lines[1..], expected);
}

fn head(fields: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nServer: Embed/2.1\r\nContent-Type: text/html\r\n{fields}\r\n")
}

fn sized() -> String {
    format!("{}{PAGE}", head(&format!("Content-Length: {}\r\n", PAGE.len())))
}

#[test]
fn a_page_is_read_however_it_ends() {
    check(vec![say(sized())], &[READ, "answered"]);
    check(vec![say(sized()), Close], &[READ, "answered"]);
    check(vec![say(head("")), Wait(900), say(PAGE), Close], &[READ, "answered"]);
    let chunked = format!("{}2a\r\n{PAGE}\r\n0\r\n\r\n", head("Transfer-Encoding: chunked\r\n"));
    check(vec![say(&chunked)], &[READ, "answered"]);
    check(chunked.bytes().map(|byte| say([byte])).collect(), &[READ, "answered"]);
    let bare = "read http.answer whole: http.server=Embed/2.1 http.product=Embed/2.1";
    check(vec![say("HTTP/1.1 404 No\r\nServer: Embed/2.1\r\nContent-Length: 0\r\n\r\n")], &[bare, "answered"]);
    // What stands behind the answer is nobody's.
    check(vec![say([sized(), sized()].concat())], &[READ, "answered"]);
}

#[test]
fn what_is_not_read_is_said() {
    let gzip = "stray: http: byte 79: its page is compressed, although that was not asked for: left unread";
    let server = "read http.answer whole: http.server=Embed/2.1 http.product=Embed/2.1";
    check(vec![say(head("Content-Encoding: gzip\r\nContent-Length: 9\r\n")), Wait(1)], &[server, gzip, "answered"]);
    let elsewhere = "stray: http: byte 49: it sends whoever asks elsewhere, which is not followed; ask that address, or --via https";
    let moved = "HTTP/1.1 302 Found\r\nServer: Embed/2.1\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n";
    check(vec![say(moved)], &[server, elsewhere, "answered"]);
    let long = format!("{}{}", head("Content-Length: 99999999999\r\n"), " ".repeat(ANSWER_BYTES_MAX));
    check(vec![say(long)], &[server, "stray: http: byte 65536: a longer page than is read: the rest is left", "answered"]);
}

#[test]
fn what_has_no_end_is_hostile() {
    let no_answer = "hostile: what it sends is no answer of HTTP/1, or has a head without an end";
    for text in ["SSH-2.0-x\r\n".to_owned(), "<html>".to_owned(), format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(4_000))] {
        let script = [Hear(hex(GET)), say(&text)];
        let (lines, _) = story(&asked(&["/"]), Over::Tcp, &script);
        assert_eq!(lines.last().map(String::as_str), Some(no_answer), "{text:.40}");
    }
    let endless = "hostile: its answer is longer than is read, and says no length: it may have no end";
    for fields in ["", "Transfer-Encoding: chunked\r\n"] {
        let body = if fields.is_empty() { " ".repeat(ANSWER_BYTES_MAX) } else { "5\r\n     \r\n".repeat(ANSWER_BYTES_MAX / 8) };
        let script = [Hear(hex(GET)), say(format!("{}{body}", head(fields)))];
        let (lines, _) = story(&asked(&["/"]), Over::Tcp, &script);
        assert_eq!(lines.last().map(String::as_str), Some(endless), "{fields}");
    }
    // A chunk that lies about its length, and silence.
    let lies = format!("{}ffffffffffff\r\n{PAGE}", head("Transfer-Encoding: chunked\r\n"));
    check(vec![say(&lies)], &[READ, "no whole answer within the time-out (0 bytes of one)"]);
    check(vec![say(&lies), Close], &[READ, "the device closed the connection (0 bytes of an answer)"]);
}

#[test]
fn a_cut_answer_says_nothing_else_than_the_whole() {
    let whole = sized();
    for cut in 0..whole.len() {
        let (lines, _) = story(&asked(&["/"]), Over::Tcp, &[Hear(hex(GET)), say(&whole[..cut]), Close]);
        assert_eq!(lines.last().map(String::as_str), Some("the device closed the connection (0 bytes of an answer)"), "{cut}");
        let facts = lines.iter().filter_map(|line| line.strip_prefix("read http.answer ")).flat_map(|line| line.split(" http.").skip(1));
        assert!(facts.clone().all(|fact| ["server=Embed/2.1", "product=Embed/2.1", "title=Feeder 4"].contains(&fact)), "{cut}: {lines:?}");
    }
}

/// What the second connection is granted, as the paths of its plan say it.
fn onward(code: &str) -> (bool, usize) {
    let mut pages = asked(&["/", "/id.htm"]).dialogue();
    assert!(matches!(pages.next(), Next::Put(_)));
    assert_eq!(pages.take(format!("HTTP/1.1 {code} X\r\nContent-Length: 0\r\n\r\n").as_bytes()), Take::Answer);
    assert_eq!(pages.next(), Next::Done);
    let unasked = pages.unasked().len();
    let more = pages.onward().is_some_and(|grant| grant.is_ok());
    assert_eq!(matches!(pages.next(), Next::Put(_)), more);
    (more, unasked)
}

#[test]
fn a_second_page_is_asked_unless_a_password_is_wanted() {
    assert_eq!(onward("200"), (true, 0));
    assert_eq!(onward("404"), (true, 0));
    assert_eq!(onward("401"), (false, 1));
}

#[test]
fn what_is_planned_passes_the_guard() {
    let ask = |paths: &[&str]| Ask { endpoint: "192.0.2.7:80".parse().expect("an endpoint"), via: Via::Http(asked(paths)) };
    let planned = plan(&[ask(&["/", "/id.htm"])]).expect("the guard lets it pass");
    let lines: Vec<String> = planned.iter().map(|one| String::from_utf8_lossy(&one.message.bytes[..14]).into_owned()).collect();
    assert_eq!(lines, ["GET / HTTP/1.1", "GET /id.htm HT"]);
    assert!(planned.iter().all(|one| one.meaning.len() == one.message.bytes.len()));
    for (paths, rule) in [(&[][..], "ask.questions"), (&["/a", "/b", "/c"], "permit.requests"), (&["/a?b"], "permit.path")] {
        assert_eq!(plan(&[ask(paths)]).expect_err("refused").rule, rule);
    }
}
