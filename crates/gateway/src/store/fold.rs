//! The fold: every record once, in order, each held against its digest. Reading, checking and parsing go on beside each other.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use nameplate_core::ledger::{Replay, Replayed};
use nameplate_core::view::View;

use super::Store;
use super::head::damaged;
use super::sheaf::{COLUMNS, Checked, Packed, Sheaves};
use super::tables::failure;
use crate::failure::Failure;

/// Records that go through the fold together: enough to make handing them over cheap, few enough for small machines (about 2 MiB).
const BATCH_ENTRIES: usize = 1024;
/// Workers beside the reader; more would wait for it.
const WORKERS_MAX: usize = 4;
/// Batches that may wait at each worker.
const WAITING_BATCHES_MAX: usize = 2;

/// Rows in one piece of memory, and what they hold. It goes to a worker and comes back, and is filled again: memory is made once,
/// and what the entries of a batch own is freed by the worker that made it.
#[derive(Default)]
struct Batch {
    sheaves: Sheaves,
    /// Entries that are not wanted at the end of the last row.
    beyond: usize,
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
            let (mut replay, mut lines) = (Replay::default(), Vec::new());
            self.batches(size, |mut batch| {
                batch.decode(&mut replay, &mut lines).map_err(|why| damaged(&self.path, &why))?;
                batch.entries.iter().for_each(|entry| view.replay(entry));
                Ok(batch)
            })?;
            view.settle();
            return Ok(view);
        }
        let replay = Replay::default();
        let workers = thread::available_parallelism().map_or(1, |cores| cores.get().min(WORKERS_MAX));
        thread::scope(|scope| {
            let lanes: Vec<Lane> = (0..workers)
                .map(|_| {
                    let ((to, work), (done, from)) = (sync_channel(WAITING_BATCHES_MAX), sync_channel(WAITING_BATCHES_MAX));
                    let replay = replay.beside();
                    scope.spawn(move || work_off(replay, &work, &done));
                    Lane { to, from }
                })
                .collect();
            self.through(size, &lanes, &mut view)
        })?;
        view.settle();
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
        let mut batch = Batch::default();
        self.sheaves(size, |sheaf| {
            batch.sheaves.push(&sheaf);
            batch.beyond = usize::try_from(sheaf.range().end.saturating_sub(size)).unwrap_or(usize::MAX);
            if batch.sheaves.entries() >= BATCH_ENTRIES {
                batch = each(std::mem::take(&mut batch))?;
                batch.sheaves.clear();
            }
            Ok(())
        })?;
        each(batch).map(drop)
    }

    /// One past the last entry whose time is not later than `as_of_ns`. Clocks jump, so the search is from the end, row by row.
    fn until(&self, as_of_ns: u64) -> Result<u64, Failure> {
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let mut select = self.connection.prepare(&format!("SELECT {COLUMNS} FROM sheaf ORDER BY size DESC")).map_err(sql)?;
        let mut rows = select.query([]).map_err(sql)?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next().map_err(sql)? {
            let sheaf = Packed::of(row).ok_or_else(|| damaged(&self.path, "entries without a place"))?;
            let mut until = None;
            let look = |entry: Checked<'_>| {
                if entry.tail.time_ns <= as_of_ns {
                    until = Some(entry.index.saturating_add(1));
                }
                Ok(())
            };
            sheaf.entries(&mut lines, look).map_err(|why| damaged(&self.path, &why))?;
            if let Some(until) = until {
                return Ok(until);
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

fn work_off(mut replay: Replay, work: &Receiver<Batch>, done: &SyncSender<Result<Batch, String>>) {
    let mut lines = Vec::new();
    while let Ok(mut batch) = work.recv() {
        let decoded = batch.decode(&mut replay, &mut lines);
        if done.send(decoded.map(|()| batch)).is_err() {
            return;
        }
    }
}

impl Batch {
    /// Checks and reads its records; `lines` is memory to unpack into.
    fn decode(&mut self, replay: &mut Replay, lines: &mut Vec<u8>) -> Result<(), String> {
        let Self { sheaves, beyond, entries } = self;
        entries.clear();
        for sheaf in sheaves.iter() {
            sheaf.entries(lines, |entry| {
                entries.push(replay.record(entry.record, &entry.tail).map_err(|e| format!("entry {}: {e}", entry.index))?);
                Ok(())
            })?;
        }
        entries.truncate(entries.len().saturating_sub(*beyond));
        Ok(())
    }
}
