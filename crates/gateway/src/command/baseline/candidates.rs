//! What advisories offer as fixes, as candidates for a baseline: shown with the publisher's own words, and proposed where somebody says so.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use nameplate_core::advisory::{Advisories, Advisory, Product, Release};
use nameplate_core::baseline::{Candidate, Event};
use nameplate_core::ledger::Body;
use nameplate_core::profile::ProfileSet;
use serde::Serialize;

use super::list::{self, order, shape};
use super::usage;
use crate::advisories::{self, Reader};
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};
use crate::{print, state};

/// Candidates that one command proposes: a person reads each of them before accepting it, and nobody reads more.
const PROPOSALS_MAX: usize = 100;

/// Listing what advisories offer.
#[derive(Debug, Args)]
#[command(
    after_help = "A candidate is the one release that a vendor_fix of a CSAF document tells to go to, with the text letter by letter. A fix\n\
                        that lies inside the range that the document calls affected is no candidate: it is named on standard error. Nothing is\n\
                        approved by being listed. With --propose what is listed becomes proposals, as `nameplate baseline propose` makes them;\n\
                        another person accepts each: `nameplate baseline approve --proposal ENTRY --by NAME`.\n\n\
                        Examples:\n  \
                        nameplate baseline candidates --product \"SCALANCE X204\"\n  \
                        nameplate baseline candidates --advisories csaf/ --document SSA-480230 --format csv\n  \
                        nameplate baseline candidates --document SSA-480230 --product \"SCALANCE X204\" --propose --by Ada"
)]
pub struct Candidates {
    /// Advisories from here instead of those that were imported: a CSAF document, a directory or a zip; may be repeated
    #[arg(long, value_name = "PATH")]
    advisories: Vec<PathBuf>,
    /// Only of this document, by its id
    #[arg(long, value_name = "ID")]
    document: Option<String>,
    /// Only for products whose maker and name hold these words
    #[arg(long, value_name = "TEXT")]
    product: Option<String>,
    /// Propose what is listed. Needs --by, and --document or --product
    #[arg(long, requires = "by")]
    propose: bool,
    /// Who proposes it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// A candidate, as a program reads it.
#[derive(Serialize)]
struct Line {
    document: String,
    publisher: String,
    manufacturer: String,
    model: String,
    affected: String,
    release: String,
    /// The remediation, letter by letter.
    text: String,
    document_sha256: String,
    #[serde(skip)]
    candidate: Candidate,
}

const HEADER: [&str; 7] = ["document", "manufacturer", "model", "affected", "release", "text", "document_sha256"];

impl Candidates {
    /// Runs the command.
    ///
    /// # Errors
    /// Advisories that cannot be read; with `--propose` a rule of baselines, and the state.
    pub fn run(&self, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        if self.propose && self.document.is_none() && self.product.is_none() {
            return Err(usage("propose which of them? Name --document, or --product"));
        }
        let (documents, unread) = self.documents(options)?;
        let (lines, inside) = self.lines(&documents);
        let cells = lines.iter().map(|line| {
            [&line.document, &line.manufacturer, &line.model, &line.affected, &line.release, &line.text, &line.document_sha256]
                .map(String::clone)
                .to_vec()
        });
        let shown = |format| shape(&HEADER, &cells.clone().collect::<Vec<_>>(), || lines.iter().map(print::json_line).collect(), format);
        inside.iter().for_each(|why| eprintln!("no candidate: {why}"));
        let found = print::count(lines.len() as u64, "candidate");
        if self.propose {
            self.proposed(lines, options, profiles)?;
            eprintln!("{found} proposed; another person has to accept each");
        } else {
            print::out(&shown(print::format(options)))?;
            eprintln!("{found}; nothing is approved by being listed");
        }
        if unread > 0 {
            return Err(Failure::new(Code::Input, format!("{} could not be read", print::count(unread, "file"))));
        }
        Ok(())
    }

    /// The current documents, and how many files of which nothing was used.
    fn documents(&self, options: &Options) -> Result<(Vec<Advisory>, u64), Failure> {
        if self.advisories.is_empty() {
            let Some(store) = Store::read(&state::directory(options.state.as_ref())?)? else { return Ok((Vec::new(), 0)) };
            let view = store.view(None)?;
            return Ok((advisories::kept(&store, &view.advisories)?.advisories, 0));
        }
        let mut set = Advisories::default();
        let mut reader = Reader::new(|document| {
            set.take(document.advisory);
        });
        self.advisories.iter().try_for_each(|path| reader.path(path))?;
        reader.problems.iter().for_each(|problem| eprintln!("{}: nothing of it was used: {}", problem.file, problem.why));
        let unread = reader.problems.len() as u64;
        drop(reader);
        Ok((set.into_current(), unread))
    }

    /// Each candidate once, and each fix that is none because it is affected itself.
    fn lines(&self, documents: &[Advisory]) -> (Vec<Line>, BTreeSet<String>) {
        let (mut lines, mut inside, mut seen) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let is_named = |advisory: &&Advisory| self.document.as_ref().is_none_or(|id| id.trim().eq_ignore_ascii_case(&advisory.id));
        for advisory in documents.iter().filter(is_named) {
            for (fix, product) in offered(advisory).filter(|(_, product)| self.is_product(product)) {
                let candidate = match Candidate::of(fix, product, advisory, None, self.by.as_deref().unwrap_or_default().trim()) {
                    Ok(Some(candidate)) => candidate,
                    Ok(None) => continue,
                    Err(why) => {
                        inside.insert(why.to_string());
                        continue;
                    }
                };
                let line = Line {
                    document: advisory.id.clone(),
                    publisher: advisory.publisher.clone(),
                    manufacturer: product.vendor.clone(),
                    model: product.name.clone(),
                    affected: written(&product.release).to_owned(),
                    release: candidate.approval.release.clone(),
                    text: fix.details.clone(),
                    document_sha256: advisory.sha256.clone(),
                    candidate,
                };
                if seen.insert((
                    line.document.clone(),
                    line.manufacturer.clone(),
                    line.model.clone(),
                    line.affected.clone(),
                    line.release.clone(),
                )) {
                    lines.push(line);
                }
            }
        }
        (lines, inside)
    }

    fn is_product(&self, product: &Product) -> bool {
        let Some(wanted) = &self.product else { return true };
        let name = format!("{} {}", product.vendor, product.name).to_lowercase();
        wanted.to_lowercase().split_whitespace().all(|word| name.split_whitespace().any(|own| own == word))
    }

    /// Records them as proposals; nothing of them, where one breaks a rule.
    fn proposed(&self, lines: Vec<Line>, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        if lines.is_empty() || lines.len() > PROPOSALS_MAX {
            return Err(usage(format!("{} to propose; one to {PROPOSALS_MAX} at once", print::count(lines.len() as u64, "candidate"))));
        }
        let mut store = Store::write(&state::directory(options.state.as_ref())?)?;
        let (view, now) = (store.view(None)?, now_ns());
        let mut drafts = Vec::new();
        for line in lines {
            let approval = &line.candidate.approval;
            approval.check().map_err(usage)?;
            if let Some((_, why)) = view.baselines.contradicted(approval, order(approval, profiles), now) {
                return Err(usage(why));
            }
            let event = Event::Proposed { what: line.candidate.proposed() };
            view.baselines.admits(&event).map_err(usage)?;
            drafts.push(Draft::new(now, Body::Baseline(event)));
        }
        let entries = store.append(&drafts)?;
        list::new(&store, &entries, profiles, now, options)
    }
}

/// Each remediation with each product that it is for.
fn offered(advisory: &Advisory) -> impl Iterator<Item = (&nameplate_core::advisory::Remediation, &Product)> {
    let all = || (0..).take(advisory.products.len());
    let fixes = advisory.vulnerabilities.iter().flat_map(|vulnerability| &vulnerability.remediations);
    fixes.flat_map(move |fix| {
        let products: Vec<u32> = if fix.products.is_empty() { all().collect() } else { fix.products.clone() };
        products.into_iter().filter_map(move |place| Some((fix, advisory.products.get(place as usize)?)))
    })
}

fn written(release: &Release) -> &str {
    match release {
        Release::Every => "",
        Release::Version(text) | Release::Range(text) => text,
    }
}
