//! Everything that touches the OT network. The guard is the only place that opens a connection towards a device; every touch is on record first.

pub mod ask;
pub mod bacnet;
pub mod breaker;
pub mod capture;
pub mod dialogue;
pub mod guard;
pub mod modbus;
pub mod pacing;
pub mod touch;
