//! What an answer is to the question that waits: whose it is, and whether the server takes us. What it says of the device, the decoder reads.

use super::{
    ACCEPT, ACSE_WAY, CONFIRMED_REQUEST, CONFIRMED_RESPONSE, CONNECT_WAY, INTEGER, NAME, NAMES, Question, UNCONFIRMED, VISIBLE, pdu,
    service, user_data,
};
use crate::ber::Value;
use crate::{Cursor, Malformed};

/// SPDUs that end it: a refused connection, an abort. ISO 8327-1, 8.3.
const REFUSE: u8 = 0x0c;
const ABORT: u8 = 0x19;
/// Of a refusal: the reason, behind which user data may stand. ISO 8327-1, 8.3.5.
const REASON: u8 = 0x32;
/// The session's reason: nobody has this selector. ISO 8327-1, 8.3.5.10.
const SESSION_SELECTOR_UNKNOWN: u8 = 0x81;
/// Way to the association's answer in a refused presentation. ISO 8823-1, 8.2 (CPR).
const REFUSED_WAY: [u32; 4] = [0x30, 0x61, 0x30, 0xa0];
/// The presentation's reason, and the one that says that nobody has this selector. ISO 8823-1, 8.2.
const PROVIDER_REASON: u32 = 0x8a;
const PRESENTATION_ADDRESS_UNKNOWN: u32 = 4;
/// An association's answer, its result and the diagnostic of its user. ISO 8650-1, clause 9.
const RESPONSE: u32 = 0x61;
const RESULT: u32 = 0xa2;
const DIAGNOSTIC: u32 = 0xa3;
const BY_USER: u32 = 0xa1;
/// MMS: Initiate answered; refused; a confirmed error; a reject; Conclude answered, refused.
const INITIATED: u32 = 0xa9;
const INITIATE_ERROR: u32 = 0xaa;
const CONFIRMED_ERROR: u32 = 0xa2;
const REJECT: u32 = 0xa4;
const CONCLUDED: u32 = 0x8c;
const CONCLUDE_ERROR: u32 = 0xad;
/// Invoke id in errors and rejects. ISO 9506-2, clause 7.
const OF_INVOKE: u32 = 0x80;

/// What a message of the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The association stands.
    Associated,
    /// It does not: in words for a person.
    Refused(&'static str),
    /// The server ends it.
    Aborted,
    /// The question was answered; for a list of names, the names.
    Answered(Vec<Vec<u8>>),
    /// An error or a reject is the answer.
    Failed,
    /// The association is concluded, or the server does not want to.
    Concluded,
}

impl Answer {
    /// Reads a whole message, without the transport around it, as an answer to `asked` with that number.
    ///
    /// # Errors
    /// [`Malformed`] where it is none.
    pub fn read(body: &[u8], asked: &Question, number: u8) -> Result<Self, Malformed> {
        let wrong = |said_by| Err(Malformed::wrong(NAME, 0, said_by));
        let is_connecting = matches!(asked, Question::Initiate { .. });
        match body.first() {
            Some(&ABORT) => return Ok(Self::Aborted),
            Some(&(ACCEPT | REFUSE)) if is_connecting => return Ok(association(body)),
            Some(&(ACCEPT | REFUSE)) => return wrong("an answer to a connection that was not asked for (ISO 8327-1, 8.3)"),
            _ if is_connecting => return wrong("ACCEPT or REFUSE comes first (ISO 8327-1, 8.3)"),
            _ => {}
        }
        let Some(mut cursor) = pdu(body, 0) else { return wrong("session data with a PDU (ISO 8327-1, 8.3; ISO 8823-1, 8.4)") };
        let pdu = Value::next(&mut cursor)?;
        let inside = pdu.inside(&cursor);
        let about = |tag| Value::find(inside, tag).and_then(|invoke| invoke.number(body));
        match pdu.tag {
            CONCLUDED | CONCLUDE_ERROR if *asked == Question::Conclude => Ok(Self::Concluded),
            CONFIRMED_RESPONSE => match service(body, inside) {
                Some((invoke, service)) if invoke == u32::from(number) && Some(service.tag) == asked.service() => {
                    Ok(Self::Answered(if service.tag == NAMES { names(body, service.inside(&cursor)) } else { Vec::new() }))
                }
                _ => wrong("invoke id and service of the question that waits (ISO 9506-2, 7)"),
            },
            // A reject of what it could not read names no question.
            CONFIRMED_ERROR | REJECT if about(OF_INVOKE).or(about(INTEGER)).is_none_or(|invoke| invoke == u32::from(number)) => {
                Ok(Self::Failed)
            }
            CONFIRMED_ERROR | REJECT => wrong("invoke id of the question that waits (ISO 9506-2, 7)"),
            UNCONFIRMED => wrong("a report that nobody asked for"),
            CONFIRMED_REQUEST => wrong("a question to us"),
            _ => wrong("an answer to the question that waits (ISO 9506-2, 7)"),
        }
    }
}

/// What a session that is accepted or refused says of the association in it.
fn association(body: &[u8]) -> Answer {
    let cursor = Cursor::new(NAME, body);
    if body.first() == Some(&REFUSE) {
        return refused_session(body);
    }
    let response = user_data(cursor).and_then(|user| Value::down(user, &CONNECT_WAY)).and_then(|acse| inside(acse, RESPONSE));
    let Some(response) = response else { return Answer::Refused("its answer to the association is none (ISO 8650-1, 9)") };
    if result(body, response).is_some_and(|result| result != 0) {
        return Answer::Refused(why(body, response));
    }
    match Value::down(response, &ACSE_WAY).and_then(|mut pdu| Value::next(&mut pdu).ok()).map(|pdu| pdu.tag) {
        Some(INITIATED) => Answer::Associated,
        Some(INITIATE_ERROR) => Answer::Refused("it refuses MMS itself (ISO 9506-2, 8.2)"),
        _ => Answer::Refused("its answer to the association holds no MMS (ISO 9506-2, 8.2)"),
    }
}

fn refused_session(body: &[u8]) -> Answer {
    const SELECTOR: &str = "nobody there has the session or presentation selector that was called: name the ones that are configured";
    let reason = body.iter().skip(2).position(|code| *code == REASON).and_then(|at| body.get(at + 2..));
    let Some([_, _, code, user @ ..]) = reason else { return Answer::Refused("it refuses the session") };
    let user = Cursor::new(NAME, user);
    let provider = Value::down(user, &REFUSED_WAY[..1]).and_then(|inside| Value::find(inside, PROVIDER_REASON)?.number(user.rest()));
    if *code == SESSION_SELECTOR_UNKNOWN || provider == Some(PRESENTATION_ADDRESS_UNKNOWN) {
        return Answer::Refused(SELECTOR);
    }
    let response = Value::down(user, &REFUSED_WAY).and_then(|acse| inside(acse, RESPONSE));
    Answer::Refused(response.map_or("it refuses the session", |response| why(user.rest(), response)))
}

fn inside(cursor: Cursor<'_>, tag: u32) -> Option<Cursor<'_>> {
    Some(Value::find(cursor, tag)?.inside(&cursor))
}

/// Number of an INTEGER below these tags.
fn number(bytes: &[u8], cursor: Cursor<'_>, way: &[u32]) -> Option<u32> {
    Value::find(Value::down(cursor, way)?, INTEGER)?.number(bytes)
}

fn result(bytes: &[u8], response: Cursor<'_>) -> Option<u32> {
    number(bytes, response, &[RESULT])
}

/// Why its user refused. ISO 8650-1, clause 9: Associate-source-diagnostic.
fn why(bytes: &[u8], response: Cursor<'_>) -> &'static str {
    match number(bytes, response, &[DIAGNOSTIC, BY_USER]) {
        Some(11..=14) => "it wants a password for the association: it is never given one",
        Some(3..=10) => "it is called otherwise, or does not know who calls (AP title or AE qualifier)",
        _ => "it refuses the association",
    }
}

/// The names of a list, as the server wrote them. ISO 9506-2, 9.3.
fn names(bytes: &[u8], service: Cursor<'_>) -> Vec<Vec<u8>> {
    let Some(mut list) = Value::down(service, &[0xa0]) else { return Vec::new() };
    let name = core::iter::from_fn(|| Value::next(&mut list).ok());
    let whole = name.filter(|name| name.tag == VISIBLE && name.whole);
    whole.filter_map(|name| bytes.get(name.contents).map(<[u8]>::to_vec)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iso::tests::hex;

    fn domains() -> Question {
        Question::Domains
    }

    fn initiate() -> Question {
        Question::Initiate { session: vec![0, 1], presentation: vec![0, 0, 0, 1] }
    }

    /// ITI/ICS-Security-Tools pcaps/IEC61850/piccolo.pcap, frame 2, without the transport.
    const ACCEPTED: &str = "0e95050613010016010214020002c187318184a003800101a27d8304 00000001a512300780010081025101300780010081025101
        6161305f020101a05a6158a107060528ca220203a203020100a305a103020100a40706052901876701a50302010cbe3328310602510102 0103
        a028a926800300c000810101820101830105a416800101810305e100820c03ee1c000004000000010010";

    #[test]
    fn an_association_stands_or_says_why_it_does_not() {
        let check = |body: &str, expected: Answer| assert_eq!(Answer::read(&hex(body), &initiate(), 2), Ok(expected), "{body}");
        check(ACCEPTED, Answer::Associated);
        let rejected = |diagnostic: &str| {
            let rejected = ACCEPTED.replace("a203020100", "a203020101");
            rejected.replace("a305a103020100", &format!("a305a1030201{diagnostic}"))
        };
        check(&rejected("0e"), Answer::Refused("it wants a password for the association: it is never given one"));
        check(&rejected("0d"), Answer::Refused("it wants a password for the association: it is never given one"));
        check(&rejected("07"), Answer::Refused("it is called otherwise, or does not know who calls (AP title or AE qualifier)"));
        check(&rejected("01"), Answer::Refused("it refuses the association"));
        check(&ACCEPTED.replace("a926", "aa26"), Answer::Refused("it refuses MMS itself (ISO 9506-2, 8.2)"));
        // Refusals by hand: ISO 8327-1, 8.3.5, around CPR and AARE.
        check("0c03320181", refused("81"));
        check("0c0e320c 02 3009 830400000001 8a0104", refused("81"));
        check(
            "0c20321e 02 301b 6119 3017 020101 a012 6110 a107060528ca220203 a203020101 a300",
            Answer::Refused("it refuses the association"),
        );
        let password = "0c25 3223 02 3020 611e 301c 020101 a017 6115 a107060528ca220203 a203020101 a305a10302010e";
        check(password, Answer::Refused("it wants a password for the association: it is never given one"));
        check("0c03320101", Answer::Refused("it refuses the session"));
        check("0c00", Answer::Refused("it refuses the session"));
        check("0e00", Answer::Refused("its answer to the association is none (ISO 8650-1, 9)"));
        check("1903110101", Answer::Aborted);
    }

    fn refused(reason: &str) -> Answer {
        association(&hex(&format!("0c033201{reason}")))
    }

    fn data(pdu: &str) -> Vec<u8> {
        let pdu = hex(pdu);
        let length = pdu.len() as u8;
        [&[1, 0, 1, 0, 0x61, length + 7, 0x30, length + 5, 2, 1, 3, 0xa0, length][..], &pdu].concat()
    }

    #[test]
    fn an_answer_has_the_number_and_the_service_of_its_question() {
        let check = |pdu: &str, asked: &Question, expected: Result<Answer, &str>| {
            let answer = Answer::read(&data(pdu), asked, 4);
            assert_eq!(answer.map_err(|malformed| malformed.said_by), expected, "{pdu}");
        };
        let listed = || Ok(Answer::Answered(vec![b"LD0".to_vec(), b"LD1".to_vec()]));
        check("a114 020104 a10f a00a 1a034c4430 1a034c4431 8101ff", &domains(), listed());
        check("a111 020104 a10c a00a 1a034c4430 1a034c4431", &domains(), listed());
        check("a107 020104 a102 a000", &domains(), Ok(Answer::Answered(Vec::new())));
        let other = Err("invoke id and service of the question that waits (ISO 9506-2, 7)");
        check("a111 020105 a10c a00a 1a034c4430 1a034c4431", &domains(), other.clone());
        check("a105 020104 a200", &domains(), other.clone());
        check("a105 020104 a200", &Question::Identify, Ok(Answer::Answered(Vec::new())));
        check("a208 800104 a203a00107", &domains(), Ok(Answer::Failed));
        check("a408 800104 810101", &domains(), Ok(Answer::Failed));
        check("a403 810101", &domains(), Ok(Answer::Failed));
        check("a408 800109 810101", &domains(), Err("invoke id of the question that waits (ISO 9506-2, 7)"));
        check("a305 a003 a00100", &domains(), Err("a report that nobody asked for"));
        check("a005 020104 8200", &domains(), Err("a question to us"));
        check("8c00", &Question::Conclude, Ok(Answer::Concluded));
        check("8c00", &domains(), Err("an answer to the question that waits (ISO 9506-2, 7)"));
        let late = Answer::read(&hex(ACCEPTED), &domains(), 4).map_err(|malformed| malformed.said_by);
        assert_eq!(late, Err("an answer to a connection that was not asked for (ISO 8327-1, 8.3)"));
        let early = Answer::read(&data("8c00"), &initiate(), 2).map_err(|malformed| malformed.said_by);
        assert_eq!(early, Err("ACCEPT or REFUSE comes first (ISO 8327-1, 8.3)"));
        assert!(Answer::read(&[], &domains(), 4).is_err());
    }
}
