//! The manifest of an update: what it is, until when, and every file in it. Lines of text, in one way to write them: what is read is written again and has to
//! be the same.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use nameplate_core::ledger::{Checkpoint, Head, PublicKey, SiteKey};
use nameplate_core::observation::hex;
use nameplate_core::update::{Kind, Offer, is_publisher};
use sha2::{Digest, Sha256};

/// What it begins with: the format.
const FIRST_LINE: &str = "nameplate update 1";
/// What is put behind the name of the signer's key, so that the note can never be taken for a ledger's or a bundle's.
const ORIGIN: &str = "/update";
/// An update is good for two years at most: a publisher who mistypes a year would have it good for ever.
const GOOD_DAYS_MAX: u64 = 731;
/// Characters of a program's version and of an architecture, as Debian has them.
const WORD_CHARS_MAX: usize = 60;
const SECOND_NS: u64 = 1_000_000_000;
const DAY_SECONDS: u64 = 86_400;

/// What an update says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Who signs it.
    pub key: PublicKey,
    /// Who publishes it.
    pub publisher: String,
    /// What it is of.
    pub kind: Kind,
    /// Rises with each update of this publisher and kind.
    pub version: u64,
    /// When it was made, in seconds since 1970.
    pub made_s: u64,
    /// Until when it is good, in seconds since 1970.
    pub expires_s: u64,
    /// What it fits; advisories fit everywhere.
    pub fitting: Option<Fitting>,
    /// SHA-256 and bytes of each file, by its name.
    pub files: BTreeMap<String, (String, u64)>,
}

/// What an update fits, or brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fitting {
    /// Profiles for this version of the program; every other has its own.
    For(String),
    /// A program.
    Program {
        /// Its version, as Debian writes it.
        version: String,
        /// For which machines: `amd64`.
        architecture: String,
        /// States that it opens: the oldest and the newest.
        state: (u32, u32),
    },
}

impl Manifest {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn of(text: &str) -> Result<Self, String> {
        let mut lines = (1_usize..).zip(text.lines());
        if lines.next().map(|(_, line)| line) != Some(FIRST_LINE) {
            return Err("manifest, line 1: this is no update that this program knows".into());
        }
        let mut value = |key: &str| value(&mut lines, key);
        let bad = |word: &str| format!("manifest: {word:?} has no such value");
        let key = PublicKey::from_digits(value("key")?).ok_or_else(|| bad("key"))?;
        let publisher = Some(value("publisher")?).filter(|name| is_publisher(name)).ok_or_else(|| bad("publisher"))?.to_owned();
        let kind = Kind::of(value("kind")?).ok_or_else(|| bad("kind"))?;
        let version = value("version")?.parse().ok().filter(|version| *version > 0).ok_or_else(|| bad("version"))?;
        let [made_s, expires_s] = ["made", "expires"].map(|word| value(word).and_then(|text| seconds(text).ok_or_else(|| bad(word))));
        let (made_s, expires_s) = (made_s?, expires_s?);
        let fitting = match kind {
            Kind::Advisories => None,
            Kind::Profiles => Some(Fitting::For(word(value("program")?).ok_or_else(|| bad("program"))?)),
            Kind::Program => {
                let version = word(value("program")?).ok_or_else(|| bad("program"))?;
                let architecture = word(value("architecture")?).ok_or_else(|| bad("architecture"))?;
                Some(Fitting::Program { version, architecture, state: states(value("state")?).ok_or_else(|| bad("state"))? })
            }
        };
        let mut files = BTreeMap::new();
        for (at, line) in lines {
            let mut parts = line.splitn(3, "  ");
            let file = (parts.next().map(str::to_owned), parts.next().and_then(|bytes| bytes.parse().ok()), parts.next());
            let (Some(sha256), Some(bytes), Some(name)) = file else {
                return Err(format!("manifest, line {at}: no hash, size and name"));
            };
            files.insert(name.to_owned(), (sha256, bytes));
        }
        let manifest = Self { key, publisher, kind, version, made_s, expires_s, fitting, files };
        if expires_s <= made_s || expires_s - made_s > GOOD_DAYS_MAX * DAY_SECONDS {
            return Err(format!("manifest: it is good for a second to {GOOD_DAYS_MAX} days"));
        }
        // Two files of one name, another order, another spelling of a number: there is one way to write it.
        if manifest.text() == text { Ok(manifest) } else { Err("manifest: it is not written as one is".into()) }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { key, publisher, kind, version, made_s, expires_s, fitting, files } = self;
        let mut text = format!(
            "{FIRST_LINE}\nkey {}\npublisher {publisher}\nkind {kind}\nversion {version}\nmade {}\nexpires {}\n",
            key.digits(),
            moment(*made_s),
            moment(*expires_s)
        );
        // Writing to a text cannot fail.
        let _ = match fitting {
            None => Ok(()),
            Some(Fitting::For(program)) => writeln!(text, "program {program}"),
            Some(Fitting::Program { version, architecture, state: (from, to) }) => {
                writeln!(text, "program {version}\narchitecture {architecture}\nstate {from}-{to}")
            }
        };
        for (name, (sha256, bytes)) in files {
            let _ = writeln!(text, "{sha256}  {bytes}  {name}");
        }
        text
    }

    /// What its publisher signs: a note with a name of its own, the number of files, and the manifest's SHA-256.
    fn signed(&self) -> Checkpoint {
        let root = Sha256::digest(self.text()).into();
        Checkpoint { origin: self.key.origin() + ORIGIN, head: Head { size: self.files.len() as u64, root } }
    }

    /// The signed note over it.
    #[must_use]
    pub fn sign(&self, key: &SiteKey) -> String {
        self.signed().sign(key)
    }

    /// Holds a note against it.
    ///
    /// # Errors
    /// Why it is not the signature of the key that the manifest names.
    pub fn check(&self, note: &str) -> Result<(), String> {
        let signed = Checkpoint::open(note, &self.key).map_err(|e| format!("manifest.sig: {e}"))?;
        if signed == self.signed() { Ok(()) } else { Err("manifest.sig is over another manifest".into()) }
    }

    /// What the ledger is told of it.
    #[must_use]
    pub fn offer(&self) -> Offer {
        let program = self.fitting.as_ref().map(|fitting| match fitting {
            Fitting::For(version) | Fitting::Program { version, .. } => version.clone(),
        });
        Offer {
            expires_ns: self.expires_s.saturating_mul(SECOND_NS),
            key: self.key.fingerprint(),
            kind: self.kind,
            made_ns: self.made_s.saturating_mul(SECOND_NS),
            manifest_sha256: hex(&Sha256::digest(self.text())),
            program,
            publisher: self.publisher.clone(),
            version: self.version,
        }
    }
}

/// What stands behind a key in the next line.
fn value<'t>(lines: &mut impl Iterator<Item = (usize, &'t str)>, key: &str) -> Result<&'t str, String> {
    let (at, line) = lines.next().ok_or_else(|| format!("manifest: it ends before {key:?}"))?;
    let value = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(' '));
    value.ok_or_else(|| format!("manifest, line {at}: {key:?} has to stand here"))
}

/// A moment as it stands in a manifest.
fn moment(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

/// Seconds since 1970 of `2026-11-23T08:00:00Z`.
fn seconds(text: &str) -> Option<u64> {
    humantime::parse_rfc3339(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// A word of Debian's: a version or an architecture. It is handed to other programs, so it never begins like an option.
fn word(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte);
    let is_one = (1..=WORD_CHARS_MAX).contains(&text.len()) && text.bytes().all(plain) && text.as_bytes()[0].is_ascii_alphanumeric();
    is_one.then(|| text.to_owned())
}

/// `1-2`.
pub fn states(text: &str) -> Option<(u32, u32)> {
    let (from, to) = text.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?)).filter(|(from, to)| from <= to)
}
