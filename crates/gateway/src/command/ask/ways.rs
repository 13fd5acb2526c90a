//! In which protocols a target is asked, and what: the options that each protocol has of its own.

use clap::{Args, ValueEnum};
use nameplate_core::observation::unhex;
use nameplate_core::wire::bacnet::{self, Route};
use nameplate_core::wire::modbus::{PORT, Question};
use nameplate_field::ask::{Ask, BadTarget, Target, Via};
use nameplate_field::guard::Endpoint;
use nameplate_field::modbus::{Questions, UNIT_NONE};

/// What stands behind `--via` and beside it.
#[derive(Debug, Args)]
pub struct Ways {
    /// The protocols to ask over
    #[arg(long, value_enum, value_delimiter = ',', default_value = "modbus")]
    via: Vec<Way>,
    /// What to ask over Modbus, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_value = "regular")]
    question: Vec<Named>,
    /// BACnet: the network behind the router on which the device is
    #[arg(long, value_name = "NETWORK", requires = "bacnet_station")]
    bacnet_network: Option<u16>,
    /// BACnet: its address there in hexadecimal digits, such as 0c for station 12 of MS/TP
    #[arg(long, value_name = "HEX", requires = "bacnet_network")]
    bacnet_station: Option<String>,
}

/// Protocols that can be asked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// BACnet/IP: identity properties of the device object. TARGET/INSTANCE; whichever device is there where it is left out
    Bacnet,
    /// Modbus TCP: function 43/14, and 17 where it is named. TARGET/UNIT, unit 255 where it is left out
    Modbus,
}

/// Questions by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Named {
    /// Vendor, product code, revision (2B 0E 01)
    Basic,
    /// Basic, URL, product name, model, application (2B 0E 02); basic where the device refuses it
    Regular,
    /// Regular and the maker's private objects (2B 0E 03)
    Extended,
    /// Report Server ID (11): free text, of little worth
    ServerId,
}

impl From<Named> for Question {
    fn from(named: Named) -> Self {
        match named {
            Named::Basic => Self::BASIC,
            Named::Regular => Self::REGULAR,
            Named::Extended => Self::EXTENDED,
            Named::ServerId => Self::ServerId,
        }
    }
}

impl Ways {
    /// A target in each of the protocols.
    ///
    /// # Errors
    /// [`BadTarget`] where it is none, or none of this protocol's.
    pub fn asks(&self, text: &str) -> Result<Vec<Ask>, BadTarget> {
        let target = Target::read(text)?;
        self.via.iter().map(|way| self.ask(*way, &target)).collect()
    }

    fn ask(&self, way: Way, target: &Target<'_>) -> Result<Ask, BadTarget> {
        match way {
            Way::Bacnet => {
                let instance = target.number("the device instance is a number from 0 to 4194302")?;
                let route = match (self.bacnet_network, &self.bacnet_station) {
                    (Some(network), Some(station)) => {
                        let station = unhex(station).map_err(|_| target.bad_station("--bacnet-station is pairs of hexadecimal digits"))?;
                        Some(Route { network, station })
                    }
                    _ => None,
                };
                let endpoint = Endpoint::Udp(target.address(bacnet::PORT));
                Ok(Ask { endpoint, via: Via::Bacnet(nameplate_field::bacnet::Questions { instance, route }) })
            }
            Way::Modbus => {
                let unit = target.number("the unit is a number from 0 to 255")?.unwrap_or(UNIT_NONE);
                let questions = self.question.iter().map(|named| (*named).into()).collect();
                let endpoint = Endpoint::Tcp(target.address(PORT));
                Ok(Ask { endpoint, via: Via::Modbus(Questions { unit, questions }) })
            }
        }
    }
}
