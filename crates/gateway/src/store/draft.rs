//! What is handed to the ledger: an entry without its place.

use nameplate_core::evidence::DECODER;
use nameplate_core::ledger::{Body, Observed, Payload};
use nameplate_core::observation::Observation;
use nameplate_core::profile::Interpretation;

/// An entry that waits for its index.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// When it is recorded, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: u64,
    /// What happened.
    pub body: Body,
    /// Bytes that the body names by their SHA-256 and that stand apart from it.
    pub payloads: Vec<Payload>,
}

impl Draft {
    /// An entry without payloads.
    #[must_use]
    pub fn new(time_ns: u64, body: Body) -> Self {
        Self { time_ns, body, payloads: Vec::new() }
    }

    /// A reading with its bytes; the profile's text is kept beside them by its hash.
    #[must_use]
    pub fn observation(time_ns: u64, observation: Observation, said: Interpretation, profile: Option<(&str, &str)>) -> Self {
        let sha256 = profile.map(|(sha256, _)| sha256.to_owned());
        let (observed, mut payloads) = Observed::of(observation, said, sha256, DECODER);
        payloads.extend(profile.map(|(_, text)| Payload::of(text.as_bytes().to_vec())));
        Self { time_ns, body: Body::Observation(observed), payloads }
    }
}
