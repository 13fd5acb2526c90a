//! Lines with check digits, and prompts.

use core::ops::Range;

use crate::telnet::commands;

/// Characters of a line's name; `CUSTOMER DISPLAY PACKAGE` has 24.
const NAME_BYTES_MAX: usize = 40;
/// `,"CCCC"`: comma, two quotes and the digits.
const DIGITS_BYTES: usize = 7;
/// What a relay says to a command above the level that the user has.
const OF_HIGHER_LEVEL: &[u8] = b"invalid access level";

/// With what a relay asks for the next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// `=`, level 0; or the beginning of another one.
    Nobody,
    /// `=>`, level 1: reading.
    Reader,
    /// `==>`, `=>>` and whatever else begins so: somebody may operate or set the relay here.
    Operator,
    /// It wants a password.
    Password,
}

/// A line of the form, whether or not its digits are right.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) sound: bool,
}

/// STX and ETX stand around an answer.
const fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0 | 2 | 3)
}

/// The prompt at the end of what a relay said; Telnet's commands in it do not count.
#[must_use]
pub fn prompt(said: &[u8]) -> Option<Prompt> {
    let start = said.iter().rposition(|byte| ends_line(*byte)).map_or(0, |end| end + 1);
    let tail = said.get(start..)?;
    let commands = commands(tail);
    let is_text = |at: &usize| !commands.iter().any(|command| command.contains(at));
    let text: Vec<u8> = (0..tail.len()).filter(is_text).filter_map(|at| tail.get(at).copied()).collect();
    match text.trim_ascii() {
        b"=" => Some(Prompt::Nobody),
        b"=>" => Some(Prompt::Reader),
        [b'=', rest @ ..] if rest.ends_with(b">") && rest.iter().all(|byte| matches!(byte, b'=' | b'>')) => Some(Prompt::Operator),
        [word @ .., b'?' | b':'] if word.get(..8).is_some_and(|word| word.eq_ignore_ascii_case(b"password")) => Some(Prompt::Password),
        _ => None,
    }
}

/// Whether a relay said that the command is one of a higher level.
#[must_use]
pub fn asks_for_level(said: &[u8]) -> bool {
    said.windows(OF_HIGHER_LEVEL.len()).any(|words| words.eq_ignore_ascii_case(OF_HIGHER_LEVEL))
}

/// Whether there is a line `FID=` among them whose check digits are right.
#[must_use]
pub fn tells_version(said: &[u8]) -> bool {
    lines(said).any(|line| line.sound && said.get(line.name) == Some(b"FID") && !line.value.is_empty())
}

/// Whether there is a line `SERIALNO=` among them whose check digits are right.
#[must_use]
pub fn tells_serial(said: &[u8]) -> bool {
    lines(said).any(|line| line.sound && said.get(line.name) == Some(b"SERIALNO") && !line.value.is_empty())
}

/// The lines of that form. One whose end has not come may go on, and says nothing yet.
pub(super) fn lines(said: &[u8]) -> impl Iterator<Item = Line> {
    let mut start = 0;
    let each = said.split(|byte| ends_line(*byte)).map(move |text| {
        let from = start;
        start += text.len() + 1;
        (from, text)
    });
    each.filter(|(start, text)| start + text.len() < said.len()).filter_map(|(start, text)| {
        // Telnet's commands can only stand before it: the line itself is ASCII.
        let skipped = text.iter().rposition(|byte| *byte >= 0x80).map_or(0, |at| at + 1);
        let quote = text.get(skipped..)?.iter().position(|byte| *byte == b'"')? + skipped;
        let line = text.get(quote..)?.trim_ascii_end();
        read(line).map(|(name, value, sound)| {
            let start = start + quote;
            let moved = |range: Range<usize>| start + range.start..start + range.end;
            Line { start, name: moved(name), value: moved(value), sound }
        })
    })
}

/// Name, value, and whether the digits are right.
fn read(line: &[u8]) -> Option<(Range<usize>, Range<usize>, bool)> {
    let (text, digits) = line.split_at_checked(line.len().checked_sub(DIGITS_BYTES)?)?;
    let [b',', b'"', digits @ .., b'"'] = digits else { return None };
    let [b'"', inner @ .., b'"'] = text else { return None };
    let equals = inner.iter().position(|byte| *byte == b'=')?;
    let name = inner.get(..equals)?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.iter().all(is_name) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let due = core::str::from_utf8(digits).ok().and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let sum = text.iter().fold(u16::from(b','), |sum, byte| sum.wrapping_add(u16::from(*byte)));
    Some((1..1 + equals, equals + 2..1 + inner.len(), due == Some(sum)))
}
