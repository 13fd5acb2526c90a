//! SSH: how both sides identify their software. All that follows is encrypted or holds no identity.
//!
//! Source: RFC 4253 clause 4.2 (SSH-protoversion-softwareversion SP comments; a server may send other lines before).

use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Authority, Reading, Shape};

/// SSH.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[PORT],
    udp: &[],
    link: &[],
    likeness: |bytes, _| match bytes {
        [b'S', b'S', b'H', b'-', b'1' | b'2', b'.', ..] => Likeness::Certain,
        // What a server may say before is text.
        [first, ..] if MARK.starts_with(bytes) || first.is_ascii_graphic() => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |_| Box::new(Connection::default()),
};

const NAME: &str = "ssh";
/// Its TCP port.
pub const PORT: u16 = 22;
/// What a server says before it is asked.
pub const GREETING: &str = "ssh.server";
const MARK: &[u8] = b"SSH-";
/// The identification has 255 bytes at most; lines before it are what an administrator wrote.
pub const LINES_BYTES_MAX: usize = 4 * 1024;

/// Whether this line is the identification, behind which nothing of interest comes.
#[must_use]
pub fn is_identification(line: &[u8]) -> bool {
    line.starts_with(MARK)
}

#[derive(Debug, Default)]
struct Connection {
    client: Side,
    server: Side,
    coverage: Coverage,
}

#[derive(Debug, Default)]
struct Side {
    held: Vec<u8>,
    /// The identification was heard, or will not be.
    done: bool,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = if said.by_server { &mut self.server } else { &mut self.client };
        if side.done {
            return;
        }
        // A whole line is dealt with at once: what is held is one line at most.
        for piece in said.bytes.split_inclusive(|byte| *byte == b'\n') {
            side.held.extend_from_slice(piece);
            if side.held.starts_with(MARK) && piece.ends_with(b"\n") {
                side.done = true;
                let line = core::mem::take(&mut side.held);
                self.coverage.seen += 1;
                self.coverage.decoded += 1;
                return identification(said, &line, out);
            }
            if piece.ends_with(b"\n") {
                side.held.clear();
            }
            side.done = side.held.len() > LINES_BYTES_MAX;
        }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        let side = if by_server { &mut self.server } else { &mut self.client };
        (side.held, side.done) = (Vec::new(), true);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

fn identification(said: &Said<'_>, line: &[u8], out: &mut dyn FnMut(Heard)) {
    let text = line.trim_ascii_end();
    let (role, question) = if said.by_server { (Role::Server, GREETING) } else { (Role::Client, "ssh.client") };
    out(Heard::Present { protocol: NAME, role, speaker: said.speaker(), at: said.at });
    let mut reading = Reading::of(NAME, Over::Tcp, question, said.speaker(), said.at, line);
    if role == Role::Client {
        // The line is the client's: read again as what it sent.
        (reading.authority, reading.asked) = (Authority::Client, 1);
    }
    reading.fact("ssh.banner", Shape::Text, 0..text.len());
    if let Some(parts) = Parts::of(text) {
        reading.fact("ssh.protocol", Shape::Text, parts.protocol);
        // A client's program has a version; its host has another.
        reading.fact(if role == Role::Client { "ssh.client_software" } else { "ssh.software" }, Shape::Text, parts.software);
        parts.comments.into_iter().for_each(|range| reading.fact("ssh.comments", Shape::Text, range));
    }
    out(Heard::Reading(reading));
}

/// Where the parts of an identification stand.
struct Parts {
    protocol: Range<usize>,
    software: Range<usize>,
    comments: Option<Range<usize>>,
}

impl Parts {
    fn of(text: &[u8]) -> Option<Self> {
        let dash = MARK.len() + text.get(MARK.len()..)?.iter().position(|byte| *byte == b'-')?;
        let blank = text.iter().position(|byte| *byte == b' ');
        let (protocol, software) = (MARK.len()..dash, dash + 1..blank.unwrap_or(text.len()));
        let comments = blank.map(|blank| blank + 1..text.len()).filter(|range| !range.is_empty());
        (!protocol.is_empty() && !software.is_empty()).then_some(Self { protocol, software, comments })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    #[test]
    fn an_identification_has_three_parts() {
        let expected = [
            ("ssh.banner", "SSH-2.0-OpenSSH_5.8p1 Debian-1ubuntu3"),
            ("ssh.protocol", "2.0"),
            ("ssh.software", "OpenSSH_5.8p1"),
            ("ssh.comments", "Debian-1ubuntu3"),
        ];
        shorter::check(&PROTOCOL, Over::Tcp, &[b"SSH-2.0-OpenSSH_5.8p1 Debian-1ubuntu3\r\n\0\0\x03"], &expected);
        shorter::check(
            &PROTOCOL,
            Over::Tcp,
            &[b"Welcome\r\nSSH-2.0-", b"x\n"],
            &[("ssh.banner", "SSH-2.0-x"), ("ssh.protocol", "2.0"), ("ssh.software", "x")],
        );
        shorter::check(&PROTOCOL, Over::Tcp, &[b"SSH-2.0\r\n"], &[("ssh.banner", "SSH-2.0")]);
        shorter::check(&PROTOCOL, Over::Tcp, &[&[b'a'; 9_000], b"\r\nSSH-2.0-x\r\n"], &[]);
    }

    #[test]
    fn a_client_speaks_for_itself() {
        let readings = PROTOCOL.replay(Over::Tcp, [&b"SSH-2.0-PuTTY_Release_0.70\r\n"[..]], []);
        let said: Vec<_> = readings.iter().map(|reading| (reading.authority, reading.asked, reading.messages.len())).collect();
        assert_eq!(said, [(Authority::Client, 1, 1)]);
    }

    #[test]
    fn the_mark_makes_it_certain() {
        for (bytes, expected) in [
            (&b"SSH-2.0-x"[..], Likeness::Certain),
            (b"SSH", Likeness::Possible),
            (b"Authorised use only\r\n", Likeness::Possible),
            (b"\x16\x03\x01", Likeness::No),
            (b"\0\0\x02\x14", Likeness::No),
        ] {
            assert_eq!((PROTOCOL.likeness)(bytes, Over::Tcp), expected, "{}", bytes.escape_ascii());
        }
    }
}
