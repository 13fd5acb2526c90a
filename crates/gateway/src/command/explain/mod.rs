//! `nameplate explain`: from a field back to the profile's rule, the observation and the bytes; from a verdict back to the document.

pub mod finding;

use clap::Args;
use nameplate_core::catalog::{Asset, Current, Recorded};
use nameplate_core::claim::Field;
use nameplate_core::ledger::{Body, Observed};
use nameplate_core::observation::{Source, rfc3339};
use nameplate_core::profile::ProfileSet;
use nameplate_core::text::printable;

use super::check::source::Sources;
use super::device::{find, open};
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::lines::place;
use crate::store::{Store, now_ns};
use crate::{print, profiles};

/// Bytes on one line of a dump.
const DUMP_BYTES: usize = 16;

/// Walk from a field or a verdict back to what it rests on.
#[derive(Debug, Args)]
#[command(
    after_help = "From a field: the profile's rule, the observation and the bytes. From a vulnerability: the document's products, ranges as written\n\
                        and as read, the comparison with what is installed, the passages, and what the band is made of.\n\n\
                        Examples:\n  nameplate explain a-1f2e firmware_revision\n  nameplate explain a-1f2e CVE-2022-38465\n  \
                        nameplate explain p17 ICSA-24-095-02 --inventory plant.csv --advisories csaf/"
)]
pub struct Explain {
    /// The device's id, or enough of its beginning; with --inventory as the sheet has it
    #[arg(value_name = "ID")]
    id: String,
    /// A field of the nameplate (firmware_revision, model, ...), a CVE, or an advisory's id [default: all fields that are known]
    #[arg(value_name = "FIELD|CVE|ADVISORY")]
    what: Option<String>,
    /// Who is judged by what.
    #[command(flatten)]
    sources: Sources,
}

impl Explain {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, an id that is not in it, a word that is no field and no vulnerability that a document names the device for.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options.profiles.as_deref())?;
        let field = self.what.as_deref().map(|name| (name, Field::named(name)));
        if let Some((name, None)) = field {
            return print::out(&self.verdicts(name, options, &profiles)?);
        }
        let (store, view) = open(options, None)?;
        let asset = find(&view.catalog, &self.id)?;
        let fields = field.and_then(|(_, field)| field).map_or_else(|| Field::ALL.to_vec(), |field| vec![field]);
        print::out(&story(asset, &fields, &store, &profiles)?)
    }

    /// Every verdict about a vulnerability, or of a document.
    fn verdicts(&self, name: &str, options: &Options, profiles: &ProfileSet) -> Result<String, Failure> {
        let kept = self.sources.kept(options, None)?;
        let source = self.sources.findings(kept.as_ref().map(|(store, view)| (store, view)), now_ns())?.ok_or_else(|| no_field(name))?;
        let mut subjects = self.sources.subjects(kept.as_ref().map(|(_, view)| view), profiles)?;
        let asset = match (&self.sources.inventory, &kept) {
            (None, Some((_, view))) => find(&view.catalog, &self.id)?.id.clone(),
            _ => self.id.clone(),
        };
        subjects.retain(|subject| subject.installed.asset == asset);
        if subjects.is_empty() {
            return Err(Failure::new(Code::Usage, format!("no row is called {:?}", printable(&asset))));
        }
        let same = |text: &str| text.eq_ignore_ascii_case(name);
        let found = subjects.iter().flat_map(|subject| source.findings.judge(subject));
        let stories: String =
            found.filter(|found| same(&found.proof.cve) || same(&found.proof.advisory)).map(|found| finding::story(&found)).collect();
        if stories.is_empty() {
            let why = format!("{asset}: no advisory matched for {name:?} ({}); that is not \"not affected\"", source.findings.corpus());
            return Err(Failure::new(Code::Usage, why));
        }
        Ok(stories)
    }
}

fn no_field(name: &str) -> Failure {
    let names: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
    let why = "and no advisory was taken in by which a vulnerability could be explained";
    Failure::new(Code::Usage, format!("{name:?} is no field of a nameplate ({}), {why}", names.join(", ")))
}

/// The walk for each of the fields.
///
/// # Errors
/// The store's.
pub fn story(asset: &Asset, fields: &[Field], store: &Store, profiles: &ProfileSet) -> Result<String, Failure> {
    let mut text = String::new();
    for field in fields {
        for component in asset.components() {
            if let Some(current) = asset.current(component, *field) {
                text += &walk(asset, &current, store, profiles)?;
            }
        }
    }
    if text.is_empty() {
        let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        let why = if asset.why_unknown.is_empty() { "no rule gave it" } else { &asset.why_unknown };
        text = format!("{}  {}: unknown\n  because        {why}\n", asset.id, names.join(", "));
    }
    Ok(text)
}

fn walk(asset: &Asset, current: &Current<'_>, store: &Store, profiles: &ProfileSet) -> Result<String, Failure> {
    let Recorded { claim, observation, entry, .. } = current.standing;
    let body = entry.map(|index| store.entry(index)).transpose()?.map(|entry| entry.body);
    let (Some(index), Some(Body::Observation(observed))) = (*entry, body) else { return Ok(imported(asset, current)) };
    let mut text = format!("{}  {} of {} = {}\n", asset.id, claim.field.name(), claim.component, printable(&claim.value));
    text += &format!("  grade          {}\n", claim.grade.name());
    if let Some(normal) = &claim.normal {
        text += &format!("  in order as    {normal}\n");
    }
    text += &format!(
        "  profile rule   {}: {} from {}{}\n",
        claim.profile,
        claim.field.name(),
        claim.rule,
        changed(&observed, &claim.profile, profiles)
    );
    text += &format!("  observation    {}\n", observation.map_or_else(String::new, |id| id.to_string()));
    text += &format!("                 {}\n", origin(&observed));
    text += &format!("  ledger         entry {index}\n");
    let message = observed.observation.messages.get(claim.message).map(|sha256| store.payload(sha256)).transpose()?.flatten();
    text += &bytes(message.as_deref(), claim.message, claim.offset, claim.length);
    for other in &current.conflicting {
        text += &format!(
            "  says otherwise {} from {}:{} ({})\n",
            printable(&other.claim.value),
            other.claim.profile,
            other.claim.rule,
            other.claim.grade.name()
        );
    }
    Ok(text + "\n")
}

/// A claim that somebody made in a list: there are no bytes behind it.
fn imported(asset: &Asset, current: &Current<'_>) -> String {
    let Recorded { claim, source, time_ns, .. } = current.standing;
    let from = match source {
        Source::Imported { file, row } => format!("{} row {row}", printable(file)),
        Source::ByHand { by, second, photo_sha256 } => read_off(by, second.as_deref(), photo_sha256.as_deref()),
        Source::Capture { .. } | Source::Live { .. } | Source::Asked { .. } => "an entry that is no reading".to_owned(),
    };
    let how = if matches!(source, Source::ByHand { .. }) { "read" } else { "imported" };
    let (id, field, component, value) = (&asset.id, claim.field.name(), &claim.component, printable(&claim.value));
    format!(
        "{id}  {field} of {component} = {value}\n  grade          {}\n  {how:14} {} from {from}\n\n",
        claim.grade.name(),
        rfc3339(*time_ns)
    )
}

fn changed(entry: &Observed, profile: &str, profiles: &ProfileSet) -> String {
    let then = entry.profile_sha256.as_deref().unwrap_or_default();
    match profiles.get(profile) {
        Some(now) if now.sha256 == then => format!(" (profile sha256 {}…)", &then[..then.len().min(12)]),
        Some(_) => " (the profile has changed since; this is what it said then)".to_owned(),
        None => " (the profile is not loaded now)".to_owned(),
    }
}

fn origin(entry: &Observed) -> String {
    let observation = &entry.observation;
    let (time, from, question) = (rfc3339(observation.time_ns), place(&observation.address), &observation.question);
    match &observation.source {
        Source::Capture { file, frame } => format!("heard {time} in {} frame {frame}, {from} answering {question}", printable(file)),
        Source::Live { interface, frame } => format!("heard {time} on {} frame {frame}, {from} answering {question}", printable(interface)),
        Source::Asked { reason } => format!("asked {time} for {}, {from} answering {question}", printable(reason)),
        Source::Imported { file, row } => format!("imported {time} from {} row {row}", printable(file)),
        Source::ByHand { by, .. } => format!("read off by {} at {time}", printable(by)),
    }
}

/// Who read it off the device, before whom, and the photo.
fn read_off(by: &str, second: Option<&str>, photo_sha256: Option<&str>) -> String {
    let second = second.map(|second| format!(", with {}", printable(second))).unwrap_or_default();
    let photo = photo_sha256.map(|digits| format!(", photo sha256 {digits}")).unwrap_or_default();
    format!("the device itself, by {}{second}{photo}", printable(by))
}

/// The message with the value's bytes in brackets.
fn bytes(bytes: Option<&[u8]>, message: usize, offset: usize, length: usize) -> String {
    let Some(bytes) = bytes else {
        return "  bytes          missing\n".to_owned();
    };
    let mut text = format!("  bytes          message {}, {length} bytes from offset {offset}, in brackets\n", message + 1);
    for (row, chunk) in bytes.chunks(DUMP_BYTES).enumerate() {
        let start = row * DUMP_BYTES;
        let digits: String = chunk.iter().enumerate().map(|(at, byte)| cell(start + at, *byte, offset, length)).collect();
        let closing = if length > 0 && offset + length == start + chunk.len() { "]" } else { " " };
        let shown: String = chunk.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        text += &format!("    {start:04x} {digits}{closing}{:1$}  {shown}\n", "", (DUMP_BYTES - chunk.len()) * 3);
    }
    text
}

/// One byte, with what stands before it: a bracket at the value's first byte and behind its last, unless that ends the row.
fn cell(at: usize, byte: u8, offset: usize, length: usize) -> String {
    let behind = at == offset + length && length > 0 && !at.is_multiple_of(DUMP_BYTES);
    let bracket = if at == offset && length > 0 {
        '['
    } else if behind {
        ']'
    } else {
        ' '
    };
    format!("{bracket}{byte:02x}")
}
