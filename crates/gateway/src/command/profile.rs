//! `nameplate profile`: list and test device profiles, and begin new ones.

mod answer;
mod begin;
mod trial;

use clap::{Args, Subcommand};
use nameplate_core::profile::{Confidence, Example, Profile, ProfileSet, Said};
use nameplate_simulators::modbus::{self, Persona};
use serde::Serialize;

use crate::cli::{Format, Options};
use crate::failure::Failure;
use crate::{print, profiles};

/// Read Device Identification, all objects; MODBUS V1.1b3, 6.21.
const READ_EXTENDED: &[u8] = &[0x2b, 0x0e, 0x03, 0x00];
/// Report Server ID; MODBUS V1.1b3, 6.13.
const READ_SERVER_ID: &[u8] = &[0x11];
/// The unit of a device without a serial side (TCP guide, 4.4.1.2).
const ANY_UNIT: u8 = 255;

/// List and test device profiles, and begin new ones.
#[derive(Debug, Args)]
pub struct Profiles {
    /// What to do with them.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the profiles: built-in, and those of --profiles
    List,
    /// Run every example of every profile, whole and cut at every length
    Test(trial::Trial),
    /// Begin a profile from one answer: in a capture, or in hexadecimal on standard input
    New(begin::New),
    /// Write an answer as an example in which names, places, people and serial numbers are replaced, and say which
    Record(begin::Record),
}

#[derive(Serialize)]
struct ProfileLine<'a> {
    id: &'a str,
    vendor: &'a str,
    family: &'a str,
    device_class: &'a str,
    identity_of: &'a str,
    protocol: &'a str,
    confidence: &'a str,
    examples: usize,
    forms: Vec<&'a str>,
    families: &'a [String],
    sha256: &'a str,
}

impl Profiles {
    /// Runs the command.
    ///
    /// # Errors
    /// A profile that is not valid, an example that fails, an answer that cannot be read.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let set = profiles::load(options)?;
        match &self.action {
            Action::List => print::out(&list(&set, print::format(options))),
            Action::Test(trial) => trial.run(set),
            Action::New(new) => new.run(&set),
            Action::Record(record) => record.run(&set),
        }
    }
}

/// In which forms its examples are known, each once.
fn forms(profile: &Profile) -> Vec<&'static str> {
    let mut forms: Vec<_> = profile.examples.iter().map(|example| example.form).collect();
    forms.sort_unstable();
    forms.dedup();
    forms.into_iter().map(|form| form.name()).collect()
}

fn list(set: &ProfileSet, format: Format) -> String {
    let lines = set.iter().map(|profile| ProfileLine {
        id: &profile.id,
        vendor: &profile.vendor,
        family: &profile.family,
        device_class: profile.device_class.name(),
        identity_of: profile.identity_of.name(),
        protocol: &profile.protocol,
        confidence: match profile.confidence {
            Confidence::Seen => "seen",
            Confidence::Documented => "documented, not seen",
        },
        examples: profile.examples.len(),
        forms: forms(profile),
        families: &profile.families,
        sha256: &profile.sha256,
    });
    let cells = |line: &ProfileLine<'_>| {
        let (forms, families) = (line.forms.join(", "), line.families.len().to_string());
        let head = [line.id, line.vendor, line.family, line.device_class, line.identity_of, line.protocol, line.confidence];
        [head.map(str::to_owned).as_slice(), &[forms, families]].concat()
    };
    let header = ["ID", "VENDOR", "FAMILY", "CLASS", "WHO ANSWERS", "PROTOCOL", "CONFIDENCE", "EXAMPLES", "FAMILIES"];
    match format {
        Format::Table => print::table(&header, &lines.map(|line| cells(&line)).collect::<Vec<_>>()),
        Format::Csv => lines.fold(print::csv_line(&header.map(str::to_owned)), |text, line| text + &print::csv_line(&cells(&line))),
        Format::Ndjson | Format::Claims => lines.map(|line| print::json_line(&line)).collect(),
    }
}

/// The messages of an example: as they stood on the wire, or as the simulator sends them.
pub fn frames(example: &Example) -> Vec<Vec<u8>> {
    match &example.said {
        Said::Frame(frames) => frames.clone(),
        Said::Decoded { objects, server_id } => {
            let persona = Persona { server_id: server_id.clone(), ..Persona::from_objects(objects.clone()) };
            let asked = [(!objects.is_empty(), READ_EXTENDED), (server_id.is_some(), READ_SERVER_ID)];
            let questions = asked.into_iter().filter(|(there, _)| *there).map(|(_, pdu)| modbus::wrap(1, ANY_UNIT, pdu));
            questions.flat_map(|question| modbus::answers(&persona, &question)).collect()
        }
    }
}
