//! The protocols that are asked, each by its adapter.

use nameplate_wire::conversation::Protocol;

use super::Planned;
use crate::dialogue::Dialogue;
use crate::guard::{Grant, Refused};
use crate::pacing::{Pace, TimeFactor};
use crate::{bacnet, modbus};

/// A protocol as one device is to be asked in it. What it grants, plans and says must agree: the guard refuses what does not.
pub trait Adapter {
    /// The decoder that hears both sides.
    fn protocol(&self) -> &'static Protocol;

    /// What the guard is to let out.
    ///
    /// # Errors
    /// [`Refused`] where the questions are wider than the allowlist.
    fn grant(&self) -> Result<Grant, Refused>;

    /// One connection's conversation.
    fn dialogue(&self) -> Box<dyn Dialogue>;

    /// What it would put, for `--dry-run`.
    fn plan(&self) -> Vec<Planned>;

    /// How gently; slower than usual where the protocol needs it.
    fn pace(&self, factor: TimeFactor) -> Pace {
        Pace::new(factor)
    }
}

/// In which protocol, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// BACnet/IP.
    Bacnet(bacnet::Questions),
    /// Modbus TCP.
    Modbus(modbus::Questions),
}

impl Via {
    /// Its adapter.
    #[must_use]
    pub fn adapter(&self) -> &dyn Adapter {
        match self {
            Self::Bacnet(questions) => questions,
            Self::Modbus(questions) => questions,
        }
    }
}
