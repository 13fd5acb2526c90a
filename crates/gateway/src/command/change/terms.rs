//! What `change open` takes beyond scope and expectation: cause, rings, checks, pairs, and what is handed on.

use std::time::Duration;

use clap::Args;
use nameplate_core::catalog::{Asset, Catalog};
use nameplate_core::change::{Cause, Handover, Ring, Terms};
use nameplate_core::claim::Field;

use super::steps::Kind;
use crate::command::device::find;
use crate::failure::{Code, Failure};

/// What else was agreed.
#[derive(Debug, Default, Args)]
pub struct Agreed {
    /// The release that is rolled out, as the order calls it
    #[arg(long, value_name = "TEXT", help_heading = "Cause")]
    pub release: Option<String>,
    /// A finding that the change is to end: a CVE or an advisory's id; may be repeated
    #[arg(long, value_name = "ID", help_heading = "Cause")]
    pub finding: Vec<String>,
    /// The ledger's entry of the decision that approves the release
    #[arg(long, value_name = "ENTRY", help_heading = "Cause")]
    pub baseline: Option<u64>,
    /// The vendor's bulletin
    #[arg(long, value_name = "TEXT", help_heading = "Cause")]
    pub bulletin: Option<String>,
    /// All devices with this field or column, such as zone=North or product_code=BMXP342020; of several, those that have all
    #[arg(long = "where", value_name = "FIELD=VALUE", help_heading = "Scope")]
    pub query: Vec<String>,
    /// A ring, in the order in which rings open: NAME=ID,ID or NAME/SOAK=ID,ID, such as pilot/3days=a-12,a-34. A ring opens when the one before it is
    /// verified and has stood for its soak
    #[arg(long, value_name = "RING", help_heading = "Scope")]
    pub ring: Vec<String>,
    /// The serial number that a device must report: ID=SERIAL
    #[arg(long, value_name = "ID=SERIAL", help_heading = "Scope")]
    pub serial: Vec<String>,
    /// A redundant pair, either of which may answer for the other: ID=ID
    #[arg(long, value_name = "ID=ID", help_heading = "Scope")]
    pub partners: Vec<String>,
    /// What must have been checked for each device before its ring opens
    #[arg(long, value_enum, value_delimiter = ',', help_heading = "Before the installation")]
    pub precheck: Vec<Kind>,
    /// A restart is wanted
    #[arg(long, conflicts_with = "no_restart", help_heading = "Handed on")]
    pub restart: bool,
    /// No restart is wanted
    #[arg(long, help_heading = "Handed on")]
    pub no_restart: bool,
    /// What the operator is to be told
    #[arg(long, value_name = "TEXT", help_heading = "Handed on")]
    pub message: Option<String>,
    /// How often an installation that failed may be tried again
    #[arg(long, value_name = "N", help_heading = "Handed on")]
    pub retries: Option<u32>,
    /// The order in which devices are to be installed
    #[arg(long, value_name = "ID", value_delimiter = ',', help_heading = "Handed on")]
    pub sequence: Vec<String>,
}

impl Agreed {
    /// The devices that rings and query name, each once.
    ///
    /// # Errors
    /// A ring or a query that is none, a device that is not in the catalog.
    pub fn scope(&self, catalog: &Catalog) -> Result<Vec<String>, Failure> {
        let rings = self.rings(catalog)?.into_iter().flat_map(|ring| ring.assets);
        let mut found: Vec<String> = rings.collect();
        if !self.query.is_empty() {
            let wanted = self.query.iter().map(|text| pair("--where", text)).collect::<Result<Vec<_>, _>>()?;
            let fits = |asset: &&Asset| wanted.iter().all(|(name, value)| has(asset, name, value));
            found.extend(catalog.assets().filter(fits).map(|asset| asset.id.clone()));
        }
        let mut each: Vec<String> = Vec::new();
        for id in found {
            if !each.contains(&id) {
                each.push(id);
            }
        }
        Ok(each)
    }

    /// All of it, with the catalog's ids.
    ///
    /// # Errors
    /// As [`Agreed::scope`].
    pub fn terms(&self, catalog: &Catalog) -> Result<Terms, Failure> {
        let id = |text: &str| Ok::<String, Failure>(find(catalog, text)?.id.clone());
        let serial = |text: &String| -> Result<(String, String), Failure> {
            let (asset, serial) = pair("--serial", text)?;
            Ok((id(asset)?, serial.to_owned()))
        };
        let partners = |text: &String| -> Result<[String; 2], Failure> {
            let (one, other) = pair("--partners", text)?;
            Ok([id(one)?, id(other)?])
        };
        Ok(Terms {
            cause: Cause { findings: self.finding.clone(), baseline: self.baseline, bulletin: self.bulletin.clone() },
            release: self.release.clone(),
            query: self.query.clone(),
            rings: self.rings(catalog)?,
            prechecks: self.precheck.iter().map(|kind| (*kind).into()).collect(),
            serials: self.serial.iter().map(serial).collect::<Result<_, _>>()?,
            partners: self.partners.iter().map(partners).collect::<Result<_, _>>()?,
            handover: Handover {
                restart: if self.restart || self.no_restart { Some(self.restart) } else { None },
                message: self.message.clone(),
                retries: self.retries,
                sequence: self.sequence.iter().map(|text| id(text)).collect::<Result<_, _>>()?,
            },
        })
    }

    fn rings(&self, catalog: &Catalog) -> Result<Vec<Ring>, Failure> {
        let ring = |text: &String| -> Result<Ring, Failure> {
            let (name, ids) = pair("--ring", text)?;
            let (name, soak) = name.split_once('/').map_or((name, None), |(name, soak)| (name, Some(soak)));
            let soak = soak.map(|soak| soak.parse::<humantime::Duration>().map(Duration::from)).transpose();
            let soak = soak.map_err(|e| Failure::new(Code::Usage, format!("--ring {text:?}: {e}: write 12h or 3days")))?;
            let assets = ids.split(',').map(|id| Ok(find(catalog, id.trim())?.id.clone())).collect::<Result<_, Failure>>()?;
            Ok(Ring { name: name.to_owned(), assets, soak_s: soak.map_or(0, |soak| soak.as_secs()) })
        };
        self.ring.iter().map(ring).collect()
    }
}

/// A field as the device says it, or a column as its owner wrote it.
fn has(asset: &Asset, name: &str, value: &str) -> bool {
    let said = Field::named(name).and_then(|field| asset.shown(field)).map(|current| current.standing.claim.value.as_str());
    said.or_else(|| asset.columns.get(name).map(String::as_str)) == Some(value)
}

fn pair<'a>(flag: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    let parts = text.split_once('=').map(|(left, right)| (left.trim(), right.trim()));
    let parts = parts.filter(|(left, right)| !left.is_empty() && !right.is_empty());
    parts.ok_or_else(|| Failure::new(Code::Usage, format!("{flag} {text:?} has no two sides of an `=`")))
}
