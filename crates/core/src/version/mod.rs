//! What a version text says, and how two of them stand: schemes per vendor and product line, as data in `schemes.toml`.
//!
//! A text is read by its line's [`Scheme`] into a [`Version`]: numbers, and behind them service packs, letters, builds. Nothing is
//! dropped: [`Version::pieces`] puts the text together again, and [`Version::rest`] names what was not understood. [`Version::compare`]
//! answers [`Relation::NotComparable`] where only the maker could say. No version is ever a floating-point number.
//!
//! The choices are argued in docs/decisions/0025; users find them in docs/versions.md. [`Order`] are the two orders that device
//! profiles name (docs/decisions/0009).

mod compare;
mod date;
mod order;
mod parse;
mod scheme;
#[cfg(test)]
mod tests;

pub use compare::{Relation, Standing};
pub use order::Order;
pub use parse::{Piece, Role, VERSION_BYTES_MAX, Version};
pub use scheme::{Form, Letter, Minor, Scheme, Zeros};
