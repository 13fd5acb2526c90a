//! `nameplate profile new` and `nameplate profile record`: from an answer to a profile, and to an example that may be given away.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::claim::Claim;
use nameplate_core::profile::{Head, ProfileSet, check, draft, parse, redact};
use nameplate_core::text::printable;

use super::answer::Origin;
use super::frames;
use crate::failure::{Code, Failure};
use crate::print;

/// Begin a profile from one answer
#[derive(Debug, Args)]
#[command(
    after_help = "Writes a profile with what was read from the answer, and the answer as its example. Lines with the word guess are to\n\
                        be looked at: which facts tell the family, who answers, how its releases are ordered. Then: profile test FILE.\n\n\
                        Examples:\n  nameplate profile new --from span.pcapng --frame 17 --vendor Brightwater --family BW-7 --into my-profiles\n  \
                        echo 220 BW-7 ready | xxd -p | nameplate profile new --protocol ftp --vendor Brightwater --family BW-7"
)]
pub struct New {
    #[command(flatten)]
    origin: Origin,
    /// The maker, as people say it
    #[arg(long)]
    vendor: String,
    /// The family, as people say it
    #[arg(long)]
    family: String,
    /// Write <vendor>/<family>.toml below this directory [default: standard output]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

impl New {
    /// Runs the command.
    ///
    /// # Errors
    /// The answer cannot be read or is known already; the file is there already.
    pub fn run(&self, set: &ProfileSet) -> Result<(), Failure> {
        let head = Head { vendor: self.vendor.clone(), family: self.family.clone() };
        let id = head.id();
        if id.starts_with('/') || id.ends_with('/') {
            return Err(Failure::new(
                Code::Usage,
                "--vendor and --family need at least one letter or digit each: the file is named after them",
            ));
        }
        let text = draft(set, &head, &self.origin.answer()?).map_err(|why| Failure::new(Code::Input, why))?;
        match &self.into {
            None => print::out(&text)?,
            Some(directory) => print::out(&format!("{}\n", write(directory, &id, &text)?.display()))?,
        }
        left_to_do(set, &id, &text);
        Ok(())
    }
}

/// Writes a new file; one that is there is somebody's work.
fn write(directory: &Path, id: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = directory.join(format!("{id}.toml"));
    let cannot = |e: std::io::Error| Failure::input(path.display(), e);
    fs::create_dir_all(path.parent().unwrap_or(directory)).map_err(cannot)?;
    let mut file = fs::File::create_new(&path).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    Ok(path)
}

/// What `profile test` would say of it now.
fn left_to_do(set: &ProfileSet, id: &str, text: &str) {
    let mut with = set.clone();
    let failures: Vec<String> = match parse(id, text) {
        Err(invalid) => vec![invalid.to_string()],
        Ok(profile) => match with.add(profile) {
            Err(invalid) => vec![invalid.to_string()],
            Ok(()) => {
                with.get(id).map(|profile| check(&with, profile, &frames)).unwrap_or_default().iter().map(ToString::to_string).collect()
            }
        },
    };
    for failure in &failures {
        eprintln!("to do: {}", printable(failure));
    }
    let guesses = text.lines().filter(|line| line.contains("guess")).count();
    eprintln!(
        "{} to look at; its example {}",
        print::count(guesses as u64, "guess"),
        if failures.is_empty() { "holds" } else { "does not hold yet" }
    );
}

/// Write an answer as an example that may be given away
#[derive(Debug, Args)]
#[command(
    after_help = "Prints an [[example]] in which what belongs to the device's owner is replaced by as many letters of nothing: names, places,\n\
                        people, hosts, addresses, serial numbers. Standard error says what was replaced. Read both before you send them: no rule\n\
                        knows what a person wrote into a free text.\n\n\
                        Example:\n  nameplate profile record --from span.pcapng --frame 17 --redact modbus.object.6"
)]
pub struct Record {
    #[command(flatten)]
    origin: Origin,
    /// A further fact to replace; may be repeated
    #[arg(long, value_name = "FACT")]
    redact: Vec<String>,
}

impl Record {
    /// Runs the command.
    ///
    /// # Errors
    /// The answer cannot be read, or what is in it cannot be replaced.
    pub fn run(&self, set: &ProfileSet) -> Result<(), Failure> {
        let answer = self.origin.answer()?;
        if answer.readings().is_empty() {
            return Err(Failure::new(Code::Input, format!("these messages hold no identity answer of {}", answer.protocol)));
        }
        let (found, clean) = redact(set, &answer, &self.redact).map_err(|why| Failure::new(Code::Input, why))?;
        for personal in &found {
            eprintln!("replaced: {} {:?} by {:?}", personal.path, personal.value, printable(&personal.filler));
        }
        if found.is_empty() {
            eprintln!("nothing was replaced: no name, place, person, host, address or serial number was read");
        }
        let claims: Vec<Claim> = clean.readings().iter().flat_map(|reading| set.interpret(reading).claims).collect();
        print::out(&clean.example(&claims))
    }
}
