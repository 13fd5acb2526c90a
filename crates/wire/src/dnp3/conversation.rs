//! Link frames of masters and outstations, as they are heard on a TCP connection or in datagrams.

use super::attributes::{self, RESPONSE_HEADER_BYTES};
use super::{CRC_BYTES, HEADER_BYTES, Header, NAME, PORT, blocks, crc};
use crate::conversation::{Conversation, Coverage, End, Happening, Heard, Likeness, Over, Protocol, Role, Said};
use crate::gathered::Gathered;
use crate::tcp::At;
use crate::{Address, Cutter, Malformed, Reading, Shape};

/// DNP3 over TCP and UDP. A header has a checksum of its own, so it is known on any port.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[PORT],
    udp: &[PORT],
    link: &[],
    likeness: |bytes, _| match Header::read(bytes) {
        Ok(Some(_)) => Likeness::Certain,
        Ok(None) => Likeness::Possible,
        Err(_) => Likeness::No,
    },
    start: |over| Box::new(Dnp3 { over, ..Dnp3::default() }),
};

/// Masters and outstations that talk in one conversation at a time: a serial server may carry a whole multidrop line.
const PAIRS_MAX: usize = 32;
/// What was told of stations once: some hundreds can stand behind one serial server.
const STATIONS_MAX: usize = 512;
/// Bytes of a response with attributes that are put together; 2048 is the size that everybody can receive (4.2.1).
const FRAGMENT_BYTES_MAX: usize = 8 << 10;
/// Frames of the fragments of one response: 255 attributes of 255 bytes would be as many.
const FRAMES_MAX: usize = 300;
/// From here on addresses are nobody's own (9.2.5.2).
const RESERVED_FIRST: u16 = 0xfff0;

/// Control: sent by a master; sent by the primary station (9.2.4.1.3).
const DIR: u8 = 0x80;
const PRM: u8 = 0x40;
/// Transport header: last and first of several frames (8.2.1).
const FIN: u8 = 0x80;
const FIR: u8 = 0x40;
/// Application control: first and last of several fragments (4.2.2.4), the other way round.
const FIRST_FRAGMENT: u8 = 0x80;
const LAST_FRAGMENT: u8 = 0x40;
/// IIN2: no such function, no such object, wrong parameter (4.2.2.6).
const IIN2_REFUSED: u8 = 0x07;

const WRITE: u8 = 0x02;
const COLD_RESTART: u8 = 0x0d;
const WARM_RESTART: u8 = 0x0e;
/// The last request code: authentication without acknowledgement.
const REQUEST_LAST: u8 = 0x21;
const RESPONSE: u8 = 0x81;
const UNSOLICITED: u8 = 0x82;
const AUTHENTICATION: u8 = 0x83;

/// Attributes that a user gives: location, id, name (annex A.2).
const NAMES: [u8; 3] = [245, 246, 247];

/// What was told already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Present(Role),
    Happened(Happening),
}

/// One master and one outstation.
#[derive(Debug, Default)]
struct Pair {
    master: u16,
    outstation: u16,
    /// On which side the outstation answers.
    side: usize,
    /// Sequence number of the last request, until it is answered.
    asked: Option<u8>,
    /// The frame of the last request, where it reads attributes.
    question: Vec<u8>,
    question_at: At,
    /// The response fragment that is being put together, and the transport sequence number that comes next.
    fragment: Option<(Gathered, u8)>,
    /// The response so far, where it takes several fragments.
    reading: Option<Reading>,
}

/// One conversation.
#[derive(Debug, Default)]
struct Dnp3 {
    over: Over,
    cutters: [Cutter; 2],
    ends: [End; 2],
    pairs: Vec<Pair>,
    told: Vec<(u16, Told)>,
    coverage: Coverage,
}

impl Conversation for Dnp3 {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(said.by_server);
        (self.ends[side], self.ends[1 - side]) = (*said.from, *said.to);
        let mut cutter = core::mem::take(&mut self.cutters[side]);
        let length = |bytes: &[u8]| Ok(Header::read(bytes)?.map(Header::frame_bytes));
        let malformed = cutter.messages(said.bytes, length, &mut |frame| self.frame(frame, side, said.at, out));
        self.cutters[side] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
        if self.over == Over::Udp {
            // A datagram holds whole frames; what is left was cut off by the capture.
            let cut = self.cutters[side].lose();
            self.frame(&cut, side, said.at, out);
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(by_server);
        let cut = self.cutters[side].lose();
        self.frame(&cut, side, at, out);
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(false, at, out);
        self.lose(true, at, out);
        for index in 0..self.pairs.len() {
            let pair = &mut self.pairs[index];
            if let Some((fragment, _)) = pair.fragment.take() {
                let mut reading = pair.reading.take().unwrap_or_else(|| self.reading(index));
                fragment.hand_to(&mut reading);
                attributes::read(&fragment, &mut reading);
                self.pairs[index].reading = Some(reading);
            }
            if let Some(reading) = self.pairs[index].reading.take() {
                out(Heard::Reading(Reading { complete: false, ..reading }));
            }
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Dnp3 {
    /// A frame, whole or cut.
    fn frame(&mut self, frame: &[u8], side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let Ok(Some(header)) = Header::read(frame) else { return };
        self.coverage.seen += 1;
        let known: &[u8] = if header.control & PRM == 0 { &[0, 1, 11, 14, 15] } else { &[0, 1, 2, 3, 4, 9] };
        let function = header.control & 0x0f;
        self.coverage.decoded += u64::from(known.contains(&function));
        // User data, confirmed or not (9.2.4.1.3.5).
        let &[transport, control, function, ..] = frame.get(HEADER_BYTES..).unwrap_or_default() else { return };
        if header.control & PRM == 0 || !matches!(header.control & 0x0f, 3 | 4) || header.user_bytes < 3 {
            return;
        }
        if transport & FIR == 0 {
            return self.goes_on(frame, header, transport, at, out);
        }
        match (function, header.control & DIR != 0) {
            (1..=REQUEST_LAST, true) => self.request(frame, header, (control, function), side, at, out),
            (RESPONSE..=AUTHENTICATION, false) => self.response(frame, header, side, at, out),
            _ => {}
        }
    }

    fn request(&mut self, frame: &[u8], header: Header, (control, function): (u8, u8), side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let (master, outstation) = (header.source, header.destination);
        if outstation >= RESERVED_FIRST {
            return;
        }
        let index = self.pair(master, outstation);
        // Behind transport, control and function.
        let attributes = header.user_bytes > 3 && frame.get(HEADER_BYTES + 3) == Some(&0);
        let pair = &mut self.pairs[index];
        pair.asked = Some(control & 0x0f);
        pair.question.clear();
        if attributes {
            pair.question.extend_from_slice(frame);
            pair.question_at = at;
        }
        let happening = match function {
            COLD_RESTART | WARM_RESTART => Happening::Reset,
            WRITE if attributes && frame.get(HEADER_BYTES + 4).is_some_and(|variation| NAMES.contains(variation)) => Happening::Renamed,
            _ => return,
        };
        if self.is_new(outstation, Told::Happened(happening), frame, header) {
            let device = Address { link: Some(outstation), ..(&self.ends[1 - side]).into() };
            out(Heard::Happened { protocol: NAME, happening, device, at });
        }
    }

    fn response(&mut self, frame: &[u8], header: Header, side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let (master, outstation) = (header.destination, header.source);
        let Some(&[transport, control, function, _, iin2]) = frame.get(HEADER_BYTES..).and_then(<[u8]>::first_chunk) else { return };
        if header.user_bytes <= RESPONSE_HEADER_BYTES {
            return;
        }
        let index = self.pair(master, outstation);
        let pair = &mut self.pairs[index];
        pair.side = side;
        let answers = function == RESPONSE && pair.asked == Some(control & 0x0f);
        if answers || function == UNSOLICITED {
            for (link, role, side) in [(outstation, Role::Server, side), (master, Role::Client, 1 - side)] {
                if (answers || role == Role::Server) && self.is_new(link, Told::Present(role), frame, header) {
                    let speaker = Address { link: Some(link), ..(&self.ends[side]).into() };
                    out(Heard::Present { protocol: NAME, role, speaker, at });
                }
            }
        }
        let pair = &mut self.pairs[index];
        // The first object of a response with attributes is one; nothing else of a response is looked at.
        let first_group = frame.get(HEADER_BYTES + 1 + RESPONSE_HEADER_BYTES).filter(|_| header.user_bytes > 1 + RESPONSE_HEADER_BYTES);
        if first_group == Some(&0) {
            if let Some(earlier) = pair.reading.take_if(|_| control & FIRST_FRAGMENT != 0) {
                out(Heard::Reading(Reading { complete: false, ..earlier }));
            }
            self.pairs[index].fragment = Some((Gathered::default(), transport & 0x3f));
            self.goes_on(frame, header, transport, at, out);
        } else if answers && iin2 & IIN2_REFUSED != 0 && !pair.question.is_empty() && whole(frame, header) {
            // That it has no such attributes is an answer; only the question tells what it is an answer to.
            let asked = core::mem::take(&mut pair.question);
            let speaker = Address { link: Some(outstation), ..(&self.ends[side]).into() };
            let mut reading = Reading::of(NAME, self.over, "dnp3.attributes", speaker, at, frame);
            let indications = HEADER_BYTES + 3..HEADER_BYTES + 5;
            reading.fact("dnp3.exception", Shape::Hex, indications);
            out(Heard::Reading(reading.asked_by(self.pairs[index].question_at, &asked)));
        }
        if answers {
            self.pairs[index].asked = None;
        }
    }

    /// The next frame of a response that is put together.
    fn goes_on(&mut self, frame: &[u8], header: Header, transport: u8, at: At, out: &mut dyn FnMut(Heard)) {
        let index = self.pairs.iter().position(|pair| (pair.master, pair.outstation) == (header.destination, header.source));
        let Some(index) = index.filter(|_| header.control & DIR == 0) else { return };
        let pair = &mut self.pairs[index];
        let Some((mut fragment, sequence)) = pair.fragment.take() else { return };
        let frames = pair.reading.as_ref().map_or(0, |reading| reading.messages.len());
        if transport & 0x3f != sequence || fragment.bytes().len() > FRAGMENT_BYTES_MAX || frames > FRAMES_MAX {
            // A frame is missing: what was there stands.
            return self.ends(index, &fragment, Some(Malformed::wrong(NAME, 0, "transport sequence number (8.2.1)")), out);
        }
        fragment.message(at, frame);
        let torn = join(&mut fragment, frame, header);
        if torn.is_some() || transport & FIN != 0 {
            return self.ends(index, &fragment, torn, out);
        }
        self.pairs[index].fragment = Some((fragment, (sequence + 1) & 0x3f));
    }

    /// A fragment is over, whole or not.
    fn ends(&mut self, index: usize, fragment: &Gathered, torn: Option<Malformed>, out: &mut dyn FnMut(Heard)) {
        let control = fragment.bytes().first().copied().unwrap_or_default();
        let earlier = self.pairs[index].reading.take();
        let starts = earlier.is_some() || control & FIRST_FRAGMENT != 0;
        let mut reading = earlier.unwrap_or_else(|| self.reading(index));
        reading.complete &= starts;
        fragment.hand_to(&mut reading);
        attributes::read(fragment, &mut reading);
        let whole = torn.is_none();
        if let Some(torn) = torn {
            reading.broken(torn);
        }
        if whole && control & LAST_FRAGMENT == 0 {
            self.pairs[index].reading = Some(reading);
        } else {
            out(Heard::Reading(reading));
        }
    }

    fn reading(&self, index: usize) -> Reading {
        let pair = &self.pairs[index];
        let speaker = Address { link: Some(pair.outstation), ..(&self.ends[pair.side]).into() };
        Reading { complete: true, ..Reading::new(NAME, self.over, "dnp3.attributes", speaker) }
    }

    /// Notes that it is told now; false where it was told before, where so much was told that nothing more is remembered, and where
    /// the frame that shows it is torn.
    fn is_new(&mut self, link: u16, told: Told, frame: &[u8], header: Header) -> bool {
        let new = self.told.len() < STATIONS_MAX && !self.told.contains(&(link, told)) && whole(frame, header);
        if new {
            self.told.push((link, told));
        }
        new
    }

    /// The pair's place; the one that was found first goes where there are too many.
    fn pair(&mut self, master: u16, outstation: u16) -> usize {
        if let Some(index) = self.pairs.iter().position(|pair| (pair.master, pair.outstation) == (master, outstation)) {
            return index;
        }
        if self.pairs.len() == PAIRS_MAX {
            self.pairs.remove(0);
        }
        self.pairs.push(Pair { master, outstation, ..Pair::default() });
        self.pairs.len() - 1
    }
}

/// Joins the user data of a frame behind its transport header, block by block, while the checksums hold.
fn join(fragment: &mut Gathered, frame: &[u8], header: Header) -> Option<Malformed> {
    for (start, bytes) in blocks(header.user_bytes) {
        let end = start + bytes;
        let Some(sum) = frame.get(end..end + CRC_BYTES) else {
            let had = frame.len().saturating_sub(start);
            return Some(Malformed::short(NAME, start, bytes + CRC_BYTES, had, "length of the frame (9.2.4.1.2)"));
        };
        if crc(frame.get(start..end).unwrap_or_default()) != sum {
            return Some(Malformed::wrong(NAME, end, "checksum of a block (9.2.4.1.6)"));
        }
        fragment.join(start + usize::from(start == HEADER_BYTES)..end);
    }
    None
}

/// True where the frame is all there and its checksums hold.
fn whole(frame: &[u8], header: Header) -> bool {
    blocks(header.user_bytes).all(|(start, bytes)| {
        let end = start + bytes;
        frame.get(start..end).is_some_and(|block| frame.get(end..end + CRC_BYTES) == Some(&crc(block)))
    })
}
