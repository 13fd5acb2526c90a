//! `nameplate simulate`: devices on loopback, from the examples of profiles.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use nameplate_core::profile::{Profile, ProfileSet, Said};
use nameplate_simulators::modbus::{Device, Persona};

use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::{print, profiles};

/// Run a device from a profile's examples on loopback.
#[derive(Debug, Args)]
#[command(after_help = "Each device listens on a port of 127.0.0.1 and says which. It answers identity questions from the first decoded\n\
                        example of its profile and holds whoever asks to the allowlist: what it did not like is printed at the end.\n\n\
                        Example:\n  nameplate simulate lantronix/xport --port 5020 &\n  nameplate ask 127.0.0.1:5020 --reason try")]
pub struct Simulate {
    /// Profiles, as `nameplate profile list` names them
    #[arg(required = true, value_name = "PROFILE")]
    ids: Vec<String>,
    /// Port of the first device, the next ones follow [default: any free port]
    #[arg(long, default_value_t = 0)]
    port: u16,
}

impl Simulate {
    /// Runs the command until it is interrupted.
    ///
    /// # Errors
    /// A profile that is not there or has no decoded example, a port that is taken.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let set = profiles::load(options.profiles.as_deref())?;
        let personas = self.ids.iter().map(|id| persona(&set, id)).collect::<Result<Vec<_>, _>>()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::input("simulate", e))?;
        runtime.block_on(self.serve(personas))
    }

    async fn serve(&self, personas: Vec<Persona>) -> Result<(), Failure> {
        let mut running = Vec::new();
        for ((id, persona), step) in self.ids.iter().zip(personas).zip(0_u16..) {
            let port = if self.port == 0 { 0 } else { self.port.saturating_add(step) };
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
            let device = Device::new(persona).start(address).await.map_err(|e| Failure::input(address, e))?;
            print::out(&format!("{id} listens on {}\n", device.address))?;
            running.push((id, device));
        }
        eprintln!("Ctrl-C ends it");
        tokio::signal::ctrl_c().await.map_err(|e| Failure::input("Ctrl-C", e))?;
        for (id, device) in running {
            let report = device.stop().await;
            print::out(&format!(
                "{id}: {} connections, {} requests, {} trips\n",
                report.connections(),
                report.requests(),
                report.trips.len()
            ))?;
            for trip in &report.trips {
                print::out(&format!("  {}: {}\n", trip.why, nameplate_core::observation::hex(&trip.bytes)))?;
            }
        }
        Ok(())
    }
}

/// The device of a profile's first decoded example.
///
/// # Errors
/// Usage, when the profile is not there or every example is a frame that no simulator can take apart.
pub fn persona(set: &ProfileSet, id: &str) -> Result<Persona, Failure> {
    let profile =
        set.get(id).ok_or_else(|| Failure::new(Code::Usage, format!("no profile is called {id:?}; see `nameplate profile list`")))?;
    of_example(profile).ok_or_else(|| Failure::new(Code::Usage, format!("{id} has no decoded example to make a device of")))
}

fn of_example(profile: &Profile) -> Option<Persona> {
    profile.examples.iter().find_map(|example| match &example.said {
        Said::Decoded { objects, server_id } => Some(Persona { server_id: server_id.clone(), ..Persona::from_objects(objects.clone()) }),
        Said::Frame(_) => None,
    })
}
