//! Zip files, read strictly: what two readers could take differently is refused.
//!
//! Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4. Stored and deflated entries; no encryption, no zip64, no parts.

mod write;

use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;

use flate2::Crc;
use flate2::read::DeflateDecoder;

pub use self::write::write;

/// Largest archive: it is held in memory as a whole.
pub const ARCHIVE_BYTES_MAX: u64 = 512 << 20;
/// Entries of one archive; without zip64 there are at most 65,535.
const ENTRIES_MAX: usize = 65_535;
/// Largest entry when unpacked: a document may have as much.
const ENTRY_BYTES_MAX: u32 = nameplate_core::advisory::csaf::FILE_BYTES_MAX as u32;
/// All entries when unpacked.
const UNPACKED_BYTES_MAX: u64 = 2 << 30;
/// An entry may unpack to this many times its packed size. The corpus' documents have up to 20; deflate ends at 1,032.
const RATIO_FACTOR_MAX: u64 = 200;
/// Below this size a ratio says nothing: a page of blanks is no bomb.
const RATIO_FROM_BYTES: u64 = 1 << 20;
/// What an archive's comment can have.
const COMMENT_BYTES_MAX: usize = 65_535;

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const CENTRAL: &[u8] = b"PK\x01\x02";
const CENTRAL_BYTES: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;
/// Unix file types in the upper half of the external attributes: the mask, and a symbolic link.
const FILE_TYPE: u32 = 0o170_000;
const SYMBOLIC_LINK: u32 = 0o120_000;

/// An archive whose list of entries was read and is sound.
pub struct Archive<'a> {
    bytes: &'a [u8],
    /// Files, by name; folders are left out.
    pub entries: Vec<Entry>,
}

/// A file in an archive.
#[derive(Debug)]
pub struct Entry {
    /// Its name, with `/` between.
    pub name: String,
    method: u16,
    crc: u32,
    packed: Range<usize>,
    unpacked_bytes: u32,
}

/// Integers at an offset, little-endian.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_le_bytes(*two))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_le_bytes(*four))
}

impl<'a> Archive<'a> {
    /// Reads the list of entries.
    ///
    /// # Errors
    /// What is wrong, as a sentence that names the entry. Nothing of the archive is used then.
    pub fn of(bytes: &'a [u8]) -> Result<Self, String> {
        Self::of_at_most(bytes, ENTRY_BYTES_MAX)
    }

    /// As [`Archive::of`], of files of which each has at most so many bytes.
    ///
    /// # Errors
    /// As [`Archive::of`].
    pub fn of_at_most(bytes: &'a [u8], entry_bytes_max: u32) -> Result<Self, String> {
        let (mut at, count) = end(bytes)?;
        let mut archive = Self { bytes, entries: Vec::new() };
        let (mut names, mut total) = (HashSet::new(), 0_u64);
        for _ in 0..count {
            let (entry, next) = archive.entry(at, entry_bytes_max)?;
            at = next;
            // A folder of a case-insensitive system has one of two such names.
            if !names.insert(entry.name.to_lowercase()) {
                return Err(format!("two entries have the name {:?}", entry.name));
            }
            total = total.saturating_add(u64::from(entry.unpacked_bytes));
            if total > UNPACKED_BYTES_MAX {
                return Err(format!("the archive unpacks to more than {UNPACKED_BYTES_MAX} bytes"));
            }
            if !entry.name.ends_with('/') {
                archive.entries.push(entry);
            }
        }
        archive.check_overlaps()?;
        archive.entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(archive)
    }

    /// The bytes of an entry, checked against its size and its CRC.
    ///
    /// # Errors
    /// It does not unpack to what its head says.
    pub fn read(&self, entry: &Entry) -> Result<Vec<u8>, String> {
        let packed = self.bytes.get(entry.packed.clone()).unwrap_or_default();
        let mut bytes = Vec::new();
        // One byte more than it says would show that it says too little.
        let most = u64::from(entry.unpacked_bytes).saturating_add(1);
        let read = if entry.method == STORED {
            packed.take(most).read_to_end(&mut bytes)
        } else {
            DeflateDecoder::new(packed).take(most).read_to_end(&mut bytes)
        };
        read.map_err(|e| format!("{:?} does not unpack: {e}", entry.name))?;
        let mut crc = Crc::new();
        crc.update(&bytes);
        if bytes.len() as u64 != u64::from(entry.unpacked_bytes) || crc.sum() != entry.crc {
            return Err(format!("{:?} unpacks to other bytes than its head says", entry.name));
        }
        Ok(bytes)
    }

    /// The entry whose central head stands at `at`, and where the next one stands.
    fn entry(&self, at: usize, entry_bytes_max: u32) -> Result<(Entry, usize), String> {
        let cut = || "the list of entries ends in the middle".to_owned();
        let head = self.bytes.get(at..at.saturating_add(CENTRAL_BYTES)).filter(|head| head.starts_with(CENTRAL)).ok_or_else(cut)?;
        let [name_bytes, extra, comment] = [28, 30, 32].map(|offset| usize::from(u16_at(head, offset).unwrap_or_default()));
        let name_at = at.saturating_add(CENTRAL_BYTES);
        let name = self.bytes.get(name_at..name_at.saturating_add(name_bytes)).ok_or_else(cut)?;
        let name = std::str::from_utf8(name).map_err(|_| format!("the name {:?} is not UTF-8", name.escape_ascii().to_string()))?;
        check_name(name)?;
        let [crc, packed, unpacked, attributes, offset] = [16, 20, 24, 38, 42].map(|offset| u32_at(head, offset).unwrap_or_default());
        let [flags, method] = [8, 10].map(|offset| u16_at(head, offset).unwrap_or_default());
        let refuse = |why: &str| Err(format!("{name:?} {why}"));
        if flags & ENCRYPTED != 0 {
            return refuse("is encrypted");
        }
        if method != STORED && method != DEFLATED {
            return refuse("is neither stored nor deflated");
        }
        if attributes >> 16 & FILE_TYPE == SYMBOLIC_LINK {
            return refuse("is a symbolic link");
        }
        if unpacked > entry_bytes_max {
            return refuse("unpacks to more bytes than a document may have");
        }
        if u64::from(unpacked) > RATIO_FROM_BYTES && u64::from(unpacked) > u64::from(packed).saturating_mul(RATIO_FACTOR_MAX) {
            return refuse("is packed so tightly that it is taken for a bomb");
        }
        let Some(range) = self.packed(offset as usize, packed as usize, name) else { return refuse("is not where the list says") };
        let next = name_at.saturating_add(name_bytes).saturating_add(extra).saturating_add(comment);
        Ok((Entry { name: name.to_owned(), method, crc, packed: range, unpacked_bytes: unpacked }, next))
    }

    /// Where the bytes of an entry stand: behind a local head that gives it the same name.
    fn packed(&self, at: usize, bytes: usize, name: &str) -> Option<Range<usize>> {
        let head = self.bytes.get(at..at.checked_add(LOCAL_BYTES)?).filter(|head| head.starts_with(LOCAL))?;
        let (name_bytes, extra) = (usize::from(u16_at(head, 26)?), usize::from(u16_at(head, 28)?));
        let name_at = at.checked_add(LOCAL_BYTES)?;
        let data = name_at.checked_add(name_bytes)?;
        let same = self.bytes.get(name_at..data)? == name.as_bytes();
        let start = data.checked_add(extra)?;
        let end = start.checked_add(bytes)?;
        (same && end <= self.bytes.len()).then_some(start..end)
    }

    /// Entries that share bytes are how a small archive unpacks to a large one.
    fn check_overlaps(&self) -> Result<(), String> {
        let mut ranges: Vec<(&Range<usize>, &str)> = self.entries.iter().map(|entry| (&entry.packed, entry.name.as_str())).collect();
        ranges.sort_by_key(|(range, _)| range.start);
        let shared = ranges.windows(2).find(|pair| pair[0].0.end > pair[1].0.start);
        shared.map_or(Ok(()), |pair| Err(format!("{:?} and {:?} share bytes", pair[0].1, pair[1].1)))
    }
}

/// Where the list of entries begins, and how many there are.
fn end(bytes: &[u8]) -> Result<(usize, usize), String> {
    let last = bytes.len().checked_sub(END_BYTES).ok_or("this is no zip file")?;
    let first = last.saturating_sub(COMMENT_BYTES_MAX);
    // The one whose comment ends with the file.
    let whole = |at: &usize| {
        let comment = u16_at(bytes, at.saturating_add(20)).map(usize::from);
        bytes.get(*at..).is_some_and(|rest| rest.starts_with(END)) && comment == Some(last.saturating_sub(*at))
    };
    let at = (first..=last).rev().find(whole).ok_or("this is no zip file, or it was cut short")?;
    let [this_part, first_part, here, count] = [4, 6, 8, 10].map(|offset| u16_at(bytes, at + offset).unwrap_or_default());
    let [size, start] = [12, 16].map(|offset| u32_at(bytes, at + offset).unwrap_or_default() as usize);
    if this_part != 0 || first_part != 0 || here != count {
        return Err("a zip file in several parts is not read".into());
    }
    if usize::from(count) == ENTRIES_MAX || start == u32::MAX as usize {
        return Err("zip64 is not read; make an archive of fewer than 65,535 files".into());
    }
    if start.saturating_add(size) != at {
        return Err("the list of entries is not where the end of the file says".into());
    }
    Ok((start, usize::from(count)))
}

/// Names that stay in the folder they are unpacked into, on any system.
fn check_name(name: &str) -> Result<(), String> {
    let why = if name.is_empty() || name.contains('\0') {
        "is no name"
    } else if name.starts_with(['/', '\\']) || name.get(1..2) == Some(":") {
        "is an absolute name"
    } else if name.contains('\\') {
        "has a backslash in it"
    } else if name.trim_end_matches('/').split('/').any(|part| matches!(part, "" | "." | "..")) {
        "leads out of the archive, or round in it"
    } else {
        return Ok(());
    };
    Err(format!("{name:?} {why}"))
}

#[cfg(test)]
mod tests;
