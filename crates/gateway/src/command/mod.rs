//! One file per command; every command is the struct of its arguments and a `run`.

pub mod ask;
pub mod demo;
pub mod device;
pub mod devices;
pub mod explain;
pub mod listen;
pub mod profile;
pub mod prove;
pub mod simulate;
