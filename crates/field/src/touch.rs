//! The touch record: every time we touch a device, a line on disk first.
//!
//! `touch.ndjson` in the state directory is append-only, one JSON object a line ([`Line`]), each written whole and synced before [`TouchRecord::append`]
//! returns. The guard appends before it connects and before a message leaves: no entry, no action. One process at a time writes (an exclusive lock);
//! budgets and breakers are folds over [`recall`]. What is old is folded once (`touch.folded.ndjson`), so that
//! nobody reads years of it before each round.
//!
//! A power cut may leave the last line torn. What that line announced cannot have left, because the sync had not returned; the line is reported by
//! [`TouchRecord::torn`], and cut off and kept in a `mended` line by the next append. A broken line anywhere else is an error that names it.

mod error;
mod folded;
mod line;
mod quiet;
mod sealed;
mod summary;

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use self::sealed::Sealing;
pub use self::{
    error::TouchError,
    folded::{FOLDED_FILE_NAME, Kept, KeptAttempt, KeptClass, KeptDevice, KeptEnd, KeptStop, Told, recall},
    line::{Kind, Line},
    quiet::{Hush, QUIET_FILE_NAME, hush, quiet, resume},
    summary::Summary,
};

/// The record's name inside the state directory.
pub const FILE_NAME: &str = "touch.ndjson";
/// Longest line: a refused message in hex (900), a reason (200) and an explanation fit eight times over.
pub const LINE_BYTES_MAX: usize = 16 * 1024;
/// How far back a torn end is looked for. A line is at most [`LINE_BYTES_MAX`]; file systems may leave some zeroed blocks behind it.
const TAIL_BYTES_MAX: u64 = 4 * LINE_BYTES_MAX as u64;
/// Bytes of a torn line that are kept in the `mended` line.
const TORN_KEPT_BYTES_MAX: usize = 1024;
/// The first line of a record says which format it has; a reader refuses what is newer than itself.
const FORMAT: u32 = 1;

/// The first line: `{"touch_record":1}`.
#[derive(Serialize, Deserialize)]
struct Header {
    touch_record: u32,
}

/// The record, open for writing by this process alone. Share it in an `Arc`.
pub struct TouchRecord {
    path: PathBuf,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    shelf: Mutex<Shelf>,
    torn: Option<Torn>,
    /// Whether this process was told to end.
    ending: watch::Sender<bool>,
}

/// A last line that a power cut had torn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where it begins in the file.
    pub offset: u64,
    /// What there is of it, at most 1,024 bytes.
    pub bytes: Vec<u8>,
}

/// The file, and how much of it is known to be whole lines.
struct Shelf {
    file: File,
    whole_bytes: u64,
    /// The file is longer than its whole lines: cut it before the next line.
    ragged: bool,
    /// Torn bytes that still have to be written down.
    to_mend: Option<Torn>,
    run: Summary,
    /// Where the record is sealed: the lines since the last seal, and the key of the next.
    sealing: Option<Sealing>,
}

impl TouchRecord {
    /// Opens the record in `state`, creates both (0700, 0600) where they do not exist, and takes the lock. `clock` stamps the lines.
    ///
    /// # Errors
    /// [`TouchError`]: cannot be created or opened, locked by another process, not a touch record, from a newer version.
    pub fn open(state: &Path, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Result<Self, TouchError> {
        let path = state.join(FILE_NAME);
        let io = |operation: &'static str, at: &Path| {
            let path = at.to_path_buf();
            move |source| TouchError::Io { operation, path, source }
        };
        directory().create(state).map_err(io("create", state))?;
        let mut file = options().open(&path).map_err(io("open for writing", &path))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => TouchError::Locked { path: path.clone() },
            TryLockError::Error(source) => TouchError::Io { operation: "lock", path: path.clone(), source },
        })?;
        let bytes = file.metadata().map_err(io("measure", &path))?.len();
        let torn = torn_end(&mut file, bytes, &path)?;
        let whole_bytes = torn.as_ref().map_or(bytes, |torn| torn.offset);
        check_header(&mut file, whole_bytes, &path)?;
        sync_directory(state).map_err(io("sync", state))?;
        let shelf = Shelf { file, whole_bytes, ragged: torn.is_some(), to_mend: torn.clone(), run: Summary::default(), sealing: None };
        Ok(Self { path, clock: Box::new(clock), shelf: Mutex::new(shelf), torn, ending: watch::Sender::new(false) })
    }

    /// Where it stands.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The torn last line that was found on opening; it is cut off by the first append.
    #[must_use]
    pub const fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }

    /// The time that the next line would have.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        representable((self.clock)())
    }

    /// Whether its lines are sealed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.shelf().sealing.is_some()
    }

    /// Stamps the line, appends it and syncs it to the disk. It blocks for as long as the disk takes, on purpose.
    ///
    /// # Errors
    /// [`TouchError::Io`] or [`TouchError::TooLong`]: the line is not in the record, and what it announces must not happen.
    pub fn append(&self, line: Line) -> Result<(), TouchError> {
        self.put(&mut self.shelf(), line)
    }

    fn put(&self, shelf: &mut Shelf, mut line: Line) -> Result<(), TouchError> {
        line.time = self.now();
        let mut text = Vec::new();
        if shelf.whole_bytes == 0 {
            json_line(&mut text, &Header { touch_record: FORMAT })?;
        }
        if let Some(torn) = &shelf.to_mend {
            let mut mended = Line::new(Kind::Mended);
            mended.time = line.time;
            mended.bytes = Some(crate::guard::hex(&torn.bytes));
            mended.why = Some(format!("a torn last line at byte {} was cut off", torn.offset));
            json_line(&mut text, &mended)?;
        }
        json_line(&mut text, &line)?;
        shelf.write(&text).map_err(|source| TouchError::Io { operation: "write", path: self.path.clone(), source })?;
        shelf.run.take(&line);
        if let Some(sealing) = &mut shelf.sealing {
            sealing.wrote(&text, line.seal.as_ref());
        }
        Ok(())
    }

    /// What this process appended since it opened the record.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.shelf().run.clone()
    }

    /// A panic elsewhere while the lock was held leaves the shelf usable: `whole_bytes` only moves after a sync.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands every whole touch line behind `from_byte` to `visit`, as it was written and as what it says, oldest first, with the offset at which the next one
/// begins. It reads beside a writer, and stops at a line that is not whole yet. A record that does not exist has no lines.
///
/// # Errors
/// [`TouchError::Io`]; [`TouchError::NotARecord`] where the record is shorter than `from_byte` or has no line end there: it was cut or
/// rewritten; [`TouchError::Broken`] for a line in the middle that is no touch line.
pub fn lines_from(state: &Path, from_byte: u64, mut visit: impl FnMut(&str, &Line, u64)) -> Result<(), TouchError> {
    let path = state.join(FILE_NAME);
    let io = |source| TouchError::Io { operation: "read", path: path.clone(), source };
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && from_byte == 0 => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    let rewritten =
        || TouchError::NotARecord { path: path.clone(), why: format!("no line ends at byte {from_byte}, where one did before") };
    let mut end = [0];
    if let Some(before) = from_byte.checked_sub(1) {
        let read = file.seek(SeekFrom::Start(before)).and_then(|_| file.read_exact(&mut end));
        read.map_err(|error| if error.kind() == std::io::ErrorKind::UnexpectedEof { rewritten() } else { io(error) })?;
        if end != *b"\n" {
            return Err(rewritten());
        }
    }
    let (mut reader, mut at, mut text) = (BufReader::new(file), from_byte, Vec::new());
    // A broken line, and whether it goes on.
    let (mut broken, mut is_long): (Option<TouchError>, bool) = (None, false);
    loop {
        text.clear();
        let had = (&mut reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut text).map_err(io)?;
        let (start, has_end) = (at, text.last() == Some(&b'\n'));
        at = at.saturating_add(had as u64);
        if had == 0 || (!has_end && had < LINE_BYTES_MAX) {
            // A broken last line is what a power cut leaves; the next append mends it.
            return Ok(());
        }
        if is_long {
            is_long = !has_end;
            continue;
        }
        if let Some(broken) = broken {
            return Err(broken);
        }
        is_long = !has_end;
        if start == 0 && header(&text).is_some() {
            continue;
        }
        match (parse(&text), str::from_utf8(&text)) {
            (Ok(line), Ok(text)) => visit(text.trim_end_matches('\n'), &line, at),
            (Err(why), _) => broken = Some(TouchError::Broken { path: path.clone(), at: start, why }),
            // JSON is UTF-8.
            (Ok(_), Err(_)) => {}
        }
    }
}

impl std::fmt::Debug for TouchRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TouchRecord").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Shelf {
    /// Puts `text` behind the last whole line. After a failure the same place is written again: a half line never gets a successor.
    fn write(&mut self, text: &[u8]) -> std::io::Result<()> {
        if self.ragged {
            self.file.set_len(self.whole_bytes)?;
        }
        self.ragged = true;
        self.file.seek(SeekFrom::Start(self.whole_bytes))?;
        self.file.write_all(text)?;
        self.file.sync_data()?;
        self.whole_bytes = self.whole_bytes.saturating_add(text.len() as u64);
        self.ragged = false;
        self.to_mend = None;
        Ok(())
    }
}

/// One JSON object and a newline.
fn json_line(text: &mut Vec<u8>, value: &impl Serialize) -> Result<(), TouchError> {
    let start = text.len();
    serde_json::to_writer(&mut *text, value).map_err(|error| TouchError::TooLong { why: error.to_string() })?;
    text.push(b'\n');
    let had = text.len().saturating_sub(start);
    if had > LINE_BYTES_MAX {
        return Err(TouchError::TooLong { why: format!("{had} bytes, at most {LINE_BYTES_MAX}") });
    }
    Ok(())
}

fn parse(text: &[u8]) -> Result<Line, String> {
    if text.last() != Some(&b'\n') {
        return Err(format!("no line end within {LINE_BYTES_MAX} bytes"));
    }
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

/// Finds a last line without an end, or with an end but no content that parses: both are what a power cut leaves.
fn torn_end(file: &mut File, bytes: u64, path: &Path) -> Result<Option<Torn>, TouchError> {
    let from = bytes.saturating_sub(TAIL_BYTES_MAX);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))
        .and_then(|_| file.take(bytes.saturating_sub(from)).read_to_end(&mut tail))
        .map_err(|source| TouchError::Io { operation: "read", path: path.to_path_buf(), source })?;
    let body = tail.strip_suffix(b"\n").unwrap_or(&tail);
    let start = match body.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => end.saturating_add(1),
        None if from == 0 => 0,
        None => {
            return Err(TouchError::NotARecord {
                path: path.to_path_buf(),
                why: format!("no line end in its last {TAIL_BYTES_MAX} bytes"),
            });
        }
    };
    let last = tail.get(start..).unwrap_or_default();
    let whole = last.is_empty() || parse(last).is_ok() || (start == 0 && from == 0 && header(last).is_some());
    let kept = last.get(..TORN_KEPT_BYTES_MAX).unwrap_or(last).to_vec();
    Ok((!whole).then(|| Torn { offset: from.saturating_add(start as u64), bytes: kept }))
}

fn header(text: &[u8]) -> Option<Header> {
    serde_json::from_slice(text.strip_suffix(b"\n")?).ok()
}

/// Reads the first line, if there is one.
fn check_header(file: &mut File, whole_bytes: u64, path: &Path) -> Result<(), TouchError> {
    if whole_bytes == 0 {
        return Ok(());
    }
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))
        .and_then(|_| BufReader::new(file.take(LINE_BYTES_MAX as u64)).read_until(b'\n', &mut text))
        .map_err(|source| TouchError::Io { operation: "read", path: path.to_path_buf(), source })?;
    match header(&text) {
        None => Err(TouchError::NotARecord { path: path.to_path_buf(), why: "its first line does not say so".to_owned() }),
        Some(Header { touch_record }) if touch_record > FORMAT => Err(TouchError::Newer { path: path.to_path_buf(), format: touch_record }),
        Some(_) => Ok(()),
    }
}

/// RFC 3339 has four digits for the year: a clock outside 1970 to 9999 is written as the nearest it can say.
fn representable(time: SystemTime) -> SystemTime {
    const YEAR_9999_S: u64 = 253_370_764_800;
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + since.min(Duration::from_secs(YEAR_9999_S))
}

/// Only their owner reads what was asked of whom.
fn directory() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A new file's name must survive a power cut as well as its lines. Windows keeps names without being asked.
fn sync_directory(state: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(state)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
