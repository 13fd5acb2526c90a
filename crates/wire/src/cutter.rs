//! Cuts messages out of one direction of a stream; every protocol over TCP has one for each side.

use crate::Malformed;

/// Holds at most one unfinished message.
#[derive(Debug, Default)]
pub struct Cutter {
    held: Vec<u8>,
    /// The stream broke the protocol: said once, then silent until a message starts a segment again.
    broken: bool,
}

impl Cutter {
    /// Hands every whole message in what is held and `bytes` to `each`; returns what broke the stream, once.
    ///
    /// `length` reads how long the message at the start of its argument is: `Ok(None)` while that cannot be told yet, an error where no
    /// message starts there. It bounds what is held: it never returns more than the protocol's cap, and needs few bytes to tell.
    pub fn messages(
        &mut self,
        bytes: &[u8],
        length: impl Fn(&[u8]) -> Result<Option<usize>, Malformed>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Option<Malformed> {
        if self.held.is_empty() {
            let (used, malformed) = self.cut(bytes, &length, each);
            // At most one message's worth of a rest: `cut` stops only when the rest is shorter than the message it starts.
            self.held.extend_from_slice(bytes.get(used..).unwrap_or_default());
            return malformed;
        }
        let mut joined = core::mem::take(&mut self.held);
        joined.extend_from_slice(bytes);
        let (used, malformed) = self.cut(&joined, &length, each);
        joined.drain(..used);
        self.held = joined;
        malformed
    }

    /// Bytes are missing: gives up what was held; the next segment is expected to start with a message.
    pub fn lose(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.held)
    }

    /// Cuts messages off the front; returns how many bytes are done with and what broke the stream.
    fn cut(
        &mut self,
        bytes: &[u8],
        length: &impl Fn(&[u8]) -> Result<Option<usize>, Malformed>,
        each: &mut dyn FnMut(&[u8]),
    ) -> (usize, Option<Malformed>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match length(rest) {
                Ok(Some(count)) => {
                    self.broken = false;
                    // A message of no bytes would be cut forever.
                    let Some(message) = rest.get(..count.max(1)) else { break };
                    each(message);
                    at += message.len();
                }
                Ok(None) => break,
                Err(malformed) => {
                    let said = core::mem::replace(&mut self.broken, true);
                    return (bytes.len(), (!said).then_some(malformed));
                }
            }
        }
        (at, None)
    }
}
