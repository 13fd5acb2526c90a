//! `nameplate update` of the program itself: applied, gone on with, taken back. Root's, on a gateway that was installed from its package.

use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::account::SHELL;
use nameplate_core::update::Kind;

use crate::cli::Options as Common;
use crate::failure::{Code, Failure};
use crate::print;
use crate::state;
use crate::store::Store;
use crate::update::Sealed;
use crate::update::program::{Journal, Machine};

/// Where the package keeps the field side's state.
const FIELD_STATE: &str = "/var/lib/nameplate-field";

/// What an update of the program takes beside its file.
#[derive(Debug, Args)]
pub struct Options {
    /// Of a program: the package that is installed now, to go back to; needed the first time, kept from then on
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// Of a program: install it although there would be no way back
    #[arg(long)]
    without_way_back: bool,
    #[command(flatten)]
    place: Place,
}

/// Where the field side is.
#[derive(Debug, Args)]
struct Place {
    /// Of a program: the field side's state directory
    #[arg(long, value_name = "DIR", default_value = FIELD_STATE)]
    field_state: PathBuf,
}

impl Place {
    fn machine(&self, state: &Path, common: &Common) -> Machine {
        Machine { updates: common.updates.clone(), state: state.to_owned(), field_state: self.field_state.clone() }
    }
}

impl Options {
    /// Installs the program of an update that is believed.
    ///
    /// # Errors
    /// It does not fit, or did not come up; what then holds is said.
    pub fn apply(&self, (named, sealed): (&str, &Sealed<'_>), by: &str, state: &Path, common: &Common) -> Result<(), Failure> {
        is_root()?;
        let machine = self.place.machine(state, common);
        let journal = machine.prepare(named, sealed, (self.previous.as_deref(), self.without_way_back), by)?;
        eprintln!("{named}: nameplate {} takes the place of {}", journal.to, journal.from);
        told(&machine, journal)
    }
}

fn told(machine: &Machine, journal: Journal) -> Result<(), Failure> {
    eprintln!("{}", machine.go_on(journal)?);
    Ok(())
}

fn is_root() -> Result<(), Failure> {
    if nix::unistd::geteuid().is_root() { Ok(()) } else { Err(Failure::new(Code::Usage, "only root installs programs")) }
}

/// Go on with an update of the program that a power cut ended.
#[derive(Debug, Args)]
#[command(
    after_help = "Where the installed program does not run, its copy does: /var/lib/nameplate-update/program/nameplate update resume\n\n\
                        Example:\n  nameplate update resume --state /var/lib/nameplate"
)]
pub struct Resume {
    #[command(flatten)]
    place: Place,
}

impl Resume {
    /// Runs the command.
    ///
    /// # Errors
    /// It went back, or could not.
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        is_root()?;
        let machine = self.place.machine(&state::directory(common.state.as_ref())?, common);
        match machine.journal()? {
            Some(journal) => told(&machine, journal),
            None => {
                eprintln!("nameplate: no update of the program was begun and is not over");
                Ok(())
            }
        }
    }
}

/// Go back to the program before.
#[derive(Debug, Args)]
#[command(
    after_help = "The ledger stays as it is where the program before reads it. Where it cannot, the ledger is put back as it was before the update,\n\
                        and the entries since are set aside in a file beside it; --set-aside says that you accept that. Whoever holds a later checkpoint\n\
                        (a witness, an auditor) will see that the ledger went back: tell them.\n\n\
                        Example:\n  nameplate update back --by \"J. Doe\" --why \"pages are slow\" --state /var/lib/nameplate"
)]
pub struct Back {
    /// Who goes back, for the ledger
    #[arg(long, value_name = "NAME", default_value = SHELL)]
    by: String,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Go back although entries may have to be set aside
    #[arg(long)]
    set_aside: bool,
    #[command(flatten)]
    place: Place,
}

impl Back {
    /// Runs the command.
    ///
    /// # Errors
    /// There is nothing to go back to, or what is set aside was not accepted.
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        is_root()?;
        let directory = state::directory(common.state.as_ref())?;
        let machine = self.place.machine(&directory, common);
        if machine.journal()?.is_some() {
            return Err(Failure::new(Code::Usage, "an update of the program was begun and is not over: `nameplate update resume`"));
        }
        let store = Store::read(&directory)?.ok_or_else(|| Failure::input(directory.display(), "there is no ledger"))?;
        let updates = store.view(None)?.updates;
        let last = updates.last().filter(|last| last.offer.kind == Kind::Program && !last.is_taken_back).max_by_key(|last| last.index);
        let last =
            last.ok_or_else(|| Failure::new(Code::Usage, "no update of the program was applied: there is nothing to go back from"))?;
        let journal = machine.back(last, &self.by, &self.why)?;
        let since = print::count(store.size().saturating_sub(last.index).saturating_sub(1), "entry").replace("entrys", "entries");
        drop(store);
        let told_of =
            format!("{since} came since the update; where nameplate {} cannot read them, they are set aside in a file", journal.from);
        if !self.set_aside {
            return Err(Failure::new(Code::Usage, format!("{told_of}: say --set-aside where you accept that; nothing was changed")));
        }
        eprintln!("nameplate: {told_of}");
        match machine.go_on(journal) {
            // To go back is what was wanted here.
            Err(failure) if failure.code == Code::Failed && machine.journal()?.is_none() => {
                eprintln!("{}", failure.why);
                Ok(())
            }
            other => other.map(drop),
        }
    }
}
