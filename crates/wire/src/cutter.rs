//! Cuts messages out of one direction of a stream; every protocol over TCP has one for each side.

use crate::Malformed;

/// Holds at most one unfinished message.
#[derive(Debug, Default)]
pub struct Cutter {
    held: Vec<u8>,
    /// The stream broke the protocol: said once, then silent until a message starts a segment again.
    broken: bool,
    /// Bytes of a long message that are still to come and are not wanted.
    unwanted: usize,
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
        self.heads(bytes, usize::MAX, length, each)
    }

    /// As [`Cutter::messages`], where a message is of interest up to `head_bytes_max` only: a longer one is handed on as that many of its
    /// first bytes, and the rest is passed over without being held. `length` may then return any length.
    pub fn heads(
        &mut self,
        bytes: &[u8],
        head_bytes_max: usize,
        length: impl Fn(&[u8]) -> Result<Option<usize>, Malformed>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Option<Malformed> {
        let passed = self.unwanted.min(bytes.len());
        self.unwanted -= passed;
        let bytes = bytes.get(passed..).unwrap_or_default();
        let mut each = |message: &[u8]| each(message.get(..head_bytes_max).unwrap_or(message));
        self.cut_held(bytes, head_bytes_max, &length, &mut each)
    }

    fn cut_held(
        &mut self,
        bytes: &[u8],
        head_bytes_max: usize,
        length: &impl Fn(&[u8]) -> Result<Option<usize>, Malformed>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Option<Malformed> {
        if self.held.is_empty() {
            let (used, malformed) = self.cut(bytes, head_bytes_max, length, each);
            // At most one message's worth of a rest: `cut` stops only when the rest is shorter than the message it starts.
            self.held.extend_from_slice(bytes.get(used..).unwrap_or_default());
            return malformed;
        }
        let mut joined = core::mem::take(&mut self.held);
        joined.extend_from_slice(bytes);
        let (used, malformed) = self.cut(&joined, head_bytes_max, length, each);
        joined.drain(..used);
        self.held = joined;
        malformed
    }

    /// Bytes are missing: gives up what was held; the next segment is expected to start with a message.
    pub fn lose(&mut self) -> Vec<u8> {
        self.unwanted = 0;
        core::mem::take(&mut self.held)
    }

    /// Cuts messages off the front; returns how many bytes are done with and what broke the stream.
    fn cut(
        &mut self,
        bytes: &[u8],
        head_bytes_max: usize,
        length: &impl Fn(&[u8]) -> Result<Option<usize>, Malformed>,
        each: &mut dyn FnMut(&[u8]),
    ) -> (usize, Option<Malformed>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match length(rest) {
                Ok(Some(count)) => {
                    self.broken = false;
                    // A message of no bytes would be cut forever.
                    let count = count.max(1);
                    if rest.len() < count.min(head_bytes_max) {
                        break;
                    }
                    let message = rest.get(..count).unwrap_or(rest);
                    each(message);
                    self.unwanted = count - message.len();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of a length byte and as many more, of which two bytes are wanted, in a stream that comes in pieces.
    #[test]
    fn the_rest_of_a_long_message_is_passed_over_unheld() {
        let stream = [2, 1, 2, 5, 1, 2, 3, 4, 5, 0, 1, 9];
        for piece in 1..=stream.len() {
            let (mut cutter, mut heads) = (Cutter::default(), Vec::new());
            for bytes in stream.chunks(piece) {
                let length = |bytes: &[u8]| Ok(bytes.first().map(|count| usize::from(*count) + 1));
                assert_eq!(cutter.heads(bytes, 2, length, &mut |head| heads.push(head.to_vec())), None);
                assert!(cutter.held.len() < 2);
            }
            assert_eq!(heads, [&[2, 1][..], &[5, 1], &[0], &[1, 9]], "in pieces of {piece}");
        }
    }
}
