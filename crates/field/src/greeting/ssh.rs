//! SSH, up to the line with which the server identifies itself.

use nameplate_wire::Malformed;
use nameplate_wire::ssh::{LINES_BYTES_MAX, is_identification};

use super::{BYTES_MAX, TOO_LONG};
use crate::dialogue::{Dialogue, Next, Take};

/// One connection.
#[derive(Default)]
pub(super) struct Identification {
    asked: bool,
    /// Bytes of lines that stand before it.
    before: usize,
}

impl Dialogue for Identification {
    fn next(&mut self) -> Next {
        if std::mem::replace(&mut self.asked, true) { Next::Done } else { Next::Listen }
    }

    /// A line. A server may send others before its own (RFC 4253, 4.2).
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        match end {
            Some(end) if end < LINES_BYTES_MAX => Ok(Some(end.saturating_add(1))),
            None if bytes.len() < LINES_BYTES_MAX => Ok(None),
            _ => Err(Malformed::wrong("ssh", LINES_BYTES_MAX, "a line ends (RFC 4253, 4.2: 255 bytes)")),
        }
    }

    fn take(&mut self, message: &[u8]) -> Take {
        self.before = self.before.saturating_add(message.len());
        match message {
            line if is_identification(line) => Take::Answer,
            _ if self.before > BYTES_MAX => Take::Hostile(TOO_LONG),
            _ => Take::More,
        }
    }
}
