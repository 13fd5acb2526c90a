//! Which entries of the ledger belong to a subject: an asset with all that was asked and said, or a change with all it rests on.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use crate::change::Change;
use crate::ledger::{Body, Entry, Observed};
use crate::view::View;

/// A fold over the whole log that keeps the indices of one subject's entries. See docs/evidence.md, section 7.
#[derive(Debug)]
pub struct Selection {
    subject: String,
    view: View,
    /// Who answers at an address and port, and behind it as which Modbus unit or DNP3 link address: the subject, or somebody else.
    own: HashMap<(IpAddr, u16, Option<u16>), bool>,
    entries: BTreeSet<u64>,
    /// Entries in which somebody else was only seen: he may turn out to be the subject.
    seen: HashMap<String, Vec<u64>>,
}

/// What a line of the touch record says about whom it touched, and why.
#[derive(Deserialize)]
struct Touched {
    /// `192.0.2.1:502`, `udp:192.0.2.1:161`.
    target: Option<String>,
    station: Option<String>,
    /// The station, as lines had it when Modbus alone was asked.
    unit: Option<u16>,
    protocol: Option<String>,
    reason: Option<String>,
}

impl Selection {
    /// Starts before entry 0. `subject` is an asset's whole id, or a work order.
    #[must_use]
    pub fn new(subject: &str) -> Self {
        Self { subject: subject.to_owned(), view: View::default(), own: HashMap::new(), entries: BTreeSet::new(), seen: HashMap::new() }
    }

    /// Takes the next entry. Entries come in the order of their indices, each once.
    pub fn take(&mut self, entry: &Entry) {
        let belongs = match &entry.body {
            Body::Key { .. } => entry.index == 0,
            // Whose signature stands under the bundle.
            Body::KeyChange { .. } => true,
            Body::Observation(observed) => self.observation(observed, entry.index),
            Body::Touch { line } => self.touched(line),
            Body::Import(_) => {
                let before = self.view.catalog.asset(&self.subject).cloned();
                self.view.apply(entry);
                before.as_ref() != self.view.catalog.asset(&self.subject)
            }
            Body::Hand(hand) => {
                self.view.apply(entry);
                hand.act.assets().any(|id| id == self.subject)
            }
            Body::Patches(report) => report.statements.iter().any(|statement| statement.asset == self.subject),
            // Who was seen at a device is no proof of what it is; nor is who may look at it, nor what came on a stick.
            Body::Happening(_) | Body::Account(_) | Body::Update(_) => false,
            Body::Advisories(_) | Body::Approval(_) | Body::Baseline(_) | Body::Change(_) | Body::Evaluation(_) | Body::Evidence { .. } => {
                self.view.apply(entry);
                false
            }
        };
        if belongs {
            self.entries.insert(entry.index);
        }
    }

    /// The indices, rising; `None` where the log knows neither such an asset nor such a change.
    #[must_use]
    pub fn indices(mut self) -> Option<Vec<u64>> {
        self.view.settle();
        let own: Vec<u64> = self.view.catalog.entries_of(&self.subject).collect();
        self.entries.extend(own);
        let asset = self.view.catalog.asset(&self.subject).filter(|asset| asset.id == self.subject);
        let was = asset.into_iter().flat_map(|asset| &asset.was).filter_map(|id| self.seen.get(id));
        self.entries.extend(was.flatten());
        let order = self.view.changes.get(&self.subject);
        if asset.is_none() && order.is_none() {
            return None;
        }
        // What was decided about the device; of a work order, about the devices that were to change.
        let scope = order.iter().flat_map(|change| &change.plan.scope).filter_map(|place| self.view.catalog.asset(&place.asset));
        for asset in asset.into_iter().chain(scope) {
            let about = self.view.baselines.decided().filter(|decided| decided.is_about(asset));
            self.entries.extend(about.flat_map(|decided| decided.proposal.into_iter().chain([decided.index])));
        }
        if let Some(asset) = asset {
            let own = |id: &String| *id == asset.id || asset.was.contains(id);
            let exempted = self.view.baselines.exemptions().filter(|(_, one)| one.assets.iter().any(own));
            self.entries.extend(exempted.map(|(entry, _)| *entry));
        }
        let holds = |change: &&Change| change.plan.places().any(|place| place.asset == self.subject);
        for change in self.view.changes.iter().filter(holds).chain(order) {
            self.entries.extend(change.rests_on());
            if let Some(closed) = &change.closed {
                self.entries.extend(closed.rests_on.iter().chain([&closed.index]));
            }
        }
        Some(self.entries.into_iter().collect())
    }

    fn observation(&mut self, observed: &Observed, index: u64) -> bool {
        let id = self.view.catalog.take_entry(&observed.observation, &observed.interpretation, Some(index));
        let own = id == self.subject;
        if !own && observed.observation.messages.is_empty() {
            self.seen.entry(id).or_default().push(index);
        }
        let address = &observed.observation.address;
        if let (Some(ip), Some(port)) = (address.ip, address.port) {
            let behind = address.unit.map(u16::from).or(address.link);
            let place = self.own.entry((ip.to_canonical(), port, behind)).or_default();
            // Modules of a chassis answer at one address, and a line about it is about all of them.
            *place = own || (*place && address.path.is_some());
        }
        own
    }

    /// A line about an address while the subject answers there, or for the work order that is the subject.
    fn touched(&self, line: &str) -> bool {
        let Ok(touched) = serde_json::from_str::<Touched>(line) else { return false };
        touched.reason.as_ref() == Some(&self.subject) || self.is_own(&touched) == Some(true)
    }

    /// Whether the subject answers where this touched.
    fn is_own(&self, touched: &Touched) -> Option<bool> {
        let target = touched.target.as_deref()?;
        let target: SocketAddr = target.strip_prefix("udp:").unwrap_or(target).parse().ok()?;
        let place = |behind| self.own.get(&(target.ip().to_canonical(), target.port(), behind)).copied();
        let station = touched.unit.or_else(|| touched.station.as_deref()?.parse().ok());
        // Behind one address of these two stand many devices; of the others the address is one, whatever its station says.
        let many = matches!(touched.protocol.as_deref(), None | Some("modbus" | "modbus-rtu" | "dnp3"));
        station.and_then(|station| place(Some(station))).or_else(|| if many && station.is_some() { None } else { place(None) })
    }
}
