//! Inputs of the fuzz target `protocol` (fuzz/targets.rs) that hold identity: a byte for the protocol and one for its carrier, then for each
//! message who says it, its length in two bytes, and itself.

use std::collections::BTreeMap;

use nameplate_core::profile::{ProfileSet, Said};
use nameplate_wire::conversation::{Over, Protocol};
use nameplate_wire::{Reading, protocols};

/// What a reading was read from; `None` where it is longer than an input can say.
pub fn of_reading(reading: &Reading) -> Option<Vec<u8>> {
    let (asked, answers) = reading.messages.split_at(reading.asked);
    let steps = asked.iter().map(|message| (false, &message.bytes)).chain(answers.iter().map(|message| (true, &message.bytes)));
    input(protocols::named(reading.protocol)?, reading.over, steps)
}

/// Every example of the built-in profiles that has frames, by the protocol that carries it.
///
/// # Panics
/// When a built-in profile is not valid.
pub fn of_examples() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let mut seeds: BTreeMap<&'static str, Vec<Vec<u8>>> = BTreeMap::new();
    for profile in ProfileSet::built_in().expect("the built-in profiles").iter() {
        let Some(protocol) = protocols::named(&profile.protocol) else { continue };
        for example in &profile.examples {
            let Said::Frame(frames) = &example.said else { continue };
            let over = example.over.unwrap_or_else(|| protocol.usually_over());
            let steps = example.asked.iter().map(|bytes| (false, bytes)).chain(frames.iter().map(|bytes| (true, bytes)));
            seeds.entry(protocol.name).or_default().extend(input(protocol, over, steps));
        }
    }
    seeds
}

/// These messages, each with whether the server says it.
pub fn input<'a>(protocol: &Protocol, over: Over, steps: impl IntoIterator<Item = (bool, &'a Vec<u8>)>) -> Option<Vec<u8>> {
    let which = protocols::ALL.iter().position(|known| known.name == protocol.name)?;
    let carrier = match over {
        Over::Tcp => 0,
        Over::Udp => usize::from(!protocol.tcp.is_empty()),
        Over::Serial => return None,
        Over::Link(kind) => {
            let before = usize::from(!protocol.tcp.is_empty()) + usize::from(!protocol.udp.is_empty());
            before + protocol.link.iter().position(|known| *known == kind)?
        }
    };
    let mut bytes = vec![u8::try_from(which).ok()?, u8::try_from(carrier).ok()?];
    for (by_server, message) in steps {
        bytes.push(u8::from(by_server));
        bytes.extend(u16::try_from(message.len()).ok()?.to_le_bytes());
        bytes.extend(message);
    }
    Some(bytes)
}
