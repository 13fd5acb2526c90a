//! What may leave towards servers that greet: read-only.md section 2, row "FTP/SSH/Telnet greeting", as data.
//!
//! The connection itself is the question. To SSH nothing is said at all, to FTP its goodbye once the greeting was heard, to Telnet only what refuses an
//! option that the device named (`guard::telnet`). No login line is in any table.

use super::{
    Refused,
    permit::Grant,
    table::{Row, Table, bytes},
    telnet,
};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// FTP, its control connection.
    Ftp,
    /// SSH.
    Ssh,
    /// Telnet.
    Telnet,
}

impl Greeting {
    /// The grant.
    ///
    /// # Errors
    /// Never: there is but one thing to grant.
    pub fn grant(self) -> Result<Grant, Refused> {
        Ok(match self {
            Self::Ftp => Grant::new(&FTP, String::new()),
            Self::Ssh => Grant::new(&SSH, String::new()),
            Self::Telnet => telnet::grant(),
        })
    }
}

/// Seconds for which a connection may be ours; the greeting comes by itself, and nothing behind it is waited for.
pub(super) const GREETING_HOLD_S_MAX: u64 = 10;
/// The caps of read-only.md.
pub(super) const CAPS: &str = "1 connection a day and 10 s; 4 KiB are read; never a name, never a password";

/// A greeting: no byte leaves for it.
pub(super) const fn greeting(question: &'static str, asks: &'static str) -> Row {
    Row { question, asks, needs: None, parts: &[], times_max: 1, rises: None, goodbye: false }
}

static FTP_ROWS: [Row; 2] = [
    greeting("ftp.greeting", "what the server calls itself"),
    Row {
        question: "ftp.quit",
        asks: "nothing: ends the connection",
        needs: None,
        parts: &[bytes(b"QUIT\r\n", "ftp.command", "QUIT: the end of the connection (RFC 959, 4.1.1)")],
        times_max: 1,
        rises: None,
        goodbye: true,
    },
];

static SSH_ROWS: [Row; 1] = [greeting("ssh.server", "the version line")];

/// FTP's.
pub static FTP: Table =
    Table { protocol: "ftp", port: "TCP 21", rows: &FTP_ROWS, messages_max: 1, hold_s_max: GREETING_HOLD_S_MAX, order: &[], caps: CAPS };

/// SSH's: not one byte.
pub static SSH: Table =
    Table { protocol: "ssh", port: "TCP 22", rows: &SSH_ROWS, messages_max: 0, hold_s_max: GREETING_HOLD_S_MAX, order: &[], caps: CAPS };

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guard::{Endpoint, Judge, Limits, Permit, meaning};

    fn permit(server: Greeting) -> Permit {
        let grant = server.grant().expect("a grant");
        let limits = Limits::of(&grant);
        Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 2121).into()), grant, "WO-1", limits).expect("a permit")
    }

    /// What is heard, then what is wanted to leave, one after the other; how many leave, and the rule that stopped the rest.
    fn check(server: Greeting, talk: &[(&[u8], &[u8])], left: usize, rule: Option<&str>) {
        let mut judge = Judge::new(&permit(server));
        let mut out = 0;
        for (heard, line) in talk {
            if !heard.is_empty() {
                judge.heard(heard);
                judge.answered();
            }
            if line.is_empty() {
                continue;
            }
            out += usize::from(judge.push(line, Duration::ZERO).is_ok_and(|pushed| pushed.message.is_some()));
        }
        assert_eq!((out, judge.closed().map(|refused| refused.rule)), (left, rule), "{server:?} {talk:02x?}");
    }

    #[test]
    fn nothing_is_said_to_ssh() {
        for line in [&b"SSH-2.0-nameplate\r\n"[..], b"\r\n", b"QUIT\r\n", b"\0"] {
            check(Greeting::Ssh, &[(b"SSH-2.0-x\r\n", line)], 0, Some("permit.empty"));
        }
    }

    #[test]
    fn ftp_is_told_goodbye_once_and_not_before_it_has_spoken() {
        check(Greeting::Ftp, &[(b"220 ready\r\n", b"QUIT\r\n")], 1, None);
        check(Greeting::Ftp, &[(b"", b"QUIT\r\n")], 0, Some("pipelining"));
        check(Greeting::Ftp, &[(b"220 ready\r\n", b"QUIT\r\n"), (b"221 bye\r\n", b"QUIT\r\n")], 1, Some("budget.question"));
        for line in [&b"USER anonymous\r\n"[..], b"SYST\r\n", b"QUIT\n", b"quit\r\n", b"QUIT \r\n", b"ABOR\r\n", b"\xff\xf4\xf2", b"\r\n"] {
            check(Greeting::Ftp, &[(b"220 ready\r\n", line)], 0, Some("ftp.command"));
        }
    }

    #[test]
    fn an_option_of_telnet_is_refused_once_and_only_where_it_was_named() {
        use Greeting::Telnet;
        check(Telnet, &[(b"\xff\xfd\x18", b"\xff\xfc\x18")], 1, None);
        check(Telnet, &[(b"\xff\xfb\x01login: ", b"\xff\xfe\x01")], 1, None);
        // Cut anywhere, with text and a subnegotiation between.
        check(Telnet, &[(b"a\xff", b""), (b"\xfd", b""), (b"\x18b", b"\xff\xfc\x18")], 1, None);
        check(Telnet, &[(b"\xff\xfa\x18\xff\xff\xfd\x01\xff\xf0\xff\xfd\x03", b"\xff\xfc\x01")], 0, Some("telnet.option"));
        check(Telnet, &[(b"\xff\xfd\x18", b"\xff\xfc\x18"), (b"\xff\xfd\x18", b"\xff\xfc\x18")], 1, Some("session.seal"));
        check(Telnet, &[(b"\xff\xfd\x18\xff\xfb\x01", b"\xff\xfc\x18"), (b"", b"\xff\xfe\x01")], 2, None);
        check(Telnet, &[(b"", b"\xff\xfc\x18")], 0, Some("permit.empty"));
        let asked = &b"\xff\xfd\x18\xff\xfb\x01"[..];
        for (line, rule) in [
            (&b"\xff\xfb\x18"[..], "telnet.option"),
            (b"\xff\xfd\x01", "telnet.option"),
            (b"\xff\xfc\x01", "telnet.option"),
            (b"\xff\xfe\x18", "telnet.option"),
            (b"\xff\xfa\x18", "telnet.option"),
            (b"admin\r\n", "telnet.command"),
            (b"\r", "telnet.command"),
            (b"\xff\xf4", "telnet.option"),
        ] {
            check(Telnet, &[(asked, line)], 0, Some(rule));
        }
        check(Telnet, &[(b"\xff\xfc\x18\xff\xfe\x01", b"\xff\xfe\x18")], 0, Some("permit.empty"));
        let all: Vec<u8> = (0..=40).flat_map(|option| [0xff, 0xfd, option]).collect();
        let lines: Vec<[u8; 3]> = (0..=40).map(|option| [0xff, 0xfc, option]).collect();
        let talk: Vec<(&[u8], &[u8])> =
            std::iter::once(&all[..]).chain(std::iter::repeat(&b""[..])).zip(lines.iter().map(|l| &l[..])).collect();
        check(Telnet, &talk, usize::from(telnet::REFUSALS_MAX), Some("telnet.option"));
    }

    #[test]
    fn a_dry_run_shows_the_connection() {
        for server in [Greeting::Ftp, Greeting::Ssh, Greeting::Telnet] {
            assert_eq!(meaning(&permit(server).in_clear(), b"").map(|bytes| bytes.len()), Ok(0));
        }
        assert_eq!(meaning(&permit(Greeting::Ftp), b"QUIT\r\n").map(|bytes| bytes.len()), Ok(6));
    }
}
