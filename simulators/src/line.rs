//! The ways to a device's ear, as one: a stream of bytes, the datagrams of one peer, or a cable without a socket.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;

use crate::cable::Far;
use crate::sealed::Sealed;

/// One read; an identity question has some dozens of bytes.
const READ_BYTES: usize = 4096;

pub(crate) enum Line {
    Stream(TcpStream),
    Sealed(Sealed),
    Datagrams { socket: Arc<UdpSocket>, peer: SocketAddr, inbox: mpsc::Receiver<Vec<u8>> },
    Cable(Far),
}

impl Line {
    /// What came next; `None` when the peer has ended the stream, or the device takes no more datagrams.
    pub(crate) async fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Stream(stream) => {
                let mut buffer = [0; READ_BYTES];
                let length = stream.read(&mut buffer).await?;
                Ok((length > 0).then(|| buffer.get(..length).unwrap_or_default().to_vec()))
            }
            Self::Sealed(sealed) => sealed.read().await,
            Self::Datagrams { inbox, .. } => Ok(inbox.recv().await),
            Self::Cable(far) => Ok(far.hear().await),
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.write_all(bytes).await,
            Self::Sealed(sealed) => sealed.write(bytes).await,
            Self::Datagrams { socket, peer, .. } => socket.send_to(bytes, *peer).await.map(|_| ()),
            Self::Cable(far) => far.say(bytes).await,
        }
    }

    /// Ends the stream in order.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.shutdown().await,
            Self::Sealed(sealed) => sealed.finish().await,
            Self::Datagrams { .. } => Ok(()),
            Self::Cable(far) => {
                far.finish();
                Ok(())
            }
        }
    }

    /// Makes the end of the stream a reset.
    pub(crate) fn break_off(&self) {
        match self {
            // Best effort: where it cannot be set, the drop sends FIN.
            Self::Stream(stream) => drop(stream.set_zero_linger()),
            Self::Sealed(sealed) => sealed.break_off(),
            Self::Cable(far) => far.break_off(),
            Self::Datagrams { .. } => {}
        }
    }
}
