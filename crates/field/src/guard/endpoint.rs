//! Where a device answers.

use std::{fmt, net::IpAddr, net::SocketAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One endpoint of one device, or of a gateway with several behind it. IPv4 addresses are written as such, however they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A UDP port: a question is one datagram.
    Udp(SocketAddr),
}

impl Endpoint {
    /// Its address and port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        match self {
            Self::Tcp(address) | Self::Udp(address) => *address,
        }
    }

    /// The address, of which one connection is open at a time.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.address().ip().to_canonical()
    }

    /// The same endpoint however its address was written.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let plain = |address: &SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        match self {
            Self::Tcp(address) => Self::Tcp(plain(address)),
            Self::Udp(address) => Self::Udp(plain(address)),
        }
    }

    /// Why it can never be one device: one packet there is heard by many, or by nobody.
    pub(super) fn never_a_device(&self) -> Option<&'static str> {
        if self.address().port() == 0 {
            return Some("has no port");
        }
        match self.ip() {
            ip if ip.is_multicast() => Some("is a multicast address"),
            ip if ip.is_unspecified() => Some("is the unspecified address"),
            IpAddr::V4(ip) if ip.is_broadcast() => Some("is the broadcast address"),
            IpAddr::V4(ip) if ip.octets()[0] == 0 || ip.octets()[0] >= 240 => Some("is a reserved address"),
            _ => None,
        }
    }
}

/// `192.0.2.1:502`; with another transport than TCP `udp:192.0.2.1:161`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Udp(address) => write!(f, "udp:{address}"),
        }
    }
}

impl FromStr for Endpoint {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("udp:") {
            Some(address) => address.parse().map(Self::Udp),
            None => text.parse().map(Self::Tcp),
        }
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|error| serde::de::Error::custom(format!("target {text:?}: {error}")))
    }
}
