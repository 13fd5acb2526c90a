//! The questions we may put over EtherNet/IP, and what an answer is to the one that waits.
//!
//! Source: ODVA, The CIP Networks Library, volume 2, edition 1.4: 2-4.2 (ListIdentity), 2-4.4 (RegisterSession), 2-4.5 (UnRegisterSession), 2-4.7
//! (SendRRData); volume 1, edition 3.3: 3-5.5.4 (Unconnected_Send), 5-2.3 (services of the Identity object).

use super::{
    Carried, HEADER, HEADER_BYTES, Header, ITEM_UNCONNECTED_DATA, LIST_IDENTITY, NAME, REGISTER_SESSION, SEND_RR_DATA, UNREGISTER_SESSION,
};
use crate::Malformed;
use crate::cip::{GET_ATTRIBUTE_SINGLE, GET_ATTRIBUTES_ALL, Reply, UNCONNECTED_SEND};

/// The sender's context of a ListIdentity begins with the longest time in milliseconds for which a device may hold its answer back (2-4.2.3);
/// what is less than 500 counts as 500, and 0 as two seconds, for which we would wait in vain.
const ANSWER_DELAY_MS_MAX: u16 = 500;
/// RegisterSession: version 1, no options.
const SESSION: [u8; 4] = [1, 0, 0, 0];
/// Interface handle 0 (CIP), two seconds for the answer, two items: no address, and an unconnected message.
const UNCONNECTED: [u8; 14] = [0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, ITEM_UNCONNECTED_DATA as u8, 0];
/// Path to the Connection Manager, then 250 ticks of 8 ms: the module in between forgets our question when we do.
const THROUGH: [u8; 8] = [UNCONNECTED_SEND, 2, 0x20, 6, 0x24, 1, 3, 250];
/// Instance 1 of the Identity object, as words of a path.
const IDENTITY: [u8; 4] = [0x20, 1, 0x24, 1];
const BACKPLANE: u8 = 1;

/// A read-only question, or what frames it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who has this address: without a session.
    ListIdentity,
    /// Opens a session, which [`Question::Identity`] takes.
    RegisterSession,
    /// Frees the session; it has no answer.
    UnregisterSession,
    /// The Identity object of the module in a slot of the backplane.
    Identity {
        /// Where the module stands.
        slot: u8,
        /// One attribute; all of them where there is none.
        attribute: Option<u8>,
    },
}

/// What a device says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its status in the encapsulation is an error (table 2-3.3): there is nothing in it.
    Refused(u32),
    /// An identity.
    Identity,
    /// The session's handle.
    Session(u32),
    /// A module's reply, or that of who passes messages on to it.
    Reply {
        /// True where it is not the module's own: it was not reached.
        of_router: bool,
        /// General status (volume 1, appendix B): 0 is success.
        status: u8,
    },
}

impl Question {
    /// The question's name on the allowlist, and in readings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ListIdentity => "enip.list_identity",
            Self::RegisterSession => "enip.register_session",
            Self::UnregisterSession => "enip.unregister_session",
            Self::Identity { .. } => "cip.identity",
        }
    }

    /// The whole message. `context` comes back with the answer.
    #[must_use]
    pub fn encode(&self, session: u32, context: u8) -> Vec<u8> {
        let [d0, d1] = ANSWER_DELAY_MS_MAX.to_le_bytes();
        let (command, context, body) = match self {
            Self::ListIdentity => (LIST_IDENTITY, [d0, d1, 0, 0, 0, 0, 0, 0], Vec::new()),
            Self::RegisterSession => (REGISTER_SESSION, counted(context), SESSION.to_vec()),
            Self::UnregisterSession => (UNREGISTER_SESSION, counted(context), Vec::new()),
            Self::Identity { slot, attribute } => (SEND_RR_DATA, counted(context), unconnected(*slot, *attribute)),
        };
        let mut message = command.to_le_bytes().to_vec();
        // The longest has 38 bytes.
        message.extend([body.len() as u8, 0]);
        message.extend(session.to_le_bytes());
        message.extend([0; 4]);
        message.extend(context);
        message.extend([0; 4]);
        message.extend(body);
        message
    }

    /// Recognises one of these questions in a client's message, as we write it: session, context and question; `None` for everything else.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<(u32, u8, Self)> {
        let header = Header::read(message).ok()??;
        let context = if header.command == LIST_IDENTITY { 0 } else { header.context[0] };
        let question = match (header.command, message.get(HEADER_BYTES..)?) {
            (LIST_IDENTITY, []) => Self::ListIdentity,
            (REGISTER_SESSION, _) => Self::RegisterSession,
            (UNREGISTER_SESSION, []) => Self::UnregisterSession,
            (SEND_RR_DATA, body @ [.., slot]) => {
                let attribute = body.len().checked_sub(5).and_then(|at| body.get(at)).copied();
                let whole = [None, attribute].map(|attribute| Self::Identity { slot: *slot, attribute });
                whole.into_iter().find(|question| question.encode(header.session, context) == message)?
            }
            _ => return None,
        };
        (question.encode(header.session, context) == message).then_some((header.session, context, question))
    }

    /// What a message is to this question, which was put in `session` with `context`.
    ///
    /// # Errors
    /// [`Malformed`] where it is no answer to it.
    pub fn answered(&self, session: u32, context: u8, message: &[u8]) -> Result<Answer, Malformed> {
        let asked = self.encode(session, context);
        let (Some(header), Some(question)) = (Header::read(message)?, Header::read(&asked)?) else {
            return Err(Malformed::short(NAME, 0, HEADER_BYTES, message.len(), HEADER));
        };
        if header.command != question.command {
            return Err(Malformed::wrong(NAME, 0, "command of the question that waits (CIP volume 2, 2-3.1)"));
        }
        if header.context != question.context {
            return Err(Malformed::wrong(NAME, 12, "sender's context of the question that waits (CIP volume 2, 2-3.1)"));
        }
        // Opening a session makes the handle, and ListIdentity has none: whatever stands there is to be ignored (2-4.2.1).
        if matches!(self, Self::Identity { .. }) && header.session != session {
            return Err(Malformed::wrong(NAME, 4, "session of the question that waits (CIP volume 2, 2-3.1)"));
        }
        match self {
            _ if header.status != 0 => Ok(Answer::Refused(header.status)),
            Self::ListIdentity if header.length > 0 => Ok(Answer::Identity),
            Self::RegisterSession if header.session != 0 && message.get(HEADER_BYTES..) == Some(&SESSION) => {
                Ok(Answer::Session(header.session))
            }
            Self::Identity { attribute, .. } => self::reply(attribute.is_none(), message),
            _ => Err(Malformed::wrong(NAME, HEADER_BYTES, "contents of an answer to the question that waits (CIP volume 2, 2-4)")),
        }
    }
}

fn counted(context: u8) -> [u8; 8] {
    [context, 0, 0, 0, 0, 0, 0, 0]
}

/// What stands behind the header of a SendRRData.
fn unconnected(slot: u8, attribute: Option<u8>) -> Vec<u8> {
    let mut request = match attribute {
        None => vec![GET_ATTRIBUTES_ALL, 2],
        Some(_) => vec![GET_ATTRIBUTE_SINGLE, 3],
    };
    request.extend(IDENTITY);
    request.extend(attribute.into_iter().flat_map(|attribute| [0x30, attribute]));
    // Six or eight bytes.
    let count = request.len() as u8;
    let through = THROUGH.into_iter().chain([count, 0]).chain(request).chain([1, 0, BACKPLANE, slot]);
    let through: Vec<u8> = through.collect();
    let mut body = UNCONNECTED.to_vec();
    body.extend([through.len() as u8, 0]);
    body.extend(through);
    body
}

fn reply(of_all: bool, message: &[u8]) -> Result<Answer, Malformed> {
    const UNCONNECTED: &str = "an unconnected message in the answer (CIP volume 2, 2-4.7)";
    let Some(Carried { connected: None, span }) = Carried::read(message) else {
        return Err(Malformed::wrong(NAME, HEADER_BYTES, UNCONNECTED));
    };
    let reply = Reply::read(message, span)?;
    let asked = if of_all { GET_ATTRIBUTES_ALL } else { GET_ATTRIBUTE_SINGLE };
    match reply.service {
        UNCONNECTED_SEND => Ok(Answer::Reply { of_router: true, status: reply.status }),
        service if service == asked => Ok(Answer::Reply { of_router: !reply.is_of_target(), status: reply.status }),
        _ => Err(Malformed::wrong(NAME, span.at, "service that was asked (CIP volume 1, 2-4.2)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// ITI ICS-Security-Tools (CC-BY-4.0 list), openics/EIP-FirmwareChange.pcap, frames 10680 and 10681; EIP-IPAddressChangeAttempt.pcap, frames
    /// 3986 and 4; pjkundert/cpppo, controllogix-SCADA-read-write.pcapng, frame 11. Ours differ from those in context, session and ticks.
    #[test]
    fn questions_are_those_of_recorded_clients_and_round_trip() {
        let check = |question: Question, session: u32, expected: &str| {
            let message = question.encode(session, 7);
            assert_eq!(message, bytes(expected), "{question:?}");
            let context = if question == Question::ListIdentity { 0 } else { 7 };
            assert_eq!(Question::read(&message), Some((session, context, question)), "{question:?}");
        };
        check(Question::ListIdentity, 0, "6300 0000 00000000 00000000 f401000000000000 00000000");
        check(Question::RegisterSession, 0, "6500 0400 00000000 00000000 0700000000000000 00000000 01000000");
        check(Question::UnregisterSession, 0x1102_1e01, "6600 0000 011e0211 00000000 0700000000000000 00000000");
        check(
            Question::Identity { slot: 0, attribute: None },
            0x1102_1e01,
            "6f00 2400 011e0211 00000000 0700000000000000 00000000 00000000 0200 0200 0000 0000 b200 1400 \
             52 02 20062401 03fa 0600 01 02 20012401 01 00 0100",
        );
        check(
            Question::Identity { slot: 3, attribute: Some(4) },
            0x1102_1e01,
            "6f00 2600 011e0211 00000000 0700000000000000 00000000 00000000 0200 0200 0000 0000 b200 1600 \
             52 02 20062401 03fa 0800 0e 03 20012401 3004 01 00 0103",
        );
        assert_eq!(
            Question::read(&bytes(
                "6f00 1600 01021200 00000000 813f0000489ae000 00000000 00000000 1400 0200 0000 0000 b200 0600 010220012401"
            )),
            None
        );
    }

    #[test]
    fn an_answer_belongs_to_its_question_or_to_none() {
        const L61: &str = "b2002700 81000000 01000e003600140b60311a066c00 14313735362d4c36312f42204c4f47495835353631";
        let all = Question::Identity { slot: 0, attribute: None };
        let of_all = |head: &str, cip: &str| format!("{head} 00000000 0000 0200 00000000 {cip}");
        let head = "6f00 3700 011e0211 00000000 0200000000000000 00000000";
        let rows: [(Question, String, Result<Answer, usize>); 16] = [
            (Question::ListIdentity, "6300 0200 00000000 00000000 f401000000000000 00000000 0000".into(), Ok(Answer::Identity)),
            (Question::ListIdentity, "6300 0000 00000000 01000000 f401000000000000 00000000".into(), Ok(Answer::Refused(1))),
            (Question::ListIdentity, "6300 0000 00000000 00000000 f401000000000000 00000000".into(), Err(24)),
            (Question::ListIdentity, "6300 0200 00000000 00000000 0000000000000000 00000000 0000".into(), Err(12)),
            (Question::ListIdentity, "6300 0200 07000000 00000000 f401000000000000 00000000 0000".into(), Ok(Answer::Identity)),
            (
                Question::RegisterSession,
                "6500 0400 011e0211 00000000 0200000000000000 00000000 01000000".into(),
                Ok(Answer::Session(0x1102_1e01)),
            ),
            (Question::RegisterSession, "6500 0400 00000000 00000000 0200000000000000 00000000 01000000".into(), Err(24)),
            (Question::RegisterSession, "6500 0000 00000000 02000000 0200000000000000 00000000".into(), Ok(Answer::Refused(2))),
            (all, of_all(head, L61), Ok(Answer::Reply { of_router: false, status: 0 })),
            (all, of_all(&head.replace("0200000000000000", "0300000000000000"), L61), Err(12)),
            (all, of_all(&head.replace("011e0211", "021e0211"), L61), Err(4)),
            (all, of_all(&head.replace("6f00", "7000"), L61), Err(0)),
            (all, of_all(head, &L61.replace("81000000", "8e000000")), Err(40)),
            (all, of_all(head, &L61.replace("81000000", "01000000")), Err(40)),
            (all, of_all(head, "b2000600 d200 01 01 1203"), Ok(Answer::Reply { of_router: true, status: 1 })),
            (all, of_all(head, "b2000400 8100 08 00"), Ok(Answer::Reply { of_router: false, status: 8 })),
        ];
        for (question, message, expected) in rows {
            let session = if matches!(question, Question::Identity { .. }) { 0x1102_1e01 } else { 0 };
            let answer = question.answered(session, 2, &bytes(&message)).map_err(|malformed| malformed.offset);
            assert_eq!(answer, expected, "{question:?} {message}");
        }
        for cut in 0..HEADER_BYTES {
            assert!(all.answered(0, 2, &bytes(head)[..cut]).is_err(), "{cut}");
        }
    }
}
