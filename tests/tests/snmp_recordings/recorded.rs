//! An agent that answers GETs of version 2c out of a recording, on a port of its own; anything else is counted and gets no answer. Own BER (X.690),
//! and the format of recordings as snmpsim documents it: `name|type|value` a line, where `x` behind the type says that the value is hexadecimal.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often it looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);
/// A datagram has no more.
const DATAGRAM_BYTES_MAX: usize = 1 << 16;
/// Objects in one GET (read-only.md, section 2).
const OBJECTS_MAX: usize = 10;
const SEQUENCE: u8 = 0x30;
const NO_SUCH_OBJECT: [u8; 2] = [0x80, 0];

/// An agent at work; it ends when dropped.
pub struct Recorded {
    pub address: SocketAddr,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counts {
    ended: AtomicBool,
    gets: AtomicUsize,
    others: AtomicUsize,
}

impl Recorded {
    #[expect(clippy::disallowed_methods, reason = "an agent of a test, on a port of loopback: it is asked, and asks nobody")]
    pub fn start(recording: &Path) -> Self {
        let objects = read(recording);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(LOOK)).expect("a time-out");
        let address = socket.local_addr().expect("an address");
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let thread = thread::spawn(move || {
            let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
            while !shared.ended.load(Ordering::Relaxed) {
                let Ok((length, peer)) = socket.recv_from(&mut buffer) else { continue };
                let answer = answer(&buffer[..length], &objects);
                let count = if answer.is_some() { &shared.gets } else { &shared.others };
                count.fetch_add(1, Ordering::Relaxed);
                if let Some(answer) = answer {
                    socket.send_to(&answer, peer).expect("an answer");
                }
            }
        });
        Self { address, counts, thread: Some(thread) }
    }

    /// GETs that were answered, and all else that came.
    pub fn counts(&self) -> (usize, usize) {
        (self.counts.gets.load(Ordering::Relaxed), self.counts.others.load(Ordering::Relaxed))
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.counts.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the agent ends");
        }
    }
}

/// Names as they stand in a message, and values with their tags.
fn read(recording: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let bytes = std::fs::read(recording).unwrap_or_else(|error| panic!("{}: {error}", recording.display()));
    let mut objects = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut cells = line.splitn(3, |byte| *byte == b'|');
        let (Some(name), Some(kind), Some(value)) = (cells.next(), cells.next(), cells.next()) else { continue };
        let (name, kind) = (String::from_utf8_lossy(name), String::from_utf8_lossy(kind));
        if let (Some(name), Some(value)) = (oid(&name), value_of(&kind, value)) {
            objects.insert(name, value);
        }
    }
    objects
}

fn value_of(kind: &str, value: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(value);
    let number = kind.trim_end_matches('x').parse().ok()?;
    match (number, kind.ends_with('x')) {
        (4 | 64 | 68, true) => {
            let bytes: Option<Vec<u8>> = (0..text.len() / 2).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect();
            Some(element(number, &bytes?))
        }
        (4, false) => Some(element(number, value)),
        (6, _) => Some(element(number, &oid(&text)?)),
        (64, _) => Some(element(number, &text.split('.').map(str::parse).collect::<Result<Vec<u8>, _>>().ok()?)),
        (2 | 65 | 66 | 67 | 70, _) => {
            let bytes = text.trim().parse::<i64>().ok()?.to_be_bytes();
            // The fewest bytes that keep the sign.
            let spare = bytes.windows(2).take_while(|two| matches!(two, [0, 0..=0x7f] | [0xff, 0x80..=0xff])).count();
            Some(element(number, &bytes[spare..]))
        }
        _ => None,
    }
}

fn oid(text: &str) -> Option<Vec<u8>> {
    let numbers: Vec<u32> = text.trim().trim_start_matches('.').split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [first, second, rest @ ..] = numbers.as_slice() else { return None };
    let mut bytes = vec![(first * 40 + second) as u8];
    for number in rest {
        let mut groups = vec![(number & 0x7f) as u8];
        let mut left = number >> 7;
        while left > 0 {
            groups.insert(0, (left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        bytes.extend(groups);
    }
    Some(bytes)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        length @ 0..=0x7f => vec![length as u8],
        length @ 0x80..=0xff => vec![0x81, length as u8],
        length => vec![0x82, (length >> 8) as u8, length as u8],
    };
    [&[tag][..], &length, content].concat()
}

/// Tag, content, and what follows.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        length @ 0..=0x7f => (usize::from(length), rest),
        more => {
            let (digits, rest) = rest.split_at_checked(usize::from(more & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// The answer to a GET of version 2c for the community `public`; `None` for all else.
fn answer(question: &[u8], objects: &BTreeMap<Vec<u8>, Vec<u8>>) -> Option<Vec<u8>> {
    let (SEQUENCE, message, []) = split(question)? else { return None };
    let (2, [1], rest) = split(message)? else { return None };
    let (4, b"public", rest) = split(rest)? else { return None };
    let (0xa0, pdu, []) = split(rest)? else { return None };
    let (2, id, rest) = split(pdu)? else { return None };
    let (2, [0], rest) = split(rest)? else { return None };
    let (2, [0], rest) = split(rest)? else { return None };
    let (SEQUENCE, mut asked, []) = split(rest)? else { return None };
    let (mut bindings, mut count) = (Vec::new(), 0);
    while !asked.is_empty() {
        let (SEQUENCE, binding, rest) = split(asked)? else { return None };
        let (6, name, [5, 0]) = split(binding)? else { return None };
        let value = objects.get(name).cloned().unwrap_or_else(|| NO_SUCH_OBJECT.to_vec());
        bindings.extend(element(SEQUENCE, &[element(6, name), value].concat()));
        (asked, count) = (rest, count + 1);
    }
    if count > OBJECTS_MAX {
        return None;
    }
    let pdu = [element(2, id), element(2, &[0]), element(2, &[0]), element(SEQUENCE, &bindings)].concat();
    Some(element(SEQUENCE, &[element(2, &[1]), element(4, b"public"), element(0xa2, &pdu)].concat()))
}
