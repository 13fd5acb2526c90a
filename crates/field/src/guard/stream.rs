//! The guarded stream.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::{
    Ended, Failed, Permit, Refused,
    judge::{Judge, Message},
    permit::Session,
    refused::hex,
    tls::{Handshake, Tally},
};
use crate::touch::{Hush, Kind, Line, TouchRecord};

/// Seconds after which even reading ends (read-only.md section 3, hard kill): no device may keep us.
pub const KILL_S_MAX: u64 = 30;
/// Milliseconds we read towards the device's FIN after ours (section 3, close).
pub const CLOSE_MS_MAX: u64 = 1_000;

/// Bytes of a sealed stream that are opened at a time.
const OPENED_BYTES: usize = 4_096;

/// A stream towards one device, and the only way to write to it. See the module's words on what a write does.
pub struct Guarded<S> {
    inner: S,
    permit: Permit,
    touch: Arc<TouchRecord>,
    judge: Judge,
    /// A message that was let out and that the socket has not taken yet.
    leaving: Vec<u8>,
    left: usize,
    /// What was opened and not read yet.
    opened: Vec<u8>,
    since: Instant,
    kill: Pin<Box<Sleep>>,
    sent_at: Option<Instant>,
    bytes_out: u64,
    bytes_in: u64,
    /// The first IO error: what it says is how the connection ended.
    broke: Option<Ended>,
    closed: bool,
    below: Option<Below>,
}

/// TLS, where the guard's messages go through it.
struct Below {
    handshake: Option<Handshake>,
    tally: Arc<Tally>,
}

/// What one connection was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Application bytes that left.
    pub bytes_out: u64,
    /// Application bytes that came in.
    pub bytes_in: u64,
    /// How long it was ours.
    pub hold: Duration,
    /// How it ended.
    pub ended: Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    /// Puts a guard around a stream that stands. [`super::connect`] is this with a socket; tests use it over `tokio::io::duplex`.
    #[must_use]
    pub fn over(inner: S, permit: Permit, touch: Arc<TouchRecord>) -> Self {
        Self::held_since(Instant::now(), inner, permit, touch)
    }

    /// The hold's beginning as an argument, so that tests need not wait for its end.
    pub(super) fn held_since(since: Instant, inner: S, permit: Permit, touch: Arc<TouchRecord>) -> Self {
        let sent_at = permit.table().asked_by_connecting().map(|_| since);
        Self {
            inner,
            judge: Judge::new(&permit),
            permit,
            touch,
            leaving: Vec::new(),
            left: 0,
            opened: Vec::new(),
            since,
            kill: Box::pin(sleep_until(since + Duration::from_secs(KILL_S_MAX))),
            sent_at,
            bytes_out: 0,
            bytes_in: 0,
            broke: None,
            closed: false,
            below: None,
        }
    }

    /// The same behind a handshake, which asked for what connecting asks for.
    pub(super) fn shaken(mut self, handshake: Handshake, tally: Arc<Tally>) -> Result<Self, Refused> {
        if handshake.broke.is_none() {
            self.take_in(usize::try_from(tally.back()).unwrap_or(usize::MAX))?;
        }
        self.below = Some(Below { handshake: Some(handshake), tally });
        Ok(self)
    }

    /// What the server said in the handshake, where there was one; told once.
    pub fn handshake(&mut self) -> Option<Handshake> {
        self.below.as_mut()?.handshake.take()
    }

    /// The permit it runs under.
    #[must_use]
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// True while a message is out and nothing came back.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.judge.is_waiting()
    }

    /// Why no question may leave now.
    #[must_use]
    pub fn quiet(&self) -> Option<Hush> {
        self.touch.quiet()
    }

    /// A message of ours as it may be shown: without what is secret in it.
    #[must_use]
    pub fn shown(&self, message: &[u8]) -> Vec<u8> {
        self.judge.without_secrets(message)
    }

    /// How long the connection has been ours.
    #[must_use]
    pub fn hold(&self) -> Duration {
        self.since.elapsed()
    }

    /// Declares that nobody waits for the answer any more: a `timeout` line, and the next message may go.
    ///
    /// # Errors
    /// [`Refused`] where the touch record cannot be written; the guard is closed then.
    pub fn time_out(&mut self) -> Result<(), Refused> {
        self.log(Line::new(Kind::Timeout))?;
        self.sent_at = None;
        self.judge.timed_out();
        Ok(())
    }

    /// Closes politely: FIN, then reads to the device's FIN for at most [`CLOSE_MS_MAX`], then the `closed` line.
    ///
    /// # Errors
    /// [`Failed::Refused`] where the touch record cannot be written. How the connection itself ended is in [`Closed`].
    pub async fn close(mut self) -> Result<Closed, Failed> {
        let ended = match self.broke {
            Some(ended) => ended,
            None => timeout(Duration::from_millis(CLOSE_MS_MAX), self.say_goodbye()).await.unwrap_or(Ended::TimeOut),
        };
        Ok(self.end(ended)?)
    }

    async fn say_goodbye(&mut self) -> Ended {
        // What a device still has to say is read out, or the system would answer it with a RST.
        let mut rest = [0; 512];
        let mut outcome = self.shutdown().await;
        while outcome.is_ok() {
            match self.inner.read(&mut rest).await {
                Ok(0) => return Ended::Fin,
                Ok(had) => self.bytes_in = self.bytes_in.saturating_add(had as u64),
                Err(error) => outcome = Err(error),
            }
        }
        outcome.err().map_or(Ended::Fin, |error| Ended::of(&error))
    }
}

impl<S> Guarded<S> {
    /// A line of this connection, on the disk when this returns.
    fn log(&mut self, line: Line) -> Result<(), Refused> {
        log(&self.touch, &self.permit, line).map_err(|refused| self.judge.close(refused))
    }

    /// Logs a refusal. Where the record cannot be written the refusal stands all the same.
    fn refuse(&mut self, refused: Refused) -> io::Error {
        let mut line = Line::new(Kind::Refused);
        line.question = refused.question.map(str::to_owned);
        line.bytes = Some(hex(&refused.bytes));
        line.rule = Some(refused.rule.to_owned());
        line.at = refused.at;
        line.why = Some(refused.why.clone());
        match self.log(line) {
            Ok(()) => refused.into(),
            Err(unwritten) => Refused { why: format!("{}; and {}", refused.why, unwritten.why), ..refused }.into(),
        }
    }

    /// The line first, then the message.
    fn let_out(&mut self, message: Message) -> io::Result<()> {
        let mut line = Line::new(Kind::Sent);
        line.question = Some(message.question.to_owned());
        line.bytes = Some(hex(&message.shown));
        line.from = self.permit.own_address();
        self.log(line)?;
        self.sent_at = Some(Instant::now());
        self.leaving = message.bytes;
        self.left = 0;
        Ok(())
    }

    fn take_in(&mut self, bytes: usize) -> Result<(), Refused> {
        self.bytes_in = self.bytes_in.saturating_add(bytes as u64);
        self.judge.answered();
        let Some(sent_at) = self.sent_at.take() else { return Ok(()) };
        let mut line = Line::new(Kind::Answer);
        line.bytes_in = Some(bytes as u64);
        line.latency_us = Some(u64::try_from(sent_at.elapsed().as_micros()).unwrap_or(u64::MAX));
        self.log(line)
    }

    fn broken(&mut self, error: &io::Error) {
        self.broke.get_or_insert(Ended::of(error));
    }

    fn end(&mut self, ended: Ended) -> Result<Closed, Refused> {
        self.closed = true;
        // On the wire there is more than was written and read: handshake and seals.
        let (bytes_out, bytes_in) =
            self.below.as_ref().map_or((self.bytes_out, self.bytes_in), |Below { tally, .. }| (tally.out(), tally.back()));
        let closed = Closed { bytes_out, bytes_in, hold: self.since.elapsed(), ended };
        let mut line = Line::new(Kind::Closed);
        line.bytes_out = Some(closed.bytes_out);
        line.bytes_in = Some(closed.bytes_in);
        line.hold_ms = Some(u64::try_from(closed.hold.as_millis()).unwrap_or(u64::MAX));
        line.ended = Some(ended.to_string());
        self.log(line)?;
        Ok(closed)
    }
}

impl<S: AsyncWrite + Unpin> Guarded<S> {
    /// Hands the socket what was let out.
    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = ready!(self.poll_leave_whole(cx));
        Poll::Ready(outcome.inspect_err(|error| self.broken(error)))
    }

    fn poll_leave_whole(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.leaving.get(self.left..).filter(|rest| !rest.is_empty()) {
            if self.kill.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(held_too_long()));
            }
            let took = ready!(Pin::new(&mut self.inner).poll_write(cx, rest))?;
            if took == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.left = self.left.saturating_add(took);
            self.bytes_out = self.bytes_out.saturating_add(took as u64);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_leave(cx))?;
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        // A closed guard has said why once; saying it again for every write would let a loop fill the record.
        if let Some(refused) = this.judge.closed() {
            return Poll::Ready(Err(refused.clone().into()));
        }
        let pushed = match this.judge.push(bytes, this.since.elapsed()) {
            Ok(pushed) => pushed,
            Err(refused) => return Poll::Ready(Err(this.refuse(refused))),
        };
        if let Some(message) = pushed.message {
            this.let_out(message)?;
            // A socket that takes nothing now gets it with the next write, flush or read: the bytes are ours either way.
            if let Poll::Ready(outcome) = this.poll_leave(cx) {
                outcome?;
            }
        }
        Poll::Ready(Ok(pushed.taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_leave(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Whether it could leave or not, the goodbye goes on.
        let _gone_or_broken = ready!(this.poll_leave(cx));
        if let Some(refused) = this.judge.finish() {
            // It is on record; the goodbye goes on.
            let _on_record = this.refuse(refused);
        }
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.kill.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(held_too_long()));
        }
        if let Poll::Ready(Err(error)) = this.poll_leave(cx) {
            return Poll::Ready(Err(error));
        }
        if let Some(opener) = this.permit.opener() {
            return this.poll_read_opened(cx, buffer, opener.as_ref());
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buffer)).inspect_err(|error| this.broken(error))?;
        let had = buffer.filled().len().saturating_sub(before);
        if had > 0 {
            this.judge.heard(buffer.filled().get(before..).unwrap_or_default());
            this.take_in(had)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    /// Reads what is sealed, and gives what was sealed in it. Nothing that is not authentic gets any further.
    fn poll_read_opened(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>, opener: &dyn Session) -> Poll<io::Result<()>> {
        while self.opened.is_empty() {
            let mut came = [0; OPENED_BYTES];
            let mut came = ReadBuf::new(&mut came);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut came)).inspect_err(|error| self.broken(error))?;
            if came.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.take_in(came.filled().len())?;
            let opened = opener.open(came.filled()).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why));
            self.opened = opened.inspect_err(|error| self.broken(error))?;
            self.judge.heard(&self.opened);
        }
        let count = buffer.remaining().min(self.opened.len());
        buffer.put_slice(self.opened.drain(..count).as_slice());
        Poll::Ready(Ok(()))
    }
}

impl<S> Drop for Guarded<S> {
    fn drop(&mut self) {
        if !self.closed {
            // Nobody is left to tell; the record either has the line or was unwritable before.
            let _nobody = self.end(self.broke.unwrap_or(Ended::Dropped));
        }
    }
}

fn held_too_long() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the connection was held for {KILL_S_MAX} s"))
}

/// Appends a line of a permit's connection: whom, as which unit, for which work order.
pub(super) fn log(touch: &TouchRecord, permit: &Permit, mut line: Line) -> Result<(), Refused> {
    line.target = Some(permit.endpoint().clone());
    line.protocol = Some(permit.protocol().to_owned());
    line.station = Some(permit.station().to_owned()).filter(|station| !station.is_empty());
    line.reason = Some(permit.reason().to_owned());
    let factor = permit.limits().time_factor;
    line.time_factor = (factor.to_bits() != 1.0_f64.to_bits()).then_some(factor);
    touch.append(line).map_err(|error| Refused::before_any_byte("touch.record", error.to_string()))
}
