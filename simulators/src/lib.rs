//! Devices as data, on loopback, with the faults that devices in the wild have.
//!
//! A simulator encodes its answers itself and judges every byte it receives by its own strict reading. It shares no code with `wire`, the
//! decoder it tests, and none with the guard: a mistake made once must not be made again by its judge.
//!
//! - [`device`]: any of them, started, and its account; [`fault`]: what it does wrong; [`judge`]: the tripwire.
//! - [`language`]: what a protocol is to them. One module for each: [`modbus`], [`enip`], [`s7`], [`snmp`], [`bacnet`], [`dnp3`],
//!   [`hart_ip`], [`fins`], [`greeting`], [`http`], [`mms`], [`opcua`], [`pn_dcp`], [`pn_io`], [`sel`], [`slmp`].
//! - [`personality`]: the faults by name, for people.
//! - [`cable`]: a device on the end of a cable in memory, for stories in virtual time; [`rehearsal`]: what a persona says, without a line.
//! - [`sealed`]: TLS, of those that speak under it.
//! - [`scada`]: the legitimate master of the plant, whose traffic there is to listen to and who must not be disturbed.
//! - [`tap`]: records what passed on the simulators' connections as a capture.
//! - [`plant`]: several devices, their masters and one tap.

#![forbid(unsafe_code)]

mod account;
pub mod bacnet;
pub mod cable;
mod desk;
pub mod device;
pub mod dnp3;
pub mod enip;
pub mod fault;
pub mod fins;
pub mod flash;
pub mod greeting;
pub mod hart_ip;
pub mod http;
pub mod judge;
pub mod language;
mod line;
pub mod mms;
pub mod modbus;
mod numbers;
pub mod opcua;
pub mod personality;
pub mod plant;
pub mod pn_dcp;
pub mod pn_io;
pub mod rehearsal;
pub mod report;
pub mod s7;
pub mod scada;
pub mod sealed;
pub mod sel;
mod session;
pub mod slmp;
pub mod snmp;
mod sockets;
#[cfg(test)]
mod story;
pub mod tap;
mod tpkt;
mod watchdog;
#[cfg(test)]
mod zoo;
