//! A row of the log: entries that were committed together, as lines, packed. C2SP's tlog-tiles calls such a thing an entry bundle.

use std::ops::Range;

use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};
use memchr::memchr;
use nameplate_core::ledger::{HASH_BYTES, Hash, Tail, leaf_hash};
use rusqlite::{Row, Transaction, params};

use super::commit::Unwritten;

/// Entries of one row at most: reading one unpacks all of them.
const ENTRIES_MAX: usize = 256;
/// Bytes of records after which a row ends, for the same reason. A single record may be larger.
const FULL_BYTES: usize = 1024 * 1024;
/// Bytes that one byte of an LZ4 block stands for at most (block format, "Literals": each further byte of a length counts 255), so that a flipped
/// bit cannot ask for much memory.
const UNPACKED_BYTES_MAX: usize = 256;

/// The columns that [`Packed::of`] reads.
pub const COLUMNS: &str = "size, leaves, bytes, records";

/// A row that is being made; its memory is used again for the next one.
#[derive(Default)]
pub struct Sheaf {
    leaves: Vec<u8>,
    lines: Vec<u8>,
    packed: Vec<u8>,
    unpacked: Vec<u8>,
    table: CompressTable,
}

impl Sheaf {
    /// Puts an entry's record behind the others.
    pub fn push(&mut self, leaf: &Hash, record: &[u8]) {
        self.leaves.extend_from_slice(leaf);
        self.lines.extend_from_slice(record);
        self.lines.push(b'\n');
    }

    /// True when the next entry begins another row.
    pub fn is_full(&self) -> bool {
        self.leaves.len() >= ENTRIES_MAX * HASH_BYTES || self.lines.len() >= FULL_BYTES
    }

    /// Writes the row, the last of a log of `size` entries, and begins the next. Gives the bytes that it takes.
    ///
    /// # Errors
    /// SQLite's; or what was packed is not what it unpacks to, and nothing was written.
    pub fn put(&mut self, transaction: &Transaction<'_>, size: u64, note: Option<&str>) -> Result<usize, Unwritten> {
        let Self { leaves, lines, packed, unpacked, table } = self;
        packed.resize(get_maximum_output_size(lines.len()), 0);
        let packed = compress_into_with_table(lines, packed, table).ok().and_then(|end| packed.get(..end));
        // What is acknowledged has to be readable: a fiftieth of a commit's time buys that certainty.
        unpacked.resize(lines.len(), 0);
        let packed = packed.filter(|packed| decompress_into(packed, unpacked).is_ok() && unpacked == lines);
        let packed = packed.ok_or_else(|| Unwritten::Record("the entries could not be packed; this is a fault of nameplate".to_owned()))?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO sheaf (size, leaves, bytes, records, note) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        insert.execute(params![size, &*leaves, lines.len(), packed, note])?;
        let bytes = leaves.len() + packed.len();
        leaves.clear();
        lines.clear();
        Ok(bytes)
    }
}

/// A row as it stands in the database.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    /// Index of its first entry.
    first: u64,
    /// Digests of its entries.
    pub leaves: &'a [Hash],
    /// Bytes of its lines.
    bytes: usize,
    /// Its lines, an LZ4 block.
    records: &'a [u8],
}

impl<'a> Packed<'a> {
    /// The row with these [`COLUMNS`]; `None` for one that is none.
    pub fn of(row: &'a Row<'_>) -> Option<Self> {
        let size = u64::try_from(row.get_ref(0).ok()?.as_i64().ok()?).ok()?;
        let (leaves, rest) = row.get_ref(1).ok()?.as_blob().ok()?.as_chunks::<HASH_BYTES>();
        let bytes = usize::try_from(row.get_ref(2).ok()?.as_i64().ok()?).ok()?;
        let records = row.get_ref(3).ok()?.as_blob().ok()?;
        let first = size.checked_sub(leaves.len() as u64)?;
        let sound = rest.is_empty() && !leaves.is_empty() && bytes / UNPACKED_BYTES_MAX <= records.len();
        sound.then_some(Self { first, leaves, bytes, records })
    }

    /// The indices of its entries.
    pub fn range(&self) -> Range<u64> {
        self.first..self.first.saturating_add(self.leaves.len() as u64)
    }

    /// Gives each of its entries to `each`, held against its digest and its place. `page` is memory to unpack into.
    ///
    /// # Errors
    /// What does not fit, with the entry's index, or what `each` says.
    pub fn entries(&self, page: &mut Vec<u8>, mut each: impl FnMut(Checked<'_>) -> Result<(), String>) -> Result<(), String> {
        let Range { start, end } = self.range();
        let broken = || format!("the entries {start} to {} cannot be unpacked: a bit of them has changed", end.saturating_sub(1));
        page.resize(self.bytes, 0);
        let unpacked = decompress_into(self.records, page).ok().filter(|bytes| *bytes == self.bytes).ok_or_else(broken)?;
        let lines = page.get(..unpacked).and_then(|page| page.strip_suffix(b"\n")).ok_or_else(broken)?;
        let mut rest = Some(lines);
        for (index, leaf) in (start..).zip(self.leaves) {
            let lines = rest.ok_or_else(broken)?;
            let (record, behind) = memchr(b'\n', lines).and_then(|end| lines.split_at_checked(end)).unwrap_or((lines, &[]));
            rest = behind.split_first().map(|(_, behind)| behind);
            each(Checked { index, leaf, record, tail: check(index, leaf, record)? })?;
        }
        rest.map_or(Ok(()), |_| Err(broken()))
    }
}

/// Rows that were taken out of the database, in one piece of memory.
#[derive(Default)]
pub struct Sheaves {
    /// First index, digests, bytes of the lines, bytes of the LZ4 block.
    rows: Vec<(u64, usize, usize, usize)>,
    leaves: Vec<Hash>,
    records: Vec<u8>,
}

impl Sheaves {
    /// Puts a row behind the others.
    pub fn push(&mut self, sheaf: &Packed<'_>) {
        self.rows.push((sheaf.first, sheaf.leaves.len(), sheaf.bytes, sheaf.records.len()));
        self.leaves.extend_from_slice(sheaf.leaves);
        self.records.extend_from_slice(sheaf.records);
    }

    /// How many entries they hold.
    pub fn entries(&self) -> usize {
        self.leaves.len()
    }

    /// Forgets them; the memory stays.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.leaves.clear();
        self.records.clear();
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = Packed<'_>> {
        let (mut leaves, mut records) = (self.leaves.as_slice(), self.records.as_slice());
        self.rows.iter().map(move |&(first, entries, bytes, packed)| {
            let own = (leaves.split_off(..entries), records.split_off(..packed));
            Packed { first, leaves: own.0.unwrap_or_default(), bytes, records: own.1.unwrap_or_default() }
        })
    }
}

/// An entry that has its digest and stands in its place.
pub struct Checked<'a> {
    /// Its place.
    pub index: u64,
    /// Its digest.
    pub leaf: &'a Hash,
    /// Its bytes.
    pub record: &'a [u8],
    /// Its end, where its time stands.
    pub tail: Tail,
}

/// Holds a record against its digest and its place.
fn check(index: u64, leaf: &Hash, record: &[u8]) -> Result<Tail, String> {
    if *leaf != leaf_hash(record) {
        return Err(format!("entry {index} does not have its digest: a bit of it has changed"));
    }
    let tail = Tail::of(record).filter(|tail| tail.index == index);
    tail.ok_or_else(|| format!("entry {index} does not stand in its place"))
}
