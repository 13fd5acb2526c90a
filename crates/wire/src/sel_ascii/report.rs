//! The answer to `STA`, a report for people: what its labels say a relay is.
//!
//! Sources: SEL-551 instruction manual (date code 20110408), p. 5.19, whose example is in the tests: `FID=` and `CID=` on one line, before
//! `SELF TESTS`; SEL-751 instruction manual (20170927), table 7.45: the labels `Serial Num`, `FID`, `CID`, `PART NUM`. There are no check digits, so
//! only what stands behind such a label, whole, in a report that goes on with its self tests is told.

use core::ops::Range;

/// Labels of the report, and the names of the same in the answer to `ID`.
const LABELS: [(&[u8], &str); 4] = [(b"Serial Num", "serialno"), (b"FID", "fid"), (b"CID", "cid"), (b"PART NUM", "partno")];
/// With what the report goes on behind them.
const SELF_TESTS: &[u8] = b"SELF TESTS";
/// No identity in it is longer.
const VALUE_BYTES_MAX: usize = 64;

/// What a label says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Labelled {
    /// Where its label begins.
    pub(super) start: usize,
    /// As the answer to `ID` calls it, in small letters.
    pub(super) name: &'static str,
    pub(super) value: Range<usize>,
}

/// What the labels of a report say, in their order; nothing where no line begins with `SELF TESTS` behind them. A label that stands twice says nothing.
pub(super) fn labelled(said: &[u8]) -> Vec<Labelled> {
    let Some(end) = (0..said.len()).find(|at| said.get(*at..).is_some_and(|rest| rest.starts_with(SELF_TESTS)) && begins_line(said, *at))
    else {
        return Vec::new();
    };
    let head = said.get(..end).unwrap_or_default();
    let mut found: Vec<Labelled> = LABELS.iter().filter_map(|(label, name)| only(head, label, name)).collect();
    found.sort_by_key(|labelled| labelled.start);
    found
}

fn begins_line(said: &[u8], at: usize) -> bool {
    let before = said.get(..at).unwrap_or_default().iter().rev().find(|byte| **byte != b' ');
    before.is_none_or(|byte| matches!(byte, b'\r' | b'\n'))
}

fn only(head: &[u8], label: &[u8], name: &'static str) -> Option<Labelled> {
    let mut found = (0..head.len()).filter_map(|start| value(head, start, label).map(|value| Labelled { start, name, value }));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The value behind a label that begins here: `=` with or without blanks, printable bytes, and a blank or the line's end behind them.
fn value(head: &[u8], start: usize, label: &[u8]) -> Option<Range<usize>> {
    let apart = start.checked_sub(1).and_then(|before| head.get(before)).is_none_or(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let rest = head.get(start..)?.strip_prefix(label).filter(|_| apart)?;
    let text = without_blanks(without_blanks(rest)?.strip_prefix(b"=")?)?;
    let length = text.iter().take_while(|byte| byte.is_ascii_graphic()).count();
    let ends = matches!(text.get(length), Some(b' ' | b'\r' | b'\n'));
    let from = head.len().checked_sub(text.len())?;
    (ends && (1..=VALUE_BYTES_MAX).contains(&length)).then_some(from..from + length)
}

fn without_blanks(text: &[u8]) -> Option<&[u8]> {
    text.get(text.iter().take_while(|byte| **byte == b' ').count()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &[u8], expected: &[(&str, &str)]) {
        let told = |said: &[u8]| -> Vec<(&'static str, String)> {
            labelled(said).iter().map(|one| (one.name, said[one.value.clone()].escape_ascii().to_string())).collect()
        };
        let expected: Vec<(&str, String)> = expected.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        assert_eq!(told(said), expected, "{}", said.escape_ascii());
        for cut in 0..said.len() {
            assert!(told(&said[..cut]).iter().all(|one| expected.contains(one)), "cut after {cut}: {}", said.escape_ascii());
        }
    }

    #[test]
    fn a_label_tells_what_stands_behind_it() {
        let report: &[u8] = b"FEEDER 1 Date: 03/05/96 Time: 14:17:01.359\r\nSTATION A\r\n\
            FID=SEL-551-R100-Vr-D960226 CID=00FF\r\nSELF TESTS\r\nW=Warn F=Fail\r\n";
        check(report, &[("fid", "SEL-551-R100-Vr-D960226"), ("cid", "00FF")]);
        let report: &[u8] =
            b"\r\nSerial Num = 2007000123   FID = SEL-751A-R101\r\nCID = 9D09  PART NUM = 751A01B\r\n  SELF TESTS (W=Warn)\r\n";
        check(report, &[("serialno", "2007000123"), ("fid", "SEL-751A-R101"), ("cid", "9D09"), ("partno", "751A01B")]);
    }

    #[test]
    fn what_is_not_labelled_whole_and_once_is_not_told() {
        for said in [
            &b"FID=SEL-551 CID=00FF\r\n"[..],
            b"BFID=SEL-551\r\nSELF TESTS\r\n",
            b"FID=SEL-551\r\nFID=SEL-552\r\nSELF TESTS\r\n",
            b"FID=\r\nSELF TESTS\r\n",
            b"FID SEL-551\r\nSELF TESTS\r\n",
            b"FID\r\n=SEL-551\r\nSELF TESTS\r\n",
            b"FID=SEL\xff551\r\nSELF TESTS\r\n",
            b"Serial Number 12\r\nSELF TESTS\r\n",
            b"FID=SEL-551\r\nno SELF TESTS\r\n",
            b"SELF TESTS\r\nFID=SEL-551\r\n",
        ] {
            check(said, &[]);
        }
        check(&[b"FID=".as_slice(), &[b'9'; VALUE_BYTES_MAX + 1], b"\r\nSELF TESTS\r\n"].concat(), &[]);
    }
}
