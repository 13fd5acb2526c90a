//! Telnet, up to where the server asks who is there.

use std::collections::VecDeque;
use std::time::Duration;

use nameplate_wire::Malformed;
use nameplate_wire::telnet::{GREETING_BYTES_MAX, REFUSAL, asks_who_is_there, has_text, refusals, whole};

use super::{BYTES_MAX, TOO_LONG};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::REFUSALS_MAX;

/// From a text to where nothing more belongs to it: a menu asks for no name, and a device builds its text while it sends.
const TEXT_SETTLES_MS: u64 = 2_000;

/// One connection.
#[derive(Default)]
pub(super) struct Text {
    asked: bool,
    heard: Vec<u8>,
    /// Options that were refused, or are about to be.
    refused: Vec<[u8; 3]>,
    out: VecDeque<[u8; 3]>,
}

impl Text {
    fn refuse(&mut self, message: &[u8]) {
        for refusal in refusals(message) {
            if self.refused.len() < usize::from(REFUSALS_MAX) && !self.refused.contains(&refusal) {
                self.refused.push(refusal);
                self.out.push_back(refusal);
            }
        }
    }
}

impl Dialogue for Text {
    fn next(&mut self) -> Next {
        if std::mem::replace(&mut self.asked, true) { Next::Done } else { Next::Listen }
    }

    /// What came, without a command that goes on.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        match whole(bytes) {
            0 if bytes.len() > BYTES_MAX => Err(Malformed::wrong("telnet", BYTES_MAX, "a command ends (RFC 855)")),
            0 => Ok(None),
            length => Ok(Some(length)),
        }
    }

    fn ends_by_close(&self) -> bool {
        has_text(&self.heard)
    }

    fn take(&mut self, message: &[u8]) -> Take {
        self.heard.extend_from_slice(message);
        if self.heard.len() > BYTES_MAX {
            return Take::Hostile(TOO_LONG);
        }
        let is_full = self.heard.len() >= GREETING_BYTES_MAX;
        if is_full && !has_text(&self.heard) {
            return Take::Hostile("what it says is no text");
        }
        if is_full || asks_who_is_there(&self.heard) {
            return Take::Answer;
        }
        self.refuse(message);
        if has_text(&self.heard) { Take::Settling(Duration::from_millis(TEXT_SETTLES_MS)) } else { Take::More }
    }

    fn reply(&mut self) -> Option<Put> {
        let refusal = self.out.pop_front()?;
        Some(Put { answered: false, ..Put::new(REFUSAL, refusal) })
    }
}
