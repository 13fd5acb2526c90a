//! Asks devices: which, in which order and how far apart, each over one guarded connection; says what happened as [`Event`]s.
//!
//! One connection is one endpoint and station, and one is open per host (an address, a line): units behind one are asked one after another.
//! Each device (endpoint, station) has a budget of its own; what refused, reset or was hostile keeps the whole endpoint closed for a
//! while. What does not pass ([`may_ask`], the permit) is refused and stands in the touch record without touching anybody.

mod change;
mod classes;
mod connection;
mod event;
mod fold;
mod history;
mod plan;
mod tally;
mod target;
mod via;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until};

pub use self::change::Change;
pub use self::connection::ask_over;
pub use self::event::{Event, What};
pub use self::fold::{LastAsked, last_asked, own_masters};
pub use self::plan::{Planned, PlannedMessage, plan};
pub use self::tally::{Spent, spent};
pub use self::target::{BadTarget, Target};
pub use self::via::{Adapter, Via};

use self::classes::{Classes, Verdict};
use self::connection::Connection;
use self::history::{Device, History, since_1970};
use self::tally::Tally;
use crate::breaker::Attempt;
use crate::guard::{Endpoint, Limits, Permit, REASON_BYTES_MAX, Refused};
use crate::pacing::{Budget, NotYet, Segment, Slot, Slots, TimeFactor, may_ask};
use crate::site::{Barred, Rules};
use crate::touch::{Hush, Kind, Line, Summary, TouchRecord};
use crate::uptime::Reboots;

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
    /// 1; less (above 0) only where every target is on this machine.
    pub time_factor: f64,
    /// Spreads the breakers' retries over devices and times; the same one gives the same times, so that each run names the same moment.
    pub seed: u64,
    /// For readings, budgets and breakers.
    pub clock: Clock,
    /// What the owner of the site rules beyond that.
    pub rules: Arc<Rules>,
    /// What is known of devices before they are asked (maker, model, firmware), by endpoint (see [`Endpoint::canonical`]) and station: those of whom
    /// the same is known are a class in a protocol. Who is not in it is a class of his own.
    pub kinds: Arc<BTreeMap<(Endpoint, String), String>>,
    /// Restarts that work orders let happen; a change's own are known without.
    pub reboots: Arc<Vec<Reboots>>,
}

impl Settings {
    /// At the speed of the plant, with no rules of an owner, and nothing known of anybody.
    #[must_use]
    pub fn new(reason: Reason, clock: Clock) -> Self {
        Self { reason, time_factor: 1.0, seed: 0, clock, rules: Arc::default(), kinds: Arc::default(), reboots: Arc::default() }
    }
}

/// Asks all of `asks` (the same device once in each protocol), tells `out` as it happens, and returns what this process has touched so far.
/// Runs on the caller's tokio runtime, with time and IO enabled; the touch record is written on the same thread.
///
/// # Errors
/// [`Refused`] before anything is sent: by `pacing.time_factor`, or by `touch.record` where the record cannot be read.
/// A single device's refusal is an [`Event`].
pub async fn ask(asks: Vec<Ask>, settings: &Settings, touch: Arc<TouchRecord>, mut out: impl FnMut(Event)) -> Result<Summary, Refused> {
    let factor = TimeFactor::new(settings.time_factor, asks.iter().map(|ask| ask.endpoint.host()))?;
    let endpoints: BTreeSet<Endpoint> = asks.iter().map(|ask| ask.endpoint.canonical()).collect();
    let mut tally = Tally::new(&settings.rules, since_1970((settings.clock)()));
    let (history, classes) = History::read(&touch, &endpoints, settings.reason.change(), &mut tally)?;
    let mut seen = BTreeSet::new();
    let (tell, told) = unbounded_channel();
    // The steady clock goes on from the time of day, so that what runs before this one began is as far away as the record has it.
    let (since, started) = (since_1970((settings.clock)()), Instant::now());
    let mut slots = Slots::new(factor);
    history.begun().for_each(|(segment, at)| slots.begun(segment, at.min(since)));
    let mut round = Round { settings, factor, touch, history, classes, tally, slots, since, started, waiting: BTreeMap::new(), tell };
    for ask in asks {
        match permit(&ask, settings) {
            Ok(permit) if seen.insert((ask.endpoint.canonical(), permit.protocol(), permit.station().to_owned())) => {
                round.waiting.entry(Segment::of(&ask.endpoint.host())).or_default().push_back((ask, permit));
            }
            Ok(_) => {}
            Err(refused) => round.refuse(&ask, &ask.station(), refused, None),
        }
    }
    LocalSet::new().run_until(round.run(told, &mut out)).await;
    Ok(round.touch.summary())
}

/// What the guard would refuse later is refused here, before there is a connection that would be of no use.
fn permit(ask: &Ask, settings: &Settings) -> Result<Permit, Refused> {
    settings.rules.may_contact(&ask.endpoint).map_err(|Barred { rule, why, .. }| Refused::before_any_byte(rule, why))?;
    plan(std::slice::from_ref(ask))?;
    let grant = ask.via.adapter().grant()?;
    let limits = Limits { time_factor: settings.time_factor, ..Limits::of(&grant) };
    let permit = Permit::new(ask.endpoint.clone(), grant, settings.reason.text(), limits)?;
    let kind = settings.kinds.get(&(ask.endpoint.canonical(), permit.station().to_owned()));
    let class = kind.map(|kind| format!("{} {kind}", permit.protocol()));
    Ok(permit.of_class(class))
}

/// One call of [`ask`].
struct Round<'a> {
    settings: &'a Settings,
    factor: TimeFactor,
    touch: Arc<TouchRecord>,
    history: History,
    classes: Classes,
    tally: Tally<'a>,
    slots: Slots,
    /// Of the time of day, when it began; and the same moment on a clock that nobody sets.
    since: Duration,
    started: Instant,
    /// By segment, in the order in which they were named.
    waiting: BTreeMap<Segment, VecDeque<(Ask, Permit)>>,
    tell: UnboundedSender<Event>,
}

/// The classes that were stopped, and that nobody has released since.
///
/// # Errors
/// [`Refused`] by `touch.record` where the record cannot be read.
pub fn stopped_classes(touch: &TouchRecord) -> Result<Vec<String>, Refused> {
    let (rules, none) = (Rules::default(), BTreeSet::new());
    History::read(touch, &none, None, &mut Tally::new(&rules, Duration::ZERO)).map(|(_, classes)| classes.stopped())
}

/// What becomes of one that waits.
enum Next {
    Start,
    /// When another device is through.
    Later,
    /// Neither it nor any other of its segment: not before this moment, or not before one of them is through.
    SegmentLater(Option<Instant>),
    Refused(Refused, Option<SystemTime>),
}

impl Next {
    /// What time forbids, in the guard's words. The moment from which it is allowed is rounded up to the next second.
    fn not_yet(rule: &'static str, because: &str, not_before: Option<Duration>) -> Self {
        let Some(not_before) = not_before else { return Self::Refused(Refused::before_any_byte(rule, because), None) };
        let seconds = not_before.as_secs().saturating_add(u64::from(not_before.subsec_nanos() > 0)).min(RFC_3339_S_MAX);
        let time = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let refused = Refused::before_any_byte(rule, format!("{because}; it may be asked again from {time} on"));
        Self::Refused(refused, Some(SystemTime::UNIX_EPOCH + not_before))
    }
}

impl Round<'_> {
    async fn run(&mut self, mut told: UnboundedReceiver<Event>, out: &mut impl FnMut(Event)) {
        let mut running: JoinSet<(Device, Attempt)> = JoinSet::new();
        let (touch, mut is_ending) = (Arc::clone(&self.touch), false);
        let ending = touch.told_to_end();
        tokio::pin!(ending);
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
                    Some(event) = told.recv() => {
                        // Its line was synced first: only now has it begun on the wire.
                        if matches!(event.what, What::Opened) {
                            self.slots.begun(Segment::of(&event.endpoint.host()), self.since + self.started.elapsed());
                        }
                        out(event);
                    }
                    Some(ended) = running.join_next() => {
                        self.ended(ended);
                        break;
                    }
                    () = &mut sleep => break,
                    () = &mut ending, if !is_ending => {
                        is_ending = true;
                        break;
                    }
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
        let quiet = self.touch.quiet();
        if quiet == Some(Hush::Ending) {
            self.leave_the_rest();
            return None;
        }
        for (segment, mut waiting) in std::mem::take(&mut self.waiting) {
            let mut later = VecDeque::new();
            while let Some((ask, permit)) = waiting.pop_front() {
                let next = quiet.as_ref().map_or_else(|| self.next(&ask, &permit), |why| Next::Refused(Refused::quiet(why), None));
                match next {
                    Next::Start => self.begin(ask, permit, running),
                    Next::Refused(refused, not_before) => self.refuse(&ask, permit.station(), refused, not_before),
                    Next::Later => later.push_back((ask, permit)),
                    Next::SegmentLater(at) => {
                        later.push_back((ask, permit));
                        wake = at.map_or(wake, |at| Some(wake.map_or(at, |wake| wake.min(at))));
                        break;
                    }
                }
            }
            // Who had to wait comes before those that were not looked at, as they were named.
            later.append(&mut waiting);
            if !later.is_empty() {
                self.waiting.insert(segment, later);
            }
        }
        wake
    }

    /// Nobody begins with those that wait. Nothing happened to them, so the record has no line of it: they may be asked by whoever comes next.
    fn leave_the_rest(&mut self) {
        for (ask, permit) in std::mem::take(&mut self.waiting).into_values().flatten() {
            let _told = self.tell.send(Event { endpoint: ask.endpoint, station: permit.station().to_owned(), what: What::Unasked });
        }
    }

    fn begin(&mut self, ask: Ask, permit: Permit, running: &mut JoinSet<(Device, Attempt)>) {
        let device = Device::new(permit.endpoint(), permit.station());
        if let Some(class) = permit.class() {
            self.classes.begin(&device, class);
        }
        self.tally.begin(permit.endpoint(), permit.station(), since_1970((self.settings.clock)()));
        let watch = self.history.watch(&device, &self.settings.reboots);
        let (touch, clock, tell) = (Arc::clone(&self.touch), Arc::clone(&self.settings.clock), self.tell.clone());
        let reason = self.settings.reason.text().to_owned();
        let (station, pace) = (permit.station().to_owned(), ask.via.adapter().pace(self.factor));
        running.spawn_local(Connection { ask, station, reason, touch, clock, watch, tell }.run(permit, pace));
    }

    fn next(&mut self, ask: &Ask, permit: &Permit) -> Next {
        let (endpoint, station) = (permit.endpoint(), permit.station());
        let now = since_1970((self.settings.clock)());
        if let Err(Barred { rule, why, not_before }) = self.settings.rules.may_ask(endpoint, station, now) {
            return Next::not_yet(rule, &why, not_before);
        }
        if let Err(NotYet { rule, because, not_before }) = self.tally.may(endpoint, station, now) {
            return Next::not_yet(rule, &because, Some(not_before));
        }
        let device = &Device::new(endpoint, station);
        let past = self.history.of(device);
        let budget = match &self.settings.reason {
            Reason::Change(change) => match change.budget(device, &past, now, self.factor, self.settings.rules.readings_per_day) {
                Ok(budget) => budget,
                Err(refused) => return Next::Refused(refused, None),
            },
            reason => Budget::new(matches!(reason, Reason::WorkOrder(_)), self.factor).at_most(self.settings.rules.readings_per_day),
        };
        // A change counts its own readings, and they are far enough apart for any protocol: what is read once a day could not be read before and after.
        let of_protocol = ask.via.adapter().readings_per_day_max().filter(|_| self.settings.reason.change().is_none());
        let budget = budget.at_most(of_protocol);
        if let Err(wait) = may_ask(&past, now, budget, self.settings.seed) {
            let NotYet { rule, because, not_before } = wait;
            return Next::not_yet(rule, &because, Some(not_before));
        }
        let verdict = permit.class().map_or(Verdict::Go, |class| self.classes.may(class));
        match verdict {
            Verdict::Go => {}
            Verdict::Wait => return Next::Later,
            Verdict::No { rule, why } => return Next::Refused(Refused::before_any_byte(rule, why), None),
        }
        match self.slots.take(&device.host(), self.since + self.started.elapsed()) {
            Slot::Taken => Next::Start,
            Slot::Busy => Next::Later,
            Slot::At(time) => Next::SegmentLater(Some(self.started + time.saturating_sub(self.since))),
            Slot::Full => Next::SegmentLater(None),
        }
    }

    /// Nobody was touched, and the record says that nobody was.
    fn refuse(&self, ask: &Ask, station: &str, refused: Refused, not_before: Option<SystemTime>) {
        let mut line = Line::new(Kind::Refused);
        (line.rule, line.why) = (Some(refused.rule.to_owned()), Some(refused.why.clone()));
        // A reason that was refused for its length must not make the line too long.
        line.reason = Some(self.settings.reason.text().chars().take(REASON_BYTES_MAX).collect());
        line.target = Some(ask.endpoint.clone());
        line.station = Some(station.to_owned()).filter(|station| !station.is_empty());
        line.protocol = Some(ask.via.adapter().name().to_owned());
        let unwritten = self.touch.append(line).err().map(|error| format!("; and {error}")).unwrap_or_default();
        let refused = Refused { why: refused.why.clone() + &unwritten, ..refused };
        // The receiver lives as long as the round.
        let _told = self.tell.send(Event {
            endpoint: ask.endpoint.clone(),
            station: station.to_owned(),
            what: What::Refused { refused, not_before },
        });
    }

    fn ended(&mut self, ended: Result<(Device, Attempt), JoinError>) {
        match ended {
            Ok((device, attempt)) => {
                self.slots.give_back(&device.host());
                self.classes.end(&device, attempt.end, attempt.ended);
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

#[cfg(test)]
mod tests;
