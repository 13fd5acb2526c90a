//! The egress guard: the only place that opens a connection or a line towards a device, and the only way bytes reach one.
//!
//! [`connect`] gives a [`Guarded`] stream. What is written into it is reassembled, read with the guard's own tables (a file a protocol, which share no
//! code with `wire` or the adapters) and let out only where it is on the allowlist of read-only.md section 2, granted by the [`Permit`], and inside the
//! budget. Default deny.
//!
//! # What a write does
//! * A message split over several writes is held until it is whole, then judged, then let out in one piece. Nothing of a message that is not whole leaves.
//! * As soon as the held bytes cannot become a message that may leave, they are refused, whole or not.
//! * Of two messages in one write the first is judged and let out alone; the second is `pipelining`, because no answer can have been read between them.
//!   Judged is a message when its last byte is written, so a second message may be begun early and completed after the answer.
//! * One request in flight: the next message may go when bytes were read since, or after [`Guarded::time_out`].
//! * Object ids of 2B/0E rise strictly per read code within one connection. Another read code is another read and begins where it likes, so a fallback
//!   from regular (02) to basic (01) passes; the same read code twice from the same object does not.
//! * Where the device speaks by itself, the connection is the question: nothing may go before something was heard.
//! * The first refusal closes the guard for good: what is behind it, allowed or not, does not leave; every later write fails with the same [`Refused`].
//! * A refusal is an [`std::io::ErrorKind::PermissionDenied`] error around a [`Refused`]; [`Failed::of`] sorts it back into its family.
//!
//! # No entry, no action
//! Before the connect and before each message a line goes to the touch record and is synced. Where it cannot be written, the action does not happen
//! (rule `touch.record`). Refusals and the connection's end are lines as well. A `sent` line stands before its message: after a crash the record may
//! name one message that did not leave, never the other way round.
//!
//! # The hold
//! Ten seconds after the connection stands no more messages are let out (`budget.hold`); after thirty, reads fail as well (the hard kill), so that no
//! reader can be kept. These clocks are the guard's own; no time factor shortens or stretches them.

mod allowlist;
mod bacnet;
mod check;
mod cip;
mod connect;
mod datagrams;
mod dnp3;
mod ended;
mod endpoint;
mod enip;
mod fins;
mod frames;
pub mod generate;
mod greeting;
mod hart_ip;
mod http;
mod judge;
mod line;
mod mms;
mod modbus;
mod modbus_rtu;
mod opcua;
mod permit;
mod pn_dcp;
mod pn_io;
mod refused;
mod s7comm;
mod secret;
mod sel_ascii;
mod serial;
mod slmp;
mod snmp;
mod station;
mod stream;
mod table;
mod telnet;
mod template;
mod tls;
pub mod uasc;
pub mod usm;

pub use self::{
    allowlist::{Allowed, ByteMeaning, allowlist, meaning},
    bacnet::{Bacnet, INSTANCE_ANY},
    cip::{ATTRIBUTE_LAST, Cip, SLOT_LAST, SLOTS_MAX},
    connect::{CONNECT_MS_MAX, Line, connect},
    dnp3::{Dnp3, READS_MAX, REPLIES_MAX},
    ended::Ended,
    endpoint::{BadEndpoint, Endpoint, Host},
    enip::Enip,
    fins::{Fins, NODE_LAST},
    greeting::Greeting,
    hart_ip::{COMMANDS_MAX, HartIp, SUB_DEVICES_MAX},
    http::{Http, PATH_BYTES_MAX, REQUESTS_MAX as HTTP_REQUESTS_MAX},
    judge::{Judge, Message, Pushed},
    mms::Mms,
    modbus::{Modbus, QUANTITY_MAX, REGISTERS_MAX, REQUESTS_MAX, Registers},
    modbus_rtu::LINE_REQUESTS_MAX,
    opcua::{MESSAGES_MAX as OPCUA_MESSAGES_MAX, NONCE_BYTES as OPCUA_NONCE_BYTES, Opcua, OpcuaSecured, OpcuaUser},
    permit::{Grant, HOLD_S_MAX, Limits, Permit, REASON_BYTES_MAX},
    pn_dcp::PnDcp,
    pn_io::PnIo,
    refused::{ENDING, Failed, REFUSED_BYTES_MAX, Refused, hex},
    s7comm::{MESSAGES_MAX as S7_MESSAGES_MAX, S7comm},
    secret::Secret,
    sel_ascii::SelAscii,
    serial::{BadLine, Parity, SerialLine, Settings},
    slmp::Slmp,
    snmp::{
        ENTITY_QUESTIONS_MAX, MESSAGES_MAX as SNMP_MESSAGES_MAX, OBJECT_QUESTIONS_MAX, OBJECTS_MAX as SNMP_OBJECTS_MAX, Snmp, SnmpV3,
        V3_MESSAGES_MAX,
    },
    station::{BadStation, Station},
    stream::{CLOSE_MS_MAX, Closed, Guarded, KILL_S_MAX},
    telnet::REFUSALS_MAX,
    tls::{HANDSHAKE_MS_MAX, Handshake},
};

/// Every protocol's row of read-only.md.
static TABLES: [&table::Table; 22] = [
    &bacnet::TABLE,
    &cip::TABLE,
    &dnp3::TABLE,
    &enip::TABLE,
    &fins::TABLE,
    &greeting::FTP,
    &greeting::SSH,
    &hart_ip::TABLE,
    &http::TABLE,
    &http::TABLE_TLS,
    &mms::TABLE,
    &modbus::TABLE,
    &modbus_rtu::TABLE,
    &opcua::TABLE,
    &pn_dcp::TABLE,
    &pn_io::TABLE,
    &s7comm::TABLE,
    &sel_ascii::TABLE,
    &slmp::TABLE,
    &snmp::TABLE,
    &snmp::TABLE_V3,
    &telnet::TABLE,
];

#[cfg(test)]
mod tests;
