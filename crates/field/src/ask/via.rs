//! The protocols that are asked, each by its adapter.

use nameplate_wire::conversation::Protocol;

use super::Planned;
use crate::dialogue::Dialogue;
use crate::guard::{Grant, Refused};
use crate::pacing::{Pace, TimeFactor};
use crate::{bacnet, cip, dnp3, enip, fins, greeting, hart_ip, http, mms, modbus, opcua, pn_dcp, pn_io, s7comm, sel_ascii, slmp, snmp};

/// A protocol as one device is to be asked in it. What it grants, plans and says must agree: the guard refuses what does not.
pub trait Adapter {
    /// The decoder that hears both sides.
    fn protocol(&self) -> &'static Protocol;

    /// As contracts.md spells the protocol: the decoder's name, unless that carries several.
    fn name(&self) -> &'static str {
        self.protocol().name
    }

    /// What the guard is to let out.
    ///
    /// # Errors
    /// [`Refused`] where the questions are wider than the allowlist.
    fn grant(&self) -> Result<Grant, Refused>;

    /// One connection's conversation.
    fn dialogue(&self) -> Box<dyn Dialogue>;

    /// What it would put, for `--dry-run`.
    fn plan(&self) -> Vec<Planned>;

    /// What it would put in a further connection, where there may be one, and what that grants.
    fn plan_onward(&self) -> Option<Result<(Grant, Vec<Planned>), Refused>> {
        None
    }

    /// Readings of one device a day, where the protocol allows fewer than the reason does.
    fn readings_per_day_max(&self) -> Option<usize> {
        None
    }

    /// How gently; slower than usual where the protocol needs it.
    fn pace(&self, factor: TimeFactor) -> Pace {
        Pace::new(factor)
    }
}

/// In which protocol, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// BACnet/IP.
    Bacnet(bacnet::Questions),
    /// CIP, to modules of a chassis.
    Cip(cip::Questions),
    /// EtherNet/IP without a session.
    Enip(enip::Questions),
    /// Omron FINS.
    Fins(fins::Questions),
    /// DNP3 over TCP or UDP.
    Dnp3(dnp3::Questions),
    /// What FTP, SSH and Telnet servers say by themselves.
    Greeting(greeting::Questions),
    /// HART-IP over TCP or UDP.
    HartIp(hart_ip::Questions),
    /// HTTP, in clear or over TLS.
    Http(http::Questions),
    /// MMS, as IEC 61850 has it.
    Mms(mms::Questions),
    /// Modbus TCP.
    Modbus(modbus::Questions),
    /// OPC UA.
    Opcua(opcua::Questions),
    /// PROFINET DCP on layer 2.
    PnDcp(pn_dcp::Questions),
    /// PROFINET IO over UDP.
    PnIo(pn_io::Questions),
    /// S7comm.
    S7comm(s7comm::Questions),
    /// SEL's ASCII protocol.
    SelAscii(sel_ascii::Questions),
    /// SLMP.
    Slmp(slmp::Questions),
    /// SNMP.
    Snmp(snmp::Questions),
}

impl Via {
    /// Its adapter.
    #[must_use]
    pub fn adapter(&self) -> &dyn Adapter {
        match self {
            Self::Bacnet(questions) => questions,
            Self::Cip(questions) => questions,
            Self::Enip(questions) => questions,
            Self::Fins(questions) => questions,
            Self::Dnp3(questions) => questions,
            Self::Greeting(questions) => questions,
            Self::HartIp(questions) => questions,
            Self::Http(questions) => questions,
            Self::Mms(questions) => questions,
            Self::Modbus(questions) => questions,
            Self::Opcua(questions) => questions,
            Self::PnDcp(questions) => questions,
            Self::PnIo(questions) => questions,
            Self::S7comm(questions) => questions,
            Self::SelAscii(questions) => questions,
            Self::Slmp(questions) => questions,
            Self::Snmp(questions) => questions,
        }
    }
}
