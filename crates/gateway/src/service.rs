//! What the service manager is told (sd_notify(3)): a datagram to the socket that `NOTIFY_SOCKET` names. Where nobody named one, nothing is said.

use std::env;
#[cfg(unix)]
use std::os::unix::net::UnixDatagram;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nameplate_core::text::printable;
use nix::time::{ClockId, clock_gettime};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// The watchdog is fed so many times before it would bite, so that one late feeding does not end a process that works.
const FEEDINGS: u32 = 3;

/// Whoever started us, if he wants to know.
pub struct Service {
    to: Option<(UnixDatagram, String)>,
    /// From one feeding of the watchdog to the next; `None` where there is none.
    feed_every: Option<Duration>,
    fed: Option<Instant>,
}

impl Service {
    /// As the environment has it: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub fn of_environment() -> Self {
        let word = |name| env::var(name).ok().filter(|word: &String| !word.is_empty());
        let is_ours = word("WATCHDOG_PID").is_none_or(|pid| pid == process::id().to_string());
        let watchdog = word("WATCHDOG_USEC").filter(|_| is_ours).and_then(|time| time.parse().ok()).map(Duration::from_micros);
        Self::of(word("NOTIFY_SOCKET"), watchdog)
    }

    fn of(socket: Option<String>, watchdog: Option<Duration>) -> Self {
        let to = socket.and_then(|name| Some((UnixDatagram::unbound().ok()?, name)));
        Self { to, feed_every: watchdog.map(|time| time / FEEDINGS), fed: None }
    }

    /// It is at work.
    pub fn ready(&self, told: &str) {
        self.say(&format!("READY=1\nSTATUS={}", printable(told)));
    }

    /// It reads its configuration again; [`Service::ready`] says that it has.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros()));
    }

    /// It was asked to end.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// One line about it, for `systemctl status`.
    pub fn tell(&self, told: &str) {
        self.say(&format!("STATUS={}", printable(told)));
    }

    /// The work goes on: to be called by the loop that does it, as often as it comes by.
    pub fn alive(&mut self) {
        let Some(every) = self.feed_every else { return };
        if self.fed.is_none_or(|fed| fed.elapsed() >= every) {
            self.say("WATCHDOG=1");
            self.fed = Some(Instant::now());
        }
    }

    /// Nobody waits for an answer: who does not hear it will do what he does with a service that is silent.
    fn say(&self, words: &str) {
        let Some((socket, name)) = &self.to else { return };
        #[cfg(target_os = "linux")]
        if let Some(name) = name.strip_prefix('@') {
            use std::os::linux::net::SocketAddrExt;
            if let Ok(address) = std::os::unix::net::SocketAddr::from_abstract_name(name) {
                let _ = socket.send_to_addr(words.as_bytes(), &address);
            }
            return;
        }
        let _ = socket.send_to(words.as_bytes(), name);
    }
}

/// The sign of life of a thread, for another one that feeds the watchdog.
pub struct Pulse {
    begun: Instant,
    last_ms: AtomicU64,
}

impl Pulse {
    pub fn new() -> Self {
        Self { begun: Instant::now(), last_ms: AtomicU64::new(0) }
    }

    /// The thread came by.
    pub fn beat(&self) {
        self.last_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Whether it came by within this time.
    pub fn beats_within(&self, time: Duration) -> bool {
        Duration::from_millis(self.now_ms().saturating_sub(self.last_ms.load(Ordering::Relaxed))) <= time
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Whether somebody asked (SIGHUP) that the configuration is read again.
pub struct Hangup(Arc<AtomicBool>);

impl Hangup {
    /// From here on SIGHUP ends nothing; it is remembered. A second thread waits for it.
    ///
    /// # Errors
    /// The signal cannot be waited for.
    pub fn when_asked() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut hangup = {
            let _entered = runtime.enter();
            signal(SignalKind::hangup())?
        };
        let asked = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&asked);
        thread::spawn(move || {
            runtime.block_on(async {
                while hangup.recv().await.is_some() {
                    told.store(true, Ordering::Relaxed);
                }
            });
        });
        Ok(Self(asked))
    }

    /// Whether somebody asked since this was last answered with [`Hangup::take`].
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The same, once.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_manager_is_told_in_its_own_words() {
        let path = env::temp_dir().join(format!("nameplate-notify-{}", process::id()));
        let heard = UnixDatagram::bind(&path).expect("a socket");
        let mut service = Service::of(Some(path.to_string_lossy().into_owned()), Some(Duration::from_secs(3600)));
        service.ready("two\nlines");
        service.reloading();
        service.alive();
        service.alive();
        service.tell("at work");
        service.stopping();
        heard.set_nonblocking(true).expect("a socket");
        let mut buffer = [0; 512];
        let mut said = Vec::new();
        while let Ok(count) = heard.recv(&mut buffer) {
            said.push(String::from_utf8_lossy(&buffer[..count]).into_owned());
        }
        std::fs::remove_file(&path).expect("removed");
        assert!(said[0].starts_with("READY=1\nSTATUS=two") && said[0].lines().count() == 2, "{said:?}");
        let time = said[1].strip_prefix("RELOADING=1\nMONOTONIC_USEC=").and_then(|time| time.parse::<u64>().ok());
        assert!(time.is_some_and(|time| time > 0), "{said:?}");
        assert_eq!(said[2..], ["WATCHDOG=1", "STATUS=at work", "STOPPING=1"]);
    }

    #[test]
    fn without_a_service_manager_nothing_is_said() {
        let mut service = Service::of(None, None);
        service.ready("");
        service.alive();
        assert!(service.fed.is_none());
    }

    #[test]
    fn a_thread_that_stands_still_has_no_pulse() {
        let begun = Instant::now().checked_sub(Duration::from_secs(60)).expect("a machine that runs for a minute");
        let pulse = Pulse { begun, last_ms: AtomicU64::new(0) };
        assert!(!pulse.beats_within(Duration::from_secs(10)));
        pulse.beat();
        assert!(pulse.beats_within(Duration::from_secs(10)));
    }
}
