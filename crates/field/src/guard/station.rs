//! A station on a network that this machine is a part of, without an address of its own: by our interface and its hardware address.

use std::{fmt, str::FromStr};

/// Set in the first byte of a hardware address that means several stations (IEEE 802, 8.4).
const GROUP_BIT: u8 = 0x01;
/// Letters of an interface's name (Linux: IFNAMSIZ less its NUL).
const INTERFACE_BYTES_MAX: usize = 15;

/// A station and the interface behind which it is: `eth1/00:1b:1b:02:e5:2e`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Station {
    /// Our interface, as the system calls it.
    pub interface: String,
    /// The station's hardware address.
    pub mac: [u8; 6],
}

impl Station {
    /// Why it can never be one device.
    pub(super) fn never_a_device(&self) -> Option<&'static str> {
        let [first, ..] = self.mac;
        match self.mac {
            _ if first & GROUP_BIT != 0 => Some("is a group's address: many stations would hear it"),
            [0, 0, 0, 0, 0, 0] => Some("is no station's address"),
            _ => None,
        }
    }
}

/// A text that names no station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadStation {
    /// The character to blame, from 0.
    pub offset: usize,
    /// What is wrong, and what to write instead.
    pub why: &'static str,
}

const NO_INTERFACE: &str = "first comes this machine's interface to the network, of up to 15 letters: dcp:eth1/00:1b:1b:02:e5:2e";
const NO_MAC: &str = "behind the slash stands the hardware address, six pairs of hexadecimal digits: dcp:eth1/00:1b:1b:02:e5:2e";

impl fmt::Display for BadStation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}", self.offset.saturating_add(1), self.why)
    }
}

impl FromStr for Station {
    type Err = BadStation;

    fn from_str(text: &str) -> Result<Self, BadStation> {
        let (interface, address) = text.split_once('/').unwrap_or((text, ""));
        let named = |c: char| c.is_ascii_graphic() && c != ':';
        if interface.is_empty() || interface.len() > INTERFACE_BYTES_MAX || !interface.chars().all(named) {
            return Err(BadStation { offset: 0, why: NO_INTERFACE });
        }
        let no_mac = BadStation { offset: interface.len().saturating_add(1), why: NO_MAC };
        let pair = |pair: &str| {
            let digits = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            digits.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
        };
        let bytes: Option<Vec<u8>> = address.split(':').map(pair).collect();
        let mac = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(no_mac)?;
        Ok(Self { interface: interface.to_owned(), mac })
    }
}

/// `eth1/00:1b:1b:02:e5:2e`.
impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.mac.iter().map(|byte| format!("{byte:02x}")).collect();
        write!(f, "{}/{}", self.interface, pairs.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_is_read_as_it_is_written() {
        let check = |text: &str, expected: &str| {
            let station: Station = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(station.to_string(), expected, "{text}");
        };
        check("eth1/00:1b:1b:02:e5:2e", "eth1/00:1b:1b:02:e5:2e");
        check("enp0s31f6.10/AC:64:17:21:35:CF", "enp0s31f6.10/ac:64:17:21:35:cf");
    }

    #[test]
    fn a_bad_station_says_where_and_why() {
        let check = |text: &str, offset: usize, why: &'static str| {
            assert_eq!(text.parse::<Station>(), Err(BadStation { offset, why }), "{text}");
        };
        check("", 0, NO_INTERFACE);
        check("/00:1b:1b:02:e5:2e", 0, NO_INTERFACE);
        check("an-interface-too-long/00:1b:1b:02:e5:2e", 0, NO_INTERFACE);
        check("eth 1/00:1b:1b:02:e5:2e", 0, NO_INTERFACE);
        check("eth1", 5, NO_MAC);
        check("eth1/00:1b:1b:02:e5", 5, NO_MAC);
        check("eth1/00:1b:1b:02:e5:2e:00", 5, NO_MAC);
        check("eth1/00:1b:1b:02:e5:+e", 5, NO_MAC);
        check("eth1/00:1b:1b:02:e5:2e/1", 5, NO_MAC);
    }

    #[test]
    fn a_group_is_no_station() {
        let why = |text: &str| text.parse::<Station>().expect("a station").never_a_device();
        assert_eq!(why("eth1/00:1b:1b:02:e5:2e"), None);
        assert_eq!(why("eth1/02:00:00:00:00:01"), None);
        for group in ["01:0e:cf:00:00:00", "ff:ff:ff:ff:ff:ff", "03:00:00:00:00:01"] {
            assert!(why(&format!("eth1/{group}")).is_some_and(|why| why.contains("group")), "{group}");
        }
        assert!(why("eth1/00:00:00:00:00:00").is_some());
    }
}
