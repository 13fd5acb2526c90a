//! The questions we may put over HART-IP, how they are recognised, and what an answer to one says about whom to ask next.
//!
//! Sources: HCF_SPEC-085 (header, session initiate and close, token-passing PDU), HCF_SPEC-081 (frame), HCF_SPEC-127 (commands 0, 13, 20).

use super::command::Frame;
use super::{CLOSE, HEADER_BYTES, Header, NAK, REQUEST, RESPONSE, SESSION, TOKEN_PASSING};

/// Since HART-IP began; version 2 asks for TLS first.
const VERSION: u8 = 1;
/// Delimiters of a question without expansion bytes: short and long address.
const SHORT: u8 = 0x02;
const LONG: u8 = 0x82;
/// Bits of an address's first byte: whose it is. The one above them says primary master and is 0, the next is the instrument's own.
const ADDRESS: u8 = 0x3f;
/// "Secondary master".
const SECONDARY: u8 = 0;
const IDENTITY: u8 = 0;
const TAG: u8 = 13;
const LONG_TAG: u8 = 20;
/// Starts the data of command 0 where it has all that a long address is made of.
const EXPANDED: u8 = 254;
/// Response code and device status.
const STATUS_BYTES: usize = 2;

/// After so long without a message the server ends our session itself, in milliseconds.
pub const INACTIVITY_MS: u32 = 20_000;

/// Whom a command is for: 14 bits of an instrument's type and its device id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Long(pub [u8; 5]);

/// A read-only identity question, or what begins and ends the session that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Begins a session as secondary master.
    Initiate,
    /// Command 0 to a polling address (0 to 63).
    Identity(u8),
    /// Command 20: the long tag.
    LongTag(Long),
    /// Command 13: tag, descriptor, date.
    Tag(Long),
    /// Ends the session.
    Close,
}

impl Question {
    /// The question's name on the allowlist, and of the readings that answer it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Initiate => "hart-ip.session.initiate",
            Self::Identity(_) => "hart-ip.identity",
            Self::LongTag(_) => "hart-ip.long_tag",
            Self::Tag(_) => "hart-ip.tag",
            Self::Close => "hart-ip.session.close",
        }
    }

    /// The whole message; an answer has the same sequence number.
    #[must_use]
    pub fn encode(&self, sequence: u16) -> Vec<u8> {
        let (id, body) = match self {
            Self::Initiate => (SESSION, [&[SECONDARY][..], &INACTIVITY_MS.to_be_bytes()].concat()),
            Self::Identity(polling) => (TOKEN_PASSING, frame(&[SHORT, polling & ADDRESS, IDENTITY, 0])),
            Self::LongTag(Long([first, a, b, c, d])) => (TOKEN_PASSING, frame(&[LONG, first & ADDRESS, *a, *b, *c, *d, LONG_TAG, 0])),
            Self::Tag(Long([first, a, b, c, d])) => (TOKEN_PASSING, frame(&[LONG, first & ADDRESS, *a, *b, *c, *d, TAG, 0])),
            Self::Close => (CLOSE, Vec::new()),
        };
        let [s0, s1] = sequence.to_be_bytes();
        // Seventeen bytes are the longest.
        let length = (HEADER_BYTES + body.len()) as u8;
        [&[VERSION, REQUEST, id, 0, s0, s1, 0, length][..], &body].concat()
    }

    /// Recognises one of these questions, in a session of a secondary master; `None` for everything else.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<(u16, Self)> {
        let header = Header::read(message).ok().flatten().filter(|header| header.kind == REQUEST)?;
        let question = match (header.id, message.get(HEADER_BYTES..)?) {
            (SESSION, _) => Self::Initiate,
            (CLOSE, _) => Self::Close,
            (TOKEN_PASSING, &[SHORT, polling, IDENTITY, 0, _]) => Self::Identity(polling),
            (TOKEN_PASSING, &[LONG, a, b, c, d, e, LONG_TAG, 0, _]) => Self::LongTag(Long([a, b, c, d, e])),
            (TOKEN_PASSING, &[LONG, a, b, c, d, e, TAG, 0, _]) => Self::Tag(Long([a, b, c, d, e])),
            _ => return None,
        };
        (question.encode(header.sequence) == message).then_some((header.sequence, question))
    }
}

/// A frame and its check byte.
fn frame(bytes: &[u8]) -> Vec<u8> {
    let check = bytes.iter().fold(0, |sum, byte| sum ^ byte);
    [bytes, &[check]].concat()
}

/// What a message is to a question that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The server's own word on a session or a message, by its code; 0 is yes.
    Session(u8),
    /// The server has no answer to it.
    Refused,
    /// A command's answer.
    Command {
        /// The response code; with its top bit a broken transmission to the instrument.
        code: u8,
        /// Whom the answer names in command 0, and the revision of the universal commands that he knows.
        identity: Option<(Long, u8)>,
        /// False where the check byte or the length is wrong.
        whole: bool,
    },
}

impl Answered {
    /// Reads the answer to `question` with this sequence number; `None` where the message is none.
    #[must_use]
    pub fn read(message: &[u8], sequence: u16, question: Question) -> Option<Self> {
        let header = Header::read(message).ok().flatten().filter(|header| header.sequence == sequence)?;
        let (id, address, command): (u8, &[u8], u8) = match &question {
            Question::Initiate => (SESSION, &[], 0),
            Question::Close => (CLOSE, &[], 0),
            Question::Identity(polling) => (TOKEN_PASSING, core::slice::from_ref(polling), IDENTITY),
            Question::LongTag(Long(long)) => (TOKEN_PASSING, long, LONG_TAG),
            Question::Tag(Long(long)) => (TOKEN_PASSING, long, TAG),
        };
        if header.id != id {
            return None;
        }
        match header.kind {
            NAK => return Some(Self::Refused),
            RESPONSE if id != TOKEN_PASSING => return message.get(3).copied().map(Self::Session),
            RESPONSE => {}
            _ => return None,
        }
        let Some(frame) = message.get(HEADER_BYTES..header.bytes).filter(|frame| !frame.is_empty()) else { return Some(Self::Refused) };
        let read = Frame::read(frame).filter(|read| read.answers(command) && read.is_of(frame, address))?;
        let data = frame.get(read.body()).unwrap_or_default();
        let identity = match data.get(STATUS_BYTES..) {
            Some(&[EXPANDED, kind, of_kind, _, revision, _, _, _, _, a, b, c, ..]) if command == IDENTITY => {
                Some((Long([kind & ADDRESS, of_kind, a, b, c]), revision))
            }
            _ => None,
        };
        Some(Self::Command { code: data.first().copied().unwrap_or(0), identity, whole: read.whole(frame) && data.len() >= STATUS_BYTES })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIHART: Long = Long([0x26, 0x4e, 0, 0, 0xd2]);

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks_exact(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
    }

    fn check(question: Question, sequence: u16, expected: &str) {
        let message = question.encode(sequence);
        assert_eq!(message, bytes(expected), "{}", question.name());
        assert_eq!(Question::read(&message), Some((sequence, question)));
        assert!((0..message.len()).all(|cut| Question::read(&message[..cut]).is_none()), "{} cut", question.name());
    }

    /// Of public captures (cisagov/icsnpp-hart-ip testing/traces): hart-ip.pcap frame 17; hart-ip_publish_and_keepAlive.pcapng frame 8 and
    /// hart-ip.pcap frame 1, but for the master, who is the primary one there, and the timer, which is 30 s;
    /// hart-ip_all_messageIDs.pcapng frame 16. Command 13 is hart-ip.pcap frame 15 with another number.
    #[test]
    fn questions_are_those_of_public_captures_and_round_trip() {
        check(Question::LongTag(WIHART), 10, "01000300000a0011 82264e0000d21400 2c");
        check(Question::Tag(WIHART), 11, "01000300000b0011 82264e0000d20d00 35");
        check(Question::Identity(0), 1, "010003000001000d 02000000 02");
        check(Question::Initiate, 2, "010000000002000d 0000004e20");
        check(Question::Close, 6, "0100010000060008");
    }

    #[test]
    fn what_is_no_question_of_ours_is_not_recognised() {
        let table = [
            "010003000001000d0280000082",         // the primary master's
            "010000000002000d0100007530",         // a session of the primary master
            "0100020000020008",                   // keep alive
            "010003000004001182264e0000d2010039", // command 1
            "010003000007001582264e0000d209040001020335",
            "010103000003002986264e0000d2001800d0fe264e050704010e0c0000d205020002d00026002684e4",
        ];
        for message in table {
            assert_eq!(Question::read(&bytes(message)), None, "{message}");
        }
    }

    /// The captures of the decoder's tests: command 0 by short and by long address, command 20; the others by hand.
    #[test]
    fn an_answer_belongs_to_its_question_alone() {
        let check = |message: &str, sequence: u16, question: Question, expected: Option<Answered>| {
            assert_eq!(Answered::read(&bytes(message), sequence, question), expected, "{message}");
        };
        let short = "010103000001002506c000180010fef9fd000702324e0095266f000300010100f900f941d3";
        let identity = Some((Long([0x39, 0xfd, 0x95, 0x26, 0x6f]), 7));
        check(short, 1, Question::Identity(0), Some(Answered::Command { code: 0, identity, whole: true }));
        check(short, 2, Question::Identity(0), None);
        check(short, 1, Question::Identity(1), None);
        check(short, 1, Question::Tag(WIHART), None);
        let long_tag = "01010300000a003386264e0000d2142200d07769686172746777000000000000000000000000000000000000000000000000db";
        check(long_tag, 10, Question::LongTag(WIHART), Some(Answered::Command { code: 0, identity: None, whole: true }));
        check(long_tag, 10, Question::LongTag(Long([0x26, 0x4e, 0, 0, 0xd3])), None);
        check(
            &long_tag.replace("00db", "00dc"),
            10,
            Question::LongTag(WIHART),
            Some(Answered::Command { code: 0, identity: None, whole: false }),
        );
        check("010100000002000d010000ea60", 2, Question::Initiate, Some(Answered::Session(0)));
        check("01010010 00020008", 2, Question::Initiate, Some(Answered::Session(0x10)));
        check("010f0300 000a0008", 10, Question::LongTag(WIHART), Some(Answered::Refused));
        check("010203 00000a0008", 10, Question::LongTag(WIHART), None);
    }
}
