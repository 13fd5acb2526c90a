//! What devices do to those who ask them: each from read-only.md section 1 or from the zoo of hostile devices.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::language::{Carrier, Language};
use crate::report::Speaker;

/// Bytes that follow a length field of two bytes or more that says the most it can.
const HUGE_BYTES: usize = 65_535;
/// A text of this length fills a page of most protocols.
const LONG_TEXT_BYTES: usize = 244;
/// Bytes that begin no message of any protocol here, and hold a length in none; a datagram or one read of them.
const NOISE: [u8; 48] = [0xA7; 48];

/// One misbehaviour of a device. A fault of a field that a protocol does not have changes nothing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The identity says "more follows" for ever.
    EndlessMore(More),
    /// One byte of the answer per interval.
    SlowLoris {
        /// Time between two bytes.
        interval: Duration,
    },
    /// Half of the answer, then FIN.
    FinMidPdu,
    /// Half of the answer, then silence.
    CutShort,
    /// Bytes without a meaning instead of the answer.
    Noise,
    /// The same over and over, until the peer closes.
    NoiseForever,
    /// Ends a connection so long after the peer has, and after it would have by itself.
    ClosesLate {
        /// Time between the peer's end and its own.
        delay: Duration,
    },
    /// Every answer twice.
    AnswerTwice,
    /// An answer as soon as the connection stands; questions are answered too.
    AnswerBeforeQuestion,
    /// The answer over and over, until the peer closes.
    AnswersForever,
    /// Every answer comes so late: after the next question, if that did not wait.
    LateAnswer {
        /// Time between question and answer.
        delay: Duration,
    },
    /// The answer carries the number after the one asked: transaction, sequence, sender context, invoke or request id.
    WrongTransaction,
    /// The answer comes from the station after the one asked: unit id, session handle, link address.
    WrongUnit,
    /// The answer carries the protocol id or version after the right one.
    WrongProtocolId,
    /// Closes on a question without a byte.
    ZeroBytes,
    /// The length field says 0 and nothing follows it.
    LengthZero,
    /// The length field says the most it can, and so many bytes follow, at most 65,535.
    LengthHuge,
    /// Accepts, reads, and never answers.
    Silent,
    /// Resets every connection at once.
    RstOnConnect,
    /// Resets the connection after so many answered questions.
    ResetAfter(u32),
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
    /// Texts that attack whoever shows them: [`hostile_texts`].
    HostileText,
}

/// Where an endless "more follows" goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// At the next place; after the last comes the first.
    Rising,
    /// At the place that was just asked for.
    Repeating,
}

/// One thing a device does on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Sends the same again and again.
    SendForever(Vec<u8>),
    Wait(Duration),
    Fin,
    Reset,
}

/// The persona that a fault makes of this one.
pub(crate) fn crooked(persona: Arc<dyn Language>, fault: Option<&Fault>) -> Arc<dyn Language> {
    fault.and_then(|fault| persona.crooked(fault)).unwrap_or(persona)
}

/// What the device does as soon as a connection stands.
pub(crate) fn steps_on_connect(fault: Option<&Fault>, persona: &dyn Language, over: Carrier, greeting: Vec<Vec<u8>>) -> VecDeque<Step> {
    if persona.speaks_first() {
        return steps_on_question(fault, persona, greeting, 1).into();
    }
    let mut steps: VecDeque<Step> = greeting.into_iter().map(Step::Send).collect();
    if fault == Some(&Fault::AnswerBeforeQuestion) {
        let early = persona.talk(Speaker::Asker, over).take(&persona.sample());
        steps.extend(early.answers.into_iter().map(Step::Send));
    }
    steps
}

/// What the device does when it has these answers to its question number `questions` on the connection.
pub(crate) fn steps_on_question(fault: Option<&Fault>, persona: &dyn Language, answers: Vec<Vec<u8>>, questions: u32) -> Vec<Step> {
    if answers.is_empty() {
        return Vec::new();
    }
    let all = answers.concat();
    let mut steps: Vec<Step> = answers.into_iter().map(|answer| Step::Send(changed(fault, persona, answer))).collect();
    match fault {
        Some(&Fault::SlowLoris { interval }) => all.into_iter().flat_map(|byte| [Step::Wait(interval), Step::Send(vec![byte])]).collect(),
        Some(Fault::FinMidPdu | Fault::CutShort | Fault::LengthZero) => {
            steps.truncate(1);
            steps.extend((fault == Some(&Fault::FinMidPdu)).then_some(Step::Fin));
            steps
        }
        Some(Fault::AnswerTwice) => [steps.clone(), steps].concat(),
        Some(Fault::AnswersForever) => vec![Step::SendForever(all)],
        Some(Fault::Noise) => vec![Step::Send(NOISE.to_vec())],
        Some(Fault::NoiseForever) => vec![Step::SendForever(NOISE.to_vec())],
        Some(&Fault::LateAnswer { delay }) => {
            steps.insert(0, Step::Wait(delay));
            steps
        }
        Some(Fault::ZeroBytes) => vec![Step::Fin],
        Some(Fault::Silent) => Vec::new(),
        Some(&Fault::ResetAfter(most)) if questions >= most => {
            steps.push(Step::Reset);
            steps
        }
        _ => steps,
    }
}

/// One answer as a fault of its fields makes it.
fn changed(fault: Option<&Fault>, persona: &dyn Language, mut answer: Vec<u8>) -> Vec<u8> {
    let layout = persona.layout(&answer);
    let next = match fault {
        Some(Fault::WrongTransaction) => layout.transaction,
        Some(Fault::WrongUnit) => layout.unit,
        Some(Fault::WrongProtocolId) => layout.protocol,
        _ => None,
    };
    if let Some(byte) = next.and_then(|at| answer.get_mut(at)) {
        *byte = byte.wrapping_add(1);
        return persona.seal(answer);
    }
    match (fault, layout.length) {
        (Some(Fault::FinMidPdu | Fault::CutShort), _) => {
            answer.truncate(layout.header_bytes.saturating_add(answer.len().saturating_sub(layout.header_bytes) / 2));
            answer
        }
        (Some(Fault::LengthZero), Some(length)) if length.end <= answer.len() => {
            answer.truncate(length.end);
            answer.splice(length.clone(), length.map(|_| 0));
            answer
        }
        (Some(Fault::LengthHuge), Some(length)) if length.end <= answer.len() => {
            let most = if length.len() == 1 { usize::from(u8::MAX) } else { HUGE_BYTES };
            let end = length.end.saturating_add(most);
            answer.splice(length.clone(), length.map(|_| u8::MAX));
            answer.resize(end.max(answer.len()), 0);
            answer
        }
        _ => answer,
    }
}

/// Texts that attack a terminal, a spreadsheet, a page, a log and a decoder.
pub fn hostile_texts() -> Vec<Vec<u8>> {
    vec![
        b"\x1b[2J\x1b]0;owned\x07Evil \x1b[31mCorp\x1b[0m".to_vec(),
        b"=cmd|' /C calc'!A1".to_vec(),
        b"V9.9\0.9\r\nV1.0".to_vec(),
        b"<script>alert(1)</script>".to_vec(),
        "\u{202e}0.1V\u{202c} \u{2066}x\u{2069}\u{200b}".as_bytes().to_vec(),
        b"\xff\xfe\xc0\xaf\xed\xa0\x80bad utf-8".to_vec(),
        vec![b'A'; LONG_TEXT_BYTES],
        b"@SUM(1+1)".to_vec(),
        b"-1+1\tCEF:0|x|y=\n".to_vec(),
        Vec::new(),
        "\u{ff1d}1+1\u{9b}31m".as_bytes().to_vec(),
    ]
}

/// The hostile text for a persona's field number so and so, at most this long.
pub(crate) fn hostile_text(number: usize, bytes_max: usize) -> Vec<u8> {
    let mut text = hostile_texts().into_iter().cycle().nth(number).unwrap_or_default();
    text.truncate(bytes_max);
    text
}
