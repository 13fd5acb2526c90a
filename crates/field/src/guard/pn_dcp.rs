//! What may leave as PROFINET DCP on layer 2: read-only.md section 2, row "PROFINET", as data.
//!
//! Layouts: IEC 61158-6-10, 4.2.2.3 (frame ids), 4.3.1.3 (header), 4.3.1.4 (options). What stands here is behind the Ethernet header, which the
//! guard's own line writes: one station's address, ours, EtherType 8892. No Set, no Identify, no Hello, no cyclic data and no alarm is in here, so none
//! can leave.

use super::{
    Refused,
    permit::{Grant, HOLD_S_MAX},
    pn_io::{CONSENT, consented},
    table::{Part, Row, Table, any, bytes},
};

/// Messages in one reading (read-only.md section 2, PROFINET: 1): the station answers DCP to nobody else for 3 s (H24).
const MESSAGES_MAX: u8 = 1;

/// What one station may be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PnDcp {
    /// Who of the owner's says that its connection to its controller is up, and that it neither starts nor is replaced just now.
    pub consent: Option<String>,
}

impl PnDcp {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.consent`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        consented(self.consent.as_deref()).map(|()| Grant::new(&TABLE, String::new()).with(&CONSENT, []))
    }
}

static GET: [Part; 15] = [
    bytes(&[0xfe, 0xfd], "pn-dcp.frame", "frame id FEFD: Get or Set"),
    bytes(&[3], "pn-dcp.service", "service 3: Get"),
    bytes(&[0], "pn-dcp.service", "a request"),
    any(4, "pn-dcp.transaction", "transaction, free"),
    bytes(&[0, 0], "pn-dcp.delay", "no delay"),
    bytes(&[0, 18], "pn-dcp.length", "length of what follows"),
    bytes(&[1, 1], "pn-dcp.block", "hardware address"),
    bytes(&[1, 2], "pn-dcp.block", "IP parameters"),
    bytes(&[2, 1], "pn-dcp.block", "type of station"),
    bytes(&[2, 2], "pn-dcp.block", "name of station"),
    bytes(&[2, 3], "pn-dcp.block", "vendor and device id"),
    bytes(&[2, 4], "pn-dcp.block", "role"),
    bytes(&[2, 6], "pn-dcp.block", "alias"),
    bytes(&[2, 7], "pn-dcp.block", "instance"),
    bytes(&[2, 8], "pn-dcp.block", "OEM's vendor and device id"),
];

static ROWS: [Row; 1] = [Row {
    question: "pn-dcp.get",
    asks: "name and type of the station, vendor and device id, IP parameters",
    needs: Some(&CONSENT),
    parts: &GET,
    times_max: 1,
    rises: None,
    goodbye: false,
}];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "pn-dcp",
    port: "Ethernet 8892",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "1 frame to one station's own address, and 3 s without another; Get alone, never Set, never Identify",
};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guard::{Endpoint, Judge, Limits, Permit};

    const ASKED: &str = "fefd 0300 01020304 0000 0012 0101 0102 0201 0202 0203 0204 0206 0207 0208";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
    }

    fn permit(target: &str) -> Result<Permit, Refused> {
        let grant = PnDcp { consent: Some("A. Owner".to_owned()) }.grant()?;
        let limits = Limits::of(&grant);
        Permit::new(target.parse::<Endpoint>().expect("an endpoint"), grant, "WO-1", limits)
    }

    fn judged(messages: &[&[u8]]) -> Result<&'static str, &'static str> {
        let mut judge = Judge::new(&permit("dcp:eth1/00:1b:1b:02:e5:2e").expect("a permit"));
        let mut last = "";
        for message in messages {
            judge.answered();
            let pushed = judge.push(message, Duration::ZERO).map_err(|refused| refused.rule)?;
            last = pushed.message.ok_or("not whole")?.question;
        }
        Ok(last)
    }

    #[test]
    fn one_get_leaves() {
        let asked = bytes(ASKED);
        assert_eq!(judged(&[&asked]), Ok("pn-dcp.get"));
        assert_eq!(judged(&[&asked, &asked]), Err("budget.requests"));
        let refused = PnDcp::default().grant().expect_err("nobody consents");
        assert_eq!(refused.rule, "permit.consent");
    }

    #[test]
    fn it_leaves_to_one_station_and_nothing_else_goes_there() {
        let rule = |target: &str| permit(target).map(|_| ()).map_err(|refused| refused.rule);
        assert_eq!(rule("dcp:eth1/00:1b:1b:02:e5:2e"), Ok(()));
        // PROFINET's own multicast, everybody, nobody; an address, a line.
        for target in [
            "dcp:eth1/01:0e:cf:00:00:00",
            "dcp:eth1/ff:ff:ff:ff:ff:ff",
            "dcp:eth1/00:00:00:00:00:00",
            "udp:192.0.2.1:34964",
            "serial:/dev/ttyS0",
        ] {
            assert_eq!(rule(target), Err("permit.target"), "{target}");
        }
        let grant = crate::guard::PnIo { consent: Some("A. Owner".to_owned()) }.grant().expect("a grant");
        let limits = Limits::of(&grant);
        let elsewhere = Permit::new("dcp:eth1/00:1b:1b:02:e5:2e".parse().expect("an endpoint"), grant, "WO-1", limits);
        assert_eq!(elsewhere.map_err(|refused| refused.rule).err(), Some("permit.target"));
    }

    #[test]
    fn one_wrong_byte_is_refused_by_the_rule_of_its_part() {
        let rules = [(0, "pn-dcp.frame"), (2, "pn-dcp.service"), (4, ""), (8, "pn-dcp.delay"), (10, "pn-dcp.length"), (12, "pn-dcp.block")];
        for at in 0..bytes(ASKED).len() {
            let mut changed = bytes(ASKED);
            changed[at] ^= 0x01;
            let rule = rules.iter().rev().find(|(from, _)| *from <= at).map_or("", |(_, rule)| *rule);
            assert_eq!(judged(&[&changed]), if rule.is_empty() { Ok("pn-dcp.get") } else { Err(rule) }, "byte {at}");
        }
    }

    #[test]
    fn what_sets_looks_around_or_plays_along_never_leaves() {
        // Set of a name, and reset, of a public capture's kinds; identify all; hello; cyclic data; an alarm.
        let table = [
            ("fefd 0400 00000001 0000 000e 0202 0009 0001 6d616c6c6f7279 00", "pn-dcp.service"),
            ("fefd 0400 00000001 0000 0006 0506 0002 0004", "pn-dcp.service"),
            ("fefd 0400 00000001 0000 0008 0503 0004 0000 0100", "pn-dcp.service"),
            ("fefe 0500 00000001 0001 0004 ffff 0000", "pn-dcp.frame"),
            ("fefe 0500 01140013 0001 000c 0202 0007 65743230307370 00", "pn-dcp.frame"),
            ("fefc 0600 00000001 0000 000c 0202 0007 0000 646f6f7231 00", "pn-dcp.frame"),
            ("fefd 0301 00000001 0000 0000", "pn-dcp.service"),
            ("fefd 0300 00000001 0000 0002 0202", "pn-dcp.length"),
            ("8000 0000 00000000 0000 c800 3500", "pn-dcp.frame"),
            ("fc01 0001 00010000 0000", "pn-dcp.frame"),
        ];
        for (frame, rule) in table {
            assert_eq!(judged(&[&bytes(frame)]), Err(rule), "{frame}");
        }
    }
}
