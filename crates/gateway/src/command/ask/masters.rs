//! What the catalog knows of DNP3 masters before an outstation is asked: a link address that one of them has is not ours to use (H4).

use std::net::IpAddr;
use std::path::Path;

use nameplate_core::catalog::{Asset, Catalog};
use nameplate_core::wire::dnp3::PROTOCOL;
use nameplate_field::ask::{Ask, Via, own_masters};

/// As the catalog calls whoever asks.
const CLIENT: &str = "client";

/// The same, where each that would use the link address of a master that was heard says where: the guard then refuses it. Our own questions of
/// earlier days may have been heard, too: the touch record in `state` knows from where they left, and with which link address. Of a record that cannot be read nothing is ours.
pub fn known(catalog: &Catalog, state: &Path, mut asks: Vec<Ask>) -> Vec<Ask> {
    let mut own = None;
    for ask in &mut asks {
        let Via::Dnp3(questions) = &mut ask.via else { continue };
        let master = questions.route.master;
        let heard = catalog.assets().flat_map(|asset| masters(asset, master)).filter(|ip| questions.ours != Some(*ip));
        questions.master_heard_at =
            heard.into_iter().find(|ip| !own.get_or_insert_with(|| own_masters(state).unwrap_or_default()).contains(&(*ip, master)));
    }
    asks
}

/// Where a master was heard with this link address.
fn masters(asset: &Asset, link: u16) -> impl Iterator<Item = IpAddr> {
    let asks = asset.speaks.get(PROTOCOL.name).is_some_and(|roles| roles.contains(CLIENT));
    let here = asset.addresses.iter().filter(move |address| asks && address.link == Some(link));
    here.filter_map(|address| address.ip.map(|ip| ip.to_canonical()))
}
