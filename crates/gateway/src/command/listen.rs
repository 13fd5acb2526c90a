//! `nameplate listen`: captures or an interface in, devices or claims out. Sends nothing.

mod choice;
pub mod live;
mod tally;
mod told;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::blind::{self, BlindSpot};
use nameplate_core::happening::{Admission, Happening, What};
use nameplate_core::observation::{Address, Observation, Source, rfc3339};
use nameplate_core::profile::{Interpretation, ProfileSet};
use nameplate_core::wire::Malformed;
use nameplate_core::wire::conversation::Protocol;
use nameplate_core::wire::filter::Filter;
use nameplate_core::wire::listen::{Event, Listener};
use nameplate_core::wire::{modbus, protocols};
use nameplate_field::capture::{Capture, Item, timeline};

pub use tally::Tally;

use super::{change, compare, devices};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::lines::{ClaimLine, place};
use crate::output::Output;
use crate::store::Store;
use crate::{print, profiles, sheet, state};

/// Observations whose claims wait until all was heard: a segment has hundreds of such devices, and each says a handful of things.
const OBSERVATIONS_WAITING_MAX: usize = 10_000;

/// A server port and the protocol that is spoken there.
#[derive(Clone, Copy, Debug)]
struct DecodeAs(u16, &'static Protocol);

fn decode_as(text: &str) -> Result<DecodeAs, String> {
    let (port, name) = text.split_once('=').ok_or("give PORT=PROTOCOL, as in 10502=modbus")?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(|| format!("{port:?} is no port (1 to 65535)"))?;
    let has_ports = |protocol: &&Protocol| !(protocol.tcp.is_empty() && protocol.udp.is_empty());
    let known = || protocols::ALL.iter().copied().filter(has_ports).map(|p| p.name).collect::<Vec<_>>().join(", ");
    let named = protocols::named(name).filter(has_ports);
    named.map(|protocol| DecodeAs(port, protocol)).ok_or_else(|| format!("{name:?} is spoken on no port here; {} are", known()))
}

/// Listen to captures or on an interface: who is there, and which firmware it told; sends nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Reads pcap and pcapng, also packed with gzip or Zstandard; - is standard input. Several files are one timeline, by the time of \
                        their frames. A protocol is known by its bytes, not by its port alone.\n\n\
                        First come the devices with what they told about themselves, and why a firmware is unknown; then the blind spots: who answers \
                        and told no firmware, with the question that would settle it. Only the table shows them apart; in ndjson they are `settled_by`. \
                        On standard error: what was done to devices, broken frames (a finding is never the end of the run), how many messages of each \
                        protocol were decoded.\n\n\
                        Without --state or --keep nothing is kept.\n\n\
                        -i listens on a mirror port (Linux). It takes the capability CAP_NET_RAW (setcap cap_net_raw+ep FILE, or start it as \
                        root) and gives it up before it reads a frame. At the end it says how many frames the kernel had to drop.\n\n\
                        Examples:\n  nameplate listen span.pcapng\n  nameplate listen ring-*.pcap.gz\n  \
                        zstdcat span.pcap.zst | nameplate listen -\n  \
                        nameplate listen span.pcapng --format claims | head\n  \
                        nameplate listen span.pcapng --decode-as 10502=modbus\n  \
                        nameplate listen span.pcapng --against plant.csv\n  \
                        nameplate listen span.pcapng --keep && nameplate devices\n  \
                        nameplate listen -i eth1 --keep --duration 8h\n  \
                        nameplate listen -i eth1 --net 10.20.0.0/16 --port 502 --format claims"
)]
pub struct Listen {
    /// Capture files; - for standard input
    #[arg(required_unless_present = "interface", conflicts_with = "interface", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Keep what is heard in the catalog, with the messages it was read from (implied by --state)
    #[arg(long)]
    keep: bool,
    /// A further TCP port on which Modbus is spoken, beside 502: the same as --decode-as PORT=modbus; may be repeated
    #[arg(long = "modbus-port", value_name = "PORT")]
    modbus_ports: Vec<u16>,
    /// A server port (TCP or UDP) and what is spoken there, as in 10502=modbus; may be repeated. Needed only where the bytes could be
    /// something else: protocols that cannot be mistaken are found on any port
    #[arg(long, value_name = "PORT=PROTOCOL", value_parser = decode_as)]
    decode_as: Vec<DecodeAs>,
    /// Compare this sheet with what these captures say, not with the catalog; nothing is kept. Exit code 6 when a row differs
    #[arg(long, value_name = "SHEET", conflicts_with_all = ["keep", "interface"])]
    against: Option<PathBuf>,
    #[command(flatten)]
    live: live::Interface,
    /// The zone in which it is heard, where addresses repeat from zone to zone (192.168.0.5 in each of a dozen cells): part of where a device is. Give
    /// the same one each time
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    #[command(flatten)]
    choice: choice::Choice,
}

/// A zone's name, as it goes into the ledger.
///
/// # Errors
/// Usage: it is empty, or longer than a name.
pub fn zone(name: Option<&str>) -> Result<Option<String>, Failure> {
    /// Bytes of a zone's name; it stands in each observation.
    const ZONE_BYTES_MAX: usize = 128;
    let name = name.map(str::trim);
    if name.is_some_and(|name| name.is_empty() || name.len() > ZONE_BYTES_MAX) {
        return Err(Failure::new(Code::Usage, format!("--zone takes a name of 1 to {ZONE_BYTES_MAX} bytes")));
    }
    Ok(name.map(str::to_owned))
}

impl Listen {
    /// Runs the command.
    ///
    /// # Errors
    /// A file that is no capture, a profile that is not valid, the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        if let Some(sheet) = &self.against {
            return self.compare(sheet, &profiles, print::format(options));
        }
        let keep = self.keep || options.state.is_some();
        let store = if keep { Some(Store::write(&state::directory(options.state.as_ref())?)?) } else { None };
        let mut intake = Intake::new(&profiles, store)?;
        intake.zone = zone(self.zone.as_deref())?;
        let drifted = if keep { change::drift::known(&intake.view) } else { Vec::new() };
        let format = print::format(options);
        let mut tally = Tally::default();
        let filter = self.choice.filter();
        let heard = match &self.live.interface {
            Some(interface) => self.live.hear(interface, &self.also(), &filter, format, &mut intake, &mut tally),
            None => hear_files(&self.files, &self.also(), &filter, format, &mut intake, &mut tally),
        };
        // What was heard is shown even where it cannot be kept.
        let kept = intake.commit();
        intake.settle();
        if format != Format::Claims {
            let assets = intake.seen.iter().filter_map(|id| intake.view.catalog.asset(id));
            print::out(&devices::listing(assets, &profiles, format))?;
        }
        if format == Format::Table {
            print::out(&blind_spots(&intake))?;
        }
        tally.report(&intake, keep);
        if keep {
            change::drift::flag(&drifted, &intake.view);
        }
        // What went wrong first is said: that nothing more was kept follows from it.
        heard.and(kept)
    }

    /// Ports that the user names.
    fn also(&self) -> Vec<(u16, &'static Protocol)> {
        let named = self.decode_as.iter().map(|named| (named.0, named.1));
        self.modbus_ports.iter().map(|port| (*port, &modbus::PROTOCOL)).chain(named).collect()
    }

    /// Compares a sheet with these captures. One that cannot be read ends it: what might stand there would look as if it was not seen.
    fn compare(&self, sheet: &Path, profiles: &ProfileSet, format: Format) -> Result<(), Failure> {
        let (sheet, _) = sheet::read(sheet, None)?.told(sheet);
        let mut intake = Intake::new(profiles, None)?;
        let mut tally = Tally::default();
        // Claims are not what was asked for.
        hear_files(&self.files, &self.also(), &self.choice.filter(), Format::Table, &mut intake, &mut tally)?;
        intake.settle();
        tally.report(&intake, false);
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        files.iter().for_each(|file| intake.view.looked.listened(file));
        compare::against(&sheet, &intake.view, profiles, &files.join(", "), format, &Output::default())
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
            if !filter.passes(frame) {
                tally.passed_over += 1;
                return;
            }
            last = file;
            tally.frames += 1;
            listener.frame(frame, &mut |event| on_event(event, file, intake, tally));
        }
        Item::Malformed(malformed) => {
            tally.finding(&names[file], &format!("{malformed}"), &malformed);
            heard[file].broken.get_or_insert(malformed);
        }
        Item::Lost(malformed) => heard[file].lost = Some(malformed),
        Item::Progress(bytes) => progress(&names[file], bytes, totals[file]),
    };
    timeline(captures, &mut on_item, &mut |file, e| failures.push(Failure::input(&names[file], e)));
    tally.followed = listener.followed();
    listener.finish(&mut |event| on_event(event, last, intake, tally));
    tell(std::mem::take(&mut tally.waiting), intake)?;
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
        let address = asset.address().map(place).unwrap_or_default();
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

/// The claims of one observation, a line each.
fn claim_lines(observation: &Observation, said: &Interpretation, intake: &Intake<'_>) -> String {
    said.claims.iter().map(|claim| print::json_line(&ClaimLine::new(observation, claim, &intake.view.catalog))).collect()
}

/// Prints claims that waited.
fn tell(waited: impl IntoIterator<Item = (Observation, Interpretation)>, intake: &Intake<'_>) -> Result<(), Failure> {
    waited.into_iter().try_for_each(|(observation, said)| print::out(&claim_lines(&observation, &said, intake)))
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
            Self::File(file) => Source::Capture { file: file.to_owned().into(), frame },
            Self::Interface(interface) => Source::Live { interface: interface.to_owned().into(), frame },
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
            if let Some((observation, mut said)) = taken.filter(|_| format == Format::Claims) {
                said.claims.retain(|claim| tally.told.is_news(&observation, claim));
                // A BACnet device on this segment may be heard through its router later: then it is told with that way, too.
                let may_be_routed = observation.address.ip.is_none() && observation.address.instance.is_some();
                if said.claims.is_empty() {
                    return Ok(());
                }
                if may_be_routed && tally.waiting.len() < OBSERVATIONS_WAITING_MAX {
                    tally.waiting.push((observation, said));
                } else {
                    print::out(&claim_lines(&observation, &said, intake))?;
                }
            }
        }
        Event::Present { protocol, over, role, speaker, at } => {
            intake.presence((protocol, over, role), &speaker, at_place.source(at.frame), at.time_ns)?;
        }
        Event::Happened { protocol, happening, device, by, at } => {
            let (what, by) = (What::from(happening), by.as_ref().map(Address::from));
            let happening = Happening {
                by: by.clone(),
                device: (&device).into(),
                protocol: protocol.to_owned(),
                source: at_place.source(at.frame),
                time_ns: at.time_ns,
                what,
            };
            let (time, device) = (rfc3339(at.time_ns), place(&happening.device));
            let by = by.map(|by| format!(", by {}", place(&by))).unwrap_or_default();
            let full = if intake.done(happening)? == Admission::Full { "; not kept, that day has as many as are kept" } else { "" };
            eprintln!("{time} {device}: {} ({protocol}{by}, {file}, frame {}){full}", what.text(), at.frame);
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

fn progress(name: &str, bytes: u64, total: Option<u64>) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let mib = bytes / (1024 * 1024);
        let share = total.filter(|total| *total > 0).map(|total| format!(", {} %", bytes.saturating_mul(100) / total)).unwrap_or_default();
        // Progress that cannot be shown is not worth ending the run for.
        let _ = write!(stderr, "\r{name}: {mib} MiB{share}\x1b[K");
    }
}
