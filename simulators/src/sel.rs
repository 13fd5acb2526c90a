//! A relay's command line: levels, prompts, `ID`, and a lock behind three wrong passwords. SEL-311L and SEL-400 series instruction manuals ("ASCII
//! commands"), the sum of a line's bytes by real answers (sandialabs/PEAT docs/sel.rst). One user at a time: levels hold for all connections of a persona.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::report::Speaker;

/// A relay.
pub type Device = crate::device::Device<Persona>;

/// Telnet's.
const PORT: u16 = 23;
/// Lines of a reading, and the goodbye (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 7;
/// More than any line that may be asked.
const LINE_BYTES_MAX: usize = 64;
/// Wrong passwords that lock (SEL-400 manual, 3.10).
const WRONG_PASSWORDS_MAX: u32 = 3;

/// A relay as data.
#[derive(Clone, Debug)]
pub struct Persona {
    /// What it says to ID: `NAME=value` each.
    pub lines: Vec<Vec<u8>>,
    /// What it says to STA, in level 1.
    pub status: Vec<u8>,
    /// The password of level 1, where ID needs that level.
    pub password: Option<Vec<u8>>,
    /// The prompt of another person's session, who left it open: `==>`.
    pub anothers: Option<&'static str>,
    /// Whether it echoes what is typed, but for passwords.
    pub echoes: bool,
    /// Passwords that it saw.
    pub passwords: Arc<AtomicU32>,
    wrong: Arc<AtomicU32>,
}

impl Persona {
    /// One that tells these lines to whoever asks.
    pub fn new(lines: &[&str]) -> Self {
        let lines = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        Self { lines, status: Vec::new(), password: None, anothers: None, echoes: false, passwords: Arc::default(), wrong: Arc::default() }
    }

    /// Passwords that it saw so far.
    #[must_use]
    pub fn passwords_seen(&self) -> u32 {
        self.passwords.load(Ordering::Relaxed)
    }

    fn identity(&self) -> Vec<u8> {
        let mut answer = b"\x02\r\n".to_vec();
        for line in &self.lines {
            let quoted = [b"\"", line.as_slice(), b"\","].concat();
            let sum = quoted.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
            answer.extend([quoted.as_slice(), format!("\"{sum:04X}\"\r\n").as_bytes()].concat());
        }
        answer.push(3);
        answer
    }
}

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Console { persona: self.clone(), level: 0, wants_password: false })
    }

    fn sample(&self) -> Vec<u8> {
        b"ID\r".to_vec()
    }

    fn layout(&self, _: &[u8]) -> Layout {
        Layout::default()
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        let hostile = || [b"FID=".to_vec(), hostile_text(0, 40)].concat();
        (*fault == Fault::HostileText).then(|| Arc::new(Self { lines: vec![hostile()], ..self.clone() }) as Arc<dyn Language>)
    }
}

struct Console {
    persona: Persona,
    level: u8,
    wants_password: bool,
}

impl Console {
    fn prompt(&self) -> &'static [u8] {
        match (self.persona.anothers, self.level) {
            (Some(prompt), _) => prompt.as_bytes(),
            (None, 0) => b"=",
            (None, _) => b"=>",
        }
    }

    fn password(&mut self, line: &[u8]) -> Heard {
        self.wants_password = false;
        let seen = self.persona.passwords.fetch_add(1, Ordering::Relaxed);
        let mut trips: Vec<&'static str> = (seen > 0).then_some("a second password").into_iter().collect();
        if self.persona.password.as_deref() == Some(line) {
            self.level = 1;
            return Heard { answers: vec![b"\r\nLevel 1\r\n=>".to_vec()], trips, hangs_up: false };
        }
        if self.persona.wrong.fetch_add(1, Ordering::Relaxed) + 1 >= WRONG_PASSWORDS_MAX {
            trips.push("locked: three wrong passwords");
            return Heard { answers: vec![b"\r\nAccess Denied\r\n".to_vec()], trips, hangs_up: true };
        }
        self.wants_password = true;
        Heard { answers: vec![b"\r\nInvalid Password\r\nPassword: ? ".to_vec()], trips, hangs_up: false }
    }
}

impl Talk for Console {
    fn cut(&self, heard: &[u8]) -> Cut {
        match heard.iter().position(|byte| *byte == b'\r') {
            _ if heard.iter().any(|byte| *byte >= 0x80 || (*byte < 0x20 && *byte != b'\r')) => Cut::Broken("a byte that no line has"),
            Some(end) => Cut::Whole(end + 1),
            None if heard.len() > LINE_BYTES_MAX => Cut::Broken("a line without an end"),
            None => Cut::More,
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let line = question.strip_suffix(b"\r").unwrap_or(question);
        if self.wants_password {
            return self.password(line);
        }
        let opens = self.level > 0 || self.persona.password.is_none();
        let (says, why) = match line {
            b"" => (Vec::new(), None),
            _ if self.persona.anothers.is_some() => (Vec::new(), Some("a command in another person's session")),
            b"ID" if opens => (self.persona.identity(), None),
            b"STA" if self.level > 0 && !self.persona.lines.iter().any(|line| line.starts_with(b"SERIALNO=")) => {
                ([b"\r\n", self.persona.status.as_slice()].concat(), None)
            }
            b"STA" => (b"\r\nInvalid Access Level".to_vec(), Some("STA without need, or without a login")),
            b"ID" => (b"\r\nInvalid Access Level".to_vec(), None),
            b"ACC" if self.level == 0 => {
                self.wants_password = true;
                return Heard::answered(b"\r\nPassword: ? ".to_vec());
            }
            b"QUI" if self.level > 0 => {
                self.level = 0;
                (Vec::new(), None)
            }
            _ => (b"\r\nInvalid Command".to_vec(), Some("a command that is not on the allowlist")),
        };
        let echo = if self.persona.echoes { line } else { b"" };
        let answer = [echo, &says, b"\r\n", self.prompt()].concat();
        Heard { answers: vec![answer], trips: why.into_iter().collect(), hangs_up: false }
    }

    fn leaves(&mut self) -> Option<&'static str> {
        (self.level > 0).then_some("the session was not closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Carrier::Tcp;
    use crate::rehearsal::rehearse;
    use crate::story::check;

    fn asked(persona: &Persona, lines: &[&str]) -> String {
        let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        String::from_utf8(rehearse(persona, Tcp, &lines).answers().concat()).expect("text")
    }

    #[test]
    fn id_is_told_with_the_check_digits_of_real_relays() {
        let relay = Persona::new(&["FID=SEL-700G-R200-V0-Z006003-D20180629", "CID=59A0", "PARTNO=0700G12B1B1B7281A230"]);
        let told = "\x02\r\n\"FID=SEL-700G-R200-V0-Z006003-D20180629\",\"08F0\"\r\n\"CID=59A0\",\"025C\"\r\n\
            \"PARTNO=0700G12B1B1B7281A230\",\"06C2\"\r\n\x03\r\n=";
        assert_eq!(asked(&relay, &["ID\r"]), told);
        assert_eq!(asked(&Persona { echoes: true, ..relay }, &["\r", "ID\r"]), ["\r\n=ID", told].concat());
    }

    #[test]
    fn level_1_has_a_password_and_three_wrong_ones_lock() {
        let relay = || Persona { password: Some(b"right".to_vec()), ..Persona::new(&["CID=59A0"]) };
        let inside = "\r\nInvalid Access Level\r\n=\r\nPassword: ? \r\nLevel 1\r\n=>\x02\r\n\"CID=59A0\",\"025C\"\r\n\x03\r\n=>\r\n=";
        assert_eq!(asked(&relay(), &["ID\r", "ACC\r", "right\r", "ID\r", "QUI\r"]), inside);
        let lines = |lines: &[&str]| lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>();
        let wrong = ["ACC\r", "a\r", "b\r", "c\r"];
        check("locks", &relay(), Tcp, &lines(&wrong), &["a second password", "a second password", "locked"]);
        let relay = relay();
        asked(&relay, &wrong[..3]);
        assert_eq!(relay.passwords_seen(), 2);
        assert!(asked(&relay, &wrong[..2]).ends_with("Access Denied\r\n"), "across connections");
    }

    #[test]
    fn a_status_report_is_for_level_1_and_for_who_was_told_no_serial_number() {
        let relay = |line| Persona { password: Some(b"right".to_vec()), status: b"FID=X\r\n".to_vec(), ..Persona::new(&[line]) };
        let inside = ["ACC\r", "right\r", "STA\r", "QUI\r"];
        assert!(asked(&relay("CID=59A0"), &inside).ends_with("=>\r\nFID=X\r\n\r\n=>\r\n="));
        let lines = |lines: &[&str]| lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>();
        check("told already", &relay("SERIALNO=12"), Tcp, &lines(&inside), &["STA without need"]);
        check("outside", &relay("CID=59A0"), Tcp, &lines(&["STA\r"]), &["STA without need, or without a login"]);
    }

    #[test]
    fn all_else_trips() {
        let lines = |line: &[u8]| [line.to_vec()];
        for (line, why) in
            [(&b"TRI\r"[..], "allowlist"), (b"QUI\r", "allowlist"), (b"id\r", "allowlist"), (b"\xa5\xe0", "byte"), (b"\n", "byte")]
        {
            check("all else", &Persona::new(&["CID=59A0"]), Tcp, &lines(line), &[why]);
        }
        let open = Persona { anothers: Some("==>"), ..Persona::new(&["CID=59A0"]) };
        assert_eq!(asked(&open, &["\r"]), "\r\n==>");
        check("another's", &open, Tcp, &lines(b"ID\r"), &["another person"]);
    }
}
