//! `nameplate devices`: the catalog.

use clap::Args;
use nameplate_core::baseline::{Clock, Conformance, worst};
use nameplate_core::catalog::Asset;
use nameplate_core::claim::Field;
use nameplate_core::observation::rfc3339;
use nameplate_core::profile::ProfileSet;
use nameplate_core::query::{Cursor, Filter, Query, Sort};

use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::{DeviceLine, inventory_header, inventory_row, place, way};
use crate::output::{Output, Results};
use crate::sheet::book::{Table, Tint};
use crate::store::{Store, now_ns};
use crate::{print, profiles, state};

/// List the catalog.
#[derive(Debug, Args)]
#[command(after_help = "A firmware that is not known says why. A mark (!) stands beside a value that another source contradicts;\n\
                        `nameplate device <ID>` shows both. --format csv writes the inventory file, --output FILE.xlsx a workbook of it.\n\n\
                        A condition is a column, one of = != ~ (contains) < <= > >=, and a value. Releases have the order that the device's\n\
                        profile names; where none is known, they are neither before nor behind. Columns are those of the inventory file\n\
                        (firmware, vendor, ...) and those of your sheets.\n\n\
                        Examples:\n  nameplate devices --filter vendor=siemens --filter 'firmware<4.5' --sort -last_seen\n  \
                        nameplate devices --sort tag --limit 100 --format ndjson\n  \
                        nameplate devices --output inventory.xlsx")]
pub struct Devices {
    /// The catalog as it was known on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Only devices of which every part conforms to the approved baseline; see `nameplate check` for the others
    #[arg(long)]
    approved_only: bool,
    /// Only devices for which this holds: firmware_revision<3.2; may be repeated, and then all must hold
    #[arg(long, value_name = "CONDITION")]
    filter: Vec<Filter>,
    /// Sort by this column; -last_seen is the latest first [default: id]
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<Sort>,
    /// At most so many devices; where there are more, the end says how to go on
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Go on behind a page: what the page before named at its end
    #[arg(long, value_name = "PLACE")]
    after: Option<Cursor>,
    #[command(flatten)]
    output: Output,
}

impl Devices {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, or a date that is none.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        let directory = state::directory(options.state.as_ref())?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let view = Store::read(&directory)?.map(|store| store.view(as_of)).transpose()?.unwrap_or_default();
        // How old a reading is, is not asked here; `check` says it.
        let clock = Clock { now_ns: as_of.unwrap_or_else(now_ns), stale_after_ns: u64::MAX };
        let conforms = |asset: &&Asset| {
            let judged = view.baselines.judge(asset, &profiles, clock);
            worst(&judged).is_some_and(|worst| worst.conformance == Conformance::Conforms)
        };
        let all = view.catalog.assets().filter(|asset| !self.approved_only || conforms(asset));
        let query = Query { filters: self.filter.clone(), sort: self.sort.clone(), after: self.after.clone(), limit: self.limit };
        let page = query.page(all, &profiles).map_err(|e| Failure::new(Code::Usage, e.to_string()))?;
        let shown = || page.assets.iter().copied();
        let results = || Results {
            title: "Devices".into(),
            sentences: Vec::new(),
            bars: Vec::new(),
            plots: Vec::new(),
            tables: vec![inventory(&page.assets, &profiles)],
        };
        self.output.put(print::format(options), |format| listing(shown(), &profiles, format), results)?;
        if let Some(next) = &page.next {
            eprintln!("{} of {}; go on with --after {next}", page.assets.len(), print::count(page.matched as u64, "device"));
        }
        if view.catalog.assets().next().is_none() {
            let then =
                if as_of.is_some() { "was empty then" } else { "is empty: `nameplate listen FILE --keep` or `nameplate ask` fills it" };
            eprintln!("the catalog in {} {then}", directory.display());
        }
        Ok(())
    }
}

/// The inventory file as a table.
pub fn inventory(assets: &[&Asset], profiles: &ProfileSet) -> Table {
    let header = inventory_header(assets);
    let tint = |asset: &Asset| match (asset.is_listed_only(), asset.why_unknown.is_empty()) {
        (true, _) => Tint::Other,
        (false, false) => Tint::Doubt,
        (false, true) => Tint::Plain,
    };
    let rows = assets.iter().map(|asset| (tint(asset), inventory_row(asset, &header, profiles))).collect();
    Table { name: "devices", header, rows }
}

/// Assets in one of the output shapes.
pub fn listing<'a>(assets: impl Iterator<Item = &'a Asset>, profiles: &ProfileSet, format: Format) -> String {
    match format {
        Format::Table => {
            let rows: Vec<_> = assets.map(row).collect();
            print::table(&["ID", "ADDRESS", "SPEAKS", "MANUFACTURER", "MODEL", "FIRMWARE", "PART", "GRADE", "HOW", "LAST SEEN"], &rows)
        }
        Format::Csv => {
            let assets: Vec<&Asset> = assets.collect();
            let header = inventory_header(&assets);
            let rows = assets.iter().map(|asset| print::csv_line(&inventory_row(asset, &header, profiles)));
            print::csv_line(&header) + &rows.collect::<String>()
        }
        Format::Ndjson | Format::Claims => assets.map(|asset| print::json_line(&DeviceLine::new(asset, profiles))).collect(),
    }
}

fn row(asset: &Asset) -> Vec<String> {
    let value = |field| {
        asset.shown(field).map(|current| {
            let mark = if current.conflicting.is_empty() { "" } else { " (!)" };
            format!("{}{mark}", current.standing.claim.value)
        })
    };
    let model = value(Field::Model).or_else(|| value(Field::ProductCode)).unwrap_or_default();
    let firmware = asset.shown(Field::FirmwareRevision);
    let (part, grade, how) = firmware.as_ref().map_or_else(Default::default, |current| {
        let standing = current.standing;
        (standing.claim.component.clone(), standing.claim.grade.name().to_owned(), way(&standing.source).to_owned())
    });
    vec![
        asset.id.clone(),
        asset.address().map(place).unwrap_or_default(),
        asset.speaks.keys().map(String::as_str).collect::<Vec<_>>().join(" "),
        value(Field::Manufacturer).unwrap_or_default(),
        model,
        value(Field::FirmwareRevision).unwrap_or_else(|| format!("unknown: {}", asset.why_unknown)),
        part,
        grade,
        how,
        if asset.is_listed_only() { "never, only in a sheet".to_owned() } else { rfc3339(asset.seen_ns.1) },
    ]
}

/// What `--as-of` says: a day (its end, UTC) or a time as nanoseconds since 1970.
///
/// # Errors
/// As [`moment`].
pub fn time_ns(text: &str) -> Result<u64, Failure> {
    moment("--as-of", text, "23:59:59.999999999")
}

/// A time as nanoseconds since 1970; of a day, that time of it, UTC. `option` is where it was given.
///
/// # Errors
/// Usage, with both forms that are understood.
pub fn moment(option: &str, text: &str, of_a_day: &str) -> Result<u64, Failure> {
    let full = if text.len() == "2026-03-02".len() { format!("{text}T{of_a_day}Z") } else { text.to_owned() };
    let parsed = humantime::parse_rfc3339(&full).ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let nanos = parsed.and_then(|since| u64::try_from(since.as_nanos()).ok());
    nanos.ok_or_else(|| Failure::new(Code::Usage, format!("{option} {text:?} is no date: write 2026-03-02 or 2026-03-02T10:15:30Z")))
}
