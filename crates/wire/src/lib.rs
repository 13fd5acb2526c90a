//! Bytes to messages and back, sans-IO: nothing here opens a file or a socket, reads a clock, or panics on any input, and
//! nothing grows beyond a named cap. Captured frames go in, readings come out; a live answer goes through the same decoder.
//!
//! Read it along the path of a byte: [`capture`] (pcap, pcapng) gives frames, [`link`] and [`ip`] peel them, [`tcp`] puts a
//! stream together, [`modbus`] reads the answer, [`listen`] ties these into one pass, and a [`Reading`] leaves.
#![forbid(unsafe_code)]

pub mod ads;
pub mod bacnet;
mod ber;
mod c37_118;
pub mod capture;
pub mod cdp;
mod cip;
mod codesys_v2;
mod codesys_v3;
pub mod conversation;
mod cursor;
mod cutter;
pub mod dhcp;
pub mod dhcpv6;
pub mod dnp3;
pub mod enip;
pub mod ethercat;
pub mod filter;
pub mod fins;
pub mod fox;
mod gathered;
mod goose;
pub mod greeting;
pub mod hart_ip;
mod head;
pub mod http;
mod iec104;
pub mod ip;
pub mod iso;
mod keyed;
pub mod link;
pub mod listen;
pub mod lldp;
mod malformed;
pub mod mdns;
pub mod melsoft;
pub mod mms;
pub mod modbus;
pub mod netbios;
pub mod opcua;
mod padding;
pub mod parts;
mod pccc;
mod pcworx;
pub mod pn_dcp;
pub mod pn_io;
pub mod powerlink;
mod profinet_text;
pub mod protocols;
mod reading;
mod repeats;
pub mod s7comm;
mod s7comm_plus;
pub mod sel_ascii;
#[cfg(test)]
mod shorter;
pub mod sip;
pub mod slmp;
pub mod snmp;
pub mod srtp;
pub mod ssdp;
pub mod ssh;
pub mod tcp;
pub mod telnet;
pub mod tls;
mod told;
pub mod tunnel;
pub mod udp;
mod veeder_root;

pub use cursor::Cursor;
pub use cutter::Cutter;
pub use malformed::Malformed;
pub use reading::{Address, Authority, Fact, Mac, Message, Reading, Shape};
