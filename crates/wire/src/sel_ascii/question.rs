//! What a relay is asked, line by line.

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// An empty line: the relay shows its prompt.
    Prompt,
    /// `ID`: what the relay is.
    Id,
    /// `STA`: the relay's status report, which some head with their serial number. Level 1.
    Status,
    /// `ACC`: level 1, for which the relay asks for a password.
    Login,
    /// The password.
    Password,
    /// `QUI`: back to level 0.
    Quit,
}

impl Question {
    /// Its name on the allowlist.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prompt => "sel-ascii.prompt",
            Self::Id => "sel-ascii.id",
            Self::Status => "sel-ascii.status",
            Self::Login => "sel-ascii.login",
            Self::Password => "sel-ascii.password",
            Self::Quit => "sel-ascii.quit",
        }
    }

    /// The line with its end; `password` stands in its own line only.
    #[must_use]
    pub fn encode(self, password: &[u8]) -> Vec<u8> {
        let word = match self {
            Self::Prompt => &b""[..],
            Self::Id => b"ID",
            Self::Status => b"STA",
            Self::Login => b"ACC",
            Self::Password => password,
            Self::Quit => b"QUI",
        };
        [word, b"\r"].concat()
    }
}
