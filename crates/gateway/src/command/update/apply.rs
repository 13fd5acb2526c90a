//! `nameplate update apply`: everything of a file is checked, and only then something is changed.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::account::SHELL;
use nameplate_core::ledger::Body;
use nameplate_core::update::{Admission, Event, Kind};

use super::{Trusted, bytes};
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};
use crate::update::{self, Publishers, Sealed, WARNING_DAYS_MIN, admitted, left, refused};
#[cfg(unix)]
use crate::update::{owner, units};
use crate::{advisories, print, state};

/// Longest event that is told: an update's offer and a sentence.
const NOTE_BYTES_MAX: u64 = 64 * 1024;
/// The program that this is, also when another has taken its place on the disk.
#[cfg(unix)]
const OWN: &str = "/proc/self/exe";

/// Check a file and apply it.
#[derive(Debug, Args)]
#[command(
    after_help = "While the desk (`nameplate serve`) runs, it has the ledger: send advisories on its page (\"Take in\") or by its API\n\
                        (POST /api/v1/updates), or stop it.\n\n\
                        Root applies updates of profiles, which the field side believes: both units are stopped, the ledger is told, and both are\n\
                        started again with the new ones. As root, what goes into the ledger is written by a process of the account that owns it.\n\n\
                        Example:\n  nameplate update apply acme-7.npu --by \"J. Doe\" --state /var/lib/nameplate"
)]
pub struct Apply {
    /// The update; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Who applies it, for the ledger
    #[arg(long, value_name = "NAME", default_value = SHELL)]
    by: String,
    #[command(flatten)]
    trusted: Trusted,
    #[cfg(unix)]
    #[command(flatten)]
    program: super::program::Options,
}

impl Apply {
    /// Runs the command.
    ///
    /// # Errors
    /// It cannot be read or is refused, or the state; documents that this program cannot read.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let (bytes, named) = (bytes(&self.file)?, self.file.display().to_string());
        let sealed = Sealed::open(&bytes).map_err(|why| Failure::input(&named, why))?;
        let publishers = Publishers::read(&self.trusted.publishers)?;
        let directory = state::directory(options.state.as_ref())?;
        match sealed.offer.kind {
            #[cfg(unix)]
            Kind::Advisories if owner::is_another(&directory) => self.for_its_owner(&bytes, &directory, options),
            Kind::Advisories => self.advisories(&named, &sealed, &publishers, &directory, options),
            #[cfg(unix)]
            Kind::Profiles => self.profiles(&named, &sealed, &publishers, &directory, options),
            #[cfg(unix)]
            Kind::Program => {
                let view = Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
                admitted(&named, &sealed, &publishers, &view.updates, now_ns())?;
                self.program.apply((&named, &sealed), &self.by, &directory, options)
            }
            #[cfg(not(unix))]
            _ => {
                let view = Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
                admitted(&named, &sealed, &publishers, &view.updates, now_ns())?;
                Err(refused(&named, format!("updates of {} cannot be applied by this program", sealed.offer.kind)))
            }
        }
    }

    fn advisories(
        &self,
        named: &str,
        sealed: &Sealed<'_>,
        publishers: &Publishers,
        directory: &Path,
        options: &Options,
    ) -> Result<(), Failure> {
        // Where there is no state yet, nothing is made before the file is found good.
        let view = Store::read(directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
        let mut read = update::advisories::read(named, sealed, publishers, &view.updates, now_ns())?;
        let mut store = Store::write(directory)?;
        let (now, size) = (now_ns(), store.size());
        let (drafts, taken) = read.drafts(publishers, &store.view(None)?, (now, size), &self.by)?;
        if !drafts.is_empty() {
            store.append(&drafts)?;
            // The compiled form is made now, so that the next check need not.
            advisories::kept(&store, &store.view(None)?.advisories)?;
        }
        print::out(&crate::command::import::advisories::shown(&read.basket.lines(&taken.changes), print::format(options)))?;
        eprint!("{}", read.summary(&taken));
        let expires_ns = sealed.offer.expires_ns;
        if expires_ns.saturating_sub(now) < WARNING_DAYS_MIN * update::DAY_NS {
            eprintln!("nameplate: warning: it {}; have the next one brought", left(expires_ns, now));
        }
        match read.basket.problems.len() {
            0 => Ok(()),
            some => Err(Failure::new(Code::Input, format!("{} refused; everything else was taken", print::count(some as u64, "file")))),
        }
    }
}

#[cfg(unix)]
impl Apply {
    /// The same by a process of the account whose state it is.
    fn for_its_owner(&self, bytes: &[u8], directory: &Path, options: &Options) -> Result<(), Failure> {
        let publishers = self.trusted.publishers.to_string_lossy().into_owned();
        let mut words = vec!["update", "apply", "-", "--by", &self.by, "--publishers", &publishers];
        let format = options.format.and_then(|format| clap::ValueEnum::to_possible_value(&format));
        if let Some(format) = &format {
            words.extend(["--format", format.get_name()]);
        }
        owner::run(Path::new(OWN), directory, &words, bytes)
    }

    /// Profiles are laid out, the ledger is told, and then they are in force: for processes that start from then on.
    fn profiles(
        &self,
        named: &str,
        sealed: &Sealed<'_>,
        publishers: &Publishers,
        directory: &Path,
        options: &Options,
    ) -> Result<(), Failure> {
        let view = Store::read(directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
        let admission = admitted(named, sealed, publishers, &view.updates, now_ns())?;
        let texts = update::profiles::read(named, sealed)?;
        update::profiles::lay_out(&options.updates, &sealed.offer, &texts)?;
        let running = units::running();
        units::stop(&running)?;
        let event = Event::Applied { by: self.by.clone(), offer: sealed.offer.clone() };
        let noted = if admission == Admission::Again { Ok(()) } else { update::note(Path::new(OWN), directory, &event) };
        let switched = noted.and_then(|()| update::profiles::switch(&options.updates, &sealed.offer));
        // Whatever came of it, the gateway goes on.
        let started = units::start(&running);
        switched.and(started)?;
        eprintln!("{named}: {} of {} in force from the next start on", print::count(texts.len() as u64, "profile"), sealed.offer.publisher);
        if running.is_empty() {
            eprintln!("nameplate: the gateway does not run; both sides use them when they start");
        }
        Ok(())
    }
}

/// What `update note` is told on its standard input goes into the ledger, by the rules that hold for it.
///
/// # Errors
/// It is no event, or is refused, or the state.
pub fn take_note(options: &Options) -> Result<(), Failure> {
    let mut text = String::new();
    let event: Result<Event, String> = std::io::stdin()
        .take(NOTE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|e| e.to_string())
        .and_then(|_| serde_json::from_str(&text).map_err(|e| e.to_string()));
    let event = event.map_err(|why| Failure::input("standard input", why))?;
    let mut store = Store::write(&state::directory(options.state.as_ref())?)?;
    let updates = store.view(None)?.updates;
    let (offer, is_back) = match &event {
        Event::Applied { offer, .. } => {
            updates.admits(offer, now_ns()).map_err(|why| refused("the update", why))?;
            (offer, false)
        }
        Event::WentBack { offer, .. } => (offer, true),
    };
    // A step that is taken again, behind a power cut.
    if updates.last().any(|last| last.offer == *offer && last.is_taken_back == is_back) {
        return Ok(());
    }
    store.append(&[Draft::new(now_ns(), Body::Update(event))]).map(drop)
}
