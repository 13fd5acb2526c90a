//! Advisories from files, on the public corpus and on files that somebody broke on purpose.

use std::collections::BTreeMap;
use std::time::Instant;

use nameplate::advisories;
use nameplate_tests::place::{needed, shared};

#[test]
fn the_whole_corpus_is_read() {
    let Some(shared) = needed("the_whole_corpus_is_read", shared()) else { return };
    let begun = Instant::now();
    let loaded = advisories::load(&shared.join("advisories/csaf")).expect("the corpus is there");
    eprintln!("{} documents in {:?}", loaded.documents, begun.elapsed());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for tolerance in loaded.advisories.iter().flat_map(|advisory| &advisory.tolerances) {
        *kinds.entry(&tolerance.what).or_default() += 1;
    }
    eprintln!("{kinds:#?} {:?}", loaded.problems);
    assert_eq!((loaded.documents, loaded.advisories.len(), loaded.problems.len(), loaded.passed_over), (1752, 1752, 0, 0));
    eprintln!("{}", loaded.advisories.iter().filter(|a| a.initial_version_only).count());
}
