//! What is left as it is, for a reason and a time: waived, mitigated by other means, or deferred. It never changes a verdict; it stands
//! beside it, and so does its end.

use serde::{Deserialize, Serialize};

use super::approval::{ASSETS_MAX, need, texts, two};
use super::{Baselines, Invalid};
use crate::catalog::Asset;
use crate::observation::rfc3339;

/// What is done instead of patching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExemptionKind {
    /// The risk is accepted.
    Waiver,
    /// Something else keeps it small: a rule of a firewall, a service switched off.
    Mitigation,
    /// It will be patched, and not now; at its end it is looked at again.
    Deferral,
}

impl ExemptionKind {
    /// What was done, as it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiver => "waived",
            Self::Mitigation => "mitigated",
            Self::Deferral => "deferred",
        }
    }
}

/// An exemption, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// What is done instead. Its key is not `kind`: that one says what an entry of the ledger is.
    #[serde(rename = "exemption")]
    pub kind: ExemptionKind,
    /// For these assets, by their ids; for every asset with the finding where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    /// For this vulnerability or document (`CVE-2024-1234`, `ICSA-24-095-02`); for the conformance to the baseline where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// It ends, or is reviewed, then, in nanoseconds since 1970, that one included.
    pub until_ns: u64,
    /// Who decided.
    pub by: String,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Why; of a mitigation, what it is.
    pub reason: String,
}

/// An exemption as it stands to one asset at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exempted {
    /// The entry's index in the ledger.
    pub entry: u64,
    /// The exemption.
    pub exemption: Exemption,
    /// True where its time is over: what it excused is open again.
    pub has_ended: bool,
}

impl Exempted {
    /// In words: `waived until 2027-03-01T00:00:00.000000Z by Ada: reason`.
    #[must_use]
    pub fn shown(&self) -> String {
        let Exemption { kind, until_ns, by, reason, .. } = &self.exemption;
        let (until, kind) = (rfc3339(*until_ns), kind.name());
        match self.has_ended {
            false => format!("{kind} until {until} by {by}: {reason}"),
            true => format!("no longer {kind}: that ended {until} ({by}: {reason})"),
        }
    }
}

impl Exemption {
    /// Whether it may be recorded.
    ///
    /// # Errors
    /// The first rule that it breaks, as a sentence.
    pub fn check(&self) -> Result<(), Invalid> {
        texts([&self.by, &self.reason].into_iter().chain(&self.second).chain(&self.finding))?;
        need(!self.assets.is_empty() || self.finding.is_some(), "name an asset, a finding, or both")?;
        need(self.assets.len() <= ASSETS_MAX, "more than 10,000 assets are listed; name the finding alone")?;
        two(&self.by, self.second.as_deref())
    }

    fn is_about(&self, ids: &[&str], findings: &[&str]) -> bool {
        let finding = match &self.finding {
            None => findings.is_empty(),
            Some(named) => findings.iter().any(|finding| finding.trim().eq_ignore_ascii_case(named.trim())),
        };
        finding && (self.assets.is_empty() || self.assets.iter().any(|id| ids.contains(&id.as_str())))
    }
}

impl Baselines {
    /// What is left as it is of an asset's conformance. The exemption recorded last counts.
    #[must_use]
    pub fn exempted(&self, asset: &Asset, now_ns: u64) -> Option<Exempted> {
        let ids: Vec<&str> = [&asset.id].into_iter().chain(&asset.was).map(String::as_str).collect();
        self.last(&ids, &[], now_ns)
    }

    /// What is left as it is of a finding, by the names that it goes by: its CVE, its document's id. `asset` is the asset's id.
    #[must_use]
    pub fn exempted_finding(&self, asset: &str, names: &[&str], now_ns: u64) -> Option<Exempted> {
        self.last(&[asset], names, now_ns)
    }

    fn last(&self, ids: &[&str], findings: &[&str], now_ns: u64) -> Option<Exempted> {
        let (entry, exemption) = self.exempted.iter().rfind(|(_, exemption)| exemption.is_about(ids, findings))?;
        Some(Exempted { entry: *entry, exemption: exemption.clone(), has_ended: exemption.until_ns < now_ns })
    }

    /// Every exemption of a finding of an asset with its entry and when it was recorded, in nanoseconds since 1970, in their order.
    pub fn exemptions_of(&self, asset: &str, names: &[&str]) -> impl Iterator<Item = (u64, u64, &Exemption)> {
        let all = self.exempted.iter().zip(&self.exempted_ns);
        all.filter(|((_, one), _)| one.is_about(&[asset], names)).map(|((entry, one), time_ns)| (*entry, *time_ns, one))
    }

    /// Every exemption with its entry, in the order in which they were recorded.
    pub fn exemptions(&self) -> impl Iterator<Item = &(u64, Exemption)> {
        self.exempted.iter()
    }
}
