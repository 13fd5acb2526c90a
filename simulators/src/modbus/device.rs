//! A running device: accepts, keeps its connections as its fault says, and keeps account of them.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::flash::{Flash, Now, Reboot};
use super::session;
use super::watchdog::Watchdog;
use super::{Fault, Manners, Persona, Speaker, hostile_objects};
use crate::report::{Ended, Report, Session, Trip};
use crate::tap::Link;

/// More connections than any run makes: from here on they are closed without an account, so that a loop cannot fill the memory.
const SESSIONS_MAX: usize = 10_000;
/// More trips than anybody reads.
const TRIPS_MAX: usize = 1_000;

/// A device that can be started.
#[derive(Clone, Debug)]
pub struct Device {
    /// What it is.
    pub persona: Persona,
    /// What it does wrong.
    pub fault: Option<Fault>,
    /// What it expects of those who connect.
    pub manners: Manners,
    /// Where what passes on its connections is recorded.
    pub link: Option<Link>,
}

impl Device {
    /// Any free port of the loopback address.
    pub const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    /// A device without faults that nobody records.
    pub fn new(persona: Persona) -> Self {
        Self { persona, fault: None, manners: Manners::default(), link: None }
    }

    /// The same with a fault.
    pub fn with_fault(persona: Persona, fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::new(persona) }
    }

    /// Listens at this address, in tasks on the current runtime, until stopped or dropped.
    ///
    /// # Errors
    /// What binding says; `InvalidInput` if the address is not a loopback address, for nothing simulated may be met in a plant.
    pub async fn start(mut self, address: SocketAddr) -> io::Result<Running> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a simulated device listens on loopback only, not on {address}"),
            ));
        }
        if self.fault == Some(Fault::HostileText) {
            self.persona.objects = hostile_objects().into_iter().collect();
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(self.fault.as_ref()));
        let (stop, stopped) = oneshot::channel();
        let (flash, flashed) = mpsc::channel(1);
        let desk = Desk { device: Arc::new(self), shared: Arc::clone(&shared), address, flashed, sessions: JoinSet::new() };
        let accepting = tokio::spawn(desk.work(listener, stopped));
        Ok(Running { address, shared, stop, flash, accepting })
    }
}

/// A started device. Dropping it ends it too, though its last account is lost then.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    flash: mpsc::Sender<(Flash, oneshot::Sender<()>)>,
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
    pub async fn flash(&self, flash: Flash) {
        let (begun, begins) = oneshot::channel();
        // A device that was stopped is not there to be flashed.
        if self.flash.send((flash, begun)).await.is_ok() {
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

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// A connection ended.
    pub(super) changed: Notify,
    /// The watchdog was fed.
    pub(super) fed: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) sessions: Vec<(Session, Instant)>,
    /// Open connections, oldest first: index into `sessions`, and what closes it.
    pub(super) open: Vec<(usize, Arc<Notify>)>,
    pub(super) watchdog: Option<Watchdog>,
    most_at_once: usize,
    trips: Vec<Trip>,
    masters: BTreeSet<SocketAddr>,
}

impl Shared {
    fn new(fault: Option<&Fault>) -> Self {
        let watchdog = match fault {
            Some(&Fault::Watchdog { window }) => Some(Watchdog::new(window)),
            _ => None,
        };
        Self { state: Mutex::new(State { watchdog, ..State::default() }), changed: Notify::new(), fed: Notify::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> Report {
        let state = self.state();
        let held = |session: &Session, since: &Instant| if session.ended == Ended::StillOpen { since.elapsed() } else { session.held };
        Report {
            sessions: state.sessions.iter().map(|(session, since)| Session { held: held(session, since), ..*session }).collect(),
            most_at_once: state.most_at_once,
            trips: state.trips.clone(),
            watchdog: state.watchdog.as_ref().map(|watchdog| watchdog.log).unwrap_or_default(),
        }
    }
}

impl State {
    pub(super) fn trip(&mut self, trips: impl IntoIterator<Item = Trip>) {
        let room = TRIPS_MAX.saturating_sub(self.trips.len());
        self.trips.extend(trips.into_iter().take(room));
    }

    /// Enters a new connection; `None` when there are too many to keep account of.
    fn enter(&mut self, peer: SocketAddr, manners: &Manners) -> Option<(usize, Speaker, Arc<Notify>)> {
        let index = self.sessions.len();
        if index >= SESSIONS_MAX {
            return None;
        }
        let speaker = if self.masters.remove(&peer) { Speaker::Master } else { Speaker::Asker };
        let asker_is_here = self.open.iter().any(|(open, _)| self.sessions.get(*open).is_some_and(|(s, _)| s.speaker == Speaker::Asker));
        if manners.one_connection && speaker == Speaker::Asker && asker_is_here {
            self.trip([Trip::new(&[], "a second connection at the same time")]);
        }
        let session = Session { peer, speaker, bytes_in: 0, bytes_out: 0, requests: 0, ended: Ended::StillOpen, held: Duration::ZERO };
        self.sessions.push((session, Instant::now()));
        let close = Arc::new(Notify::new());
        self.open.push((index, Arc::clone(&close)));
        self.most_at_once = self.most_at_once.max(self.open.len());
        Some((index, speaker, close))
    }

    pub(super) fn leave(&mut self, index: usize, ended: Ended) {
        self.open.retain(|(open, _)| *open != index);
        if let Some((session, since)) = self.sessions.get_mut(index) {
            session.ended = ended;
            session.held = since.elapsed();
        }
    }

    fn close_all(&self) {
        for (_, close) in &self.open {
            close.notify_one();
        }
    }
}

/// What accepts, until it is stopped.
struct Desk {
    device: Arc<Device>,
    shared: Arc<Shared>,
    address: SocketAddr,
    flashed: mpsc::Receiver<(Flash, oneshot::Sender<()>)>,
    sessions: JoinSet<()>,
}

/// Why the desk stopped accepting.
enum Left {
    Stopped,
    Flashed(Flash, oneshot::Sender<()>),
    /// As many connections came as this part of a reboot has.
    Spent,
}

impl Desk {
    async fn work(mut self, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
        let (mut listener, mut reboot, mut left_over) = (Some(listener), None::<Reboot>, None);
        while let Some(listening) = &listener {
            match self.accept(listening, &mut stopped, left_over).await {
                Left::Stopped => break,
                Left::Flashed(flash, begun) => {
                    self.shared.state().close_all();
                    reboot = Some(Reboot::new(Arc::clone(&self.device), flash));
                    left_over = self.next(&mut listener, reboot.as_mut(), Some(begun), &mut stopped).await;
                }
                Left::Spent => left_over = self.next(&mut listener, reboot.as_mut(), None, &mut stopped).await,
            }
        }
        self.shared.state().close_all();
        while self.sessions.join_next().await.is_some() {}
        if let Some(listener) = listener {
            account_for_the_unaccepted(&self.device, &self.shared, listener);
        }
    }

    /// Goes on to the next part of a reboot that accepts; how many connections it has. No listener is left when it was stopped meanwhile,
    /// or when somebody else took the port.
    async fn next(
        &mut self,
        listener: &mut Option<TcpListener>,
        reboot: Option<&mut Reboot>,
        mut begun: Option<oneshot::Sender<()>>,
        stopped: &mut oneshot::Receiver<()>,
    ) -> Option<usize> {
        let reboot = reboot?;
        loop {
            let now = reboot.next();
            if matches!(now, Now::Deaf(_)) {
                *listener = None;
            }
            if let Some(begun) = begun.take() {
                let _ = begun.send(());
            }
            match now {
                Now::Deaf(silence) => tokio::select! {
                    biased;
                    _ = &mut *stopped => return None,
                    () = sleep_until(Instant::now() + silence) => {}
                },
                Now::Is(device, connections) => {
                    self.device = device;
                    if listener.is_none() {
                        *listener = TcpListener::bind(self.address).await.ok();
                    }
                    return connections;
                }
            }
        }
    }

    /// Accepts until it is stopped or flashed, or so many connections of whoever asks have come.
    async fn accept(&mut self, listener: &TcpListener, stopped: &mut oneshot::Receiver<()>, mut left_over: Option<usize>) -> Left {
        loop {
            if left_over == Some(0) {
                return Left::Spent;
            }
            let deadline = self.shared.state().watchdog.as_ref().and_then(Watchdog::deadline);
            tokio::select! {
                biased;
                _ = &mut *stopped => return Left::Stopped,
                accepted = listener.accept() => {
                    if let Ok((stream, peer)) = accepted
                        && admit(&self.device, &self.shared, &mut self.sessions, stream, peer) == Some(Speaker::Asker)
                    {
                        left_over = left_over.map(|connections| connections.saturating_sub(1));
                    }
                }
                // After what has come already: that is closed by the reboot, too.
                Some((flash, begun)) = self.flashed.recv() => return Left::Flashed(flash, begun),
                () = expired(deadline) => {
                    let mut state = self.shared.state();
                    if state.watchdog.as_mut().is_some_and(|watchdog| watchdog.expire(Instant::now())) {
                        state.close_all();
                    }
                }
                () = self.shared.fed.notified() => {}
                Some(_) = self.sessions.join_next() => {}
            }
        }
    }
}

async fn expired(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Lets a connection in; who it is, where there was room for it.
fn admit(device: &Arc<Device>, shared: &Arc<Shared>, sessions: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr) -> Option<Speaker> {
    let mut state = shared.state();
    let (index, speaker, close) = state.enter(peer, &device.manners)?;
    let conversation = device.link.as_ref().zip(stream.local_addr().ok()).map(|(link, here)| link.open(speaker, peer.port(), here));
    let others = state.open.len().saturating_sub(1);
    match device.fault {
        Some(Fault::EvictOldest { pool }) if others >= pool => {
            if let Some((_, oldest)) = state.open.first() {
                oldest.notify_one();
            }
        }
        Some(Fault::SingleClient) if others >= 1 => close.notify_one(),
        Some(Fault::RstOnConnect) => {
            // Best effort: where it cannot be set, the drop sends FIN, which is a refusal too.
            let _ = stream.set_zero_linger();
            close.notify_one();
        }
        _ => {}
    }
    drop(state);
    sessions.spawn(session::run(Arc::clone(device), Arc::clone(shared), stream, session::Place { index, speaker, close, conversation }));
    Some(speaker)
}

/// Connections that the kernel took and this device had not yet: they happened, so they count.
fn account_for_the_unaccepted(device: &Device, shared: &Shared, listener: TcpListener) {
    let Ok(listener) = listener.into_std() else { return };
    while let Ok((_, peer)) = listener.accept() {
        let mut state = shared.state();
        let Some((index, ..)) = state.enter(peer, &device.manners) else { return };
        state.leave(index, Ended::Device);
    }
}

#[cfg(test)]
mod tests;
