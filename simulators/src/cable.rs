//! A device at the other end of a cable in memory: no socket, so that a story of hours takes no time where tokio's clock is paused.
//!
//! What is said arrives whole and in order. A stream ends by FIN or reset as on TCP; datagrams are read one at a time and have no end.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

use crate::account::Shared;
use crate::device::{Device, Machine};
use crate::fault::{Fault, crooked};
use crate::language::{Carrier, Language};
use crate::line::Line;
use crate::report::Report;
use crate::session;

/// Messages on the way to whoever asks: then the device waits, as it does before a full window of TCP.
const MESSAGES_ON_WAY_MAX: usize = 16;

/// The end of whoever asks.
#[derive(Debug)]
pub struct Cable {
    over: Carrier,
    out: Option<mpsc::UnboundedSender<Vec<u8>>>,
    come: mpsc::Receiver<Vec<u8>>,
    /// Of a stream, what came and was not read.
    held: VecDeque<u8>,
    reset: Arc<AtomicBool>,
}

/// The device's end.
pub(crate) struct Far {
    inbox: mpsc::UnboundedReceiver<Vec<u8>>,
    out: Option<mpsc::Sender<Vec<u8>>>,
    reset: Arc<AtomicBool>,
}

/// A device whose cable was plugged in.
#[derive(Debug)]
pub struct Plugged {
    shared: Arc<Shared>,
}

impl Plugged {
    /// Its account so far.
    pub fn report(&self) -> Report {
        self.shared.report()
    }
}

impl<P: Language + 'static> Device<P> {
    /// Plugs in one cable: a connection, or a peer by datagrams, in a task on the current runtime.
    pub fn plug(self, over: Carrier) -> (Cable, Plugged) {
        let persona = crooked(Arc::new(self.persona), self.fault.as_ref());
        let machine = Arc::new(Machine { persona, fault: self.fault, manners: self.manners, link: None });
        let shared = Arc::new(Shared::new(machine.fault.as_ref()));
        let (asked, inbox) = mpsc::unbounded_channel();
        let (out, come) = mpsc::channel(MESSAGES_ON_WAY_MAX);
        let reset = Arc::new(AtomicBool::new(false));
        let far = Far { inbox, out: Some(out), reset: Arc::clone(&reset) };
        let entered = shared.state().enter(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), over, machine.manners);
        if let Some(entered) = entered {
            if machine.fault == Some(Fault::RstOnConnect) {
                entered.close.notify_one();
            }
            let place = session::Place { entered, conversation: None, over };
            tokio::spawn(session::run(machine, Arc::clone(&shared), Line::Cable(far), place));
        }
        (Cable { over, out: Some(asked), come, held: VecDeque::new(), reset }, Plugged { shared })
    }
}

impl Far {
    /// What came next; `None` when whoever asked has ended it.
    pub(crate) async fn hear(&mut self) -> Option<Vec<u8>> {
        self.inbox.recv().await
    }

    pub(crate) async fn say(&self, bytes: &[u8]) -> io::Result<()> {
        let Some(out) = &self.out else { return Err(io::ErrorKind::BrokenPipe.into()) };
        out.send(bytes.to_vec()).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    pub(crate) fn finish(&mut self) {
        self.out = None;
    }

    pub(crate) fn break_off(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }
}

impl AsyncRead for Cable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let by_datagrams = self.over == Carrier::Udp;
        if by_datagrams && self.out.is_none() {
            return Poll::Ready(Ok(()));
        }
        if self.held.is_empty() {
            match ready!(self.come.poll_recv(cx)) {
                Some(bytes) => self.held.extend(bytes),
                // Nobody tells by datagrams that no more come.
                None if by_datagrams => return Poll::Pending,
                None if self.reset.load(Ordering::Relaxed) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => return Poll::Ready(Ok(())),
            }
        }
        let fits = self.held.len().min(buffer.remaining());
        let bytes: Vec<u8> = self.held.drain(..fits).collect();
        buffer.put_slice(&bytes);
        if by_datagrams {
            self.held.clear();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Cable {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(out) = &self.out else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
        if self.reset.load(Ordering::Relaxed) && self.over == Carrier::Tcp {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        // Who has hung up hears no more, and the network does not say so at once.
        let _gone = out.send(bytes.to_vec());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out = None;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::modbus;
    use crate::report::Ended;

    fn meter(fault: Option<Fault>) -> modbus::Device {
        Device { fault, ..Device::new(modbus::Persona::from_objects([(0, b"Acme".to_vec())])) }
    }

    /// Asks once; what came, how the stream ended, and the device's word on it.
    async fn asked(fault: Option<Fault>, over: Carrier) -> (usize, Result<usize, io::ErrorKind>, Ended) {
        let device = meter(fault);
        let question = device.persona.sample();
        let (mut cable, plugged) = device.plug(over);
        let mut answer = vec![0; 256];
        let _reset = cable.write_all(&question).await;
        let had = cable.read(&mut answer).await.unwrap_or(0);
        cable.shutdown().await.expect("its own end");
        let end = cable.read(&mut answer).await.map_err(|error| error.kind());
        tokio::task::yield_now().await;
        (had, end, plugged.report().sessions[0].ended)
    }

    #[tokio::test]
    async fn a_cable_carries_answers_and_their_end() {
        let answer_bytes = 7 + 7 + 2 + 4;
        for over in [Carrier::Tcp, Carrier::Udp] {
            let ended = if over == Carrier::Tcp { Ended::PeerFin } else { Ended::Datagrams };
            assert_eq!(asked(None, over).await, (answer_bytes, Ok(0), ended));
        }
        assert_eq!(asked(Some(Fault::ZeroBytes), Carrier::Tcp).await, (0, Ok(0), Ended::Device));
        let (had, end, _) = asked(Some(Fault::RstOnConnect), Carrier::Tcp).await;
        assert_eq!((had, end), (0, Err(io::ErrorKind::ConnectionReset)));
    }
}
