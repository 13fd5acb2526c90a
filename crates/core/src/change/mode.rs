//! Whether a device runs, out of bytes that were read for its identity already. Answering is not running.
//!
//! CIP Networks Library volume 1, 5A-2.2.1.5 (attribute 5, status: bits 4 to 7 extended status, 10 and 11 major faults) and 5A-2.2.1.8
//! (attribute 8, state). The extended status 6 and 7 are what Logix controllers show as run and program.
//!
//! HCF_SPEC-099, 7.4 (device status, in every answer): bit 7 device malfunction, bit 3 loop current fixed. An instrument has no mode; one that neither
//! reports a malfunction nor holds its output does its work.

use crate::observation::unhex;

use super::nameplate::Nameplate;

/// Major recoverable and major unrecoverable fault.
const MAJOR_FAULTS: u16 = 0x0C00;
/// Where the extended status stands.
const EXTENDED_SHIFT: u32 = 4;
/// Its four bits.
const EXTENDED_MASK: u16 = 0x000F;

/// HART: the instrument reports an error or failure of itself.
const MALFUNCTION: u8 = 0x80;
/// HART: its output is held, and follows nothing.
const OUTPUT_HELD: u8 = 0x08;
/// The fact of it.
const HART: &str = "hart-ip.device_status";

/// What a device says about whether it does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// It runs.
    Running,
    /// It says something from which nobody can tell.
    Unclear,
    /// It is idle, tests itself, or stands by.
    Stopped,
    /// It has a fault, or its update is not over.
    Faulted,
}

impl Mode {
    /// As people read it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Unclear => "in a mode that is not clear",
            Self::Stopped => "stopped",
            Self::Faulted => "faulted",
        }
    }
}

/// Whether a fact tells the mode: it is judged as that, and is no part of the identity.
#[must_use]
pub(super) fn tells(path: &str) -> bool {
    is_status(path) || is_state(path) || path == HART
}

fn is_status(path: &str) -> bool {
    is_of_identity(path) && path.ends_with(".status")
}

fn is_state(path: &str) -> bool {
    is_of_identity(path) && path.ends_with(".state")
}

fn is_of_identity(path: &str) -> bool {
    path.starts_with("enip.identity.") || path.starts_with("cip.identity.")
}

impl Nameplate {
    /// The worst mode that it tells; `None` where it tells none. What is not clear counts only where nothing else is told.
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        let told = || self.facts.iter().filter_map(|(path, digits)| of(path, &unhex(digits).ok()?));
        told().filter(|mode| *mode != Mode::Unclear).max().or_else(|| told().next())
    }
}

fn of(path: &str, bytes: &[u8]) -> Option<Mode> {
    match bytes {
        [low, high] if is_status(path) => Some(of_status(u16::from_le_bytes([*low, *high]))),
        [state] if is_state(path) => of_state(*state),
        [status] if path == HART => Some(of_instrument(*status)),
        _ => None,
    }
}

fn of_status(status: u16) -> Mode {
    match (status & MAJOR_FAULTS, status >> EXTENDED_SHIFT & EXTENDED_MASK) {
        (1.., _) | (_, 1 | 4 | 5) => Mode::Faulted,
        (_, 7) => Mode::Stopped,
        (_, 2 | 3 | 6) => Mode::Running,
        _ => Mode::Unclear,
    }
}

const fn of_instrument(status: u8) -> Mode {
    match status {
        status if status & MALFUNCTION != 0 => Mode::Faulted,
        status if status & OUTPUT_HELD != 0 => Mode::Stopped,
        _ => Mode::Running,
    }
}

/// `None`: 255 is what is sent where there is no such attribute.
const fn of_state(state: u8) -> Option<Mode> {
    match state {
        3 => Some(Mode::Running),
        1 | 2 => Some(Mode::Stopped),
        4 | 5 => Some(Mode::Faulted),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(facts: &[(&str, &str)], mode: Option<Mode>) {
        let facts = facts.iter().map(|(path, digits)| ((*path).to_owned(), (*digits).to_owned())).collect();
        assert_eq!(Nameplate { facts, ..Nameplate::default() }.mode(), mode);
    }

    #[test]
    fn a_mode_is_read_out_of_status_and_state() {
        check(&[], None);
        check(&[("modbus.object.2", "6030")], None);
        // 1756-L61 of a public capture: run, key switch in REM RUN.
        check(&[("cip.identity.status", "6030")], Some(Mode::Running));
        check(&[("cip.identity.status", "7030")], Some(Mode::Stopped));
        check(&[("cip.identity.2.status", "6034")], Some(Mode::Faulted));
        check(&[("enip.identity.status", "1000")], Some(Mode::Faulted));
        check(&[("enip.identity.status", "3000"), ("enip.identity.state", "03")], Some(Mode::Running));
        check(&[("enip.identity.status", "3000"), ("enip.identity.state", "02")], Some(Mode::Stopped));
        check(&[("enip.identity.status", "6000"), ("enip.identity.state", "ff")], Some(Mode::Running));
        check(&[("enip.identity.status", "0000"), ("enip.identity.state", "ff")], Some(Mode::Unclear));
        check(&[("enip.identity.status", "0000"), ("enip.identity.state", "03")], Some(Mode::Running));
        check(&[("enip.identity.status", "60")], None);
        check(&[("cip.other.status", "6030")], None);
        // 0x50: the configuration changed, more status is available.
        for (status, mode) in [("00", Mode::Running), ("50", Mode::Running), ("08", Mode::Stopped), ("c8", Mode::Faulted)] {
            check(&[("hart-ip.device_status", status)], Some(mode));
        }
    }
}
