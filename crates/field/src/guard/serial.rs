//! A serial line of this machine: what it is called, and how it is set.

use std::{fmt, str::FromStr};

/// Bits a second where nothing else is said. MODBUS over Serial Line V1.02, 3.2.1: "19.2 Kbps is the required default".
const BAUD: u32 = 19_200;
/// Bits a second that a line of a plant has; a divisor of 0 would hang up.
const BAUDS: std::ops::RangeInclusive<u32> = 110..=4_000_000;

/// A serial line and its settings: `/dev/ttyUSB0@9600-8N1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialLine {
    /// As the system calls it: `/dev/ttyUSB0`, `COM3`.
    pub path: String,
    /// How it is set.
    pub settings: Settings,
}

/// How a line is set: what both ends have to agree upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settings {
    /// Bits a second.
    pub baud: u32,
    /// Bits of a character, 7 or 8.
    pub data_bits: u8,
    /// The bit that checks a character.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

/// The bit that checks a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parity {
    /// There is none.
    None,
    /// It makes the count of ones even.
    Even,
    /// It makes the count of ones odd.
    Odd,
}

impl Default for Settings {
    /// 19,200 bits a second, 8 data bits, even parity, one stop bit. MODBUS over Serial Line V1.02, 2.5.1.
    fn default() -> Self {
        Self { baud: BAUD, data_bits: 8, parity: Parity::Even, stop_bits: 1 }
    }
}

impl SerialLine {
    /// A line with the usual settings.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), settings: Settings::default() }
    }
}

/// A text that names no serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The character to blame, from 0.
    pub offset: usize,
    /// What is wrong, and what to write instead.
    pub why: &'static str,
}

const NO_PATH: &str = "the line has no name: /dev/ttyUSB0, COM3";
const NO_BAUD: &str = "the bits a second are a number from 110 to 4000000: @19200-8E1";
const NO_FRAME: &str =
    "behind the bits a second stand data bits (7, 8), parity (N, E, O) and stop bits (1, 2), as they are set on the device: @19200-8E1";

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}", self.offset.saturating_add(1), self.why)
    }
}

impl FromStr for SerialLine {
    type Err = BadLine;

    /// `PATH` or `PATH@BAUD-FRAME`; what is left out is [`Settings::default`].
    fn from_str(text: &str) -> Result<Self, BadLine> {
        let (path, settings) = text.rsplit_once('@').map_or((text, None), |(path, settings)| (path, Some(settings)));
        if path.is_empty() || path.contains(char::is_control) {
            return Err(BadLine { offset: 0, why: NO_PATH });
        }
        let offset = path.chars().count().saturating_add(1);
        let settings = settings.map_or(Ok(Settings::default()), |text| read(text, offset))?;
        Ok(Self { path: path.to_owned(), settings })
    }
}

fn read(text: &str, offset: usize) -> Result<Settings, BadLine> {
    let (baud, frame) = text.split_once('-').unwrap_or((text, "8E1"));
    let digits = !baud.is_empty() && baud.bytes().all(|byte| byte.is_ascii_digit());
    let baud_read = baud.parse().ok().filter(|baud| digits && BAUDS.contains(baud));
    let baud_read = baud_read.ok_or(BadLine { offset, why: NO_BAUD })?;
    let bad = BadLine { offset: offset.saturating_add(baud.len()).saturating_add(1), why: NO_FRAME };
    let &[data_bits @ (b'7' | b'8'), parity, stop_bits @ (b'1' | b'2')] = frame.as_bytes() else { return Err(bad) };
    let parity = match parity {
        b'N' | b'n' => Parity::None,
        b'E' | b'e' => Parity::Even,
        b'O' | b'o' => Parity::Odd,
        _ => return Err(bad),
    };
    Ok(Settings { baud: baud_read, data_bits: data_bits - b'0', parity, stop_bits: stop_bits - b'0' })
}

/// `/dev/ttyUSB0@19200-8E1`.
impl fmt::Display for SerialLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { baud, data_bits, parity, stop_bits } = self.settings;
        let parity = match parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{}@{baud}-{data_bits}{parity}{stop_bits}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let check = |text: &str, expected: &str| {
            let line: SerialLine = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(line.to_string(), expected, "{text}");
            assert_eq!(expected.parse(), Ok(line), "{expected}");
        };
        check("/dev/ttyS0", "/dev/ttyS0@19200-8E1");
        check("/dev/ttyS0@9600", "/dev/ttyS0@9600-8E1");
        check("COM3@115200-7o2", "COM3@115200-7O2");
        check(
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0@9600-8N1",
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0@9600-8N1",
        );
        check("/dev/odd@name@300-7E1", "/dev/odd@name@300-7E1");
    }

    #[test]
    fn a_bad_line_says_where_and_why() {
        let check =
            |text: &str, offset: usize, why: &'static str| assert_eq!(text.parse::<SerialLine>(), Err(BadLine { offset, why }), "{text}");
        check("", 0, NO_PATH);
        check("@9600", 0, NO_PATH);
        check("/dev/tty\n", 0, NO_PATH);
        check("COM3@", 5, NO_BAUD);
        check("COM3@0", 5, NO_BAUD);
        check("COM3@+9600", 5, NO_BAUD);
        check("COM3@9600-", 10, NO_FRAME);
        check("COM3@9600-9N1", 10, NO_FRAME);
        check("COM3@9600-8N", 10, NO_FRAME);
        check("COM3@9600-8X1", 10, NO_FRAME);
        check("COM3@9600-8N3", 10, NO_FRAME);
        check("COM3@9600-8N1 ", 10, NO_FRAME);
    }
}
