//! An evaluation: somebody held all devices against all advisories that were taken in, looked at what came of it, and stands by that. It is
//! what NERC CIP-007-6 R2, part 2.2 asks for at least every 35 calendar days; a program that ran is none.

use serde::{Deserialize, Serialize};

/// Characters of a name and of a note: a paragraph.
const TEXT_CHARS_MAX: usize = 2_000;
/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

/// An evaluation, as it stands in the ledger.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// SHA-256 of what it was held against, lower case hexadecimal; see [`crate::advisory::Held::sha256`].
    pub advisories_sha256: String,
    /// Who stands by it.
    pub by: String,
    /// Components that were held against the documents.
    pub components: u64,
    /// Devices that they belong to.
    pub devices: u64,
    /// Documents.
    pub documents: u64,
    /// The day of the newest document: `2026-11-12`; absent where none has a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// What is to be said beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Components that no document names.
    pub unnamed: u64,
    /// What came of it.
    pub verdicts: Counts,
}

/// How many findings of which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Affected.
    pub affected: u64,
    /// The documents contradict themselves.
    pub contradiction: u64,
    /// It cannot be said.
    pub indeterminate: u64,
    /// Not affected.
    pub not_affected: u64,
}

/// An evaluation and the entry it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The entry's index.
    pub index: u64,
    /// When it was recorded, in nanoseconds since 1970.
    pub time_ns: u64,
    /// The evaluation.
    pub evaluation: Evaluation,
}

impl Evaluation {
    /// Whether it may be recorded. One that stands in a log and may not counts for nothing.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let written = |text: &String| !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
        if ![&self.by].into_iter().chain(&self.note).all(written) {
            return Err(format!("who stands by it, and a note, have 1 to {TEXT_CHARS_MAX} characters"));
        }
        if self.documents == 0 {
            return Err("there was no document to hold anything against".to_owned());
        }
        let digits = self.advisories_sha256.len() == SHA256_DIGITS && self.advisories_sha256.bytes().all(|digit| digit.is_ascii_hexdigit());
        if digits { Ok(()) } else { Err(format!("{:?} is no SHA-256", self.advisories_sha256)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_needs_a_person_and_something_to_evaluate() {
        let good = Evaluation {
            advisories_sha256: "ab".repeat(32),
            by: "Ada".into(),
            components: 2,
            devices: 1,
            documents: 3,
            newest: None,
            note: None,
            unnamed: 0,
            verdicts: Counts::default(),
        };
        let check = |one: Evaluation, part: &str| {
            let said = one.check().err().unwrap_or_default();
            assert!(if part.is_empty() { said.is_empty() } else { said.contains(part) }, "{one:?}: {said}");
        };
        check(good.clone(), "");
        check(Evaluation { by: " ".into(), ..good.clone() }, "who stands by it");
        check(Evaluation { note: Some("x".repeat(2_001)), ..good.clone() }, "who stands by it");
        check(Evaluation { documents: 0, ..good.clone() }, "no document");
        check(Evaluation { advisories_sha256: "ab".into(), ..good }, "no SHA-256");
    }
}
