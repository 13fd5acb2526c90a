//! DHCP over IPv6: what a client says about itself.
//!
//! Sources: RFC 8415 clauses 7.3 (message types), 8 (message), 11 (DUID), 21.2 (option 1), 21.16 (option 16); RFC 4704 clause 4 (option 39).
//!
//! A message that a relay hands on is told apart and not opened: its sender is the relay.

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::told::Told;
use crate::{Address, Cursor, Malformed, Reading, Shape};

/// DHCP over IPv6.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &[546, 547],
    link: &[],
    likeness: |bytes, _| match bytes {
        // An option of a known low number comes first; a relay's message has addresses there.
        [1..=11, _, _, _, 0, 1..=99, ..] | [12..=13, ..] => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |_| Box::new(Segment::default()),
};

const NAME: &str = "dhcpv6";
/// Advertise, reply, reconfigure: what servers say (RFC 8415, 7.3).
const OF_SERVER: [u8; 3] = [2, 7, 10];
const RELAYED: [u8; 2] = [12, 13];
/// Type and transaction.
const HEADER_BYTES: usize = 4;

#[derive(Debug, Default)]
struct Segment {
    told: Told,
    coverage: Coverage,
}

impl Conversation for Segment {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let Some(&[kind, ..]) = said.bytes.first_chunk::<HEADER_BYTES>() else {
            let malformed = Malformed::short(NAME, 0, HEADER_BYTES, said.bytes.len(), "a message (RFC 8415, 8)");
            return out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        };
        self.coverage.decoded += 1;
        let (role, speaker) = match kind {
            _ if RELAYED.contains(&kind) => return,
            _ if OF_SERVER.contains(&kind) => (Role::Server, said.speaker()),
            _ => (Role::Client, Address { port: None, ..said.speaker() }),
        };
        if self.told.is_new((role, &speaker)) {
            out(Heard::Present { protocol: NAME, role, speaker: speaker.clone(), at: said.at });
        }
        if role == Role::Server {
            return;
        }
        let mut reading = Reading::of(NAME, Over::Udp, "dhcpv6.client", speaker, said.at, said.bytes);
        if let Err(malformed) = options(&mut reading, Cursor::new(NAME, said.bytes).from(HEADER_BYTES)) {
            reading.broken(malformed);
        }
        if !reading.facts.is_empty() && self.told.is_news(&reading) {
            out(Heard::Reading(reading));
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

fn options(reading: &mut Reading, mut list: Cursor<'_>) -> Result<(), Malformed> {
    while !list.is_empty() {
        let (code, length) = (list.u16_be("an option (RFC 8415, 21.1)")?, list.u16_be("an option (RFC 8415, 21.1)")?);
        let whole = list;
        let at = list.range(usize::from(length), "an option's length (RFC 8415, 21.1)")?;
        let mut option = whole.until(at.end);
        match code {
            1 => reading.fact("dhcpv6.duid", Shape::Hex, at),
            16 => {
                reading.fact("dhcpv6.enterprise", Shape::Number, option.range(4, "enterprise number (RFC 8415, 21.16)")?);
                let class = option.u16_be("length of a class (RFC 8415, 21.16)")?;
                reading.fact("dhcpv6.vendor_class", Shape::Text, option.range(usize::from(class), "a class (RFC 8415, 21.16)")?);
            }
            39 if at.len() > 1 => reading.fact("dhcpv6.fqdn", Shape::Labels, at.start + 1..at.end),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    fn check(bytes: &[u8], expected: &[(&str, &str)]) {
        shorter::check(&PROTOCOL, Over::Udp, &[bytes], expected);
    }

    #[test]
    fn options_tell_what_a_client_is() {
        let solicit =
            b"\x01\x01\x02\x03\x00\x08\x00\x02\x00\x00\x00\x01\x00\x04\x00\x03\x00\x01\x00\x10\x00\x0b\x00\x00\x01\x37\x00\x05MSFT \
            \x00\x27\x00\x08\x00\x03plc\x01x\x00";
        let expected = [
            ("dhcpv6.duid", "\\x00\\x03\\x00\\x01"),
            ("dhcpv6.enterprise", "\\x00\\x00\\x017"),
            ("dhcpv6.vendor_class", "MSFT "),
            ("dhcpv6.fqdn", "\\x03plc\\x01x\\x00"),
        ];
        check(solicit, &expected);
        // A server's reply holds the client's identifier, too.
        let mut reply = solicit.to_vec();
        reply[0] = 7;
        check(&reply, &[]);
        check(b"\x0c\x00\x00\x00\x00\x01\x00\x01x", &[]);
    }

    #[test]
    fn other_datagrams_are_less_likely() {
        for (bytes, expected) in [
            (&b"\x01\x01\x02\x03\x00\x08\x00\x02"[..], Likeness::Possible),
            (b"\x0c\x00", Likeness::Possible),
            (b"\x30\x26\x02\x01", Likeness::No),
        ] {
            assert_eq!((PROTOCOL.likeness)(bytes, Over::Udp), expected, "{bytes:02x?}");
        }
    }
}
