//! HTTP/1 and RTSP: what a server calls itself, asks a password for, and has as its first page's title; what a client calls itself.
//!
//! Sources: RFC 9110 clauses 10.1.5 (User-Agent), 10.2.4 (Server), 11.6.1 (WWW-Authenticate); RFC 9112 clauses 2 to 7 (messages, length of
//! a body); HTML, 4.2.2 (title) and 4.5.3 (strong); RFC 2326 clauses 4 to 7 (RTSP, messages like HTTP/1.1's).
//!
//! Bodies are passed over without being held, but for the first bytes of a page. Requests and answers are told apart by their first
//! line. After a gap the next segment that starts with such a line goes on.

mod answer;
mod body;
mod question;

use std::collections::VecDeque;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::head::{Head, first_product, speaks};
use crate::tcp::At;
use crate::told::Told;
use crate::{Address, Authority, Malformed, Reading, Shape};
use body::Body;

pub use answer::Answer;
pub use question::{Get, PORT, TLS_PORT};

/// HTTP, versions 1.0 and 1.1.
pub static PROTOCOL: Protocol = Protocol {
    name: HTTP.name,
    carries: &[],
    tcp: &[80, 8080, 8000, 8008, 8081, 8088, 8888, 2869, 5357, 5985],
    udp: &[],
    link: &[],
    likeness: |bytes, _| likeness(&HTTP, bytes),
    start: |_| Box::new(Connection::new(&HTTP)),
};

/// RTSP: cameras.
pub static RTSP_PROTOCOL: Protocol = Protocol {
    name: RTSP.name,
    carries: &[],
    tcp: &[554, 8554],
    udp: &[],
    link: &[],
    likeness: |bytes, _| likeness(&RTSP, bytes),
    start: |_| Box::new(Connection::new(&RTSP)),
};

/// What differs between the two.
#[derive(Debug)]
struct Dialect {
    name: &'static str,
    version: &'static str,
    server: &'static str,
    client: &'static str,
}

static HTTP: Dialect = Dialect { name: "http", version: "HTTP/1.", server: "http.answer", client: "http.request" };
static RTSP: Dialect = Dialect { name: "rtsp", version: "RTSP/1.", server: "rtsp.answer", client: "rtsp.request" };

/// A head that is held; servers take 8 to 16 KiB. A longer one is passed over.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a page that are searched for its title and its first strong text: they stand at the top of what an embedded server sends.
const PAGE_BYTES_MAX: usize = 2 * 1024;
/// Requests that wait for their answer; browsers do not pipeline, and 32 is what servers let wait.
const REQUESTS_PENDING_MAX: usize = 32;

fn likeness(dialect: &Dialect, bytes: &[u8]) -> Likeness {
    match speaks(bytes, dialect.version) {
        Some(true) => Likeness::Certain,
        Some(false) => Likeness::No,
        None => Likeness::Possible,
    }
}

#[derive(Debug)]
struct Connection {
    dialect: &'static Dialect,
    sides: [Side; 2],
    /// Whether each request's answer has a body, as far as the request decides it.
    pending: VecDeque<bool>,
    told: Told,
    /// Who answered last, for what is handed on at the end.
    ends: [Address; 2],
    coverage: Coverage,
}

#[derive(Debug, Default)]
struct Side {
    state: State,
    /// A head, and behind it the first bytes of a page: never more than both caps.
    held: Vec<u8>,
    searched: usize,
    /// Where the head ends that is held with its page.
    page: Option<usize>,
}

#[derive(Debug, Default)]
enum State {
    /// A head begins, or goes on.
    #[default]
    Head,
    Body(Body),
    /// Nothing is known until a segment starts with a head.
    Lost,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let index = usize::from(said.by_server);
        self.ends[index] = said.speaker();
        let mut side = core::mem::take(&mut self.sides[index]);
        self.take(&mut side, said.bytes, (index, said.at), out);
        self.sides[index] = side;
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let index = usize::from(by_server);
        let mut side = core::mem::take(&mut self.sides[index]);
        side.state = match side.state {
            State::Head if side.held.is_empty() => State::Head,
            _ => State::Lost,
        };
        self.pending.clear();
        self.give_up(&mut side, (index, at), out);
        self.sides[index] = side;
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(false, at, out);
        self.lose(true, at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(self.dialect.name, self.coverage);
    }
}

impl Connection {
    fn new(dialect: &'static Dialect) -> Self {
        let (sides, pending, told) = (Default::default(), VecDeque::new(), Told::default());
        Self { dialect, sides, pending, told, ends: Default::default(), coverage: Coverage::default() }
    }

    fn take(&mut self, side: &mut Side, bytes: &[u8], by: (usize, At), out: &mut dyn FnMut(Heard)) {
        let mut rest = bytes;
        if matches!(side.state, State::Lost) && speaks(bytes, self.dialect.version) == Some(true) {
            side.state = State::Head;
        }
        while !rest.is_empty() {
            let used = match &mut side.state {
                State::Lost => return,
                State::Head => self.head(side, rest, by, out),
                State::Body(body) => {
                    let (used, done) = body.take(rest);
                    let taken = rest.get(..used).unwrap_or(rest);
                    if done {
                        side.state = State::Head;
                    }
                    self.page(side, taken, done, by, out);
                    used
                }
            };
            rest = rest.get(used..).unwrap_or_default();
        }
    }

    /// Takes bytes of a head; returns how many of them are its own.
    fn head(&mut self, side: &mut Side, bytes: &[u8], by: (usize, At), out: &mut dyn FnMut(Heard)) -> usize {
        let before = side.held.len();
        let taken = bytes.get(..HEAD_BYTES_MAX - before.min(HEAD_BYTES_MAX)).unwrap_or(bytes);
        side.held.extend_from_slice(taken);
        if speaks(&side.held, self.dialect.version) == Some(false) {
            // The first bytes are no head: a body was longer than it said, or the stream is something else now.
            self.coverage.seen += 1;
            (side.held, side.searched, side.state) = (Vec::new(), 0, State::Lost);
            return bytes.len();
        }
        let Some(end) = Head::read(&side.held, side.searched).end() else {
            side.searched = side.held.len();
            if side.held.len() == HEAD_BYTES_MAX {
                side.state = State::Lost;
                self.give_up(side, by, out);
                let malformed = Malformed::wrong(self.dialect.name, HEAD_BYTES_MAX, "a head is longer than is held");
                out(Heard::Malformed { speaker: self.ends[by.0].clone(), at: by.1, malformed });
            }
            return taken.len();
        };
        side.held.truncate(end);
        side.searched = 0;
        self.coverage.seen += 1;
        self.coverage.decoded += 1;
        self.begin_body(side, by, out);
        end - before
    }

    /// A head is all there: says what follows it, and hands on what it tells unless a page's title is to come.
    fn begin_body(&mut self, side: &mut Side, by: (usize, At), out: &mut dyn FnMut(Heard)) {
        let head = Head::read(&side.held, 0);
        let is_answer = side.held.starts_with(self.dialect.version.as_bytes());
        let body = if is_answer {
            let has_body = self.pending.pop_front();
            body::of_answer(&head, has_body, self.dialect.name == RTSP.name)
        } else {
            if self.pending.len() == REQUESTS_PENDING_MAX {
                self.pending.clear();
            }
            self.pending.push_back(!(side.held.starts_with(b"HEAD ") || side.held.starts_with(b"CONNECT ")));
            body::of_request(&head)
        };
        // The title of an error is the server's, not the device's.
        let is_ok = head.line().and_then(|line| line.get(9..12)) == Some(b"200");
        let is_page = is_answer && is_ok && body.is_some() && is_html(&head);
        side.state = body.map_or(State::Head, State::Body);
        if is_page {
            side.page = Some(side.held.len());
        } else {
            self.tell(side, true, by, out);
        }
    }

    /// Takes bytes of a body that may be a page with a title.
    fn page(&mut self, side: &mut Side, bytes: &[u8], done: bool, by: (usize, At), out: &mut dyn FnMut(Heard)) {
        let Some(start) = side.page else { return };
        let room = (start + PAGE_BYTES_MAX).saturating_sub(side.held.len());
        side.held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let ends = ends_of_texts(&side.held, start);
        // A chunk's end may stand in the middle of a text: only the first chunk is searched.
        let cut = matches!(&side.state, State::Body(body) if body.is_past_first_chunk());
        if ends.iter().all(Option::is_some) || done || cut || bytes.len() >= room {
            side.held.truncate(ends.into_iter().flatten().max().unwrap_or(side.held.len()));
            self.tell(side, true, by, out);
        }
    }

    /// Hands on what is held of an answer that will not be whole.
    fn give_up(&mut self, side: &mut Side, by: (usize, At), out: &mut dyn FnMut(Heard)) {
        if !side.held.is_empty() {
            let last = side.page.and_then(|start| ends_of_texts(&side.held, start).into_iter().flatten().max());
            side.held.truncate(last.unwrap_or(side.held.len()));
            self.tell(side, last.is_some(), by, out);
        }
    }

    /// Who takes part, and what the head and the page in `side` tell; they are done with then.
    fn tell(&mut self, side: &mut Side, complete: bool, (index, at): (usize, At), out: &mut dyn FnMut(Heard)) {
        let (held, page) = (core::mem::take(&mut side.held), side.page.take());
        side.searched = 0;
        let Dialect { name, version, server, client } = *self.dialect;
        let (head, speaker) = (Head::read(&held, 0), self.ends[index].clone());
        let is_answer = held.starts_with(version.as_bytes());
        let role = if is_answer { Role::Server } else { Role::Client };
        if head.line().is_some() && self.told.is_new(role) {
            out(Heard::Present { protocol: name, role, speaker: speaker.clone(), at });
        }
        let mut reading = Reading::of(name, Over::Tcp, if is_answer { server } else { client }, speaker, at, &held);
        head.secrets().into_iter().for_each(|secret| reading.hide(secret));
        if is_answer {
            if let Some(range) = head.field("server") {
                reading.fact(format!("{name}.server"), Shape::Text, range.clone());
                first_product(&held, range).into_iter().for_each(|range| reading.fact(format!("{name}.product"), Shape::Text, range));
            }
            if let Some(range) = head.field("www-authenticate").and_then(|range| body::realm(&held, range)) {
                reading.fact(format!("{name}.realm"), Shape::Text, range);
            }
            if let Some(range) = page.and_then(|start| body::title(&held, start)) {
                reading.fact(format!("{name}.title"), Shape::Text, range);
            }
            if let Some(range) = page.and_then(|start| body::strong(&held, start)) {
                reading.fact(format!("{name}.strong"), Shape::Lines, range);
            }
        } else if let Some(range) = head.field("user-agent") {
            reading.authority = Authority::Client;
            reading.fact(format!("{name}.user_agent"), Shape::Text, range);
        }
        reading.complete = complete;
        reading.facts.retain(|fact| !fact.bytes.is_empty());
        if !reading.facts.is_empty() && self.told.is_news(&reading) {
            out(Heard::Reading(reading));
        }
    }
}

/// Where title and strong text of a page end with their marks, where they do.
fn ends_of_texts(held: &[u8], page: usize) -> [Option<usize>; 2] {
    let title = body::title(held, page).map(|text| text.end + body::TITLE_END.len());
    [title, body::strong(held, page).map(|text| text.end + body::STRONG_END.len())]
}

fn is_html(head: &Head<'_>) -> bool {
    let html = head.value("content-type").is_some_and(|kind| kind.get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/html")));
    let plain = head.value("content-encoding").is_none_or(|coding| coding.eq_ignore_ascii_case(b"identity"));
    html && plain
}

#[cfg(test)]
mod tests;
