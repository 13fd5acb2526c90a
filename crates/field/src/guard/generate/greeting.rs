//! FTP, SSH and Telnet: what may be said to a server that greets.

use super::{Granted, Maker, Random, Start, Writer};
use crate::guard::{Endpoint, Greeting, Limits, Permit, Refused};

/// FTP's way.
pub static MAKER_FTP: Maker = Maker {
    protocol: "ftp",
    cells: &["login", "other command", "argument", "lower case", "line end", "telnet command"],
    start: |_, _| start(Greeting::Ftp, Granted::Ftp, Box::new(Ftp { told: false })),
};

/// SSH's way: there is none.
pub static MAKER_SSH: Maker = Maker {
    protocol: "ssh",
    cells: &["version line", "key exchange", "line end", "text"],
    start: |_, _| start(Greeting::Ssh, Granted::Ssh, Box::new(Ssh)),
};

/// Telnet's way.
pub static MAKER_TELNET: Maker = Maker {
    protocol: "telnet",
    cells: &["text", "acceptance", "option not named", "other answer", "subnegotiation", "command", "twice", "line end"],
    start: |random, cell| {
        let mut named: Vec<[u8; 2]> = Vec::new();
        let count = match cell {
            // Refusals do not wait for each other: where one was said, a second one is too many only where nothing was named for it.
            "pipelined" => 1,
            "request too many" => 20,
            _ => 1 + random.below(16),
        };
        while named.len() < count {
            let option = [[DO, WILL][random.below(2)], random.byte() % 40];
            if !named.contains(&option) {
                named.push(option);
            }
        }
        start(Greeting::Telnet, Granted::Telnet(named.clone()), Box::new(Telnet { named, at: 0 }))
    },
};

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;

fn start(server: Greeting, granted: Granted, writer: Box<dyn Writer>) -> Result<Start, Refused> {
    let grant = server.grant()?;
    let limits = Limits::of(&grant);
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
    Ok((Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 2323).into()), grant, "generated", limits)?, granted, writer))
}

fn of(random: &mut Random, list: &[&str]) -> Vec<u8> {
    list[random.below(list.len())].as_bytes().to_vec()
}

const LOGINS: [&str; 6] = ["USER anonymous\r\n", "PASS x\r\n", "ACCT a\r\n", "USER root\r\n", "AUTH TLS\r\n", "USER \r\n"];
const COMMANDS: [&str; 10] = [
    "SYST\r\n",
    "STAT\r\n",
    "HELP\r\n",
    "FEAT\r\n",
    "NOOP\r\n",
    "LIST\r\n",
    "STOR a\r\n",
    "SITE CHMOD\r\n",
    "PORT 1,1,1,1,1,1\r\n",
    "REIN\r\n",
];

struct Ftp {
    told: bool,
}

impl Writer for Ftp {
    fn allowed(&mut self, _: &mut Random) -> Option<Vec<u8>> {
        (!std::mem::replace(&mut self.told, true)).then(|| b"QUIT\r\n".to_vec())
    }

    fn heard(&self) -> Option<Vec<u8>> {
        Some(b"220 ready\r\n".to_vec())
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        match cell {
            "login" => of(random, &LOGINS),
            "argument" => of(random, &["QUIT now\r\n", "QUIT \r\n", " QUIT\r\n", "QUITS\r\n"]),
            "lower case" => of(random, &["quit\r\n", "Quit\r\n", "QUIt\r\n"]),
            "line end" => of(random, &["QUIT\n", "QUIT\r\r\n", "\r\n", "\n"]),
            "telnet command" => vec![IAC, [0xf4, 0xf2, 0xf1, DO][random.below(4)], random.byte()],
            _ => of(random, &COMMANDS),
        }
    }
}

struct Ssh;

impl Writer for Ssh {
    fn allowed(&mut self, _: &mut Random) -> Option<Vec<u8>> {
        None
    }

    fn heard(&self) -> Option<Vec<u8>> {
        Some(b"SSH-2.0-x\r\n".to_vec())
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        match cell {
            "version line" => of(random, &["SSH-2.0-nameplate\r\n", "SSH-1.5-x\n", "SSH-2.0-OpenSSH_9.9\r\n"]),
            // Length, padding, SSH_MSG_KEXINIT (RFC 4253, 6 and 7.1).
            "key exchange" => [&[0, 0, 1, 20, 8, 20][..], &(0..16).map(|_| random.byte()).collect::<Vec<_>>()].concat(),
            "line end" => of(random, &["\r\n", "\n", "\r"]),
            _ => of(random, &["QUIT\r\n", "exit\r\n", "\0", " "]),
        }
    }
}

struct Telnet {
    /// As the device named them: verb and option.
    named: Vec<[u8; 2]>,
    at: usize,
}

impl Telnet {
    /// An option of 40 and more: those that are named here are below.
    fn other(random: &mut Random) -> u8 {
        40 + random.byte() % 200
    }
}

impl Writer for Telnet {
    fn allowed(&mut self, _: &mut Random) -> Option<Vec<u8>> {
        let [verb, option] = *self.named.get(self.at)?;
        self.at += 1;
        Some(vec![IAC, if verb == DO { WONT } else { DONT }, option])
    }

    fn heard(&self) -> Option<Vec<u8>> {
        let named = self.named.iter().flat_map(|[verb, option]| [b'a', IAC, *verb, *option]);
        Some([IAC, 250, 24, IAC, IAC, DO, 50, IAC, 240].into_iter().chain(named).collect())
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let [verb, option] = self.named[random.below(self.named.len())];
        match cell {
            "acceptance" => vec![IAC, if verb == DO { WILL } else { DO }, option],
            "option not named" => vec![IAC, [WONT, DONT][random.below(2)], Self::other(random)],
            "other answer" => {
                let refusal = if verb == DO { DONT } else { WONT };
                let named = [if verb == DO { WILL } else { DO }, option];
                // Where the device named it both ways, both may be refused.
                let option = if self.named.contains(&named) { Self::other(random) } else { option };
                vec![IAC, refusal, option]
            }
            "subnegotiation" => vec![IAC, 250, option, 0, b'x', IAC, 240],
            "command" => vec![IAC, 241 + random.byte() % 9],
            "twice" if self.at > 0 => {
                let [verb, option] = self.named[random.below(self.at)];
                vec![IAC, if verb == DO { WONT } else { DONT }, option]
            }
            "line end" => of(random, &["\r\n", "\r", "\n", "\r\0"]),
            _ => of(random, &["admin\r\n", "root", "a", "\r\nadmin", "?\r\n"]),
        }
    }

    fn noise(&mut self, random: &mut Random) -> Vec<u8> {
        std::iter::once(random.byte() % 0xf0).chain((0..random.below(24)).map(|_| random.byte())).collect()
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        if cell == "twice" { self.allowed(random) } else { None }
    }
}
