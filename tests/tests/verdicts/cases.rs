//! The 37 cases that somebody read by hand, each by its number in `tricky_hand_read.jsonl`. What is expected comes from there; the range,
//! the remediation and the missing fact beside it were read from the documents. For 18, 39 and 40 the document contradicts itself.

use nameplate_core::finding::Verdict;
use nameplate_core::finding::Verdict::{Affected, Contradiction, Indeterminate, NotAffected};
use nameplate_core::finding::installed::Installed;
use nameplate_core::finding::{Library, Proof};
use nameplate_tests::place::{self, needed};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Cases in which the document says both, so that a contradiction is as right as what the reader took for the truth.
const CONTRADICTORY: [u64; 3] = [18, 39, 40];

/// The row of that number.
fn row(shared: &Path, number: u64) -> Value {
    let text = fs::read_to_string(shared.join("advisories/truth/tricky_hand_read.jsonl")).expect("the cases");
    let mut rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row"));
    rows.find(|row| row["n"] == number).expect("that case")
}

/// The device of a row, in the words of an inventory.
fn device(row: &Value) -> Installed {
    let asset = &row["asset"];
    let text = |key: &str| asset[key].as_str().map(str::to_owned);
    let product_code = text("order_number").or(text("catalog"));
    let named = product_code.is_some() || asset["fid"].is_string();
    let product = row["product"].as_str().filter(|_| !named).map(str::to_owned);
    let mut device = Installed {
        asset: "case".into(),
        component: text("component").unwrap_or_else(|| "self".into()),
        manufacturer: row["vendor"].as_str().map(str::to_owned),
        model: text("model").or(text("product")).or(product),
        product_code,
        firmware_revision: text("firmware").or(text("fid")),
        software_revision: text("software"),
        serial_number: text("serial"),
        patches: asset["patches"].as_array().map(|patches| patches.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        ..Installed::default()
    };
    if let Some(state) = asset["hw_function_state"].as_u64() {
        device.facts.insert("function_state", vec![state.to_string()]);
    }
    if let Some(bundle) = text("bundle") {
        device.facts.insert("bundle", vec![bundle]);
    }
    device
}

/// The proofs of all that the row's document says of its device.
fn proofs(row: &Value, shared: &Path) -> Vec<Proof> {
    let id = row["advisory"].as_str().expect("a document");
    let year = fs::read_dir(shared.join("advisories/csaf")).expect("years").map(|year| year.expect("a year").path());
    let file = year.map(|year| year.join(format!("{id}.json"))).find(|file| file.is_file()).expect("the document");
    let advisory = nameplate_core::advisory::csaf::read(&fs::read(file).expect("bytes")).expect("CSAF");
    let library = Library::of(vec![advisory]);
    let device = device(row);
    let findings = library.judge(&device);
    findings.iter().map(|finding| library.proof(&device, finding).expect("a proof")).collect()
}

/// Every vulnerability of the document has this verdict, which is the reader's, with this range, remediation and missing fact.
#[track_caller]
fn check(number: u64, verdict: Verdict, range: &str, remediation: &str, missing: Option<&str>) {
    let Some(shared) = needed("a case that was read by hand", place::shared()) else { return };
    let row = row(&shared, number);
    let expected = row["expected"].as_str().expect("a verdict");
    let says_both = CONTRADICTORY.contains(&number) && verdict == Contradiction;
    assert!(says_both || verdict.name() == expected, "the reader says {expected}");
    let proofs = proofs(&row, &shared);
    assert!(!proofs.is_empty(), "no line");
    for proof in proofs {
        let offered = proof.remediation.as_deref().unwrap_or_default();
        assert_eq!((proof.verdict, proof.missing.first().map(String::as_str)), (verdict, missing), "{proof:#?}");
        assert!(proof.range.contains(range) && offered.contains(remediation), "{proof:#?}");
        assert_eq!(proof.passages.is_empty(), verdict != Contradiction, "{proof:#?}");
    }
}

#[test]
fn case_22_verdicts_are_per_vulnerability() {
    let Some(shared) = needed("case_22_verdicts_are_per_vulnerability", place::shared()) else { return };
    let proofs = proofs(&row(&shared, 22), &shared);
    let verdict = |cve: &str| proofs.iter().find(|proof| proof.cve == cve).map(|proof| proof.verdict);
    assert_eq!((verdict("CVE-2021-37204"), verdict("CVE-2021-37185")), (Some(Affected), Some(NotAffected)));
}

#[test]
fn case_8_a_redundancy_release_is_held_against_its_own_track() {
    check(8, Affected, "20-33", "", None);
}

#[test]
fn case_9_a_remediation_closes_the_last_line_of_a_range() {
    check(9, NotAffected, "20-33", "Users should upgrade to versions 33.013", None);
}

#[test]
fn case_10_a_bound_of_a_major_alone_takes_in_all_its_minors() {
    check(10, Affected, ">= 20 | <= 30.014", "", None);
}

#[test]
fn case_11_leading_zeros_of_a_minor_carry_no_order() {
    check(11, Affected, ">= 20 | <= 30.014", "", None);
}

#[test]
fn case_14_a_rebuild_of_an_ios_train_is_before_the_next_release() {
    check(14, Affected, "<= 15.2(7)E3", "", None);
}

#[test]
fn case_15_two_ios_trains_have_no_order() {
    check(15, Indeterminate, "< 15.2(4)EA7", "", None);
}

#[test]
fn case_16_the_second_line_of_a_relay_is_affected_though_it_is_newer() {
    check(16, Affected, ">=R400-V0|<R400-V2", "R400-V2", None);
}

#[test]
fn case_17_a_point_release_on_an_older_line_is_fixed() {
    check(17, NotAffected, ">=R100-V0|<R301-V6", "", None);
}

#[test]
fn case_18_a_fix_inside_the_affected_range_contradicts_it() {
    check(18, Contradiction, ">=R100-V0|<R302-V1", "SEL-710-5 Motor Protection Relay: R302-V0", None);
}

#[test]
fn case_19_a_relay_that_only_the_title_names_is_found() {
    check(19, Affected, ">=V0|<=V2", "", None);
}

#[test]
fn case_20_the_same_release_number_of_another_relay_is_not_meant() {
    check(20, NotAffected, "", "", None);
}

#[test]
fn case_21_an_illegal_range_is_read_as_it_was_meant() {
    check(21, NotAffected, "vers:all/>=V2.9.2<V2.9.4", "", None);
}

#[test]
fn case_23_a_software_controller_counts_in_its_own_way() {
    check(23, Affected, "All versions >= V2.5 and < V20.8", "", None);
}

#[test]
fn case_24_a_free_number_in_the_middle_is_not_compared() {
    check(24, Affected, "< V3.X.14", "", None);
}

#[test]
fn case_25_the_number_behind_a_free_one_decides() {
    check(25, NotAffected, "< V3.X.14", "", None);
}

#[test]
fn case_26_a_base_release_is_before_its_hotfix() {
    check(26, Affected, "< V4.7 HF29", "V4.7 HF29", None);
}

#[test]
fn case_27_a_torn_version_is_mended_by_the_fix() {
    check(27, Affected, "< 15.1 | 7", "v15.1 Update 7", None);
}

#[test]
fn case_29_firmware_and_function_state_must_both_be_affected() {
    check(29, NotAffected, "All versions <= V2.5.0 and Function State (FS) <= 9", "", None);
}

#[test]
fn case_30_an_unknown_function_state_is_the_missing_fact() {
    check(30, Indeterminate, "All versions with Function State (FS) < 11", "", Some("function_state"));
}

#[test]
fn case_31_a_serial_number_in_the_window_decides() {
    check(31, Affected, ">=V3.2.3_<V3.3.0_only_when", "", None);
}

#[test]
fn case_32_the_product_of_another_line_does_not_apply() {
    check(32, Affected, "vers:all/<V5.6.0", "V5.6.0", None);
}

#[test]
fn case_33_the_fixed_release_of_an_older_line_is_fixed() {
    check(33, NotAffected, "vers:all/<V4.3.8", "", None);
}

#[test]
fn case_34_the_bound_itself_is_not_below_it() {
    check(34, NotAffected, "< 02.07.07(10)", "", None);
}

#[test]
fn case_35_the_number_in_parentheses_is_the_firmware_index() {
    check(35, Affected, ">FW16_up_to_and_including_FW26", "", None);
}

#[test]
fn case_36_a_mask_takes_in_an_order_number() {
    check(36, Affected, "< FW11", "", None);
}

#[test]
fn case_37_two_bounds_under_one_name_need_the_model() {
    check(37, Indeterminate, "<= 1.28", "", Some("model"));
}

#[test]
fn case_39_a_release_that_is_its_siblings_bound_contradicts() {
    check(39, Contradiction, "3.63", "", None);
}

#[test]
fn case_40_turned_operators_contradict_the_remediation() {
    check(40, Contradiction, "> 8.0.4", "8.1.10 or later", None);
}

#[test]
fn case_41_an_empty_intersection_is_a_union() {
    check(41, Affected, "<= 10.1.1", "", None);
}

#[test]
fn case_42_a_fixed_release_below_the_largest_bound_is_fixed() {
    check(42, NotAffected, "<= 5.0.27 | <= 5.1.19 | <= 6.0.16", "", None);
}

#[test]
fn case_44_a_serial_number_in_a_products_name_is_a_condition() {
    check(44, NotAffected, ">=1.220|<=1.281", "", None);
}

#[test]
fn case_45_the_fix_of_another_product_says_nothing() {
    check(45, NotAffected, "<= 1.221F", "GT Designer3 (GOT2000): Version 1.225K", None);
}

#[test]
fn case_46_an_installed_patch_closes_a_hole_that_the_version_leaves_open() {
    check(46, NotAffected, "<=B13__without", "Special Modification Patch", None);
}

#[test]
fn case_47_each_line_has_its_own_bound() {
    check(47, NotAffected, "<R511.5_TCU4_HF4", "", None);
}

#[test]
fn case_50_an_order_number_in_the_version_slot_means_every_release() {
    check(50, Affected, "1783-SAD4T0SBK9", "", None);
}

#[test]
fn case_51_the_version_is_that_of_the_card() {
    check(51, Affected, "NMC2 <= 6.9.6", "", None);
}
