//! Where a listed device is asked, and whether what was heard somewhere would be it.

use std::net::IpAddr;

use nameplate_core::observation::Address;
use nameplate_core::wire::Mac;
use nameplate_field::ask::Ask;
use nameplate_field::guard::Endpoint;
use serde::{Deserialize, Serialize};

/// The protocol whose unit numbers tell devices behind one address apart.
const MODBUS: &str = "modbus";

/// Units that mean the device itself (MODBUS Messaging on TCP/IP V1.0b, 4.4.2.1).
const UNITS_ITSELF: [u8; 2] = [0, 255];

/// One way in which a device is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// In which protocol.
    pub protocol: String,
    /// At which network address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Or on which line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Or at which hardware address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Behind it, as its protocol names it; may be empty.
    pub station: String,
}

impl At {
    /// Of what a site file has asked.
    pub fn of(ask: &Ask) -> Self {
        let (mut line, mut mac) = (None, None);
        match &ask.endpoint {
            Endpoint::Tcp(_) | Endpoint::Udp(_) => {}
            Endpoint::Serial(serial) => line = Some(serial.path.clone()),
            Endpoint::Station(station) => mac = Some(Mac(station.mac).to_string()),
        }
        Self { protocol: ask.via.adapter().name().to_owned(), ip: ask.endpoint.ip(), line, mac, station: ask.station() }
    }

    /// Whether what was heard at an address is who is asked there.
    pub fn is_at(&self, address: &Address) -> bool {
        match self {
            Self { ip: Some(ip), .. } => {
                address.ip.is_some_and(|own| own.to_canonical() == *ip) && answers(address, self.protocol == MODBUS, &self.station)
            }
            Self { line: Some(line), .. } => address.line.as_ref() == Some(line) && is_station(address, &self.station),
            Self { mac: Some(mac), .. } => address.mac.as_ref() == Some(mac),
            _ => false,
        }
    }
}

/// Units of a line are told apart by their numbers alone.
fn is_station(address: &Address, station: &str) -> bool {
    let own = address.unit.map(|unit| unit.to_string()).or_else(|| address.link.map(|link| link.to_string()));
    own.is_none_or(|own| own == station)
}

/// Whether what was heard at an address would be who is asked there.
pub fn answers(address: &Address, is_modbus: bool, station: &str) -> bool {
    let itself = address.unit.is_none_or(|unit| UNITS_ITSELF.contains(&unit));
    let unit = is_modbus && address.unit.is_some_and(|unit| unit.to_string() == station);
    unit || (itself && address.path.is_none() && (station.is_empty() || !is_modbus || station == "255"))
}
