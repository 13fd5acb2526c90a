//! `nameplate baseline`: which releases may run. Each decision is an entry of the ledger; none is ever taken out.

mod candidates;
pub mod decide;
pub mod exchange;
pub mod exemptions;
pub mod list;
pub mod sets;
pub mod steps;

use clap::{Args, Subcommand};
use nameplate_core::baseline::{Baselines, Decision, Event, Proposed};
use nameplate_core::ledger::Body;
use nameplate_core::profile::ProfileSet;

pub use exchange::Import;

use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::profiles;

/// Approve and disapprove releases.
#[derive(Debug, Args)]
pub struct Baseline {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A release may run; or accept what somebody else proposed
    Approve(decide::Approve),
    /// A release must not run
    Disapprove(decide::Decide),
    /// A release is being tested, and not approved yet
    InTest(decide::Decide),
    /// A release was approved once, and another took its place
    Supersede(decide::Decide),
    /// A release is not for this product or this site
    NotApplicable(decide::Decide),
    /// Propose a decision; another person approves it
    Propose(decide::Propose),
    /// List the fixes that advisories offer; with --propose, propose them
    Candidates(candidates::Candidates),
    /// Give up a proposal
    Withdraw(steps::Withdraw),
    /// Leave a device or a vulnerability as it is: the risk is accepted until a day
    Waive(steps::Exempt),
    /// Leave it as it is: something else keeps the risk small until a day
    Mitigate(steps::Exempt),
    /// Do not patch now: look at it again on a day
    Defer(steps::Exempt),
    /// Say whether an approval needs two persons
    Policy(steps::Policy),
    /// List every decision and proposal, and what became of it
    List(list::List),
    /// List what is left as it is, and until when
    Exemptions(exemptions::Exemptions),
    /// Judge the sets of releases that are approved together
    Sets(sets::Sets),
    /// Write the decisions that are in force as a file for another site
    Export(exchange::Export),
}

/// A rule of baselines that a command breaks.
fn usage(why: impl ToString) -> Failure {
    Failure::new(Code::Usage, why.to_string())
}

/// Whether this may be recorded now: by the rule of two persons, and by the document that a decision rests on.
///
/// # Errors
/// The rule that it breaks: a sentence.
pub fn admitted(body: &Body, baselines: &Baselines, profiles: &ProfileSet, now_ns: u64) -> Result<(), String> {
    match body {
        Body::Approval(approval) => baselines.admits_approval(approval),
        Body::Baseline(event) => baselines.admits(event),
        _ => Ok(()),
    }
    .map_err(|why| why.to_string())?;
    let approval = match body {
        Body::Approval(approval) => Some(approval),
        Body::Baseline(Event::Proposed { what: Proposed::Release(approval) }) => Some(approval),
        Body::Baseline(Event::Accepted { proposal, .. }) => {
            baselines.proposals().find(|one| one.index == *proposal).and_then(|one| match &one.what {
                Proposed::Release(approval) => Some(approval),
                Proposed::Set(_) => None,
            })
        }
        _ => None,
    };
    match approval.and_then(|approval| baselines.contradicted(approval, list::order(approval, profiles), now_ns)) {
        Some((_, why)) => Err(why),
        None => Ok(()),
    }
}

impl Baseline {
    /// Runs the command.
    ///
    /// # Errors
    /// Usage: a decision that is none; the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles: ProfileSet = profiles::load(options)?;
        match &self.what {
            What::Approve(approve) => approve.run(options, &profiles),
            What::Disapprove(decide) => decide.run(Decision::Disapproved, options, &profiles),
            What::InTest(decide) => decide.run(Decision::InTest, options, &profiles),
            What::Supersede(decide) => decide.run(Decision::Superseded, options, &profiles),
            What::NotApplicable(decide) => decide.run(Decision::NotApplicable, options, &profiles),
            What::Propose(propose) => propose.run(options, &profiles),
            What::Candidates(candidates) => candidates.run(options, &profiles),
            What::Withdraw(withdraw) => withdraw.run(options, &profiles),
            What::Waive(exempt) => exempt.waive(options),
            What::Mitigate(exempt) => exempt.mitigate(options),
            What::Defer(exempt) => exempt.defer(options),
            What::Policy(policy) => policy.run(options),
            What::List(list) => list.run(options, &profiles),
            What::Exemptions(list) => list.run(options),
            What::Sets(sets) => sets.run(options, &profiles),
            What::Export(export) => export.run(options, &profiles),
        }
    }
}
