//! What the tests of all protocols share: bytes as people write them, and one `check` of what trips.

use crate::language::{Carrier, Language};
use crate::rehearsal::rehearse;

/// Bytes written as hexadecimal digits, with or without blanks.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("two hexadecimal digits")).collect()
}

/// Each question apart, one after another on one connection; what trips, by a word of its reason.
#[track_caller]
pub(crate) fn check(what: &str, persona: &dyn Language, over: Carrier, questions: &[Vec<u8>], expected: &[&str]) {
    let heard = rehearse(persona, over, questions);
    let whys: Vec<&str> = heard.trips.iter().map(|trip| trip.why).collect();
    assert_eq!(whys.len(), expected.len(), "{what}: {whys:?}");
    for (why, expected) in whys.iter().zip(expected) {
        assert!(why.contains(expected), "{what}: {why:?} does not say {expected:?}");
    }
}
