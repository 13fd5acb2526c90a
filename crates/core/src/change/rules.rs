//! Which step of a change may be the next: the order of things, and who may do what. Kept here, where entries are folded, so that no way
//! to write an entry gets around it.

use super::course::{Change, is_good};
use super::{Changes, Event, Plan, Try};
use crate::baseline::person;
use crate::observation::rfc3339;

/// Whether this step may be the next.
pub(super) fn allows(changes: &Changes, event: &Event, now_ns: u64) -> Result<(), String> {
    let order = event.order();
    let change = changes.get(order);
    if let Event::Opened(plan) = event {
        return match change {
            Some(_) => {
                Err(format!("work order {order} was opened already; a change is opened once, so take another number or close this one"))
            }
            None => plan.check().and_then(|()| is_free(changes, plan)),
        };
    }
    let change = change.ok_or_else(|| format!("no change is open for work order {order}"))?;
    if change.closed.is_some() {
        return Err(format!("work order {order} is closed"));
    }
    match event {
        Event::Opened(_) => Ok(()),
        Event::Approved { by, .. } => approved(change, by, now_ns),
        Event::Checked { check, .. } => {
            check.check()?;
            check.assets.iter().try_for_each(|asset| belongs(change, asset))
        }
        Event::RingOpened { ring, by, .. } => ring_opened(change, *ring, by, now_ns),
        Event::Before { ring, tries, .. } => before(change, *ring, tries),
        Event::Installed { ring, by, .. } => installed(change, *ring, by),
        Event::After { ring, tries, accepted_by, .. } => after(change, *ring, tries, accepted_by.as_deref()),
        Event::Verified { ring, by, accepts_unproven, .. } => verified(change, *ring, by, *accepts_unproven),
        Event::Left { left, .. } => {
            left.check(now_ns)?;
            left.assets.iter().try_for_each(|asset| belongs(change, asset))
        }
        Event::Closed { by, accepted_by, .. } => closed(change, by, accepted_by.as_deref()),
    }
}

/// No device is to be changed by two orders at once: nobody could say which of them did it.
fn is_free(changes: &Changes, plan: &Plan) -> Result<(), String> {
    for open in changes.iter().filter(|change| change.closed.is_none()) {
        let mut both = plan.scope.iter().filter(|place| open.plan.scope.iter().any(|other| other.asset == place.asset));
        if let Some(place) = both.next() {
            let (asset, order) = (&place.asset, &open.plan.order);
            return Err(format!("{asset} is to change by work order {order} already, which is open; close that one first"));
        }
    }
    Ok(())
}

fn approved(change: &Change, by: &str, now_ns: u64) -> Result<(), String> {
    named(by)?;
    let order = &change.plan.order;
    if person(by) == person(&change.plan.by) {
        return Err(format!("{by} opened work order {order}; another person has to approve it"));
    }
    if let Some(step) = &change.approved {
        return Err(format!("work order {order} was approved already, by {}", step.by));
    }
    if now_ns > change.plan.until_ns {
        return Err(format!("the window of work order {order} ended at {}", rfc3339(change.plan.until_ns)));
    }
    Ok(())
}

/// A ring opens in the window, when the change is approved, everything that has to be checked is, and each ring before it is verified
/// and has soaked.
fn ring_opened(change: &Change, ring: u32, by: &str, now_ns: u64) -> Result<(), String> {
    named(by)?;
    let Plan { order, from_ns, until_ns, .. } = &change.plan;
    let rings = change.plan.rings();
    let own = is_ring(change, ring)?;
    if !change.plan.is_staged() {
        return Err(format!("work order {order} has no rings; nothing has to be opened"));
    }
    if change.is_open(ring) {
        return Err(format!("ring {ring} of work order {order} is open"));
    }
    if change.approved.is_none() {
        return Err(format!("work order {order} is not approved; another person than {} has to", change.plan.by));
    }
    if !(*from_ns..=*until_ns).contains(&now_ns) {
        return Err(format!("the window of work order {order} is from {} to {}", rfc3339(*from_ns), rfc3339(*until_ns)));
    }
    for (number, earlier) in (1..ring).zip(&rings) {
        let name = &earlier.name;
        let Some(step) = change.verified(number) else {
            return Err(format!("ring {number} ({name}) is not verified; ring {ring} stays closed"));
        };
        let soaked = step.time_ns.saturating_add(earlier.soak_ns());
        if now_ns < soaked {
            return Err(format!("ring {number} ({name}) soaks until {}; ring {ring} stays closed", rfc3339(soaked)));
        }
    }
    let missing = own.iter().filter(|asset| change.is_left(asset).is_none()).find_map(|asset| Some((asset, change.missing_check(asset)?)));
    match missing {
        Some((asset, kind)) => Err(format!("the check {:?} is not done for {asset}; ring {ring} stays closed", kind.name())),
        None => Ok(()),
    }
}

fn before(change: &Change, ring: Option<u32>, tries: &[Try]) -> Result<(), String> {
    let (order, ring) = (&change.plan.order, of_readings(change, ring)?);
    if change.after.iter().any(|step| step.ring == ring) {
        return Err(format!("work order {order} has its reading after already; what is read now is not before"));
    }
    if let Some(step) = change.installed.iter().find(|step| step.ring == ring) {
        return Err(format!("{} installed ring {ring} of work order {order} already; what is read now is not before", step.by));
    }
    no_stranger(change, ring, tries)
}

fn installed(change: &Change, ring: u32, by: &str) -> Result<(), String> {
    named(by)?;
    is_ring(change, ring)?;
    if !change.is_open(ring) {
        return Err(format!("ring {ring} of work order {} is not open", change.plan.order));
    }
    if !change.before.iter().any(|step| step.ring == ring) {
        return Err(format!("ring {ring} of work order {} was not read before", change.plan.order));
    }
    Ok(())
}

fn after(change: &Change, ring: Option<u32>, tries: &[Try], accepted_by: Option<&str>) -> Result<(), String> {
    let (order, ring) = (&change.plan.order, of_readings(change, ring)?);
    if !change.before.iter().any(|step| step.ring == ring) {
        return Err(format!("work order {order} has no reading before; without it nobody can say what changed"));
    }
    no_stranger(change, ring, tries)?;
    accepted_by.map_or(Ok(()), |name| second_person(change, Some(ring), name))
}

/// The readings agree, and who says so is not who installed.
fn verified(change: &Change, ring: u32, by: &str, accepts_unproven: bool) -> Result<(), String> {
    named(by)?;
    is_ring(change, ring)?;
    let order = &change.plan.order;
    if change.plan.is_staged() && change.approved.is_none() {
        return Err(format!("work order {order} is not approved"));
    }
    let mut installers = change.installed.iter().filter(|step| step.ring == ring).peekable();
    if installers.peek().is_none() {
        return Err(format!("nobody is on record as having installed ring {ring} of work order {order}"));
    }
    if installers.any(|step| person(&step.by) == person(by)) {
        return Err(format!("{by} installed ring {ring} of work order {order}; another person has to verify it"));
    }
    if accepts_unproven {
        second_person(change, Some(ring), by)?;
    }
    let accepted = accepts_unproven || change.accepted(ring).is_some();
    // A device that was read after and is not as expected failed, whatever it is called: only what was never tried may be left behind.
    let tried = |asset: &str| change.after.iter().any(|step| step.ring == ring && step.tries.iter().any(|one| one.asset == asset));
    let verdicts = change.verdicts_of(ring);
    let mut bad = verdicts.iter().filter(|judged| !is_good(judged.verdict, accepted));
    match bad.find(|judged| change.is_left(&judged.asset).is_none() || tried(&judged.asset)) {
        Some(judged) => Err(format!("{} is not as expected: {}: {}", judged.asset, judged.verdict.text(), judged.why)),
        None if verdicts.iter().all(|judged| !is_good(judged.verdict, accepted)) => Err(format!("nothing of ring {ring} was done")),
        None => Ok(()),
    }
}

/// Done means done: nothing is undone, and what is left is left for a reason.
fn closed(change: &Change, by: &str, accepted_by: Option<&str>) -> Result<(), String> {
    named(by)?;
    let order = &change.plan.order;
    accepted_by.map_or(Ok(()), |name| second_person(change, None, name))?;
    let undone = change.undone(accepted_by.is_some());
    let Some(first) = undone.first() else { return Ok(()) };
    let more = undone.len().saturating_sub(1);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    Err(format!(
        "work order {order} cannot be closed: {} is {}{more}; read again, or say with `change leave` why it is left",
        first.asset,
        first.verdict.text()
    ))
}

/// Who takes the responsibility for identities in a ring (`None`: in all) is neither who opened the change nor who installed it.
fn second_person(change: &Change, ring: Option<u32>, name: &str) -> Result<(), String> {
    named(name)?;
    let order = &change.plan.order;
    let done = |did: &str| Err(format!("{name} {did} work order {order}; an identity that is not proven is accepted by a second person"));
    match () {
        () if person(name) == person(&change.plan.by) => done("opened"),
        () if change.has_installed(ring, name) => done("installed"),
        () => Ok(()),
    }
}

fn of_readings(change: &Change, ring: Option<u32>) -> Result<u32, String> {
    let order = &change.plan.order;
    let ring = match ring {
        None if change.plan.is_staged() => return Err(format!("work order {order} goes ring by ring: say which ring is read")),
        ring => ring.unwrap_or(1),
    };
    is_ring(change, ring)?;
    if change.is_open(ring) { Ok(ring) } else { Err(format!("ring {ring} of work order {order} is not open; nothing of it is read yet")) }
}

/// The assets of a ring.
fn is_ring(change: &Change, ring: u32) -> Result<Vec<String>, String> {
    let rings = change.plan.rings();
    let own = (1..).zip(rings).find_map(|(number, own)| (number == ring).then_some(own.assets));
    own.ok_or_else(|| format!("work order {} has no ring {ring}", change.plan.order))
}

fn no_stranger(change: &Change, ring: u32, tries: &[Try]) -> Result<(), String> {
    let own = |asset: &str| change.plan.ring_of(asset).is_none_or(|other| other == ring);
    tries.iter().try_for_each(|one| {
        belongs(change, &one.asset)?;
        if own(&one.asset) { Ok(()) } else { Err(format!("{} does not belong to ring {ring}", one.asset)) }
    })
}

fn belongs(change: &Change, asset: &str) -> Result<(), String> {
    let known = change.plan.places().any(|place| place.asset == asset);
    if known { Ok(()) } else { Err(format!("{asset} does not belong to work order {}", change.plan.order)) }
}

fn named(name: &str) -> Result<(), String> {
    super::terms::written(name)?;
    if person(name).is_empty() { Err("a name must not be empty".to_owned()) } else { Ok(()) }
}
