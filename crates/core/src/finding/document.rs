//! A document made ready: every range read once, vulnerabilities that say the same put together.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::offer::{self, Offer};
use crate::advisory::{Advisory, Product, ProductIndex, ProductStatus, Release, Vulnerability};
use crate::range::Range;
use crate::version::{Form, Scheme, Version};

/// First and last affected releases of one vulnerability that are put together, pair by pair; more stay single releases.
const EDGES_MAX: usize = 1024;

/// A document made ready.
#[derive(Debug)]
pub struct Document {
    pub nodes: Vec<Node>,
    pub groups: Vec<Group>,
    /// True where one of its products is [`Node::silent`].
    pub has_silent: bool,
}

/// A product made ready.
#[derive(Debug)]
pub struct Node {
    pub scheme: Option<&'static Scheme>,
    /// Its version slot; absent where it has none.
    pub range: Option<Range>,
    /// The first product of the same name.
    pub namesake: ProductIndex,
    /// True where the product's name is the release line and stands in the range already (`R121` of SEL).
    pub line_in_range: bool,
    /// True where the document names it and says nothing of it: under no status of any vulnerability, and no part of a product that is.
    pub silent: bool,
    /// The release line of its name.
    pub line: OnceLock<Line>,
    /// Its maker and its name without that line.
    pub lineless: OnceLock<String>,
}

/// A release line that a product's name names.
#[derive(Debug)]
pub enum Line {
    /// `V4.X`, `v15`, `V4.7 SP1`: what it begins.
    Of(Version),
    /// `< V4.x`, `V8.2 and earlier`.
    Range(Range),
}

/// Vulnerabilities of which the document says the same: the same statuses and remediations.
#[derive(Debug)]
pub struct Group {
    /// Their places in the document.
    pub vulnerabilities: Vec<usize>,
    /// What stands under which status, by product.
    pub statuses: Vec<(ProductIndex, ProductStatus)>,
    /// Ranges made of first and last affected releases.
    pub spans: Vec<(ProductIndex, Range)>,
    /// True where a range of it asks which vulnerability is meant.
    pub asks_cve: bool,
    /// What the remediations offer, by the place of the product's first status; read when it is asked for.
    offers: Vec<OnceLock<Vec<Offer>>>,
}

impl Document {
    pub fn of(advisory: &Advisory) -> Self {
        let mut namesakes = BTreeMap::new();
        let mut nodes: Vec<Node> = advisory.products.iter().zip(0..).map(|(product, place)| node(product, place, &mut namesakes)).collect();
        speak(advisory, &mut nodes);
        let has_silent = nodes.iter().any(|node| node.silent);
        let asks = nodes.iter().any(|node| node.range.as_ref().is_some_and(|range| range.asks("cve")));
        let mut groups: Vec<Group> = Vec::new();
        for (place, vulnerability) in advisory.vulnerabilities.iter().enumerate() {
            let same = |group: &&mut Group| {
                let other = group.vulnerabilities.first().and_then(|first| advisory.vulnerabilities.get(*first));
                !asks
                    && other
                        .is_some_and(|other| other.statuses == vulnerability.statuses && other.remediations == vulnerability.remediations)
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.vulnerabilities.push(place),
                None => groups.push(Group::of(advisory, &nodes, vulnerability, place, asks)),
            }
        }
        Self { nodes, groups, has_silent }
    }
}

fn node<'a>(product: &'a Product, place: ProductIndex, namesakes: &mut BTreeMap<(&'a str, &'a str), ProductIndex>) -> Node {
    let name = product.name.trim();
    let scheme = Scheme::of(&product.vendor, name);
    let namesake = *namesakes.entry((product.vendor.trim(), name)).or_insert(place);
    // SEL's firmware identification holds R and V; a document that puts R into the name and V into the range means both.
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let of_line = scheme.is_some_and(|scheme| scheme.form == Form::Fid) && name.strip_prefix('R').is_some_and(is_number);
    let read = |text: &str| {
        let text = if of_line { text.replace('V', &format!("{name}-V")) } else { text.to_owned() };
        scheme.map(|scheme| Range::read(scheme, &text))
    };
    let range = match &product.release {
        Release::Every => None,
        Release::Version(text) | Release::Range(text) => read(text),
    };
    Node {
        scheme,
        line_in_range: of_line && range.is_some(),
        range,
        namesake,
        silent: true,
        line: OnceLock::new(),
        lineless: OnceLock::new(),
    }
}

/// Notes of which products something is said. A product of a relationship speaks of its component and its platform, too.
fn speak(advisory: &Advisory, nodes: &mut [Node]) {
    let named = advisory.vulnerabilities.iter().flat_map(|one| &one.statuses).flat_map(|(_, products)| products);
    let parts = advisory.products.iter().filter_map(|product| product.relationship.as_ref());
    for product in named.chain(parts.flat_map(|of| [&of.component, &of.platform])) {
        if let Some(node) = nodes.get_mut(*product as usize) {
            node.silent = false;
        }
    }
}

impl Node {
    /// The line that its name names, as `text` has it.
    pub fn line_of(&self, text: &str) -> Option<&Line> {
        let scheme = self.scheme?;
        Some(self.line.get_or_init(|| line(scheme, text)))
    }
}

fn line(scheme: &'static Scheme, text: &str) -> Line {
    let text = text.trim();
    let is_plain = |c: char| c.is_ascii_digit() || ".vVrRxX".contains(c);
    let bare = text.trim_end_matches(|c: char| ".xX".contains(c));
    if text.chars().all(is_plain) {
        // A number alone is a line with all of its releases.
        return Line::Of(Version::read(scheme, &format!("{bare}.x")));
    }
    let version = Version::read(scheme, text);
    if version.is_whole() && !text.starts_with(['<', '>', '=']) && !text.contains(" and ") && !text.contains(" to ") {
        return Line::Of(version);
    }
    // Below a line is below its first release.
    let first = if text.starts_with('<') || text.to_ascii_lowercase().starts_with("prior to") { bare } else { text };
    Line::Range(Range::read(scheme, first))
}

impl Group {
    fn of(advisory: &Advisory, nodes: &[Node], vulnerability: &Vulnerability, place: usize, asks_cve: bool) -> Self {
        let listed = vulnerability.statuses.iter();
        let mut statuses: Vec<(ProductIndex, ProductStatus)> =
            listed.flat_map(|(status, products)| products.iter().map(move |product| (*product, *status))).collect();
        statuses.sort_unstable();
        statuses.dedup();
        let offers = std::iter::repeat_with(OnceLock::new).take(statuses.len()).collect();
        let spans = spans(advisory, nodes, &statuses);
        Self { vulnerabilities: vec![place], statuses, spans, asks_cve, offers }
    }

    /// The statuses of a product.
    pub fn statuses_of(&self, product: ProductIndex) -> impl Iterator<Item = ProductStatus> {
        let from = self.statuses.partition_point(|(other, _)| *other < product);
        let own = self.statuses.get(from..).unwrap_or_default();
        own.iter().take_while(move |(other, _)| *other == product).map(|(_, status)| *status)
    }

    /// What the remediations offer for a product.
    pub fn offers(&self, advisory: &Advisory, product: ProductIndex, scheme: &'static Scheme) -> &[Offer] {
        let first = self.vulnerabilities.first().and_then(|first| advisory.vulnerabilities.get(*first));
        let place = self.statuses.partition_point(|(other, _)| *other < product);
        let (Some(vulnerability), Some(cell)) = (first, self.offers.get(place)) else { return &[] };
        cell.get_or_init(|| offer::offers(advisory, vulnerability, product, scheme))
    }
}

/// First and last affected releases of one name as a range; a first one without an end stays a release.
fn spans(advisory: &Advisory, nodes: &[Node], statuses: &[(ProductIndex, ProductStatus)]) -> Vec<(ProductIndex, Range)> {
    let named = |status: ProductStatus| {
        statuses.iter().filter(move |(_, own)| *own == status).filter_map(|(product, _)| {
            let node = nodes.get(*product as usize)?;
            match &advisory.products.get(*product as usize)?.release {
                Release::Version(text) => Some((*product, node, text.trim())),
                _ => None,
            }
        })
    };
    let sole = |status: ProductStatus, namesake: ProductIndex| {
        let mut own = named(status).filter(|(_, node, _)| node.namesake == namesake);
        own.next().filter(|_| own.next().is_none())
    };
    let edges = named(ProductStatus::FirstAffected).chain(named(ProductStatus::LastAffected));
    if edges.clone().count() > EDGES_MAX {
        return Vec::new();
    }
    let spans = edges.filter_map(|(product, node, text)| {
        let firsts = named(ProductStatus::FirstAffected).filter(|(_, other, _)| other.namesake == node.namesake).count();
        let first = sole(ProductStatus::FirstAffected, node.namesake);
        let last = sole(ProductStatus::LastAffected, node.namesake);
        let fixed = sole(ProductStatus::FirstFixed, node.namesake);
        let text = match (first, last, fixed) {
            (Some((.., first)), Some((.., last)), _) => format!(">={first}|<={last}"),
            (Some((.., first)), None, Some((.., fixed))) => format!(">={first}|<{fixed}"),
            _ if firsts == 0 => format!("<={text}"),
            _ => return None,
        };
        Some((product, Range::read(node.scheme?, &text)))
    });
    spans.collect()
}
