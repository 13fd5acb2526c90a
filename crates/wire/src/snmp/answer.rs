//! An answer, for who asked: whether it is one to his question, and where a table goes on.

use super::message::{Kind, Message, SEQUENCE, TIME_TICKS, element};
use super::object::ENTITY;
use super::question::number;
use crate::{Cursor, Malformed};

/// sysUpTime.0. RFC 3418, 2.
const UPTIME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 3, 0];

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The question's request id, in v3 its message id.
    pub id: u32,
    /// v3: what is wrong with the question's header, and no answer to the question.
    pub report: Option<Vec<u8>>,
    /// It says what went wrong; its bindings are the question's.
    pub failed: bool,
    /// Column and row of each binding, in their order; `None` for what stands elsewhere than in entPhysicalTable, or is not there.
    pub entities: Vec<Option<(u8, u32)>>,
    /// How long the agent has run, in hundredths of a second; begins again after 497 days. RFC 2578, 7.1.8.
    pub uptime_ticks: Option<u32>,
}

impl Answer {
    /// Reads a whole message.
    ///
    /// # Errors
    /// [`Malformed`] where it is no answer at all, or cut.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let message = Message::read(bytes)?;
        let no_answer = || Malformed::wrong(super::NAME, 0, "an answer is a Response or a Report (RFC 3416, 3)");
        if !message.whole {
            return Err(Malformed::short(super::NAME, 0, message.length, bytes.len(), "a message is a sequence (RFC 1157, 4)"));
        }
        let pdu = message.pdu.ok_or_else(no_answer)?;
        if !matches!(pdu.kind, Kind::Response | Kind::Report) {
            return Err(no_answer());
        }
        let mut answer = Self { id: message.id, report: None, failed: pdu.failed, entities: Vec::new(), uptime_ticks: None };
        let mut first = None;
        pdu.bindings(&mut |binding| {
            let name = bytes.get(binding.name).unwrap_or_default();
            first.get_or_insert_with(|| name.to_vec());
            if name == UPTIME && binding.tag == TIME_TICKS {
                answer.uptime_ticks = bytes.get(binding.value.clone()).and_then(unsigned);
            }
            let entity = name.strip_prefix(ENTITY).and_then(|rest| rest.split_first());
            // No such object, no such instance, end of the view. RFC 3416, 3.
            let entity = entity.filter(|_| !matches!(binding.tag, 0x80..=0x82));
            answer.entities.push(entity.and_then(|(column, index)| Some((*column, number(index)?))));
        })?;
        answer.report = first.filter(|_| pdu.kind == Kind::Report);
        Ok(answer)
    }
}

/// A number without a sign, as X.690, 8.3 has it: what fills 32 bits needs one octet more.
fn unsigned(value: &[u8]) -> Option<u32> {
    let digits = if let [0, digits @ ..] = value { digits } else { value };
    let fits = !value.is_empty() && digits.len() <= size_of::<u32>();
    fits.then(|| digits.iter().fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte)))
}

/// Bytes of the message that starts here; `None` where none does, or too few bytes say so.
#[must_use]
pub fn length(bytes: &[u8]) -> Option<usize> {
    let mut c = Cursor::new(super::NAME, bytes);
    match element(&mut c) {
        Ok((SEQUENCE, length)) => Some(c.at().saturating_add(length)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{binding, hex, v2c};
    use super::*;

    const COLUMN: &str = "2b060102012f010101010b";

    #[test]
    fn an_answer_says_whose_and_where_the_table_goes_on() {
        let row = |index: &str, tag| binding(&format!("{COLUMN}{index}"), tag, b"");
        let elsewhere = [binding("2b06010201010500", 4, b"pump"), binding(COLUMN, 4, b"")];
        let bindings = [vec![row("01", 4), row("8769", 4), row("07", 0x82)], elsewhere.to_vec()].concat();
        let check = |message: &[u8], report: Option<Vec<u8>>, failed| {
            let entities = vec![Some((11, 1)), Some((11, 1001)), None, None, None];
            assert_eq!(Answer::read(message), Ok(Answer { id: 7, report, failed, entities, uptime_ticks: None }));
            assert_eq!(length(message), Some(message.len()));
            (0..message.len()).for_each(|cut| assert!(Answer::read(&message[..cut]).is_err(), "cut after {cut} bytes"));
        };
        check(&v2c(0xa2, 0, &bindings), None, false);
        check(&v2c(0xa2, 2, &bindings), None, true);
        check(&v2c(0xa8, 0, &bindings), Some(hex(&format!("{COLUMN}01"))), false);
    }

    #[test]
    fn an_answer_says_how_long_the_agent_has_run() {
        let check = |name: &str, tag, value: &str, expected| {
            let read = Answer::read(&v2c(0xa2, 0, &[binding(name, tag, &hex(value))])).map(|answer| answer.uptime_ticks);
            assert_eq!(read, Ok(expected), "{name} {tag:02x} {value}");
        };
        const UPTIME: &str = "2b06010201010300";
        check(UPTIME, 0x43, "00", Some(0));
        check(UPTIME, 0x43, "0175c2", Some(95_682));
        check(UPTIME, 0x43, "00ffffffff", Some(u32::MAX));
        check(UPTIME, 0x43, "ffffffff", Some(u32::MAX) /* some agents leave the sign's octet out */);
        check(UPTIME, 0x43, "", None);
        check(UPTIME, 0x43, "01ffffffff", None);
        check(UPTIME, 2, "05", None);
        check(UPTIME, 0x80, "", None);
        check("2b06010201010400", 0x43, "05", None);
    }

    #[test]
    fn a_question_is_no_answer() {
        for tag in [0xa0, 0xa1, 0xa3, 0xa5, 0xa6, 0xa7] {
            assert!(Answer::read(&v2c(tag, 0, &[])).is_err());
        }
        assert!(Answer::read(b"GET / HTTP/1.1").is_err());
        assert_eq!([length(b""), length(b"0"), length(b"GET"), length(&[0x30, 0x80, 0])], [None; 4]);
        assert_eq!(length(&hex("3084ffffffff")), Some(0x1_0000_0005));
    }
}
