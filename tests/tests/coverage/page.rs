//! docs/protocols.md, made of the lines.

use std::path::PathBuf;

use nameplate_tests::place::root;

use crate::table::{PROTOCOLS, Proof, Protocol};
use crate::{Line, Lines, SHARE_PERCENT_MIN};

/// One protocol in all captures.
pub struct Sum {
    pub protocol: &'static Protocol,
    /// In how many of them at least one message was decoded.
    pub captures: u64,
    /// Messages in all captures.
    pub line: Line,
    /// Of those that tshark names, capture by capture, as many as were decoded: what is read beyond that in one capture makes up for
    /// nothing in another.
    both: u64,
}

impl Sum {
    /// Tenths of a percent of what tshark names; where it names nothing, of what was told apart.
    fn share(&self) -> Option<u64> {
        let (part, whole) = if self.line.named > 0 { (self.both, self.line.named) } else { (self.line.decoded, self.line.seen) };
        (part * 1_000).checked_div(whole)
    }

    /// At least one capture or an independent server, and nearly all that tshark names.
    pub fn is_done(&self) -> bool {
        self.share().is_some_and(|share| share >= SHARE_PERCENT_MIN * 10) && self.protocol.proof != Proof::ByHand
    }

    fn row(&self) -> String {
        let Self { protocol, captures, line, .. } = self;
        let share = self.share().map_or_else(|| "-".into(), |share| format!("{}.{} %", share / 10, share % 10));
        let named = if line.named > 0 { line.named.to_string() } else { "-".into() };
        format!("| {} | {captures} | {} | {} | {named} | {share} | {} |\n", protocol.name, line.decoded, line.seen, protocol.note)
    }
}

pub fn file() -> PathBuf {
    root().join("docs/protocols.md")
}

/// Every protocol of the table.
pub fn sums(lines: &Lines) -> Vec<Sum> {
    let of = |protocol: &'static Protocol| {
        let own: Vec<&Line> = lines.iter().filter(|((_, name), _)| name == protocol.name).map(|(_, line)| line).collect();
        let sum = |count: fn(&Line) -> u64| own.iter().map(|line| count(line)).sum();
        Sum {
            protocol,
            captures: own.iter().filter(|line| line.decoded > 0).count() as u64,
            line: Line { seen: sum(|line| line.seen), decoded: sum(|line| line.decoded), named: sum(|line| line.named) },
            both: own.iter().map(|line| line.decoded.min(line.named)).sum(),
        }
    };
    PROTOCOLS.iter().map(of).collect()
}

const HEAD: &str = "\
# Protocols

What is read of each protocol is told beside its decoder, one file each in `crates/wire/src`. This page says how much of it was tried: over
482 public captures, message by message, beside what tshark 4.0.17 names there. It is made by `tests/tests/coverage` out of
`tests/golden/coverage.tsv`, which has a line for each capture and protocol; a decoder that reads less than before fails that test.

- **captures**: in how many at least one message was decoded.
- **decoded**, **seen**: messages whose kind was read, of those that were told apart.
- **tshark**: how often the dissector's name stands in `frame.protocols`, outside of what ICMP quotes; `-` where it has no dissector.
- **share**: of what tshark names, capture by capture, as much as was decoded there; where it names nothing, of what was seen.

A protocol is done with at least one capture or a server that we did not write, and a share of 95 % or more.

## Done
";

const NOT_DONE: &str = "
## Not done

They are read, and what they say is claimed with its grade like any other; but nobody has shown yet that enough of them is read. Where there is
no capture, all frames of the tests were written by hand after the standard.
";

const COLUMNS: &str = "
| protocol | captures | decoded | seen | tshark | share | note |
|---|---:|---:|---:|---:|---:|---|
";

/// The page.
pub fn of(lines: &Lines) -> String {
    let (done, open): (Vec<Sum>, Vec<Sum>) = sums(lines).into_iter().partition(Sum::is_done);
    let rows = |sums: Vec<Sum>| sums.iter().map(Sum::row).collect::<String>();
    [HEAD, COLUMNS, &rows(done), NOT_DONE, COLUMNS, &rows(open)].concat()
}
