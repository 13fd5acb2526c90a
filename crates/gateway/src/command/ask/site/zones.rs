//! The zones of a site file: which networks are in them, each in one alone, and what its owner says of all that is there.

use std::collections::BTreeMap;

use nameplate_core::hand::FACTS;
use nameplate_field::site::Place;

use super::{Text, Zone};
use crate::failure::Failure;

/// A zone (IEC 62443-3-2, 4.4): where it is, and what holds there.
#[derive(Debug)]
pub struct Area {
    /// As the owner calls it.
    pub name: String,
    /// Its networks and addresses.
    pub places: Vec<Place>,
    /// What holds for each of its devices, by name; see [`FACTS`].
    pub facts: BTreeMap<String, String>,
}

/// The zones of a file.
///
/// # Errors
/// A zone that is there twice, or a network that two zones have: with both lines; a network or a fact that is none.
pub(super) fn areas(text: &Text<'_>, zones: &[Zone]) -> Result<Vec<Area>, Failure> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut taken: Vec<(Place, usize, &str)> = Vec::new();
    let mut areas = Vec::new();
    for zone in zones {
        let (at, name) = (zone.name.span().start, zone.name.get_ref().as_str());
        if let Some(earlier) = names.insert(name, at) {
            return Err(text.bad(at, format!("zone {name:?} is there already, in line {}", text.line(earlier))));
        }
        let mut places = Vec::new();
        for network in &zone.networks {
            let at = network.span().start;
            let place: Place =
                network.get_ref().parse().map_err(|bad| text.bad(at, format!("zone {name:?}: {:?}: {bad}", network.get_ref())))?;
            if let Some((other, earlier, owner)) = taken.iter().find(|(other, ..)| other.overlaps(&place)) {
                let line = text.line(*earlier);
                return Err(text.bad(at, format!("{place} of zone {name:?} overlaps {other} of zone {owner:?} in line {line}")));
            }
            places.push(place.clone());
            taken.push((place, at, name));
        }
        if let Some(unknown) = zone.facts.keys().find(|fact| !FACTS.contains(&fact.as_str())) {
            return Err(
                text.bad(at, format!("zone {name:?}: {unknown:?} is nothing that an owner sets; it is one of {}", FACTS.join(", ")))
            );
        }
        areas.push(Area { name: name.to_owned(), places, facts: zone.facts.clone() });
    }
    Ok(areas)
}
