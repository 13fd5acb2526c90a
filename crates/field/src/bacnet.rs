//! Asks over BACnet/IP: identity properties of one device object, one ReadProperty each, by unicast.
//!
//! The maker's name comes first: a device that does not answer it is asked nothing else. A property that the device does not have
//! (an error) costs that property alone; a reject or an abort ends the reading. Where no instance is configured, the device that
//! answers is asked for its own first.

use std::collections::VecDeque;

use nameplate_wire::Malformed;
use nameplate_wire::bacnet::{Answer, PROTOCOL, Question, Route};
use nameplate_wire::conversation::Protocol;

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Bacnet, Grant, INSTANCE_ANY, Refused};
use crate::pacing::{Pace, TimeFactor};

/// Vendor name, model, firmware, application software, object name, serial number. Clause 21.
const PROPERTIES: [u16; 6] = [121, 70, 44, 12, 77, 372];
/// Which instance it is.
const OBJECT_IDENTIFIER: u16 = 75;
/// Stands in where a device has no vendor name: the number that the society gave its maker.
const VENDOR_NAME: u16 = 121;
const VENDOR_IDENTIFIER: u16 = 120;
/// Error class: the object itself is not there. Clause 18.1.
const CLASS_OBJECT: u8 = 1;
/// From one question to the next where a slow bus may stand behind the router (read-only.md section 3: MS/TP).
const BUS_GAP_MS: u64 = 1_000;

/// Which device is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// The instance of its device object; `None` asks whichever is there.
    pub instance: Option<u32>,
    /// Network and address of a device behind a router.
    pub route: Option<Route>,
}

impl Questions {
    fn properties(&self) -> impl Iterator<Item = u16> {
        self.instance.is_none().then_some(OBJECT_IDENTIFIER).into_iter().chain(PROPERTIES)
    }

    fn question(&self, property: u16) -> Question {
        Question { instance: self.instance.unwrap_or(INSTANCE_ANY), property, route: self.route.clone() }
    }
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        let route = self.route.as_ref().map(|route| (route.network, route.station.clone()));
        Bacnet { instance: self.instance.unwrap_or(INSTANCE_ANY), route }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Properties { asked: self.clone(), waiting: self.properties().collect(), out: 0, invoke: 0, unasked: false })
    }

    fn plan(&self) -> Vec<Planned> {
        let planned = |(property, invoke): (u16, u8)| Planned {
            question: Question::NAME,
            bytes: self.question(property).encode(invoke),
            only_if: if invoke == 1 { "" } else { "unless an earlier answer stops us" },
            then: if property == VENDOR_NAME {
                "where the device has no such property: 120, the vendor's number".to_owned()
            } else {
                String::new()
            },
        };
        self.properties().zip(1..).map(planned).collect()
    }

    fn pace(&self, factor: TimeFactor) -> Pace {
        let pace = Pace::new(factor);
        if self.route.is_some() { Pace { message_gap: factor.shorten(BUS_GAP_MS), ..pace } } else { pace }
    }
}

/// One device, asked property by property.
struct Properties {
    asked: Questions,
    waiting: VecDeque<u16>,
    /// The property that is out.
    out: u16,
    invoke: u8,
    unasked: bool,
}

impl Dialogue for Properties {
    fn next(&mut self) -> Next {
        let Some(property) = (if self.unasked { None } else { self.waiting.pop_front() }) else { return Next::Done };
        self.out = property;
        self.invoke = self.invoke.wrapping_add(1);
        Next::Put(Put::new(Question::NAME, self.asked.question(property).encode(self.invoke)))
    }

    /// A datagram is a message, where all of it is there (ASHRAE 135, J.2).
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let stated = bytes.get(2..4).map(|stated| stated.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)));
        Ok(stated.filter(|stated| *stated <= bytes.len()).map(|_| bytes.len()))
    }

    fn take(&mut self, message: &[u8]) -> Take {
        match self.asked.question(self.out).answered(self.invoke, message) {
            Err(malformed) => return Take::Stray(malformed),
            Ok(Answer::Acknowledged) => {}
            Ok(Answer::Error { class: CLASS_OBJECT, .. } | Answer::Rejected | Answer::Aborted) => self.unasked = true,
            Ok(Answer::Error { .. }) if self.out == VENDOR_NAME => self.waiting.push_front(VENDOR_IDENTIFIER),
            Ok(Answer::Error { .. }) => {}
        }
        Take::Answer
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.waiting.iter().map(|_| Question::NAME).collect()
    }
}

#[cfg(test)]
mod tests;
