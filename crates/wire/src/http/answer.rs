//! One answer, as it comes from a server that was asked: where it ends, and what of it is left unread.

use crate::Malformed;
use crate::head::{Head, speaks};

use super::body::{self, Body};
use super::{HEAD_BYTES_MAX, HTTP};

/// An answer to a GET, as far as it has come.
#[derive(Debug, Default)]
pub struct Answer {
    head: Vec<u8>,
    searched: usize,
    code: Option<u16>,
    body: Option<Body>,
    compressed: Option<usize>,
    elsewhere: Option<usize>,
}

impl Answer {
    /// Takes the next bytes; true where the answer is whole with them. What stands behind it is nobody's.
    ///
    /// # Errors
    /// [`Malformed`] where they are no answer of HTTP/1, or its head does not end.
    pub fn take(&mut self, bytes: &[u8]) -> Result<bool, Malformed> {
        let mut rest = bytes;
        loop {
            if let Some(body) = &mut self.body {
                let (used, done) = body.take(rest);
                rest = rest.get(used..).unwrap_or_default();
                if done || rest.is_empty() {
                    return Ok(done);
                }
                continue;
            }
            let Some(used) = self.take_head(rest)? else { return Ok(false) };
            rest = rest.get(used..).unwrap_or_default();
            if self.begin() {
                return Ok(true);
            }
        }
    }

    /// Takes bytes of the head; how many, where it ends in them.
    fn take_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let before = self.head.len();
        let room = HEAD_BYTES_MAX.saturating_sub(before);
        self.head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let version = HTTP.version.as_bytes();
        let begins = self.head.len().min(version.len());
        if self.head.get(..begins) != version.get(..begins) || speaks(&self.head, HTTP.version) == Some(false) {
            return Err(Malformed::wrong(HTTP.name, 0, "an answer begins with HTTP/1, a blank and three digits (RFC 9112, 4)"));
        }
        let Some(end) = Head::read(&self.head, self.searched).end() else {
            self.searched = self.head.len();
            return if self.head.len() < HEAD_BYTES_MAX {
                Ok(None)
            } else {
                Err(Malformed::wrong(HTTP.name, HEAD_BYTES_MAX, "a head is longer than is held"))
            };
        };
        self.head.truncate(end);
        Ok(Some(end.saturating_sub(before)))
    }

    /// A head is all there; true where nothing comes behind it. An interim answer (RFC 9110, 15.2) is none.
    fn begin(&mut self) -> bool {
        let head = Head::read(&self.head, 0);
        let digits = head.line().and_then(|line| core::str::from_utf8(line.get(9..12)?).ok());
        self.code = digits.and_then(|digits| digits.parse().ok());
        let coding = head.field("content-encoding");
        let is_coded =
            |at: &core::ops::Range<usize>| !self.head.get(at.clone()).is_some_and(|coding| coding.eq_ignore_ascii_case(b"identity"));
        self.compressed = coding.filter(is_coded).map(|at| at.start);
        let is_redirect = self.code.is_some_and(|code| (300..400).contains(&code));
        self.elsewhere = head.field("location").map(|at| at.start).filter(|_| is_redirect);
        self.body = body::of_answer(&head, Some(true), false);
        if self.code.is_some_and(|code| (100..200).contains(&code) && code != SWITCHING) {
            (self.head, self.searched, self.code) = (Vec::new(), 0, None);
            return false;
        }
        self.body.is_none()
    }

    /// Its code; `None` while its head is not there.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        self.code
    }

    /// Whether only the end of the connection ends it (RFC 9112, 6.3, case 8).
    #[must_use]
    pub const fn ends_by_close(&self) -> bool {
        matches!(self.body, Some(Body::UntilClose))
    }

    /// Whether its head says how long its body is.
    #[must_use]
    pub const fn says_its_length(&self) -> bool {
        matches!(self.body, Some(Body::Sized(_)))
    }

    /// What of it is left unread, and why.
    #[must_use]
    pub fn unread(&self) -> Option<Malformed> {
        let wrong = |at: usize, why| Malformed::wrong(HTTP.name, at, why);
        self.elsewhere
            .map(|at| wrong(at, "it sends whoever asks elsewhere, which is not followed; ask that address, or --via https"))
            .or_else(|| self.compressed.map(|at| wrong(at, "its page is compressed, although that was not asked for: left unread")))
    }
}

/// The one interim code behind which no answer of HTTP comes.
const SWITCHING: u16 = 101;

#[cfg(test)]
mod tests {
    use super::*;

    /// In one piece and byte by byte.
    fn check(bytes: &str, whole: Option<usize>, code: Option<u16>, unread: Option<&str>) {
        let mut answer = Answer::default();
        assert_eq!(answer.take(bytes.as_bytes()), Ok(whole.is_some()), "{bytes:?}");
        assert_eq!((answer.code(), answer.unread().map(|why| why.said_by)), (code, unread), "{bytes:?}");
        let mut answer = Answer::default();
        let ends = bytes.bytes().position(|byte| answer.take(&[byte]).expect("an answer"));
        assert_eq!(ends.map(|at| at + 1), whole, "{bytes:?}");
    }

    #[test]
    fn an_answer_ends_where_it_says() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP", Some(40), Some(200), None);
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", None, Some(200), None);
        check("HTTP/1.0 200 OK\r\n\r\nab", None, Some(200), None);
        check("HTTP/1.1 204 No\r\n\r\n", Some(19), Some(204), None);
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", Some(59), Some(200), None);
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nab", None, Some(200), None);
        check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", Some(44), Some(204), None);
        check("HTTP/1.1 20", None, None, None);
    }

    #[test]
    fn what_is_left_unread_is_said() {
        let gzip = "its page is compressed, although that was not asked for: left unread";
        check("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n\u{1}", Some(63), Some(200), Some(gzip));
        check("HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 1\r\n\r\na", Some(67), Some(200), None);
        let elsewhere = "it sends whoever asks elsewhere, which is not followed; ask that address, or --via https";
        check("HTTP/1.1 301 M\r\nLocation: https://x/\r\nContent-Length: 0\r\n\r\n", Some(59), Some(301), Some(elsewhere));
    }

    #[test]
    fn what_is_no_answer_is_said_at_once() {
        for bytes in ["SSH-2.0-x\r\n", "GET / HTTP/1.1\r\n", "HTTP/2 200\r\n", "HTTP/1.1 2x0 ", "\u{a7}"] {
            assert!(Answer::default().take(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
        let bomb = ["HTTP/1.1 200 OK\r\n", &"X: y\r\n".repeat(HEAD_BYTES_MAX)].concat();
        assert!(Answer::default().take(bomb.as_bytes()).is_err());
    }
}
