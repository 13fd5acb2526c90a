//! A UDP socket towards one device, as a stream: each write is one datagram, each read gives one.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UdpSocket,
};

/// What comes from the device and nothing else: of a connected socket the kernel sees to it.
#[derive(Debug)]
pub struct Datagrams {
    socket: UdpSocket,
    /// Where it is asked, if it may answer from another of its ports; the socket is not connected then.
    asked: Option<SocketAddr>,
    /// Nothing more is sent, and nobody waits for more: there is no goodbye in UDP.
    over: bool,
}

impl Datagrams {
    /// Around a connected socket.
    pub const fn new(socket: UdpSocket) -> Self {
        Self { socket, asked: None, over: false }
    }

    /// Around a socket that is not connected, towards a device that may answer from another port than the one that is asked.
    pub const fn of_host(socket: UdpSocket, asked: SocketAddr) -> Self {
        Self { socket, asked: Some(asked), over: false }
    }

    /// Our own end of it.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl AsyncRead for Datagrams {
    /// One datagram. The buffer must have room for it: what does not fit is lost, as with any datagram socket.
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.over {
            return Poll::Ready(Ok(()));
        }
        loop {
            let before = buffer.filled().len();
            match self.asked {
                None => ready!(self.socket.poll_recv(cx, buffer))?,
                Some(asked) => {
                    let from = ready!(self.socket.poll_recv_from(cx, buffer))?;
                    if from.ip().to_canonical() != asked.ip().to_canonical() {
                        buffer.set_filled(before);
                    }
                }
            }
            // An empty datagram says nothing, and must not be taken for an end.
            if buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Datagrams {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.asked {
            None => self.socket.poll_send(cx, bytes),
            Some(asked) => self.socket.poll_send_to(cx, bytes, asked),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.over = true;
        Poll::Ready(Ok(()))
    }
}
