//! Capture files, each read with one buffer from start to end, several of them as one timeline; [`live`] hears an interface.

#[cfg(target_os = "linux")]
mod block;
#[cfg(target_os = "linux")]
mod interface;
#[cfg_attr(not(target_os = "linux"), path = "capture/elsewhere.rs")]
pub mod live;
mod packed;
#[cfg(target_os = "linux")]
mod ring;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use nameplate_wire::Malformed;
use nameplate_wire::capture::{Decoder, Frame, LinkType, Step};

/// Bytes read from a file at a time: large enough that the calls do not show, small enough for a hundred files at once on a box with 1 GB.
const BUFFER_BYTES: usize = 256 * 1024;
/// Reads between two calls of `progress`: a step of 16 MiB.
const READS_PER_PROGRESS: u64 = 64;

/// What a capture yields.
#[derive(Debug)]
pub enum Item<'a> {
    /// A frame.
    Frame(&'a Frame<'a>),
    /// Bytes that are no capture record; reading goes on behind them.
    Malformed(Malformed),
    /// Bytes after which nothing tells where the next record starts: the rest of the file is not read.
    Lost(Malformed),
    /// Bytes read so far, now and then.
    Progress(u64),
}

/// A frame that was read before its turn came.
struct Waiting {
    number: u64,
    time_ns: u64,
    link: LinkType,
    wire_len: u32,
    /// Its bytes in the buffer.
    bytes: Range<usize>,
}

/// A capture that is open.
pub struct Capture {
    input: Box<dyn Read + Send>,
    /// Length of the file, where it is one and its bytes are the capture's own: unpacked, they are more.
    pub bytes_total: Option<u64>,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// Where what is not used yet stands in the buffer.
    left: Range<usize>,
    /// Bytes that the decoder wants to see before it goes on.
    needed: usize,
    bytes_read: u64,
    reads: u64,
    waiting: Option<Waiting>,
    over: bool,
}

impl Capture {
    /// Opens a file, packed with gzip or Zstandard or not; `-` is standard input.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Self::of(Box::new(io::stdin()), None);
        }
        let file = File::open(path)?;
        let described = file.metadata()?;
        if described.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "this is a directory; name the capture files in it"));
        }
        let bytes = described.is_file().then_some(described.len());
        Self::of(Box::new(file), bytes)
    }

    fn of(input: Box<dyn Read + Send>, bytes_total: Option<u64>) -> io::Result<Self> {
        let (input, packed) = packed::unpacked(input)?;
        let (decoder, buffer) = (Decoder::new(), vec![0; BUFFER_BYTES]);
        let bytes_total = bytes_total.filter(|_| !packed);
        Ok(Self { input, bytes_total, decoder, buffer, left: 0..0, needed: 1, bytes_read: 0, reads: 0, waiting: None, over: false })
    }

    /// Reads to the end and hands everything to `each`.
    ///
    /// # Errors
    /// The operating system's; what was read before it has been handed on.
    pub fn read(mut self, each: &mut impl FnMut(Item<'_>)) -> io::Result<()> {
        self.read_until(Some(u64::MAX), each).map(drop)
    }

    /// Hands on all up to the first frame that was captured after `last_ns` (`None`: up to the first frame), and returns that one's time:
    /// it waits for the next call. `None` at the end.
    fn read_until(&mut self, last_ns: Option<u64>, each: &mut impl FnMut(Item<'_>)) -> io::Result<Option<u64>> {
        if let Some(Waiting { number, time_ns, link, wire_len, bytes }) = self.waiting.take() {
            each(Item::Frame(&Frame { number, time_ns, link, bytes: &self.buffer[bytes], wire_len }));
        }
        while !self.over {
            if self.left.len() < self.needed {
                self.fill(each)?;
                continue;
            }
            let start = self.left.start;
            let consumed = match self.decoder.next(&self.buffer[self.left.clone()]) {
                Step::Need(bytes) => {
                    self.needed = bytes;
                    continue;
                }
                Step::Skip(consumed) => consumed,
                Step::Frame { frame, consumed } => {
                    let Frame { number, time_ns, link, wire_len, bytes } = frame;
                    if last_ns.is_none_or(|last_ns| time_ns > last_ns) {
                        // The record ends with the frame's bytes, or with padding of less than four.
                        let at = start + (bytes.as_ptr() as usize - self.buffer[start..].as_ptr() as usize);
                        self.waiting = Some(Waiting { number, time_ns, link, wire_len, bytes: at..at + bytes.len() });
                        (self.needed, self.left.start) = (1, start + consumed);
                        return Ok(Some(time_ns));
                    }
                    each(Item::Frame(&frame));
                    consumed
                }
                Step::Malformed { malformed, consumed, fatal } => {
                    self.over = fatal;
                    each(if fatal { Item::Lost(malformed) } else { Item::Malformed(malformed) });
                    consumed
                }
            };
            (self.needed, self.left.start) = (1, start + consumed);
        }
        Ok(None)
    }

    /// Fetches more bytes, at least one, or finds the end.
    fn fill(&mut self, each: &mut impl FnMut(Item<'_>)) -> io::Result<()> {
        self.buffer.copy_within(self.left.clone(), 0);
        self.left = 0..self.left.len();
        if self.buffer.len() < self.needed {
            // The decoder asks for one record at a time and caps its length.
            self.buffer.resize(self.needed, 0);
        }
        while self.left.len() < self.needed {
            let count = match self.input.read(&mut self.buffer[self.left.end..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    self.over = true;
                    return Err(e);
                }
                Ok(count) => count,
            };
            if count == 0 {
                self.over = true;
                self.decoder.cut_off(&self.buffer[self.left.clone()]).into_iter().for_each(|malformed| each(Item::Malformed(malformed)));
                return Ok(());
            }
            self.left.end += count;
            self.bytes_read += count as u64;
            self.reads += 1;
            if self.reads.is_multiple_of(READS_PER_PROGRESS) {
                each(Item::Progress(self.bytes_read));
            }
        }
        Ok(())
    }
}

/// Reads several captures as one timeline: the frame that was captured first comes first. `each` hears which of them an item is from;
/// `failed` of one that cannot be read any further, the others go on.
pub fn timeline(mut captures: Vec<Capture>, each: &mut impl FnMut(usize, Item<'_>), failed: &mut dyn FnMut(usize, io::Error)) {
    let mut read = |capture: &mut Capture, index: usize, last_ns: Option<u64>| -> Option<u64> {
        capture.read_until(last_ns, &mut |item| each(index, item)).unwrap_or_else(|e| {
            failed(index, e);
            None
        })
    };
    // When the frame was captured that waits in each of them.
    let mut next: Vec<Option<u64>> = captures.iter_mut().enumerate().map(|(index, capture)| read(capture, index, None)).collect();
    let earliest = |next: &[Option<u64>], but: Option<usize>| {
        let waiting = next.iter().enumerate().filter(|(index, _)| Some(*index) != but);
        waiting.filter_map(|(index, time_ns)| Some((time_ns.as_ref().copied()?, index))).min()
    };
    while let Some((_, first)) = earliest(&next, None) {
        // Its frames go on until another capture's is earlier: looking at all of them once for each run of frames, not for each frame.
        // Of two at the same time the one of the capture that was named first comes first.
        let last_ns = match earliest(&next, Some(first)) {
            Some((time_ns, other)) if other < first => time_ns.saturating_sub(1),
            Some((time_ns, _)) => time_ns,
            None => u64::MAX,
        };
        next[first] = read(&mut captures[first], first, Some(last_ns));
    }
}
