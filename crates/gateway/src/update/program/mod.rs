//! The program from an update: the Debian package, installed by root in steps that are written down before each is taken, so that a power cut between any
//! two of them ends in the new program or in the one before, never in neither. See docs/decisions/0052.

mod journal;
mod package;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nameplate_core::update::{Event, Kind};

pub use self::journal::{Journal, Step};
pub use self::package::{Package, installed, is_installed};
use super::{Fitting, Sealed, owner, refused, units};
use crate::disk::{Room, Size};
use crate::failure::{Code, Failure};
use crate::key::sync_directory;

/// The folder in that of updates.
const FOLDER: &str = "program";
/// The package that is being installed.
const NEXT: &str = "next.deb";
/// The package that is installed.
const CURRENT: &str = "current.deb";
/// The one before.
const PREVIOUS: &str = "previous.deb";
/// This program, by which a step is gone on with whatever lies at its place.
const OWN: &str = "nameplate";
/// Where the field side's state is kept as it was.
const FIELD: &str = "field";
/// The ledger as it was, in the state: its owner writes it.
const BACKUP: &str = "before-update.backup";
/// Where the package puts the program.
const INSTALLED: &str = "/usr/bin/nameplate";
/// Beside what is known to be needed, for all that grows meanwhile.
const ROOM_BYTES_MIN: u64 = 64 << 20;
/// A program that stays up for so long is taken to be up: one that cannot work ends in the first moments, and systemd starts it again each two seconds.
const SETTLE_SECONDS: u64 = 10;

/// Where things are on this machine.
pub struct Machine {
    /// What updates bring.
    pub updates: PathBuf,
    /// The desk's state.
    pub state: PathBuf,
    /// The field side's.
    pub field_state: PathBuf,
}

impl Machine {
    fn folder(&self) -> PathBuf {
        self.updates.join(FOLDER)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// What is being done, if anything is.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn journal(&self) -> Result<Option<Journal>, Failure> {
        Journal::read(&self.folder())
    }

    /// Checks an update of the program against this machine, and keeps what it takes to install it and to go back. Nothing of the program is changed.
    ///
    /// # Errors
    /// It does not fit, goes back, there is no way back, or no room.
    pub fn prepare(
        &self,
        named: &str,
        sealed: &Sealed<'_>,
        (before, without_way_back): (Option<&Path>, bool),
        by: &str,
    ) -> Result<Journal, Failure> {
        let no = |why: String| refused(named, why);
        let Some(Fitting::Program { version, architecture, state }) = &sealed.manifest.fitting else {
            return Err(no("it says nothing of a program".into()));
        };
        if self.journal()?.is_some() {
            return Err(no("an update of the program was begun and is not over: `nameplate update resume`".into()));
        }
        debug_assert_eq!(sealed.offer.kind, Kind::Program);
        sealed.check_files().map_err(no)?;
        let entry = sealed.files().next().ok_or_else(|| no("it has no package".into()))?;
        let bytes = sealed.archive.read(entry).map_err(no)?;
        let next = self.file(NEXT);
        let lay = || {
            fs::create_dir_all(self.folder())?;
            super::is_for_all(&self.folder())?;
            fs::write(&next, &bytes)?;
            fs::File::open(&next)?.sync_all()
        };
        lay().map_err(|e| Failure::input(self.folder().display(), format!("{e}; root applies updates of the program")))?;
        let package = Package::read(&next)?;
        let said = Package { version: version.clone(), architecture: architecture.clone(), state: *state };
        let from = installed()?;
        package.check(&said, &from, &self.state).map_err(no)?;
        let way_back = self.way_back(before, without_way_back, &from.version).map_err(no)?;
        self.check_room(bytes.len() as u64).map_err(no)?;
        Ok(Journal {
            step: Step::Stopping,
            by: by.to_owned(),
            offer: sealed.offer.clone(),
            from: from.version,
            to: package.version,
            running: units::running(),
            way_back: way_back.then(|| CURRENT.to_owned()),
            why: String::new(),
        })
    }

    /// Whether the package that is installed now is kept: from the last update, or as it is given.
    fn way_back(&self, before: Option<&Path>, without: bool, from: &str) -> Result<bool, String> {
        let current = self.file(CURRENT);
        if let Some(before) = before {
            // Copied first: what is looked at is what will be installed.
            let new = self.file(".current.new");
            fs::copy(before, &new).map_err(|e| format!("{}: {e}", before.display()))?;
            is_installed(&new, from).map_err(|why| format!("--previous: {why}"))?;
            fs::rename(&new, &current).map_err(|e| format!("{}: {e}", current.display()))?;
        }
        match if current.exists() { is_installed(&current, from) } else { Err("the package that is installed is not kept here".to_owned()) }
        {
            Ok(()) => Ok(true),
            Err(_) if without => Ok(false),
            Err(why) => Err(format!("there would be no way back: {why}; give it with --previous FILE, or say --without-way-back")),
        }
    }

    fn check_room(&self, package_bytes: u64) -> Result<(), String> {
        let size = |path: &Path| fs::metadata(path).map_or(0, |of| of.len());
        let ledger = size(&self.state.join(crate::store::FILE));
        // The package once more as the current one, unpacked beside the old one: some three times its size.
        for (place, bytes) in
            [(&self.state, ledger), (&self.updates, package_bytes), (&PathBuf::from("/usr"), package_bytes.saturating_mul(4))]
        {
            let needed = bytes.saturating_add(ROOM_BYTES_MIN);
            let room = Room::at(place).map_err(|e| format!("{}: {e}", place.display()))?;
            if room.free_bytes < needed {
                return Err(format!("{} has {} left, and {} are needed", place.display(), Size(room.free_bytes), Size(needed)));
            }
        }
        Ok(())
    }

    /// Goes on from the step that is written down, to the end: the new program, or the one before.
    ///
    /// # Errors
    /// Exit code 6: it went back, and why. Others: it could not; the journal is there, and `update resume` tries again.
    pub fn go_on(&self, mut journal: Journal) -> Result<String, Failure> {
        journal.write(&self.folder())?;
        self.keep_own()?;
        loop {
            match journal.step {
                Step::Stopping => match self.stop_and_save(&journal) {
                    Ok(()) => journal.step = Step::Installing,
                    Err(failure) => return Err(self.give_up(&journal, failure)),
                },
                Step::Installing => match self.install(&journal) {
                    Ok(()) => {
                        self.keep(&journal)?;
                        Journal::remove(&self.folder())?;
                        return Ok(format!("nameplate {} is installed and runs; {} is kept", journal.to, journal.from));
                    }
                    Err(failure) if journal.way_back.is_some() => {
                        journal.why = failure.why;
                        journal.step = Step::GoingBack;
                    }
                    Err(failure) => {
                        Journal::remove(&self.folder())?;
                        return Err(Failure::new(Code::Failed, format!("{}; there is no way back", failure.why)));
                    }
                },
                Step::GoingBack => {
                    let told = self.go_back(&journal)?;
                    Journal::remove(&self.folder())?;
                    return Err(Failure::new(Code::Failed, told));
                }
            }
            journal.write(&self.folder())?;
        }
    }

    /// A copy of this program: what goes on after a power cut must not be the one that may not run.
    fn keep_own(&self) -> Result<(), Failure> {
        let (new, place) = (self.file(".nameplate.new"), self.file(OWN));
        let own = Path::new("/proc/self/exe");
        let is_it = fs::canonicalize(own).is_ok_and(|path| path == place);
        if is_it {
            return Ok(());
        }
        let keep = || {
            fs::copy(own, &new)?;
            fs::rename(&new, &place)?;
            sync_directory(&self.folder())
        };
        keep().map_err(|e| Failure::input(place.display(), e))
    }

    fn stop_and_save(&self, journal: &Journal) -> Result<(), Failure> {
        units::stop(&journal.running)?;
        // Before the entry: a program that does not know such entries reads what is put back.
        let backup = self.state.join(BACKUP);
        let _ = fs::remove_file(&backup);
        owner::run(&self.file(OWN), &self.state, &["ledger".as_ref(), "backup".as_ref(), backup.as_os_str()], &[])?;
        if self.field_state.exists() {
            let _ = fs::remove_dir_all(self.file(FIELD));
            run(Command::new("cp").arg("-a").arg(&self.field_state).arg(self.file(FIELD)))?;
        }
        // Before anything is installed: no entry, no action.
        let event = Event::Applied { by: journal.by.clone(), offer: journal.offer.clone() };
        super::note(&self.file(OWN), &self.state, &event)
    }

    /// Nothing was installed: the gateway goes on as it was.
    fn give_up(&self, journal: &Journal, failure: Failure) -> Failure {
        let event = Event::WentBack { by: journal.by.clone(), offer: journal.offer.clone(), why: failure.why.clone() };
        // It says that nothing came of an entry that may not be there; where it cannot be told, the failure is all that is known.
        let _ = super::note(&self.file(OWN), &self.state, &event);
        let started = units::start(&journal.running).err().map(|failure| format!("; and {}", failure.why)).unwrap_or_default();
        let _ = Journal::remove(&self.folder());
        Failure::new(failure.code, format!("{}{started}; nothing was installed", failure.why))
    }

    fn install(&self, journal: &Journal) -> Result<(), Failure> {
        dpkg(&self.file(NEXT), &journal.to)?;
        self.is_up(journal, &journal.to)
    }

    /// The installed program opens the ledger, and both units stay up.
    fn is_up(&self, journal: &Journal, version: &str) -> Result<(), Failure> {
        let down = |why: String| Failure::new(Code::Failed, why);
        let there = installed()?.version;
        if there != version {
            return Err(down(format!("nameplate {there} is installed, and not {version}")));
        }
        self.opens()?;
        units::start(&journal.running)?;
        for _ in 0..if journal.running.is_empty() { 0 } else { SETTLE_SECONDS } {
            wait_a_second();
            if let Some(unit) = journal.running.iter().find(|unit| !units::is_active(unit)) {
                return Err(down(format!("{unit} of nameplate {version} does not stay up; `journalctl -u {unit}` says more")));
            }
        }
        Ok(())
    }

    /// Whether the installed program reads the whole ledger.
    fn opens(&self) -> Result<(), Failure> {
        let mut command = owner::command(Path::new(INSTALLED), &self.state);
        run(command.args(["devices", "--format", "csv", "--state"]).arg(&self.state).stdout(Stdio::null()))
    }

    /// Puts the program before in its place, and where that cannot read the ledger, the ledger as it was, too. What is set aside is kept.
    fn go_back(&self, journal: &Journal) -> Result<String, Failure> {
        let package = self.file(journal.way_back.as_deref().unwrap_or(CURRENT));
        // They may be down already, which is why.
        let _ = units::stop(&journal.running);
        dpkg(&package, &journal.from)?;
        let mut aside = String::new();
        if self.opens().is_err() {
            let seen = self.state.join(crate::store::SEEN);
            let _ = fs::rename(&seen, self.state.join("head.seen.set-aside"));
            let backup = self.state.join(BACKUP);
            owner::run(Path::new(INSTALLED), &self.state, &["ledger".as_ref(), "restore".as_ref(), backup.as_os_str()], &[])?;
            aside = format!(
                "; {} cannot read the ledger of {}: it is as before the update, and what came since stands in {}.replaced",
                journal.from,
                journal.to,
                self.state.join(crate::store::FILE).display()
            );
        }
        let event = Event::WentBack { by: journal.by.clone(), offer: journal.offer.clone(), why: journal.why.clone() };
        match super::note(Path::new(INSTALLED), &self.state, &event) {
            // One that cannot read the newer ledger may not know such entries either.
            Err(failure) if aside.is_empty() => return Err(failure),
            _ => {}
        }
        self.is_up(journal, &journal.from)?;
        if package == self.file(PREVIOUS) && package.exists() {
            fs::rename(&package, self.file(CURRENT)).map_err(|e| Failure::input(package.display(), e))?;
        }
        Ok(format!("went back from nameplate {} to {}: {}{aside}", journal.to, journal.from, journal.why))
    }

    /// The package that is installed now is the current one, and the one before is kept.
    fn keep(&self, journal: &Journal) -> Result<(), Failure> {
        let [next, current, previous] = [NEXT, CURRENT, PREVIOUS].map(|name| self.file(name));
        let keep = || {
            // Between any two of these the power may go: what was moved is not moved again.
            if journal.way_back.is_some() && next.exists() && current.exists() {
                fs::rename(&current, &previous)?;
            }
            if next.exists() {
                fs::rename(&next, &current)?;
            }
            sync_directory(&self.folder())
        };
        keep().map_err(|e: std::io::Error| Failure::input(self.folder().display(), e))
    }

    /// What it takes to go back by hand from the program of the last update.
    ///
    /// # Errors
    /// There is nothing to go back to.
    pub fn back(&self, last: &nameplate_core::update::Applied, by: &str, why: &str) -> Result<Journal, Failure> {
        let package = Package::read(&self.file(PREVIOUS))
            .map_err(|_| Failure::new(Code::Usage, "no package of the program before is kept here: there is nothing to go back to"))?;
        Ok(Journal {
            step: Step::GoingBack,
            by: by.to_owned(),
            offer: last.offer.clone(),
            from: package.version,
            to: installed()?.version,
            running: units::running(),
            way_back: Some(PREVIOUS.to_owned()),
            why: why.to_owned(),
        })
    }
}

/// Waits without anything to wait for.
fn wait_a_second() {
    let (_never, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(Duration::from_secs(1));
}

/// Installs a package of that version. Files that the owner changed stay as they are. One that was moved already, behind all that could fail, is installed.
fn dpkg(package: &Path, version: &str) -> Result<(), Failure> {
    if !package.exists() && installed().is_ok_and(|there| there.version == version) {
        return Ok(());
    }
    run(Command::new("dpkg").args(["--force-confold", "--install"]).arg(package))
}

/// Runs a program of Debian's to its end.
fn run(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let ended = command.stdin(Stdio::null()).status().map_err(|e| Failure::input(&name, e))?;
    if ended.success() { Ok(()) } else { Err(Failure::new(Code::Failed, format!("{name} ended with {ended}"))) }
}
