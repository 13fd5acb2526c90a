use super::*;

/// Bytes from hex; spaces and line breaks are for the reader.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// Frames as (number, time, link, bytes, wire length) and what was malformed as (offset, who said so).
type Read = (Vec<(u64, u64, u32, Vec<u8>, u32)>, Vec<(usize, &'static str)>);

/// Reads a whole file that arrives in portions; every step must consume, and never more than is there.
fn read(file: &[u8], portion: usize) -> Read {
    let (mut decoder, mut frames, mut malformed) = (Decoder::new(), vec![], vec![]);
    let (mut at, mut there) = (0, 0);
    loop {
        let input = &file[at..there];
        let consumed = match decoder.next(input) {
            Step::Need(needed) => {
                assert!(needed > input.len());
                if there == file.len() {
                    break;
                }
                there = (there + portion).min(file.len());
                continue;
            }
            Step::Skip(consumed) => consumed,
            Step::Frame { frame, consumed } => {
                frames.push((frame.number, frame.time_ns, frame.link.0, frame.bytes.to_vec(), frame.wire_len));
                consumed
            }
            Step::Malformed { malformed: found, consumed, .. } => {
                malformed.push((found.offset, found.said_by));
                consumed
            }
        };
        assert!((1..=input.len()).contains(&consumed));
        at += consumed;
    }
    malformed.extend(decoder.cut_off(&file[at..]).map(|found| (found.offset, found.said_by)));
    (frames, malformed)
}

fn check(file: &str, frames: &[(u64, u64, u32, &str, u32)], malformed: &[(usize, &'static str)]) {
    let file = hex(file);
    let frames = frames.iter().map(|(number, time, link, bytes, wire)| (*number, *time, *link, hex(bytes), *wire)).collect();
    let expected = (frames, malformed.to_vec());
    assert_eq!(read(&file, file.len()), expected);
    assert_eq!(read(&file, 1), expected, "byte by byte");
}

const ENDS_INSIDE: &str = "the file ends inside a record";
/// Little-endian, microseconds, 2.4, Ethernet.
const PCAP: &str = "d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000";
/// Section header, little-endian, 1.0, no length.
const SECTION: &str = "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000";
/// Interface: Ethernet, no snap length, no options.
const INTERFACE: &str = "01000000 14000000 0100 0000 00000000 14000000";

#[test]
fn pcap_files_of_every_magic_are_read() {
    // 2 s + 3 units; 3 bytes captured of 64.
    let record = "02000000 03000000 03000000 40000000 aabbcc";
    check(&format!("{PCAP} {record}"), &[(1, 2_000_003_000, 1, "aabbcc", 64)], &[]);
    check(&format!("4d3cb2a1 {} {record}", &PCAP[8..]), &[(1, 2_000_000_003, 1, "aabbcc", 64)], &[]);
    // The upper half of the link type tells of a frame check sequence.
    check(&format!("{} 01000054 {record}", &PCAP[..46]), &[(1, 2_000_003_000, 1, "aabbcc", 64)], &[]);
    check(
        "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000071 00000002 00000003 00000001 00000001 ee",
        &[(1, 2_000_003_000, 113, "ee", 1)],
        &[],
    );
    check(
        "a1b23c4d 0002 0004 00000000 00000000 00040000 00000065 00000002 00000003 00000001 00000001 ee",
        &[(1, 2_000_000_003, 101, "ee", 1)],
        &[],
    );
    check(
        &format!("34cdb2a1 {} 02000000 03000000 02000000 02000000 01000000 0008 00 00 aabb", &PCAP[8..]),
        &[(1, 2_000_003_000, 1, "aabb", 2)],
        &[],
    );
    // Version 2.2 with the two lengths swapped.
    check("d4c3b2a1 0200 0200 00000000 00000000 00000400 01000000 00000000 00000000 40000000 01000000 aa", &[(1, 0, 1, "aa", 64)], &[]);
}

#[test]
fn a_pcap_record_of_an_impossible_length_ends_the_file_and_says_where() {
    let record = "00000000 00000000 01000000 01000000 aa";
    let said = "incl_len is more than 262144 bytes";
    check(&format!("{PCAP} {record} 00000000 00000000 01000400 01000400 bbbbbb"), &[(1, 0, 1, "aa", 1)], &[(24 + 17 + 8, said)]);
}

#[test]
fn what_is_no_capture_is_said() {
    check("", &[], &[(0, ENDS_INSIDE)]);
    check("d4c3", &[], &[(0, ENDS_INSIDE)]);
    check("1f8b0800 0000", &[], &[(0, "a gzip file: unpack it first")]);
    check("504b0304 0000", &[], &[(0, "neither the magic of pcap nor that of pcapng")]);
}

#[test]
fn pcapng_packets_of_every_kind_are_read() {
    // Enhanced, interface 0, 2^32 + 1 us, 3 bytes of 64, padded to 4.
    let enhanced = "06000000 24000000 00000000 01000000 01000000 03000000 40000000 aabbcc00 24000000";
    let enhanced_ns = ((1 << 32) + 1) * 1_000;
    check(&format!("{SECTION} {INTERFACE} {enhanced}"), &[(1, enhanced_ns, 1, "aabbcc", 64)], &[]);
    // Simple: the time of the packet before it. Obsolete: interface and drops are 16 bits each.
    let simple = "03000000 14000000 02000000 ddee0000 14000000";
    let obsolete = "02000000 24000000 0000 ffff 00000000 05000000 01000000 01000000 ff000000 24000000";
    let frames = [(1, enhanced_ns, 1, "aabbcc", 64), (2, enhanced_ns, 1, "ddee", 2), (3, 5_000, 1, "ff", 1)];
    check(&format!("{SECTION} {INTERFACE} {enhanced} {simple} {obsolete}"), &frames, &[]);
    // A simple packet is as long as the interface's snap length allows.
    let snap = "01000000 14000000 0100 0000 02000000 14000000";
    check(&format!("{SECTION} {snap} 03000000 14000000 50000000 ddee0000 14000000"), &[(1, 0, 1, "ddee", 80)], &[]);
    // Big-endian, after a little-endian section whose interfaces are forgotten.
    let big = "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c 00000001 00000014 0065 0000 00000000 00000014
               00000006 00000024 00000000 00000000 00000001 00000001 00000001 ee000000 00000024";
    check(&format!("{SECTION} {INTERFACE} {big}"), &[(1, 1_000, 101, "ee", 1)], &[]);
}

#[test]
fn pcapng_time_units_and_offsets_become_nanoseconds() {
    let file = |options: &str, length: &str, high: &str, low: &str| {
        format!(
            "{SECTION} 01000000 {length} 0100 0000 00000000 {options} 00000000 {length}
             06000000 24000000 00000000 {high} {low} 01000000 01000000 aa000000 24000000"
        )
    };
    for (option, high, low, time_ns) in [
        ("0900 0100 09000000", "00000000", "07000000", 7),
        ("0900 0100 00000000", "00000000", "07000000", 7_000_000_000),
        ("0900 0100 0c000000", "00000000", "d0070000", 2),
        // 2^-10 s: 1536 ticks are 1.5 s.
        ("0900 0100 8a000000", "00000000", "00060000", 1_500_000_000),
        // Out of every range, and still no panic: 10^-127 s, 2^-127 s, and a time beyond 64 bits.
        ("0900 0100 7f000000", "ffffffff", "ffffffff", 1),
        ("0900 0100 ff000000", "ffffffff", "ffffffff", 0),
        ("0900 0100 00000000", "ffffffff", "ffffffff", u64::MAX),
    ] {
        check(&file(option, "20000000", high, low), &[(1, time_ns, 1, "aa", 1)], &[]);
    }
    // An offset of 10 s, and of -10 s, which is before 1970.
    check(&file("0e00 0800 0a00000000000000", "24000000", "00000000", "01000000"), &[(1, 10_000_001_000, 1, "aa", 1)], &[]);
    check(&file("0e00 0800 f6ffffffffffffff", "24000000", "00000000", "01000000"), &[(1, 0, 1, "aa", 1)], &[]);
}

#[test]
fn unknown_pcapng_blocks_are_skipped_and_broken_ones_are_findings() {
    let simple = "03000000 14000000 02000000 ddee0000 14000000";
    let frame = (1, 0, 1, "ddee", 2);
    check(&format!("{SECTION} {INTERFACE} ad0b0000 10000000 12345678 10000000 {simple}"), &[frame], &[]);
    check(&format!("{SECTION} {INTERFACE} ad0b0000 0c000000 0c000000 {simple}"), &[frame], &[]);
    let trailer = "the block's second total length differs from its first";
    check(&format!("{SECTION} {INTERFACE} ad0b0000 10000000 12345678 14000000 {simple}"), &[frame], &[(28 + 20 + 12, trailer)]);
    // The packet in a block whose trailer is wrong is read all the same.
    let wrong = "03000000 14000000 02000000 ddee0000 00000000";
    check(&format!("{SECTION} {INTERFACE} {wrong}"), &[frame], &[(28 + 20 + 16, trailer)]);
    for (length, said_by) in [
        ("00000000", "a block's total length is less than 12 bytes"),
        ("08000000", "a block's total length is less than 12 bytes"),
        ("0e000000", "a block's total length is no multiple of 4"),
        ("00000001", "a block's total length is 16 MiB or more"),
        ("fcffffff", "a block's total length is 16 MiB or more"),
    ] {
        check(&format!("{SECTION} {INTERFACE} ad0b0000 {length} 12345678 12345678 {simple}"), &[], &[(28 + 20 + 4, said_by)]);
    }
    check(&format!("{SECTION} {simple}"), &[], &[(28 + 8, "a packet of an interface that no block described")]);
    // A captured length that the block does not hold.
    let long = "06000000 24000000 00000000 00000000 00000000 05000000 05000000 aabbcc00 24000000";
    check(&format!("{SECTION} {INTERFACE} {long} {simple}"), &[frame], &[(28 + 20 + 8 + 20, "captured length of a packet block")]);
    check("0a0d0d0a 1c000000 00000000 0100 0000 ffffffffffffffff 1c000000", &[], &[(8, "no byte-order magic in a section header")]);
}

#[test]
fn interfaces_are_capped() {
    let (section, interface) = (hex(SECTION), hex(INTERFACE));
    let mut file = section;
    for _ in 0..4_098 {
        file.extend(&interface);
    }
    let (frames, malformed) = read(&file, 4096);
    assert_eq!((frames.len(), malformed.len()), (0, 2));
    assert_eq!(malformed[0], (28 + 4_096 * 20 + 8, "more than 4096 interfaces in a section"));
}

#[test]
fn a_file_cut_at_any_byte_gives_its_first_frames_and_one_finding() {
    let pcap = format!("{PCAP} 01000000 00000000 03000000 03000000 aabbcc 02000000 00000000 01000000 01000000 dd");
    let pcapng = format!("{SECTION} {INTERFACE} 03000000 14000000 02000000 ddee0000 14000000 ad0b0000 14000000 0000000000000000 14000000");
    // Where a record ends: there a cut cannot be seen.
    for (file, ends) in [(pcap, vec![24, 43, 60]), (pcapng, vec![28, 48, 68, 88])] {
        let file = hex(&file);
        let (whole, none) = read(&file, file.len());
        assert_eq!((none.len(), ends.last()), (0, Some(&file.len())));
        for cut in 0..file.len() {
            let (frames, malformed) = read(&file[..cut], 5);
            assert!(whole.starts_with(&frames), "cut at {cut}");
            let said: Vec<_> = malformed.iter().map(|(_, said_by)| *said_by).collect();
            assert_eq!(said, if ends.contains(&cut) { vec![] } else { vec![ENDS_INSIDE] }, "cut at {cut}");
        }
    }
}
