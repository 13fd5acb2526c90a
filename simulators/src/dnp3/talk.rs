//! One session: readings of group 0, and what trips.

use std::sync::Arc;

use tokio::time::Instant;

use super::link::{self, Frame};
use super::{PORT, Persona, Value};
use crate::fault::{Fault, More, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::report::Speaker;

/// Readings of one session (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 6;
/// Fragments of an answer that never ends: enough to show that nobody waits for the last.
const ENDLESS_FRAGMENTS: u8 = 200;
/// The attributes that may be read one by one (there).
const SINGLES: [u8; 5] = [252, 250, 248, 243, 242];
const ALL_AT_ONCE: u8 = 254;

/// Unconfirmed user data, from the master and from the outstation (9.2.4.1.3).
const FROM_MASTER: u8 = 0xC4;
const FROM_OUTSTATION: u8 = 0x44;
const ASKS_LINK_STATE: u8 = 0x49;
const LINK_STATE: u8 = 0x8B;

const FIR: u8 = 0x80;
const FIN: u8 = 0x40;
const CON: u8 = 0x20;
const UNS: u8 = 0x10;
const CONFIRM: u8 = 0x00;
const READ: u8 = 0x01;
const RESPONSE: u8 = 0x81;
const UNSOLICITED: u8 = 0x82;
/// Bits of IIN2 (4.5.2).
const NO_SUCH_FUNCTION: u8 = 0x01;
const OBJECT_UNKNOWN: u8 = 0x02;
const PARAMETER_ERROR: u8 = 0x04;
/// Sequence number of the NULL unsolicited answer.
const UNSOLICITED_SEQUENCE: u8 = 3;

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        // A confirmation and the state of the link are no readings.
        QUESTIONS_MAX + u32::from(self.asks_link_state) + u32::from(self.unsolicited.is_some_and(|after| after.consents_to_confirm))
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Session {
            persona: self.clone(),
            since: Instant::now(),
            confirmed: false,
            link_state_due: false,
            segment: 0,
            read_all: false,
        })
    }

    fn sample(&self) -> Vec<u8> {
        link::frame(FROM_MASTER, self.address, self.master, &[0xC0, FIR | FIN, READ, 0, ALL_AT_ONCE, 0, 0, 0])
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        // The application control stands behind the transport header; its lowest four bits are the sequence number.
        let transaction = (answer.len() > link::HEADER_BYTES).then_some(link::HEADER_BYTES + 1);
        Layout { header_bytes: link::HEADER_BYTES, transaction, unit: Some(6), protocol: Some(1), length: Some(2..3) }
    }

    fn seal(&self, answer: Vec<u8>) -> Vec<u8> {
        link::seal(&answer)
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        match fault {
            &Fault::EndlessMore(more) => Some(Arc::new(Self { endless: Some(more), ..self.clone() })),
            Fault::HostileText => {
                let mut hostile = self.clone();
                for (number, value) in hostile.attributes.values_mut().enumerate() {
                    if let Value::Text(text) = value {
                        *text = hostile_text(number, 255);
                    }
                }
                Some(Arc::new(hostile))
            }
            _ => None,
        }
    }
}

struct Session {
    persona: Persona,
    since: Instant,
    confirmed: bool,
    link_state_due: bool,
    /// Number of the next segment.
    segment: u8,
    read_all: bool,
}

impl Talk for Session {
    fn greets(&mut self) -> Vec<Vec<u8>> {
        let mut greeting = Vec::new();
        if self.persona.asks_link_state {
            self.link_state_due = true;
            greeting.push(link::frame(ASKS_LINK_STATE, self.persona.master, self.persona.address, &[]));
        }
        if self.persona.unsolicited.is_some() {
            let (iin1, iin2) = self.persona.indications;
            greeting.extend(self.segments(&[FIR | FIN | CON | UNS | UNSOLICITED_SEQUENCE, UNSOLICITED, iin1, iin2]));
        }
        greeting
    }

    fn cut(&self, heard: &[u8]) -> Cut {
        let sync = [5, 0x64];
        if heard.iter().zip(sync).any(|(byte, due)| *byte != due) || heard.get(2).is_some_and(|&length| length < 5) {
            return Cut::Broken("no link frame: start bytes or length");
        }
        match link::frame_bytes(heard) {
            Some(length) if heard.len() >= length => Cut::Whole(length),
            _ => Cut::More,
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let Some(frame) = Frame::read(question) else { return Heard::silent("a link frame whose checksums do not fit") };
        match frame {
            _ if frame.to >= 0xFFF0 => return Heard::silent("a broadcast or self address"),
            _ if frame.to != self.persona.address => return Heard::silent("another outstation's address: a sweep"),
            _ if frame.from != self.persona.master => return Heard::silent("a master address that the outstation is not configured for"),
            _ => {}
        }
        match (frame.control, frame.data.as_slice()) {
            (LINK_STATE, []) if self.link_state_due => {
                self.link_state_due = false;
                Heard::default()
            }
            (FROM_MASTER, [transport, control, function, objects @ ..]) => {
                let mut heard = self.fragment(*control, *function, objects);
                heard.trips.extend((transport & 0xC0 != 0xC0).then_some("a question in more than one segment"));
                heard
            }
            _ => Heard::silent("a link function that is not on the allowlist"),
        }
    }
}

impl Session {
    fn segments(&mut self, fragment: &[u8]) -> Vec<Vec<u8>> {
        let frames = link::segments(FROM_OUTSTATION, self.persona.master, self.persona.address, self.segment, fragment);
        self.segment = self.segment.wrapping_add(u8::try_from(frames.len()).unwrap_or(u8::MAX)) & 0x3F;
        frames
    }

    fn fragment(&mut self, control: u8, function: u8, objects: &[u8]) -> Heard {
        let after = self.persona.unsolicited;
        if function == CONFIRM {
            let consented = after.is_some_and(|after| after.consents_to_confirm) && !self.confirmed;
            let fits = control == FIR | FIN | UNS | UNSOLICITED_SEQUENCE && objects.is_empty();
            self.confirmed |= fits && after.is_some();
            let trips = (!(consented && fits)).then_some("a confirmation without consent, or not of the NULL unsolicited answer");
            return Heard { trips: trips.into_iter().collect(), ..Heard::default() };
        }
        let mut trips = Vec::new();
        trips.extend((control & 0xF0 != FIR | FIN).then_some("an application control that is not that of one whole request"));
        let sequence = control & 0x0F;
        let (told, trip) = match function {
            READ => self.read(objects),
            _ => (Err(NO_SUCH_FUNCTION), Some("a function that is not READ")),
        };
        trips.extend(trip);
        let waits = after.filter(|after| !self.confirmed && self.since.elapsed() < after.silent);
        if waits.is_some() {
            return Heard { trips, ..Heard::default() };
        }
        let answers = match told {
            Err(why) => self.answer(sequence, why, Vec::new()),
            Ok(objects) => self.answer(sequence, 0, objects),
        };
        Heard { answers, trips, hangs_up: false }
    }

    /// The objects that are due, or the bit of IIN2 that says why there are none; and what tripped.
    fn read(&mut self, headers: &[u8]) -> (Result<Vec<Vec<u8>>, u8>, Option<&'static str>) {
        let asked: Option<Vec<u8>> = headers
            .chunks(5)
            .map(|header| match *header {
                [0, variation, 0, 0, 0] => Some(variation),
                _ => None,
            })
            .collect();
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
            return (Err(OBJECT_UNKNOWN), Some("READ of something else than group 0, start 0, stop 0"));
        };
        let all = asked == [ALL_AT_ONCE];
        let single = asked.iter().all(|variation| SINGLES.contains(variation));
        let again = all && self.read_all;
        self.read_all |= all;
        let trip = match () {
            () if !all && !single => Some("an attribute that is not on the allowlist"),
            () if asked.len() > SINGLES.len() => Some("more than five headers in one READ"),
            () if again => Some("variation 254 a second time"),
            () => None,
        };
        let persona = &self.persona;
        let objects: Option<Vec<Vec<u8>>> = match asked.as_slice() {
            [ALL_AT_ONCE] if !persona.knows_all_at_once => None,
            [ALL_AT_ONCE] => Some(persona.attributes.iter().map(|(variation, value)| persona.object(*variation, value)).collect()),
            _ => asked.iter().map(|variation| Some(persona.object(*variation, persona.attributes.get(variation)?))).collect(),
        };
        let told = match objects {
            _ if asked.len() > 1 && !persona.takes_many_headers => Err(PARAMETER_ERROR),
            Some(objects) if !persona.attributes.is_empty() => Ok(objects),
            _ => Err(OBJECT_UNKNOWN),
        };
        (told, trip)
    }

    /// The frames of an answer: its first fragment, or as many as never end.
    fn answer(&mut self, sequence: u8, why: u8, objects: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let (iin1, iin2) = self.persona.indications;
        let mut fragment = vec![0, RESPONSE, iin1, iin2 | why];
        let mut objects = objects.into_iter().peekable();
        let most = self.persona.fragment_bytes;
        while let Some(object) = objects.next_if(|object| fragment.len() == 4 || fragment.len().saturating_add(object.len()) <= most) {
            fragment.extend(object);
        }
        if let Some(more) = self.persona.endless {
            let number = |step: u8| if more == More::Rising { sequence.wrapping_add(step) & 0x0F } else { sequence };
            let numbered = |step: u8| {
                let first = if step == 0 { FIR } else { 0 };
                let control = first | number(step);
                fragment.iter().enumerate().map(|(at, byte)| if at == 0 { control } else { *byte }).collect::<Vec<u8>>()
            };
            let fragments: Vec<Vec<u8>> = (0..ENDLESS_FRAGMENTS).map(numbered).collect();
            return fragments.iter().flat_map(|fragment| self.segments(fragment)).collect();
        }
        // What follows would come after a confirmation, and there is none.
        let ends = if objects.peek().is_none() { FIN } else { CON };
        if let Some(control) = fragment.first_mut() {
            *control = FIR | ends | sequence;
        }
        self.segments(&fragment)
    }
}
