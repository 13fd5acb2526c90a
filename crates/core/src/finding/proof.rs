//! Why a verdict is what it is, in full: what of the document met what of the device, and every comparison that was made.

use super::identity::{Found, Step};
use super::installed::Installed;
use super::known::Known;
use super::library::Library;
use super::offer::squeezed;
use super::stand::{Claim, Truth};
use super::why::Why;
use super::{Finding, Verdict};
use crate::advisory::{Advisory, Product, ProductIndex, ProductStatus, Release, Remediation, Vulnerability};

/// A verdict with all that led to it, in words. Texts of the document and of the device stand as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The document's publisher.
    pub publisher: String,
    /// The document's id.
    pub advisory: String,
    /// The document's revision.
    pub revision: String,
    /// SHA-256 of the document's bytes, lower case hexadecimal.
    pub document_sha256: String,
    /// The vulnerability's name.
    pub cve: String,
    /// The verdict.
    pub verdict: Verdict,
    /// By what the deciding product was recognised.
    pub identity: Option<Step>,
    /// All facts that are missing, without repetition, the one that would help most first.
    pub missing: Vec<String>,
    /// The ranges of the deciding products, as written.
    pub range: String,
    /// The reason as a sentence.
    pub reason: String,
    /// What the document offers for the deciding product, as written.
    pub remediation: Option<String>,
    /// True where that is a fix: called one, or a text that offers releases. "No fix is available" is an offer of none.
    pub offers_fix: bool,
    /// Every product that was considered.
    pub products: Vec<Considered>,
    /// The passages that contradict each other, or the other document.
    pub passages: Vec<String>,
    /// What a reader has to know beside it.
    pub remarks: Vec<&'static str>,
}

/// A product of the document, and how the device stands to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// Its id in the document.
    pub product_id: String,
    /// Its name, as written.
    pub name: String,
    /// Its version slot, as written; empty where it has none.
    pub release: String,
    /// Under which status of this vulnerability it stands; `no_status` where the document says nothing of it.
    pub status: &'static str,
    /// By what it was recognised.
    pub step: Step,
    /// The evidence in words.
    pub because: String,
    /// What is missing to be sure that it is the device.
    pub identity_missing: Option<&'static str>,
    /// The release line of its name, as written.
    pub line: Option<String>,
    /// What else its name demands, as written.
    pub demands: Vec<String>,
    /// The scheme that read its versions.
    pub scheme: &'static str,
    /// How its version slot was understood.
    pub parsed: String,
    /// The installed release, as read: each with its normal form where it was understood to its end.
    pub installed: Vec<(String, Option<String>)>,
    /// `inside`, `outside`, `undecided`, `contradiction`.
    pub answer: &'static str,
    /// Why.
    pub why: &'static str,
    /// The fact that is missing.
    pub missing: Option<String>,
    /// True where it decided the verdict.
    pub decides: bool,
}

/// In the place of a status.
const NO_STATUS: &str = "no_status";

const INITIAL_VERSION: &str =
    "this document is the first version of the vendor's own, which wins; look there for later releases and products";

impl Library {
    /// The proof of a finding that [`Library::judge`] made of this component; `None` where it is of another library.
    #[must_use]
    pub fn proof(&self, installed: &Installed, finding: &Finding<'_>) -> Option<Proof> {
        let advisory = self.advisories().get(finding.advisory)?;
        let vulnerability = advisory.vulnerabilities.get(finding.vulnerability)?;
        let own: Vec<Found<'_>> = self.index().seek(installed).into_iter().filter(|hit| hit.document == finding.advisory).collect();
        let mut known = Known::of(installed);
        let (mut claims, mut decided) = (Vec::new(), None);
        self.of_document(finding.advisory, &own, &mut known, &mut |group, weighed, weighty| {
            if group.vulnerabilities.contains(&finding.vulnerability) {
                claims = weighty.to_vec();
                decided = Some(weighed.claim);
            }
        });
        let deciding = decided.and_then(|claim| claims.get(claim));
        let decisive: Vec<usize> = claims.iter().enumerate().filter(|(_, claim)| is_decisive(claim, deciding)).map(|(at, _)| at).collect();
        let desk = Desk { library: self, finding, advisory, vulnerability, hits: &own, known: &known };
        let mut products: Vec<Considered> = claims.iter().filter_map(|claim| desk.considered(claim)).collect();
        for (place, product) in products.iter_mut().enumerate() {
            product.decides = decisive.contains(&place);
        }
        if finding.why == Why::OtherFamily {
            products = desk.ruled_out(installed);
        }
        let mut ranges: Vec<&str> =
            products.iter().filter(|one| one.decides && !one.release.is_empty()).map(|one| one.release.as_str()).collect();
        ranges.dedup();
        let remarks = advisory.initial_version_only.then_some(INITIAL_VERSION);
        let remediation = deciding.and_then(|claim| desk.remediation(claim));
        Some(Proof {
            publisher: advisory.publisher.clone(),
            advisory: advisory.id.clone(),
            revision: advisory.revision.clone(),
            document_sha256: advisory.sha256.clone(),
            cve: vulnerability.cve.clone(),
            verdict: finding.verdict,
            identity: finding.step,
            missing: missing(finding, &claims, &own),
            range: ranges.join(" ; "),
            reason: desk.reason(&products),
            remediation: remediation.map(|(fix, _)| fix.details.clone()),
            offers_fix: remediation.is_some_and(|(_, is_fix)| is_fix),
            passages: desk.passages(&products, deciding),
            products,
            remarks: remarks.into_iter().collect(),
        })
    }
}

/// A claim that says what the deciding one says.
fn is_decisive(claim: &Claim<'_>, deciding: Option<&Claim<'_>>) -> bool {
    deciding.is_some_and(|deciding| {
        let alike = claim.stand.truth == deciding.stand.truth && claim.stand.why == deciding.stand.why;
        claim.hit == deciding.hit || (alike && claim.status == deciding.status)
    })
}

/// The missing facts, the finding's own first.
fn missing(finding: &Finding<'_>, claims: &[Claim<'_>], hits: &[Found<'_>]) -> Vec<String> {
    let mut missing: Vec<String> = finding.missing.iter().map(ToString::to_string).collect();
    if finding.verdict == Verdict::Indeterminate {
        for claim in claims.iter().filter(|claim| claim.stand.truth != Truth::No) {
            let identity = hits.get(claim.hit).and_then(|hit| hit.missing).map(str::to_owned);
            missing.extend(identity.into_iter().chain(claim.stand.missing.as_deref().map(str::to_owned)));
        }
        let mut seen = Vec::new();
        missing.retain(|fact| {
            !seen.contains(fact) && {
                seen.push(fact.clone());
                true
            }
        });
    }
    missing
}

/// What a proof is written from.
struct Desk<'a, 'k> {
    library: &'a Library,
    finding: &'k Finding<'k>,
    advisory: &'a Advisory,
    vulnerability: &'a Vulnerability,
    hits: &'k [Found<'a>],
    known: &'k Known<'k>,
}

impl Desk<'_, '_> {
    fn considered(&self, claim: &Claim<'_>) -> Option<Considered> {
        let hit = self.hits.get(claim.hit)?;
        let product = self.advisory.products.get(hit.product as usize)?;
        let node = self.library.document(self.finding.advisory)?.nodes.get(hit.product as usize)?;
        let versions = node.scheme.and_then(|scheme| self.known.versions(scheme));
        let read = versions.into_iter().flat_map(|known| known.firmware.iter().chain(&known.software));
        let parsed = if hit.said.release_is_model {
            "every release of this model".to_owned()
        } else {
            node.range.as_ref().map_or("every release".to_owned(), |range| range.parsed())
        };
        Some(Considered {
            product_id: product.id.clone(),
            name: if product.relationship.is_some() { product.full_name.clone() } else { product.name.clone() },
            release: written(&product.release).to_owned(),
            status: claim.status.map_or(NO_STATUS, status),
            step: hit.step,
            because: hit.because(self.known.installed),
            identity_missing: hit.missing,
            line: hit.said.line.clone(),
            demands: hit.conditions().map(str::to_owned).collect(),
            scheme: node.scheme.map_or("", |scheme| scheme.name.as_str()),
            parsed,
            installed: read.map(|version| (version.text().to_owned(), version.normal())).collect(),
            answer: match claim.stand.truth {
                Truth::Yes => "inside",
                Truth::No => "outside",
                Truth::Unknown => "undecided",
                Truth::Contradicts => "contradiction",
            },
            why: claim.stand.why.sentence(),
            missing: claim.stand.missing.as_deref().map(str::to_owned),
            decides: false,
        })
    }

    /// The products of a document about another family.
    fn ruled_out(&self, installed: &Installed) -> Vec<Considered> {
        let all = self.library.index().ruled_out(self.library.advisories(), installed);
        let own = all.into_iter().filter(|(place, _)| *place == self.finding.advisory).flat_map(|(_, ruled)| ruled);
        let shown = own.filter_map(|ruled| {
            let product = self.advisory.products.get(ruled.product as usize)?;
            Some(Considered {
                product_id: product.id.clone(),
                name: product.name.clone(),
                release: written(&product.release).to_owned(),
                status: "",
                step: Step::Title,
                because: ruled.because,
                identity_missing: None,
                line: None,
                demands: Vec::new(),
                scheme: "",
                parsed: String::new(),
                installed: Vec::new(),
                answer: "outside",
                why: Why::OtherFamily.sentence(),
                missing: None,
                decides: true,
            })
        });
        shown.collect()
    }

    fn reason(&self, products: &[Considered]) -> String {
        let why = self.finding.why.sentence();
        let subject = products.iter().find(|product| product.decides).map(|product| {
            let installed: Vec<&str> = product.installed.iter().map(|(text, _)| text.trim()).collect();
            let installed = if installed.is_empty() { "no known release".to_owned() } else { installed.join(" and ") };
            match self.finding.why {
                Why::OtherFamily => format!("{}: ", product.because),
                _ if product.release.is_empty() => format!("{} ({installed}): ", product.name.trim()),
                _ => format!("{} ({installed}; {}): ", product.name.trim(), product.release.trim()),
            }
        });
        let beside = self.finding.beside.and_then(|place| self.library.advisories().get(place));
        let beside = beside.map_or_else(String::new, |other| format!(" ({} {})", other.publisher, other.id));
        let remark = if self.advisory.initial_version_only { "; the vendor's own document wins over this first version of it" } else { "" };
        let flag = self.justification(products).map_or_else(String::new, |label| format!(", justified by {label}"));
        format!("{}{why}{flag}{beside}{remark}", subject.unwrap_or_default())
    }

    /// Why the document says that the deciding product is not affected: the label of a flag (CSAF 2.0, 3.2.3.5), as written.
    fn justification(&self, products: &[Considered]) -> Option<&str> {
        let decides = |product: &ProductIndex| {
            let id = self.advisory.products.get(*product as usize).map(|product| product.id.as_str());
            products.iter().any(|one| one.decides && Some(one.product_id.as_str()) == id)
        };
        let is_its = |products: &[ProductIndex]| products.is_empty() || products.iter().any(decides);
        let flags = self.vulnerability.flags.iter().filter(|_| self.finding.why == Why::Listed);
        flags.clone().find(|(_, products)| is_its(products)).map(|(label, _)| label.as_str())
    }

    /// The remediation that decided; else the best that is about this product. With whether it is a fix.
    fn remediation(&self, claim: &Claim<'_>) -> Option<(&Remediation, bool)> {
        let all = &self.vulnerability.remediations;
        let hit = self.hits.get(claim.hit)?;
        let own = self.advisory.products.get(hit.product as usize)?;
        let decided = claim.stand.remediation.and_then(|place| all.get(place));
        let group = self
            .library
            .document(self.finding.advisory)?
            .groups
            .iter()
            .find(|group| group.vulnerabilities.contains(&self.finding.vulnerability))?;
        let node = self.library.document(self.finding.advisory)?.nodes.get(hit.product as usize)?;
        let offers = node.scheme.map_or(&[][..], |scheme| group.offers(self.advisory, hit.product, scheme));
        let offered = || offers.iter().max_by_key(|offer| offer.vendor_fix).and_then(|offer| all.get(offer.remediation));
        let rank = |fix: &&Remediation| match fix.category.as_str() {
            "vendor_fix" => 0,
            "no_fix_planned" | "none_available" => 1,
            "workaround" | "mitigation" => 2,
            _ => 3,
        };
        let for_it =
            all.iter().filter(|fix| (fix.products.is_empty() || fix.products.contains(&hit.product)) && !self.is_of_another(fix, own));
        let offer = decided.or_else(offered).map(|fix| (fix, true));
        offer.or_else(|| for_it.min_by_key(rank).map(|fix| (fix, fix.category == "vendor_fix")))
    }

    /// True where the text names another product of the document, and not this one.
    fn is_of_another(&self, fix: &Remediation, own: &Product) -> bool {
        let text = squeezed(&fix.details);
        let named = |product: &Product| {
            let name = squeezed(&product.name);
            !name.is_empty() && text.contains(&name)
        };
        !named(own) && self.advisory.products.iter().any(named)
    }

    /// What contradicts each other: products with their statuses, and the remediation.
    fn passages(&self, products: &[Considered], deciding: Option<&Claim<'_>>) -> Vec<String> {
        let mut passages = Vec::new();
        if self.finding.verdict == Verdict::Contradiction {
            let opposed = |product: &&Considered| product.decides || matches!(self.finding.why, Why::BoundNamed | Why::Clash);
            let shown = products.iter().filter(opposed);
            passages.extend(
                shown.map(|product| format!("{} \"{}\" {}: {}", product.product_id, product.name, product.release, product.status)),
            );
            let fix = deciding.and_then(|claim| claim.stand.remediation).and_then(|place| self.vulnerability.remediations.get(place));
            passages.extend(fix.map(|fix| format!("{}: {}", fix.category, fix.details)));
        }
        let beside = self.finding.beside.and_then(|place| self.library.advisories().get(place));
        passages.extend(beside.map(|other| format!("{} {} (sha256 {})", other.publisher, other.id, other.sha256)));
        passages
    }
}

fn written(release: &Release) -> &str {
    match release {
        Release::Every => "",
        Release::Version(text) | Release::Range(text) => text,
    }
}

const fn status(status: ProductStatus) -> &'static str {
    match status {
        ProductStatus::FirstAffected => "first_affected",
        ProductStatus::FirstFixed => "first_fixed",
        ProductStatus::Fixed => "fixed",
        ProductStatus::KnownAffected => "known_affected",
        ProductStatus::KnownNotAffected => "known_not_affected",
        ProductStatus::LastAffected => "last_affected",
        ProductStatus::Recommended => "recommended",
        ProductStatus::UnderInvestigation => "under_investigation",
    }
}
