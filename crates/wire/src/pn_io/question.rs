//! The questions we may put, how they are recognised, and what an answer to one says about the next: a look-up of the endpoint mapper, whose one
//! entry tells the device's object, and a read of I&M0 from that object without a relation.
//!
//! Sources: Open Group C706, 12.5.2.2 (header), chapter 14 (transfer syntax), appendix O (`ept_lookup`); IEC 61158-6-10, 4.10.3.2 (UUIDs), 5.2.3
//! (IODReadReqHeader), 5.2.17 (I&M0). The look-up is that of nmap's `profinet-cm-lookup`, but for its activity and its number.

use super::header::{self, ENDPOINT_MAPPER, Interface, LOWER_FIRST, PROFINET_REST, REQUEST, Rpc};
use super::{ARGUMENTS_BYTES, LOOKUP, READ_IMPLICIT};

/// "May be repeated without harm" (C706, 12.5.2.4): the device keeps nothing for us and wants no acknowledgement.
const IDEMPOTENT: u8 = 0x20;
/// No hint which interface or activity it is.
const NO_HINTS: [u8; 4] = [0xff; 4];
/// Versions of the interfaces, lower byte first.
const MAPPER_VERSION: [u8; 4] = [3, 0, 0, 0];
const PROFINET_VERSION: [u8; 4] = [1, 0, 0, 0];
/// The first message of an activity, and the second.
const FIRST: u8 = 0;
const SECOND: u8 = 1;
/// Inquiry of kind 0: all elements. Its object and its interface, whose own UUID stands between these parts, are filled in and count for nothing.
const ALL_ELEMENTS: [u8; 24] = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const INTERFACE_REFERENCE: [u8; 4] = [2, 0, 0, 0];
/// Any version, from the start (an empty handle), one entry.
const ANY_VERSION: [u8; 4] = [1, 0, 0, 0];
const FROM_THE_START: [u8; 20] = [0; 20];
const ONE_ENTRY: [u8; 4] = [1, 0, 0, 0];
/// IODReadReqHeader, and its length and version.
const READ_REQUEST: [u8; 6] = [0x00, 0x09, 0x00, 0x3c, 0x01, 0x00];
const READ_REQUEST_BYTES: usize = 64;
/// Slot 0, subslot 1, padding, index AFF0: I&M0 of the device's own access point.
const IM0_OF_THE_DEVICE: [u8; 8] = [0, 0, 0, 1, 0, 0, 0xaf, 0xf0];
/// Bytes of a record that we take: I&M0 has 60.
const RECORD_BYTES_MAX: u32 = 256;
/// Where in an entry of a look-up's answer its object stands: behind the handle and four counts.
const ENTRY_AT: usize = 36;

/// Interfaces that read: a device's and a controller's. A supervisor's and a parameter server's do not.
const READABLE: [u8; 2] = [1, 2];

/// Which device behind an address, and as what it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// 1 device, 2 controller: the number in the interface's UUID.
    pub interface: u8,
    /// Instance, device id, vendor id: the end of the object's UUID.
    pub ids: [u8; 6],
}

/// A read-only identity question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The endpoint mapper's first entry.
    LookUp,
    /// I&M0 of the device's own access point.
    Identity(Object),
}

impl Question {
    /// The question's name on the allowlist, and of the readings that answer it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LookUp => "pn-io.lookup",
            Self::Identity(_) => "pn-io.im.0",
        }
    }

    /// Its number in the activity.
    const fn sequence(&self) -> u8 {
        match self {
            Self::LookUp => FIRST,
            Self::Identity(_) => SECOND,
        }
    }

    /// The whole message. An activity is one conversation; no two that a device hears may have the same number.
    #[must_use]
    pub fn encode(&self, activity: [u8; 16]) -> Vec<u8> {
        let (object, interface, version, operation, body) = match self {
            Self::LookUp => ([0; 16], ENDPOINT_MAPPER, MAPPER_VERSION, LOOKUP, look_up()),
            Self::Identity(object) => {
                (header::profinet_object(object.ids), profinet(object.interface), PROFINET_VERSION, READ_IMPLICIT, identity())
            }
        };
        // Bodies of 76 and 84 bytes: the upper byte of the length is 0.
        let behind = [0, 0, body.len() as u8, 0, 0, 0, 0, 0];
        [
            &[4, REQUEST, IDEMPOTENT, 0, LOWER_FIRST, 0, 0, 0][..],
            &object,
            &interface,
            &activity,
            &[0; 4],
            &version,
            &[self.sequence(), 0, 0, 0],
            &operation.to_le_bytes(),
            &NO_HINTS,
            &behind[2..],
            &body,
        ]
        .concat()
    }

    /// Recognises one of these questions; with its activity. `None` for everything else.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<([u8; 16], Self)> {
        let rpc = Rpc::read(message).ok()?;
        let question = match rpc.interface {
            Interface::EndpointMapper => Self::LookUp,
            Interface::ProfinetIo => {
                let interface = message.get(24).copied().filter(|number| READABLE.contains(number))?;
                Self::Identity(Object { interface, ids: message.get(18..24)?.try_into().ok()? })
            }
            Interface::Other => return None,
        };
        (question.encode(rpc.activity) == message).then_some((rpc.activity, question))
    }
}

/// The UUID of one of PROFINET IO's interfaces.
fn profinet(number: u8) -> [u8; 16] {
    let mut uuid = [number; 16];
    uuid[1..].copy_from_slice(&PROFINET_REST);
    uuid
}

fn look_up() -> Vec<u8> {
    let interface = profinet(1);
    [&ALL_ELEMENTS[..], &INTERFACE_REFERENCE, &interface, &PROFINET_VERSION, &ANY_VERSION, &FROM_THE_START, &ONE_ENTRY].concat()
}

fn identity() -> Vec<u8> {
    let block = READ_REQUEST_BYTES as u32;
    let [most, length] = [block + RECORD_BYTES_MAX, block].map(u32::to_le_bytes);
    let arguments: [u8; ARGUMENTS_BYTES] = [most, length, most, [0; 4], length].concat().try_into().unwrap_or_default();
    [
        &arguments[..],
        &READ_REQUEST,
        // Number, no relation, API 0.
        &[0; 22],
        &IM0_OF_THE_DEVICE,
        &RECORD_BYTES_MAX.to_be_bytes(),
        // No target's relation, and padding.
        &[0; 24],
    ]
    .concat()
}

/// What a message is to a question that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// What was looked up: the device's object, where it is one that can be read from.
    LookedUp(Option<Object>),
    /// A record, or the device's reason why there is none.
    Identity,
    /// The device has no such interface, operation or object.
    Refused,
    /// The device works on it: the answer comes later.
    Working,
}

impl Answered {
    /// Reads the answer to `question` in this activity; `None` where the message is none.
    #[must_use]
    pub fn read(message: &[u8], activity: [u8; 16], question: Question) -> Option<Self> {
        let rpc = Rpc::read(message).ok()?;
        if rpc.activity != activity || rpc.sequence != u32::from(question.sequence()) {
            return None;
        }
        match rpc.kind {
            header::FAULT | header::REJECT => return Some(Self::Refused),
            header::WORKING => return Some(Self::Working),
            header::RESPONSE if rpc.fragment == 0 => {}
            _ => return None,
        }
        match (question, rpc.interface, rpc.operation) {
            (Question::LookUp, Interface::EndpointMapper, LOOKUP) => Some(Self::LookedUp(object(&rpc, message))),
            (Question::Identity(_), Interface::ProfinetIo, READ_IMPLICIT) => Some(Self::Identity),
            _ => None,
        }
    }
}

/// The object of a look-up's one entry, and the interface that its tower names.
fn object(rpc: &Rpc, message: &[u8]) -> Option<Object> {
    let body = rpc.body(message);
    let uuid = body.get(ENTRY_AT..ENTRY_AT + 16).filter(|uuid| header::is_profinet_object(uuid))?;
    let interface = header::profinet_interface(body).filter(|number| READABLE.contains(number))?;
    Some(Object { interface, ids: uuid.get(10..)?.try_into().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks_exact(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
    }

    const ET200SP: Object = Object { interface: 1, ids: [0, 1, 3, 0x13, 0, 0x2a] };
    const ACTIVITY: [u8; 16] = [1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1];

    fn check(question: Question, expected: &str) {
        let message = question.encode(ACTIVITY);
        assert_eq!(message, hex(expected), "{}", question.name());
        assert_eq!(Question::read(&message), Some((ACTIVITY, question)), "our own question is read again");
        assert!((0..message.len()).all(|cut| Question::read(&message[..cut]).is_none()), "{} cut", question.name());
    }

    /// The look-up is what nmap sends (`profinet-cm-lookup`), with the number 0 for its 12. The read is what profinet-py 0.6.6 sends
    /// (`read_implicit(0, 0, 1, 0xaff0)`), with the lower byte first as in its other half, and for 4,096 bytes at most 256.
    #[test]
    fn questions_are_those_of_other_tools_and_round_trip() {
        check(
            Question::LookUp,
            "04002000 10000000 00000000000000000000000000000000 0883afe11f5dc91191a408002b14a0fa 01000000010001000100000100010001
             00000000 03000000 00000000 0200 ffff ffff 4c00 0000 0000
             00000000 01000000 00000000000000000000000000000000 02000000 0100a0de976cd111827100a02442df7d 0100 0000
             01000000 0000000000000000000000000000000000000000 01000000",
        );
        check(
            Question::Identity(ET200SP),
            "04002000 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 01000000010001000100000100010001
             00000000 01000000 01000000 0500 ffff ffff 5400 0000 0000
             40010000 40000000 40010000 00000000 40000000
             0009003c0100 0000 00000000000000000000000000000000 00000000 0000 0001 0000 aff0 00000100
             00000000000000000000000000000000 0000000000000000",
        );
    }

    /// Connect, write, control and release of a public capture's kinds; I&M1; another slot; a look-up for more; a context that is given back.
    #[test]
    fn what_is_no_question_of_ours_is_not_recognised() {
        let (look_up, read) = (Question::LookUp.encode(ACTIVITY), Question::Identity(ET200SP).encode(ACTIVITY));
        let changes = [(68, 0), (68, 2), (68, 3), (68, 4), (68, 1), (139, 0xf1), (135, 2), (24, 3), (0, 5), (1, 2), (2, 0), (76, 1)];
        for (at, byte) in changes {
            let mut message = read.clone();
            message[at] = byte;
            assert_eq!(Question::read(&message), None, "{at}: {byte:02x}");
        }
        for (at, byte) in [(68, 3), (68, 4), (152, 64), (80, 2), (64, 1)] {
            let mut message = look_up.clone();
            message[at] = byte;
            assert_eq!(Question::read(&message), None, "{at}: {byte:02x}");
        }
        assert_eq!(Question::read(&[look_up, vec![0]].concat()), None, "more behind it");
    }

    /// A header of an answer in either order, with an activity as the sender's order has it.
    fn answer(lower_first: bool, kind: u8, interface: &str, operation: u8, sequence: u8, body: &str) -> Vec<u8> {
        let (order, activity, numbers) = match lower_first {
            true => ("10", "01000000010001000100000100010001", format!("{sequence:02x}000000 {operation:02x}00")),
            false => ("00", "00000001000100010100000100010001", format!("000000{sequence:02x} 00{operation:02x}")),
        };
        let body = hex(body);
        let length = if lower_first { [body.len() as u8, 0] } else { [0, body.len() as u8] };
        let head = format!("04{kind:02x}2000 {order}000000 0000a0de976cd111827100010313002a {interface} {activity} 00000000 01000000");
        [hex(&head), hex(&numbers), vec![0xff; 4], length.to_vec(), vec![0; 4], body].concat()
    }

    const PROFINET: [&str; 2] = ["dea000016c9711d1827100a02442df7d", "0100a0de976cd111827100a02442df7d"];
    const MAPPER: [&str; 2] = ["e1af83085d1f11c991a408002b14a0fa", "0883afe11f5dc91191a408002b14a0fa"];

    #[test]
    fn an_answer_belongs_to_its_question_and_tells_whom_to_ask_next() {
        let ask = Question::Identity(ET200SP);
        let handle = "00000000 00000000000000000000000000000000";
        let tower = "0500 1300 0d 0100a0de976cd111827100a02442df7d 0100 0200 0000";
        for lower_first in [true, false] {
            let pick = |both: [&'static str; 2]| both[usize::from(lower_first)];
            let object = pick(["dea000006c9711d1827100010313002a", "0000a0de976cd111827100010313002a"]);
            let entry = format!("{handle} 00000000 00000000 00000000 00000000 {object} {tower}");
            let read = |message: Vec<u8>, question| Answered::read(&message, ACTIVITY, question);
            let told = |body: &str| read(answer(lower_first, 2, pick(MAPPER), 2, 0, body), Question::LookUp);
            assert_eq!(told(&entry), Some(Answered::LookedUp(Some(ET200SP))));
            let controller = Object { interface: 2, ..ET200SP };
            assert_eq!(told(&entry.replace("0d 01", "0d 02")), Some(Answered::LookedUp(Some(controller))));
            assert_eq!(told(&entry.replace("0d 01", "0d 03")), Some(Answered::LookedUp(None)), "a supervisor is not read from");
            assert_eq!(told(&entry.replace(object, &"00".repeat(16))), Some(Answered::LookedUp(None)));
            assert_eq!(told(handle), Some(Answered::LookedUp(None)), "no entry");
            let said = |kind, sequence| read(answer(lower_first, kind, pick(PROFINET), 5, sequence, ""), ask);
            assert_eq!(said(2, 1), Some(Answered::Identity));
            assert_eq!((said(3, 1), said(6, 1)), (Some(Answered::Refused), Some(Answered::Refused)));
            assert_eq!(said(4, 1), Some(Answered::Working));
            assert_eq!((said(2, 0), said(0, 1), said(1, 1)), (None, None, None), "another message, a question, a ping");
            assert_eq!(read(answer(lower_first, 2, pick(PROFINET), 2, 1, ""), ask), None, "another operation");
            assert_eq!(read(answer(lower_first, 2, pick(MAPPER), 5, 1, ""), ask), None, "another interface");
            let mut stranger = answer(lower_first, 2, pick(PROFINET), 5, 1, "");
            stranger[41] ^= 1;
            assert_eq!(read(stranger, ask), None, "another activity");
        }
    }
}
