//! What the threads of `nameplate serve` share: the ledger with all that follows from it, what is known of the field side, and what people want asked.
//!
//! One thread, the desk's, takes reports in; requests of people read beside each other and write one at a time. Who needs the gate of people, too, takes
//! the house first.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use nameplate_core::catalog::Asset;
use nameplate_core::ledger::Body;
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;
use tokio::sync::watch;

use crate::command::serve::config::Config;
use crate::failure::{Code, Failure};
use crate::hatch::At;
use crate::intake::Intake;
use crate::lines::place;
use crate::store::{Draft, Store, now_ns};

/// Rounds that people want and that were not begun: more would wait for hours.
const WISHES_MAX: usize = 32;
/// A catalog that got something late is brought into order at most in so many parts of the time.
const SETTLE_PARTS: u32 = 20;

/// The shared things.
pub struct House {
    intake: RwLock<Intake<'static>>,
    /// What gives answers their names here.
    pub profiles: &'static ProfileSet,
    field: Mutex<FieldSide>,
    wishes: Mutex<VecDeque<Wish>>,
    settled: Mutex<Option<(Instant, Duration)>>,
    config: Mutex<Option<Config>>,
    /// Something is known here that is not on disk: the process ends, and the next one begins with what is.
    broken: AtomicBool,
    /// Entries that are on disk: who waits for news waits here.
    pub size: watch::Sender<u64>,
    /// The state.
    pub directory: PathBuf,
    /// When it was opened, in nanoseconds since 1970.
    pub started_ns: u64,
}

/// What is known of the other process.
#[derive(Clone, Debug, Default)]
pub struct FieldSide {
    /// Since when it is there, in nanoseconds since 1970; `None` while it is not.
    pub since_ns: Option<u64>,
    /// Program and version.
    pub program: String,
    /// The site's name, as its file has it.
    pub site: String,
    /// Fingerprint of the key that seals its touch record.
    pub key: String,
    /// The interface that is listened to.
    pub interface: Option<String>,
    /// Devices that may be asked, as the site file names them.
    pub listed: Vec<String>,
    /// Where each of them is asked, by its name.
    pub at: BTreeMap<String, Vec<At>>,
    /// Frames that came in there, that were dropped, and reports that were given up.
    pub counted: (u64, u64, u64),
    /// The round that is being asked.
    pub round: Option<Round>,
}

impl FieldSide {
    /// The listed device that an asset is, as the site file names it: by its owner's tag or its target, else by where it is asked. Not by the name that the
    /// asset gives itself: anybody may say one. Two that could be it are none.
    pub fn name_of(&self, asset: &Asset) -> Option<&String> {
        // Where it answers now: what was its address before may be another's.
        let last = asset.addresses.last();
        let now = || asset.addresses.iter().filter(|one| last.is_some_and(|last| (one.ip, &one.line) == (last.ip, &last.line)));
        let tag = asset.columns.get("tag").cloned();
        let names: Vec<String> = tag.into_iter().chain(now().map(place)).filter(|name| !name.is_empty()).collect();
        let only = |is: &dyn Fn(&&String) -> bool| {
            let mut fitting = self.listed.iter().filter(is);
            fitting.next().filter(|_| fitting.next().is_none())
        };
        let is_there = |name: &&String| self.at.get(*name).is_some_and(|at| at.iter().any(|at| now().any(|address| at.is_at(address))));
        only(&|name| names.contains(name)).or_else(|| only(&is_there))
    }
}

/// Devices that are being asked.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its number.
    pub number: u64,
    /// A plan's name or a work order.
    pub why: String,
    /// How many.
    pub devices: usize,
}

/// What somebody wants asked.
#[derive(Clone, Debug)]
pub struct Wish {
    /// As the site file names them.
    pub devices: Vec<String>,
    /// The work order; it stands in each line of the touch record.
    pub order: String,
}

/// What is known at one moment.
pub struct Known<'a> {
    /// All that follows from the ledger.
    pub view: &'a View,
    /// The profiles.
    pub profiles: &'static ProfileSet,
    /// Entries that it follows from.
    pub size: u64,
    /// Now, in nanoseconds since 1970.
    pub now_ns: u64,
}

impl House {
    /// A house over a state, which is made where there is none.
    ///
    /// # Errors
    /// The store's.
    pub fn open(directory: &Path, profiles: ProfileSet) -> Result<Self, Failure> {
        Self::of(profiles, Some(Store::write(directory)?), directory)
    }

    fn of(profiles: ProfileSet, store: Option<Store>, directory: &Path) -> Result<Self, Failure> {
        // It lives as long as the process does.
        let profiles: &'static ProfileSet = Box::leak(Box::new(profiles));
        let intake = Intake::new(profiles, store)?;
        let size = watch::Sender::new(intake.size());
        Ok(Self {
            intake: RwLock::new(intake),
            profiles,
            field: Mutex::default(),
            wishes: Mutex::default(),
            settled: Mutex::default(),
            config: Mutex::default(),
            broken: AtomicBool::default(),
            size,
            directory: directory.to_owned(),
            started_ns: now_ns(),
        })
    }

    /// Nothing of it is kept.
    #[cfg(test)]
    pub fn without_store() -> Self {
        Self::of(ProfileSet::built_in().expect("profiles"), None, Path::new("")).expect("a house")
    }

    /// Looks at what is known. What is looked for stays as it is until the look is over, and what is heard meanwhile waits: be short.
    pub fn known<T>(&self, look: impl FnOnce(&Known<'_>) -> T) -> T {
        let intake = self.read();
        look(&Known { view: &intake.view, profiles: self.profiles, size: intake.size(), now_ns: now_ns() })
    }

    /// Does something: `decide` says what the ledger is told of it, from what is known at that moment, and nobody comes in between. When this returns the
    /// entries are on disk. What is refused leaves no trace.
    ///
    /// # Errors
    /// What `decide` says, or the store: then it was not done.
    pub fn enter<T, E: From<Failure>>(&self, decide: impl FnOnce(&View, u64) -> Result<(Vec<Body>, T), E>) -> Result<T, E> {
        let mut intake = self.write();
        let now_ns = now_ns();
        let (bodies, done) = decide(&intake.view, now_ns)?;
        let say = || {
            bodies.into_iter().try_for_each(|body| intake.say(Draft::new(now_ns, body)).map(drop))?;
            intake.commit()
        };
        say().inspect_err(|_| self.broken.store(true, Ordering::Relaxed))?;
        self.size.send_replace(intake.size());
        Ok(done)
    }

    /// Lets the desk take something in.
    pub fn take<T>(&self, take: impl FnOnce(&mut Intake<'static>) -> T) -> T {
        take(&mut self.write())
    }

    /// Brings what waits to the disk, and now and then the catalog into the order of time.
    ///
    /// # Errors
    /// The store's; or what somebody did was not written.
    pub fn commit(&self) -> Result<(), Failure> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(Failure::input(
                self.directory.display(),
                "what somebody did could not be written; start again with what is on disk",
            ));
        }
        let mut intake = self.write();
        intake.commit()?;
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = settled.is_none_or(|(when, took)| when.elapsed() >= took.saturating_mul(SETTLE_PARTS));
        if is_time && !intake.view.catalog.is_settled() {
            let begun = Instant::now();
            intake.settle();
            *settled = Some((Instant::now(), begun.elapsed()));
        }
        self.size.send_replace(intake.size());
        Ok(())
    }

    /// What is known of the field side.
    pub fn field(&self) -> MutexGuard<'_, FieldSide> {
        self.field.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration in force; `None` before there is one.
    pub fn config(&self) -> Option<Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this configuration is in force.
    pub fn is_configured(&self, config: &Config) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Some(config.clone());
    }

    /// Wants devices asked as soon as the round before is over.
    ///
    /// # Errors
    /// Too much waits already.
    pub fn wish(&self, wish: Wish) -> Result<(), Failure> {
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        if wishes.len() >= WISHES_MAX {
            return Err(Failure::new(Code::Refused, format!("{WISHES_MAX} rounds wait to be asked already")));
        }
        wishes.push_back(wish);
        Ok(())
    }

    /// Nobody can be asked: what was wanted now is not wanted in the middle of another day. How many rounds that were.
    pub fn forget_wishes(&self) -> usize {
        std::mem::take(&mut *self.wishes.lock().unwrap_or_else(PoisonError::into_inner)).len()
    }

    /// What is to be asked next.
    pub fn next_wish(&self) -> Option<Wish> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn read(&self) -> RwLockReadGuard<'_, Intake<'static>> {
        self.intake.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Intake<'static>> {
        self.intake.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use nameplate_core::observation::Address;

    use super::*;
    use crate::map::tests::asset_at;

    #[test]
    fn a_device_is_found_in_the_site_file_by_its_tag_and_by_where_it_is_asked() {
        let at = |protocol: &str, ip: &str, station: &str| At {
            protocol: protocol.to_owned(),
            ip: ip.parse().ok(),
            line: None,
            mac: None,
            station: station.to_owned(),
        };
        let listed = [
            ("Pump 1", at("modbus", "10.0.0.1", "255")),
            ("Slave 3", at("modbus", "10.0.0.1", "3")),
            ("10.0.0.2:161", at("snmp", "10.0.0.2", "")),
            ("Twin A", at("snmp", "10.0.0.4", "")),
            ("Twin B", at("http", "10.0.0.4", "")),
        ];
        let field = FieldSide {
            listed: listed.iter().map(|(name, _)| (*name).to_owned()).collect(),
            at: listed.iter().map(|(name, at)| ((*name).to_owned(), vec![at.clone()])).collect(),
            ..FieldSide::default()
        };
        let heard = |ip: &str, port, unit| Address { ip: ip.parse().ok(), port, unit, ..Address::default() };
        for (tag, addresses, expected) in [
            ("Pump 1", vec![heard("10.9.9.9", None, None)], Some("Pump 1")),
            ("P-17", vec![heard("10.0.0.1", Some(502), Some(255))], Some("Pump 1")),
            ("P-17", vec![heard("10.0.0.1", Some(502), Some(3))], Some("Slave 3")),
            ("P-17", vec![heard("10.0.0.1", Some(502), Some(4))], None),
            ("", vec![heard("10.0.0.2", Some(161), None)], Some("10.0.0.2:161")),
            ("", vec![heard("10.0.0.2", Some(80), None), heard("10.0.0.2", Some(161), None)], Some("10.0.0.2:161")),
            // It answered there once; now somebody else may.
            ("", vec![heard("10.0.0.2", Some(161), None), heard("10.0.0.3", Some(161), None)], None),
            // Two that could be it are none, but for the tag.
            ("", vec![heard("10.0.0.4", None, None)], None),
            ("Twin B", vec![heard("10.0.0.4", None, None)], Some("Twin B")),
            ("", vec![], None),
        ] {
            let asset = asset_at(&[("tag", tag)], addresses.clone());
            assert_eq!(field.name_of(&asset).map(String::as_str), expected, "{tag:?} {addresses:?}");
        }
    }
}
