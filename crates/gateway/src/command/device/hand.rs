//! What a person does to the catalog: `device merge`, `split`, `set`, `read` and `undo`. Each is an entry in the ledger, with who and why.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use nameplate_core::catalog::Catalog;
use nameplate_core::claim::Field;
use nameplate_core::hand::{Act, Hand};
use nameplate_core::ledger::Body;
use nameplate_core::observation::{Address, hex};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{find, zones};
use crate::cli::{Format, Options};
use crate::command::devices::moment;
use crate::failure::{Code, Failure};
use crate::lines::place;
use crate::store::{Draft, Store, now_ns};
use crate::{print, state};

/// Bytes of a photo: more than any camera makes, little enough for a small machine.
const PHOTO_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a person does to the catalog.
#[derive(Debug, Subcommand)]
pub enum Step {
    /// Say that two devices are one: the first stays, the id of the other still names it
    Merge {
        /// The device that stays
        #[arg(value_name = "ID")]
        stays: String,
        /// The device that is the same one
        #[arg(value_name = "OTHER")]
        goes: String,
        /// Who says so, and why.
        #[command(flatten)]
        who: Who,
    },
    /// Say that what answers at one address of a device is a device of its own
    Split {
        /// The device
        #[arg(value_name = "ID")]
        id: String,
        /// The address: 192.0.2.10, or 192.0.2.10/7 for a unit behind it; or the hardware address or path of one without
        #[arg(long, value_name = "ADDRESS")]
        at: String,
        /// Who says so, and why.
        #[command(flatten)]
        who: Who,
    },
    /// Say what the owner knows: zone=..., conduit, site, location, tag, tags, criticality, exposure, owner, business_value, safety_system, impact, parent
    #[command(after_help = "What is set by hand stands before what a sheet says, until it is taken back with an empty value (zone=).\n\n\
                            Example:\n  nameplate device set a-1234 zone=Boiler criticality=high --by Ada --reason \"walk-down\"")]
    Set {
        /// The device
        #[arg(value_name = "ID")]
        id: String,
        /// NAME=VALUE
        #[arg(value_name = "NAME=VALUE", required = true)]
        facts: Vec<String>,
        /// Who says so, and why.
        #[command(flatten)]
        who: Who,
    },
    /// Enter what a person read off the device: firmware_revision=..., serial_number, hardware_revision, ...
    #[command(
        after_help = "It is evidence of the lowest grade: it never stands before anything that the device said itself, and it is stale after 180 days.\n\n\
                            Example:\n  nameplate device read a-1234 firmware_revision=4.2 --photo plate.jpg --second Grace --by Ada --reason \"front panel\""
    )]
    Read {
        /// The device
        #[arg(value_name = "ID")]
        id: String,
        /// FIELD=VALUE
        #[arg(value_name = "FIELD=VALUE", required = true)]
        fields: Vec<String>,
        /// The part that it stands on: cpu, communication-module, ...
        #[arg(long, value_name = "PART", default_value = "self")]
        part: String,
        /// A photo of it: its SHA-256 is kept, and the photo stays where it is
        #[arg(long, value_name = "FILE")]
        photo: Option<PathBuf>,
        /// When it was read, where that was not now: 2026-03-02 or 2026-03-02T10:15:30Z
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
        /// Who says so, and why.
        #[command(flatten)]
        who: Who,
    },
    /// Set zone and facts of every device whose address is in one of a site file's zones
    #[command(
        after_help = "In the site file: [[zone]] name = \"Boiler\" networks = [\"192.0.2.0/24\"] facts = { criticality = \"high\" } (docs/site.md)."
    )]
    Zones {
        /// The site file
        #[arg(value_name = "SITE")]
        site: PathBuf,
        /// Who says so, and why.
        #[command(flatten)]
        who: Who,
    },
    /// Take back a merge, split, set or read, by its entry in the ledger; `nameplate events --kind by-hand` has it
    Undo {
        /// The entry
        #[arg(value_name = "ENTRY")]
        entry: u64,
        /// Who says so, and why.
        #[command(flatten)]
        who: Who,
    },
}

/// Who did it, and why.
#[derive(Debug, Args)]
pub struct Who {
    /// Who says so
    #[arg(long, value_name = "PERSON")]
    by: String,
    /// Why
    #[arg(long)]
    reason: String,
    /// Who looked on
    #[arg(long, value_name = "PERSON")]
    second: Option<String>,
}

/// What was recorded.
#[derive(Serialize)]
struct Recorded<'a> {
    entry: u64,
    r#do: &'static str,
    assets: Vec<String>,
    by: &'a str,
    reason: &'a str,
}

impl Who {
    /// What this person did.
    pub fn did(&self, act: Act) -> Hand {
        let trimmed = |text: &String| text.trim().to_owned();
        Hand { act, by: trimmed(&self.by), reason: trimmed(&self.reason), second: self.second.as_ref().map(trimmed) }
    }
}

impl<'a> Recorded<'a> {
    fn new(entry: u64, hand: &'a Hand, now: &Catalog) -> Self {
        let mut assets: Vec<String> = hand.act.assets().filter_map(|id| now.asset(id)).map(|asset| asset.id.clone()).collect();
        assets.dedup();
        Self { entry, r#do: hand.act.name(), assets, by: &hand.by, reason: &hand.reason }
    }
}

fn shown(lines: &[Recorded<'_>], format: Format) -> String {
    const HEADER: [&str; 5] = ["entry", "do", "assets", "by", "reason"];
    let cells = |line: &Recorded<'_>| {
        [line.entry.to_string(), line.r#do.to_owned(), line.assets.join(" "), line.by.to_owned(), line.reason.to_owned()].to_vec()
    };
    let titles = HEADER.map(str::to_uppercase);
    match format {
        Format::Table => print::table(&titles.each_ref().map(String::as_str), &lines.iter().map(cells).collect::<Vec<_>>()),
        Format::Csv => {
            let records = lines.iter().map(|line| print::csv_line(&cells(line)));
            print::csv_line(&HEADER.map(str::to_owned)) + &records.collect::<String>()
        }
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
    }
}

impl Step {
    /// Records it.
    ///
    /// # Errors
    /// Usage: an id, address, name or entry that is none; or the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let directory = state::directory(options.state.as_ref())?;
        let mut store = Store::write(&directory)?;
        let catalog = store.view(None)?.catalog;
        let hands = match self {
            Self::Zones { site, who } => zones::hands(site, &catalog, who)?,
            _ => vec![self.hand(&catalog)?],
        };
        hands.iter().try_for_each(Hand::check).map_err(usage)?;
        let drafts: Vec<Draft> = hands.iter().map(|hand| Draft::new(now_ns(), Body::Hand(hand.clone()))).collect();
        let entries = store.append(&drafts)?;
        let now = store.view(None)?.catalog;
        let lines: Vec<Recorded<'_>> = entries.zip(&hands).map(|(entry, hand)| Recorded::new(entry, hand, &now)).collect();
        print::out(&shown(&lines, print::format(options)))
    }

    fn hand(&self, catalog: &Catalog) -> Result<Hand, Failure> {
        let (act, who) = self.act(catalog)?;
        Ok(who.did(act))
    }

    fn act(&self, catalog: &Catalog) -> Result<(Act, &Who), Failure> {
        let id = |id: &str| find(catalog, id).map(|asset| asset.id.clone());
        Ok(match self {
            Self::Merge { stays, goes, who } => {
                let (stays, goes) = (id(stays)?, id(goes)?);
                if stays == goes {
                    return Err(usage(format!("{stays} is one device already")));
                }
                (Act::Merge { stays, goes }, who)
            }
            Self::Split { id, at, who } => {
                let asset = find(catalog, id)?;
                let address = asset.addresses.iter().rev().find(|address| is_at(address, at)).cloned();
                let known: Vec<String> = asset.addresses.iter().map(place).collect();
                let none = || usage(format!("{} was never heard at {at:?}; it was at {}", asset.id, known.join(", ")));
                (Act::Split { asset: asset.id.clone(), address: address.ok_or_else(none)? }, who)
            }
            Self::Set { id: named, facts, who } => {
                let pairs = facts.iter().map(|fact| pair(fact).map(|(name, value)| (name, Some(value).filter(|value| !value.is_empty()))));
                (Act::Set { asset: id(named)?, facts: pairs.collect::<Result<_, _>>()? }, who)
            }
            Self::Read { id: named, fields, part, photo, on, who } => {
                let now = now_ns();
                let read_ns = on.as_deref().map_or(Ok(now), |on| moment("--on", on, "00:00:00"))?;
                if read_ns > now {
                    return Err(usage("--on is still to come".to_owned()));
                }
                let photo_sha256 = photo.as_deref().map(sha256_of).transpose()?;
                let fields = fields.iter().map(|one| field(one)).collect::<Result<BTreeMap<_, _>, _>>()?;
                (Act::Read { asset: id(named)?, component: part.clone(), fields, photo_sha256, read_ns }, who)
            }
            Self::Zones { .. } => return Err(usage("a site file holds for many devices")),
            Self::Undo { entry, who } => {
                if !catalog.counts(*entry) {
                    return Err(usage(format!("entry {entry} is nothing that a person did to the catalog, or it was taken back")));
                }
                (Act::Undo { entry: *entry }, who)
            }
        })
    }
}

fn is_at(address: &Address, at: &str) -> bool {
    let (host, unit) = at.rsplit_once('/').map_or((at, None), |(host, unit)| (host, unit.parse::<u8>().ok()));
    let by_ip = host.parse::<IpAddr>().is_ok_and(|ip| address.ip == Some(ip)) && address.unit == unit;
    by_ip || address.path.as_deref() == Some(at) || (address.ip.is_none() && address.mac.as_deref() == Some(at)) || place(address) == at
}

fn pair(fact: &str) -> Result<(String, String), Failure> {
    let (name, value) = fact.split_once('=').ok_or_else(|| usage(format!("{fact:?} is no NAME=VALUE")))?;
    Ok((name.trim().to_lowercase(), value.trim().to_owned()))
}

fn field(fact: &str) -> Result<(Field, String), Failure> {
    let (name, value) = pair(fact)?;
    let names = || Field::ALL.map(Field::name).join(", ");
    let field = Field::named(&name).ok_or_else(|| usage(format!("{name:?} is no field of a nameplate: {}", names())))?;
    if value.is_empty() {
        return Err(usage(format!("{name} is empty; `device undo` takes an entry back")));
    }
    Ok((field, value))
}

fn sha256_of(path: &Path) -> Result<String, Failure> {
    let cannot = |e: std::io::Error| Failure::input(path.display(), e);
    let mut bytes = Vec::new();
    // One byte more than is allowed says that there is more.
    File::open(path).map_err(cannot)?.take(PHOTO_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > PHOTO_BYTES_MAX {
        return Err(usage(format!("{} is larger than {PHOTO_BYTES_MAX} bytes, which no photo is", path.display())));
    }
    Ok(hex(&Sha256::digest(&bytes)))
}

fn usage(why: impl Into<String>) -> Failure {
    Failure::new(Code::Usage, why.into())
}
