//! Restarts that work orders let happen: no device is thought to be in distress for them.

use std::time::Duration;

use nameplate_core::change::{Change, Changes};
use nameplate_field::guard::Host;
use nameplate_field::uptime::Reboots;

/// Of each change that was read before: from then on until its window or the change itself ends, at the addresses of its scope.
pub fn reboots(changes: &Changes) -> Vec<Reboots> {
    changes.iter().flat_map(of).collect()
}

fn of(change: &Change) -> Vec<Reboots> {
    let Some(read) = change.before.last() else { return Vec::new() };
    let from = Duration::from_nanos(read.time_ns.max(change.plan.from_ns));
    let until = Duration::from_nanos(change.closed.as_ref().map_or(change.plan.until_ns, |end| end.time_ns.min(change.plan.until_ns)));
    let hosts = change.plan.scope.iter().filter_map(|place| place.address.ip);
    hosts.map(|ip| Reboots { order: change.plan.order.clone(), host: Host::Ip(ip.to_canonical()), from, until }).collect()
}
