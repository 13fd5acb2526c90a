//! Release lines in the names of products: whether a release is of one, and of two products that differ in nothing else the one that decides.

use std::borrow::Cow;

use super::document::Line;
use super::offer::squeezed;
use super::stand::{Claim, Desk, FIRMWARE, Stand, Truth};
use super::why::Why;
use crate::advisory::ProductStatus;
use crate::range::{self, Facts};
use crate::version::{Standing, Version};

/// Whether a version is of the line that the product's name names.
pub fn on_line<'a>(line: &'a Line, version: Option<&Version>) -> Stand<'a> {
    let Some(version) = version else { return Stand::lacking(Why::LineOpen, Cow::Borrowed(FIRMWARE)) };
    match line {
        Line::Of(line) => {
            let standing = version.standing(line);
            if standing.only(Standing::EQUAL) || line.is_continued_by(version) {
                Stand::new(Truth::Yes, Why::Range(range::Why::Compared))
            } else if version.is_continued_by(line) {
                Stand::new(Truth::Unknown, Why::LineOpen)
            } else if standing.only(Standing::AFTER) {
                Stand::new(Truth::No, Why::NewerLine)
            } else if standing.only(Standing::BEFORE) {
                Stand::new(Truth::No, Why::OtherLine)
            } else {
                Stand::new(Truth::Unknown, Why::LineOpen)
            }
        }
        Line::Range(range) => {
            // "V4.5 and prior" means the releases of V4.5 too, not only the first of them.
            if range.upper_ends().any(|end| end.takes_equal() && end.version.is_continued_by(version)) {
                return Stand::new(Truth::Yes, Why::Range(range::Why::Compared));
            }
            let newer =
                range.upper_ends().next().is_some_and(|end| version.standing(&end.version).only(Standing::EQUAL.or(Standing::AFTER)));
            match range.answer(Some(version), &Facts::default()).verdict {
                range::Verdict::Inside => Stand::new(Truth::Yes, Why::Range(range::Why::Compared)),
                range::Verdict::Outside => Stand::new(Truth::No, if newer { Why::NewerLine } else { Why::OtherLine }),
                range::Verdict::Undecided => Stand::new(Truth::Unknown, Why::LineOpen),
            }
        }
    }
}

/// Takes out what a sibling says better: of "Mendix 8 (V8.6)" and "Mendix 8" the first decides for V8.6.9, of "G130 V5.1 SP1" and
/// "G130 V5.1" the first for V5.1 SP1 HF4. Only where it decides, is the device at least as surely, and differs in nothing else.
pub fn narrowed<'a>(desk: &Desk<'a, '_>, claims: &mut Vec<Claim<'a>>) {
    let bears_line = |claim: &Claim<'a>| desk.hits.get(claim.hit).is_some_and(|hit| hit.said.line.is_some());
    if claims.len() < 2 || !claims.iter().any(bears_line) {
        return;
    }
    let narrow: Vec<Lined<'a>> = claims.iter().filter(|claim| bears_line(claim)).filter_map(|claim| decided(desk, claim)).collect();
    if narrow.is_empty() {
        return;
    }
    claims.retain(|claim| lined(desk, claim).is_none_or(|wider| !narrow.iter().any(|own| own.is_narrower(&wider))));
}

/// A product that is affected, with the line of its name.
struct Lined<'a> {
    /// Its maker and its name without the line.
    name: &'a str,
    line: Option<&'a Line>,
    /// It surely is the device.
    sure: bool,
}

/// A product that decides for the line that its name names: the device's one release is of it.
fn decided<'a>(desk: &Desk<'a, '_>, claim: &Claim<'a>) -> Option<Lined<'a>> {
    if !matches!(claim.stand.truth, Truth::Yes | Truth::No) || matches!(claim.stand.why, Why::OtherLine | Why::NewerLine) {
        return None;
    }
    let lined = lined(desk, claim)?;
    let node = desk.document.nodes.get(desk.hits.get(claim.hit)?.product as usize)?;
    let known = desk.known.versions(node.scheme?)?;
    let version = match (known.firmware.as_ref(), known.software.as_ref()) {
        (Some(version), None) | (None, Some(version)) => version,
        _ => return None,
    };
    let line = lined.line.filter(|line| matches!(line, Line::Of(_)))?;
    (on_line(line, Some(version)).truth == Truth::Yes).then_some(lined)
}

/// `None` where the product may not be held against others: another status, or a line that stands in its range.
fn lined<'a>(desk: &Desk<'a, '_>, claim: &Claim<'a>) -> Option<Lined<'a>> {
    let hit = desk.hits.get(claim.hit).filter(|_| claim.status == Some(ProductStatus::KnownAffected))?;
    let node = desk.document.nodes.get(hit.product as usize).filter(|node| !node.line_in_range)?;
    let product = desk.advisory.products.get(hit.product as usize)?;
    let name = || {
        let lineless = hit.said.line.as_deref().map_or_else(|| hit.said.name.clone(), |line| hit.said.name.replacen(line, " ", 1));
        squeezed(&product.vendor) + "/" + &squeezed(&lineless)
    };
    let line = hit.said.line.as_deref().and_then(|text| node.line_of(text));
    Some(Lined { name: node.lineless.get_or_init(name), line, sure: hit.missing.is_none() })
}

impl Lined<'_> {
    /// True where the other differs in its line alone, and that takes in this one's and more.
    fn is_narrower(&self, other: &Self) -> bool {
        let within = match (self.line, other.line) {
            (Some(Line::Of(_)), None | Some(Line::Range(_))) => true,
            (Some(Line::Of(own)), Some(Line::Of(wider))) => wider.is_continued_by(own) && !own.is_continued_by(wider),
            _ => false,
        };
        within && (self.sure || !other.sure) && self.name == other.name
    }
}
