//! What follows a head: how long it is, and the title of a page.

use core::ops::Range;

use crate::head::Head;

/// A body, as far as it was not passed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes are left (RFC 9112, 6.2).
    Sized(u64),
    /// Chunks, each behind its length (RFC 9112, 7.1).
    Chunked(Chunks),
    /// All that comes (RFC 9112, 6.3, case 8), or a tunnel.
    UntilClose,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    place: Place,
    /// The number in the line so far, then what is left of the chunk with its line end.
    left: u64,
    past_first: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In the digits of a length.
    #[default]
    Length,
    /// Behind them.
    Extension,
    Chunk,
    /// In a field behind the last chunk; true while its line is empty.
    Trailer(bool),
}

/// What ends a title.
pub(super) const TITLE_END: &[u8] = b"</title";
/// Text of importance (HTML, 4.5.3), in which some devices write what they are.
const STRONG_START: &[u8] = b"<strong";
pub(super) const STRONG_END: &[u8] = b"</strong>";
const TITLE_START: &[u8] = b"<title";

/// What follows an answer's head (RFC 9112, 6.3). `asked` says whether the request lets it have a body, where that was heard. RTSP has
/// no body where no length is given (RFC 2326, 4.4).
pub(super) fn of_answer(head: &Head<'_>, asked: Option<bool>, rtsp: bool) -> Option<Body> {
    let status: &[u8] = head.line().and_then(|line| line.get(9..12)).unwrap_or_default();
    match (status, asked) {
        // The stream is in another protocol from here on.
        (b"101", _) => Some(Body::UntilClose),
        ([b'1', ..] | b"204" | b"304", _) | (_, Some(false)) => None,
        _ => sized(head).or(Some(Body::UntilClose).filter(|_| !rtsp)).filter(|body| *body != Body::Sized(0)),
    }
}

/// What follows a request's head.
pub(super) fn of_request(head: &Head<'_>) -> Option<Body> {
    sized(head).filter(|body| *body != Body::Sized(0))
}

fn sized(head: &Head<'_>) -> Option<Body> {
    if head.value("transfer-encoding").is_some_and(|coding| coding.to_ascii_lowercase().ends_with(b"chunked")) {
        return Some(Body::Chunked(Chunks::default()));
    }
    let digits = head.value("content-length")?;
    let length = core::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    // A length that is none: nobody knows where the next head is.
    Some(length.map_or(Body::UntilClose, Body::Sized))
}

impl Body {
    /// Passes over the body's part of `bytes`: how many those are, and whether the body ends there.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        match self {
            Self::UntilClose => (bytes.len(), false),
            Self::Sized(left) => {
                let used = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= used as u64;
                (used, *left == 0)
            }
            Self::Chunked(chunks) => chunks.take(bytes),
        }
    }

    /// True when the bytes taken so far are more than one chunk's.
    pub(super) const fn is_past_first_chunk(&self) -> bool {
        matches!(self, Self::Chunked(Chunks { past_first: true, .. }))
    }
}

impl Chunks {
    /// Stops behind each chunk, so that nothing of two chunks is taken at once.
    fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.place == Place::Chunk {
                let used = (bytes.len() - at).min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= used as u64;
                at += used;
                if self.left == 0 {
                    (self.place, self.past_first) = (Place::Length, true);
                    return (at, false);
                }
                continue;
            }
            at += 1;
            match (self.place, byte) {
                (Place::Length, digit) if digit.is_ascii_hexdigit() => {
                    let digit = char::from(*digit).to_digit(16).unwrap_or(0);
                    self.left = self.left.saturating_mul(16).saturating_add(u64::from(digit));
                }
                (Place::Length | Place::Extension, b'\n') if self.left == 0 => self.place = Place::Trailer(true),
                (Place::Length | Place::Extension, b'\n') => {
                    // The line end behind the chunk belongs to it.
                    (self.place, self.left) = (Place::Chunk, self.left.saturating_add(2));
                }
                (Place::Length, _) => self.place = Place::Extension,
                (Place::Trailer(true), b'\n') => return (at, true),
                (Place::Trailer(false), b'\n') => self.place = Place::Trailer(true),
                (Place::Trailer(_), b'\r') | (Place::Extension | Place::Chunk, _) => {}
                (Place::Trailer(_), _) => self.place = Place::Trailer(false),
            }
        }
        (at, false)
    }
}

/// Where the text of a page's title stands, if its end is there.
pub(super) fn title(bytes: &[u8], page: usize) -> Option<Range<usize>> {
    element(bytes, page, TITLE_START, TITLE_END)
}

/// The same of the first text that the page calls strong.
pub(super) fn strong(bytes: &[u8], page: usize) -> Option<Range<usize>> {
    element(bytes, page, STRONG_START, STRONG_END)
}

/// What stands between the first `start`, with its attributes, and `end`.
fn element(bytes: &[u8], page: usize, start: &[u8], end: &[u8]) -> Option<Range<usize>> {
    let tag = find(bytes, page, start)? + start.len();
    let start = tag + bytes.get(tag..)?.iter().position(|byte| *byte == b'>')? + 1;
    let end = find(bytes, start, end)?;
    Some(start..end)
}

/// Where the realm of an authentication scheme stands (RFC 9110, 11.5); one with an escaped character is left alone.
pub(super) fn realm(bytes: &[u8], value: Range<usize>) -> Option<Range<usize>> {
    let within = bytes.get(..value.end)?;
    let start = find(within, value.start, b"realm=\"")? + b"realm=\"".len();
    let length = within.get(start..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (within.get(start + length) == Some(&b'"')).then_some(start..start + length)
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let found = bytes.get(from..)?.windows(what.len()).position(|window| window.eq_ignore_ascii_case(what))?;
    Some(from + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut body: Body, pieces: &[&str], expected: &[(usize, bool)]) {
        let taken: Vec<_> = pieces.iter().map(|piece| body.take(piece.as_bytes())).collect();
        assert_eq!(taken, expected, "{pieces:?}");
    }

    #[test]
    fn a_body_ends_where_its_head_says() {
        check(Body::Sized(3), &["ab", "cHTTP"], &[(2, false), (1, true)]);
        check(Body::UntilClose, &["ab"], &[(2, false)]);
        let chunked = || Body::Chunked(Chunks::default());
        check(chunked(), &["2\r\nab\r\n", "0\r\n\r\nHTTP"], &[(7, false), (5, true)]);
        check(chunked(), &["0a;x=1\r", "\n0123456789\r\n", "0\r\nA: b\r\n\r\n"], &[(7, false), (13, false), (11, true)]);
        check(chunked(), &["ffffffffffffffffff\r\n", "ab"], &[(20, false), (2, false)]);
    }

    #[test]
    fn lengths_are_read_by_the_rules_of_rfc_9112() {
        for (head, asked, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", None, Some(Body::Sized(12))),
            ("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", Some(false), None),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None, None),
            ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", None, Some(Body::UntilClose)),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n", None, None),
            ("HTTP/1.1 101 Switching\r\n\r\n", None, Some(Body::UntilClose)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", None, Some(Body::Chunked(Chunks::default()))),
        ] {
            assert_eq!(of_answer(&Head::read(head.as_bytes(), 0), asked, false), expected, "{head}");
        }
    }

    #[test]
    fn titles_and_realms_stand_between_their_marks() {
        let title = |page: &str| super::title(page.as_bytes(), 0).map(|range| page[range].to_owned());
        assert_eq!(title("<html><TITLE lang=en>NPort Web Console</Title>").as_deref(), Some("NPort Web Console"));
        assert_eq!(title("<title>NPort"), None);
        let strong = |page: &str| super::strong(page.as_bytes(), 0).map(|range| page[range].to_owned());
        assert_eq!(strong("<b>1</b><STRONG>D30<BR>6.01</STRONG><strong>x</strong>").as_deref(), Some("D30<BR>6.01"));
        assert_eq!(strong("<strong>D30</b>"), None);
        let realm = |field: &str| super::realm(field.as_bytes(), 0..field.len()).map(|range| field[range].to_owned());
        assert_eq!(realm("Digest Realm=\"APC Management Card\", qop=\"auth\"").as_deref(), Some("APC Management Card"));
        assert_eq!(realm("Basic realm=\"a\\\"b\""), None);
        assert_eq!(realm("Basic realm=\"a"), None);
    }
}
