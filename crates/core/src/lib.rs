//! What the bytes mean: a [`Reading`](nameplate_wire::Reading) goes through a [`profile`] and becomes [`claim`]s; the claims of many
//! observations become an asset in the [`catalog`]. No network, no disk, no clock: time, bytes and randomness are arguments.
#![forbid(unsafe_code)]

pub mod account;
pub mod advisory;
pub mod baseline;
pub mod blind;
pub mod catalog;
pub mod change;
pub mod claim;
pub mod evidence;
pub mod finding;
pub mod hand;
pub mod happening;
pub mod hazard;
pub mod ledger;
pub mod observation;
pub mod patching;
pub mod priority;
pub mod profile;
pub mod query;
pub mod range;
pub mod register;
pub mod seal;
pub mod sheet;
pub mod sshsig;
pub mod text;
pub mod update;
pub mod version;
pub mod view;

pub use nameplate_wire as wire;
