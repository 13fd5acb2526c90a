//! `nameplate change`: a work order, read before and after, with its verdict.

mod follow;
mod open;
pub mod page;
mod read;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use nameplate_core::change::{self, Change, Event, Judged, Try, Verdict, worst};
use nameplate_core::ledger::Body;

pub use follow::{Following, follow};
pub use open::Open;
pub use read::{How, Reader};

use super::ask::{Kept, Site, touch_record};
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::print;
use crate::profiles;
use crate::state;
use crate::store::{Draft, Store, now_ns};

/// Open, read before, read after, close a change; list and show them.
#[derive(Debug, Args)]
#[command(
    after_help = "A change is a work order with its scope, what is expected of it, a reading before and readings after. Devices are only\n\
                        read. In its window each device in scope has 12 readings of its own, at least 30 seconds apart, and may reboot.\n\n\
                        Examples:\n  \
                        nameplate change open WO-4711 --asset a-12ab --neighbour a-34cd \\\n    \
                        --expect 'a-12ab:self.firmware_revision=2.60->2.70' \\\n    \
                        --from 2026-03-02T22:00:00Z --until 2026-03-03T02:00:00Z --by 'Ada Example'\n  \
                        nameplate change before WO-4711\n  \
                        nameplate change after WO-4711\n  \
                        nameplate change close WO-4711 --by 'Ada Example'"
)]
pub struct Changes {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Write down what is going to change, where, when, and what is expected of it
    Open(Open),
    /// Read all its devices now, before anything is done to them
    Before(Before),
    /// Wait until its devices are back, read them until they say the same several times, and compare
    After(After),
    /// Close it with its verdict
    Close(Close),
    /// List all changes
    List,
    /// Show one change with its readings and verdicts
    Show(Show),
}

/// Whose rules hold.
#[derive(Debug, Args)]
struct Under {
    /// The site file: whom nobody may contact, windows, blackouts and budgets hold as for `ask`; it has to list each device of the change over Modbus
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
}

impl Under {
    fn how(&self, time_factor: f64, options: &Options) -> Result<How, Failure> {
        let kept = Kept { state: options.state.clone(), writes: true };
        let site = self.site.as_deref().map(|path| Site::read(path, &kept)).transpose()?;
        Ok(How { time_factor, site })
    }
}

/// How the devices of a change are read.
#[derive(Debug, Args)]
struct Before {
    /// The work order
    order: String,
    #[command(flatten)]
    under: Under,
    /// Scale the gaps between messages and readings; accepted for loopback targets alone, and on record
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_factor: f64,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0: every device is as expected. 6: one is not, or no serial number proves that it is the same device and\n\
                        nobody accepted that. 4: nothing could be read, refused on our side.\n\n\
                        Example:\n  nameplate change after WO-4711 --patience 900"
)]
struct After {
    /// The work order
    order: String,
    /// So many readings in a row must be equal
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10))]
    equal: u32,
    /// How long a device may be silent before we give up
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    patience: u64,
    /// Who accepts that no serial number proves the identity; not the one who opened the change
    #[arg(long, value_name = "NAME")]
    accept_unproven: Option<String>,
    #[command(flatten)]
    under: Under,
    /// Scale gaps and patience; accepted for loopback targets alone, and on record
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_factor: f64,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  nameplate change close WO-4711 --by 'Ada Example'")]
struct Close {
    /// The work order
    order: String,
    /// Who closes it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Who accepts that no serial number proves the identity; not the one who opened the change
    #[arg(long, value_name = "NAME")]
    accept_unproven: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  nameplate change show WO-4711 --format ndjson")]
struct Show {
    /// The work order
    order: String,
}

impl Changes {
    /// Runs the command.
    ///
    /// # Errors
    /// A step that is not allowed, the state, the guard's refusal, or a verdict that is not as expected.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        match &self.step {
            Step::Open(step) => with_intake(options, |intake| step.run(intake)),
            Step::Before(step) => with_intake(options, |intake| step.run(intake, options)),
            Step::After(step) => with_intake(options, |intake| step.run(intake, options)),
            Step::Close(step) => with_intake(options, |intake| step.run(intake, options)),
            Step::List => print::out(&page::list(&changes(options)?, print::format(options))),
            Step::Show(step) => print::out(&page::show(find(&changes(options)?, &step.order)?, print::format(options))),
        }
    }
}

impl Before {
    fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        let tries = block_on(before(intake, &self.order, &self.under.how(self.time_factor, options)?))?;
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
    fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        let following = Following { equal: self.equal, patience_s: self.patience, accepted_by: self.accept_unproven.clone() };
        let verdicts = block_on(after(intake, &self.order, &following, &self.under.how(self.time_factor, options)?))?;
        let change = find(&intake.view.changes, &self.order)?;
        print::out(&page::verdicts(change, &verdicts, print::format(options)))?;
        judged(&verdicts, self.accept_unproven.as_deref())
    }
}

impl Close {
    fn run(&self, intake: &mut Intake<'_>, options: &Options) -> Result<(), Failure> {
        let (verdicts, accepted_by) = close(intake, &self.order, &self.by, self.accept_unproven.as_deref())?;
        let change = find(&intake.view.changes, &self.order)?;
        print::out(&page::verdicts(change, &verdicts, print::format(options)))?;
        judged(&verdicts, accepted_by.as_deref())
    }
}

/// Reads scope and neighbours once and puts it into the ledger.
///
/// # Errors
/// A step that is not allowed; the guard's refusal of all of it, of which nothing is written; the state.
pub async fn before(intake: &mut Intake<'_>, order: &str, how: &How) -> Result<Vec<Try>, Failure> {
    let order = order.to_owned();
    allowed(intake, &Event::Before { order: order.clone(), tries: Vec::new() })?;
    let change = find(&intake.view.changes, &order)?.clone();
    let directory = directory(intake)?;
    let mut reader = Reader::new(intake, &change, touch_record(&directory)?, how)?;
    // One reading of each; what stands in the way is the gap to an earlier reading, and that is waited out.
    let once = Following { equal: 1, patience_s: 0, accepted_by: None };
    let tries = follow(&mut reader, &change.plan, &once, how.time_factor).await?;
    put(intake, Event::Before { order, tries: tries.clone() })?;
    Ok(tries)
}

/// Waits until the devices are back, reads them, puts it into the ledger and judges.
///
/// # Errors
/// As [`before`].
pub async fn after(intake: &mut Intake<'_>, order: &str, following: &Following, how: &How) -> Result<Vec<Judged>, Failure> {
    let event = |tries| Event::After { order: order.to_owned(), equal: following.equal, tries, accepted_by: following.accepted_by.clone() };
    allowed(intake, &event(Vec::new()))?;
    let change = find(&intake.view.changes, order)?.clone();
    let directory = directory(intake)?;
    let mut reader = Reader::new(intake, &change, touch_record(&directory)?, how)?;
    let tries = follow(&mut reader, &change.plan, following, how.time_factor).await?;
    put(intake, event(tries))?;
    Ok(find(&intake.view.changes, order)?.verdicts())
}

/// Closes a change: its verdicts, and who accepted an identity that is not proven.
///
/// # Errors
/// A step that is not allowed, or the state.
pub fn close(intake: &mut Intake<'_>, order: &str, by: &str, accepted_by: Option<&str>) -> Result<(Vec<Judged>, Option<String>), Failure> {
    let change = find(&intake.view.changes, order)?;
    let verdicts = change.verdicts();
    let accepted_by = accepted_by.map(str::to_owned).or_else(|| change.after.last().and_then(|step| step.accepted_by.clone()));
    let event = Event::Closed {
        order: order.to_owned(),
        by: by.to_owned(),
        verdict: worst(&verdicts),
        verdicts: verdicts.clone(),
        accepted_by: accepted_by.clone(),
        rests_on: change.rests_on(),
    };
    allowed(intake, &event)?;
    put(intake, event)?;
    Ok((verdicts, accepted_by))
}

fn directory(intake: &Intake<'_>) -> Result<PathBuf, Failure> {
    let store = intake.store().ok_or_else(|| Failure::new(Code::Usage, "a change needs a state directory"))?;
    Ok(store.directory().to_owned())
}

/// Writes a step, durably.
fn put(intake: &mut Intake<'_>, event: Event) -> Result<u64, Failure> {
    let index = intake.say(Draft::new(now_ns(), Body::Change(event)))?;
    intake.commit()?;
    Ok(index)
}

/// A step that the ledger would only remark on is not written.
fn allowed(intake: &Intake<'_>, event: &Event) -> Result<(), Failure> {
    intake.view.changes.allows(event).map_err(|why| Failure::new(Code::Usage, why))
}

fn find<'a>(changes: &'a change::Changes, order: &str) -> Result<&'a Change, Failure> {
    changes
        .get(order)
        .ok_or_else(|| Failure::new(Code::Usage, format!("no change was opened for work order {order:?}; see `nameplate change list`")))
}

/// The end of a command that gave verdicts: 6 where one is not as expected.
fn judged(verdicts: &[Judged], accepted_by: Option<&str>) -> Result<(), Failure> {
    match (worst(verdicts), accepted_by) {
        (Verdict::AsExpected, _) | (Verdict::IdentityNotProven, Some(_)) => Ok(()),
        (Verdict::IdentityNotProven, None) => {
            let why = "as expected, but no serial number proves the identity; a second person who has seen the device may accept that with --accept-unproven NAME";
            Err(Failure::new(Code::Failed, why))
        }
        (verdict, _) => Err(Failure::new(Code::Failed, format!("the change is not as expected: {}", verdict.text()))),
    }
}

fn with_intake(options: &Options, run: impl FnOnce(&mut Intake<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
    let profiles = profiles::load(options.profiles.as_deref())?;
    let directory = state::directory(options.state.as_ref())?;
    run(&mut Intake::new(&profiles, Some(Store::write(&directory)?))?)
}

fn changes(options: &Options) -> Result<change::Changes, Failure> {
    let directory = state::directory(options.state.as_ref())?;
    Ok(Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default().changes)
}

fn block_on<T>(story: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::input("change", e))?;
    runtime.block_on(story)
}
