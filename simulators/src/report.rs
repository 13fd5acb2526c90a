//! What a simulated device saw of those who connected to it.

use std::net::SocketAddr;
use std::time::Duration;

pub use crate::watchdog::WatchdogLog;

/// Of one trip so many bytes are kept; a flood must not fill the memory of a test.
const TRIP_BYTES_MAX: usize = 512;

/// Bytes that must not have reached a device, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// The bytes, at most 512 of them.
    pub bytes: Vec<u8>,
    /// The rule that they broke.
    pub why: &'static str,
}

impl Trip {
    pub(crate) fn new(bytes: &[u8], why: &'static str) -> Self {
        Self { bytes: bytes.get(..TRIP_BYTES_MAX).unwrap_or(bytes).to_vec(), why }
    }
}

/// Who speaks on a connection, and so what he may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Whoever asks: held to the identity questions.
    Asker,
    /// The plant's own master, who reads other things too.
    Master,
}

/// How a connection ended, as the device saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It has not.
    StillOpen,
    /// The peer sent FIN: the manner that frees the device's slot.
    PeerFin,
    /// The peer sent RST: some devices keep such a slot until a power cycle.
    PeerReset,
    /// The device itself closed it.
    Device,
    /// There was none: the peer sent datagrams, which hold no slot.
    Datagrams,
}

/// One connection, or one peer by datagrams, as the device saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Where it came from.
    pub peer: SocketAddr,
    /// Who it was.
    pub speaker: Speaker,
    /// Bytes that the peer sent.
    pub bytes_in: u64,
    /// Bytes that the device sent.
    pub bytes_out: u64,
    /// Whole requests that the peer sent.
    pub requests: u32,
    /// How it ended.
    pub ended: Ended,
    /// How long the slot was held, from accept to end; of an open one, until the report; by datagrams, from the first to the last.
    pub held: Duration,
}

/// A device's account of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Every connection, in the order of their arrival.
    pub sessions: Vec<Session>,
    /// The most connections that were open at once, the master's among them.
    pub most_at_once: usize,
    /// What must not have reached the device.
    pub trips: Vec<Trip>,
    /// What its watchdog did, on a device that has one.
    pub watchdog: WatchdogLog,
}

impl Report {
    /// The connections of whoever asked, without the master's.
    pub fn asked(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| session.speaker == Speaker::Asker)
    }

    /// Connections of whoever asked.
    pub fn connections(&self) -> usize {
        self.asked().count()
    }

    /// Requests of whoever asked.
    pub fn requests(&self) -> u32 {
        self.asked().fold(0, |sum, session| sum.saturating_add(session.requests))
    }

    /// Bytes that whoever asked sent.
    pub fn bytes_in(&self) -> u64 {
        self.asked().fold(0, |sum, session| sum.saturating_add(session.bytes_in))
    }
}
