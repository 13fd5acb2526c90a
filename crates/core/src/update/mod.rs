//! Updates that come on a stick: what one says of itself, what of it was applied, and what may follow. Reading a file and believing its signature is the
//! caller's; here stand the rules that hold between one update and the next. See docs/decisions/0052.
//!
//! Sources: The Update Framework, 5.3 to 5.6 (expiration, rollback and freeze attacks); no code of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::observation::rfc3339;

/// Clocks of publisher and site may differ by so much; a time zone that is set wrongly is more.
const CLOCK_NS_MAX: u64 = 1_800 * 1_000_000_000;
/// Characters of a publisher's name: it is a file's name, too.
pub const PUBLISHER_CHARS_MAX: usize = 40;

/// What an update is of. Each publisher counts its versions for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Advisories, and lists of what is exploited.
    Advisories,
    /// Device profiles.
    Profiles,
    /// The program itself.
    Program,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Advisories, Self::Profiles, Self::Program];

    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisories => "advisories",
            Self::Profiles => "profiles",
            Self::Program => "program",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a text can be a publisher's name: small letters, digits and hyphens, so that it is the same on every disk.
#[must_use]
pub fn is_publisher(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=PUBLISHER_CHARS_MAX).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-')
}

/// What an update says of itself, under its publisher's signature.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Until when it is good, in nanoseconds since 1970.
    pub expires_ns: u64,
    /// Fingerprint of the key that signed it.
    pub key: String,
    /// What it is of.
    pub kind: Kind,
    /// When it was made, in nanoseconds since 1970, by the publisher's clock.
    pub made_ns: u64,
    /// SHA-256 of its manifest, lower case hexadecimal: of all that is in it.
    pub manifest_sha256: String,
    /// Of profiles the program that they are for, of a program its own version; absent for advisories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Who published it, as the site's owner named the key.
    pub publisher: String,
    /// Rises with each update of this publisher and kind.
    pub version: u64,
}

/// What happened, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// An update was applied; of advisories the next entry has them, of a program it is written before anything is installed.
    Applied {
        /// Who did it.
        by: String,
        /// What.
        offer: Offer,
    },
    /// The program before it was put back. What the update's version was still counts: nothing older is ever applied.
    WentBack {
        /// Who did it; the machine itself where a program did not come up.
        by: String,
        /// From which update.
        offer: Offer,
        /// Why.
        why: String,
    },
}

impl Event {
    const fn offer(&self) -> &Offer {
        match self {
            Self::Applied { offer, .. } | Self::WentBack { offer, .. } => offer,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Offer { kind, publisher, version, .. } = self.offer();
        match self {
            Self::Applied { by, .. } => write!(f, "{by} applied {kind} {version} of {publisher}"),
            Self::WentBack { by, why, .. } => write!(f, "{by} went back from {kind} {version} of {publisher}: {why}"),
        }
    }
}

/// The last update of one publisher and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Which.
    pub offer: Offer,
    /// Who applied it.
    pub by: String,
    /// The entry that says so.
    pub index: u64,
    /// When, in nanoseconds since 1970.
    pub time_ns: u64,
    /// It was taken back.
    pub is_taken_back: bool,
}

/// All updates, as far as they matter for what may follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    last: BTreeMap<(Kind, String), Applied>,
    /// The latest time at which one was applied, or was made: a clock that is behind it was set back.
    latest_ns: u64,
}

/// How an update stands to those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It comes behind them.
    New,
    /// It is the last one, byte for byte; what of it is missing may be taken.
    Again,
}

/// Why an update is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not good any more.
    Expired {
        /// Since when, in nanoseconds since 1970.
        expires_ns: u64,
    },
    /// This machine's clock is behind something that has happened.
    Clock {
        /// The clock, in nanoseconds since 1970.
        now_ns: u64,
        /// What it is behind.
        behind_ns: u64,
    },
    /// A later one was applied.
    Older {
        /// Its version.
        version: u64,
        /// The last one's.
        last: u64,
    },
    /// Another one with this version was applied.
    Another {
        /// The version of both.
        version: u64,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { expires_ns } => write!(f, "it expired at {}; ask its publisher for a new one", rfc3339(*expires_ns)),
            Self::Clock { now_ns, behind_ns } => {
                let [now, behind] = [now_ns, behind_ns].map(|time_ns| rfc3339(*time_ns));
                write!(
                    f,
                    "this machine's clock says {now}, and something that it knows of happened at {behind}: set the clock, or nothing tells what has expired"
                )
            }
            Self::Older { version, last } => {
                write!(f, "it is version {version}, and version {last} was applied already: nothing goes back")
            }
            Self::Another { version } => {
                write!(f, "another file with version {version} was applied already; ask its publisher which one is right")
            }
        }
    }
}

impl std::error::Error for Refused {}

impl Updates {
    /// Takes the next event, of that entry and that time in nanoseconds since 1970.
    pub fn take(&mut self, event: &Event, index: u64, time_ns: u64) {
        let offer = event.offer();
        self.latest_ns = self.latest_ns.max(time_ns).max(offer.made_ns.saturating_sub(CLOCK_NS_MAX));
        let (by, is_taken_back) = match event {
            Event::Applied { by, .. } => (by.clone(), false),
            Event::WentBack { by, .. } => (by.clone(), true),
        };
        let key = (offer.kind, offer.publisher.clone());
        if self.last.get(&key).is_none_or(|last| last.offer.version <= offer.version) {
            self.last.insert(key, Applied { offer: offer.clone(), by, index, time_ns, is_taken_back });
        }
    }

    /// The last of each publisher and kind, by kind.
    pub fn last(&self) -> impl Iterator<Item = &Applied> {
        self.last.values()
    }

    /// Whether an update may be applied now, in nanoseconds since 1970, and how it stands to those before. Whether its signature is believed, the caller
    /// knows.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn admits(&self, offer: &Offer, now_ns: u64) -> Result<Admission, Refused> {
        // The clock first: where it is wrong, nothing is known of what expired.
        let behind_ns = self.latest_ns.max(offer.made_ns);
        if now_ns.saturating_add(CLOCK_NS_MAX) < behind_ns {
            return Err(Refused::Clock { now_ns, behind_ns });
        }
        let last = self.last.get(&(offer.kind, offer.publisher.clone())).map(|last| &last.offer);
        match last {
            Some(last) if offer.version < last.version => return Err(Refused::Older { version: offer.version, last: last.version }),
            Some(last) if offer.version == last.version && *offer != *last => return Err(Refused::Another { version: offer.version }),
            _ => {}
        }
        if now_ns >= offer.expires_ns {
            return Err(Refused::Expired { expires_ns: offer.expires_ns });
        }
        Ok(if last.is_some_and(|last| last.version == offer.version) { Admission::Again } else { Admission::New })
    }
}

#[cfg(test)]
mod tests;
