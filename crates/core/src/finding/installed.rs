//! What is known of one component of an asset, as an advisory is held against it.

use crate::range::Facts;

/// One component of an asset with what it says of itself. What is not known is absent; nothing is normalised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// The asset's id.
    pub asset: String,
    /// Which part of it: `self`, `cpu`, `communication-module`, or as a sheet calls it: `NMC2`.
    pub component: String,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// The model, in the maker's words.
    pub model: Option<String>,
    /// The order, catalogue or product code.
    pub product_code: Option<String>,
    /// Hardware revision (function state, series).
    pub hardware_revision: Option<String>,
    /// Firmware; a text such as SEL's FID may hold the model too.
    pub firmware_revision: Option<String>,
    /// Software, where the asset is a program.
    pub software_revision: Option<String>,
    /// Serial number.
    pub serial_number: Option<String>,
    /// Installed patches; `None` where nobody knows, empty where it is known that there are none.
    pub patches: Option<Vec<String>>,
    /// Fields of this component on which its claims say different things, with what they say.
    pub conflicts: Vec<(String, Vec<String>)>,
    /// What else is known, named as in the advisories' words: `function_state`, `bundle`, `host`, `option`.
    pub facts: Facts,
}
