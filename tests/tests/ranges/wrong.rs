//! Where the truth itself is wrong: each with the advisory that says so.

/// Stated orders that their own advisory contradicts: advisory, what is said to be lower, what is said to be higher, and why it is not.
pub const DEFECTIVE_FACTS: [(&str, &str, &str, &str); 7] = [
    ("icsa-21-021-05", "4.5.0", "3.5.20304.x", "a range from 4.5.0 up to 3.5: the upper end was copied from the node of the line 3.5"),
    ("icsa-22-102-03", "8.1.10", "8.1", "the operators are the wrong way round: 8.1.10 is the fix, and the range says that it is affected"),
    ("icsa-22-111-03", "10.2.1", "9.4 FP1", "two ranges, up to 9.4 FP1 and from 10.2.1, that were taken for one"),
    ("icsa-22-251-01", "1.5", "a3b04b7bc4872a5a39e5de3fdc5fbde52c09e10e", "a hash of a commit: it has no place among releases"),
    ("icsa-22-349-20", "V13.3.0.9", "V13.3.0.8", "two nodes of one product, below V13.3.0.9 and below V13.3.0.8, whose fixes are swapped"),
    ("icsa-22-349-20", "V14.0.0.5", "V14.0.0.4", "two nodes of one product, below V14.0.0.5 and below V14.0.0.4, whose fixes are swapped"),
    (
        "icsa-23-166-14",
        "V14.2.0.3",
        "V14.1.0.4",
        "the fix that is named for JT2Go, V14.1.0.4, is below the bound V14.2.0.3, so it is affected itself",
    ),
];

/// Rows that are called outside though the truth says inside: advisory, range, version, and why the truth is wrong. None.
pub const WRONG_OUTSIDE: [(&str, &str, &str, &str); 0] = [];
