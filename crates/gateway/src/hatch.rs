//! The hatch between the two processes of a gateway: the one that touches the plant (the field side) and the one that faces people (the desk). All that
//! passes is here. See docs/decisions/0043.
//!
//! One JSON object a line, both ways, over a Unix socket. What comes in at the field side is a stranger's, as soon as somebody has taken over the desk:
//! its lines are bounded, unknown words are refused, and no word of it is an address, a byte, a profile or a rule. Devices are named as the site file
//! names them.

mod at;
#[cfg(unix)]
mod lines;
mod outbox;

use std::collections::BTreeMap;

use nameplate_core::happening::Happening;
use nameplate_core::observation::Observation;
use nameplate_core::profile::{Interpretation, ProfileSet};
use serde::{Deserialize, Serialize};

pub use at::{At, answers};
#[cfg(unix)]
pub use lines::Lines;
pub use outbox::{Next, Outbox};

/// Of the lines; each side refuses another one's.
pub const FORMAT: u32 = 4;
/// A request: some thousand names of devices.
pub const REQUEST_BYTES_MAX: usize = 256 * 1024;
/// A report: the longest observation (a directory of objects) has some hundred kilobytes.
pub const REPORT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What the desk may want of the field side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The first line.
    Hello {
        /// [`FORMAT`].
        format: u32,
        /// Bytes of the field side's touch record that are in the ledger.
        touched: u64,
        /// Names of plans: of each device the desk is told when they last had it asked.
        plans: Vec<String>,
    },
    /// Devices are to be asked, each in every protocol that the site file has for it.
    Ask {
        /// The desk's number of it; comes back in [`Report::Asked`].
        round: u64,
        /// Names or targets, as the site file has them.
        devices: Vec<String>,
        /// Why.
        why: Why,
    },
    /// Reports up to this number are in the ledger.
    Kept {
        /// [`Report::Said`]'s number.
        number: u64,
    },
    /// Nobody is asked any more, from now on, until a person ends that at the field side.
    Quiet {
        /// In words.
        why: String,
    },
}

/// Why devices are asked; it decides the budget, and stands in each line of the touch record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Why {
    /// A plan's name: one reading of a device a day.
    Plan(String),
    /// A person's work order: twelve.
    WorkOrder(String),
}

/// A device of the site file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its name; its target where it has none.
    pub name: String,
    /// Where it is asked, by which the desk knows a device that it heard.
    pub at: Vec<At>,
    /// When a plan last had it asked, or refused, in nanoseconds since 1970-01-01T00:00:00Z, by the plan's name.
    pub asked: BTreeMap<String, u64>,
}

/// What was counted on an interface since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// Its name.
    pub interface: String,
    /// Frames that came in.
    pub received: u64,
    /// Frames for which there was no room.
    pub dropped: u64,
    /// Pieces of conversations that never came: lost on the way here, by the switch that mirrors as a rule.
    pub gaps: u64,
    /// Messages that could not be decoded, by the layer or protocol that they were of.
    pub malformed: BTreeMap<String, u64>,
}

/// What the field side tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case", deny_unknown_fields)]
pub enum Report {
    /// The answer to [`Request::Hello`].
    Welcome {
        /// [`FORMAT`].
        format: u32,
        /// Program and version.
        program: String,
        /// The site's name, as its file has it.
        site: String,
        /// All devices that may be asked.
        devices: Vec<Listed>,
        /// The public key with which the touch record is sealed, 64 hexadecimal digits.
        key: String,
        /// The interfaces that are listened to.
        interfaces: Vec<String>,
    },
    /// A profile that gave readings their meaning; it comes once in a conversation, before the first of them.
    Profile {
        /// SHA-256 of its text, lower case hexadecimal.
        sha256: String,
        /// The text.
        text: String,
    },
    /// Somebody said who he is, or that he is there: what was not known before.
    Said {
        /// Counts up from 1 while the field side runs.
        number: u64,
        /// With all its bytes.
        observation: Box<Observation>,
        /// What it means by the field side's profiles.
        meaning: Box<Interpretation>,
        /// SHA-256 of the profile that said so; its text came in [`Report::Profile`].
        profile: Option<String>,
    },
    /// Somebody was seen to do something to a device.
    Done {
        /// As of [`Report::Said`].
        number: u64,
        /// What, to whom, by whom.
        happening: Box<Happening>,
    },
    /// Lines of the touch record, as they stand there; seals are among them.
    Touched {
        /// They.
        lines: Vec<String>,
        /// Bytes of the record up to and with the last of them.
        end: u64,
    },
    /// A round is over.
    Asked {
        /// [`Request::Ask`]'s number.
        round: u64,
        /// Devices and protocols that were refused on our side, or that no site file lists.
        refused: usize,
        /// Those that gave no sound answer.
        unanswered: usize,
        /// Those that restarted as they were read.
        upset: usize,
        /// Devices of the request, as it named them, with which nobody began because the field side is ending.
        unasked: Vec<String>,
    },
    /// What was counted.
    Counted {
        /// Of each interface that is listened to.
        interfaces: Vec<Heard>,
        /// Reports that were given up since the field side started, because nobody took them.
        given_up: u64,
    },
    /// A request was not understood, or is not granted.
    Wrong {
        /// In words.
        why: String,
    },
}

impl Report {
    /// A profile of these, by its SHA-256; `None` where there is none.
    #[must_use]
    pub fn profile(profiles: &ProfileSet, sha256: &str) -> Option<Self> {
        let profile = profiles.iter().find(|profile| profile.sha256 == sha256)?;
        Some(Self::Profile { sha256: profile.sha256.clone(), text: profile.text.clone() })
    }

    /// Its word in the hatch.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::Profile { .. } => "profile",
            Self::Said { .. } => "said",
            Self::Done { .. } => "done",
            Self::Touched { .. } => "touched",
            Self::Asked { .. } => "asked",
            Self::Counted { .. } => "counted",
            Self::Wrong { .. } => "wrong",
        }
    }
}

impl Request {
    /// Its word in the hatch.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Ask { .. } => "ask",
            Self::Kept { .. } => "kept",
            Self::Quiet { .. } => "quiet",
        }
    }
}
