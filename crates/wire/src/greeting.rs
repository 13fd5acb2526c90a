//! Servers that greet whoever connects with a line of text: FTP, SMTP, POP3, IMAP, VNC.
//!
//! Sources: RFC 959 clauses 4.2 (replies of several lines) and 5.4 (220, 215); RFC 5321 clauses 4.2 and 4.3.1; RFC 1939 clause 4; RFC 3501
//! clause 7.1; RFC 6143 clause 7.1.1.
//!
//! A client's lines are counted and never kept: passwords stand in them.

use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Malformed, Reading, Shape};

/// FTP's port for control connections.
pub const FTP_PORT: u16 = 21;
/// What an FTP server says before it is asked.
pub const FTP_GREETING: &str = "ftp.greeting";
/// FTP's goodbye (RFC 959, 4.1.1); the one line that is ever said to such a server.
pub const FTP_QUIT: &[u8] = b"QUIT\r\n";
/// Its name on the allowlist.
pub const FTP_QUIT_NAME: &str = "ftp.quit";
/// FTP's code of a server that is ready for somebody new (RFC 959, 5.4).
const READY: &[u8] = b"220";

/// Where the reply of an FTP server ends that starts here, and whether it is ready; `None` while more of it has to come.
///
/// # Errors
/// [`Malformed`] where these are no lines of a reply (RFC 959, 4.2), or more than any greeting has.
pub fn ftp_reply(bytes: &[u8]) -> Result<Option<(usize, bool)>, Malformed> {
    let (mut end, mut is_first) = (0, true);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_whole = line.ends_with(b"\n");
        let read = numbered(line.trim_ascii_end());
        if is_first && (is_whole || line.len() > READY.len()) && read.is_none() {
            return Err(Malformed::wrong(FTP_DIALECT.name, 0, "a reply begins with three digits (RFC 959, 4.2)"));
        }
        end += line.len();
        if is_whole && read.is_some_and(|line| line.last) {
            return Ok(Some((end, bytes.starts_with(READY))));
        }
        is_first = false;
    }
    if end > REPLY_BYTES_MAX {
        return Err(Malformed::wrong(FTP_DIALECT.name, REPLY_BYTES_MAX, "a greeting ends"));
    }
    Ok(None)
}

/// What differs between them.
#[derive(Debug)]
struct Dialect {
    name: &'static str,
    question: &'static str,
    /// Reads a line, without its end, of a server's reply.
    line: fn(&[u8]) -> Option<Line>,
    /// A word that makes a greeting certain, in lower case.
    word: &'static [u8],
    /// Commands with which a client begins.
    commands: &'static [&'static str],
}

/// What a line of a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    /// Where its text starts.
    text: usize,
    last: bool,
    is: Is,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Greeting,
    /// The answer to SYST: the server's system.
    System,
    Other,
}

macro_rules! greeting {
    ($(#[$doc:meta])* $protocol:ident, $dialect:ident, $name:literal, $line:expr, $word:literal, $ports:expr, $commands:expr) => {
        static $dialect: Dialect =
            Dialect { name: $name, question: concat!($name, ".greeting"), line: $line, word: $word, commands: &$commands };
        $(#[$doc])*
        pub static $protocol: Protocol = Protocol {
            name: $name,
            carries: &[],
            tcp: &$ports,
            udp: &[],
            link: &[],
            likeness: |bytes, _| likeness(&$dialect, bytes),
            start: |_| Box::new(Connection::new(&$dialect)),
        };
    };
}

greeting!(/** FTP, the control connection. */ FTP, FTP_DIALECT, "ftp", numbered, b"ftp", [FTP_PORT], ["USER ", "AUTH ", "SYST", "FEAT"]);
greeting!(/** SMTP. */ SMTP, SMTP_DIALECT, "smtp", numbered, b"smtp", [25, 587], ["EHLO ", "HELO "]);
greeting!(/** POP3. */ POP3, POP3_DIALECT, "pop3", |line| status(line, b"+OK", b"-ERR"), b"pop", [110], ["USER ", "CAPA", "AUTH "]);
greeting!(/** IMAP. */ IMAP, IMAP_DIALECT, "imap", |line| status(line, b"* OK", b"* BYE"), b"imap", [143], []);
greeting!(/** The remote frame buffer of VNC: both sides greet. */ VNC, VNC_DIALECT, "vnc", frame_buffer, b"rfb 00", [5900, 5901], []);

/// A greeting that is held; RFC 959 and 5321 name 512 bytes a line, and greetings of servers have up to some twenty lines.
const REPLY_BYTES_MAX: usize = 4 * 1024;
/// Lines of a greeting that are facts: the first says what the server is, the others are its terms of use.
const LINES_MAX: usize = 8;

/// `220 text`, `220-text`: a reply of several lines ends with the first line whose number a blank follows.
fn numbered(line: &[u8]) -> Option<Line> {
    let [a @ b'1'..=b'5', b, c, separator @ (b' ' | b'-'), ..] = line else { return bare(line) };
    let is = match [*a, *b, *c] {
        [b'2', b'2', b'0'] => Is::Greeting,
        [b'2', b'1', b'5'] => Is::System,
        _ => Is::Other,
    };
    (b.is_ascii_digit() && c.is_ascii_digit()).then_some(Line { text: 4, last: *separator == b' ', is })
}

/// `220` with no text.
fn bare(line: &[u8]) -> Option<Line> {
    (line.len() == 3 && line.iter().all(u8::is_ascii_digit)).then_some(Line { text: 3, last: true, is: Is::Other })
}

fn status(line: &[u8], greeting: &[u8], other: &[u8]) -> Option<Line> {
    let text = greeting.len() + 1;
    match line {
        _ if line.starts_with(greeting) => Some(Line { text: text.min(line.len()), last: true, is: Is::Greeting }),
        _ if line.starts_with(other) => Some(Line { text: 0, last: true, is: Is::Other }),
        _ => None,
    }
}

/// `RFB 003.008`, exactly.
fn frame_buffer(line: &[u8]) -> Option<Line> {
    let digits = |at: Range<usize>| line.get(at).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
    let whole = line.len() == 11 && line.starts_with(b"RFB ") && digits(4..7) && line.get(7) == Some(&b'.') && digits(8..11);
    whole.then_some(Line { text: 4, last: true, is: Is::Greeting })
}

fn likeness(dialect: &Dialect, bytes: &[u8]) -> Likeness {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let line = bytes.get(..end).unwrap_or(bytes);
    let command = |command: &&str| {
        line.len() >= command.len() && line.get(..command.len()).is_some_and(|start| start.eq_ignore_ascii_case(command.as_bytes()))
    };
    match (dialect.line)(line) {
        // Only as much of a line as was heard: its number and the word that says what follows the number.
        Some(Line { is: Is::Greeting, .. }) if line.windows(dialect.word.len()).any(|word| word.eq_ignore_ascii_case(dialect.word)) => {
            Likeness::Certain
        }
        Some(_) => Likeness::Possible,
        None if dialect.commands.iter().any(command) => Likeness::Possible,
        None => Likeness::No,
    }
}

#[derive(Debug)]
struct Connection {
    dialect: &'static Dialect,
    /// The lines of a reply of which the last is missing.
    held: Vec<u8>,
    /// Bytes of `held` that are whole lines.
    whole: usize,
    /// Greeting, system, client: what was told.
    told: [bool; 3],
    /// The stream is no text any more: encrypted, or torn.
    over: bool,
    coverage: Coverage,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        if self.over {
            return;
        }
        if said.by_server {
            return self.reply(said, out);
        }
        // Only how many they are: a password may stand in any of them.
        let lines = said.bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.coverage.seen += lines;
        self.coverage.decoded += lines;
        if lines > 0 && !core::mem::replace(&mut self.told[2], true) {
            out(Heard::Present { protocol: self.dialect.name, role: Role::Client, speaker: said.speaker(), at: said.at });
        }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        if by_server {
            (self.held, self.whole) = (Vec::new(), 0);
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(self.dialect.name, self.coverage);
    }
}

impl Connection {
    const fn new(dialect: &'static Dialect) -> Self {
        Self { dialect, held: Vec::new(), whole: 0, told: [false; 3], over: false, coverage: Coverage { seen: 0, decoded: 0 } }
    }

    fn reply(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let mut rest = said.bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (piece, behind) = rest.split_at(end + 1);
            self.held.extend_from_slice(piece);
            rest = behind;
            let line = self.held.get(self.whole..).unwrap_or_default();
            let line = (self.dialect.line)(line.trim_ascii_end());
            self.whole = self.held.len();
            match line {
                Some(line) => {
                    self.coverage.seen += 1;
                    self.coverage.decoded += 1;
                    if line.last {
                        self.told_by(line.is, said.speaker(), said.at, out);
                    }
                }
                // Within a reply of several lines any text may stand; elsewhere it is a list or a mail, and nothing to hold.
                None if self.first_line().is_some_and(|first| !first.last) => {
                    self.coverage.seen += 1;
                    self.coverage.decoded += 1;
                }
                None => (self.held, self.whole) = (Vec::new(), 0),
            }
            if self.held.len() > REPLY_BYTES_MAX {
                (self.held, self.whole) = (Vec::new(), 0);
            }
        }
        self.held.extend_from_slice(rest);
        self.over = self.held.len() > 2 * REPLY_BYTES_MAX;
        if self.over {
            self.held = Vec::new();
        }
    }

    fn first_line(&self) -> Option<Line> {
        let end = self.held.iter().position(|byte| *byte == b'\n')?;
        (self.dialect.line)(self.held.get(..end)?.trim_ascii_end())
    }

    /// A reply is whole.
    fn told_by(&mut self, is: Is, speaker: Address, at: At, out: &mut dyn FnMut(Heard)) {
        let reply = core::mem::take(&mut self.held);
        self.whole = 0;
        let Dialect { name, question, .. } = *self.dialect;
        let (index, path) = match is {
            Is::Greeting => (0, "banner"),
            Is::System => (1, "system"),
            Is::Other => return,
        };
        if core::mem::replace(&mut self.told[index], true) {
            return;
        }
        if index == 0 {
            out(Heard::Present { protocol: name, role: Role::Server, speaker: speaker.clone(), at });
        }
        let mut reading = Reading::of(name, Over::Tcp, question, speaker, at, &reply);
        let (mut start, mut facts) = (0, 0);
        for line in reply.split_inclusive(|byte| *byte == b'\n') {
            let text = (self.dialect.line)(line.trim_ascii_end()).map_or(0, |line| line.text);
            let value = line.get(text..).unwrap_or_default();
            let from = start + text + (value.len() - value.trim_ascii_start().len());
            let to = from + value.trim_ascii().len();
            start += line.len();
            if to > from && facts < LINES_MAX {
                facts += 1;
                let path = if facts == 1 { format!("{name}.{path}") } else { format!("{name}.{path}.{facts}") };
                reading.fact(path, Shape::Text, from..to);
            }
        }
        if facts > 0 {
            out(Heard::Reading(reading));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    fn check(protocol: &Protocol, bytes: &str, expected: &[(&str, &str)]) {
        shorter::check(protocol, Over::Tcp, &[bytes.as_bytes()], expected);
    }

    #[test]
    fn a_greeting_is_told_when_its_last_line_is_whole() {
        check(
            &FTP,
            "220 NanoDAC FTP server (VxWorks VxWorks 6.6) ready.\r\n",
            &[("ftp.banner", "NanoDAC FTP server (VxWorks VxWorks 6.6) ready.")],
        );
        let lines = [("ftp.banner", "Welcome"), ("ftp.banner.2", "to plant 4"), ("ftp.banner.3", "ready")];
        check(&FTP, "220-Welcome\r\n  to plant 4 \r\n220-\r\n220 ready\r\n331 Password\r\n", &lines);
        check(&FTP, "220 \r\n215 VxWorks 5.4.2\r\n", &[("ftp.system", "VxWorks 5.4.2")]);
        check(&FTP, "331 Password\r\n", &[]);
        check(&SMTP, "220 mail ESMTP Postfix\r\n250-mail\r\n250 SIZE\r\n", &[("smtp.banner", "mail ESMTP Postfix")]);
        check(&POP3, "+OK Dovecot ready.\r\n+OK\r\n", &[("pop3.banner", "Dovecot ready.")]);
        check(&IMAP, "* OK [CAPABILITY IMAP4rev1] ready\r\n", &[("imap.banner", "[CAPABILITY IMAP4rev1] ready")]);
        check(&VNC, "RFB 003.008\n\x01\x02", &[("vnc.banner", "003.008")]);
    }

    #[test]
    fn a_reply_of_ftp_ends_with_a_number_and_a_blank() {
        let check = |bytes: &str, expected: Option<(usize, bool)>| assert_eq!(ftp_reply(bytes.as_bytes()), Ok(expected), "{bytes:?}");
        check("", None);
        check("22", None);
        check("220 ready", None);
        check("220 ready\r\n", Some((11, true)));
        check("220 ready\r\n221 bye\r\n", Some((11, true)));
        check("220-a\r\n b\r\n220-c\r\n", None);
        check("220-a\r\n b\r\n220 c\r\n", Some((18, true)));
        check("220\r\n", Some((5, true)));
        check("421 too many\r\n", Some((14, false)));
        for bytes in ["SSH-2.0-x\r\n", "\r\n220 a\r\n", "hello", "220x\r\n"] {
            assert!(ftp_reply(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
        assert!(ftp_reply(&[b"220-".as_slice(), &[b'x'; REPLY_BYTES_MAX]].concat()).is_err());
    }

    #[test]
    fn a_clients_lines_are_not_kept() {
        let readings = FTP.replay(Over::Tcp, [&b"USER a\r\nPASS secret\r\n"[..]], [&b"220 x\r\n"[..]]);
        assert!(!format!("{readings:?}").contains(&format!("{:?}", b"secret")), "{readings:?}");
        assert_eq!(readings.len(), 1);
    }

    #[test]
    fn what_never_ends_is_not_held() {
        let mut connection = Connection::new(&FTP_DIALECT);
        let end = crate::conversation::End::default();
        for bytes in [&b"220-a\r\n"[..], &[b'x'; 900], b"y\r\n"].into_iter().cycle().take(90) {
            let said = Said { bytes, missing: 0, at: At::default(), from: &end, to: &end, by_server: true };
            connection.hear(&said, &mut |_| {});
            assert!(connection.held.len() <= 2 * REPLY_BYTES_MAX + 900);
        }
    }

    #[test]
    fn a_word_makes_a_greeting_certain() {
        let all = [&FTP, &SMTP, &POP3, &IMAP, &VNC];
        for (bytes, expected) in [
            ("220 a FTP server\r\n", [Likeness::Certain, Likeness::Possible, Likeness::No, Likeness::No, Likeness::No]),
            ("220-a ESMTP b\r\n", [Likeness::Possible, Likeness::Certain, Likeness::No, Likeness::No, Likeness::No]),
            ("+OK POP3 ready\r\n", [Likeness::No, Likeness::No, Likeness::Certain, Likeness::No, Likeness::No]),
            ("* OK IMAP4rev1\r\n", [Likeness::No, Likeness::No, Likeness::No, Likeness::Certain, Likeness::No]),
            ("RFB 003.008\n", [Likeness::No, Likeness::No, Likeness::No, Likeness::No, Likeness::Certain]),
            ("SSH-2.0-x\r\n", [Likeness::No; 5]),
            ("HTTP/1.1 220 FTP\r\n", [Likeness::No; 5]),
            ("\u{3}\0\0\u{16}", [Likeness::No; 5]),
        ] {
            let found = all.map(|protocol| (protocol.likeness)(bytes.as_bytes(), Over::Tcp));
            assert_eq!(found, expected, "{bytes:?}");
        }
    }
}
