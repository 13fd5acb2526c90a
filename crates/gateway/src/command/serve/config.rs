//! The desk's configuration: one TOML file. Whom may be asked, and when, stands in the field side's site file; here stands what is wanted of it, and how
//! the page is reached. Its keys are one table, [`keys::SECTIONS`], from which all else follows: what is read, what `nameplate config` says, and
//! docs/configuration.md.

pub mod keys;
mod read;
mod value;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use self::read::Mistake;
use super::plan::Plan;
use crate::disk::FreeMin;
use crate::failure::Failure;
use crate::log;
use crate::outbox::Target;

/// What the desk is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the field side is found.
    pub hatch: PathBuf,
    /// Fingerprint of the field side's key, where its owner pinned it.
    pub field_key: Option<String>,
    /// Below so much free space nobody is asked by plan.
    pub disk_free_min: FreeMin,
    /// Whose updates are believed: a folder with a file for each publisher.
    pub publishers: PathBuf,
    /// What is asked when.
    pub plans: Vec<Plan>,
    /// Who is told what happens.
    pub targets: Vec<Target>,
    /// How people reach the desk.
    pub page: Page,
    /// What is said on standard error, and how.
    pub log: log::Settings,
}

/// How people reach the desk: `[page]`. Holds from a start to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where is listened.
    pub listen: SocketAddr,
    /// Host names and addresses that people type, in small letters, without a port: for the generated certificate, and for the check of `Host`.
    pub names: Vec<String>,
    /// The certificate, PEM, with those that vouch for it behind it. `None` where one is generated in the state directory; then `key` is `None`, too.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Who vouches for clients of the API, PEM; where it is there the API wants their certificates.
    pub client_ca: Option<PathBuf>,
    /// False only where `listen` is a loopback address: a reverse proxy stands before it.
    pub tls: bool,
}

impl Config {
    /// Reads a configuration whole; nothing of one with a mistake counts.
    ///
    /// # Errors
    /// The file, and every mistake in it with its line.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|e| Failure::input(path.display(), e))?;
        Self::of(&text).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
            Failure::input(path.display(), lines.join("\n"))
        })
    }

    /// Each key with what holds now, for people. None of them is a secret: keys and certificates are named by their files.
    pub fn told(&self) -> Vec<(String, String)> {
        let Self { hatch, field_key, disk_free_min, publishers, plans, targets, page, log } = self;
        let path = |path: &Option<PathBuf>, none: &str| path.as_ref().map_or_else(|| none.to_owned(), |path| path.display().to_string());
        let own = "one that was made at the first start";
        let mut told = vec![
            ("hatch", hatch.display().to_string()),
            ("field_key", field_key.clone().unwrap_or_else(|| "not pinned".to_owned())),
            ("disk_free_min", disk_free_min.to_string()),
            ("publishers", publishers.display().to_string()),
            ("page.listen", page.listen.to_string()),
            ("page.names", page.names.join(", ")),
            ("page.certificate", path(&page.certificate, own)),
            ("page.key", path(&page.key, own)),
            ("page.client_ca", path(&page.client_ca, "nobody's: clients need no certificate")),
            ("page.tls", page.tls.to_string()),
            ("log.level", log.level.to_string()),
            ("log.form", log.form.to_string()),
        ];
        for plan in plans {
            let devices = if plan.devices.is_empty() { "all".to_owned() } else { plan.devices.join(", ") };
            let (every, catch_up) = (humantime::format_duration(plan.every), humantime::format_duration(plan.catch_up));
            told.push(("plan", format!("{}: {devices} every {every}, caught up within {catch_up}", plan.name)));
        }
        for target in targets {
            let events = if target.events.is_empty() { "all but account".to_owned() } else { target.events.join(", ") };
            let signed = if target.secret.is_some() { ", signed" } else { "" };
            told.push(("target", format!("{}: {}, {events}{signed}", target.name, target.url)));
        }
        told.into_iter().map(|(key, holds)| (key.to_owned(), holds)).collect()
    }

    /// The same of a text.
    ///
    /// # Errors
    /// Every mistake, in the order of their lines.
    pub fn of(text: &str) -> Result<Self, Vec<Mistake>> {
        read::read(text)
    }
}

#[cfg(test)]
mod tests;
