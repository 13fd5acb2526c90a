//! `nameplate listen`: captures in, devices or claims out. Sends nothing.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::observation::Source;
use nameplate_core::profile::ProfileSet;
use nameplate_core::wire::Malformed;
use nameplate_core::wire::conversation::Coverage;
use nameplate_core::wire::listen::{Event, Listener};
use nameplate_core::wire::modbus;
use nameplate_field::capture::{Capture, Item};

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

/// Read captures; sends nothing.
#[derive(Debug, Args)]
#[command(after_help = "Reads pcap and pcapng; - is standard input. A broken frame is a finding, counted and shown on standard error,\n\
                        never the end of the run. Without --state or --keep nothing is kept.\n\n\
                        Examples:\n  nameplate listen span.pcapng\n  nameplate listen span.pcapng --format claims | head\n  \
                        nameplate listen span.pcapng --against plant.csv\n  \
                        nameplate listen span.pcapng --keep && nameplate devices")]
pub struct Listen {
    /// Capture files, in the order of their time; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Keep what is heard in the catalog (implied by --state)
    #[arg(long)]
    keep: bool,
    /// A further TCP port on which Modbus is spoken, beside 502; may be repeated. Nothing is guessed from the shape of bytes
    #[arg(long = "modbus-port", value_name = "PORT")]
    modbus_ports: Vec<u16>,
    /// Compare this sheet with what the captures say and nothing else; nothing is kept. Exit code 6 when a row differs
    #[arg(long, value_name = "SHEET", conflicts_with = "keep")]
    against: Option<PathBuf>,
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
        let mut unreadable = None;
        for file in &self.files {
            if let Err(failure) = hear_file(file, &self.modbus_ports, format, &mut intake, &mut tally) {
                eprintln!("nameplate: {failure}");
                unreadable = Some(failure);
            }
        }
        // What was heard is shown even where it cannot be kept.
        let kept = intake.commit();
        if format != Format::Claims {
            let assets = intake.seen.iter().filter_map(|id| intake.view.catalog.asset(id));
            print::out(&devices::listing(assets, &profiles, format))?;
        }
        tally.report(&intake, keep);
        kept?;
        match unreadable {
            Some(_) => Err(Failure::new(Code::Input, "at least one file could not be read; what the others said stands above")),
            None => Ok(()),
        }
    }

    /// Compares a sheet with these captures. One that cannot be read ends it: what might stand there would look as if it was not seen.
    fn compare(&self, sheet: &Path, profiles: &ProfileSet, format: Format) -> Result<(), Failure> {
        let (sheet, _) = read_sheet(sheet)?;
        let mut intake = Intake::new(profiles, None)?;
        let mut tally = Tally::default();
        for file in &self.files {
            // Claims are not what was asked for.
            hear_file(file, &self.modbus_ports, Format::Table, &mut intake, &mut tally)?;
        }
        tally.report(&intake, false);
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        compare::against(&sheet, &intake.view.catalog, profiles, &files.join(", "), format)
    }
}

/// Listens to one file.
///
/// # Errors
/// A file that is no capture or cannot be read, or what the store or the output said.
pub fn hear_file(path: &Path, modbus_ports: &[u16], format: Format, intake: &mut Intake<'_>, tally: &mut Tally) -> Result<(), Failure> {
    let name = path.display().to_string();
    let cannot = |e: std::io::Error| Failure::input(&name, e);
    let capture = Capture::open(path).map_err(cannot)?;
    let total = capture.bytes_total;
    let mut listener = Listener::new(&modbus_ports.iter().map(|port| (*port, &modbus::PROTOCOL)).collect::<Vec<_>>());
    let (mut trouble, mut lost, mut broken) = (None, None, None);
    let frames_before = tally.frames;
    let mut on_event = |event: Event, intake: &mut Intake<'_>, tally: &mut Tally| {
        if let Err(failure) = hear(event, &name, format, intake, tally) {
            trouble.get_or_insert(failure);
        }
    };
    let read = capture.read(&mut |item| match item {
        Item::Frame(frame) => {
            tally.frames += 1;
            listener.frame(&frame, &mut |event| on_event(event, intake, tally));
        }
        Item::Malformed(malformed) => {
            tally.finding(&name, &format!("{malformed}"), &malformed);
            broken.get_or_insert(malformed);
        }
        Item::Lost(malformed) => lost = Some(malformed),
        Item::Progress(bytes) => progress(&name, bytes, total),
    });
    listener.finish(&mut |event| on_event(event, intake, tally));
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    read.map_err(cannot)?;
    if let Some(failure) = trouble {
        return Err(failure);
    }
    match (lost, broken) {
        (Some(malformed), _) if tally.frames == frames_before => Err(Failure::input(&name, malformed)),
        (Some(malformed), _) => Err(Failure::input(&name, format!("{malformed}; the rest of this file was not read"))),
        (None, Some(malformed)) if tally.frames == frames_before => Err(Failure::input(&name, malformed)),
        _ => Ok(()),
    }
}

fn hear(event: Event, file: &str, format: Format, intake: &mut Intake<'_>, tally: &mut Tally) -> Result<(), Failure> {
    match event {
        Event::Reading(reading) => {
            tally.readings += 1;
            let frame = reading.messages.last().map_or(0, |message| message.frame);
            for (index, malformed) in &reading.malformed {
                let frame = reading.messages.get(*index).map_or(frame, |message| message.frame);
                tally.finding(file, &format!("frame {frame}: {malformed}"), malformed);
            }
            let source = Source::Capture { file: file.to_owned(), frame };
            let taken = intake.take(&reading, source)?;
            if let Some((observation, said)) = taken.filter(|_| format == Format::Claims) {
                let lines = said.claims.iter().map(|claim| print::json_line(&ClaimLine::new(&observation, claim)));
                print::out(&lines.collect::<String>())?;
            }
        }
        Event::Present { protocol, role, speaker, at } => {
            let source = Source::Capture { file: file.to_owned(), frame: at.frame };
            intake.presence((protocol, role), &speaker, source, at.time_ns)?;
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
        let Self { frames, readings, gaps, gap_bytes, fragments, findings, coverage, undecoded } = self;
        let (devices, answers) = (print::count(intake.seen.len() as u64, "device"), print::count(*readings, "identity answer"));
        eprintln!("{}, {devices}, {answers}; nothing was sent", print::count(*frames, "frame"));
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
