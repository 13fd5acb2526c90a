//! Servers that speak first: FTP (RFC 959), SSH (RFC 4253, 4.2), Telnet (RFC 854, 855). Whoever logs in, or says more than a goodbye or a refusal, trips.

use std::sync::Arc;

use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::report::Speaker;

/// A server that greets.
pub type Device = crate::device::Device<Persona>;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// FTP.
    Ftp,
    /// SSH.
    Ssh,
    /// Telnet.
    Telnet,
}

/// A server as data.
#[derive(Clone, Debug)]
pub struct Persona {
    /// Which.
    pub server: Server,
    /// Its text, line by line: FTP's without numbers, SSH's with the version line last.
    pub lines: Vec<Vec<u8>>,
    /// Telnet: the question for a name, behind the text.
    pub prompt: Vec<u8>,
    /// Telnet: what it wants settled before it shows its text, DO (253) or WILL (251) and the option each.
    pub options: Vec<[u8; 2]>,
}

/// Lines that may be said to a Telnet server (read-only.md, section 2).
const REFUSALS_MAX: u32 = 16;
/// IAC, verb, option.
const REFUSAL_BYTES: usize = 3;
const IAC: u8 = 255;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const DONT: u8 = 254;
const ECHO: u8 = 1;
const TERMINAL_TYPE: u8 = 24;
const QUIT: &[u8] = b"QUIT\r\n";

impl Persona {
    /// One that says these lines; Telnet's wants two options settled first.
    pub fn new(server: Server, lines: &[&[u8]], prompt: &[u8]) -> Self {
        let lines = lines.iter().map(|line| line.to_vec()).collect();
        let options = if server == Server::Telnet { vec![[WILL, ECHO], [DO, TERMINAL_TYPE]] } else { Vec::new() };
        Self { server, lines, prompt: prompt.to_vec(), options }
    }

    /// What it says of itself.
    fn text(&self) -> Vec<u8> {
        let last = self.lines.len().saturating_sub(1);
        let numbered = |(at, line): (usize, &Vec<u8>)| match self.server {
            Server::Ftp => [if at == last { &b"220 "[..] } else { b"220-" }, line, b"\r\n"].concat(),
            Server::Ssh | Server::Telnet => [line.as_slice(), b"\r\n"].concat(),
        };
        let lines = self.lines.iter().enumerate().flat_map(numbered);
        lines.chain(self.prompt.iter().copied()).collect()
    }
}

impl Language for Persona {
    fn port(&self) -> u16 {
        match self.server {
            Server::Ftp => 21,
            Server::Ssh => 22,
            Server::Telnet => 23,
        }
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        match self.server {
            Server::Ftp => 1,
            Server::Ssh => 0,
            Server::Telnet => REFUSALS_MAX,
        }
    }

    fn speaks_first(&self) -> bool {
        true
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Session { persona: self.clone(), refused: Vec::new() })
    }

    fn sample(&self) -> Vec<u8> {
        match self.server {
            Server::Ftp => QUIT.to_vec(),
            Server::Ssh => Vec::new(),
            Server::Telnet => vec![IAC, DONT, ECHO],
        }
    }

    fn layout(&self, _: &[u8]) -> Layout {
        Layout::default()
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        let lines = || match self.server {
            Server::Ssh => vec![[b"SSH-2.0-", hostile_text(0, 40).as_slice()].concat()],
            Server::Ftp | Server::Telnet => (0..9).map(|number| hostile_text(number, 80)).collect(),
        };
        (*fault == Fault::HostileText).then(|| Arc::new(Self { lines: lines(), ..self.clone() }) as Arc<dyn Language>)
    }
}

struct Session {
    persona: Persona,
    /// Options that were refused, as they were named.
    refused: Vec<[u8; 2]>,
}

impl Talk for Session {
    fn greets(&mut self) -> Vec<Vec<u8>> {
        if self.persona.options.is_empty() {
            return vec![self.persona.text()];
        }
        vec![self.persona.options.iter().flat_map(|[verb, option]| [IAC, *verb, *option]).collect()]
    }

    fn cut(&self, heard: &[u8]) -> Cut {
        match (self.persona.server, heard) {
            (Server::Ftp, _) if heard.ends_with(b"\n") => Cut::Whole(heard.len()),
            (Server::Ftp, _) if heard.len() < QUIT.len() => Cut::More,
            (Server::Ftp, _) => Cut::Broken("a line that is not QUIT"),
            (Server::Ssh, _) => Cut::Broken("a byte: nothing is said to SSH"),
            // Several in one read: nobody answers them, so that nobody waits between them.
            (Server::Telnet, [IAC, WONT | DONT, _, ..]) => Cut::Whole(heard.len() / REFUSAL_BYTES * REFUSAL_BYTES),
            (Server::Telnet, [IAC] | [IAC, WONT | DONT]) => Cut::More,
            (Server::Telnet, _) => Cut::Broken("something other than the refusal of an option"),
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        if self.persona.server == Server::Ftp {
            return match question {
                QUIT => Heard { hangs_up: true, ..Heard::answered(b"221 Goodbye\r\n".to_vec()) },
                _ => Heard::tripped(b"530 Log in first\r\n".to_vec(), "a line that is not QUIT"),
            };
        }
        let before = self.refused.len();
        let trips: Vec<&str> = question.chunks(REFUSAL_BYTES).filter_map(|refusal| self.refuse(refusal)).collect();
        let is_settled = before < self.refused.len() && self.refused.len() == self.persona.options.len();
        Heard { answers: is_settled.then(|| self.persona.text()).into_iter().collect(), trips, hangs_up: false }
    }
}

impl Session {
    /// What is wrong with it.
    fn refuse(&mut self, refusal: &[u8]) -> Option<&'static str> {
        let named = match *refusal {
            [IAC, WONT, option] => [DO, option],
            [IAC, DONT, option] => [WILL, option],
            _ => return Some("something other than the refusal of an option"),
        };
        if !self.persona.options.contains(&named) {
            return Some("the refusal of an option that was not named");
        }
        if self.refused.contains(&named) {
            return Some("the refusal of an option for the second time");
        }
        self.refused.push(named);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Carrier::Tcp;
    use crate::rehearsal::rehearse;
    use crate::story::check;

    fn persona(server: Server) -> Persona {
        let lines: &[&[u8]] = if server == Server::Ssh { &[b"SSH-2.0-x"] } else { &[b"Acme", b"V1"] };
        Persona::new(server, lines, if server == Server::Telnet { b"login: " } else { b"" })
    }

    #[test]
    fn each_speaks_first() {
        let says = |server, questions: &[Vec<u8>]| {
            let heard = rehearse(&persona(server), Tcp, questions);
            assert!(heard.trips.is_empty(), "{:?}", heard.trips);
            (heard.greeting.concat(), heard.answers().concat())
        };
        assert_eq!(says(Server::Ssh, &[]), (b"SSH-2.0-x\r\n".to_vec(), Vec::new()));
        assert_eq!(says(Server::Ftp, &[QUIT.to_vec()]), (b"220-Acme\r\n220 V1\r\n".to_vec(), b"221 Goodbye\r\n".to_vec()));
        let refusals = [vec![IAC, DONT, 1], vec![IAC, WONT, 24]];
        assert_eq!(says(Server::Telnet, &refusals), (b"\xff\xfb\x01\xff\xfd\x18".to_vec(), b"Acme\r\nV1\r\nlogin: ".to_vec()));
    }

    #[test]
    fn all_else_trips() {
        for (server, line, whys) in [
            (Server::Ssh, &b"SSH-2.0-nameplate\r\n"[..], &["nothing is said to SSH"][..]),
            (Server::Ftp, b"USER a\r\n", &["not QUIT"]),
            (Server::Ftp, b"QUIT\n", &["not QUIT"]),
            (Server::Telnet, b"\xff\xfb\x18", &["other than the refusal"]),
            (Server::Telnet, b"admin\r\n", &["other than the refusal"]),
            (Server::Telnet, b"\xff\xfe\x18", &["not named"]),
            (Server::Telnet, b"\xff\xfe\x01\xff\xfe\x01", &["second time"]),
        ] {
            check("all else", &persona(server), Tcp, &[line.to_vec()], whys);
        }
    }
}
