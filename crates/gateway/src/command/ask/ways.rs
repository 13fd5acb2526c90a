//! In which protocols a target is asked, and what: the options that each protocol has of its own.

use clap::{Args, ValueEnum};
use nameplate_core::wire::conversation::Over;
use nameplate_core::wire::dnp3::Route;
use nameplate_core::wire::modbus::{PORT, Question};
use nameplate_core::wire::{dnp3, hart_ip};
use nameplate_field::ask::{Ask, BadTarget, Target, Via};
use nameplate_field::dnp3 as outstation;
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
    #[command(flatten)]
    dnp3: Dnp3,
    /// Ask HART-IP over UDP instead of TCP; a server that answers from another port than its own is not heard
    #[arg(long)]
    hart_udp: bool,
}

/// What DNP3 needs to know besides.
#[derive(Debug, Args)]
struct Dnp3 {
    /// Our own link address, which the outstation must know as a master of its own; never that of your SCADA: it would lose its connection
    #[arg(long = "dnp3-master", value_name = "ADDRESS", required_if_eq("via", "dnp3"))]
    master: Option<u16>,
    /// Ask DNP3 over UDP instead of TCP
    #[arg(long = "dnp3-udp")]
    udp: bool,
    /// Ask DNP3 for all attributes (group 0 variation 254) instead of the five that are the identity: a longer answer
    #[arg(long = "dnp3-all")]
    all: bool,
    /// Consent to confirm one empty unsolicited DNP3 response, for outstations that say nothing before
    #[arg(long = "dnp3-confirm-unsolicited")]
    confirm_unsolicited: bool,
}

impl Dnp3 {
    fn ask(&self, target: &Target<'_>) -> Result<Ask, BadTarget> {
        let why = "write the outstation's link address, 0 to 65519, behind the slash: 192.0.2.10/4";
        let outstation = target.number(why)?.ok_or_else(|| target.bad_station(why))?;
        let Some(master) = self.master else { return Err(target.bad_station("--dnp3-master is missing")) };
        let Self { udp, all, confirm_unsolicited, .. } = *self;
        let address = target.address(dnp3::PORT);
        let (endpoint, over) = if udp { (Endpoint::Udp(address), Over::Udp) } else { (Endpoint::Tcp(address), Over::Tcp) };
        let questions = outstation::Questions { route: Route { master, outstation }, over, all, confirm_unsolicited };
        Ok(Ask { endpoint, via: Via::Dnp3(questions) })
    }
}

/// Protocols that can be asked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// DNP3: group 0, the identity attributes. TARGET/LINK is the outstation's link address; needs --dnp3-master
    Dnp3,
    /// HART-IP: commands 0, 20 and 13. TARGET/POLLING, polling address 0 where it is left out
    HartIp,
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
            Way::Dnp3 => self.dnp3.ask(target),
            Way::HartIp => {
                let polling = target.number("the polling address is a number from 0 to 63")?.unwrap_or(0);
                let address = target.address(hart_ip::PORT);
                let endpoint = if self.hart_udp { Endpoint::Udp(address) } else { Endpoint::Tcp(address) };
                Ok(Ask { endpoint, via: Via::HartIp(nameplate_field::hart_ip::Questions { polling }) })
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
