//! EtherCAT: which slaves a master talks to, and what their EEPROM and their object dictionary say they are.
//!
//! Sources: ETG.1000.4 (IEC 61158-4-12): frames, datagrams, slave information interface (5.4); ETG.1000.6 (IEC 61158-6-12): mailbox,
//! CoE, FoE; ETG.2010: the words of the EEPROM. A frame passes all slaves and comes back: what a slave answered shows in the counter
//! behind a datagram, and the source address has the local bit set (see the listener). A slave has no address of its own on the wire but
//! its station address or its position, so it stands behind its master's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::conversation::{Conversation, Coverage, Happening, Heard, Kind, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Mac, Malformed, Reading};

mod datagram;
mod mailbox;
mod sii;

use datagram::{Datagram, Datagrams, Slave};

/// The protocol's name in claims and readings.
pub const NAME: &str = "ethercat";
const ETHERTYPE: u16 = 0x88a4;

/// Frames of one master, on their way out and back.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &[],
    link: &[Kind::Ethertype(ETHERTYPE)],
    likeness: |bytes, _| match Datagrams::read(bytes).ok().and_then(|mut datagrams| datagrams.next()) {
        Some(Ok(_)) => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |over| Box::new(Segment::new(over)),
};

/// Slaves of one master that are told apart; a segment has at most 65,535, a real one hundreds.
const SLAVES_MAX: usize = 1_024;
/// EEPROM words whose last value is remembered, so that it is told once: four of each slave.
const WORDS_MAX: usize = 4 * SLAVES_MAX;
/// A question is answered within milliseconds. An older one may have been followed by another that the capture lost.
const QUESTION_AGE_NS_MAX: u64 = 100_000_000;
/// Questions by position that wait for their frame to come back: it takes microseconds.
const QUESTIONS_MAX: usize = 32;
/// The bit that a slave sets in the source address on the way back.
const LOCAL_BIT: u8 = 0x02;

/// A frame that holds a question.
type Question = (At, Vec<u8>);

/// One master's segment.
#[derive(Debug)]
struct Segment {
    over: Over,
    master: Option<Mac>,
    master_met: bool,
    slaves: BTreeSet<Slave>,
    flashed: BTreeSet<Slave>,
    /// Which EEPROM word was asked for last, and the frame that asked.
    asked: BTreeMap<Slave, (u32, Question)>,
    /// Reads by position: the datagram's index and register, the slave's position, the frame. On the way back the position has been
    /// counted up.
    waiting: VecDeque<((u8, u16), Slave, Question)>,
    told: BTreeMap<(Slave, u32), Vec<u8>>,
    coverage: Coverage,
}

impl Segment {
    fn new(over: Over) -> Self {
        Self {
            over,
            master: None,
            master_met: false,
            slaves: BTreeSet::new(),
            flashed: BTreeSet::new(),
            asked: BTreeMap::new(),
            waiting: VecDeque::new(),
            told: BTreeMap::new(),
            coverage: Coverage::default(),
        }
    }
}

impl Conversation for Segment {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        match self.frame(said, out) {
            Ok(()) => self.coverage.decoded += 1,
            Err(_) if said.missing > 0 => {}
            Err(malformed) => out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed }),
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Segment {
    fn frame(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) -> Result<(), Malformed> {
        for datagram in Datagrams::read(said.bytes)? {
            let datagram = datagram?;
            if !datagram.names_one_slave() {
                continue;
            }
            if datagram.answered == 0 {
                self.master = self.master.filter(|mac| !is_local(*mac)).or(said.from.mac);
                self.question(&datagram, said);
            } else {
                self.answer(&datagram, said, out);
            }
        }
        Ok(())
    }

    fn question(&mut self, datagram: &Datagram<'_>, said: &Said<'_>) {
        let frame = || (said.at, said.bytes.to_vec());
        if let Some(word) = sii::asks_for(datagram) {
            if self.asked.len() < SLAVES_MAX || self.asked.contains_key(&datagram.slave) {
                self.asked.insert(datagram.slave, (word, frame()));
            }
        } else if matches!(datagram.slave, Slave::Position(_)) && datagram.reads() && sii::is_near(datagram) {
            if self.waiting.len() == QUESTIONS_MAX {
                self.waiting.pop_front();
            }
            self.waiting.push_back(((datagram.index, datagram.offset), datagram.slave, frame()));
        }
    }

    fn answer(&mut self, datagram: &Datagram<'_>, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let asked_again = sii::asks_for(datagram);
        let (slave, read) = match datagram.slave {
            Slave::Position(_) if !datagram.reads() => return,
            Slave::Position(_) => {
                let found = self.waiting.iter().position(|(read, ..)| *read == (datagram.index, datagram.offset));
                let Some((_, slave, question)) = found.and_then(|found| self.waiting.remove(found)) else { return };
                (slave, Some(question))
            }
            slave @ Slave::Station(_) => (slave, None),
        };
        self.meet(slave, said, out);
        // Cyclic data ends here.
        if !sii::is_near(datagram) && !mailbox::may_be(datagram) {
            return;
        }
        if let Some(word) = asked_again.filter(|_| self.asked.len() < SLAVES_MAX || self.asked.contains_key(&slave)) {
            // A master that was not heard on the way out shows here what it asked.
            self.asked.insert(slave, (word, (said.at, said.bytes.to_vec())));
        }
        let speaker = self.address(slave, said);
        if mailbox::begins_firmware(datagram) && self.flashed.len() < SLAVES_MAX && self.flashed.insert(slave) {
            let (device, at) = (speaker.clone(), said.at);
            out(Heard::Happened { protocol: NAME, happening: Happening::FirmwareTransfer, device, at });
        }
        let mut reading = Reading::new(NAME, self.over, "ethercat.sii", speaker);
        let found = mailbox::identity(datagram, said, &mut reading) || self.eeprom(datagram, slave, read, said, &mut reading);
        if found && !reading.facts.is_empty() {
            out(Heard::Reading(reading));
        }
    }

    /// The words of an EEPROM that an answer holds. Where it does not hold their address, too, the question has it.
    fn eeprom(&mut self, datagram: &Datagram<'_>, slave: Slave, read: Option<Question>, said: &Said<'_>, reading: &mut Reading) -> bool {
        let Some((address, words)) = sii::answers(datagram) else { return false };
        let asked = self.asked.remove(&slave).filter(|(_, (asked, _))| said.at.time_ns.abs_diff(asked.time_ns) <= QUESTION_AGE_NS_MAX);
        let Some(word) = address.or(asked.as_ref().map(|(word, _)| *word)) else { return false };
        let bytes = said.bytes.get(words.clone()).unwrap_or_default().to_vec();
        if !sii::is_identity(word, bytes.len()) || self.told.get(&(slave, word)) == Some(&bytes) {
            return false;
        }
        if self.told.len() >= WORDS_MAX {
            self.told.clear();
        }
        self.told.insert((slave, word), bytes);
        let mut answer = Reading::of(NAME, self.over, reading.question, reading.speaker.clone(), said.at, said.bytes);
        sii::facts(word, words, &mut answer);
        let question = asked.filter(|_| address.is_none()).map(|(_, question)| question);
        *reading = question.into_iter().chain(read).fold(answer, |answer, (at, bytes)| answer.asked_by(at, &bytes));
        true
    }

    fn meet(&mut self, slave: Slave, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        if self.slaves.contains(&slave) || self.slaves.len() >= SLAVES_MAX {
            return;
        }
        self.slaves.insert(slave);
        let speaker = self.address(slave, said);
        if !core::mem::replace(&mut self.master_met, true) {
            let speaker = Address { link: None, slot: None, ..speaker.clone() };
            out(Heard::Present { protocol: NAME, role: Role::Client, speaker, at: said.at });
        }
        out(Heard::Present { protocol: NAME, role: Role::Server, speaker, at: said.at });
    }

    /// A slave stands behind its master's hardware address: by its station address, or by its position.
    fn address(&self, slave: Slave, said: &Said<'_>) -> Address {
        let returned = |Mac([first, rest @ ..]): Mac| {
            let [b, c, d, e, f] = rest;
            Mac([first & !LOCAL_BIT, b, c, d, e, f])
        };
        let mac = self.master.or(said.from.mac.map(returned));
        match slave {
            Slave::Station(station) => Address { mac, link: Some(station), ..Address::default() },
            Slave::Position(position) => Address { mac, slot: Some(position), ..Address::default() },
        }
    }
}

/// True for an address with the local bit: a slave set it on the way back, or the master has none from a maker.
const fn is_local(Mac([first, ..]): Mac) -> bool {
    first & LOCAL_BIT != 0
}

#[cfg(test)]
mod tests;
