//! Which payloads an entry names.

use super::entry::Body;

impl Body {
    /// The SHA-256 of each payload that it names, in lower case hexadecimal, in the order in which it names them: of a reading its
    /// messages, then its profile's text; of advisories the documents, then the lists.
    #[must_use]
    pub fn payloads(&self) -> Vec<&str> {
        match self {
            Self::Observation(observed) => {
                observed.observation.messages.iter().chain(&observed.profile_sha256).map(String::as_str).collect()
            }
            Self::Advisories(delivery) => {
                let documents = delivery.documents.iter().map(|document| document.sha256.as_str());
                documents.chain(delivery.lists.iter().map(|list| list.sha256.as_str())).collect()
            }
            _ => Vec::new(),
        }
    }
}
