//! What may leave as SLMP: read-only.md section 2, row "MELSEC SLMP", as data.
//!
//! Layout: MELSEC SH-080956ENG (SLMP Reference Manual), 4.2 (3E frame, binary) and 5.2 (Read Type Name). No route leads beyond the station that is
//! connected, and no command but one is in here, so none can leave.

use super::{
    permit::{Grant, HOLD_S_MAX},
    table::{Part, Row, Table, bytes},
};

/// Messages on one connection (read-only.md section 2, MELSEC SLMP: 1).
const MESSAGES_MAX: u8 = 1;

/// What a controller may be asked: its type name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slmp;

impl Slmp {
    /// The grant.
    #[must_use]
    pub const fn grant(self) -> Grant {
        Grant::new(&TABLE, String::new())
    }
}

static TYPE_NAME: [Part; 6] = [
    bytes(&[0x50, 0], "slmp.subheader", "3E frame, a request"),
    bytes(&[0, 0xff, 0xff, 0x03, 0], "slmp.route", "network 0, station FF, processor 03FF: the station that is connected"),
    bytes(&[6, 0], "slmp.length", "length of what follows"),
    bytes(&[8, 0], "slmp.timer", "the controller may take 2 s"),
    bytes(&[0x01, 0x01], "slmp.command", "command 0101: read type name"),
    bytes(&[0, 0], "slmp.subcommand", "subcommand 0000"),
];

static ROWS: [Row; 1] = [Row {
    question: "slmp.type_name",
    asks: "the model; SLMP tells no firmware",
    needs: None,
    parts: &TYPE_NAME,
    times_max: MESSAGES_MAX,
    rises: None,
    goodbye: false,
}];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "slmp",
    port: "TCP or UDP, at the port that is configured",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "1 message and 10 s a connection; the station that is connected and none behind it",
};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guard::{Endpoint, Judge, Limits, Permit};

    /// By hand from the manual.
    const ASKED: [u8; 15] = [0x50, 0, 0, 0xff, 0xff, 0x03, 0, 6, 0, 8, 0, 0x01, 0x01, 0, 0];

    fn check(messages: &[&[u8]], left: usize, rule: Option<&str>) {
        let limits = Limits::of(&Slmp.grant());
        let endpoint = Endpoint::Udp(([192, 0, 2, 1], 5007).into());
        let mut judge = Judge::new(&Permit::new(endpoint, Slmp.grant(), "WO-1", limits).expect("a permit"));
        let pushed = |message: &&[u8]| {
            let pushed = judge.push(message, Duration::ZERO);
            judge.answered();
            pushed.ok().and_then(|pushed| pushed.message).is_some()
        };
        assert_eq!(messages.iter().map(pushed).filter(|left| *left).count(), left, "{messages:?}");
        assert_eq!(judge.closed().map(|refused| refused.rule), rule, "{messages:?}");
    }

    #[test]
    fn one_message_leaves_once() {
        check(&[&ASKED], 1, None);
        check(&[&ASKED, &ASKED], 1, Some("budget.requests"));
    }

    #[test]
    fn one_wrong_byte_is_refused_by_its_own_rule() {
        let rules = ["subheader", "subheader", "route", "route", "route", "route", "route", "length", "length", "timer", "timer"];
        let rules = rules.into_iter().chain(["command", "command", "subcommand", "subcommand"]);
        for (at, rule) in rules.enumerate() {
            let mut wrong = ASKED;
            wrong[at] ^= 0x40;
            check(&[&wrong], 0, Some(&format!("slmp.{rule}")));
        }
    }

    #[test]
    fn what_writes_or_controls_never_leaves() {
        let commands =
            [0x1401, 0x1402, 0x1403, 0x1001, 0x1002, 0x1003, 0x1005, 0x1006, 0x1617, 0x1630, 0x1631, 0x0e30, 0x0e31, 0x1810, 0x0619];
        for command in commands.map(u16::to_le_bytes) {
            let mut write = ASKED;
            write[11..13].copy_from_slice(&command);
            check(&[&write], 0, Some("slmp.command"));
        }
    }
}
