use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// What a server on loopback does once somebody has said hello.
#[derive(Clone, Copy)]
enum Does {
    Says(&'static [u8]),
    SaysForEver(&'static [u8]),
    HangsUp,
    Nothing,
}

async fn server(listener: TcpListener, does: Does) {
    let (mut stream, _) = listener.accept().await.expect("somebody");
    let mut hello = [0; 64];
    stream.read_exact(&mut hello).await.expect("a hello");
    assert_eq!((hello[0], hello[5]), (22, 1), "a record of a handshake, with a client's hello");
    match does {
        Does::Says(bytes) => stream.write_all(bytes).await.expect("somebody reads"),
        Does::SaysForEver(bytes) => while stream.write_all(bytes).await.is_ok() {},
        Does::HangsUp => return,
        Does::Nothing => {}
    }
    // Whatever else comes; it ends when the other side does.
    let _gone = stream.read_to_end(&mut Vec::new()).await;
}

#[expect(clippy::disallowed_methods, reason = "a server of this test, on loopback")]
async fn shaken(does: Does) -> (Handshake, u64) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let client = async {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (line, handshake, tally) = shake(stream, address.ip()).await;
        drop(line);
        (handshake, tally.back())
    };
    tokio::join!(client, server(listener, does)).0
}

/// Why it broke, and how many bytes of the server's are kept.
fn check(does: Does, why: &str, kept: std::ops::RangeInclusive<usize>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (handshake, came) = runtime.block_on(shaken(does));
    let broke = handshake.broke.expect("no TLS").to_string();
    assert!(broke.contains(why), "{broke}");
    assert!(handshake.certificate.is_none() && kept.contains(&handshake.server.len()), "{} bytes", handshake.server.len());
    assert!(came < 1 << 20, "{came} bytes were read");
}

#[test]
fn what_is_no_handshake_is_left_at_once() {
    check(Does::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "InvalidContentType", 28..=28);
    check(Does::SaysForEver(&[0xa7; 4_096]), "InvalidContentType", 5..=FLIGHT_BYTES_MAX);
    // RFC 5246, 7.2: a fatal alert, handshake_failure: what a server says that knows nothing of what was offered.
    check(Does::Says(b"\x15\x03\x03\x00\x02\x02\x28"), "HandshakeFailure", 7..=7);
    // A hello that is longer than any.
    check(Does::Says(b"\x16\x03\x03\x00\x04\x02\xff\xff\xff"), "", 9..=9);
    // Empty records of a handshake, without end.
    check(Does::SaysForEver(b"\x16\x03\x03\x00\x00"), "", 5..=FLIGHT_BYTES_MAX);
    // With what was not read the system resets.
    check(Does::HangsUp, "", 0..=0);
}

#[test]
fn silence_is_not_waited_for_for_ever() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let (handshake, _) = runtime.block_on(shaken(Does::Nothing));
    assert_eq!(handshake.broke.expect("no TLS").kind(), io::ErrorKind::TimedOut);
}
