//! What may leave over HTTP: read-only.md section 2, row "HTTP(S)", as data. Over TLS the same message, judged in clear before the guard seals it.
//!
//! One GET a connection, of a path that the permit says literally; `Host` is the address that is connected to. A GET reads (RFC 9110, 9.3.1), but
//! devices have pages that act when they are fetched: no path has a query, an escape, or a word that says that something is done.

use super::{
    Refused,
    permit::{Grant, HOLD_S_MAX},
    table::{Part, Row, Slot, Table, bytes, granted},
};

/// Requests of one reading, each on a connection of its own: each of them ends with it.
pub const REQUESTS_MAX: usize = 2;
/// Longer than the path of any page that shows what a device is.
pub const PATH_BYTES_MAX: usize = 128;

/// What one server may be asked on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// The page's path.
    pub path: String,
    /// Whether it goes over TLS.
    pub sealed: bool,
}

/// Words in paths of pages that do something. One of them anywhere between other characters is enough.
const ACTS: [&str; 44] = [
    "activate", "add", "apply", "boot", "cgi", "clear", "cmd", "command", "create", "default", "defaults", "delete", "disable", "download",
    "enable", "erase", "exec", "factory", "flash", "format", "goform", "login", "logoff", "logon", "logout", "off", "on", "reboot",
    "remove", "reset", "restart", "restore", "run", "save", "send", "set", "shutdown", "start", "stop", "submit", "update", "upgrade",
    "upload", "write",
];

impl Http {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.path`: it is no literal path, or one that may act.
    pub fn grant(self) -> Result<Grant, Refused> {
        let no = |why: &str| Err(Refused::before_any_byte("permit.path", format!("the path {:?} {why}", self.path)));
        let is_literal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if !self.path.starts_with('/') || self.path.len() > PATH_BYTES_MAX || !self.path.bytes().all(is_literal) {
            return no("is not / and at most 127 letters, digits, and - . _ ~ /: a query or an escape may act");
        }
        if self.path.contains("..") || self.path.contains("//") {
            return no("leads elsewhere than it says");
        }
        let page = self.path.to_ascii_lowercase();
        let page = page.strip_suffix("/default.htm").or_else(|| page.strip_suffix("/default.html")).unwrap_or(&page);
        if page.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| ACTS.contains(&word)) {
            return no("has a word that says that something is done");
        }
        let table = if self.sealed { &TABLE_TLS } else { &TABLE };
        let grant = Grant::new(table, String::new()).with(&PATH, self.path).naming_its_endpoint(&HOST);
        Ok(if self.sealed { grant.sealed_by_tls() } else { grant })
    }
}

static PATH: Slot = Slot { name: "path", mark: "path", needs: "the path is listed", secret: false };
static HOST: Slot = Slot { name: "host", mark: "address", needs: "", secret: false };

static GET: [Part; 5] = [
    bytes(b"GET ", "http.method", "GET: reads a page"),
    granted(&PATH, "http.path", "the page's path"),
    bytes(b" HTTP/1.1\r\nHost: ", "http.version", "HTTP/1.1, and whom it is for:"),
    granted(&HOST, "http.host", "the address that is connected to"),
    bytes(
        b"\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n",
        "http.fields",
        "without compression; the connection ends with the answer; nothing else: no name, no password, no cookie, no body",
    ),
];

const fn get(question: &'static str) -> Row {
    Row { question, asks: "a page: the server's name, the title", needs: None, parts: &GET, times_max: 1, rises: None, goodbye: false }
}

static ROWS: [Row; 1] = [get("http.get")];
static ROWS_TLS: [Row; 2] = [
    Row {
        question: "tls.certificate",
        asks: "the server's certificate: TLS's handshake, which shows nothing of us",
        needs: None,
        parts: &[],
        times_max: 1,
        rises: None,
        goodbye: false,
    },
    get("http.get"),
];
const CAPS: &str = "1 request and 10 s a connection, 2 connections a reading; 64 KiB are read of an answer; after 401 nothing more; no redirect is followed";

/// The row of read-only.md.
pub static TABLE: Table =
    Table { protocol: "http", port: "TCP 80", rows: &ROWS, messages_max: 1, hold_s_max: HOLD_S_MAX, order: &[], caps: CAPS };

/// The same over TLS.
pub static TABLE_TLS: Table =
    Table { protocol: "https", port: "TCP 443", rows: &ROWS_TLS, messages_max: 1, hold_s_max: HOLD_S_MAX, order: &[], caps: CAPS };

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guard::{Endpoint, Judge, Limits, Permit};

    fn permit(endpoint: &str, path: &str, sealed: bool) -> Permit {
        let grant = Http { path: path.to_owned(), sealed }.grant().expect("a grant");
        let limits = Limits::of(&grant);
        let endpoint: Endpoint = endpoint.parse().expect("an endpoint");
        Permit::new(endpoint, grant, "WO-1", limits).expect("a permit")
    }

    fn request(path: &str, host: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n")
    }

    /// The rule that stops it; `None` where it leaves.
    fn check(permit: &Permit, request: &str, rule: Option<&str>) {
        let mut judge = Judge::new(permit);
        // The handshake.
        judge.answered();
        let pushed = judge.push(request.as_bytes(), Duration::ZERO);
        let stopped = pushed.as_ref().err().map(|refused| refused.rule);
        assert_eq!((stopped, pushed.is_ok_and(|pushed| pushed.message.is_some())), (rule, rule.is_none()), "{request:?}");
    }

    #[test]
    fn a_get_of_a_listed_path_leaves() {
        for (endpoint, sealed, host) in [
            ("192.0.2.7:80", false, "192.0.2.7"),
            ("192.0.2.7:8080", false, "192.0.2.7:8080"),
            ("192.0.2.7:443", false, "192.0.2.7:443"),
            ("192.0.2.7:443", true, "192.0.2.7"),
            ("192.0.2.7:80", true, "192.0.2.7:80"),
            ("[2001:db8::7]:80", false, "[2001:db8::7]"),
            ("[2001:db8::7]:8080", false, "[2001:db8::7]:8080"),
        ] {
            for path in ["/", "/home.htm", "/a/default.htm", "/Portal/Portal.mwsl"] {
                check(&permit(endpoint, path, sealed), &request(path, host), None);
            }
        }
    }

    #[test]
    fn one_wrong_byte_anywhere_is_refused_by_its_rule() {
        let permit = permit("192.0.2.7:80", "/home.htm", false);
        let sound = request("/home.htm", "192.0.2.7");
        for (at, rule) in
            [(0, "http.method"), (2, "http.method"), (5, "http.path"), (12, "http.path"), (13, "http.version"), (25, "http.version")]
        {
            let mut request = sound.clone().into_bytes();
            request[at] ^= 1;
            check(&permit, &String::from_utf8(request).expect("ASCII"), Some(rule));
        }
        for at in 0..sound.len() {
            let mut request = sound.clone().into_bytes();
            request[at] ^= 0x20;
            let refused = Judge::new(&permit).push(&request, Duration::ZERO).expect_err("one wrong byte");
            assert!(refused.rule.starts_with("http.") && refused.at == Some(at), "{at}: {refused}");
        }
    }

    #[test]
    fn what_writes_or_names_somebody_never_leaves() {
        let permit = permit("192.0.2.7:80", "/", false);
        for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get"] {
            check(&permit, &request("/", "192.0.2.7").replacen("GET", method, 1), Some("http.method"));
        }
        check(&permit, &request("/other", "192.0.2.7"), Some("http.version"));
        check(&permit, &request("/?reboot=1", "192.0.2.7"), Some("http.version"));
        check(&permit, &request("http://192.0.2.8/", "192.0.2.7"), Some("http.path"));
        check(&permit, &request("/", "192.0.2.8"), Some("http.host"));
        check(&permit, &request("/", "192.0.2.70"), Some("http.fields"));
        check(&permit, &request("/", "192.0.2.7").replace("1.1", "1.0"), Some("http.version"));
        let with = |field: &str| request("/", "192.0.2.7").replace("Accept-Encoding: identity", field);
        for field in
            ["Authorization: Basic YTpi", "Cookie: a=b", "Content-Length: 3", "Accept-Encoding: gzip", "Upgrade: h2c", "Range: bytes=0-"]
        {
            check(&permit, &with(field), Some("http.fields"));
        }
        let two = [request("/", "192.0.2.7"), request("/", "192.0.2.7")].concat();
        let mut judge = Judge::new(&permit);
        let first = judge.push(two.as_bytes(), Duration::ZERO).expect("the first");
        assert_eq!(judge.push(&two.as_bytes()[first.taken..], Duration::ZERO).expect_err("the second").rule, "pipelining");
        judge = Judge::new(&permit);
        judge.push(&two.as_bytes()[..first.taken], Duration::ZERO).expect("the first");
        judge.answered();
        assert_eq!(judge.push(&two.as_bytes()[first.taken..], Duration::ZERO).expect_err("the second").rule, "budget.requests");
    }

    #[test]
    fn a_path_that_may_act_is_not_granted() {
        for path in [
            "",
            "index.htm",
            "/a?b",
            "/a#b",
            "/a b",
            "/a%20b",
            "/a\r\nX: y",
            "/\u{e4}",
            "/../a",
            "//192.0.2.8/",
            "/a&b=1",
            "/a;b",
            "/reboot",
            "/Reboot.htm",
            "/cgi-bin/x",
            "/x.cgi",
            "/goform/a",
            "/a/set/b",
            "/led_on.htm",
            "/default.htm/set",
            "/factory-default.html",
        ] {
            let refused = Http { path: path.to_owned(), sealed: false }.grant().expect_err(path);
            assert_eq!(refused.rule, "permit.path", "{path:?}");
        }
        let long = Http { path: format!("/{}", "a".repeat(PATH_BYTES_MAX)), sealed: false };
        assert_eq!(long.grant().expect_err("too long").rule, "permit.path");
    }
}
