use super::*;
use crate::shorter;

fn check(messages: &[&[u8]], expected: &[(&str, &str)]) {
    shorter::check(&PROTOCOL, Over::Tcp, messages, expected);
}

const SERVER: (&str, &str) = ("http.server", "Apache/2.2.17 (Ubuntu)");
const PRODUCT: (&str, &str) = ("http.product", "Apache/2.2.17");

#[test]
fn an_answer_tells_server_realm_and_title() {
    check(&[b"HTTP/1.1 200 OK\r\nServer: Apache/2.2.17 (Ubuntu)\r\nContent-Length: 2\r\n\r\nok"], &[SERVER, PRODUCT]);
    let page = b"HTTP/1.0 200 OK\r\nServer: A-B WWW\r\nWWW-Authenticate: Basic realm=\"1766-L32\"\r\nContent-Type: text/html\r\n\r\n\
        <html><title>1766-L32BXB B/11.00</title></html>";
    check(&[page], &[("http.server", "A-B WWW"), ("http.realm", "1766-L32"), ("http.title", "1766-L32BXB B/11.00")]);
    check(
        &[b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n<title>NPort</title\r\n"],
        &[("http.title", "NPort")],
    );
    check(&[b"HTTP/1.0 404 No\r\nContent-Type: text/html\r\n\r\n<title>Not Found</title>"], &[]);
    // The title goes on in the second chunk.
    check(
        &[b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n<title>N\r\n5\r\nPort</title>\r\n"],
        &[],
    );
    check(&[b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n<title>NPort</title>"], &[]);
}

#[test]
fn what_a_page_calls_strong_is_told_before_or_behind_its_title() {
    let page = |texts: &str| [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", texts.as_bytes(), b"<p>and more</p>"].concat();
    let (title, strong) = (("http.title", "Menu"), ("http.strong", "&nbsp;D30 Relay<BR>Revision 6.01"));
    check(&[&page("<title>Menu</title><STRONG>&nbsp;D30 Relay<BR>Revision 6.01</STRONG>")], &[title, strong]);
    check(&[&page("<STRONG>&nbsp;D30 Relay<BR>Revision 6.01</STRONG><title>Menu</title>")], &[title, strong]);
    check(&[&page("<STRONG>&nbsp;D30 Relay<BR>Revision 6.01</STRONG>")], &[strong]);
    check(&[&page("<title>Menu</title><STRONG>D30")], &[title]);
    // A reading is read again from its own message, with the same facts and as whole.
    let read = PROTOCOL.replay(Over::Tcp, [], [&page("<title>Menu</title>")[..]]).remove(0);
    assert!(read.complete);
    assert_eq!(PROTOCOL.replay(Over::Tcp, [], [&read.messages[0].bytes[..]]), [read]);
}

#[test]
fn a_request_tells_its_client() {
    let request = b"GET / HTTP/1.1\r\nHost: plc\r\nUser-Agent: curl/8.1\r\n\r\n";
    check(&[request], &[("http.user_agent", "curl/8.1")]);
    let readings = PROTOCOL.replay(Over::Tcp, [&request[..]], []);
    assert_eq!(readings.iter().map(|reading| reading.authority).collect::<Vec<_>>(), [Authority::Client]);
    let camera = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: Hipcam RealServer/V1.0\r\n\r\n";
    shorter::check(&RTSP_PROTOCOL, Over::Tcp, &[camera], &[("rtsp.server", "Hipcam RealServer/V1.0")]);
}

#[test]
fn bodies_are_passed_over_and_never_held() {
    let mut connection = Connection::new(&HTTP);
    let mut heard = Vec::new();
    let mut hear = |connection: &mut Connection, bytes: &[u8], by_server: bool| {
        let end = crate::conversation::End::default();
        let said = Said { bytes, missing: 0, at: At::default(), from: &end, to: &end, by_server };
        connection.hear(&said, &mut |one| {
            if let Heard::Reading(reading) = one {
                heard.extend(reading.facts.into_iter().map(|fact| String::from_utf8_lossy(&fact.bytes).into_owned()));
            }
        });
    };
    hear(&mut connection, b"HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", false);
    hear(&mut connection, b"HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 9000000\r\n\r\n", true);
    hear(&mut connection, b"HTTP/1.1 200 OK\r\nServer: b\r\nContent-Length: 9000000\r\n\r\n", true);
    for _ in 0..9_000 {
        hear(&mut connection, &[b'x'; 1_000], true);
        assert!(connection.sides[1].held.len() <= HEAD_BYTES_MAX + PAGE_BYTES_MAX);
    }
    hear(&mut connection, b"HTTP/1.1 200 OK\r\nServer: c\r\n", true);
    hear(&mut connection, b"Content-Length: 1\r\n\r\n", true);
    connection.lose(true, At::default(), &mut |_| {});
    hear(&mut connection, b"body of something", true);
    hear(&mut connection, b"HTTP/1.1 200 OK\r\nServer: d\r\n\r\n", true);
    for _ in 0..40 {
        hear(&mut connection, b"HTTP/1.1 200 OK\r\nServer: d\r\n", true);
    }
    assert_eq!(heard, ["a", "b", "c", "d"]);
    assert_eq!(connection.coverage, Coverage { seen: 6, decoded: 6 });
}

#[test]
fn a_head_that_never_ends_is_given_up() {
    let mut long = b"HTTP/1.1 200 OK\r\nServer: a\r\nX: ".to_vec();
    long.resize(3 * HEAD_BYTES_MAX, b'x');
    assert_eq!(shorter::facts(&PROTOCOL.replay(Over::Tcp, [], [&long[..]])).len(), 1);
}

#[test]
fn a_first_line_makes_it_certain() {
    for (bytes, expected) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], Likeness::Certain),
        (b"GET /index.html HTTP/1.0\r\n", Likeness::Certain),
        (b"GET /index", Likeness::Possible),
        (b"GET / RTSP/1.0\r\n", Likeness::No),
        (b"220 FTP ready\r\n", Likeness::No),
        (b"\x16\x03\x01\x00\x05", Likeness::No),
        (b"SSH-2.0-OpenSSH\r\n", Likeness::No),
    ] {
        assert_eq!(likeness(&HTTP, bytes), expected, "{}", bytes.escape_ascii());
    }
}
