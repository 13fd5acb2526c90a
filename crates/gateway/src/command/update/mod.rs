//! `nameplate update`: signed files from a stick, made on the connected side, looked at and applied in the plant.

mod apply;
mod make;
#[cfg(unix)]
mod program;
mod show;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use nameplate_core::observation::rfc3339;
use nameplate_core::update::{Applied, Kind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::advisories::archive::ARCHIVE_BYTES_MAX;
use crate::advisories::bytes_of;
use crate::cli::{Format, Options};
use crate::failure::Failure;
use crate::store::{STATE_FORMAT, Store, now_ns};
use crate::update::{DIRECTORY, left};
use crate::{print, state};

/// Make, look at and apply updates from a stick.
#[derive(Debug, Args)]
#[command(
    after_help = "An update is one file that a publisher signed: advisories, device profiles, or the program itself. It says its version, which only\n\
                        rises, and until when it is good. Nobody is trusted from the start: the owner of the gateway puts a publisher's public key into\n\
                        /etc/nameplate/publishers/NAME.pub, and everything of a file is checked before anything is changed.\n\n\
                        On the connected side:\n  nameplate update key acme.key --kinds advisories >acme.pub\n  \
                        nameplate update make --key acme.key --publisher acme --version 7 --advisories csaf/ --kev kev.json --out acme-7.npu\n\
                        In the plant:\n  nameplate update show acme-7.npu\n  nameplate update apply acme-7.npu --state /var/lib/nameplate\n\n\
                        Exit codes: 3 it cannot be read, 6 it is not believed, expired, or older than what was applied."
)]
pub struct Update {
    /// What to do
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a publisher's key, and print the file that says who is trusted
    Key(make::Key),
    /// Pack and sign an update
    Make(make::Make),
    /// Say what is in a file, who signed it, until when it is good, and whether it would be applied; changes nothing
    Show(show::Show),
    /// Check a file and apply it
    Apply(apply::Apply),
    /// List what was applied last, of each publisher
    List,
    /// Go on with an update of the program that a power cut ended, to the new program or to the one before
    #[cfg(unix)]
    Resume(program::Resume),
    /// Go back to the program before, and where it cannot read the ledger, to the ledger as it was
    #[cfg(unix)]
    Back(program::Back),
    /// Print the states that this program opens, for its package
    #[command(hide = true)]
    States,
    /// Tell the ledger of an update: what `apply` has the owner of the state do
    #[command(hide = true)]
    Note,
}

/// Where publishers are named.
#[derive(Debug, Args)]
struct Trusted {
    /// Who is trusted: a folder with NAME.pub for each publisher
    #[arg(long, value_name = "DIR", default_value = DIRECTORY)]
    publishers: PathBuf,
}

impl Update {
    /// Runs the command.
    ///
    /// # Errors
    /// A file that cannot be read or is refused, or the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        match &self.what {
            What::Key(key) => key.run(),
            What::Make(make) => make.run(),
            What::Show(show) => show.run(options),
            What::Apply(apply) => apply.run(options),
            What::List => list(options),
            #[cfg(unix)]
            What::Resume(resume) => resume.run(options),
            #[cfg(unix)]
            What::Back(back) => back.run(options),
            What::States => print::out(&format!("{STATE_FORMAT}-{STATE_FORMAT}\n")),
            What::Note => apply::take_note(options),
        }
    }
}

/// The bytes of an update.
fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().take(ARCHIVE_BYTES_MAX).read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(|e| Failure::input("standard input", e));
    }
    bytes_of(file, ARCHIVE_BYTES_MAX).map_err(|e| Failure::input(file.display(), e))
}

/// An update that was applied, as it is printed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AppliedUpdate)]
pub struct Line {
    /// What it was of: `advisories`, `profiles`, `program`.
    pub kind: &'static str,
    /// Who published it.
    pub publisher: String,
    /// Its version: it only rises.
    pub version: u64,
    /// Of a program its own version, of profiles the program that they are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// When it was made.
    pub made: String,
    /// Until when it is good.
    pub expires: String,
    /// The same in words.
    pub left: String,
    /// When it was applied.
    pub applied: String,
    /// By whom.
    pub by: String,
    /// The entry of the ledger.
    pub entry: u64,
    /// It was taken back.
    pub taken_back: bool,
}

impl Line {
    /// Of one, as it is at that time in nanoseconds since 1970.
    pub fn of(applied: &Applied, now_ns: u64) -> Self {
        let Applied { offer, by, index, time_ns, is_taken_back } = applied;
        Self {
            kind: offer.kind.name(),
            publisher: offer.publisher.clone(),
            version: offer.version,
            program: offer.program.clone(),
            made: rfc3339(offer.made_ns),
            expires: rfc3339(offer.expires_ns),
            left: if offer.kind == Kind::Program { String::new() } else { left(offer.expires_ns, now_ns) },
            applied: rfc3339(*time_ns),
            by: by.clone(),
            entry: *index,
            taken_back: *is_taken_back,
        }
    }

    /// Kind, publisher, version, made, expires, in words, applied, by.
    pub fn cells(&self) -> [String; 8] {
        let Self { kind, publisher, version, made, expires, left, applied, by, program, taken_back, .. } = self;
        let program = program.as_ref().map(|program| format!(" ({program})")).unwrap_or_default();
        let back = if *taken_back { ", taken back" } else { "" };
        let version = format!("{version}{program}{back}");
        [(*kind).to_owned(), publisher.clone(), version, made.clone(), expires.clone(), left.clone(), applied.clone(), by.clone()]
    }
}

/// The cells' names.
pub const HEADER: [&str; 8] = ["kind", "publisher", "version", "made", "expires", "left", "applied", "by"];

fn list(options: &Options) -> Result<(), Failure> {
    let directory = state::directory(options.state.as_ref())?;
    let view = Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
    let lines: Vec<Line> = view.updates.last().map(|applied| Line::of(applied, now_ns())).collect();
    print::out(&match print::format(options) {
        Format::Table => print::table(
            &HEADER.map(|title| title.to_uppercase()).each_ref().map(String::as_str),
            &lines.iter().map(|line| line.cells().into()).collect::<Vec<_>>(),
        ),
        Format::Csv => {
            let lines = lines.iter().map(|line| print::csv_line(&line.cells()));
            std::iter::once(print::csv_line(&HEADER.map(str::to_owned))).chain(lines).collect()
        }
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
    })
}
