//! What a web server is asked: one page, by its path.

/// HTTP's port.
pub const PORT: u16 = 80;
/// The port of HTTP over TLS.
pub const TLS_PORT: u16 = 443;

/// A GET: of a literal path, in no other form than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Get<'a> {
    /// The path.
    pub path: &'a str,
    /// The address that is asked, with its port where that is not the usual one.
    pub host: &'a str,
}

impl Get<'_> {
    /// Its name on the allowlist.
    pub const NAME: &'static str = "http.get";

    /// The request (RFC 9112, 3 and 9.6; RFC 9110, 12.5.3: `identity` is no compression).
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let Self { path, host } = self;
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 9112, 2.1, with the fields that are ours.
    #[test]
    fn a_question_is_a_request_line_and_three_fields() {
        let asked = Get { path: "/hello.txt", host: "192.0.2.7:8080" }.encode();
        assert_eq!(asked, b"GET /hello.txt HTTP/1.1\r\nHost: 192.0.2.7:8080\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n");
    }
}
