//! A range of the ledger as a file: read row by row, written line by line. See docs/decisions/0040.

use std::collections::HashSet;
use std::io::{self, Write};
use std::ops::Range;

use nameplate_core::evidence::{Beginning, LOG_FORMAT, Vouched, gone_line, payload_lines};
use nameplate_core::ledger::{Body, Entry, Frontier, is_touch};
use nameplate_core::observation::hex;

use super::Store;
use super::head::damaged;
use super::tables::key_changes;
use crate::failure::{Code, Failure};

/// What is written.
#[derive(Clone, Debug)]
pub struct Extent {
    /// Its entries.
    pub entries: Range<u64>,
    /// False where the payloads are left out.
    pub payloads: bool,
}

impl Store {
    /// Writes a range of the log that ends where a checkpoint was signed. No more than a row of the database is held.
    ///
    /// # Errors
    /// There is no such range, an entry or a payload is damaged, or what `to` says.
    pub fn export(&self, extent: &Extent, to: &mut impl Write) -> Result<(), Failure> {
        let Range { start, end } = extent.entries;
        if start >= end || end > self.size() {
            return Err(Failure::new(Code::Usage, format!("there are no entries {start} to {end}; the ledger has {}", self.size())));
        }
        let note = self.note(end).map_err(|_| self.unsigned(end))?;
        let mut export = Writing { store: self, extent, to, named: HashSet::new() };
        let (mut tree, mut lines, mut begun) = (Frontier::default(), Vec::new(), false);
        self.sheaves(end, |sheaf| {
            for leaf in sheaf.leaves.iter().take(usize::try_from(start.saturating_sub(tree.size())).unwrap_or(usize::MAX)) {
                tree.push(*leaf);
            }
            if sheaf.range().end <= start {
                return Ok(());
            }
            if !begun {
                export.begin(&note, &tree)?;
                begun = true;
            }
            let mut failed = None;
            let entries = sheaf.entries(&mut lines, |entry| {
                if extent.entries.contains(&entry.index) {
                    tree.push(*entry.leaf);
                    failed = export.entry(entry.index, entry.record).err();
                }
                // Only the way out of the loop.
                failed.as_ref().map_or(Ok(()), |_| Err(String::new()))
            });
            failed.map_or_else(|| entries.map_err(|why| damaged(&self.path, &why)), Err)
        })?;
        let signed = self.keys.open(&note).map_err(|e| damaged(&self.path, &format!("the checkpoint of {end} entries: {e}")))?;
        if signed.head.root == tree.root() {
            return Ok(());
        }
        Err(damaged(&self.path, &format!("its first {end} entries do not give the root that is signed")))
    }

    /// Which checkpoints there are instead of one at `size`.
    fn unsigned(&self, size: u64) -> Failure {
        let near = |order: &str, side: &str| -> Option<u64> {
            let one = format!("SELECT size FROM sheaf WHERE note IS NOT NULL AND size {side} ?1 ORDER BY size {order} LIMIT 1");
            self.connection.query_row(&one, [size], |row| row.get(0)).ok()
        };
        let near = [near("DESC", "<"), near("ASC", ">")].into_iter().flatten().map(|size| size.to_string());
        let near = near.collect::<Vec<_>>().join(" and ");
        Failure::new(Code::Usage, format!("no checkpoint was signed at {size} entries; the nearest are at {near}"))
    }
}

/// A range on its way into a file.
struct Writing<'a, W> {
    store: &'a Store,
    extent: &'a Extent,
    to: &'a mut W,
    /// The payloads that a record named already.
    named: HashSet<String>,
}

impl<W: Write> Writing<'_, W> {
    fn begin(&mut self, note: &str, edge: &Frontier) -> Result<(), Failure> {
        let store = self.store;
        let mut keys = Vec::new();
        for index in key_changes(&store.connection, &store.path)?.into_iter().filter(|index| *index < edge.size()) {
            if let Body::KeyChange { public_key, signature, .. } = store.entry(index)?.body {
                keys.push(Vouched { public_key, signature });
            }
        }
        let beginning = Beginning {
            checkpoint: note.to_owned(),
            edge: edge.bytes().chunks(nameplate_core::ledger::HASH_BYTES).map(hex).collect(),
            first: edge.size(),
            format: LOG_FORMAT.to_owned(),
            keys,
            origin: store.keys.origin(),
            payloads: self.extent.payloads,
            public_key: store.keys.first().digits(),
        };
        self.line(&beginning.line())
    }

    /// A record, and what it names that none before it did.
    fn entry(&mut self, index: u64, record: &[u8]) -> Result<(), Failure> {
        self.line(record)?;
        if !self.extent.payloads || is_touch(record) {
            return Ok(());
        }
        let entry = Entry::of(record).map_err(|e| damaged(&self.store.path, &format!("entry {index}: {e}")))?;
        for name in entry.body.payloads() {
            if !self.named.insert(name.to_owned()) {
                continue;
            }
            match self.store.payload(name)? {
                None => self.line(&gone_line(name))?,
                Some(bytes) => payload_lines(&bytes).try_for_each(|line| self.line(&line))?,
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let written: io::Result<()> = self.to.write_all(line).and_then(|()| self.to.write_all(b"\n"));
        written.map_err(|e| Failure::input("writing the range", e))
    }
}
