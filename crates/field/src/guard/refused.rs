//! The guard's own error family: what was about to happen, and which rule forbade it.

use std::{fmt, io};

use super::Endpoint;
use crate::touch::Hush;

/// Bytes of a message that are held until it is whole, and kept for the record where it is refused: no question on the allowlist is longer. The longest
/// are OPC UA's: a Read of 16 nodes with long names. Three times as many letters fit into a line of the touch record.
pub const REFUSED_BYTES_MAX: usize = 3_000;

/// The rule that keeps a process that was told to end from beginning anything: who was refused by it alone has not had his reading.
pub const ENDING: &str = "ending";

/// Something that was not allowed to happen, and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The question's name on the allowlist, where the guard had recognised one (`modbus.identification.regular`).
    pub question: Option<&'static str>,
    /// The rule's short id; it never changes its meaning (`modbus.unit`, `modbus.function`, `budget.requests`, `pipelining`).
    pub rule: &'static str,
    /// Offset of the byte that broke the rule, from the start of the message; `None` where no single byte is to blame.
    pub at: Option<usize>,
    /// What was about to leave, at most [`REFUSED_BYTES_MAX`] bytes; empty where it never came to bytes.
    pub bytes: Vec<u8>,
    /// One clause for a person.
    pub why: String,
}

impl Refused {
    /// A refusal that no message caused: a permit or a destination.
    pub(crate) fn before_any_byte(rule: &'static str, why: impl Into<String>) -> Self {
        Self { question: None, rule, at: None, bytes: Vec::new(), why: why.into() }
    }

    /// Nothing is begun now.
    pub(crate) fn quiet(why: &Hush) -> Self {
        let rule = match why {
            Hush::Switch(_) => "quiet",
            Hush::Ending => ENDING,
        };
        Self::before_any_byte(rule, why.to_string())
    }

    /// The refusal inside an IO error that came out of a [`super::Guarded`] stream, if it is one.
    #[must_use]
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused by our guard, rule {}", self.rule)?;
        if let Some(at) = self.at {
            write!(f, ", byte {at}")?;
        }
        write!(f, ": {}", self.why)?;
        if let Some(question) = self.question {
            write!(f, " (question {question})")?;
        }
        if !self.bytes.is_empty() {
            write!(f, " [{}]", hex(&self.bytes))?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, refused)
    }
}

/// Why an exchange with a device stopped: our guard said no, or the operating system or the device did.
#[derive(Debug)]
pub enum Failed {
    /// The guard refused; nothing of the refused message left.
    Refused(Refused),
    /// The connection failed.
    Io {
        /// What we were doing: `connect`, `write`, `read`, `close`.
        operation: &'static str,
        /// With whom.
        peer: Endpoint,
        /// What the system said.
        source: io::Error,
    },
}

impl Failed {
    /// Sorts an error that came out of a guarded stream into its family.
    #[must_use]
    pub fn of(operation: &'static str, peer: Endpoint, source: io::Error) -> Self {
        match Refused::within(&source) {
            Some(refused) => Self::Refused(refused.clone()),
            None => Self::Io { operation, peer, source },
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Io { operation, peer, source } => write!(f, "{operation} {peer}: {source}"),
        }
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(refused) => Some(refused),
            Self::Io { source, .. } => Some(source),
        }
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Bytes as lower-case hex pairs with a space between, as people read them aloud.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
