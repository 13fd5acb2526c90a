//! H7: a watchdog that the first request starts and every request feeds, so that a second reader can hide the loss of the master.

use std::time::Duration;

use tokio::time::Instant;

use crate::report::Speaker;

/// What a device's watchdog went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchdogLog {
    /// Who sent the request that started it.
    pub started_by: Option<Speaker>,
    /// Requests of the asker that kept it alive while it ran: each could hide that the master is gone.
    pub kept_alive_by_asker: u32,
    /// How often it ran out: outputs went to 0 and all connections were closed.
    pub expired: u32,
}

#[derive(Debug)]
pub(crate) struct Watchdog {
    window: Duration,
    deadline: Option<Instant>,
    pub(crate) log: WatchdogLog,
}

impl Watchdog {
    pub(crate) fn new(window: Duration) -> Self {
        Self { window, deadline: None, log: WatchdogLog::default() }
    }

    pub(crate) fn feed(&mut self, now: Instant, speaker: Speaker) {
        self.log.started_by.get_or_insert(speaker);
        if self.deadline.is_some() && speaker == Speaker::Asker {
            self.log.kept_alive_by_asker = self.log.kept_alive_by_asker.saturating_add(1);
        }
        self.deadline = Some(now + self.window);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether it ran out by now; it stands still then until the next request.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let expired = self.deadline.is_some_and(|deadline| deadline <= now);
        if expired {
            self.deadline = None;
            self.log.expired = self.log.expired.saturating_add(1);
        }
        expired
    }
}
