//! Where an asset stayed, and since when: what "moved" is told from.

use std::sync::Arc;

use super::{Asset, Told};
use crate::observation::{Address, Id};

/// Who comes back to an address within this time never left it: a device with two addresses answers at both, and is asked at each at least
/// once a week.
const RETURN_NS: u64 = 7 * 86_400_000_000_000;

/// One time at one place, in one piece. Ports and names of protocols do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Where.
    pub address: Arc<Address>,
    /// First time there, in nanoseconds since 1970.
    pub since_ns: u64,
    /// Last time there.
    pub last_ns: u64,
    /// The first observation there.
    pub observation: Id,
    /// Its entry in the ledger; `None` where nothing is kept.
    pub entry: Option<u64>,
}

impl Asset {
    pub(super) fn stays_at(&mut self, told: &Told<'_>) {
        let (address, time_ns) = (&told.outline.address, told.time_ns);
        let here = self.stays.iter().rposition(|stay| Arc::ptr_eq(&stay.address, address) || is_one_place(&stay.address, address));
        let is_last = here.is_some_and(|here| here + 1 == self.stays.len());
        if let Some(stay) = here.and_then(|here| self.stays.get_mut(here))
            && (is_last || time_ns.saturating_sub(stay.last_ns) <= RETURN_NS)
        {
            stay.last_ns = stay.last_ns.max(time_ns);
            return;
        }
        let address = Arc::clone(address);
        self.stays.push(Stay { address, since_ns: time_ns, last_ns: time_ns, observation: told.id, entry: told.entry });
    }
}

/// Behind a router the hardware address is the router's, so it counts only where there is no other.
pub(super) fn is_one_place(one: &Address, other: &Address) -> bool {
    one.ip == other.ip
        && (one.ip.is_some() || one.mac == other.mac)
        && (one.unit, one.link, one.rack, one.slot) == (other.unit, other.link, other.rack, other.slot)
        && (one.network, &one.station, &one.line) == (other.network, &other.station, &other.line)
        && (&one.hart, &one.path, &one.zone) == (&other.hart, &other.path, &other.zone)
}
