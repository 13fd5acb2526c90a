//! `change before` and `change after`: the devices of a change are read, or what was heard of them counts.

use std::path::PathBuf;

use clap::Args;
use nameplate_core::change::{Change, Event, Judged, Place, Try};
use nameplate_core::view::View;

use super::heard::{Listening, heard};
use super::{Following, How, Reader, allowed, block_on, directory, find, follow, judged, page, put, time_ns};
use crate::cli::Options;
use crate::command::ask::{Kept, Site, keys, touch_record};
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::print;

/// Whose rules hold.
#[derive(Debug, Args)]
struct Under {
    /// The site file: whom nobody may contact, windows, blackouts and budgets hold as for `ask`; it has to list each device of the change
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// Where no site file has it: an option of `nameplate ask` that leads to a secret or to an owner's consent, without its dashes, such as
    /// snmp-community-env=SITE. No plan keeps these, so they are said for each reading; may be repeated
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "site")]
    way: Vec<String>,
}

impl Under {
    fn how(&self, time_factor: f64, options: &Options) -> Result<How, Failure> {
        let kept = Kept { state: options.state.clone(), writes: true };
        let site = self.site.as_deref().map(|path| Site::read(path, &kept)).transpose()?;
        let anew = keys::of_words(&self.way)?;
        if let Some(key) = anew.keys().find(|key| !keys::is_said_anew(key)) {
            return Err(Failure::new(Code::Usage, format!("--way {key}: how devices are asked was settled when the change was opened")));
        }
        Ok(How { time_factor, site, anew, kept })
    }
}

/// Nothing is asked.
#[derive(Debug, Args)]
struct Passive {
    /// Ask nobody: what was heard of each device counts (`nameplate listen --keep`)
    #[arg(long)]
    heard: bool,
    /// Heard from this time on, RFC 3339 in UTC [default: the beginning of the window; after: the reading before]
    #[arg(long, value_name = "TIME", requires = "heard")]
    since: Option<String>,
    /// Heard up to this time [default: now]
    #[arg(long, value_name = "TIME", requires = "heard")]
    until: Option<String>,
}

impl Passive {
    fn listening(&self) -> Result<Option<Listening>, Failure> {
        let time = |flag, text: &Option<String>| text.as_deref().map(|text| time_ns(flag, text)).transpose();
        let listening = Listening { since_ns: time("--since", &self.since)?, until_ns: time("--until", &self.until)?, asked: false };
        Ok(self.heard.then_some(listening))
    }
}

/// How the devices of a change are read.
#[derive(Debug, Args)]
pub struct Before {
    /// The work order
    order: String,
    /// The ring, from 1; needed where the change has rings
    #[arg(long, value_name = "N")]
    ring: Option<u32>,
    #[command(flatten)]
    passive: Passive,
    #[command(flatten)]
    under: Under,
    /// Scale the gaps between messages and readings; accepted for loopback targets alone, and on record
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_factor: f64,
}

/// How long devices are followed.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0: every device is as expected. 6: one is not, or no serial number proves that it is the same device and\n\
                        nobody accepted that. 4: nothing could be read, refused on our side.\n\n\
                        With --heard nothing is asked: an identity that a device told somebody else counts, and one is enough.\n\n\
                        Examples:\n  nameplate change after WO-4711 --patience 900\n  nameplate change after WO-4711 --heard"
)]
pub struct After {
    /// The work order
    order: String,
    /// The ring, from 1; needed where the change has rings
    #[arg(long, value_name = "N")]
    ring: Option<u32>,
    /// So many readings in a row must be equal
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10))]
    equal: u32,
    /// How long a device may be silent before we give up
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    patience: u64,
    /// Who accepts that no serial number proves the identity; neither who opened the change nor who installed
    #[arg(long, value_name = "NAME")]
    accept_unproven: Option<String>,
    #[command(flatten)]
    passive: Passive,
    #[command(flatten)]
    under: Under,
    /// Scale gaps and patience; accepted for loopback targets alone, and on record
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_factor: f64,
}

impl Before {
    pub(super) fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        let tries = match self.passive.listening()? {
            Some(listening) => before_heard(intake, (&self.order, self.ring), &listening)?,
            None => block_on(before(intake, (&self.order, self.ring), &self.under.how(self.time_factor, options)?))?,
        };
        let change = find(&intake.view.changes, &self.order)?;
        print::out(&page::before(change, &tries, print::format(options)))?;
        match tries.iter().filter(|one| one.nameplate().is_none()).count() {
            0 => Ok(()),
            unread => Err(Failure::new(
                Code::NoAnswer,
                format!(
                    "{} could not be read; read before again, or there will be no verdict on it",
                    print::count(unread as u64, "device")
                ),
            )),
        }
    }
}

impl After {
    pub(super) fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        let following = Following { equal: self.equal, patience_s: self.patience, accepted_by: self.accept_unproven.clone() };
        let of = (self.order.as_str(), self.ring);
        let verdicts = match self.passive.listening()? {
            Some(listening) => after_heard(intake, of, &listening, self.accept_unproven.clone())?,
            None => block_on(after(intake, of, &following, &self.under.how(self.time_factor, options)?))?,
        };
        let change = find(&intake.view.changes, &self.order)?;
        print::out(&page::verdicts(change, &verdicts, print::format(options)))?;
        judged(&verdicts, self.accept_unproven.as_deref())
    }
}

/// The places of a ring, its scope and the neighbours.
pub fn places(change: &Change, ring: Option<u32>) -> (Vec<&Place>, Vec<&Place>) {
    let own = |place: &&Place| change.plan.ring_of(&place.asset) == Some(ring.unwrap_or(1));
    (change.plan.scope.iter().filter(own).collect(), change.plan.neighbours.iter().collect())
}

/// Reads scope and neighbours of a ring once and puts it into the ledger.
///
/// # Errors
/// A step that is not allowed; the guard's refusal of all of it, of which nothing is written; the state.
pub async fn before(intake: &mut Intake<'_>, (order, ring): (&str, Option<u32>), how: &How) -> Result<Vec<Try>, Failure> {
    let order = order.to_owned();
    allowed(&intake.view.changes, &Event::Before { order: order.clone(), ring, tries: Vec::new() })?;
    let change = find(&intake.view.changes, &order)?.clone();
    let directory = directory(intake)?;
    let mut reader = Reader::new(intake, &change, touch_record(&directory)?, how)?;
    // One reading of each; what stands in the way is the gap to an earlier reading, and that is waited out.
    let once = Following { equal: 1, patience_s: 0, accepted_by: None };
    let (scope, neighbours) = places(&change, ring);
    let tries = follow(&mut reader, (&scope, &neighbours), &once, how.time_factor).await?;
    put(intake, Event::Before { order, ring, tries: tries.clone() })?;
    Ok(tries)
}

/// Waits until the devices of a ring are back, reads them, puts it into the ledger and judges.
///
/// # Errors
/// As [`before`].
pub async fn after(
    intake: &mut Intake<'_>,
    (order, ring): (&str, Option<u32>),
    following: &Following,
    how: &How,
) -> Result<Vec<Judged>, Failure> {
    let Following { equal, accepted_by, .. } = following.clone();
    let event = |tries| Event::After { order: order.to_owned(), ring, equal, tries, accepted_by: accepted_by.clone() };
    allowed(&intake.view.changes, &event(Vec::new()))?;
    let change = find(&intake.view.changes, order)?.clone();
    let directory = directory(intake)?;
    let mut reader = Reader::new(intake, &change, touch_record(&directory)?, how)?;
    let (scope, neighbours) = places(&change, ring);
    let tries = follow(&mut reader, (&scope, &neighbours), following, how.time_factor).await?;
    put(intake, event(tries))?;
    Ok(find(&intake.view.changes, order)?.verdicts_of(ring.unwrap_or(1)))
}

fn before_heard(intake: &mut Intake<'_>, of: (&str, Option<u32>), listening: &Listening) -> Result<Vec<Try>, Failure> {
    let event = before_of(&intake.view, of, listening)?;
    let Event::Before { tries, .. } = &event else { return Ok(Vec::new()) };
    let tries = tries.clone();
    put(intake, event)?;
    Ok(tries)
}

fn after_heard(
    intake: &mut Intake<'_>,
    (order, ring): (&str, Option<u32>),
    listening: &Listening,
    accepted_by: Option<String>,
) -> Result<Vec<Judged>, Failure> {
    let event = after_of(&intake.view, (order, ring), listening, accepted_by)?;
    put(intake, event)?;
    Ok(find(&intake.view.changes, order)?.verdicts_of(ring.unwrap_or(1)))
}

/// The reading before of a ring, of what is known already; nobody is asked.
///
/// # Errors
/// A step that is not allowed.
pub fn before_of(view: &View, (order, ring): (&str, Option<u32>), listening: &Listening) -> Result<Event, Failure> {
    let event = |tries| Event::Before { order: order.to_owned(), ring, tries };
    allowed(&view.changes, &event(Vec::new()))?;
    let change = find(&view.changes, order)?;
    let (scope, neighbours) = places(change, ring);
    let since = listening.since_ns.unwrap_or(change.plan.from_ns);
    Ok(event(heard(&view.catalog, scope.into_iter().chain(neighbours), since, listening)))
}

/// The reading after of a ring, of what is known already; nobody is asked.
///
/// # Errors
/// A step that is not allowed.
pub fn after_of(
    view: &View,
    (order, ring): (&str, Option<u32>),
    listening: &Listening,
    accepted_by: Option<String>,
) -> Result<Event, Failure> {
    // One identity that was told somebody else is enough: nobody can be made to tell it again.
    let event = |tries| Event::After { order: order.to_owned(), ring, equal: 1, tries, accepted_by: accepted_by.clone() };
    allowed(&view.changes, &event(Vec::new()))?;
    let change = find(&view.changes, order)?;
    let (scope, neighbours) = places(change, ring);
    let read = change.before.iter().rfind(|step| step.ring == ring.unwrap_or(1));
    let read = read.and_then(|step| step.tries.iter().map(|one| one.time_ns).max());
    let since = listening.since_ns.or(read).unwrap_or(change.plan.from_ns);
    Ok(event(heard(&view.catalog, scope.into_iter().chain(neighbours), since, listening)))
}
