//! How a component stands to one product of a document, under one status of one vulnerability.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::document::{Document, Group, Node};
use super::identity::Found;
use super::known::Known;
use super::narrow::{self, on_line};
use super::offer::{self, Against, Offer};
use super::why::Why;
use crate::advisory::{Advisory, ProductStatus};
use crate::range::{self, Facts, Limit, Range, Truth as Within, per_line};
use crate::version::{Scheme, Standing, Version};

/// The fact that ranges call the version.
pub const FIRMWARE: &str = "firmware_revision";

/// Products of one document that are one device and are held against each other, pair by pair; a document
/// with thousands would cost minutes.
const PRODUCTS_MAX: usize = 1024;

/// What is asked of ranges that ask for nothing.
static NO_FACTS: LazyLock<Facts> = LazyLock::new(Facts::default);

/// Whether the product, as this document releases it, is what is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    Yes,
    No,
    Unknown,
    /// It is, and another passage of the document says that it is not.
    Contradicts,
}

/// A truth with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand<'a> {
    pub truth: Truth,
    pub why: Why,
    /// The fact that is missing.
    pub missing: Option<Cow<'a, str>>,
    /// The remediation that decided, by its place.
    pub remediation: Option<usize>,
}

impl<'a> Stand<'a> {
    pub const fn new(truth: Truth, why: Why) -> Self {
        Self { truth, why, missing: None, remediation: None }
    }

    pub const fn lacking(why: Why, missing: Cow<'a, str>) -> Self {
        Self { truth: Truth::Unknown, why, missing: Some(missing), remediation: None }
    }
}

/// A product that is or may be the component, under one of its statuses.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// Its place among the hits.
    pub hit: usize,
    /// `None`: the document names it, and says nothing of it.
    pub status: Option<ProductStatus>,
    pub stand: Stand<'a>,
}

/// One document and what is weighed there.
pub struct Desk<'a, 'k> {
    pub advisory: &'a Advisory,
    pub document: &'a Document,
    pub hits: &'k [Found<'a>],
    pub known: &'k Known<'k>,
}

impl<'a> Desk<'a, '_> {
    /// The claims of a vulnerability's group, with `facts` of its own where it has them. `listed` and `claims` are filled anew.
    pub fn claims(&self, group: &'a Group, facts: Option<&Facts>, listed: &mut Vec<(usize, ProductStatus)>, claims: &mut Vec<Claim<'a>>) {
        listed.clear();
        claims.clear();
        for (place, hit) in self.hits.iter().enumerate() {
            listed.extend(group.statuses_of(hit.product).map(|status| (place, status)));
        }
        let stand = |&(hit, status): &(usize, ProductStatus)| {
            Some(Claim { hit, status: Some(status), stand: self.stand(group, listed, hit, status, facts)? })
        };
        claims.extend(listed.iter().filter_map(stand));
        narrow::narrowed(self, claims);
        claims.extend(self.silent().map(|hit| Claim { hit, status: None, stand: Stand::new(Truth::Unknown, Why::NoStatus) }));
        // What is said of another part is not said of this one, as long as something is.
        let of_another = |claim: &Claim<'_>| matches!(claim.stand.why, Why::OtherPart | Why::Range(range::Why::OtherComponent));
        if claims.iter().any(of_another) && self.known.is_some_part() && !claims.iter().all(of_another) {
            claims.retain(|claim| !of_another(claim));
        }
    }

    /// Products that surely are the component and of which the document says nothing, where it says nothing of the component by
    /// another name either.
    fn silent(&self) -> impl Iterator<Item = usize> {
        let speaks = |hit: &Found<'a>| hit.missing.is_none() && self.node(hit).is_some_and(|node| !node.silent);
        let looked_for = self.document.has_silent && !self.hits.iter().any(speaks);
        let sure = |hit: &Found<'a>| hit.missing.is_none() && self.node(hit).is_some_and(|node| node.silent);
        self.hits.iter().enumerate().filter(move |(_, hit)| looked_for && sure(hit)).map(|(place, _)| place)
    }

    /// What is known, where somebody asks.
    fn facts<'f>(&'f self, own: Option<&'f Facts>) -> &'f Facts {
        own.unwrap_or_else(|| self.known.facts())
    }

    fn node(&self, hit: &Found<'a>) -> Option<&'a Node> {
        self.document.nodes.get(hit.product as usize)
    }

    fn stand(
        &self,
        group: &'a Group,
        listed: &[(usize, ProductStatus)],
        hit: usize,
        status: ProductStatus,
        facts: Option<&Facts>,
    ) -> Option<Stand<'a>> {
        let hit = self.hits.get(hit)?;
        let node = self.node(hit)?;
        if listed.len() > PRODUCTS_MAX {
            return Some(Stand::new(Truth::Unknown, Why::TooMany));
        }
        let is_other = |part: &&str| !self.known.is_part(part) && !self.is_whichever(hit, node, status);
        if let Some(part) = hit.said.part.as_deref().filter(is_other) {
            return Some(Stand::lacking(Why::OtherPart, Cow::Owned(part.to_lowercase())));
        }
        let demanded = self.demands(hit, facts);
        if demanded.as_ref().is_some_and(|stand| stand.truth == Truth::No) {
            return demanded;
        }
        let of = |version: Option<&Version>| self.with_version(group, listed, (hit, node, status), version, facts);
        let versions = node.scheme.and_then(|scheme| self.known.versions(scheme));
        let (firmware, software) = versions.map_or((None, None), |known| (known.firmware.as_ref(), known.software.as_ref()));
        let stand = match (firmware, software) {
            (Some(firmware), Some(software)) => either(of(Some(firmware)), of(Some(software))),
            (version, other) => of(version.or(other)),
        };
        Some(match demanded {
            Some(demanded) if stand.truth != Truth::No => demanded,
            _ => stand,
        })
    }

    /// True where it makes no difference which release of the component is in the device, or whether it is in it at all: it is part of it by
    /// default, or nothing is affected either way.
    fn is_whichever(&self, hit: &Found<'a>, node: &Node, status: ProductStatus) -> bool {
        let product = self.advisory.products.get(hit.product as usize);
        let Some(of) = product.and_then(|product| product.relationship.as_ref()) else { return false };
        let every = || node.range.as_ref().is_none_or(|range| range.answer(None, &NO_FACTS).why == range::Why::EveryVersion);
        (of.category == "default_component_of" || status == ProductStatus::KnownNotAffected) && every()
    }

    /// What the product's name demands beside the model; `None` where all of it holds.
    fn demands(&self, hit: &Found<'a>, facts: Option<&Facts>) -> Option<Stand<'a>> {
        let mut open = None;
        for demand in hit.conditions() {
            let facts = self.facts(facts);
            let name = range::fact_name(demand);
            let said = facts.get(&name).and_then(|known| known.first()).map(|known| known.trim().to_ascii_lowercase());
            match said.as_deref() {
                Some("yes" | "true" | "1") => continue,
                Some("no" | "false" | "0") => return Some(Stand::new(Truth::No, Why::DemandFails)),
                _ => {}
            }
            let range = Range::read(Scheme::named("plain")?, demand);
            let answer = range.answer(None, facts);
            match answer.verdict {
                range::Verdict::Inside => {}
                range::Verdict::Outside => return Some(Stand::new(Truth::No, Why::DemandFails)),
                range::Verdict::Undecided => {
                    let known = range.is_whole() && answer.why != range::Why::NoVersion;
                    let missing = answer.missing.filter(|_| known).map_or(name, str::to_owned);
                    open = open.or(Some(Stand::lacking(Why::Demand, Cow::Owned(missing))));
                }
            }
        }
        open
    }

    fn with_version(
        &self,
        group: &'a Group,
        listed: &[(usize, ProductStatus)],
        (hit, node, status): (&Found<'a>, &'a Node, ProductStatus),
        version: Option<&Version>,
        facts: Option<&Facts>,
    ) -> Stand<'a> {
        let line = hit.said.line.as_deref().filter(|_| !node.line_in_range).and_then(|text| node.line_of(text));
        let of_line = line.map(|line| on_line(line, version));
        let span = group.spans.iter().find(|(product, _)| *product == hit.product && is_edge(status)).map(|(_, range)| range);
        let range = span.or(node.range.as_ref()).filter(|_| !hit.said.release_is_model);
        if let Some(stand) = of_line.as_ref().filter(|stand| stand.truth == Truth::No) {
            // Where the range itself goes on beyond the line and takes this release in, the name counts something else.
            let takes_in = |range: &Range| {
                let answer = range.answer(version, self.facts(facts));
                answer.verdict == range::Verdict::Inside && answer.why != range::Why::EveryVersion
            };
            let is_of_another =
                || self.known.line().is_some_and(|own| hit.said.line.as_deref().is_some_and(|line| !line.eq_ignore_ascii_case(own)));
            if stand.why != Why::NewerLine || !range.is_some_and(takes_in) || is_of_another() {
                return stand.clone();
            }
        }
        let siblings = Siblings { desk: self, group, listed, node, status };
        let stand = match range {
            None => Stand::new(Truth::Yes, Why::EveryRelease),
            Some(range) => {
                let facts = if range.is_of_version_alone() { &NO_FACTS } else { self.facts(facts) };
                siblings.within(range, version, facts).unwrap_or_else(|| alone(range, status, span.is_some(), version, facts))
            }
        };
        let stand = match (status, range, version) {
            (ProductStatus::KnownAffected | ProductStatus::FirstAffected | ProductStatus::LastAffected, range, Some(version)) => {
                let offers = node.scheme.map_or(&[][..], |scheme| group.offers(self.advisory, hit.product, scheme));
                let ended = || siblings.ranges().flat_map(Range::upper_ends).any(|end| end.version.same_line(version));
                self.patched(group, hit, offered(stand, range, offers, version, ended))
            }
            (ProductStatus::KnownAffected, _, None) => self.patched(group, hit, stand),
            _ => stand,
        };
        match of_line {
            Some(of_line) if of_line.truth == Truth::Unknown && stand.truth != Truth::No => of_line,
            _ => stand,
        }
    }

    /// Not affected any more where the patch that a remediation tells to install is installed.
    fn patched(&self, group: &Group, hit: &Found<'a>, stand: Stand<'a>) -> Stand<'a> {
        let patches = self.known.installed.patches.as_deref().unwrap_or_default();
        if patches.is_empty() || stand.truth == Truth::No {
            return stand;
        }
        let vulnerability = group.vulnerabilities.first().and_then(|first| self.advisory.vulnerabilities.get(*first));
        let fixes = vulnerability.map_or(&[][..], |vulnerability| &vulnerability.remediations);
        let place = fixes.iter().position(|fix| {
            let for_it = fix.products.is_empty() || fix.products.contains(&hit.product);
            for_it && patches.iter().any(|patch| offer::tells_to_install(&fix.details, patch))
        });
        match place {
            Some(_) => Stand { remediation: place, ..Stand::new(Truth::No, Why::Patched) },
            None => stand,
        }
    }
}

const fn is_edge(status: ProductStatus) -> bool {
    matches!(status, ProductStatus::FirstAffected | ProductStatus::LastAffected)
}

/// Firmware and software revision: nobody says which of them the document means, so both have to lead to the same.
fn either<'a>(firmware: Stand<'a>, software: Stand<'a>) -> Stand<'a> {
    if firmware.truth == software.truth { firmware } else { Stand::new(Truth::Unknown, Why::Revisions) }
}

/// The answer of one range by itself.
fn alone<'a>(range: &'a Range, status: ProductStatus, spanned: bool, version: Option<&Version>, facts: &Facts) -> Stand<'a> {
    let answer = range.answer(version, facts);
    let why = Why::Range(answer.why);
    // Ranges call the version "version"; it is the device's firmware that is missing.
    let missing = answer.missing.map(|missing| if missing == "version" { FIRMWARE } else { missing });
    match answer.verdict {
        range::Verdict::Inside => Stand::new(Truth::Yes, why),
        range::Verdict::Undecided => Stand { missing: missing.map(Cow::Borrowed), ..Stand::new(Truth::Unknown, why) },
        // A first affected release without an end says nothing of those behind it.
        range::Verdict::Outside if is_edge(status) && !spanned => Stand::new(Truth::Unknown, Why::LineEnd),
        range::Verdict::Outside => {
            let older = |named: &Version| version.is_some_and(|version| !version.standing(named).only(Standing::AFTER));
            let before = status == ProductStatus::KnownAffected && range.only_version().is_some_and(older);
            if before { Stand::new(Truth::Unknown, Why::BeforeNamed) } else { Stand::new(Truth::No, why) }
        }
    }
}

/// The products of the same name under the same vulnerability: they decide together.
struct Siblings<'d, 'a, 'k> {
    desk: &'d Desk<'a, 'k>,
    group: &'a Group,
    listed: &'d [(usize, ProductStatus)],
    node: &'a Node,
    status: ProductStatus,
}

impl<'a> Siblings<'_, 'a, '_> {
    /// The ranges of those of them that are affected.
    fn ranges(&self) -> impl Iterator<Item = &'a Range> + Clone {
        let affected = self.listed.iter().filter(|(_, status)| *status == ProductStatus::KnownAffected || is_edge(*status));
        affected.filter_map(|(hit, status)| {
            let hit = self.desk.hits.get(*hit)?;
            let node = self.desk.node(hit).filter(|node| node.namesake == self.node.namesake)?;
            let span = self.group.spans.iter().find(|(product, _)| *product == hit.product && is_edge(*status));
            span.map(|(_, range)| range).or(node.range.as_ref())
        })
    }

    /// What they say together, where that is another thing than each says alone: one upper end per line, a release that is another's
    /// end, a list of releases.
    fn within(&self, range: &'a Range, version: Option<&Version>, facts: &Facts) -> Option<Stand<'a>> {
        let version = version?;
        if self.status != ProductStatus::KnownAffected && self.status != ProductStatus::LastAffected {
            return None;
        }
        if let Some(end) = range.only_end() {
            let ends = self.ranges().filter_map(Range::only_end);
            let several = ends.clone().any(|other: &Limit| !other.version.same_text(&end.version));
            return several.then(|| match per_line(ends, version) {
                Within::Yes => Stand::new(Truth::Yes, Why::Range(range::Why::Compared)),
                Within::No if version.is_whole() => Stand::new(Truth::No, Why::Range(range::Why::Compared)),
                Within::No => Stand::new(Truth::Unknown, Why::Range(range::Why::VersionUnread)),
                Within::Unknown(why @ range::Why::NoLine) => Stand::lacking(Why::Range(why), Cow::Borrowed("model")),
                Within::Unknown(why) => Stand::new(Truth::Unknown, Why::Range(why)),
            });
        }
        let named = range.only_version()?;
        let answer = range.answer(Some(version), facts);
        // Two products of one device need not have one name: "369 Motor Protection Relay" and "... Relay firmware".
        let affected = self.listed.iter().filter(|(_, status)| *status == ProductStatus::KnownAffected);
        let mut all = affected.filter_map(|(hit, _)| self.desk.node(self.desk.hits.get(*hit)?)?.range.as_ref());
        let ends_here = |end: &Limit| !end.takes_equal() && named.standing(&end.version).only(Standing::EQUAL);
        if answer.verdict == range::Verdict::Inside && all.any(|other| other.only_end().is_some_and(ends_here)) {
            return Some(Stand::new(Truth::Contradicts, Why::BoundNamed));
        }
        // A list names what is affected; one release alone is what somebody looked at.
        let listed = self.ranges().filter_map(Range::only_version).any(|other| !other.same_text(named));
        (answer.verdict == range::Verdict::Outside && listed).then(|| Stand::new(Truth::No, Why::Range(answer.why)))
    }
}

/// What the remediations make of an answer: they close a line that the range leaves open, contradict it, or keep it from being called over.
fn offered<'a>(stand: Stand<'a>, range: Option<&Range>, offers: &[Offer], version: &Version, ended: impl Fn() -> bool) -> Stand<'a> {
    let Some((against, offer)) = offer::against(offers, version) else { return stand };
    let ends = || range.into_iter().flat_map(Range::upper_ends);
    let releases = || offers.iter().flat_map(|offer| &offer.releases);
    let decided = |truth, why| Stand { remediation: Some(offer.remediation), ..Stand::new(truth, why) };
    match (stand.truth, against) {
        // A release that is named, and what is offered came before it: that is the release of something else.
        (Truth::Yes, Against::AtOrBeyond) if range.is_some_and(|range| begins_behind(range, offers, version)) => stand,
        (Truth::Yes, Against::AtOrBeyond) => {
            // "20-33" ends somewhere in the line 33, and "33.013 or later" says where.
            let fix = |end: &Limit| end.version.is_line() && releases().any(|fix| end.version.is_continued_by(fix));
            // Where the tree names no version at all, nothing else says where it ends.
            let closes = ends().any(fix) || (range.is_none() && offer.vendor_fix);
            if closes { decided(Truth::No, Why::Fixed) } else { decided(Truth::Contradicts, Why::FixInside) }
        }
        (Truth::Unknown, Against::AtOrBeyond) if offer.vendor_fix && is_damaged(stand.why) => decided(Truth::No, Why::Fixed),
        (Truth::Unknown, Against::Below) if offer.vendor_fix && is_torn(stand.why) => decided(Truth::Yes, Why::BelowFix),
        (Truth::No, Against::Below) if releases().count() > 1 && stand.why == Why::Range(range::Why::Compared) => {
            if releases().any(|fix| fix.same_line(version)) && !ended() { decided(Truth::Unknown, Why::FixOnLine) } else { stand }
        }
        _ => stand,
    }
}

/// True where all that is offered is no later than where the range begins.
fn begins_behind(range: &Range, offers: &[Offer], version: &Version) -> bool {
    let mut releases = offers.iter().flat_map(|offer| &offer.releases);
    let not_after = Standing::BEFORE.or(Standing::EQUAL);
    if range.only_version().is_some() {
        return !releases.any(|fix| version.standing(fix).only(Standing::EQUAL));
    }
    let mut begins = range.lower_ends().peekable();
    let Some(first) = begins.peek().map(|end| &end.version) else { return false };
    releases.all(|fix| fix.standing(first).only(not_after))
}

/// The text of the range is in doubt, not the version or a fact.
const fn is_damaged(why: Why) -> bool {
    is_torn(why) || matches!(why, Why::Range(range::Why::Unread | range::Why::LineOrRelease | range::Why::NoLine))
}

const fn is_torn(why: Why) -> bool {
    use range::Why::{Carried, Contradictory, Inverted};
    matches!(why, Why::Range(Carried | Contradictory | Inverted))
}
