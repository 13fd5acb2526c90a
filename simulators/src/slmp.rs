//! A MELSEC PLC: SLMP, 3E frames in binary, Read Type Name. Mitsubishi, SLMP Reference Manual (SH-080956ENG), 4.2 (frames), 5.10.1
//! (0101 Read Type Name), appendix 2 (end codes).

use std::sync::Arc;

use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::{le16, padded, stated16};
use crate::report::Speaker;

/// A MELSEC PLC.
pub type Device = crate::device::Device<Persona>;

/// One of those that engineers choose; none is registered.
const PORT: u16 = 5_007;
/// One reading (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 1;
/// Subheader, network, station, module and its station, length.
const HEADER_BYTES: usize = 9;
/// More than the question needs.
const QUESTION_BYTES_MAX: usize = 64;
const NAME_BYTES: usize = 16;
const READ_TYPE_NAME: u16 = 0x0101;
/// The command is not known.
const UNKNOWN_COMMAND: u16 = 0xC059;

/// A MELSEC PLC as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// Type name, at most 16 characters.
    pub name: Vec<u8>,
    /// Type code.
    pub code: u16,
    /// What it says instead: an end code, such as 0xC059 for a command that it does not know.
    pub refuses: Option<u16>,
}

impl Persona {
    /// The one question that may be asked: own station, monitoring timer of `wait` times 250 ms.
    fn question(wait: u8) -> [u8; 15] {
        [0x50, 0, 0, 0xFF, 0xFF, 3, 0, 6, 0, wait, 0, 1, 1, 0, 0]
    }
}

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn carriers(&self) -> &'static [Carrier] {
        &[Carrier::Tcp, Carrier::Udp]
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Client { persona: self.clone() })
    }

    fn sample(&self) -> Vec<u8> {
        Self::question(4).to_vec()
    }

    fn layout(&self, _: &[u8]) -> Layout {
        Layout { header_bytes: HEADER_BYTES, transaction: None, unit: Some(3), protocol: Some(0), length: Some(7..9) }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        (*fault == Fault::HostileText).then(|| Arc::new(Self { name: hostile_text(0, NAME_BYTES), ..self.clone() }) as Arc<dyn Language>)
    }
}

struct Client {
    persona: Persona,
}

impl Talk for Client {
    fn cut(&self, heard: &[u8]) -> Cut {
        let broken = Cut::Broken("no 3E frame in binary to the own station");
        let due = Persona::question(0);
        if heard.iter().zip(due.get(..7).unwrap_or_default()).any(|(byte, due)| byte != due) {
            return broken;
        }
        match le16(heard, 7).map(|length| usize::from(length).saturating_add(HEADER_BYTES)) {
            None => Cut::More,
            Some(end) if end > QUESTION_BYTES_MAX => broken,
            Some(end) if heard.len() >= end => Cut::Whole(end),
            Some(_) => Cut::More,
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let is_read = le16(question, 11) == Some(READ_TYPE_NAME) && le16(question, 13) == Some(0) && question.len() == 15;
        let refusal = if is_read { self.persona.refuses } else { Some(UNKNOWN_COMMAND) };
        let body = match refusal {
            None => {
                let name = padded(&self.persona.name, NAME_BYTES, b' ');
                [&[0, 0][..], &name, &self.persona.code.to_le_bytes()].concat()
            }
            // An end code is followed by whom it concerns: access route, command, subcommand.
            Some(code) => {
                [&code.to_le_bytes()[..], question.get(2..7).unwrap_or_default(), question.get(11..15).unwrap_or_default()].concat()
            }
        };
        let route = question.get(2..7).unwrap_or_default();
        let answer = [&[0xD0, 0][..], route, &stated16(body.len()).to_le_bytes(), &body].concat();
        let trips = (!is_read).then_some("a command that is not on the allowlist").into_iter().collect();
        Heard { answers: vec![answer], trips, hangs_up: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Carrier::{Tcp, Udp};
    use crate::rehearsal::rehearse;
    use crate::story::{check, hex};

    fn plc() -> Persona {
        Persona { name: b"Q03UDVCPU".to_vec(), code: 0x0366, refuses: None }
    }

    const READ: &str = "5000 00 FF FF03 00 0600 1000 0101 0000";

    #[test]
    fn the_type_name_is_told_in_binary() {
        let told = [hex("D000 00 FF FF03 00 1400 0000"), b"Q03UDVCPU       ".to_vec(), hex("6603")].concat();
        for over in [Tcp, Udp] {
            let heard = rehearse(&plc(), over, &[hex(READ)]);
            assert_eq!((heard.answers(), heard.trips), (vec![told.clone()], vec![]));
        }
        let refuses = Persona { refuses: Some(0xC059), ..plc() };
        assert_eq!(rehearse(&refuses, Tcp, &[hex(READ)]).answers(), [hex("D000 00 FF FF03 00 0B00 59C0 00FFFF0300 0101 0000")]);
    }

    #[test]
    fn all_else_trips() {
        let table: &[(&str, &[&str], &[&str])] = &[
            ("write", &["5000 00 FF FF03 00 0E00 1000 0114 0000 640000 A8 0100 0000"], &["command"]),
            ("run", &["5000 00 FF FF03 00 0A00 1000 0110 0000 0100 0000"], &["command"]),
            ("another station", &["5000 01 02 FF03 00 0600 1000 0101 0000"], &["own station"]),
            ("a 4E frame", &["5400 0100 0000 00 FF FF03 00 0600 1000 0101 0000"], &["3E"]),
            ("twice", &[READ, READ], &["more questions"]),
            ("garbage", &["47455420"], &["3E"]),
        ];
        for (what, questions, expected) in table {
            let questions: Vec<Vec<u8>> = questions.iter().map(|question| hex(question)).collect();
            check(what, &plc(), Tcp, &questions, expected);
        }
    }
}
