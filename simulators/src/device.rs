//! A device that can be started, and one that was: any persona, on loopback, with a fault or without.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::account::Shared;
use crate::desk::{Desk, Order};
use crate::fault::{Fault, crooked};
use crate::flash::Flash;
use crate::judge::Manners;
use crate::language::Language;
use crate::report::Report;
use crate::sockets;
use crate::tap::Link;

/// A device that can be started.
#[derive(Clone, Debug)]
pub struct Device<P> {
    /// What it is, and so which protocol it speaks.
    pub persona: P,
    /// What it does wrong.
    pub fault: Option<Fault>,
    /// What it expects of those who connect.
    pub manners: Manners,
    /// Where what passes on its connections is recorded.
    pub link: Option<Link>,
}

impl<P: Language + 'static> Device<P> {
    /// Any free port of the loopback address.
    pub const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    /// A device without faults that nobody records.
    pub fn new(persona: P) -> Self {
        Self { persona, fault: None, manners: Manners::default(), link: None }
    }

    /// The same with a fault.
    pub fn with_fault(persona: P, fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::new(persona) }
    }

    /// Listens at this address with all that carries its protocol, in tasks on the current runtime, until stopped or dropped.
    ///
    /// # Errors
    /// What binding says; `InvalidInput` if the address is not a loopback address, for nothing simulated may be met in a plant.
    pub async fn start(self, address: SocketAddr) -> io::Result<Running> {
        let persona = crooked(Arc::new(self.persona), self.fault.as_ref());
        let (ears, address) = sockets::listen(address, persona.carriers()).await?;
        let link = self.link.map(|link| link.at_port(persona.port()));
        let machine = Machine { persona, fault: self.fault, manners: self.manners, link };
        let shared = Arc::new(Shared::new(machine.fault.as_ref()));
        let (stop, stopped) = oneshot::channel();
        let (flash, flashed) = mpsc::channel(1);
        let desk = Desk::new(machine, Arc::clone(&shared), address, flashed);
        let accepting = tokio::spawn(desk.work(ears, stopped));
        Ok(Running { address, shared, stop, flash, accepting })
    }
}

/// A device at work, whatever it speaks.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) persona: Arc<dyn Language>,
    pub(crate) fault: Option<Fault>,
    pub(crate) manners: Manners,
    pub(crate) link: Option<Link>,
}

/// A started device. Dropping it ends it too, though its last account is lost then.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    flash: mpsc::Sender<Order>,
    accepting: JoinHandle<()>,
}

impl Running {
    /// Its account so far.
    pub fn report(&self) -> Report {
        self.shared.report()
    }

    /// Where a master tells that it is one.
    pub fn door(&self) -> Door {
        Door { address: self.address, shared: Arc::clone(&self.shared) }
    }

    /// Gives it another release: its connections are closed, and it reboots as told. Returns once it has begun to.
    pub async fn flash<P: Language + 'static>(&self, flash: Flash<P>) {
        let (begun, begins) = oneshot::channel();
        // A device that was stopped is not there to be flashed.
        if self.flash.send(Order { flash: flash.erased(), begun }).await.is_ok() {
            let _ = begins.await;
        }
    }

    /// Waits until no connection is open.
    pub async fn settled(&self) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.shared.state().open.is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Stops listening, closes what is open, and gives the last account; connections that were never accepted are in it too.
    pub async fn stop(self) -> Report {
        let _ = self.stop.send(());
        let _ = self.accepting.await;
        self.shared.report()
    }
}

/// A device's door for its master: whoever is admitted here is not held to the identity questions.
#[derive(Clone, Debug)]
pub struct Door {
    /// Where the device listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Door {
    /// Admits a master by the address that it is going to connect from.
    pub fn admit(&self, master: SocketAddr) {
        self.shared.state().masters.insert(master);
    }
}

#[cfg(test)]
mod tests;
