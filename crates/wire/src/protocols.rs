//! All protocols that are read, and how a conversation is found to be in one of them: the port makes a guess, the bytes decide. On a
//! protocol's own port it is enough that they can be it; on any other port they have to be it beyond doubt.

use std::collections::HashMap;

use crate::Reading;
use crate::conversation::{End, Heard, Kind, Likeness, Over, Protocol, Said};
use crate::tcp::At;

/// Every protocol. Where the bytes of an unknown port are certain to be two of them, the first here counts.
#[rustfmt::skip]
pub static ALL: &[&Protocol] = &[
    &crate::enip::PROTOCOL,
    &crate::opcua::PROTOCOL,
