//! What every protocol's decoder returns: a reading, that is the facts of one identity answer and the bytes they stand in.

use core::fmt;
use core::net::IpAddr;

use crate::Malformed;
use crate::conversation::Over;
use crate::tcp::At;

/// Own addresses that are noted of one reading: a device has one or two; a list of them may be as long as its message.
const OWN_ADDRESSES_MAX: usize = 16;

/// An Ethernet hardware address (IEEE 802, EUI-48).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// False for zeros, and for addresses of groups, broadcast among them (IEEE 802, 8.2.2).
    #[must_use]
    pub fn is_one_devices(self) -> bool {
        self.0 != [0; 6] && self.0[0] & 1 == 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Whatever identifies a speaker on the wire: where its frames come from, and the way behind that address to the part that speaks.
/// Absent parts were not in the bytes. Behind a router `mac` is the router's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Source hardware address of the frame that spoke.
    pub mac: Option<Mac>,
    /// Source network address.
    pub ip: Option<IpAddr>,
    /// The server's transport port.
    pub port: Option<u16>,
    /// The serial line that leads to the speaker, as the machine that asked on it calls it: `/dev/ttyUSB0`.
    pub line: Option<String>,
    /// Modbus unit identifier, FINS or MELSEC station: who speaks behind this address.
    pub unit: Option<u8>,
    /// DNP3 link address.
    pub link: Option<u16>,
    /// Rack of an S7 station.
    pub rack: Option<u8>,
    /// Slot in a rack or backplane.
    pub slot: Option<u16>,
    /// BACnet device instance.
    pub instance: Option<u32>,
    /// BACnet network number, where the device is not on the one that was listened to.
    pub network: Option<u16>,
    /// The station on that network (BACnet: MS/TP address or other hardware address), as hexadecimal digits.
    pub station: Option<String>,
    /// HART long address: expanded device type and device id, as hexadecimal digits.
    pub hart: Option<String>,
    /// CIP route behind the address, port and link in turn: `1/0`.
    pub path: Option<String>,
    /// A name by which the protocol itself addresses the part that speaks (OPC UA application URI, GOOSE control block).
    pub name: Option<String>,
}

impl From<Mac> for Address {
    fn from(mac: Mac) -> Self {
        Self { mac: Some(mac), ..Self::default() }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        Self { ip: Some(ip), ..Self::default() }
    }
}

fn network_address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// False for an address that is not set, a group's or the own machine's, and for those that are taken anew on each link (RFC 3927, RFC 4291).
fn is_one_devices(ip: IpAddr) -> bool {
    let anywhere = ip.is_unspecified() || ip.is_multicast() || ip.is_loopback();
    let here = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    };
    !anywhere && !here
}

/// One message of an answer: its whole transport payload, so that anyone can decode it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Frame that completed the message, from 1 as Wireshark counts; 0 for a live answer.
    pub frame: u64,
    /// When it was complete, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: u64,
    /// The bytes as they were sent, headers of the application protocol included; cut where the capture cut them.
    pub bytes: Vec<u8>,
}

/// How the bytes of a fact are written out. The protocol says so, not the profile: two decoders of the same bytes must read the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Text in UTF-8, else in ISO 8859-1.
    #[default]
    Text,
    /// As [`Shape::Text`], of several lines or columns: each run of line ends and tabs, with the blanks around it, is one blank.
    Lines,
    /// Text that its protocol says is UTF-8: a byte that is none shows as U+FFFD, because no other code page may be guessed.
    Utf8,
    /// Text in UTF-16 or UCS-2, lower byte first.
    Utf16Le,
    /// Text in UTF-16 or UCS-2, upper byte first.
    Utf16Be,
    /// Text in UTF-32 or UCS-4, upper byte first.
    Utf32Be,
    /// Text in ISO 8859-1, whatever else it could be.
    Latin1,
    /// Text in a character set that is not read here, but for what it has in common with ASCII.
    Ascii,
    /// An object identifier as BER has it (X.690, 8.19), in decimal with dots: `2b 06 01` is `1.3.6.1`.
    Oid,
    /// Each byte a decimal number, with dots between: `04 03` is `4.3`.
    Dotted,
    /// As [`Shape::Dotted`], with one number of two bytes at the end, lower byte first: `02 0b 37 08` is `2.11.2103`.
    DottedWordLe,
    /// Each two bytes a decimal number, upper byte first, with dots between: `00 02 00 0a` is `2.10`.
    DottedWords,
    /// As [`Shape::Dotted`], the last byte first: `00 04 0f 05` is `5.15.4.0`.
    DottedLe,
    /// Decimal digits in half bytes, with a point before the last two: `02 83` is `2.83`.
    DigitsPoint,
    /// A number of hundredths, upper byte first: `02 59` (601) is `6.01`.
    Hundredths,
    /// A number of two digits, upper byte first, of which the last stands for a letter from A on: `00 0a` (10) is `1.A`, `00 17` (23) is `2.D`.
    TensLetter,
    /// A number that stands for a letter, upper byte first: `00 01` is `A`, `00 1a` is `Z`.
    Letter,
    /// A letter, then decimal numbers with dots: `56 03 02 06` is `V3.2.6`.
    LetterDotted,
    /// As [`Shape::LetterDotted`], written in columns of three digits that blanks fill up: `V  2  6  0` is `V2.6.0`.
    LetterColumns,
    /// A hardware address: two digits a byte, with colons between.
    Mac,
    /// A network address of four or sixteen bytes, as people write it.
    Ip,
    /// An unsigned number of up to eight bytes, upper byte first, in decimal.
    Number,
    /// An unsigned number of up to eight bytes, lower byte first, in decimal.
    NumberLe,
    /// An unsigned number, upper byte first, in hexadecimal with all its digits: `0x0051aec3`.
    Hex,
    /// An unsigned number, lower byte first, in hexadecimal with all its digits: `c3 ae 51 00` is `0x0051aec3`.
    HexLe,
    /// The upper five bits of a byte as a decimal number; what is below them is another field (HART hardware revision).
    UpperFive,
    /// Text of six-bit characters, four in three bytes (HART, HCF_SPEC-099, Packed ASCII).
    Packed,
    /// Labels of a domain name, each behind its length (RFC 1035, 3.1): `04 _ t c p 05 l o c a l 00` is `_tcp.local`.
    Labels,
    /// Text with each half of a byte as a letter from A on (RFC 1001, 14.1): `45 42` is `A`.
    HalfAscii,
    /// Major and minor version of Windows, with the name that goes with them: `05 01` is `Windows XP 5.1`, `0a 00` is `10.0`.
    WindowsVersion,
}

/// Something a decoder read, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The fact's name, lower case and dotted: `modbus.object.2`, `cip.identity.revision`.
    pub path: String,
    /// The value's bytes as the device sent them.
    pub bytes: Vec<u8>,
    /// How they are written out.
    pub shape: Shape,
    /// Index into [`Reading::messages`].
    pub message: usize,
    /// Offset of the value's first byte in that message.
    pub offset: usize,
}

/// Whose word a reading is. What somebody else believes about a device is never the device's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Authority {
    /// A device about itself.
    #[default]
    Device,
    /// A client (engineering station, SCADA master) about itself.
    Client,
    /// Somebody about somebody else: a project's idea of a device, an electronic key, a name that is being set. [`Reading::speaker`]
    /// is the one it is about.
    Belief,
}

/// One reading of one speaker: the answer to one question, over as many messages as it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The protocol's name as in docs/GLOSSARY: `modbus`.
    pub protocol: &'static str,
    /// What carried it, so that the same bytes can be read again.
    pub over: Over,
    /// The question that this answers: `modbus.identification.regular`, `lldp.announcement`, ...
    pub question: &'static str,
    /// Whose word it is.
    pub authority: Authority,
    /// Who answered.
    pub speaker: Address,
    /// Where else the speaker says that it is: addresses of its own, each by itself. See [`Reading::announces`].
    pub announced: Vec<Address>,
    /// How many of the first messages are questions, without whose bytes the answer could not be read. 0 where the answer says it all.
    pub asked: usize,
    /// The answer's messages in the order in which they were sent; before them the questions that it takes to read them.
    pub messages: Vec<Message>,
    /// What was read. Only values whose every byte was there.
    pub facts: Vec<Fact>,
    /// What could not be read, with the index of the message it stands in.
    pub malformed: Vec<(usize, Malformed)>,
    /// True when the device said that this is all; false when pages or bytes are missing.
    pub complete: bool,
    /// Bytes that the last message had on the wire behind those that were captured.
    pub cut: usize,
}

impl Reading {
    /// An answer of which nothing was heard yet.
    #[must_use]
    pub fn new(protocol: &'static str, over: Over, question: &'static str, speaker: Address) -> Self {
        let (announced, messages, facts, malformed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self {
            protocol,
            over,
            question,
            authority: Authority::Device,
            speaker,
            announced,
            asked: 0,
            messages,
            facts,
            malformed,
            complete: false,
            cut: 0,
        }
    }

    /// An answer that is one message, whole as it stands: facts are taken from it with [`Reading::fact`].
    #[must_use]
    pub fn of(protocol: &'static str, over: Over, question: &'static str, speaker: Address, at: At, bytes: &[u8]) -> Self {
        let message = Message { frame: at.frame, time_ns: at.time_ns, bytes: bytes.to_vec() };
        Self { messages: vec![message], complete: true, ..Self::new(protocol, over, question, speaker) }
    }

    /// Puts a question before the answer, behind those that are there: without its bytes the answer could not be read.
    #[must_use]
    pub fn asked_by(mut self, at: At, bytes: &[u8]) -> Self {
        self.messages.insert(self.asked, Message { frame: at.frame, time_ns: at.time_ns, bytes: bytes.to_vec() });
        self.asked += 1;
        self.facts.iter_mut().for_each(|fact| fact.message += 1);
        self.malformed.iter_mut().for_each(|(message, _)| *message += 1);
        self
    }

    /// Takes a fact out of the last message: the bytes at `range`. A range that is not all there gives no fact.
    pub fn fact(&mut self, path: impl Into<String>, shape: Shape, range: core::ops::Range<usize>) {
        let Some(message) = self.messages.len().checked_sub(1) else { return };
        let Some(bytes) = self.messages[message].bytes.get(range.clone()) else { return };
        self.facts.push(Fact { path: path.into(), bytes: bytes.to_vec(), shape, message, offset: range.start });
    }

    /// As [`Reading::fact`], for an address that the speaker says is its own. It is noted as such where it can be one device's: not where
    /// nothing is set, not a group's, and not one that means something only on one link. What somebody believes of another is not noted.
    pub fn announces(&mut self, path: impl Into<String>, shape: Shape, range: core::ops::Range<usize>) {
        let bytes = self.messages.last().and_then(|message| message.bytes.get(range.clone())).unwrap_or_default();
        let own = match (shape, bytes) {
            (Shape::Mac, bytes) => <[u8; 6]>::try_from(bytes).ok().map(Mac).filter(|mac| mac.is_one_devices()).map(Address::from),
            (Shape::Ip, bytes) => network_address(bytes).filter(|ip| is_one_devices(*ip)).map(Address::from),
            _ => None,
        };
        let own = own.filter(|own| self.authority != Authority::Belief && !self.announced.contains(own));
        self.announced.extend(own.filter(|_| self.announced.len() < OWN_ADDRESSES_MAX));
        self.fact(path, shape, range);
    }

    /// Overwrites a secret in the last message (a community, a cookie): it is kept and handed on as long as the reading is. Lengths stay,
    /// so that everything else can be read again.
    pub fn hide(&mut self, range: core::ops::Range<usize>) {
        if let Some(secret) = self.messages.last_mut().and_then(|message| message.bytes.get_mut(range)) {
            secret.fill(b'*');
        }
    }

    /// Notes what is wrong in the last message; the answer is not whole then.
    pub fn broken(&mut self, malformed: Malformed) {
        self.malformed.push((self.messages.len().saturating_sub(1), malformed));
        self.complete = false;
    }
}
