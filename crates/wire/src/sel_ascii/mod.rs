//! SEL's ASCII protocol, over Telnet, raw TCP or a serial line: the answers to `ID` and `STA`.
//!
//! Sources: SEL-311L and SEL-700G instruction manuals, "ASCII commands" (levels, prompts, `ID`); real answers, quoted in the tests, which give
//! the rule of the check digits. A line is `"NAME=value","CCCC"`; CCCC is the sum of the bytes of `"NAME=value",` with both quotes and the comma,
//! modulo 65536. A line whose digits are others tells nothing.
//!
//! What a user types is never kept, and nothing of what a relay says before the first such line: a password may be echoed in it.

mod line;
mod question;
mod report;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Malformed, Reading, Shape};

use line::{Line, lines};
pub use line::{Prompt, asks_for_level, prompt, tells_serial, tells_version};
pub use question::Question;
use report::{Labelled, labelled};

/// A relay's command line. On its port Telnet's decoder hears it, and lets this one hear with it.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[PORT], udp: &[], link: &[], likeness, start: |over| Box::new(Connection::over(over)) };

/// Its TCP port, Telnet's.
pub const PORT: u16 = 23;
pub(crate) const NAME: &str = "sel-ascii";
/// The longest answer to `ID` that was seen has 700 bytes; reports of events, which nobody reads here, have many times that.
pub const ANSWER_BYTES_MAX: usize = 16 << 10;

fn likeness(bytes: &[u8], _: Over) -> Likeness {
    match bytes {
        _ if tells_version(bytes) => Likeness::Certain,
        [b'\r' | b'\n' | 2 | 0x20..=0x7e | 0xff, ..] => Likeness::Possible,
        _ => Likeness::No,
    }
}

/// One user's command line, or a part of a Telnet connection.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    over: Over,
    /// What the relay said since its last prompt.
    held: Vec<u8>,
    speaker: Address,
    present: bool,
    answers: u64,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        if !said.by_server {
            return;
        }
        self.speaker = said.speaker();
        let room = ANSWER_BYTES_MAX.saturating_sub(self.held.len());
        self.held.extend_from_slice(said.bytes.get(..room).unwrap_or(said.bytes));
        if prompt(&self.held).is_some() || self.held.len() >= ANSWER_BYTES_MAX {
            self.tell(said.at, out);
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        if by_server {
            self.tell(at, out);
        }
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.tell(at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        if self.answers > 0 {
            each(NAME, Coverage { seen: self.answers, decoded: self.answers });
        }
    }
}

impl Connection {
    pub(crate) fn over(over: Over) -> Self {
        Self { over, ..Self::default() }
    }

    /// Reads what is held: from its first line with check digits on.
    fn tell(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        let held = core::mem::take(&mut self.held);
        let Some(first) = lines(&held).next() else { return self.report(at, &held, out) };
        let held = held.get(first.start..).unwrap_or_default();
        self.is_there(at, out);
        let mut reading = Reading::of(NAME, self.over, Question::Id.name(), self.speaker.clone(), at, held);
        reading.complete = prompt(held).is_some();
        for Line { start, name, value, sound } in lines(held) {
            let path = held.get(name).map(path).unwrap_or_default();
            if !sound {
                reading.broken(Malformed::wrong(
                    NAME,
                    start,
                    "check digits: the sum of the line's bytes, both quotes and the comma included",
                ));
            } else if reading.facts.iter().any(|fact| fact.path == path) {
                reading.broken(Malformed::wrong(NAME, start, "a name stands once in the answer to ID"));
            } else if !value.is_empty() {
                reading.fact(path, Shape::Text, value);
            }
        }
        out(Heard::Reading(reading));
    }

    /// Reads what is held as a status report, from its first label on.
    fn report(&mut self, at: At, held: &[u8], out: &mut dyn FnMut(Heard)) {
        let labelled = labelled(held);
        let Some(first) = labelled.first() else { return };
        self.is_there(at, out);
        let mut reading =
            Reading::of(NAME, self.over, Question::Status.name(), self.speaker.clone(), at, held.get(first.start..).unwrap_or_default());
        reading.complete = prompt(held).is_some();
        for Labelled { start: _, name, value } in &labelled {
            let value = value.start.saturating_sub(first.start)..value.end.saturating_sub(first.start);
            reading.fact(path(name.as_bytes()), Shape::Text, value);
        }
        out(Heard::Reading(reading));
    }

    /// A relay spoke.
    fn is_there(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        if !core::mem::replace(&mut self.present, true) {
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker: self.speaker.clone(), at });
        }
        self.answers += 1;
    }
}

/// A line's name as a fact's: `SEL DISPLAY PACKAGE` is `sel-ascii.sel_display_package`.
fn path(name: &[u8]) -> String {
    let letter = |byte: &u8| if *byte == b' ' { '_' } else { char::from(byte.to_ascii_lowercase()) };
    let name: String = name.iter().map(letter).collect();
    format!("{NAME}.{name}")
}

#[cfg(test)]
mod tests;
