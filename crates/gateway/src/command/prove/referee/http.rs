//! The row of HTTP; over TLS the message as it was judged, before it was sealed.

use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

const FIELDS: &[&str] = &[
    "tcp.len",
    "http.request.method",
    "http.request.uri",
    "http.request.version",
    "http.host",
    "http.accept_encoding",
    "http.connection",
    "http.request.line",
    "http.authorization",
    "http.cookie",
    "http.file_data",
];

/// The row in tshark's terms.
pub static ROW: Row = Row { protocol: "http", port: 80, carrier: Carrier::Streams, settings: &[], fields: FIELDS, allowed };

/// The same for what goes through TLS.
pub static ROW_TLS: Row = Row { protocol: "https", port: 80, carrier: Carrier::Streams, settings: &[], fields: FIELDS, allowed };

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let Granted::Http(granted, host) = &survivor.granted else { return Err("another protocol's grant") };
    let &[length, method, path, version, named, encoding, connection, lines, password, cookie, body] = cells else {
        return Err("the referee gave other columns");
    };
    rule(before.is_empty(), "more than one request on a connection")?;
    rule(method == "GET", "a method other than GET")?;
    rule(path == granted.path, "a path that was not listed")?;
    rule(version == "HTTP/1.1", "another version")?;
    rule(named == host, "another host than the one that is connected to")?;
    rule(password.is_empty() && cookie.is_empty(), "a password, or a cookie")?;
    rule(encoding == "identity" && connection == "close", "compression, or a connection that is kept")?;
    rule(body.is_empty(), "a body")?;
    rule(lines.matches("\\r\\n").count() == 3, "other fields than three")?;
    // `GET`, path and version with two blanks, three fields, and five line ends.
    let expected = ["GET  HTTP/1.1", "Host: ", "Accept-Encoding: identity", "Connection: close", "\r\n\r\n\r\n\r\n\r\n", path, named];
    let expected: usize = expected.iter().map(|part| part.len()).sum();
    rule(length.parse() == Ok(expected), "bytes beside the request line and three fields")
}
