//! The fuzz targets on a stable toolchain: 100,000 damaged inputs each, from real captures and from answers written by hand. What
//! takes hours runs as `cargo xtask soak --fuzz`.

#[path = "../../fuzz/targets.rs"]
mod targets;

use std::fs;

use nameplate_tests::place::{needed, shared};

/// Damaged inputs per target and test.
const INPUTS: u64 = 100_000;
/// Seeds are cut to so many bytes: damage in the first frames is what finds something.
const SEED_BYTES_MAX: usize = 2_048;

/// An identification answer and a server id, one stream; MODBUS V1.1b3, 6.21 and 6.13.
const ANSWERS: &[u8] = b"\x00\x01\x00\x00\x00\x1a\xff\x2b\x0e\x01\x01\x00\x00\x03\x00\x03ABC\x01\x05XY-12\x02\x04V2.1\
    \x00\x02\x00\x00\x00\x08\x0a\x11\x05\x00\xffABC";
/// One segment of the `tcp` target: control, distance (2), length, payload.
const SEGMENTS: &[u8] = b"\x00\x00\x00\x0b\x00\x07\x00\x00\x00\x05\x01\x2b\x0e\x01\x00\x01\x00\x00\x19\x00\x07\x00\x00\x00\x13\x01\x2b\x0e\x01\x01\x00\x00\x02\x00\x03ABC\x02\x04V2.1";

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

fn check(target: fn(&[u8]), seeds: &[Vec<u8>]) {
    let mut random = Random(1);
    for _ in 0..INPUTS {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(8) {
            let at = random.below(input.len());
            match random.below(5) {
                0 => input.truncate(at),
                1 => input.insert(at.min(input.len()), random.below(256) as u8),
                2 if at < input.len() => drop(input.remove(at)),
                3 if at < input.len() => input[at] = [0, 0xff, 0x7f, 0x80, 1][random.below(5)],
                _ if at < input.len() => input[at] ^= 1 << random.below(8),
                _ => {}
            }
        }
        target(&input);
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
fn damaged_answers_are_read_or_named_and_a_prefix_says_nothing_else() {
    check(targets::modbus, &[ANSWERS.to_vec()]);
}

#[test]
fn damaged_segments_are_put_together_or_given_up() {
    check(targets::tcp, &[SEGMENTS.to_vec()]);
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
