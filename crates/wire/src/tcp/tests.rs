use super::*;

/// What a stream handed on: bytes as text, gaps as their length, conflicts.
#[derive(Debug, PartialEq, Eq)]
enum Out {
    Text(String, u64),
    Gap(usize),
    Conflict,
}

fn segment(seq: u32, payload: &[u8], missing: usize) -> Segment<'_> {
    Segment { src_port: 502, dst_port: 40_000, seq, ack: None, syn: false, fin: false, rst: false, payload, missing }
}

fn note(out: &mut Vec<Out>) -> impl FnMut(Piece<'_>) + '_ {
    |piece| {
        out.push(match piece {
            Piece::Bytes(bytes, at) => Out::Text(String::from_utf8_lossy(bytes).into_owned(), at.frame),
            Piece::Gap(bytes) => Out::Gap(bytes),
            Piece::Conflict => Out::Conflict,
        });
    }
}

/// One step of a table: a segment at a place in the stream with bytes that the capture cut off, or an acknowledgement up to a place.
enum Step {
    Send(i32, &'static str, usize),
    Ack(i32),
}
use Step::{Ack, Send};

/// Runs the steps (frames are numbered from 1) on a stream that was opened by a SYN, and flushes it; once at ordinary sequence
/// numbers and once where they wrap inside the stream.
fn check(steps: &[Step], expected: &[(&str, u64)]) {
    for start in [1_000_u32, u32::MAX - 2, u32::MAX, i32::MAX as u32 - 2] {
        let (mut stream, mut total, mut out) = (Stream::default(), 0, vec![]);
        assert!(stream.open(start.wrapping_sub(1)));
        for (step, frame) in steps.iter().zip(1..) {
            let at = At { frame, time_ns: 0 };
            match step {
                Send(place, text, missing) => {
                    let segment = segment(start.wrapping_add_signed(*place), text.as_bytes(), *missing);
                    stream.push(&segment, at, &mut total, &mut note(&mut out));
                }
                Ack(place) => {
                    if stream.acked(start.wrapping_add_signed(*place)) {
                        stream.settle(&mut total, &mut note(&mut out));
                    }
                }
            }
        }
        stream.flush(&mut total, &mut note(&mut out));
        let expected: Vec<Out> = expected
            .iter()
            .map(|(text, frame)| match (*text, *frame) {
                ("gap", bytes) => Out::Gap(bytes as usize),
                ("conflict", _) => Out::Conflict,
                (text, frame) => Out::Text(text.to_owned(), frame),
            })
            .collect();
        assert_eq!(out, expected, "from {start}");
        assert_eq!((total, stream.held_bytes, stream.held.len()), (0, 0, 0));
    }
}

#[test]
fn segments_in_order_pass_as_they_are() {
    check(&[Send(0, "abc", 0), Send(3, "de", 0), Ack(5), Send(5, "f", 0)], &[("abc", 1), ("de", 2), ("f", 4)]);
}

#[test]
fn segments_out_of_order_wait_for_the_hole() {
    check(&[Send(3, "def", 0), Send(0, "abc", 0)], &[("abc", 2), ("def", 1)]);
    check(&[Send(6, "gh", 0), Send(3, "def", 0), Send(0, "abc", 0)], &[("abc", 3), ("def", 2), ("gh", 1)]);
    check(&[Send(2, "c", 0), Send(4, "e", 0), Send(0, "abcdef", 0)], &[("ab", 3), ("c", 1), ("d", 3), ("e", 2), ("f", 3)]);
}

#[test]
fn what_came_before_is_not_handed_on_again() {
    check(&[Send(0, "abc", 0), Send(0, "abc", 0), Send(3, "d", 0)], &[("abc", 1), ("d", 3)]);
    // Partly new, wholly old, and a keep-alive probe one byte behind.
    check(&[Send(0, "abc", 0), Send(1, "bcde", 0), Send(1, "b", 0), Send(4, "?", 0), Send(5, "f", 0)], &[("abc", 1), ("de", 2), ("f", 5)]);
    check(&[Send(3, "def", 0), Send(3, "def", 0), Send(0, "abc", 0)], &[("abc", 3), ("def", 1)]);
}

#[test]
fn of_two_versions_the_first_counts_and_the_second_is_a_finding() {
    check(&[Send(3, "def", 0), Send(0, "abcXe", 0)], &[("conflict", 0), ("abc", 2), ("def", 1)]);
    check(&[Send(2, "cd", 0), Send(1, "bXYe", 0), Send(0, "a", 0)], &[("conflict", 0), ("a", 3), ("b", 2), ("cd", 1), ("e", 2)]);
    // What was handed on is not kept, so nothing can be compared with it.
    check(&[Send(0, "abc", 0), Send(0, "XYZd", 0)], &[("abc", 1), ("d", 2)]);
}

#[test]
fn a_hole_that_is_never_filled_is_a_gap() {
    check(&[Send(0, "ab", 0), Send(4, "ef", 0)], &[("ab", 1), ("gap", 2), ("ef", 2)]);
    check(&[Send(2, "cd", 0), Send(6, "gh", 0)], &[("gap", 2), ("cd", 1), ("gap", 2), ("gh", 2)]);
}

#[test]
fn a_hole_that_the_other_side_does_not_see_is_a_gap_at_once() {
    check(&[Send(0, "ab", 0), Send(4, "ef", 0), Ack(4), Send(2, "cd", 0)], &[("ab", 1), ("gap", 2), ("ef", 2)]);
    check(&[Send(0, "ab", 0), Ack(4), Send(4, "ef", 0), Send(6, "g", 0)], &[("ab", 1), ("gap", 2), ("ef", 3), ("g", 4)]);
    // It sees the first hole only; and a mad acknowledgement says nothing.
    check(&[Send(2, "c", 0), Send(5, "f", 0), Ack(3), Send(3, "de", 0)], &[("gap", 2), ("c", 1), ("de", 4), ("f", 2)]);
    check(&[Send(2, "c", 0), Ack(i32::MAX), Send(0, "ab", 0)], &[("ab", 3), ("c", 1)]);
}

#[test]
fn what_the_capture_cut_off_is_a_gap() {
    check(&[Send(0, "ab", 3), Send(5, "fg", 0)], &[("ab", 1), ("gap", 3), ("fg", 2)]);
    check(&[Send(0, "", 3), Send(3, "d", 0)], &[("gap", 3), ("d", 2)]);
    // The same segment again, as short or whole: what was given up stays given up.
    check(&[Send(0, "ab", 3), Send(0, "ab", 3), Send(0, "abcde", 0), Send(5, "f", 0)], &[("ab", 1), ("gap", 3), ("f", 4)]);
    // Held ones: the cut-off end is a hole like any other, until the stream has come to it.
    check(&[Send(5, "f", 0), Send(0, "ab", 3), Send(6, "g", 0)], &[("ab", 2), ("gap", 3), ("f", 1), ("g", 3)]);
    check(&[Send(2, "c", 2), Send(0, "ab", 0), Send(5, "f", 0)], &[("ab", 2), ("c", 1), ("gap", 2), ("f", 3)]);
}

#[test]
fn a_far_jump_begins_anew() {
    check(&[Send(0, "ab", 0), Send(50_000_000, "xy", 0), Send(50_000_002, "z", 0)], &[("ab", 1), ("gap", 0), ("xy", 2), ("z", 3)]);
    check(&[Send(0, "ab", 0), Send(4, "ef", 0), Send(-50_000_000, "xy", 0)], &[("ab", 1), ("gap", 2), ("ef", 2), ("gap", 0), ("xy", 3)]);
}

#[test]
fn a_stream_heard_from_its_middle_starts_with_its_first_segment() {
    let (mut stream, mut total, mut out) = (Stream::default(), 0, vec![]);
    for (frame, seq, payload) in [(1, 76, "?"), (2, 77, "ab"), (3, 79, "cd")] {
        stream.push(&segment(seq, payload.as_bytes(), 0), At { frame, time_ns: 0 }, &mut total, &mut note(&mut out));
    }
    // The single byte may have been a keep-alive probe.
    assert_eq!(out, [Out::Text("ab".into(), 2), Out::Text("cd".into(), 3)]);
    assert!(!stream.open(5_000), "a SYN of another connection");
    // The other side told what comes next, so that a hole before the first segment shows.
    let (mut stream, mut out) = (Stream::default(), vec![]);
    assert!(!stream.acked(100), "nothing is held");
    stream.push(&segment(102, b"cd", 0), At { frame: 1, time_ns: 0 }, &mut total, &mut note(&mut out));
    stream.push(&segment(100, b"ab", 0), At { frame: 2, time_ns: 0 }, &mut total, &mut note(&mut out));
    assert_eq!(out, [Out::Text("ab".into(), 2), Out::Text("cd".into(), 1)]);
    assert!(Stream::default().open(5_000));
}

#[test]
fn holding_is_capped_in_bytes_in_pieces_and_in_all() {
    let block = [7; 1_000];
    // Held blocks leave a hole of one byte before each; `step` is their distance.
    for (length, count, total_before, most_bytes) in [
        (1_000, 200, 0, HELD_BYTES_MAX),
        (1, 5_000, 0, HELD_PIECES_MAX),
        (1_000, 200, HELD_BYTES_TOTAL_MAX - 5_000, 5_000),
        (1_000, 20, HELD_BYTES_TOTAL_MAX, 0),
    ] {
        let (mut stream, mut total, mut bytes, mut gaps) = (Stream::default(), total_before, 0, 0);
        stream.open(u32::MAX);
        let mut seq = 1;
        for _ in 0..count {
            let mut out = |piece: Piece<'_>| match piece {
                Piece::Bytes(there, _) => bytes += there.len(),
                Piece::Gap(hole) => gaps += hole,
                Piece::Conflict => panic!("nothing overlaps"),
            };
            stream.push(&segment(seq, &block[..length], 0), At::default(), &mut total, &mut out);
            seq += length as u32 + 1;
            assert!(stream.held_bytes <= most_bytes && stream.held.len() <= HELD_PIECES_MAX, "{}", stream.held_bytes);
            assert_eq!(total, total_before + stream.held_bytes);
        }
        stream.flush(&mut total, &mut |piece| match piece {
            Piece::Bytes(there, _) => bytes += there.len(),
            Piece::Gap(hole) => gaps += hole,
            Piece::Conflict => panic!("nothing overlaps"),
        });
        assert_eq!((bytes, gaps, total), (length * count, count, total_before), "{length} x {count}");
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): any seed does, and a failing one can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// Any segmentation, order, repetition, loss and cut of a stream yields it: each byte at its place, once, or as part of a gap.
#[test]
fn any_shuffle_of_a_stream_gives_the_stream_or_a_gap() {
    for seed in 0..4_000 {
        let mut random = Random(seed);
        let sent: Vec<u8> = (0..1 + random.below(3_000)).map(|_| random.below(256) as u8).collect();
        let mut order: Vec<(usize, usize, usize)> = vec![];
        let mut at = 0;
        while at < sent.len() {
            let length = (1 + random.below(120)).min(sent.len() - at);
            let cut = if seed % 3 == 0 && random.below(8) == 0 { random.below(length + 1) } else { 0 };
            order.push((at, length - cut, cut));
            at += length;
        }
        // Repetitions that begin and end elsewhere; then neighbours and far ones change places; then some get lost.
        for _ in 0..random.below(10) {
            let at = random.below(sent.len());
            let place = random.below(order.len() + 1);
            order.insert(place, (at, (1 + random.below(300)).min(sent.len() - at), 0));
        }
        for _ in 0..random.below(order.len() + 1) {
            let a = random.below(order.len());
            let b = (a + 1 + random.below(1 + seed as usize % 20)).min(order.len() - 1);
            order.swap(a, b);
        }
        let lossless = seed % 2 == 1 && seed % 3 != 0;
        if !lossless {
            order.retain(|_| random.below(20) != 0);
        }
        let start = u32::MAX - random.below(3_500) as u32;
        let (mut stream, mut total, mut place, mut gaps) = (Stream::default(), 0, 0, 0);
        stream.open(start.wrapping_sub(1));
        let mut out = |piece: Piece<'_>| match piece {
            Piece::Bytes(bytes, _) => {
                assert_eq!(Some(bytes), sent.get(place..place + bytes.len()), "seed {seed} at {place}");
                place += bytes.len();
            }
            Piece::Gap(bytes) => (place, gaps) = (place + bytes, gaps + bytes),
            Piece::Conflict => panic!("seed {seed}: all versions agree"),
        };
        for (at, length, missing) in order {
            let segment = segment(start.wrapping_add(at as u32), &sent[at..at + length], missing);
            stream.push(&segment, At::default(), &mut total, &mut out);
        }
        stream.flush(&mut total, &mut out);
        assert!(place <= sent.len() && total == 0, "seed {seed}");
        assert!(!lossless || (gaps == 0 && place == sent.len()), "seed {seed}: {gaps} bytes lost of a whole stream");
    }
}

#[test]
fn a_segment_is_read_or_says_what_is_wrong() {
    let header = |offset: u8, flags: u8| {
        let mut bytes = vec![0x01, 0xf6, 0x9c, 0x40, 0, 0, 0, 5, 0, 0, 0, 9, offset << 4, flags, 0xff, 0xff, 0, 0, 0, 0];
        bytes.extend([1, 1, 1, 1, 0xaa, 0xbb]);
        bytes
    };
    let bytes = header(6, 0x12);
    let read = Segment::read(&bytes, 3);
    let whole = Segment {
        src_port: 502,
        dst_port: 40_000,
        seq: 5,
        ack: Some(9),
        syn: true,
        fin: false,
        rst: false,
        payload: &[0xaa, 0xbb],
        missing: 3,
    };
    assert_eq!(read, Ok(whole));
    for end in 0..bytes.len() {
        match Segment::read(&bytes[..end], 3 + bytes.len() - end) {
            Ok(cut) => {
                assert!(end >= 20 && whole.payload.starts_with(cut.payload));
                assert_eq!(Segment { payload: whole.payload, missing: 3, ..cut }, whole);
                assert_eq!(cut.payload.len() + cut.missing, 5);
            }
            Err(malformed) => assert_eq!((end < 20, malformed.needed, malformed.had), (true, 20, end)),
        }
    }
    assert_eq!(Segment::read(&header(4, 0), 0), Err(Malformed::wrong("tcp", 12, "data offset is at least 5 words (RFC 9293, 3.1)")));
    assert_eq!(Segment::read(&header(7, 0), 0), Err(Malformed::short("tcp", 0, 28, 26, "data offset (RFC 9293, 3.1)")));
}
