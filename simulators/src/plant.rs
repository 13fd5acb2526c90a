//! A small plant: devices, a master for each, and one tap that records all of it.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::modbus::{Device, Fault, Flash, Manners, Persona, Running};
use crate::report::Report;
use crate::scada::{Ask, Master, Polling, Service};
use crate::tap::{Station, Tap};

/// One device of the plant before it is started.
#[derive(Clone, Debug)]
pub struct Place {
    /// What people call it.
    pub name: String,
    /// What it is.
    pub persona: Persona,
    /// What it does wrong.
    pub fault: Option<Fault>,
    /// How it is seen on the wire.
    pub station: Station,
    /// What its master asks of its identity, once; this is what there is to listen to.
    pub asks: Vec<Ask>,
}

/// What all devices of a plant have in common.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The master's station on the wire.
    pub master: Station,
    /// The station on the wire of whoever asks.
    pub asker: Station,
    /// Time between two polls of a master.
    pub interval: Duration,
    /// How long a master waits for an answer.
    pub patience: Duration,
    /// The time of the first recorded frame.
    pub started: SystemTime,
}

/// A plant at work.
#[derive(Debug)]
pub struct Plant {
    tap: Tap,
    devices: Vec<(String, Running, Polling)>,
}

/// What one device and its master say at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What people call the device.
    pub name: String,
    /// What reached it.
    pub report: Report,
    /// How its master was served.
    pub service: Service,
}

impl Plant {
    /// Starts every device on a free loopback port, and its master.
    ///
    /// # Errors
    /// What binding a port says.
    pub async fn start(places: impl IntoIterator<Item = Place>, layout: Layout) -> io::Result<Self> {
        let tap = Tap::new(layout.started);
        let mut devices = Vec::new();
        for place in places {
            let master = Master {
                unit: place.persona.unit.unwrap_or(1),
                interval: layout.interval,
                patience: layout.patience,
                asks: place.asks,
                ..Master::new()
            };
            let link = Some(tap.link(place.station, layout.asker, layout.master));
            let device = Device { persona: place.persona, fault: place.fault, manners: Manners::default(), link };
            let running = device.start(Device::ANYWHERE).await?;
            let polling = master.start(running.door());
            devices.push((place.name, running, polling));
        }
        Ok(Self { tap, devices })
    }

    /// Name and address of every device, in the order in which they were placed.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.devices.iter().map(|(name, running, _)| (name.clone(), running.address)).collect()
    }

    /// Waits until every master has read the identities it wanted, or lost its session over it: then there is something to listen to.
    pub async fn heard(&mut self) {
        for (_, _, polling) in &mut self.devices {
            polling.until(|service| service.has_asked || service.sessions_dropped > 0).await;
        }
    }

    /// Gives the device of that name another release; returns once it reboots.
    pub async fn flash(&self, name: &str, flash: Flash) {
        if let Some((_, running, _)) = self.devices.iter().find(|(device, ..)| device == name) {
            running.flash(flash).await;
        }
    }

    /// What was recorded so far: a whole pcap file.
    pub fn capture(&self) -> Vec<u8> {
        self.tap.pcap()
    }

    /// Every device's account so far.
    pub fn report(&self) -> Vec<Account> {
        let account = |(name, running, polling): &(String, Running, Polling)| Account {
            name: name.clone(),
            report: running.report(),
            service: polling.report(),
        };
        self.devices.iter().map(account).collect()
    }

    /// Stops all and gives the last accounts.
    pub async fn stop(self) -> Vec<Account> {
        let mut accounts = Vec::new();
        for (name, running, polling) in self.devices {
            let service = polling.stop().await;
            accounts.push(Account { name, report: running.stop().await, service });
        }
        accounts
    }
}

#[cfg(test)]
mod tests;
