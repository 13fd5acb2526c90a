//! Who is judged by which documents: files that the command names, or what the state has.

use std::path::PathBuf;

use clap::Args;
use nameplate_core::advisory::Advisories;
use nameplate_core::advisory::compiled::Known;
use nameplate_core::advisory::exploitation::{BadList, Exploitations, LIST_BYTES_MAX};
use nameplate_core::finding::Library;
use nameplate_core::priority::{Day, Policy};
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;

use super::findings::Findings;
use super::subject::Subject;
use crate::advisories::{self, Reader, bytes_of};
use crate::cli::Options;
use crate::failure::Failure;
use crate::state;
use crate::store::Store;

/// Largest policy that is read; the built-in one has 8 KiB.
const POLICY_BYTES_MAX: u64 = 1 << 20;

/// Who is judged by what.
#[derive(Debug, Default, Args)]
pub struct Sources {
    /// Judge the rows of this sheet instead of the catalog: columns as `nameplate import devices` takes them; others are facts that an
    /// advisory may ask for, named in its words (function_state, bundle, host, ...)
    #[arg(long, value_name = "SHEET")]
    pub inventory: Option<PathBuf>,
    /// Advisories from here instead of those that were imported: a CSAF document, a directory or a zip; may be repeated
    #[arg(long, value_name = "PATH")]
    advisories: Vec<PathBuf>,
    /// CISA's Known Exploited Vulnerabilities for those, JSON or CSV
    #[arg(long, value_name = "FILE", requires = "advisories")]
    kev: Option<PathBuf>,
    /// CISA's SSVC points for those
    #[arg(long, value_name = "FILE", requires = "advisories")]
    ssvc: Option<PathBuf>,
    /// FIRST's EPSS scores for those, CSV
    #[arg(long, value_name = "FILE", requires = "advisories")]
    epss: Option<PathBuf>,
    /// A policy of your own for bands and due dates [default: the built-in one, see docs/priority.md]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// What a check judges by, and how many files of it could not be read.
pub struct Source {
    /// The documents and lists.
    pub findings: Findings,
    /// Files of which nothing was used; each was named on standard error.
    pub unread: u64,
}

impl Sources {
    /// The state, where anything is asked of it; `None` where there is none yet.
    ///
    /// # Errors
    /// It is damaged.
    pub fn kept(&self, options: &Options, as_of_ns: Option<u64>) -> Result<Option<(Store, View)>, Failure> {
        if self.inventory.is_some() && !self.advisories.is_empty() {
            return Ok(None);
        }
        let store = Store::read(&state::directory(options.state.as_ref())?)?;
        store.map(|store| store.view(as_of_ns).map(|view| (store, view))).transpose()
    }

    /// Who is judged.
    ///
    /// # Errors
    /// The sheet cannot be read.
    pub fn subjects(&self, view: Option<&View>, profiles: &ProfileSet) -> Result<Vec<Subject>, Failure> {
        match &self.inventory {
            Some(sheet) => Subject::of_sheet(sheet),
            None => Ok(view.iter().flat_map(|view| view.catalog.assets()).flat_map(|asset| Subject::of_asset(asset, profiles)).collect()),
        }
    }

    /// What is judged by; `None` where there is no document.
    ///
    /// # Errors
    /// A path, a list or the policy cannot be read.
    pub fn findings(&self, kept: Option<(&Store, &View)>, now_ns: u64) -> Result<Option<Source>, Failure> {
        let today = Day::of_ns(now_ns);
        if self.advisories.is_empty() {
            let Some((store, view)) = kept.filter(|(_, view)| view.advisories.documents().next().is_some()) else { return Ok(None) };
            let Known { advisories, exploitations } = advisories::kept(store, &view.advisories)?;
            let findings = Findings::of(Library::of(advisories), exploitations, self.policy()?, today);
            return Ok(Some(Source { findings, unread: 0 }));
        }
        let mut set = Advisories::default();
        let mut reader = Reader::new(|document| {
            set.take(document.advisory);
        });
        self.advisories.iter().try_for_each(|path| reader.path(path))?;
        for problem in &reader.problems {
            let at = if problem.at.is_empty() { String::new() } else { format!(" (at {})", problem.at) };
            eprintln!("{}: nothing of it was used: {}{at}", problem.file, problem.why);
        }
        let unread = reader.problems.len() as u64;
        drop(reader);
        let library = Library::of(set.into_current());
        Ok(Some(Source { findings: Findings::of(library, self.exploitations()?, self.policy()?, today), unread }))
    }

    fn exploitations(&self) -> Result<Exploitations, Failure> {
        let mut all = Exploitations::default();
        let mut take = |path: &Option<PathBuf>, take: fn(&mut Exploitations, &[u8]) -> Result<u32, BadList>| {
            let Some(path) = path else { return Ok(()) };
            let bytes = bytes_of(path, LIST_BYTES_MAX as u64).map_err(|why| Failure::input(path.display(), why))?;
            take(&mut all, &bytes).map(drop).map_err(|bad| Failure::input(path.display(), bad))
        };
        take(&self.kev, Exploitations::take_kev)?;
        take(&self.ssvc, Exploitations::take_ssvc)?;
        take(&self.epss, Exploitations::take_epss)?;
        Ok(all)
    }

    /// The owner's policy, else the built-in one.
    fn policy(&self) -> Result<Policy, Failure> {
        let Some(path) = &self.policy else { return Ok(Policy::built_in().clone()) };
        let bytes = bytes_of(path, POLICY_BYTES_MAX).map_err(|why| Failure::input(path.display(), why))?;
        let text = String::from_utf8(bytes).map_err(|_| Failure::input(path.display(), "not UTF-8"))?;
        Policy::read(&text).map_err(|invalid| Failure::input(path.display(), invalid))
    }
}
