//! Devices as data, on loopback, with the faults that devices in the wild have.
//!
//! A simulator encodes its answers itself and judges every byte it receives by its own strict reading. It shares no code with `wire`, the
//! decoder it tests, and none with the guard: a mistake made once must not be made again by its judge.
//!
//! - [`modbus`]: a Modbus TCP device from a persona, its faults, and the tripwire.
//! - [`scada`]: the legitimate master of the plant, whose traffic there is to listen to and who must not be disturbed.
//! - [`tap`]: records what passed on the simulators' connections as a capture.
//! - [`plant`]: several devices, their masters and one tap.

#![forbid(unsafe_code)]

pub mod modbus;
pub mod plant;
pub mod report;
pub mod scada;
pub mod tap;
