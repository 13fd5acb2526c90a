//! `nameplate device`: one asset with everything it said.

use clap::Args;
use nameplate_core::blind::spots;
use nameplate_core::catalog::{Asset, Catalog};
use nameplate_core::claim::Field;
use nameplate_core::observation::rfc3339;
use nameplate_core::view::View;

use super::devices::time_ns;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::{DeviceLine, device_class, place, way};
use crate::store::Store;
use crate::{print, profiles, state};

/// Show one device with everything it said.
#[derive(Debug, Args)]
pub struct Device {
    /// The device's id, or enough of its beginning
    #[arg(value_name = "ID")]
    id: String,
    /// As it was known on a day or at a time
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

impl Device {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, or an id that is not in it.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options.profiles.as_deref())?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let (_, view) = open(options, as_of)?;
        let asset = find(&view.catalog, &self.id)?;
        match print::format(options) {
            Format::Table => print::out(&page(asset, &device_class(asset, &profiles))),
            _ => print::out(&print::json_line(&DeviceLine::new(asset, &profiles))),
        }
    }
}

/// The store and what it says.
///
/// # Errors
/// The state, or that there is none.
pub fn open(options: &Options, as_of: Option<u64>) -> Result<(Store, View), Failure> {
    let directory = state::directory(options.state.as_ref())?;
    let none =
        || Failure::input(directory.display(), "there is no catalog yet: `nameplate listen FILE --keep` or `nameplate ask` makes one");
    let store = Store::read(&directory)?.ok_or_else(none)?;
    let view = store.view(as_of)?;
    Ok((store, view))
}

/// The asset with that id.
///
/// # Errors
/// Usage, when there is none or the beginning fits several.
pub fn find<'a>(catalog: &'a Catalog, id: &str) -> Result<&'a Asset, Failure> {
    catalog.asset(id).ok_or_else(|| {
        Failure::new(Code::Usage, format!("no device, or more than one, has an id that begins with {id:?}; see `nameplate devices`"))
    })
}

fn page(asset: &Asset, class: &str) -> String {
    let mut text = format!("{}  {class}\n", asset.id);
    for address in asset.addresses.iter().rev() {
        text += &format!(
            "address     {}{}\n",
            place(address),
            address.mac.as_ref().filter(|_| address.ip.is_some()).map(|mac| format!("  {mac}")).unwrap_or_default()
        );
    }
    text += &match asset.is_listed_only() {
        true => "seen        never, only in a sheet\n".to_owned(),
        false => format!("seen        {} to {}\n", rfc3339(asset.seen_ns.0), rfc3339(asset.seen_ns.1)),
    };
    text += &format!("profile     {}\n", asset.profile.as_deref().unwrap_or("none matched"));
    if !asset.why_unknown.is_empty() {
        text += &format!("firmware    unknown: {}\n", asset.why_unknown);
    }
    if let Some(question) = spots([asset]).first().and_then(|spot| spot.question) {
        text += &format!("settled by  {} ({}): {}\n", question.asks, question.over, question.bytes);
    }
    for (protocol, roles) in &asset.speaks {
        text += &format!("speaks      {protocol}{}\n", roles.iter().map(|role| format!(" {role}")).collect::<String>());
    }
    for remark in asset.remarks.iter().cloned().chain(asset.wrong_beliefs()) {
        text += &format!("remark      {}\n", nameplate_core::text::printable(&remark));
    }
    for (column, cell) in &asset.columns {
        text += &format!("{:11} {}\n", nameplate_core::text::printable(column), nameplate_core::text::printable(cell));
    }
    let mut rows = Vec::new();
    for component in asset.components() {
        for field in Field::ALL {
            let Some(current) = asset.current(component, field) else { continue };
            for (mark, recorded) in
                std::iter::once(("", current.standing)).chain(current.conflicting.into_iter().map(|r| ("says otherwise", r)))
            {
                rows.push(vec![
                    component.to_owned(),
                    field.name().to_owned(),
                    recorded.claim.value.clone(),
                    recorded.claim.grade.name().to_owned(),
                    way(&recorded.source).to_owned(),
                    recorded.claim.rule.clone(),
                    rfc3339(recorded.time_ns),
                    mark.to_owned(),
                ]);
            }
        }
    }
    text + "\n" + &print::table(&["PART", "FIELD", "VALUE", "GRADE", "HOW", "RULE", "TIME", ""], &rows)
}
