//! A web server (RFC 9110, RFC 9112): pages by their paths, each on a connection of its own. Whoever asks in another way than GET, names somebody, or
//! sends a body, trips.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::report::Speaker;
use crate::sealed::Seal;

/// A web server.
pub type Device = crate::device::Device<Persona>;

/// More than any request that may be sent.
const REQUEST_BYTES_MAX: usize = 1_024;
/// Bytes of a page without end: more than anybody reads.
const ENDLESS_BYTES: usize = 128 << 10;

/// A web server as data.
#[derive(Clone, Debug, Default)]
pub struct Persona {
    /// Its `Server` field; none where empty.
    pub server: Vec<u8>,
    /// What it asks a password for; none where empty. With it every page is 401.
    pub realm: Vec<u8>,
    /// The title of each page, by path.
    pub titles: BTreeMap<String, Vec<u8>>,
    /// How a page is sent.
    pub sends: Sends,
    /// Its key and certificate, where it is asked over TLS.
    pub seal: Option<Seal>,
}

/// How a page is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sends {
    /// With its length.
    #[default]
    Sized,
    /// In chunks.
    Chunked,
    /// Until the connection ends.
    UntilClose,
    /// In chunks, without end.
    Endless,
}

impl Persona {
    /// One with this title on its first page.
    pub fn new(server: &[u8], title: &[u8]) -> Self {
        Self { server: server.to_vec(), titles: [("/".to_owned(), title.to_vec())].into(), ..Self::default() }
    }

    fn answer(&self, path: &str) -> Vec<u8> {
        let title = self.titles.get(path);
        let line = match title {
            _ if !self.realm.is_empty() => "401 Unauthorized",
            Some(_) => "200 OK",
            None => "404 Not Found",
        };
        let field =
            |name: &str, value: &[u8]| if value.is_empty() { Vec::new() } else { [name.as_bytes(), b": ", value, b"\r\n"].concat() };
        let realm = if self.realm.is_empty() { Vec::new() } else { [b"Basic realm=\"", self.realm.as_slice(), b"\""].concat() };
        let title = title.map(Vec::as_slice).unwrap_or_default();
        let mut page = [b"<html><head><title>", title, b"</title></head><body></body></html>"].concat();
        if self.sends == Sends::Endless {
            page.resize(ENDLESS_BYTES, b' ');
        }
        let chunked = || [format!("{:x}\r\n", page.len()).as_bytes(), &page, b"\r\n"].concat();
        let (length, body) = match self.sends {
            Sends::Sized => (field("Content-Length", page.len().to_string().as_bytes()), page),
            Sends::Chunked => (field("Transfer-Encoding", b"chunked"), [chunked().as_slice(), b"0\r\n\r\n"].concat()),
            Sends::Endless => (field("Transfer-Encoding", b"chunked"), chunked()),
            Sends::UntilClose => (Vec::new(), page),
        };
        let fields =
            [field("Server", &self.server), field("WWW-Authenticate", &realm), field("Content-Type", b"text/html"), length].concat();
        [format!("HTTP/1.1 {line}\r\n").as_bytes(), &fields, b"\r\n", &body].concat()
    }
}

impl Language for Persona {
    fn port(&self) -> u16 {
        if self.seal.is_some() { 443 } else { 80 }
    }

    fn seal_of_connections(&self) -> Option<Seal> {
        self.seal.clone()
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        1
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Session(self.clone()))
    }

    fn sample(&self) -> Vec<u8> {
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n".to_vec()
    }

    fn layout(&self, _: &[u8]) -> Layout {
        Layout::default()
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        let hostile = |number| hostile_text(number, 80);
        let titles = || self.titles.keys().zip(0..).map(|(path, number)| (path.clone(), hostile(number))).collect();
        match fault {
            Fault::HostileText => Some(Arc::new(Self { server: hostile(1), titles: titles(), ..self.clone() })),
            Fault::EndlessMore(_) => Some(Arc::new(Self { sends: Sends::Endless, ..self.clone() })),
            _ => None,
        }
    }
}

struct Session(Persona);

impl Talk for Session {
    fn cut(&self, heard: &[u8]) -> Cut {
        match heard.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(end) => Cut::Whole(end + 4),
            None if heard.len() > REQUEST_BYTES_MAX => Cut::Broken("a request without an end"),
            None => Cut::More,
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let text = String::from_utf8_lossy(question);
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, path, version) = (words.next(), words.next().unwrap_or_default(), words.next());
        let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let value = |name| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let trip = match () {
            () if method != Some("GET") || version != Some("HTTP/1.1") || words.next().is_some() => {
                Some("a request that is no GET of HTTP/1.1")
            }
            () if !path.starts_with('/') || path.contains(['?', '#', '%']) => Some("a path that is not literal"),
            () if names != ["Host", "Accept-Encoding", "Connection"] => Some("another field than Host, Accept-Encoding and Connection"),
            () if value("Connection") != Some("close") => Some("a connection that is to be kept"),
            () if value("Accept-Encoding") != Some("identity") => Some("an answer that is to be compressed"),
            () if value("Host")
                .is_none_or(|host| host.parse::<std::net::SocketAddr>().is_err() && host.parse::<std::net::IpAddr>().is_err()) =>
            {
                Some("a host that is no address")
            }
            () => None,
        };
        Heard { answers: vec![self.0.answer(path)], trips: trip.into_iter().collect(), hangs_up: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Carrier::Tcp;
    use crate::rehearsal::rehearse;
    use crate::story::check;

    fn asked(persona: &Persona) -> String {
        let heard = rehearse(persona, Tcp, &[persona.sample()]);
        assert!(heard.trips.is_empty(), "{:?}", heard.trips);
        String::from_utf8(heard.answers().concat()).expect("text")
    }

    #[test]
    fn a_page_is_sent_in_each_of_its_ways() {
        let page = "<html><head><title>Feeder</title></head><body></body></html>";
        let persona = Persona::new(b"Embed/2", b"Feeder");
        let head = "HTTP/1.1 200 OK\r\nServer: Embed/2\r\nContent-Type: text/html\r\n";
        assert_eq!(asked(&persona), format!("{head}Content-Length: 60\r\n\r\n{page}"));
        let with = |sends| asked(&Persona { sends, ..persona.clone() });
        assert_eq!(with(Sends::Chunked), format!("{head}Transfer-Encoding: chunked\r\n\r\n3c\r\n{page}\r\n0\r\n\r\n"));
        assert_eq!(with(Sends::UntilClose), format!("{head}\r\n{page}"));
        let realm = Persona { realm: b"Relay".to_vec(), ..Persona::new(b"", b"x") };
        assert!(asked(&realm).starts_with("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"Relay\"\r\n"));
        assert!(asked(&Persona::default()).starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn all_else_trips() {
        let sample = String::from_utf8(Persona::default().sample()).expect("text");
        for (from, to, why) in [
            ("GET", "POST", "no GET"),
            ("1.1", "1.0", "no GET"),
            ("GET /", "GET /?reboot", "literal"),
            ("Connection", "Authorization: x\r\nConnection", "another field"),
            ("close", "keep-alive", "kept"),
            ("identity", "gzip", "compressed"),
            ("127.0.0.1", "a.example", "address"),
        ] {
            check(to, &Persona::default(), Tcp, &[sample.replacen(from, to, 1).into_bytes()], &[why]);
        }
        let body = format!("{sample}a=b");
        check("body", &Persona::default(), Tcp, &[body.into_bytes()], &["cut off"]);
    }
}
