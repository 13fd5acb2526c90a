//! `check --record`: what came of a check as an entry of the ledger, which a person stands by.

use std::collections::BTreeSet;

use clap::Args;
use nameplate_core::finding::evaluation::Evaluation;
use nameplate_core::ledger::Body;
use nameplate_core::view::View;

use super::findings::{Findings, Tally};
use super::subject::Subject;
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::state;
use crate::store::{Draft, Store, now_ns};

/// Who stands by it.
#[derive(Debug, Args)]
pub struct Record {
    /// Record it as an evaluation of all devices against all advisories (NERC CIP-007-6 R2, part 2.2)
    #[arg(long, requires = "by", conflicts_with_all = ["as_of", "since", "inventory", "advisories"])]
    record: bool,
    /// Who stands by the evaluation
    #[arg(long, value_name = "NAME", requires = "record")]
    by: Option<String>,
    /// What is to be said beside it
    #[arg(long, value_name = "TEXT", requires = "record")]
    note: Option<String>,
}

impl Record {
    /// Appends it, where that was asked for.
    ///
    /// # Errors
    /// Usage; the state.
    pub fn keep(
        &self,
        findings: &Findings,
        subjects: &[Subject],
        tally: &Tally,
        view: Option<&View>,
        options: &Options,
    ) -> Result<(), Failure> {
        let Some((view, by)) = view.zip(self.by.as_ref()).filter(|_| self.record) else { return self.refuse_if_asked() };
        let (components, unnamed, verdicts) = tally.counts();
        let (documents, newest) = findings.extent();
        let devices: BTreeSet<&str> = subjects.iter().map(|subject| subject.installed.asset.as_str()).collect();
        let evaluation = Evaluation {
            advisories_sha256: view.advisories.sha256(),
            by: by.trim().to_owned(),
            components,
            devices: devices.len() as u64,
            documents,
            newest: newest.map(str::to_owned),
            note: self.note.as_ref().map(|note| note.trim().to_owned()),
            unnamed,
            verdicts,
        };
        evaluation.check().map_err(|why| Failure::new(Code::Usage, why))?;
        let mut store = Store::write(&state::directory(options.state.as_ref())?)?;
        // What came in while the findings were printed was not looked at.
        if store.view(None)?.advisories.sha256() != evaluation.advisories_sha256 {
            return Err(Failure::new(Code::Refused, "advisories came in meanwhile: nothing was recorded, check again"));
        }
        let entries = store.append(&[Draft::new(now_ns(), Body::Evaluation(evaluation))])?;
        eprintln!("recorded as entry {}: {} stands by it", entries.start, by.trim());
        Ok(())
    }

    /// There is nothing to record.
    ///
    /// # Errors
    /// Usage, where it was asked for.
    pub fn refuse_if_asked(&self) -> Result<(), Failure> {
        if self.record { Err(Failure::new(Code::Usage, "no advisory was looked at: there is no evaluation to record")) } else { Ok(()) }
    }
}
