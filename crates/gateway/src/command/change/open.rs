//! `nameplate change open`: what is going to change, written down before it does.

use std::path::PathBuf;

use clap::Args;
use nameplate_core::catalog::Catalog;
use nameplate_core::change::{Delta, Event, Place, Plan};
use nameplate_core::text::printable;

use super::super::ask::{Kept, Named, Site, keys};
use super::super::device::find;
use super::choose::Choice;
use super::terms::Agreed;
use super::time_ns;
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::print;
use crate::store::now_ns;

/// For each device in the scope the same is expected.
const EACH: &str = "*";
/// Devices of a pilot: as few as show that a release works here.
const PILOT_DEVICES_MAX: usize = 2;

/// Write down what is going to change.
#[derive(Debug, Args)]
#[command(
    after_help = "Devices are named by their ids from `nameplate devices`, or enough of the beginning. Every asset needs an expectation:\n\
                        ASSET:PART.FIELD=OLD->NEW; an empty OLD or NEW means that the field is not reported, ? for OLD that nobody knows it, * for ASSET\n\
                        each device in the scope.\n\n\
                        A device is asked as the site file has it, or in the first protocol that it was heard to serve and that can be asked; --way\n\
                        says more: --way via=snmp --way snmp-community-env=SITE. The plan keeps all of it but what leads to a secret.\n\n\
                        Example:\n  \
                        nameplate change open WO-4711 --asset a-12ab --neighbour a-34cd \\\n    \
                        --expect 'a-12ab:self.firmware_revision=2.60->2.70' \\\n    \
                        --from 2026-03-02T22:00:00Z --until 2026-03-03T02:00:00Z --by 'Ada Example'"
)]
pub struct Open {
    /// The work order's number, as it stands in your own system
    pub order: String,
    /// Devices that are to change
    #[arg(long, value_name = "ID", required_unless_present_any = ["ring", "query"], num_args = 1..)]
    pub asset: Vec<String>,
    /// Devices that must not change; they are read before and after, too
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub neighbour: Vec<String>,
    /// What must come of it: ASSET:PART.FIELD=OLD->NEW
    #[arg(long, value_name = "DELTA", required = true, num_args = 1..)]
    pub expect: Vec<String>,
    /// When the window opens, RFC 3339 in UTC [default: now]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// When the window closes
    #[arg(long, value_name = "TIME")]
    pub until: String,
    /// Who opens it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// What to ask over Modbus, in this order; private objects (a serial number, on some) need `extended`
    #[arg(long, value_enum, value_delimiter = ',')]
    pub question: Option<Vec<Named>>,
    /// The site file: it says how each device is asked, and lists all of them
    #[arg(long, value_name = "FILE")]
    pub site: Option<PathBuf>,
    /// How devices are asked: an option of `nameplate ask` without its dashes, such as via=s7comm, dnp3-master=3, s7-consent-001c; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub way: Vec<String>,
    #[command(flatten)]
    pub agreed: Agreed,
}

impl Open {
    /// Runs the command.
    ///
    /// # Errors
    /// A plan that cannot be carried out, a device that is not in the catalog, the state.
    pub fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        let (plan, notes) = self.plan(&intake.view.catalog, &Kept { state: options.state.clone(), writes: false })?;
        let event = Event::Opened(plan.clone());
        super::allowed(&intake.view.changes, &event)?;
        for note in notes {
            eprintln!("note: {}", printable(&note));
        }
        super::put(intake, event)?;
        eprintln!(
            "{} is open for {} and {}; next: nameplate change before {}",
            plan.order,
            print::count(plan.scope.len() as u64, "device"),
            print::count(plan.neighbours.len() as u64, "neighbour"),
            plan.order
        );
        Ok(())
    }

    /// The plan, and what is to be said of it that is no obstacle: devices that nobody can ask, values that are others in the catalog.
    ///
    /// # Errors
    /// A word that was not understood, a device that is not in the catalog.
    pub fn plan(&self, catalog: &Catalog, kept: &Kept) -> Result<(Plan, Vec<String>), Failure> {
        let site = self.site.as_deref().map(|path| Site::read(path, kept)).transpose()?;
        let mut keys = keys::of_words(&self.way)?;
        // Whatever is misspelt is said, also where no device of the change would be asked so.
        keys::ways(&keys).map_err(|failure| Failure::new(Code::Usage, format!("--way: {failure}")))?;
        if let (Some(questions), false) = (&self.question, keys.contains_key("modbus-profile")) {
            keys.insert("question".to_owned(), questions.iter().filter_map(|named| named.word()).collect());
        }
        let choice = Choice { site: site.as_ref(), keys: &keys, kept };
        let mut told = Vec::new();
        let mut place = |id: &String| {
            let (place, notes) = choice.place(find(catalog, id)?)?;
            told.extend(notes);
            Ok::<Place, Failure>(place)
        };
        let named = self.agreed.scope(catalog)?;
        let scope = self.asset.iter().chain(named.iter().filter(|id| !self.asset.iter().any(|own| id.starts_with(own.as_str()))));
        let scope: Vec<Place> = scope.map(&mut place).collect::<Result<_, _>>()?;
        let neighbours = self.neighbour.iter().map(&mut place).collect::<Result<_, _>>()?;
        let deltas = |text: &String| -> Result<Vec<Delta>, Failure> {
            let delta: Delta = text.parse().map_err(|why| Failure::new(Code::Usage, format!("--expect {why}")))?;
            if delta.asset == EACH {
                return Ok(scope.iter().map(|place| Delta { asset: place.asset.clone(), ..delta.clone() }).collect());
            }
            Ok(vec![Delta { asset: find(catalog, &delta.asset)?.id.clone(), ..delta }])
        };
        let expected = self.expect.iter().map(deltas).collect::<Result<Vec<_>, _>>()?.concat();
        let plan = Plan {
            order: self.order.clone(),
            scope,
            neighbours,
            expected,
            questions: Vec::new(),
            from_ns: self.from.as_deref().map_or_else(|| Ok(now_ns()), |text| time_ns("--from", text))?,
            until_ns: time_ns("--until", &self.until)?,
            by: self.by.clone(),
            terms: self.agreed.terms(catalog)?,
        };
        told.extend(notes(&plan, catalog));
        Ok((plan, told))
    }
}

/// What the catalog says otherwise than the order: not an obstacle, the reading before decides.
fn notes(plan: &Plan, catalog: &Catalog) -> Vec<String> {
    let note = |delta: &Delta| {
        let asset = catalog.asset(&delta.asset)?;
        let current = asset.current(&delta.component, delta.field);
        let value = current.map(|current| current.standing.claim.value.clone());
        if delta.from_unknown && value != delta.to {
            return None;
        }
        if value == delta.to {
            let value = value.unwrap_or_else(|| "not reported".to_owned());
            return Some(format!("{} is already at {value} ({}), as far as is known", delta.asset, delta.key()));
        }
        let known = value.as_ref().map_or_else(|| "unknown".to_owned(), |value| format!("{value:?}"));
        (value != delta.from).then(|| format!("{} of {} is {known} in the catalog; the order says {delta}", delta.key(), delta.asset))
    };
    let pilot = plan.terms.rings.first().filter(|ring| plan.terms.rings.len() > 1 && ring.assets.len() > PILOT_DEVICES_MAX);
    let pilot = pilot.map(|ring| format!("ring {} has {} devices; a pilot is one or two that matter less", ring.name, ring.assets.len()));
    plan.expected.iter().filter_map(note).chain(pilot).collect()
}
