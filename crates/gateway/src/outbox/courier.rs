//! The couriers: one goes on with one target, and none waits for another.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nameplate_core::observation::rfc3339;
use nameplate_core::text::printable;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::event::{Batch, since};
use super::place::Kept;
use super::webhook::Webhook;
use super::{Dead, Standing, Target, Way, syslog};
use crate::failure::Failure;
use crate::house::House;
use crate::log::say;
use crate::store::{Store, now_ns};

/// The first wait behind a failure; each further one is twice as long.
const WAIT: Duration = Duration::from_secs(1);
/// The longest: a target that is mended is told within it.
const WAIT_SECONDS_MAX: Duration = Duration::from_secs(300);
/// Refusals of one message before it is given up: what was wrong for a moment is not wrong for long.
const REFUSALS_MAX: u32 = 3;
/// How long is waited for a catalog that has something late in it.
const UNSETTLED_PAUSE: Duration = Duration::from_millis(500);
/// What is under way may end within that when it is over; what is cut off then is told again.
const LAST_SECONDS_MAX: Duration = Duration::from_secs(2);
/// A name of this machine in messages (RFC 5424, 6.2.4): printable ASCII.
const HOST_BYTES_MAX: usize = 255;

/// It was told.
pub struct Said;

/// Why something was not told.
pub struct Trouble {
    /// In words.
    pub why: String,
    /// How long the target wants to be left alone.
    pub wait: Option<Duration>,
    /// The message, where it is that which is refused.
    pub dead: Option<Box<Dead>>,
}

impl Trouble {
    /// One that is no message's fault.
    pub fn of(why: String) -> Self {
        Self { why, wait: None, dead: None }
    }
}

/// Tells all targets of the configuration until `stop` says so, whatever they are then: a reload changes them.
pub fn run(house: &Arc<House>, mut stop: watch::Receiver<bool>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let mut config = house.configured();
        loop {
            let targets = config.borrow_and_update().as_ref().map(|config| config.targets.clone()).unwrap_or_default();
            house.targets().retain(|name, _| targets.iter().any(|target| target.name == *name));
            let over = watch::Sender::new(false);
            let mut couriers = JoinSet::new();
            for target in targets.clone() {
                let (house, over) = (Arc::clone(house), over.subscribe());
                couriers.spawn(async move { go_on(&house, &target, over).await });
            }
            let is_over = loop {
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => break true,
                    changed = config.changed() => {
                        if changed.is_err() {
                            break true;
                        }
                        if config.borrow_and_update().as_ref().is_none_or(|config| config.targets != targets) {
                            break false;
                        }
                    }
                }
            };
            over.send_replace(true);
            while couriers.join_next().await.is_some() {}
            if is_over {
                return;
            }
        }
    });
}

/// One target, until it is over.
async fn go_on(house: &Arc<House>, target: &Target, over: watch::Receiver<bool>) {
    let mut post = loop {
        match Post::of(house, target, over.clone()) {
            Ok(post) => break post,
            Err(failure) => {
                stands(house, target, |standing| standing.trouble = Some(failure.to_string()));
                say!(TARGET_TROUBLE { target = target.name.as_str() }, "{}: {}", target.name, printable(&failure.to_string()));
                if is_over(over.clone(), WAIT_SECONDS_MAX).await {
                    return;
                }
            }
        }
    };
    let mut webhook = Webhook::default();
    let (mut failures, mut refusals) = (0_u32, (String::new(), 0));
    while !*over.borrow() {
        if let Err(failure) = post.goes_where_it_is_wanted() {
            post.trouble(&failure.to_string());
        }
        let before = post.next();
        let telling = async {
            match target.url.way {
                Way::Webhook => post.tell(&mut webhook).await,
                Way::Syslog => syslog::tell(&mut post).await.map(|()| Said),
            }
        };
        let Some(told) = soon_when_over(telling, over.clone()).await else { break };
        // Whatever came of it: it may be long before there is more.
        let kept = post.kept.keep().map_err(|failure| Trouble::of(failure.to_string()));
        let Err(Trouble { why, wait, dead }) = told.and(kept) else {
            failures = 0;
            continue;
        };
        failures = if post.next() > before { 0 } else { failures.saturating_add(1) };
        if let Some(dead) = dead {
            refusals = if refusals.0 == dead.id { (refusals.0, refusals.1 + 1) } else { (dead.id.clone(), 1) };
            if refusals.1 >= REFUSALS_MAX && post.gives_up(*dead).is_ok() {
                continue;
            }
        }
        post.trouble(&why);
        let wait = wait.unwrap_or_else(|| pause(failures));
        tokio::select! {
            is_over = is_over(over.clone(), wait) => if is_over {
                return;
            },
            () = post.moved() => failures = 0,
        }
    }
}

/// What comes of something; nothing where it is over meanwhile and that does not end soon.
async fn soon_when_over<T>(something: impl Future<Output = T>, mut over: watch::Receiver<bool>) -> Option<T> {
    tokio::pin!(something);
    let is_over = async {
        let _ = over.wait_for(|over| *over).await;
    };
    tokio::select! {
        came = &mut something => return Some(came),
        () = is_over => {}
    }
    timeout(LAST_SECONDS_MAX, something).await.ok()
}

/// How long is waited behind so many failures, a quarter more or less, so that gateways that lost one target do not come back together.
fn pause(failures: u32) -> Duration {
    let pause = WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(WAIT_SECONDS_MAX);
    let mut byte = [0_u8; 1];
    let _ = getrandom::fill(&mut byte);
    pause.mul_f64(0.75 + f64::from(byte[0]) / 510.0)
}

/// Waits; true where it is over meanwhile.
async fn is_over(mut over: watch::Receiver<bool>, time: Duration) -> bool {
    tokio::select! {
        _ = over.wait_for(|over| *over) => true,
        () = sleep(time) => false,
    }
}

fn stands(house: &House, target: &Target, change: impl FnOnce(&mut Standing)) {
    let mut targets = house.targets();
    let standing = targets.entry(target.name.clone()).or_insert_with(|| Standing { name: target.name.clone(), ..Standing::default() });
    standing.url = target.url.to_string();
    change(standing);
}

/// What a courier has: a target, and how far it is.
pub struct Post<'a> {
    pub house: &'a Arc<House>,
    pub target: &'a Target,
    kept: Kept,
    origin: String,
    /// The name of this machine.
    pub host: String,
    over: watch::Receiver<bool>,
    /// Events of the entry that is being told, which were told already.
    done: Vec<String>,
    in_trouble: bool,
}

impl<'a> Post<'a> {
    fn of(house: &'a Arc<House>, target: &'a Target, over: watch::Receiver<bool>) -> Result<Self, Failure> {
        let store = Store::read(&house.directory)?.ok_or_else(|| Failure::input(house.directory.display(), "there is no ledger"))?;
        let origin = store.keys().origin();
        let (kept, told) = Kept::of(&house.directory, target, &origin, store.size())?;
        if let Some(told) = told {
            say!(TARGET_BEGINS { target = target.name.as_str(), next = kept.place().next }, "{}: {told}", target.name);
        }
        let mut post = Self { house, target, kept, origin, host: host(), over, done: Vec::new(), in_trouble: false };
        post.shows();
        post.in_trouble = false;
        Ok(post)
    }

    /// The first entry that is not told.
    pub fn next(&self) -> u64 {
        self.kept.place().next
    }

    /// The ledger's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The site's name, as its file has it; empty before the field side was there.
    pub fn site(&self) -> String {
        self.house.field().site.clone()
    }

    /// Waits until it is over.
    pub async fn over(&self) {
        let _ = self.over.clone().wait_for(|over| *over).await;
    }

    /// Events from an entry on.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn since(&self, from: u64) -> Result<Batch, Trouble> {
        loop {
            let (house, target) = (Arc::clone(self.house), self.target.clone());
            let batch = spawn_blocking(move || since(&house, &target, from)).await;
            let batch = batch.map_err(|_| Trouble::of("a fault of the program".to_owned()))?;
            if let Some(batch) = batch.map_err(|failure| Trouble::of(failure.to_string()))? {
                return Ok(batch);
            }
            sleep(UNSETTLED_PAUSE).await;
        }
    }

    /// Somebody has it told again from an entry on, or has it pass over some.
    fn goes_where_it_is_wanted(&mut self) -> Result<(), Failure> {
        let wanted = self.house.targets().get_mut(&self.target.name).and_then(|standing| standing.wanted.take());
        let Some(next) = wanted else { return Ok(()) };
        say!(TARGET_BEGINS { target = self.target.name.as_str(), next }, "{}: it is told from entry {next} on, as somebody wants it", self.target.name);
        self.kept.told(next, 0, now_ns())?;
        self.done.clear();
        self.kept.keep()?;
        self.shows();
        Ok(())
    }

    /// Waits until somebody wants a target elsewhere.
    pub async fn moved(&self) {
        let moved = self.house.moved.notified();
        tokio::pin!(moved);
        // Listened first, then looked: whoever moves it in between is heard.
        moved.as_mut().enable();
        if !self.is_wanted_elsewhere() {
            moved.await;
        }
    }

    /// Whether somebody wants it elsewhere.
    pub fn is_wanted_elsewhere(&self) -> bool {
        self.house.targets().get(&self.target.name).is_some_and(|standing| standing.wanted.is_some())
    }

    /// All events up to an entry were told, so many of them now.
    ///
    /// # Errors
    /// The disk's: they will be told again.
    pub fn told(&mut self, next: u64, events: u64) -> Result<(), Failure> {
        self.kept.told(next, events, now_ns())?;
        self.done.clear();
        self.well();
        Ok(())
    }

    /// A message is given up: what comes behind it is not kept waiting.
    fn gives_up(&mut self, dead: Dead) -> Result<(), Failure> {
        let (id, why) = (dead.id.clone(), dead.why.clone());
        say!(
            DEAD_LETTER { target = self.target.name.as_str(), entry = dead.entry },
            "{}: event {id} is given up: {}", self.target.name, printable(&why)
        );
        self.kept.refused(dead)?;
        self.done.push(id);
        self.shows();
        Ok(())
    }

    /// A webhook is told what there is, one event after another; then it is waited for more.
    async fn tell(&mut self, webhook: &mut Webhook) -> Result<Said, Trouble> {
        let mut size = self.house.size.subscribe();
        let known = *size.borrow_and_update();
        if self.next() >= known {
            tokio::select! {
                () = self.over() => {}
                () = self.moved() => {}
                changed = size.changed() => if changed.is_err() { self.over().await },
            }
            return Ok(Said);
        }
        let batch = self.since(self.next()).await?;
        let (mut events, mut told) = (batch.events.iter().peekable(), 0);
        while let Some(event) = events.next() {
            if *self.over.borrow() || self.is_wanted_elsewhere() {
                return Ok(Said);
            }
            if !self.done.contains(&event.id) {
                let site = self.site();
                webhook.tell(self.house, self.target, (&self.origin, &site), event).await?;
                self.done.push(event.id.clone());
                told += 1;
            }
            // All of one entry, or none of it: the place is between entries.
            if events.peek().is_none_or(|other| other.index > event.index) {
                let next = events.peek().map_or(batch.next, |other| other.index);
                self.told(next, std::mem::take(&mut told)).map_err(|failure| Trouble::of(failure.to_string()))?;
            }
        }
        if batch.events.is_empty() {
            self.told(batch.next, 0).map_err(|failure| Trouble::of(failure.to_string()))?;
        }
        Ok(Said)
    }

    fn trouble(&mut self, why: &str) {
        if !std::mem::replace(&mut self.in_trouble, true) {
            say!(TARGET_TROUBLE { target = self.target.name.as_str(), next = self.next() }, "{}: {}", self.target.name, printable(why));
            stands(self.house, self.target, |standing| standing.since = Some(rfc3339(now_ns())));
        }
        stands(self.house, self.target, |standing| standing.trouble = Some(printable(why)));
    }

    fn well(&mut self) {
        if std::mem::replace(&mut self.in_trouble, false) {
            say!(TARGET_WELL { target = self.target.name.as_str(), next = self.next() }, "{}: it is told again", self.target.name);
        }
        self.shows();
    }

    /// How it stands, where people look.
    fn shows(&mut self) {
        let place = self.kept.place().clone();
        let in_trouble = self.in_trouble;
        stands(self.house, self.target, |standing| {
            (standing.next, standing.told, standing.refused, standing.dead) = (place.next, place.told, place.refused, place.dead);
            standing.last = place.last_ns.map(rfc3339);
            if !in_trouble {
                (standing.trouble, standing.since) = (None, None);
            }
        });
    }
}

/// The machine's name; `-` where it has none that may stand there.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let is_one = !name.is_empty() && name.len() <= HOST_BYTES_MAX && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one { name.to_owned() } else { "-".to_owned() }
}

/// Begins the couriers on a thread of their own: what they wait for is nobody's who looks at the page.
///
/// # Errors
/// There are no threads.
pub fn begin(house: &Arc<House>, stop: watch::Receiver<bool>) -> std::io::Result<thread::JoinHandle<()>> {
    let house = Arc::clone(house);
    thread::Builder::new().name("outbox".to_owned()).spawn(move || run(&house, stop))
}
