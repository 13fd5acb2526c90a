//! Lines of a stranger, one at a time and bounded.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// Cuts what comes into lines. A line that was begun stays when a call is given up halfway.
pub struct Lines<R> {
    from: R,
    begun: Vec<u8>,
    bytes_max: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Lines of at most so many bytes.
    pub const fn of(from: R, bytes_max: usize) -> Self {
        Self { from, begun: Vec::new(), bytes_max }
    }

    /// The next line without its end; `None` behind the last. What stands behind the last line feed is none.
    ///
    /// # Errors
    /// The peer's, or a line that is too long.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let there = self.from.fill_buf().await?;
            if there.is_empty() {
                return Ok(None);
            }
            let end = there.iter().position(|byte| *byte == b'\n');
            let piece = there.get(..end.unwrap_or(there.len())).unwrap_or(there);
            if self.begun.len().saturating_add(piece.len()) > self.bytes_max {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line has more than {} bytes", self.bytes_max)));
            }
            self.begun.extend_from_slice(piece);
            let taken = piece.len().saturating_add(usize::from(end.is_some()));
            self.from.consume(taken);
            if end.is_some() {
                return Ok(Some(std::mem::take(&mut self.begun)));
            }
        }
    }
}
