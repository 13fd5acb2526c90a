//! What IT's patch servers say of devices: which patches they hold for installed. It is compared with what a device says of itself and never takes its place: where
//! the two contradict each other, that is a finding, and only the device's own word closes it.
//!
//! States as WSUS (`UpdateInstallationStates`), Configuration Manager (`v_UpdateComplianceStatus`) and Katello (errata of a host) have them.

mod judge;
mod matched;
mod read;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::claim::Field;

pub use self::judge::{Judged, Stand, contradictions, judge, judge_one};
pub use self::matched::{Matched, matched};
pub use self::read::{FILE_BYTES_MAX, Form, Read, Row, read};

/// What a patch server says of a patch on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is installed, and in force.
    Installed,
    /// It is installed, and waits for a restart.
    PendingRestart,
    /// It is not installed, and should be.
    Missing,
    /// Its installation failed.
    Failed,
    /// The host does not need it.
    NotApplicable,
    /// The patch server does not know.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Installed, Self::PendingRestart, Self::Missing, Self::Failed, Self::NotApplicable, Self::Unknown];

    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::PendingRestart => "pending_restart",
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::NotApplicable => "not_applicable",
            Self::Unknown => "unknown",
        }
    }
}

/// One line of a patch server's list, about an asset.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The asset's id, as it was matched when the list was taken in.
    pub asset: String,
    /// What the release is of: `firmware_revision` or another revision. Stands only beside `release`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Field>,
    /// The patch, as the patch server names it: an article, an erratum, a bulletin.
    pub patch: String,
    /// The release that a device with the patch says it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The line of the list, from 1.
    pub row: u64,
    /// When it was so, as the list says, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_ns: Option<u64>,
    /// What is said.
    pub state: State,
    /// The patch in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
}

/// A list of a patch server that was taken in, as it stands in the ledger.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Who took it in.
    pub by: String,
    /// The file's name as it was given.
    pub file: String,
    /// SHA-256 of the file, lower case hexadecimal.
    pub sha256: String,
    /// Its lines.
    pub statements: Vec<Statement>,
    /// The patch server, as its owner calls it.
    pub system: String,
}

/// What one patch server says of one patch on one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Its latest word.
    pub last: Statement,
    /// The entry of the ledger with that word.
    pub entry: u64,
    /// When that was taken in, in nanoseconds since 1970.
    pub time_ns: u64,
    /// The first time that it held the patch for installed, the release that it named then, and the entry: a word that is taken back does not make a device patched.
    pub installed: Option<Installed>,
}

/// That a patch server held a patch for installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The field and the release that the device should say, as named last.
    pub expects: Option<(Field, String)>,
    /// The first entry that said so.
    pub entry: u64,
    /// Since when, as that entry says, or when it was taken in; in nanoseconds since 1970.
    pub since_ns: u64,
}

/// A patch as a patch server names it: the system, and its name there.
pub type Named = (String, String);

/// All that patch servers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patches {
    /// By asset, as it was matched.
    of: BTreeMap<String, BTreeMap<Named, Stated>>,
}

impl Patches {
    /// Takes a list in.
    pub fn take(&mut self, report: &Report, entry: u64, time_ns: u64) {
        for statement in &report.statements {
            let name = (report.system.clone(), statement.patch.clone());
            let stated = self.of.entry(statement.asset.clone()).or_default();
            let before = stated.get(&name).and_then(|stated| stated.installed.clone());
            let expects = statement.field.zip(statement.release.clone());
            // A list cannot speak of times behind the one at which it was taken in.
            let since_ns = statement.said_ns.map_or(time_ns, |said_ns| said_ns.min(time_ns));
            let installed = match (before, statement.state) {
                (Some(before), State::Installed | State::PendingRestart) => {
                    Some(Installed { expects: expects.or(before.expects), ..before })
                }
                (None, State::Installed | State::PendingRestart) => Some(Installed { expects, entry, since_ns }),
                (before, _) => before,
            };
            stated.insert(name, Stated { last: statement.clone(), entry, time_ns, installed });
        }
    }

    /// Each word, by the asset's id when it was taken in, the system and the patch.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Named, &Stated)> {
        self.of.iter().flat_map(|(asset, stated)| stated.iter().map(move |(name, stated)| (asset.as_str(), name, stated)))
    }

    /// True where no patch server has said anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

#[cfg(test)]
mod tests;
