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
    Frame(Frame<'a>),
    /// Bytes that are no capture record; reading goes on behind them.
    Malformed(Malformed),
    /// Bytes after which nothing tells where the next record starts: the rest of the file is not read.
    Lost(Malformed),
    /// Bytes read so far, now and then.
    Progress(u64),
}

/// What was found and not handed on yet.
enum Found {
    Frame { number: u64, time_ns: u64, link: LinkType, wire_len: u32, bytes: Range<usize> },
    Malformed(Malformed),
    Lost(Malformed),
    Progress(u64),
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
    found: Option<Found>,
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
        Ok(Self { input, bytes_total, decoder, buffer, left: 0..0, needed: 1, bytes_read: 0, reads: 0, found: None, over: false })
    }

    /// Reads to the end and hands everything to `each`.
    ///
    /// # Errors
    /// The operating system's; what was read before it has been handed on.
    pub fn read(mut self, each: &mut dyn FnMut(Item<'_>)) -> io::Result<()> {
        while self.find()? {
            self.hand_on(each);
        }
        Ok(())
    }

    /// Looks for the next item, unless one is waiting; false at the end.
    fn find(&mut self) -> io::Result<bool> {
        while self.found.is_none() && !self.over {
            if self.left.len() < self.needed {
                self.fill()?;
                continue;
            }
            let start = self.left.start;
            let (consumed, found) = match self.decoder.next(&self.buffer[self.left.clone()]) {
                Step::Need(bytes) => {
                    self.needed = bytes;
                    continue;
                }
                Step::Skip(consumed) => (consumed, None),
                Step::Frame { frame: Frame { number, time_ns, link, wire_len, bytes }, consumed } => {
                    // The record ends with the frame's bytes, or with padding of less than four.
                    let at = start + (bytes.as_ptr() as usize - self.buffer[start..].as_ptr() as usize);
                    (consumed, Some(Found::Frame { number, time_ns, link, wire_len, bytes: at..at + bytes.len() }))
                }
                Step::Malformed { malformed, consumed, fatal } => {
                    self.over = fatal;
                    (consumed, Some(if fatal { Found::Lost(malformed) } else { Found::Malformed(malformed) }))
                }
            };
            (self.needed, self.left.start, self.found) = (1, start + consumed, found);
        }
        Ok(self.found.is_some())
    }

    /// Fetches more bytes, at least one, or finds the end.
    fn fill(&mut self) -> io::Result<()> {
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
                self.found = self.decoder.cut_off(&self.buffer[self.left.clone()]).map(Found::Malformed);
                return Ok(());
            }
            self.left.end += count;
            self.bytes_read += count as u64;
            self.reads += 1;
            if self.reads.is_multiple_of(READS_PER_PROGRESS) {
                self.found = Some(Found::Progress(self.bytes_read));
                return Ok(());
            }
        }
        Ok(())
    }

    /// When the frame was captured that waits; `None` for what has no time and is handed on at once.
    fn time_ns(&self) -> Option<u64> {
        match self.found {
            Some(Found::Frame { time_ns, .. }) => Some(time_ns),
            _ => None,
        }
    }

    fn hand_on(&mut self, each: &mut dyn FnMut(Item<'_>)) {
        match self.found.take() {
            Some(Found::Frame { number, time_ns, link, wire_len, bytes }) => {
                each(Item::Frame(Frame { number, time_ns, link, bytes: &self.buffer[bytes], wire_len }));
            }
            Some(Found::Malformed(malformed)) => each(Item::Malformed(malformed)),
            Some(Found::Lost(malformed)) => each(Item::Lost(malformed)),
            Some(Found::Progress(bytes)) => each(Item::Progress(bytes)),
            None => {}
        }
    }
}

/// Reads several captures as one timeline: the frame that was captured first comes first. `each` hears which of them an item is from;
/// `failed` of one that cannot be read any further, the others go on.
pub fn timeline(mut captures: Vec<Capture>, each: &mut dyn FnMut(usize, Item<'_>), failed: &mut dyn FnMut(usize, io::Error)) {
    let mut find = |capture: &mut Capture, index: usize, each: &mut dyn FnMut(usize, Item<'_>)| -> Option<u64> {
        loop {
            match capture.find() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(e) => {
                    failed(index, e);
                    return None;
                }
            }
            if let Some(time_ns) = capture.time_ns() {
                return Some(time_ns);
            }
            capture.hand_on(&mut |item| each(index, item));
        }
    };
    let mut next: Vec<Option<u64>> = captures.iter_mut().enumerate().map(|(index, capture)| find(capture, index, each)).collect();
    loop {
        let mut waiting = next.iter().enumerate().filter_map(|(index, time_ns)| Some((time_ns.as_ref()?, index)));
        let Some((_, first)) = waiting.clone().min() else { return };
        // Its frames go on until another capture's is earlier: looking at all of them once for each run of frames, not for each frame.
        let until = waiting.by_ref().filter(|(_, index)| *index != first).min().map(|(time_ns, index)| (*time_ns, index));
        while next[first].is_some_and(|time_ns| until.is_none_or(|until| (time_ns, first) <= until)) {
            captures[first].hand_on(&mut |item| each(first, item));
            next[first] = find(&mut captures[first], first, each);
        }
    }
}
