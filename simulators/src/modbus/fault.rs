//! What devices do to those who ask them: each from read-only.md section 1 or from the zoo of hostile devices.

use std::collections::VecDeque;
use std::time::Duration;

use super::{ENCAPSULATED, MBAP_BYTES, Persona, READ_IDENTIFICATION, encode_identification, respond, wrap};

/// What an MBAP length can say at most.
const LENGTH_HUGE: u16 = u16::MAX;
/// The longest value that one FC 43/14 object can have in a PDU of 253 bytes: header 7, id and length 2.
const OBJECT_BYTES_MAX: usize = 244;

/// One misbehaviour of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// FC 43/14 says "more follows" for ever.
    EndlessMore(More),
    /// One byte of the answer per interval.
    SlowLoris {
        /// Time between two bytes.
        interval: Duration,
    },
    /// Half of the answer, then FIN.
    FinMidPdu,
    /// Every answer twice.
    AnswerTwice,
    /// An answer (to transaction 1) as soon as the connection stands; questions are answered too.
    AnswerBeforeQuestion,
    /// The answer over and over, until the peer closes.
    AnswersForever,
    /// The answer carries the transaction id after the one asked.
    WrongTransaction,
    /// The answer carries the unit id after the one asked.
    WrongUnit,
    /// The answer carries protocol id 1.
    WrongProtocolId,
    /// Closes on a question without a byte.
    ZeroBytes,
    /// The MBAP length says 0 and nothing follows it.
    LengthZero,
    /// The MBAP length says 65,535, and so many bytes follow.
    LengthHuge,
    /// Accepts, reads, and never answers.
    Silent,
    /// Resets every connection at once.
    RstOnConnect,
    /// So many connections; a further one closes the oldest (H3, M218).
    EvictOldest {
        /// How many connections it keeps.
        pool: usize,
    },
    /// One connection; a second is closed at once (H9, serial device servers).
    SingleClient,
    /// The first request starts a watchdog, every request feeds it; when it runs out, all connections are closed (H7, WAGO 750).
    Watchdog {
        /// How long it runs without a request.
        window: Duration,
    },
    /// Objects that attack whoever shows them: [`hostile_objects`].
    HostileText,
}

/// Where an endless "more follows" goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// At the next id; 255 is followed by 0.
    Rising,
    /// At the id that was just asked for.
    Repeating,
}

/// One thing a device does on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Send(Vec<u8>),
    /// Sends the same again and again.
    SendForever(Vec<u8>),
    Wait(Duration),
    Fin,
}

/// What the device does as soon as a connection stands.
pub(super) fn steps_on_connect(fault: Option<&Fault>, persona: &Persona) -> VecDeque<Step> {
    match fault {
        Some(Fault::AnswerBeforeQuestion) => {
            VecDeque::from([Step::Send(wrap(1, persona.unit.unwrap_or(u8::MAX), &encode_identification(persona, 1, 0)))])
        }
        _ => VecDeque::new(),
    }
}

/// What the device does when asked this question (a whole ADU).
pub(super) fn steps_on_question(fault: Option<&Fault>, persona: &Persona, question: &[u8]) -> Vec<Step> {
    let Some(mut answer) = respond(persona, question) else { return Vec::new() };
    match fault {
        Some(Fault::EndlessMore(more)) => vec![Step::Send(endless_page(*more, question).unwrap_or(answer))],
        Some(&Fault::SlowLoris { interval }) => {
            answer.into_iter().flat_map(|byte| [Step::Wait(interval), Step::Send(vec![byte])]).collect()
        }
        Some(Fault::FinMidPdu) => {
            answer.truncate(MBAP_BYTES + (answer.len() - MBAP_BYTES) / 2);
            vec![Step::Send(answer), Step::Fin]
        }
        Some(Fault::AnswerTwice) => vec![Step::Send(answer.clone()), Step::Send(answer)],
        Some(Fault::AnswersForever) => vec![Step::SendForever(answer)],
        Some(Fault::WrongTransaction) => vec![Step::Send(with_next(answer, 1))],
        Some(Fault::WrongUnit) => vec![Step::Send(with_next(answer, 6))],
        Some(Fault::WrongProtocolId) => vec![Step::Send(with_next(answer, 3))],
        Some(Fault::ZeroBytes) => vec![Step::Fin],
        Some(Fault::LengthZero) => {
            let header = answer.get(..4).unwrap_or_default();
            vec![Step::Send([header, &[0, 0]].concat())]
        }
        Some(Fault::LengthHuge) => {
            let header = answer.get(..4).unwrap_or_default();
            let rest = answer.get(6..).unwrap_or_default();
            let filling = vec![0; usize::from(LENGTH_HUGE).saturating_sub(rest.len())];
            vec![Step::Send([header, &LENGTH_HUGE.to_be_bytes(), rest, &filling].concat())]
        }
        Some(Fault::Silent) => Vec::new(),
        _ => vec![Step::Send(answer)],
    }
}

/// The answer with the byte at this offset one higher.
fn with_next(mut answer: Vec<u8>, offset: usize) -> Vec<u8> {
    if let Some(byte) = answer.get_mut(offset) {
        *byte = byte.wrapping_add(1);
    }
    answer
}

/// A page of one object, the one asked for, that says more follows.
fn endless_page(more: More, question: &[u8]) -> Option<Vec<u8>> {
    let &[t1, t0, _, _, _, _, unit, ENCAPSULATED, READ_IDENTIFICATION, read_code, object] = question else { return None };
    let next = match more {
        More::Rising => object.wrapping_add(1),
        More::Repeating => object,
    };
    let mut pdu = vec![ENCAPSULATED, READ_IDENTIFICATION, read_code, 0x83, 0xFF, next, 1, object, 7];
    pdu.extend(b"endless");
    Some(wrap(u16::from_be_bytes([t1, t0]), unit, &pdu))
}

/// Identity objects that attack a terminal, a spreadsheet, a page, a log and a decoder.
pub fn hostile_objects() -> Vec<(u8, Vec<u8>)> {
    vec![
        (0x00, b"\x1b[2J\x1b]0;owned\x07Evil \x1b[31mCorp\x1b[0m".to_vec()),
        (0x01, b"=cmd|' /C calc'!A1".to_vec()),
        (0x02, b"V9.9\0.9\r\nV1.0".to_vec()),
        (0x03, b"<script>alert(1)</script>".to_vec()),
        (0x04, "\u{202e}0.1V\u{202c} \u{2066}x\u{2069}\u{200b}".as_bytes().to_vec()),
        (0x05, b"\xff\xfe\xc0\xaf\xed\xa0\x80bad utf-8".to_vec()),
        (0x06, vec![b'A'; OBJECT_BYTES_MAX]),
        (0x80, b"@SUM(1+1)".to_vec()),
        (0x81, b"-1+1\tCEF:0|x|y=\n".to_vec()),
        (0x82, Vec::new()),
        (0x83, "\u{ff1d}1+1\u{9b}31m".as_bytes().to_vec()),
    ]
}
