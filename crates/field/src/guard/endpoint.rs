//! Where a device answers.

use std::{fmt, net::IpAddr, net::SocketAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::serial::{BadLine, SerialLine};
use super::station::{BadStation, Station};

/// One endpoint of one device, or of several behind a gateway or on a line. IPv4 addresses are written as such, however they came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A UDP port: a question is one datagram.
    Udp(SocketAddr),
    /// A serial line of this machine.
    Serial(SerialLine),
    /// A station on layer 2, behind an interface of this machine: a question is one frame.
    Station(Station),
}

/// What leads to devices and carries one conversation at a time: a host has one connection to spare, or none; a line has one master.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A network address.
    Ip(IpAddr),
    /// A serial line, by its path.
    Line(String),
    /// A station on layer 2.
    Station(Station),
}

impl Endpoint {
    /// Its address and port; a serial line and a station on layer 2 have none.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) | Self::Udp(address) => Some(*address),
            Self::Serial(_) | Self::Station(_) => None,
        }
    }

    /// Its network address; a serial line and a station on layer 2 have none.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.address().map(|address| address.ip().to_canonical())
    }

    /// What one connection is open to at a time.
    #[must_use]
    pub fn host(&self) -> Host {
        match self {
            Self::Tcp(address) | Self::Udp(address) => Host::Ip(address.ip().to_canonical()),
            Self::Serial(line) => Host::Line(line.path.clone()),
            Self::Station(station) => Host::Station(station.clone()),
        }
    }

    /// The same endpoint however its address was written, or the line was set.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let plain = |address: &SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        match self {
            Self::Tcp(address) => Self::Tcp(plain(address)),
            Self::Udp(address) => Self::Udp(plain(address)),
            Self::Serial(line) => Self::Serial(SerialLine::new(line.path.clone())),
            Self::Station(station) => Self::Station(station.clone()),
        }
    }

    /// Why it can never be one device: one packet there is heard by many, or by nobody.
    pub(super) fn never_a_device(&self) -> Option<&'static str> {
        if let Self::Station(station) = self {
            return station.never_a_device();
        }
        let address = self.address()?;
        if address.port() == 0 {
            return Some("has no port");
        }
        match address.ip().to_canonical() {
            ip if ip.is_multicast() => Some("is a multicast address"),
            ip if ip.is_unspecified() => Some("is the unspecified address"),
            IpAddr::V4(ip) if ip.is_broadcast() => Some("is the broadcast address"),
            IpAddr::V4(ip) if ip.octets()[0] == 0 || ip.octets()[0] >= 240 => Some("is a reserved address"),
            _ => None,
        }
    }
}

impl Host {
    /// True where nobody but this machine is there: a loopback address, a pseudo-terminal.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.to_canonical().is_loopback(),
            Self::Line(path) => path.starts_with(PSEUDO_TERMINALS),
            Self::Station(_) => false,
        }
    }
}

/// Where Linux has them (pts(4)).
const PSEUDO_TERMINALS: &str = "/dev/pts/";

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Line(path) => path.fmt(f),
            Self::Station(station) => station.fmt(f),
        }
    }
}

/// `192.0.2.1:502`; with another transport than TCP `udp:192.0.2.1:161`, `serial:/dev/ttyS0@19200-8E1`,
/// `dcp:eth1/00:1b:1b:02:e5:2e`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Serial(line) => write!(f, "serial:{line}"),
            Self::Station(station) => write!(f, "dcp:{station}"),
        }
    }
}

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(line) = text.strip_prefix("serial:") {
            return line.parse().map(Self::Serial).map_err(BadEndpoint::Line);
        }
        if let Some(station) = text.strip_prefix("dcp:") {
            return station.parse().map(Self::Station).map_err(BadEndpoint::Station);
        }
        let (address, transport): (_, fn(SocketAddr) -> Self) = match text.strip_prefix("udp:") {
            Some(address) => (address, Self::Udp),
            None => (text, Self::Tcp),
        };
        address.parse().map(transport).map_err(BadEndpoint::Address)
    }
}

/// A text that names no endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadEndpoint {
    /// It is no address with a port.
    Address(std::net::AddrParseError),
    /// It is no serial line.
    Line(BadLine),
    /// It is no station.
    Station(BadStation),
}

impl fmt::Display for BadEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Line(error) => error.fmt(f),
            Self::Station(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BadEndpoint {}

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
