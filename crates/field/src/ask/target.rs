//! Targets as people write them: `10.0.0.5`, `10.0.0.5:1502/3`, `[2001:db8::5]:502/1`, `serial:/dev/ttyUSB0@9600-8N1/17`,
//! `dcp:eth1/00:1b:1b:02:e5:2e`. One address, one device: never a name, never a range.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use nameplate_wire::modbus::{PORT, Question};

use super::{Ask, Via};
use crate::guard::{BadLine, BadStation, Endpoint, SerialLine, Station};
use crate::modbus::{Framing, Questions, UNIT_NONE};

/// Shortest prefix that a network is written with: `10.0.0.0/24` means a network to everybody but us.
const PREFIX_BITS_MIN: u32 = 8;
/// A network of fewer than four addresses is no sweep.
const HOST_BITS_MIN: u32 = 2;

/// A target that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTarget {
    /// As it was written.
    pub text: String,
    /// The character to blame, from 1.
    pub at: usize,
    /// What is wrong, and what to write instead.
    pub why: String,
}

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "target {:?}, character {}: {}", self.text, self.at, self.why)
    }
}

impl std::error::Error for BadTarget {}

/// A target as it was written, before its protocol gives what was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    text: &'a str,
    way: Way,
    /// What stands behind the slash: a unit, a link address, in the protocol's own terms.
    pub station: Option<&'a str>,
    station_at: usize,
}

/// What leads to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// A network: address, and port where it is written.
    Net(IpAddr, Option<u16>),
    /// A serial line.
    Line(SerialLine),
    /// Layer 2.
    Station(Station),
}

impl<'a> Target<'a> {
    /// Reads `ip[:port][/station]`, `[v6][:port][/station]`, `serial:path[@baud-frame][/station]` or `dcp:interface/mac`.
    ///
    /// # Errors
    /// [`BadTarget`] for a name, a range, a network, or a number that is none.
    pub fn read(text: &'a str) -> Result<Self, BadTarget> {
        if let Some(line) = text.strip_prefix(SERIAL) {
            return on_a_line(text, line);
        }
        if let Some(station) = text.strip_prefix(LAYER_2) {
            let way = station.parse().map(Way::Station);
            let way = way.map_err(|BadStation { offset, why }| bad(text, offset.saturating_add(LAYER_2.len()), why))?;
            return Ok(Self { text, way, station: None, station_at: text.len() });
        }
        let (ip, end) = address(text).map_err(|(offset, why)| bad(text, offset, why))?;
        let rest = text.get(end..).unwrap_or_default();
        let (before, station) = rest.split_once('/').map_or((rest, None), |(before, station)| (before, Some(station)));
        let port = match before.strip_prefix(':') {
            None if before.is_empty() => None,
            None => return Err(bad(text, end, "after the address comes `:port`, `/unit`, or nothing")),
            Some(port) => match number::<u16>(port) {
                Some(port) if port > 0 => Some(port),
                _ => return Err(bad(text, end.saturating_add(1), "the port is a number from 1 to 65535")),
            },
        };
        let station_at = end.saturating_add(before.len()).saturating_add(1);
        let target = Self { text, way: Way::Net(ip, port), station, station_at };
        match station {
            Some(station) if station.contains([',', '-', '*']) => Err(target.bad_station(NO_SWEEP)),
            Some(station) if port.is_none() && number::<u8>(station).is_some_and(|prefix| is_network(ip, prefix)) => {
                let why = "this reads as a network, and we never sweep: name each device. If a unit is meant, write `ip:port/unit`";
                Err(target.bad_station(why))
            }
            _ => Ok(target),
        }
    }

    /// Its address and port; `port` where none is written.
    ///
    /// # Errors
    /// [`BadTarget`] for a serial line.
    pub fn address(&self, port: u16) -> Result<SocketAddr, BadTarget> {
        match self.way {
            Way::Net(ip, written) => Ok(SocketAddr::new(ip, written.unwrap_or(port))),
            Way::Line(_) => Err(bad(self.text, 0, NO_LINE)),
            Way::Station(_) => Err(bad(self.text, 0, NO_STATION)),
        }
    }

    /// The station on layer 2.
    ///
    /// # Errors
    /// [`BadTarget`] for everything else.
    pub fn on_layer_2(&self) -> Result<&Station, BadTarget> {
        match &self.way {
            Way::Station(station) => Ok(station),
            _ => Err(bad(
                self.text,
                0,
                "DCP has no addresses but hardware addresses: dcp:eth1/00:1b:1b:02:e5:2e, behind which interface, and which",
            )),
        }
    }

    /// The serial line, where it is one.
    #[must_use]
    pub const fn line(&self) -> Option<&SerialLine> {
        match &self.way {
            Way::Net(..) | Way::Station(_) => None,
            Way::Line(line) => Some(line),
        }
    }

    /// Its address, for a protocol without a port of its own.
    ///
    /// # Errors
    /// [`BadTarget`] with `why` where no port is written, or for a serial line.
    pub fn address_with_port(&self, why: &str) -> Result<SocketAddr, BadTarget> {
        match self.way {
            Way::Net(_, None) => Err(bad(self.text, self.station_at.saturating_sub(1), why)),
            Way::Net(_, Some(port)) => self.address(port),
            Way::Line(_) | Way::Station(_) => self.address(0),
        }
    }

    /// The station as two numbers with a dot between them, as rack and slot; `None` where there is none.
    ///
    /// # Errors
    /// [`BadTarget`] with `why` where it is something else.
    pub fn two_numbers(&self, why: &str) -> Result<Option<(u8, u8)>, BadTarget> {
        let Some(station) = self.station else { return Ok(None) };
        let pair = station.split_once('.').and_then(|(first, second)| Some((number(first)?, number(second)?)));
        pair.map(Some).ok_or_else(|| self.bad_station(why))
    }

    /// The station as a number; `None` where there is none.
    ///
    /// # Errors
    /// [`BadTarget`] with `why` where it is something else.
    pub fn number<N: FromStr>(&self, why: &str) -> Result<Option<N>, BadTarget> {
        match self.station.map(number::<N>) {
            None => Ok(None),
            Some(Some(number)) => Ok(Some(number)),
            Some(None) => Err(self.bad_station(why)),
        }
    }

    /// For a protocol that has no station.
    ///
    /// # Errors
    /// [`BadTarget`] where there is one.
    pub fn without_station(&self) -> Result<(), BadTarget> {
        self.station.map_or(Ok(()), |_| Err(self.bad_station("in this protocol nothing stands behind the address")))
    }

    /// That the station is wrong.
    #[must_use]
    pub fn bad_station(&self, why: &str) -> BadTarget {
        bad(self.text, self.station_at, why)
    }
}

/// A line with what stands behind it. Behind settings a slash begins the station; without them one does where a number follows: names of lines have
/// slashes of their own.
fn on_a_line<'a>(text: &'a str, line: &'a str) -> Result<Target<'a>, BadTarget> {
    let settings_at = line.rfind('@').unwrap_or(0);
    let slash = line.rfind('/').filter(|slash| *slash > settings_at);
    let station = slash.and_then(|slash| line.get(slash.saturating_add(1)..)).filter(|station| settings_at > 0 || is_a_station(station));
    let end = if station.is_some() { slash.unwrap_or(line.len()) } else { line.len() };
    let read = line.get(..end).unwrap_or_default().parse();
    let way = read.map(Way::Line).map_err(|BadLine { offset, why }| bad(text, offset.saturating_add(SERIAL.len()), why))?;
    let target = Target { text, way, station, station_at: end.saturating_add(1).saturating_add(SERIAL.len()) };
    if station.is_some_and(|station| station.contains([',', '-', '*'])) { Err(target.bad_station(NO_SWEEP)) } else { Ok(target) }
}

/// A number, or two with a dot; a list or a range of them is recognised to be refused.
fn is_a_station(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || first == '*') && !text.contains(char::is_alphabetic)
}

fn bad(text: &str, offset: usize, why: &str) -> BadTarget {
    let at = text.get(..offset).map_or(1, |before| before.chars().count().saturating_add(1));
    BadTarget { text: text.to_owned(), at, why: why.to_owned() }
}

impl FromStr for Ask {
    type Err = BadTarget;

    /// Over Modbus TCP: port 502 and unit 255 where they are left out; asks for the regular identification.
    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let target = Target::read(text)?;
        let unit = target.number("the unit is a number from 0 to 255")?.unwrap_or(UNIT_NONE);
        let via = Via::Modbus(Questions { framing: Framing::Tcp, unit, questions: vec![Question::REGULAR] });
        Ok(Self { endpoint: Endpoint::Tcp(target.address(PORT)?), via })
    }
}

/// What a target on a serial line begins with.
const SERIAL: &str = "serial:";
/// What a station on layer 2 begins with.
const LAYER_2: &str = "dcp:";
const NO_STATION: &str = "a station on layer 2 has no address that this protocol could go to; it is asked with --via pn-dcp";
const NO_LINE: &str = "this protocol goes over a network; on a serial line --via modbus-rtu or dnp3 can be asked";
const NO_SWEEP: &str = "one address and one unit at a time: we never sweep (a sweep has stopped plants), so name each device";
const NO_NAMES: &str = "write the address: host names are not looked up, because that would be traffic nobody asked for";

/// The address at the start and where it ends; or the offset to blame and why.
fn address(text: &str) -> Result<(IpAddr, usize), (usize, &'static str)> {
    if let Some(inside) = text.strip_prefix('[') {
        let close = inside.find(']').ok_or((text.len(), "the bracket is never closed"))?;
        let inside = inside.get(..close).unwrap_or_default();
        let v6: Ipv6Addr = inside.parse().map_err(|_| (1, "between the brackets stands an IPv6 address, without a zone"))?;
        return Ok((v6.into(), close.saturating_add(2)));
    }
    let end = text.find([':', '/']).unwrap_or(text.len());
    let host = text.get(..end).unwrap_or_default();
    if let Ok(v4) = host.parse::<Ipv4Addr>() {
        return Ok((v4.into(), end));
    }
    if text.matches(':').count() > 1 {
        return Err((0, "an IPv6 address stands in brackets: `[2001:db8::5]:502/1`"));
    }
    if let Some(offset) = host.find(char::is_alphabetic) {
        return Err((offset, NO_NAMES));
    }
    if let Some(offset) = host.find(['-', '*', ',']) {
        return Err((offset, NO_SWEEP));
    }
    Err((wrong_octet(host), "an IPv4 address is four numbers from 0 to 255 with dots between them"))
}

/// Offset of the first part that is no octet, or of the end where there are too few.
fn wrong_octet(host: &str) -> usize {
    let mut offset = 0_usize;
    for (index, part) in host.split('.').enumerate() {
        if index > 3 || number::<u8>(part).is_none() || (part.len() > 1 && part.starts_with('0')) {
            return offset;
        }
        offset = offset.saturating_add(part.len()).saturating_add(1);
    }
    host.len()
}

/// Digits only: `+5` and ` 5` are typing errors.
fn number<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// True where nothing stands behind the prefix: an address that a network is called by.
fn is_network(ip: IpAddr, prefix: u8) -> bool {
    let (bits, zeros) = match ip {
        IpAddr::V4(v4) => (32_u32, v4.to_bits().trailing_zeros()),
        IpAddr::V6(v6) => (128, v6.to_bits().trailing_zeros()),
    };
    let prefix = u32::from(prefix);
    (PREFIX_BITS_MIN..=bits - HOST_BITS_MIN).contains(&prefix) && zeros >= bits - prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_one_address_with_port_and_unit() {
        let check = |text: &str, target: &str, unit: u8| {
            let ask: Ask = text.parse().unwrap_or_else(|error| panic!("{error}"));
            let via = Via::Modbus(Questions { framing: Framing::Tcp, unit, questions: vec![Question::REGULAR] });
            assert_eq!(ask, Ask { endpoint: target.parse().expect("an endpoint"), via }, "{text}");
        };
        check("10.0.0.5", "10.0.0.5:502", 255);
        check("10.0.0.5:1502", "10.0.0.5:1502", 255);
        check("10.0.0.5/0", "10.0.0.5:502", 0);
        check("10.0.0.5/24", "10.0.0.5:502", 24);
        check("10.0.0.0:502/24", "10.0.0.0:502", 24);
        check("10.0.0.5:1502/17", "10.0.0.5:1502", 17);
        check("[2001:db8::5]", "[2001:db8::5]:502", 255);
        check("[2001:db8::5]/9", "[2001:db8::5]:502", 9);
        check("[::1]:1502/255", "[::1]:1502", 255);
    }

    #[test]
    fn a_line_is_written_with_its_settings_and_a_station() {
        let check = |text: &str, line: &str, station: Option<&str>| {
            let target = Target::read(text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((target.line().map(SerialLine::to_string).as_deref(), target.station), (Some(line), station), "{text}");
        };
        check("serial:/dev/ttyS0/17", "/dev/ttyS0@19200-8E1", Some("17"));
        check("serial:/dev/ttyS0", "/dev/ttyS0@19200-8E1", None);
        check("serial:COM3/1", "COM3@19200-8E1", Some("1"));
        check("serial:/dev/ttyS0@9600-8N1/0.2", "/dev/ttyS0@9600-8N1", Some("0.2"));
        check("serial:/dev/pts/3/17", "/dev/pts/3@19200-8E1", Some("17"));
        check("serial:/dev/pts/3@19200-8E1", "/dev/pts/3@19200-8E1", None);
        check("serial:/dev/serial/by-id/usb-FTDI_A9-if00-port0/17", "/dev/serial/by-id/usb-FTDI_A9-if00-port0@19200-8E1", Some("17"));
    }

    #[test]
    fn a_station_on_layer_2_is_an_interface_and_a_hardware_address() {
        let target = Target::read("dcp:eth1/00:1B:1b:02:e5:2e").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(target.on_layer_2().map(Station::to_string).as_deref(), Ok("eth1/00:1b:1b:02:e5:2e"));
        let error = target.address(502).expect_err("no address");
        assert!(error.at == 1 && error.why.contains("pn-dcp"), "{error}");
        for (text, at) in [("dcp:eth1", 10), ("dcp:/00:1b:1b:02:e5:2e", 5), ("dcp:eth1/00:1b:1b:02:e5:2e/1", 10)] {
            assert_eq!(Target::read(text).map_err(|error| error.at), Err(at), "{text}");
        }
        assert!(Target::read("192.0.2.1").is_ok_and(|target| target.on_layer_2().is_err()));
    }

    #[test]
    fn a_bad_line_says_where_and_why() {
        let check = |text: &str, at: usize, why: &str| {
            let error = Target::read(text).expect_err(text);
            assert!(error.at == at && error.why.contains(why), "{error}; expected character {at} and {why:?}");
        };
        check("serial:", 8, "no name");
        check("serial:COM3@/1", 13, "bits a second");
        check("serial:COM3@9600-8X1/1", 18, "parity");
        check("serial:COM3/1-247", 13, "never sweep");
        check("serial:COM3@9600/*", 18, "never sweep");
        let error = "serial:COM3/1".parse::<Ask>().expect_err("Modbus TCP");
        assert!(error.at == 1 && error.why.contains("modbus-rtu"), "{error}");
    }

    #[test]
    fn a_bad_target_says_where_and_why() {
        let check = |text: &str, at: usize, why: &str| {
            let error = text.parse::<Ask>().expect_err(text);
            assert!(error.at == at && error.why.contains(why), "{error}; expected character {at} and {why:?}");
        };
        check("", 1, "four numbers");
        check("10.0.0", 7, "four numbers");
        check("10.0.0.256", 8, "four numbers");
        check("10.0.00.2", 6, "four numbers");
        check("10.0.0.1.1", 10, "four numbers");
        check("10.0.0. 5", 8, "four numbers");
        check("plc-7.plant", 1, "not looked up");
        check("10.0.0.x", 8, "not looked up");
        check("10.0.0.1-20", 9, "never sweep");
        check("10.0.0.*", 8, "never sweep");
        check("10.0.0.1,10.0.0.2", 9, "never sweep");
        check("10.0.0.0/24", 10, "never sweep");
        check("10.0.0.16/28:502", 11, "the unit is a number");
        check("10.0.0.16/28", 11, "never sweep");
        check("[2001:db8::]/64", 14, "never sweep");
        check("10.0.0.5/1-247", 10, "never sweep");
        check("10.0.0.5/256", 10, "0 to 255");
        check("10.0.0.5/", 10, "0 to 255");
        check("10.0.0.5/+5", 10, "0 to 255");
        check("10.0.0.5:0", 10, "1 to 65535");
        check("10.0.0.5:65536/1", 10, "1 to 65535");
        check("10.0.0.5:", 10, "1 to 65535");
        check("2001:db8::5", 1, "in brackets");
        check("[2001:db8::5", 13, "never closed");
        check("[fe80::1%eth0]:502", 2, "without a zone");
        check("[2001:db8::5]502", 14, "after the address");
        check("10.0.0.5 ", 8, "four numbers");
        check("größe", 1, "not looked up");
    }
}
