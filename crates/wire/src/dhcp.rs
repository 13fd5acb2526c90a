//! DHCP and BOOTP: what a client says about itself when it asks for an address, and which address it was given.
//!
//! Sources: RFC 951 (BOOTP), RFC 2131 clause 2 (message), RFC 2132 (options 12, 52, 54, 60, 61), RFC 3004 (77), RFC 3396 (long options),
//! RFC 3925 (124, 125), RFC 4578 (93, 97), RFC 4702 (81), RFC 8520 clause 10 (161), Broadband Forum TR-069 annex F (125, enterprise 3561).
//!
//! Client and server are told apart by the operation code, never by who seems to be the server of the conversation.

use core::net::{IpAddr, Ipv4Addr};
use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::told::Told;
use crate::{Address, Authority, Mac, Malformed, Reading, Shape};

/// DHCP over IPv4.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[], udp: &[67, 68], link: &[], likeness, start: |_| Box::new(Segment::default()) };

const NAME: &str = "dhcp";
const QUESTION: &str = "dhcp.client";

/// The fields in front of the options (RFC 2131, clause 2).
const FIXED_BYTES: usize = 236;
/// Server host name: options stand there, too, where option 52 says so.
const SNAME: Range<usize> = 44..108;
/// Boot file name; as before.
const FILE: Range<usize> = 108..236;
/// RFC 2131, clause 3.
const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
/// A hardware address has at most the 16 bytes of its field.
const HLEN_BYTES_MAX: u8 = 16;
/// An option of this length may go on in another one (RFC 3396): its bytes are no value by themselves.
const OPTION_BYTES_MAX: usize = 255;
/// The Broadband Forum's enterprise number: a device's maker, serial number and product class (TR-069, annex F).
const ENTERPRISE_BROADBAND: u32 = 3561;

const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const ETHERNET: u8 = 1;
const TYPE_ACK: u8 = 5;

fn likeness(bytes: &[u8], _: Over) -> Likeness {
    match bytes {
        [REQUEST | REPLY, _, hlen, ..] if *hlen <= HLEN_BYTES_MAX => match bytes.get(FIXED_BYTES..FIXED_BYTES + COOKIE.len()) {
            Some(cookie) if cookie == COOKIE => Likeness::Certain,
            _ => Likeness::Possible,
        },
        _ => Likeness::No,
    }
}

/// The clients that broadcast on one segment, or one client and its server.
#[derive(Debug, Default)]
struct Segment {
    told: Told,
    coverage: Coverage,
}

impl Conversation for Segment {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let message = match Message::read(said.bytes) {
            Ok(message) => message,
            Err(malformed) => return out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed }),
        };
        self.coverage.decoded += 1;
        if message.is_reply {
            self.reply(said, &message, out);
        } else {
            let speaker = message.client(said);
            self.present(Role::Client, speaker.clone(), said, out);
            self.tell(message.reading(said, speaker), out);
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Segment {
    /// An answer shows its server. An acknowledgement shows which address the client has from now on, and what name the server has for
    /// it: that is the server's belief.
    fn reply(&mut self, said: &Said<'_>, message: &Message<'_>, out: &mut dyn FnMut(Heard)) {
        let server = match message.option(54).and_then(|range| address(message.bytes, range.start)) {
            // A relay hands on what a server behind it said.
            Some(ip) if Some(ip) != said.from.ip && said.from.ip.is_some() => Address { ip: Some(ip), ..Address::default() },
            _ => Address { port: Some(67), ..said.speaker() },
        };
        self.present(Role::Server, server, said, out);
        // A BOOTP server says only this.
        if message.option(53).is_some_and(|range| message.bytes.get(range) != Some(&[TYPE_ACK])) {
            return;
        }
        let ip = address(message.bytes, 16).or_else(|| address(message.bytes, 12));
        let client = Address { mac: message.mac(), ip, ..Address::default() };
        if client.mac.is_some() && client.ip.is_some() {
            self.present(Role::Client, client.clone(), said, out);
        }
        let mut belief = message.reading(said, client);
        belief.authority = Authority::Belief;
        belief.facts.retain(|fact| matches!(fact.path.as_str(), "dhcp.host_name" | "dhcp.fqdn"));
        self.tell(belief, out);
    }

    fn present(&mut self, role: Role, speaker: Address, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        if speaker != Address::default() && self.told.is_new((role, &speaker)) {
            out(Heard::Present { protocol: NAME, role, speaker, at: said.at });
        }
    }

    fn tell(&mut self, reading: Reading, out: &mut dyn FnMut(Heard)) {
        if !reading.facts.is_empty() && self.told.is_news(&reading) {
            out(Heard::Reading(reading));
        }
    }
}

/// A message whose fixed part is all there.
#[derive(Debug)]
struct Message<'a> {
    bytes: &'a [u8],
    is_reply: bool,
    /// Code and value of each option, the first of each code.
    options: Vec<(u8, Range<usize>)>,
    /// The end mark was there: no option is missing.
    ended: bool,
    malformed: Option<Malformed>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let fixed = bytes.get(..FIXED_BYTES).ok_or(Malformed::short(NAME, 0, FIXED_BYTES, bytes.len(), "a message (RFC 2131, 2)"))?;
        let (op, hlen) = (fixed[0], fixed[2]);
        if !matches!(op, REQUEST | REPLY) || hlen > HLEN_BYTES_MAX {
            return Err(Malformed::wrong(NAME, 0, "op is 1 or 2, and a hardware address has at most 16 bytes (RFC 2131, 2)"));
        }
        let mut message = Self { bytes, is_reply: op == REPLY, options: Vec::new(), ended: false, malformed: None };
        if bytes.get(FIXED_BYTES..FIXED_BYTES + COOKIE.len()) == Some(&COOKIE) {
            message.ended = message.walk(FIXED_BYTES + COOKIE.len()..bytes.len());
            let overload = message.option(52).and_then(|range| bytes.get(range.start)).copied();
            // The options behind the cookie go first: while some may be missing, nobody knows what stands for them elsewhere.
            let overload = overload.filter(|_| message.ended).unwrap_or(0);
            for (_, more) in [(1, FILE), (2, SNAME)].into_iter().filter(|(bit, _)| overload & bit != 0) {
                message.walk(more);
            }
        }
        Ok(message)
    }

    /// Takes the options that stand in one place; true when its end mark was there.
    fn walk(&mut self, place: Range<usize>) -> bool {
        let mut at = place.start;
        while let Some(code) = self.bytes.get(at).filter(|_| at < place.end) {
            if *code == 255 {
                return true;
            }
            if *code == 0 {
                at += 1;
                continue;
            }
            let length = self.bytes.get(at + 1).map(|length| usize::from(*length));
            let Some(value) = length.map(|length| at + 2..at + 2 + length).filter(|value| value.end <= place.end) else {
                self.malformed = Some(Malformed::short(NAME, at, length.unwrap_or(1), place.end - at, "an option's length (RFC 2132, 2)"));
                return false;
            };
            at = value.end;
            if self.option(*code).is_none() && value.len() < OPTION_BYTES_MAX {
                self.options.push((*code, value));
            }
        }
        false
    }

    fn option(&self, code: u8) -> Option<Range<usize>> {
        self.options.iter().find(|(found, _)| *found == code).map(|(_, range)| range.clone())
    }

    fn mac(&self) -> Option<Mac> {
        match self.bytes {
            [_, ETHERNET, 6, ..] => self.bytes.get(28..34).and_then(|mac| mac.try_into().ok()).map(Mac),
            _ => None,
        }
    }

    /// Who asks: by the hardware address in the message, because a relay may have sent the frame; with an address only where it is its own.
    fn client(&self, said: &Said<'_>) -> Address {
        let relayed = address(self.bytes, 24).is_some();
        let mac = self.mac().or(if relayed { None } else { said.from.mac });
        let unset = |ip: &IpAddr| ip.is_unspecified();
        let sender = said.from.ip.filter(|ip| !relayed && mac == said.from.mac && !unset(ip));
        Address { mac, ip: address(self.bytes, 12).or(sender), ..Address::default() }
    }

    fn reading(&self, said: &Said<'_>, speaker: Address) -> Reading {
        let mut reading = Reading::of(NAME, Over::Udp, QUESTION, speaker, said.at, self.bytes);
        let hardware = self.mac().map(|Mac([a, b, c, d, e, f])| [ETHERNET, a, b, c, d, e, f]);
        let hardware = hardware.as_ref().map(<[u8; 7]>::as_slice);
        // An identifier that is the hardware address says nothing more.
        let telling = |(code, value): &&(u8, Range<usize>)| *code != 61 || self.bytes.get(value.clone()) != hardware;
        for (code, value) in self.options.iter().filter(telling) {
            option_facts(&mut reading, *code, value.clone(), self.bytes.get(value.clone()).unwrap_or_default());
        }
        reading.complete = self.ended;
        if let Some(malformed) = &self.malformed {
            reading.broken(malformed.clone());
        }
        reading
    }
}

/// The address that stands there; 0.0.0.0 is none.
fn address(bytes: &[u8], at: usize) -> Option<IpAddr> {
    let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets)).filter(|ip| !ip.is_unspecified()).map(IpAddr::V4)
}

fn option_facts(reading: &mut Reading, code: u8, at: Range<usize>, value: &[u8]) {
    let text = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
    match (code, value) {
        (12, [_, ..]) => reading.fact("dhcp.host_name", Shape::Text, at),
        (43, _) if text(value) => reading.fact("dhcp.vendor_specific", Shape::Text, at),
        (60, [_, ..]) => reading.fact("dhcp.vendor_class", Shape::Text, at),
        // Type 0 is "no hardware address": a name, where it is one (RFC 2132, 9.14).
        (61, [0, rest @ ..]) if text(rest) => reading.fact("dhcp.client_name", Shape::Text, at.start + 1..at.end),
        (61, [_, _, ..]) => reading.fact("dhcp.client_id", Shape::Hex, at),
        // Each class has its length before it (RFC 3004); Microsoft's client leaves it out.
        (77, [length, rest @ ..]) if usize::from(*length) == rest.len() && text(rest) => {
            reading.fact("dhcp.user_class", Shape::Text, at.start + 1..at.end);
        }
        (77, _) if text(value) => reading.fact("dhcp.user_class", Shape::Text, at),
        // The name stands in ASCII, or with flag E in labels (RFC 4702, 2.1).
        (81, [flags, _, _, _, ..]) if flags & 0x04 == 0 => reading.fact("dhcp.fqdn", Shape::Text, at.start + 3..at.end),
        (81, [_, _, _, _, ..]) => reading.fact("dhcp.fqdn", Shape::Labels, at.start + 3..at.end),
        (93, [_, _]) => reading.fact("dhcp.architecture", Shape::Number, at),
        (97, [0, uuid @ ..]) if uuid.len() == 16 => reading.fact("dhcp.uuid", Shape::Hex, at.start + 1..at.end),
        // An enterprise and the classes of its device, one after the other, with a length before each.
        (124, [_, _, _, _, all, length, class @ ..]) if all.checked_sub(1) == Some(*length) && class.len() == usize::from(*length) => {
            reading.fact("dhcp.enterprise", Shape::Number, at.start..at.start + 4);
            reading.fact("dhcp.enterprise_class", Shape::Text, at.start + 6..at.end);
        }
        (125, [a, b, c, d, all, inner @ ..])
            if u32::from_be_bytes([*a, *b, *c, *d]) == ENTERPRISE_BROADBAND && inner.len() == usize::from(*all) =>
        {
            broadband_facts(reading, at.start + 5, inner);
        }
        (161, [_, ..]) => reading.fact("dhcp.mud_url", Shape::Text, at),
        _ => {}
    }
}

/// Maker, serial number and product class of a device or of the gateway that speaks (TR-069, annex F, table F-1).
fn broadband_facts(reading: &mut Reading, start: usize, inner: &[u8]) {
    let (mut at, mut rest) = (start, inner);
    while let [code, length, behind @ ..] = rest {
        let (Some(end), Some(next)) = (at.checked_add(2 + usize::from(*length)), behind.get(usize::from(*length)..)) else { return };
        let path = match code {
            1 | 4 => "dhcp.device.oui",
            2 | 5 => "dhcp.device.serial",
            3 | 6 => "dhcp.device.class",
            _ => "",
        };
        if !path.is_empty() {
            reading.fact(path, Shape::Text, at + 2..end);
        }
        (at, rest) = (end, next);
    }
}

#[cfg(test)]
mod tests;
