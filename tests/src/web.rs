//! A program that talks to the gateway's page and API as any other would: HTTP/1.1, one request a connection, nothing of the product's in it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// What does not answer by then never will.
const ANSWER_SECONDS_MAX: Duration = Duration::from_secs(60);

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// `Authorization`, as it is sent.
    pub authorization: Option<String>,
    /// `Cookie`, as it is sent.
    pub cookie: Option<String>,
    /// `Origin`, as it is sent; a browser sends it with what does something.
    pub origin: Option<String>,
}

impl Asker {
    /// Nobody.
    #[must_use]
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Somebody with a token.
    #[must_use]
    pub fn token(token: &str) -> Self {
        Self { authorization: Some(format!("Bearer {token}")), ..Self::default() }
    }

    /// A browser with a session, on a page of this origin.
    #[must_use]
    pub fn session(cookie: &str, origin: &str) -> Self {
        Self { cookie: Some(cookie.to_owned()), origin: Some(origin.to_owned()), ..Self::default() }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The rest.
    pub body: String,
    /// The same as it came, where it is no text.
    pub bytes: Vec<u8>,
}

impl Answered {
    /// A header; the first of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// With this status, or the test ends here.
    ///
    /// # Panics
    /// It has another.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// A gateway's page.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Where it is, without TLS.
    pub at: SocketAddr,
}

impl Gate {
    /// At a URL that the gateway said.
    ///
    /// # Panics
    /// It is none of loopback.
    #[must_use]
    pub fn of(url: &str) -> Self {
        Self { at: url.trim_start_matches("http://").parse().unwrap_or_else(|e| panic!("{url:?}: {e}")) }
    }

    /// The origin of its pages.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.at)
    }

    /// GET.
    #[must_use]
    pub fn get(&self, asker: &Asker, path: &str) -> Answered {
        self.send("GET", asker, path, None)
    }

    /// GET of what does not end by itself: as soon as its head is there.
    ///
    /// # Panics
    /// Nothing comes back, or no HTTP.
    #[must_use]
    pub fn open(&self, asker: &Asker, path: &str) -> Opened {
        let mut stream = self.sent(request(self.at, "GET", asker, path, None).as_bytes()).expect("the page is there");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            assert_eq!(stream.read(&mut byte).expect("an answer"), 1, "{}", String::from_utf8_lossy(&head));
            head.push(byte[0]);
        }
        Opened { status: status(&String::from_utf8_lossy(&head)).expect("an answer"), stream }
    }

    /// With a body in JSON.
    #[must_use]
    pub fn json(&self, method: &str, asker: &Asker, path: &str, body: &Value) -> Answered {
        self.send(method, asker, path, Some(("application/json", body.to_string())))
    }

    /// A form of a page; values are escaped here.
    #[must_use]
    pub fn form(&self, asker: &Asker, path: &str, fields: &[(&str, &str)]) -> Answered {
        let escaped = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        self.send("POST", asker, path, Some(("application/x-www-form-urlencoded", pairs.join("&"))))
    }

    /// With a file as its body.
    #[must_use]
    pub fn file(&self, asker: &Asker, path: &str, content: impl AsRef<[u8]>) -> Answered {
        let head = head(self.at, "POST", asker, path, Some(("application/octet-stream", content.as_ref().len())));
        self.raw(&[head.as_bytes(), content.as_ref()].concat())
    }

    /// A form of a page that sends a file (RFC 7578), with its other fields.
    #[must_use]
    pub fn upload<C: AsRef<[u8]> + ?Sized>(
        &self,
        asker: &Asker,
        path: &str,
        (name, content): (&str, &C),
        fields: &[(&str, &str)],
    ) -> Answered {
        let part = |head: &str, content: &[u8]| {
            [format!("--next-part\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(), content, b"\r\n"].concat()
        };
        let mut body = part(&format!("name=\"file\"; filename=\"{name}\""), content.as_ref());
        fields.iter().for_each(|(name, value)| body.extend(part(&format!("name=\"{name}\""), value.as_bytes())));
        body.extend(b"--next-part--\r\n");
        let head = head(self.at, "POST", asker, path, Some(("multipart/form-data; boundary=next-part", body.len())));
        self.raw(&[head.as_bytes(), &body].concat())
    }

    /// As [`Gate::get`] and [`Gate::json`], of a page that may not be there.
    ///
    /// # Errors
    /// Nobody is there, or the connection ended before the answer did.
    pub fn try_send(&self, method: &str, asker: &Asker, path: &str, body: Option<&Value>) -> io::Result<Answered> {
        self.try_raw(request(self.at, method, asker, path, body.map(|body| ("application/json", body.to_string()))).as_bytes())
    }

    fn send(&self, method: &str, asker: &Asker, path: &str, body: Option<(&str, String)>) -> Answered {
        self.raw(request(self.at, method, asker, path, body).as_bytes())
    }

    /// Bytes as they stand, and what comes back until the connection ends.
    ///
    /// # Panics
    /// Nothing comes back, or no HTTP.
    #[must_use]
    pub fn raw(&self, bytes: &[u8]) -> Answered {
        self.try_raw(bytes).unwrap_or_else(|e| panic!("{}: {e}", self.at))
    }

    fn try_raw(&self, bytes: &[u8]) -> io::Result<Answered> {
        let mut came = Vec::new();
        let _ = self.sent(bytes)?.read_to_end(&mut came);
        let bytes = came.windows(4).position(|four| four == b"\r\n\r\n").and_then(|end| came.get(end + 4..)).unwrap_or_default().to_vec();
        Ok(Answered { bytes, ..answered(&String::from_utf8_lossy(&came))? })
    }

    fn sent(&self, bytes: &[u8]) -> io::Result<TcpStream> {
        #[expect(clippy::disallowed_methods, reason = "the gateway's page, not a device")]
        let mut stream = TcpStream::connect(self.at)?;
        stream.set_read_timeout(Some(ANSWER_SECONDS_MAX))?;
        // It may have had enough before the end, and answers all the same.
        let _ = stream.write_all(bytes);
        Ok(stream)
    }

    /// Sets the password of a link that was made; the cookie of a session behind it.
    ///
    /// # Panics
    /// Somebody is not let in.
    #[must_use]
    pub fn come_in(&self, link: &str, name: &str, password: &str) -> String {
        let own = Asker { origin: Some(self.origin()), ..Asker::default() };
        let set = self.form(&own, link, &[("name", name), ("password", password), ("again", password)]);
        assert_eq!((set.status, set.header("location")), (303, Some("/login")), "{set:?}");
        self.log_in(name, password).unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    /// The cookie of a new session.
    ///
    /// # Errors
    /// What came back instead.
    pub fn log_in(&self, name: &str, password: &str) -> Result<String, Answered> {
        let own = Asker { origin: Some(self.origin()), ..Asker::default() };
        let answered = self.form(&own, "/login", &[("name", name), ("password", password)]);
        let cookie = answered.header("set-cookie").filter(|_| answered.status == 303).and_then(|set| set.split(';').next());
        cookie.map(str::to_owned).ok_or_else(|| answered.clone())
    }
}

/// An answer that goes on.
pub struct Opened {
    /// The status.
    pub status: u16,
    stream: TcpStream,
}

impl Opened {
    /// What still comes, once it has ended; `None` where it does not.
    #[must_use]
    pub fn rest(mut self) -> Option<String> {
        let mut came = Vec::new();
        self.stream.read_to_end(&mut came).ok().map(|_| String::from_utf8_lossy(&came).into_owned())
    }
}

fn request(at: SocketAddr, method: &str, asker: &Asker, path: &str, body: Option<(&str, String)>) -> String {
    let head = head(at, method, asker, path, body.as_ref().map(|(kind, body)| (*kind, body.len())));
    head + &body.map(|(_, body)| body).unwrap_or_default()
}

/// All of a request before its body, of which kind and length are given.
fn head(at: SocketAddr, method: &str, asker: &Asker, path: &str, body: Option<(&str, usize)>) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n");
    for (name, value) in [("Authorization", &asker.authorization), ("Cookie", &asker.cookie), ("Origin", &asker.origin)] {
        text += &value.as_ref().map(|value| format!("{name}: {value}\r\n")).unwrap_or_default();
    }
    match body {
        Some((kind, length)) => text += &format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"),
        None => text += "\r\n",
    }
    text
}

fn status(head: &str) -> Option<u16> {
    head.lines().next()?.split(' ').nth(1)?.parse().ok()
}

fn answered(text: &str) -> io::Result<Answered> {
    let none = || io::Error::new(io::ErrorKind::UnexpectedEof, format!("no HTTP came back: {text:?}"));
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(none)?;
    let status = status(head).ok_or_else(none)?;
    let headers =
        head.lines().skip(1).filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let answered = Answered { status, headers: headers.collect(), body: body.to_owned(), bytes: Vec::new() };
    // Who was cut off by the end of a process has no answer.
    let whole = answered.header("content-length").and_then(|length| length.parse().ok()).is_none_or(|length: usize| body.len() >= length);
    if whole { Ok(answered) } else { Err(none()) }
}
