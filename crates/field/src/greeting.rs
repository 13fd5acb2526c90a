//! Reads what a server says by itself, and leaves: FTP, SSH, Telnet. The connection is the question.
//!
//! To SSH nothing is said. FTP is told goodbye (`QUIT`) once it has greeted. Telnet servers want options settled before they show their text: each is
//! refused once, and the text is read up to where it asks for a name, or where nothing more comes. No login line is in the guard's table.

mod ftp;
mod ssh;
mod telnet;

use std::time::Duration;

use nameplate_wire::conversation::Protocol;
use nameplate_wire::greeting::{FTP, FTP_GREETING, FTP_QUIT, FTP_QUIT_NAME};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Put};
use crate::guard::{Grant, Greeting, Refused};
use crate::pacing::{LINE_RESPONSE_MS_MAX, Pace, TimeFactor};

/// Readings of one server a day: its only console session may be the one that we hold, and OpenSSH counts who connects without logging in.
const READINGS_PER_DAY_MAX: usize = 1;
/// Bytes that are read of one server.
const BYTES_MAX: usize = 4 << 10;
const TOO_LONG: &str = "it says more than any greeting has";

/// Which server's greeting is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Questions(pub Greeting);

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        match self.0 {
            Greeting::Ftp => &FTP,
            Greeting::Ssh => &nameplate_wire::ssh::PROTOCOL,
            Greeting::Telnet => &nameplate_wire::telnet::PROTOCOL,
        }
    }

    fn grant(&self) -> Result<Grant, Refused> {
        self.0.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        match self.0 {
            Greeting::Ftp => Box::new(ftp::Control::default()),
            Greeting::Ssh => Box::new(ssh::Identification::default()),
            Greeting::Telnet => Box::new(telnet::Text::default()),
        }
    }

    fn plan(&self) -> Vec<Planned> {
        const CONNECTS: &str = "the connection is the question: what it says by itself is read";
        let connect = |question, then: &str| Planned { question, bytes: Vec::new(), only_if: CONNECTS, then: then.to_owned() };
        match self.0 {
            Greeting::Ftp => {
                let Put { question, bytes, .. } = quit();
                vec![connect(FTP_GREETING, ""), Planned { question, bytes, only_if: "only if it greeted", then: String::new() }]
            }
            Greeting::Ssh => vec![connect(nameplate_wire::ssh::GREETING, "")],
            Greeting::Telnet => vec![connect(
                nameplate_wire::telnet::GREETING,
                "each option that it names is refused once: ff fd oo (DO) by ff fc oo (WONT), ff fb oo (WILL) by ff fe oo (DONT)",
            )],
        }
    }

    fn readings_per_day_max(&self) -> Option<usize> {
        Some(READINGS_PER_DAY_MAX)
    }

    /// Servers look up the name of whoever connects before they greet: that takes seconds where the plant has no name server.
    fn pace(&self, factor: TimeFactor) -> Pace {
        Pace { response_max: Duration::from_millis(LINE_RESPONSE_MS_MAX), ..Pace::new(factor) }
    }
}

fn quit() -> Put {
    Put::new(FTP_QUIT_NAME, FTP_QUIT)
}

#[cfg(test)]
mod tests;
