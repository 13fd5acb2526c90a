//! An Omron PLC: FINS over TCP and by datagrams. Omron W342 (FINS commands, 5-3-8 Controller Data Read, 5-1-3 end codes), W421
//! (FINS/TCP, 7-4), W227 (header). Layouts held against the public captures of cisagov/icsnpp-omron-fins.

mod talk;

use std::collections::BTreeSet;

/// An Omron PLC.
pub type Device = crate::device::Device<Persona>;

const PORT: u16 = 9_600;

/// An Omron PLC as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// Model, at most 20 characters.
    pub model: Vec<u8>,
    /// Internal version, at most 20 characters; often two texts with zeros between.
    pub version: Vec<u8>,
    /// Its own node number.
    pub node: u8,
    /// The node number that it gives a client by TCP; `None` when all its connections are in use.
    pub gives_node: Option<u8>,
    /// Node numbers that the plant assigned to those who ask by datagrams. Another one trips (H17).
    pub assigned: BTreeSet<u8>,
    /// What it says instead of its data: an end code, such as 0x0401 for a command that it does not know.
    pub refuses: Option<u16>,
}

impl Persona {
    /// A PLC at node 1 that gives node 239 by TCP and knows no client by datagrams.
    pub fn new(model: &[u8], version: &[u8]) -> Self {
        Self { model: model.to_vec(), version: version.to_vec(), node: 1, gives_node: Some(239), assigned: BTreeSet::new(), refuses: None }
    }
}

#[cfg(test)]
mod tests;
