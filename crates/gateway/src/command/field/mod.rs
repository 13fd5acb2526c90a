//! `nameplate field`: the one process of a gateway that touches the plant. It has no database and no door to IT but the [`hatch`](crate::hatch); the
//! site file, the profiles and the credentials are read here and nowhere else.

mod ear;
mod known;
mod round;
mod side;
mod talk;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use clap::Args;
use nameplate_core::wire::filter::Filter;
use nameplate_field::capture::live::{Live, Voice};
use nameplate_field::touch::TouchRecord;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::timeout;

use self::round::Round;
use self::side::{ROUNDS_WAITING_MAX, Side};
use super::ask::{Kept, Site};
use super::listen::live::stop;
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::log::{self, say};
use crate::service::{Pulse, Service};
use crate::{key, profiles, state};

/// Owner and group of the socket: the desk's account is in the field side's group.
const HATCH_MODE: u32 = 0o660;
/// How long what is under way may take at the end: a device is held for 20 s at most (docs/read-only.md, 3). The unit's TimeoutStopSec is longer.
const LAST_SECONDS_MAX: Duration = Duration::from_secs(40);
/// How often is looked whether somebody asked to stop.
const STOP_EVERY: Duration = Duration::from_millis(100);
/// A listener comes by five times a second, frames or none; one that does not for so long stands still.
const PULSE_SECONDS_MAX: Duration = Duration::from_secs(10);

/// Run the gateway's field side: the one process that listens on the plant's network and asks its devices.
#[derive(Debug, Args)]
#[command(
    after_help = "It asks only what the site file lists, whoever asks for it, within its windows and budgets, and seals its touch record with a\n\
                        key of its own. --state is its own directory (touch record, field.key, what is known of the listed devices), which\n\
                        `nameplate serve` neither needs nor should be able to write.\n\n\
                        Example:\n  nameplate field --site /etc/nameplate/site.toml --hatch /run/nameplate/hatch -i eth1 --state /var/lib/nameplate-field"
)]
pub struct Field {
    /// The site file: whom it may ask, and when (docs/site.md)
    #[arg(long, value_name = "FILE")]
    site: PathBuf,
    /// The Unix socket on which `nameplate serve` finds it
    #[arg(long, value_name = "SOCKET")]
    hatch: PathBuf,
    /// Listen on this interface, and not on those that the site file names; may be repeated. Needs CAP_NET_RAW, and gives it up before the first frame
    #[arg(short, long, value_name = "INTERFACE")]
    interface: Vec<String>,
    /// Scale the gaps between messages and readings; accepted for loopback targets alone, and on record
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_factor: f64,
}

impl Field {
    /// Runs the command, until it is asked to stop.
    ///
    /// # Errors
    /// The site file, a profile, its directory, an interface, the socket; or a listener that broke down.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        let mut site = Site::read(&self.site, &Kept { state: options.state.clone(), writes: true })?;
        site.listen_on(&self.interface)?;
        log::begin(log::Part::Field, site.log)?;
        // Before there is a second thread: from here on this process holds no capability of the network.
        let live = open(&site.interfaces, site.ring_mib)?;
        let directory = state::directory(options.state.as_ref())?;
        let refused = |e| Failure::new(Code::Refused, format!("without a touch record nothing is asked: {e}"));
        fs::create_dir_all(&directory).map_err(|e| Failure::input(directory.display(), e))?;
        let key = key::of_field(&directory)?;
        let public = key.public();
        let touch = TouchRecord::open_sealed(&directory, SystemTime::now, key).map_err(refused)?;
        let side = Side::new(site, &profiles, directory, touch, public.digits(), self.time_factor)?;
        let fingerprint = public.fingerprint();
        say!(SEAL_KEY { fingerprint = fingerprint.as_str() }, "its touch record is sealed with the key {fingerprint}");
        let over = AtomicBool::new(false);
        let pulses: Vec<Pulse> = live.iter().map(|_| Pulse::new()).collect();
        let ended = thread::scope(|scope| {
            let begin = |(live, pulse)| {
                let (side, over) = (&side, &over);
                scope.spawn(move || ear::listen(live, side, over, pulse))
            };
            let listening: Vec<_> = live.into_iter().enumerate().zip(&pulses).map(begin).collect();
            let ended = self.attend(&side, &over, &pulses);
            over.store(true, Ordering::Relaxed);
            let panicked = |_| Err(Failure::input("listening", "it panicked"));
            let heard = listening.into_iter().map(|thread| thread.join().unwrap_or_else(panicked));
            // All are waited for; the first that broke down says why.
            let heard = heard.fold(Ok(()), Result::and);
            let _ = fs::remove_file(&self.hatch);
            ended.and(heard)
        });
        if ended.is_ok() {
            say!(STOPPED, "asked to stop");
        }
        ended
    }

    /// Attends to the hatch until somebody asks to stop, or a listener is over; then what is under way ends first.
    fn attend(&self, side: &Side<'_>, over: &AtomicBool, pulses: &[Pulse]) -> Result<(), Failure> {
        let cannot = |e| Failure::input(self.hatch.display(), format!("no hatch can be opened there: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        runtime.block_on(async {
            let listener = bind(&self.hatch).map_err(cannot)?;
            let count = side.site.devices().count() as u64;
            let devices = crate::print::count(count, "device");
            say!(HATCH_OPEN { count }, "{devices} may be asked; the hatch is {}", self.hatch.display());
            let mut service = Service::of_environment();
            service.ready(&format!("{devices} may be asked"));
            let (rounds, wanted) = mpsc::channel(ROUNDS_WAITING_MAX);
            let work = async {
                tokio::select! {
                    ended = attend(side, &listener, &rounds) => ended.map_err(cannot),
                    () = ask(side, wanted) => Ok(()),
                }
            };
            tokio::pin!(work);
            let ended = tokio::select! { ended = &mut work => Some(ended), () = stopped(over, pulses, &mut service) => None };
            service.stopping();
            if let Some(ended) = ended {
                return ended;
            }
            say!(ENDING, "ending; what is under way ends first");
            side.touch.end();
            timeout(LAST_SECONDS_MAX, work).await.unwrap_or_else(|_| {
                say!(ENDING_LATE, "what was under way was broken off");
                Ok(())
            })
        })
    }
}

/// Has devices asked, one round after another. Once this process is told to end, the rounds that wait are answered, and there are no more; it does not come
/// back then, because who attends to the hatch has to tell it.
async fn ask(side: &Side<'_>, mut wanted: Receiver<Round>) {
    loop {
        let round = tokio::select! {
            biased;
            round = wanted.recv() => round,
            () = side.touch.told_to_end(), if !wanted.is_closed() => {
                wanted.close();
                continue;
            }
        };
        let Some(round) = round else { break };
        let report = round::ask(side, round).await;
        side.asked(report);
    }
    side.over.send_replace(true);
    std::future::pending().await
}

/// One desk at a time: its conversation goes on while others are turned away. Comes back where no desk can come, or where all is over and was told.
async fn attend(side: &Side<'_>, listener: &UnixListener, rounds: &mpsc::Sender<Round>) -> io::Result<()> {
    let mut talk: Option<Pin<Box<dyn Future<Output = ()> + '_>>> = None;
    let mut over = side.over.subscribe();
    loop {
        let talking = async {
            match &mut talk {
                Some(talk) => talk.await,
                // Without a desk nobody is to be told that it is over.
                None => drop(over.wait_for(|over| *over).await),
            }
        };
        tokio::select! {
            // A desk that went before the next one came (it reads its configuration again) is seen to go first.
            biased;
            () = talking => {
                talk = None;
                if *side.over.borrow() {
                    return Ok(());
                }
            }
            accepted = listener.accept() => match accepted? {
                (stream, _) if talk.is_some() => talk::turn_away(stream).await,
                (stream, _) => talk = Some(Box::pin(talk::converse(side, stream, rounds))),
            },
        }
    }
}

/// Opens the interfaces, and warns where they would be noticed.
fn open(interfaces: &[String], ring_mib: u16) -> Result<Vec<Live>, Failure> {
    let all = Live::open_all(interfaces, &Filter::default(), ring_mib).map_err(|e| Failure::new(Code::Input, e.to_string()))?;
    for live in &all {
        let interface = live.name();
        for Voice { does, silenced_by } in live.voices() {
            say!(
                INTERFACE_SPEAKS { interface },
                "warning: {interface} {does}; what listens on a mirror port must not speak: {silenced_by}"
            );
        }
        say!(INTERFACE_OPEN { interface }, "{interface}: listening; nothing is sent there");
    }
    Ok(all)
}

/// The socket; what a process that was killed left there is removed first. Its group may knock, nobody else.
fn bind(hatch: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(hatch) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(hatch)?;
    #[cfg(unix)]
    fs::set_permissions(hatch, std::os::unix::fs::PermissionsExt::from_mode(HATCH_MODE))?;
    Ok(listener)
}

/// Somebody asked to stop, or a listener is over. Until then the watchdog is fed, by the task that attends to the hatch, and only while all listeners come
/// by, too.
async fn stopped(over: &AtomicBool, pulses: &[Pulse], service: &mut Service) {
    let Ok(stop) = stop::when_asked() else { return };
    let mut look = tokio::time::interval(STOP_EVERY);
    while !stop.is_asked() && !over.load(Ordering::Relaxed) {
        look.tick().await;
        if pulses.iter().all(|pulse| pulse.beats_within(PULSE_SECONDS_MAX)) {
            service.alive();
        }
    }
}
