//! Over a real socket on loopback.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    thread,
    time::SystemTime,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::Builder,
};

use super::*;
use crate::guard::{Limits, Modbus, PnIo};

const REGULAR: [u8; 11] = [0, 1, 0, 0, 0, 5, 255, 0x2b, 0x0e, 2, 0];

fn touch(name: &str) -> (PathBuf, Arc<TouchRecord>) {
    let state = std::env::temp_dir().join(format!("nameplate-connect-{}-{name}", std::process::id()));
    let _was_not_there = std::fs::remove_dir_all(&state);
    let record = TouchRecord::open(&state, SystemTime::now).expect("a touch record");
    (state, Arc::new(record))
}

fn block_on<T>(story: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(story)
}

fn permit(target: SocketAddr) -> Permit {
    let grant = Modbus::unit(255).grant().expect("a grant");
    let limits = Limits::of(&grant);
    Permit::new(Endpoint::Tcp(target), grant, "WO-1", limits).expect("a permit")
}

fn kinds(touch: &TouchRecord) -> Vec<(Kind, Option<String>)> {
    let mut kinds = Vec::new();
    crate::touch::lines_from(touch.directory(), 0, |_, line, _| kinds.push((line.kind, line.ended.clone()))).expect("whole lines");
    kinds
}

#[test]
fn a_connection_is_on_record_from_connect_to_fin() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = listener.local_addr().expect("an address");
    let device = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut question = [0; 11];
        stream.read_exact(&mut question).expect("a question");
        // More than the client reads: what is left must be read out before the end, or the system answers with a RST.
        stream.write_all(&[1; 100]).expect("an answer");
        stream.read(&mut [0; 8]).map(|had| (question, had)).map_err(|error| error.kind())
    });
    let (state, touch) = touch("fin");
    let closed = block_on(async {
        let mut guarded = connect(permit(target), Arc::clone(&touch)).await.expect("a connection");
        guarded.write_all(&REGULAR).await.expect("on the allowlist");
        guarded.read_exact(&mut [0; 3]).await.expect("an answer");
        guarded.close().await.expect("a polite end")
    });
    assert_eq!(device.join().expect("the device"), Ok((REGULAR, 0)), "the device saw our FIN, no RST");
    assert_eq!((closed.bytes_out, closed.bytes_in, closed.ended), (11, 100, Ended::Fin));
    let expected = [(Kind::Connect, None), (Kind::Sent, None), (Kind::Answer, None), (Kind::Closed, Some("fin".to_owned()))];
    assert_eq!(kinds(&touch), expected);
    assert_eq!(touch.summary().to_string(), "1 device, 1 connection, 1 request, 11 bytes out, 0 refused");
    let _gone = std::fs::remove_dir_all(state);
}

#[test]
fn a_device_that_does_not_accept_is_an_io_failure_on_record() {
    let target = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port nobody listens on any more");
    let (state, touch) = touch("refused");
    let failed = block_on(connect(permit(target), Arc::clone(&touch))).err();
    assert!(matches!(&failed, Some(Failed::Io { operation: "connect", peer, .. }) if *peer == Endpoint::Tcp(target)), "{failed:?}");
    assert_eq!(kinds(&touch), [(Kind::Connect, None), (Kind::Failed, Some("connection-refused".to_owned()))]);
    let _gone = std::fs::remove_dir_all(state);
}

/// A datagram of PROFINET's look-up, as long as it is.
fn look_up() -> Vec<u8> {
    nameplate_wire::pn_io::Question::LookUp.encode([7; 16])
}

fn profinet(target: SocketAddr) -> Permit {
    let grant = PnIo { consent: Some("A. Owner".to_owned()) }.grant().expect("a grant");
    let limits = Limits::of(&grant);
    Permit::new(Endpoint::Udp(target), grant, "WO-1", limits).expect("a permit")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the device's side, and a stranger's")]
fn a_device_may_answer_from_another_of_its_ports_and_nobody_else_is_heard() {
    let udp = |address: &str| std::net::UdpSocket::bind(address).expect("a port");
    let (asked, other, stranger) = (udp("127.0.0.1:0"), udp("127.0.0.1:0"), udp("127.0.0.2:0"));
    let target = asked.local_addr().expect("an address");
    let device = thread::spawn(move || {
        let mut question = [0; 256];
        let (length, from) = asked.recv_from(&mut question).expect("a question");
        stranger.send_to(b"stranger", from).expect("sent");
        other.send_to(b"answer", from).expect("sent");
        length
    });
    let (state, touch) = touch("another-port");
    let heard = block_on(async {
        let mut guarded = connect(profinet(target), Arc::clone(&touch)).await.expect("a socket");
        guarded.write_all(&look_up()).await.expect("on the allowlist");
        let mut buffer = [0; 256];
        let length = guarded.read(&mut buffer).await.expect("an answer");
        buffer[..length].to_vec()
    });
    assert_eq!((device.join().expect("the device"), heard.as_slice()), (156, &b"answer"[..]));
    let _gone = std::fs::remove_dir_all(state);
}

#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "a socket that is never connected")]
fn a_syn_is_repeated_once() {
    let repeats = block_on(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        syn_retries::limit(&socket).expect("an option");
        nix::sys::socket::getsockopt(&socket, syn_retries::SynRetries)
    });
    assert_eq!(repeats, Ok(1));
}
