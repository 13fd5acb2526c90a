//! Which frames are listened to.

use std::net::IpAddr;

use clap::Args;
use nameplate_core::wire::filter::{Filter, Net};

/// Ids of VLANs (IEEE 802.1Q, 9.6): 0 is none, 4095 is reserved.
const VLANS: std::ops::RangeInclusive<i64> = 1..=4094;

/// Options of one kind are alternatives; of each kind that is given, one has to fit.
#[derive(Debug, Args)]
#[command(next_help_heading = "Only some of the frames (of one option several are alternatives; different options must all fit)")]
pub struct Choice {
    /// Frames from or to this address, also inside a tunnel; may be repeated
    #[arg(long = "host", value_name = "IP")]
    hosts: Vec<IpAddr>,
    /// Frames from or to an address of this network, also inside a tunnel; may be repeated
    #[arg(long = "net", value_name = "ADDRESS/BITS")]
    nets: Vec<Net>,
    /// Frames from or to this TCP or UDP port, also inside a tunnel; may be repeated
    #[arg(long = "port", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    ports: Vec<u16>,
    /// Frames of this VLAN, the innermost where tags are stacked; may be repeated
    #[arg(long = "vlan", value_name = "ID", value_parser = clap::value_parser!(u16).range(VLANS))]
    vlans: Vec<u16>,
}

impl Choice {
    /// The same for whom it concerns.
    pub fn filter(&self) -> Filter {
        Filter { hosts: self.hosts.clone(), nets: self.nets.clone(), ports: self.ports.clone(), vlans: self.vlans.clone() }
    }
}
