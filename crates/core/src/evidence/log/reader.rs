//! Reading an exported log line by line; the checks of docs/evidence.md, section 8, in the order of the file.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest, Sha256};

use super::super::authenticity::{checkpoint, hash};
use super::super::{Unsound, format};
use super::{Beginning, GONE, LINE_BYTES_MAX, PART, PART_BYTES, PAYLOAD};
use crate::ledger::{Body, Checkpoint, Entry, Frontier, Hash, Head, Keys, Page, PublicKey, leaf_hash};
use crate::observation::{hex, unhex};

/// Names of payloads that are gone which are told one by one.
const GONE_NAMES_MAX: usize = 20;

/// Reads the lines, in order, each once.
#[derive(Debug)]
pub struct Reader {
    beginning: Beginning,
    keys: Keys,
    /// What the checkpoint names; that it was signed is found out when all keys are known.
    signed: Head,
    /// A checkpoint of somewhere in the range that was seen before.
    earlier: Option<(Checkpoint, String)>,
    tree: Frontier,
    page: Page,
    /// The payloads that were named.
    named: HashSet<Hash>,
    /// Those that have to stand next.
    due: VecDeque<Hash>,
    /// What there was of the first of them.
    part: Option<Sha256>,
    payloads: u64,
    gone: u64,
    gone_names: Vec<String>,
}

/// An exported log whose parts hang together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The log's keys up to its end; the last one signed the checkpoint.
    pub keys: Keys,
    /// Index of the first entry.
    pub first: u64,
    /// Where it ends.
    pub head: Head,
    /// Payloads that stand in it.
    pub payloads: u64,
    /// Payloads that its records name and that do not stand in it.
    pub missing: u64,
    /// Of those that are not kept any more, the first few by name; empty where they were left out.
    pub gone: Vec<String>,
}

impl Reader {
    /// Reads the first line, without its end. `earlier` is a checkpoint of the same log that was seen before; the range has to begin
    /// at its end, or to reach over it.
    ///
    /// # Errors
    /// [`Unsound`].
    pub fn begin(line: &[u8], earlier: Option<&str>) -> Result<Self, Unsound> {
        let beginning = Beginning::read(line)?;
        let first = PublicKey::from_digits(&beginning.public_key).ok_or_else(|| Unsound::new("the public key is none"))?;
        if beginning.origin != first.origin() {
            return Err(Unsound::new("the origin does not follow from the public key"));
        }
        let mut keys = Keys::of_first(first);
        for change in &beginning.keys {
            let taken = keys.take_before(&change.public_key, &change.signature);
            taken.map_err(|why| Unsound::new(format!("the key changes before the range, and {why}")))?;
        }
        let note = Checkpoint::read(&beginning.checkpoint).map_err(|e| Unsound::new(format!("the checkpoint does not hold: {e}")))?;
        if note.head.size <= beginning.first || (beginning.first == 0 && !beginning.keys.is_empty()) {
            return Err(Unsound::new("the checkpoint covers no entry of the range, or keys stand before the first entry"));
        }
        let edge: Option<Vec<Hash>> = beginning.edge.iter().map(|digits| hash(digits)).collect();
        let tree = edge.and_then(|edge| Frontier::of(beginning.first, &edge.concat()));
        let tree = tree.ok_or_else(|| Unsound::new(format!("the edge is not that of a tree of {} entries", beginning.first)))?;
        let earlier = earlier.map(|text| behind(text, &beginning, note.head.size)).transpose()?;
        let (named, due, page) = (HashSet::new(), VecDeque::new(), Page::default());
        let (part, payloads, gone, gone_names) = (None, 0, 0, Vec::new());
        let reader = Self { beginning, keys, signed: note.head, earlier, tree, page, named, due, part, payloads, gone, gone_names };
        reader.hold_against_earlier()?;
        Ok(reader)
    }

    /// Reads the next line, without its end.
    ///
    /// # Errors
    /// [`Unsound`].
    pub fn line(&mut self, line: &[u8]) -> Result<(), Unsound> {
        if line.len() > LINE_BYTES_MAX {
            return Err(Unsound::new(format!("a line has more than {LINE_BYTES_MAX} bytes")));
        }
        if let Some(digits) = within(line, GONE) {
            return self.gone(digits);
        }
        if let Some(digits) = within(line, PART) {
            return self.payload(digits, true);
        }
        if let Some(digits) = within(line, PAYLOAD) {
            return self.payload(digits, false);
        }
        self.record(line)
    }

    /// What was read, when there are no more lines.
    ///
    /// # Errors
    /// [`Unsound`]: something is missing, or the checkpoint is not what the key of its time signed over these entries.
    pub fn end(self) -> Result<Whole, Unsound> {
        let Self { signed, ref tree, .. } = self;
        if tree.size() < signed.size {
            let why = format!("cut off: it ends before entry {}, and its checkpoint covers {} entries", tree.size(), signed.size);
            return Err(Unsound::new(why));
        }
        self.nothing_due("it ends before")?;
        let head = checkpoint(&self.beginning.checkpoint, &self.keys)?;
        if tree.root() != head.root {
            let why =
                "its entries do not give the root that is signed: one of them, or the edge before them, was changed or is another log's";
            return Err(Unsound::new(why));
        }
        let missing = if self.beginning.payloads { self.gone } else { self.named.len() as u64 };
        Ok(Whole { keys: self.keys, first: self.beginning.first, head, payloads: self.payloads, missing, gone: self.gone_names })
    }

    fn record(&mut self, record: &[u8]) -> Result<(), Unsound> {
        let (next, size) = (self.tree.size(), self.signed.size);
        let unsound = |why: String| Unsound::new(format!("entry {next}: {why}"));
        self.nothing_due("entry stands before")?;
        if record.starts_with(br#"{"checkpoint":"#) {
            return Err(Unsound::new(format!("merged: another exported log begins where entry {next} of this one should stand")));
        }
        if next >= size {
            return Err(Unsound::new(format!("merged or doubled: more stands behind its end, which is entry {}", size.saturating_sub(1))));
        }
        let entry = Entry::of(record).map_err(|e| unsound(format::unreadable(&e)))?;
        if entry.index != next {
            return Err(Unsound::new(out_of_place(entry.index, next)));
        }
        if !self.page.write(&entry).is_ok_and(|canonical| canonical == record) {
            return Err(unsound("its record is not canonical".to_owned()));
        }
        match &entry.body {
            Body::Key { origin, public_key } if next == 0 => {
                if (origin, public_key) != (&self.beginning.origin, &self.beginning.public_key) {
                    return Err(unsound("it is not this public key".to_owned()));
                }
            }
            Body::Key { .. } => return Err(unsound("a log names its first key in entry 0 alone".to_owned())),
            _ if next == 0 => return Err(unsound("it names no key".to_owned())),
            _ => self.keys.take(&entry).map_err(|why| unsound(format!("the key changes, and {why}")))?,
        }
        for digits in entry.body.payloads() {
            let name = hash(digits).ok_or_else(|| unsound(format!("{digits:?} is no hash of a payload")))?;
            if self.named.insert(name) && self.beginning.payloads {
                self.due.push_back(name);
            }
        }
        self.tree.push(leaf_hash(record));
        self.hold_against_earlier()
    }

    /// A payload, or a part of one.
    fn payload(&mut self, digits: &[u8], more: bool) -> Result<(), Unsound> {
        let name = *self.due.front().ok_or_else(|| self.unnamed())?;
        let unsound = |why: &str| Unsound::new(format!("payload {} of entry {}: {why}", hex(&name), self.tree.size().saturating_sub(1)));
        let bytes = str::from_utf8(digits).ok().and_then(|digits| unhex(digits).ok().filter(|bytes| hex(bytes) == digits));
        let bytes = bytes.ok_or_else(|| unsound("it is not lower case hexadecimal"))?;
        let right = if more { bytes.len() == PART_BYTES } else { bytes.len() <= PART_BYTES && !(bytes.is_empty() && self.part.is_some()) };
        if !right {
            return Err(unsound("it is not cut into its parts as it should be"));
        }
        let mut digest = self.part.take().unwrap_or_default();
        digest.update(&bytes);
        if more {
            self.part = Some(digest);
            return Ok(());
        }
        if digest.finalize()[..] != name {
            return Err(unsound("it does not hash to its name"));
        }
        self.due.pop_front();
        self.payloads += 1;
        Ok(())
    }

    /// A payload that is not kept any more.
    fn gone(&mut self, digits: &[u8]) -> Result<(), Unsound> {
        let name = self.due.front().filter(|name| self.part.is_none() && hex(&name[..]).as_bytes() == digits);
        let name = hex(name.ok_or_else(|| self.unnamed())?);
        self.due.pop_front();
        self.gone += 1;
        if self.gone_names.len() < GONE_NAMES_MAX {
            self.gone_names.push(name);
        }
        Ok(())
    }

    fn unnamed(&self) -> Unsound {
        Unsound::new(format!(
            "a payload stands before entry {} that does not belong there: no entry names it, or it stood before",
            self.tree.size()
        ))
    }

    /// That every payload stood that has to stand by now.
    fn nothing_due(&self, what: &str) -> Result<(), Unsound> {
        let missing = |name: &Hash| Unsound::new(format!("cut off or reordered: {what} payload {} of the entry before", hex(name)));
        self.due.front().map_or(Ok(()), |name| Err(missing(name)))
    }

    /// Where the range reaches the checkpoint that was seen before, it has to be that log.
    fn hold_against_earlier(&self) -> Result<(), Unsound> {
        let Some((earlier, note)) = self.earlier.as_ref().filter(|(earlier, _)| earlier.head.size == self.tree.size()) else {
            return Ok(());
        };
        let size = earlier.head.size;
        let signed = self.keys.open(note);
        signed.map_err(|e| Unsound::new(format!("what was given as seen before ({size} entries) does not hold: {e}")))?;
        if earlier.head.root == self.tree.root() {
            return Ok(());
        }
        let why = format!(
            "forked: it does not go on from what was seen before; of the first {size} entries there are two histories under one key"
        );
        Err(Unsound::new(why))
    }
}

/// The checkpoint that was seen before, where the range can go on from it.
fn behind(note: &str, beginning: &Beginning, size: u64) -> Result<(Checkpoint, String), Unsound> {
    let earlier = Checkpoint::read(note).map_err(|e| Unsound::new(format!("what was given as seen before: {e}")))?;
    let (seen, first) = (earlier.head.size, beginning.first);
    let why = if earlier.origin != beginning.origin {
        format!("another log: what was seen before is of {:?}, and this is of {:?}", earlier.origin, beginning.origin)
    } else if seen < first {
        format!("a gap: what was seen before ends before entry {seen}, and this begins with entry {first}")
    } else if seen > size {
        format!("older: what was seen before has {seen} entries, and this ends after {size}")
    } else {
        return Ok((earlier, note.to_owned()));
    };
    Err(Unsound::new(why))
}

/// An entry that stands where `next` should.
fn out_of_place(index: u64, next: u64) -> String {
    if index.checked_add(1) == Some(next) {
        return format!("doubled: entry {index} stands there twice");
    }
    if index < next {
        return format!("reordered or doubled: entry {index} stands where entry {next} should");
    }
    format!("reordered, or something is missing: entry {index} stands where entry {next} should")
}

/// What stands between two ends.
fn within<'a>(line: &'a [u8], (before, behind): (&[u8], &[u8])) -> Option<&'a [u8]> {
    line.strip_prefix(before)?.strip_suffix(behind)
}
