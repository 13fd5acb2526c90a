//! Hand-over: what the site knows, as files that an IT patch server reads in its own words, each signed, and all of them listed in the ledger.
//!
//! The proof is a bundle of evidence (docs/evidence.md) whose page is the list of the files with their SHA-256, as `sha256sum` writes one: what checks bundles checks
//! this, too, and there is no second format of proofs. The signatures are OpenSSH's. Decision 0055.

mod aas;
mod cyclonedx;
mod vex;

use std::collections::BTreeMap;

use nameplate_core::observation::{hex, rfc3339};
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::cli::Format;
use crate::command::check::findings::{Findings, Found};
use crate::command::check::line;
use crate::command::check::subject::Subject;
use crate::command::devices::{inventory, listing};
use crate::failure::Failure;
use crate::sheet::book::workbook;

/// What signatures are made for: `ssh-keygen -Y verify -n nameplate-handover`.
pub const NAMESPACE: &str = "nameplate-handover";
/// The list of the files.
pub const LIST: &str = "SHA256SUMS";
/// The proof that the ledger lists them.
pub const PROOF: &str = "handover.evidence";
/// What the ledger's name of a hand-over begins with.
pub const SUBJECT: &str = "hand-over of ";
/// What a signature's name ends with, behind that of its file.
pub const SIGNATURE: &str = ".sig";

/// Whose catalog it is, as of when.
pub struct Site<'a> {
    /// What its owner calls it; else its origin.
    pub name: &'a str,
    /// The ledger's name.
    pub origin: &'a str,
    /// Entries of the ledger that are told.
    pub entries: u64,
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
}

/// What is handed over: names of files and their bytes. A site without advisories has no findings, and none of their files.
///
/// # Errors
/// It is too large for a workbook.
pub fn files(
    site: &Site<'_>,
    view: &View,
    profiles: &ProfileSet,
    findings: Option<&Findings>,
) -> Result<BTreeMap<&'static str, Vec<u8>>, Failure> {
    let catalog = &view.catalog;
    let assets: Vec<_> = catalog.assets().collect();
    let text = |format| listing(catalog.assets(), profiles, format).into_bytes();
    let book = workbook(&[inventory(&assets, profiles)]).map_err(|why| Failure::input("devices.xlsx", why))?;
    let mut files = BTreeMap::from([
        ("devices.ndjson", text(Format::Ndjson)),
        ("devices.csv", text(Format::Csv)),
        ("devices.xlsx", book),
        ("devices.cdx.json", pretty(&cyclonedx::bill(site, catalog, profiles))),
        ("devices.aas.json", pretty(&aas::environment(site, catalog, profiles))),
    ]);
    let Some(findings) = findings else { return Ok(files) };
    let subjects: Vec<Subject> = catalog.assets().flat_map(|asset| Subject::of_asset(asset, profiles)).collect();
    let found: Vec<Found<'_>> = subjects.iter().flat_map(|subject| findings.judge_in(subject, view, site.at_ns)).collect();
    let lines = |format| line::header(format) + &found.iter().map(|found| line::line(found, format)).collect::<String>();
    files.insert("findings.ndjson", lines(Format::Ndjson).into_bytes());
    files.insert("findings.csv", lines(Format::Csv).into_bytes());
    if let Some(document) = vex::document(site, &found) {
        files.insert("findings.vex.json", pretty(&document));
    }
    Ok(files)
}

/// What stands in a folder beside the proof.
pub struct Signed {
    /// Each file behind its name, the list among them, and behind each its signature.
    pub files: Vec<(String, Vec<u8>)>,
    /// The list once more, for the proof.
    pub list: String,
}

/// Signs files, and a list of them.
///
/// # Errors
/// What `sign` says.
pub fn signed(mut files: BTreeMap<&'static str, Vec<u8>>, sign: impl Fn(&[u8]) -> Result<String, Failure>) -> Result<Signed, Failure> {
    let list = list(&files);
    files.insert(LIST, list.clone().into_bytes());
    let mut all = Vec::with_capacity(files.len().saturating_mul(2));
    for (name, bytes) in files {
        let signature = sign(&bytes)?.into_bytes();
        all.push((name.to_owned(), bytes));
        all.push((format!("{name}{SIGNATURE}"), signature));
    }
    Ok(Signed { files: all, list })
}

/// The name of the folder: which log, and how far.
pub fn folder(site: &Site<'_>) -> String {
    format!("{}-{}", site.origin.replace('/', "-"), site.entries)
}

/// The list of files, as `sha256sum --check` takes one.
fn list(files: &BTreeMap<&'static str, Vec<u8>>) -> String {
    files.iter().map(|(name, bytes)| format!("{}  {name}\n", hex(&Sha256::digest(bytes)))).collect()
}

/// The files that a list names, with their SHA-256; `None` where it is no list. A name has no place but that of the list.
#[must_use]
pub fn listed(list: &str) -> Option<BTreeMap<&str, &str>> {
    list.strip_suffix('\n')?.split('\n').map(named).collect()
}

/// A line of a list: the file's name, and its SHA-256.
fn named(line: &str) -> Option<(&str, &str)> {
    let (digits, name) = line.split_once("  ")?;
    let is_digits = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (is_digits && is_name).then_some((name, digits))
}

/// What the ledger calls a hand-over.
pub fn subject(site: &Site<'_>) -> String {
    format!("{SUBJECT}{}", rfc3339(site.at_ns))
}

fn pretty(value: &Value) -> Vec<u8> {
    // Maps with text keys: serialising them cannot fail.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
