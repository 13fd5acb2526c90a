//! Telnet: the text with which a device greets, up to where it asks for a user's name.
//!
//! Sources: RFC 854 (commands), RFC 855 (options and their subnegotiation).
//!
//! What a user types is never kept; nothing is held behind the first question for a name or a password.

use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::head::speaks;
use crate::tcp::At;
use crate::{Address, Reading, Shape, sel_ascii};

/// Telnet, and the setup of Lantronix' device servers (9999), which greets in the same way.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[PORT, 9999], udp: &[], link: &[], likeness, start: |_| Box::new(Connection::default()) };

const NAME: &str = "telnet";
/// Its TCP port.
pub const PORT: u16 = 23;
/// What a server says before it is asked.
pub const GREETING: &str = "telnet.greeting";
/// Our answer to an option, on the allowlist.
pub const REFUSAL: &str = "telnet.refusal";
/// Greetings that name a device come to some hundred bytes, legal notices included to two thousand.
pub const GREETING_BYTES_MAX: usize = 2 * 1024;
/// Lines of text that are facts.
const LINES_MAX: usize = 24;
/// Options in use (IANA telnet-options); another number after IAC is no negotiation.
const LAST_OPTION: u8 = 50;

const IAC: u8 = 255;
const SUBNEGOTIATION: u8 = 250;
const SUBNEGOTIATION_END: u8 = 240;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;

/// With these a device asks who is there: what comes next is a user's.
const PROMPTS: [&[u8]; 4] = [b"login:", b"username", b"user name", b"password"];

fn likeness(bytes: &[u8], _: Over) -> Likeness {
    let negotiates = |bytes: &[u8]| matches!(bytes, [IAC, WILL..=DONT, 0..=LAST_OPTION]);
    // Two others that are text, and have the same ports now and then.
    if bytes.starts_with(b"SSH-") || speaks(bytes, "HTTP/1.") == Some(true) {
        return Likeness::No;
    }
    match bytes {
        [a @ .., _, _, _] if a.get(..3).is_some_and(negotiates) && bytes.get(3..6).is_some_and(negotiates) => Likeness::Certain,
        [IAC, WILL..=DONT, ..] | [b'\r' | b'\n' | b'\t' | 0x1b | 0x20..=0x7e, ..] => Likeness::Possible,
        _ => Likeness::No,
    }
}

#[derive(Debug, Default)]
struct Connection {
    held: Vec<u8>,
    speaker: Address,
    /// The greeting was told, or its beginning was not heard.
    done: bool,
    coverage: Coverage,
    /// A relay's command line, where it is one.
    relay: sel_ascii::Connection,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        self.coverage.decoded += 1;
        self.relay.hear(said, out);
        if self.done {
            return;
        }
        if !said.by_server {
            // A client negotiates, too; what else it sends is a user's.
            if said.bytes.first() != Some(&IAC) {
                self.tell(said.at, out);
            }
            return;
        }
        self.speaker = said.speaker();
        let room = GREETING_BYTES_MAX.saturating_sub(self.held.len());
        self.held.extend_from_slice(said.bytes.get(..room).unwrap_or(said.bytes));
        if self.held.len() >= GREETING_BYTES_MAX || prompt(&self.held).is_some() {
            self.tell(said.at, out);
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        self.relay.lose(by_server, at, out);
        if by_server {
            self.tell(at, out);
        }
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.relay.finish(at, out);
        self.tell(at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
        self.relay.coverage(each);
    }
}

impl Connection {
    fn tell(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        if core::mem::replace(&mut self.done, true) || self.held.is_empty() {
            return;
        }
        let mut held = core::mem::take(&mut self.held);
        let prompt = prompt(&held);
        held.truncate(prompt.clone().map_or(held.len(), |prompt| prompt.end));
        out(Heard::Present { protocol: NAME, role: Role::Server, speaker: self.speaker.clone(), at });
        let mut reading = Reading::of(NAME, Over::Tcp, GREETING, self.speaker.clone(), at, &held);
        reading.complete = prompt.is_some() || held.len() >= GREETING_BYTES_MAX;
        for (index, line) in lines(&held).into_iter().enumerate() {
            reading.fact(format!("telnet.line.{}", index + 1), Shape::Text, line);
        }
        if let Some(prompt) = prompt {
            reading.fact("telnet.prompt", Shape::Text, prompt);
        }
        if !reading.facts.is_empty() {
            out(Heard::Reading(reading));
        }
    }
}

/// Where the line stands, up to its colon or last word, that asks who is there.
fn prompt(bytes: &[u8]) -> Option<Range<usize>> {
    let of_word = |word: &&[u8]| {
        let at = bytes.windows(word.len()).position(|window| window.eq_ignore_ascii_case(word))?;
        Some(at..at + word.len())
    };
    let word = PROMPTS.iter().filter_map(of_word).min_by_key(|word| word.start)?;
    let before = bytes.get(..word.start)?;
    let start = before.iter().rposition(|byte| matches!(byte, b'\r' | b'\n' | 0) || *byte >= 0x80).map_or(0, |end| end + 1);
    // A command's option is a byte like any other: where one stands before the line, the line starts behind it.
    let start = commands(bytes).into_iter().map(|command| command.end).filter(|end| *end <= word.start).fold(start, usize::max);
    Some(start..word.end)
}

/// Whether these bytes ask who is there: what comes next is a user's.
#[must_use]
pub fn asks_who_is_there(bytes: &[u8]) -> bool {
    prompt(bytes).is_some()
}

/// Whether there is text in them beside the commands.
#[must_use]
pub fn has_text(bytes: &[u8]) -> bool {
    let commands = commands(bytes);
    let text = |at: &usize| !commands.iter().any(|command| command.contains(at));
    (0..bytes.len()).filter(text).any(|at| bytes.get(at).is_some_and(u8::is_ascii_graphic))
}

/// How many of these bytes are text and whole commands; a command that goes on stands behind them.
#[must_use]
pub fn whole(bytes: &[u8]) -> usize {
    let is_whole = |command: &[u8]| match command {
        [_, SUBNEGOTIATION, .., IAC, SUBNEGOTIATION_END] => true,
        [_, SUBNEGOTIATION, ..] => false,
        [_, WILL..=DONT, rest @ ..] => !rest.is_empty(),
        _ => command.len() > 1,
    };
    let last = commands(bytes).pop().filter(|last| !bytes.get(last.clone()).is_some_and(is_whole));
    last.map_or(bytes.len(), |last| last.start)
}

/// What refuses each option that the device wants or offers here, in its order: DO is met with WONT, WILL with DONT (RFC 854, "option negotiation").
/// WONT and DONT want nothing.
#[must_use]
pub fn refusals(bytes: &[u8]) -> Vec<[u8; 3]> {
    let refusal = |command: Range<usize>| match bytes.get(command)? {
        [_, DO, option] => Some([IAC, WONT, *option]),
        [_, WILL, option] => Some([IAC, DONT, *option]),
        _ => None,
    };
    commands(bytes).into_iter().filter_map(refusal).collect()
}

/// Where the commands stand.
pub(crate) fn commands(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == IAC)).map(|iac| at + iac) {
        at = match bytes.get(start + 1) {
            Some(&SUBNEGOTIATION) => {
                let end = bytes.get(start..).and_then(|rest| rest.windows(2).position(|pair| pair == [IAC, SUBNEGOTIATION_END]));
                end.map_or(bytes.len(), |end| start + end + 2)
            }
            Some(&(WILL..=DONT)) => (start + 3).min(bytes.len()),
            _ => (start + 2).min(bytes.len()),
        };
        found.push(start..at);
    }
    found
}

/// Lines of text whose end was heard and in which no command stands.
fn lines(bytes: &[u8]) -> Vec<Range<usize>> {
    let commands = commands(bytes);
    let (mut found, mut start, mut at, mut torn) = (Vec::new(), 0, 0, false);
    let mut next = commands.iter().peekable();
    while let Some(byte) = bytes.get(at).filter(|_| found.len() < LINES_MAX) {
        if let Some(command) = next.next_if(|command| command.start == at) {
            // Before a line's first character a command does no harm.
            torn |= at > start;
            at = command.end;
            start = if torn { start } else { at };
            continue;
        }
        if matches!(byte, b'\r' | b'\n' | 0) {
            let text = bytes.get(start..at).unwrap_or_default();
            let from = start + (text.len() - text.trim_ascii_start().len());
            let to = from + text.trim_ascii().len();
            if !torn && to > from {
                found.push(from..to);
            }
            (start, torn) = (at + 1, false);
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests;
