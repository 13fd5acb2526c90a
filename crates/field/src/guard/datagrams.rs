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

/// A connected socket: the kernel passes on what comes from the device and nothing else.
#[derive(Debug)]
pub struct Datagrams {
    socket: UdpSocket,
    /// Nothing more is sent, and nobody waits for more: there is no goodbye in UDP.
    over: bool,
}

impl Datagrams {
    /// Around a connected socket.
    pub const fn new(socket: UdpSocket) -> Self {
        Self { socket, over: false }
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
            ready!(self.socket.poll_recv(cx, buffer))?;
            // An empty datagram says nothing, and must not be taken for an end.
            if buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Datagrams {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_send(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.over = true;
        Poll::Ready(Ok(()))
    }
}
