//! `nameplate demo`: the story on a simulated plant on this machine.

mod proof;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, SystemTime};

use clap::Args;
use nameplate_core::catalog::{Asset, Recorded};
use nameplate_core::claim::Field;
use nameplate_core::observation::Source;
use nameplate_core::profile::{Example, ProfileSet, Said};
use nameplate_core::wire::filter::Filter;
use nameplate_core::wire::modbus;
use nameplate_field::ask;
use nameplate_simulators::modbus::{Fault, More, Persona};
use nameplate_simulators::plant::{Account, Layout, Place, Plant};
use nameplate_simulators::scada;
use nameplate_simulators::tap::Station;

use super::ask::{Run, touch_record};
use super::listen::{Tally, hear_files};
use super::{devices, explain};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::store::Store;
use crate::{print, profiles};

/// Devices of the plant: a name and the profile whose first example it is made of.
const DEVICES: [(&str, &str); 4] = [
    ("serial gateway", "lantronix/xport"),
    ("feeder meter", "schneider-electric/powerlogic-pm710"),
    ("network analyser", "entes/mpr-63"),
    ("energy meter", "abb/stotz-kontakt-29"),
];
/// Unit that every simulated device answers to.
const UNIT: u8 = 1;
/// Scales the gaps between devices (5 s) and messages (200 ms): a demonstration on loopback need not take a minute. It is on record.
const TIME_FACTOR: f64 = 0.02;
/// What stands as the reason in the touch record.
const REASON: &str = "DEMO-1";

/// Show the whole story on a simulated plant on this machine.
#[derive(Debug, Args)]
#[command(after_help = "Six simulated devices listen on 127.0.0.1: four from profile examples, one without an identity, one hostile. A\n\
                        simulated SCADA master polls them, and what passes is recorded. The demo listens to that capture, asks the same\n\
                        devices, compares, explains one value down to its bytes, approves a release, follows two changes, and writes\n\
                        and checks a bundle of evidence. Nothing leaves this machine. The state is kept in a directory of its own and\n\
                        removed at the end (the bundle stays); --state is not used, simulated devices have no place in it.")]
pub struct Demo {
    /// End after the story; otherwise the plant stays up until Ctrl-C, for you to try things on
    #[arg(long)]
    once: bool,
}

impl Demo {
    /// Runs the command.
    ///
    /// # Errors
    /// Anything that goes wrong in the story: then the product does not work on this machine.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        let directory = env::temp_dir().join(format!("nameplate-demo-{}", process::id()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::input("demo", e))?;
        let told = runtime.block_on(self.story(&profiles, &directory));
        // Best effort: the system clears its temporary directory anyway.
        let _ = fs::remove_dir_all(&directory);
        told
    }

    async fn story(&self, profiles: &ProfileSet, directory: &Path) -> Result<(), Failure> {
        let cannot = |e: std::io::Error| Failure::input("the simulated plant", e);
        let mut plant = Plant::start(places(profiles)?, layout()).await.map_err(cannot)?;
        let addresses = plant.addresses();
        print::out(&format!("A simulated plant of {} devices on this machine; nothing leaves it.\n", addresses.len()))?;
        for (name, address) in &addresses {
            print::out(&format!("  {address}  {name}\n"))?;
        }
        plant.heard().await;
        let mut intake = Intake::new(profiles, Some(Store::write(directory)?))?;
        listen(&plant, directory, &mut intake, profiles)?;
        ask_all(&addresses, directory, &mut intake, profiles).await?;
        compare(&intake)?;
        let store = Store::read(directory)?.ok_or_else(|| Failure::input(directory.display(), "the state is gone"))?;
        print::out("\n4  Explain. Every value goes back to a rule, an observation and its bytes.\n\n")?;
        let explained = intake.view.catalog.assets().find(|asset| asset.profile.as_deref() == Some(DEVICES[0].1));
        let explained = explained.ok_or_else(|| Failure::new(Code::Failed, "the gateway was not recognised"))?;
        print::out(&explain::story(explained, &[Field::FirmwareRevision], &store, profiles)?)?;
        let flashed = proof::tell(&plant, &mut intake, profiles).await?;
        // From here on the state is free: for the export, and for whoever tries things on it.
        drop((intake, store));
        proof::bundle(directory, &proof::bundle_path())?;
        if !self.once {
            print::out(&format!("The plant stays up until Ctrl-C. Try, in another terminal:\n{}", hints(&addresses, directory)))?;
            tokio::signal::ctrl_c().await.map_err(|e| Failure::input("Ctrl-C", e))?;
        }
        undisturbed(&plant.stop().await, &flashed)
    }
}

/// The six devices: four by their profiles, one without identity, one hostile.
fn places(profiles: &ProfileSet) -> Result<Vec<Place>, Failure> {
    let mut personas = Vec::new();
    for (name, id) in DEVICES {
        personas.push((name, persona(profiles, id)?, None));
    }
    personas.push(("pump controller without identity", Persona::without_identity(), None));
    let hostile = Persona::from_objects([(0, b"Hostile".to_vec()), (1, b"\x1b[2J".to_vec())]);
    personas.push(("hostile device: \"more follows\" for ever", hostile, Some(Fault::EndlessMore(More::Rising))));
    let place = |(index, (name, persona, fault)): (u8, (&str, Persona, Option<Fault>))| Place {
        name: name.to_owned(),
        persona: Persona { unit: Some(UNIT), ..persona },
        fault,
        station: station(index),
        asks: vec![scada::Ask::Identification(2)],
    };
    Ok((1..).zip(personas).map(place).collect())
}

/// Where a device really listens, with a hardware address that is nobody's (locally administered).
fn station(index: u8) -> Station {
    Station { mac: [0x02, 0x4e, 0x50, 0, 0, index], ip: Ipv4Addr::LOCALHOST }
}

fn layout() -> Layout {
    Layout {
        master: station(0xfe),
        asker: station(0xfd),
        interval: Duration::from_millis(20),
        patience: Duration::from_secs(2),
        started: SystemTime::now(),
    }
}

/// First step: the capture that the run recorded.
fn listen(plant: &Plant, directory: &Path, intake: &mut Intake<'_>, profiles: &ProfileSet) -> Result<(), Failure> {
    let path: PathBuf = directory.join("demo.pcap");
    fs::write(&path, plant.capture()).map_err(|e| Failure::input(path.display(), e))?;
    let ports: Vec<_> = plant.addresses().iter().map(|(_, address)| (address.port(), &modbus::PROTOCOL)).collect();
    let mut tally = Tally::default();
    hear_files(std::slice::from_ref(&path), &ports, &Filter::default(), Format::Table, intake, &mut tally)?;
    intake.commit()?;
    intake.settle();
    print::out(&format!(
        "\n1  Listen. A SCADA master works with the plant; {} frames were recorded, nothing was sent by us.\n\n",
        tally.frames
    ))?;
    print::out(&devices::listing(intake.view.catalog.assets(), profiles, Format::Table))
}

/// Second step: the same devices, asked.
async fn ask_all(
    addresses: &[(String, SocketAddr)],
    directory: &Path,
    intake: &mut Intake<'_>,
    profiles: &ProfileSet,
) -> Result<(), Failure> {
    let asks: Result<Vec<ask::Ask>, _> = addresses.iter().map(|(_, address)| format!("{address}/{UNIT}").parse()).collect();
    let asks = asks.map_err(|e| Failure::new(Code::Usage, format!("{e}")))?;
    print::out("\n2  Ask. The same devices, one question each, every byte through the guard and on record first.\n\n")?;
    let mut run = Run::new(intake, REASON, Format::Table);
    let touched = run.ask(asks, TIME_FACTOR, touch_record(directory)?).await?;
    let (refused, unanswered) = (run.refused, run.unanswered);
    intake.touched()?;
    intake.settle();
    print::out(&devices::listing(intake.view.catalog.assets(), profiles, Format::Table))?;
    print::out(&format!("\ntouched: {touched}\n"))?;
    // The hostile one alone gives no sound answer.
    if (refused, unanswered) == (0, 1) {
        return Ok(());
    }
    Err(Failure::new(Code::Failed, format!("{refused} devices were refused and {unanswered} gave no answer; 0 and 1 were expected")))
}

/// Third step: what was heard and what was said on asking is the same, field by field.
fn compare(intake: &Intake<'_>) -> Result<(), Failure> {
    let (mut agreeing, mut fields, mut differing) = (0, 0, Vec::new());
    for asset in intake.view.catalog.assets() {
        let (heard, asked) = (latest(asset, false), latest(asset, true));
        for (what, value) in &asked {
            match heard.get(what) {
                Some(said) if said == value => fields += 1,
                other => differing.push(format!("{}: {} was heard as {other:?} and asked as {value:?}", asset.id, what.1.name())),
            }
        }
        agreeing += usize::from(!asked.is_empty() && heard == asked);
    }
    print::out(&format!("\n3  Compare. Heard and asked agree on {agreeing} devices, {fields} fields.\n"))?;
    if differing.is_empty() && agreeing >= DEVICES.len() { Ok(()) } else { Err(Failure::new(Code::Failed, differing.join("\n"))) }
}

/// The latest value of each field by one of the two ways.
fn latest(asset: &Asset, asked: bool) -> BTreeMap<(String, Field), String> {
    let way = |recorded: &&Recorded| matches!(recorded.source, Source::Asked { .. }) == asked;
    asset.claims.iter().filter(way).map(|r| ((r.claim.component.clone(), r.claim.field), r.claim.value.clone())).collect()
}

fn hints(addresses: &[(String, SocketAddr)], directory: &Path) -> String {
    let state = directory.display();
    let first = addresses.first().map(|(_, address)| address.to_string()).unwrap_or_default();
    format!(
        "  nameplate devices --state {state}\n  nameplate ask {first}/{UNIT} --dry-run\n  \
         nameplate ask {first}/{UNIT} --reason TRY --state {state}\n"
    )
}

/// Last word: the plant's own account of what reached it. A device that reboots drops its master, too; that is not our doing.
fn undisturbed(accounts: &[Account], flashed: &[&str]) -> Result<(), Failure> {
    let trips: usize = accounts.iter().map(|account| account.report.trips.len()).sum();
    let standing = accounts.iter().filter(|account| account.service.answers > 0 && !flashed.contains(&account.name.as_str()));
    let dropped: u64 = standing.map(|account| account.service.sessions_dropped).sum();
    let served: u64 = accounts.iter().map(|account| account.service.answers).sum();
    print::out(&format!(
        "\nThe plant's own account: {served} polls of its SCADA master were answered, {dropped} of its sessions were lost where nothing \
         was flashed; {trips} messages arrived that must not.\n"
    ))?;
    if trips == 0 && dropped == 0 { Ok(()) } else { Err(Failure::new(Code::Failed, "the plant was disturbed")) }
}

/// The device of a profile's first decoded example.
fn persona(set: &ProfileSet, id: &str) -> Result<Persona, Failure> {
    let of_example = |example: &Example| match &example.said {
        Said::Decoded { objects, server_id } => Some(Persona { server_id: server_id.clone(), ..Persona::from_objects(objects.clone()) }),
        Said::Frame(_) => None,
    };
    let profile = set.get(id).ok_or_else(|| Failure::new(Code::Usage, format!("no profile is called {id:?}")))?;
    let found = profile.examples.iter().find_map(of_example);
    found.ok_or_else(|| Failure::new(Code::Usage, format!("{id} has no decoded example to make a device of")))
}
