//! Who is judged: the rows of a sheet, or the assets of the catalog.

use std::path::Path;

use nameplate_core::catalog::Asset;
use nameplate_core::finding::installed::Installed;
use nameplate_core::finding::inventory::{of_asset, of_row};
use nameplate_core::priority::Setting;
use nameplate_core::profile::ProfileSet;

use crate::failure::Failure;
use crate::lines::device_class;
use crate::sheet;

/// A component with what its owner says of the asset.
pub struct Subject {
    /// What is known of it.
    pub installed: Installed,
    /// Zone, criticality and the like.
    pub setting: Setting,
    /// When it was first known, in nanoseconds since 1970; `None` for a row of a sheet that nothing was kept of.
    pub since_ns: Option<u64>,
}

impl Subject {
    /// Of every row of a sheet.
    ///
    /// # Errors
    /// As [`sheet::read`].
    pub fn of_sheet(path: &Path) -> Result<Vec<Self>, Failure> {
        let (sheet, _) = sheet::read(path, None)?.told(path);
        let of = |row| Self { installed: of_row(&row), setting: Setting::of(|column| row.cell(column)), since_ns: None };
        Ok(sheet.rows().map(of).collect())
    }

    /// Of an asset: each of its components that says which product it is.
    pub fn of_asset(asset: &Asset, profiles: &ProfileSet) -> Vec<Self> {
        let class = device_class(asset, profiles);
        let cell = |column: &str| match column {
            "device_class" => Some(class.as_str()),
            column => asset.columns.get(column).map(String::as_str),
        };
        let setting = Setting::of(cell);
        let since_ns = Some(asset.seen_ns.0);
        let of = |installed: Installed| {
            let (manufacturer, model) = (installed.manufacturer.clone(), installed.model.clone());
            Self { installed, setting: Setting { manufacturer, model, ..setting.clone() }, since_ns }
        };
        of_asset(asset).into_iter().map(of).collect()
    }
}
