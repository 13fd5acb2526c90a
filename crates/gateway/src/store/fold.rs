//! The fold: every record once, in order, each held against its digest. Reading, checking and parsing go on beside each other.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use nameplate_core::ledger::{Hash, Replay, Replayed};
use nameplate_core::view::View;

use super::Store;
use super::head::damaged;
use super::read::{check, leaf, place};
use super::tables::failure;
use crate::failure::Failure;

/// Records that go through the fold together: enough to make handing them over cheap, few enough for small machines (about 2 MiB).
const BATCH_ENTRIES: usize = 1024;
/// Workers beside the reader; more would wait for it.
const WORKERS_MAX: usize = 4;
/// Batches that may wait at each worker.
const WAITING_BATCHES_MAX: usize = 2;

/// Records in one piece of memory, and what they hold. It goes to a worker and comes back, and is filled again: memory is made once,
/// and what the entries of a batch own is freed by the worker that made it.
#[derive(Default)]
struct Batch {
    first: u64,
    bytes: Vec<u8>,
    /// Digest, and where the record ends.
    ends: Vec<(Option<Hash>, usize)>,
    entries: Vec<Replayed>,
}

impl Store {
    /// What is known (`None`), or was known at a time: the fold up to and including the last entry whose time is not later.
    ///
    /// # Errors
    /// An entry is damaged, or of a newer program.
    pub fn view(&self, as_of_ns: Option<u64>) -> Result<View, Failure> {
        let until = as_of_ns.map_or_else(|| Ok(self.size()), |as_of| self.until(as_of))?;
        self.view_at(until)
    }

    /// What was known after the first `size` entries.
    ///
    /// # Errors
    /// As [`Store::view`].
    pub fn view_at(&self, size: u64) -> Result<View, Failure> {
        let mut view = View::default();
        if size <= BATCH_ENTRIES as u64 {
            let mut replay = Replay::default();
            self.batches(size, |mut batch| {
                batch.decode(&mut replay).map_err(|why| damaged(&self.path, &why))?;
                batch.entries.iter().for_each(|entry| view.replay(entry));
                Ok(batch)
            })?;
            return Ok(view);
        }
        let workers = thread::available_parallelism().map_or(1, |cores| cores.get().min(WORKERS_MAX));
        thread::scope(|scope| {
            let lanes: Vec<Lane> = (0..workers)
                .map(|_| {
                    let ((to, work), (done, from)) = (sync_channel(WAITING_BATCHES_MAX), sync_channel(WAITING_BATCHES_MAX));
                    scope.spawn(move || work_off(&work, &done));
                    Lane { to, from }
                })
                .collect();
            self.through(size, &lanes, &mut view)
        })?;
        Ok(view)
    }

    /// Deals batches out in turn and takes them back in the same order, so that entries are applied in theirs.
    fn through(&self, size: u64, lanes: &[Lane], view: &mut View) -> Result<(), Failure> {
        let (mut dealt, mut taken) = (0, 0);
        let mut take = |lane: &Lane| {
            let batch = lane.from.recv().unwrap_or_else(|_| Err("a reader ended early".to_owned()));
            let batch = batch.map_err(|why| damaged(&self.path, &why))?;
            batch.entries.iter().for_each(|entry| view.replay(entry));
            Ok(batch)
        };
        let mut turn = lanes.iter().cycle();
        let mut back = lanes.iter().cycle();
        self.batches(size, |batch| {
            dealt += 1;
            // A worker that is gone is noticed when its answer does not come.
            turn.next().map(|lane| lane.to.send(batch));
            if dealt - taken < lanes.len() * WAITING_BATCHES_MAX {
                return Ok(Batch::default());
            }
            // The next one goes to the worker that made this one.
            taken += 1;
            back.next().map_or_else(|| Ok(Batch::default()), &mut take)
        })?;
        (taken..dealt).try_for_each(|_| back.next().map_or(Ok(()), |lane| take(lane).map(drop)))
    }

    /// Hands over the first `size` records in order, in batches that `each` gives back to be filled again.
    fn batches(&self, size: u64, mut each: impl FnMut(Batch) -> Result<Batch, Failure>) -> Result<(), Failure> {
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let mut select = self.connection.prepare("SELECT idx, leaf, record FROM entry WHERE idx < ?1 ORDER BY idx").map_err(sql)?;
        let mut rows = select.query([size]).map_err(sql)?;
        let mut batch = Batch::default();
        let mut expected = 0;
        while let Some(row) = rows.next().map_err(sql)? {
            if place(row) != Some(expected) {
                return Err(damaged(&self.path, &format!("entry {expected} is missing")));
            }
            expected += 1;
            batch.bytes.extend_from_slice(row.get_ref(2).map_err(sql)?.as_blob().map_err(|e| sql(e.into()))?);
            batch.ends.push((leaf(row), batch.bytes.len()));
            if batch.ends.len() == BATCH_ENTRIES {
                batch = each(batch)?;
                batch.begin(expected);
            }
        }
        if expected != size {
            return Err(damaged(&self.path, &format!("entry {expected} is missing")));
        }
        each(batch).map(drop)
    }

    /// One past the last entry whose time is not later than `as_of_ns`. Clocks jump, so the search is from the end, entry by entry.
    fn until(&self, as_of_ns: u64) -> Result<u64, Failure> {
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let mut select = self.connection.prepare("SELECT idx, leaf, record FROM entry WHERE idx < ?1 ORDER BY idx DESC").map_err(sql)?;
        let mut rows = select.query([self.size()]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let index = place(row).ok_or_else(|| damaged(&self.path, "an entry without a place"))?;
            let record = row.get_ref(2).map_err(sql)?.as_blob().map_err(|e| sql(e.into()))?;
            if check(index, leaf(row), record).map_err(|why| damaged(&self.path, &why))?.time_ns <= as_of_ns {
                return Ok(index.saturating_add(1));
            }
        }
        Ok(0)
    }
}

/// The way to a worker and back.
struct Lane {
    to: SyncSender<Batch>,
    from: Receiver<Result<Batch, String>>,
}

fn work_off(work: &Receiver<Batch>, done: &SyncSender<Result<Batch, String>>) {
    let mut replay = Replay::default();
    while let Ok(mut batch) = work.recv() {
        let decoded = batch.decode(&mut replay);
        if done.send(decoded.map(|()| batch)).is_err() {
            return;
        }
    }
}

impl Batch {
    /// Takes records from this index on. The entries stay until [`Batch::decode`].
    fn begin(&mut self, first: u64) {
        self.first = first;
        self.bytes.clear();
        self.ends.clear();
    }

    /// Checks and reads its records.
    fn decode(&mut self, replay: &mut Replay) -> Result<(), String> {
        let Self { first, bytes, ends, entries } = self;
        entries.clear();
        let mut from = 0;
        for (index, (leaf, end)) in (*first..).zip(ends) {
            let record = bytes.get(from..*end).unwrap_or_default();
            from = *end;
            let tail = check(index, *leaf, record)?;
            entries.push(replay.record(record, &tail).map_err(|e| format!("entry {index}: {e}"))?);
        }
        Ok(())
    }
}
