//! What happens while devices are asked, as plain values.

use std::time::SystemTime;

use nameplate_wire::{Malformed, Reading};

use crate::guard::{Closed, Endpoint, Refused};
use crate::uptime::News;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// With which device.
    pub endpoint: Endpoint,
    /// Who behind it; empty where there is but one.
    pub station: String,
    /// What.
    pub what: What,
}

impl Event {
    /// Endpoint and station, as people write them.
    #[must_use]
    pub fn place(&self) -> String {
        super::place(&self.endpoint, &self.station)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A connection stands.
    Opened,
    /// A question left.
    Sent {
        /// Its name on the allowlist.
        question: &'static str,
        /// The whole message, without what is secret in it.
        bytes: Vec<u8>,
    },
    /// A question was answered, at least in part; an exception is an answer, too.
    Reading(Box<Reading>),
    /// A message came that is no answer to the question that waits; or of an answer a part is left unread.
    Stray {
        /// The whole message; nothing of a part that is left unread.
        bytes: Vec<u8>,
        /// Why it does not count.
        malformed: Malformed,
    },
    /// Its uptime is not what the last one has become.
    Uptime(News),
    /// No whole answer came: silence, or the device closed, or our longest hold was over.
    NoAnswer {
        /// In words.
        why: String,
        /// What had come of an answer.
        partial: Vec<u8>,
    },
    /// The device would be read for ever, or speaks another protocol.
    Hostile {
        /// In words.
        why: String,
        /// Bytes of a message that was not finished.
        partial: Vec<u8>,
    },
    /// The connection failed.
    Failed {
        /// `connect`, `write` or `read`.
        operation: &'static str,
        /// What the system said.
        why: String,
    },
    /// Ours: it was not allowed to happen, and did not.
    Refused {
        /// Which rule.
        refused: Refused,
        /// When it may be tried again, where time is what it lacks.
        not_before: Option<SystemTime>,
    },
    /// Nobody began with it, because who asks was told to end; the record has no line of it.
    Unasked,
    /// The connection is over.
    Closed {
        /// Bytes, hold, and how it ended.
        closed: Closed,
        /// Questions that were not put, because of an exception, a broken answer or the cap.
        unasked: Vec<&'static str>,
    },
}
