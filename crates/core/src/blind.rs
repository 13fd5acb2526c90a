//! Blind spots: who talks and did not tell his firmware, and the one question that would settle it. Nothing here sends anything; whether a
//! question may be put is decided by the guard's table and by the plant.

use serde::Serialize;

use crate::catalog::Asset;
use crate::claim::Field;

/// A question that asks a device for its firmware, least intrusive first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The protocol in which it is put.
    pub protocol: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// How it is carried: transport and port.
    pub over: &'static str,
    /// Its bytes in hexadecimal digits; a `..` stands for what the device's own address fills in.
    pub bytes: &'static str,
    /// Where the bytes are specified.
    pub source: &'static str,
}

/// In the order of how little they ask of a device: one datagram without a connection, one request in a connection, a session.
pub const QUESTIONS: [Question; 9] = [
    Question {
        protocol: "enip",
        asks: "ListIdentity",
        over: "UDP 44818",
        bytes: "63 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
        source: "CIP Vol. 2, 2-4.2",
    },
    Question {
        protocol: "fins",
        asks: "Controller Data Read",
        over: "UDP 9600",
        bytes: "80 00 02 00 .. 00 00 .. 00 00 05 01 00",
        source: "Omron W342, 5-3-17",
    },
    Question {
        protocol: "bacnet",
        asks: "ReadProperty firmware-revision of the device object",
        over: "UDP 47808",
        bytes: "81 0a 00 11 01 04 00 05 01 0c 0c 02 3f ff ff 19 2c",
        source: "ASHRAE 135, 15.5",
    },
    Question {
        protocol: "snmp",
        asks: "sysDescr.0",
        over: "UDP 161, with the plant's read community or user",
        bytes: "30 .. 02 01 00 04 .. a0 .. 02 01 01 02 01 00 02 01 00 30 0e 30 0c 06 08 2b 06 01 02 01 01 01 00 05 00",
        source: "RFC 1157, 4.1.2",
    },
    Question {
        protocol: "modbus",
        asks: "Read Device Identification, basic",
        over: "TCP 502, one request",
        bytes: "00 01 00 00 00 05 .. 2b 0e 01 00",
        source: "MODBUS V1.1b3, 6.21",
    },
    Question {
        protocol: "dnp3",
        asks: "READ group 0, all attributes (variation 254)",
        over: "TCP 20000, one request",
        bytes: "05 64 0d c4 .. .. .. .. .. .. c0 c0 01 00 fe 00 00 00 .. ..",
        source: "IEEE 1815-2012, A.2",
    },
    Question {
        protocol: "s7comm",
        asks: "Read SZL 0x0011 (module identification)",
        over: "TCP 102, behind connection request and setup",
        bytes: "03 00 00 21 02 f0 80 32 07 00 00 08 00 00 08 00 08 00 01 12 04 11 44 01 00 ff 09 00 04 00 11 00 00",
        source: "Siemens System Software for S7-300/400, A5E02789976, SSL-ID W#16#xy11",
    },
    Question {
        protocol: "mms",
        asks: "Read LPHD1$DC$PhyNam$swRev, and the plate's other attributes as variables beside it",
        over: "TCP 102, behind an association without a password",
        bytes: "a0 .. 02 01 .. a4 .. a1 .. a0 .. 30 .. a0 .. a1 .. 1a .. .. 1a 15 4c 50 48 44 31 24 44 43 24 50 68 79 4e 61 6d 24 73 77 52 65 76",
        source: "IEC 61850-8-1, 7.3; IEC 61850-7-3, 7.9",
    },
    Question {
        protocol: "opcua",
        asks: "Read ServerStatus BuildInfo (i=2261 to i=2266)",
        over: "TCP 4840, one short session",
        bytes: "nodes 01 00 d5 08 .. 01 00 da 08, attribute 13",
        source: "OPC 10000-5, 12.4; OPC 10000-6, 5.2",
    },
];

/// Somebody who answers questions and whose firmware is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlindSpot<'a> {
    /// Who.
    pub asset: &'a Asset,
    /// The question that would settle it; `None` where no protocol it answers in has one.
    pub question: Option<&'static Question>,
}

/// The blind spots among these assets. Who only asks (a client) or was only listed is none.
pub fn spots<'a>(assets: impl IntoIterator<Item = &'a Asset>) -> Vec<BlindSpot<'a>> {
    let answers = |asset: &Asset, protocol: &str| {
        asset.speaks.get(protocol).is_some_and(|roles| roles.is_empty() || roles.iter().any(|role| role != "client"))
    };
    let unknown = assets.into_iter().filter(|asset| {
        let tells = asset.claims.iter().any(|recorded| matches!(recorded.claim.field, Field::FirmwareRevision | Field::SoftwareRevision));
        !tells && asset.speaks.keys().any(|protocol| answers(asset, protocol))
    });
    let question = |asset: &Asset| QUESTIONS.iter().find(|question| answers(asset, question.protocol));
    unknown.map(|asset| BlindSpot { asset, question: question(asset) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::unhex;

    /// Lengths that stand in the questions themselves, as the cited pages have them.
    #[test]
    fn questions_have_the_length_that_they_say() {
        let bytes = |protocol: &str| {
            let question = QUESTIONS.iter().find(|question| question.protocol == protocol).expect("listed");
            question.bytes.split(' ').map(|pair| unhex(pair).ok().and_then(|byte| byte.first().copied())).collect::<Vec<_>>()
        };
        let check = |protocol: &str, length: usize, says: Option<u8>| {
            let bytes = bytes(protocol);
            assert_eq!((bytes.len(), says), (length, says.and(Some(length as u8))), "{protocol}");
        };
        check("enip", 24, None);
        check("bacnet", 17, bytes("bacnet")[3]);
        check("s7comm", 33, bytes("s7comm")[3]);
        // Behind the length field stand so many bytes: MBAP's, and DNP3's without its two checksums.
        assert_eq!((bytes("modbus").len() - 6, bytes("modbus")[5]), (5, Some(5)));
        assert_eq!((bytes("dnp3").len() - 3 - 2 * 2, bytes("dnp3")[2]), (13, Some(13)));
    }

    #[test]
    fn our_modbus_question_is_the_one_that_ask_sends() {
        let sent = nameplate_wire::modbus::Question::BASIC.encode(1, 255);
        assert_eq!(unhex(&QUESTIONS[4].bytes.replace("..", "ff")), Ok(sent));
    }

    #[test]
    fn our_s7_question_is_the_one_that_ask_sends() {
        let sent = nameplate_wire::s7comm::Question::Modules { index: 0 }.encode(0x0800);
        let question = QUESTIONS.iter().find(|question| question.protocol == "s7comm").expect("listed");
        assert_eq!(unhex(question.bytes), Ok(sent));
    }

    #[test]
    fn our_mms_question_is_one_of_the_variables_that_ask_reads() {
        let asked = nameplate_wire::mms::Question::DevicePlate { domain: "LD0".to_owned(), node: "LPHD1".to_owned() };
        let question = QUESTIONS.iter().find(|question| question.protocol == "mms").expect("listed");
        let (_, item) = question.bytes.rsplit_once(".. ").expect("a name");
        let item = unhex(item).expect("digits");
        assert!(item.len() == 23 && asked.encode(1).windows(item.len()).any(|window| window == item));
    }
}
