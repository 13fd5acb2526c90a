//! A file cut into its lines, never more than one of them in memory.

use std::io::{self, BufRead, Read};

use super::super::Unsound;
use super::{LINE_BYTES_MAX, Reader, Whole};

/// Reads an exported log from its first byte to its last. `earlier` is as for [`Reader::begin`].
///
/// # Errors
/// What the reader of the bytes says; what is wrong with them stands inside.
pub fn read_log(input: &mut impl BufRead, earlier: Option<&str>) -> io::Result<Result<Whole, Unsound>> {
    let mut line = Vec::new();
    let first = match next(input, &mut line)? {
        Ok(true) => Reader::begin(&line, earlier),
        Ok(false) => Err(Unsound::new("it is empty")),
        Err(unsound) => Err(unsound),
    };
    let mut reader = match first {
        Ok(reader) => reader,
        Err(unsound) => return Ok(Err(unsound)),
    };
    loop {
        let read = match next(input, &mut line)? {
            Ok(true) => reader.line(&line),
            Ok(false) => return Ok(reader.end()),
            Err(unsound) => Err(unsound),
        };
        if let Err(unsound) = read {
            return Ok(Err(unsound));
        }
    }
}

/// The next line, without its end, in the place of the one before; false where there is none.
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Result<bool, Unsound>> {
    line.clear();
    // One byte for the end, and one to see that it is too long.
    input.by_ref().take(LINE_BYTES_MAX as u64 + 2).read_until(b'\n', line)?;
    Ok(match line.pop() {
        None => Ok(false),
        Some(b'\n') if line.len() <= LINE_BYTES_MAX => Ok(true),
        Some(_) if line.len() < LINE_BYTES_MAX => Err(Unsound::new("cut off: its last line has no end")),
        Some(_) => Err(Unsound::new(format!("a line has more than {LINE_BYTES_MAX} bytes"))),
    })
}
