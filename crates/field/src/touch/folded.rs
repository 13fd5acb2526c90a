//! What the beginning of a record comes to. A record grows for years (a site of 2,000 devices writes some 22,000 lines a day), and budgets and breakers are
//! folds over all of it: so what is old is folded once, and whoever wants the record reads that, and then the lines behind it.
//!
//! `touch.folded.ndjson` stands beside the record and can be removed at any time: then the record is read from its beginning. Its first line says up to
//! which byte of the record it goes, and what the line there is; then comes one [`Kept`] a line; the last line has the SHA-256 of all the others and, where
//! the record is sealed, a seal by the same key. A file that is torn, of another record, of a later release or sealed by nobody counts as none.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use nameplate_core::ledger::PublicKey;
use nameplate_core::observation::hex;
use nameplate_core::seal::{Chain, Seal};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FILE_NAME, Line, TouchError, TouchRecord, lines_from, options, sync_directory};
use crate::breaker::End;
use crate::guard::Endpoint;

/// The file's name inside the state directory.
pub const FOLDED_FILE_NAME: &str = "touch.folded.ndjson";
/// While it is written.
const NEW_FILE_NAME: &str = "touch.folded.new";
/// Of the file; a reader reads what it knows.
const FORMAT: u32 = 1;
/// A device has at most 96 reasons of 200 characters, each of them escaped, and 64 attempts.
const KEPT_BYTES_MAX: u64 = 1024 * 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    touch_folded: u32,
    /// The byte of the record at which what is folded ends.
    end: u64,
    /// The line that ends there, as it stands in the record.
    last: String,
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct Trailer {
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seal: Option<Seal>,
}

/// One of the things that lines come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// What became of a device.
    Device(KeptDevice),
    /// What became of a class of devices.
    Class(KeptClass),
    /// From where we asked DNP3 outstations, and with which link address.
    Master(IpAddr, u16),
}

/// A device: an endpoint, and who is asked behind it. Times are microseconds since 1970-01-01T00:00:00Z, as exact as the record has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptDevice {
    /// Where it answers.
    pub target: Endpoint,
    /// Who is asked behind it; empty where there is but one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub station: String,
    /// Its class, as the last connection had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The last attempts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<KeptAttempt>,
    /// When it last said how long it had run, and what: hundredths of a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime: Option<(u64, u32)>,
    /// When each reason was last a reason to ask it, though it may have been refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<String, u64>,
}

/// An attempt: when it began, how many microseconds later it ended, how, and for which reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAttempt(pub u64, pub u64, pub KeptEnd, pub String);

/// How an attempt ended: [`crate::breaker::End`] as it is written. A latency is in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of breaker::End")]
pub enum KeptEnd {
    Answered(u64),
    Failed,
    Rebuffed,
    Hostile,
    Restarted,
    Upset,
    Denied,
    Unknown,
}

impl From<End> for KeptEnd {
    fn from(end: End) -> Self {
        match end {
            End::Answered { latency } => Self::Answered(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)),
            End::Failed => Self::Failed,
            End::Rebuffed => Self::Rebuffed,
            End::Hostile => Self::Hostile,
            End::Restarted { upset: false } => Self::Restarted,
            End::Restarted { upset: true } => Self::Upset,
            End::Denied => Self::Denied,
            End::Unknown => Self::Unknown,
        }
    }
}

impl From<KeptEnd> for End {
    fn from(end: KeptEnd) -> Self {
        match end {
            KeptEnd::Answered(micros) => Self::Answered { latency: Duration::from_micros(micros) },
            KeptEnd::Failed => Self::Failed,
            KeptEnd::Rebuffed => Self::Rebuffed,
            KeptEnd::Hostile => Self::Hostile,
            KeptEnd::Restarted => Self::Restarted { upset: false },
            KeptEnd::Upset => Self::Restarted { upset: true },
            KeptEnd::Denied => Self::Denied,
            KeptEnd::Unknown => Self::Unknown,
        }
    }
}

/// A class of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptClass {
    /// The class.
    pub class: String,
    /// Some of its devices that answered: as many as make it known.
    pub answered: Vec<(Endpoint, String)>,
    /// Its devices that failed last, and when.
    pub failed: Vec<(Endpoint, String, u64)>,
    /// What stopped it, if it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<KeptStop>,
}

/// What stopped a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptStop {
    /// Several of its devices failed.
    Failures,
    /// One restarted as it was read.
    Upset,
}

/// What a record says, piece by piece.
#[derive(Debug)]
pub enum Told<'a> {
    /// What its beginning comes to.
    Kept(Kept),
    /// A line behind that.
    Line {
        /// As it stands, without its end.
        text: &'a str,
        /// What it says.
        line: &'a Line,
        /// The offset at which the next one begins.
        end: u64,
    },
}

/// Hands what the record in `state` says to `visit`: what its beginning comes to, then each line behind that. It reads beside a writer; see [`lines_from`].
///
/// # Errors
/// As [`lines_from`], or [`TouchError::NotARecord`] for a folded beginning that is whole and says what nobody knows.
pub fn recall(state: &Path, mut visit: impl FnMut(Told<'_>)) -> Result<(), TouchError> {
    let path = state.join(FOLDED_FILE_NAME);
    let io = |source| TouchError::Io { operation: "read", path: path.clone(), source };
    let folded = Folded::open(state, None).map_err(io)?;
    let from = folded.as_ref().map_or(0, |folded| folded.header.end);
    if let Some(Folded { file, lines, .. }) = folded {
        let (mut reader, mut text) = (BufReader::new(file), Vec::new());
        for number in 1..=lines {
            text.clear();
            (&mut reader).take(KEPT_BYTES_MAX).read_until(b'\n', &mut text).map_err(io)?;
            if number > 1 {
                let strange = |e| TouchError::NotARecord { path: path.clone(), why: format!("its line {number}: {e}") };
                visit(Told::Kept(serde_json::from_slice(&text).map_err(strange)?));
            }
        }
    }
    lines_from(state, from, |text, line, end| visit(Told::Line { text, line, end }))
}

/// A folded beginning that is whole, and of this record.
struct Folded {
    header: Header,
    /// At its start.
    file: File,
    /// With the header, without the last one.
    lines: u64,
}

impl Folded {
    /// That of the record in `state`, where there is one; where there is a `key`, sealed with it.
    fn open(state: &Path, key: Option<&PublicKey>) -> io::Result<Option<Self>> {
        let file = match File::open(state.join(FOLDED_FILE_NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut reader = BufReader::new(file);
        let (mut hash, mut lines, mut header) = (Sha256::new(), 0_u64, None);
        let (mut text, mut next) = (Vec::new(), Vec::new());
        (&mut reader).take(KEPT_BYTES_MAX).read_until(b'\n', &mut text)?;
        loop {
            next.clear();
            if (&mut reader).take(KEPT_BYTES_MAX).read_until(b'\n', &mut next)? == 0 {
                break;
            }
            hash.update(&text);
            if lines == 0 {
                header = serde_json::from_slice::<Header>(&text).ok().filter(|header| header.touch_folded == FORMAT);
            }
            lines = lines.saturating_add(1);
            std::mem::swap(&mut text, &mut next);
        }
        let trailer = serde_json::from_slice::<Trailer>(&text).ok().filter(|_| text.ends_with(b"\n"));
        let (Some(header), Some(trailer)) = (header, trailer) else { return Ok(None) };
        let digest = hex(&hash.finalize());
        let is_sealed = key.is_none_or(|key| trailer.seal.is_some_and(|seal| chain(&digest).check(&seal, key).is_ok()));
        if digest != trailer.sha256 || !is_sealed || !stands_in(state, &header)? {
            return Ok(None);
        }
        let mut file = reader.into_inner();
        file.seek(SeekFrom::Start(0))?;
        Ok(Some(Self { header, file, lines }))
    }
}

/// Whether the record has that line where it should end: a record that was cut, or another one, has not.
fn stands_in(state: &Path, header: &Header) -> io::Result<bool> {
    let mut record = File::open(state.join(FILE_NAME))?;
    let line = format!("{}\n", header.last);
    let Some(start) = header.end.checked_sub(line.len() as u64) else { return Ok(false) };
    let mut found = vec![0; line.len()];
    let read = record.seek(SeekFrom::Start(start)).and_then(|_| record.read_exact(&mut found));
    match read {
        Ok(()) => Ok(found == line.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// What is sealed. It is no line of a touch record, so that no seal of one can be taken for it.
fn chain(digest: &str) -> Chain {
    let mut chain = Chain::default();
    chain.take(&format!("folded {digest}"));
    chain
}

impl TouchRecord {
    /// Where reading this record may begin, and the line that ends there, where there is a folded beginning under this key.
    pub(super) fn folded(&self, key: &PublicKey) -> Result<Option<(u64, Line)>, TouchError> {
        let path = self.directory().join(FOLDED_FILE_NAME);
        let io = |operation: &'static str| {
            let path = path.clone();
            move |source| TouchError::Io { operation, path, source }
        };
        let Some(folded) = Folded::open(self.directory(), Some(key)).map_err(io("read"))? else {
            // Whoever recalls the record does not know the key: what is not ours must not be there.
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io("remove")(error)),
                _ => Ok(None),
            };
        };
        let last = serde_json::from_str(&folded.header.last);
        last.map(|line| Some((folded.header.end, line))).map_err(|e| TouchError::NotARecord { path: path.clone(), why: e.to_string() })
    }

    /// Keeps what the lines up to the byte `end` come to; `last` is the line that ends there. One that was there before goes.
    ///
    /// # Errors
    /// [`TouchError::Io`]: what was there before is there still.
    pub fn keep_folded(&self, end: u64, last: &str, kept: impl IntoIterator<Item = Kept>) -> Result<(), TouchError> {
        let new = self.directory().join(NEW_FILE_NAME);
        self.write_folded(&new, end, last, kept)
            .and_then(|()| fs::rename(&new, self.directory().join(FOLDED_FILE_NAME)))
            .and_then(|()| sync_directory(self.directory()))
            .map_err(|source| TouchError::Io { operation: "write", path: new, source })
    }

    fn write_folded(&self, new: &Path, end: u64, last: &str, kept: impl IntoIterator<Item = Kept>) -> io::Result<()> {
        let file = options().open(new)?;
        file.set_len(0)?;
        let mut to = Hashing { to: BufWriter::new(file), hash: Sha256::new() };
        to.line(&Header { touch_folded: FORMAT, end, last: last.to_owned() })?;
        kept.into_iter().try_for_each(|kept| to.line(&kept))?;
        let sha256 = hex(&to.hash.clone().finalize());
        let seal = self.shelf().sealing.as_ref().map(|sealing| chain(&sha256).seal(&sealing.key));
        to.line(&Trailer { sha256, seal })?;
        to.to.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

/// A file on its way, and what it comes to so far.
struct Hashing {
    to: BufWriter<File>,
    hash: Sha256,
}

impl Hashing {
    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(value)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.to.write_all(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::SystemTime;

    use nameplate_core::ledger::SiteKey;

    use super::*;
    use crate::touch::Kind;

    /// A record of two runs, sealed or not, of which the first is folded.
    struct State {
        place: PathBuf,
        first: u64,
    }

    impl State {
        fn new(name: &str, key: Option<u8>) -> Self {
            let place = std::env::temp_dir().join(format!("nameplate-folded-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&place);
            let mut state = Self { place, first: 0 };
            state.run(key);
            let record = state.open(key).expect("a record");
            let (mut first, mut last) = (0, String::new());
            lines_from(&state.place, 0, |text, _, end| (first, last) = (end, text.to_owned())).expect("lines");
            record.keep_folded(first, &last, kept()).expect("kept");
            drop(record);
            state.first = first;
            state.run(key);
            state
        }

        fn open(&self, key: Option<u8>) -> Result<TouchRecord, TouchError> {
            let clock = || SystemTime::UNIX_EPOCH;
            match key {
                Some(seed) => TouchRecord::open_sealed(&self.place, clock, SiteKey::of(&[seed; 32])),
                None => TouchRecord::open(&self.place, clock),
            }
        }

        fn run(&self, key: Option<u8>) {
            let record = self.open(key).expect("a record");
            (0..3).for_each(|_| record.append(Line::new(Kind::Released)).expect("appended"));
            record.seal().expect("sealed");
        }

        fn folded(&self) -> PathBuf {
            self.place.join(FOLDED_FILE_NAME)
        }

        /// What is recalled: what is kept, and the lines.
        fn says(&self) -> (Vec<Kept>, usize) {
            let (mut all, mut lines) = (Vec::new(), 0);
            let read = recall(&self.place, |told| match told {
                Told::Kept(kept) => all.push(kept),
                Told::Line { .. } => lines += 1,
            });
            read.expect("recalled");
            (all, lines)
        }
    }

    impl Drop for State {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.place);
        }
    }

    fn kept() -> [Kept; 2] {
        [Kept::Master([192, 0, 2, 1].into(), 1), Kept::Class(KeptClass { class: "modbus A".to_owned(), ..KeptClass::default() })]
    }

    #[test]
    fn what_is_folded_is_told_before_the_lines_behind_it() {
        for (key, lines) in [(None, 3), (Some(7), 4)] {
            let state = State::new(if key.is_some() { "told-sealed" } else { "told" }, key);
            assert_eq!(state.says(), (kept().to_vec(), lines));
            state.open(key).expect("a record");
            assert_eq!(state.says(), (kept().to_vec(), lines), "it is there still");
        }
    }

    #[test]
    fn a_torn_or_foreign_beginning_counts_as_none() {
        for key in [None, Some(7)] {
            let all = if key.is_some() { 8 } else { 6 };
            let state = State::new(if key.is_some() { "foreign-sealed" } else { "foreign" }, key);
            let whole = fs::read(state.folded()).expect("a file");
            for at in 0..whole.len() {
                fs::write(state.folded(), &whole[..at]).expect("written");
                assert_eq!(state.says(), (Vec::new(), all), "cut at {at}");
                let mut changed = whole.clone();
                changed[at] ^= 1;
                fs::write(state.folded(), &changed).expect("written");
                // Of what is no part of the digest only the seal is left, and that is for whoever has the key.
                let is_seal = key.is_some() && state.says().1 != all;
                state.open(key).expect("a record");
                assert_eq!(state.says(), (Vec::new(), all), "changed at {at}");
                assert!(key.is_none() || !state.folded().exists() || !is_seal);
            }
            fs::write(state.folded(), String::from_utf8_lossy(&whole).replacen("folded\":1", "folded\":2", 1)).expect("written");
            assert_eq!(state.says(), (Vec::new(), all), "a later release's");
            fs::write(state.folded(), &whole).expect("written");
            assert_eq!(state.says().0, kept());
            let record = fs::read(state.place.join(FILE_NAME)).expect("a record");
            let cut = record.get(..state.first as usize - 1).expect("shorter");
            fs::write(state.place.join(FILE_NAME), cut).expect("cut");
            assert_eq!(state.says().0, [], "a record that was cut");
        }
    }

    #[test]
    fn a_beginning_under_another_key_is_removed() {
        let state = State::new("key", Some(7));
        let plain = State::new("plain", None);
        fs::copy(plain.folded(), state.folded()).expect("copied");
        fs::copy(plain.place.join(FILE_NAME), state.place.join(FILE_NAME)).expect("copied");
        assert_eq!(state.says().0, kept(), "it is of this record");
        assert!(state.open(Some(7)).is_ok());
        assert!(!state.folded().exists(), "and nobody with the key made it");
    }

    #[test]
    fn a_sealed_record_is_checked_from_its_folded_beginning_on() {
        let state = State::new("checked", Some(7));
        let path = state.place.join(FILE_NAME);
        let text = fs::read_to_string(&path).expect("a record");
        let behind = text.get(state.first as usize..).expect("lines behind it").replacen("released", "uptime", 1);
        fs::write(&path, [text.get(..state.first as usize).expect("lines before it"), &behind].concat()).expect("written");
        let said = state.open(Some(7)).expect_err("a line was changed").to_string();
        assert!(said.contains(&format!("touch line 4 behind byte {}: the lines are not those", state.first)), "{said}");
    }
}
