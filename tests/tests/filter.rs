//! What the kernel is told to let through is never less than what is listened to: every frame of the captures, whole, cut and with its tag
//! taken off, before filters that are made of their own addresses, ports and VLANs. A machine of classic BPF stands here, written from the
//! manual (Linux, Documentation/networking/filter.rst); the kernel itself judges in tests/live.rs.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use nameplate_field::capture::{Capture, Item};
use nameplate_tests::personas::Draw;
use nameplate_tests::place::{self, needed};
use nameplate_wire::capture::{Frame, LinkType};
use nameplate_wire::filter::kernel::{Instruction, VLAN_TAG, VLAN_TAG_PRESENT, compile};
use nameplate_wire::filter::{Filter, Net};
use nameplate_wire::link::{self, Payload};
use nameplate_wire::{ip, udp};

/// Filters for each capture.
const FILTERS: usize = 12;
/// Frames of each capture: from its start.
const CAPTURE_FRAMES_MAX: usize = 2_000;
const SEED: u64 = 0x0F11_7E20;

/// Runs a program over a frame as the kernel shows it: true where it is let through. Reading behind the frame ends with a refusal.
fn runs(program: &[Instruction], bytes: &[u8], tag: Option<u16>) -> bool {
    let (mut a, mut x, mut at) = (0u32, 0u32, 0usize);
    let half = |at: u32| {
        let at = usize::try_from(at).ok()?;
        Some(u32::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)))
    };
    loop {
        let Instruction { code, jump_true, jump_false, operand } = program[at];
        at += 1;
        let mut test = |held: bool| at += usize::from(if held { jump_true } else { jump_false });
        let read = match code {
            0x20 => bytes.get(operand as usize..).and_then(|rest| rest.first_chunk()).map(|word| u32::from_be_bytes(*word)),
            0x28 if operand == VLAN_TAG => Some(u32::from(tag.unwrap_or_default())),
            0x28 => half(operand),
            0x30 if operand == VLAN_TAG_PRESENT => Some(u32::from(tag.is_some())),
            0x30 => bytes.get(operand as usize).map(|byte| u32::from(*byte)),
            0x48 => half(operand + x),
            0x80 => Some(bytes.len() as u32),
            0x54 => Some(a & operand),
            0x1c => Some(a.wrapping_sub(x)),
            0xb1 => match bytes.get(operand as usize) {
                Some(byte) => {
                    x = u32::from(byte & 0x0f) * 4;
                    continue;
                }
                None => None,
            },
            0x05 => {
                at += operand as usize;
                continue;
            }
            0x15 => {
                test(a == operand);
                continue;
            }
            0x35 => {
                test(a >= operand);
                continue;
            }
            0x45 => {
                test(a & operand != 0);
                continue;
            }
            0x06 => return operand > 0,
            other => panic!("no such instruction: {other:#x}"),
        };
        match read {
            Some(read) => a = read,
            None => return false,
        }
    }
}

/// What the kernel checks before it takes a program: every jump lands inside, and the last instruction returns.
fn is_sound(program: &[Instruction]) -> bool {
    let lands = |(at, step): (usize, &Instruction)| match step.code {
        0x05 => at + 1 + (step.operand as usize) < program.len(),
        0x15 | 0x35 | 0x45 => at + 1 + usize::from(step.jump_true.max(step.jump_false)) < program.len(),
        _ => true,
    };
    program.iter().enumerate().all(lands) && program.last().is_some_and(|last| last.code == 0x06)
}

/// What filters can be made of.
#[derive(Default)]
struct Seen {
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
    vlans: Vec<u16>,
}

fn frames(file: &Path) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let Ok(capture) = Capture::open(file) else { return frames };
    let read = capture.read(&mut |item| {
        if let Item::Frame(Frame { link: LinkType::ETHERNET, bytes, .. }) = item
            && frames.len() < CAPTURE_FRAMES_MAX
        {
            frames.push(bytes.to_vec());
        }
    });
    assert!(read.is_ok(), "{}: {read:?}", file.display());
    frames
}

fn seen(frames: &[Vec<u8>]) -> Seen {
    let mut seen = Seen::default();
    for bytes in frames {
        let Ok(peeled) = link::ethernet(bytes) else { continue };
        seen.vlans.extend(peeled.vlan);
        let packet = match peeled.payload {
            Payload::Ipv4(bytes) => ip::ipv4(bytes, 0),
            Payload::Ipv6(bytes) => ip::ipv6(bytes, 0),
            _ => continue,
        };
        let Ok(packet) = packet else { continue };
        seen.addresses.extend([packet.ends.src(), packet.ends.dst()]);
        // TCP begins with its ports, too.
        seen.ports
            .extend(udp::Datagram::read(packet.payload, 0).map(|datagram| [datagram.src_port, datagram.dst_port]).unwrap_or_default());
    }
    seen
}

/// A filter of what was seen: one or two kinds, one to three of each.
fn filter(draw: &mut Draw, seen: &Seen) -> Filter {
    let mut filter = Filter::default();
    for _ in 0..=draw.below(2) {
        let (kind, count) = (draw.below(4), 1 + draw.below(3));
        for _ in 0..count {
            let address = (!seen.addresses.is_empty()).then(|| seen.addresses[draw.below(seen.addresses.len())]);
            match (kind, address) {
                (0, Some(address)) => filter.hosts.push(address),
                (1, Some(address)) => {
                    let bits = if address.is_ipv4() { 33 } else { 129 };
                    filter.nets.push(Net { address, prefix_bits: u8::try_from(draw.below(bits)).expect("few") });
                }
                (2, _) if !seen.ports.is_empty() => filter.ports.push(seen.ports[draw.below(seen.ports.len())]),
                (3, _) if !seen.vlans.is_empty() => filter.vlans.push(seen.vlans[draw.below(seen.vlans.len())]),
                _ => filter.vlans.push(7),
            }
        }
    }
    filter
}

/// A frame as the kernel shows it to a program: a tag that stands first in it is taken off.
fn shown(bytes: &[u8]) -> (Vec<u8>, Option<u16>) {
    match bytes.get(12..16) {
        Some(&[0x81, 0x00, t0, t1] | &[0x88, 0xa8, t0, t1]) => ([&bytes[..12], &bytes[16..]].concat(), Some(u16::from_be_bytes([t0, t1]))),
        _ => (bytes.to_vec(), None),
    }
}

#[test]
fn the_kernel_never_refuses_what_is_listened_to() {
    let Some(shared) = needed("the_kernel_never_refuses_what_is_listened_to", place::shared()) else { return };
    let manifest = std::fs::read_to_string(shared.join("captures/MANIFEST.tsv")).expect("the manifest");
    let files: Vec<PathBuf> =
        manifest.lines().skip(1).filter_map(|row| row.split('\t').next()).map(|name| shared.join("captures").join(name)).collect();
    let mut draw = Draw(SEED);
    let mut counts: BTreeMap<(bool, bool), u64> = BTreeMap::new();
    for file in files {
        let frames = frames(&file);
        let seen = seen(&frames);
        for _ in 0..FILTERS {
            let filter = filter(&mut draw, &seen);
            let program = compile(&filter).expect("a short filter");
            assert!(is_sound(&program), "{filter:?}");
            for bytes in &frames {
                let cut = &bytes[..bytes.len().min(draw.below(120))];
                for (bytes, whole) in [(&bytes[..], true), (cut, false)] {
                    let frame = Frame { number: 1, time_ns: 0, link: LinkType::ETHERNET, bytes, wire_len: bytes.len() as u32 };
                    let (exact, (lifted, tag)) = (filter.passes(&frame), shown(bytes));
                    let kernel = runs(&program, &lifted, tag);
                    assert!(kernel || !exact, "{}: {filter:?} loses {bytes:02x?}", file.display());
                    assert!(runs(&program, bytes, None) || !exact, "{filter:?} loses {bytes:02x?} with its tag");
                    let tcp = whole && lifted.get(12..14) == Some(&[8, 0]) && lifted.get(23) == Some(&ip::PROTOCOL_TCP);
                    *counts.entry((exact, kernel)).or_default() += u64::from(tcp);
                }
            }
        }
    }
    let count = |exact, kernel| counts.get(&(exact, kernel)).copied().unwrap_or_default();
    let (passed, refused, passed_too) = (count(true, true), count(false, false), count(false, true));
    println!("of the frames of TCP over IPv4 {passed} are listened to; the kernel refuses {refused} and lets {passed_too} through");
    // It would be of no use if it let all through: here it knows as much as the filter itself.
    assert!(passed > 100_000 && refused > 100_000 && passed_too < refused / 1_000);
}
