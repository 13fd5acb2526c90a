//! What may leave as EtherNet/IP without a session: read-only.md section 2, row "EtherNet/IP-CIP", ListIdentity, as data.
//!
//! Layout: CIP Networks Library, volume 2, edition 1.4, 2-3.1 (header) and 2-4.2 (ListIdentity). Nothing in the message is left open.

use super::{
    Refused,
    permit::{Grant, HOLD_S_MAX},
    table::{Part, Row, Table, bytes},
};

/// ListIdentity to one device. There is nothing that only a permit could say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enip;

impl Enip {
    /// The grant.
    ///
    /// # Errors
    /// Never.
    pub const fn grant(&self) -> Result<Grant, Refused> {
        Ok(Grant::new(&TABLE, String::new()))
    }
}

static LIST_IDENTITY: [Part; 7] = [
    bytes(&[0x63, 0], "enip.command", "command 63: ListIdentity"),
    bytes(&[0, 0], "enip.length", "length of what follows the header: nothing"),
    bytes(&[0; 4], "enip.session", "session 0: none"),
    bytes(&[0; 4], "enip.status", "status 0"),
    bytes(&[0xf4, 0x01], "enip.context", "sender's context: the answer comes within 500 ms"),
    bytes(&[0; 6], "enip.context", "sender's context, empty"),
    bytes(&[0; 4], "enip.options", "options 0"),
];

static ROWS: [Row; 1] = [Row {
    question: "enip.list_identity",
    asks: "vendor, type, product code, revision, serial number, name of whoever has the address",
    needs: None,
    parts: &LIST_IDENTITY,
    times_max: 1,
    rises: None,
    goodbye: false,
}];

/// The row of read-only.md, as far as it needs no session.
pub static TABLE: Table = Table {
    protocol: "enip",
    port: "UDP 44818, TCP 44818",
    rows: &ROWS,
    messages_max: 1,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "1 message, unicast",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Endpoint, Judge, Limits, Permit};
    use std::time::Duration;

    const ASKED: [u8; 24] = [0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    fn judge() -> Judge {
        let grant = Enip.grant().expect("a grant");
        let limits = Limits::of(&grant);
        Judge::new(&Permit::new(Endpoint::Udp(([192, 0, 2, 1], 44818).into()), grant, "WO-1", limits).expect("a permit"))
    }

    fn rule(message: &[u8]) -> Option<&'static str> {
        let mut judge = judge();
        let pushed = judge.push(message, Duration::ZERO);
        pushed.err().or_else(|| judge.finish()).map(|refused| refused.rule)
    }

    #[test]
    fn one_message_leaves_and_no_other_byte_of_it() {
        assert_eq!(rule(&ASKED), None);
        let rules = [(0..2, "enip.command"), (2..4, "enip.length"), (4..8, "enip.session"), (8..12, "enip.status")];
        let rules = rules.into_iter().chain([(12..20, "enip.context"), (20..24, "enip.options")]);
        for (range, expected) in rules {
            for at in range {
                let mut message = ASKED;
                message[at] ^= 0x04;
                assert_eq!(rule(&message), Some(expected), "byte {at}");
            }
        }
        // ListServices, RegisterSession, SendRRData, SendUnitData.
        for command in [0x04, 0x65, 0x6f, 0x70] {
            let mut message = ASKED;
            message[0] = command;
            assert_eq!(rule(&message), Some("enip.command"), "{command:02x}");
        }
    }

    #[test]
    fn it_leaves_once() {
        let mut judge = judge();
        assert!(judge.push(&ASKED, Duration::ZERO).is_ok());
        judge.answered();
        assert_eq!(judge.push(&ASKED, Duration::ZERO).expect_err("a second").rule, "budget.requests");
    }
}
