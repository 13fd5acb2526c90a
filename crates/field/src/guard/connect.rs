//! The one function that opens a socket towards a device.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{Ended, Failed, Guarded, Permit, stream::log};
use crate::touch::{Kind, Line, TouchRecord};

/// Milliseconds a connect may take (read-only.md section 3).
pub const CONNECT_MS_MAX: u64 = 3_000;

/// Opens one TCP connection to the permit's target and puts a guard around it.
///
/// # Errors
/// [`Failed::Refused`] where the touch record cannot be written (nothing was sent then), [`Failed::Io`] where the device does not accept.
pub async fn connect(permit: Permit, touch: Arc<TouchRecord>) -> Result<Guarded<TcpStream>, Failed> {
    log(&touch, &permit, Line::new(Kind::Connect))?;
    let peer = permit.target();
    let outcome =
        timeout(Duration::from_millis(CONNECT_MS_MAX), open(peer)).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    match outcome {
        Ok(stream) => Ok(Guarded::over(stream, permit, touch)),
        Err(source) => {
            let mut line = Line::new(Kind::Failed);
            line.ended = Some(Ended::of(&source).to_string());
            line.why = Some(source.to_string());
            log(&touch, &permit, line)?;
            Err(Failed::Io { operation: "connect", peer, source })
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the only place that opens a connection towards a device (rules of the house, 2)")]
async fn open(peer: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    syn_retries::limit(&socket)?;
    socket.connect(peer).await
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
