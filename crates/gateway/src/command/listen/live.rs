//! An interface in: the same path as a file's, until somebody ends it.

pub mod stop;

use std::mem;
use std::time::{Duration, Instant};

use clap::Args;
use nameplate_core::wire::capture::Frame;
use nameplate_core::wire::conversation::Protocol;
use nameplate_core::wire::filter::Filter;
use nameplate_core::wire::listen::{Event, Listener};
use nameplate_field::capture::live::{Live, RING_MIB, Voice};

use super::{Place, Tally, hear, tell};
use crate::cli::Format;
use crate::failure::Failure;
use crate::intake::Intake;

/// Milliseconds between two commits: what a power cut may take.
const COMMIT_MS_MAX: u64 = 2_000;
/// Claims that may get a further way wait from one of these to the next but one: a device that is also heard through its router is so in the
/// same round of broadcasts, and nobody waits for the end of a run of weeks.
const WAITING_MS_MAX: u64 = 10_000;

/// The interface, and how long.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live (Linux only)")]
pub struct Interface {
    /// Listen on this interface, promiscuous, instead of reading files; Linux only
    #[arg(short = 'i', long, value_name = "INTERFACE")]
    pub interface: Option<String>,
    /// End after so long: 60s, 30m, 8h [default: when asked to, with Ctrl-C or SIGTERM]
    #[arg(long, conflicts_with = "files", value_name = "TIME", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// End after so many frames
    #[arg(long, conflicts_with = "files", value_name = "FRAMES", value_parser = clap::value_parser!(u64).range(1..))]
    packets: Option<u64>,
}

impl Interface {
    /// Listens until the time is over, the frames are there, or somebody asks to stop; what is still in the kernel's ring then is heard,
    /// too. What is kept is on disk every few seconds.
    ///
    /// # Errors
    /// The interface cannot be opened or went away, or what the store or the output said. What was heard before is in the intake.
    pub fn hear(
        &self,
        interface: &str,
        also: &[(u16, &'static Protocol)],
        filter: &Filter,
        format: Format,
        intake: &mut Intake<'_>,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let failed = |e| Failure::input(interface, e);
        // Before there is a second thread: from here on this process holds no capability of the network.
        let mut live = Live::open(interface, filter, RING_MIB).map_err(failed)?;
        let stop = stop::when_asked().map_err(failed)?;
        for Voice { does, silenced_by } in live.voices() {
            eprintln!("nameplate: warning: {interface} {does}; what listens on a mirror port must not speak: {silenced_by}");
        }
        eprintln!("{interface}: listening; nothing is sent. Ctrl-C ends it");
        let (begun, mut committed, mut told, mut ripe) = (Instant::now(), Instant::now(), Instant::now(), 0);
        let mut ear = Ear { listener: Listener::new(also), place: Place::Interface(interface), filter, format, trouble: None };
        let is_over = |tally: &Tally| {
            self.duration.is_some_and(|duration| begun.elapsed() >= duration) || self.packets.is_some_and(|packets| tally.frames >= packets)
        };
        let mut heard = Ok(());
        while heard.is_ok() && ear.trouble.is_none() && !stop.is_asked() && !is_over(tally) {
            heard = live.hear(&mut |frame| ear.frame(frame, self.packets, intake, tally));
            if committed.elapsed() >= Duration::from_millis(COMMIT_MS_MAX) {
                ear.trouble = ear.trouble.or(intake.commit().err());
                // The kernel's counters are short: they are read long before they run over.
                heard = heard.and(live.counters().map(drop));
                committed = Instant::now();
            }
            if told.elapsed() >= Duration::from_millis(WAITING_MS_MAX) {
                tell(tally.waiting.drain(..ripe), intake)?;
                (told, ripe) = (Instant::now(), tally.waiting.len());
            }
        }
        let heard = heard.and(live.finish(&mut |frame| ear.frame(frame, self.packets, intake, tally)));
        let Ear { mut listener, place, mut trouble, .. } = ear;
        tally.followed = listener.followed();
        listener.finish(&mut |event| take(event, place, format, intake, tally, &mut trouble));
        tell(mem::take(&mut tally.waiting), intake)?;
        tally.counted = live.counters().ok().map(|counters| (interface.to_owned(), counters));
        trouble.map_or_else(|| heard.map_err(failed), Err)
    }
}

/// Who listens.
struct Ear<'a> {
    listener: Listener,
    place: Place<'a>,
    filter: &'a Filter,
    format: Format,
    trouble: Option<Failure>,
}

impl Ear<'_> {
    /// Takes a frame; false when no more are wanted.
    fn frame(&mut self, frame: &Frame<'_>, frames_max: Option<u64>, intake: &mut Intake<'_>, tally: &mut Tally) -> bool {
        if frames_max.is_some_and(|frames_max| tally.frames >= frames_max) {
            return false;
        }
        if !self.filter.passes(frame) {
            tally.passed_over += 1;
            return true;
        }
        tally.frames += 1;
        let Self { listener, place, format, trouble, .. } = self;
        listener.frame(frame, &mut |event| take(event, *place, *format, intake, tally, trouble));
        trouble.is_none()
    }
}

fn take(event: Event, place: Place<'_>, format: Format, intake: &mut Intake<'_>, tally: &mut Tally, trouble: &mut Option<Failure>) {
    if let Err(failure) = hear(event, place, format, intake, tally) {
        trouble.get_or_insert(failure);
    }
}
