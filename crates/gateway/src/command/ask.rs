//! `nameplate ask`: read-only questions, each byte through the guard.

mod chassis;
mod http;
pub mod keys;
mod kinds;
mod masters;
mod opcua;
mod prepared;
mod reboots;
mod secret;
mod sel;
mod site;
mod snmp;
mod ways;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use nameplate_core::catalog::Catalog;
use nameplate_core::claim::Field;
use nameplate_core::hazard::{Hazard, hazard, safety_system};
use nameplate_core::observation::{Source, hex};
use nameplate_core::text::printable;
use nameplate_core::wire::Mac;
use nameplate_field::ask::{self, Event, PlannedMessage, Reason, Settings, Spent, What};
use nameplate_field::guard::Endpoint;
use nameplate_field::site::Rules;
use nameplate_field::touch::{Kind, Line, Summary, TouchRecord};
use nameplate_field::uptime::News;

pub use self::opcua::Kept;
pub use self::prepared::{Prepared, prepared};
pub use self::site::{Area, Site, same};
pub use self::ways::{Named, Ways};
use super::change::drift;
use super::devices;
use super::listen::zone;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::lines::ClaimLine;
use crate::store::Store;
use crate::{print, profiles, state};

/// Ask devices, read-only, every byte through the guard.
#[derive(Debug, Args)]
#[command(
    after_help = "A TARGET is an address, with the port where it is not the protocol's own, and behind a slash what the protocol has there: a\n\
                        Modbus unit, a BACnet instance, a DNP3 link address, rack and slot of an S7 CPU (see --via). 192.0.2.10,\n\
                        192.0.2.10:502/1, [2001:db8::10]/1; on a serial line serial:/dev/ttyUSB0@9600-8N1/17 (19200-8E1 where it is left\n\
                        out); on layer 2 dcp:eth1/00:1b:1b:02:e5:2e. One device each: no names, no ranges, nothing is swept.\n\n\
                        Every message is on record (touch.ndjson in the state directory) before it leaves. Per device: one connection,\n\
                        one request in flight, a handful of requests, 10 seconds (20 where there is a session), at most 12 readings a day\n\
                        30 seconds apart; a device that failed is left alone for a while. See docs/read-only.md.\n\n\
                        Examples:\n  nameplate ask 192.0.2.10 --dry-run\n  nameplate ask 192.0.2.10 192.0.2.11:502/1 --reason WO-4711\n  \
                        nameplate ask 192.0.2.20 --via enip --reason WO-4711\n  \
                        nameplate ask 192.0.2.30/0.2 --via s7comm --reason WO-4711\n  \
                        nameplate ask --site north.toml --reason WO-4711            (docs/site.md)"
)]
pub struct Ask {
    /// Devices to ask
    #[arg(value_name = "TARGET", required_unless_present_any = ["targets", "site"])]
    target: Vec<String>,
    /// A file with a target a line; # starts a comment
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// The site file: devices by zone, whom nobody may contact, windows and blackouts. Asks all its devices, or the TARGETs among them, each as the
    /// file has it or by its name there
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "Ways"])]
    site: Option<PathBuf>,
    /// Print what a firewall has to let through for the site file, one rule a line; open nothing
    #[arg(long, requires = "site")]
    firewall: bool,
    /// The zone in which it is asked, where addresses repeat from zone to zone; as with `listen --zone`
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// The work order or other reason; it stands in every line of the touch record
    #[arg(long, required_unless_present_any = ["dry_run", "firewall"])]
    reason: Option<String>,
    /// Print every byte that would be sent and what it means; open nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    ways: Ways,
    /// Scale the gaps between messages and readings; accepted for loopback targets alone, and on record
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_factor: f64,
}

impl Ask {
    /// Runs the command.
    ///
    /// # Errors
    /// A target that is none, the state, the guard's refusal, a device that did not answer.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let kept = Kept { state: options.state.clone(), writes: !self.dry_run && !self.firewall };
        let site = self.site.as_deref().map(|path| Site::read(path, &kept)).transpose()?;
        if let Some(site) = site.as_ref().filter(|_| self.firewall) {
            return print::out(&site.firewall());
        }
        let asks = site.as_ref().map_or_else(|| self.asks(&kept), |site| site.asks(&self.target))?;
        let rules = site.map(|site| site.rules).unwrap_or_default();
        if self.dry_run {
            let asks = self.hazards_of(contactable(asks, &rules), options)?;
            let planned = ask::plan(&asks).map_err(|refused| Failure::new(Code::Refused, refused.to_string()))?;
            return print::out(&(self.budgets(&asks, &rules, options)? + &dry_run(&planned)));
        }
        let profiles = profiles::load(options)?;
        let directory = state::directory(options.state.as_ref())?;
        let mut intake = Intake::new(&profiles, Some(Store::write(&directory)?))?;
        intake.zone = zone(self.zone.as_deref())?;
        let touch = touch_record(&directory)?;
        let (format, drifted) = (print::format(options), drift::known(&intake.view));
        let mut run = Run::new(&mut intake, self.reason.as_deref().unwrap_or_default(), format).under(rules);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::input("ask", e))?;
        let touched = runtime.block_on(run.ask(asks, self.time_factor, touch))?;
        let Run { refused, unanswered, upset, .. } = run;
        // What was read is shown even where it cannot be kept: the devices were touched for it.
        let kept = intake.touched();
        intake.settle();
        if format != Format::Claims {
            let assets = intake.seen.iter().filter_map(|id| intake.view.catalog.asset(id));
            print::out(&devices::listing(assets, &profiles, format))?;
        }
        eprintln!("{touched}");
        drift::flag(&drifted, &intake.view);
        kept?;
        if upset > 0 {
            let devices = print::count(upset as u64, "device");
            return Err(Failure::new(Code::Failed, format!("ALARM: {devices} restarted while being read, or soon after; see above")));
        }
        match (refused, unanswered) {
            (0, 0) => Ok(()),
            (0, silent) => {
                Err(Failure::new(Code::NoAnswer, format!("no sound answer from {}; see above", print::count(silent as u64, "device"))))
            }
            (refused, _) => Err(Failure::new(
                Code::Refused,
                format!("{} not asked, or not to the end: refused on our side; see above", print::count(refused as u64, "device")),
            )),
        }
    }

    /// What the owner's budgets have left, for a dry run; nothing is spent where there is no state yet.
    fn budgets(&self, asks: &[ask::Ask], rules: &Rules, options: &Options) -> Result<String, Failure> {
        let Ok(directory) = state::directory(options.state.as_ref()) else { return Ok(String::new()) };
        let spent = ask::spent(&directory, rules, SystemTime::now()).map_err(|e| Failure::new(Code::Input, e.to_string()))?;
        let line = |Spent { zone, readings, most }: &Spent| {
            let is_in =
                |ask: &&ask::Ask| rules.zones.get(&(ask.endpoint.canonical(), ask.station())).map(|zone| &zone.name) == zone.as_ref();
            let wanted = asks.iter().filter(|ask| zone.is_none() || is_in(ask)).count();
            let rule = zone.as_ref().map_or_else(|| "budget.site".to_owned(), |name| format!("budget.zone {}", printable(name)));
            let refused = wanted.saturating_sub(most.saturating_sub(*readings));
            let refused = if refused > 0 { format!(", of which {refused} would be refused") } else { String::new() };
            format!("{rule}: {readings} of {most} readings spent today (UTC); this run wants {wanted}{refused}\n")
        };
        Ok(spent.iter().map(line).collect())
    }

    /// A dry run works without a state; where there is one, it knows what must not be asked.
    fn hazards_of(&self, asks: Vec<ask::Ask>, options: &Options) -> Result<Vec<ask::Ask>, Failure> {
        let Ok(directory) = state::directory(options.state.as_ref()) else { return Ok(asks) };
        let store = Store::read(&directory).ok().flatten();
        let Some(view) = store.and_then(|store| store.view(None).ok()) else { return Ok(asks) };
        let asks = masters::known(&view.catalog, &directory, asks);
        let found = asks.iter().find_map(|ask| known_hazard(&view.catalog, ask).map(|hazard| refusal(ask, hazard)));
        found.map_or_else(|| Ok(chassis::known(&view.catalog, asks)), |why| Err(Failure::new(Code::Refused, why)))
    }

    fn asks(&self, kept: &Kept) -> Result<Vec<ask::Ask>, Failure> {
        let mut targets: Vec<(String, String)> = self.target.iter().map(|text| (text.clone(), String::new())).collect();
        if let Some(path) = &self.targets {
            let text = fs::read_to_string(path).map_err(|e| Failure::input(path.display(), e))?;
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).zip(1..);
            targets.extend(
                lines
                    .filter(|(line, _)| !line.is_empty())
                    .map(|(line, number)| (line.to_owned(), format!("{}, line {number}: ", path.display()))),
            );
        }
        let mut asks = Vec::new();
        for (text, place) in &targets {
            asks.extend(self.ways.asks(text, kept).map_err(|e| Failure::new(e.code, format!("{place}{e}")))?);
        }
        Ok(asks)
    }
}

/// The touch record, stamped by the system's clock.
///
/// # Errors
/// Refused: without a record nothing is asked.
pub fn touch_record(directory: &Path) -> Result<TouchRecord, Failure> {
    TouchRecord::open(directory, SystemTime::now).map_err(|e| Failure::new(Code::Refused, format!("nothing was asked: {e}")))
}

/// One run's view of what happens.
pub struct Run<'a, 'p> {
    intake: &'a mut Intake<'p>,
    reason: &'a str,
    format: Format,
    /// Targets that were refused on our side.
    pub refused: usize,
    /// Targets that gave no sound answer.
    pub unanswered: usize,
    /// Devices that restarted as they were read.
    pub upset: usize,
    rules: Arc<Rules>,
    trouble: Option<Failure>,
}

impl<'a, 'p> Run<'a, 'p> {
    /// A run for a reason; readings go into `intake`.
    pub fn new(intake: &'a mut Intake<'p>, reason: &'a str, format: Format) -> Self {
        Self { intake, reason, format, refused: 0, unanswered: 0, upset: 0, rules: Arc::default(), trouble: None }
    }

    /// The owner of the site has rules of his own.
    pub fn under(self, rules: Rules) -> Self {
        Self { rules: Arc::new(rules), ..self }
    }

    /// Asks all that no hazard forbids, and says on standard error what happens.
    ///
    /// # Errors
    /// A refusal of the whole run, or what the store or the output said.
    pub async fn ask(&mut self, asks: Vec<ask::Ask>, time_factor: f64, touch: TouchRecord) -> Result<Summary, Failure> {
        // Budgets and breakers rest on the touch record: if it holds less than was taken from it, nobody is asked.
        self.intake.touched()?;
        let refused = &mut self.refused;
        let Prepared { asks, kinds } = prepared(&self.intake.view.catalog, asks, self.reason, &touch, || *refused += 1)?;
        let reason = Reason::WorkOrder(self.reason.to_owned());
        let settings = Settings {
            time_factor,
            rules: Arc::clone(&self.rules),
            kinds: Arc::new(kinds),
            reboots: Arc::new(reboots::reboots(&self.intake.view.changes)),
            ..Settings::new(reason, Arc::new(SystemTime::now))
        };
        let touched = ask::ask(asks, &settings, Arc::new(touch), |event| self.event(event)).await;
        match self.trouble.take() {
            Some(failure) => Err(failure),
            None => touched.map_err(|refused| Failure::new(Code::Refused, refused.to_string())),
        }
    }

    fn event(&mut self, event: Event) {
        let place = event.place();
        match event.what {
            // Nobody tells this command to end in the middle of a device.
            What::Opened | What::Unasked => {}
            What::Sent { question, bytes } => eprintln!("{place}: sent {} ({question})", hex(&bytes)),
            What::Reading(reading) => {
                for (_, malformed) in &reading.malformed {
                    eprintln!("{place}: {malformed}");
                }
                if let Err(failure) = self.reading(&reading) {
                    self.trouble.get_or_insert(failure);
                }
            }
            What::Stray { bytes, malformed } if bytes.is_empty() => eprintln!("{place}: {malformed}"),
            What::Stray { bytes, malformed } => eprintln!("{place}: passed over {}: {malformed}", hex(&bytes)),
            What::Uptime(news) => self.ran(&place, news),
            What::NoAnswer { why, partial } => self.unanswered(&place, "no answer", &why, &partial),
            // The reason begins with the word itself.
            What::Hostile { why, partial } => self.unanswered(&place, "it is", &why, &partial),
            What::Failed { operation, why } => self.unanswered(&place, operation, &why, &[]),
            What::Refused { refused, .. } => {
                self.refused += 1;
                eprintln!("{place}: {refused}");
            }
            What::Closed { unasked, .. } => {
                if !unasked.is_empty() {
                    eprintln!("{place}: not asked any more: {}", unasked.join(", "));
                }
            }
        }
    }

    fn ran(&mut self, place: &str, news: News) {
        match news {
            News::Explained(why) => eprintln!("{place}: {why}"),
            News::Restarted(why) => eprintln!("{place}: {why}; its breaker is open"),
            News::Upset(why) => {
                self.upset += 1;
                eprintln!("{place}: ALARM: {why}; its breaker is open, and nothing of its class is asked until somebody releases it");
            }
        }
    }

    fn unanswered(&mut self, place: &str, what: &str, why: &str, partial: &[u8]) {
        self.unanswered += 1;
        let partial = if partial.is_empty() { String::new() } else { format!(", after {}", hex(partial)) };
        eprintln!("{place}: {what}: {}{partial}", printable(why));
    }

    fn reading(&mut self, reading: &nameplate_core::wire::Reading) -> Result<(), Failure> {
        let taken = self.intake.take(reading, Source::Asked { reason: self.reason.into() })?;
        if let Some((observation, said)) = taken.filter(|_| self.format == Format::Claims) {
            let lines = said.claims.iter().map(|claim| print::json_line(&ClaimLine::new(&observation, claim, &self.intake.view.catalog)));
            print::out(&lines.collect::<String>())?;
        }
        Ok(())
    }
}

/// Tells the guard what the catalog knows of them, and leaves out devices of a class that a read disturbs; says so, puts it on record, and tells `each`.
///
/// # Errors
/// Refused: the record cannot be written, so nothing is asked.
pub fn leave_out(
    catalog: &Catalog,
    asks: Vec<ask::Ask>,
    reason: &str,
    touch: &TouchRecord,
    mut each: impl FnMut(&ask::Ask, &Hazard),
) -> Result<Vec<ask::Ask>, Failure> {
    let mut kept = Vec::new();
    let state = touch.path().parent().unwrap_or(Path::new(""));
    for ask in masters::known(catalog, state, chassis::known(catalog, asks)) {
        let Some(hazard) = known_hazard(catalog, &ask) else {
            kept.push(ask);
            continue;
        };
        each(&ask, hazard);
        eprintln!("{}", refusal(&ask, hazard));
        let mut line = Line::new(Kind::Refused);
        (line.target, line.station, line.reason) = (Some(ask.endpoint.clone()), Some(ask.station()), Some(reason.to_owned()));
        line.protocol = Some(ask.via.adapter().name().to_owned());
        (line.rule, line.why) = (Some(hazard.rule.to_owned()), Some(hazard.why.to_owned()));
        touch.append(line).map_err(|e| Failure::new(Code::Refused, format!("nothing was asked: {e}")))?;
    }
    Ok(kept)
}

/// A hazard of whatever is known to answer at the target's address or hardware address.
fn known_hazard(catalog: &Catalog, ask: &ask::Ask) -> Option<&'static Hazard> {
    let protocol = ask.via.adapter().name();
    let mac = match &ask.endpoint {
        Endpoint::Station(station) => Some(Mac(station.mac).to_string()),
        _ => None,
    };
    let own = mac.as_deref().and_then(|mac| hazard(protocol, None, Some(mac)));
    let by_mac = catalog.assets().filter(|asset| mac.is_some() && asset.addresses.iter().any(|address| address.mac == mac));
    let by_ip = ask.endpoint.ip().into_iter().flat_map(|ip| catalog.at(ip));
    own.or_else(|| {
        by_ip.chain(by_mac).find_map(|asset| {
            let manufacturer = asset.shown(Field::Manufacturer).map(|current| current.standing.claim.value.as_str());
            let macs = asset.addresses.iter().filter_map(|address| address.mac.as_deref());
            let model = asset.shown(Field::Model).map(|current| current.standing.claim.value.as_str());
            let known = safety_system(manufacturer, model).or_else(|| hazard(protocol, manufacturer, None));
            known.or_else(|| macs.into_iter().find_map(|mac| hazard(protocol, None, Some(mac))))
        })
    })
}

fn refusal(ask: &ask::Ask, hazard: &Hazard) -> String {
    format!("{}: refused, rule {}: {}", ask.place(), hazard.rule, hazard.why)
}

/// Those that the owner's rules let anybody contact; says who is left out.
fn contactable(asks: Vec<ask::Ask>, rules: &Rules) -> Vec<ask::Ask> {
    let may = |ask: &ask::Ask| {
        let barred = rules.may_contact(&ask.endpoint).err();
        if let Some(barred) = &barred {
            eprintln!("{}: refused, rule {}: {}", ask.place(), barred.rule, barred.why);
        }
        barred.is_none()
    };
    asks.into_iter().filter(may).collect()
}

/// Every byte with its meaning, by the guard's own table.
fn dry_run(planned: &[PlannedMessage]) -> String {
    let mut text = String::new();
    for PlannedMessage { endpoint, station, message, meaning } in planned {
        let behind = if station.is_empty() { String::new() } else { format!(" station {station}") };
        text += &format!("to {endpoint}{behind}: {}\n", message.question);
        for condition in [message.only_if, &message.then].into_iter().filter(|condition| !condition.is_empty()) {
            text += &format!("  {condition}\n");
        }
        for (meaning, byte) in meaning.iter().zip(&message.bytes) {
            text += &format!("  {:4}  {byte:02x}  {}\n", meaning.offset, meaning.meaning);
        }
    }
    let bytes: usize = planned.iter().map(|one| one.message.bytes.len()).sum();
    let messages = planned.iter().filter(|one| !one.message.bytes.is_empty()).count();
    text + &format!("{messages} messages, {bytes} bytes; nothing was sent and no socket was opened\n")
}
