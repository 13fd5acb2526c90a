//! The vulnerabilities: what is said of which products, and what is offered.

use std::collections::HashSet;

use super::Unread;
use super::shape::{self, Cvss, List, Name, Number};
use super::tolerance::{Kind, Tolerances};
use super::tree::{Products, listed};
use crate::advisory::{ProductIndex, Remediation, Score, Status, Vulnerability};

/// Vulnerabilities of one document: the corpus' longest has 157.
pub const VULNERABILITIES_MAX: usize = 10_000;
/// Products under all statuses, remediations, scores and flags of one document, groups written out: 16 MB of them. A file within its limit
/// cannot name more one by one; with groups it could.
const REFERENCES_MAX: usize = 4_000_000;

/// Reads the statements of one document.
pub struct Statements<'a, 't> {
    /// Its products.
    pub products: &'t Products<'a>,
    /// Its tolerances.
    pub tolerances: &'t mut Tolerances,
    /// References that were resolved so far.
    pub references: usize,
}

/// Which products a statement is about.
enum About {
    /// It does not say.
    All,
    /// It says, and none of them is known.
    Nothing,
    /// These, each once, in the order of the document.
    These(Vec<ProductIndex>),
}

impl Statements<'_, '_> {
    /// All of them.
    ///
    /// # Errors
    /// More than a cap allows.
    pub fn read(&mut self, list: &[shape::Vulnerability<'_>]) -> Result<Vec<Vulnerability>, Unread> {
        if list.len() > VULNERABILITIES_MAX {
            return Err(Unread::at("/vulnerabilities".to_owned(), format!("more than {VULNERABILITIES_MAX} vulnerabilities")));
        }
        let mut cves = HashSet::new();
        let mut read = Vec::with_capacity(list.len());
        for (at, one) in list.iter().enumerate() {
            let path = format!("/vulnerabilities/{at}");
            if one.cve.as_ref().is_some_and(|cve| !cves.insert(&*cve.0)) {
                self.tolerances.add(Kind::CveTwice, || format!("{path}/cve"));
            }
            read.push(self.vulnerability(one, at, &path)?);
        }
        Ok(read)
    }

    fn vulnerability(&mut self, one: &shape::Vulnerability<'_>, at: usize, path: &str) -> Result<Vulnerability, Unread> {
        let mut read = Vulnerability {
            cve: self.name(one, at, path),
            title: one.title.as_ref().map(|title| self.tolerances.text(&title.0, || format!("{path}/title"))).unwrap_or_default(),
            cwe: one.cwe.as_ref().map(|cwe| cwe.id.0.to_string()),
            ..Vulnerability::default()
        };
        self.statuses(one, &mut read, path)?;
        for (nth, remediation) in listed(one.remediations.as_ref()).iter().enumerate() {
            self.remediation(remediation, &mut read, &format!("{path}/remediations/{nth}"))?;
        }
        for (nth, score) in listed(one.scores.as_ref()).iter().enumerate() {
            self.score(score, &mut read, &format!("{path}/scores/{nth}"))?;
        }
        for (nth, flag) in listed(one.flags.as_ref()).iter().enumerate() {
            let about = self.about(flag.product_ids.as_ref(), flag.group_ids.as_ref(), "product_ids", &format!("{path}/flags/{nth}"))?;
            read.flags.extend(about.products().map(|products| (flag.label.0.to_string(), products)));
        }
        Ok(read)
    }

    fn name(&mut self, one: &shape::Vulnerability<'_>, at: usize, path: &str) -> String {
        if let Some(cve) = &one.cve {
            return cve.0.to_string();
        }
        let ids = listed(one.ids.as_ref());
        if ids.len() > 1 {
            self.tolerances.add(Kind::FurtherIds, || format!("{path}/ids"));
        }
        ids.first().map(|id| id.text.0.to_string()).unwrap_or_else(|| {
            self.tolerances.add(Kind::NoCve, || path.to_owned());
            let place = format!("vulnerability {}", at.saturating_add(1));
            one.title.as_ref().map(|title| title.0.to_string()).filter(|title| !title.is_empty()).unwrap_or(place)
        })
    }

    fn statuses(&mut self, one: &shape::Vulnerability<'_>, read: &mut Vulnerability, path: &str) -> Result<(), Unread> {
        let statuses = one.product_status.as_ref().map(|statuses| statuses.0.as_slice()).unwrap_or_default();
        if statuses.is_empty() {
            self.tolerances.add(Kind::NoStatus, || path.to_owned());
        }
        for (status, products) in statuses {
            let path = || format!("{path}/product_status/{}", status.0);
            let Some(known) = status_named(&status.0) else {
                self.tolerances.add(Kind::UnknownStatus, path);
                continue;
            };
            let mut found = Vec::with_capacity(products.0.len());
            self.resolve(products, &mut found, path)?;
            self.once(&mut found, path);
            if !found.is_empty() {
                read.statuses.push((known, found));
            }
        }
        Ok(())
    }

    fn remediation(&mut self, one: &shape::Remediation<'_>, read: &mut Vulnerability, path: &str) -> Result<(), Unread> {
        if one.entitlements.is_some() {
            self.tolerances.add(Kind::EntitlementsNotRead, || format!("{path}/entitlements"));
        }
        let about = self.about(one.product_ids.as_ref(), one.group_ids.as_ref(), "product_ids", path)?;
        let details = one.details.as_ref().map(|text| self.tolerances.text(&text.0, || format!("{path}/details")));
        read.remediations.extend(about.products().map(|products| Remediation {
            category: one.category.0.to_string(),
            details: details.unwrap_or_default(),
            url: one.url.as_ref().map(|url| url.0.to_string()),
            restart: one.restart_required.as_ref().map(|restart| restart.category.0.to_string()),
            products,
        }));
        Ok(())
    }

    fn score(&mut self, one: &shape::Score<'_>, read: &mut Vulnerability, path: &str) -> Result<(), Unread> {
        if one.cvss_v4.is_some() {
            self.tolerances.add(Kind::CvssFour, || format!("{path}/cvss_v4"));
        }
        let Some(products) = self.about(one.products.as_ref(), None, "products", path)?.products() else { return Ok(()) };
        let all = [("cvss_v2", &one.cvss_v2), ("cvss_v3", &one.cvss_v3), ("cvss_v4", &one.cvss_v4)];
        for (version, cvss) in all.into_iter().filter_map(|(version, cvss)| cvss.as_ref().map(|cvss| (version, cvss))) {
            let base = self.base(cvss, || format!("{path}/{version}"));
            let vector = cvss.vector.as_ref().map(|vector| vector.0.to_string());
            if vector.is_none() || base.is_none() {
                self.tolerances.add(Kind::NoScore, || format!("{path}/{version}"));
            }
            let (vector, base) = (vector.unwrap_or_default(), base.unwrap_or_default());
            read.scores.push(Score { vector, base, products: products.clone() });
        }
        Ok(())
    }

    /// The base score as text, with the one decimal that CVSS has.
    fn base(&mut self, cvss: &Cvss<'_>, path: impl Fn() -> String) -> Option<String> {
        match cvss.base.as_ref()? {
            Number::Number(number) => {
                let one = format!("{number:.1}");
                Some(if one.parse() == Ok(*number) { one } else { number.to_string() })
            }
            Number::Text(text) => {
                self.tolerances.add(Kind::NumberAsText, || path() + "/baseScore");
                Some(text.0.to_string())
            }
        }
    }

    /// The products of a statement: those that it names, and those of the groups that it names.
    fn about(
        &mut self,
        ids: Option<&List<Name<'_>>>,
        groups: Option<&List<Name<'_>>>,
        ids_named: &str,
        path: &str,
    ) -> Result<About, Unread> {
        if listed(ids).is_empty() && listed(groups).is_empty() {
            self.tolerances.add(Kind::NoProducts, || path.to_owned());
            return Ok(About::All);
        }
        let mut found = Vec::with_capacity(listed(ids).len());
        if let Some(ids) = ids {
            self.resolve(ids, &mut found, || format!("{path}/{ids_named}"))?;
            self.once(&mut found, || format!("{path}/{ids_named}"));
        }
        for (nth, group) in listed(groups).iter().enumerate() {
            let Some(members) = self.products.members(&group.0) else {
                self.tolerances.add(Kind::UnknownGroup, || format!("{path}/group_ids/{nth}"));
                continue;
            };
            self.count(members.len(), || path.to_owned())?;
            found.extend_from_slice(members);
        }
        if listed(groups).is_empty() { /* each once already */
        } else {
            let mut seen = HashSet::with_capacity(found.len());
            found.retain(|product| seen.insert(*product));
        }
        if found.is_empty() {
            self.tolerances.add(Kind::OnlyUnknownProducts, || path.to_owned());
            return Ok(About::Nothing);
        }
        Ok(About::These(found))
    }

    fn resolve(&mut self, ids: &List<Name<'_>>, found: &mut Vec<ProductIndex>, path: impl Fn() -> String) -> Result<(), Unread> {
        self.count(ids.0.len(), &path)?;
        for (nth, id) in ids.0.iter().enumerate() {
            match self.products.find(&id.0) {
                Some(product) => found.push(product),
                None => self.tolerances.add(Kind::UnknownProduct, || format!("{}/{nth}", path())),
            }
        }
        Ok(())
    }

    fn count(&mut self, more: usize, path: impl Fn() -> String) -> Result<(), Unread> {
        self.references = self.references.saturating_add(more);
        if self.references > REFERENCES_MAX {
            return Err(Unread::at(path(), format!("products are named more than {REFERENCES_MAX} times")));
        }
        Ok(())
    }

    /// Each product once; says so where one stood there twice.
    fn once(&mut self, found: &mut Vec<ProductIndex>, path: impl Fn() -> String) {
        // As nearly all publishers write them: in rising order.
        if found.windows(2).all(|pair| pair[0] < pair[1]) {
            return;
        }
        let (before, mut seen) = (found.len(), HashSet::with_capacity(found.len()));
        found.retain(|product| seen.insert(*product));
        if found.len() < before {
            self.tolerances.add(Kind::ProductTwice, path);
        }
    }
}

impl About {
    /// As [`Remediation::products`] has them; `None` where the statement is about nothing that is known.
    fn products(self) -> Option<Vec<ProductIndex>> {
        match self {
            Self::All => Some(Vec::new()),
            Self::Nothing => None,
            Self::These(products) => Some(products),
        }
    }
}

/// CSAF 2.0, 3.2.3.9.
pub fn status_named(name: &str) -> Option<Status> {
    Some(match name {
        "first_affected" => Status::FirstAffected,
        "first_fixed" => Status::FirstFixed,
        "fixed" => Status::Fixed,
        "known_affected" => Status::KnownAffected,
        "known_not_affected" => Status::KnownNotAffected,
        "last_affected" => Status::LastAffected,
        "recommended" => Status::Recommended,
        "under_investigation" => Status::UnderInvestigation,
        _ => return None,
    })
}
