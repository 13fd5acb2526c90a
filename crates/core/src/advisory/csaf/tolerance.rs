//! Where a document is not as the standard has it and is read all the same: a closed list, so that each kind was thought through.

use crate::advisory::Tolerance;

/// Places of one document that are listed; with more of them the publisher's file is broken, not careless.
pub const TOLERANCES_MAX: usize = 100_000;

/// What was tolerated. Clauses are CSAF 2.0's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each sentence says what it is")]
pub enum Kind {
    ByteOrderMark,
    EncodedTwice,
    Draft,
    NoTitle,
    NoDate,
    NoProductTree,
    NoVulnerabilities,
    OutsideBranches,
    OtherCategory,
    UnknownCategory,
    CategoryTwice,
    BranchEnds,
    BranchWithBoth,
    NoVendor,
    NoProductName,
    RangeAsVersion,
    RangeNotVers,
    HelperNotRead,
    SameProductTwice,
    RelationshipToNothing,
    NoStatus,
    UnknownStatus,
    NoCve,
    FurtherIds,
    CveTwice,
    UnknownProduct,
    UnknownGroup,
    ProductTwice,
    NoProducts,
    OnlyUnknownProducts,
    NoScore,
    NumberAsText,
    CvssFour,
    EntitlementsNotRead,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 34] = [
        Self::ByteOrderMark,
        Self::EncodedTwice,
        Self::Draft,
        Self::NoTitle,
        Self::NoDate,
        Self::NoProductTree,
        Self::NoVulnerabilities,
        Self::OutsideBranches,
        Self::OtherCategory,
        Self::UnknownCategory,
        Self::CategoryTwice,
        Self::BranchEnds,
        Self::BranchWithBoth,
        Self::NoVendor,
        Self::NoProductName,
        Self::RangeAsVersion,
        Self::RangeNotVers,
        Self::HelperNotRead,
        Self::SameProductTwice,
        Self::RelationshipToNothing,
        Self::NoStatus,
        Self::UnknownStatus,
        Self::NoCve,
        Self::FurtherIds,
        Self::CveTwice,
        Self::UnknownProduct,
        Self::UnknownGroup,
        Self::ProductTwice,
        Self::NoProducts,
        Self::OnlyUnknownProducts,
        Self::NoScore,
        Self::NumberAsText,
        Self::CvssFour,
        Self::EntitlementsNotRead,
    ];

    /// The sentence that stands in [`Tolerance::what`].
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "a byte order mark stands before the document; it was passed over",
            Self::EncodedTwice => "a text was encoded twice, or lost letters on its way; it stands as written",
            Self::Draft => "the document is a draft (tracking.status)",
            Self::NoTitle => "the document has no title",
            Self::NoDate => "a release date is missing",
            Self::NoProductTree => "there is no product tree; the document names no product",
            Self::NoVulnerabilities => "there are no vulnerabilities",
            Self::OutsideBranches => "a product outside the branches; which release is meant stands in its full name alone",
            Self::OtherCategory => "a branch narrows the product by something that is kept beside it (its qualifiers)",
            Self::UnknownCategory => "a branch category that the standard does not have; kept beside the product (its qualifiers)",
            Self::CategoryTwice => "a branch category stands twice above a product; the inner one counts, the outer is kept beside it",
            Self::BranchEnds => "a branch ends without a product",
            Self::BranchWithBoth => "a branch holds a product and further branches; both were read",
            Self::NoVendor => "no vendor branch stands above a product",
            Self::NoProductName => "no product_name branch stands above a product; its full name is taken",
            Self::RangeAsVersion => "a product_version holds a range (6.1.31); it stands as written",
            Self::RangeNotVers => "a product_version_range is not written as vers; it stands as written",
            Self::HelperNotRead => "a product is told by hashes, SBOMs or URIs, too; those are not read",
            Self::SameProductTwice => "a product id stands twice, with the same product; one counts",
            Self::RelationshipToNothing => "a relationship to a product that the tree does not have; its product was left out",
            Self::NoStatus => "a vulnerability says nothing of any product",
            Self::UnknownStatus => "a product status that the standard does not have; it was left out",
            Self::NoCve => "neither cve nor ids name a vulnerability; its title does, else its place",
            Self::FurtherIds => "a vulnerability without cve has several ids; the first names it",
            Self::CveTwice => "one CVE stands in two vulnerabilities (6.1.23); both were read",
            Self::UnknownProduct => "a product id that the tree does not have (6.1.1); it was left out",
            Self::UnknownGroup => "a product group that the tree does not have (6.1.4); it was left out",
            Self::ProductTwice => "a list names a product twice; one counts",
            Self::NoProducts => "no product is named; it is taken for all of the vulnerability",
            Self::OnlyUnknownProducts => "all products named are unknown; the statement was left out",
            Self::NoScore => "a score without vector or without base score",
            Self::NumberAsText => "a number stands in quotation marks",
            Self::CvssFour => "a CVSS 4 score, which the standard does not have; it was read",
            Self::EntitlementsNotRead => "a remediation is for those entitled to it alone; the conditions are not read",
        }
    }

    /// The kind that a sentence stands for.
    #[must_use]
    pub fn of(sentence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.sentence() == sentence)
    }
}

/// Those of one document.
#[derive(Debug, Default)]
pub struct Tolerances {
    list: Vec<Tolerance>,
    /// More than are listed.
    pub too_many: bool,
}

impl Tolerances {
    /// One more.
    pub fn add(&mut self, kind: Kind, path: impl FnOnce() -> String) {
        if self.list.len() >= TOLERANCES_MAX {
            self.too_many = true;
            return;
        }
        self.list.push(Tolerance { path: path(), what: kind.sentence().to_owned() });
    }

    /// The text as it is kept: as it was written. One that was damaged on its way is listed.
    pub fn text(&mut self, text: &str, path: impl FnOnce() -> String) -> String {
        if is_damaged(text) {
            self.add(Kind::EncodedTwice, path);
        }
        text.to_owned()
    }

    /// All of them, in the order in which they were found.
    #[must_use]
    pub fn list(self) -> Vec<Tolerance> {
        self.list
    }
}

/// True for UTF-8 that was taken for ISO 8859-1 or Windows-1252 and encoded again, and for what replaces letters that were lost.
fn is_damaged(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let mut before = ' ';
    for c in text.chars() {
        let second = ('\u{80}'..='\u{bf}').contains(&c);
        if c == char::REPLACEMENT_CHARACTER || (matches!(before, 'Â' | 'Ã') && second) || (before == 'â' && (second || c == '€')) {
            return true;
        }
        before = c;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_sentence_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind.sentence()), Some(kind));
        }
    }

    #[test]
    fn a_text_that_was_encoded_twice_is_known_by_its_letters() {
        for (text, damaged) in [
            ("Gerät", false),
            ("GerÃ¤t", true),
            ("â€œquotedâ€\u{9d}", true),
            ("café °C", false),
            ("â", false),
            ("a\u{fffd}b", true),
            ("Â®", true),
        ] {
            assert_eq!(is_damaged(text), damaged, "{text}");
        }
    }
}
