//! `nameplate listen`: captures or an interface in, devices or claims out. Sends nothing.

mod choice;
mod live;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::blind::{self, BlindSpot};
use nameplate_core::observation::Source;
use nameplate_core::profile::ProfileSet;
use nameplate_core::wire::Malformed;
use nameplate_core::wire::conversation::{Coverage, Protocol};
use nameplate_core::wire::filter::Filter;
use nameplate_core::wire::listen::{Event, Listener};
use nameplate_core::wire::{modbus, protocols};
use nameplate_field::capture::live::Counters;
use nameplate_field::capture::{Capture, Item, timeline};

use super::import::read_sheet;
use super::{compare, devices};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::lines::{ClaimLine, place};
use crate::store::Store;
use crate::{print, profiles, state};

/// Findings of one kind that are printed in full; the rest is counted.
const FINDINGS_SHOWN_MAX: usize = 5;

/// A server port and the protocol that is spoken there.
#[derive(Clone, Copy, Debug)]
struct DecodeAs(u16, &'static Protocol);

fn decode_as(text: &str) -> Result<DecodeAs, String> {
    let (port, name) = text.split_once('=').ok_or("give PORT=PROTOCOL, as in 10502=modbus")?;
    let port = port.parse().map_err(|_| format!("{port:?} is no port (1 to 65535)"))?;
    let known = || protocols::ALL.iter().filter(|p| p.link.is_empty()).map(|p| p.name).collect::<Vec<_>>().join(", ");
    protocols::named(name).map(|protocol| DecodeAs(port, protocol)).ok_or_else(|| format!("{name:?} is not read here; {} are", known()))
}

/// Read captures, or listen on an interface; sends nothing.
#[derive(Debug, Args)]
#[command(after_help = "Reads pcap and pcapng, also packed with gzip or Zstandard; - is standard input. Several files are one\n\
                        timeline, by the time of their frames. A broken frame is a finding, counted and shown on standard error,\n\
                        never the end of the run. Without --state or --keep nothing is kept.\n\n\
                        -i listens on a mirror port (Linux). It takes the capability CAP_NET_RAW (setcap\n\
                        cap_net_raw+ep FILE, or start it as root) and gives it up before it reads a frame. At the end it\n\
                        says how many frames the kernel had to drop.\n\n\
                        Examples:\n  nameplate listen span.pcapng\n  nameplate listen span.pcapng --format claims | head\n  \
                        nameplate listen span.pcapng --against plant.csv\n  \
                        nameplate listen span.pcapng --keep && nameplate devices\n  \
                        nameplate listen -i eth1 --keep --duration 8h\n  \
                        nameplate listen -i eth1 --net 10.20.0.0/16 --port 502 --format claims")]
pub struct Listen {
    /// Capture files; - for standard input
    #[arg(required_unless_present = "interface", conflicts_with = "interface", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Keep what is heard in the catalog (implied by --state)
    #[arg(long)]
    keep: bool,
    /// A further TCP port on which Modbus is spoken, beside 502; may be repeated
    #[arg(long = "modbus-port", value_name = "PORT")]
    modbus_ports: Vec<u16>,
    /// A server port and what is spoken there, `PORT=PROTOCOL`; may be repeated. Protocols that cannot be mistaken are found on any port
    #[arg(long, value_name = "PORT=PROTOCOL", value_parser = decode_as)]
    decode_as: Vec<DecodeAs>,
    /// Compare this sheet with what the captures say and nothing else; nothing is kept. Exit code 6 when a row differs
    #[arg(long, value_name = "SHEET", conflicts_with_all = ["keep", "interface"])]
    against: Option<PathBuf>,
    #[command(flatten)]
    live: live::Interface,
    #[command(flatten)]
    choice: choice::Choice,
}

impl Listen {
    /// Runs the command.
    ///
    /// # Errors
    /// A file that is no capture, a profile that is not valid, the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options.profiles.as_deref())?;
        if let Some(sheet) = &self.against {
            return self.compare(sheet, &profiles, print::format(options));
        }
        let keep = self.keep || options.state.is_some();
        let store = if keep { Some(Store::write(&state::directory(options.state.as_ref())?)?) } else { None };
        let mut intake = Intake::new(&profiles, store)?;
        let format = print::format(options);
        let mut tally = Tally::default();
        let filter = self.choice.filter();
        let heard = match &self.live.interface {
            Some(interface) => self.live.hear(interface, &self.also(), &filter, format, &mut intake, &mut tally),
            None => hear_files(&self.files, &self.also(), &filter, format, &mut intake, &mut tally),
        };
        // What was heard is shown even where it cannot be kept.
        let kept = intake.commit();
        if format != Format::Claims {
            let assets = intake.seen.iter().filter_map(|id| intake.view.catalog.asset(id));
            print::out(&devices::listing(assets, &profiles, format))?;
        }
        if format == Format::Table {
            print::out(&blind_spots(&intake))?;
        }
        tally.report(&intake, keep);
        kept?;
        heard
    }

    /// Ports that the user names.
    fn also(&self) -> Vec<(u16, &'static Protocol)> {
        let named = self.decode_as.iter().map(|named| (named.0, named.1));
        self.modbus_ports.iter().map(|port| (*port, &modbus::PROTOCOL)).chain(named).collect()
    }

    /// Compares a sheet with these captures. One that cannot be read ends it: what might stand there would look as if it was not seen.
    fn compare(&self, sheet: &Path, profiles: &ProfileSet, format: Format) -> Result<(), Failure> {
        let (sheet, _) = read_sheet(sheet)?;
        let mut intake = Intake::new(profiles, None)?;
        let mut tally = Tally::default();
        // Claims are not what was asked for.
        hear_files(&self.files, &self.also(), &self.choice.filter(), Format::Table, &mut intake, &mut tally)?;
        tally.report(&intake, false);
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        compare::against(&sheet, &intake.view.catalog, profiles, &files.join(", "), format)
    }
}

/// Listens to captures as one timeline. A file that cannot be read is told at once; the others go on.
///
/// # Errors
/// That at least one file could not be read, or what the store or the output said.
pub fn hear_files(
    files: &[PathBuf],
    also: &[(u16, &'static Protocol)],
    filter: &Filter,
    format: Format,
    intake: &mut Intake<'_>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut unreadable = 0;
    let mut cannot = |failure: Failure| {
        eprintln!("nameplate: {failure}");
        unreadable += 1;
    };
    let (mut names, mut captures) = (Vec::new(), Vec::new());
    for file in files {
        let name = file.display().to_string();
        match Capture::open(file) {
            Ok(capture) => {
                captures.push(capture);
                names.push(name);
            }
            Err(e) => cannot(Failure::input(&name, e)),
        }
    }
    let totals: Vec<Option<u64>> = captures.iter().map(|capture| capture.bytes_total).collect();
    let mut heard: Vec<Heard> = names.iter().map(|_| Heard::default()).collect();
    let (mut listener, mut trouble, mut last) = (Listener::new(also), None, 0);
    let mut on_event = |event: Event, file: usize, intake: &mut Intake<'_>, tally: &mut Tally| {
        if let Some(name) = names.get(file)
            && let Err(failure) = hear(event, Place::File(name), format, intake, tally)
        {
            trouble.get_or_insert(failure);
        }
    };
    let mut failures = Vec::new();
    let mut on_item = |file: usize, item: Item<'_>| match item {
        Item::Frame(frame) => {
            heard[file].frames += 1;
            if !filter.passes(&frame) {
                tally.passed_over += 1;
                return;
            }
            last = file;
            tally.frames += 1;
            listener.frame(&frame, &mut |event| on_event(event, file, intake, tally));
        }
        Item::Malformed(malformed) => {
            tally.finding(&names[file], &format!("{malformed}"), &malformed);
            heard[file].broken.get_or_insert(malformed);
        }
        Item::Lost(malformed) => heard[file].lost = Some(malformed),
        Item::Progress(bytes) => progress(&names[file], bytes, totals[file]),
    };
    timeline(captures, &mut on_item, &mut |file, e| failures.push(Failure::input(&names[file], e)));
    listener.finish(&mut |event| on_event(event, last, intake, tally));
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    failures.extend(names.iter().zip(heard).filter_map(|(name, heard)| heard.failure(name)));
    failures.into_iter().for_each(&mut cannot);
    match trouble {
        Some(failure) => Err(failure),
        None if unreadable > 0 => Err(Failure::new(Code::Input, "at least one file could not be read; what the others said stands above")),
        None => Ok(()),
    }
}

/// Who answers and did not tell his firmware, with the question that would settle it.
fn blind_spots(intake: &Intake<'_>) -> String {
    let spots = blind::spots(intake.seen.iter().filter_map(|id| intake.view.catalog.asset(id)));
    if spots.is_empty() {
        return String::new();
    }
    let rows = spots.iter().map(|BlindSpot { asset, question }| {
        let (asks, over, bytes) = question.map_or(("no question of ours", "", ""), |q| (q.asks, q.over, q.bytes));
        let address = asset.addresses.last().map(place).unwrap_or_default();
        [asset.id.as_str(), &address, asks, over, bytes].map(str::to_owned).to_vec()
    });
    let said = print::count(spots.len() as u64, "device");
    let table = print::table(&["ID", "ADDRESS", "WOULD BE SETTLED BY", "OVER", "BYTES"], &rows.collect::<Vec<_>>());
    format!("\nBlind spots: {said} answered something and did not tell a firmware. Nothing was asked.\n{table}")
}

/// What a file gave.
#[derive(Default)]
struct Heard {
    frames: u64,
    lost: Option<Malformed>,
    broken: Option<Malformed>,
}

impl Heard {
    fn failure(self, name: &str) -> Option<Failure> {
        match (self.lost, self.broken) {
            (Some(malformed), _) if self.frames == 0 => Some(Failure::input(name, malformed)),
            (Some(malformed), _) => Some(Failure::input(name, format!("{malformed}; the rest of this file was not read"))),
            (None, Some(malformed)) if self.frames == 0 => Some(Failure::input(name, malformed)),
            _ => None,
        }
    }
}

/// Where something was heard.
#[derive(Clone, Copy)]
enum Place<'a> {
    File(&'a str),
    Interface(&'a str),
}

impl<'a> Place<'a> {
    const fn name(self) -> &'a str {
        let (Self::File(name) | Self::Interface(name)) = self;
        name
    }

    fn source(self, frame: u64) -> Source {
        match self {
            Self::File(file) => Source::Capture { file: file.to_owned(), frame },
            Self::Interface(interface) => Source::Live { interface: interface.to_owned(), frame },
        }
    }
}

fn hear(event: Event, at_place: Place<'_>, format: Format, intake: &mut Intake<'_>, tally: &mut Tally) -> Result<(), Failure> {
    let file = at_place.name();
    match event {
        Event::Reading(reading) => {
            tally.readings += 1;
            let frame = reading.messages.last().map_or(0, |message| message.frame);
            for (index, malformed) in &reading.malformed {
                let frame = reading.messages.get(*index).map_or(frame, |message| message.frame);
                tally.finding(file, &format!("frame {frame}: {malformed}"), malformed);
            }
            let taken = intake.take(&reading, at_place.source(frame))?;
            if let Some((observation, said)) = taken.filter(|_| format == Format::Claims) {
                let lines = said.claims.iter().map(|claim| print::json_line(&ClaimLine::new(&observation, claim)));
                print::out(&lines.collect::<String>())?;
            }
        }
        Event::Present { protocol, role, speaker, at } => {
            intake.presence((protocol, role), &speaker, at_place.source(at.frame), at.time_ns)?;
        }
        Event::Happened { protocol, happening, device, at } => {
            eprintln!("{file}: frame {}: {protocol}: {happening:?} at {}", at.frame, place(&(&device).into()));
        }
        Event::Covered { protocol, coverage } => tally.covers(protocol, coverage),
        Event::Malformed { at, malformed, .. } => tally.finding(file, &format!("frame {}: {malformed}", at.frame), &malformed),
        Event::Gap { bytes, .. } => {
            tally.gaps += 1;
            tally.gap_bytes = tally.gap_bytes.saturating_add(bytes);
        }
        Event::Fragment { .. } => tally.fragments += 1,
        Event::Undecoded { link, .. } => *tally.undecoded.entry(link.0).or_default() += 1,
    }
    Ok(())
}

/// What a run met besides devices.
#[derive(Default)]
pub struct Tally {
    /// Frames that were read.
    pub frames: u64,
    /// Frames that were not to be listened to.
    passed_over: u64,
    /// What the kernel counted on an interface.
    counted: Option<(String, Counters)>,
    readings: u64,
    gaps: u64,
    gap_bytes: u64,
    fragments: u64,
    findings: BTreeMap<(&'static str, &'static str), u64>,
    coverage: BTreeMap<&'static str, Coverage>,
    undecoded: BTreeMap<u32, u64>,
}

impl Tally {
    fn covers(&mut self, protocol: &'static str, more: Coverage) {
        let coverage = self.coverage.entry(protocol).or_default();
        coverage.seen = coverage.seen.saturating_add(more.seen);
        coverage.decoded = coverage.decoded.saturating_add(more.decoded);
    }

    fn finding(&mut self, file: &str, text: &str, malformed: &Malformed) {
        let count = self.findings.entry((malformed.layer, malformed.said_by)).or_default();
        *count += 1;
        if *count <= FINDINGS_SHOWN_MAX as u64 {
            eprintln!("{file}: {text}");
        }
    }

    fn report(&self, intake: &Intake<'_>, keep: bool) {
        let Self { frames, passed_over, counted, readings, gaps, gap_bytes, fragments, findings, coverage, undecoded } = self;
        let (devices, answers) = (print::count(intake.seen.len() as u64, "device"), print::count(*readings, "identity answer"));
        eprintln!("{}, {devices}, {answers}; nothing was sent", print::count(*frames, "frame"));
        if *passed_over > 0 {
            eprintln!("{} not to be listened to", print::count(*passed_over, "further frame"));
        }
        if let Some((interface, Counters { received, dropped, frozen })) = counted {
            let received = print::count(*received, "frame");
            eprintln!(
                "{interface}: {received} received, {dropped} dropped by the kernel; the ring was full {}",
                print::count(*frozen, "time")
            );
        }
        for (protocol, Coverage { seen, decoded }) in coverage {
            eprintln!("{protocol}: {decoded} of {seen} messages decoded");
        }
        for ((layer, rule), count) in findings.iter().filter(|(_, count)| **count > FINDINGS_SHOWN_MAX as u64) {
            eprintln!("{count} findings in {layer}: {rule}");
        }
        if *gaps > 0 {
            eprintln!("{gaps} gaps in followed connections, {gap_bytes} bytes were not captured");
        }
        if *fragments > 0 {
            eprintln!("{fragments} IP fragments were not decoded");
        }
        for (link, count) in undecoded {
            eprintln!("{count} frames of link type {link} were not decoded");
        }
        if keep {
            eprintln!("{} new to the catalog", print::count(intake.kept as u64, "observation"));
        }
    }
}

fn progress(name: &str, bytes: u64, total: Option<u64>) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let mib = bytes / (1024 * 1024);
        let share = total.filter(|total| *total > 0).map(|total| format!(", {} %", bytes.saturating_mul(100) / total)).unwrap_or_default();
        // Progress that cannot be shown is not worth ending the run for.
        let _ = write!(stderr, "\r{name}: {mib} MiB{share}\x1b[K");
    }
}
