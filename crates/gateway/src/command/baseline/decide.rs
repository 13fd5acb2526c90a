//! Decisions from the command line: approve, disapprove, in test, superseded, not applicable; and proposing one.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use nameplate_core::baseline::{Approval, Decision, Event, Origin, OriginKind, ProductLine, Proposed, Track};
use nameplate_core::catalog::Catalog;
use nameplate_core::claim::{Field, OWN_COMPONENT};
use nameplate_core::ledger::Body;
use nameplate_core::profile::ProfileSet;

use super::list;
use super::{admitted, usage};
use crate::cli::Options;
use crate::command::device::find;
use crate::command::devices::moment;
use crate::failure::Failure;
use crate::state;
use crate::store::{Draft, Store, now_ns};

/// What a decision is made of.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "A later decision on the same release in the same words (product, part, scope) takes the place of the earlier one. Between\n\
                        scopes the later one counts, but an approval for all does not lift the disapproval of a device, and no range does.\n\n\
                        Examples:\n  \
                        nameplate baseline approve --profile computec/cws06 --release v3.170 --by Ada --second Grace --reason \"tested, WO-17\"\n  \
                        nameplate baseline propose --profile computec/cws06 --release v3.180 --by Ada --reason \"bench test passed\"\n  \
                        nameplate baseline approve --proposal 41 --by Grace\n  \
                        nameplate baseline disapprove --manufacturer Wurm --model Multigate --release 1.2 --by Ada --reason \"loses its clock\"\n  \
                        nameplate baseline disapprove --manufacturer Siemens --model \"SCALANCE X204\" --range \"< V5.2.5\" --by Ada --reason SSA-1"
)]
pub struct Decide {
    /// The product line: a profile's id, see `nameplate profile list`
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
    /// The maker, as devices or sheets say it; upper and lower case are the same
    #[arg(long, value_name = "TEXT")]
    pub manufacturer: Option<String>,
    /// The model
    #[arg(long, value_name = "TEXT")]
    pub model: Option<String>,
    /// The order or product code
    #[arg(long, value_name = "TEXT")]
    pub product_code: Option<String>,
    /// Which part of the device: self, communication-module, cpu, gateway [default: the profile's only part, else self]
    #[arg(long, value_name = "ROLE")]
    pub part: Option<String>,
    /// Which of its revisions
    #[arg(long, value_name = "FIELD", default_value = "firmware_revision")]
    pub field: String,
    /// The release, as the device says it
    #[arg(long, value_name = "TEXT", conflicts_with = "range")]
    pub release: Option<String>,
    /// Or a range of releases, as advisories write it: "< V5.2.5", ">= 2.0 and < 2.4"
    #[arg(long, value_name = "RANGE")]
    pub range: Option<String>,
    /// For these hardware revisions only: "A | B", or a range ">= 5"
    #[arg(long, value_name = "RANGE")]
    pub hardware: Option<String>,
    /// For devices whose sheet says so: site, zone, role, tag, system or integrator; may be repeated, then all must fit
    #[arg(long, value_name = "COLUMN=TEXT", value_parser = scope)]
    pub scope: Vec<(String, String)>,
    /// In force from this day's begin (UTC) or time on [default: from ever]
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// In force until this day's end (UTC) or time [default: without end]
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// For this device only, by its id or enough of its beginning; may be repeated [default: for all]
    #[arg(long = "asset", value_name = "ID")]
    pub assets: Vec<String>,
    /// Of the approved releases this is the one to go to
    #[arg(long)]
    pub preferred: bool,
    /// This is what the vendor says, not what the owner decides: it stands beside the verdict. Needs --document
    #[arg(long, requires = "document")]
    pub vendor: bool,
    /// The document it rests on: a bulletin's number, with its page
    #[arg(long, value_name = "NAME")]
    pub document: Option<String>,
    /// SHA-256 of that document
    #[arg(long, value_name = "HEX", requires = "document")]
    pub document_sha256: Option<String>,
    /// What the document says, letter by letter
    #[arg(long, value_name = "TEXT", requires = "document")]
    pub text: Option<String>,
    /// What the document calls affected; a release inside of it cannot be approved as the fix. May be repeated
    #[arg(long, value_name = "RANGE", requires = "document")]
    pub affected: Vec<String>,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Who agrees, where two have to; must be another person
    #[arg(long, value_name = "NAME")]
    pub second: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Approving: a release, or what somebody proposed.
#[derive(Debug, Args)]
pub struct Approve {
    /// Accept this proposal: its entry, see `nameplate baseline list`. Needs --by, another person than who proposed it
    #[arg(long, value_name = "ENTRY", conflicts_with_all = ["profile", "manufacturer", "model", "product_code", "part", "release", "range", "hardware", "scope", "from", "until", "assets", "preferred", "document", "vendor", "second"])]
    proposal: Option<u64>,
    #[command(flatten)]
    decide: Decide,
}

/// Proposing a decision.
#[derive(Debug, Args)]
pub struct Propose {
    /// What is proposed
    #[arg(long, value_enum, default_value = "approved")]
    decision: Word,
    #[command(flatten)]
    decide: Decide,
}

/// Decisions by their names.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    Approved,
    Disapproved,
    InTest,
    Superseded,
    NotApplicable,
}

impl Word {
    const fn decision(self) -> Decision {
        match self {
            Self::Approved => Decision::Approved,
            Self::Disapproved => Decision::Disapproved,
            Self::InTest => Decision::InTest,
            Self::Superseded => Decision::Superseded,
            Self::NotApplicable => Decision::NotApplicable,
        }
    }
}

fn scope(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("write zone=Boiler")?;
    Ok((column.trim().to_lowercase(), value.trim().to_owned()))
}

impl Approve {
    /// Runs the command.
    pub fn run(&self, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        match self.proposal {
            None => self.decide.run(Decision::Approved, options, profiles),
            Some(proposal) => {
                let (by, reason) = (self.decide.by.trim().to_owned(), self.decide.reason.clone());
                super::steps::accept(proposal, by, reason, options, profiles)
            }
        }
    }
}

impl Propose {
    /// Runs the command.
    pub fn run(&self, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        self.decide.record(self.decision.decision(), options, profiles, |approval| {
            Body::Baseline(Event::Proposed { what: Proposed::Release(approval) })
        })
    }
}

impl Decide {
    /// Runs the command.
    pub fn run(&self, decision: Decision, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        self.record(decision, options, profiles, Body::Approval)
    }

    fn record(&self, decision: Decision, options: &Options, profiles: &ProfileSet, body: impl Fn(Approval) -> Body) -> Result<(), Failure> {
        // Judged before a state is made for it.
        self.approval(decision, profiles)?;
        let directory = state::directory(options.state.as_ref())?;
        let mut store = Store::write(&directory)?;
        let (view, now) = (store.view(None)?, now_ns());
        let body = body(self.of_assets(decision, &view.catalog, profiles)?);
        admitted(&body, &view.baselines, profiles, now).map_err(usage)?;
        let entries = store.append(&[Draft::new(now, body)])?;
        list::new(&store, &entries, profiles, now, options)
    }

    /// The decision, with the whole ids of its assets.
    ///
    /// # Errors
    /// Usage: it is none; an asset that there is not.
    pub fn of_assets(&self, decision: Decision, catalog: &Catalog, profiles: &ProfileSet) -> Result<Approval, Failure> {
        let approval = Approval { assets: assets(&self.assets, catalog)?, ..self.approval(decision, profiles)? };
        approval.check().map_err(usage)?;
        Ok(approval)
    }

    /// The decision without its assets.
    fn approval(&self, decision: Decision, profiles: &ProfileSet) -> Result<Approval, Failure> {
        if self.profile.is_none() && self.manufacturer.is_none() {
            return Err(usage("which product? Name --profile, or --manufacturer with --model or --product-code"));
        }
        if self.release.is_none() && self.range.is_none() {
            return Err(usage("which release? Name --release, or --range"));
        }
        let reason = self.reason.as_deref().ok_or_else(|| usage("why? Say it with --reason"))?;
        let field = Field::named(&self.field).ok_or_else(|| usage(format!("--field {:?} is no field of a nameplate", self.field)))?;
        let part = part(self.profile.as_deref(), self.part.as_deref(), profiles)?;
        let trimmed = |text: &Option<String>| text.as_deref().map(|text| text.trim().to_owned());
        let line = ProductLine {
            profile: self.profile.clone(),
            manufacturer: trimmed(&self.manufacturer),
            model: trimmed(&self.model),
            product_code: trimmed(&self.product_code),
        };
        let at = |option: &str, text: &Option<String>, of_a_day| text.as_deref().map(|text| moment(option, text, of_a_day)).transpose();
        let scope: BTreeMap<String, String> = self.scope.iter().cloned().collect();
        if scope.len() < self.scope.len() {
            return Err(usage("--scope names one column twice; a device has one text there"));
        }
        let release = self.release.as_deref().unwrap_or_default().trim();
        let approval = Approval {
            component: part,
            field,
            range: trimmed(&self.range),
            hardware: trimmed(&self.hardware),
            scope,
            from_ns: at("--from", &self.from, "00:00:00")?,
            until_ns: at("--until", &self.until, "23:59:59.999999999")?,
            track: if self.vendor { Track::Vendor } else { Track::Owner },
            preferred: self.preferred,
            origin: self.origin(),
            second: trimmed(&self.second),
            ..Approval::of(decision, line, release, self.by.trim(), reason.trim())
        };
        approval.check().map_err(usage)?;
        Ok(approval)
    }

    fn origin(&self) -> Option<Origin> {
        let kind = if self.vendor { OriginKind::Bulletin } else { OriginKind::Owner };
        let (sha256, text, affected) = (self.document_sha256.clone(), self.text.clone(), self.affected.clone());
        self.document.as_ref().map(|document| Origin { kind, document: document.trim().to_owned(), sha256, text, affected })
    }
}

/// The whole ids of assets, sorted, each once.
pub fn assets(ids: &[String], catalog: &Catalog) -> Result<Vec<String>, Failure> {
    let mut ids: Vec<String> = ids.iter().map(|id| find(catalog, id).map(|asset| asset.id.clone())).collect::<Result<_, _>>()?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// The part that is meant; a profile that is no product line, or does not know the part, is refused.
pub fn part(profile: Option<&str>, part: Option<&str>, profiles: &ProfileSet) -> Result<String, Failure> {
    let mut parts = vec![OWN_COMPONENT];
    if let Some(id) = profile {
        let profile = profiles.get(id).ok_or_else(|| usage(format!("no profile is called {id:?}; see `nameplate profile list`")))?;
        if profile.fallback {
            let why = "is for devices of which nothing else is known, of many makers; name --manufacturer and --model instead";
            return Err(usage(format!("{id} {why}")));
        }
        parts = profile.components.iter().map(|component| component.role.name()).collect();
    }
    match (part, parts.as_slice()) {
        (Some(part), parts) if profile.is_none() || parts.contains(&part) => Ok(part.to_owned()),
        (Some(part), parts) => {
            Err(usage(format!("--part {part:?}: the profile knows {}; a baseline for another would never apply", parts.join(", "))))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => Ok(OWN_COMPONENT.to_owned()),
    }
}
