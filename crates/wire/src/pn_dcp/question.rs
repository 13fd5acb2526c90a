//! The one question we may put: Get, to one station, of the blocks that say who it is. Never Set, never Identify, nothing to a group.
//!
//! Source: IEC 61158-6-10, 4.3.1.3 (header), 4.3.1.4 (options), 4.2.2.3 (frame ids).

use super::{DCP_GET_SET, GET, HEADER_BYTES, Header, NAME, REQUEST, RESPONSE, RESPONSE_UNSUPPORTED};
use crate::Malformed;

/// Option and suboption of each block: MAC address, IP parameters; type of station, its name, vendor and device id, role, alias, instance, OEM's ids.
const BLOCKS: [[u8; 2]; 9] = [[1, 1], [1, 2], [2, 1], [2, 2], [2, 3], [2, 4], [2, 6], [2, 7], [2, 8]];
const BLOCKS_BYTES: usize = 2 * BLOCKS.len();
const TRANSACTION: core::ops::Range<usize> = 4..8;

/// Get of the blocks that say who a station is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The transaction: an answer has the same.
    pub transaction: u32,
}

impl Question {
    /// The question's name on the allowlist, and of the readings that answer it.
    pub const NAME: &'static str = "pn-dcp.get";

    /// What stands behind the Ethernet header, without padding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let [id1, id0] = DCP_GET_SET.to_be_bytes();
        // No response delay: that is a multicast's.
        let header = [&[id1, id0, GET, REQUEST][..], &self.transaction.to_be_bytes(), &[0, 0, 0, BLOCKS_BYTES as u8]].concat();
        [&header, BLOCKS.as_flattened()].concat()
    }

    /// Recognises this question, padded or not; `None` for everything else.
    #[must_use]
    pub fn read(frame: &[u8]) -> Option<Self> {
        let transaction = u32::from_be_bytes(frame.get(TRANSACTION)?.try_into().ok()?);
        let question = Self { transaction };
        let (own, padding) = frame.split_at_checked(HEADER_BYTES + BLOCKS_BYTES)?;
        (own == question.encode() && padding.iter().all(|byte| *byte == 0)).then_some(question)
    }

    /// Whether a frame answers it: with blocks, or with the word that the station does not know Get.
    #[must_use]
    pub fn is_answered_by(&self, frame: &[u8]) -> bool {
        let is_get_set = frame.starts_with(&DCP_GET_SET.to_be_bytes());
        let transaction = frame.get(TRANSACTION) == Some(&self.transaction.to_be_bytes());
        let answers = |header: Header| header.service == GET && matches!(header.kind, RESPONSE | RESPONSE_UNSUPPORTED);
        is_get_set && transaction && Header::read(frame).is_ok_and(answers)
    }
}

/// How long the message in a frame is: all of it, where its blocks are there to their end; `None` where it is cut.
///
/// # Errors
/// [`Malformed`] where it is no DCP.
pub fn length(frame: &[u8]) -> Result<Option<usize>, Malformed> {
    let header = Header::read(frame)?;
    let end = header.length.checked_add(HEADER_BYTES).ok_or_else(|| Malformed::wrong(NAME, 10, "the length of all blocks"))?;
    Ok((end <= frame.len()).then_some(frame.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks_exact(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
    }

    const ASKED: &str = "fefd 0300 01020304 0000 0012 0101 0102 0201 0202 0203 0204 0206 0207 0208";

    /// By hand; the header is that of pnio-dcp 1.2.0's `get_name_of_station`, which goes on with `0002 0202`.
    #[test]
    fn the_question_is_as_the_standard_has_it_and_round_trips() {
        let question = Question { transaction: 0x0102_0304 };
        assert_eq!(question.encode(), hex(ASKED));
        assert_eq!(Question::read(&hex(ASKED)), Some(question));
        assert_eq!(Question::read(&[hex(ASKED), vec![0; 16]].concat()), Some(question), "padded to the shortest frame");
        assert!((0..hex(ASKED).len()).all(|cut| Question::read(&hex(ASKED)[..cut]).is_none()));
    }

    #[test]
    fn what_writes_or_asks_everybody_is_no_question() {
        let set = "fefd 0400 00000001 0000 000e 0202 0009 0001 6d616c6c6f7279 00";
        let identify_all = "fefe 0500 00000001 0001 0004 ffff 0000";
        let another_option = ASKED.replace("0208", "0305");
        for frame in [set, identify_all, &another_option, &ASKED.replace("0300", "0301"), &(ASKED.to_owned() + "01"), ""] {
            assert_eq!(Question::read(&hex(frame)), None, "{frame}");
        }
    }

    #[test]
    fn an_answer_has_the_transaction_and_the_service() {
        let check = |frame: &str, expected: bool| {
            assert_eq!(Question { transaction: 0x0102_0304 }.is_answered_by(&hex(frame)), expected, "{frame}");
        };
        check("fefd 0301 01020304 0000 0000", true);
        check("fefd 0305 01020304 0000 0000", true);
        check("fefd 0301 01020305 0000 0000", false);
        check("fefd 0401 01020304 0000 0000", false);
        check("feff 0501 01020304 0000 0000", false);
        check("fefd 0300 01020304 0000 0000", false);
        check("fefd 0301 01020304 0000", false);
        check("8000 0301 01020304 0000 0000", false);
        let length = |frame: &str| length(&hex(frame)).ok();
        assert_eq!(length("fefd 0301 01020304 0000 0002 aabb cccc"), Some(Some(16)));
        assert_eq!(length("fefd 0301 01020304 0000 0004 aabb"), Some(None));
        assert_eq!(length("fefd 0301 0102"), None);
    }
}
