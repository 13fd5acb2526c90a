//! The head of a message as HTTP, SSDP, RTSP and SIP have it: a first line, fields, an empty line.
//!
//! Source: RFC 9112 clauses 2.2 (lines; a single LF ends one, too) and 5 (fields; 5.2: a line that begins with a blank goes on with the
//! field before it).

use core::ops::Range;

/// Fields whose values let somebody in, or follow somebody (RFC 9110, 11.6 and 11.7; RFC 6265).
const SECRET_FIELDS: [&str; 8] =
    ["authorization", "proxy-authorization", "authentication-info", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token"];

/// Bytes that begin with a head, as far as they are there.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    bytes: &'a [u8],
    /// Offset behind the empty line, where it is there.
    end: Option<usize>,
}

impl<'a> Head<'a> {
    /// Looks for the end of the head in `bytes`, from `searched` on: how many of them were looked through before.
    pub fn read(bytes: &'a [u8], searched: usize) -> Self {
        // The end has four bytes at most, of which three may have been there before.
        let from = searched.saturating_sub(3);
        let mut lines = bytes.get(from..).unwrap_or_default().iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let end = lines.find_map(|(at, _)| match bytes.get(from + at + 1..) {
            Some([b'\n', ..]) => Some(from + at + 2),
            Some([b'\r', b'\n', ..]) => Some(from + at + 3),
            _ => None,
        });
        Self { bytes: bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes), end }
    }

    /// Offset behind the empty line, where it is there.
    pub const fn end(&self) -> Option<usize> {
        self.end
    }

    /// The first line, where its end is there.
    pub fn line(&self) -> Option<&'a [u8]> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        self.bytes.get(..end).map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Where the value of the first field of that name stands, without blanks around it. A field whose end was not seen, or which goes on
    /// in another line, has no such place.
    pub fn field(&self, name: &str) -> Option<Range<usize>> {
        let mut at = self.bytes.iter().position(|byte| *byte == b'\n')? + 1;
        loop {
            let length = self.bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
            let line = self.bytes.get(at..at + length)?;
            let next = self.bytes.get(at + length + 1)?;
            let value = line.get(name.len() + 1..).filter(|_| line.get(name.len()) == Some(&b':'));
            if let Some(value) = value.filter(|_| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))) {
                let start = at + name.len() + 1 + (value.len() - value.trim_ascii_start().len());
                return (!matches!(next, b' ' | b'\t')).then_some(start..start + value.trim_ascii().len());
            }
            at += length + 1;
        }
    }

    /// Where secrets stand: values of fields that carry credentials or sessions, and what follows a `?` in the first line.
    pub fn secrets(&self) -> Vec<Range<usize>> {
        let (mut secrets, mut at, mut is_secret) = (Vec::new(), 0, false);
        for line in self.bytes.split_inclusive(|byte| *byte == b'\n') {
            let value = line.iter().position(|byte| *byte == if at == 0 { b'?' } else { b':' }).map(|found| found + 1);
            let start = match (at, value) {
                (0, Some(query)) => Some(query),
                // A line that begins with a blank goes on with the field before it.
                _ if line.starts_with(b" ") || line.starts_with(b"\t") => is_secret.then_some(1),
                (_, Some(value)) => {
                    let name = line.get(..value - 1).unwrap_or_default().trim_ascii();
                    is_secret = SECRET_FIELDS.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()));
                    is_secret.then_some(value)
                }
                _ => None,
            };
            let end = match at {
                0 => line.iter().rposition(|byte| *byte == b' ').unwrap_or(line.len()),
                _ => line.trim_ascii_end().len(),
            };
            secrets.extend(start.filter(|start| *start < end).map(|start| at + start..at + end));
            at += line.len();
        }
        secrets
    }

    /// The value of that field.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.bytes.get(self.field(name)?)
    }
}

/// Where the first product stands in a list of products with their versions (RFC 9110, 10.2.4), if its version is there. UPnP is the name
/// of a protocol, and stands in front of products.
pub fn first_product(bytes: &[u8], list: Range<usize>) -> Option<Range<usize>> {
    let value = bytes.get(list.clone())?;
    let mut at = list.start;
    for token in value.split(|byte| matches!(byte, b' ' | b',' | b';' | b'\t')) {
        let range = at..at + token.len();
        at = range.end + 1;
        match token.iter().position(|byte| *byte == b'/') {
            _ if token.is_empty() || token.starts_with(b"UPnP/") => {}
            Some(slash @ 1..) if token.get(slash..).is_some_and(|version| version.iter().any(u8::is_ascii_digit)) => return Some(range),
            _ => return None,
        }
    }
    None
}

/// Whether the first line is a status of that version, or a request in it: method, target, version. `None` while it is not all there and
/// may become one.
pub fn speaks(bytes: &[u8], version: &str) -> Option<bool> {
    let (version, known) = (version.as_bytes(), bytes.len().min(version.len()));
    if bytes.get(..known) == version.get(..known) {
        // Version, blank, three digits.
        let status = bytes.get(known..).unwrap_or_default();
        return match status {
            [digit, b' ', a, b, c, ..] => Some([digit, a, b, c].iter().all(|digit| digit.is_ascii_digit())),
            _ => None,
        };
    }
    let line = bytes.iter().take(METHOD_LINE_BYTES_MAX).position(|byte| *byte == b'\n').and_then(|end| bytes.get(..end));
    let first = line.unwrap_or(bytes);
    let method = first.iter().position(|byte| !byte.is_ascii_uppercase() && !matches!(byte, b'-' | b'_')).unwrap_or(first.len());
    let is_method = (1..=METHOD_BYTES_MAX).contains(&method) && first.get(method).is_none_or(|byte| *byte == b' ');
    match line {
        _ if !is_method => Some(false),
        Some(line) => {
            // Some devices send a blank behind the version.
            let line = line.trim_ascii_end();
            let end = line.len().checked_sub(version.len() + 2);
            Some(
                end.and_then(|end| line.get(end..))
                    .is_some_and(|end| end.starts_with(b" ") && end.get(1..).is_some_and(|v| v.starts_with(version))),
            )
        }
        None => None,
    }
}

/// The longest method in use has 17 letters (IANA's registry of HTTP methods).
const METHOD_BYTES_MAX: usize = 20;
/// A request's first line: more of it is not searched for its end, as it has to be judged again and again until it is all there.
const METHOD_LINE_BYTES_MAX: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_head_are_found() {
        let head = b"GET /login?user=a&password=b HTTP/1.1\r\nHost: x\r\nauthorization: Basic YQ==\r\nCookie: a=1;\r\n b=2\r\nUser-Agent: z\r\n\r\n";
        let secrets = Head::read(head, 0).secrets();
        let said: Vec<&[u8]> = secrets.into_iter().map(|range| &head[range]).collect();
        assert_eq!(said, [&b"user=a&password=b"[..], b" Basic YQ==", b" a=1;", b"b=2"]);
        assert!(Head::read(b"HTTP/1.1 200 OK\r\nServer: a?b\r\n\r\n", 0).secrets().is_empty());
    }

    fn check(bytes: &str, name: &str, expected: Option<&str>) {
        let head = Head::read(bytes.as_bytes(), 0);
        assert_eq!(head.value(name), expected.map(str::as_bytes), "{bytes:?}");
    }

    #[test]
    fn a_field_is_known_when_the_next_line_has_begun() {
        check("HTTP/1.1 200 OK\r\nServer: a/1 \r\n\r\n", "server", Some("a/1"));
        check("HTTP/1.1 200 OK\nSERVER:a/1\n\n", "Server", Some("a/1"));
        check("HTTP/1.1 200 OK\r\nServer: a/1", "server", None);
        check("HTTP/1.1 200 OK\r\nServer: a/1\r\n", "server", None);
        check("HTTP/1.1 200 OK\r\nServer: a/1\r\n (b)\r\n\r\n", "server", None);
        check("HTTP/1.1 200 OK\r\nServers: b\r\nServer: a\r\n\r\n", "server", Some("a"));
        check("HTTP/1.1 200 OK\r\nServer:\r\n\r\n", "server", Some(""));
        check("HTTP/1.1 200 OK\r\n\r\nServer: a\r\n\r\n", "server", None);
        assert_eq!(Head::read(b"a\r\n\r\nb", 4).end(), Some(5));
    }

    #[test]
    fn a_product_has_a_version() {
        let product = |text: &str| first_product(text.as_bytes(), 0..text.len()).map(|range| text[range].to_owned());
        assert_eq!(product("Apache/2.2.17 (Ubuntu)").as_deref(), Some("Apache/2.2.17"));
        assert_eq!(product("Schneider-WEB/V2.1.4").as_deref(), Some("Schneider-WEB/V2.1.4"));
        assert_eq!(product("Niagara Web Server/3.8.111"), None);
        assert_eq!(product("UPnP/1.0 Host/2 x"), Some("Host/2".into()));
        assert_eq!(product("UPnP/1.0"), None);
        assert_eq!(product("/1"), None);
    }

    #[test]
    fn a_first_line_is_judged_as_soon_as_it_can_be() {
        for (bytes, expected) in [
            ("HTTP/1.1 200 OK", Some(true)),
            ("HTTP/1.x 200 OK", Some(false)),
            ("HTTP/1.", None),
            ("HT", None),
            ("GET / HTTP/1.1\r\n", Some(true)),
            ("NOTIFY * HTTP/1.1 \r\n", Some(true)),
            ("GET / RTSP/1.0\r\n", Some(false)),
            ("GET /", None),
            ("GET", None),
            ("hello", Some(false)),
            ("\0\u{1}", Some(false)),
        ] {
            assert_eq!(speaks(bytes.as_bytes(), "HTTP/1."), expected, "{bytes}");
        }
    }
}
