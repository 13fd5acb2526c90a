//! From what an advisory offers to a proposal: the release that its fix names, with the text letter by letter. Nobody has approved it.

use std::sync::LazyLock;

use regex::Regex;

use super::approval::{Approval, Invalid, Origin, OriginKind, ProductLine, fix_inside};
use super::ranged::scheme;
use super::{Decision, Proposed};
use crate::advisory::{Advisory, Product, Release, Remediation};
use crate::version::Version;

/// The one category of CSAF 2.0, 3.2.3.12.1 that offers a release.
const VENDOR_FIX: &str = "vendor_fix";

/// `Update to V2.5 SP1 or later version`: the release behind the words that people use.
static FIX: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let begins = r"(?i)\b(?:updat|upgrad|migrat)\w*\b[^.;\n]{0,80}?\bto\b";
    let words = r"(?:\s+(?:the|a|an|new|latest|firmware|software|product|version|release|ver\.?))*";
    // A test reads it: it cannot fail where it passed that.
    Regex::new(&format!(r"{begins}{words}\s+((?:[VR]\s?)?\d[\w.()-]*(?:\s+(?:SP|HF|Update|Upd|Patch)\s?\d+)*)")).ok()
});

/// A release that a document offers as a fix, as a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What would be approved: `by` is who proposes it.
    pub approval: Approval,
}

impl Candidate {
    /// Of a remediation for a product. `line` is the product line as the owner's baselines name it (the asset's profile), where it is
    /// known; else it is the document's vendor and product name. `None` where the remediation is no fix, or names no release or several.
    ///
    /// # Errors
    /// The fix lies inside the range that the document calls affected: a sentence with both.
    pub fn of(
        remediation: &Remediation,
        product: &Product,
        advisory: &Advisory,
        line: Option<ProductLine>,
        by: &str,
    ) -> Result<Option<Self>, Invalid> {
        if remediation.category != VENDOR_FIX {
            return Ok(None);
        }
        let own =
            || ProductLine { manufacturer: Some(product.vendor.clone()), model: Some(product.name.clone()), ..ProductLine::default() };
        let line = line.unwrap_or_else(own);
        let Some(release) = release(&line, &remediation.details) else { return Ok(None) };
        let affected: Vec<String> = match &product.release {
            Release::Every => Vec::new(),
            Release::Version(text) | Release::Range(text) => vec![text.clone()],
        };
        let document = &advisory.id;
        if let Some(range) = fix_inside(&line, &release, &affected) {
            return Err(Invalid(format!(
                "{document}: the fix {release:?} ({:?}) lies inside the range {range:?} that the document calls affected",
                remediation.details
            )));
        }
        let origin = Origin {
            kind: OriginKind::Remediation,
            document: document.clone(),
            sha256: Some(advisory.sha256.clone()).filter(|sha256| !sha256.is_empty()),
            text: Some(remediation.details.clone()),
            affected,
        };
        let approval = Approval::of(Decision::Approved, line, &release, by, &format!("the fix that {document} names"));
        Ok(Some(Self { approval: Approval { origin: Some(origin), ..approval } }))
    }

    /// As it goes into the ledger: proposed, not approved.
    #[must_use]
    pub fn proposed(self) -> Proposed {
        Proposed::Release(self.approval)
    }
}

/// The one release that a text tells people to go to, read to its end.
fn release(line: &ProductLine, text: &str) -> Option<String> {
    let scheme = scheme(line)?;
    let mut found: Vec<&str> = Vec::new();
    for captures in FIX.as_ref()?.captures_iter(text) {
        let named = captures.get(1)?;
        if goes_on(text.get(named.end()..).unwrap_or_default()) {
            return None;
        }
        let release = named.as_str().trim_end_matches(['.', ',', ')', '-']);
        if !found.contains(&release) {
            found.push(release);
        }
    }
    let [one] = found[..] else { return None };
    Version::read(scheme, one).is_whole().then(|| one.to_owned())
}

/// True where another release follows: "v4.10.111, v5.00.171, or v6.00.204" has one for each line, and which is whose is not said.
fn goes_on(rest: &str) -> bool {
    let rest = rest.trim_start_matches([',', ';', '/', '&', ' ']);
    let rest = ["or ", "and "].iter().find_map(|join| rest.strip_prefix(join)).unwrap_or(rest).trim_start();
    let bare = rest.trim_start_matches(['v', 'V', 'r', 'R']);
    bare.starts_with(|c: char| c.is_ascii_digit()) && rest.len() <= bare.len().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(details: &str, affected: &str) -> Result<Option<Candidate>, Invalid> {
        let remediation = Remediation { category: VENDOR_FIX.into(), details: details.into(), url: None, restart: None, products: vec![0] };
        let release = if affected.is_empty() { Release::Every } else { Release::Range(affected.into()) };
        let product = Product { vendor: "Siemens".into(), name: "SCALANCE X-200".into(), release, ..Product::default() };
        let advisory = Advisory { id: "SSA-1".into(), sha256: "ab".repeat(32), ..Advisory::default() };
        Candidate::of(&remediation, &product, &advisory, None, "Ada")
    }

    #[test]
    fn a_fix_becomes_a_proposal_with_its_text() {
        for (details, affected, release) in [
            ("Update to V5.2.5 or later version", "< V5.2.5", Some("V5.2.5")),
            ("Update the firmware to version 4.1.2.", "", Some("4.1.2")),
            ("Upgrade affected devices to firmware V4.5 SP1 HF2 or later", "", Some("V4.5 SP1 HF2")),
            ("Users are recommended to update to V3.1 (see link), or upgrade to V3.1", "", Some("V3.1")),
            ("Update to V3.1 or upgrade to V4.0", "", None),
            ("Users should update to version v4.10.111, v5.00.171, or v6.00.204 or later.", "", None),
            ("Update to V4.7 or V5.1", "", None),
            ("Update to V4.7, or a later version", "", Some("V4.7")),
            ("Disable the web server", "", None),
            ("Currently no fix is planned", "", None),
        ] {
            let candidate = offered(details, affected).unwrap();
            assert_eq!(candidate.as_ref().map(|c| c.approval.release.as_str()), release, "{details}");
            let Some(Candidate { approval }) = candidate else { continue };
            assert_eq!(approval.check(), Ok(()), "{approval:?}");
            let origin = approval.origin.clone().unwrap();
            assert_eq!((origin.document.as_str(), origin.text.as_deref()), ("SSA-1", Some(details)));
            assert!(Candidate { approval }.proposed().check().is_ok());
        }
    }

    #[test]
    fn a_fix_inside_what_is_affected_is_a_contradiction_that_names_both() {
        let why = offered("Update to V5.2.5 or later version", "<= V5.2.5").unwrap_err().to_string();
        for part in ["SSA-1", "\"V5.2.5\"", "\"<= V5.2.5\"", "Update to V5.2.5 or later version"] {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
}
