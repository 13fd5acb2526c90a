//! Devices out of profiles: what a profile's example said, said again by a simulator, and how to ask it.
//!
//! What an example holds are bytes of a device. They are read by the decoders, and become data of a persona, which encodes its answers itself.

mod facts;
mod modbus;
mod persona;
mod snmp;
mod user;

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Parser;
use nameplate_core::profile::{Profile, ProfileSet};
use nameplate_field::ask::Ask;
use nameplate_simulators::language::Language;

pub use self::user::User;
use crate::command::ask::{Kept, Ways};
use crate::failure::{Code, Failure};

/// A device that can be run.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The profile that it is an example of.
    pub profile: String,
    /// The protocol that it speaks, as `--via` spells it.
    pub protocol: String,
    /// What it is.
    pub persona: Arc<dyn Language>,
    /// What stands behind the target's slash; empty where nothing does.
    pub station: String,
    /// Further words of `nameplate ask`, so that all of it is read.
    pub words: Vec<String>,
    /// Settings of the environment that the words name.
    pub environment: &'static [(&'static str, &'static str)],
}

/// The words alone: the same parser as that of `nameplate ask`.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(flatten)]
    ways: Ways,
}

impl Simulated {
    /// The device of a profile's first example that holds enough of one; `None` where none does, or nothing simulates the protocol.
    pub fn of(profile: &Profile) -> Option<Self> {
        let maker = persona::MAKERS.iter().find(|maker| maker.protocol == profile.protocol)?;
        Self::made(profile, &|facts| (maker.make)(facts))
    }

    /// The same in version 3 of SNMP, to this user; in another protocol as it is.
    pub fn asked_by(self, set: &ProfileSet, user: User) -> Self {
        let Some(profile) = set.get(&self.profile).filter(|_| self.protocol == "snmp") else { return self };
        let made = Self::made(profile, &|facts| snmp::snmp_v3(facts, user));
        made.map_or(self, |made| Self { environment: user.environment(), ..made })
    }

    fn made(profile: &Profile, make: &dyn Fn(&facts::Facts) -> Option<persona::Made>) -> Option<Self> {
        profile.examples.iter().find_map(|example| {
            let made = make(&facts::Facts::of(profile, example))?;
            let (profile, protocol) = (profile.id.clone(), profile.protocol.clone());
            let words = ["--via".to_owned(), protocol.clone()].into_iter().chain(made.words).collect();
            Some(Self { profile, protocol, persona: made.persona, station: made.station, words, environment: &[] })
        })
    }

    /// The same by the profile's id.
    ///
    /// # Errors
    /// Usage: there is no such profile, or nothing simulates it.
    pub fn named(set: &ProfileSet, id: &str) -> Result<Self, Failure> {
        let usage = |why: String| Failure::new(Code::Usage, why);
        let profile = set.get(id).ok_or_else(|| usage(format!("no profile is called {id:?}; see `nameplate simulate --list`")))?;
        Self::of(profile).ok_or_else(|| {
            let protocol = &profile.protocol;
            usage(match persona::MAKERS.iter().any(|maker| maker.protocol == protocol) {
                true => format!("no example of {id} holds enough to make a device of"),
                false => format!("{id} is about {protocol}, which nothing simulates; see `nameplate simulate --list`"),
            })
        })
    }

    /// Every profile of a set that a device can be made of.
    pub fn all(set: &ProfileSet) -> Vec<Self> {
        set.iter().filter_map(Self::of).collect()
    }

    /// Where it answers and who behind it, as `nameplate ask` takes it.
    pub fn target(&self, address: SocketAddr) -> String {
        if self.station.is_empty() { address.to_string() } else { format!("{address}/{}", self.station) }
    }

    /// The question to it.
    ///
    /// # Errors
    /// Usage, if the words are none; they are made here.
    pub fn ask(&self, address: SocketAddr) -> Result<Ask, Failure> {
        let line = Line::try_parse_from(&self.words).map_err(|e| Failure::new(Code::Usage, e.to_string()))?;
        let asks = line.ways.asks(&self.target(address), &Kept { state: None, writes: false })?;
        asks.into_iter().next().ok_or_else(|| Failure::new(Code::Usage, "no protocol to ask in"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn every_protocol_has_a_device_out_of_a_built_in_profile_and_a_way_to_ask_it() {
        let all = Simulated::all(&ProfileSet::built_in().expect("the built-in profiles"));
        let protocols: BTreeSet<&str> = all.iter().map(|device| device.protocol.as_str()).collect();
        let makers: BTreeSet<&str> = persona::MAKERS.iter().map(|maker| maker.protocol).collect();
        assert_eq!(protocols, makers);
        for device in all {
            let ask = device.ask(SocketAddr::from((Ipv4Addr::LOCALHOST, 47_808))).unwrap_or_else(|e| panic!("{}: {e}", device.profile));
            assert_eq!(ask.via.adapter().name(), device.protocol);
            nameplate_field::ask::plan(&[ask]).unwrap_or_else(|e| panic!("{}: {e}", device.profile));
        }
    }
}
