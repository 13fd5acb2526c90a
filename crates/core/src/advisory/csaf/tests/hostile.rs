//! Documents that somebody made to break a reader.

use super::*;
use crate::advisory::csaf::tolerance::TOLERANCES_MAX;

#[test]
fn a_million_products_are_refused() {
    // Outside the branches, and under one: no list is longer, and no tree.
    let flat: Vec<String> = (0..1_000_000).map(|at| format!(r#"{{"name":"a","product_id":"{at}"}}"#)).collect();
    let unread = read(document(&format!(r#"{{"full_product_names":[{}]}}"#, flat.join(",")), "[]").as_bytes()).unwrap_err();
    assert!(unread.to_string().starts_with("/product_tree/full_product_names: a list of more than 100000 entries"), "{unread}");
    let leaves = |vendor: u32| {
        let leaves: Vec<String> = (0..60_000).map(|at| leaf("product_version", "1", &format!("{vendor}-{at}"))).collect();
        branch("product_name", "N", &leaves.join(","))
    };
    let unread = read(branches(&format!("{},{}", leaves(1), leaves(2))).as_bytes()).unwrap_err();
    assert_eq!(unread.to_string(), "/product_tree/branches/1/branches/40000/product: more than 100000 products");
}

#[test]
fn a_depth_bomb_is_refused() {
    let bomb = |levels: usize| {
        let open = r#"{"category":"architecture","name":"x","branches":["#;
        branches(&(open.repeat(levels) + &leaf("product_version", "1", "A") + &"]}".repeat(levels)))
    };
    assert!(read(bomb(31).as_bytes()).is_ok());
    let unread = read(bomb(32).as_bytes()).unwrap_err();
    assert_eq!(unread.why, "branches more than 32 deep");
    let unread = read(bomb(100_000).as_bytes()).unwrap_err();
    assert!(unread.why.starts_with("recursion limit exceeded"), "{unread}");
    assert!(unread.at.chars().count() <= POINTER_CHARS_MAX + 1, "{unread}");
    // In a part that is not read it is passed over, without a stack.
    let text = document(TWO, "[]").replacen('{', &format!("{{\"x\":{}{},", "[".repeat(1_000_000), "]".repeat(1_000_000)), 1);
    assert!(read(text.as_bytes()).is_ok());
}

#[test]
fn lists_that_multiply_are_refused() {
    let members: Vec<String> = (0..10_000).map(|at| format!(r#"{{"name":"a","product_id":"{at}"}}"#)).collect();
    let ids: Vec<String> = (0..10_000).map(|at| format!("\"{at}\"")).collect();
    let tree = format!(
        r#"{{"full_product_names":[{}],"product_groups":[{{"group_id":"G","product_ids":[{}]}}]}}"#,
        members.join(","),
        ids.join(",")
    );
    let offers = vec![r#"{"category":"vendor_fix","details":"d","group_ids":["G"]}"#; 1000].join(",");
    let unread = read(document(&tree, &format!(r#"[{{"cve":"C","remediations":[{offers}]}}]"#)).as_bytes()).unwrap_err();
    assert_eq!(unread.to_string(), "/vulnerabilities/0/remediations/400: products are named more than 4000000 times");
    let many = vec!["{}"; VULNERABILITIES_MAX + 1].join(",");
    assert_eq!(read(document(TWO, &format!("[{many}]")).as_bytes()).unwrap_err().why, "more than 10000 vulnerabilities");
    let long = document(TWO, "[]").replacen("V-1", &"x".repeat(9000), 1);
    assert!(read(long.as_bytes()).unwrap_err().to_string().starts_with("/document/tracking/id: a text of more than 8192 bytes"));
    let unknown = vec!["\"x\""; TOLERANCES_MAX].join(",");
    let said = format!(r#"[{{"cve":"C","product_status":{{"fixed":[{unknown}],"known_affected":["x"]}}}}]"#);
    assert!(read(document(TWO, &said).as_bytes()).unwrap_err().why.starts_with("it departs from the standard in more than"));
}
