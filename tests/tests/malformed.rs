//! The fuzz targets on a stable toolchain: 100,000 damaged inputs each, from real captures and from answers written by hand. What
//! takes hours runs as `cargo xtask soak --fuzz`.

#[path = "../../fuzz/targets.rs"]
mod targets;

use std::fs;

use nameplate_core::observation::unhex;
use nameplate_core::profile::{ProfileSet, Said};
use nameplate_simulators::language::Carrier::Udp;
use nameplate_simulators::language::Language;
use nameplate_simulators::rehearsal::{Rehearsal, rehearse};
use nameplate_simulators::{pn_dcp, pn_io};
use nameplate_tests::place::{needed, root, shared};
use nameplate_tests::seeds;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::protocols;

/// Damaged inputs per target and test.
const INPUTS: u64 = 100_000;
/// Seeds are cut to so many bytes: damage in the first frames is what finds something.
const SEED_BYTES_MAX: usize = 2_048;

/// An identification answer and a server id, one stream; MODBUS V1.1b3, 6.21 and 6.13.
const ANSWERS: &[u8] = b"\x00\x01\x00\x00\x00\x1a\xff\x2b\x0e\x01\x01\x00\x00\x03\x00\x03ABC\x01\x05XY-12\x02\x04V2.1\
    \x00\x02\x00\x00\x00\x08\x0a\x11\x05\x00\xffABC";
/// One segment of the `tcp` target: control, distance (2), length, payload.
const SEGMENTS: &[u8] = b"\x00\x00\x00\x0b\x00\x07\x00\x00\x00\x05\x01\x2b\x0e\x01\x00\x01\x00\x00\x19\x00\x07\x00\x00\x00\x13\x01\x2b\x0e\x01\x01\x00\x00\x02\x00\x03ABC\x02\x04V2.1";

/// A document with all that refers to a product (CSAF 2.0, 3.2).
const DOCUMENT: &[u8] = br#"{"document":{"csaf_version":"2.0","publisher":{"name":"V"},"tracking":{"id":"1","version":"1"}},
    "product_tree":{"branches":[{"category":"vendor","name":"V","branches":[{"category":"product_version","name":"1","product":{"name":"N","product_id":"A"}}]}],
    "full_product_names":[{"name":"M","product_id":"B"}],"product_groups":[{"group_id":"G","product_ids":["A","B"]}],
    "relationships":[{"category":"installed_on","full_product_name":{"name":"R","product_id":"R"},"product_reference":"A","relates_to_product_reference":"B"}]},
    "vulnerabilities":[{"cve":"C","product_status":{"known_affected":["A","R"],"fixed":["B"]},"flags":[{"label":"l","group_ids":["G"]}],
    "remediations":[{"category":"vendor_fix","details":"d","product_ids":["A"]}],"scores":[{"products":["B"],"cvss_v3":{"vectorString":"v","baseScore":9.8}}]}]}"#;
/// Two bulletins, three rows.
const BULLETIN: &[u8] =
    b"publisher,id,product,range,status,cve,cvss,fixed_version\nA,1,P,< 2,,C,7.5,2\nB,1,\"Q,\",,fixed,C,,\nA,1,P,< 3,,D,10.0,'-3\n";

/// splitmix64: the same damage in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }
}

impl Random {
    fn damage(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len());
        match self.below(5) {
            0 => input.truncate(at),
            1 => input.insert(at.min(input.len()), self.below(256) as u8),
            2 if at < input.len() => drop(input.remove(at)),
            3 if at < input.len() => input[at] = [0, 0xff, 0x7f, 0x80, 1][self.below(5)],
            _ if at < input.len() => input[at] ^= 1 << self.below(8),
            _ => {}
        }
    }
}

fn check(target: fn(&[u8]), seeds: &[Vec<u8>]) {
    let mut random = Random(1);
    for _ in 0..INPUTS {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(8) {
            random.damage(&mut input);
        }
        target(&input);
    }
}

/// As [`check`] for the target of all protocols: messages are damaged one by one, and what says who speaks and how long stays true.
fn check_messages(seeds: &[Vec<u8>]) {
    let mut random = Random(1);
    for _ in 0..INPUTS {
        let seed = &seeds[random.below(seeds.len())];
        let (head, mut rest) = seed.split_at(2);
        let mut input = head.to_vec();
        while let Some((&[control, l0, l1], behind)) = rest.split_first_chunk::<3>() {
            let (message, behind) = behind.split_at(usize::from(u16::from_le_bytes([l0, l1])));
            let mut message = message.to_vec();
            for _ in 0..random.below(3) {
                random.damage(&mut message);
            }
            let control = if random.below(16) == 0 { random.below(4) as u8 } else { control };
            input.push(control);
            input.extend((message.len() as u16).to_le_bytes());
            input.extend(message);
            rest = behind;
        }
        targets::protocol(&input);
    }
}

/// The beginnings of the real captures with that magic.
fn captures(magic: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut folders = vec![shared()?.join("captures")];
    let mut seeds = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(mut bytes) = fs::read(&path)
                && bytes.starts_with(magic)
            {
                bytes.truncate(SEED_BYTES_MAX);
                seeds.push(bytes);
            }
        }
    }
    Ok(seeds)
}

#[test]
fn damaged_advisories_are_read_or_refused_and_refer_to_their_own_products() {
    check(targets::csaf, &[DOCUMENT.into(), BULLETIN.into()]);
}

#[test]
fn damaged_answers_are_read_or_named_and_a_prefix_says_nothing_else() {
    check(targets::modbus, &[ANSWERS.to_vec()]);
}

/// Of every example of MMS and OPC UA its answers without what carries them, to each question and with each number that they may have.
#[test]
fn damaged_answers_to_our_questions_are_read_or_named() {
    /// TPKT and COTP; the header of a chunk, its channel, sequence and request.
    const CARRIERS: [(&str, usize); 2] = [("mms", 7), ("opcua", 24)];
    let profiles = ProfileSet::built_in().expect("the built-in profiles");
    let mut seeds = Vec::new();
    for (protocol, carrier_bytes) in CARRIERS {
        let of = profiles.iter().filter(|profile| profile.protocol == protocol).flat_map(|profile| &profile.examples);
        for example in of {
            let Said::Frame(frames) = &example.said else { continue };
            let bodies = frames.iter().filter_map(|frame| frame.get(carrier_bytes..));
            let asked = |body: &[u8]| {
                (0..15_u8)
                    .flat_map(|which| (1..10).map(move |number| [which, number]))
                    .map(|head| [&head, body].concat())
                    .collect::<Vec<_>>()
            };
            seeds.extend(bodies.flat_map(asked));
        }
    }
    assert!(seeds.len() > 1_000, "{}", seeds.len());
    check(targets::answer, &seeds);
}

#[test]
fn damaged_answers_of_profinet_belong_to_no_other_question() {
    let device = pn_io::Persona::new(b"IM155-6PN HF", b"6ES7 155-6AU00-0CN0", b"S C-K7NP32952018");
    let station = pn_dcp::Persona::new(b"et200sp", b"ET200SP");
    let other = pn_io::Persona { upper_first: true, controller: true, ..device.clone() };
    let said = [
        rehearse(&device, Udp, &[device.sample()]),
        rehearse(&other, Udp, &[other.sample()]),
        rehearse(&station, Udp, &[station.sample()]),
    ];
    let questions = [device.sample(), station.sample()];
    check(targets::profinet, &said.iter().flat_map(Rehearsal::answers).chain(questions).collect::<Vec<_>>());
}

#[test]
fn damaged_segments_are_put_together_or_given_up() {
    check(targets::tcp, &[SEGMENTS.to_vec()]);
}

/// Answers and greetings by RFC 9112, 959 and 855, each behind the byte that says in which portions it comes.
const SAID: [&[u8]; 7] = [
    b"\x07HTTP/1.1 200 OK\r\nServer: a/1\r\nContent-Length: 4\r\n\r\nabcd",
    b"\x05HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\nA: b\r\n\r\n",
    b"\x00HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 401 No\r\nWWW-Authenticate: Basic realm=\"a\"\r\n\r\nabc",
    b"\x03HTTP/1.1 301 M\r\nLocation: /a\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    b"\x09220-Welcome\r\n to 4\r\n220 ready\r\n",
    b"\x04\xff\xfd\x18\xff\xfb\x01\xff\xfa\x18\xff\xff\x01\xff\xf0Model\r\nlogin: ",
    b"\x02SSH-2.0-a\r\n",
];

#[test]
fn damaged_answers_end_where_they_end_in_any_portions() {
    check(targets::answer, &SAID.map(<[u8]>::to_vec));
}

#[test]
fn damaged_pcap_files_are_read_to_their_end() {
    let Some(seeds) = needed("damaged_pcap_files_are_read_to_their_end", captures(&[0xd4, 0xc3, 0xb2, 0xa1])) else { return };
    check(targets::pcap, &seeds);
}

#[test]
fn damaged_pcapng_files_are_read_to_their_end() {
    let Some(seeds) = needed("damaged_pcapng_files_are_read_to_their_end", captures(&[0x0a, 0x0d, 0x0d, 0x0a])) else { return };
    check(targets::pcapng, &seeds);
}

/// Messages of two protocols of which no profile has an example, because they claim nothing. Sampled values (IEC 61850-9-2): one block with
/// name, counter, revision, synchronisation and eight bytes of samples.
const SAMPLED_VALUES: &str = "4000002d00000000 6023800101 a21e301c 80044d553031 82020001 830400000001 850102 87080000000100000002";
/// GE-SRTP (header of 56 bytes): a question for the controller's type, number 7, and its answer with ten bytes of text.
const SRTP: [(bool, usize, u8, u8, &[u8]); 2] = [(false, 0, 2, 0xC0, b""), (true, 10, 3, 0x94, b"PLC-1\0\0\0\x34\x23")];

fn srtp((by_server, length, kind, service, text): (bool, usize, u8, u8, &[u8])) -> (bool, Vec<u8>) {
    let mut header = vec![0; 56];
    (header[0], header[2], header[4], header[31], header[42]) = (kind, 7, length as u8, service, 0x43);
    (by_server, [&header, text].concat())
}

/// What the public captures have is damaged in tests/tests/decoders.rs; the others have what their examples say.
#[test]
fn damaged_messages_of_protocols_without_captures_are_read_or_named() {
    let golden = fs::read_to_string(root().join("tests/golden/coverage.tsv")).expect("the golden lines of coverage");
    let captured = |name: &str| golden.lines().any(|line| line.split('\t').nth(1) == Some(name));
    let mut examples = seeds::of_examples();
    let missing = |protocol: &&&Protocol| !captured(protocol.name) && !protocol.carries.iter().any(|name| captured(name));
    for protocol in protocols::ALL.iter().filter(missing) {
        let mut own = examples.remove(protocol.name).unwrap_or_default();
        let by_hand = match protocol.name {
            "sv" => vec![(true, unhex(SAMPLED_VALUES).expect("hexadecimal digits"))],
            "ge-srtp" => SRTP.map(srtp).to_vec(),
            _ => vec![],
        };
        own.extend(
            Some(by_hand).filter(|steps| !steps.is_empty()).and_then(|steps| {
                seeds::input(protocol, protocol.usually_over(), steps.iter().map(|(by_server, bytes)| (*by_server, bytes)))
            }),
        );
        assert!(!own.is_empty(), "{} has neither a capture nor an example", protocol.name);
        check_messages(&own);
    }
}

/// The examples of all profiles, damaged together.
#[test]
fn damaged_examples_of_every_protocol_are_read_or_named() {
    let all: Vec<Vec<u8>> = seeds::of_examples().into_values().flatten().collect();
    all.iter().for_each(|seed| targets::protocol(seed));
    check(targets::protocol, &all);
    check_messages(&all);
}
