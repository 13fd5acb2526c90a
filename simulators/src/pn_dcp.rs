//! A PROFINET station on layer 2: IEC 61158-6-10, 4.3.1 (DCP). What it says and hears stands behind the Ethernet header; it is plugged into a cable in
//! memory, as nothing simulated may be met on a plant's network.

use std::sync::Arc;

use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::{be16, stated16};
use crate::report::Speaker;

/// A PROFINET station.
pub type Device = crate::device::Device<Persona>;

/// One (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 1;
const HEADER_BYTES: usize = 12;
/// Frame id, service and request of a Get; of its answer.
const GET: [u8; 4] = [0xFE, 0xFD, 3, 0];
const GOT: [u8; 4] = [0xFE, 0xFD, 3, 1];
/// The options that may be asked for, in this order.
const OPTIONS: [[u8; 2]; 9] = [[1, 1], [1, 2], [2, 1], [2, 2], [2, 3], [2, 4], [2, 6], [2, 7], [2, 8]];
/// A control block that says what became of an option: there is no such suboption.
const RESPONSE: [u8; 2] = [5, 4];
const NO_SUCH_SUBOPTION: u8 = 2;
/// A station's name has up to 240 letters (4.3.1.4.9).
const TEXT_BYTES_MAX: usize = 240;

/// A PROFINET station as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// Its name, of letters as DNS has them.
    pub name: Vec<u8>,
    /// What kind of station it is.
    pub kind: Vec<u8>,
    /// Vendor id and device id.
    pub ids: [u16; 2],
    /// Address, mask, gateway.
    pub ip: [[u8; 4]; 3],
}

impl Persona {
    /// A station of this name and kind, with the ids of a public capture's ET200SP.
    pub fn new(name: &[u8], kind: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            kind: kind.to_vec(),
            ids: [0x002A, 0x0313],
            ip: [[192, 168, 1, 14], [255, 255, 255, 0], [192, 168, 1, 14]],
        }
    }

    /// A block's value; `None` where it has none of this option.
    fn value(&self, option: [u8; 2]) -> Option<Vec<u8>> {
        Some(match option {
            [1, 2] => self.ip.concat(),
            [2, 1] => self.kind.clone(),
            [2, 2] => self.name.clone(),
            [2, 3] => self.ids.iter().flat_map(|id| id.to_be_bytes()).collect(),
            // An IO device.
            [2, 4] => vec![1, 0],
            [2, 7] => vec![0, 1],
            _ => return None,
        })
    }

    /// The block of an option, filled up to an even number of bytes.
    fn block(&self, option: [u8; 2]) -> Vec<u8> {
        let (of, inside) = match self.value(option) {
            // Of the address it says that it is set.
            Some(value) => (option, [&[0, u8::from(option == [1, 2])][..], &value].concat()),
            None => (RESPONSE, [&option[..], &[NO_SUCH_SUBOPTION]].concat()),
        };
        let padding = if inside.len() % 2 == 1 { &[0][..] } else { &[] };
        [&of[..], &stated16(inside.len()).to_be_bytes(), &inside, padding].concat()
    }
}

fn frame(head: [u8; 4], transaction: &[u8], body: &[u8]) -> Vec<u8> {
    [&head[..], transaction, &[0, 0], &stated16(body.len()).to_be_bytes(), body].concat()
}

impl Language for Persona {
    /// There are no ports on layer 2.
    fn port(&self) -> u16 {
        0
    }

    fn carriers(&self) -> &'static [Carrier] {
        &[Carrier::Udp]
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Peer { persona: self.clone() })
    }

    fn sample(&self) -> Vec<u8> {
        frame(GET, &[1, 2, 3, 4], OPTIONS.as_flattened())
    }

    fn layout(&self, _: &[u8]) -> Layout {
        Layout { header_bytes: HEADER_BYTES, transaction: Some(7), unit: None, protocol: Some(1), length: Some(10..12) }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        (*fault == Fault::HostileText).then(|| {
            let [name, kind] = [0, 1].map(|number| hostile_text(number, TEXT_BYTES_MAX));
            Arc::new(Self { name, kind, ..self.clone() }) as Arc<dyn Language>
        })
    }
}

struct Peer {
    persona: Persona,
}

impl Talk for Peer {
    fn cut(&self, heard: &[u8]) -> Cut {
        match be16(heard, 10).map(|length| usize::from(length).saturating_add(HEADER_BYTES)) {
            Some(end) if heard.first() == Some(&0xFE) && end <= heard.len() => Cut::Whole(heard.len()),
            _ => Cut::Broken("no DCP frame with its blocks"),
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let (head, rest) = question.split_at_checked(4).unwrap_or_default();
        let Some((transaction, rest)) = rest.split_at_checked(4) else { return Heard::silent("shorter than its header") };
        if head != GET {
            return Heard::silent(match *head {
                [0xFE, 0xFD, 4, _] => "a Set",
                [0xFE, 0xFE, ..] => "an Identify",
                _ => "no Get",
            });
        }
        let blocks: Vec<u8> = rest.get(4..).unwrap_or_default().to_vec();
        let (pairs, _) = blocks.as_chunks::<2>();
        let answer = frame(GOT, transaction, &pairs.iter().flat_map(|option| self.persona.block(*option)).collect::<Vec<u8>>());
        let expected = frame(GET, transaction, OPTIONS.as_flattened());
        if question == expected { Heard::answered(answer) } else { Heard::tripped(answer, "a Get of something else") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Carrier::Udp;
    use crate::rehearsal::rehearse;
    use crate::story::{check, hex};

    const ASKED: &str = "FEFD 0300 01020304 0000 0012 0101 0102 0201 0202 0203 0204 0206 0207 0208";

    fn et200sp() -> Persona {
        Persona::new(b"et200sp", b"ET200SP")
    }

    /// Blocks as a public capture's station has them in an answer to an Identify (smehner1/ProfinetIO-DoS-attack set_attack.pcap, frame 2); what it has
    /// not, by 4.3.1.4.16.
    #[test]
    fn a_station_tells_what_it_has_block_by_block() {
        let told = "FEFD 0301 01020304 0000 0066 0504 0003 0101 02 00 0102 000E 0001 C0A8010E FFFFFF00 C0A8010E
            0201 0009 0000 45543230305350 00 0202 0009 0000 65743230307370 00 0203 0006 0000 002A 0313 0204 0004 0000 0100
            0504 0003 0206 02 00 0207 0004 0000 0001 0504 0003 0208 02 00";
        let heard = rehearse(&et200sp(), Udp, &[hex(ASKED)]);
        assert_eq!((heard.answers(), heard.trips), (vec![hex(told)], vec![]));
    }

    #[test]
    fn all_else_trips() {
        let table: &[(&str, &[&str], &[&str])] = &[
            ("a name is set", &["FEFD 0400 00000001 0000 000E 0202 0009 0001 6D616C6C6F7279 00"], &["a Set"]),
            ("a reset", &["FEFD 0400 00000001 0000 0006 0506 0002 0004"], &["a Set"]),
            ("everybody", &["FEFE 0500 00000001 0001 0004 FFFF 0000"], &["an Identify"]),
            ("one option", &["FEFD 0300 00000001 0000 0002 0202"], &["something else"]),
            ("a delay", &["FEFD 0300 01020304 0001 0012 0101 0102 0201 0202 0203 0204 0206 0207 0208"], &["something else"]),
            ("twice", &[ASKED, ASKED], &["more questions"]),
            ("cut", &["FEFD 0300 01020304 0000 0012 0101"], &["its blocks"]),
            ("cyclic data", &["8000 0000 00000000 0000 0000 C800 3500"], &["its blocks"]),
        ];
        for (what, questions, expected) in table {
            let questions: Vec<Vec<u8>> = questions.iter().map(|question| hex(question)).collect();
            check(what, &et200sp(), Udp, &questions, expected);
        }
    }
}
