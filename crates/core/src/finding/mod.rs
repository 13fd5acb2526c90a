//! Which advisory concerns which asset: identity, then the range, then one verdict per vulnerability, each with its proof.

pub mod identity;
pub mod installed;
pub mod inventory;
