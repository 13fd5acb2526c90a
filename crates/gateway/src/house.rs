//! What the threads of `nameplate serve` share: the ledger with all that follows from it, what is known of the field side, and what people want asked.
//!
//! One thread, the desk's, takes reports in; requests of people read beside each other and write one at a time. Nobody waits for the disk but who writes:
//! what is known is changed in moments, and what brings it to the disk goes on beside those who read. Who needs the gate of people, too, takes the house first.

mod field;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use nameplate_core::account::Accounts;
use nameplate_core::ledger::{Body, Entry};
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;
use tokio::sync::{Notify, watch};

pub use self::field::{FieldSide, Round};
use crate::command::serve::config::Config;
use crate::failure::{Code, Failure};
use crate::intake::{Batch, Intake};
use crate::outbox::Standing;
use crate::store::{Draft, Store, now_ns};

/// Rounds that people want and that were not begun: more would wait for hours.
const WISHES_MAX: usize = 32;
/// A catalog that got something late is brought into order at most in so many parts of the time.
const SETTLE_PARTS: u32 = 20;

/// The shared things.
pub struct House {
    /// Who writes; taken before `intake`.
    turn: Mutex<Turn>,
    intake: RwLock<Intake<'static>>,
    /// Entries that what is known follows from, also those that wait to be on disk.
    entries: AtomicU64,
    /// Who may do what, as it is on disk: who asks is looked up without waiting for anybody.
    accounts: RwLock<Arc<Accounts>>,
    /// What gives answers their names here.
    pub profiles: &'static ProfileSet,
    field: Mutex<FieldSide>,
    wishes: Mutex<VecDeque<Wish>>,
    config: watch::Sender<Option<Config>>,
    /// Somebody moved the place of a target: couriers that wait for a better moment go on now.
    pub moved: Notify,
    /// How it stands with the targets, by their names.
    targets: Mutex<BTreeMap<String, Standing>>,
    /// Why nothing can be written, as long as that is so.
    halted: Mutex<Option<String>>,
    /// Entries that are on disk: who waits for news waits here.
    pub size: watch::Sender<u64>,
    /// The state.
    pub directory: PathBuf,
    /// When it was opened, in nanoseconds since 1970.
    pub started_ns: u64,
}

/// Of the one who writes.
#[derive(Default)]
struct Turn {
    /// What was to be committed and could not: it is known, and comes before all else.
    unwritten: Batch,
    /// When the catalog was last brought into order, and how long that took.
    settled: Option<(Instant, Duration)>,
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
        let mut intake = Intake::new(profiles, store)?;
        intake.is_committed_elsewhere();
        let entries = intake.size();
        let accounts = Arc::new(intake.view.accounts.clone());
        Ok(Self {
            turn: Mutex::default(),
            intake: RwLock::new(intake),
            entries: AtomicU64::new(entries),
            accounts: RwLock::new(accounts),
            profiles,
            field: Mutex::default(),
            wishes: Mutex::default(),
            config: watch::Sender::new(None),
            targets: Mutex::default(),
            moved: Notify::new(),
            halted: Mutex::default(),
            size: watch::Sender::new(entries),
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
        look(&Known { view: &intake.view, profiles: self.profiles, size: self.entries.load(Ordering::Relaxed), now_ns: now_ns() })
    }

    /// Who may do what.
    pub fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.accounts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something: `decide` says what the ledger is told of it, from what is known at that moment, and nobody comes in between. It is done when the
    /// entries are on disk, and known then. What is refused leaves no trace.
    ///
    /// # Errors
    /// What `decide` says, or the store: then it was not done.
    pub fn enter<T, E: From<Failure>>(&self, decide: impl FnOnce(&View, u64) -> Result<(Vec<Body>, T), E>) -> Result<T, E> {
        self.enter_at(|view, now_ns, _| {
            let (bodies, done) = decide(view, now_ns)?;
            Ok((bodies.into_iter().map(|body| Draft::new(now_ns, body)).collect(), done))
        })
    }

    /// As [`House::enter`], of entries that have bytes beside them, or have to know their own place: `decide` is told the index of the first, too.
    ///
    /// # Errors
    /// As [`House::enter`].
    pub fn enter_at<T, E: From<Failure>>(&self, decide: impl FnOnce(&View, u64, u64) -> Result<(Vec<Draft>, T), E>) -> Result<T, E> {
        let mut turn = self.turn();
        self.flush(&mut turn)?;
        let first = self.entries.load(Ordering::Relaxed);
        let ((drafts, done), shelf) = {
            let intake = self.read();
            (decide(&intake.view, now_ns(), first)?, intake.shelf())
        };
        if let Some(shelf) = shelf {
            let appended = shelf.lock().unwrap_or_else(PoisonError::into_inner).append(&drafts).map(drop);
            appended.inspect_err(|failure| self.halt(failure))?;
        }
        self.apply((first..).zip(drafts).map(|(index, Draft { time_ns, body, .. })| Entry { index, time_ns, body }));
        Ok(done)
    }

    /// Lets somebody sign files with the key of the ledger; `None` where there is none. Who commits waits meanwhile.
    pub fn signing<T>(&self, sign: impl FnOnce(&Store) -> T) -> Option<T> {
        let shelf = self.read().shelf()?;
        Some(sign(&shelf.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Lets the desk take something in.
    pub fn take<T>(&self, take: impl FnOnce(&mut Intake<'static>) -> T) -> T {
        let mut turn = self.turn();
        let (taken, is_full) = {
            let mut intake = self.write();
            let before = intake.size();
            let taken = take(&mut intake);
            self.entries.fetch_add(intake.size().saturating_sub(before), Ordering::Relaxed);
            (taken, intake.is_full())
        };
        if is_full {
            // Who asks next is told why it could not be written; it is not lost.
            let _ = self.flush(&mut turn);
        }
        taken
    }

    /// Brings what waits to the disk, and now and then the catalog into the order of time. Whoever reads goes on meanwhile.
    ///
    /// # Errors
    /// The store's: nothing is lost, and nothing is written before [`House::mend`].
    pub fn commit(&self) -> Result<(), Failure> {
        let mut turn = self.turn();
        self.flush(&mut turn)?;
        let is_time = turn.settled.is_none_or(|(when, took)| when.elapsed() >= took.saturating_mul(SETTLE_PARTS));
        if is_time && !self.read().view.catalog.is_settled() {
            let begun = Instant::now();
            // Beside it: nothing else writes as long as it is our turn, and whoever reads goes on.
            let catalog = self.read().view.catalog.settled();
            let before = self.write().settled(catalog);
            drop(before);
            turn.settled = Some((Instant::now(), begun.elapsed()));
        }
        Ok(())
    }

    /// Looks something up in the ledger itself; nobody writes meanwhile, and everybody reads. `None` where nothing is kept.
    pub fn with_store<T>(&self, look: impl FnOnce(&Store) -> T) -> Option<T> {
        let _turn = self.turn();
        let shelf = self.read().shelf()?;
        let store = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        Some(look(&store))
    }

    /// Why nothing can be written; `None` where all is well.
    pub fn halted(&self) -> Option<String> {
        self.halted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the ledger again after it could not be written, and writes what could not be.
    ///
    /// # Errors
    /// It still cannot be; or it is not the one that it was.
    pub fn mend(&self) -> Result<(), Failure> {
        let mut turn = self.turn();
        if self.halted().is_none() {
            return Ok(());
        }
        // Closed first: there is one writer.
        self.write().reopen(None);
        let store = Store::write(&self.directory)?;
        let known = self.entries.load(Ordering::Relaxed).saturating_sub(turn.unwritten.entries());
        let waits = self.read().waits();
        let known = known.saturating_sub(waits);
        let beyond = store
            .size()
            .checked_sub(known)
            .filter(|beyond| [0, turn.unwritten.entries()].contains(beyond) || turn.unwritten.entries() == 0);
        let beyond = beyond.ok_or_else(|| {
            Failure::new(
                Code::Failed,
                format!("the ledger has {} entries, and {known} were written: it is not the one that it was", store.size()),
            )
        })?;
        // The disk failed behind a commit: what was believed unwritten is there.
        let written = (known..store.size()).map(|index| store.entry(index)).collect::<Result<Vec<Entry>, _>>()?;
        self.write().reopen(Some(store));
        *self.halted.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if beyond > 0 && turn.unwritten.entries() > 0 {
            turn.unwritten = Batch::default();
        } else if beyond > 0 {
            self.apply(written.into_iter());
        }
        self.flush(&mut turn)
    }

    /// What waits goes to the disk, beside those who read.
    fn flush(&self, turn: &mut Turn) -> Result<(), Failure> {
        if let Some(why) = self.halted() {
            return Err(Failure::input(self.directory.display(), why));
        }
        let shelf = {
            let mut intake = self.write();
            if turn.unwritten.entries() == 0 {
                turn.unwritten = intake.waiting();
            }
            intake.shelf()
        };
        if let Some(shelf) = shelf {
            turn.unwritten.append(&mut shelf.lock().unwrap_or_else(PoisonError::into_inner)).inspect_err(|failure| self.halt(failure))?;
        }
        turn.unwritten = Batch::default();
        if self.read().waits() > 0 {
            return self.flush(turn);
        }
        self.size.send_replace(self.entries.load(Ordering::Relaxed));
        Ok(())
    }

    /// Entries that are on disk become known.
    fn apply(&self, entries: impl Iterator<Item = Entry>) {
        let accounts = {
            let mut intake = self.write();
            let (mut count, mut of_accounts) = (0, false);
            for entry in entries {
                of_accounts |= matches!(entry.body, Body::Account(_));
                intake.view.apply(&entry);
                count += 1;
            }
            self.size.send_replace(self.entries.fetch_add(count, Ordering::Relaxed).saturating_add(count));
            of_accounts.then(|| Arc::new(intake.view.accounts.clone()))
        };
        if let Some(accounts) = accounts {
            *self.accounts.write().unwrap_or_else(PoisonError::into_inner) = accounts;
        }
    }

    fn halt(&self, failure: &Failure) {
        *self.halted.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.to_string());
    }

    /// What is known of the field side.
    pub fn field(&self) -> MutexGuard<'_, FieldSide> {
        self.field.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration in force; `None` before there is one.
    pub fn config(&self) -> Option<Config> {
        self.config.borrow().clone()
    }

    /// From now on this configuration is in force.
    pub fn is_configured(&self, config: &Config) {
        self.config.send_if_modified(|now| {
            let is_new = now.as_ref() != Some(config);
            *now = Some(config.clone());
            is_new
        });
    }

    /// For who follows it.
    pub fn configured(&self) -> watch::Receiver<Option<Config>> {
        self.config.subscribe()
    }

    /// How it stands with the targets.
    pub fn targets(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Intake<'static>> {
        self.intake.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Intake<'static>> {
        self.intake.write().unwrap_or_else(PoisonError::into_inner)
    }
}
