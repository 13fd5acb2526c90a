//! `nameplate ledger export`, and `ledger verify --range`: a range of the log as a file, and the check of one without any state.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::evidence::{Beginning, LINE_BYTES_MAX, Unsound, Whole, read_log};
use nameplate_core::ledger::NOTE_BYTES_MAX;
use nameplate_core::text::printable;

use super::super::evidence::fingerprint;
use crate::failure::{Code, Failure};
use crate::print;
use crate::store::{Extent, Store};

/// Bytes that are read or written at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// What of the log, and where to.
#[derive(Debug, Args)]
pub struct Export {
    /// The file; one that is there already is not overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The first entry, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// So many entries from the beginning of the log; a checkpoint was signed there. Without it, all
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    /// The records alone: no answers, no profiles, no documents
    #[arg(long)]
    without_payloads: bool,
}

impl Export {
    /// Writes the range, and keeps it if we would accept it ourselves.
    pub fn run(&self, store: &Store) -> Result<(), Failure> {
        let Self { file: path, from, to, without_payloads } = self;
        let extent = Extent { entries: *from..to.unwrap_or_else(|| store.size()), payloads: !without_payloads };
        let cannot = |e: std::io::Error| Failure::input(path.display(), e);
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(cannot)?;
        let mut writer = BufWriter::with_capacity(BUFFER_BYTES, file);
        let written = store.export(&extent, &mut writer).and_then(|()| {
            writer.flush().map_err(cannot)?;
            writer.get_ref().sync_all().map_err(cannot)?;
            let refused =
                |unsound: Unsound| Failure::input(path.display(), format!("it would not be accepted, so it was not kept: {unsound}"));
            read_log(&mut open(path)?, None).map_err(cannot)?.map_err(refused)
        });
        let whole = written.inspect_err(|_| drop(fs::remove_file(path)))?;
        eprintln!("{}: {}", path.display(), extent_of(&whole));
        if let Some(line) = missing(&whole) {
            eprintln!("{line}");
        }
        eprintln!(
            "whoever checks it needs this fingerprint of the site's key, on another way than the file: {}",
            store.public_key().fingerprint()
        );
        Ok(())
    }
}

/// An exported log that is checked instead of the state.
#[derive(Debug, Args)]
pub struct Checked {
    /// Check this exported log instead of the state: who signed it, and that it is whole
    #[arg(long, value_name = "FILE", conflicts_with_all = ["backup", "checkpoint"])]
    range: Option<PathBuf>,
    /// Fingerprint of the site's key, as the site gave it to you on another way than the file
    #[arg(long, value_name = "FINGERPRINT", requires = "range", value_parser = fingerprint)]
    key: Option<String>,
    /// What was seen before: the exported log that this one follows, or a checkpoint. The two have to be one log
    #[arg(long, value_name = "FILE", requires = "range")]
    after: Option<PathBuf>,
    /// Be content with the records alone; else an exported log without its payloads ends with exit code 6
    #[arg(long, requires = "range")]
    without_payloads: bool,
}

impl Checked {
    /// Checks the file that was named; `None` where none was.
    pub fn run(&self) -> Option<Result<(), Failure>> {
        self.range.as_ref().map(|range| self.check(range))
    }

    fn check(&self, range: &Path) -> Result<(), Failure> {
        let earlier = self.after.as_ref().map(|path| seen_before(path)).transpose()?;
        let read = read_log(&mut open(range)?, earlier.as_deref()).map_err(|e| Failure::input(range.display(), e))?;
        let failed = || Failure::new(Code::Failed, "this file does not prove what it holds; see above");
        let whole = match read {
            Ok(whole) => whole,
            Err(unsound) => {
                print::out(&format!("refused: {}\n", printable(&unsound.why)))?;
                return Err(failed());
            }
        };
        let authentic = self.key.as_ref().is_some_and(|key| whole.keys.holds(key));
        let mut text = if authentic {
            "authentic: signed by the key that you pinned, every entry is there\n".to_owned()
        } else {
            let told = if self.key.is_some() { "it is not the one that you gave" } else { "you gave none to compare it with (--key)" };
            let fingerprint = whole.keys.first().fingerprint();
            format!("unknown signer {fingerprint}\n  all of it hangs together under the key with this fingerprint, but {told}\n")
        };
        text += &format!("{}\n", extent_of(&whole));
        if let Some(after) = &self.after {
            text += &format!("it goes on from {}: one log\n", printable(&after.display().to_string()));
        }
        text += &missing(&whole).map_or_else(String::new, |line| line + "\n");
        print::out(&text)?;
        if authentic && (whole.missing == 0 || self.without_payloads) { Ok(()) } else { Err(failed()) }
    }
}

/// What a file holds, in words.
fn extent_of(whole: &Whole) -> String {
    let Whole { first, head, payloads, keys, .. } = whole;
    let (entries, last) = (head.size.saturating_sub(*first), head.size.saturating_sub(1));
    let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    format!("{entries}, {first} to {last}, of the log {}; {}", keys.origin(), print::count(*payloads, "payload"))
}

/// What its records name and it does not hold.
fn missing(whole: &Whole) -> Option<String> {
    let Whole { missing, gone, .. } = whole;
    if *missing == 0 {
        return None;
    }
    let count = print::count(*missing, "payload");
    if gone.is_empty() {
        return Some(format!("{count} left out: what was answered cannot be looked at in this file"));
    }
    let more = if (gone.len() as u64) < *missing { ", ..." } else { "" };
    Some(format!("{count} not kept any more: {}{more}", gone.join(", ")))
}

/// The checkpoint of what was seen before: a signed note, or the one in the first line of an exported log.
fn seen_before(path: &Path) -> Result<String, Failure> {
    let mut input = open(path)?;
    let mut line = Vec::new();
    let cannot = |e: std::io::Error| Failure::input(path.display(), e);
    input.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line).map_err(cannot)?;
    if line.starts_with(b"{") {
        let beginning = Beginning::read(line.strip_suffix(b"\n").unwrap_or(&line));
        return beginning.map(|beginning| beginning.checkpoint).map_err(|e| Failure::input(path.display(), e));
    }
    input.take(NOTE_BYTES_MAX as u64).read_to_end(&mut line).map_err(cannot)?;
    String::from_utf8(line).map_err(|e| Failure::input(path.display(), e))
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    let file = File::open(path).map_err(|e| Failure::input(path.display(), e))?;
    Ok(BufReader::with_capacity(BUFFER_BYTES, file))
}
