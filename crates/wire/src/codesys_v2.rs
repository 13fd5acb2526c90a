//! CODESYS V2: on what a controller's runtime runs and in which product, where it is asked for just before.
//!
//! Source: no public specification; Redpoint's codesys-v2-discover.nse: a question is seven bytes, in one of two byte orders; its answer begins
//! with BB and has three texts, each up to a NUL, from 64, 96 and 128 on. How long an answer is nobody says, so a text stands only where its NUL
//! does. No version is in it. It is never asked: a runtime has few connections, and some have stopped at a question.

use crate::conversation::{Conversation, Coverage, End, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Reading, Shape};

/// CODESYS V2, over TCP.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[1200, 2455], udp: &[], link: &[], likeness, start: |_| Box::<Talk>::default() };

const NAME: &str = "codesys-v2";
const MAGIC: u8 = 0xbb;
/// The question, lower byte first and upper byte first.
const WHAT_IT_IS: [&[u8]; 2] = [&[0xbb, 0xbb, 1, 0, 0, 0, 1], &[0xbb, 0xbb, 1, 0, 0, 1, 1]];
/// Where each text begins, and where the next one does.
const TEXTS: [(&str, usize, usize); 3] =
    [("codesys-v2.os.name", 64, 96), ("codesys-v2.os.type", 96, 128), ("codesys-v2.product", 128, 160)];
/// What is held of an answer: up to the end of the last text.
const ANSWER_BYTES_MAX: usize = 160;

fn likeness(bytes: &[u8], _: Over) -> Likeness {
    match bytes {
        _ if WHAT_IT_IS.contains(&bytes) => Likeness::Certain,
        [] | [MAGIC] | [MAGIC, MAGIC, ..] => Likeness::Possible,
        _ => Likeness::No,
    }
}

#[derive(Debug, Default)]
struct Talk {
    /// The question that is being answered, and when it was put.
    asked: Option<(Vec<u8>, At)>,
    held: Vec<u8>,
    ends: [End; 2],
    coverage: Coverage,
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.ends = if said.by_server { [*said.from, *said.to] } else { [*said.to, *said.from] };
        if !said.by_server {
            self.answered(said.at, out);
            self.coverage.seen += 1;
            if WHAT_IT_IS.contains(&said.bytes) {
                self.coverage.decoded += 1;
                self.asked = Some((said.bytes.to_vec(), said.at));
            }
        } else if self.asked.is_some() {
            let room = ANSWER_BYTES_MAX.saturating_sub(self.held.len());
            self.held.extend_from_slice(said.bytes.get(..room).unwrap_or(said.bytes));
            if self.held.len() == ANSWER_BYTES_MAX {
                self.answered(said.at, out);
            }
        }
    }

    fn lose(&mut self, _: bool, at: At, out: &mut dyn FnMut(Heard)) {
        self.answered(at, out);
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.answered(at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Talk {
    /// What came behind the question is all that is wanted of its answer, or all that came.
    fn answered(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        let held = core::mem::take(&mut self.held);
        let Some((question, asked_at)) = self.asked.take() else { return };
        if held.is_empty() {
            return;
        }
        self.coverage.seen += 1;
        if held.first() != Some(&MAGIC) {
            return;
        }
        self.coverage.decoded += 1;
        for (role, end) in [Role::Server, Role::Client].into_iter().zip(&self.ends) {
            out(Heard::Present { protocol: NAME, role, speaker: end.into(), at });
        }
        let mut reading = Reading::of(NAME, Over::Tcp, "codesys-v2.identity", (&self.ends[0]).into(), at, &held);
        reading.complete = held.len() == ANSWER_BYTES_MAX;
        for (path, start, end) in TEXTS {
            let field = held.get(start..end.min(held.len())).unwrap_or_default();
            let Some(length) = field.iter().position(|byte| *byte == 0).filter(|length| *length > 0) else { continue };
            if field.iter().take(length).all(|byte| matches!(byte, b' '..=b'~')) {
                reading.fact(path, Shape::Text, start..start + length);
            }
        }
        if !reading.facts.is_empty() {
            out(Heard::Reading(reading.asked_by(asked_at, &question)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    /// By hand, after the places of the texts.
    fn answer() -> Vec<u8> {
        let mut answer = vec![0xbb, 0xbb, 0x9b, 0, 0, 0, 1];
        for (text, at) in [("Nucleus PLUS", 64), ("unknown version", 96), ("Brightwater BW-7", 128)] {
            answer.resize(at, 0);
            answer.extend(text.as_bytes());
        }
        answer.resize(162, 0);
        answer
    }

    fn told(asked: &[u8], said: &[u8]) -> Vec<(String, String)> {
        shorter::facts(&PROTOCOL.replay(Over::Tcp, [asked], [said]))
    }

    #[test]
    fn a_runtime_says_on_what_it_runs_and_every_prefix_the_same_or_less() {
        let expected =
            [("codesys-v2.os.name", "Nucleus PLUS"), ("codesys-v2.os.type", "unknown version"), ("codesys-v2.product", "Brightwater BW-7")];
        let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
        for asked in WHAT_IT_IS {
            assert_eq!(told(asked, &answer()), expected);
            for cut in 0..answer().len() {
                assert!(told(asked, &answer()[..cut]).iter().all(|fact| expected.contains(fact)), "{cut}");
            }
        }
        assert_eq!(told(&[0xbb, 0xbb, 1, 0, 0, 0, 2], &answer()), [], "another question");
        assert_eq!(told(WHAT_IT_IS[0], b"SSH-2.0-server"), []);
        let read = PROTOCOL.replay(Over::Tcp, [WHAT_IT_IS[0]], [&answer()[..]]).remove(0);
        assert_eq!(PROTOCOL.replay(Over::Tcp, [&read.messages[0].bytes[..]], [&read.messages[1].bytes[..]]), [read]);
    }

    #[test]
    fn its_question_makes_it_certain() {
        let likeness = |bytes: &[u8]| likeness(bytes, Over::Tcp);
        assert_eq!(likeness(WHAT_IT_IS[1]), Likeness::Certain);
        assert_eq!(likeness(&answer()), Likeness::Possible);
        for other in [&b"\xbb\x01"[..], b"GET / HTTP/1.1", b"\x16\x03\x01", b"\0\0"] {
            assert_eq!(likeness(other), Likeness::No, "{other:?}");
        }
    }
}
