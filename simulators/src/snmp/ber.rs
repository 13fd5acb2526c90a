//! The little of BER that SNMP needs (X.690, definite lengths).

use super::{Oid, Value};
use crate::numbers::stated16;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
const TICKS: u8 = 0x43;

/// More arcs than an object identifier may have (RFC 3416, 4.1: 128 sub-identifiers).
const ARCS_MAX: usize = 128;

/// Splits the first element off: tag, content, what is behind it.
pub(super) fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(&length, rest)| (usize::from(length), rest))?,
        0x82 => rest.split_first_chunk().map(|(&length, rest)| (usize::from(u16::from_be_bytes(length)), rest))?,
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Splits the first element off if it has this tag.
pub(super) fn expect(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    split(bytes).filter(|(tag, ..)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

/// A small number that is not negative.
pub(super) fn number(content: &[u8]) -> Option<u32> {
    match *content {
        [] => None,
        [first, ..] if first >= 0x80 || content.len() > 5 => None,
        _ => content.iter().try_fold(0_u32, |sum, &byte| sum.checked_mul(256)?.checked_add(u32::from(byte))),
    }
}

pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = stated16(content.len());
    let [l1, l0] = length.to_be_bytes();
    let head = match length {
        0..=0x7F => vec![tag, l0],
        0x80..=0xFF => vec![tag, 0x81, l0],
        _ => vec![tag, 0x82, l1, l0],
    };
    [&head, content].concat()
}

/// An INTEGER or `TimeTicks` in as few bytes as can be.
fn shortest(tag: u8, value: i64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let needless = |pair: &[u8]| matches!(*pair, [0, 0..=0x7F] | [0xFF, 0x80..=0xFF]);
    let skipped = bytes.windows(2).take_while(|pair| needless(pair)).count();
    element(tag, bytes.get(skipped..).unwrap_or(&bytes))
}

pub(super) fn integer(value: u32) -> Vec<u8> {
    shortest(INTEGER, value.into())
}

pub(super) fn read_oid(content: &[u8]) -> Option<Oid> {
    let mut arcs: Oid = Vec::new();
    let mut arc = 0_u32;
    for &byte in content {
        arc = arc.checked_mul(128)?.checked_add(u32::from(byte & 0x7F))?;
        if byte < 0x80 {
            match arcs.is_empty() {
                true => arcs.extend([(arc / 40).min(2), arc - 40 * (arc / 40).min(2)]),
                false => arcs.push(arc),
            }
            arc = 0;
        }
    }
    let ends = content.last().is_some_and(|&byte| byte < 0x80);
    (ends && arcs.len() <= ARCS_MAX).then_some(arcs)
}

pub(super) fn oid(arcs: &[u32]) -> Vec<u8> {
    let first = match *arcs {
        [a, b, ..] => a.saturating_mul(40).saturating_add(b),
        _ => 0,
    };
    let mut content = Vec::new();
    for arc in std::iter::once(first).chain(arcs.iter().skip(2).copied()) {
        let groups = [28, 21, 14, 7].map(|shift| arc >> shift);
        content.extend(groups.into_iter().filter(|&group| group > 0).map(|group| (group & 0x7F) as u8 | 0x80));
        content.push((arc & 0x7F) as u8);
    }
    element(OBJECT, &content)
}

pub(super) fn value(value: &Value) -> Vec<u8> {
    match value {
        Value::Integer(number) => shortest(INTEGER, (*number).into()),
        Value::Text(text) => element(OCTETS, text),
        Value::Oid(arcs) => oid(arcs),
        Value::Ticks(ticks) => shortest(TICKS, (*ticks).into()),
    }
}
