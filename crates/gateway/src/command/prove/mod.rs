//! `nameplate prove`: the allowlist in print, and the proof that nothing else leaves.

mod referee;

use std::path::PathBuf;
use std::process;
use std::{env, fs};

use clap::Args;
use nameplate_core::observation::hex;
use nameplate_field::ask;
use nameplate_field::guard::{self, generate};
use nameplate_simulators::modbus::{Device, Fault, More, Persona};
use nameplate_simulators::report::Report;

use super::ask::{Run, touch_record};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::store::Store;
use crate::{print, profiles};
use referee::{Survivor, Verdict};

/// Scales the gaps towards the simulators on loopback; it is on record.
const TIME_FACTOR: f64 = 0.01;
/// Requests that one device may see in one reading (docs/read-only.md).
const REQUESTS_MAX: u32 = 8;

/// Print the allowlist of what may be sent, and prove it.
#[derive(Debug, Args)]
#[command(
    after_help = "Three steps. The allowlist is printed as the guard holds it. Simulated devices that trip on anything else, sound and\n\
                        hostile, are asked on loopback. Generated messages, allowed and forbidden from every cell of the allowlist, are\n\
                        handed to the guard; whatever survives is written to a capture and judged by tshark, which shares no code with us.\n\
                        Without tshark the third step is left to you: --capture keeps the survivors for another referee."
)]
pub struct Prove {
    /// How many messages to generate
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    messages: u64,
    /// Seed of the generator; the same seed makes the same messages
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Keep the capture of the survivors here
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Generate messages of this protocol alone, as the third step calls it (opcua, snmp-v3)
    #[arg(long, value_name = "PROTOCOL")]
    only: Option<String>,
    /// Print the allowlist and stop
    #[arg(long)]
    list: bool,
}

impl Prove {
    /// Runs the command.
    ///
    /// # Errors
    /// Code 6 as soon as one thing got through that must not.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        print::out(&allowlist())?;
        if self.list {
            return Ok(());
        }
        let directory = env::temp_dir().join(format!("nameplate-prove-{}", process::id()));
        fs::create_dir_all(&directory).map_err(|e| Failure::input(directory.display(), e))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::input("prove", e))?;
        let tripped = runtime.block_on(simulators(options, &directory));
        let judged = tripped.and_then(|()| self.generated(&directory));
        // Best effort: the system clears its temporary directory anyway.
        let _ = fs::remove_dir_all(&directory);
        judged
    }

    /// Third step: generated messages through the guard, survivors before the referee.
    fn generated(&self, directory: &std::path::Path) -> Result<(), Failure> {
        let wanted = |maker: &&&generate::Maker| self.only.as_deref().is_none_or(|only| only == maker.protocol);
        let makers: Vec<_> = generate::MAKERS.iter().filter(wanted).collect();
        if makers.is_empty() {
            return Err(Failure::new(Code::Usage, "--only: no messages of this protocol are generated"));
        }
        makers.into_iter().try_for_each(|maker| self.generated_in(maker, directory))
    }

    fn generated_in(&self, maker: &generate::Maker, directory: &std::path::Path) -> Result<(), Failure> {
        let row = referee::row(maker.protocol)?;
        let (mut messages, mut number, mut survivors) = (0, 0, Vec::new());
        while messages < self.messages {
            let made = maker.generate(self.seed, number).map_err(|e| Failure::new(Code::Failed, e.to_string()))?;
            messages += made.messages.len() as u64;
            let (out, _) = made.survivors();
            let messages_max = made.permit.limits().messages_max;
            survivors.extend(out.into_iter().map(|bytes| Survivor {
                conversation: number,
                granted: made.granted.clone(),
                messages_max,
                bytes,
            }));
            number += 1;
        }
        let protocol = maker.protocol;
        print::out(&format!("{protocol}: {messages} generated messages on {number} connections: {} left the guard\n", survivors.len()))?;
        let kept = self.capture.is_some();
        let path = self.capture.as_ref().map_or_else(|| directory.join("survivors.pcap"), |kept| of_protocol(kept, protocol));
        fs::write(&path, referee::capture(row, &survivors)).map_err(|e| Failure::input(path.display(), e))?;
        match referee::judge(row, &path, &survivors)? {
            Verdict::Clean { judge } => print::out(&format!("{judge} read all {} of them as allowed: 0 others\n", survivors.len())),
            Verdict::Objections(objections) => {
                objections.iter().for_each(|objection| eprintln!("{objection}"));
                Err(Failure::new(Code::Failed, format!("the referee objects to {} messages; see above", objections.len())))
            }
            Verdict::Absent if kept => {
                print::out(&format!("not judged: tshark is not installed; the survivors are in {}\n", path.display()))
            }
            Verdict::Absent => print::out("not judged: tshark is not installed; --capture FILE keeps the survivors for another referee\n"),
        }
    }
}

/// `survivors.pcap` becomes `survivors-modbus.pcap`: each protocol has a capture of its own.
fn of_protocol(kept: &std::path::Path, protocol: &str) -> PathBuf {
    let stem = kept.file_stem().unwrap_or_default().to_string_lossy();
    let ending = kept.extension().map_or_else(|| "pcap".into(), |ending| ending.to_string_lossy());
    kept.with_file_name(format!("{stem}-{protocol}.{ending}"))
}

/// First step.
fn allowlist() -> String {
    let rows: Vec<Vec<String>> = guard::allowlist()
        .iter()
        .map(|row| [row.protocol, row.question, &row.pattern, row.asks, &row.needs].map(str::to_owned).to_vec())
        .collect();
    let mut caps: Vec<String> = guard::allowlist().iter().map(|row| format!("{}, {}: {}\n", row.protocol, row.port, row.caps)).collect();
    caps.dedup();
    format!(
        "All that may leave towards a device (xx free, nn a length, cc check bytes; other letters: what the permit says literally):\n\n{}{}\n",
        print::table(&["PROTOCOL", "QUESTION", "BYTES", "ASKS", "ONLY WHERE"], &rows),
        caps.concat()
    )
}

/// Second step: every simulated device, sound and hostile, is asked everything that can be asked.
async fn simulators(options: &Options, directory: &std::path::Path) -> Result<(), Failure> {
    let profiles = profiles::load(options.profiles.as_deref())?;
    let mut intake = Intake::new(&profiles, Some(Store::write(directory)?))?;
    let cannot = |e: std::io::Error| Failure::input("a simulated device", e);
    let mut running = Vec::new();
    for fault in faults() {
        let persona = Persona::from_objects([(0, b"Maker".to_vec()), (1, b"MK-1".to_vec()), (2, b"V1.2".to_vec())]);
        let device = Device { fault, ..Device::new(persona) };
        running.push(device.start(Device::ANYWHERE).await.map_err(cannot)?);
    }
    let asks: Result<Vec<ask::Ask>, _> = running.iter().map(|device| device.address.to_string().parse()).collect();
    let asks = asks.map_err(|e| Failure::new(Code::Usage, format!("{e}")))?;
    Run::new(&mut intake, "PROVE", Format::Table).quiet().ask(asks, TIME_FACTOR, touch_record(directory)?).await?;
    let mut reports: Vec<Report> = Vec::new();
    for device in running {
        reports.push(device.stop().await);
    }
    let trips: Vec<_> = reports.iter().flat_map(|report| &report.trips).collect();
    let most = reports.iter().map(Report::requests).max().unwrap_or(0);
    let at_once = reports.iter().map(|report| report.most_at_once).max().unwrap_or(0);
    let requests: u32 = reports.iter().map(Report::requests).sum();
    print::out(&format!(
        "{} simulated devices, {} of them hostile: {requests} requests, at most {most} to one, at most {at_once} connection at a time, {} trips\n",
        reports.len(),
        reports.len() - 1,
        trips.len()
    ))?;
    for trip in &trips {
        eprintln!("{}: {}", trip.why, hex(&trip.bytes));
    }
    let all_asked = reports.iter().all(|report| report.connections() == 1);
    let sound = trips.is_empty() && most <= REQUESTS_MAX && at_once <= 1 && all_asked;
    if sound {
        Ok(())
    } else {
        Err(Failure::new(Code::Failed, "a simulated device was not asked, or something reached it that must not; see above"))
    }
}

/// No fault, and each that ends by itself.
fn faults() -> Vec<Option<Fault>> {
    let faults = [
        Fault::EndlessMore(More::Rising),
        Fault::EndlessMore(More::Repeating),
        Fault::FinMidPdu,
        Fault::AnswerTwice,
        Fault::AnswerBeforeQuestion,
        Fault::AnswersForever,
        Fault::WrongTransaction,
        Fault::WrongUnit,
        Fault::WrongProtocolId,
        Fault::ZeroBytes,
        Fault::LengthZero,
        Fault::LengthHuge,
        Fault::Silent,
        Fault::RstOnConnect,
        Fault::HostileText,
    ];
    std::iter::once(None).chain(faults.into_iter().map(Some)).collect()
}
