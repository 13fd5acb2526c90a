//! What was touched, in one line.

use std::{collections::BTreeSet, fmt};

use super::{Kind, Line};
use crate::guard::Endpoint;

/// Devices that one summary can tell apart; beyond it they are counted as one more, so that a record of any length folds in bounded space.
const DEVICES_MAX: usize = 100_000;

/// A fold over touch lines. Its `Display` is the touch line: `6 devices, 6 connections, 9 requests, 210 bytes out, 0 refused`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    targets: BTreeSet<Endpoint>,
    /// Connections that were tried.
    pub connections: u64,
    /// Messages that were let out.
    pub requests: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// What the guard refused.
    pub refused: u64,
}

impl Summary {
    /// Counts one line. `sent` lines stand before the message leaves, so the figures are never too small.
    pub fn take(&mut self, line: &Line) {
        match line.kind {
            Kind::Connect => {
                self.connections = self.connections.saturating_add(1);
                if let Some(target) = line.target.as_ref().filter(|_| self.targets.len() < DEVICES_MAX) {
                    self.targets.insert(target.canonical());
                }
            }
            Kind::Sent => {
                self.requests = self.requests.saturating_add(1);
                self.bytes_out = self.bytes_out.saturating_add(line.sent_bytes());
            }
            Kind::Refused => self.refused = self.refused.saturating_add(1),
            _ => {}
        }
    }

    /// Devices (endpoints) that were connected to.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.targets.len()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |count: u64| if count == 1 { "" } else { "s" };
        let devices = self.targets.len() as u64;
        write!(
            f,
            "{devices} device{}, {} connection{}, {} request{}, {} byte{} out, {} refused",
            s(devices),
            self.connections,
            s(self.connections),
            self.requests,
            s(self.requests),
            self.bytes_out,
            s(self.bytes_out),
            self.refused
        )
    }
}
