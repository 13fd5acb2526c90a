//! In which protocols a target is asked, and what: the options that each protocol has of its own.

use std::net::IpAddr;

use clap::{Args, ValueEnum};
use nameplate_core::observation::unhex;
use nameplate_core::profile::ProfileSet;
use nameplate_core::wire::bacnet;
use nameplate_core::wire::conversation::Over;
use nameplate_core::wire::dnp3::Route;
use nameplate_core::wire::modbus::{PORT, Question};
use nameplate_core::wire::snmp;
use nameplate_core::wire::{dnp3, enip, fins, greeting, hart_ip, mms, pn_io, ssh, telnet};
use nameplate_field::ask::{Ask, BadTarget, Target, Via};
use nameplate_field::dnp3 as outstation;
use nameplate_field::guard::{Endpoint, Greeting};
use nameplate_field::mms as association;
use nameplate_field::modbus::{Framing, Questions, UNIT_NONE};
use nameplate_field::{s7comm, slmp};

/// Where the CPU of an S7-300 always is.
const S7_PLACE: (u8, u8) = (0, 2);

use super::http::Http;
use super::opcua::{Kept, Opcua};
use super::sel::Sel;
use super::snmp::Snmp;
use crate::failure::{Code, Failure};

/// What stands behind `--via` and beside it.
#[derive(Debug, Args)]
pub struct Ways {
    /// The protocols to ask over
    #[arg(long, value_enum, value_delimiter = ',', default_value = "modbus")]
    via: Vec<Way>,
    /// What to ask over Modbus, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_value = "regular", help_heading = "Modbus")]
    question: Vec<Named>,
    /// Ask over Modbus for the registers that this profile of ours names, literally, and nothing else (`nameplate profile list`). Know the device:
    /// in another, registers with these numbers may be something else
    #[arg(long, value_name = "ID", conflicts_with = "question", help_heading = "Modbus")]
    modbus_profile: Option<String>,
    /// The network behind the router on which the device is
    #[arg(long, value_name = "NETWORK", requires = "bacnet_station", help_heading = "BACnet")]
    bacnet_network: Option<u16>,
    /// Its address there in hexadecimal digits, such as 0c for station 12 of MS/TP
    #[arg(long, value_name = "HEX", requires = "bacnet_network", help_heading = "BACnet")]
    bacnet_station: Option<String>,
    /// A slot of the chassis to ask over CIP, counted from 0; may be repeated. Only slots that are known to hold a module: nothing is tried out
    #[arg(long, value_name = "SLOT", help_heading = "CIP")]
    cip_slot: Vec<u8>,
    /// Who of the owner's consents to asking in a chassis with a safety controller; without it none is asked beside one
    #[arg(long, value_name = "NAME", help_heading = "CIP")]
    cip_safety_consent: Option<String>,
    /// Ask ListIdentity over TCP, where a firewall lets no UDP through
    #[arg(long, help_heading = "EtherNet/IP")]
    enip_tcp: bool,
    /// Ask FINS over UDP, with this node address; the plant has to have assigned it to this machine, because a controller sends the answers for
    /// another station with the same number here. Without it FINS goes over TCP, where the controller assigns one
    #[arg(long, value_name = "NODE", help_heading = "FINS")]
    fins_node: Option<u8>,
    #[command(flatten)]
    http: Http,
    #[command(flatten)]
    mms: Mms,
    /// Who of the owner's says that the device's connection to its controller is up, and that it neither starts nor is replaced just now;
    /// without it none is asked
    #[arg(long, value_name = "NAME", help_heading = "PROFINET")]
    pn_consent: Option<String>,
    /// Read list 001C (names, serial number), too. Only where the owner of the CPUs agrees: it has put fail-safe CPUs into a
    /// defective state. One whose order number says that it is, or may be, fail-safe is not asked even so
    #[arg(long = "s7-consent-001c", help_heading = "S7comm")]
    s7_consent_001c: bool,
    /// By UDP instead of TCP, as the controller's parameters have it
    #[arg(long, help_heading = "SLMP")]
    slmp_udp: bool,
    #[command(flatten)]
    sel: Sel,
    #[command(flatten)]
    snmp: Snmp,
    #[command(flatten)]
    opcua: Opcua,
    #[command(flatten)]
    dnp3: Dnp3,
    /// Ask HART-IP over UDP instead of TCP; a server that answers from another port than its own is not heard
    #[arg(long, help_heading = "HART-IP")]
    hart_udp: bool,
}

/// What DNP3 needs to know besides.
#[derive(Debug, Args)]
struct Dnp3 {
    /// Our own link address, which the outstation must know as a master of its own; never that of your SCADA: it would lose its connection.
    /// One with which `listen` heard a master, towards whichever outstation, is refused
    #[arg(long = "dnp3-master", value_name = "ADDRESS", required_if_eq("via", "dnp3"), help_heading = "DNP3")]
    master: Option<u16>,
    /// Ask DNP3 over UDP instead of TCP
    #[arg(long = "dnp3-udp", help_heading = "DNP3")]
    udp: bool,
    /// Ask DNP3 for all attributes (group 0 variation 254) instead of the five that are the identity: a longer answer
    #[arg(long = "dnp3-all", help_heading = "DNP3")]
    all: bool,
    /// Consent to confirm one empty unsolicited DNP3 response, for outstations that say nothing before
    #[arg(long = "dnp3-confirm-unsolicited", help_heading = "DNP3")]
    confirm_unsolicited: bool,
    /// The DNP3 master that was heard at this address is nameplate itself, on another machine or behind address translation. It overrides the
    /// refusal of its link address: if it is your SCADA, your SCADA loses its connection
    #[arg(long = "dnp3-ours", value_name = "IP", help_heading = "DNP3")]
    ours: Option<IpAddr>,
}

impl Dnp3 {
    fn ask(&self, target: &Target<'_>) -> Result<Ask, BadTarget> {
        let why = "write the outstation's link address, 0 to 65519, behind the slash: 192.0.2.10/4";
        let outstation = target.number(why)?.ok_or_else(|| target.bad_station(why))?;
        let Some(master) = self.master else { return Err(target.bad_station("--dnp3-master is missing")) };
        let Self { udp, all, confirm_unsolicited, ours, .. } = *self;
        let (endpoint, over) = match target.line() {
            Some(line) => (Endpoint::Serial(line.clone()), Over::Serial),
            None if udp => (Endpoint::Udp(target.address(dnp3::PORT)?), Over::Udp),
            None => (Endpoint::Tcp(target.address(dnp3::PORT)?), Over::Tcp),
        };
        let route = Route { master, outstation };
        let questions = outstation::Questions { route, over, all, confirm_unsolicited, master_heard_at: None, ours };
        Ok(Ask { endpoint, via: Via::Dnp3(questions) })
    }
}

/// How a server of MMS is called.
#[derive(Debug, Args)]
struct Mms {
    /// The transport selector of the server in hexadecimal digits, where it is not the usual one; in a configuration file it is OSI-TSEL
    #[arg(long = "mms-tsel", value_name = "HEX", default_value = "0001", help_heading = "MMS")]
    transport: String,
    /// The session selector in hexadecimal digits (OSI-SSEL)
    #[arg(long = "mms-ssel", value_name = "HEX", default_value = "0001", help_heading = "MMS")]
    session: String,
    /// The presentation selector in hexadecimal digits (OSI-PSEL)
    #[arg(long = "mms-psel", value_name = "HEX", default_value = "00000001", help_heading = "MMS")]
    presentation: String,
    /// The logical node that holds the device's name plate, where it has a prefix, as DevIDLPHD1
    #[arg(long = "mms-lphd", value_name = "NAME", default_value = mms::DEVICE_NODE, help_heading = "MMS")]
    node: String,
}

impl Mms {
    fn ask(&self, target: &Target<'_>) -> Result<Ask, BadTarget> {
        let selector = |text: &str| unhex(text).map_err(|_| target.bad_station("a selector of MMS is pairs of hexadecimal digits"));
        let questions = association::Questions {
            transport: selector(&self.transport)?,
            session: selector(&self.session)?,
            presentation: selector(&self.presentation)?,
            domain: target.station.map(str::to_owned),
            node: self.node.clone(),
        };
        Ok(Ask { endpoint: Endpoint::Tcp(target.address(association::PORT)?), via: Via::Mms(questions) })
    }
}

/// Protocols that can be asked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// BACnet/IP: identity properties of the device object. TARGET/INSTANCE; whichever device is there where it is left out
    Bacnet,
    /// CIP: modules of a chassis, in the slots that --cip-slot names
    Cip,
    /// EtherNet/IP: ListIdentity, one datagram: the device that has the address
    Enip,
    /// Omron FINS: CONTROLLER DATA READ
    Fins,
    /// DNP3: group 0, the identity attributes. TARGET/LINK is the outstation's link address; needs --dnp3-master
    Dnp3,
    /// What an FTP server says when somebody connects; then QUIT. TARGET alone, once a day
    Ftp,
    /// HART-IP: commands 0, 20 and 13. TARGET/POLLING, polling address 0 where it is left out
    HartIp,
    /// A web server's first page: the server's name, the page's title. TARGET alone
    Http,
    /// The same over TLS, and the server's certificate. Nothing is trusted by it: devices sign their certificates themselves. TARGET alone
    Https,
    /// MMS (IEC 61850): name plates. TARGET/DEVICE is a logical device as the server calls it; one that it lists where it is left out
    Mms,
    /// Modbus TCP: function 43/14; 17 and registers where they are named. TARGET/UNIT, unit 255 where it is left out
    Modbus,
    /// Modbus RTU: the same questions, 2 at most. serial:LINE/UNIT on a line of this machine, TARGET:PORT/UNIT behind a serial server
    ModbusRtu,
    /// OPC UA: endpoints, BuildInfo, and nameplates of the first 3 devices, in one short session. TARGET alone
    Opcua,
    /// PROFINET DCP on layer 2: one Get to one station. TARGET is dcp:INTERFACE/MAC; it needs --pn-consent, and the capability CAP_NET_RAW
    PnDcp,
    /// PROFINET IO: one look-up at UDP 34964 and one read of I&M0. TARGET alone; it needs --pn-consent
    PnIo,
    /// S7comm: list 0011 of a SIMATIC CPU. TARGET/RACK.SLOT, 0.2 where it is left out (S7-300); S7-1200 and S7-1500 are 0.1 or 0.0
    #[value(name = "s7comm")]
    S7comm,
    /// SEL relays: ID on the command line. TARGET (Telnet), TARGET:PORT, or serial:LINE
    SelAscii,
    /// SLMP: type name of a Mitsubishi controller. TARGET:PORT, the port as the controller's parameters have it
    Slmp,
    /// The line with which an SSH server identifies itself; nothing is sent. TARGET alone, once a day
    Ssh,
    /// The text with which a Telnet server greets; nobody logs in. TARGET alone, once a day
    Telnet,
    /// SNMP: the system group in one GET, by UDP 161. TARGET alone; it needs a community
    Snmp,
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
    /// SunSpec's common model, 69 holding registers from 40000 on (03): for inverters, meters and batteries that are known to speak SunSpec
    Sunspec,
    /// The same from 50000 on
    #[value(name = "sunspec-50000")]
    SunspecAt50000,
    /// The same from 0 on, where other devices may have registers that reading clears
    #[value(name = "sunspec-0")]
    SunspecAt0,
}

impl Named {
    /// The name that `--question` takes, of a question with this name on the allowlist; `None` where several have it.
    pub fn of(question: &str) -> Option<String> {
        let mut named = Self::value_variants().iter().filter(|named| Question::from(**named).name() == question);
        let first = named.next().filter(|_| named.next().is_none())?;
        first.word()
    }

    /// The name that `--question` takes.
    pub fn word(self) -> Option<String> {
        self.to_possible_value().map(|value| value.get_name().to_owned())
    }
}

impl From<Named> for Question {
    fn from(named: Named) -> Self {
        match named {
            Named::Basic => Self::BASIC,
            Named::Regular => Self::REGULAR,
            Named::Extended => Self::EXTENDED,
            Named::ServerId => Self::ServerId,
            Named::Sunspec => Self::Sunspec { base: 40_000 },
            Named::SunspecAt50000 => Self::Sunspec { base: 50_000 },
            Named::SunspecAt0 => Self::Sunspec { base: 0 },
        }
    }
}

impl Ways {
    /// A target in each of the protocols.
    ///
    /// # Errors
    /// It is no target, or none of this protocol's; a credential could not be read.
    pub fn asks(&self, text: &str, kept: &Kept) -> Result<Vec<Ask>, Failure> {
        let target = Target::read(text)?;
        self.via.iter().map(|way| self.ask(*way, &target, kept)).collect()
    }

    fn modbus(&self, framing: Framing, endpoint: Endpoint, unit: u8) -> Result<Ask, Failure> {
        let questions = match &self.modbus_profile {
            Some(id) => registers_of(id)?,
            None => self.question.iter().map(|named| (*named).into()).collect(),
        };
        Ok(Ask { endpoint, via: Via::Modbus(Questions { framing, unit, questions }) })
    }

    fn bacnet(&self, target: &Target<'_>) -> Result<Ask, BadTarget> {
        let instance = target.number("the device instance is a number from 0 to 4194302")?;
        let route = match (self.bacnet_network, &self.bacnet_station) {
            (Some(network), Some(station)) => {
                let station = unhex(station).map_err(|_| target.bad_station("--bacnet-station is pairs of hexadecimal digits"))?;
                Some(bacnet::Route { network, station })
            }
            _ => None,
        };
        let endpoint = Endpoint::Udp(target.address(bacnet::PORT)?);
        Ok(Ask { endpoint, via: Via::Bacnet(nameplate_field::bacnet::Questions { instance, route }) })
    }

    fn pn_dcp(&self, target: &Target<'_>) -> Result<Ask, BadTarget> {
        let endpoint = Endpoint::Station(target.on_layer_2()?.clone());
        let questions = nameplate_field::pn_dcp::Questions { consent: self.pn_consent.clone(), transaction: None };
        Ok(Ask { endpoint, via: Via::PnDcp(questions) })
    }

    fn pn_io(&self, target: &Target<'_>) -> Result<Ask, BadTarget> {
        target.without_station()?;
        let questions = nameplate_field::pn_io::Questions { consent: self.pn_consent.clone(), activity: None };
        Ok(Ask { endpoint: Endpoint::Udp(target.address(pn_io::PORT)?), via: Via::PnIo(questions) })
    }

    fn ask(&self, way: Way, target: &Target<'_>, kept: &Kept) -> Result<Ask, Failure> {
        match way {
            Way::Bacnet => Ok(self.bacnet(target)?),
            Way::Cip => {
                target.without_station()?;
                let (slots, consent) = (self.cip_slot.clone(), self.cip_safety_consent.clone());
                let questions = nameplate_field::cip::Questions { slots, consent, safety_controller: false };
                Ok(Ask { endpoint: Endpoint::Tcp(target.address(enip::PORT)?), via: Via::Cip(questions) })
            }
            Way::Enip => {
                target.without_station()?;
                let endpoint = if self.enip_tcp { Endpoint::Tcp } else { Endpoint::Udp };
                Ok(Ask { endpoint: endpoint(target.address(enip::PORT)?), via: Via::Enip(nameplate_field::enip::Questions) })
            }
            Way::Dnp3 => Ok(self.dnp3.ask(target)?),
            Way::Fins => {
                target.without_station()?;
                let questions = nameplate_field::fins::Questions { node: self.fins_node };
                let endpoint = if questions.over() == Over::Udp { Endpoint::Udp } else { Endpoint::Tcp };
                Ok(Ask { endpoint: endpoint(target.address(fins::PORT)?), via: Via::Fins(questions) })
            }
            Way::HartIp => {
                let polling = target.number("the polling address is a number from 0 to 63")?.unwrap_or(0);
                let endpoint = if self.hart_udp { Endpoint::Udp } else { Endpoint::Tcp };
                let questions = nameplate_field::hart_ip::Questions { polling };
                Ok(Ask { endpoint: endpoint(target.address(hart_ip::PORT)?), via: Via::HartIp(questions) })
            }
            Way::Ftp => Ok(greeting(Greeting::Ftp, greeting::FTP_PORT, target)?),
            Way::Http => self.http.ask(target, false),
            Way::Https => self.http.ask(target, true),
            Way::Mms => Ok(self.mms.ask(target)?),
            Way::Modbus => {
                let unit = target.number("the unit is a number from 0 to 255")?.unwrap_or(UNIT_NONE);
                self.modbus(Framing::Tcp, Endpoint::Tcp(target.address(PORT)?), unit)
            }
            Way::ModbusRtu => {
                let unit = target.number("the unit is a number from 1 to 247")?;
                let unit = unit.ok_or_else(|| target.bad_station("a unit on a line is named: serial:LINE/UNIT, TARGET:PORT/UNIT"))?;
                let endpoint = match target.line() {
                    Some(line) => Endpoint::Serial(line.clone()),
                    None => {
                        Endpoint::Tcp(target.address_with_port("a serial server has a port of its own for each line: TARGET:PORT/UNIT")?)
                    }
                };
                self.modbus(Framing::Rtu, endpoint, unit)
            }
            Way::Opcua => self.opcua.ask(target, kept),
            Way::PnDcp => Ok(self.pn_dcp(target)?),
            Way::PnIo => Ok(self.pn_io(target)?),
            Way::S7comm => {
                let (rack, slot) = target.two_numbers("rack and slot are two numbers with a dot: 0.2")?.unwrap_or(S7_PLACE);
                let via = Via::S7comm(s7comm::Questions { rack, slot, consent_001c: self.s7_consent_001c });
                Ok(Ask { endpoint: Endpoint::Tcp(target.address(s7comm::PORT)?), via })
            }
            Way::SelAscii => self.sel.ask(target),
            Way::Slmp => {
                target.without_station()?;
                let address =
                    target.address_with_port("SLMP has no port of its own: write `:port`, as the controller's parameters have it")?;
                let endpoint = if self.slmp_udp { Endpoint::Udp(address) } else { Endpoint::Tcp(address) };
                Ok(Ask { endpoint, via: Via::Slmp(slmp::Questions) })
            }
            Way::Ssh => Ok(greeting(Greeting::Ssh, ssh::PORT, target)?),
            Way::Telnet => Ok(greeting(Greeting::Telnet, telnet::PORT, target)?),
            Way::Snmp => {
                target.without_station()?;
                Ok(Ask { endpoint: Endpoint::Udp(target.address(snmp::PORT)?), via: Via::Snmp(self.snmp.questions()?) })
            }
        }
    }
}

/// The registers that a profile of ours names. A site's own profile may read answers; what is asked stands in ours.
fn registers_of(id: &str) -> Result<Vec<Question>, Failure> {
    let ours = ProfileSet::built_in().map_err(|e| Failure::new(Code::Failed, e.to_string()))?;
    let reads: Vec<Question> = ours.get(id).into_iter().flat_map(|profile| &profile.reads).map(|read| Question::Registers(*read)).collect();
    let why = || Failure::new(Code::Usage, format!("no profile of ours with the id {id:?} names registers to ask for"));
    if reads.is_empty() { Err(why()) } else { Ok(reads) }
}

/// What a server says by itself.
fn greeting(server: Greeting, port: u16, target: &Target<'_>) -> Result<Ask, BadTarget> {
    target.without_station()?;
    let via = Via::Greeting(nameplate_field::greeting::Questions(server));
    Ok(Ask { endpoint: Endpoint::Tcp(target.address(port)?), via })
}

impl From<BadTarget> for Failure {
    fn from(bad: BadTarget) -> Self {
        Self::new(Code::Usage, bad.to_string())
    }
}
