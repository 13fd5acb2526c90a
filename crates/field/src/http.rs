//! Asks a web server for a page or two, by their literal paths: what it calls itself, what it asks a password for, the page's title.
//!
//! A connection each, which ends with the answer. After 401 nothing more is asked: the realm is what it says of itself without a password. No
//! redirect is followed, nothing compressed is opened, and of an answer 64 KiB are read. Over TLS the same: [`crate::guard`] seals the message when
//! it has judged it.

use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::http::{Answer, Get, PROTOCOL};
use nameplate_wire::tls::CERTIFICATE;

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, HTTP_REQUESTS_MAX, Http, Refused};

/// The page that every server has.
pub const FIRST_PAGE: &str = "/";
/// Bytes that are read of an answer: an identity stands at the top of a page.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Who has not logged in is not told (RFC 9110, 15.5.2).
const UNAUTHORIZED: u16 = 401;

/// What one server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// Its address, with the port where that is not the usual one, as `Host` names it.
    pub host: String,
    /// The paths, in this order.
    pub paths: Vec<String>,
    /// Whether it is asked over TLS.
    pub sealed: bool,
}

impl Questions {
    fn grant_of(&self, path: &str) -> Result<Grant, Refused> {
        Http { path: path.to_owned(), sealed: self.sealed }.grant()
    }

    fn put(&self, path: &str) -> Put {
        Put::new(Get::NAME, Get { path, host: &self.host }.encode())
    }

    fn planned(&self, path: &str, only_if: &'static str) -> Planned {
        let Put { question, bytes, .. } = self.put(path);
        Planned { question, bytes, only_if, then: String::new() }
    }
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn name(&self) -> &'static str {
        if self.sealed { "https" } else { PROTOCOL.name }
    }

    fn grant(&self) -> Result<Grant, Refused> {
        match self.paths.as_slice() {
            [] => Err(Refused::before_any_byte("ask.questions", "no path to ask for")),
            [first, ..] if self.paths.len() <= HTTP_REQUESTS_MAX => self.grant_of(first),
            _ => Err(Refused::before_any_byte("permit.requests", format!("{} paths, at most {HTTP_REQUESTS_MAX}", self.paths.len()))),
        }
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Pages { asked: self.clone(), at: 0, out: false, answer: Answer::default(), bytes: 0 })
    }

    fn plan(&self) -> Vec<Planned> {
        const SHAKES: &str = "the connection is the question: TLS's handshake, in which the server shows its certificate";
        let certificate = || Planned { question: CERTIFICATE, bytes: Vec::new(), only_if: SHAKES, then: String::new() };
        let first = self.paths.first().map(|path| self.planned(path, ""));
        self.sealed.then(certificate).into_iter().chain(first).collect()
    }

    fn plan_onward(&self) -> Option<Result<(Grant, Vec<Planned>), Refused>> {
        let path = self.paths.get(1)?;
        let planned = vec![self.planned(path, "on a connection of its own, only if the first answer is not 401")];
        Some(self.grant_of(path).map(|grant| (grant, planned)))
    }
}

/// One page after the other.
struct Pages {
    asked: Questions,
    /// Which path is next.
    at: usize,
    /// Whether the question of this connection was put.
    out: bool,
    answer: Answer,
    bytes: usize,
}

impl Pages {
    fn rest(&self) -> &[String] {
        self.asked.paths.get(self.at..).unwrap_or_default()
    }

    fn whole(&self) -> Take {
        self.answer.unread().map_or(Take::Answer, Take::Unread)
    }
}

impl Dialogue for Pages {
    fn next(&mut self) -> Next {
        let Some(path) = self.rest().first().filter(|_| !self.out).cloned() else { return Next::Done };
        (self.at, self.out, self.answer, self.bytes) = (self.at.saturating_add(1), true, Answer::default(), 0);
        Next::Put(self.asked.put(&path))
    }

    /// What came; where an answer ends, [`Answer`] tells.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        Ok(Some(bytes.len()))
    }

    fn ends_by_close(&self) -> bool {
        self.answer.ends_by_close()
    }

    fn take(&mut self, message: &[u8]) -> Take {
        self.bytes = self.bytes.saturating_add(message.len());
        match self.answer.take(message) {
            Err(_) => Take::Hostile("what it sends is no answer of HTTP/1, or has a head without an end"),
            Ok(true) => self.whole(),
            // Nothing of such a page is read; its length is its own matter.
            Ok(false) if self.answer.code().is_some() && self.answer.unread().is_some() => self.whole(),
            Ok(false) if self.bytes < ANSWER_BYTES_MAX => Take::More,
            Ok(false) if self.answer.says_its_length() => {
                Take::Unread(Malformed::wrong(PROTOCOL.name, ANSWER_BYTES_MAX, "a longer page than is read: the rest is left"))
            }
            Ok(false) => Take::Hostile("its answer is longer than is read, and says no length: it may have no end"),
        }
    }

    fn onward(&mut self) -> Option<Result<Grant, Refused>> {
        if self.answer.code() == Some(UNAUTHORIZED) {
            return None;
        }
        let grant = self.rest().first().map(|path| self.asked.grant_of(path))?;
        self.out = false;
        Some(grant)
    }

    fn unasked(&self) -> Vec<&'static str> {
        let stops = self.answer.code() == Some(UNAUTHORIZED);
        self.rest().iter().filter(|_| stops).map(|_| Get::NAME).collect()
    }
}

#[cfg(test)]
mod tests;
