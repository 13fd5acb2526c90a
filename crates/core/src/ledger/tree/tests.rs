use super::*;
use crate::ledger::merkle::{Head, consistent, included, leaf_hash};
use crate::observation::{hex, unhex};

/// The leaves and roots that the reference implementation of RFC 6962 (google/certificate-transparency, merkle_tree_test.cc) is tested with.
const LEAVES: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

#[test]
fn roots_are_those_of_the_reference() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|digits| leaf_hash(&unhex(digits).unwrap())).collect();
    let tree = Tree::of(leaves.clone());
    let mut frontier = Frontier::default();
    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(hex(&frontier.root()), *expected, "the edge at {size}");
        assert_eq!(hex(&tree.root(size as u64).unwrap()), *expected, "the tree at {size}");
        assert_eq!(Frontier::of(size as u64, &frontier.bytes()), Some(frontier.clone()));
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf);
        }
    }
    assert_eq!(tree.root(9), None);
    assert_eq!(Frontier::of(3, &[0; 32]), None);
}

#[test]
fn every_leaf_is_proven_and_no_other() {
    let tree = Tree::of(leaves(40));
    for size in 1..=40 {
        let root = tree.root(size).unwrap();
        for index in 0..size {
            let proof = tree.inclusion(index, size).unwrap();
            let leaf = leaf_hash(&index.to_be_bytes());
            assert!(included(&leaf, index, size, &proof, &root), "{index} of {size}");
            assert!(!included(&leaf_hash(b"another"), index, size, &proof, &root));
            assert!(!included(&leaf, index ^ 1, size, &proof, &root) || size == 1);
            assert!(!included(&leaf, index, size, &[&proof[..], &[leaf]].concat(), &root));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!included(&leaf, index, size, shorter, &root));
            }
        }
        assert_eq!(tree.inclusion(size, size), None);
    }
}

#[test]
fn a_tree_is_consistent_with_its_own_past_alone() {
    let tree = Tree::of(leaves(40));
    let mut forked_leaves = leaves(40);
    forked_leaves[0] = leaf_hash(b"another");
    let forked = Tree::of(forked_leaves);
    let head = |tree: &Tree, size| Head { size, root: tree.root(size).unwrap() };
    for newer in 0..=40 {
        for older in 0..=newer {
            let proof = tree.consistency(older, newer).unwrap();
            assert!(consistent(head(&tree, older), head(&tree, newer), &proof), "{older} in {newer}");
            if older == 0 {
                continue;
            }
            assert!(!consistent(head(&forked, older), head(&tree, newer), &proof), "{older} in {newer}");
            assert!(!consistent(head(&tree, older), head(&forked, newer), &proof), "{older} in {newer}");
            let longer = [&proof[..], &[[0; 32]]].concat();
            assert!(!consistent(head(&tree, older), head(&tree, newer), &longer), "{older} in {newer}");
        }
    }
    assert!(!consistent(head(&tree, 5), head(&tree, 4), &[]));
    assert_eq!(tree.consistency(5, 4), None);
}
