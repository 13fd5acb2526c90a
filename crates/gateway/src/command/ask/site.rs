//! The site file: devices by zone, in which protocols each is asked, and the owner's rules. A device's keys are the options of `nameplate ask`, so
//! that there is one list of them.

mod here;
mod zones;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use nameplate_core::text::printable;
use nameplate_field::ask::Ask;
use nameplate_field::guard::Endpoint;
use nameplate_field::site::{self, Blackout, Never, Rules, Window};
use serde::Deserialize;
use toml::{Spanned, Table, Value};

pub use self::zones::Area;
use super::keys::{self, Keys, written};
use super::opcua::Kept;
use crate::failure::{Code, Failure};
use crate::log;

/// Masters that are connected to a device where the file says nothing of it: a controller has one.
const MASTERS: u64 = 1;

/// A site as its file has it.
#[derive(Debug)]
pub struct Site {
    /// As its owner calls it.
    pub name: String,
    /// The owner's rules.
    pub rules: Rules,
    /// The interfaces at which a gateway listens, on this machine.
    pub interfaces: Vec<String>,
    /// Mebibytes of the ring that the frames of each go through.
    pub ring_mib: u16,
    /// What the field side of a gateway says on standard error, and how.
    pub log: log::Settings,
    /// Its zones, with their networks and what holds in them.
    pub zones: Vec<Area>,
    devices: Vec<Device>,
    /// What is listed, for each: none is listed twice.
    listed: HashSet<Place>,
}

/// Where a device answers, who of several that do, and in which protocol.
type Place = (Endpoint, String, &'static str);

/// One device of the file.
#[derive(Debug)]
struct Device {
    name: Option<String>,
    target: String,
    keys: Keys,
    asks: Vec<Ask>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    readings_per_day: Option<usize>,
    readings_per_day_in_all: Option<usize>,
    listen: Option<here::ListenRow>,
    log: Option<here::LogRow>,
    #[serde(default)]
    never: Vec<Spanned<NeverRow>>,
    #[serde(default)]
    window: Vec<Spanned<WindowRow>>,
    #[serde(default)]
    blackout: Vec<Spanned<BlackoutRow>>,
    #[serde(default)]
    zone: Vec<Zone>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NeverRow {
    place: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowRow {
    name: String,
    #[serde(default)]
    days: Vec<String>,
    from: String,
    until: String,
    utc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlackoutRow {
    from: String,
    until: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Zone {
    name: Spanned<String>,
    /// Its networks and addresses; none is in two zones.
    #[serde(default)]
    networks: Vec<Spanned<String>>,
    /// What holds for each of its devices, for `import site`.
    #[serde(default)]
    facts: BTreeMap<String, String>,
    window: Option<Spanned<String>>,
    readings_per_day_in_all: Option<usize>,
    #[serde(default)]
    device: Vec<Spanned<Table>>,
}

/// What holds for all devices of a zone.
struct OfZone {
    window: Option<Window>,
    budget: Option<site::Zone>,
}

/// The words of a file, to say where in it something is wrong.
struct Text<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Text<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.get(..at).map_or(1, |before| before.matches('\n').count().saturating_add(1))
    }

    fn bad(&self, at: usize, why: impl std::fmt::Display) -> Failure {
        let line = self.line(at);
        Failure::new(Code::Input, format!("{}, line {line}: {why}", self.path.display()))
    }
}

impl Site {
    /// Reads a site file whole; nothing of a file with a mistake counts.
    ///
    /// # Errors
    /// The file, its line, and what is wrong there.
    pub fn read(path: &Path, kept: &Kept) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|e| Failure::input(path.display(), e))?;
        let file: File = toml::from_str(&text).map_err(|e| Failure::input(path.display(), e))?;
        let text = Text { path, text: &text };
        if file.name.is_empty() {
            return Err(text.bad(0, "the site has no name"));
        }
        let windows = windows(&text, file.window)?;
        let never = file.never.into_iter().map(|row| {
            let (at, NeverRow { place, why }) = (row.span().start, row.into_inner());
            let place = place.parse().map_err(|bad| text.bad(at, format!("never {place:?}: {bad}")))?;
            Ok(Never { place, why })
        });
        let (interfaces, ring_mib) = here::listen(&text, file.listen)?;
        let mut site = Self {
            name: file.name,
            rules: Rules {
                never: never.collect::<Result<_, Failure>>()?,
                blackouts: blackouts(&text, file.blackout)?,
                readings_per_day: file.readings_per_day,
                readings_per_day_in_all: file.readings_per_day_in_all,
                ..Rules::default()
            },
            interfaces,
            ring_mib,
            log: here::said(&text, file.log)?,
            zones: zones::areas(&text, &file.zone)?,
            devices: Vec::new(),
            listed: HashSet::new(),
        };
        let mut mistakes = Vec::new();
        for zone in file.zone {
            let name = zone.name.into_inner();
            let of_zone = OfZone {
                window: zone.window.map(|name| window(&text, &windows, name.span().start, name.get_ref())).transpose()?,
                budget: zone.readings_per_day_in_all.map(|most| site::Zone { name: name.clone(), readings_per_day: most }),
            };
            for device in zone.device {
                let at = device.span().start;
                if let Err(failure) = site.add(device.into_inner(), &of_zone, &windows, &text, at, kept) {
                    mistakes.push(Failure::new(failure.code, text.bad(at, format!("zone {name:?}: {failure}")).why));
                }
            }
        }
        // All devices at once: who lists two hundred does not want to hear of one at a time.
        match mistakes.first() {
            None => Ok(site),
            Some(first) => {
                Err(Failure::new(first.code, mistakes.iter().map(|mistake| mistake.why.as_str()).collect::<Vec<_>>().join("\n")))
            }
        }
    }

    fn add(
        &mut self,
        mut keys: Table,
        of_zone: &OfZone,
        windows: &BTreeMap<String, Window>,
        text: &Text<'_>,
        at: usize,
        kept: &Kept,
    ) -> Result<(), Failure> {
        let bad = |why: String| Failure::new(Code::Input, why);
        let target = word(&mut keys, "target")?.ok_or_else(|| bad("a device has a target: target = \"192.0.2.10/1\"".to_owned()))?;
        let name = word(&mut keys, "name")?;
        let own = word(&mut keys, "window")?.map(|name| window(text, windows, at, &name)).transpose()?;
        let connections_max = count(&mut keys, "connections_max")?;
        let masters = count(&mut keys, "masters")?.unwrap_or(MASTERS);
        let keys = keys::of_table(&keys).map_err(|failure| bad(format!("device {target:?}: {failure}")))?;
        let asks = keys::ways(&keys).and_then(|ways| ways.asks(&target, kept));
        let asks = asks.map_err(|failure| bad(format!("device {target:?}: {failure}")))?;
        for ask in &asks {
            let place = (ask.endpoint.canonical(), ask.station());
            if let Some(window) = own.as_ref().or(of_zone.window.as_ref()) {
                self.rules.windows.insert(place.clone(), window.clone());
            }
            if let Some(budget) = &of_zone.budget {
                self.rules.zones.insert(place.clone(), budget.clone());
            }
            if let Some(most) = connections_max.filter(|most| masters >= *most && matches!(ask.endpoint, Endpoint::Tcp(_))) {
                let why = format!("it has {most} connections, and {masters} of them belong to masters");
                self.rules.full.insert(place.0.clone(), why);
            }
            if !self.listed.insert(place_of(ask)) {
                return Err(bad(format!("device {target:?} is listed twice over {}", ask.via.adapter().name())));
            }
        }
        self.devices.push(Device { name, target, keys, asks });
        Ok(())
    }

    /// Listens where somebody says, and not where the file does.
    ///
    /// # Errors
    /// Names that are none, or that are there twice.
    pub fn listen_on(&mut self, interfaces: &[String]) -> Result<(), Failure> {
        if interfaces.is_empty() {
            return Ok(());
        }
        here::checked(interfaces).map_err(|why| Failure::new(Code::Usage, format!("--interface: {why}")))?;
        self.interfaces = interfaces.to_vec();
        Ok(())
    }

    /// Who is to be asked: the devices with these names or targets, or all of them where none is given.
    ///
    /// # Errors
    /// A name that the file does not have.
    pub fn asks(&self, wanted: &[String]) -> Result<Vec<Ask>, Failure> {
        if wanted.is_empty() {
            return Ok(self.devices.iter().flat_map(|device| device.asks.clone()).collect());
        }
        let mut asks = Vec::new();
        for wanted in wanted {
            let device = self.devices.iter().find(|device| device.name.as_ref() == Some(wanted) || device.target == *wanted);
            let device = device.ok_or_else(|| {
                Failure::new(
                    Code::Usage,
                    format!("the site file has no device with the name or the target {wanted:?}; it may ask only what it lists"),
                )
            })?;
            asks.extend(device.asks.iter().cloned());
        }
        Ok(asks)
    }

    /// Every way in which the file has a device asked: what is asked, its target, and its keys.
    pub fn listed(&self) -> impl Iterator<Item = (&Ask, &str, &Keys)> {
        self.devices.iter().flat_map(|device| device.asks.iter().map(move |ask| (ask, device.target.as_str(), &device.keys)))
    }

    /// All devices by name (by target where they have none), and how each is asked.
    pub fn devices(&self) -> impl Iterator<Item = (&str, &[Ask])> {
        self.devices.iter().map(|device| (device.name.as_ref().unwrap_or(&device.target).as_str(), device.asks.as_slice()))
    }

    /// What a firewall has to let through from this machine: a line each, transport, address, port, and what it is for.
    pub fn firewall(&self) -> String {
        let mut rows: BTreeMap<(&str, std::net::SocketAddr), BTreeSet<String>> = BTreeMap::new();
        for (device, ask) in self.devices.iter().flat_map(|device| device.asks.iter().map(move |ask| (device, ask))) {
            let transport = match &ask.endpoint {
                Endpoint::Tcp(_) => "tcp",
                Endpoint::Udp(_) => "udp",
                Endpoint::Serial(_) | Endpoint::Station(_) => continue,
            };
            if self.rules.may_contact(&ask.endpoint).is_err() {
                continue;
            }
            let Some(address) = ask.endpoint.address() else { continue };
            let name = device.name.as_ref().unwrap_or(&device.target);
            rows.entry((transport, address)).or_default().insert(format!("{} of {}", ask.via.adapter().name(), printable(name)));
        }
        let line = |((transport, address), purposes): ((&str, std::net::SocketAddr), BTreeSet<String>)| {
            let purposes: Vec<String> = purposes.into_iter().collect();
            format!("{transport} {} {} # {}\n", address.ip(), address.port(), purposes.join(", "))
        };
        rows.into_iter().map(line).collect()
    }
}

/// The same device in the same protocol.
pub fn same(one: &Ask, other: &Ask) -> bool {
    place_of(one) == place_of(other)
}

fn place_of(ask: &Ask) -> Place {
    (ask.endpoint.canonical(), ask.station(), ask.via.adapter().name())
}

fn windows(text: &Text<'_>, rows: Vec<Spanned<WindowRow>>) -> Result<BTreeMap<String, Window>, Failure> {
    let mut windows = BTreeMap::new();
    for row in rows {
        let (at, row) = (row.span().start, row.into_inner());
        let window = Window::read(&row.name, &row.days, &row.from, &row.until, &row.utc);
        let window = window.map_err(|bad| text.bad(at, format!("window {:?}: {bad}", row.name)))?;
        if windows.insert(row.name.clone(), window).is_some() {
            return Err(text.bad(at, format!("window {:?} stands there twice", row.name)));
        }
    }
    Ok(windows)
}

fn window(text: &Text<'_>, windows: &BTreeMap<String, Window>, at: usize, name: &str) -> Result<Window, Failure> {
    let known = || windows.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    windows.get(name).cloned().ok_or_else(|| text.bad(at, format!("no [[window]] is called {name:?}; there are: {}", known())))
}

fn blackouts(text: &Text<'_>, rows: Vec<Spanned<BlackoutRow>>) -> Result<Vec<Blackout>, Failure> {
    let read = |row: Spanned<BlackoutRow>| {
        let (at, BlackoutRow { from, until, why }) = (row.span().start, row.into_inner());
        let time = |time: &str| -> Result<SystemTime, Failure> {
            humantime::parse_rfc3339(time).map_err(|_| text.bad(at, format!("{time:?}: a moment is written as 2026-12-24T00:00:00Z")))
        };
        let (from, until) = (time(&from)?, time(&until)?);
        if from < until { Ok(Blackout { from, until, why }) } else { Err(text.bad(at, "the blackout ends before it begins")) }
    };
    rows.into_iter().map(read).collect()
}

fn word(keys: &mut Table, key: &str) -> Result<Option<String>, Failure> {
    match keys.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Failure::new(Code::Input, format!("{key} is a text, not {}", written(&other)))),
    }
}

fn count(keys: &mut Table, key: &str) -> Result<Option<u64>, Failure> {
    match keys.remove(key) {
        None => Ok(None),
        Some(Value::Integer(count)) if count >= 0 => Ok(Some(count.unsigned_abs())),
        Some(other) => Err(Failure::new(Code::Input, format!("{key} is a number, not {}", written(&other)))),
    }
}

#[cfg(test)]
mod tests;
