//! An observation: one reading with its time, its way and its bytes, in the form in which it is kept.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use nameplate_wire::conversation::{Kind, Over};
use nameplate_wire::{self as wire, Reading};
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// Room for the JSON of a usual observation, so that it is not moved while it grows.
const JSON_BYTES: usize = 1024;

/// Where a reading comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "Written")]
pub enum Source {
    /// Heard in a capture.
    Capture {
        /// The file's name as it was given.
        #[serde(serialize_with = "text")]
        file: Arc<str>,
        /// Frame that completed the answer, from 1.
        frame: u64,
    },
    /// Heard on an interface.
    Live {
        /// Its name on the machine that listened: `eth1`.
        #[serde(serialize_with = "text")]
        interface: Arc<str>,
        /// Frame that completed the answer, from 1 for each time that it was opened.
        frame: u64,
    },
    /// Asked by us.
    Asked {
        /// The work order or plan that allowed it.
        #[serde(serialize_with = "text")]
        reason: Arc<str>,
    },
    /// From a list that somebody made; not a reading.
    Imported {
        /// The file's name as it was given.
        file: String,
        /// Its row, from 1, without the header and without empty lines.
        row: u64,
    },
    /// Read off the device by a person; not a reading.
    ByHand {
        /// Who.
        by: String,
        /// SHA-256 of a photo of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        photo_sha256: Option<String>,
        /// Who looked on.
        #[serde(skip_serializing_if = "Option::is_none")]
        second: Option<String>,
    },
}

/// A source as JSON has it. serde would copy all of it before it looked at its kind, and a fold reads millions.
#[derive(Deserialize)]
struct Written {
    kind: Way,
    file: Option<String>,
    frame: Option<u64>,
    interface: Option<String>,
    reason: Option<String>,
    row: Option<u64>,
    by: Option<String>,
    photo_sha256: Option<String>,
    second: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    Capture,
    Live,
    Asked,
    Imported,
    ByHand,
}

impl TryFrom<Written> for Source {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { kind, file, frame, interface, reason, row, by, photo_sha256, second } = written;
        let source = match kind {
            Way::Capture => file.zip(frame).map(|(file, frame)| Self::Capture { file: file.into(), frame }),
            Way::Live => interface.zip(frame).map(|(interface, frame)| Self::Live { interface: interface.into(), frame }),
            Way::Asked => reason.map(|reason| Self::Asked { reason: reason.into() }),
            Way::Imported => file.zip(row).map(|(file, row)| Self::Imported { file, row }),
            Way::ByHand => by.map(|by| Self::ByHand { by, photo_sha256, second }),
        };
        source.ok_or("a source without a field of its kind")
    }
}

/// Who spoke. Absent parts are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Hardware address, `00:80:f4:00:00:01`; behind a router it is the router's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Network address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Transport port of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Serial line, as the machine that asked on it calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Modbus unit identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<u8>,
    /// DNP3 link address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<u16>,
    /// Rack of an S7 station.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<u8>,
    /// Slot in a rack or backplane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<u16>,
    /// BACnet device instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<u32>,
    /// BACnet network number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<u16>,
    /// Station on that network, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub station: Option<String>,
    /// HART long address, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hart: Option<String>,
    /// CIP route behind the address: `1/0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A name by which the protocol addresses the part that speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The owner's zone in which it was heard or asked, where addresses repeat from zone to zone; part of where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl From<&wire::Address> for Address {
    fn from(address: &wire::Address) -> Self {
        let wire::Address { mac, ip, port, line, unit, link, rack, slot, instance, network, station, hart, path, name } = address.clone();
        let mac = mac.map(|mac| mac.to_string());
        Self { mac, ip, port, line, unit, link, rack, slot, instance, network, station, hart, path, name, zone: None }
    }
}

/// What is kept of a reading.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Who answered.
    pub address: Address,
    /// Where else the speaker says that it is: addresses of its own, each by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announced: Vec<Address>,
    /// How many of the first messages are questions, without whose bytes the answer could not be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: usize,
    /// Whose word it is, where it is not the device's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// True when the device said that this was all.
    pub complete: bool,
    /// Bytes that the last message had on the wire behind those that were captured.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut: usize,
    /// The device's exception code where it answered with one. An exception is an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<u8>,
    /// What could not be read, in words.
    pub malformed: Vec<String>,
    /// The answer's messages, each whole, in lower case hexadecimal; before them the questions that it takes to read them.
    pub messages: Vec<String>,
    /// What carried it: `udp`, `link ...`; left out for TCP. See [`over`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// `modbus`, ...
    pub protocol: String,
    /// The question that was answered: `modbus.identification.regular`; `presence.server` where somebody was only seen in that role.
    pub question: String,
    /// The way it came.
    pub source: Source,
    /// When the answer was complete, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: u64,
}

/// Whose word an observation is, where it is not the device's own. See [`wire::Authority`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// A client about itself.
    Client,
    /// Somebody about somebody else.
    Belief,
}

/// A text that many share; serde writes such a one with a feature alone.
fn text<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What carries a protocol, in words that stand in a record: `tcp`, `udp`, `serial`, `link type 88cc`, `link llc 82`, `link snap 00000c 2000`,
/// `link bus 165`.
#[must_use]
pub fn over_text(over: Over) -> String {
    match over {
        Over::Tcp => "tcp".into(),
        Over::Udp => "udp".into(),
        Over::Serial => "serial".into(),
        Over::Link(Kind::Ethertype(kind)) => format!("link type {kind:04x}"),
        Over::Link(Kind::Llc(sap)) => format!("link llc {sap:02x}"),
        Over::Link(Kind::Snap(organisation, kind)) => format!("link snap {} {kind:04x}", hex(&organisation)),
        Over::Link(Kind::Bus(link)) => format!("link bus {link}"),
    }
}

/// The reverse of [`over_text`]; `None` for anything else.
#[must_use]
pub fn over(text: &str) -> Option<Over> {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |digits: &str| u16::from_str_radix(digits, 16).ok();
    let kind = match words[..] {
        ["tcp"] => return Some(Over::Tcp),
        ["udp"] => return Some(Over::Udp),
        ["serial"] => return Some(Over::Serial),
        ["link", "type", kind] => Kind::Ethertype(number(kind)?),
        ["link", "llc", sap] => Kind::Llc(u8::from_str_radix(sap, 16).ok()?),
        ["link", "snap", organisation, kind] => Kind::Snap(unhex(organisation).ok()?.try_into().ok()?, number(kind)?),
        ["link", "bus", link] => Kind::Bus(link.parse().ok()?),
        _ => return None,
    };
    Some(Over::Link(kind))
}

impl Observation {
    /// Keeps a reading. `time_ns` stands for a reading without messages (a server that was only seen).
    #[must_use]
    pub fn of(reading: &Reading, source: Source, time_ns: u64) -> Self {
        let exception = reading.facts.iter().find(|fact| fact.path.ends_with(".exception")).and_then(|fact| fact.bytes.get(1).copied());
        Self {
            time_ns: reading.messages.last().map_or(time_ns, |message| message.time_ns),
            source,
            protocol: reading.protocol.to_owned(),
            question: reading.question.to_owned(),
            address: Address::from(&reading.speaker),
            announced: reading.announced.iter().map(Address::from).collect(),
            messages: reading.messages.iter().map(|message| hex(&message.bytes)).collect(),
            malformed: reading.malformed.iter().map(|(index, malformed)| format!("message {index}: {malformed}")).collect(),
            complete: reading.complete,
            exception,
            over: (reading.over != Over::Tcp).then(|| over_text(reading.over)),
            asked: reading.asked,
            authority: match reading.authority {
                wire::Authority::Device => None,
                wire::Authority::Client => Some(Authority::Client),
                wire::Authority::Belief => Some(Authority::Belief),
            },
            cut: reading.cut,
        }
    }

    /// The same with the name of its file alone; `None` where that is all there was. A folder is where somebody's copy lies, and how he
    /// typed that.
    #[must_use]
    pub fn in_its_folder(&self) -> Option<Self> {
        let Source::Capture { file, frame } = &self.source else { return None };
        let (_, name) = file.rsplit_once(['/', '\\'])?;
        let source = Source::Capture { file: name.into(), frame: *frame };
        Some(Self { source, ..self.clone() })
    }

    /// The observation's id: SHA-256 of its canonical JSON (serde's field order), lower case hexadecimal. The same capture read
    /// twice gives the same id.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.digest())
    }

    /// The 32 bytes of [`Observation::id`].
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut json = Vec::with_capacity(JSON_BYTES);
        // Plain structs of strings and numbers: serialising them cannot fail.
        let _ = serde_json::to_writer(&mut json, self);
        Sha256::digest(&json).into()
    }
}

/// An [`Observation::digest`], shown as an [`Observation::id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub [u8; 32]);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Bytes as lower case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    let pairs: Vec<[u8; 2]> = bytes.iter().map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect();
    // Digits are ASCII.
    String::from_utf8(pairs.into_flattened()).unwrap_or_default()
}

/// The bytes of hexadecimal digits; white space between them is passed over.
///
/// # Errors
/// The offset of the first character that is no digit, or the length when the number of digits is odd.
pub fn unhex(digits: &str) -> Result<Vec<u8>, usize> {
    // As our own records have them: nothing in between.
    let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
    let plain = pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect();
    if let (Some(bytes), []) = (plain, odd) {
        return Ok(bytes);
    }
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut high = None;
    for (at, c) in digits.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        let digit = c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(at)?;
        match high.take() {
            None => high = Some(digit << 4),
            Some(upper) => bytes.push(upper | digit),
        }
    }
    if high.is_some() { Err(digits.len()) } else { Ok(bytes) }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// A time as RFC 3339 in UTC with microseconds: `2026-03-02T10:15:30.123456Z`.
#[must_use]
pub fn rfc3339(time_ns: u64) -> String {
    // Nanoseconds in a u64 end in the year 2554; the format knows years up to 9999.
    humantime::format_rfc3339_micros(UNIX_EPOCH + Duration::from_nanos(time_ns)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_microseconds() {
        assert_eq!(rfc3339(1_772_446_530_123_456_789), "2026-03-02T10:15:30.123456Z");
        assert_eq!(rfc3339(u64::MAX), "2554-07-21T23:34:33.709551Z");
    }

    #[test]
    fn a_source_is_read_as_it_was_written_and_needs_the_fields_of_its_kind() {
        let table = [
            (r#"{"kind":"capture","file":"a","frame":7}"#, Source::Capture { file: "a".into(), frame: 7 }),
            (r#"{"kind":"live","interface":"eth1","frame":7}"#, Source::Live { interface: "eth1".into(), frame: 7 }),
            (r#"{"kind":"asked","reason":"WO-1"}"#, Source::Asked { reason: "WO-1".into() }),
            (r#"{"kind":"imported","file":"a","row":7}"#, Source::Imported { file: "a".into(), row: 7 }),
        ];
        for (text, source) in table {
            assert_eq!(serde_json::to_string(&source).unwrap(), text);
            assert_eq!(serde_json::from_str::<Source>(text).unwrap(), source);
        }
        for text in [
            r#"{"kind":"capture","file":"a"}"#,
            r#"{"kind":"capture","file":null,"frame":7}"#,
            r#"{"kind":"capture","interface":"eth1","frame":7}"#,
            r#"{"kind":"live","frame":7}"#,
            r#"{"kind":"asked","file":"a","frame":7}"#,
            r#"{"kind":"other","file":"a","frame":7}"#,
            r#"{"file":"a","frame":7}"#,
        ] {
            assert!(serde_json::from_str::<Source>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_carries_a_protocol_is_written_and_read_again() {
        let kinds = [Kind::Ethertype(0x88cc), Kind::Llc(0x82), Kind::Snap([0, 0, 0x0c], 0x2000), Kind::Bus(165)];
        for carrier in kinds.map(Over::Link).into_iter().chain([Over::Tcp, Over::Udp]) {
            assert_eq!(over(&over_text(carrier)), Some(carrier));
        }
        assert_eq!(over_text(Over::Link(kinds[2])), "link snap 00000c 2000");
        assert_eq!(over("link snap 0000 2000"), None);
    }

    #[test]
    fn digits_become_bytes_or_say_where_they_do_not() {
        assert_eq!(unhex("2b 0E\n01"), Ok(vec![0x2b, 0x0e, 1]));
        assert_eq!(unhex("2b0EfA90"), Ok(vec![0x2b, 0x0e, 0xfa, 0x90]));
        assert_eq!(unhex("2b0"), Err(3));
        assert_eq!(unhex("2x"), Err(1));
        assert_eq!(hex(&[0x2b, 0x0e]), "2b0e");
    }
}
