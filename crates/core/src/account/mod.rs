//! Who may do what on a gateway: accounts, roles, tokens. Each step is an entry of the ledger ([`Event`]); [`Accounts`] is the fold over
//! them. Secrets are none of its business: they stand apart, and an entry never holds one. See docs/accounts.md.

mod event;
mod fold;
mod name;
mod right;
mod rules;

pub use event::Event;
pub use fold::{Account, Accounts, Token};
pub use name::{FIRST_START, NAME_CHARS_MAX, SHELL, check, key};
pub use right::{Right, Rights, Role};
pub use rules::{LINK_S_MAX, LOCK_S_MAX, TOKEN_DAYS_MAX, TOKENS_MAX};

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
