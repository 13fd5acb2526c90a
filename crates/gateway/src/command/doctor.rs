//! `nameplate doctor`: whether a gateway on this machine has what it needs. It reads, and changes nothing.

mod place;
mod reach;
mod updates;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Kept, Site};
use super::config::{SERVE_FILE, SITE_FILE};
use super::serve::config::Config;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::print;
use nameplate_core::update::Updates;

/// Where the package keeps the desk's state.
const DESK_STATE: &str = "/var/lib/nameplate";
/// Where it keeps the field side's.
const FIELD_STATE: &str = "/var/lib/nameplate-field";

/// Say whether a gateway on this machine has what it needs.
#[derive(Debug, Args)]
#[command(
    after_help = "It looks at the configuration, directories and keys, the ledger, the clock, the disk, the hatch, the page's port and certificate,\n\
                        and what the firewall has to let through. Run it as root: only root sees both sides of a gateway. It changes nothing.\n\
                        Exit code 6 where something is wrong.\n\nExamples:\n  nameplate doctor\n  nameplate doctor --format ndjson"
)]
pub struct Doctor {
    /// The desk's configuration
    #[arg(long, value_name = "FILE", default_value = SERVE_FILE)]
    config: PathBuf,
    /// The site file
    #[arg(long, value_name = "FILE", default_value = SITE_FILE)]
    site: PathBuf,
    /// The field side's state directory; the desk's is --state
    #[arg(long, value_name = "DIR", default_value = FIELD_STATE)]
    field_state: PathBuf,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DoctorVerdict)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It may be meant so.
    Look,
    /// It will not work, or it is not safe.
    Wrong,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Look => "look",
            Self::Wrong => "WRONG",
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DoctorFinding)]
pub struct Finding {
    /// How it is.
    pub verdict: Verdict,
    /// What was looked at.
    pub what: &'static str,
    /// What was found.
    pub told: String,
    /// What to do about it; empty where nothing is to be done.
    pub advice: String,
}

/// What a desk at work can see of itself: its directory, its ledger, the clock, the disk, the page's certificate.
pub fn of_itself(config: &Config, desk: &Path, applied: &Updates, now_ns: u64) -> Vec<Finding> {
    let mut findings = place::directory("desk's directory", desk);
    findings.extend(place::ledger(desk));
    findings.push(place::synchronised());
    findings.push(place::disk(desk, config.disk_free_min));
    findings.extend(reach::certificate(&config.page, desk));
    findings.push(updates::publishers(&config.publishers));
    findings.extend(updates::applied(applied, now_ns));
    findings
}

impl Finding {
    fn ok(what: &'static str, told: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, what, told: told.into(), advice: String::new() }
    }

    fn look(what: &'static str, told: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Look, what, told: told.into(), advice: advice.into() }
    }

    fn wrong(what: &'static str, told: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Wrong, what, told: told.into(), advice: advice.into() }
    }
}

impl Doctor {
    /// Runs the command.
    ///
    /// # Errors
    /// Exit code 6: something is wrong.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let desk = options.state.clone().unwrap_or_else(|| DESK_STATE.into());
        let mut findings = self.findings(&desk);
        findings.extend(updates::begun(&options.updates));
        let text = match print::format(options) {
            Format::Ndjson => findings.iter().map(print::json_line).collect(),
            _ => {
                let row = |finding: &Finding| {
                    let Finding { verdict, what, told, advice } = finding;
                    let advice = if advice.is_empty() { String::new() } else { format!("\n      -> {advice}") };
                    format!("{:<5} {what}: {told}{advice}\n", verdict.to_string())
                };
                nameplate_core::text::printable_lines(&findings.iter().map(row).collect::<String>())
            }
        };
        print::out(&text)?;
        let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
        if wrong == 0 {
            return Ok(());
        }
        Err(Failure::new(Code::Failed, format!("{} wrong", print::count(wrong as u64, "thing"))))
    }

    fn findings(&self, desk: &Path) -> Vec<Finding> {
        let mut findings = Vec::new();
        let config = Config::read(&self.config).map_err(|failure| findings.push(mistaken("configuration", failure))).ok();
        if let Some(config) = &config {
            let plans = print::count(config.plans.len() as u64, "plan");
            findings.push(Finding::ok("configuration", format!("{}: {plans}", self.config.display())));
        }
        let kept = Kept { state: Some(self.field_state.clone()), writes: false };
        let site = Site::read(&self.site, &kept).map_err(|failure| findings.push(mistaken("site file", failure))).ok();
        if let Some(site) = &site {
            let devices = print::count(site.devices().count() as u64, "device");
            findings.push(Finding::ok("site file", format!("{}: {devices} may be asked", self.site.display())));
            findings.extend(reach::interfaces(&site.interfaces));
        }
        findings.extend(place::directory("field side's directory", &self.field_state));
        findings.extend(place::directory("desk's directory", desk));
        findings.extend(place::ledger(desk));
        findings.push(place::synchronised());
        if let Some(config) = &config {
            findings.push(place::disk(desk, config.disk_free_min));
            findings.push(reach::hatch(&config.hatch));
            findings.push(reach::port(config.page.listen));
            findings.extend(reach::certificate(&config.page, desk));
            findings.push(updates::publishers(&config.publishers));
            findings.extend(updates::of_state(desk));
        }
        if let Some(site) = &site {
            findings.extend(reach::firewall(site));
        }
        findings
    }
}

fn mistaken(what: &'static str, failure: Failure) -> Finding {
    Finding::wrong(what, failure.why, "`nameplate config check` says every mistake, `nameplate config init` prints one to begin with")
}
