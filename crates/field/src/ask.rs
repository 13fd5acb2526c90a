//! Asks devices: which, in which order and how far apart, each over one guarded connection; says what happened as [`Event`]s.
//!
//! One connection is one endpoint and station, and one is open per address: units behind one address are asked one after another. Each
//! device (address, port, station) has a budget of its own; what refused, reset or was hostile keeps the whole endpoint closed for a
//! while. What does not pass ([`may_ask`], the permit) is refused and stands in the touch record without touching anybody.

mod change;
mod connection;
mod event;
mod history;
mod plan;
mod target;
mod via;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until};

pub use self::change::Change;
pub use self::connection::ask_over;
pub use self::event::{Event, What};
pub use self::plan::{Planned, PlannedMessage, plan};
pub use self::target::{BadTarget, Target};
pub use self::via::{Adapter, Via};

use self::connection::Connection;
use self::history::{Device, History, since_1970};
use crate::breaker::Attempt;
use crate::guard::{Endpoint, Limits, Permit, REASON_BYTES_MAX, Refused};
use crate::pacing::{Budget, NotYet, Slot, Slots, TimeFactor, may_ask};
use crate::touch::{Kind, Line, Summary, TouchRecord};

/// Last second that RFC 3339 can write (9999-12-31T23:59:59Z).
const RFC_3339_S_MAX: u64 = 253_402_300_799;

/// Whom to ask what. `"10.0.0.5:502/1".parse()` gives one that asks over Modbus for the regular identification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Where the device answers.
    pub endpoint: Endpoint,
    /// In which protocol, and what.
    pub via: Via,
}

impl Ask {
    /// Who is asked behind the endpoint, in the protocol's own terms; empty where there is but one, or where the questions are refused.
    #[must_use]
    pub fn station(&self) -> String {
        self.via.adapter().grant().map_or_else(|_| String::new(), |grant| grant.station().to_owned())
    }

    /// Endpoint and station, as people write them.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.endpoint, &self.station())
    }
}

/// `192.0.2.1:502/1`.
fn place(endpoint: &Endpoint, station: &str) -> String {
    if station.is_empty() { endpoint.to_string() } else { format!("{endpoint}/{station}") }
}

/// Why we ask; it stands in every line of the touch record and decides the budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A person's reason, such as a work order: 12 readings of a device a day.
    WorkOrder(String),
    /// A scheduled plan's name: one reading of a device a day.
    Schedule(String),
    /// An open change: inside its window, for its scope, a budget of its own, and reboots that no breaker counts.
    Change(Change),
}

impl Reason {
    fn text(&self) -> &str {
        match self {
            Self::WorkOrder(text) | Self::Schedule(text) => text,
            Self::Change(change) => &change.order,
        }
    }

    const fn change(&self) -> Option<&Change> {
        match self {
            Self::Change(change) => Some(change),
            Self::WorkOrder(_) | Self::Schedule(_) => None,
        }
    }
}

/// A clock that gives the time of day and goes on while we wait.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How to ask.
#[derive(Clone)]
pub struct Settings {
    /// Why.
    pub reason: Reason,
    /// 1; less (above 0) only where every target is loopback.
    pub time_factor: f64,
    /// Spreads the breakers' retries; the same one gives the same times.
    pub seed: u64,
    /// For readings, budgets and breakers.
    pub clock: Clock,
}

/// Asks all of `asks` (the same device once in each protocol), tells `out` as it happens, and returns what this process has touched so far.
/// Runs on the caller's tokio runtime, with time and IO enabled; the touch record is written on the same thread.
///
/// # Errors
/// [`Refused`] before anything is sent: by `pacing.time_factor`, or by `touch.record` where the record cannot be read.
/// A single device's refusal is an [`Event`].
pub async fn ask(asks: Vec<Ask>, settings: &Settings, touch: Arc<TouchRecord>, mut out: impl FnMut(Event)) -> Result<Summary, Refused> {
    let factor = TimeFactor::new(settings.time_factor, asks.iter().map(|ask| ask.endpoint.ip()))?;
    let endpoints: BTreeSet<Endpoint> = asks.iter().map(|ask| ask.endpoint.canonical()).collect();
    let history = History::read(&touch, &endpoints, settings.reason.change())?;
    let mut seen = BTreeSet::new();
    let (tell, told) = unbounded_channel();
    let (slots, started) = (Slots::new(factor), Instant::now());
    let mut round = Round { settings, factor, touch, history, slots, started, waiting: VecDeque::new(), tell };
    for ask in asks {
        match permit(&ask, settings) {
            Ok(permit) if seen.insert((ask.endpoint.canonical(), permit.protocol(), permit.station().to_owned())) => {
                round.waiting.push_back((ask, permit));
            }
            Ok(_) => {}
            Err(refused) => round.refuse(&ask, "", refused, None),
        }
    }
    LocalSet::new().run_until(round.run(told, &mut out)).await;
    Ok(round.touch.summary())
}

/// What the guard would refuse later is refused here, before there is a connection that would be of no use.
fn permit(ask: &Ask, settings: &Settings) -> Result<Permit, Refused> {
    plan(std::slice::from_ref(ask))?;
    let grant = ask.via.adapter().grant()?;
    let limits = Limits { time_factor: settings.time_factor, ..Limits::of(&grant) };
    Permit::new(ask.endpoint, grant, settings.reason.text(), limits)
}

/// One call of [`ask`].
struct Round<'a> {
    settings: &'a Settings,
    factor: TimeFactor,
    touch: Arc<TouchRecord>,
    history: History,
    slots: Slots,
    started: Instant,
    waiting: VecDeque<(Ask, Permit)>,
    tell: UnboundedSender<Event>,
}

/// What becomes of one that waits.
enum Next {
    Start,
    At(Instant),
    WhenFree,
    Refused(Refused, Option<SystemTime>),
}

impl Round<'_> {
    async fn run(&mut self, mut told: UnboundedReceiver<Event>, out: &mut impl FnMut(Event)) {
        let mut running: JoinSet<(Device, Attempt)> = JoinSet::new();
        loop {
            let wake = self.start(&mut running);
            if running.is_empty() && wake.is_none() {
                break;
            }
            // Without a time to wake at, the end of a connection wakes us.
            let sleep = async { if let Some(at) = wake { sleep_until(at).await } else { std::future::pending().await } };
            tokio::pin!(sleep);
            loop {
                tokio::select! {
                    biased;
                    Some(event) = told.recv() => out(event),
                    Some(ended) = running.join_next() => {
                        self.ended(ended);
                        break;
                    }
                    () = &mut sleep => break,
                }
            }
        }
        // The sender is ours, so the channel never closes: what is in it is all there is.
        while let Ok(event) = told.try_recv() {
            out(event);
        }
    }

    /// Starts all that may start now; returns when the next may, where that is a matter of time.
    fn start(&mut self, running: &mut JoinSet<(Device, Attempt)>) -> Option<Instant> {
        let mut wake: Option<Instant> = None;
        for _ in 0..self.waiting.len() {
            let Some((ask, permit)) = self.waiting.pop_front() else { break };
            match self.next(&Device::new(ask.endpoint, permit.station())) {
                Next::Start => {
                    let (touch, clock, tell) = (Arc::clone(&self.touch), Arc::clone(&self.settings.clock), self.tell.clone());
                    let reason = self.settings.reason.text().to_owned();
                    let (station, pace) = (permit.station().to_owned(), ask.via.adapter().pace(self.factor));
                    running.spawn_local(Connection { ask, station, reason, touch, clock, tell }.run(permit, pace));
                }
                Next::At(at) => {
                    wake = Some(wake.map_or(at, |wake| wake.min(at)));
                    self.waiting.push_back((ask, permit));
                }
                Next::WhenFree => self.waiting.push_back((ask, permit)),
                Next::Refused(refused, not_before) => self.refuse(&ask, permit.station(), refused, not_before),
            }
        }
        wake
    }

    fn next(&mut self, device: &Device) -> Next {
        let now = since_1970((self.settings.clock)());
        let past = self.history.of(device);
        let budget = match &self.settings.reason {
            Reason::Change(change) => match change.budget(device, &past, now, self.factor) {
                Ok(budget) => budget,
                Err(refused) => return Next::Refused(refused, None),
            },
            reason => Budget::new(matches!(reason, Reason::WorkOrder(_)), self.factor),
        };
        if let Err(wait) = may_ask(&past, now, budget, self.settings.seed) {
            return Next::Refused(refused(&wait), Some(SystemTime::UNIX_EPOCH + wait.not_before));
        }
        match self.slots.take(device.ip(), self.started.elapsed()) {
            Slot::Taken => Next::Start,
            Slot::At(since_start) => Next::At(self.started + since_start),
            Slot::Full => Next::WhenFree,
        }
    }

    /// Nobody was touched, and the record says that nobody was.
    fn refuse(&self, ask: &Ask, station: &str, refused: Refused, not_before: Option<SystemTime>) {
        let mut line = Line::new(Kind::Refused);
        (line.rule, line.why) = (Some(refused.rule.to_owned()), Some(refused.why.clone()));
        // A reason that was refused for its length must not make the line too long.
        line.reason = Some(self.settings.reason.text().chars().take(REASON_BYTES_MAX).collect());
        line.target = Some(ask.endpoint);
        line.station = Some(station.to_owned()).filter(|station| !station.is_empty());
        line.protocol = Some(ask.via.adapter().name().to_owned());
        let unwritten = self.touch.append(line).err().map(|error| format!("; and {error}")).unwrap_or_default();
        let refused = Refused { why: refused.why.clone() + &unwritten, ..refused };
        // The receiver lives as long as the round.
        let _told =
            self.tell.send(Event { endpoint: ask.endpoint, station: station.to_owned(), what: What::Refused { refused, not_before } });
    }

    fn ended(&mut self, ended: Result<(Device, Attempt), JoinError>) {
        match ended {
            Ok((device, attempt)) => {
                self.slots.give_back(device.ip());
                self.history.push(device, attempt);
            }
            // A panic is a bug of ours and must not pass for silence of the device.
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}

/// What pacing refuses, in the guard's words. The time is rounded up to the next second.
fn refused(wait: &NotYet) -> Refused {
    let seconds = wait.not_before.as_secs().saturating_add(u64::from(wait.not_before.subsec_nanos() > 0)).min(RFC_3339_S_MAX);
    let time = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    Refused::before_any_byte(wait.rule, format!("{}; it may be asked again from {time} on", wait.because))
}

#[cfg(test)]
mod tests;
