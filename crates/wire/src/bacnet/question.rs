//! The one question we put: ReadProperty of a property of a device object, in BACnet/IP.

use super::NAME;
use super::service::{INSTANCE_ANY, Service};
use crate::Malformed;

/// Confirmed request, nothing segmented, and no segmented answer taken. Clause 20.1.2.
const CONFIRMED_REQUEST: u8 = 0x00;
/// Largest answer that we take: 1,476 bytes on IP, 480 where it comes off a slower network. Clause 20.1.2.5.
const MAX_APDU_IP: u8 = 0x05;
const MAX_APDU_ROUTED: u8 = 0x03;
/// Clause 21, BACnetConfirmedServiceChoice.
const READ_PROPERTY: u8 = 12;
/// BACnet/IP, Original-Unicast-NPDU. Annex J.2.11.
const BVLC_UNICAST: [u8; 2] = [0x81, 0x0a];
/// A reply is expected; and the same with a destination behind a router. Clause 6.2.2.
const NPCI_REPLY: u8 = 0x04;
const NPCI_REPLY_ROUTED: u8 = 0x24;
/// The hop count that a message starts with. Clause 6.2.3.
const HOPS: u8 = 0xff;
/// Tag and object identifier, before the property.
const OBJECT_ID_END: usize = 5;
/// The type of a device object, in the upper ten bits of an identifier. Clause 20.2.14.
const DEVICE: u32 = 8 << 22;

/// ReadProperty of a device object (clause 15.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its instance, up to 4194302; 4194303 is whichever device is there (protocol revision 4 and later).
    pub instance: u32,
    /// Which property, by its number in clause 21.
    pub property: u16,
    /// Where the device is, if not on the network that is asked.
    pub route: Option<Route>,
}

/// A device behind a router. Clause 6.2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its network number, 1 to 65534.
    pub network: u16,
    /// Its address there: one byte on MS/TP and ARCNET, six on IP and Ethernet.
    pub station: Vec<u8>,
}

impl Question {
    /// The question's name on the allowlist, in profiles and in readings.
    pub const NAME: &str = Service::ReadProperty.question();

    /// The whole message; `invoke` comes back with the answer.
    #[must_use]
    pub fn encode(&self, invoke: u8) -> Vec<u8> {
        let mut npdu = vec![1];
        let max_apdu = match &self.route {
            None => {
                npdu.push(NPCI_REPLY);
                MAX_APDU_IP
            }
            Some(Route { network, station }) => {
                npdu.push(NPCI_REPLY_ROUTED);
                npdu.extend(network.to_be_bytes());
                npdu.push(u8::try_from(station.len()).unwrap_or(u8::MAX));
                npdu.extend(station);
                npdu.push(HOPS);
                MAX_APDU_ROUTED
            }
        };
        npdu.extend([CONFIRMED_REQUEST, max_apdu, invoke, READ_PROPERTY]);
        npdu.extend(self.about());
        let length = u16::try_from(npdu.len() + 4).unwrap_or(u16::MAX);
        [&BVLC_UNICAST[..], &length.to_be_bytes(), &npdu].concat()
    }

    /// Object and property, as they stand in the question and in its answer: context tag 0, four bytes; then context tag 1 in the fewest
    /// bytes. Clauses 15.5 and 20.2.
    fn about(&self) -> Vec<u8> {
        let object = (DEVICE | self.instance & INSTANCE_ANY).to_be_bytes();
        let property = match u8::try_from(self.property) {
            Ok(property) => vec![0x19, property],
            Err(_) => [&[0x1a][..], &self.property.to_be_bytes()].concat(),
        };
        [&[0x0c][..], &object, &property].concat()
    }

    /// What a message is to this question, which was put with `invoke`.
    ///
    /// # Errors
    /// [`Malformed`] where it is no answer to it.
    pub fn answered(&self, invoke: u8, message: &[u8]) -> Result<Answer, Malformed> {
        let wrong = |said_by| Err(Malformed::wrong(NAME, 0, said_by));
        let Some((answer, of, rest)) = answer(message) else { return wrong("an answer to a confirmed request (ASHRAE 135, 20.1)") };
        if of != invoke {
            return wrong("invoke id of the question that waits (ASHRAE 135, 20.1.5.4)");
        }
        if answer == Answer::Acknowledged {
            let own = self.about();
            // Whichever device was there tells its own instance.
            let from = if self.instance == INSTANCE_ANY { OBJECT_ID_END } else { 0 };
            let (asked, told) = (own.get(from..), rest.get(1..).and_then(|about| about.get(from..own.len())));
            if rest.first() != Some(&READ_PROPERTY) || asked != told {
                return wrong("object and property of the question that waits (ASHRAE 135, 15.5)");
            }
        }
        Ok(answer)
    }
}

/// What a confirmed answer is, by its PDU type (clause 20.1), its invoke id, and what stands behind that. `None` for everything else.
fn answer(bytes: &[u8]) -> Option<(Answer, u8, &[u8])> {
    let bvlc = super::frame::bvlc(bytes).ok()?;
    let npdu = super::frame::npdu(bvlc.rest).ok()?;
    let apdu = npdu.content.rest();
    let [first, invoke, rest @ ..] = apdu else { return None };
    let answer = match (first >> 4, rest) {
        (3, _) if first & 8 == 0 => Answer::Acknowledged,
        // Error class and code are enumerated values of one byte each. Clause 20.1.7.
        (5, [_, 0x91, class, 0x91, code, ..]) => Answer::Error { class: *class, code: *code },
        (5, _) => Answer::Error { class: 0, code: 0 },
        (6, _) => Answer::Rejected,
        (7, _) => Answer::Aborted,
        _ => return None,
    };
    Some((answer, *invoke, rest))
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The value is there.
    Acknowledged,
    /// The device says why not. Clause 18.
    Error {
        /// Error class: 1 object, 2 property, ...
        class: u8,
        /// Error code: 31 unknown object, 32 unknown property, ...
        code: u8,
    },
    /// The question was not understood. Clause 18.9.
    Rejected,
    /// The device gave up. Clause 18.10.
    Aborted,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first is ASHRAE 135-2020, annex F.3.5, with a device object instead of an input, in annex J's frame; the third has the route of clause 6.2.2.
    #[test]
    fn a_question_is_the_bytes_of_the_standard() {
        let check = |question: &Question, expected: &str| assert_eq!(hex(&question.encode(1)), expected.replace(' ', ""));
        let plain = Question { instance: 2001, property: 44, route: None };
        check(&plain, "810a0011 0104 0005010c 0c020007d1 192c");
        check(&Question { instance: 0x3f_ffff, property: 372, ..plain.clone() }, "810a0012 0104 0005010c 0c023fffff 1a0174");
        let route = Some(Route { network: 5, station: vec![0x72] });
        check(&Question { route, ..plain }, "810a0016 0124 0005 01 72 ff 0003010c 0c020007d1 192c");
    }

    #[test]
    fn an_answer_says_what_became_of_the_question() {
        let plain = Question { instance: 2001, property: 44, route: None };
        let check = |question: &Question, text: &str, expected: Option<Answer>| {
            let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
            let bytes: Vec<u8> = digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
            assert_eq!(question.answered(7, &bytes).ok(), expected, "{text}");
        };
        check(&plain, "810a0013 0100 30070c 0c020007d1 192c 3e 3f", Some(Answer::Acknowledged));
        check(&plain, "810a0012 0100 38070c 0001 0c020007d1 192c", None);
        check(&plain, "810a000d 0100 50070c 9102 9120", Some(Answer::Error { class: 2, code: 32 }));
        check(&plain, "810a0009 0100 600709", Some(Answer::Rejected));
        check(&plain, "810a0009 0100 710704", Some(Answer::Aborted));
        check(&plain, "810a0008 0100 1008", None);
        check(&plain, "810a", None);
        // To another question: its invoke id, object, property, service.
        check(&plain, "810a0013 0100 30080c 0c020007d1 192c 3e 3f", None);
        check(&plain, "810a0013 0100 30070c 0c020007d2 192c 3e 3f", None);
        check(&plain, "810a0013 0100 30070c 0c020007d1 194b 3e 3f", None);
        check(&plain, "810a0013 0100 30070e 0c020007d1 192c 3e 3f", None);
        let any = Question { instance: INSTANCE_ANY, property: 372, route: None };
        check(&any, "810a0014 0100 30070c 0c020007d1 1a0174 3e 3f", Some(Answer::Acknowledged));
        check(&any, "810a0013 0100 30070c 0c020007d1 194b 3e 3f", None);
    }
}
