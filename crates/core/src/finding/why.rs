//! Why a verdict is what it is, as a closed list of sentences.

use crate::range;

/// The reason of a verdict, or of how a device stands to one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The version slot decides, or leaves it open.
    Range(range::Why),
    /// The product has no version slot, or it holds the model: every release is meant.
    EveryRelease,
    /// The product's name names a release line, and the device runs a newer one.
    NewerLine,
    /// The product's name names a release line, and the device runs an older one, or one beside it.
    OtherLine,
    /// The product's name names a release line, and whether the device's release is of it cannot be said.
    LineOpen,
    /// The device's line is none that the document names.
    NoLine,
    /// The product's name demands something that does not hold.
    DemandFails,
    /// The product's name demands something that is not known.
    Demand,
    /// The product's version is that of a part, and this component is not that part.
    OtherPart,
    /// The version slot holds another order number.
    OtherCode,
    /// The document names one release and no range, and the device runs an older one.
    BeforeNamed,
    /// The document names a first or a last affected release, and not where its line ends.
    LineEnd,
    /// The device runs what the remediation offers, or a later release of that line.
    Fixed,
    /// The range is damaged; the remediation's release is later than the device's.
    BelowFix,
    /// The patch that the remediation asks for is installed.
    Patched,
    /// The range ends before the device's release, and the remediation offers a later one on its line.
    FixOnLine,
    /// The release that the remediation offers is inside the affected range.
    FixInside,
    /// One product names a release as affected, and the range of its sibling ends right before it.
    BoundNamed,
    /// One release stands under two statuses that exclude each other.
    Clash,
    /// The document says that this release is not affected, or has the fix.
    Listed,
    /// The publisher is still looking.
    Investigated,
    /// The document names what is fixed, and nothing that takes in this release.
    Unlisted,
    /// The document names the product, and puts it under no status of any vulnerability.
    NoStatus,
    /// More products of the document are the device than are held against each other.
    TooMany,
    /// It is not known whether the device is the product.
    Identity,
    /// All products that the device may be agree.
    AllAgree,
    /// Firmware and software revision are both known, and differ in what follows from them.
    Revisions,
    /// What is said of the device differs, and so does what follows from it.
    Claims,
    /// Another document about the same vulnerability says the opposite.
    Documents,
    /// Another document about the same vulnerability leaves it open.
    OtherOpen,
    /// The document is about another family of the same maker, though the release reads alike.
    OtherFamily,
}

impl Why {
    /// The reason as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Range(why) => why.sentence(),
            Self::EveryRelease => "the document names every release of the product",
            Self::NewerLine => "the device's release is newer than the line that the product's name names",
            Self::OtherLine => "the device's release is of another line than the product's name names",
            Self::LineOpen => "whether the device's release is of the line that the product's name names cannot be said",
            Self::NoLine => "the device's release line is none that the document names",
            Self::DemandFails => "what the product's name demands beside the model does not hold",
            Self::Demand => "what the product's name demands beside the model is not known",
            Self::OtherPart => "the version is that of another part than this component",
            Self::OtherCode => "the document names another order number",
            Self::BeforeNamed => "the document names one affected release, and whether older ones are is not said",
            Self::LineEnd => "the document names a first or a last affected release, and not where its line ends",
            Self::Fixed => "the remediation's release, or a later one of its line, is installed",
            Self::BelowFix => "the range is damaged, and the remediation's release is later than the installed one",
            Self::Patched => "the patch that the remediation asks for is installed",
            Self::FixOnLine => "the range ends before this release, but the remediation offers a later one on its line",
            Self::FixInside => "the release that the remediation offers is inside the affected range",
            Self::BoundNamed => "one product names this release as affected, and the range of its sibling ends right before it",
            Self::Clash => "the document calls this release affected and not affected",
            Self::Listed => "the document says that this release is not affected, or has the fix",
            Self::Investigated => "the publisher is still investigating",
            Self::Unlisted => "the document names releases with the fix, and none that takes in the installed one",
            Self::NoStatus => "named by the document, under no status",
            Self::TooMany => "more products of the document are the device than are held against each other",
            Self::Identity => "it is not known whether the device is the product",
            Self::AllAgree => "all products that the device may be agree",
            Self::Revisions => "firmware and software revision lead to different verdicts",
            Self::Claims => "what is said of the device differs, and so do the verdicts",
            Self::Documents => "another document about the same vulnerability says the opposite",
            Self::OtherOpen => "another document about the same vulnerability leaves it open",
            Self::OtherFamily => "the document is about another family of the same maker",
        }
    }
}
