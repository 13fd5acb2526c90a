//! What was done before anything is installed: who says so, and of which bytes.

use serde::{Deserialize, Serialize};

use super::terms::written;

/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

/// Kinds of checks before an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precheck {
    /// Configuration and logic were backed up; the file's hash is given.
    Backup,
    /// The software is what its source gave out: source, hash, and the vendor's hash or signature where it offers one (NERC CIP-010-4 R1.6).
    Software,
    /// All that has to go together is there: both ends, boot and main image, project and I/O.
    Set,
    /// Traces of an intrusion were looked for before they are overwritten, where the policy asks for it.
    Triage,
}

impl Precheck {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Backup, Self::Software, Self::Set, Self::Triage];

    /// As commands and records spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Software => "software",
            Self::Set => "set",
            Self::Triage => "triage",
        }
    }
}

/// One check that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Which.
    pub kind: Precheck,
    /// For which assets; empty: for all of the scope.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    /// Who did it.
    pub by: String,
    /// SHA-256 of the file, lower case hexadecimal: the backup, or the software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where the software came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How it is known to be the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentic: Option<Authentic>,
    /// What else is to be said: where the backup lies, which set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How software is known to be the vendor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Authentic {
    /// The vendor publishes this SHA-256.
    VendorSha256(String),
    /// A signature was checked: whose, and with what.
    Signature(String),
    /// The source offers neither; who looked says where.
    NotOffered(String),
}

impl Check {
    /// Whether it stands for an asset.
    #[must_use]
    pub fn is_for(&self, asset: &str) -> bool {
        self.assets.is_empty() || self.assets.iter().any(|one| one == asset)
    }

    /// Whether it says what its kind has to say.
    ///
    /// # Errors
    /// A sentence that says what is missing, or that the software is not what its vendor published.
    pub fn check(&self) -> Result<(), String> {
        [&self.source, &self.note].into_iter().flatten().chain([&self.by]).try_for_each(|text| written(text))?;
        if let Some(odd) = self.sha256.iter().find(|digits| !is_sha256(digits)) {
            return Err(format!("{odd:?} is no SHA-256: 64 digits, lower case hexadecimal"));
        }
        match self.kind {
            Precheck::Backup if self.sha256.is_none() => Err("a backup is named by the SHA-256 of its file".to_owned()),
            Precheck::Software => self.check_software(),
            Precheck::Set if self.note.is_none() => Err("say which set is complete".to_owned()),
            Precheck::Backup | Precheck::Set | Precheck::Triage => Ok(()),
        }
    }

    fn check_software(&self) -> Result<(), String> {
        let (Some(sha256), Some(_)) = (&self.sha256, &self.source) else {
            return Err("software is named by its source and the SHA-256 of its file".to_owned());
        };
        match &self.authentic {
            None => Err("say how the software is known to be the vendor's: its hash, its signature, or that neither is offered".to_owned()),
            Some(Authentic::VendorSha256(theirs)) if theirs != sha256 => {
                Err(format!("the software has the SHA-256 {sha256}, and the vendor publishes {theirs}: it is not the vendor's"))
            }
            Some(Authentic::Signature(text) | Authentic::NotOffered(text)) => written(text),
            Some(Authentic::VendorSha256(_)) => Ok(()),
        }
    }
}

fn is_sha256(digits: &str) -> bool {
    digits.len() == SHA256_DIGITS && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Precheck, sha256: &str, source: &str, authentic: Option<Authentic>, part: &str) {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let sha256 = text(sha256).map(|digit| if digit.len() == 1 { digit.repeat(64) } else { digit });
        let one = Check { kind, assets: Vec::new(), by: "Ada".to_owned(), sha256, source: text(source), authentic, note: None };
        match one.check() {
            Ok(()) => assert_eq!(part, "", "{one:?}"),
            Err(why) => assert!(!part.is_empty() && why.contains(part), "{one:?}: {why}"),
        }
    }

    #[test]
    fn a_check_says_what_it_rests_on() {
        use Precheck::*;
        let hash = |digit: &str| Some(Authentic::VendorSha256(digit.repeat(64)));
        check(Backup, "a", "", None, "");
        check(Backup, "", "", None, "SHA-256 of its file");
        check(Backup, "A", "", None, "is no SHA-256");
        check(Backup, "abc", "", None, "is no SHA-256");
        check(Triage, "", "", None, "");
        check(Set, "", "", None, "which set");
        check(Software, "a", "", hash("a"), "source");
        check(Software, "", "vendor's site", hash("a"), "SHA-256");
        check(Software, "a", "vendor's site", None, "how the software is known");
        check(Software, "a", "vendor's site", hash("a"), "");
        check(Software, "a", "vendor's site", hash("b"), "not the vendor's");
        check(Software, "a", "vendor's site", Some(Authentic::Signature("PGP 0x1234".to_owned())), "");
        check(Software, "a", "vendor's site", Some(Authentic::NotOffered(" ".to_owned())), "characters");
    }
}
