//! The catalog in the order of time. What comes late (a capture of last year, a reading that was recorded behind another) is taken at once
//! as well as can be; [`Catalog::settle`] then folds all of it again, each thing at its own time. So the same observations give the same
//! catalog, in whatever order they came (docs/decisions/0035).

use std::collections::HashMap;

use super::assets::Number;
use super::taken::{Item, Record, Taken};
use super::{Catalog, Folded};

/// Folds until no further serial number shows that two devices have it. Each takes at least one number, and in plants there are few.
const FOLDS_MAX: usize = 4;

/// Of each asset: the earliest place of what it is made of, and the id that follows from that.
type First = HashMap<Number, (u64, Name)>;

enum Name {
    Record(u32),
    Row(String),
}

impl Catalog {
    /// True where everything is in the order of its own time, so that [`Catalog::settle`] has nothing to do.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        !self.taken.is_out_of_order && !self.taken.hands_wait
    }

    /// Brings everything into the order of its own time. Nothing is done where all came in that order; what is shown is asked for behind
    /// this.
    pub fn settle(&mut self) {
        if self.taken.is_out_of_order {
            *self = self.folded_again();
        }
        if self.taken.hands_wait {
            self.by_hand();
        }
    }

    /// The same in order, beside this one: for who goes on reading it meanwhile.
    #[must_use]
    pub fn settled(&self) -> Self {
        let mut settled = if self.taken.is_out_of_order { self.folded_again() } else { self.clone() };
        settled.settle();
        settled
    }

    fn folded_again(&self) -> Self {
        let (mut taken, mut folded, mut firsts) = (self.taken.clone(), Self::default(), First::new());
        taken.doubles.clear();
        let items = taken.in_order();
        for _ in 0..FOLDS_MAX {
            let known = taken.doubles.len();
            folded = Self::default();
            folded.taken.doubles = std::mem::take(&mut taken.doubles);
            folded.begin_apart(&taken.hands_in_order());
            firsts = folded.fold(&items, &mut taken);
            taken.doubles = std::mem::take(&mut folded.taken.doubles);
            if taken.doubles.len() == known {
                break;
            }
        }
        taken.is_out_of_order = false;
        (taken.hands_wait, taken.hands_are_applied) = (!taken.hands.is_empty(), false);
        folded.name(firsts, &taken);
        folded.keep_names(self, &taken);
        folded.keep_sightings(self);
        folded.taken = taken;
        folded
    }

    fn fold(&mut self, items: &[Item], taken: &mut Taken) -> First {
        let mut firsts = First::new();
        taken.forget_latest();
        for item in items {
            match item {
                Item::Reading(at) => {
                    let Some(Folded { number, .. }) = taken.retold(*at, |told, said| self.fold_one(told, said)) else { continue };
                    let Some(&Record { time_ns, place, owner, .. }) = taken.records.get(*at as usize) else { continue };
                    taken.touches(number, (time_ns, place));
                    // Few change hands, and the others stay shared with the catalog that this one is a copy of.
                    if owner != number
                        && let Some(record) = taken.records.get_mut(*at as usize)
                    {
                        record.owner = number;
                    }
                    let first = firsts.entry(number).or_insert((place, Name::Record(*at)));
                    if place < first.0 {
                        *first = (place, Name::Record(*at));
                    }
                }
                Item::Import(at) => {
                    let Some(import) = taken.imports.get(*at as usize).cloned() else { continue };
                    for (number, id) in self.fold_import(&import.what, import.time_ns, import.entry) {
                        let first = firsts.entry(number).or_insert((import.place, Name::Row(id.clone())));
                        if import.place < first.0 {
                            *first = (import.place, Name::Row(id));
                        }
                    }
                }
            }
        }
        firsts
    }

    /// The id of an asset is that of what was recorded of it first, and not of what came first in time: so it stays when an older capture
    /// is taken in.
    fn name(&mut self, firsts: First, taken: &Taken) {
        let mut best = First::new();
        for (number, (place, name)) in firsts {
            let now = self.assets.now(number);
            match best.get(&now) {
                Some((earlier, _)) if *earlier <= place => {}
                _ => {
                    best.insert(now, (place, name));
                }
            }
        }
        for (number, (_, name)) in best {
            let id = match name {
                Name::Record(at) => taken.retold(at, |told, _| self.free_id(told, Some(number))),
                Name::Row(id) => Some(id),
            };
            if let Some(id) = id {
                self.assets.rename(number, id);
            }
        }
    }

    /// Decisions name assets by ids that they had when they were made: each still names who has the readings that it was made of.
    fn keep_names(&mut self, before: &Self, taken: &Taken) {
        let mut is_now: HashMap<Number, Number> = HashMap::new();
        for (record, was) in taken.records.iter().zip(before.taken.records.iter()) {
            is_now.entry(before.assets.now(was.owner)).or_insert_with(|| self.assets.now(record.owner));
        }
        for (id, number) in before.assets.names() {
            if let Some(now) = is_now.get(&number) {
                self.assets.also_called(id, *now);
            }
        }
    }

    /// When somebody was last seen between the observations that are kept.
    fn keep_sightings(&mut self, before: &Self) {
        for (protocol, address, time_ns) in before.places.sightings() {
            self.sighted(protocol, &address, time_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{observation, with_serial};
    use super::Catalog;
    use crate::observation::Observation;
    use crate::profile::{Interpretation, Matched};

    /// Numbers that look drawn (PCG's multiplier).
    struct Draw(u64);

    impl Draw {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % end
        }
    }

    /// So many readings in the order of time, of few devices that take each other's places and numbers.
    fn history(draw: &mut Draw, readings: u64) -> Vec<(Observation, Interpretation)> {
        const HOUR_NS: u64 = 3_600_000_000_000;
        let one = |at: u64| {
            let ip = format!("10.0.{}.{}", draw.below(2), draw.below(3));
            let mut observation = observation(&ip, (1 + at) * HOUR_NS / 4, "a.pcap");
            if draw.below(3) == 0 {
                observation.protocol = "enip".into();
                observation.address.port = Some(44818);
            }
            if draw.below(8) == 0 {
                observation.address.mac = Some(format!("02:00:00:00:00:0{}", draw.below(2)));
            }
            let said = match draw.below(3) {
                0 => Interpretation::of(Matched::None, Vec::new()),
                // Mostly that of its place, sometimes another's.
                _ => with_serial(&format!("S-10{}", if draw.below(6) == 0 { draw.below(4).to_string() } else { ip.replace('.', "") })),
            };
            (observation, said)
        };
        (0..readings).map(one).collect()
    }

    #[test]
    fn what_comes_a_little_late_is_where_it_belongs_without_a_new_fold_or_with_one() {
        let mut draw = Draw(1);
        let (mut without, mut with) = (0, 0);
        for _ in 0..1_500 {
            let history = history(&mut draw, 40);
            let mut in_time: Catalog = Catalog::default();
            let mut arrivals: Vec<(u64, usize)> = (0..history.len()).map(|at| (at as u64 * 4 + draw.below(12), at)).collect();
            arrivals.sort_unstable();
            for (at, (observation, said)) in history.iter().enumerate() {
                in_time.take_entry(observation, said, Some(at as u64));
            }
            let (mut late, mut latest) = (Catalog::default(), 0);
            for (_, at) in arrivals {
                let (observation, said) = &history[at];
                let was_settled = late.is_settled();
                late.take_entry(observation, said, Some(at as u64));
                if was_settled && at < latest {
                    *if late.is_settled() { &mut without } else { &mut with } += 1;
                }
                latest = latest.max(at);
                // One in ten is looked at as it grows.
                if draw.below(10) == 0 {
                    late.settle();
                }
            }
            in_time.settle();
            late.settle();
            assert_eq!(late, in_time);
        }
        assert!(without > 1_000 && with > 1_000, "{without} were taken as they came, {with} made it necessary to fold again");
    }
}
