//! What may leave in SEL's ASCII protocol: read-only.md section 2, row "SEL ASCII", as data.
//!
//! Whole lines, literal, without arguments (SEL-311L instruction manual, "ASCII commands"): level 1 holds commands that trigger events and set the
//! clock, and levels above it operate breakers (H13). No byte from 80 on leaves (Fast Operate), and none below 20 but CR. A password leaves once,
//! directly behind our own `ACC` (H14).

use super::{
    Refused, Secret,
    permit::{Grant, HOLD_S_MAX},
    table::{Order, Part, Row, Slot, Table, bytes, granted},
};

/// Lines on one connection.
const LINES_MAX: u8 = 6;
/// Empty lines among them.
const EMPTY_LINES_MAX: u8 = 2;
/// At level 0, and once more at level 1.
const ID_LINES_MAX: u8 = 2;
/// At level 1, where ID told no serial number.
const STATUS_LINES_MAX: u8 = 1;
/// Tries to log in: the third wrong one locks (H14).
const LOGINS_MAX: u8 = 1;
/// Longer than any relay takes (SEL-400 series: 12).
const PASSWORD_BYTES_MAX: usize = 20;
/// What a relay that asks for no password would do: each also in its long form.
const COMMANDS: [&[u8]; 32] = [
    b"2AC",
    b"BAC",
    b"PAC",
    b"AAC",
    b"OAC",
    b"CAL",
    b"TRI",
    b"TRIGGER",
    b"TAR",
    b"HIS",
    b"SER",
    b"MET",
    b"R",
    b"BRE",
    b"DAT",
    b"TIM",
    b"SET",
    b"OPE",
    b"OPEN",
    b"CLO",
    b"CLOSE",
    b"PUL",
    b"PULSE",
    b"CON",
    b"CONTROL",
    b"COP",
    b"COPY",
    b"PAS",
    b"PASSWORD",
    b"L_D",
    b"FIL",
    b"PORT",
];

/// What a relay may be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelAscii {
    /// The password of level 1, where its owner consents to a login.
    pub password: Option<Secret>,
}

impl SelAscii {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.password`: it is empty, too long, has a byte that no line may have, or reads as a command.
    pub fn grant(self) -> Result<Grant, Refused> {
        let grant = Grant::new(&TABLE, String::new());
        let Some(password) = self.password.as_ref().map(Secret::bytes) else { return Ok(grant) };
        let no = |why: &str| Err(Refused::before_any_byte("permit.password", format!("the password of level 1 {why}")));
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX || !password.iter().all(u8::is_ascii_graphic) {
            return no("is 1 to 20 printable characters without blanks");
        }
        if COMMANDS.iter().any(|command| password.eq_ignore_ascii_case(command)) {
            return no("reads as a command");
        }
        Ok(grant.with(&LOGIN, Vec::new()).with(&PASSWORD, password))
    }
}

/// Consent to log in.
static LOGIN: Slot = Slot { name: "login", mark: "", needs: "the owner consents to a login, with a password of his", secret: false };
static PASSWORD: Slot = Slot { name: "password", mark: "password", needs: "", secret: true };

const CR: Part = bytes(b"\r", "sel-ascii.end", "end of the line");
static EMPTY: [Part; 1] = [CR];
static ID: [Part; 2] = [bytes(b"ID", "sel-ascii.command", "ID: what the relay is"), CR];
static STA: [Part; 2] = [bytes(b"STA", "sel-ascii.command", "STA: its status report"), CR];
static ACC: [Part; 2] = [bytes(b"ACC", "sel-ascii.command", "ACC: level 1, which reads"), CR];
static SECRET: [Part; 2] = [granted(&PASSWORD, "sel-ascii.password", "password, as its owner gave it"), CR];
static QUI: [Part; 2] = [bytes(b"QUI", "sel-ascii.command", "QUI: back to level 0"), CR];

const fn row(question: &'static str, asks: &'static str, needs: Option<&'static Slot>, parts: &'static [Part], times_max: u8) -> Row {
    Row { question, asks, needs, parts, times_max, rises: None, goodbye: false }
}

static ROWS: [Row; 6] = [
    row("sel-ascii.prompt", "the prompt, which says whose session it is", None, &EMPTY, EMPTY_LINES_MAX),
    row("sel-ascii.id", "firmware, part and serial number", None, &ID, ID_LINES_MAX),
    row("sel-ascii.status", "its status report, where ID told no serial number", Some(&LOGIN), &STA, STATUS_LINES_MAX),
    row("sel-ascii.login", "level 1", Some(&LOGIN), &ACC, LOGINS_MAX),
    row("sel-ascii.password", "level 1", Some(&LOGIN), &SECRET, LOGINS_MAX),
    Row { goodbye: true, ..row("sel-ascii.quit", "nothing: ends our login", Some(&LOGIN), &QUI, LOGINS_MAX) },
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "sel-ascii",
    port: "TCP 23, or the port of a serial server; a serial line",
    rows: &ROWS,
    messages_max: LINES_MAX,
    hold_s_max: 2 * HOLD_S_MAX,
    order: &[
        Order { question: "sel-ascii.status", behind: "sel-ascii.login", directly: false, rule: "sel-ascii.order" },
        Order { question: "sel-ascii.status", behind: "sel-ascii.id", directly: true, rule: "sel-ascii.order" },
        Order { question: "sel-ascii.password", behind: "sel-ascii.login", directly: true, rule: "sel-ascii.order" },
        Order { question: "sel-ascii.quit", behind: "sel-ascii.login", directly: false, rule: "sel-ascii.order" },
    ],
    caps: "6 lines and 20 s a connection; one password, once; on a serial line 3 s of listening first",
};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guard::{Endpoint, Judge, Limits, Permit};

    fn grant(password: Option<&str>) -> Result<Grant, Refused> {
        SelAscii { password: password.map(Secret::new) }.grant()
    }

    fn check(password: Option<&str>, lines: &[&[u8]], left: usize, rule: Option<&str>) {
        let grant = grant(password).expect("a grant");
        let (limits, endpoint) = (Limits::of(&grant), Endpoint::Tcp(([192, 0, 2, 1], 23).into()));
        let mut judge = Judge::new(&Permit::new(endpoint, grant, "WO-1", limits).expect("a permit"));
        let pushed = |line: &&[u8]| {
            let pushed = judge.push(line, Duration::ZERO);
            judge.answered();
            pushed.ok().and_then(|pushed| pushed.message).is_some()
        };
        assert_eq!(lines.iter().map(pushed).filter(|left| *left).count(), left, "{lines:?}");
        assert_eq!(judge.closed().map(|refused| refused.rule), rule, "{lines:?}");
    }

    #[test]
    fn the_lines_of_a_reading_leave() {
        check(None, &[b"\r", b"ID\r"], 2, None);
        check(None, &[b"\r", b"\r", b"ID\r", b"ID\r"], 4, None);
        check(Some("s3cret"), &[b"\r", b"\r", b"ID\r", b"ACC\r", b"s3cret\r", b"ID\r", b"QUI\r"], 7, None);
        check(Some("s3cret"), &[b"\r", b"ID\r", b"ACC\r", b"s3cret\r", b"ID\r", b"STA\r", b"QUI\r"], 7, None);
    }

    #[test]
    fn nothing_leaves_too_often_or_out_of_order() {
        check(None, &[b"\r", b"\r", b"\r"], 2, Some("budget.question"));
        check(None, &[b"ID\r", b"ID\r", b"ID\r"], 2, Some("budget.question"));
        check(None, &[b"ACC\r"], 0, Some("sel-ascii.command"));
        check(None, &[b"QUI\r"], 0, Some("sel-ascii.command"));
        check(None, &[b"ID\r", b"STA\r"], 1, Some("sel-ascii.command"));
        let password = Some("s3cret");
        check(password, &[b"s3cret\r"], 0, Some("sel-ascii.order"));
        check(password, &[b"QUI\r"], 0, Some("sel-ascii.order"));
        check(password, &[b"ACC\r", b"ID\r", b"s3cret\r"], 2, Some("sel-ascii.order"));
        check(password, &[b"ACC\r", b"s3cret\r", b"s3cret\r"], 2, Some("sel-ascii.order"));
        check(password, &[b"ACC\r", b"s3cret\r", b"ACC\r"], 2, Some("budget.question"));
        check(password, &[b"ID\r", b"STA\r"], 1, Some("sel-ascii.order"));
        check(password, &[b"ID\r", b"ACC\r", b"s3cret\r", b"STA\r"], 3, Some("sel-ascii.order"));
        check(password, &[b"ACC\r", b"ID\r", b"STA\r", b"STA\r"], 3, Some("sel-ascii.order"));
        check(password, &[b"ACC\r", b"ID\r", b"STA C\r"], 2, Some("sel-ascii.end"));
        check(password, &[b"ACC\r", b"other\r"], 1, Some("sel-ascii.command"));
        check(password, &[b"ACC\r", b"QUI\r", b"QUI\r"], 2, Some("budget.question"));
    }

    #[test]
    fn what_writes_or_controls_never_leaves() {
        for command in COMMANDS {
            for end in [&b"\r"[..], b" 1\r", b"\n"] {
                let line = [command, end].concat();
                let pushed = |password| {
                    let grant = grant(password).expect("a grant");
                    let (limits, endpoint) = (Limits::of(&grant), Endpoint::Tcp(([192, 0, 2, 1], 23).into()));
                    let mut judge = Judge::new(&Permit::new(endpoint, grant, "WO-1", limits).expect("a permit"));
                    judge.push(&line, Duration::ZERO).expect_err("refused").rule
                };
                assert!(pushed(None).starts_with("sel-ascii."), "{}", line.escape_ascii());
                assert!(pushed(Some("s3cret")).starts_with("sel-ascii."), "{}", line.escape_ascii());
            }
        }
        for line in [
            &b"ID \r"[..],
            b"ID\n",
            b"id\r",
            b"ID 1\r",
            b"VER\r",
            b"STA\r",
            b"\n",
            b"\x03",
            b"\x1b",
            b"\x11",
            b"\xff\xfc\x01",
            b"\xa5\xe0",
            b" ",
        ] {
            let judged =
                |password| check(password, &[line], 0, Some(if line.starts_with(b"ID") { "sel-ascii.end" } else { "sel-ascii.command" }));
            judged(None);
        }
    }

    #[test]
    fn a_password_that_is_none_is_not_granted() {
        for password in ["", "a b", "a\r", "p\u{e4}ss", "123456789012345678901", "2AC", "tri", "R", "OPEN", "CLOSE", "SET"] {
            let refused = grant(Some(password)).expect_err(password);
            assert_eq!(refused.rule, "permit.password");
            assert!(password.len() < 3 || !refused.why.contains(password), "{refused}");
        }
        assert!(grant(Some("OTTER1")).is_ok() && grant(Some("Rabbit77")).is_ok());
    }
}
