//! Rules for the files of profiles that hold over all of them.

use std::collections::BTreeSet;
use std::fs;

use nameplate_core::profile::ProfileSet;
use nameplate_tests::place::root;

/// A profile that takes more is two families in one file.
const LINES_MAX: usize = 150;

#[test]
fn vendors_are_written_as_in_one_list() {
    let text = fs::read_to_string(root().join("tests/golden/profile-vendors.txt")).expect("the list");
    let listed: Vec<&str> = text.lines().collect();
    assert!(listed.is_sorted(), "in order, so that two spellings of one vendor stand together");
    let set = ProfileSet::built_in().expect("the built-in profiles");
    let used: BTreeSet<&str> = set.iter().map(|profile| profile.vendor.as_str()).collect();
    let strange: Vec<&&str> = used.iter().filter(|vendor| !listed.contains(vendor)).collect();
    let unused: Vec<&&str> = listed.iter().filter(|vendor| !used.contains(**vendor)).collect();
    assert!(strange.is_empty(), "spelt as nowhere else? If they are new, they go into tests/golden/profile-vendors.txt: {strange:?}");
    assert!(unused.is_empty(), "no profile is of {unused:?}");
}

#[test]
fn a_profile_is_short_and_every_file_is_one() {
    let set = ProfileSet::built_in().expect("the built-in profiles");
    let folder = root().join("device-profiles");
    let mut files = 0;
    for profile in set.iter() {
        let path = folder.join(format!("{}.toml", profile.id));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.lines().count() <= LINES_MAX, "{} has {} lines, at most {LINES_MAX}", profile.id, text.lines().count());
        assert!(!profile.examples.is_empty(), "{} has no example", profile.id);
        files += 1;
    }
    let vendors = fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let there: usize = vendors.map(|vendor| fs::read_dir(vendor).expect("a vendor's folder").count()).sum();
    assert_eq!(there, files, "a file that is no profile");
}
