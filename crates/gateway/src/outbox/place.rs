//! How far a target was told: a file of its own in the state directory, replaced as a whole. Losing it means that the target is told again, or, where it begins with
//! what is new, that nobody knows what it missed; so it is synced before anybody relies on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Dead, From, Target};
use crate::failure::Failure;
use crate::key::{sync_directory, write_private};

/// The folder in the state directory.
const FOLDER: &str = "outbox";
/// Entries without an event that are passed over again after a restart: looking through them costs less than writing the place down each time.
const PASSED_ENTRIES_MAX: u64 = 10_000;
/// So old a place may be on the disk while events are told: what was told within it is told again after a power cut.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Messages that were refused and are kept in the list; the ledger has those before them.
pub const DEAD_LETTERS_MAX: usize = 1_000;

/// How far a target was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The ledger's name.
    pub origin: String,
    /// The first entry that it was not told of.
    pub next: u64,
    /// Events that it was told since it is a target.
    pub told: u64,
    /// When it was told last, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ns: Option<u64>,
    /// What it refused, the last ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dead: Vec<Dead>,
    /// How many it refused in all.
    #[serde(default)]
    pub refused: u64,
}

/// A place, and where it is kept.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    place: Place,
    /// What is on the disk, and since when.
    kept: (Place, Instant),
}

impl Kept {
    /// The place of a target in a ledger of that name and size; where it has none, it begins now. What to say of it, where that is no matter of course.
    ///
    /// # Errors
    /// The file cannot be read, or is of another ledger.
    pub fn of(directory: &Path, target: &Target, origin: &str, size: u64) -> Result<(Self, Option<String>), Failure> {
        let folder = directory.join(FOLDER);
        let path = folder.join(format!("{}.json", target.name));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(&folder).map_err(|e| Failure::input(folder.display(), e))?;
                let next = if target.from == From::Now { size } else { 0 };
                let place = Place { origin: origin.to_owned(), next, ..Place::default() };
                let mut kept = Self { path, kept: (Place::default(), Instant::now()), place };
                kept.keep()?;
                return Ok((kept, Some(format!("it is new, and is told what comes from entry {next} on"))));
            }
            Err(e) => return Err(Failure::input(path.display(), e)),
        };
        let mut place: Place = serde_json::from_str(&text).map_err(|e| Failure::input(path.display(), e))?;
        if place.origin != origin {
            let why = format!(
                "it is the place in the ledger {}, and this one is {origin}: move the file away, and the target begins anew",
                place.origin
            );
            return Err(Failure::input(path.display(), why));
        }
        // A backup was restored: what has come into the ledger since has indices that were told before, and ids that were not.
        let told =
            (place.next > size).then(|| format!("it was told up to entry {}, and the ledger has {size}: it is an older one", place.next));
        place.next = place.next.min(size);
        Ok((Self { path, kept: (place.clone(), Instant::now()), place }, told))
    }

    /// It.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Up to which entry it was told, and of how many events; on the disk now and then.
    ///
    /// # Errors
    /// The disk's.
    pub fn told(&mut self, next: u64, events: u64, now_ns: u64) -> Result<(), Failure> {
        self.place.next = next;
        self.place.told = self.place.told.saturating_add(events);
        if events > 0 {
            self.place.last_ns = Some(now_ns);
        }
        let (kept, since) = &self.kept;
        let is_news = kept.told != self.place.told && since.elapsed() >= KEEP_EVERY;
        if is_news || next.saturating_sub(kept.next) >= PASSED_ENTRIES_MAX { self.keep() } else { Ok(()) }
    }

    /// It refused a message; the last ones are kept, on the disk at once.
    ///
    /// # Errors
    /// The disk's.
    pub fn refused(&mut self, dead: Dead) -> Result<(), Failure> {
        self.place.refused = self.place.refused.saturating_add(1);
        self.place.dead.push(dead);
        let beyond = self.place.dead.len().saturating_sub(DEAD_LETTERS_MAX);
        self.place.dead.drain(..beyond);
        self.keep()
    }

    /// Brings it to the disk, where it is not.
    ///
    /// # Errors
    /// The disk's.
    pub fn keep(&mut self) -> Result<(), Failure> {
        if self.kept.0 == self.place {
            return Ok(());
        }
        let (new, folder) = (self.path.with_extension("new"), self.path.parent().unwrap_or(&self.path));
        let text = serde_json::to_vec(&self.place).unwrap_or_default();
        let written = write_private(&new, &text).and_then(|()| fs::rename(&new, &self.path)).and_then(|()| sync_directory(folder));
        written.map_err(|e| Failure::input(self.path.display(), e))?;
        self.kept = (self.place.clone(), Instant::now());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::tests::target;

    #[test]
    fn a_place_outlives_a_restart_and_belongs_to_one_ledger() {
        let folder = tempfolder("place");
        let (mut kept, told) = Kept::of(&folder, &target("http://127.0.0.1/"), "nameplate/1", 7).expect("a place");
        assert_eq!((kept.place().next, told.is_some()), (7, true), "a new target begins now");
        kept.told(9, 2, 5).and_then(|()| kept.keep()).expect("kept");
        let (kept, told) = Kept::of(&folder, &target("http://127.0.0.1/"), "nameplate/1", 12).expect("a place");
        assert_eq!((kept.place().next, kept.place().told, told), (9, 2, None));
        let (kept, told) = Kept::of(&folder, &target("http://127.0.0.1/"), "nameplate/1", 8).expect("a place");
        assert!(kept.place().next == 8 && told.is_some_and(|told| told.contains("older")), "a backup was restored");
        assert!(Kept::of(&folder, &target("http://127.0.0.1/"), "nameplate/2", 12).is_err(), "another ledger");
        fs::write(folder.join("outbox/cmdb.json"), "{").expect("written");
        assert!(Kept::of(&folder, &target("http://127.0.0.1/"), "nameplate/1", 12).is_err(), "a broken file is no new target");
        fs::remove_dir_all(&folder).expect("removed");
    }

    fn tempfolder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("nameplate-outbox-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }
}
