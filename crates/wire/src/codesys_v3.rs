//! CODESYS V3: what a controller's runtime answers to a search of its name service, over UDP.
//!
//! Source: no public specification; the layout that the public NSE library codesys3.lua reads, whose sample answers are of WAGO controllers:
//! C5, hops and words of the header, flags, service, message, lengths of two addresses in words, all this up to a multiple of four; then, lower
//! byte first, package, version and number of the search, sizes, numbers of the target, and the texts one behind the other, each with a NUL
//! behind it. A size that leads elsewhere than to such a NUL makes it malformed: what a field means is known of version 4.0 alone.
//!
//! Not read: what goes over TCP and in channels. It is never asked: a search is a broadcast.

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::told::Told;
use crate::{Malformed, Reading, Shape};

/// CODESYS V3, over UDP.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[], udp: &[1740, 1741, 1742, 1743], link: &[], likeness, start: |_| Box::<Talk>::default() };

const NAME: &str = "codesys-v3";
const MAGIC: u8 = 0xc5;
/// Services: addresses, names, and their answers; channels.
const SERVICES: [u8; 5] = [1, 2, 3, 4, 0x40];
const NAMES_ANSWER: u8 = 4;
const ADDRESSES_AT: usize = 5;
/// Package "identification" and version 4.0, lower byte first.
const IDENTIFICATION: [u8; 4] = [0x80, 0xc2, 0x00, 0x04];
/// From the package to the first text: package, version, number; sizes, target, sizes, reserved.
const FIXED_BYTES: usize = 48;

fn likeness(bytes: &[u8], _: Over) -> Likeness {
    match *bytes {
        [MAGIC, _, _, service, _, _, ..] if SERVICES.contains(&service) => {
            let is_identity = payload_at(bytes).and_then(|at| bytes.get(at..at + 4)) == Some(&IDENTIFICATION);
            if is_identity { Likeness::Certain } else { Likeness::Possible }
        }
        _ => Likeness::No,
    }
}

/// Where the package starts: behind the header and both addresses, at a multiple of four.
fn payload_at(bytes: &[u8]) -> Option<usize> {
    let words = usize::from(bytes.get(1)? & 7);
    let addresses = usize::from(bytes.get(ADDRESSES_AT)? & 0xf) + usize::from(bytes.get(ADDRESSES_AT)? >> 4);
    Some((2 * (words + addresses)).next_multiple_of(4))
}

#[derive(Debug, Default)]
struct Talk {
    told: Told,
    coverage: Coverage,
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let bytes = said.bytes;
        if likeness(bytes, Over::Udp) == Likeness::No {
            return;
        }
        self.coverage.decoded += 1;
        let Some(at) = payload_at(bytes).filter(|_| bytes.get(3) == Some(&NAMES_ANSWER)) else { return };
        if bytes.get(at..at + 4) != Some(&IDENTIFICATION) {
            return;
        }
        if self.told.is_new(Role::Server) {
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker: said.speaker(), at: said.at });
        }
        let mut reading = Reading::of(NAME, Over::Udp, "codesys-v3.identification", said.speaker(), said.at, bytes);
        match texts(bytes, at) {
            Ok(texts) => {
                let target = at + 20;
                reading.fact("codesys-v3.target.id", Shape::HexLe, target + 4..target + 8);
                reading.fact("codesys-v3.target.version", Shape::DottedLe, target + 8..target + 12);
                for (path, shape, text) in texts {
                    if !text.is_empty() {
                        reading.fact(path, shape, text);
                    }
                }
            }
            Err(malformed) => reading.broken(malformed),
        }
        if self.told.is_news(&reading) {
            out(Heard::Reading(reading));
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

type Text = (&'static str, Shape, core::ops::Range<usize>);

/// Where the texts stand: name of the node, of the device, of its maker, serial number.
///
/// # Errors
/// [`Malformed`] where one is not all there, or no NUL stands behind it; where numbers stand upper byte first.
fn texts(bytes: &[u8], at: usize) -> Result<[Text; 4], Malformed> {
    const WHY: &str = "texts of an identification end with a NUL, where their sizes say";
    let wrong = |at| Malformed::wrong(NAME, at, WHY);
    let fixed = bytes.get(at..at + FIXED_BYTES).ok_or_else(|| wrong(at))?;
    let word = |at: usize| fixed.get(at..at + 2).map_or(0, |two| usize::from(two[0]) | usize::from(two[1]) << 8);
    let byte = |at: usize| fixed.get(at).copied().map_or(0, usize::from);
    if byte(10) != 1 {
        return Err(Malformed::wrong(NAME, at + 10, "numbers are read where they stand lower byte first"));
    }
    let mut start = at + FIXED_BYTES + word(12);
    let mut text = |bytes_of_one: usize, count: usize| {
        let end = start + bytes_of_one * count;
        let text = bytes.get(start..end).ok_or_else(|| wrong(start))?;
        let nul = bytes.get(end..end + bytes_of_one).is_some_and(|nul| nul.iter().all(|byte| *byte == 0));
        let is_whole = nul && text.chunks(bytes_of_one).all(|one| one.iter().any(|byte| *byte != 0));
        let range = start..end;
        start = end + bytes_of_one;
        if is_whole { Ok(range) } else { Err(wrong(end)) }
    };
    Ok([
        ("codesys-v3.node.name", Shape::Utf16Le, text(2, word(14))?),
        ("codesys-v3.device.name", Shape::Utf16Le, text(2, word(16))?),
        ("codesys-v3.vendor.name", Shape::Utf16Le, text(2, word(18))?),
        ("codesys-v3.serial_number", Shape::Text, text(1, byte(36))?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    /// By hand after the layout, with the values of the library's sample: a WAGO 750-8215.
    fn answer(vendor: &str) -> Vec<u8> {
        let wide = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let texts = ["PFC200V3-4538EF", "WAGO 750-8215 PFC200 G2 4ETH CAN USB", vendor];
        let sizes = texts.map(|text| (text.len() as u16).to_le_bytes()).concat();
        let header = [0xc5, 0x74, 0x40, 4, 0, 0x11, 0x12, 0x34, 0x02, 0x0c, 0x02, 0x01];
        let search = [&IDENTIFICATION[..], &[0x69, 0x69, 0x20, 0x04]].concat();
        let target = [0x1000_u32, 0x1006_120b, 0x050f_0400, 0].map(u32::to_le_bytes).concat();
        let fixed = [&search[..], &[8, 0, 1, 0, 0, 0], &sizes, &target, &[4, 0, 5, 0], &[0; 8]].concat();
        [&header[..], &fixed, &texts.map(wide).concat(), b"4711\0"].concat()
    }

    fn told(message: &[u8]) -> Vec<(String, String)> {
        shorter::told(&PROTOCOL, Over::Udp, &[message])
    }

    #[test]
    fn a_runtime_says_what_it_is_and_every_prefix_says_nothing() {
        let whole = answer("WAGO");
        let facts = told(&whole);
        let paths: Vec<&str> = facts.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            ["target.id", "target.version", "node.name", "device.name", "vendor.name", "serial_number"]
                .map(|name| format!("codesys-v3.{name}"))
        );
        assert_eq!(facts[1].1, "\\x00\\x04\\x0f\\x05", "5.15.4.0, the last byte first");
        assert_eq!((facts[4].1.as_str(), facts[5].1.as_str()), ("W\\x00A\\x00G\\x00O\\x00", "4711"));
        for cut in 0..whole.len() {
            assert_eq!(told(&whole[..cut]), [], "{cut}");
        }
    }

    #[test]
    fn sizes_that_lead_elsewhere_and_the_other_byte_order_are_malformed() {
        let broken = |at: usize, to: u8| {
            let mut message = answer("WAGO");
            message[at] = to;
            PROTOCOL.replay(Over::Udp, [], [&message[..]]).iter().all(|reading| reading.facts.is_empty() && !reading.malformed.is_empty())
        };
        let fixed = 12;
        assert!(broken(fixed + 10, 0), "upper byte first");
        assert!(broken(fixed + 12, 2), "the parent's address");
        assert!(broken(fixed + 14, 14) && broken(fixed + 14, 16) && broken(fixed + 15, 0xff), "the node's name");
        assert!(broken(fixed + 36, 3), "the serial number");
    }

    #[test]
    fn an_identification_makes_it_certain() {
        let likeness = |bytes: &[u8]| likeness(bytes, Over::Udp);
        assert_eq!(likeness(&answer("WAGO")), Likeness::Certain);
        assert_eq!(likeness(&answer("WAGO")[..14]), Likeness::Possible);
        for other in [&b"\xc5"[..], b"\xc5\x74\x40\x05\0\x11", b"\x30\x82", b"GET / HTTP/1.1"] {
            assert_eq!(likeness(other), Likeness::No, "{other:?}");
        }
    }
}
