//! The public captures, read once for all who hear them in this process.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nameplate_wire::capture::{Decoder, Frame, LinkType, Step};

use crate::place;

/// A frame that owns its bytes.
#[derive(Clone, Debug)]
pub struct Owned {
    /// When it was captured, in nanoseconds since 1970.
    pub time_ns: u64,
    /// What its bytes begin with.
    pub link: LinkType,
    /// As far as it was captured.
    pub bytes: Vec<u8>,
    /// Bytes on the wire.
    pub wire_len: u32,
}

impl Owned {
    /// The frame with its number in the capture.
    pub fn numbered(&self, number: u64) -> Frame<'_> {
        let Self { time_ns, link, ref bytes, wire_len } = *self;
        Frame { number, time_ns, link, bytes, wire_len }
    }
}

/// All public captures, in the order of their paths.
///
/// # Errors
/// That they are not there.
pub fn captures() -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    below(&place::shared()?.join("captures"), &mut files)?;
    Ok(files)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(cannot)?.map(|entry| entry.map(|entry| entry.path()));
    for path in entries.collect::<Result<BTreeSet<_>, _>>().map_err(cannot)? {
        let is_capture = path.extension().is_some_and(|ending| ["pcap", "pcapng", "cap"].iter().any(|known| ending == *known));
        match path.is_dir() {
            true => below(&path, files)?,
            false if is_capture => files.push(path),
            false => {}
        }
    }
    Ok(())
}

/// The frames of a capture, up to where it ends or is cut off.
pub fn frames_of(file: &[u8]) -> Vec<Owned> {
    let (mut decoder, mut at, mut frames) = (Decoder::new(), 0, Vec::new());
    loop {
        match decoder.next(&file[at..]) {
            Step::Need(_) => return frames,
            Step::Skip(consumed) | Step::Malformed { consumed, .. } => at += consumed,
            Step::Frame { frame: Frame { time_ns, link, bytes, wire_len, .. }, consumed } => {
                frames.push(Owned { time_ns, link, bytes: bytes.to_vec(), wire_len });
                at += consumed;
            }
        }
    }
}
