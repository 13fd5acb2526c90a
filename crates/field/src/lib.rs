//! Everything that touches the OT network. The guard is the only place that opens a connection towards a device; every touch is on record first.

pub mod ask;
pub mod bacnet;
pub mod breaker;
pub mod capture;
pub mod cip;
pub mod dialogue;
pub mod dnp3;
pub mod enip;
pub mod fins;
pub mod greeting;
pub mod guard;
pub mod hart_ip;
pub mod http;
pub mod mms;
pub mod modbus;
pub mod opcua;
pub mod pacing;
pub mod pn_dcp;
pub mod pn_io;
pub mod s7comm;
pub mod sel_ascii;
pub mod site;
pub mod slmp;
pub mod snmp;
pub mod touch;
pub mod uptime;
