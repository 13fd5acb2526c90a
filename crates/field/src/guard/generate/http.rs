//! HTTP, in clear and as it is judged before TLS.

use super::{Granted, Maker, Random, Start, Writer};
use crate::guard::{Endpoint, Http, Limits, Permit, Refused};

/// HTTP's way.
pub static MAKER: Maker = Maker { protocol: "http", cells: &CELLS, start: |random, _| start(random, false) };

/// The same over TLS.
pub static MAKER_TLS: Maker = Maker { protocol: "https", cells: &CELLS, start: |random, _| start(random, true) };

const CELLS: [&str; 16] = [
    "method",
    "path not listed",
    "query",
    "whole address",
    "version",
    "other host",
    "no host",
    "password",
    "cookie",
    "body",
    "compression",
    "kept open",
    "other field",
    "line end",
    "field order",
    "TLS",
];

const PATHS: [&str; 6] = ["/", "/index.htm", "/home.html", "/Portal/Portal.mwsl", "/about/version.txt", "/a-b_c~d.x"];

fn start(random: &mut Random, sealed: bool) -> Result<Start, Refused> {
    let path = PATHS[random.below(PATHS.len())].to_owned();
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
    let (port, usual) = [(80, !sealed), (443, sealed), (8080, false)][random.below(3)];
    let host = if usual { "192.0.2.1".to_owned() } else { format!("192.0.2.1:{port}") };
    let granted = Http { path: path.clone(), sealed };
    let grant = granted.clone().grant()?;
    let limits = Limits::of(&grant);
    let permit = Permit::new(Endpoint::Tcp(([192, 0, 2, 1], port).into()), grant, "generated", limits)?;
    Ok((permit, Granted::Http(granted, host.clone()), Box::new(Pages { path, host, out: false })))
}

struct Pages {
    path: String,
    host: String,
    out: bool,
}

impl Pages {
    fn request(&self, method: &str, path: &str, version: &str, host: &str, more: &str) -> String {
        format!("{method} {path} {version}\r\nHost: {host}\r\nAccept-Encoding: identity\r\nConnection: close\r\n{more}\r\n")
    }

    fn sound(&self) -> String {
        self.request("GET", &self.path, "HTTP/1.1", &self.host, "")
    }

    fn with(&self, more: &str) -> String {
        self.request("GET", &self.path, "HTTP/1.1", &self.host, more)
    }
}

impl Writer for Pages {
    fn allowed(&mut self, _: &mut Random) -> Option<Vec<u8>> {
        (!std::mem::replace(&mut self.out, true)).then(|| self.sound().into_bytes())
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let mut of = |list: &[&'static str]| list[random.below(list.len())];
        let Self { path, host, .. } = &*self;
        let version = "HTTP/1.1";
        let text = match cell {
            "method" => {
                self.request(of(&["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PATCH", "PROPFIND"]), path, version, host, "")
            }
            "path not listed" => self.request("GET", of(&["/reboot", "/other.htm", "/cgi-bin/x", "/.."]), version, host, ""),
            "query" => self.request("GET", &format!("{path}{}", of(&["?reboot=1", "?a", "?", "#a", "%20", ";a"])), version, host, ""),
            "whole address" => self.request("GET", &format!("http://{}{path}", of(&["192.0.2.1", "192.0.2.9"])), version, host, ""),
            "version" => self.request("GET", path, of(&["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "RTSP/1.0"]), host, ""),
            "other host" => self.request("GET", path, version, of(&["192.0.2.9", "a.example", "192.0.2.1.example", "192.0.2.10"]), ""),
            "no host" => self.sound().replace(&format!("Host: {host}\r\n"), of(&["", "Host: \r\n"])),
            "password" => self.with(of(&["Authorization: Basic YTpi\r\n", "Authorization: Digest x\r\n", "Proxy-Authorization: x\r\n"])),
            "cookie" => self.with(of(&["Cookie: a=b\r\n", "Cookie: session=0\r\n"])),
            "body" => format!("{}{}", self.with("Content-Length: 3\r\n"), of(&["a=b", "<a>", "123"])),
            "compression" => self.sound().replace("identity", of(&["gzip", "*", "br", "identity, gzip"])),
            "kept open" => self.sound().replace("close", of(&["keep-alive", "Upgrade", "closed"])),
            "line end" => self.sound().replacen("\r\n", of(&["\n", "\r\r\n", " \r\n"]), 1),
            "field order" => {
                self.sound().replace("Accept-Encoding: identity\r\nConnection: close", "Connection: close\r\nAccept-Encoding: identity")
            }
            // A hello that nobody asked for: what is in clear here is judged, not what TLS makes of it.
            "TLS" => "\u{16}\u{3}\u{1}\0\u{4}\u{1}\0\0\0".to_owned(),
            _ => self.with(of(&[
                "X-Forwarded-For: 192.0.2.9\r\n",
                "Range: bytes=0-\r\n",
                "Upgrade: h2c\r\n",
                "Referer: /\r\n",
                "If-Match: *\r\n",
            ])),
        };
        text.into_bytes()
    }
}
