//! `nameplate simulate`: devices on loopback, from the examples of profiles.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use nameplate_simulators::device::{Device, Running};
use nameplate_simulators::personality::{PERSONALITIES, Personality, named};
use nameplate_simulators::report::Report;

use crate::cli::Options;
use crate::failure::Failure;
use crate::simulated::{Simulated, User};
use crate::{print, profiles};

/// Run devices from profiles' examples on loopback.
#[derive(Debug, Args)]
#[command(after_help = "A PROFILE is a family of devices, and says which protocol they speak; --list shows those that\n\
                        can be run. Each device listens on a port of 127.0.0.1 (TCP, UDP, or both, as its protocol has\n\
                        it), says which, and how to ask it. What it answers is from an example of its profile: what such\n\
                        a device said. Profiles of your own can be run, too: --profiles.\n\n\
                        A device holds whoever asks it to the allowlist. Ctrl-C ends it; then it says who came and what\n\
                        should not have been asked.\n\n\
                        Examples:\n  nameplate simulate --list\n  nameplate simulate lantronix/xport --port 5020 &\n  \
                        nameplate ask 127.0.0.1:5020 --reason try\n  \
                        nameplate simulate siemens/snmp-scalance generic/s7comm generic/dnp3\n  \
                        nameplate simulate generic/bacnet --personality slow-loris")]
pub struct Simulate {
    /// Profiles; one named twice is two devices
    #[arg(required_unless_present = "list", value_name = "PROFILE")]
    ids: Vec<String>,
    /// Print the profiles that can be run, and the protocol of each
    #[arg(long)]
    list: bool,
    /// Port of the first device, the next ones follow [default: any free port]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// What all of them do wrong [default: nothing]
    #[arg(long, value_name = "NAME", value_parser = personalities())]
    personality: Option<&'static Personality>,
    /// Agents of SNMP speak version 3 alone, to this user; the passwords are printed [default: versions 1 and 2c, community public]
    #[arg(long, value_enum, value_name = "USER")]
    snmp_user: Option<User>,
}

fn personalities() -> impl TypedValueParser<Value = &'static Personality> {
    let names = PERSONALITIES.iter().map(|personality| PossibleValue::new(personality.name).help(personality.does));
    PossibleValuesParser::new(names).try_map(|name| named(&name).ok_or("no such personality"))
}

impl Simulate {
    /// Runs the command until it is interrupted.
    ///
    /// # Errors
    /// A profile that is not there or that nothing simulates, a port that is taken.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let set = profiles::load(options)?;
        if self.list {
            let family = |id: &str| set.get(id).map(|profile| profile.family.clone()).unwrap_or_default();
            let row = |device: &Simulated| vec![device.profile.clone(), device.protocol.clone(), family(&device.profile)];
            let rows: Vec<Vec<String>> = Simulated::all(&set).iter().map(row).collect();
            return print::out(&print::table(&["PROFILE", "PROTOCOL", "FAMILY"], &rows));
        }
        let named = |id: &String| {
            Simulated::named(&set, id).map(|device| self.snmp_user.iter().fold(device, |device, user| device.asked_by(&set, *user)))
        };
        let devices = self.ids.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::input("simulate", e))?;
        runtime.block_on(self.serve(&devices))
    }

    async fn serve(&self, devices: &[Simulated]) -> Result<(), Failure> {
        let mut running = Vec::new();
        for (simulated, step) in devices.iter().zip(0_u16..) {
            let port = if self.port == 0 { 0 } else { self.port.saturating_add(step) };
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
            let fault = self.personality.map(|personality| personality.fault.clone());
            let device = Device { fault, ..Device::new(simulated.persona.clone()) };
            let device = device.start(address).await.map_err(|e| Failure::input(address, e))?;
            print::out(&format!("{} listens on {}\n", simulated.profile, device.address))?;
            eprintln!("  {}", question(simulated, &device.address.to_string()));
            running.push((&simulated.profile, device));
        }
        eprintln!("Ctrl-C ends it");
        tokio::signal::ctrl_c().await.map_err(|e| Failure::input("Ctrl-C", e))?;
        for (profile, device) in running {
            account(profile, device).await?;
        }
        Ok(())
    }
}

/// How to ask it, word by word.
fn question(device: &Simulated, address: &str) -> String {
    let behind = if device.station.is_empty() { String::new() } else { format!("/{}", device.station) };
    // Modbus is what is asked where nothing is said.
    let words = device.words.strip_prefix(&["--via".to_owned(), "modbus".to_owned()]).unwrap_or(&device.words);
    let words: String = words.iter().map(|word| format!(" {word}")).collect();
    let environment: String = device.environment.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    format!("{environment}nameplate ask {address}{behind}{words} --reason try")
}

async fn account(profile: &str, device: Running) -> Result<(), Failure> {
    let report = device.stop().await;
    let (connections, requests, trips) = (report.connections(), report.requests(), report.trips.len());
    print::out(&format!("{profile}: {connections} connections, {requests} requests, {trips} trips\n"))?;
    print::out(&trips_of(&report))
}

/// What it did not like, a line each.
fn trips_of(report: &Report) -> String {
    let line = |trip: &nameplate_simulators::report::Trip| format!("  {}: {}\n", trip.why, nameplate_core::observation::hex(&trip.bytes));
    report.trips.iter().map(line).collect()
}
