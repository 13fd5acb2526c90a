//! Findings for pages and the API: the documents are read once and kept until others were taken in or the day is another; devices are judged when it is asked.

use std::sync::{Arc, Mutex, PoisonError};

use nameplate_core::priority::Day;
use nameplate_core::view::View;

use super::problem::Problem;
use crate::command::check::findings::{Findings, Found};
use crate::command::check::source::Sources;
use crate::command::check::subject::Subject;
use crate::house::{House, Known};
use crate::store::Store;

/// Deliveries that were taken in, and the day: what findings are made of stays as long as these do.
type Edition = (usize, Day);

/// The documents that were read last.
#[derive(Default)]
pub struct Judged(Mutex<Option<(Edition, Option<Arc<Findings>>)>>);

impl Judged {
    /// What findings are made of; `None` where no advisory was taken in. One thread reads documents, the others wait for it.
    ///
    /// # Errors
    /// The store's.
    pub fn findings(&self, house: &House) -> Result<Option<Arc<Findings>>, Problem> {
        let edition = |view: &View, now_ns| (view.advisories.taken_ns().len(), Day::of_ns(now_ns));
        let now = house.known(|known| edition(known.view, known.now_ns));
        // Without one there is nothing to read, and on a full disk there is no room to open a database in.
        if now.0 == 0 {
            return Ok(None);
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, findings)) = kept.as_ref().filter(|(of, _)| *of == now) {
            return Ok(findings.clone());
        }
        let store = Store::read(&house.directory)?;
        let read = house.known(|known| match &store {
            Some(store) => Sources::default().findings(Some((store, known.view)), known.now_ns),
            None => Ok(None),
        });
        let findings = read?.map(|source| Arc::new(source.findings));
        *kept = Some((now, findings.clone()));
        Ok(findings)
    }
}

impl Judged {
    /// Looks at what the documents say of every device, or of one; the findings are `None` where no advisory was taken in.
    ///
    /// # Errors
    /// The store's, and what `look` says.
    pub fn look<T>(
        &self,
        house: &House,
        asset: Option<&str>,
        look: impl FnOnce(&Known<'_>, Option<&Findings>, &[Found<'_>]) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let findings = self.findings(house)?;
        house.known(|known| {
            let subjects = subjects(known, asset);
            let found: Vec<Found<'_>> = findings.iter().flat_map(|findings| found(findings, &subjects, known)).collect();
            look(known, findings.as_deref(), &found)
        })
    }
}

/// Every part of every device, or of one, as documents know it.
pub fn subjects(known: &Known<'_>, asset: Option<&str>) -> Vec<Subject> {
    let assets = known.view.catalog.assets().filter(|one| asset.is_none_or(|id| one.id == id));
    assets.flat_map(|asset| Subject::of_asset(asset, known.profiles)).collect()
}

/// What the documents say of these parts, and what became of it.
pub fn found<'a>(findings: &'a Findings, subjects: &'a [Subject], known: &Known<'_>) -> impl Iterator<Item = Found<'a>> {
    subjects.iter().flat_map(|subject| findings.judge_in(subject, known.view, known.now_ns))
}
