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

/// Records that go through the fold together: enough to make handing them over cheap, few enough for small machines (about 1 MiB).
const CHUNK_ENTRIES: usize = 1024;
/// Workers beside the reader; more would wait for it.
const WORKERS_MAX: usize = 4;
/// Chunks that may wait at each worker.
const WAITING_CHUNKS_MAX: usize = 2;

/// Records in one piece of memory.
#[derive(Default)]
struct Chunk {
    first: u64,
    bytes: Vec<u8>,
    /// Digest, and where the record ends.
    ends: Vec<(Option<Hash>, usize)>,
}

/// What a worker makes of a chunk.
type Decoded = Result<Vec<Replayed>, String>;

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
        if size <= CHUNK_ENTRIES as u64 {
            self.chunks(size, |chunk| {
                decode(&chunk, &mut Replay::default())
                    .map(|entries| entries.iter().for_each(|entry| view.replay(entry)))
                    .map_err(|why| damaged(&self.path, &why))
            })?;
            return Ok(view);
        }
        let workers = thread::available_parallelism().map_or(1, |cores| cores.get().min(WORKERS_MAX));
        thread::scope(|scope| {
            let lanes: Vec<Lane> = (0..workers)
                .map(|_| {
                    let ((to, work), (done, from)) = (sync_channel(WAITING_CHUNKS_MAX), sync_channel(WAITING_CHUNKS_MAX));
                    scope.spawn(move || work_off(&work, &done));
                    Lane { to, from }
                })
                .collect();
            self.through(size, &lanes, &mut view)
        })?;
        Ok(view)
    }

    /// Deals chunks out in turn and takes them back in the same order, so that entries are applied in theirs.
    fn through(&self, size: u64, lanes: &[Lane], view: &mut View) -> Result<(), Failure> {
        let (mut dealt, mut taken) = (0, 0);
        let mut take = |lane: &Lane| {
            let entries = lane.from.recv().unwrap_or_else(|_| Err("a reader ended early".to_owned()));
            entries.map(|entries| entries.iter().for_each(|entry| view.replay(entry))).map_err(|why| damaged(&self.path, &why))
        };
        let mut turn = lanes.iter().cycle();
        let mut back = lanes.iter().cycle();
        self.chunks(size, |chunk| {
            if dealt - taken == lanes.len() * WAITING_CHUNKS_MAX {
                taken += 1;
                back.next().map_or(Ok(()), &mut take)?;
            }
            dealt += 1;
            // A worker that is gone is noticed when its answer does not come.
            turn.next().map(|lane| lane.to.send(chunk));
            Ok(())
        })?;
        (taken..dealt).try_for_each(|_| back.next().map_or(Ok(()), &mut take))
    }

    /// Hands over the first `size` records in order.
    fn chunks(&self, size: u64, mut each: impl FnMut(Chunk) -> Result<(), Failure>) -> Result<(), Failure> {
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let mut select = self.connection.prepare("SELECT idx, leaf, record FROM entry WHERE idx < ?1 ORDER BY idx").map_err(sql)?;
        let mut rows = select.query([size]).map_err(sql)?;
        let mut chunk = Chunk::default();
        let mut expected = 0;
        while let Some(row) = rows.next().map_err(sql)? {
            if place(row) != Some(expected) {
                return Err(damaged(&self.path, &format!("entry {expected} is missing")));
            }
            expected += 1;
            chunk.bytes.extend_from_slice(row.get_ref(2).map_err(sql)?.as_blob().map_err(|e| sql(e.into()))?);
            chunk.ends.push((leaf(row), chunk.bytes.len()));
            if chunk.ends.len() == CHUNK_ENTRIES {
                each(std::mem::take(&mut chunk))?;
                chunk = Chunk { first: expected, bytes: Vec::with_capacity(CHUNK_ENTRIES * 1024), ends: Vec::with_capacity(CHUNK_ENTRIES) };
            }
        }
        if expected != size {
            return Err(damaged(&self.path, &format!("entry {expected} is missing")));
        }
        each(chunk)
    }

    /// One past the last entry whose time is not later than `as_of_ns`. Clocks jump, so the search is from the end, entry by entry.
    fn until(&self, as_of_ns: u64) -> Result<u64, Failure> {
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let mut select = self.connection.prepare("SELECT idx, leaf, record FROM entry WHERE idx < ?1 ORDER BY idx DESC").map_err(sql)?;
        let mut rows = select.query([self.size()]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let index = place(row).ok_or_else(|| damaged(&self.path, "an entry without a place"))?;
            let record = row.get_ref(2).map_err(sql)?.as_blob().map_err(|e| sql(e.into()))?;
            if check(index, leaf(row), record).map_err(|why| damaged(&self.path, &why))? <= as_of_ns {
                return Ok(index.saturating_add(1));
            }
        }
        Ok(0)
    }
}

/// The way to a worker and back.
struct Lane {
    to: SyncSender<Chunk>,
    from: Receiver<Decoded>,
}

fn work_off(work: &Receiver<Chunk>, done: &SyncSender<Decoded>) {
    let mut replay = Replay::default();
    while let Ok(chunk) = work.recv() {
        if done.send(decode(&chunk, &mut replay)).is_err() {
            return;
        }
    }
}

/// Checks and reads a chunk's records.
fn decode(chunk: &Chunk, replay: &mut Replay) -> Decoded {
    let (mut replayed, mut from) = (Vec::with_capacity(chunk.ends.len()), 0);
    for (index, (leaf, end)) in (chunk.first..).zip(&chunk.ends) {
        let record = chunk.bytes.get(from..*end).unwrap_or_default();
        from = *end;
        check(index, *leaf, record)?;
        replayed.push(replay.record(record).map_err(|e| format!("entry {index}: {e}"))?);
    }
    Ok(replayed)
}
