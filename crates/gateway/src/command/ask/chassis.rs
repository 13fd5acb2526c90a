//! What the catalog knows of a chassis before one of its modules is asked.

use std::net::IpAddr;

use nameplate_core::catalog::{Asset, Catalog};
use nameplate_core::claim::Field;
use nameplate_core::hazard::is_safety_controller;
use nameplate_field::ask::{Ask, Via};

/// The same, where each chassis in which a safety controller was seen says so: the guard then wants the owner's consent.
pub fn known(catalog: &Catalog, asks: Vec<Ask>) -> Vec<Ask> {
    asks.into_iter().map(|ask| marked(catalog, ask)).collect()
}

fn marked(catalog: &Catalog, mut ask: Ask) -> Ask {
    if let (Via::Cip(questions), Some(ip)) = (&mut ask.via, ask.endpoint.ip()) {
        questions.safety_controller |= catalog.assets().any(|asset| stands_at(asset, ip) && is_safety(asset));
    }
    ask
}

/// At the address itself, or behind it: such a module's path begins with it.
fn stands_at(asset: &Asset, ip: IpAddr) -> bool {
    let behind = |path: &str| path.split_once('/').is_some_and(|(host, _)| host.parse() == Ok(ip));
    asset.addresses.iter().any(|address| address.ip == Some(ip) || address.path.as_deref().is_some_and(behind))
}

fn is_safety(asset: &Asset) -> bool {
    asset.shown(Field::Model).is_some_and(|current| is_safety_controller(&current.standing.claim.value))
}
