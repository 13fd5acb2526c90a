//! What happens to baselines beside a decision itself: proposals and what became of them, sets, exemptions, and the rule of two persons.
//!
//! Every rule about persons is kept here, where entries become decisions, so that no way to write an entry gets around it.

use serde::{Deserialize, Serialize};

use super::approval::{need, person, texts, two};
use super::exemption::Exemption;
use super::set::{CompatibilitySet, DecidedSet};
use super::{Approval, Baselines, Decided, Decision, Invalid, Track};
use crate::version::Order;

/// One step, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// Somebody proposes a decision; another person may accept it.
    Proposed {
        /// What is proposed. `by` in it is who proposes.
        what: Proposed,
    },
    /// A proposal becomes a decision.
    Accepted {
        /// The proposal's entry.
        proposal: u64,
        /// Who accepts; another person than the proposer.
        by: String,
        /// Why, where more is to be said than the proposal says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A proposal is given up.
    Withdrawn {
        /// The proposal's entry.
        proposal: u64,
        /// Who says so.
        by: String,
        /// Why.
        reason: String,
    },
    /// Releases are approved together.
    Set(CompatibilitySet),
    /// Something is left as it is, for a reason and a time.
    Exempted(Exemption),
    /// How many persons an approval needs from now on.
    Policy {
        /// True: two.
        two_persons: bool,
        /// Who says so.
        by: String,
        /// Who agrees; needed where two persons were the rule and shall not be any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<String>,
        /// Why.
        reason: String,
    },
}

/// What can be proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proposed {
    /// A decision on releases.
    Release(Approval),
    /// A set of releases.
    Set(CompatibilitySet),
}

impl Proposed {
    /// Who proposes.
    #[must_use]
    pub fn by(&self) -> &str {
        match self {
            Self::Release(approval) => &approval.by,
            Self::Set(set) => &set.by,
        }
    }

    /// Whether it may be recorded.
    ///
    /// # Errors
    /// [`Invalid`], as of the decision; or that it names the second person already.
    pub fn check(&self) -> Result<(), Invalid> {
        let second = match self {
            Self::Release(approval) => approval.check().map(|()| &approval.second)?,
            Self::Set(set) => set.check().map(|()| &set.second)?,
        };
        need(second.is_none(), "a proposal is one person's; the second one accepts it")
    }
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// It waits for another person.
    Waits,
    /// It is a decision, made by this entry.
    Accepted(u64),
    /// It was given up, by this entry.
    Withdrawn(u64),
}

/// A proposal and the entry it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The entry's index.
    pub index: u64,
    /// When it was recorded, in nanoseconds since 1970.
    pub time_ns: u64,
    /// What is proposed.
    pub what: Proposed,
    /// What became of it.
    pub became: Became,
}

impl Baselines {
    /// Takes the next step. One that is not admitted does not count; see [`Baselines::set_aside`].
    pub fn take_event(&mut self, event: &Event, index: u64, time_ns: u64) {
        if let Err(why) = self.admits(event) {
            self.set_aside.push((index, why));
            return;
        }
        match event {
            Event::Proposed { what } => self.proposals.push(Proposal { index, time_ns, what: what.clone(), became: Became::Waits }),
            Event::Accepted { proposal, by, .. } => self.accept(*proposal, by, index, time_ns),
            Event::Withdrawn { proposal, .. } => {
                if let Some(waiting) = self.proposals.iter_mut().find(|waiting| waiting.index == *proposal) {
                    waiting.became = Became::Withdrawn(index);
                }
            }
            Event::Set(set) => self.sets.push(DecidedSet::new(set.clone(), index, time_ns)),
            Event::Exempted(exemption) => {
                self.exempted.push((index, exemption.clone()));
                self.exempted_ns.push(time_ns);
            }
            Event::Policy { two_persons, .. } => self.two_persons = *two_persons,
        }
    }

    fn accept(&mut self, proposal: u64, by: &str, index: u64, time_ns: u64) {
        let Some(waiting) = self.proposals.iter_mut().find(|waiting| waiting.index == proposal) else { return };
        waiting.became = Became::Accepted(index);
        let second = Some(by.trim().to_owned());
        match waiting.what.clone() {
            Proposed::Release(approval) => {
                self.decided.push(Decided::new(Approval { second, ..approval }, index, time_ns, Some(proposal)));
            }
            Proposed::Set(set) => self.sets.push(DecidedSet::new(CompatibilitySet { second, ..set }, index, time_ns)),
        }
    }

    /// Whether a step may be taken now.
    ///
    /// # Errors
    /// The rule that it breaks: a sentence.
    pub fn admits(&self, event: &Event) -> Result<(), Invalid> {
        match event {
            Event::Proposed { what } => what.check(),
            Event::Accepted { proposal, by, reason } => {
                let waiting = self.waiting(*proposal)?;
                texts([by].into_iter().chain(reason))?;
                let other = person(waiting.what.by()) != person(by);
                need(other && !person(by).is_empty(), "who proposed it does not approve it; another person has to")
            }
            Event::Withdrawn { proposal, by, reason } => {
                self.waiting(*proposal)?;
                texts([by, reason].into_iter())
            }
            Event::Set(set) => {
                set.check()?;
                self.enough_persons(set.second.as_deref())
            }
            Event::Exempted(exemption) => exemption.check(),
            Event::Policy { two_persons, by, second, reason } => {
                texts([by, reason].into_iter().chain(second))?;
                two(by, second.as_deref())?;
                let alone = self.two_persons && !two_persons && second.is_none();
                need(!alone, "two persons are the rule; it takes two to lift it: name --second")
            }
        }
    }

    /// Whether a decision may be recorded now, as far as persons are concerned: an approval, and what takes the place of a disapproval,
    /// needs two where two are the rule.
    ///
    /// # Errors
    /// As [`Baselines::admits`].
    pub fn admits_approval(&self, approval: &Approval) -> Result<(), Invalid> {
        let owners_yes = approval.decision == Decision::Approved && approval.track == Track::Owner;
        if !self.two_persons || !(owners_yes || self.lifts(approval)) {
            return Ok(());
        }
        two(&approval.by, approval.second.as_deref())?;
        self.enough_persons(approval.second.as_deref())
    }

    /// Whether a disapproval would be gone with this one. Another disapproval that ends takes it along, too.
    fn lifts(&self, approval: &Approval) -> bool {
        if approval.decision == Decision::Disapproved && approval.until_ns.is_none() {
            return false;
        }
        let new = Decided::new(approval.clone(), u64::MAX, 0, None);
        // Which texts name one release, only a profile knows: this order calls the same what any does.
        let mut disapproved = self.decided.iter().filter(|old| old.approval.decision == Decision::Disapproved);
        disapproved.any(|old| {
            old.is_replaced_by(&new, Order::Dotted)
                || (old.is_of_part(&new) && old.yields_to(&new) && approval.decision != Decision::Disapproved)
        })
    }

    fn enough_persons(&self, second: Option<&str>) -> Result<(), Invalid> {
        need(!self.two_persons || second.is_some(), "this needs two persons here: propose it, or name --second")
    }

    fn waiting(&self, proposal: u64) -> Result<&Proposal, Invalid> {
        let found = self.proposals.iter().find(|one| one.index == proposal);
        let found = found.ok_or_else(|| Invalid(format!("entry {proposal} is no proposal; see `nameplate baseline list`")))?;
        match found.became {
            Became::Waits => Ok(found),
            Became::Accepted(by) => Err(Invalid(format!("the proposal was accepted by entry {by}"))),
            Became::Withdrawn(by) => Err(Invalid(format!("the proposal was withdrawn by entry {by}"))),
        }
    }
}
