//! The hostile zoo: every way in which a device can misbehave, in every protocol that is asked, over the real guard and in virtual time. What it
//! may cost is capped, how it ends is an honest word, nothing false is read, and the device is left alone then. The table is printed.

mod cage;

use std::collections::BTreeSet;

use cage::{Cage, Outcome, Visit};
use nameplate_simulators::personality::{PERSONALITIES, named};
use nameplate_simulators::report::Trip;

/// Memory that one device may cost, ours and the simulator's together (robustness.md: 1 MiB of ours).
const GROWN_KIB_MAX: u64 = 1_024;

/// Those that answer all the same: alone with the device one meets its manners of keeping connections nowhere, and what it says besides, or
/// after it has answered, does not matter to the answer.
const ANSWERS: [&str; 8] = ["sound", "closes-late", "answer-first", "twice", "hostile-text", "evict-oldest", "single-client", "watchdog"];
/// Those that never may.
const NEVER_ANSWERS: [&str; 11] = [
    "slow-loris",
    "late",
    "silent",
    "cut-short",
    "fin-mid-answer",
    "hangs-up",
    "reset-on-connect",
    "noise",
    "noise-flood",
    "wrong-id",
    "wrong-protocol",
];
/// A list in parts of one byte is left before its end.
const OWN_EXCUSES: [(&str, &str); 1] = [("PDU size 0", "not all fragments of a list were fetched")];
/// Entries whose facts are others than those of the sound device: it says them all the same.
const SAYS_OTHERS: [&str; 3] = ["hostile-text", "endless", "endless-circle"];

/// A text has no messages: what is said twice stands in it twice.
const SAYS_TWICE: (&str, &str) = ("telnet tcp", "twice");

fn is_excused(entry: &str, trip: &Trip) -> bool {
    named(entry).is_some_and(|personality| personality.excuses(trip)) || OWN_EXCUSES.contains(&(entry, trip.why))
}

fn check(cage: &Cage, entry: &str, visits: &[Visit], sound: &BTreeSet<String>) -> Vec<String> {
    let limits = &cage.limits;
    let says_others = SAYS_OTHERS.contains(&entry) || SAYS_TWICE == (cage.name.as_str(), entry);
    let mut wrong = Vec::new();
    for visit in visits {
        let false_facts: Vec<&String> = visit.facts.iter().filter(|fact| !sound.contains(*fact)).collect();
        let table = [
            (visit.messages <= u32::from(limits.messages_max), "more messages than its row allows"),
            (visit.bytes_in <= cage::BYTES_MAX, "more bytes than anybody reads"),
            (visit.held <= limits.held_max, "held longer than its row allows"),
            (visit.grown_kib <= GROWN_KIB_MAX, "too much memory"),
            (visit.trips.iter().all(|trip| is_excused(entry, trip)), "something reached it that must not"),
            (says_others || false_facts.is_empty(), "something false was read"),
        ];
        wrong.extend(table.iter().filter(|(holds, _)| !holds).map(|(_, why)| format!("{} {entry}: {why}: {visit:?}", cage.name)));
    }
    let last = visits.last().expect("a visit");
    let answered = last.outcome == Outcome::Answered;
    if last.left_alone == answered {
        wrong.push(format!("{} {entry}: the breaker is not as the outcome: {last:?}", cage.name));
    }
    let may_not = NEVER_ANSWERS.contains(&entry) && cage.has(entry);
    if ANSWERS.contains(&entry) && !answered || may_not && answered {
        wrong.push(format!("{} {entry}: {last:?}", cage.name));
    }
    wrong
}

#[test]
fn the_memory_of_a_visit_is_seen() {
    let mark = cage::Mark::now();
    let held = vec![1_u8; 8 << 20];
    assert!(held.iter().all(|byte| *byte == 1));
    drop(held);
    assert!(mark.grown_kib() >= 7 << 10, "{}", mark.grown_kib());
}

#[test]
fn every_hostile_device_is_capped_and_left_alone() {
    println!("{:<14} {:<17} {:>5} {:>4} {:>8} {:>8} {:>6}  outcome", "protocol", "entry", "conns", "msgs", "bytes in", "held s", "KiB");
    let mut wrong = Vec::new();
    for cage in cage::all() {
        // The first visit of a kind reads pages of the program and makes tables for all that follow: no device's doing.
        drop(cage.visits(None));
        let sound = cage.visits(None);
        let facts: BTreeSet<String> = sound.iter().flat_map(|visit| visit.facts.clone()).collect();
        assert!(!facts.is_empty(), "{} tells nothing even where it is sound: {sound:?}", cage.name);
        wrong.extend(check(&cage, "sound", &sound, &facts));
        for personality in &PERSONALITIES {
            let visits = cage.visits(Some(personality.fault.clone()));
            cage.print(personality.name, &visits);
            wrong.extend(check(&cage, personality.name, &visits, &facts));
        }
    }
    for (cage, entry) in cage::peculiar() {
        let visits = cage.visits(None);
        cage.print(entry, &visits);
        wrong.extend(check(&cage, entry, &visits, &visits.iter().flat_map(|visit| visit.facts.clone()).collect()));
        assert_ne!(visits.last().map(|visit| &visit.outcome), Some(&Outcome::Answered), "{entry}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
