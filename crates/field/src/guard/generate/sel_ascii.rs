//! SEL's ASCII protocol.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Permit, Secret, SelAscii, SerialLine};

/// SEL's way.
pub static MAKER: Maker = Maker {
    protocol: "sel-ascii",
    cells: &[
        "higher level",
        "write or control",
        "other command",
        "argument",
        "byte from 80 on",
        "control character",
        "lower case",
        "password before login",
        "another password",
        "login without consent",
        "quit without login",
        "status that is not behind ID in a login",
    ],
    start: |random, cell| {
        let consents = cell != "login without consent" && (NEEDS_PASSWORD.contains(&cell) || random.one_in(2));
        let password: Vec<u8> = (0..6).map(|_| b"abcdefghkmnpqrstuvwxyz23456789!+-"[random.below(33)]).collect();
        let granted = SelAscii { password: consents.then(|| Secret::new(password.clone())) };
        let grant = granted.clone().grant()?;
        let limits = Limits::of(&grant);
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
        let line: Option<SerialLine> = "/dev/ttyS9@9600-8N1".parse().ok().filter(|_| random.one_in(2));
        let endpoint = line.map_or(Endpoint::Tcp(([192, 0, 2, 1], 23).into()), Endpoint::Serial);
        // With one empty line there is room for the status report.
        let lines = Lines { password: consents.then_some(password), at: random.below(2), written: 0 };
        Ok((Permit::new(endpoint, grant, "generated", limits)?, Granted::SelAscii(granted), Box::new(lines)))
    },
};

const NEEDS_PASSWORD: [&str; 2] = ["password before login", "another password"];
/// The row's last column but one: what must never leave.
const NEVER: [&str; 18] = [
    "TRI",
    "TAR",
    "HIS",
    "SER",
    "MET",
    "R",
    "BRE",
    "DAT 1/1/26",
    "TIM 12:00",
    "SET",
    "OPE",
    "CLO",
    "PUL",
    "CON",
    "COP",
    "PAS",
    "L_D",
    "FIL",
];
const LEVELS: [&str; 6] = ["2AC", "BAC", "PAC", "AAC", "OAC", "CAL"];
const OTHERS: [&str; 11] = ["VER", "STAT", "STA C", "STA R", "STA S", "EVE", "SUM", "HELP", "IDX", "I", "QUIT"];

struct Lines {
    password: Option<Vec<u8>>,
    /// Lines that were written; one more where it began with the second.
    at: usize,
    /// Messages that were written.
    written: usize,
}

impl Writer for Lines {
    fn allowed(&mut self, _: &mut Random) -> Option<Vec<u8>> {
        let line = match (self.at, &self.password) {
            (0 | 1, _) => b"\r".to_vec(),
            (2, _) | (5, Some(_)) => b"ID\r".to_vec(),
            (3, None) => b"ID\r".to_vec(),
            (3, Some(_)) => b"ACC\r".to_vec(),
            (4, Some(password)) => [password.as_slice(), b"\r"].concat(),
            (6, Some(_)) if self.written == 5 => b"STA\r".to_vec(),
            _ => return None,
        };
        self.at += 1;
        self.written += 1;
        Some(line)
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let mut of = |list: &[&str]| list[random.below(list.len())].as_bytes().to_vec();
        let mut line = match cell {
            "higher level" => of(&LEVELS),
            "write or control" => of(&NEVER),
            "argument" => of(&["ID 1", "ID H", "ID ", " ID", "ID\t"]),
            "lower case" => of(&["id", "Id", "iD"]),
            "login without consent" => b"ACC".to_vec(),
            // Whoever logged in may say it.
            "quit without login" if self.at <= 3 => b"QUI".to_vec(),
            // Directly behind the second ID it may leave.
            "status that is not behind ID in a login" if self.at != 6 => b"STA".to_vec(),
            // Directly behind the login it may leave.
            "password before login" if self.at != 4 => self.password.clone().unwrap_or_else(|| b"s3cret".to_vec()),
            "another password" => [self.password.clone().unwrap_or_default(), b"~".to_vec()].concat(),
            "byte from 80 on" => vec![0x80 | random.byte()],
            "control character" => vec![[0, 1, 3, 4, 8, 9, 10, 11, 17, 19, 24, 27][random.below(12)]],
            _ => of(&OTHERS),
        };
        line.push(b'\r');
        line
    }

    /// An empty line may leave.
    fn noise(&mut self, random: &mut Random) -> Vec<u8> {
        let first = match random.byte() {
            b'\r' => b'\n',
            other => other,
        };
        std::iter::once(first).chain((0..random.below(24)).map(|_| random.byte())).collect()
    }
}
