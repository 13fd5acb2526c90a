//! `nameplate field`: the one process of a gateway that touches the plant. It has no database and no door to IT but the [`hatch`](crate::hatch); the
//! site file, the profiles and the credentials are read here and nowhere else.

mod ear;
mod round;
mod side;
mod talk;

use std::fs;
use std::io::ErrorKind;
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
use tokio::sync::mpsc;

use self::side::{ROUNDS_WAITING_MAX, Side};
use super::ask::{Kept, Site};
use super::listen::live::stop;
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::service::{Pulse, Service};
use crate::{key, profiles, state};

/// Owner and group of the socket: the desk's account is in the field side's group.
const HATCH_MODE: u32 = 0o660;
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
    /// Listen on this interface, and not on the one that the site file names; needs CAP_NET_RAW, and gives it up before the first frame
    #[arg(short, long, value_name = "INTERFACE")]
    interface: Option<String>,
    /// Scale the gaps between messages and readings; accepted for loopback targets alone, and on record
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_factor: f64,
}

impl Field {
    /// Runs the command, until it is asked to stop.
    ///
    /// # Errors
    /// The site file, a profile, its directory, the interface, the socket; or a listener that broke down.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        let site = Site::read(&self.site, &Kept { state: options.state.clone(), writes: true })?;
        // Before there is a second thread: from here on this process holds no capability of the network.
        let interface = self.interface.clone().or_else(|| site.interface.clone());
        let live = interface.as_deref().map(|interface| open(interface, site.ring_mib)).transpose()?;
        let directory = state::directory(options.state.as_ref())?;
        let refused = |e| Failure::new(Code::Refused, format!("without a touch record nothing is asked: {e}"));
        fs::create_dir_all(&directory).map_err(|e| Failure::input(directory.display(), e))?;
        let key = key::of_field(&directory)?;
        let public = key.public();
        let touch = TouchRecord::open_sealed(&directory, SystemTime::now, key).map_err(refused)?;
        let side = Side::new(site, &profiles, directory, touch, public.digits(), (interface, self.time_factor))?;
        eprintln!("field: its touch record is sealed with the key {}", public.fingerprint());
        let (over, pulse, listens) = (AtomicBool::new(false), Pulse::new(), live.is_some());
        thread::scope(|scope| {
            let listening = live.map(|live| scope.spawn(|| ear::listen(live, &side, &over, &pulse)));
            let ended = self.attend(&side, &over, Some(&pulse).filter(|_| listens));
            over.store(true, Ordering::Relaxed);
            let heard =
                listening.map_or(Ok(()), |thread| thread.join().unwrap_or_else(|_| Err(Failure::input("listening", "it panicked"))));
            let _ = fs::remove_file(&self.hatch);
            ended.and(heard)
        })
    }

    /// Attends to the hatch until somebody asks to stop, or the listener is over.
    fn attend(&self, side: &Side<'_>, over: &AtomicBool, pulse: Option<&Pulse>) -> Result<(), Failure> {
        let cannot = |e| Failure::input(self.hatch.display(), format!("no hatch can be opened there: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        runtime.block_on(async {
            let listener = bind(&self.hatch).map_err(cannot)?;
            let devices = crate::print::count(side.site.devices().count() as u64, "device");
            eprintln!("field: {devices} may be asked; the hatch is {}", self.hatch.display());
            let mut service = Service::of_environment();
            service.ready(&format!("{devices} may be asked"));
            let (rounds, mut wanted) = mpsc::channel(ROUNDS_WAITING_MAX);
            let asking = async {
                while let Some(round) = wanted.recv().await {
                    let report = round::ask(side, round).await;
                    side.asked(report);
                }
            };
            let attending = async {
                // One desk at a time: its conversation goes on while others are turned away.
                let mut talk: Option<Pin<Box<dyn Future<Output = ()> + '_>>> = None;
                loop {
                    let talking = async {
                        match &mut talk {
                            Some(talk) => talk.await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        // A desk that went before the next one came (it reads its configuration again) is seen to go first.
                        biased;
                        () = talking => talk = None,
                        accepted = listener.accept() => match accepted {
                            Ok((stream, _)) if talk.is_some() => talk::turn_away(stream).await,
                            Ok((stream, _)) => talk = Some(Box::pin(talk::converse(side, stream, &rounds))),
                            Err(e) => break Err(cannot(e)),
                        },
                    }
                }
            };
            let ended =
                tokio::select! { ended = attending => ended, () = asking => Ok(()), () = stopped(over, pulse, &mut service) => Ok(()) };
            service.stopping();
            ended
        })
    }
}

/// Opens an interface, and warns where it would be noticed.
fn open(interface: &str, ring_mib: u16) -> Result<Live, Failure> {
    let live = Live::open(interface, &Filter::default(), ring_mib).map_err(|e| Failure::input(interface, e))?;
    for Voice { does, silenced_by } in live.voices() {
        eprintln!("nameplate: warning: {interface} {does}; what listens on a mirror port must not speak: {silenced_by}");
    }
    eprintln!("{interface}: listening; nothing is sent there");
    Ok(live)
}

/// The socket; what a process that was killed left there is removed first. Its group may knock, nobody else.
fn bind(hatch: &Path) -> std::io::Result<UnixListener> {
    match fs::remove_file(hatch) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(hatch)?;
    #[cfg(unix)]
    fs::set_permissions(hatch, std::os::unix::fs::PermissionsExt::from_mode(HATCH_MODE))?;
    Ok(listener)
}

/// Somebody asked to stop, or the listener is over. Until then the watchdog is fed, by the task that attends to the hatch, and only while the listener
/// comes by, too.
async fn stopped(over: &AtomicBool, pulse: Option<&Pulse>, service: &mut Service) {
    let Ok(stop) = stop::when_asked() else { return };
    let mut look = tokio::time::interval(STOP_EVERY);
    while !stop.is_asked() && !over.load(Ordering::Relaxed) {
        look.tick().await;
        if pulse.is_none_or(|pulse| pulse.beats_within(PULSE_SECONDS_MAX)) {
            service.alive();
        }
    }
}
