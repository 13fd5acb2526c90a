//! The questions we may put: an association without a password, who the server is, which domains it has, and the name plates of one logical
//! device, attribute by attribute, because in an answer nothing but the place in the question says which value is which.
//!
//! The association is laid out as a client puts it in a public capture (ITI/ICS-Security-Tools pcaps/IEC61850/piccolo.pcap, frame 1), but
//! offers 16,000 bytes and one question at a time, and names as services only what is asked here.

use super::{CONNECT, GIVE_TOKENS_AND_DATA, IDENTIFY, NAMES, READ, pdu, service};
use crate::ber::Value;
use crate::iso;

/// Our own transport selector.
const CALLING: [u8; 2] = [0, 1];
/// Selectors that servers of IEC 61850 are called by where nothing else is configured: as in the capture.
pub const TRANSPORT_SELECTOR: [u8; 2] = [0, 1];
/// The session's.
pub const SESSION_SELECTOR: [u8; 2] = [0, 1];
/// The presentation's.
pub const PRESENTATION_SELECTOR: [u8; 4] = [0, 0, 0, 1];
/// The logical node of the device itself where its name has no prefix. IEC 61850-7-4.
pub const DEVICE_NODE: &str = "LPHD1";
/// What its plate may tell of the device (IEC 61850-7-3, 7.9, DPL): all but who owns it and where on earth it is.
pub const DEVICE_ATTRIBUTES: [&str; 8] = ["vendor", "hwRev", "swRev", "serNum", "model", "location", "name", "d"];
/// What the plate of a logical device's first node tells of it (IEC 61850-7-3, 7.9, LPL). Some makers write the device's firmware there.
pub const NODE_ATTRIBUTES: [&str; 3] = ["vendor", "swRev", "configRev"];
/// The functional constraint: a description. IEC 61850-7-2.
const DESCRIPTION: &str = "DC";

/// Before the session's called selector: options, version 2, duplex, our own selector. ISO 8327-1, 8.3.1.
const SESSION_HEAD: [u8; 16] = [5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2, 0x33, 2, 0, 1];
const SESSION_CALLED: u8 = 0x34;
const SESSION_DATA: u8 = 0xc1;
/// Before the presentation's called selector: our own. ISO 8823-1, 8.2.
const PRESENTATION_CALLING: [u8; 6] = [0x81, 4, 0, 0, 0, 1];
const PRESENTATION_CALLED: u8 = 0x82;
/// Context 1 is ACSE, context 3 MMS, both in BER. ISO 8823-1, 8.2.
const CONTEXTS: [u8; 37] = [
    0xa4, 0x23, 0x30, 0x0f, 2, 1, 1, 6, 4, 0x52, 1, 0, 1, 0x30, 4, 6, 2, 0x51, 1, 0x30, 0x10, 2, 1, 3, 6, 5, 0x28, 0xca, 0x22, 2, 1, 0x30,
    4, 6, 2, 0x51, 1,
];
/// Application context MMS; who is called (1.1.1.999.1, 12) and who calls (1.1.1.999, 12), as everybody does. ISO 8650-1, clause 9.
const TITLES: [u8; 36] = [
    0xa1, 7, 6, 5, 0x28, 0xca, 0x22, 2, 3, 0xa2, 7, 6, 5, 0x29, 1, 0x87, 0x67, 1, 0xa3, 3, 2, 1, 12, 0xa6, 6, 6, 4, 0x29, 1, 0x87, 0x67,
    0xa7, 3, 2, 1, 12,
];
/// Initiate (ISO 9506-2, 8.2): PDUs of 16,000 bytes, one question at a time each way, structures in structures up to 5; version 1,
/// parameters as in the capture, services GetNameList, Identify, Read, Conclude.
const INITIATE: [u8; 39] = [
    0xa8, 0x25, 0x80, 2, 0x3e, 0x80, 0x81, 1, 1, 0x82, 1, 1, 0x83, 1, 5, 0xa4, 0x16, 0x80, 1, 1, 0x81, 3, 5, 0xf1, 0, 0x82, 12, 3, 0x68, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// Longest PDU that an answer may have: what [`INITIATE`] says.
pub const PDU_BYTES_MAX: usize = 16_000;
/// GetNameList of the domains of the server: object class 9, no narrower scope. ISO 9506-2, 9.3.
const DOMAINS: [u8; 9] = [0xa0, 3, 0x80, 1, 9, 0xa1, 2, 0x80, 0];
/// Conclude, without anything. ISO 9506-2, 8.3.
const CONCLUDE: [u8; 2] = [0x8b, 0];

/// A message that is put to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// COTP connection request.
    Connect {
        /// The transport selector that is called: at most 32 bytes.
        called: Vec<u8>,
    },
    /// Session, presentation, ACSE and MMS Initiate, without authentication.
    Initiate {
        /// The session selector that is called: at most 16 bytes.
        session: Vec<u8>,
        /// The presentation selector that is called: at most 16 bytes.
        presentation: Vec<u8>,
    },
    /// Identify: vendor, model and revision of the MMS server.
    Identify,
    /// GetNameList: the domains, which are the logical devices.
    Domains,
    /// Read of the device's plate, [`DEVICE_ATTRIBUTES`].
    DevicePlate {
        /// The logical device.
        domain: String,
        /// The node with the plate: [`DEVICE_NODE`], or with a prefix.
        node: String,
    },
    /// Read of the plate of a logical device's first node, [`NODE_ATTRIBUTES`].
    NodePlate {
        /// The logical device.
        domain: String,
    },
    /// Conclude: the end of the association.
    Conclude,
}

impl Question {
    /// The question's name on the allowlist. Both plates are read under the name `mms.read.nameplate`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "mms.connect",
            Self::Initiate { .. } => "mms.initiate",
            Self::Identify => "mms.identify",
            Self::Domains => "mms.domains",
            Self::DevicePlate { .. } => "mms.read.nameplate",
            Self::NodePlate { .. } => "mms.read.nameplate.node",
            Self::Conclude => "mms.conclude",
        }
    }

    /// The whole packet. `number` comes back in the answer; below 128.
    #[must_use]
    pub fn encode(&self, number: u8) -> Vec<u8> {
        let confirmed = |service: Vec<u8>| data(&value(0xa0, &[&[2, 1, number][..], &service].concat()));
        match self {
            Self::Connect { called } => iso::connection_request(number.into(), CALLING, called),
            Self::Initiate { session, presentation } => associate(session, presentation),
            Self::Identify => confirmed(vec![0x82, 0]),
            Self::Domains => confirmed(value(0xa1, &DOMAINS)),
            Self::DevicePlate { domain, node } => confirmed(read(domain, node, "PhyNam", &DEVICE_ATTRIBUTES)),
            Self::NodePlate { domain } => confirmed(read(domain, "LLN0", "NamPlt", &NODE_ATTRIBUTES)),
            Self::Conclude => data(&CONCLUDE),
        }
    }

    /// Recognises one of these questions in a client's packet, with its number (0 where it has none); `None` for everything else.
    #[must_use]
    pub fn read(packet: &[u8]) -> Option<(u8, Self)> {
        let (number, question) = Self::guess(packet)?;
        // What it could be is what it is where we would write it so.
        (question.encode(number) == packet).then_some((number, question))
    }

    fn guess(packet: &[u8]) -> Option<(u8, Self)> {
        if let Some((reference, called)) = iso::called_of(packet) {
            return Some((u8::try_from(reference).ok()?, Self::Connect { called: called.to_vec() }));
        }
        let Ok(iso::Packet::Content { last: true, body }) = iso::Packet::read(packet) else { return None };
        if body.first() == Some(&CONNECT) {
            let (session, rest) = counted(body.get(2 + SESSION_HEAD.len()..)?, SESSION_CALLED)?;
            let at = rest.windows(PRESENTATION_CALLING.len()).position(|window| window == PRESENTATION_CALLING)?;
            let (presentation, _) = counted(rest.get(at + PRESENTATION_CALLING.len()..)?, PRESENTATION_CALLED)?;
            return Some((0, Self::Initiate { session: session.to_vec(), presentation: presentation.to_vec() }));
        }
        let mut cursor = pdu(packet, iso::data_at(packet)?)?;
        if cursor.rest() == CONCLUDE {
            return Some((0, Self::Conclude));
        }
        let inside = Value::next(&mut cursor).ok()?.inside(&cursor);
        let (number, service) = service(packet, inside)?;
        let question = match service.tag {
            0x82 => Self::Identify,
            NAMES => Self::Domains,
            READ => {
                let text = |range: core::ops::Range<usize>| String::from_utf8(packet.get(range)?.to_vec()).ok();
                let (domain, item) = super::names(READ, service.inside(&cursor)).next()?;
                let (domain, item) = (text(domain)?, text(item)?);
                match item.split_once('$')? {
                    ("LLN0", _) => Self::NodePlate { domain },
                    (node, _) => Self::DevicePlate { domain, node: node.to_owned() },
                }
            }
            _ => return None,
        };
        Some((u8::try_from(number).ok()?, question))
    }

    /// The tag of the service that answers it; `None` where it is no confirmed service. ISO 9506-2, clause 7.
    #[must_use]
    pub(super) const fn service(&self) -> Option<u32> {
        match self {
            Self::Identify => Some(IDENTIFY),
            Self::Domains => Some(NAMES),
            Self::DevicePlate { .. } | Self::NodePlate { .. } => Some(READ),
            Self::Connect { .. } | Self::Initiate { .. } | Self::Conclude => None,
        }
    }
}

/// What stands behind a tag and one byte of length, and what follows.
fn counted(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[tag])?;
    rest.get(1..)?.split_at_checked(usize::from(*rest.first()?))
}

/// A value of BER with the shortest length. X.690, 8.1.3. Nothing here comes near 64 KiB.
fn value(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [upper, lower] = (contents.len() as u16).to_be_bytes();
    let length = match contents.len() {
        ..=0x7f => vec![lower],
        0x80..=0xff => vec![0x81, lower],
        _ => vec![0x82, upper, lower],
    };
    [&[tag][..], &length, contents].concat()
}

/// A PDU in presentation data of context 3, in session data.
fn data(pdu: &[u8]) -> Vec<u8> {
    let list = [&[2, 1, 3][..], &value(0xa0, pdu)].concat();
    iso::content(&[&GIVE_TOKENS_AND_DATA[..], &value(0x61, &value(0x30, &list))].concat())
}

/// A parameter of an SPDU, or the SPDU itself: ISO 8327-1, 8.2. None of ours comes near 255 bytes.
fn parameter(code: u8, value: &[u8]) -> Vec<u8> {
    [&[code, value.len() as u8][..], value].concat()
}

fn associate(session: &[u8], presentation: &[u8]) -> Vec<u8> {
    // What stands in the association is of BER's own kind: EXTERNAL, its syntax, its context.
    let initiate = value(0x28, &[&[6, 2, 0x51, 1, 2, 1, 3][..], &value(0xa0, &INITIATE)].concat());
    let request = value(0x60, &[&TITLES[..], &value(0xbe, &initiate)].concat());
    let user = value(0x61, &value(0x30, &[&[2, 1, 1][..], &value(0xa0, &request)].concat()));
    let normal = [&PRESENTATION_CALLING[..], &value(PRESENTATION_CALLED, presentation), &CONTEXTS, &user].concat();
    let connect = value(0x31, &[&[0xa0, 3, 0x80, 1, 1][..], &value(0xa2, &normal)].concat());
    let parameters = [&SESSION_HEAD[..], &parameter(SESSION_CALLED, session), &parameter(SESSION_DATA, &connect)].concat();
    iso::content(&parameter(CONNECT, &parameters))
}

/// Read of the attributes of one plate, a variable each. ISO 9506-2, 14.2; IEC 61850-8-1, 7.3.
fn read(domain: &str, node: &str, plate: &str, attributes: &[&str]) -> Vec<u8> {
    let variable = |attribute: &&str| {
        let item = [node, DESCRIPTION, plate, attribute].join("$");
        let name = [value(0x1a, domain.as_bytes()), value(0x1a, item.as_bytes())].concat();
        value(0x30, &value(0xa0, &value(0xa1, &name)))
    };
    value(0xa4, &value(0xa1, &value(0xa0, &attributes.iter().flat_map(variable).collect::<Vec<u8>>())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iso::tests::hex;

    fn check(question: &Question, number: u8, expected: &str) {
        let packet = question.encode(number);
        assert_eq!(packet, hex(expected), "{}", question.name());
        assert_eq!(Question::read(&packet), Some((number, question.clone())), "our own question is read again");
    }

    /// The association after frame 1 of the capture above, Identify its frame 3; the others by hand from the standards.
    #[test]
    fn questions_are_the_bytes_of_a_public_capture_and_round_trip() {
        check(&Question::Connect { called: vec![0, 1] }, 1, "03000016 11e0 0000 0001 00 c1020001 c2020001 c0010a");
        let initiate = Question::Initiate { session: vec![0, 1], presentation: vec![0, 0, 0, 1] };
        let expected = "030000be02f080 0db5 0506130100160102 14020002 33020001 34020001 c19f
            31819c a003800101 a28194 810400000001 820400000001
            a423 300f0201010604520100013004060251 01 3010020103060528ca2202013004060251 01
            6161 305f 020101 a05a 6058 a107060528ca220203 a20706052901876701 a30302010c a606060429018767 a70302010c
            be32 2830 06025101 020103 a027 a825 80023e80 810101 820101 830105 a416 800101 810305f100 820c03 6800000000000000000010";
        check(&initiate, 0, expected);
        check(&Question::Identify, 1, "0300001b02f08001000100610e300c020103a007a0050201018200");
        check(&Question::Domains, 4, "0300002402f08001000100 6117 3015 020103 a010 a00e 020104 a109 a003800109 a1028000");
        check(&Question::Conclude, 0, "0300001602f08001000100 6109 3007 020103 a002 8b00");
        let plate = Question::NodePlate { domain: "LD0".to_owned() };
        let item = |length: &str, text: &str| {
            let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let [third, second, first, item] = hex(length).try_into().expect("four lengths");
            format!("30{third:02x}a0{second:02x}a1{first:02x} 1a03 4c4430 1a{item:02x} {digits}")
        };
        let items = [("201e1c15", "LLN0$DC$NamPlt$vendor"), ("1f1d1b14", "LLN0$DC$NamPlt$swRev"), ("23211f18", "LLN0$DC$NamPlt$configRev")];
        let items: String = items.iter().map(|(length, text)| item(length, text)).collect();
        check(&plate, 6, &format!("0300008702f08001000100 617a 3078 020103 a073 a071 020106 a46c a16a a068 {items}").replace("\n", ""));
        let plate = Question::DevicePlate { domain: "X".repeat(64), node: "ABCDEFGHIJKLPHD1".to_owned() };
        let packet = plate.encode(5);
        assert!(packet.len() <= iso::PACKET_BYTES_MAX, "{} bytes of the longest names", packet.len());
        assert_eq!(Question::read(&packet), Some((5, plate)));
    }

    #[test]
    fn what_controls_or_writes_is_no_question() {
        let plate = Question::DevicePlate { domain: "LD0".to_owned(), node: "LPHD1".to_owned() }.encode(1);
        let with = |from: &[u8], to: &[u8]| {
            let at = plate.windows(from.len()).position(|window| window == from).expect("it is there");
            [&plate[..at], to, &plate[at + from.len()..]].concat()
        };
        for constraint in [b"$CO$", b"$SP$", b"$SG$", b"$SE$", b"$RP$", b"$BR$", b"$SV$", b"$ST$", b"$EX$"] {
            assert_eq!(Question::read(&with(b"$DC$", constraint)), None, "{constraint:?}");
        }
        let write = with(&[0xa4, 0x82], &[0xa5, 0x82]);
        let named_list = "0300002102f08001000100 6114 3012 020103 a00d a00b 020101 a406 a104 a1 02 8000";
        let status = "0300001c02f08001000100610f300d020103a008a006020102800100";
        for packet in [write, hex(named_list), hex(status), Vec::new(), vec![3, 0]] {
            assert_eq!(Question::read(&packet), None, "{packet:02x?}");
        }
    }
}
