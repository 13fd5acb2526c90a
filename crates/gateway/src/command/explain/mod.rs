//! `nameplate explain`: from a field back to the profile's rule, the observation and the bytes; from a verdict back to the document.

pub mod finding;
pub mod walk;

use clap::Args;
use nameplate_core::catalog::Asset;
use nameplate_core::claim::Field;
use nameplate_core::profile::ProfileSet;
use nameplate_core::text::printable;

use super::check::source::Sources;
use super::device::{find, open};
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::{Store, now_ns};
use crate::{print, profiles};

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
        let profiles = profiles::load(options)?;
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
    let mut text: String = walk::walks(asset, fields, store, profiles)?.iter().map(walk::Walk::shown).collect();
    if text.is_empty() {
        let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        text = format!("{}  {}: unknown\n  because        {}\n", asset.id, names.join(", "), walk::why_unknown(asset));
    }
    Ok(text)
}
