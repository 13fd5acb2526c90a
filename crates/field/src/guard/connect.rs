//! The one function that opens a socket or a serial line towards a device.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream, UdpSocket},
    time::{Instant, timeout},
};

use super::{
    Ended, Endpoint, Failed, Guarded, Permit, Refused,
    datagrams::Datagrams,
    frames::{self, Frames},
    line::{self, Wired},
    stream::log,
    tls::{self, Sealed},
};
use crate::touch::{self, Kind, TouchRecord};

/// Milliseconds a connect may take (read-only.md section 3).
pub const CONNECT_MS_MAX: u64 = 3_000;

/// What leads to a device.
#[derive(Debug)]
pub enum Line {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A UDP socket.
    Udp(Datagrams),
    /// A serial line.
    Serial(Wired),
    /// A TCP connection under TLS.
    Tls(Sealed),
    /// Frames to and from one station.
    Station(Frames),
}

/// Opens one connection to the permit's endpoint and puts a guard around it.
///
/// # Errors
/// [`Failed::Refused`] where it is quiet, the touch record cannot be written, or somebody else speaks on the line (nothing was sent then); [`Failed::Io`] where the
/// device does not accept.
pub async fn connect(permit: Permit, touch: Arc<TouchRecord>) -> Result<Guarded<Line>, Failed> {
    if let Some(why) = touch.quiet() {
        return Err(refuse(&touch, &permit, Refused::quiet(&why)));
    }
    let mut line = touch::Line::new(Kind::Connect);
    line.class = permit.class().map(str::to_owned);
    line.question = permit.table().asked_by_connecting().map(str::to_owned);
    log(&touch, &permit, line)?;
    let outcome = timeout(Duration::from_millis(CONNECT_MS_MAX), open(permit.endpoint(), permit.answered_from_any_port())).await;
    match outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(Line::Tcp(stream)) if permit.is_sealed_by_tls() => sealed(stream, permit, touch).await,
        Ok(mut line) => match heard_first(&mut line, permit.limits().time_factor).await {
            Ok(()) => {
                let permit = permit.from(line.own_address());
                Ok(Guarded::over(line, permit, touch))
            }
            Err(refused) => Err(refuse(&touch, &permit, refused)),
        },
        Err(source) => {
            let mut line = touch::Line::new(Kind::Failed);
            line.ended = Some(Ended::of(&source).to_string());
            line.why = Some(source.to_string());
            log(&touch, &permit, line)?;
            Err(Failed::Io { operation: "connect", peer: permit.endpoint().clone(), source })
        }
    }
}

/// The same under TLS. Where that could not be spoken, nothing can be written: [`Guarded::handshake`] says why, and what the server said.
async fn sealed(stream: TcpStream, permit: Permit, touch: Arc<TouchRecord>) -> Result<Guarded<Line>, Failed> {
    let since = Instant::now();
    let permit = permit.from(stream.local_addr().ok().map(|own| own.ip().to_canonical()));
    let ip = stream.peer_addr().map(|address| address.ip()).unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let (line, handshake, tally) = tls::shake(stream, ip).await;
    Ok(Guarded::held_since(since, Line::Tls(line), permit, touch).shaken(handshake, tally)?)
}

/// Puts on record that nothing is sent.
fn refuse(touch: &TouchRecord, permit: &Permit, refused: Refused) -> Failed {
    let mut line = touch::Line::new(Kind::Refused);
    (line.rule, line.why) = (Some(refused.rule.to_owned()), Some(refused.why.clone()));
    log(touch, permit, line).map_or_else(Failed::from, |()| refused.into())
}

/// What must be heard before anything is said: on a line nothing.
async fn heard_first(line: &mut Line, time_factor: f64) -> Result<(), Refused> {
    match line {
        Line::Tcp(_) | Line::Udp(_) | Line::Tls(_) | Line::Station(_) => Ok(()),
        Line::Serial(wired) => wired.quiet(Duration::from_millis(line::QUIET_MS_MIN).mul_f64(time_factor)).await,
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the only place that opens a connection towards a device (rules of the house, 2)")]
async fn open(peer: &Endpoint, any_port: bool) -> io::Result<Line> {
    match peer {
        Endpoint::Tcp(peer) => {
            let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.set_nodelay(true)?;
            #[cfg(target_os = "linux")]
            syn_retries::limit(&socket)?;
            socket.connect(*peer).await.map(Line::Tcp)
        }
        // A port of our own for each connection, so that an answer to an earlier one that comes late meets a closed door.
        Endpoint::Udp(peer) => {
            let any = if peer.is_ipv4() { SocketAddr::from(([0; 4], 0)) } else { SocketAddr::from(([0_u16; 8], 0)) };
            let socket = UdpSocket::bind(any).await?;
            if any_port {
                return Ok(Line::Udp(Datagrams::of_host(socket, *peer)));
            }
            socket.connect(peer).await?;
            Ok(Line::Udp(Datagrams::new(socket)))
        }
        Endpoint::Serial(line) => line::open(line).map(Line::Serial),
        Endpoint::Station(station) => frames::open(station).map(Line::Station),
    }
}

impl Line {
    /// Our own network address on it: whoever listens hears us there.
    fn own_address(&self) -> Option<IpAddr> {
        let own = match self {
            Self::Tcp(stream) => stream.local_addr(),
            Self::Udp(socket) => socket.local_addr(),
            // What its TCP connection said before, stands in the permit.
            Self::Tls(_) | Self::Serial(_) | Self::Station(_) => return None,
        };
        own.ok().map(|own| own.ip().to_canonical())
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Udp(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Serial(wired) => Pin::new(wired).poll_read(cx, buffer),
            Self::Tls(sealed) => Pin::new(sealed).poll_read(cx, buffer),
            Self::Station(frames) => Pin::new(frames).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Udp(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Serial(wired) => Pin::new(wired).poll_write(cx, bytes),
            Self::Tls(sealed) => Pin::new(sealed).poll_write(cx, bytes),
            Self::Station(frames) => Pin::new(frames).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Udp(socket) => Pin::new(socket).poll_flush(cx),
            Self::Serial(wired) => Pin::new(wired).poll_flush(cx),
            Self::Tls(sealed) => Pin::new(sealed).poll_flush(cx),
            Self::Station(frames) => Pin::new(frames).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Udp(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Serial(wired) => Pin::new(wired).poll_shutdown(cx),
            Self::Tls(sealed) => Pin::new(sealed).poll_shutdown(cx),
            Self::Station(frames) => Pin::new(frames).poll_shutdown(cx),
        }
    }
}

/// Linux sends up to six more SYNs of its own; the last of them would knock long after we had given up (read-only.md section 3).
#[cfg(target_os = "linux")]
mod syn_retries {
    // `getsockopt_impl` is for the test below; nix writes both accessors and holds the system calls. No safe wrapper for this option exists elsewhere.
    use nix::{getsockopt_impl, libc, setsockopt_impl, sockopt_impl};

    /// One more than the first.
    const SYN_RETRIES_MAX: libc::c_int = 1;

    sockopt_impl!(
        /// How often a SYN is repeated.
        SynRetries,
        Both,
        libc::IPPROTO_TCP,
        libc::TCP_SYNCNT,
        libc::c_int
    );

    pub fn limit(socket: &tokio::net::TcpSocket) -> std::io::Result<()> {
        nix::sys::socket::setsockopt(socket, SynRetries, &SYN_RETRIES_MAX).map_err(Into::into)
    }
}

#[cfg(test)]
mod tests;
