//! One end of a span of versions, and how a version of a device stands to it.

use super::answer::{Truth, Why};
use crate::version::{Standing, Version};

/// Which side of its version an end takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `<`
    Below,
    /// `<=`
    UpTo,
    /// `>=`
    From,
    /// `>`
    Above,
}

impl Side {
    pub const fn is_upper(self) -> bool {
        matches!(self, Self::Below | Self::UpTo)
    }

    pub const fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::UpTo => "<=",
            Self::From => ">=",
            Self::Above => ">",
        }
    }
}

/// One end.
#[derive(Clone, Debug)]
pub struct Limit {
    pub side: Side,
    pub version: Version,
}

/// Before or equal.
const NOT_AFTER: Standing = Standing::BEFORE.or(Standing::EQUAL);
/// Equal or after.
const NOT_BEFORE: Standing = Standing::EQUAL.or(Standing::AFTER);

impl Limit {
    /// True where its own version is taken in.
    pub const fn takes_equal(&self) -> bool {
        matches!(self.side, Side::UpTo | Side::From)
    }

    /// Whether `version` is on the side that this end takes in.
    pub fn takes_in(&self, version: &Version) -> Truth {
        let standing = version.standing(&self.version);
        // A line is neither wholly below itself nor wholly above.
        let within = self.version.is_line() && standing == Standing::EQUAL && !self.version.same_text(version);
        match self.side {
            Side::Below | Side::Above if within => Truth::Unknown(Why::LineOrRelease),
            Side::Below if standing.only(Standing::BEFORE) => Truth::Yes,
            Side::Below if standing.only(NOT_BEFORE) => Truth::No,
            Side::UpTo if standing.only(NOT_AFTER) => Truth::Yes,
            // Whoever writes "up to 2.1" may mean the line 2.1 with all of its releases.
            Side::UpTo if self.version.is_continued_by(version) => line_or_release(standing),
            Side::UpTo if standing.only(Standing::AFTER) => Truth::No,
            // A device that names fewer numbers than the limit may have any of the releases below that.
            Side::From | Side::Above if standing.only(Standing::BEFORE) && version.is_continued_by(&self.version) => {
                Truth::Unknown(Why::Coarse)
            }
            Side::From if standing.only(NOT_BEFORE) => Truth::Yes,
            Side::From if standing.only(Standing::BEFORE) => Truth::No,
            Side::Above if standing.only(Standing::AFTER) => Truth::Yes,
            Side::Above if standing.only(NOT_AFTER) => Truth::No,
            _ => Truth::Unknown(Why::NoOrder),
        }
    }
}

/// `2.1.0` is `2.1` or of its line: taken in either way.
fn line_or_release(standing: Standing) -> Truth {
    if standing.may_be(Standing::EQUAL) { Truth::Yes } else { Truth::Unknown(Why::LineOrRelease) }
}

/// Whether `version` is the one that a list names.
pub fn is_named(point: &Version, version: &Version) -> Truth {
    let standing = version.standing(point);
    if standing.only(Standing::EQUAL) {
        return Truth::Yes;
    }
    if point.is_continued_by(version) || version.is_continued_by(point) {
        return Truth::Unknown(Why::LineOrRelease);
    }
    let alike = point.same_shape(version) || (point.is_plain() && version.is_plain());
    match standing.may_be(Standing::EQUAL) {
        true => Truth::Unknown(Why::NoOrder),
        // A bare number may be an order number or a model: only what is built alike is another version.
        false if alike => Truth::No,
        false => Truth::Unknown(Why::NotAVersion),
    }
}
