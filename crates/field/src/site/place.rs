//! Places that a rule names: an address, a network, a serial line, a station on layer 2.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::guard::{Endpoint, Host, Station};

/// Bits of an IPv4 address, and of an IPv6 address.
const V4_BITS: u8 = 32;
const V6_BITS: u8 = 128;

/// A place. Hosts of a network are those whose first `prefix` bits are the network's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A network; a single address is one with all its bits.
    Network {
        /// An address in it.
        address: IpAddr,
        /// Bits that all of it share.
        prefix: u8,
    },
    /// A serial line, by its path.
    Line(String),
    /// A station on layer 2, behind whichever interface.
    Station(Station),
}

impl Place {
    /// True where an endpoint is there.
    #[must_use]
    pub fn holds(&self, endpoint: &Endpoint) -> bool {
        match (self, endpoint.host()) {
            (Self::Line(path), Host::Line(line)) => *path == line,
            (Self::Station(named), Host::Station(station)) => named.mac == station.mac,
            (Self::Network { address, prefix }, Host::Ip(ip)) => match (address.to_canonical(), ip) {
                (IpAddr::V4(network), IpAddr::V4(ip)) => same(u128::from(network.to_bits()), u128::from(ip.to_bits()), V4_BITS, *prefix),
                (IpAddr::V6(network), IpAddr::V6(ip)) => same(network.to_bits(), ip.to_bits(), V6_BITS, *prefix),
                _ => false,
            },
            _ => false,
        }
    }
}

impl Place {
    /// True where something could be in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network { address: one, prefix }, Self::Network { address: other, prefix: others }) => {
                let prefix = *prefix.min(others);
                match (one.to_canonical(), other.to_canonical()) {
                    (IpAddr::V4(one), IpAddr::V4(other)) => same(u128::from(one.to_bits()), u128::from(other.to_bits()), V4_BITS, prefix),
                    (IpAddr::V6(one), IpAddr::V6(other)) => same(one.to_bits(), other.to_bits(), V6_BITS, prefix),
                    _ => false,
                }
            }
            (one, other) => one == other,
        }
    }
}

fn same(one: u128, other: u128, bits: u8, prefix: u8) -> bool {
    let behind = u32::from(bits.saturating_sub(prefix));
    (one ^ other).checked_shr(behind).unwrap_or(0) == 0
}

/// A text that names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPlace;

impl fmt::Display for BadPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write an address (192.0.2.50), a network (192.0.2.48/29), a line (serial:/dev/ttyUSB0) or a station (dcp:eth1/00:1b:1b:02:e5:2e)")
    }
}

impl std::error::Error for BadPlace {}

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        if let Some(line) = text.strip_prefix("serial:") {
            return if line.is_empty() { Err(BadPlace) } else { Ok(Self::Line(line.to_owned())) };
        }
        if let Some(station) = text.strip_prefix("dcp:") {
            return station.parse().map(Self::Station).map_err(|_| BadPlace);
        }
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| BadPlace)?;
        let bits = if address.is_ipv4() { V4_BITS } else { V6_BITS };
        let prefix = prefix.map_or(Ok(bits), |prefix| prefix.parse().map_err(|_| BadPlace))?;
        if prefix > bits { Err(BadPlace) } else { Ok(Self::Network { address, prefix }) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(path) => write!(f, "serial:{path}"),
            Self::Station(station) => write!(f, "dcp:{station}"),
            Self::Network { address, prefix } if *prefix == if address.is_ipv4() { V4_BITS } else { V6_BITS } => address.fmt(f),
            Self::Network { address, prefix } => write!(f, "{address}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_holds_what_answers_there() {
        let check = |place: &str, endpoint: &str, expected: bool| {
            let read: Place = place.parse().unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(read.holds(&endpoint.parse().expect("an endpoint")), expected, "{place} {endpoint}");
            assert_eq!(read.to_string(), place);
        };
        check("192.0.2.50", "192.0.2.50:502", true);
        check("192.0.2.50", "udp:192.0.2.50:161", true);
        check("192.0.2.50", "[::ffff:192.0.2.50]:502", true);
        check("192.0.2.50", "192.0.2.51:502", false);
        check("192.0.2.48/29", "192.0.2.55:502", true);
        check("192.0.2.48/29", "192.0.2.56:502", false);
        check("0.0.0.0/0", "192.0.2.56:502", true);
        check("0.0.0.0/0", "[2001:db8::1]:502", false);
        check("2001:db8::/64", "[2001:db8::1]:502", true);
        check("2001:db8::/64", "[2001:db8:0:1::1]:502", false);
        check("serial:/dev/ttyS0", "serial:/dev/ttyS0@9600-8N1", true);
        check("serial:/dev/ttyS0", "serial:/dev/ttyS1", false);
        check("192.0.2.0/24", "serial:/dev/ttyS1", false);
        check("dcp:eth1/00:1b:1b:02:e5:2e", "dcp:eth1/00:1b:1b:02:e5:2e", true);
        check("dcp:eth1/00:1b:1b:02:e5:2e", "dcp:eth2/00:1b:1b:02:e5:2e", true);
        check("dcp:eth1/00:1b:1b:02:e5:2e", "dcp:eth1/00:1b:1b:02:e5:2f", false);
        check("0.0.0.0/0", "dcp:eth1/00:1b:1b:02:e5:2e", false);
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "plc-7", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "2001:db8::/129", "serial:", "dcp:eth1", "192.0.2.1-9"] {
            assert_eq!(text.parse::<Place>(), Err(BadPlace), "{text}");
        }
    }
}
