//! FTP's control connection, up to its first reply.

use nameplate_wire::Malformed;
use nameplate_wire::greeting::ftp_reply;

use super::{BYTES_MAX, TOO_LONG, quit};
use crate::dialogue::{Dialogue, Next, Put, Take};

/// One connection.
#[derive(Default)]
pub(super) struct Control {
    asked: bool,
    /// It is ready for somebody, whom it is told goodbye for.
    greeted: bool,
    /// Bytes of replies that are no greeting: `120`, it will be ready soon.
    before: usize,
}

impl Dialogue for Control {
    fn next(&mut self) -> Next {
        if std::mem::replace(&mut self.asked, true) { Next::Done } else { Next::Listen }
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        ftp_reply(bytes).map(|reply| reply.map(|(end, _)| end))
    }

    fn take(&mut self, message: &[u8]) -> Take {
        self.before = self.before.saturating_add(message.len());
        match ftp_reply(message) {
            Ok(Some((_, true))) => {
                self.greeted = true;
                Take::Answer
            }
            _ if self.before > BYTES_MAX => Take::Hostile(TOO_LONG),
            // Ready in some minutes (RFC 959, 4.2.2): who waits holds a place.
            _ if message.starts_with(b"1") => Take::Unwilling("it is not ready yet; ask another day"),
            _ => Take::Unwilling("it takes nobody now, as it says"),
        }
    }

    fn goodbye(&mut self) -> Option<Put> {
        std::mem::take(&mut self.greeted).then(quit)
    }
}
