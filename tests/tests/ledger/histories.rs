//! Bar 4: the fold from the ledger is the incremental view at every index, and a view as of a date is that of the ledger cut there.

use nameplate::store::{Draft, Store};
use nameplate_core::ledger::Entry;
use nameplate_core::view::View;
use nameplate_tests::ledger::history;
use nameplate_tests::personas::{Draw, seed};
use nameplate_tests::product::State;

use super::times;

/// Entries of a usual history.
const ENTRIES: usize = 40;
/// Entries of a long one: more than are folded in one piece, so that several threads take part.
const LONG_ENTRIES: usize = 4_000;

/// The views after 0, 1, 2, ... entries, entry by entry and without a store.
fn incremental(drafts: &[Draft]) -> Vec<View> {
    let mut view = View::default();
    let mut views = vec![view.clone()];
    for (index, draft) in (1..).zip(drafts) {
        view.apply(&Entry { index, time_ns: draft.time_ns, body: draft.body.clone() });
        views.push(settled(&view));
    }
    views
}

/// What is shown of it: what came late stands at its own time.
fn settled(view: &View) -> View {
    let mut view = view.clone();
    view.settle();
    view
}

/// Appends in batches of random sizes.
fn append(store: &mut Store, drafts: &[Draft], draw: &mut Draw) {
    let mut rest = drafts;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at((1 + draw.below(20)).min(rest.len()));
        store.append(batch).expect("appended");
        rest = later;
    }
}

#[test]
fn the_fold_is_the_incremental_view_at_every_index() {
    let mut draw = Draw(seed());
    for history_number in 0..times("NAMEPLATE_HISTORIES", 200) {
        let drafts = history(draw.number(), ENTRIES);
        let views = incremental(&drafts);
        let state = State::new();
        append(&mut Store::write(state.path()).expect("a store"), &drafts, &mut draw);
        let store = Store::read(state.path()).expect("a ledger").expect("one that exists");
        for (size, view) in (1..).zip(&views) {
            assert!(store.view_at(size).expect("a view") == *view, "history {history_number} at {size}");
        }
        assert_eq!(store.view(None).expect("a view"), *views.last().expect("one at least"));
        // Entry 0 was made by today's clock; dates before it cut everything off that is not earlier.
        let made = store.entry(0).expect("entry 0").time_ns;
        let moments = drafts.iter().flat_map(|draft| [draft.time_ns.saturating_sub(1), draft.time_ns, draft.time_ns + 1]);
        for as_of in moments.chain([0, made, u64::MAX]) {
            // Cut: up to and including the last entry that is not later.
            let last = drafts.iter().rposition(|draft| draft.time_ns <= as_of);
            let cut = last.map_or(&views[0], |last| &views[last + 1]);
            assert!(store.view(Some(as_of)).expect("a view") == *cut, "history {history_number} as of {as_of}");
        }
    }
}

#[test]
fn a_view_as_of_a_date_is_that_of_the_ledger_cut_there() {
    let mut draw = Draw(seed());
    let drafts = history(draw.number(), ENTRIES);
    let (whole, cut) = (State::new(), State::new());
    append(&mut Store::write(whole.path()).expect("a store"), &drafts, &mut draw);
    let whole = Store::read(whole.path()).expect("a ledger").expect("one that exists");
    let as_of = drafts[ENTRIES / 2].time_ns;
    let last = drafts.iter().rposition(|draft| draft.time_ns <= as_of).expect("one at least");
    let mut store = Store::write(cut.path()).expect("a store");
    append(&mut store, &drafts[..=last], &mut draw);
    assert_eq!(whole.view(Some(as_of)).expect("a view"), store.view(None).expect("a view"));
}

#[test]
fn a_long_history_is_folded_as_a_short_one() {
    let mut draw = Draw(seed());
    let drafts = history(draw.number(), LONG_ENTRIES);
    let state = State::new();
    let mut store = Store::write(state.path()).expect("a store");
    drafts.chunks(500).for_each(|batch| {
        store.append(batch).expect("appended");
    });
    let mut view = View::default();
    for (index, draft) in (1..).zip(&drafts) {
        view.apply(&Entry { index, time_ns: draft.time_ns, body: draft.body.clone() });
        if [1023, 1024, 1025, 2047, 2048, 3000, LONG_ENTRIES as u64].contains(&index) {
            assert!(store.view_at(index + 1).expect("a view") == settled(&view), "at {index}");
        }
    }
}

#[test]
fn a_record_is_the_sorted_json_of_its_entry() {
    let mut draw = Draw(seed());
    for (index, Draft { time_ns, body, .. }) in (0..).zip(history(draw.number(), LONG_ENTRIES)) {
        let entry = Entry { index, time_ns, body };
        // serde_json keeps the keys of a value in the order of their bytes; ours are ASCII, where that is the order of UTF-16 too.
        let sorted = serde_json::to_value(&entry).expect("a value").to_string();
        assert_eq!(String::from_utf8(entry.record().expect("a record")).expect("text"), sorted);
        assert_eq!(Entry::of(sorted.as_bytes()).expect("an entry"), entry);
    }
}
