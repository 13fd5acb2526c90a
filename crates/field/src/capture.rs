//! Capture files, read with one buffer from start to end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use nameplate_wire::Malformed;
use nameplate_wire::capture::{Decoder, Frame, Step};

/// Bytes read from a file at a time: large enough that the calls do not show, small enough for a box with 1 GB.
const BUFFER_BYTES: usize = 1024 * 1024;
/// Reads between two calls of `progress`: a step of 16 MiB.
const READS_PER_PROGRESS: u64 = 16;

/// What a capture yields.
#[derive(Debug)]
pub enum Item<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Bytes that are no capture record; reading goes on behind them.
    Malformed(Malformed),
    /// Bytes after which nothing tells where the next record starts: the rest of the file is not read.
    Lost(Malformed),
    /// Bytes read so far, now and then.
    Progress(u64),
}

/// A capture that is open.
pub struct Capture {
    input: Box<dyn Read + Send>,
    /// Length of the file, where it is one.
    pub bytes_total: Option<u64>,
}

impl Capture {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self { input: Box::new(io::stdin()), bytes_total: None });
        }
        let file = File::open(path)?;
        let described = file.metadata()?;
        if described.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "this is a directory; name the capture files in it"));
        }
        Ok(Self { bytes_total: described.is_file().then_some(described.len()), input: Box::new(file) })
    }

    /// Reads to the end and hands everything to `each`.
    ///
    /// # Errors
    /// The operating system's; what was read before it has been handed on.
    pub fn read(mut self, each: &mut dyn FnMut(Item<'_>)) -> io::Result<()> {
        let mut decoder = Decoder::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        let (mut start, mut end, mut needed) = (0, 0, 1);
        let (mut bytes_read, mut reads) = (0_u64, 0_u64);
        loop {
            while end - start < needed {
                if start > 0 {
                    buffer.copy_within(start..end, 0);
                    (start, end) = (0, end - start);
                }
                if buffer.len() < needed {
                    // The decoder asks for one record at a time and caps its length.
                    buffer.resize(needed, 0);
                }
                let count = match self.input.read(&mut buffer[end..]) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    other => other?,
                };
                if count == 0 {
                    if let Some(malformed) = decoder.cut_off(&buffer[start..end]) {
                        each(Item::Malformed(malformed));
                    }
                    return Ok(());
                }
                end += count;
                bytes_read += count as u64;
                reads += 1;
                if reads.is_multiple_of(READS_PER_PROGRESS) {
                    each(Item::Progress(bytes_read));
                }
            }
            needed = 1;
            match decoder.next(&buffer[start..end]) {
                Step::Need(bytes) => needed = bytes,
                Step::Skip(consumed) => start += consumed,
                Step::Frame { frame, consumed } => {
                    each(Item::Frame(frame));
                    start += consumed;
                }
                Step::Malformed { malformed, fatal: true, .. } => {
                    each(Item::Lost(malformed));
                    return Ok(());
                }
                Step::Malformed { malformed, consumed, .. } => {
                    each(Item::Malformed(malformed));
                    start += consumed;
                }
            }
        }
    }
}
