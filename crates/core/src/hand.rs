//! What a person does to the catalog, as it stands in the ledger: two devices are one, one is two, what its owner knows, what was read off a
//! front panel; and taking any of that back. [`crate::catalog`] folds it in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::claim::Field;
use crate::observation::Address;

/// Bytes of a name, a reason or a value; a paragraph.
pub const TEXT_BYTES_MAX: usize = 4096;
/// Facts that an owner sets by hand; columns of the inventory file (contracts) and what a priority is made of (docs/priority.md).
/// `impact` is the rating of NERC CIP-002: to which parts of a standard the device belongs (docs/reports.md).
pub const FACTS: [&str; 13] = [
    "tag",
    "tags",
    "site",
    "zone",
    "conduit",
    "location",
    "criticality",
    "exposure",
    "owner",
    "business_value",
    "safety_system",
    "impact",
    "parent",
];

/// One thing that a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hand {
    /// What.
    pub act: Act,
    /// Who.
    pub by: String,
    /// Why, in his words.
    pub reason: String,
    /// Who looked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Two assets are one device.
    Merge {
        /// The id that goes; it still names the one that stays.
        goes: String,
        /// The id that stays.
        stays: String,
    },
    /// What answers at an address is a device of its own, whatever it tells.
    Split {
        /// Where.
        address: Address,
        /// The asset that it was taken for.
        asset: String,
    },
    /// What an owner knows of an asset; `None` takes a fact back.
    Set {
        /// The asset.
        asset: String,
        /// By name, each one of [`FACTS`].
        facts: BTreeMap<String, Option<String>>,
    },
    /// What a person read off a device.
    Read {
        /// The asset.
        asset: String,
        /// The part.
        component: String,
        /// What it says.
        fields: BTreeMap<Field, String>,
        /// SHA-256 of a photo of it, in lower case hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        photo_sha256: Option<String>,
        /// When it was read, in nanoseconds since 1970.
        read_ns: u64,
    },
    /// Takes back what stands in an entry.
    Undo {
        /// Its index.
        entry: u64,
    },
}

impl Act {
    /// The word in files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Merge { .. } => "merge",
            Self::Split { .. } => "split",
            Self::Set { .. } => "set",
            Self::Read { .. } => "read",
            Self::Undo { .. } => "undo",
        }
    }

    /// The assets that it names.
    pub fn assets(&self) -> impl Iterator<Item = &str> {
        let (one, other) = match self {
            Self::Merge { stays, goes } => (Some(stays), Some(goes)),
            Self::Split { asset, .. } | Self::Set { asset, .. } | Self::Read { asset, .. } => (Some(asset), None),
            Self::Undo { .. } => (None, None),
        };
        one.into_iter().chain(other).map(String::as_str)
    }
}

impl Hand {
    /// Whether it may stand in a ledger.
    ///
    /// # Errors
    /// In words: nobody did it, there is no reason, it is too long, or its second person is its first.
    pub fn check(&self) -> Result<(), String> {
        let Self { act, by, reason, second } = self;
        let texts = [("--by", by), ("--reason", reason)];
        if let Some((option, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(format!("{option} is empty"));
        }
        if second.as_ref().is_some_and(|second| second.trim().to_lowercase() == by.trim().to_lowercase()) {
            return Err("--second is the same person as --by".to_owned());
        }
        let values: Vec<&String> = match act {
            Act::Set { facts, .. } => facts.values().flatten().collect(),
            Act::Read { fields, .. } => fields.values().collect(),
            Act::Merge { .. } | Act::Split { .. } | Act::Undo { .. } => Vec::new(),
        };
        let all = texts.iter().map(|(_, text)| *text).chain(second).chain(values);
        if let Some(long) = all.map(String::len).find(|length| *length > TEXT_BYTES_MAX) {
            return Err(format!("a text has {long} bytes; at most {TEXT_BYTES_MAX} are taken"));
        }
        if let Act::Set { facts, .. } = act
            && let Some(name) = facts.keys().find(|name| !FACTS.contains(&name.as_str()))
        {
            return Err(format!("{name:?} is nothing that an owner sets; it is one of {}", FACTS.join(", ")));
        }
        Ok(())
    }
}
