//! A server of IEC 61850: Identify, its logical devices, the values of its name plates, and a breaker's control object that a *read* of `SBO`
//! selects (IEC 61850-8-1, 20.5; H16). RFC 1006 (TPKT), X.224 class 0 (COTP), ISO 8327-1, ISO 8823-1, ISO 8650-1, ISO 9506-2, X.690.

mod ber;
mod talk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A server of IEC 61850.
pub type Device = crate::device::Device<Persona>;

const PORT: u16 = 102;

/// A server as data.
#[derive(Clone, Debug)]
pub struct Persona {
    /// Identify: vendor, model, revision.
    pub identity: [Vec<u8>; 3],
    /// Logical devices by name, each with its values by name: `LPHD1$DC$PhyNam$vendor`.
    pub devices: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// Name of a control object that a read selects: select before operate with normal security.
    pub selected_by_read: String,
    /// How often that happened.
    pub selects: Arc<AtomicU32>,
    /// Transport, session and presentation selector that it is called by.
    pub selectors: [Vec<u8>; 3],
    /// An association without a password is rejected.
    pub wants_password: bool,
    /// Bytes of a message in one packet; a longer message comes in several.
    pub packet_bytes: usize,
    /// Its lists of names go on for ever.
    pub endless: bool,
}

impl Persona {
    /// A server with one logical device, the values of its device's plate (PhyNam), and those of its own (NamPlt).
    pub fn new<'a>(
        domain: &str,
        physical: impl IntoIterator<Item = (&'a str, Vec<u8>)>,
        logical: impl IntoIterator<Item = (&'a str, Vec<u8>)>,
    ) -> Self {
        let physical = physical.into_iter().map(|(name, value)| (format!("LPHD1$DC$PhyNam${name}"), value));
        let logical = logical.into_iter().map(|(name, value)| (format!("LLN0$DC$NamPlt${name}"), value));
        Self {
            identity: [b"Stack".to_vec(), b"MMS".to_vec(), b"1.0".to_vec()],
            devices: [(domain.to_owned(), physical.chain(logical).collect())].into(),
            selected_by_read: "CSWI1$CO$Pos$SBO".to_owned(),
            selects: Arc::default(),
            selectors: [vec![0, 1], vec![0, 1], vec![0, 0, 0, 1]],
            wants_password: false,
            packet_bytes: 1_024,
            endless: false,
        }
    }

    /// How often a read selected the control object.
    #[must_use]
    pub fn selected(&self) -> u32 {
        self.selects.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
