//! One line of the touch record.

use std::net::IpAddr;
use std::time::SystemTime;

use nameplate_core::seal::Seal;
use serde::{Deserialize, Serialize};

use crate::guard::Endpoint;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A connection is about to be opened.
    Connect,
    /// It did not come about; `ended` says how.
    Failed,
    /// A message is about to leave.
    Sent,
    /// The first bytes after a message came back; `latency_us`, `bytes_in` (of that first piece).
    Answer,
    /// The adapter stopped waiting for an answer.
    Timeout,
    /// The guard refused; `rule`, `at`, `why`.
    Refused,
    /// The device said how long it has run; `uptime_ticks`, and `why` where that needs a word.
    Uptime,
    /// It restarted since it was read before; `why`. Its breaker opens.
    Restarted,
    /// It restarted while it was read, or soon after; `why`. Its breaker opens, and its class stops.
    Upset,
    /// The connection ended; `bytes_out`, `bytes_in`, `hold_ms`, `ended`.
    Closed,
    /// A line that a power cut had torn was cut off; `bytes` keeps it, `why` says so.
    Mended,
    /// A person released the `class` that had been stopped; `why` says who.
    Released,
    /// The field side vouches for every line since the seal before; `seal`.
    Sealed,
    /// Something a later release wrote.
    #[serde(other)]
    Unknown,
}

/// One line. Absent keys are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// UTC, RFC 3339 with microseconds. [`super::TouchRecord::append`] sets it.
    #[serde(with = "rfc3339")]
    pub time: SystemTime,
    /// What happened.
    pub kind: Kind,
    /// Where the device answers: `192.0.2.1:502`, `udp:192.0.2.1:161`, `serial:/dev/ttyS0@19200-8E1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Endpoint>,
    /// Who is asked behind it, in the protocol's own terms: a Modbus unit, a DNP3 link address. Absent where there is but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<String>,
    /// The protocol, as contracts.md spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Protocol, maker, model and firmware, as far as they were known before the device was asked; on the `connect` line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The message's name on the guard's allowlist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Our own network address; on the `sent` line. Whoever listens hears the message from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    /// The message, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    /// The work order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The rule that refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Offset of the byte that broke the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// For a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Microseconds from the message to the first byte of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// Hundredths of a second that the device has run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_ticks: Option<u32>,
    /// Application bytes that left on this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_out: Option<u64>,
    /// Application bytes that came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_in: Option<u64>,
    /// Milliseconds the connection was ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ms: Option<u64>,
    /// How the connection ended: see [`crate::guard::Ended`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// What pacing was scaled by, where it was not 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_factor: Option<f64>,
    /// Over the lines since the one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
}

impl Line {
    /// A line of which only the kind is known yet.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            time: SystemTime::UNIX_EPOCH,
            kind,
            target: None,
            station: None,
            protocol: None,
            class: None,
            question: None,
            from: None,
            bytes: None,
            reason: None,
            rule: None,
            at: None,
            why: None,
            latency_us: None,
            uptime_ticks: None,
            bytes_out: None,
            bytes_in: None,
            hold_ms: None,
            ended: None,
            time_factor: None,
            seal: None,
        }
    }

    /// Length of the message in `bytes`; hex digits are counted, so that blanks between pairs do not matter.
    #[must_use]
    pub fn sent_bytes(&self) -> u64 {
        let digits = self.bytes.as_deref().unwrap_or_default().bytes().filter(u8::is_ascii_hexdigit).count();
        digits as u64 / 2
    }
}

/// Times as people and scripts read them.
mod rfc3339 {
    use std::time::SystemTime;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_rfc3339_micros(*time))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(from)?;
        humantime::parse_rfc3339(&text).map_err(|error| D::Error::custom(format!("time {text:?}: {error}")))
    }
}
