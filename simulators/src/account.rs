//! What a device knows of its connections while it runs.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::fault::Fault;
use crate::judge::Manners;
use crate::language::Carrier;
use crate::report::{Ended, Report, Session, Speaker, Trip};
use crate::watchdog::Watchdog;

/// More connections than any run makes: from here on they are closed without an account, so that a loop cannot fill the memory.
const SESSIONS_MAX: usize = 10_000;
/// More trips than anybody reads.
const TRIPS_MAX: usize = 1_000;

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// A connection ended.
    pub(crate) changed: Notify,
    /// The watchdog was fed.
    pub(crate) fed: Notify,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) sessions: Vec<(Session, Instant)>,
    /// Open connections, oldest first: index into `sessions`, and what closes it.
    pub(crate) open: Vec<(usize, Arc<Notify>)>,
    pub(crate) watchdog: Option<Watchdog>,
    pub(crate) masters: BTreeSet<SocketAddr>,
    /// When it has served all questions that came so far.
    free_at: Option<Instant>,
    most_at_once: usize,
    trips: Vec<Trip>,
}

/// A new connection's place in the account.
pub(crate) struct Entered {
    pub(crate) index: usize,
    pub(crate) speaker: Speaker,
    pub(crate) close: Arc<Notify>,
}

impl Shared {
    pub(crate) fn new(fault: Option<&Fault>) -> Self {
        let watchdog = match fault {
            Some(&Fault::Watchdog { window }) => Some(Watchdog::new(window)),
            _ => None,
        };
        Self { state: Mutex::new(State { watchdog, ..State::default() }), changed: Notify::new(), fed: Notify::new() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn report(&self) -> Report {
        let state = self.state();
        let held = |session: &Session, since: &Instant| if session.ended == Ended::StillOpen { since.elapsed() } else { session.held };
        Report {
            sessions: state.sessions.iter().map(|(session, since)| Session { held: held(session, since), ..*session }).collect(),
            most_at_once: state.most_at_once,
            trips: state.trips.clone(),
            watchdog: state.watchdog.as_ref().map(|watchdog| watchdog.log).unwrap_or_default(),
        }
    }
}

impl State {
    /// How long the answer to a question takes that comes now, behind those that came before.
    pub(crate) fn serve(&mut self, now: Instant, cycle: Duration) -> Duration {
        let done = self.free_at.map_or(now, |free_at| free_at.max(now)) + cycle;
        self.free_at = Some(done);
        done.saturating_duration_since(now)
    }

    pub(crate) fn trip(&mut self, trips: impl IntoIterator<Item = Trip>) {
        let room = TRIPS_MAX.saturating_sub(self.trips.len());
        self.trips.extend(trips.into_iter().take(room));
    }

    /// Enters a new connection, or a new peer by datagrams; `None` when there are too many to keep account of.
    pub(crate) fn enter(&mut self, peer: SocketAddr, over: Carrier, manners: Manners) -> Option<Entered> {
        let index = self.sessions.len();
        if index >= SESSIONS_MAX {
            return None;
        }
        let speaker = if self.masters.remove(&peer) { Speaker::Master } else { Speaker::Asker };
        let close = Arc::new(Notify::new());
        // Datagrams hold no slot.
        let ended = if over == Carrier::Udp { Ended::Datagrams } else { Ended::StillOpen };
        if over == Carrier::Tcp {
            let is_asker = |&(open, _): &(usize, _)| self.sessions.get(open).is_some_and(|(session, _)| session.speaker == Speaker::Asker);
            if manners.one_connection && speaker == Speaker::Asker && self.open.iter().any(is_asker) {
                self.trip([Trip::new(&[], "a second connection at the same time")]);
            }
            self.open.push((index, Arc::clone(&close)));
            self.most_at_once = self.most_at_once.max(self.open.len());
        }
        let session = Session { peer, speaker, bytes_in: 0, bytes_out: 0, requests: 0, ended, held: Duration::ZERO };
        self.sessions.push((session, Instant::now()));
        Some(Entered { index, speaker, close })
    }

    pub(crate) fn leave(&mut self, index: usize, ended: Ended) {
        self.open.retain(|(open, _)| *open != index);
        if let Some((session, since)) = self.sessions.get_mut(index) {
            session.ended = ended;
            session.held = since.elapsed();
        }
    }

    pub(crate) fn close_all(&self) {
        for (_, close) in &self.open {
            close.notify_one();
        }
    }
}
