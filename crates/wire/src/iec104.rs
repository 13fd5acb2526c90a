//! IEC 60870-5-104: which stations are there, and who controls them. The protocol has no identification.
//!
//! Sources: IEC 60870-5-104 (2006), clause 5 (APCI) and 6 (types); IEC 60870-5-101 (2003), clause 7.2 (data unit identifier).

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Cutter, Malformed};

/// IEC 60870-5-104.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[2404], udp: &[], link: &[], likeness, start: |_| Box::new(Connection::default()) };

const NAME: &str = "iec104";
/// First byte of every APDU; the second is the length of what follows. Clause 5.
const START: u8 = 0x68;
/// Four control octets. Clause 5.
const LENGTH_BYTES_MIN: u8 = 4;
/// Control octets and an ASDU of up to 249. Clause 5.
const LENGTH_BYTES_MAX: u8 = 253;
const APCI_BYTES: usize = 6;
/// U formats: STARTDT, STOPDT and TESTFR, each activated and confirmed. Figure 7.
const U_FORMATS: [u8; 6] = [0x07, 0x0b, 0x13, 0x23, 0x43, 0x83];
const START_CONFIRMED: u8 = 0x0b;
const STOP_CONFIRMED: u8 = 0x23;
/// Types in monitor direction: process information, end of initialisation. IEC 60870-5-101, 7.2.1.
const MONITOR_LAST: u8 = 44;
const END_OF_INITIALISATION: u8 = 70;
/// Largest type of the standard; those behind are private.
const TYPE_LAST: u8 = 127;
/// Causes with which a station answers a command: confirmed (7, 9), terminated (10), and unknown (44 to 47). 7.2.3.
const ANSWER_CAUSES: [u8; 7] = [7, 9, 10, 44, 45, 46, 47];
/// The common address of all stations. 7.2.4.
const BROADCAST: u16 = 0xffff;
/// Stations of one connection that are told apart: a gateway stands for tens.
const STATIONS_MAX: usize = 64;

/// One TCP connection.
#[derive(Debug, Default)]
struct Connection {
    cutters: [Cutter; 2],
    stations: Vec<u16>,
    client: bool,
    /// A station that confirmed something and has not said its address yet.
    silent: Option<(Address, At)>,
    coverage: Coverage,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(said.by_server);
        let mut cutter = core::mem::take(&mut self.cutters[side]);
        let malformed = cutter.messages(said.bytes, length, &mut |apdu| self.apdu(apdu, said, out));
        self.cutters[side] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        self.cutters[usize::from(by_server)].lose();
    }

    fn finish(&mut self, _: At, out: &mut dyn FnMut(Heard)) {
        if let Some((speaker, at)) = self.silent.take().filter(|_| self.stations.is_empty()) {
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker, at });
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Connection {
    fn apdu(&mut self, apdu: &[u8], said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let Some(&[_, _, first, ..]) = apdu.first_chunk::<APCI_BYTES>() else { return };
        self.coverage.decoded += 1;
        if let START_CONFIRMED | STOP_CONFIRMED = first {
            self.client(said, out);
            self.silent.get_or_insert((said.speaker(), said.at));
        }
        // Type, number of objects, cause (2), common address (2, lower byte first). 7.2.
        let Some(&[kind, _, cause, _, lower, upper]) = apdu.get(APCI_BYTES..).and_then(<[u8]>::first_chunk) else { return };
        let answers = match kind {
            1..=MONITOR_LAST | END_OF_INITIALISATION => true,
            0 | TYPE_LAST.. => {
                self.coverage.decoded -= u64::from(kind == 0);
                return;
            }
            _ => ANSWER_CAUSES.contains(&(cause & 0x3f)),
        };
        let station = u16::from_le_bytes([lower, upper]);
        if answers && station != BROADCAST && !self.stations.contains(&station) && self.stations.len() < STATIONS_MAX {
            self.client(said, out);
            self.stations.push(station);
            let speaker = Address { link: Some(station), ..said.speaker() };
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker, at: said.at });
        }
    }

    /// To whom a station speaks is its controlling station.
    fn client(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        if !core::mem::replace(&mut self.client, true) {
            out(Heard::Present { protocol: NAME, role: Role::Client, speaker: said.to.into(), at: said.at });
        }
    }
}

/// How long the APDU is that starts here.
fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    if bytes.first().is_some_and(|b| *b != START) {
        return Err(Malformed::wrong(NAME, 0, "start of an APDU (5)"));
    }
    let Some(&length) = bytes.get(1) else { return Ok(None) };
    // An APDU with an ASDU is in I format; the others have nothing behind the control octets.
    let numbered = bytes.get(2).is_none_or(|control| control & 1 == 0);
    let fits = if numbered { length != LENGTH_BYTES_MIN || bytes.len() < 3 } else { length == LENGTH_BYTES_MIN };
    let known = bytes.get(2).is_none_or(|control| control & 3 != 3 || U_FORMATS.contains(control));
    if !(LENGTH_BYTES_MIN..=LENGTH_BYTES_MAX).contains(&length) || !fits || !known {
        return Err(Malformed::wrong(NAME, 1, "length and format of an APDU (5)"));
    }
    Ok(Some(2 + usize::from(length)))
}

/// Only the six messages without numbers are so few that nothing else looks like them.
fn likeness(bytes: &[u8], _: Over) -> Likeness {
    match *bytes {
        _ if length(bytes).is_err() => Likeness::No,
        [START, LENGTH_BYTES_MIN, control, 0, 0, 0, ..] if U_FORMATS.contains(&control) => Likeness::Certain,
        _ => Likeness::Possible,
    }
}

#[cfg(test)]
mod tests;
