//! A serial server with one unit on its line: frames of the line in a TCP stream. MODBUS over Serial Line V1.02, 2.5.1 (frame) and 6.2.2 (CRC).
//! A frame has no length of its own: the function says it (V1.1b3, 6).

use std::sync::Arc;

use super::{ENCAPSULATED, MBAP_BYTES, Persona, READ_IDENTIFICATION, REPORT_SERVER_ID, wrap};
use crate::fault::Fault;
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::report::Speaker;

/// What several makers of serial servers set at the factory.
const PORT: u16 = 4_001;
/// Questions of a reading on a line (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 2;
const CHECK_BYTES: usize = 2;
/// The unit that is asked where it answers to all.
const UNIT: u8 = 1;

/// A unit behind a serial server. It is a Modbus device in all but its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnLine(pub Persona);

impl Language for OnLine {
    fn port(&self) -> u16 {
        PORT
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, speaker: Speaker, over: Carrier) -> Box<dyn Talk> {
        Box::new(Line { speaker, behind: self.0.talk(speaker, over) })
    }

    fn sample(&self) -> Vec<u8> {
        self.seal(vec![self.0.unit.unwrap_or(UNIT), ENCAPSULATED, READ_IDENTIFICATION, 1, 0, 0, 0])
    }

    fn layout(&self, _: &[u8]) -> Layout {
        Layout { header_bytes: 1, unit: Some(0), ..Layout::default() }
    }

    fn seal(&self, mut answer: Vec<u8>) -> Vec<u8> {
        answer.truncate(answer.len().saturating_sub(CHECK_BYTES));
        let check = crc(&answer);
        answer.extend(check);
        answer
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        self.0.with(fault).map(|persona| Arc::new(Self(persona)) as Arc<dyn Language>)
    }
}

/// One connection to the serial server.
struct Line {
    speaker: Speaker,
    behind: Box<dyn Talk>,
}

impl Talk for Line {
    fn cut(&self, heard: &[u8]) -> Cut {
        let whole = match *heard {
            [] | [_] => return Cut::More,
            [_, REPORT_SERVER_ID, ..] => 2 + CHECK_BYTES,
            [_, ENCAPSULATED, ..] => 5 + CHECK_BYTES,
            [_, 0x01..=0x06, ..] => 6 + CHECK_BYTES,
            _ => return Cut::Broken("a function code that is not on the allowlist"),
        };
        if heard.len() >= whole { Cut::Whole(whole) } else { Cut::More }
    }

    fn take(&mut self, frame: &[u8]) -> Heard {
        let (body, check) = frame.split_at(frame.len().saturating_sub(CHECK_BYTES));
        let Some((&unit, pdu)) = body.split_first().filter(|_| crc(body) == check) else { return Heard::silent("wrong check bytes") };
        let asked = self.behind.take(&wrap(0, unit, pdu));
        let on_line = |answer: Vec<u8>| {
            let body = answer.get(MBAP_BYTES - 1..).unwrap_or_default();
            [body, &crc(body)].concat()
        };
        let broadcast = (unit == 0 && self.speaker != Speaker::Master).then_some("unit 0: a broadcast to all on the line");
        let trips = asked.trips.into_iter().chain(broadcast).collect();
        Heard { answers: asked.answers.into_iter().map(on_line).collect(), trips, hangs_up: asked.hangs_up }
    }
}

/// The check bytes as they stand on the wire (6.2.2: CRC-16, polynomial 0xa001, lower byte first).
fn crc(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let round = |sum: u16| if sum & 1 == 1 { (sum >> 1) ^ 0xa001 } else { sum >> 1 };
    bytes.iter().fold(0xffff_u16, |sum, byte| (0..8).fold(sum ^ u16::from(*byte), |sum, _| round(sum))).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Carrier::Tcp;
    use crate::rehearsal::rehearse;
    use crate::story::{check, hex};

    fn unit_7() -> OnLine {
        OnLine(Persona { unit: Some(7), ..Persona::from_objects([(0, b"Maker".to_vec())]) })
    }

    #[test]
    fn a_unit_answers_in_frames_of_its_line() {
        // The frames of device-profiles/generic/modbus-rtu.toml, whose check bytes are by hand: a question to unit 7, function 17 of unit 1.
        assert_eq!(rehearse(&unit_7(), Tcp, &[hex("072b0e0200f887")]).answers().len(), 1);
        let other = OnLine(Persona { server_id: Some(hex("00ff4d4b2d312034")), ..Persona::from_objects([]) });
        assert_eq!(rehearse(&other, Tcp, &[hex("0111c02c")]).answers(), [hex("01110800ff4d4b2d312034d1e0")]);
        assert!(rehearse(&unit_7(), Tcp, &[hex("0111c02c")]).answers().is_empty(), "another unit's");
    }

    #[test]
    fn all_else_trips() {
        let sealed = |text: &str| vec![unit_7().seal(hex(&format!("{text}0000")))];
        check("a coil", &unit_7(), Tcp, &sealed("0705000aff00"), &["not on the allowlist"]);
        check("a broadcast", &unit_7(), Tcp, &sealed("002b0e0200"), &["broadcast"]);
        check("a user's function", &unit_7(), Tcp, &sealed("0741"), &["not on the allowlist"]);
        check("check bytes", &unit_7(), Tcp, &[hex("072b0e02000000")], &["check bytes"]);
        let three = [sealed("072b0e0200"), sealed("072b0e0203"), sealed("072b0e0205")].concat();
        check("three", &unit_7(), Tcp, &three, &["questions"]);
    }
}
