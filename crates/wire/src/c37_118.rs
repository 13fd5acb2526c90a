//! Synchrophasors: the names of the stations that a PMU or a concentrator measures, and who publishes.
//!
//! Source: IEEE C37.118.2-2011, clause 6.2 (message framework) and 6.4 (configuration), tables 8 to 10; annex B (CRC).

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Cursor, Cutter, Malformed, Reading, Shape};

/// IEEE C37.118.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[4712, 4713],
    udp: &[4712, 4713],
    link: &[],
    likeness,
    start: |over| Box::new(Stream { over, ..Stream::default() }),
};

const NAME: &str = "c37.118";
/// First byte of every frame; the second has type (3 bits) and version (4 bits). Table 2.
const SYNC: u8 = 0xaa;
const VERSION_NEWEST: u8 = 2;
/// Sync, size, id, second, fraction; and the check word behind the data.
const HEADER_BYTES: usize = 14;
const CHECK_BYTES: usize = 2;
/// Frame types. Table 2.
const DATA: u8 = 0;
const HEADER: u8 = 1;
const CONFIGURATION_1: u8 = 2;
const CONFIGURATION_2: u8 = 3;
const COMMAND: u8 = 4;
const CONFIGURATION_3: u8 = 5;
/// Name fields of configurations 1 and 2. Table 8.
const NAME_BYTES: usize = 16;
/// Digital words name 16 bits each. Table 8.
const BITS: usize = 16;
/// Stations of one frame that are named; concentrators have tens.
const STATIONS_MAX: u16 = 256;
/// Configurations that are remembered as told: a PMU has up to three.
const CONFIGURATIONS_TOLD_MAX: usize = 8;
const SAID_BY: &str = "fields of a configuration (table 8)";

/// One connection, or one pair that exchanges datagrams.
#[derive(Debug, Default)]
struct Stream {
    over: Over,
    cutters: [Cutter; 2],
    /// Who asked: where a command was heard.
    asked: Option<crate::Address>,
    present: bool,
    /// Check words of what was told, with its type.
    told: Vec<(u8, [u8; CHECK_BYTES])>,
    coverage: Coverage,
}

impl Conversation for Stream {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(said.by_server);
        let mut cutter = core::mem::take(&mut self.cutters[side]);
        let malformed = cutter.messages(said.bytes, length, &mut |frame| self.frame(frame, said, out));
        if self.over == Over::Udp {
            cutter.lose();
        }
        self.cutters[side] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        self.cutters[usize::from(by_server)].lose();
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Stream {
    fn frame(&mut self, frame: &[u8], said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let kind = kind(frame);
        // Measurements come up to 240 times a second and hold no name: the first proves its sender, the others only count.
        if kind == DATA && self.present {
            self.coverage.decoded += 1;
            return;
        }
        let Some((body, check)) = frame.split_last_chunk::<CHECK_BYTES>() else { return };
        if crc(body) != u16::from_be_bytes(*check) {
            let malformed = Malformed::wrong(NAME, body.len(), "check word (annex B)");
            return out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
        self.coverage.decoded += 1;
        if kind == COMMAND {
            self.asked = Some(said.speaker());
            return;
        }
        if !core::mem::replace(&mut self.present, true) {
            let role = if self.asked.is_some() { Role::Server } else { Role::Publisher };
            out(Heard::Present { protocol: NAME, role, speaker: said.speaker(), at: said.at });
            if let Some(speaker) = self.asked.take() {
                out(Heard::Present { protocol: NAME, role: Role::Client, speaker, at: said.at });
            }
        }
        // Second and fraction are part of the check word: a repeated configuration is told again only where it is asked for again.
        if kind != DATA && !self.told.contains(&(kind, *check)) {
            if self.told.len() == CONFIGURATIONS_TOLD_MAX {
                self.told.remove(0);
            }
            self.told.push((kind, *check));
            self.tell(frame, kind, said, out);
        }
    }

    fn tell(&self, frame: &[u8], kind: u8, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let end = frame.len() - CHECK_BYTES;
        let question = match kind {
            HEADER => "c37.118.header",
            CONFIGURATION_1 => "c37.118.configuration_1",
            CONFIGURATION_2 => "c37.118.configuration_2",
            _ => "c37.118.configuration_3",
        };
        let mut reading = Reading::of(NAME, self.over, question, said.speaker(), said.at, frame);
        reading.fact("c37.118.id", Shape::Number, 4..6);
        let cursor = Cursor::new(NAME, frame).from(HEADER_BYTES).until(end);
        let read = match kind {
            HEADER => {
                reading.fact("c37.118.header", Shape::Text, HEADER_BYTES..end);
                Ok(())
            }
            CONFIGURATION_3 => stations(&mut reading, cursor, true),
            _ => stations(&mut reading, cursor, false),
        };
        if let Err(malformed) = read {
            reading.broken(malformed);
        }
        out(Heard::Reading(reading));
    }
}

/// The stations of a configuration; names of the third have their length before them (tables 8 and 10).
fn stations(reading: &mut Reading, mut cursor: Cursor<'_>, third: bool) -> Result<(), Malformed> {
    // Which part of a configuration in several frames: 0 alone, 1 the first. Only these start with a station. 6.4.
    if third && cursor.u16_be(SAID_BY)? > 1 {
        reading.complete = false;
        return Ok(());
    }
    cursor.take(4, SAID_BY)?;
    let count = cursor.u16_be(SAID_BY)?.min(STATIONS_MAX);
    for number in 1..=count {
        let of = if count == 1 { "c37.118.station".to_owned() } else { format!("c37.118.station_{number}") };
        let name = name(&mut cursor, third)?;
        let length = reading.messages[0].bytes.get(name.clone()).map_or(0, |text| text.trim_ascii_end().len());
        reading.fact(format!("{of}.name"), Shape::Text, name.start..name.start + length);
        reading.fact(format!("{of}.id"), Shape::Number, cursor.range(2, SAID_BY)?);
        if third {
            reading.fact(format!("{of}.global_id"), Shape::Hex, cursor.range(16, SAID_BY)?);
        }
        cursor.take(2, SAID_BY)?;
        let mut counts = [0; 3];
        for count in &mut counts {
            *count = usize::from(cursor.u16_be(SAID_BY)?);
        }
        let [phasors, analogs, digitals] = counts;
        for _ in 0..phasors + analogs + BITS * digitals {
            self::name(&mut cursor, third)?;
        }
        // Scales and units; in the third also place, class, window and delay.
        let (phasor_bytes, analog_bytes, more_bytes) = if third { (12, 8, 21) } else { (4, 4, 0) };
        cursor.take(phasor_bytes * phasors + analog_bytes * analogs + 4 * digitals + more_bytes, SAID_BY)?;
        cursor.take(2, SAID_BY)?;
        reading.fact(format!("{of}.configuration_count"), Shape::Number, cursor.range(2, SAID_BY)?);
    }
    Ok(())
}

fn name(cursor: &mut Cursor<'_>, third: bool) -> Result<core::ops::Range<usize>, Malformed> {
    let length = if third { usize::from(cursor.u8(SAID_BY)?) } else { NAME_BYTES };
    cursor.range(length, SAID_BY)
}

fn kind(frame: &[u8]) -> u8 {
    frame.get(1).map_or(DATA, |b| b >> 4)
}

/// How long the frame is that starts here.
fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let version_is_known = |b: u8| b >> 4 <= CONFIGURATION_3 && (1..=VERSION_NEWEST).contains(&(b & 0x0f));
    if bytes.first().is_some_and(|b| *b != SYNC) || bytes.get(1).is_some_and(|b| !version_is_known(*b)) {
        return Err(Malformed::wrong(NAME, 0, "sync word (table 2)"));
    }
    let Some(&[_, _, upper, lower]) = bytes.first_chunk() else { return Ok(None) };
    match usize::from(u16::from_be_bytes([upper, lower])) {
        short @ 0..16 => Err(Malformed::short(NAME, 2, HEADER_BYTES + CHECK_BYTES, short, "frame size (table 2)")),
        length => Ok(Some(length)),
    }
}

/// CRC-CCITT: x^16 + x^12 + x^5 + 1, starting with all ones. Annex B.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc: u16, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

fn likeness(bytes: &[u8], _: Over) -> Likeness {
    match length(bytes) {
        Err(_) => Likeness::No,
        Ok(length) => match length.and_then(|length| bytes.get(..length)).and_then(<[u8]>::split_last_chunk) {
            Some((body, check)) if crc(body) == u16::from_be_bytes(*check) => Likeness::Certain,
            Some(_) => Likeness::No,
            None => Likeness::Possible,
        },
    }
}

#[cfg(test)]
mod tests;
