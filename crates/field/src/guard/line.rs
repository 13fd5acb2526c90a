//! A serial line towards devices, as a stream. It has one master: before the first question it is listened to, and whoever speaks on it has it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    time::timeout,
};
use tokio_serial::{DataBits, SerialStream, StopBits};

use super::{
    Refused,
    serial::{Parity, SerialLine, Settings},
};

/// Milliseconds a line is listened to before the first question. A master that polls speaks several times in them; a second one on RS-485 would talk
/// into its messages (read-only.md section 2, "Modbus RTU").
pub const QUIET_MS_MIN: u64 = 3_000;

/// An open line, ours alone: the system refuses it to any other program meanwhile.
#[derive(Debug)]
pub struct Wired {
    stream: SerialStream,
    /// Nothing more is sent, and nobody waits for more: a line has no goodbye.
    over: bool,
}

/// Opens a line and sets it.
pub fn open(line: &SerialLine) -> io::Result<Wired> {
    let SerialLine { path, settings: Settings { baud, data_bits, parity, stop_bits } } = line;
    let builder = tokio_serial::new(path, *baud)
        .data_bits(if *data_bits == 7 { DataBits::Seven } else { DataBits::Eight })
        .parity(match parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(if *stop_bits == 2 { StopBits::Two } else { StopBits::One });
    Ok(Wired { stream: SerialStream::open(&builder)?, over: false })
}

impl Wired {
    /// Listens for that long.
    ///
    /// # Errors
    /// [`Refused`] by `line.busy`: somebody speaks on it, or it cannot be read.
    pub async fn quiet(&mut self, listened: Duration) -> Result<(), Refused> {
        let busy = |why: String| Err(Refused::before_any_byte("line.busy", why));
        let mut buffer = [0; 256];
        match timeout(listened, self.stream.read(&mut buffer)).await {
            Err(_) => Ok(()),
            Ok(Ok(heard)) => busy(format!(
                "{heard} bytes were heard on the line before anything was asked: it has another master, and takes no second one"
            )),
            Ok(Err(error)) => busy(format!("the line cannot be listened to: {error}")),
        }
    }
}

impl AsyncRead for Wired {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.over { Poll::Ready(Ok(())) } else { Pin::new(&mut self.stream).poll_read(cx, buffer) }
    }
}

impl AsyncWrite for Wired {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.over = true;
        Poll::Ready(Ok(()))
    }
}
