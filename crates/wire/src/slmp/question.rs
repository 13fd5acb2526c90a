//! The question we may put, in the frame that all of these controllers know: 3E, binary, to the station that is connected.
//!
//! MELSEC SH-080956ENG (SLMP Reference Manual), 4.2 (request), 4.3 (response), 5.2 (Read Type Name).

use super::TYPE_NAME;
use super::frame::{BODY_BYTES_MAX, Frame, PLAIN_BYTES};
use crate::Malformed;

/// Longest message that is cut out of a stream.
pub const ANSWER_BYTES_MAX: usize = PLAIN_BYTES + BODY_BYTES_MAX;
/// Network 0, station FF: the one that is connected; its own processor (03FF), no multidrop station. 4.2.
const ROUTE: [u8; 5] = [0, 0xff, 0xff, 0x03, 0];
/// How long the controller may take, in quarters of a second: as long as we wait for it. 4.2.
const TIMER_QUARTERS: u8 = 8;

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Command 0101, subcommand 0000: Read Type Name.
    TypeName,
}

impl Question {
    /// The question's name on the allowlist and in readings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        "slmp.type_name"
    }

    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let [low, high] = TYPE_NAME.to_le_bytes();
        let body = [TIMER_QUARTERS, 0, low, high, 0, 0];
        [&[0x50, 0][..], &ROUTE, &[body.len() as u8, 0], &body].concat()
    }

    /// Recognises one of these questions in a client's message; `None` for everything else.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<Self> {
        let frame = Frame::read(message).ok()??;
        let is_plain = !frame.answer && !frame.ascii && frame.serial.is_none() && frame.bytes == message.len();
        let asks = (frame.word(message, 2), frame.word(message, 4)) == (Some(TYPE_NAME), Some(0));
        (is_plain && frame.route == ROUTE && asks && frame.bytes == PLAIN_BYTES + 6).then_some(Self::TypeName)
    }
}

/// How long the message is that starts here; `None` while too few bytes are there to know. At most [`ANSWER_BYTES_MAX`].
///
/// # Errors
/// [`Malformed`] where none starts here.
pub fn answer_bytes(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(Frame::read(bytes)?.map(|frame| frame.bytes))
}

/// Whether a whole message can answer our question: a 3E frame has no number to tell by, only its form and whose it is.
///
/// # Errors
/// [`Malformed`] with the byte that says no.
pub fn belongs(message: &[u8]) -> Result<(), Malformed> {
    let wrong = |at, said_by| Err(Malformed::wrong("slmp", at, said_by));
    match Frame::read(message)? {
        Some(frame) if !frame.answer || frame.ascii || frame.serial.is_some() => wrong(0, "a binary 3E frame with an answer (4.3)"),
        Some(frame) if frame.route != ROUTE => wrong(2, "route of the station that was asked (4.3)"),
        Some(frame) if frame.bytes != message.len() => {
            Err(Malformed::short("slmp", frame.body, frame.bytes - frame.body, message.len() - frame.body, "length of the body (4.3)"))
        }
        Some(_) => Ok(()),
        None => Err(Malformed::short("slmp", 0, PLAIN_BYTES, message.len(), "header of a 3E frame (4.3)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand from SH-080956ENG, 4.2 and 5.2.
    const ASKED: &[u8] = b"\x50\0\0\xff\xff\x03\0\x06\0\x08\0\x01\x01\0\0";
    const ANSWER: &[u8] = b"\xd0\0\0\xff\xff\x03\0\x14\0\0\0Q02UCPU         \x63\x02";

    #[test]
    fn the_question_is_the_manual_s_and_round_trips() {
        assert_eq!(Question::TypeName.encode(), ASKED);
        assert_eq!(Question::read(ASKED), Some(Question::TypeName));
    }

    #[test]
    fn one_byte_off_is_no_question() {
        // The timer may be any.
        for at in (0..ASKED.len()).filter(|at| !matches!(at, 9 | 10)) {
            let mut other = ASKED.to_vec();
            other[at] ^= 1;
            assert_eq!(Question::read(&other), None, "byte {at}");
        }
    }

    #[test]
    fn an_answer_belongs_by_its_form_and_route() {
        assert_eq!((belongs(ANSWER), answer_bytes(ANSWER), answer_bytes(&ANSWER[..8])), (Ok(()), Ok(Some(ANSWER.len())), Ok(None)));
        let numbered = b"\xd4\0\x34\x12\0\0\0\xff\xff\x03\0\x02\0\0\0";
        let elsewhere = b"\xd0\0\0\x01\xff\x03\0\x02\0\0\0";
        let ascii = b"D00000FF03FF0000040000";
        for (message, at) in [(ASKED, 0), (&numbered[..], 0), (ascii, 0), (elsewhere, 2), (&ANSWER[..20], 9), (&ANSWER[..5], 0)] {
            assert_eq!(belongs(message).map_err(|malformed| malformed.offset), Err(at), "{}", message.escape_ascii());
        }
    }
}
