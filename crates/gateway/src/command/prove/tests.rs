//! The referee can say no: what the guard would have stopped is shown to it as if it had left.

use std::collections::BTreeSet;

use nameplate_field::guard::generate::{Conversation, Label, MAKERS, Maker};

use super::referee::{self, Survivor, Verdict};
use super::within;
use crate::failure::Failure;

/// Cells of one judgement: what a message does to tshark's reading of the next ones must not count for those.
const CELLS_MAX: usize = 40;
/// Conversations that are tried until one breaks its cell with its last message.
const TRIES_MAX: u64 = 64;
const SEED: u64 = 7;

/// The messages of a conversation that breaks this cell, up to the one that does: all of them left, because there was no guard.
fn unguarded(maker: &Maker, cell: &str, number: u64) -> Vec<Survivor> {
    let cells = maker.all_cells().count() as u64;
    let made = (0..TRIES_MAX).map(|round| maker.generate(SEED, number + round * cells).expect("a permit"));
    let breaks = |made: &Conversation| made.messages.iter().position(|message| message.label == Label::Forbidden(own(maker, cell)));
    // The longest, so that the referee has seen what the message contradicts.
    let made = made.into_iter().filter(|made| breaks(made).is_some()).max_by_key(breaks);
    let made = made.unwrap_or_else(|| panic!("{}: nothing breaks {cell}", maker.protocol));
    let end = made.messages.iter().position(|message| matches!(message.label, Label::Forbidden(_))).unwrap_or(0);
    let messages_max = made.permit.limits().messages_max;
    let survivor = |bytes| Survivor { conversation: number, granted: made.granted.clone(), messages_max, bytes };
    made.messages.into_iter().take(end + 1).map(|message| message.bytes).map(survivor).collect()
}

fn own(maker: &Maker, cell: &str) -> &'static str {
    maker.all_cells().find(|known| *known == cell).expect("a cell of its own")
}

/// The conversations that the referee objects to; `None` where there is no referee.
fn objected(maker: &Maker, survivors: &[Survivor]) -> Result<Option<BTreeSet<u64>>, Failure> {
    let row = referee::row(maker.protocol)?;
    let mut judged = Ok(None);
    within(&std::env::temp_dir(), &format!("referee-{}", maker.protocol), |directory| {
        let path = directory.join("unguarded.pcap");
        judged = referee::judge(row, &path, survivors).map(Some);
        Ok(())
    })?;
    let number = |objection: &String| objection.strip_prefix("connection ")?.split(':').next()?.parse().ok();
    Ok(match judged? {
        Some(Verdict::Objections(objections)) => Some(objections.iter().filter_map(number).collect()),
        Some(Verdict::Clean { .. }) => Some(BTreeSet::new()),
        Some(Verdict::Absent) | None => None,
    })
}

#[test]
fn the_referee_objects_to_what_did_not_pass_the_guard() {
    let mut missed = Vec::new();
    for maker in MAKERS {
        let cells: Vec<(u64, &str)> = (0..).zip(maker.cells.iter().copied()).collect();
        for some in cells.chunks(CELLS_MAX) {
            let survivors: Vec<Survivor> = some.iter().flat_map(|(number, cell)| unguarded(maker, cell, *number)).collect();
            let objected = objected(maker, &survivors).unwrap_or_else(|e| panic!("{}: {e}", maker.protocol));
            let Some(objected) = objected else {
                assert!(std::env::var_os("CI").is_none(), "no tshark: what CI did not run, it did not check");
                return eprintln!("skipped: tshark is not installed");
            };
            let of_maker = some.iter().filter(|(number, _)| !objected.contains(number));
            missed.extend(of_maker.map(|(_, cell)| format!("{}: {cell}", maker.protocol)));
        }
    }
    assert!(missed.is_empty(), "the referee lets pass: {missed:#?}");
}
