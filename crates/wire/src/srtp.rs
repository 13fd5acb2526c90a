//! GE-SRTP: who asks GE (now Emerson) controllers and who answers. The answer about a controller's type is kept whole: its layout is not
//! published.
//!
//! Sources: Denton and others, "Leveraging the SRTP protocol for over-the-network memory acquisition of a GE Fanuc Series 90-30", DFRWS
//! 2017, clause 3 (header, service codes); facts from github.com/cisagov/icsnpp-ge-srtp (BSD-3-Clause).

use crate::conversation::{Conversation, Coverage, End, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Cutter, Malformed, Reading, Shape};

/// GE-SRTP. Its header is mostly zeros: it is followed on its own ports only.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[18_245, 18_246],
    udp: &[],
    link: &[],
    likeness: |bytes, _| if length(bytes).is_ok() { Likeness::Possible } else { Likeness::No },
    start: |_| Box::<Srtp>::default(),
};

const NAME: &str = "ge-srtp";
/// Type (1), reserved (1), sequence number (2), text length (2), ..., kind of service message (at 31), service, ...: the paper's table 1.
const HEADER_BYTES: usize = 56;
/// As much of a message as is looked at: the header, and the answer about a controller's type.
const HEAD_BYTES_MAX: usize = HEADER_BYTES + 256;
/// Types of message: initialise and its answer, request and its answer.
const INITIALISE: u8 = 0;
const INITIALISED: u8 = 1;
const REQUEST: u8 = 2;
const ANSWER: u8 = 3;
/// Kinds of request: all in the header, and with text behind it; where each has its service code.
const SHORT: (u8, usize) = (0xc0, 42);
const LONG: (u8, usize) = (0x80, 50);
/// Kinds of answer: done, and done with text behind the header.
const DONE: u8 = 0xd4;
const DONE_WITH_TEXT: u8 = 0x94;
/// Kinds are at this offset.
const KIND: usize = 31;
/// Service: return controller type and id information.
const CONTROLLER_TYPE: u8 = 0x43;
/// Bytes that an answer without text has in the header.
const SHORT_ANSWER: core::ops::Range<usize> = 44..50;

/// One connection.
#[derive(Debug, Default)]
struct Srtp {
    cutters: [Cutter; 2],
    ends: [End; 2],
    /// The last request: its type and sequence number, and its bytes where it asks for the controller's type.
    asked: Option<(u8, u8)>,
    question: Vec<u8>,
    question_at: At,
    present: bool,
    coverage: Coverage,
}

impl Conversation for Srtp {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(said.by_server);
        (self.ends[side], self.ends[1 - side]) = (*said.from, *said.to);
        let mut cutter = core::mem::take(&mut self.cutters[side]);
        let malformed = cutter.heads(said.bytes, HEAD_BYTES_MAX, length, &mut |bytes| self.message(bytes, side, said.at, out));
        self.cutters[side] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(by_server);
        let cut = self.cutters[side].lose();
        self.message(&cut, side, at, out);
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(false, at, out);
        self.lose(true, at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

/// How long the message is that starts here.
fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(&kind) = bytes.first() else { return Ok(None) };
    if kind > ANSWER {
        return Err(Malformed::wrong(NAME, 0, "types of message are 0 to 3 (DFRWS 2017, table 1)"));
    }
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let kinds: &[u8] = match kind {
        REQUEST => &[SHORT.0, LONG.0],
        ANSWER => &[DONE, DONE_WITH_TEXT, 0xd1, 0x91],
        _ => return Ok(Some(HEADER_BYTES)),
    };
    if !kinds.contains(&header[KIND]) {
        return Err(Malformed::wrong(NAME, KIND, "kind of a service message (DFRWS 2017, table 1)"));
    }
    Ok(Some(HEADER_BYTES + usize::from(u16::from_le_bytes([header[4], header[5]]))))
}

impl Srtp {
    /// A message as far as it is looked at, or cut.
    fn message(&mut self, bytes: &[u8], side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return };
        self.coverage.seen += 1;
        self.coverage.decoded += 1;
        let (kind, sequence) = (header[0], header[2]);
        if matches!(kind, INITIALISE | REQUEST) {
            self.asked = Some((kind, sequence));
            self.question.clear();
            let (_, service) = if header[KIND] == SHORT.0 { SHORT } else { LONG };
            if kind == REQUEST && header[service] == CONTROLLER_TYPE {
                self.question.extend_from_slice(bytes);
                self.question_at = at;
            }
            return;
        }
        let answers = match self.asked.take() {
            Some((INITIALISE, _)) => kind == INITIALISED,
            Some((_, asked)) => kind == ANSWER && asked == sequence,
            None => false,
        };
        if answers && !core::mem::replace(&mut self.present, true) {
            for (role, side) in [(Role::Server, side), (Role::Client, 1 - side)] {
                out(Heard::Present { protocol: NAME, role, speaker: (&self.ends[side]).into(), at });
            }
        }
        let question = core::mem::take(&mut self.question);
        if answers && !question.is_empty() {
            let mut reading = Reading::of(NAME, Over::Tcp, "ge-srtp.controller", (&self.ends[side]).into(), at, bytes);
            let promised = length(bytes).ok().flatten().unwrap_or_default();
            if bytes.len() < promised {
                let missing = promised - bytes.len();
                reading.broken(Malformed::short(NAME, bytes.len(), missing, 0, "text length (DFRWS 2017, table 1)"));
            } else {
                match header[KIND] {
                    DONE => reading.fact("ge-srtp.controller.identity", Shape::Hex, SHORT_ANSWER),
                    DONE_WITH_TEXT => reading.fact("ge-srtp.controller.identity", Shape::Hex, HEADER_BYTES..bytes.len()),
                    _ => reading.fact("ge-srtp.controller.error", Shape::Hex, 42..44),
                }
            }
            out(Heard::Reading(reading.asked_by(self.question_at, &question)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, sequence: u8, service: Option<u8>, text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        (bytes[0], bytes[2], bytes[4]) = (kind, sequence, u8::try_from(text.len()).unwrap());
        bytes[31] = match (kind, text.is_empty()) {
            (2, _) => 0xc0,
            (3, true) => 0xd4,
            (3, false) => 0x94,
            _ => 0,
        };
        bytes[42] = service.unwrap_or_default();
        bytes.extend(text);
        bytes
    }

    fn hear(messages: &[(&[u8], bool)]) -> Vec<Heard> {
        let (mut srtp, mut heard, end) = (Srtp::default(), Vec::new(), End::default());
        for (bytes, by_server) in messages {
            let said = Said { bytes, missing: 0, at: At::default(), from: &end, to: &end, by_server: *by_server };
            srtp.hear(&said, &mut |event| heard.push(event));
        }
        srtp.finish(At::default(), &mut |event| heard.push(event));
        heard
    }

    #[test]
    fn who_answers_what_was_asked_takes_part() {
        let (hello, welcome) = (vec![0; HEADER_BYTES], message(1, 0, None, b""));
        let (read, wrong) = (message(2, 7, Some(4), b""), message(3, 8, None, b"\x01\x02"));
        assert_eq!(hear(&[(&hello, false), (&welcome, true), (&read, false), (&wrong, true)]).len(), 2);
        assert_eq!(hear(&[(&welcome, true), (&read, false), (&wrong, true)]), []);
        assert_eq!(hear(&[(&read, false), (&message(3, 7, None, b"\x01\x02"), true)]).len(), 2);
    }

    #[test]
    fn the_answer_about_the_controller_is_kept_whole() {
        let (asked, answer) = (message(2, 7, Some(CONTROLLER_TYPE), b""), message(3, 7, None, b"PLC-1\0\0\0\x34\x23"));
        for cut in 0..=answer.len() {
            let heard = hear(&[(&asked, false), (&answer[..cut], true)]);
            for heard in &heard {
                let Heard::Reading(reading) = heard else { continue };
                let facts: Vec<_> = reading.facts.iter().map(|fact| (fact.path.as_str(), &fact.bytes[..])).collect();
                let whole = cut == answer.len();
                assert_eq!(reading.complete, whole);
                let expected: &[_] = &[("ge-srtp.controller.identity", &b"PLC-1\0\0\0\x34\x23"[..])];
                assert_eq!(facts, if whole { expected } else { &[] });
            }
            assert_eq!(heard.len(), if cut < HEADER_BYTES { 0 } else { 3 });
        }
    }

    #[test]
    fn what_cannot_be_a_header_is_none() {
        let likeness = |bytes: &[u8]| (PROTOCOL.likeness)(bytes, Over::Tcp);
        assert_eq!(likeness(&message(2, 1, Some(4), b"")), Likeness::Possible);
        assert_eq!(likeness(b"\x16\x03\x01\x02\x00"), Likeness::No);
        let mut other = message(2, 1, Some(4), b"");
        other[31] = 1;
        assert_eq!(likeness(&other), Likeness::No);
    }
}
