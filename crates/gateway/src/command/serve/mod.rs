//! `nameplate serve`: the process of a gateway that faces people. It has the ledger, and no way to a device but the [`hatch`](crate::hatch).

mod care;
pub mod config;
#[cfg(test)]
mod day;
mod desk;
mod plan;

use std::io::{BufRead, BufReader, Read, Write};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use nameplate_core::text::printable;
use tokio::sync::watch;

use self::care::Care;
use self::config::Config;
use self::desk::Desk;
use self::plan::Wanted;
use super::listen::live::stop::{self, Stop};
use crate::cli::Options;
use crate::failure::Failure;
use crate::hatch::{REPORT_BYTES_MAX, Report, Request};
use crate::house::House;
use crate::log::{self, say};
use crate::store::now_ns;
use crate::web::server;
use crate::{outbox, print, profiles, state};

/// How long a report is waited for before somebody looks at the clock.
const TICK: Duration = Duration::from_millis(200);
/// What a power cut may take of what was heard; the field side tells it again.
const COMMIT_EVERY: Duration = Duration::from_secs(2);
/// Between two tries to reach the field side.
const RETRY: Duration = Duration::from_secs(1);
/// Reports that wait to be taken in.
const REPORTS_WAITING_MAX: usize = 1_024;

/// Run the gateway's desk: takes what the field side hears and reads into the ledger, and asks by plan.
#[derive(Debug, Args)]
#[command(
    after_help = "The configuration is one TOML file: `nameplate config init` prints one with all its keys, `nameplate config explain` says what\n\
                        they do, and `nameplate config check` what is wrong in one.\n\nExample:\n  nameplate serve --config /etc/nameplate/serve.toml --state /var/lib/nameplate"
)]
pub struct Serve {
    /// What it is to do
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Serve {
    /// Runs the command, until it is asked to stop.
    ///
    /// # Errors
    /// The configuration, the state, or a field side that is not believed.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let mut config = Config::read(&self.config)?;
        log::begin(log::Part::Serve, config.log)?;
        let profiles = profiles::load(options)?;
        let directory = state::directory(options.state.as_ref())?;
        let house = Arc::new(House::open(&directory, profiles)?);
        house.is_configured(&config);
        let stop = stop::when_asked().map_err(|e| Failure::input("serve", e))?;
        let mut care = Care::of(&self.config, &directory)?;
        let entries = *house.size.borrow();
        say!(STARTED { entries }, "{entries} entries in the ledger");
        let over = watch::Sender::new(false);
        thread::scope(|scope| {
            let (tell, opened) = mpsc::channel();
            let (house, page, stopped) = (&house, config.page.clone(), over.subscribe());
            // What is told to IT goes on beside all else, and never keeps anybody waiting.
            let outbox = outbox::courier::begin(house, over.subscribe());
            let page = scope.spawn(move || server::run(house, &page, stopped, |url| drop(tell.send(url.to_owned()))));
            // Whoever started it wants the page; without it there is nothing.
            let ended = match opened.recv() {
                Ok(url) => {
                    say!(PAGE_OPEN { url = url.as_str() }, "the page is {url}");
                    care.service.ready(&format!("the page is {url}"));
                    attend(house, &mut config, &mut care, &stop)
                }
                Err(_) => Ok(()),
            };
            care.service.stopping();
            over.send_replace(true);
            let told = outbox
                .map_err(|e| Failure::input("the outbox", e))
                .and_then(|outbox| outbox.join().map_err(|_| Failure::input("the outbox", "it panicked")));
            let page = page.join().unwrap_or_else(|_| Err(Failure::input("the page", "it panicked")));
            ended.and(page).and(told)
        })?;
        let entries = *house.size.borrow();
        say!(STOPPED { entries }, "asked to stop; {entries} entries in the ledger");
        Ok(())
    }
}

/// Has conversations with the field side, one after another, until somebody asks to stop. While nothing can be written there is none: nobody is asked, and what
/// is heard waits over there.
fn attend(house: &House, config: &mut Config, care: &mut Care, stop: &Stop) -> Result<(), Failure> {
    let mut wanted = Wanted::default();
    let mut told = String::new();
    while !stop.is_asked() {
        care.reload(config);
        house.is_configured(config);
        care.service.alive();
        if !care.can_write(house, config)? {
            wait(RETRY);
            continue;
        }
        let over = match Hatch::open(&config.hatch) {
            Ok(hatch) => {
                let desk = Desk::new(house, (&config.plans, &mut wanted), config.field_key.as_deref())?;
                hatch.attend(desk, config, care, stop)?
            }
            Err(e) => Some(format!("no field side at {}: {e}; it is tried again", config.hatch.display())),
        };
        // Said once, as long as it stays the same.
        if let Some(over) = &over
            && *over != told
        {
            say!(FIELD_GONE, "{}", printable(over));
        }
        if over.is_some() && !care.is_asked_to_reload() {
            wait(RETRY);
        }
        told = over.unwrap_or_default();
    }
    Ok(())
}

/// Waits without anything to wait for.
fn wait(time: Duration) {
    let (_never, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(time);
}

/// A connection to the field side, and the thread that reads it.
struct Hatch {
    to: UnixStream,
    reports: Receiver<Result<Report, String>>,
}

impl Hatch {
    fn open(path: &Path) -> std::io::Result<Self> {
        let to = UnixStream::connect(path)?;
        let from = to.try_clone()?;
        let (tell, reports) = mpsc::sync_channel(REPORTS_WAITING_MAX);
        thread::spawn(move || read(from, &tell));
        Ok(Self { to, reports })
    }

    /// Takes reports and asks by plan, until the field side goes, or somebody asks to stop or to read the configuration again. Why it ended, where nobody here
    /// wanted that.
    fn attend(mut self, mut desk: Desk<'_>, config: &Config, care: &mut Care, stop: &Stop) -> Result<Option<String>, Failure> {
        let mut committed = Instant::now();
        let mut over = self.say(&desk.hello()).map(|why| desk.lost(&why));
        while over.is_none() && !stop.is_asked() && !care.is_asked_to_reload() {
            care.service.alive();
            over = match self.reports.recv_timeout(TICK) {
                Ok(Ok(report)) => desk.take(report)?.map(|why| format!("the field side says: {why}; it is tried again")),
                Ok(Err(why)) => Some(desk.lost(&why)),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(desk.lost("nobody reads it any more")),
            };
            if committed.elapsed() >= COMMIT_EVERY {
                over = over.or_else(|| self.keep(&mut desk));
                committed = Instant::now();
            }
            let due = if over.is_none() && care.may_ask(config) { desk.due(now_ns()) } else { None };
            over = over.or_else(|| due.and_then(|ask| self.say(&ask)).map(|why| desk.lost(&why)));
        }
        let kept = self.keep(&mut desk);
        let _ = self.to.shutdown(std::net::Shutdown::Both);
        Ok(over.or(kept))
    }

    /// Brings what was taken to the disk, and says so over there; why not, where that is not possible.
    fn keep(&mut self, desk: &mut Desk<'_>) -> Option<String> {
        match desk.commit() {
            Ok(kept) => kept.and_then(|kept| self.say(&kept)).map(|why| desk.lost(&why)),
            Err(failure) => Some(format!("what was heard waits to be written: {failure}")),
        }
    }

    /// Why not, where nobody is there any more.
    fn say(&mut self, request: &Request) -> Option<String> {
        self.to.write_all(print::json_line(request).as_bytes()).err().map(|e| e.to_string())
    }
}

/// Reads reports until there are no more.
fn read(from: UnixStream, tell: &SyncSender<Result<Report, String>>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        let had = (&mut from).take(REPORT_BYTES_MAX as u64).read_until(b'\n', &mut line);
        let report = match had {
            Ok(0) => Err("it closed the hatch".to_owned()),
            Ok(_) => serde_json::from_slice(&line).map_err(|e| e.to_string()),
            Err(e) => Err(e.to_string()),
        };
        let over = report.is_err();
        if tell.send(report).is_err() || over {
            return;
        }
    }
}
