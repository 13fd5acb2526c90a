//! Beckhoff ADS: what a TwinCAT system and the servers in it say of themselves.
//!
//! Sources: Beckhoff Information System, "ADS, AMS/TCP specification" (TE1000, ADS-Protocol: AMS/TCP header, AMS header, ADS Read Device
//! Info, ADS Write Control); the discovery datagrams are not in it: facts from Beckhoff's own library (github.com/Beckhoff/ADS, MIT).
//!
//! AMS routes like a small network of its own: a NetId names a router, a port a server in it. Each server has its version, so the speaker
//! is `NetId:port`, not the address that the bytes came from.

use crate::conversation::{Conversation, Coverage, End, Happening, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Cursor, Cutter, Malformed, Reading, Shape};

/// ADS over TCP, and the discovery of its routers over UDP.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[48_898],
    udp: &[48_899],
    link: &[],
    likeness: |bytes, over| if over == Over::Udp { like_discovery(bytes) } else { like_ams(bytes) },
    start: |over| Box::new(Ads { over, ..Ads::default() }),
};

const NAME: &str = "ads";
/// AMS/TCP header: reserved (2), length (4).
const TCP_HEADER_BYTES: usize = 6;
/// AMS header: target (8), source (8), command (2), flags (2), length (4), error (4), invoke id (4).
const AMS_HEADER_BYTES: usize = 32;
/// Where the data of a command starts.
const BODY: usize = TCP_HEADER_BYTES + AMS_HEADER_BYTES;
/// Longest message that is believed: uploads of symbol tables go to some megabytes.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// As much of a message as is looked at: headers, and the 24 bytes of a device's answer or the 8 of a control command.
const HEAD_BYTES_MAX: usize = 128;
/// Questions remembered until their answers come: clients wait for an answer before they ask much more.
const QUESTIONS_MAX: usize = 16;
/// Speakers of a connection told once: a router has a few dozen ports.
const SPEAKERS_MAX: usize = 64;
/// Tags of a discovery answer that are read: five are known to be sent.
const TAGS_MAX: u32 = 32;

const READ_DEVICE: u16 = 1;
const WRITE_CONTROL: u16 = 5;
/// The highest command of the specification: ADS Read Write.
const COMMAND_LAST: u16 = 9;
const FLAG_RESPONSE: u16 = 1;
const FLAG_ADS_COMMAND: u16 = 4;
/// ADS states that restart what they are written to: reset, shutdown, reconfig.
const STATES_RESTARTING: [u16; 3] = [2, 12, 16];
/// Bytes of the name in a device's answer.
const DEVICE_NAME_BYTES: usize = 16;
/// First four bytes of every discovery datagram.
const MAGIC: [u8; 4] = [0x03, 0x66, 0x14, 0x71];
/// Service 1, identify, with the bit of an answer.
const IDENTIFIED: u32 = 0x8000_0001;
/// The highest service known: add route is 6, delete route 7.
const SERVICE_LAST: u32 = 15;

/// A server behind a router: NetId (6), port (2, lower byte first).
type Ams = [u8; 8];

/// One connection between two routers, or the datagrams between two ends.
#[derive(Debug, Default)]
struct Ads {
    over: Over,
    /// Client's and server's stream: either side may ask.
    cutters: [Cutter; 2],
    ends: [End; 2],
    /// Invoke id and who was asked, the oldest overwritten first.
    asked: [(u32, Ams); QUESTIONS_MAX],
    asked_next: usize,
    seen: Vec<(Ams, Role)>,
    reset: bool,
    coverage: Coverage,
}

/// The AMS header of a message, as far as it is read.
struct Header {
    target: Ams,
    source: Ams,
    command: u16,
    flags: u16,
    error: [u8; 4],
    invoke: u32,
}

impl Conversation for Ads {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        if self.over == Over::Udp {
            return self.datagram(said, out);
        }
        let side = usize::from(said.by_server);
        (self.ends[side], self.ends[1 - side]) = (*said.from, *said.to);
        let mut cutter = core::mem::take(&mut self.cutters[side]);
        let malformed = cutter.heads(said.bytes, HEAD_BYTES_MAX, length, &mut |bytes| self.message(bytes, side, said.at, out));
        self.cutters[side] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(by_server);
        let cut = self.cutters[side].lose();
        if cut.len() >= BODY {
            self.message(&cut, side, at, out);
        }
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(false, at, out);
        self.lose(true, at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

/// How long the message is that starts here.
fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    if bytes.iter().take(2).any(|byte| *byte != 0) {
        return Err(Malformed::wrong(NAME, 0, "the first two bytes are 0 (AMS/TCP header)"));
    }
    let Some(&[_, _, l0, l1, l2, l3]) = bytes.first_chunk::<TCP_HEADER_BYTES>() else { return Ok(None) };
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if !(AMS_HEADER_BYTES..=MESSAGE_BYTES_MAX).contains(&length) {
        return Err(Malformed::wrong(NAME, 2, "length counts at least an AMS header (AMS/TCP header)"));
    }
    if let Some(&[_, .., d0, d1, d2, d3]) = bytes.first_chunk::<30>() {
        if u32::from_le_bytes([d0, d1, d2, d3]) as usize != length - AMS_HEADER_BYTES {
            return Err(Malformed::wrong(NAME, 26, "both lengths agree (AMS header)"));
        }
    }
    Ok(Some(TCP_HEADER_BYTES + length))
}

fn like_ams(bytes: &[u8]) -> Likeness {
    match (length(bytes), Header::read(bytes)) {
        (Err(_), _) => Likeness::No,
        (Ok(_), Some(ams)) if (1..=COMMAND_LAST).contains(&ams.command) && ams.flags & !0x41 == FLAG_ADS_COMMAND => Likeness::Certain,
        (Ok(_), Some(ams)) if ams.flags & FLAG_ADS_COMMAND == 0 => Likeness::No,
        (Ok(_), _) => Likeness::Possible,
    }
}

fn like_discovery(bytes: &[u8]) -> Likeness {
    match bytes.first_chunk::<12>() {
        Some(&[m0, m1, m2, m3, .., s0, s1, s2, s3]) if [m0, m1, m2, m3] == MAGIC => {
            let service = u32::from_le_bytes([s0, s1, s2, s3]);
            if service & !(1 << 31) <= SERVICE_LAST { Likeness::Certain } else { Likeness::No }
        }
        Some(_) => Likeness::No,
        None if bytes.starts_with(&MAGIC) || MAGIC.starts_with(bytes) => Likeness::Possible,
        None => Likeness::No,
    }
}

/// `5.13.117.96.1.1:800`.
fn name(&[a, b, c, d, e, f, p0, p1]: &Ams) -> String {
    format!("{a}.{b}.{c}.{d}.{e}.{f}:{}", u16::from_le_bytes([p0, p1]))
}

/// The bytes of a text up to its end mark.
fn text_bytes(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len())
}

impl Header {
    /// Reads the header behind the one of AMS/TCP; `None` where it is not whole.
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        Some(Self {
            target: bytes.get(6..14)?.try_into().ok()?,
            source: bytes.get(14..22)?.try_into().ok()?,
            command: word(22)?,
            flags: word(24)?,
            error: bytes.get(30..34)?.try_into().ok()?,
            invoke: u32::from_le_bytes(bytes.get(34..BODY)?.try_into().ok()?),
        })
    }
}

impl Ads {
    fn message(&mut self, bytes: &[u8], side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let Some(ams) = Header::read(bytes) else { return };
        self.coverage.seen += 1;
        self.coverage.decoded += u64::from(ams.command <= COMMAND_LAST);
        if ams.flags & FLAG_RESPONSE == 0 {
            self.asked[self.asked_next % QUESTIONS_MAX] = (ams.invoke, ams.target);
            self.asked_next = (self.asked_next + 1) % QUESTIONS_MAX;
            if ams.command == WRITE_CONTROL {
                self.control(bytes, &ams, side, at, out);
            }
            return;
        }
        // An error in the header is the router's word: nobody answers on that port.
        if ams.error != [0; 4] {
            return;
        }
        let is_new = |role| !self.seen.contains(&(if role == Role::Server { ams.source } else { router(ams.target) }, role));
        let (server, client) = (is_new(Role::Server), is_new(Role::Client));
        // Only an answer that was heard asked for shows who takes part: bytes in the middle of a torn stream can look like a header.
        if (server || client) && self.asked.contains(&(ams.invoke, ams.source)) {
            if server {
                self.present(Role::Server, ams.source, name(&ams.source), side, at, out);
            }
            if client {
                let [a, b, c, d, e, f, ..] = ams.target;
                self.present(Role::Client, router(ams.target), format!("{a}.{b}.{c}.{d}.{e}.{f}"), 1 - side, at, out);
            }
        }
        if ams.command == READ_DEVICE {
            let speaker = Address { name: Some(name(&ams.source)), ..(&self.ends[side]).into() };
            out(Heard::Reading(device(bytes, speaker, at)));
        }
    }

    fn present(&mut self, role: Role, ams: Ams, name: String, side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        if self.seen.len() < SPEAKERS_MAX {
            self.seen.push((ams, role));
            let speaker = Address { name: Some(name), ..(&self.ends[side]).into() };
            out(Heard::Present { protocol: NAME, role, speaker, at });
        }
    }

    /// ADS Write Control: state (2), device state (2), length (4).
    fn control(&mut self, bytes: &[u8], ams: &Header, side: usize, at: At, out: &mut dyn FnMut(Heard)) {
        let state = bytes.get(BODY..BODY + 2).map(|state| u16::from_le_bytes([state[0], state[1]]));
        if !self.reset && state.is_some_and(|state| STATES_RESTARTING.contains(&state)) {
            self.reset = true;
            let device = Address { name: Some(name(&ams.target)), ..(&self.ends[1 - side]).into() };
            out(Heard::Happened { protocol: NAME, happening: Happening::Reset, device, at });
        }
    }

    fn datagram(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let mut cursor = Cursor::new(NAME, said.bytes).from(MAGIC.len() + 4);
        let (Likeness::Certain, Ok(service)) = (like_discovery(said.bytes), cursor.u32_le("service")) else { return };
        self.coverage.decoded += 1;
        if service != IDENTIFIED {
            return;
        }
        let Ok(Some(ams)) = cursor.take(8, "AMS address").map(<[u8]>::first_chunk::<8>) else { return };
        let speaker = Address { name: Some(name(ams)), ..said.speaker() };
        if !self.seen.contains(&(*ams, Role::Server)) && self.seen.len() < SPEAKERS_MAX {
            self.seen.push((*ams, Role::Server));
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker: speaker.clone(), at: said.at });
        }
        let mut reading = Reading::of(NAME, Over::Udp, "ads.discovery", speaker, said.at, said.bytes);
        reading.fact("ads.discovery.net_id", Shape::Dotted, 12..18);
        if let Err(malformed) = tags(cursor, &mut reading) {
            reading.broken(malformed);
        }
        out(Heard::Reading(reading));
    }
}

/// A router's address: any of its ports.
fn router(mut ams: Ams) -> Ams {
    ams[6..].fill(0);
    ams
}

/// ADS Read Device Info, the answer: result (4), version (1), revision (1), build (2), name (16).
fn device(bytes: &[u8], speaker: Address, at: At) -> Reading {
    let mut reading = Reading::of(NAME, Over::Tcp, "ads.device", speaker, at, bytes);
    let mut cursor = Cursor::new(NAME, bytes).from(BODY);
    let promised = length(bytes).ok().flatten().unwrap_or(bytes.len());
    if promised > bytes.len() {
        reading.broken(Malformed::short(NAME, bytes.len(), promised - bytes.len(), 0, "length (AMS/TCP header)"));
    }
    let mut read = || {
        let result = cursor.range(4, "result (ADS Read Device Info)")?;
        if bytes.get(result.clone()) != Some(&[0; 4]) {
            reading.fact("ads.device.error", Shape::NumberLe, result);
            return Ok(());
        }
        reading.fact("ads.device.version", Shape::DottedWordLe, cursor.range(4, "version, revision, build (ADS Read Device Info)")?);
        let field = cursor.range(DEVICE_NAME_BYTES, "device name (ADS Read Device Info)")?;
        let text = text_bytes(bytes.get(field.clone()).unwrap_or_default());
        reading.fact("ads.device.name", Shape::Text, field.start..field.start + text);
        Ok(())
    };
    if let Err(malformed) = read() {
        reading.broken(malformed);
    }
    reading
}

/// The tags of a discovery answer: number (4), then each id (2), length (2), value.
fn tags(mut cursor: Cursor<'_>, reading: &mut Reading) -> Result<(), Malformed> {
    let count = cursor.u32_le("number of tags")?;
    if count > TAGS_MAX {
        return Err(cursor.wrong("more tags than are read"));
    }
    for _ in 0..count {
        let tag = cursor.u16_le("tag")?;
        let bytes = usize::from(cursor.u16_le("tag length")?);
        let value = cursor.range(bytes, "tag value")?;
        let start = value.start;
        let text = || start..start + text_bytes(reading.messages.last().and_then(|m| m.bytes.get(value.clone())).unwrap_or_default());
        match tag {
            3 if bytes == 4 => reading.fact("ads.discovery.twincat", Shape::DottedWordLe, value),
            // OSVERSIONINFO: its size (4), major (4), minor (4), build (4), platform (4), service pack in UTF-16.
            4 if bytes >= 20 => {
                for (index, field) in ["major", "minor", "build", "platform"].into_iter().enumerate() {
                    let at = start + 4 + 4 * index;
                    reading.fact(format!("ads.discovery.os.{field}"), Shape::NumberLe, at..at + 4);
                }
                let pack = reading.messages.last().and_then(|m| m.bytes.get(start + 20..value.end)).unwrap_or_default();
                let units = pack.chunks_exact(2).position(|unit| unit == [0, 0]).unwrap_or(pack.len() / 2);
                if units > 0 {
                    reading.fact("ads.discovery.os.service_pack", Shape::Utf16Le, start + 20..start + 20 + 2 * units);
                }
            }
            5 => {
                let range = text();
                reading.fact("ads.discovery.name", Shape::Text, range);
            }
            18 => {
                let range = text();
                reading.fact("ads.discovery.fingerprint", Shape::Text, range);
            }
            _ => reading.fact(format!("ads.discovery.tag.{tag}"), Shape::HexLe, value),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
