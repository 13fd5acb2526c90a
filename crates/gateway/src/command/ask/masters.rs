//! What the catalog knows of DNP3 masters before an outstation is asked: a link address that one of them has is not ours to use (H4).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use nameplate_core::catalog::{Asset, Catalog};
use nameplate_core::observation::unhex;
use nameplate_core::wire::dnp3::{Frame, PROTOCOL};
use nameplate_field::ask::{Ask, Via};
use nameplate_field::touch::{self, Kind, Line};

/// As the catalog calls whoever asks.
const CLIENT: &str = "client";

/// The same, where each that would use the link address of a master that was heard says where: the guard then refuses it. Our own questions of
/// earlier days may have been heard, too: the touch record in `state` knows from where they left, and with which link address.
pub fn known(catalog: &Catalog, state: &Path, mut asks: Vec<Ask>) -> Vec<Ask> {
    let mut own = None;
    for ask in &mut asks {
        let Via::Dnp3(questions) = &mut ask.via else { continue };
        let master = questions.route.master;
        let heard = catalog.assets().flat_map(|asset| masters(asset, master)).filter(|ip| questions.ours != Some(*ip));
        questions.master_heard_at = heard.into_iter().find(|ip| !own.get_or_insert_with(|| ours(state)).contains(&(*ip, master)));
    }
    asks
}

/// Where a master was heard with this link address.
fn masters(asset: &Asset, link: u16) -> impl Iterator<Item = IpAddr> {
    let asks = asset.speaks.get(PROTOCOL.name).is_some_and(|roles| roles.contains(CLIENT));
    let here = asset.addresses.iter().filter(move |address| asks && address.link == Some(link));
    here.filter_map(|address| address.ip.map(|ip| ip.to_canonical()))
}

/// From where we asked outstations, and with which link address. Of a record that cannot be read nothing is ours.
fn ours(state: &Path) -> BTreeSet<(IpAddr, u16)> {
    let mut ours = BTreeSet::new();
    let read = touch::lines_from(state, 0, |text, _| ours.extend(serde_json::from_str(text).ok().as_ref().and_then(sender)));
    if read.is_ok() { ours } else { BTreeSet::new() }
}

fn sender(line: &Line) -> Option<(IpAddr, u16)> {
    let is_ours = line.kind == Kind::Sent && line.protocol.as_deref() == Some(PROTOCOL.name);
    let frame = unhex(line.bytes.as_deref().filter(|_| is_ours)?).ok()?;
    Some((line.from?.to_canonical(), Frame::read(&frame).ok()?.source))
}
