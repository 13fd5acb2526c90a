//! TPKT, in which S7 and MMS stand on TCP: RFC 1006, clause 6.

use crate::language::Cut;
use crate::numbers::{be16, stated16};

/// Version 3, a reserved byte, and the length of all.
pub(crate) const TPKT_BYTES: usize = 4;
/// TPKT and the COTP header of user data.
pub(crate) const HEADER_BYTES: usize = 7;

/// A TPDU in its packet.
pub(crate) fn tpkt(tpdu: &[u8]) -> Vec<u8> {
    [&[3, 0][..], &stated16(tpdu.len().saturating_add(TPKT_BYTES)).to_be_bytes(), tpdu].concat()
}

/// Where a question ends; none is longer than `bytes_max`.
pub(crate) fn cut(heard: &[u8], bytes_max: usize) -> Cut {
    let broken = Cut::Broken("no TPKT of a question: version is not 3, or it is too short or too long");
    if heard.first().is_some_and(|&version| version != 3) || heard.get(1).is_some_and(|&reserved| reserved != 0) {
        return broken;
    }
    let Some(length) = be16(heard, 2).map(usize::from) else { return Cut::More };
    match length {
        _ if !(HEADER_BYTES..=bytes_max).contains(&length) => broken,
        _ if heard.len() >= length => Cut::Whole(length),
        _ => Cut::More,
    }
}
