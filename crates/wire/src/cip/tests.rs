//! Paths and packets, by hand after volume 1, appendix C, and.

use super::*;
use crate::Address;

fn check(path: &[u8], expected: (Option<&str>, Option<u16>)) {
    let address = Route::of(path, Cursor::new(NAME, path)).behind(Address::default());
    assert_eq!((address.path.as_deref(), address.slot), expected, "{path:02x?}");
}

#[test]
fn a_route_is_written_hop_by_hop() {
    check(&[], (None, None));
    check(&[0x20, 2, 0x24, 1], (None, None));
    check(&[1, 0], (Some("1/0"), Some(0)));
    check(&[1, 4, 0x20, 2, 0x24, 1], (Some("1/4"), Some(4)));
    check(&[2, 7], (Some("2/7"), None));
    check(b"\x01\x03\x12\x0810.0.0.7\x01\x05", (Some("1/3/2/10.0.0.7/1/5"), None));
    check(b"\x12\x0910.0.0.77\x00\x01\x05", (Some("2/10.0.0.77/1/5"), None));
    check(&[0x0f, 0x12, 0, 9], (Some("18/9"), None));
    check(b"\x12\x04\x1b[2J", (Some("2/1b5b324a"), None));
    check(&[0x34, 4, 1, 0, 12, 0, 58, 0, 4, 3, 1, 2], (Some("1/2"), Some(2)));
}

#[test]
fn a_route_that_cannot_be_read_to_its_end_is_never_a_shorter_one() {
    check(&[1, 0, 1], (Some("0x010001"), None));
    check(&[1, 0, 0xe0, 1, 2], (Some("0x0100e00102"), None));
    check(&[0x34, 9, 1, 0], (Some("0x34090100"), None));
    check(&[0x12, 200, b'1'], (Some("0x12c831"), None));
}

#[test]
fn parts_stay_within_their_packet() {
    let parts = |body: &[u8]| {
        let spans = Parts::read(body, Span { at: 0, end: body.len() });
        spans.map(|span| (span.at, span.end)).collect::<Vec<_>>()
    };
    assert_eq!(parts(&[2, 0, 6, 0, 8, 0, 1, 2, 3, 4]), [(6, 8), (8, 10)]);
    assert_eq!(parts(&[1, 0, 4, 0, 1, 2]), [(4, 6)]);
    assert_eq!(parts(&[2, 0, 8, 0, 6, 0, 1, 2]), []);
    assert_eq!(parts(&[2, 0, 6, 0, 200, 0, 1, 2]), []);
    assert_eq!(parts(&[255, 255, 4, 0]), []);
    assert_eq!(parts(&[]), []);
}
