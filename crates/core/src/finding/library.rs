//! All documents, ready to be asked what they say of a device.

use std::collections::HashMap;
use std::rc::Rc;

use super::agree;
use super::document::{Document, Group};
use super::identity::{Found, Index, Step};
use super::installed::Installed;
use super::judging::{Judging, Named, is_identification};
use super::known::Known;
use super::stand::{Claim, Desk};
use super::weigh::{Weighed, weigh};
use super::why::Why;
use super::{Finding, Verdict};
use crate::advisory::{Advisory, ProductIndex};

/// Documents with their ranges read and their products searchable.
#[derive(Debug)]
pub struct Library {
    advisories: Vec<Advisory>,
    documents: Vec<Document>,
    index: Index,
    /// A number per vulnerability of each document: the same name, the same number.
    names: Vec<Vec<u32>>,
}

/// The fact by which ranges ask which vulnerability is meant.
const CVE: &str = "cve";

impl Library {
    /// Reads every range of these documents, once. Their order does not matter for any verdict.
    #[must_use]
    pub fn of(advisories: Vec<Advisory>) -> Self {
        let documents = advisories.iter().map(Document::of).collect();
        let index = Index::of(&advisories);
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut number = |name| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(name).or_insert(next)
        };
        let names =
            advisories.iter().map(|advisory| advisory.vulnerabilities.iter().map(|one| number(one.cve.as_str())).collect()).collect();
        Self { advisories, documents, index, names }
    }

    /// The documents, in the order in which they were given.
    #[must_use]
    pub fn advisories(&self) -> &[Advisory] {
        &self.advisories
    }

    /// What the documents say of a component: a finding for each document and vulnerability that names it, in the order of the documents.
    /// A vulnerability that no document ties to it has none: that is not "not affected".
    #[must_use]
    pub fn judge(&self, installed: &Installed) -> Vec<Finding<'_>> {
        self.judge_with(installed, |one| Rc::new(self.named(one)))
    }

    /// For many components: the same findings, faster.
    #[must_use]
    pub fn judging(&self) -> Judging<'_> {
        Judging::of(self)
    }

    /// The same with somebody who knows the products that a component may be.
    pub(super) fn judge_with<'a>(&'a self, installed: &Installed, mut named: impl FnMut(&Installed) -> Rc<Named<'a>>) -> Vec<Finding<'a>> {
        let mut findings = agree::among_claims(installed, |one| self.by_document(one, &named(one)));
        agree::among_documents(&mut findings, |finding| self.name(finding));
        findings
    }

    /// The number of the vulnerability's name.
    fn name(&self, finding: &Finding<'_>) -> u32 {
        self.names.get(finding.advisory).and_then(|names| names.get(finding.vulnerability)).copied().unwrap_or(u32::MAX)
    }

    /// What each document says by itself, of a component whose claims agree.
    fn by_document<'a>(&'a self, installed: &Installed, named: &Named<'a>) -> Vec<Finding<'a>> {
        let mut findings = Vec::new();
        let mut known = Known::of(installed);
        for hits in named.hits.chunk_by(|one, other| one.document == other.document) {
            let Some(advisory) = hits.first().map(|hit| hit.document) else { continue };
            self.of_document(advisory, hits, &mut known, &mut |group, weighed, _| findings.extend(found(advisory, group, weighed)));
        }
        for (advisory, ruled) in &named.ruled_out {
            let products: Vec<ProductIndex> = ruled.iter().map(|ruled| ruled.product).collect();
            findings.extend(self.documents.get(*advisory).into_iter().flat_map(|document| ruled_out(*advisory, document, &products)));
        }
        findings.sort_by_key(|finding| (finding.advisory, finding.vulnerability));
        findings.dedup_by_key(|finding| (finding.advisory, finding.vulnerability));
        findings
    }

    /// Which products a component is or may be.
    pub(super) fn named(&self, installed: &Installed) -> Named<'_> {
        let identified = installed.firmware_revision.as_deref().is_some_and(is_identification);
        let ruled_out = if identified { self.index.ruled_out(&self.advisories, installed) } else { Vec::new() };
        Named { hits: self.index.seek(installed), ruled_out }
    }

    /// Weighs one document, vulnerability by vulnerability; those of which it says the same at once.
    pub(super) fn of_document<'a>(
        &'a self,
        advisory: usize,
        hits: &[Found<'a>],
        known: &mut Known<'_>,
        found: &mut dyn FnMut(&'a Group, Weighed<'a>, &[Claim<'a>]),
    ) {
        let (Some(advisory), Some(document)) = (self.advisories.get(advisory), self.documents.get(advisory)) else { return };
        for hit in hits {
            if let Some(scheme) = document.nodes.get(hit.product as usize).and_then(|node| node.scheme) {
                known.read(scheme);
            }
        }
        let desk = Desk { advisory, document, hits, known };
        let (mut listed, mut claims) = (Vec::new(), Vec::new());
        for group in &document.groups {
            let of_it = group.vulnerabilities.first().filter(|_| group.asks_cve).and_then(|first| advisory.vulnerabilities.get(*first));
            let facts = of_it.map(|vulnerability| {
                let mut facts = known.facts().clone();
                facts.insert(CVE, vec![vulnerability.cve.clone()]);
                facts
            });
            desk.claims(group, facts.as_ref(), &mut listed, &mut claims);
            if let Some(weighed) = weigh(&claims, hits, known.installed.model.is_some()) {
                found(group, weighed, &claims);
            }
        }
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn document(&self, place: usize) -> Option<&Document> {
        self.documents.get(place)
    }
}

/// A finding for each vulnerability of the group.
fn found<'g, 'a: 'g>(advisory: usize, group: &'g Group, weighed: Weighed<'a>) -> impl Iterator<Item = Finding<'a>> + 'g {
    let Weighed { verdict, why, missing, step, .. } = weighed;
    group.vulnerabilities.iter().map(move |vulnerability| Finding {
        advisory,
        vulnerability: *vulnerability,
        verdict,
        step,
        why,
        missing: missing.clone(),
        beside: None,
    })
}

/// The document is about another family of the same maker: not affected, and it says why.
fn ruled_out<'a>(advisory: usize, document: &Document, products: &[ProductIndex]) -> Vec<Finding<'a>> {
    let names = |group: &&Group| products.iter().any(|product| group.statuses_of(*product).next().is_some());
    let vulnerabilities = document.groups.iter().filter(names).flat_map(|group| group.vulnerabilities.iter().copied());
    let finding = |vulnerability| Finding {
        advisory,
        vulnerability,
        verdict: Verdict::NotAffected,
        step: Some(Step::Title),
        why: Why::OtherFamily,
        missing: None,
        beside: None,
    };
    vulnerabilities.map(finding).collect()
}
