//! From the claims of one document to one verdict on one vulnerability.

use std::borrow::Cow;

use super::Verdict;
use super::identity::{Found, Step};
use super::stand::{Claim, Truth};
use super::why::Why;
use crate::advisory::ProductStatus;

/// A verdict with what decided.
#[derive(Clone, Debug)]
pub struct Weighed<'a> {
    pub verdict: Verdict,
    pub why: Why,
    /// The fact that would help most; absent where none would.
    pub missing: Option<Cow<'a, str>>,
    /// By what the deciding product was recognised.
    pub step: Option<Step>,
    /// The deciding claim, by its place.
    pub claim: usize,
}

/// What is missing where a model says less than the products' names.
const MODEL: &str = "model";

/// What a status says of a release that stands under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Affected,
    NotAffected,
    Open,
}

const fn side(status: Option<ProductStatus>) -> Side {
    match status {
        Some(ProductStatus::KnownAffected | ProductStatus::FirstAffected | ProductStatus::LastAffected) => Side::Affected,
        Some(ProductStatus::KnownNotAffected | ProductStatus::Fixed | ProductStatus::FirstFixed | ProductStatus::Recommended) => {
            Side::NotAffected
        }
        Some(ProductStatus::UnderInvestigation) | None => Side::Open,
    }
}

/// The claims on the scales.
struct Scales<'c, 'a> {
    claims: &'c [Claim<'a>],
    hits: &'c [Found<'a>],
    /// The component says a model.
    says_model: bool,
}

/// Weighs the claims of one vulnerability; `None` where there are none.
///
/// Affected: a product that surely is the device takes its release in. Not affected: every product that is or may be the device surely
/// leaves it out. A document that says both contradicts itself. All else is indeterminate.
pub fn weigh<'a>(claims: &[Claim<'a>], hits: &[Found<'a>], says_model: bool) -> Option<Weighed<'a>> {
    if claims.is_empty() {
        return None;
    }
    let scales = Scales { claims, hits, says_model };
    let affected = scales.best(Side::Affected, true, &[Truth::Yes]);
    let excluded = scales.best(Side::NotAffected, true, &[Truth::Yes]);
    if let Some(claim) = affected {
        // A product without a version slot is the product; a release that is named beside it is an exception.
        let precise = scales.claims.get(claim).is_some_and(|claim| claim.stand.why != Why::EveryRelease);
        return match excluded {
            Some(_) if precise => Some(scales.says(Verdict::Contradiction, claim, Why::Clash)),
            Some(excluded) => Some(scales.unless_open(excluded, Why::Listed)),
            None => Some(scales.own(Verdict::Affected, claim)),
        };
    }
    if let Some(claim) = scales.best(Side::Affected, true, &[Truth::Contradicts]) {
        return Some(scales.own(Verdict::Contradiction, claim));
    }
    if let Some(claim) = scales.best(Side::Affected, true, &[Truth::Unknown]) {
        return Some(scales.own(Verdict::Indeterminate, claim));
    }
    if let Some(claim) = scales.best(Side::Affected, false, &[Truth::Yes, Truth::Contradicts, Truth::Unknown]) {
        return Some(scales.perhaps(claim));
    }
    if let Some(claim) = scales.best(Side::Open, false, &[Truth::Yes, Truth::Unknown]) {
        let why = if scales.claims.get(claim).is_some_and(|claim| claim.status.is_none()) { Why::NoStatus } else { Why::Investigated };
        return Some(scales.says(Verdict::Indeterminate, claim, why));
    }
    if let Some(claim) = excluded {
        return Some(scales.says(Verdict::NotAffected, claim, Why::Listed));
    }
    match scales.best(Side::Affected, false, &[Truth::No]) {
        Some(claim) => Some(scales.left_out(claim)),
        None => {
            let claim = scales.best(Side::NotAffected, false, &[Truth::Yes, Truth::Unknown]).unwrap_or(0);
            Some(scales.says(Verdict::Indeterminate, claim, if scales.is_sure(claim) { Why::Unlisted } else { Why::Identity }))
        }
    }
}

impl<'a> Scales<'_, 'a> {
    fn is_sure(&self, claim: usize) -> bool {
        self.hit(claim).is_some_and(|hit| hit.missing.is_none())
    }

    fn hit(&self, claim: usize) -> Option<&Found<'a>> {
        self.hits.get(self.claims.get(claim)?.hit)
    }

    /// The best claim of a side with one of these truths: the surest first, then the best step, then the one that is surest of what is
    /// missing. The order of products does not count but among equals.
    fn best(&self, wanted: Side, sure: bool, truths: &[Truth]) -> Option<usize> {
        let own = self.claims.iter().enumerate().filter(|(place, claim)| {
            side(claim.status) == wanted && truths.contains(&claim.stand.truth) && (!sure || self.is_sure(*place))
        });
        let best = own.min_by_key(|(place, claim)| {
            let missing = claim.stand.missing.as_deref();
            let unread = claim.stand.truth == Truth::Unknown && missing.is_none();
            let line = matches!(claim.stand.why, Why::NewerLine | Why::OtherLine);
            (!self.is_sure(*place), unread, line, self.hit(*place).map(|hit| hit.step), missing)
        });
        best.map(|(place, _)| place)
    }

    fn says(&self, verdict: Verdict, claim: usize, why: Why) -> Weighed<'a> {
        let missing = match verdict {
            Verdict::Indeterminate => self.missing(claim),
            _ => None,
        };
        Weighed { verdict, why, missing, step: self.hit(claim).map(|hit| hit.step), claim }
    }

    fn own(&self, verdict: Verdict, claim: usize) -> Weighed<'a> {
        let why = self.claims.get(claim).map_or(Why::Identity, |claim| claim.stand.why);
        self.says(verdict, claim, why)
    }

    fn missing(&self, claim: usize) -> Option<Cow<'a, str>> {
        let of_identity = self.hit(claim).and_then(|hit| hit.missing).map(Cow::Borrowed);
        of_identity.or_else(|| self.claims.get(claim)?.stand.missing.clone())
    }

    /// Not affected because the document says so, unless another product of it leaves that open.
    fn unless_open(&self, excluded: usize, why: Why) -> Weighed<'a> {
        let open = self.claims.iter().position(|claim| {
            let stand = &claim.stand;
            match side(claim.status) {
                Side::Affected => stand.truth == Truth::Unknown || (stand.truth == Truth::Yes && stand.why != Why::EveryRelease),
                Side::Open => stand.truth != Truth::No,
                Side::NotAffected => false,
            }
        });
        match open {
            Some(claim) => self.own(Verdict::Indeterminate, claim),
            None => self.says(Verdict::NotAffected, excluded, why),
        }
    }

    /// No product is surely the device and takes it in, but one may be: affected only where all that it may be agree.
    fn perhaps(&self, claim: usize) -> Weighed<'a> {
        let affected = || self.claims.iter().filter(|claim| side(claim.status) == Side::Affected);
        let agree = affected().all(|claim| claim.stand.truth == Truth::Yes);
        let opposed = self.claims.iter().any(|claim| side(claim.status) != Side::Affected && claim.stand.truth != Truth::No);
        if agree && !opposed {
            return self.says(Verdict::Affected, claim, Why::AllAgree);
        }
        let unknown = self.claims.get(claim).is_some_and(|claim| claim.stand.truth == Truth::Unknown);
        if unknown { self.own(Verdict::Indeterminate, claim) } else { self.says(Verdict::Indeterminate, claim, Why::Identity) }
    }

    /// All products leave the release out. Where each is of another line, only a newer line than all of them is surely left out.
    fn left_out(&self, claim: usize) -> Weighed<'a> {
        let affected = || self.claims.iter().filter(|claim| side(claim.status) == Side::Affected);
        let of_line = |claim: &Claim<'_>| matches!(claim.stand.why, Why::NewerLine | Why::OtherLine);
        let newer = affected().all(|claim| claim.stand.why == Why::NewerLine);
        if affected().all(of_line) && !newer {
            return self.says(Verdict::Indeterminate, claim, Why::NoLine);
        }
        // Where no product surely is the device, one more fact could show that the document does not name it: nothing is cleared by what
        // is not known. A model that says less than the products' names is known: whichever it means, the release is left out.
        let of_model = |missing| missing == MODEL && self.says_model;
        let unsure = |claim: &Claim<'_>| self.hits.get(claim.hit).and_then(|hit| hit.missing).is_some_and(|missing| !of_model(missing));
        if affected().all(unsure) {
            return self.says(Verdict::Indeterminate, claim, Why::Identity);
        }
        self.own(Verdict::NotAffected, claim)
    }
}
