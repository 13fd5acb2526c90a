//! PC WORX: what Phoenix Contact's engineering software asks its ILC controllers. Only what a controller is, is read, where it is asked for.
//!
//! Source: no public specification; facts of Redpoint's pcworx-info.nse and of a session of an ILC 151 ETH that is quoted byte by byte in
//! public (its four messages are the tests below): a message starts with 01, its answer with 81, then a service, then the length of all of
//! it in two bytes, upper first. Behind 06, with 04 00 at the end of its question: texts, each up to a NUL, at fixed places.
//!
//! It is never asked: a session has to be opened first, and what that does to a controller nobody has written down.

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::told::Told;
use crate::{Cutter, Malformed, Reading, Shape};

/// PC WORX, over TCP.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[1962], udp: &[], link: &[], likeness, start: |_| Box::<Talk>::default() };

const NAME: &str = "pcworx";
const QUESTION: u8 = 0x01;
const ANSWER: u8 = 0x81;
/// Type, service, length.
const HEAD_BYTES: usize = 4;
/// Of a longer message the rest is passed over: the texts stand in the first 176 bytes.
const WANTED_BYTES_MAX: usize = 256;
/// The beginning of a session, up to where its client begins to call itself something.
const SESSION: &[u8] = &[0x01, 0x01, 0x00, 0x1a, 0, 0, 0, 0, 0x78, 0x80];
const READ: u8 = 0x06;
const WHAT_IT_IS: &[u8] = &[0x04, 0x00];
/// Where each text begins, and where the next thing does.
const TEXTS: [(&str, usize, usize); 5] = [
    ("pcworx.type", 30, 66),
    ("pcworx.firmware.version", 66, 79),
    ("pcworx.firmware.date", 79, 91),
    ("pcworx.firmware.time", 91, 103),
    ("pcworx.order_number", 152, 164),
];

fn likeness(bytes: &[u8], _: Over) -> Likeness {
    match *bytes {
        _ if bytes.starts_with(SESSION) => Likeness::Certain,
        [] | [QUESTION | ANSWER] | [QUESTION | ANSWER, 1..=0x1f] => Likeness::Possible,
        [QUESTION | ANSWER, 1..=0x1f, 0..=0x0f, ..] => Likeness::Possible,
        _ => Likeness::No,
    }
}

fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    match *bytes {
        [QUESTION | ANSWER, _, l1, l0, ..] if usize::from(u16::from_be_bytes([l1, l0])) >= HEAD_BYTES => {
            Ok(Some(usize::from(u16::from_be_bytes([l1, l0]))))
        }
        [] | [QUESTION | ANSWER] | [QUESTION | ANSWER, _] | [QUESTION | ANSWER, _, _] => Ok(None),
        _ => Err(Malformed::wrong(NAME, 0, "a message starts with 01 or 81 and counts its own head")),
    }
}

#[derive(Debug, Default)]
struct Talk {
    sides: [Cutter; 2],
    /// The last question, and when: they come one after the other.
    asked: Option<(Vec<u8>, At)>,
    told: Told,
    coverage: Coverage,
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let mut cutter = core::mem::take(&mut self.sides[usize::from(said.by_server)]);
        let malformed = cutter.heads(said.bytes, WANTED_BYTES_MAX, length, &mut |message| self.message(said, message, out));
        self.sides[usize::from(said.by_server)] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        self.sides[usize::from(by_server)].lose();
        self.asked = None;
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Talk {
    fn message(&mut self, said: &Said<'_>, message: &[u8], out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        if message.first() != Some(if said.by_server { &ANSWER } else { &QUESTION }) {
            return;
        }
        self.coverage.decoded += 1;
        if !said.by_server {
            self.asked = Some((message.to_vec(), said.at));
            return;
        }
        // An answer to the question before it shows who is who.
        let Some((question, asked_at)) = self.asked.take().filter(|(question, _)| question.get(1) == message.get(1)) else { return };
        for (role, end) in [(Role::Server, said.from), (Role::Client, said.to)] {
            if self.told.is_new(role) {
                out(Heard::Present { protocol: NAME, role, speaker: end.into(), at: said.at });
            }
        }
        if message.get(1) == Some(&READ) && question.ends_with(WHAT_IT_IS) {
            let mut reading = Reading::of(NAME, Over::Tcp, "pcworx.identity", said.speaker(), said.at, message);
            for (path, start, end) in TEXTS {
                text(&mut reading, message, path, start, end);
            }
            if !reading.facts.is_empty() {
                out(Heard::Reading(reading.asked_by(asked_at, &question)));
            }
        }
    }
}

/// A text from its place to its NUL, if that stands before the next thing and all before it is text.
fn text(reading: &mut Reading, message: &[u8], path: &str, start: usize, end: usize) {
    let field = message.get(start..end.min(message.len())).unwrap_or_default();
    let Some(length) = field.iter().position(|byte| *byte == 0).filter(|length| *length > 0) else { return };
    if field.iter().take(length).all(|byte| matches!(byte, b' '..=b'~')) {
        reading.fact(path, Shape::Text, start..start + length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    /// The session of an ILC 151 ETH (hi-KK/ICS-Protocol-identify, PCWorx.pcapng): what is asked last, and its answer.
    const ASKED: &str = "0106000e00020000000000000400";
    const SAID: &str = "810600b0000200010000000000020000004c0000000600988295004a0000494c43203135312045544800000000000000000000000000000000\
        000000000000000000342e343100000000000000000030392f32382f31350000000031343a33353a303100300400000000200000000000000000200000000000\
        00000000000000000000200000000000000000200000000000000000303100323730303937340042310000002000000000200000000000";

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|two| u8::from_str_radix(core::str::from_utf8(two).expect("text"), 16).expect("digits")).collect()
    }

    fn told(asked: &[u8], said: &[u8]) -> Vec<(String, String)> {
        shorter::facts(&PROTOCOL.replay(Over::Tcp, [asked], [said]))
    }

    #[test]
    fn a_controller_says_what_it_is_and_every_prefix_says_nothing() {
        let (asked, said) = (hex(ASKED), hex(SAID));
        assert_eq!(said.len(), 0xb0);
        let expected = [
            ("pcworx.type", "ILC 151 ETH"),
            ("pcworx.firmware.version", "4.41"),
            ("pcworx.firmware.date", "09/28/15"),
            ("pcworx.firmware.time", "14:35:01"),
            ("pcworx.order_number", "2700974"),
        ];
        assert_eq!(told(&asked, &said), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
        for cut in 0..said.len() {
            assert_eq!(told(&asked, &said[..cut]), [], "{cut}");
        }
        let read = PROTOCOL.replay(Over::Tcp, [&asked[..]], [&said[..]]).remove(0);
        assert_eq!(PROTOCOL.replay(Over::Tcp, [&read.messages[0].bytes[..]], [&read.messages[1].bytes[..]]), [read]);
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        let (asked, said) = (hex(ASKED), hex(SAID));
        let another = [&asked[..12], &[0x05, 0x00]].concat();
        assert_eq!(told(&another, &said), []);
        assert_eq!(told(&[0x01, 0x05, 0, 4], &said), [], "another service");
        assert_eq!(shorter::facts(&PROTOCOL.replay(Over::Tcp, [], [&said[..]])), [], "nobody asked");
        let unprintable = [&said[..66], &[7], &said[67..]].concat();
        assert!(!told(&asked, &unprintable).iter().any(|(path, _)| path.ends_with("version")));
    }

    #[test]
    fn a_session_makes_it_certain() {
        let likeness = |bytes: &[u8]| likeness(bytes, Over::Tcp);
        assert_eq!(likeness(&hex("0101001a0000000078800003000c494245544830314e305f4d00")), Likeness::Certain);
        assert_eq!(likeness(&hex(SAID)), Likeness::Possible);
        for other in [&b"GET / HTTP/1.1"[..], b"\x16\x03\x01", b"\x01\x00", b"SSH-2.0", b"\x81\x06\xff\xff"] {
            assert_eq!(likeness(other), Likeness::No, "{other:?}");
        }
    }
}
