//! The metrics of each edition in the order of its specification, each with its values from the mildest to the worst; "not defined" stands
//! first.

/// A metric and the values it can have.
#[derive(Debug)]
pub struct Metric {
    /// As it stands in a vector.
    pub name: &'static str,
    /// From the mildest to the worst.
    pub values: &'static [&'static str],
}

const fn metric(name: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, values }
}

/// Version 2: section 2, and 2.4 for the vector. The first six are the base.
pub const V2: &[Metric] = &[
    metric("AV", &["L", "A", "N"]),
    metric("AC", &["H", "M", "L"]),
    metric("Au", &["M", "S", "N"]),
    metric("C", &["N", "P", "C"]),
    metric("I", &["N", "P", "C"]),
    metric("A", &["N", "P", "C"]),
    metric("E", &["ND", "U", "POC", "F", "H"]),
    metric("RL", &["ND", "OF", "TF", "W", "U"]),
    metric("RC", &["ND", "UC", "UR", "C"]),
    metric("CDP", &["ND", "N", "L", "LM", "MH", "H"]),
    metric("TD", &["ND", "N", "L", "M", "H"]),
    metric("CR", &["ND", "L", "M", "H"]),
    metric("IR", &["ND", "L", "M", "H"]),
    metric("AR", &["ND", "L", "M", "H"]),
];

/// Versions 3.0 and 3.1: sections 2 to 4, and table 15 for the vector. The first eight are the base.
pub const V3: &[Metric] = &[
    metric("AV", &["P", "L", "A", "N"]),
    metric("AC", &["H", "L"]),
    metric("PR", &["H", "L", "N"]),
    metric("UI", &["R", "N"]),
    metric("S", &["U", "C"]),
    metric("C", &["N", "L", "H"]),
    metric("I", &["N", "L", "H"]),
    metric("A", &["N", "L", "H"]),
    metric("E", &["X", "U", "P", "F", "H"]),
    metric("RL", &["X", "O", "T", "W", "U"]),
    metric("RC", &["X", "U", "R", "C"]),
    metric("CR", &["X", "L", "M", "H"]),
    metric("IR", &["X", "L", "M", "H"]),
    metric("AR", &["X", "L", "M", "H"]),
    metric("MAV", &["X", "P", "L", "A", "N"]),
    metric("MAC", &["X", "H", "L"]),
    metric("MPR", &["X", "H", "L", "N"]),
    metric("MUI", &["X", "R", "N"]),
    metric("MS", &["X", "U", "C"]),
    metric("MC", &["X", "N", "L", "H"]),
    metric("MI", &["X", "N", "L", "H"]),
    metric("MA", &["X", "N", "L", "H"]),
];

/// Version 4.0: sections 2 to 5, and table 23 for the vector, whose order is fixed. The first eleven are the base.
pub const V4: &[Metric] = &[
    metric("AV", &["P", "L", "A", "N"]),
    metric("AC", &["H", "L"]),
    metric("AT", &["P", "N"]),
    metric("PR", &["H", "L", "N"]),
    metric("UI", &["A", "P", "N"]),
    metric("VC", &["N", "L", "H"]),
    metric("VI", &["N", "L", "H"]),
    metric("VA", &["N", "L", "H"]),
    metric("SC", &["N", "L", "H"]),
    metric("SI", &["N", "L", "H"]),
    metric("SA", &["N", "L", "H"]),
    metric("E", &["X", "U", "P", "A"]),
    metric("CR", &["X", "L", "M", "H"]),
    metric("IR", &["X", "L", "M", "H"]),
    metric("AR", &["X", "L", "M", "H"]),
    metric("MAV", &["X", "P", "L", "A", "N"]),
    metric("MAC", &["X", "H", "L"]),
    metric("MAT", &["X", "P", "N"]),
    metric("MPR", &["X", "H", "L", "N"]),
    metric("MUI", &["X", "A", "P", "N"]),
    metric("MVC", &["X", "N", "L", "H"]),
    metric("MVI", &["X", "N", "L", "H"]),
    metric("MVA", &["X", "N", "L", "H"]),
    metric("MSC", &["X", "N", "L", "H"]),
    metric("MSI", &["X", "N", "L", "H", "S"]),
    metric("MSA", &["X", "N", "L", "H", "S"]),
    metric("S", &["X", "N", "P"]),
    metric("AU", &["X", "N", "Y"]),
    metric("R", &["X", "A", "U", "I"]),
    metric("V", &["X", "D", "C"]),
    metric("RE", &["X", "L", "M", "H"]),
    metric("U", &["X", "Clear", "Green", "Amber", "Red"]),
];
