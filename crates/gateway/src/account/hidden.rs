//! What somebody typed that opens something.

use std::fmt;

use serde::Deserialize;

/// A password on its way from a form to its hash. However it is written into a text, it says `(secret)`.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Itself, for what hashes or compares it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_said_by_no_format() {
        let password: Hidden = serde_json::from_str("\"correct horse\"").expect("a text");
        assert_eq!(
            (format!("{password} {password:?} {password:#?}").as_str(), password.text()),
            ("(secret) (secret) (secret)", "correct horse")
        );
    }
}
