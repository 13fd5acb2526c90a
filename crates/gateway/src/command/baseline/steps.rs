//! What happens beside decisions: proposals accepted or given up, things left as they are, the rule of two persons.

use clap::Args;
use nameplate_core::baseline::{Event, Exemption, ExemptionKind};
use nameplate_core::catalog::Catalog;
use nameplate_core::ledger::Body;
use nameplate_core::profile::ProfileSet;

use super::decide::assets;
use super::exemptions;
use super::list;
use super::{admitted, usage};
use crate::cli::Options;
use crate::command::devices::moment;
use crate::failure::Failure;
use crate::state;
use crate::store::{Draft, Store, now_ns};

/// Giving up a proposal.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  nameplate baseline withdraw 41 --by Ada --reason \"the vendor took the release back\"")]
pub struct Withdraw {
    /// The proposal's entry, see `nameplate baseline list`
    #[arg(value_name = "ENTRY")]
    proposal: u64,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Leaving something as it is.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "With --finding it is that vulnerability or document, of the named devices or of all; without, it is the conformance of the\n\
                        named devices to the baseline. The verdict stays as it is, and says who answers for it; --fail-on passes over it until the\n\
                        day is over. Then it is open again, and says so. The last one recorded for the same device and finding counts.\n\n\
                        Examples:\n  \
                        nameplate baseline waive --asset a-17 --until 2027-03-01 --by Ada --reason \"replaced in the spring outage\"\n  \
                        nameplate baseline mitigate --finding CVE-2023-1234 --until 2027-06-30 --by Ada --reason \"port 102 blocked at FW-3\"\n  \
                        nameplate baseline defer --asset a-17 --finding CVE-2023-1234 --until 2027-01-15 --by Ada --reason \"no outage before\""
)]
pub struct Exempt {
    /// For this device, by its id or enough of its beginning; may be repeated
    #[arg(long = "asset", value_name = "ID", required_unless_present = "finding")]
    pub assets: Vec<String>,
    /// For this vulnerability or document: CVE-2023-1234, ICSA-24-095-02
    #[arg(long, value_name = "ID")]
    pub finding: Option<String>,
    /// Until this day's end (UTC) or time; of a deferral, when it is looked at again
    #[arg(long, value_name = "DATE", visible_alias = "review")]
    pub until: String,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Who agrees; must be another person
    #[arg(long, value_name = "NAME")]
    pub second: Option<String>,
    /// Why; of a mitigation, what it is
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// How many persons an approval needs.
#[derive(Debug, Args)]
#[command(
    after_help = "With two persons, an approval needs `propose` by one and `approve --proposal` by another, or `approve --by --second`. What was\n\
                        approved before stays approved. To go back to one person takes --second. Without --two-persons or --one-person it says\n\
                        which rule holds.\n\nExample:\n  nameplate baseline policy --two-persons --by Ada --reason \"site rule 7\""
)]
pub struct Policy {
    /// From now on an approval needs two persons
    #[arg(long, conflicts_with = "one_person", requires_all = ["by", "reason"])]
    two_persons: bool,
    /// From now on one person may approve alone
    #[arg(long, requires_all = ["by", "reason"])]
    one_person: bool,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Who agrees; must be another person
    #[arg(long, value_name = "NAME")]
    second: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

fn trimmed(text: &Option<String>) -> Option<String> {
    text.as_deref().map(|text| text.trim().to_owned())
}

/// Accepts a proposal.
pub fn accept(proposal: u64, by: String, reason: Option<String>, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
    let mut store = Store::write(&state::directory(options.state.as_ref())?)?;
    let view = store.view(None)?;
    let now = now_ns();
    let body = Body::Baseline(Event::Accepted { proposal, by, reason });
    admitted(&body, &view.baselines, profiles, now).map_err(usage)?;
    let entries = store.append(&[Draft::new(now, body)])?;
    list::new(&store, &entries, profiles, now, options)
}

impl Withdraw {
    /// Runs the command.
    pub fn run(&self, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        let mut store = Store::write(&state::directory(options.state.as_ref())?)?;
        let event = Event::Withdrawn { proposal: self.proposal, by: self.by.trim().to_owned(), reason: self.reason.trim().to_owned() };
        store.view(None)?.baselines.admits(&event).map_err(usage)?;
        let now = now_ns();
        store.append(&[Draft::new(now, Body::Baseline(event))])?;
        list::new(&store, &(self.proposal..self.proposal.saturating_add(1)), profiles, now, options)
    }
}

impl Exempt {
    /// The risk is accepted.
    pub fn waive(&self, options: &Options) -> Result<(), Failure> {
        self.record(ExemptionKind::Waiver, options)
    }

    /// Something else keeps it small.
    pub fn mitigate(&self, options: &Options) -> Result<(), Failure> {
        self.record(ExemptionKind::Mitigation, options)
    }

    /// Not now.
    pub fn defer(&self, options: &Options) -> Result<(), Failure> {
        self.record(ExemptionKind::Deferral, options)
    }

    fn record(&self, kind: ExemptionKind, options: &Options) -> Result<(), Failure> {
        let now = now_ns();
        // Judged before a state is made for it.
        self.exemption(kind, now)?;
        let mut store = Store::write(&state::directory(options.state.as_ref())?)?;
        let exemption = self.of_assets(kind, &store.view(None)?.catalog, now)?;
        let entries = store.append(&[Draft::new(now, Body::Baseline(Event::Exempted(exemption)))])?;
        exemptions::shown(&store.view(None)?.baselines, |entry| entries.contains(&entry), now, options)
    }

    /// The exemption, with the whole ids of its assets.
    ///
    /// # Errors
    /// Usage: it is none, or over already; an asset that there is not.
    pub fn of_assets(&self, kind: ExemptionKind, catalog: &Catalog, now_ns: u64) -> Result<Exemption, Failure> {
        Ok(Exemption { assets: assets(&self.assets, catalog)?, ..self.exemption(kind, now_ns)? })
    }

    fn exemption(&self, kind: ExemptionKind, now_ns: u64) -> Result<Exemption, Failure> {
        let until_ns = moment("--until", &self.until, "23:59:59.999999999")?;
        if until_ns < now_ns {
            return Err(usage(format!("--until {:?} is over already", self.until)));
        }
        let exemption = Exemption {
            kind,
            assets: self.assets.clone(),
            finding: trimmed(&self.finding),
            until_ns,
            by: self.by.trim().to_owned(),
            second: trimmed(&self.second),
            reason: self.reason.trim().to_owned(),
        };
        exemption.check().map_err(usage)?;
        Ok(exemption)
    }
}

impl Policy {
    /// Runs the command.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let directory = state::directory(options.state.as_ref())?;
        let needs = match (self.two_persons || self.one_person, &self.by, &self.reason) {
            (true, Some(by), Some(reason)) => {
                let mut store = Store::write(&directory)?;
                let (by, reason) = (by.trim().to_owned(), reason.trim().to_owned());
                let event = Event::Policy { two_persons: self.two_persons, by, second: trimmed(&self.second), reason };
                store.view(None)?.baselines.admits(&event).map_err(usage)?;
                store.append(&[Draft::new(now_ns(), Body::Baseline(event))])?;
                self.two_persons
            }
            _ => Store::read(&directory)?.map(|store| store.view(None)).transpose()?.is_some_and(|view| view.baselines.needs_two_persons()),
        };
        exemptions::policy(needs, options)
    }
}
