//! What a product's name says: which devices it means, and what it says beside that. Every byte of the name is in a piece.

use std::collections::BTreeSet;
use std::ops::Range;

use super::order::Order;
use super::reader;

/// Longer names are cut: the longest of the corpus has 186 bytes.
pub(super) const NAME_BYTES_MAX: usize = 512;

/// What a piece of a product's name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Blanks and signs that say nothing.
    Space,
    /// The maker.
    Maker,
    /// A word of the model.
    Model,
    /// A word that says nothing of which device it is.
    Noise,
    /// An order number or a mask over several.
    Order,
    /// A line of releases: `V4.X`, `prior to V4.7`.
    Line,
    /// A demand beside the model: a serial number, an option.
    Condition,
    /// Who else is meant, or who is not: `incl. SIPLUS variants`, `except ...`.
    Scope,
    /// A remark: an acronym, `(discontinued product)`.
    Note,
    /// The part of the device that the version belongs to.
    Part,
    /// Not understood.
    Rest,
}

/// A piece of a name, by its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub role: Role,
    /// Where it stands.
    pub bytes: Range<usize>,
}

/// A name, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Label {
    /// The devices that it means, each as the words of its model.
    pub(super) names: Vec<Vec<String>>,
    /// Order numbers.
    pub(super) orders: Vec<Order>,
    /// The line of releases.
    pub(super) line: Option<String>,
    /// Demands that no order number settles.
    pub(super) conditions: Vec<String>,
    /// Demands on the variant of a device: an order number settles them.
    pub(super) variants: Vec<String>,
    /// The part that the version belongs to.
    pub(super) part: Option<String>,
    /// The same as the word of a model, where the name says which devices hold it.
    pub(super) card: Option<String>,
    /// The series of hardware that it means; none: any.
    pub(super) series: Vec<char>,
    /// It speaks of a family.
    pub(super) family: bool,
    /// It means SIPLUS variants too.
    pub(super) siplus: bool,
    /// It means related devices of other lines too.
    pub(super) related: bool,
    /// Words that it includes: `(incl. F)`.
    pub(super) includes: Vec<String>,
    /// Words of devices that it does not mean.
    pub(super) except: Vec<Vec<String>>,
    /// All of the text, in order, without gaps.
    pub(super) pieces: Vec<Piece>,
}

impl Label {
    /// True where it says which device it means.
    pub(super) fn says_device(&self) -> bool {
        !self.orders.is_empty() || self.names.iter().any(|name| !name.is_empty())
    }
}

/// Reads the name of a product of these makers.
pub(super) fn read(text: &str, makers: &BTreeSet<String>) -> Label {
    reader::name(text, makers)
}

/// The pieces of a text, without gaps. What is not understood is cut out of the piece around it.
pub(super) fn pieces(length: usize, roles: Vec<(Range<usize>, Role)>) -> Vec<Piece> {
    let (rests, roles): (Vec<_>, Vec<_>) = roles.into_iter().partition(|(_, role)| *role == Role::Rest);
    let mut edges: Vec<usize> =
        roles.iter().chain(&rests).flat_map(|(bytes, _)| [bytes.start, bytes.end]).chain([0, length]).filter(|at| *at <= length).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut roles = roles.into_iter().peekable();
    for bytes in edges.windows(2).filter_map(|edge| Some(*edge.first()?..*edge.last()?)) {
        while roles.next_if(|(held, _)| held.end <= bytes.start).is_some() {}
        let within = |held: &Range<usize>| held.start <= bytes.start && bytes.end <= held.end;
        let role = if rests.iter().any(|(held, _)| within(held)) {
            Role::Rest
        } else {
            roles.peek().filter(|(held, _)| within(held)).map_or(Role::Space, |(_, role)| *role)
        };
        pieces.push(Piece { role, bytes });
    }
    pieces
}
