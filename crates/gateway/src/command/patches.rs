//! `nameplate patches`: what patch servers say, beside what the devices say.

use clap::Args;
use nameplate_core::observation::rfc3339;
use nameplate_core::patching::{Judged, Named, Stand, Stated, judge};
use serde::Serialize;
use utoipa::ToSchema;

use super::device::{find, open};
use super::devices::time_ns;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::place;
use crate::{print, profiles};

/// List what patch servers say of devices, beside what the devices say.
#[derive(Debug, Args)]
#[command(
    after_help = "Stands: contradicted (a patch server holds a release for installed, and the device itself says an older one, or another one of which\n\
                  nobody can say whether it is older); not_read (held for installed, and the device never said its release); behind (the device\n\
                  says the release, and the patch server does not know yet); confirmed; nothing_to_read (no release that a device could say: most\n\
                  patches of hosts); open (not installed, and nobody says so).\n\n\
                  A contradiction is one line for a device and a release, however many servers say it and whichever word came first. Nothing\n\
                  ends it but the device's own reading: not the server taking its word back, not a person's word.\n\n\
                  Examples:\n  nameplate patches --stand contradicted --stand not_read\n  nameplate patches --fail-on contradicted --as-of 2026-03-02"
)]
pub struct Patches {
    /// Only of this device: its id, or enough of its beginning
    #[arg(long, value_name = "ID")]
    asset: Option<String>,
    /// Only those that stand so; may be repeated
    #[arg(long, value_name = "STAND", value_parser = stand)]
    stand: Vec<Stand>,
    /// Exit code 1 where there is one that stands so; may be repeated
    #[arg(long, value_name = "STAND", value_parser = stand)]
    fail_on: Vec<Stand>,
    /// As it was known on a day or at a time
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

/// A stand by its word.
///
/// # Errors
/// A sentence: there is none.
pub fn stand(word: &str) -> Result<Stand, String> {
    Stand::ALL
        .into_iter()
        .find(|stand| stand.name() == word)
        .ok_or_else(|| format!("it is one of {}", Stand::ALL.map(Stand::name).join(", ")))
}

/// What one patch server says of one patch.
#[derive(Serialize, ToSchema)]
#[schema(as = PatchWord)]
pub struct Word<'a> {
    /// The patch server.
    pub system: &'a str,
    /// The patch, as it names it.
    pub patch: &'a str,
    /// The patch in words.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub title: &'a str,
    /// Its latest word.
    pub state: &'static str,
    /// When it was so, as the list says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// When that list was taken in.
    pub taken: String,
    /// The entry of the ledger.
    pub entry: u64,
    /// Since when it has held the patch for installed, or once did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_since: Option<String>,
}

/// One device and one release, or one patch where no release is named.
#[derive(Serialize, ToSchema)]
#[schema(as = PatchLine)]
pub struct Line<'a> {
    /// The same for as long as the device and the release are.
    pub id: &'a str,
    /// The asset.
    pub asset: &'a str,
    /// Where it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// How the words stand.
    pub stand: &'static str,
    /// What the device should say it of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// What it should say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<&'a str>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<&'a str>,
    /// When it said so last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<String>,
    /// The reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observation: Option<String>,
    /// How good the reading is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<&'static str>,
    /// The device said so before the patch server held the patch for installed, and nothing since.
    pub read_before: bool,
    /// Since when the two have been known to differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Who says what.
    pub said: Vec<Word<'a>>,
}

impl<'a> Line<'a> {
    /// The line of one.
    pub fn of(judged: &'a Judged<'_>) -> Self {
        let word = |((system, patch), stated): &(&'a Named, &'a Stated)| Word {
            system,
            patch,
            title: &stated.last.title,
            state: stated.last.state.name(),
            at: stated.last.said_ns.map(rfc3339),
            taken: rfc3339(stated.time_ns),
            entry: stated.entry,
            installed_since: stated.installed.as_ref().map(|installed| rfc3339(installed.since_ns)),
        };
        Self {
            id: &judged.id,
            asset: judged.asset.map_or(judged.matched_as, |asset| &asset.id),
            place: judged.asset.and_then(|asset| asset.address()).map(place).unwrap_or_default(),
            stand: judged.stand.name(),
            field: judged.expects.map(|(field, _)| field.name()),
            release: judged.expects.map(|(_, release)| release),
            read: judged.read.map(|read| read.claim.value.as_str()),
            read_at: judged.read.map(|read| rfc3339(read.time_ns)),
            observation: judged.read.and_then(|read| read.observation).map(|id| id.to_string()),
            grade: judged.read.map(|read| read.claim.grade.name()),
            read_before: judged.read_before,
            since: judged.since_ns.map(rfc3339),
            said: judged.said.iter().map(word).collect(),
        }
    }

    /// Cells below [`HEADER`].
    pub fn cells(&self) -> Vec<String> {
        let said: Vec<String> = self.said.iter().map(|word| format!("{} {} {}", word.system, word.patch, word.state)).collect();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let about = [self.field, self.release].into_iter().flatten().collect::<Vec<_>>().join(" ");
        vec![
            self.stand.to_owned(),
            self.asset.to_owned(),
            self.place.clone(),
            about,
            said.join("; "),
            text(self.read),
            text(self.read_at.as_deref()),
            if self.read_before { "read before that; read it again".to_owned() } else { String::new() },
            self.id.to_owned(),
        ]
    }
}

/// Titles of a table.
pub const HEADER: [&str; 9] = ["stand", "asset", "place", "expected", "said", "read", "read_at", "remark", "id"];

impl Patches {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, a date that is none, an id that is not in it; that something stands as `--fail-on` names.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let (_, view) = open(options, as_of)?;
        let asset = self.asset.as_deref().map(|id| find(&view.catalog, id)).transpose()?.map(|asset| asset.id.as_str());
        let mut found = judge(&view.patches, &view.catalog, &profiles);
        found.retain(|one| asset.is_none_or(|id| one.asset.is_some_and(|asset| asset.id == id)));
        let met = found.iter().filter(|one| self.fail_on.contains(&one.stand)).count() as u64;
        found.retain(|one| self.stand.is_empty() || self.stand.contains(&one.stand));
        print::out(&shown(&found, print::format(options))?)?;
        match met {
            0 => Ok(()),
            found => Err(Failure::new(Code::Found, format!("{} found of what --fail-on names", print::count(found, "line")))),
        }
    }
}

fn shown(found: &[Judged<'_>], format: Format) -> Result<String, Failure> {
    let lines = found.iter().map(Line::of);
    Ok(match format {
        Format::Ndjson => lines.map(|line| print::json_line(&line)).collect(),
        Format::Csv => print::csv_line(&HEADER.map(str::to_owned)) + &lines.map(|line| print::csv_line(&line.cells())).collect::<String>(),
        Format::Table => {
            print::table(&HEADER.map(str::to_uppercase).each_ref().map(String::as_str), &lines.map(|line| line.cells()).collect::<Vec<_>>())
        }
        Format::Claims => return Err(Failure::new(Code::Usage, "what patch servers say are no claims: use table, ndjson or csv")),
    })
}
