//! One file per command; every command is the struct of its arguments and a `run`.

pub mod account;
pub mod advisories;
pub mod ask;
pub mod baseline;
pub mod calendar;
pub mod change;
pub mod check;
pub mod compare;
#[cfg(unix)]
pub mod config;
pub mod demo;
pub mod device;
pub mod devices;
#[cfg(unix)]
pub mod doctor;
pub mod events;
pub mod evidence;
pub mod explain;
#[cfg(unix)]
pub mod field;
pub mod handover;
pub mod import;
pub mod ledger;
pub mod listen;
pub mod patches;
pub mod profile;
pub mod prove;
pub mod quiet;
pub mod range;
pub mod release;
pub mod report;
#[cfg(unix)]
pub mod serve;
pub mod simulate;
pub mod update;
pub mod witness;
