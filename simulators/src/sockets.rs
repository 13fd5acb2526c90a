//! The sockets of the simulators, on loopback: what a simulated device listens with, and how a simulated master reaches one.
#![expect(clippy::disallowed_methods, reason = "both ends are simulated, and both are held to loopback here")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

use crate::language::Carrier;

/// Ports that are tried until one is free for both carriers.
const TRIES_MAX: usize = 16;

/// What a device listens with.
#[derive(Debug)]
pub(crate) struct Ears {
    pub(crate) stream: Option<TcpListener>,
    pub(crate) datagrams: Option<UdpSocket>,
    pub(crate) held: Held,
}

/// The port of a carrier that the device does not speak: it answers nothing there, and the number is nobody else's. A referee who knows a
/// device by its port would else meet the answers to somebody who asked another device from this number by the other carrier.
#[derive(Debug, Default)]
pub(crate) struct Held {
    _stream: Option<TcpSocket>,
    _datagrams: Option<UdpSocket>,
}

impl Held {
    async fn beside(ears: (bool, bool), address: SocketAddr) -> io::Result<Self> {
        let stream = || TcpSocket::new_v4().and_then(|socket| socket.bind(address).map(|()| socket));
        let (streams, datagrams) = ears;
        Ok(Self {
            _stream: if streams { None } else { Some(stream()?) },
            _datagrams: if datagrams { None } else { Some(UdpSocket::bind(address).await?) },
        })
    }
}

/// Listens at one address with every carrier; the address that came of it.
pub(crate) async fn listen(address: SocketAddr, carriers: &[Carrier]) -> io::Result<(Ears, SocketAddr)> {
    if !address.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("a simulated device listens on loopback only, not on {address}")));
    }
    let mut tries = 1;
    loop {
        match listen_once(address, carriers).await {
            // The port that was free for one carrier was not for the other.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && address.port() == 0 && tries < TRIES_MAX => tries += 1,
            tried => return tried,
        }
    }
}

async fn listen_once(mut address: SocketAddr, carriers: &[Carrier]) -> io::Result<(Ears, SocketAddr)> {
    let is_drawn = address.port() == 0;
    let mut ears = Ears { stream: None, datagrams: None, held: Held::default() };
    if carriers.contains(&Carrier::Tcp) {
        let listener = TcpListener::bind(address).await?;
        address = listener.local_addr()?;
        ears.stream = Some(listener);
    }
    if carriers.contains(&Carrier::Udp) {
        let socket = UdpSocket::bind(address).await?;
        address = socket.local_addr()?;
        ears.datagrams = Some(socket);
    }
    ears.held = match Held::beside((ears.stream.is_some(), ears.datagrams.is_some()), address).await {
        // Of a port that somebody chose the other half may be in use.
        Err(_) if !is_drawn => Held::default(),
        held => held?,
    };
    Ok((ears, address))
}

/// A connection to a simulated device; `bound` hears the address it comes from before it is made.
pub(crate) async fn dial(device: SocketAddr, bound: impl FnOnce(SocketAddr)) -> io::Result<TcpStream> {
    if !device.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a simulated master polls simulated devices on loopback only"));
    }
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    bound(socket.local_addr()?);
    socket.connect(device).await
}
