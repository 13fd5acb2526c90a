//! The questions we may put to an outstation, the little that we may have to say in answer, and how both are recognised.
//!
//! One frame each: unconfirmed user data (IEEE 1815-2012, 9.2.4.1.3.5), a transport header (8.2.1), an application header (4.2.2) and
//! object headers with qualifier 00 and the range 0 to 0: the standard's own set of attributes (annex A.2).

use super::frame::Frame;

/// Device attributes.
const GROUP: u8 = 0;
/// Qualifier 00: one byte each for the first and the last point, both 0.
const SET_0: [u8; 3] = [0, 0, 0];
const READ: u8 = 1;
const CONFIRM: u8 = 0;
/// A master's frames: unconfirmed user data; as secondary station acknowledgement and state of the link (9.2.4.1.3).
const USER_DATA: u8 = 0xc4;
const ACK: u8 = 0x80;
const LINK_STATE: u8 = 0x8b;
/// First and last: of the frames of a fragment, of the fragments of a message.
const ALONE: u8 = 0xc0;
/// The confirmation is of an unsolicited response (4.2.2.4).
const UNS: u8 = 0x10;
/// Transport sequence numbers have six bits, those of the application layer four.
const TRANSPORT_SEQUENCE: u8 = 0x3f;
const SEQUENCE: u8 = 0x0f;
/// "All attributes": the outstation chooses.
const ALL: u8 = 254;

/// Manufacturer, product name and model, serial number, hardware version, software version (annex A.2), in the order in which they are asked.
pub const IDENTITY: [u8; 5] = [252, 250, 248, 243, 242];

/// From whom to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Link address of the master that asks.
    pub master: u16,
    /// Link address of the outstation.
    pub outstation: u16,
}

/// A read-only identity question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The five attributes of [`IDENTITY`] in one READ with five headers.
    Identity,
    /// One attribute, by its variation.
    Attribute(u8),
    /// All attributes (variation 254).
    All,
}

impl Question {
    /// The question's name on the allowlist. All are answered with readings of `dnp3.attributes`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Identity => "dnp3.attributes",
            Self::All => "dnp3.attributes.all",
            Self::Attribute(242) => "dnp3.attribute.242",
            Self::Attribute(243) => "dnp3.attribute.243",
            Self::Attribute(248) => "dnp3.attribute.248",
            Self::Attribute(250) => "dnp3.attribute.250",
            Self::Attribute(252) => "dnp3.attribute.252",
            Self::Attribute(_) => "dnp3.attribute",
        }
    }

    /// The whole frame. Of `sequence` four bits count; an answer has the same.
    #[must_use]
    pub fn encode(&self, route: Route, sequence: u8) -> Vec<u8> {
        let one = |variation| [GROUP, variation, SET_0[0], SET_0[1], SET_0[2]];
        let mut user = vec![ALONE | sequence & SEQUENCE, ALONE | sequence & SEQUENCE, READ];
        match self {
            Self::Identity => user.extend(IDENTITY.into_iter().flat_map(one)),
            Self::Attribute(variation) => user.extend(one(*variation)),
            Self::All => user.extend(one(ALL)),
        }
        Frame { control: USER_DATA, destination: route.outstation, source: route.master, user }.encode()
    }

    /// Recognises one of these questions; `None` for everything else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Route, u8, Self)> {
        let frame = Frame::read(bytes).ok().filter(|frame| frame.control == USER_DATA && frame.encode().len() == bytes.len())?;
        let (&[transport, control, READ], objects) = frame.user.split_first_chunk()? else { return None };
        if transport & !TRANSPORT_SEQUENCE != ALONE || control & !SEQUENCE != ALONE {
            return None;
        }
        let variation = |object: &[u8]| match object {
            [GROUP, variation, range @ ..] if range == SET_0 => Some(*variation),
            _ => None,
        };
        let variations: Vec<u8> = objects.chunks(2 + SET_0.len()).map(variation).collect::<Option<_>>()?;
        let question = match variations.as_slice() {
            [ALL] => Self::All,
            [one] => Self::Attribute(*one),
            _ if variations == IDENTITY => Self::Identity,
            _ => return None,
        };
        Some((Route { master: frame.source, outstation: frame.destination }, control & SEQUENCE, question))
    }
}

/// What an outstation may want back on our connection; it asks nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// That its frame came (link function 0).
    Ack,
    /// That the link stands (link function 11).
    LinkState,
    /// That its unsolicited response came: FC 00 with UNS and the response's own sequence number, without objects.
    Unsolicited {
        /// Of four bits.
        sequence: u8,
    },
}

impl Reply {
    /// Its name on the allowlist.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ack => "dnp3.link.ack",
            Self::LinkState => "dnp3.link.state",
            Self::Unsolicited { .. } => "dnp3.confirm.unsolicited",
        }
    }

    /// The whole frame.
    #[must_use]
    pub fn encode(&self, route: Route) -> Vec<u8> {
        let (control, user) = match self {
            Self::Ack => (ACK, Vec::new()),
            Self::LinkState => (LINK_STATE, Vec::new()),
            Self::Unsolicited { sequence } => (USER_DATA, vec![ALONE, ALONE | UNS | sequence & SEQUENCE, CONFIRM]),
        };
        Frame { control, destination: route.outstation, source: route.master, user }.encode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Route = Route { master: 1, outstation: 10 };

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn check(question: Question, sequence: u8, expected: &str) {
        let frame = question.encode(ROUTE, sequence);
        assert_eq!(frame, bytes(expected), "{}", question.name());
        assert_eq!(Question::read(&frame), Some((ROUTE, sequence, question)));
        for cut in 0..frame.len() {
            assert_eq!(Question::read(&frame[..cut]), None, "{} cut after {cut}", question.name());
        }
        assert_eq!(Question::read(&[&frame[..], &[0]].concat()), None, "{} and a byte", question.name());
    }

    /// By hand from 4.2.2, 8.2.1 and 9.2.4.1. The checksums were worked out bit by bit from the polynomial in its unreflected form (0x3d65), which
    /// gives `82 ea` for `123456789`, the check value of CRC-16/DNP.
    #[test]
    fn questions_are_the_bytes_of_the_standard_and_round_trip() {
        check(Question::Attribute(242), 3, "05640dc40a00010075bac3c30100f2000000824d");
        check(Question::All, 0, "05640dc40a00010075bac0c00100fe00000016bf");
        check(Question::Identity, 1, "056421c40a000100459cc1c10100fc00000000fa00000000f800f4f1000000f300000000f2000000ad66");
    }

    #[test]
    fn what_is_no_identity_question_is_not_recognised() {
        let frame = |control, user: &[u8]| Frame { control, destination: 10, source: 1, user: user.to_vec() }.encode();
        let table: [(&str, Vec<u8>); 8] = [
            ("a write", frame(0xc4, &[0xc0, 0xc0, 2, 0, 242, 0, 0, 0])),
            ("confirmed user data", frame(0xd3, &[0xc0, 0xc0, 1, 0, 242, 0, 0, 0])),
            ("an outstation's", frame(0x44, &[0xc0, 0xc0, 1, 0, 242, 0, 0, 0])),
            ("another set", frame(0xc4, &[0xc0, 0xc0, 1, 0, 242, 0, 1, 1])),
            ("another group", frame(0xc4, &[0xc0, 0xc0, 1, 60, 1, 0, 0, 0])),
            ("class 1", frame(0xc4, &[0xc0, 0xc0, 1, 60, 2, 6])),
            ("one of several frames", frame(0xc4, &[0x40, 0xc0, 1, 0, 242, 0, 0, 0])),
            ("no object", frame(0xc4, &[0xc0, 0xc0, 1])),
        ];
        for (name, frame) in table {
            assert_eq!(Question::read(&frame), None, "{name}");
        }
    }

    #[test]
    fn replies_are_the_bytes_of_the_standard() {
        let check = |reply: Reply, expected: &str| assert_eq!(reply.encode(ROUTE), bytes(expected), "{}", reply.name());
        check(Reply::Ack, "056405800a0001000b9c");
        check(Reply::LinkState, "0564058b0a00010048ac");
        check(Reply::Unsolicited { sequence: 7 }, "056408c40a000100fc42c0d7007ace");
    }

    #[test]
    fn a_frame_is_cut_or_broken_nowhere_unseen() {
        let frame = Question::Identity.encode(ROUTE, 1);
        assert_eq!(Frame::length(&frame), Ok(Some(frame.len())));
        for at in 0..frame.len() {
            assert!(Frame::read(&frame[..at]).is_err(), "cut after {at}");
            let mut broken = frame.clone();
            broken[at] ^= 1;
            assert!(Frame::read(&broken).is_err(), "byte {at}");
        }
        let long = Frame { control: 0x44, destination: 1, source: 10, user: vec![7; 300] }.encode();
        assert_eq!(Frame::read(&long).map(|frame| frame.user.len()), Ok(250), "a frame holds no more");
    }
}
