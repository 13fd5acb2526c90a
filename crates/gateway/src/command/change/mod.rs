//! `nameplate change`: a work order, read before and after, with its verdict.

mod asked;
mod choose;
pub mod drift;
mod follow;
pub mod heard;
mod open;
pub mod page;
pub mod plan;
mod read;
pub mod reads;
pub mod steps;
pub mod terms;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use nameplate_core::change::{self, Change, Event, Judged, Verdict, worst};
use nameplate_core::ledger::Body;

pub use asked::How;
pub use follow::{Following, follow};
pub use open::Open;
pub use read::Reader;
pub use reads::{after, before};
pub use steps::close;

use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::print;
use crate::profiles;
use crate::state;
use crate::store::{Draft, Store, now_ns};

/// Open, approve, read before, read after, verify and close a change; list and show them; what changed without one.
#[derive(Debug, Args)]
#[command(
    after_help = "A change is a work order with its scope, what is expected of it, a reading before and readings after. Devices are only\n\
                        read. In its window each device in scope has 12 readings of its own, at least 30 seconds apart, and may reboot.\n\
                        A change with rings (--ring) is approved by a second person, its rings open one after another, and each is verified\n\
                        by somebody other than its installer. It is closed when no device is left, or those that are have a reason.\n\n\
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
    Open(Box<Open>),
    /// Show what was agreed, how far each ring is, and what stands in its way
    Plan(Show),
    /// Agree to a change; not the one who opened it
    Approve(steps::Approve),
    /// Write down what was checked before the installation: backup, software, set, traces
    Check(Box<steps::Checked>),
    /// Open a ring, say that it is installed, verify it
    Ring(steps::RingStep),
    /// Read all its devices now, before anything is done to them
    Before(reads::Before),
    /// Wait until its devices are back, read them until they say the same several times, and compare
    After(reads::After),
    /// Say why devices are left: deferred, failed, mitigated
    Leave(steps::Leave),
    /// Close it with its verdict, when nothing is left undone
    Close(steps::Close),
    /// List all changes
    List,
    /// Show one change with its readings and verdicts
    Show(Show),
    /// What devices report otherwise than before, and no change expected
    Drift(drift::Drifts),
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
            Step::Open(step) => with_intake(options, |intake| step.run(intake, options)),
            Step::Plan(step) => step.plan(options),
            Step::Approve(step) => with_intake(options, |intake| step.run(intake)),
            Step::Check(step) => with_intake(options, |intake| step.run(intake)),
            Step::Ring(step) => with_intake(options, |intake| step.run(intake, options)),
            Step::Leave(step) => with_intake(options, |intake| step.run(intake)),
            Step::Drift(step) => step.run(options),
            Step::Before(step) => with_intake(options, |intake| step.run(intake, options)),
            Step::After(step) => with_intake(options, |intake| step.run(intake, options)),
            Step::Close(step) => with_intake(options, |intake| step.run(intake, options)),
            Step::List => print::out(&page::list(&changes(options)?, print::format(options))),
            Step::Show(step) => print::out(&page::show(find(&changes(options)?, &step.order)?, print::format(options))),
        }
    }
}

impl Show {
    fn plan(&self, options: &Options) -> Result<(), Failure> {
        let changes = changes(options)?;
        let change = find(&changes, &self.order)?;
        print::out(&plan::page(change, print::format(options), |ring| stopped_by(&changes, change, ring, now_ns())))
    }
}

/// What stops a ring that is not open from opening now.
pub fn stopped_by(changes: &change::Changes, change: &Change, ring: u32, now_ns: u64) -> Option<String> {
    let event = Event::RingOpened { order: change.plan.order.clone(), ring, by: change.plan.by.clone() };
    (!change.is_open(ring)).then(|| changes.allows(&event, now_ns).err()).flatten()
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
fn allowed(changes: &change::Changes, event: &Event) -> Result<(), Failure> {
    changes.allows(event, now_ns()).map_err(|why| Failure::new(Code::Usage, why))
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

/// A time that somebody wrote, in nanoseconds since 1970.
///
/// # Errors
/// Usage: it is none.
pub fn time_ns(flag: &str, text: &str) -> Result<u64, Failure> {
    let time = humantime::parse_rfc3339(text).ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let nanos = time.and_then(|since| u64::try_from(since.as_nanos()).ok());
    nanos.ok_or_else(|| Failure::new(Code::Usage, format!("{flag} {text:?} is no time: write 2026-03-02T22:00:00Z")))
}

fn with_intake(options: &Options, run: impl FnOnce(&mut Intake<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
    let profiles = profiles::load(options)?;
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
