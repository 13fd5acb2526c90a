//! The steps of a change that people take: approve, check, open a ring, install, verify, leave, close.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use nameplate_core::catalog::Catalog;
use nameplate_core::change::{Authentic, Change, Check, Event, Fate, Judged, Left, Precheck, Verdict, worst};
use nameplate_core::observation::hex;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{allowed, find, judged, page, put, time_ns};
use crate::cli::Options;
use crate::command::device;
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::print;

/// Bytes of a file that are hashed at once; firmware has many megabytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// Who agrees.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  nameplate change approve WO-4711 --by 'Bo Example'")]
pub struct Approve {
    /// The work order
    order: String,
    /// Who approves; not the one who opened it
    #[arg(long, value_name = "NAME")]
    by: String,
}

/// Kinds of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Configuration and logic are backed up
    Backup,
    /// The software is what its vendor gave out
    Software,
    /// What has to go together is complete
    Set,
    /// Traces of an intrusion were looked for
    Triage,
}

impl From<Kind> for Precheck {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Backup => Self::Backup,
            Kind::Software => Self::Software,
            Kind::Set => Self::Set,
            Kind::Triage => Self::Triage,
        }
    }
}

/// What was done before the installation.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        nameplate change check WO-4711 backup --file plc7.zip --by 'Ada Example' --note 'share, folder 7'\n  \
                        nameplate change check WO-4711 software --file fw270.bin --source 'vendor, portal' --vendor-sha256 0123... --by 'Ada Example'")]
pub struct Checked {
    /// The work order
    order: String,
    /// What was checked
    #[arg(value_enum)]
    kind: Kind,
    /// Who did it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// For these devices [default: all of the scope]
    #[arg(long, value_name = "ID", num_args = 1..)]
    asset: Vec<String>,
    /// The file, to be hashed here; it is not kept
    #[arg(long, value_name = "FILE", conflicts_with = "sha256")]
    file: Option<PathBuf>,
    /// SHA-256 of the file
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Where the software came from
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// The SHA-256 that the vendor publishes
    #[arg(long, value_name = "HEX", group = "authentic")]
    vendor_sha256: Option<String>,
    /// Whose signature was checked, and with what
    #[arg(long, value_name = "TEXT", group = "authentic")]
    signature: Option<String>,
    /// The source offers neither hash nor signature: where that was looked for
    #[arg(long, value_name = "TEXT", group = "authentic")]
    not_offered: Option<String>,
    /// What else is to be said
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// A ring is opened, installed, verified.
#[derive(Debug, Args)]
pub struct RingStep {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Open a ring: the change is approved, all is checked, the ring before is verified and has soaked
    Open(OfRing),
    /// Say that a ring is installed
    Installed(OfRing),
    /// Say that a ring is as it should be; the readings have to agree, and it is not the installer's word
    Verify(Verify),
}

#[derive(Debug, Args)]
struct OfRing {
    /// The work order
    order: String,
    /// The ring, from 1
    ring: u32,
    /// Who
    #[arg(long, value_name = "NAME")]
    by: String,
}

#[derive(Debug, Args)]
struct Verify {
    #[command(flatten)]
    of: OfRing,
    /// This person accepts that no serial number proves the identity
    #[arg(long)]
    accept_unproven: bool,
}

/// What becomes of devices that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Becomes {
    /// To be done later, until a day
    Deferred,
    /// Tried, and not what it should be
    Failed,
    /// Protected by something else, until a day
    Mitigated,
}

impl From<Becomes> for Fate {
    fn from(becomes: Becomes) -> Self {
        match becomes {
            Becomes::Deferred => Self::Deferred,
            Becomes::Failed => Self::Failed,
            Becomes::Mitigated => Self::Mitigated,
        }
    }
}

/// Devices that a change leaves.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  nameplate change leave WO-4711 --asset a-12ab --as deferred --until 2026-12-01T00:00:00Z --reason 'no outage before' --by 'Ada Example'"
)]
pub struct Leave {
    /// The work order
    order: String,
    /// The devices
    #[arg(long, value_name = "ID", required = true, num_args = 1..)]
    asset: Vec<String>,
    /// What becomes of them
    #[arg(long = "as", value_enum)]
    becomes: Becomes,
    /// Until when, RFC 3339 in UTC
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    by: String,
}

/// The end of a change.
#[derive(Debug, Args)]
#[command(after_help = "A change is closed when every device is as expected, or left for a reason (`change leave`).\n\n\
                        Example:\n  nameplate change close WO-4711 --by 'Ada Example'")]
pub struct Close {
    /// The work order
    order: String,
    /// Who closes it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Who accepts that no serial number proves the identity; neither who opened the change nor who installed
    #[arg(long, value_name = "NAME")]
    accept_unproven: Option<String>,
}

impl Approve {
    pub(super) fn run(&self, intake: &mut Intake<'_>) -> Result<(), Failure> {
        step(intake, Event::Approved { order: self.order.clone(), by: self.by.clone() })?;
        eprintln!("{} is approved by {}", self.order, self.by);
        Ok(())
    }
}

impl Checked {
    pub(super) fn run(&self, intake: &mut Intake<'_>) -> Result<(), Failure> {
        let authentic = [
            self.vendor_sha256.as_ref().map(|digits| Authentic::VendorSha256(digits.to_lowercase())),
            self.signature.clone().map(Authentic::Signature),
            self.not_offered.clone().map(Authentic::NotOffered),
        ];
        let check = Check {
            kind: self.kind.into(),
            assets: assets(&intake.view.catalog, &self.asset)?,
            by: self.by.clone(),
            sha256: match &self.file {
                Some(path) => Some(sha256_of(path)?),
                None => self.sha256.as_ref().map(|digits| digits.to_lowercase()),
            },
            source: self.source.clone(),
            authentic: authentic.into_iter().flatten().next(),
            note: self.note.clone(),
        };
        step(intake, Event::Checked { order: self.order.clone(), check })
    }
}

impl RingStep {
    pub(super) fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        match &self.act {
            Act::Open(OfRing { order, ring, by }) => {
                step(intake, Event::RingOpened { order: order.clone(), ring: *ring, by: by.clone() })?;
                eprintln!("ring {ring} of {order} is open; next: nameplate change before {order} --ring {ring}");
                Ok(())
            }
            Act::Installed(OfRing { order, ring, by }) => {
                step(intake, Event::Installed { order: order.clone(), ring: *ring, by: by.clone() })
            }
            Act::Verify(verify) => verify.run(intake, options),
        }
    }
}

impl Verify {
    /// What the readings say is shown, whether they agree or not.
    fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        let OfRing { order, ring, by } = &self.of;
        let change = find(&intake.view.changes, order)?;
        let verdicts = change.verdicts_of(*ring);
        print::out(&page::verdicts(change, &verdicts, print::format(options)))?;
        let event = Event::Verified { order: order.clone(), ring: *ring, by: by.clone(), accepts_unproven: self.accept_unproven };
        let bad = worst(&verdicts) > Verdict::IdentityNotProven;
        allowed(&intake.view.changes, &event).map_err(|why| if bad { Failure::new(Code::Failed, why.to_string()) } else { why })?;
        put(intake, event)?;
        eprintln!("ring {ring} of {order} is verified by {by}");
        Ok(())
    }
}

impl Leave {
    pub(super) fn run(&self, intake: &mut Intake<'_>) -> Result<(), Failure> {
        let left = Left {
            assets: assets(&intake.view.catalog, &self.asset)?,
            fate: self.becomes.into(),
            reason: self.reason.clone(),
            until_ns: self.until.as_deref().map(|text| time_ns("--until", text)).transpose()?,
            by: self.by.clone(),
        };
        step(intake, Event::Left { order: self.order.clone(), left })
    }
}

impl Close {
    pub(super) fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        let accepted = self.accept_unproven.as_deref();
        let change = find(&intake.view.changes, &self.order)?;
        let undone = if change.closed.is_none() { change.undone(accepted.is_some()) } else { Vec::new() };
        if !undone.is_empty() {
            print::out(&page::verdicts(change, &undone, print::format(options)))?;
            let why = format!(
                "{} cannot be closed: {} not done and not left for a reason (`nameplate change leave`)",
                self.order,
                print::count(undone.len() as u64, "device")
            );
            return Err(Failure::new(Code::Failed, why));
        }
        let (verdicts, accepted_by) = close(intake, &self.order, &self.by, accepted)?;
        let change = find(&intake.view.changes, &self.order)?;
        let in_rings = || (1..).zip(change.plan.rings()).find_map(|(ring, _)| change.accepted(ring)).map(str::to_owned);
        let accepted_by = accepted_by.or_else(in_rings);
        print::out(&page::verdicts(change, &verdicts, print::format(options)))?;
        judged(&verdicts, accepted_by.as_deref())
    }
}

/// Closes a change: its verdicts, and who accepted an identity that is not proven.
///
/// # Errors
/// A step that is not allowed, or the state.
pub fn close(intake: &mut Intake<'_>, order: &str, by: &str, accepted_by: Option<&str>) -> Result<(Vec<Judged>, Option<String>), Failure> {
    let event = closing(find(&intake.view.changes, order)?, by, accepted_by);
    let Event::Closed { verdicts, accepted_by, .. } = &event else { return Ok((Vec::new(), None)) };
    let done = (verdicts.clone(), accepted_by.clone());
    step(intake, event)?;
    Ok(done)
}

/// The end of a change, as it would be written now.
pub fn closing(change: &Change, by: &str, accepted_by: Option<&str>) -> Event {
    let verdicts = change.verdicts();
    // In rings, who accepted what stands with each ring's verification.
    let accepted_by = accepted_by.or_else(|| change.accepted(1).filter(|_| !change.plan.is_staged())).map(str::to_owned);
    let (order, by, rests_on) = (change.plan.order.clone(), by.to_owned(), change.rests_on());
    Event::Closed { order, by, verdict: worst(&verdicts), verdicts, accepted_by, rests_on }
}

/// A step that is allowed, written durably.
fn step(intake: &mut Intake<'_>, event: Event) -> Result<(), Failure> {
    allowed(&intake.view.changes, &event)?;
    put(intake, event).map(drop)
}

/// A kind of check by its word.
///
/// # Errors
/// A sentence: there is none.
pub fn kind(word: &str) -> Result<Kind, String> {
    Kind::from_str(word, false).map_err(|_| format!("there is no check {word:?}"))
}

/// What becomes of a device that is left, by its word.
///
/// # Errors
/// A sentence: there is none.
pub fn becomes(word: &str) -> Result<Becomes, String> {
    Becomes::from_str(word, false).map_err(|_| format!("a device is left as deferred, failed or mitigated, not {word:?}"))
}

/// Devices by enough of the beginning of their ids.
///
/// # Errors
/// One that is in no catalog.
pub fn assets(catalog: &Catalog, named: &[String]) -> Result<Vec<String>, Failure> {
    named.iter().map(|id| Ok(device::find(catalog, id)?.id.clone())).collect()
}

fn sha256_of(path: &Path) -> Result<String, Failure> {
    let failed = |e: io::Error| Failure::input(path.display(), e);
    let (mut file, mut digest, mut buffer) = (File::open(path).map_err(failed)?, Sha256::new(), vec![0; BUFFER_BYTES]);
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(hex(&digest.finalize())) };
        digest.update(bytes);
    }
}
