//! What accepts connections and takes datagrams, until the device is stopped, and carries it through its reboots.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::account::Shared;
use crate::device::Machine;
use crate::fault::Fault;
use crate::flash::{Erased, Now, Reboot};
use crate::language::Carrier;
use crate::line::Line;
use crate::report::{Ended, Speaker};
use crate::sealed::Sealed;
use crate::session;
use crate::sockets::{self, Ears, Held};
use crate::watchdog::Watchdog;

/// The longest datagram.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Datagrams of one peer that wait to be read; more are dropped, as a network does.
const INBOX_DATAGRAMS_MAX: usize = 256;

/// A new release, and who waits for the reboot to begin.
pub(crate) struct Order {
    pub(crate) flash: Erased,
    pub(crate) begun: oneshot::Sender<()>,
}

pub(crate) struct Desk {
    machine: Arc<Machine>,
    shared: Arc<Shared>,
    address: SocketAddr,
    flashed: mpsc::Receiver<Order>,
    sessions: JoinSet<()>,
    /// Those who speak by datagrams, and where theirs go.
    peers: BTreeMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
}

/// Why the desk stopped accepting.
enum Left {
    Stopped,
    Flashed(Order),
    /// As many connections came as this part of a reboot has.
    Spent,
}

/// What came to a pair of ears.
enum Came {
    Connection(TcpStream, SocketAddr),
    Datagram(Arc<UdpSocket>, SocketAddr, Vec<u8>),
}

/// The ears with their socket for datagrams shared with those who answer on it.
struct Open {
    stream: Option<TcpListener>,
    datagrams: Option<Arc<UdpSocket>>,
    _held: Held,
}

impl Open {
    fn new(ears: Ears) -> Self {
        Self { stream: ears.stream, datagrams: ears.datagrams.map(Arc::new), _held: ears.held }
    }

    async fn next(&self, buffer: &mut [u8]) -> io::Result<Came> {
        let stream = async {
            match &self.stream {
                Some(listener) => listener.accept().await.map(|(stream, peer)| Came::Connection(stream, peer)),
                None => std::future::pending().await,
            }
        };
        tokio::select! { biased; came = stream => came, came = self.datagram(buffer) => came }
    }

    async fn datagram(&self, buffer: &mut [u8]) -> io::Result<Came> {
        let Some(socket) = &self.datagrams else { return std::future::pending().await };
        let (length, peer) = socket.recv_from(buffer).await?;
        Ok(Came::Datagram(Arc::clone(socket), peer, buffer.get(..length).unwrap_or_default().to_vec()))
    }
}

impl Desk {
    pub(crate) fn new(machine: Machine, shared: Arc<Shared>, address: SocketAddr, flashed: mpsc::Receiver<Order>) -> Self {
        Self { machine: Arc::new(machine), shared, address, flashed, sessions: JoinSet::new(), peers: BTreeMap::new() }
    }

    pub(crate) async fn work(mut self, ears: Ears, mut stopped: oneshot::Receiver<()>) {
        let (mut ears, mut reboot, mut left_over) = (Some(Open::new(ears)), None::<Reboot>, None);
        while let Some(listening) = &ears {
            match self.accept(listening, &mut stopped, left_over).await {
                Left::Stopped => break,
                Left::Flashed(Order { flash, begun }) => {
                    self.hang_up();
                    reboot = Some(Reboot::new(Arc::clone(&self.machine), flash));
                    left_over = self.next(&mut ears, reboot.as_mut(), Some(begun), &mut stopped).await;
                }
                Left::Spent => left_over = self.next(&mut ears, reboot.as_mut(), None, &mut stopped).await,
            }
        }
        if let Some(listening) = &ears {
            self.take_the_unread(listening).await;
        }
        self.hang_up();
        while self.sessions.join_next().await.is_some() {}
        if let Some(Open { stream: Some(listener), .. }) = ears {
            self.account_for_the_unaccepted(listener);
        }
    }

    /// Goes on to the next part of a reboot that accepts; how many connections it has. No ears are left when it was stopped meanwhile, or
    /// when somebody else took the port.
    async fn next(
        &mut self,
        ears: &mut Option<Open>,
        reboot: Option<&mut Reboot>,
        mut begun: Option<oneshot::Sender<()>>,
        stopped: &mut oneshot::Receiver<()>,
    ) -> Option<usize> {
        let reboot = reboot?;
        loop {
            let now = reboot.next();
            if matches!(now, Now::Deaf(_)) {
                *ears = None;
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
                Now::Is(machine, connections) => {
                    self.machine = machine;
                    if ears.is_none() {
                        // A peer's last answers may still hold the old socket.
                        while self.sessions.join_next().await.is_some() {}
                        *ears = sockets::listen(self.address, self.machine.persona.carriers()).await.ok().map(|(ears, _)| Open::new(ears));
                    }
                    return connections;
                }
            }
        }
    }

    /// Accepts until it is stopped or flashed, or so many connections of whoever asks have come.
    async fn accept(&mut self, ears: &Open, stopped: &mut oneshot::Receiver<()>, mut left_over: Option<usize>) -> Left {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            if left_over == Some(0) {
                return Left::Spent;
            }
            let deadline = self.shared.state().watchdog.as_ref().and_then(Watchdog::deadline);
            tokio::select! {
                biased;
                _ = &mut *stopped => return Left::Stopped,
                came = ears.next(&mut buffer) => {
                    if let Ok(came) = came && self.admit(came) == Some(Speaker::Asker) {
                        left_over = left_over.map(|connections| connections.saturating_sub(1));
                    }
                }
                // After what has come already: that is closed by the reboot, too.
                Some(order) = self.flashed.recv() => return Left::Flashed(order),
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

    fn hang_up(&mut self) {
        self.shared.state().close_all();
        self.peers.clear();
    }

    /// Lets in what came; who it is, where it is new and there was room for it.
    fn admit(&mut self, came: Came) -> Option<Speaker> {
        match came {
            Came::Connection(stream, peer) => self.admit_connection(stream, peer),
            Came::Datagram(socket, peer, bytes) => {
                let new = if self.peers.contains_key(&peer) { None } else { self.admit_peer(&socket, peer) };
                if let Some(inbox) = self.peers.get(&peer) {
                    // A full inbox drops it.
                    let _ = inbox.try_send(bytes);
                }
                new
            }
        }
    }

    fn admit_connection(&mut self, stream: TcpStream, peer: SocketAddr) -> Option<Speaker> {
        let mut state = self.shared.state();
        let entered = state.enter(peer, Carrier::Tcp, self.machine.manners)?;
        let here = stream.local_addr().ok();
        let conversation = self.machine.link.as_ref().zip(here).map(|(link, here)| link.open(entered.speaker, peer.port(), here));
        let others = state.open.len().saturating_sub(1);
        match self.machine.fault {
            Some(Fault::EvictOldest { pool }) if others >= pool => {
                if let Some((_, oldest)) = state.open.first() {
                    oldest.notify_one();
                }
            }
            Some(Fault::SingleClient) if others >= 1 => entered.close.notify_one(),
            Some(Fault::RstOnConnect) => {
                // Best effort: where it cannot be set, the drop sends FIN, which is a refusal too.
                let _ = stream.set_zero_linger();
                entered.close.notify_one();
            }
            _ => {}
        }
        drop(state);
        let speaker = entered.speaker;
        let place = session::Place { entered, conversation, over: Carrier::Tcp };
        let line = match self.machine.persona.seal_of_connections() {
            Some(seal) => Line::Sealed(Sealed::new(stream, &seal)),
            None => Line::Stream(stream),
        };
        self.sessions.spawn(session::run(Arc::clone(&self.machine), Arc::clone(&self.shared), line, place));
        Some(speaker)
    }

    fn admit_peer(&mut self, socket: &Arc<UdpSocket>, peer: SocketAddr) -> Option<Speaker> {
        let entered = self.shared.state().enter(peer, Carrier::Udp, self.machine.manners)?;
        let link = self.machine.link.as_ref();
        let conversation = link.map(|link| link.open_datagrams(entered.speaker, peer.port(), self.address));
        let (sender, inbox) = mpsc::channel(INBOX_DATAGRAMS_MAX);
        self.peers.insert(peer, sender);
        let speaker = entered.speaker;
        let place = session::Place { entered, conversation, over: Carrier::Udp };
        let line = Line::Datagrams { socket: Arc::clone(socket), peer, inbox };
        self.sessions.spawn(session::run(Arc::clone(&self.machine), Arc::clone(&self.shared), line, place));
        Some(speaker)
    }

    /// Connections that the kernel took and this device had not yet: they happened, so they count.
    fn account_for_the_unaccepted(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((_, peer)) = listener.accept() {
            let mut state = self.shared.state();
            let Some(entered) = state.enter(peer, Carrier::Tcp, self.machine.manners) else { return };
            state.leave(entered.index, Ended::Device);
        }
    }

    /// Datagrams that had come and were not read yet.
    async fn take_the_unread(&mut self, ears: &Open) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            tokio::select! {
                biased;
                came = ears.datagram(&mut buffer) => match came {
                    Ok(came) => drop(self.admit(came)),
                    Err(_) => return,
                },
                // The runtime looks at the socket in a turn of its own.
                () = async { tokio::task::yield_now().await; tokio::task::yield_now().await } => return,
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
