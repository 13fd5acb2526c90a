//! The fold: what is known after so many entries of the ledger. Behind the last of them [`View::settle`] brings it into the order of time.

use crate::account::Accounts;
use crate::advisory::Held;
use crate::baseline::Baselines;
use crate::catalog::{Catalog, Told};
use crate::change::Changes;
use crate::finding::evaluation::Evaluated;
use crate::happening::Happenings;
use crate::ledger::{Body, Entry, Replayed};
use crate::observation::{Id, Observation};
use crate::patching::Patches;
use crate::sheet::Looked;
use crate::update::Updates;

/// What is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Assets and their claims.
    pub catalog: Catalog,
    /// Approved and disapproved releases.
    pub baselines: Baselines,
    /// Changes, open and closed.
    pub changes: Changes,
    /// Advisories and lists that were taken in, by hash.
    pub advisories: Held,
    /// Evaluations of devices against advisories, as they were recorded.
    pub evaluations: Vec<Evaluated>,
    /// What was seen to be done to devices.
    pub happenings: Happenings,
    /// Who may do what on this gateway.
    pub accounts: Accounts,
    /// Updates that were applied.
    pub updates: Updates,
    /// What patch servers say.
    pub patches: Patches,
    /// Where was looked.
    pub looked: Looked,
}

impl View {
    /// Takes the next entry. Entries come in the order of their indices, each once.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Observation(observed) => {
                let Observation { address, source, time_ns, .. } = &observed.observation;
                self.looked.take(address, source, *time_ns);
                self.catalog.take_entry(&observed.observation, &observed.interpretation, Some(entry.index));
            }
            Body::Import(import) => self.catalog.import(import, entry.time_ns, Some(entry.index)),
            Body::Hand(hand) => self.catalog.hand(hand, entry.time_ns, Some(entry.index)),
            Body::Advisories(delivery) => self.advisories.take(delivery, entry.time_ns),
            Body::Approval(approval) => self.baselines.take(approval, entry.index, entry.time_ns),
            Body::Baseline(event) => self.baselines.take_event(event, entry.index, entry.time_ns),
            Body::Change(event) => self.changes.take(event, entry.index, entry.time_ns),
            Body::Happening(happening) => self.happenings.take(happening, entry.index),
            Body::Account(event) => self.accounts.take(event, entry.index, entry.time_ns),
            Body::Patches(report) => self.patches.take(report, entry.index, entry.time_ns),
            Body::Update(event) => self.updates.take(event, entry.index, entry.time_ns),
            Body::Evaluation(evaluation) if evaluation.check().is_ok() => {
                self.evaluations.push(Evaluated { index: entry.index, time_ns: entry.time_ns, evaluation: evaluation.clone() });
            }
            Body::Evaluation(_) | Body::Key { .. } | Body::KeyChange { .. } | Body::Touch { .. } | Body::Evidence { .. } => {}
        }
    }

    /// Brings what came late to its own time; see [`Catalog::settle`].
    pub fn settle(&mut self) {
        self.catalog.settle();
    }

    /// As [`View::apply`], with what a [`crate::ledger::Replay`] made of a record.
    pub fn replay(&mut self, replayed: &Replayed) {
        match replayed {
            Replayed::Reading { index, outline, source, time_ns, digest, said } => {
                self.looked.take(outline.address(), source, *time_ns);
                self.catalog.fold_in(Told { outline, source, time_ns: *time_ns, id: Id(*digest), entry: Some(*index) }, said);
            }
            Replayed::Entry(entry) => self.apply(entry),
            Replayed::Nothing => {}
        }
    }
}
