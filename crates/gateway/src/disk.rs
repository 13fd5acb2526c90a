//! Room on the disk. Where it gets scarce the desk stops asking by plan, long before a ledger could not be written; what is heard is still taken in.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use nix::sys::statvfs::statvfs;

/// How much has to be free: bytes, a share of the file system, or the smaller of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreeMin {
    bytes: Option<u64>,
    percent: Option<u64>,
}

/// A file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that this account may still write.
    pub free_bytes: u64,
    /// Bytes of all of it.
    pub all_bytes: u64,
}

/// Units of sizes, as disks are sold.
const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];

impl FreeMin {
    /// The limit for a file system of so many bytes.
    #[must_use]
    pub fn bytes_of(self, all_bytes: u64) -> u64 {
        let share = self.percent.map(|percent| all_bytes / 100 * percent);
        share.into_iter().chain(self.bytes).min().unwrap_or(0)
    }
}

impl fmt::Display for FreeMin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.map(|bytes| Size(bytes).to_string());
        let all: Vec<String> = bytes.into_iter().chain(self.percent.map(|percent| format!("{percent}%"))).collect();
        f.write_str(&if all.is_empty() { "nothing".to_owned() } else { all.join(" or ") })
    }
}

impl FromStr for FreeMin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?}: room on a disk is written as \"512MB\", \"5%\" or \"512MB or 5%\"");
        let mut limit = Self::default();
        for part in text.split(" or ") {
            let (place, number, unit) = match part.strip_suffix('%') {
                Some(number) => (&mut limit.percent, number, 1),
                None => {
                    let unit = UNITS.iter().find_map(|(name, bytes)| Some((part.strip_suffix(name)?, *bytes)));
                    let (number, unit) = unit.ok_or_else(bad)?;
                    (&mut limit.bytes, number, unit)
                }
            };
            let value = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(bad)?;
            if place.replace(value).is_some() {
                return Err(bad());
            }
        }
        if limit.percent.is_some_and(|percent| percent > 100) { Err(bad()) } else { Ok(limit) }
    }
}

impl Room {
    /// The file system in which a path lies.
    ///
    /// # Errors
    /// The path is not there.
    pub fn at(path: &Path) -> io::Result<Self> {
        let told = statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(told.fragment_size());
        Ok(Self { free_bytes: bytes(told.blocks_available()), all_bytes: bytes(told.blocks()) })
    }

    /// Whether less is free than has to be.
    #[must_use]
    pub fn is_scarce(self, limit: FreeMin) -> bool {
        self.free_bytes < limit.bytes_of(self.all_bytes)
    }
}

/// So many bytes, as one says them.
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, unit) = UNITS.into_iter().find(|(_, unit)| self.0 >= *unit).unwrap_or(("bytes", 1));
        write!(f, "{} {name}", self.0 / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_bytes_or_a_share_and_the_smaller_counts() {
        let check = |text: &str, all_bytes: u64, expected: Option<u64>| {
            assert_eq!(text.parse::<FreeMin>().ok().map(|limit| limit.bytes_of(all_bytes)), expected, "{text:?} of {all_bytes}");
        };
        check("512MB or 5%", 8_000_000_000, Some(400_000_000));
        check("512MB or 5%", 256_000_000_000, Some(512_000_000));
        check("2 GB", 1, Some(2_000_000_000));
        check("10%", 1_000, Some(100));
        check("0MB", 1_000, Some(0));
        for bad in ["", "512", "512MB or", "5% or 6%", "101%", "-1MB", "99999999999999999999GB", "18446744073709551GB"] {
            check(bad, 1_000, None);
        }
    }

    #[test]
    fn a_file_system_says_how_much_is_free() {
        let room = Room::at(Path::new("/")).expect("a file system");
        assert!(room.free_bytes <= room.all_bytes && room.all_bytes > 0, "{room:?}");
        assert!(Room::at(Path::new("/no/such/place")).is_err());
        let all = "100%".parse().expect("a limit");
        assert!(Room { free_bytes: 99, all_bytes: 100_000 }.is_scarce(all) && !room.is_scarce(FreeMin::default()));
    }
}
