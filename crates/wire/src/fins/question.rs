//! The questions we may put in FINS, and what an answer is to the one that waits.
//!
//! Sources as in the decoder beside it. The node address of a FINS/TCP client is what the server gives it (W421, 7-4-3), so that no two stations
//! have the same one.

use super::{
    ANSWER_BYTES, CONTROLLER_DATA, ENVELOPE_BYTES, ENVELOPE_FRAME, HEADER_BYTES, ICF_ANSWER, ICF_ZEROS, LENGTH_END, MAGIC, NAME,
    envelope_command, length,
};
use crate::Malformed;
use crate::conversation::Over;

/// Envelope commands (W421, 7-4-2): "which node am I", its answer, and "this frame cannot be sent".
const ENVELOPE_ASK_NODE: u32 = 0;
const ENVELOPE_TELL_NODE: u32 = 1;
const ENVELOPE_CANNOT_SEND: u32 = 3;
/// Where the envelope says what went wrong; 0 is nothing.
const ERROR_AT: usize = 12;
/// A node has an address from 1 to this.
const NODE_LAST: u32 = 254;
/// A command that wants an answer, and may pass two gateways. W227, 2-1.
const ICF_COMMAND: u8 = 0x80;
const GATEWAYS: u8 = 2;
/// The parameter of CONTROLLER DATA READ for model, versions and areas. W227, 3-14.
const MODEL_AND_AREAS: u8 = 0;

/// A read-only question, or what frames it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Over TCP, first: which node addresses we and the controller have on this connection.
    NodeAddress,
    /// CONTROLLER DATA READ: model and versions.
    Controller(Nodes),
}

/// Node addresses, on the local network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// The controller's; 0 is whoever has the network address.
    pub controller: u8,
    /// Ours.
    pub own: u8,
}

/// What a controller says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The envelope says that it cannot (W421, 7-4-2).
    Refused(u32),
    /// Who is who on this connection.
    Nodes(Nodes),
    /// The answer to CONTROLLER DATA READ, or its end code (W227, section 4).
    Controller,
}

impl Question {
    /// The question's name on the allowlist, and in readings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NodeAddress => "fins.node_address",
            Self::Controller(_) => "fins.controller",
        }
    }

    /// The whole message; `service` comes back with the answer. A node address is asked for over TCP alone.
    #[must_use]
    pub fn encode(&self, over: Over, service: u8) -> Vec<u8> {
        let (command, body) = match self {
            Self::NodeAddress => (ENVELOPE_ASK_NODE, vec![0; 4]),
            Self::Controller(nodes) => (ENVELOPE_FRAME, frame(*nodes, service)),
        };
        if over == Over::Udp {
            return body;
        }
        // 4 or 13 bytes.
        let length = (ENVELOPE_BYTES - LENGTH_END + body.len()) as u8;
        let mut message = MAGIC.to_vec();
        message.extend([0, 0, 0, length]);
        message.extend(command.to_be_bytes());
        message.extend([0; 4]);
        message.extend(body);
        message
    }

    /// Recognises one of these questions in a client's message, as we write it: its service id and the question; `None` for all else.
    #[must_use]
    pub fn read(over: Over, message: &[u8]) -> Option<(u8, Self)> {
        let found = match message.get(start(over)..)? {
            &[_, _, _, _, controller, _, _, own, _, service, _, _, _] => (service, Self::Controller(Nodes { controller, own })),
            [_, _, _, _] if over == Over::Tcp => (0, Self::NodeAddress),
            _ => return None,
        };
        (found.1.encode(over, found.0) == message).then_some(found)
    }

    /// What a message is to this question, which was put with `service`.
    ///
    /// # Errors
    /// [`Malformed`] where it is no answer to it.
    pub fn answered(&self, over: Over, service: u8, message: &[u8]) -> Result<Answer, Malformed> {
        let wrong = |offset, said_by| Err(Malformed::wrong(NAME, offset, said_by));
        if over == Over::Tcp {
            length(message)?;
            let error = message.get(ERROR_AT..).and_then(<[u8]>::first_chunk::<4>).map_or(0, |error| u32::from_be_bytes(*error));
            match (self, envelope_command(message)) {
                (Self::NodeAddress, Some(ENVELOPE_TELL_NODE)) if error == 0 => return nodes(message),
                (Self::NodeAddress, Some(ENVELOPE_TELL_NODE)) | (_, Some(ENVELOPE_CANNOT_SEND)) => return Ok(Answer::Refused(error)),
                (Self::Controller(_), Some(ENVELOPE_FRAME)) if error == 0 => {}
                (Self::Controller(_), Some(ENVELOPE_FRAME)) => return Ok(Answer::Refused(error)),
                _ => return wrong(LENGTH_END, "command that answers the question that waits (W421 7-4-2)"),
            }
        }
        let Self::Controller(asked) = self else { return wrong(0, "an answer to no question (W421 7-4-2)") };
        let start = start(over);
        let Some(answer) = message.get(start..).and_then(<[u8]>::first_chunk::<ANSWER_BYTES>) else {
            return Err(Malformed::short(NAME, start, ANSWER_BYTES, message.len().saturating_sub(start), "header of an answer (W227 2-2)"));
        };
        let &[icf, reserved, _, _, to, _, _, from, _, own_service, main, sub, _, _] = answer;
        if icf & ICF_ANSWER == 0 || icf & ICF_ZEROS != 0 || reserved != 0 {
            return wrong(start, "header of an answer (W227 2-1)");
        }
        if to != asked.own {
            return wrong(start + 4, "node that asked (W227 2-1)");
        }
        // Over UDP nobody told which node the controller is.
        if asked.controller != 0 && from != asked.controller {
            return wrong(start + 7, "node that was asked (W227 2-1)");
        }
        if own_service != service {
            return wrong(start + 9, "service id of the question that waits (W227 2-1)");
        }
        if [main, sub] != CONTROLLER_DATA {
            return wrong(start + HEADER_BYTES - 2, "command of the question that waits (W227 2-1)");
        }
        Ok(Answer::Controller)
    }
}

const fn start(over: Over) -> usize {
    match over {
        Over::Udp => 0,
        _ => ENVELOPE_BYTES,
    }
}

/// ICF, RSV, GCT, DNA, DA1, DA2, SNA, SA1, SA2, SID, command, parameter: from us to the CPU unit, both on the local network.
fn frame(nodes: Nodes, service: u8) -> Vec<u8> {
    let [main, sub] = CONTROLLER_DATA;
    vec![ICF_COMMAND, 0, GATEWAYS, 0, nodes.controller, 0, 0, nodes.own, 0, service, main, sub, MODEL_AND_AREAS]
}

fn nodes(message: &[u8]) -> Result<Answer, Malformed> {
    const NODES: &str = "node addresses from 1 to 254 (W421 7-4-2)";
    let Some(&[c0, c1, c2, c3, s0, s1, s2, s3]) = message.get(ENVELOPE_BYTES..).and_then(<[u8]>::first_chunk::<8>) else {
        return Err(Malformed::short(NAME, ENVELOPE_BYTES, 8, message.len().saturating_sub(ENVELOPE_BYTES), NODES));
    };
    let node =
        |bytes| Some(u32::from_be_bytes(bytes)).filter(|node| (1..=NODE_LAST).contains(node)).and_then(|node| u8::try_from(node).ok());
    match (node([c0, c1, c2, c3]), node([s0, s1, s2, s3])) {
        (Some(own), Some(controller)) => Ok(Answer::Nodes(Nodes { controller, own })),
        _ => Err(Malformed::wrong(NAME, ENVELOPE_BYTES, NODES)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Nodes = Nodes { controller: 0xc8, own: 0xfb };

    /// ITI ICS-Security-Tools (CC-BY-4.0 list), pcaps/omron/omron_test.pcap, frames 6, 8 and 17, with the node that the controller gave in frame 7
    /// where that client wrote 0, and unit 0 where it wrote EF.
    #[test]
    fn questions_are_those_of_a_recorded_client_and_round_trip() {
        let check = |over: Over, question: Question, service: u8, expected: &[u8]| {
            let message = question.encode(over, service);
            assert_eq!(message, expected, "{question:?}");
            assert_eq!(Question::read(over, &message), Some((service, question)));
            assert_eq!(Question::read(over, &message[1..]), None);
        };
        check(Over::Tcp, Question::NodeAddress, 0, b"FINS\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0");
        let framed = b"FINS\0\0\0\x15\0\0\0\x02\0\0\0\0\x80\x00\x02\x00\xc8\x00\x00\xfb\x00\x05\x05\x01\x00";
        check(Over::Tcp, Question::Controller(OWN), 5, framed);
        let node = Nodes { controller: 0, own: 0x63 };
        check(Over::Udp, Question::Controller(node), 0xef, b"\x80\x00\x02\x00\x00\x00\x00\x63\x00\xef\x05\x01\x00");
        // A write to memory is no question.
        assert_eq!(Question::read(Over::Udp, b"\x80\x00\x02\x00\x00\x00\x00\x63\x00\xef\x01\x02\x00"), None);
    }

    #[test]
    fn an_answer_belongs_to_its_question_or_to_none() {
        let controller = Question::Controller(OWN);
        let given = Answer::Nodes(OWN);
        let rows: [(Question, &[u8], Result<Answer, usize>); 11] = [
            (Question::NodeAddress, b"FINS\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\0\xfb\0\0\0\xc8", Ok(given)),
            (Question::NodeAddress, b"FINS\0\0\0\x10\0\0\0\x01\0\0\0\x20\0\0\0\0\0\0\0\0", Ok(Answer::Refused(0x20))),
            (Question::NodeAddress, b"FINS\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\0\xff\0\0\0\xc8", Err(16)),
            (Question::NodeAddress, b"FINS\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\0\xfb\0\0\0\0", Err(16)),
            (Question::NodeAddress, b"FINS\0\0\0\x08\0\0\0\x01\0\0\0\0", Err(16)),
            (Question::NodeAddress, b"FINS\0\0\0\x08\0\0\0\x06\0\0\0\0", Err(8)),
            (controller, b"FINS\0\0\0\x16\0\0\0\x02\0\0\0\0\xc0\0\x02\0\xfb\0\0\xc8\0\x05\x05\x01\0\0", Ok(Answer::Controller)),
            (controller, b"FINS\0\0\0\x16\0\0\0\x02\0\0\0\0\xc0\0\x02\0\xfa\0\0\xc8\0\x05\x05\x01\0\0", Err(20)),
            (controller, b"FINS\0\0\0\x16\0\0\0\x02\0\0\0\0\xc0\0\x02\0\xfb\0\0\xc8\0\x06\x05\x01\0\0", Err(25)),
            (controller, b"FINS\0\0\0\x16\0\0\0\x02\0\0\0\0\x80\0\x02\0\xfb\0\0\xc8\0\x05\x05\x01\0\0", Err(16)),
            (controller, b"FINS\0\0\0\x08\0\0\0\x03\0\0\0\x21", Ok(Answer::Refused(0x21))),
        ];
        for (question, message, expected) in rows {
            let answer = question.answered(Over::Tcp, 5, message).map_err(|malformed| malformed.offset);
            assert_eq!(answer, expected, "{question:?} {}", message.escape_ascii());
        }
        let answer = b"\xc0\0\x02\0\xfb\0\0\xc8\0\x05\x05\x02\0\0";
        assert_eq!(controller.answered(Over::Udp, 5, answer).map_err(|malformed| malformed.offset), Err(10));
        for cut in 0..answer.len() {
            assert!(controller.answered(Over::Udp, 5, &answer[..cut]).is_err(), "{cut}");
        }
    }
}
