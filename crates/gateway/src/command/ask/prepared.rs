//! What the catalog knows of those who are to be asked, before anybody is.

use std::collections::BTreeMap;

use nameplate_core::catalog::Catalog;
use nameplate_field::ask::Ask;
use nameplate_field::guard::Endpoint;
use nameplate_field::touch::TouchRecord;

use super::{chassis, kinds, leave_out, masters};
use crate::failure::Failure;

/// Who is asked, with what is known before.
pub struct Prepared {
    /// Those that no hazard forbids.
    pub asks: Vec<Ask>,
    /// What they are, as [`Settings::kinds`](nameplate_field::ask::Settings::kinds) has it.
    pub kinds: BTreeMap<(Endpoint, String), String>,
}

/// Holds against the catalog who is to be asked. Each that is left out is on record, and `refused` is told.
///
/// # Errors
/// As [`leave_out`].
pub fn prepared(
    catalog: &Catalog,
    asks: Vec<Ask>,
    reason: &str,
    touch: &TouchRecord,
    mut refused: impl FnMut(),
) -> Result<Prepared, Failure> {
    let asks = masters::known(catalog, touch.directory(), chassis::known(catalog, asks));
    let asks = leave_out(catalog, asks, reason, touch, |_, _| refused())?;
    let kinds = kinds::kinds(catalog, &asks);
    Ok(Prepared { asks, kinds })
}
