//! An OPC UA server on a channel without security: OPC 10000-6, 5.2 (fields), 6.7 and 7.1 (chunks); OPC 10000-4, 5.5 to 5.11 (services); OPC
//! 10000-100 (DI). Numbers of types and nodes: the foundation's NodeIds.csv. It has few sessions (H12), counts those that stand over all its
//! connections, and trips on whatever read-only.md does not list.

mod talk;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An OPC UA server.
pub type Device = crate::device::Device<Persona>;

/// A server as data.
#[derive(Clone, Debug)]
pub struct Persona {
    /// Its application: URI, product URI, name.
    pub application: [String; 3],
    /// BuildInfo: product name, product URI, manufacturer, software version, build number.
    pub build: [String; 5],
    /// Devices of DI's DeviceSet: each a name, and its properties by name. Without any, DI is none of its namespaces.
    pub devices: Vec<(String, Vec<(String, String)>)>,
    /// Sessions that it has, over all connections; more are refused (BadTooManySessions).
    pub sessions_max: usize,
    /// Milliseconds for which it keeps a session that nobody closed, whatever was asked for; what was asked for where there is none.
    pub keeps_ms: Option<f64>,
    /// Sessions that stand.
    pub sessions: Arc<AtomicUsize>,
}

impl Persona {
    /// A server with four sessions and without devices.
    #[must_use]
    pub fn new(application: [String; 3], build: [String; 5]) -> Self {
        Self { application, build, devices: Vec::new(), sessions_max: 4, keeps_ms: None, sessions: Arc::default() }
    }

    /// Sessions that stand, forgotten ones among them.
    #[must_use]
    pub fn standing(&self) -> usize {
        self.sessions.load(Ordering::SeqCst)
    }

    /// The value of a property, by the number of its node: devices are 1000, 2000 and so on, their properties the numbers behind.
    fn property(&self, node: u32) -> Option<&str> {
        let (device, property) = (node / 1_000, node % 1_000);
        let (_, properties) = self.devices.get(usize::try_from(device).ok()?.checked_sub(1)?)?;
        properties.get(usize::try_from(property).ok()?.checked_sub(1)?).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests;
