//! What a person may do, and the roles that bundle it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See devices, findings, baselines and changes.
    Read,
    /// Have listed devices read.
    Ask,
    /// Propose releases, open changes, take in lists and advisories, set facts by hand.
    Record,
    /// Approve what somebody else recorded.
    Approve,
    /// See who did what: the entries of the ledger, accounts and questions sent.
    Audit,
    /// Make accounts, give roles, hand out links.
    Administer,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Read, Self::Ask, Self::Record, Self::Approve, Self::Audit, Self::Administer];

    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ask => "ask",
            Self::Record => "record",
            Self::Approve => "approve",
            Self::Audit => "audit",
            Self::Administer => "administer",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of rights.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Right>", into = "Vec<Right>")]
pub struct Rights(u8);

impl Rights {
    /// These.
    #[must_use]
    pub const fn of(rights: &[Right]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < rights.len() {
            bits |= rights[at].bit();
            at += 1;
        }
        Self(bits)
    }

    /// Whether this right is among them.
    #[must_use]
    pub const fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    /// Those that both have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the other has all of these.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, in the order of [`Right::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.has(*right))
    }
}

impl From<Vec<Right>> for Rights {
    fn from(rights: Vec<Right>) -> Self {
        Self::of(&rights)
    }
}

impl From<Rights> for Vec<Right> {
    fn from(rights: Rights) -> Self {
        rights.iter().collect()
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(Right::name).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What an account is for. An account has one role, so nobody approves what he may record, and who makes accounts approves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Works on devices.
    Engineer,
    /// Agrees to what engineers propose.
    Approver,
    /// Looks at who did what.
    Auditor,
    /// Makes accounts.
    Administrator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Engineer, Self::Approver, Self::Auditor, Self::Administrator];

    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Engineer => "engineer",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    /// What it may do.
    #[must_use]
    pub const fn rights(self) -> Rights {
        match self {
            Self::Viewer => Rights::of(&[Right::Read]),
            Self::Engineer => Rights::of(&[Right::Read, Right::Ask, Right::Record]),
            Self::Approver => Rights::of(&[Right::Read, Right::Approve]),
            Self::Auditor => Rights::of(&[Right::Read, Right::Audit]),
            Self::Administrator => Rights::of(&[Right::Read, Right::Audit, Right::Administer]),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
