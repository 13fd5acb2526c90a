//! `nameplate device`: one asset with everything it said, and what a person has to say of it.

mod hand;
mod zones;

use clap::Args;
use nameplate_core::blind::spots;
use nameplate_core::catalog::{Asset, Catalog, Event, Recorded, STALE_NS, events};
use nameplate_core::claim::{Field, Grade};
use nameplate_core::observation::rfc3339;
use nameplate_core::view::View;

use self::hand::Step;
use super::devices::time_ns;
use super::events;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::{DeviceLine, device_class, place, way};
use crate::store::{Store, now_ns};
use crate::{print, profiles, state};

/// Show one device with everything it said, its parts and what happened to it; or say what only a person knows.
#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub struct Device {
    #[command(subcommand)]
    step: Option<Step>,
    /// The device's id, or enough of its beginning
    #[arg(value_name = "ID", required = true)]
    id: Option<String>,
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
        if let Some(step) = &self.step {
            return step.run(options);
        }
        let profiles = profiles::load(options)?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let (_, view) = open(options, as_of)?;
        let asset = find(&view.catalog, self.id.as_deref().unwrap_or_default())?;
        let happened: Vec<Event<'_>> = events(&view.catalog, &profiles).into_iter().filter(|event| event.asset == asset.id).collect();
        match print::format(options) {
            Format::Table => {
                let timeline = events::table(&happened);
                let parts = family(asset, &view.catalog);
                let now_ns = as_of.unwrap_or_else(now_ns);
                print::out(&(page(asset, &device_class(asset, &profiles), &parts, now_ns) + "\n" + &timeline))
            }
            _ => print::out(&print::json_line(&DeviceLine::new(asset, &profiles).among(asset, &view.catalog, &happened))),
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

/// Whose part it is, and its own parts, a line each.
fn family(asset: &Asset, catalog: &Catalog) -> String {
    let line = |word: &str, id: &str| {
        let other = catalog.asset(id);
        let model = other.and_then(|other| other.shown(Field::Model)).map(|current| current.standing.claim.value.clone());
        let at = other.and_then(|other| other.addresses.last()).map(place);
        format!("{word:11} {id}  {}  {}\n", at.unwrap_or_default(), nameplate_core::text::printable(&model.unwrap_or_default()))
    };
    let parent = catalog.parents().get(asset.id.as_str()).map(|parent| line("part of", parent));
    let parts = catalog.children().remove(asset.id.as_str()).unwrap_or_default();
    parent.into_iter().chain(parts.into_iter().map(|part| line("part", part))).collect()
}

fn page(asset: &Asset, class: &str, family: &str, now_ns: u64) -> String {
    let mut text = format!("{}  {class}\n{family}", asset.id);
    for was in &asset.was {
        text += &format!("was         {was}\n");
    }
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
    for (name, fact) in &asset.facts {
        let printable = nameplate_core::text::printable;
        let listed = fact.listed.as_ref().map(|listed| format!("; the sheet says {}", printable(listed))).unwrap_or_default();
        text +=
            &format!("by hand     {name}: {} at {} ({}){listed}\n", printable(&fact.by), rfc3339(fact.time_ns), printable(&fact.reason));
    }
    text + "\n" + &print::table(&["PART", "FIELD", "VALUE", "GRADE", "HOW", "RULE", "TIME", ""], &said(asset, now_ns))
}

/// All that was said, a row each.
fn said(asset: &Asset, now_ns: u64) -> Vec<Vec<String>> {
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
                    [mark.to_owned()]
                        .into_iter()
                        .filter(|mark| !mark.is_empty())
                        .chain(age(recorded, now_ns))
                        .collect::<Vec<_>>()
                        .join("; "),
                ]);
            }
        }
    }
    rows
}

/// How old a person's word is: it ages, because nobody hears when it is no longer true.
fn age(recorded: &Recorded, now_ns: u64) -> Option<String> {
    const DAY_NS: u64 = 86_400_000_000_000;
    let age_ns = now_ns.saturating_sub(recorded.time_ns);
    let stale = if age_ns > STALE_NS { ", stale" } else { "" };
    (recorded.claim.grade == Grade::ByHand).then(|| format!("{} old{stale}", print::count(age_ns / DAY_NS, "day")))
}
