//! What in an answer belongs to its owner and not to his device: names, places, people, serial numbers; and the same answer without them.

use nameplate_wire::{Fact, Reading, Shape};

use super::{Answer, ProfileSet};
use crate::claim::Field;
use crate::text;

/// Protocols with a checksum over their values: what is replaced there would no longer be what a device can send.
const CHECKSUMMED: [&str; 5] = ["c37.118", "dnp3", "hart-ip", "modbus-rtu", "sel-ascii"];
/// Words of a fact's name that stand for a host, a place or a person.
const PERSONAL_WORDS: [&str; 16] = [
    "host",
    "host_address",
    "host_id",
    "host_name",
    "hostname",
    "long_tag",
    "net_id",
    "owner",
    "plant",
    "project",
    "server_name",
    "tag",
    "time_zone",
    "user",
    "vm_uuid",
    "workgroup",
];
/// Bytes of a value that is looked for wherever else it stands: a shorter one would be found by chance.
const REPEATED_BYTES_MIN: usize = 4;
/// What stands for an address (RFC 5737) and for a hardware address (administered locally).
const IP: [u8; 4] = [192, 0, 2, 1];
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// Something that belongs to the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Personal {
    /// The fact's name.
    pub path: String,
    /// What it says, with everything invisible written out.
    pub value: String,
    /// What stands in its place.
    pub filler: String,
}

/// What of an answer is the owner's, and the answer with as many bytes of nothing in its place. `also` names further facts.
///
/// # Errors
/// Why it cannot be replaced: a checksum stands over it, or the answer would not read the same otherwise.
pub fn redact(set: &ProfileSet, answer: &Answer, also: &[String]) -> Result<(Vec<Personal>, Answer), String> {
    let readings = answer.readings();
    let mut clean = answer.clone();
    let mut found: Vec<Personal> = Vec::new();
    for reading in &readings {
        for fact in personal(set, reading, also) {
            let filler = filler(fact);
            replace(&mut clean, reading, fact, &filler);
            let shown = |bytes: &[u8]| text::decode_fact(fact.shape, bytes).unwrap_or_else(|unreadable| unreadable.shown);
            let personal = Personal { path: fact.path.clone(), value: text::printable(&shown(&fact.bytes)), filler: shown(&filler) };
            if !found.contains(&personal) {
                found.push(personal);
            }
        }
    }
    if !found.is_empty() && CHECKSUMMED.contains(&answer.protocol.as_str()) {
        let paths: Vec<&str> = found.iter().map(|personal| personal.path.as_str()).collect();
        return Err(format!(
            "{} has a checksum over {}: build the message anew, or take an answer without it",
            answer.protocol,
            paths.join(", ")
        ));
    }
    same_otherwise(&readings, &clean.readings(), &found)?;
    Ok((found, clean))
}

/// The facts that are the owner's.
fn personal<'a>(set: &ProfileSet, reading: &'a Reading, also: &[String]) -> Vec<&'a Fact> {
    let is_owners = |field: Field| matches!(field, Field::Name | Field::Location | Field::Contact | Field::SerialNumber);
    let claimed: Vec<String> =
        set.interpret(reading).claims.into_iter().filter(|claim| is_owners(claim.field)).map(|claim| claim.rule).collect();
    let is_personal = |fact: &&Fact| {
        let named = fact.path.split('.').any(|word| PERSONAL_WORDS.contains(&word));
        named || claimed.contains(&fact.path) || also.contains(&fact.path) || matches!(fact.shape, Shape::Ip | Shape::Mac)
    };
    reading.facts.iter().filter(is_personal).filter(|fact| !fact.bytes.is_empty()).collect()
}

/// As many bytes of the same kind: letters for letters, digits for digits.
fn filler(fact: &Fact) -> Vec<u8> {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' => b'1',
        b'A'..=b'Z' => b'X',
        b'a'..=b'z' | 0x80.. => b'x',
        other => other,
    };
    match (fact.shape, fact.bytes.len()) {
        (Shape::Ip, 4) => IP.to_vec(),
        (Shape::Mac, 6) => MAC.to_vec(),
        (Shape::Utf16Be, _) => fact.bytes.chunks(2).flat_map(|unit| wide(unit, 1, letter)).collect(),
        (Shape::Utf16Le, _) => fact.bytes.chunks(2).flat_map(|unit| wide(unit, 0, letter)).collect(),
        (Shape::Text | Shape::Utf8 | Shape::Ascii | Shape::Latin1 | Shape::Lines, _) => {
            fact.bytes.iter().map(|byte| letter(*byte)).collect()
        }
        (_, length) => vec![0x11; length],
    }
}

/// One character of UTF-16, whose lower byte stands at `low`; one of no Latin script becomes an x.
fn wide(unit: &[u8], low: usize, letter: fn(u8) -> u8) -> Vec<u8> {
    let mut plain = vec![0; unit.len()];
    let is_latin = unit.get(1 - low).is_none_or(|high| *high == 0);
    if let (Some(place), Some(byte)) = (plain.get_mut(low), unit.get(low)) {
        *place = if is_latin { letter(*byte) } else { b'x' };
    }
    plain
}

/// Puts the filler where the fact stands, and wherever its bytes stand again.
fn replace(answer: &mut Answer, reading: &Reading, fact: &Fact, filler: &[u8]) {
    let whole = reading.messages.get(fact.message).map(|message| message.bytes.as_slice()).unwrap_or_default();
    let range = fact.offset..fact.offset.saturating_add(fact.bytes.len());
    let stands = whole.get(range.clone()) == Some(fact.bytes.as_slice());
    for message in answer.asked.iter_mut().chain(&mut answer.said) {
        if stands && message.len() == whole.len() && message.get(range.clone()) == Some(fact.bytes.as_slice()) {
            message[range.clone()].copy_from_slice(filler);
        }
        for at in 0..message.len() {
            let again = at..at.saturating_add(fact.bytes.len());
            if fact.bytes.len() >= REPEATED_BYTES_MIN && message.get(again.clone()) == Some(fact.bytes.as_slice()) {
                message[again].copy_from_slice(filler);
            }
        }
    }
}

/// What was the owner's is gone, and all else is as it was.
fn same_otherwise(before: &[Reading], after: &[Reading], found: &[Personal]) -> Result<(), String> {
    let facts = |readings: &[Reading]| -> Vec<(String, Vec<u8>)> {
        readings.iter().flat_map(|reading| &reading.facts).map(|fact| (fact.path.clone(), fact.bytes.clone())).collect()
    };
    let (before, after) = (facts(before), facts(after));
    if before.len() != after.len() {
        return Err("the answer does not read the same without it: build the message anew".into());
    }
    for ((path, was), (now_path, now)) in before.iter().zip(&after) {
        let owners = found.iter().any(|personal| personal.path == *path);
        if path != now_path || (!owners && was != now) {
            return Err(format!("{path} would read another value without it: build the message anew"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use nameplate_wire::conversation::Over;

    use super::*;

    /// The owner's part of an answer, as `path value filler`; and the answer has as many bytes, and nothing of it left.
    fn check(protocol: &str, over: Over, said: &[u8], also: &[&str], expected: &[&str]) {
        let set = ProfileSet::built_in().expect("the built-in profiles");
        let answer = Answer { protocol: protocol.into(), over, asked: vec![], said: vec![said.to_vec()], source: String::new() };
        let also: Vec<String> = also.iter().map(|path| (*path).to_owned()).collect();
        let (found, clean) = redact(&set, &answer, &also).expect("replaced");
        let told: Vec<String> = found.iter().map(|personal| format!("{} {} {}", personal.path, personal.value, personal.filler)).collect();
        assert_eq!(told, expected);
        assert_eq!(clean.said[0].len(), said.len());
        for personal in found.iter().filter(|personal| personal.value.len() >= REPEATED_BYTES_MIN) {
            assert!(!String::from_utf8_lossy(&clean.said[0]).contains(&personal.value), "{personal:?}");
        }
    }

    #[test]
    fn names_places_and_numbers_make_way_for_as_many_letters() {
        let hello = b"fox a 0 -1 fox hello\n{\nfox.version=s:1.0\nhostName=s:plc-7\nhostAddress=s:10.1.2.3\napp.name=s:Station\napp.version=s:3.5.39\nstation.name=s:Roof 4\nhostId=s:Qnx-NPM6-0000-1490-C30C\n};;\n";
        let expected = [
            "fox.host_name plc-7 xxx-1",
            "fox.host_address 10.1.2.3 11.1.1.1",
            "fox.station.name Roof 4 Xxxx 1",
            "fox.host_id Qnx-NPM6-0000-1490-C30C Xxx-XXX1-1111-1111-X11X",
        ];
        check("fox", Over::Tcp, hello, &[], &expected);
        check("telnet", Over::Tcp, b"BW-7 at Roof\r\nlogin: ", &["telnet.line.1"], &["telnet.line.1 BW-7 at Roof XX-1 xx Xxxx"]);
        check("telnet", Over::Tcp, b"BW-7 V1.2\r\nlogin: ", &[], &[]);
    }

    #[test]
    fn what_stands_under_a_checksum_is_not_replaced() {
        let set = ProfileSet::built_in().expect("the built-in profiles");
        let lines = b"\"FID=SEL-451-5-R305-V0-Z013012-D20110331\",\"0901\"\r\n\"SERIALNO=1112223334\",\"0500\"\r\n\x03\r\n=";
        let answer =
            Answer { protocol: "sel-ascii".into(), over: Over::Tcp, asked: vec![], said: vec![lines.to_vec()], source: String::new() };
        if answer.readings().iter().any(|reading| reading.facts.iter().any(|fact| fact.path == "sel-ascii.serialno")) {
            assert!(redact(&set, &answer, &[]).expect_err("a checksum").contains("checksum"));
        } else {
            panic!("{:?}", answer.readings());
        }
    }
}
