//! The plant's legitimate master: it polls registers without end, may read an identity once as an engineering station does, and measures
//! whether anybody disturbs it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::device::Door;
use crate::modbus::wrap;
use crate::sockets::dial;

/// Of so many answers the latency is kept; later ones are counted only.
const LATENCIES_MAX: usize = 1_000_000;
/// Pages of an identity that a sound client reads before it stops believing "more follows".
const PAGES_MAX: usize = 8;
/// The longest answer that a sound client takes: MBAP header and PDU.
const ANSWER_BYTES_MAX: usize = 260;

/// What a master does to one device.
#[derive(Clone, Debug)]
pub struct Master {
    /// The unit id it asks for.
    pub unit: u8,
    /// Zero-based address and quantity of the holding registers it polls.
    pub registers: (u16, u16),
    /// Time between an answer and the next poll.
    pub interval: Duration,
    /// How long it waits for an answer before it gives the session up.
    pub patience: Duration,
    /// The identity questions it asks once, on its first session, before it polls.
    pub asks: Vec<Ask>,
}

/// One identity question of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// FC 43/14 with this read code, from object 0, all pages.
    Identification(u8),
    /// FC 17.
    ServerId,
}

/// How a master was served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Polls that were answered.
    pub answers: u64,
    /// Sessions that ended against its will: closed, reset, refused, silent beyond its patience, or garbled.
    pub sessions_dropped: u64,
    /// Whether every identity question was put (answered or not).
    pub has_asked: bool,
    latencies: Vec<Duration>,
}

impl Service {
    /// The latency that 99 of 100 answers stayed within (nearest rank); `None` before the first answer.
    pub fn p99(&self) -> Option<Duration> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = sorted.len().saturating_mul(99).div_ceil(100);
        sorted.get(rank.checked_sub(1)?).copied()
    }
}

/// A master at work. Dropping it ends it.
#[derive(Debug)]
pub struct Polling {
    service: watch::Receiver<Service>,
    task: JoinHandle<()>,
}

impl Polling {
    /// How it was served so far.
    pub fn report(&self) -> Service {
        self.service.borrow().clone()
    }

    /// Waits until this holds of its service; at once if its task is gone.
    pub async fn until(&mut self, holds: impl Fn(&Service) -> bool) {
        let _ = self.service.wait_for(|service| holds(service)).await;
    }

    /// Ends it and gives its last account.
    pub async fn stop(self) -> Service {
        self.task.abort();
        let report = self.service.borrow().clone();
        let _ = self.task.await;
        report
    }
}

impl Master {
    /// A master that polls ten registers from 0 of unit 1 every 100 ms and asks nothing.
    pub fn new() -> Self {
        Self { unit: 1, registers: (0, 10), interval: Duration::from_millis(100), patience: Duration::from_secs(1), asks: Vec::new() }
    }

    /// Polls the device behind this door, in a task on the current runtime.
    pub fn start(self, door: Door) -> Polling {
        let (account, service) = watch::channel(Service::default());
        Polling { service, task: tokio::spawn(self.work(door, account)) }
    }

    async fn work(self, door: Door, account: watch::Sender<Service>) {
        let mut asks = self.asks.clone();
        loop {
            let failed = self.session(&door, &account, &mut asks).await;
            debug_assert!(failed.is_err(), "a session goes on until it fails");
            account.send_modify(|service| service.sessions_dropped = service.sessions_dropped.saturating_add(1));
            sleep(self.interval).await;
        }
    }

    async fn session(&self, door: &Door, account: &watch::Sender<Service>, asks: &mut Vec<Ask>) -> io::Result<()> {
        let mut line =
            Line { stream: dial(door.address, |from| door.admit(from)).await?, transaction: 0, unit: self.unit, patience: self.patience };
        while !asks.is_empty() {
            // Taken out first: a device that drops the session over it is not asked again.
            line.identity(asks.remove(0)).await?;
        }
        account.send_modify(|service| service.has_asked = true);
        let (address, quantity) = self.registers;
        let [a1, a0] = address.to_be_bytes();
        let [q1, q0] = quantity.to_be_bytes();
        loop {
            let asked = Instant::now();
            line.exchange(&[0x03, a1, a0, q1, q0]).await?;
            let latency = asked.elapsed();
            account.send_modify(|service| {
                service.answers = service.answers.saturating_add(1);
                if service.latencies.len() < LATENCIES_MAX {
                    service.latencies.push(latency);
                }
            });
            sleep(self.interval).await;
        }
    }
}

impl Default for Master {
    fn default() -> Self {
        Self::new()
    }
}

/// One session of a master: a question, its answer, the next.
struct Line {
    stream: TcpStream,
    transaction: u16,
    unit: u8,
    patience: Duration,
}

impl Line {
    async fn identity(&mut self, ask: Ask) -> io::Result<()> {
        let Ask::Identification(read_code) = ask else { return self.exchange(&[0x11]).await.map(|_| ()) };
        let mut object = 0;
        for _ in 0..PAGES_MAX {
            match self.exchange(&[0x2B, 0x0E, read_code, object]).await?.as_slice() {
                &[0x2B, 0x0E, _, _, 0xFF, next, ..] if next > object => object = next,
                _ => break,
            }
        }
        Ok(())
    }

    /// The PDU that answers this one.
    async fn exchange(&mut self, pdu: &[u8]) -> io::Result<Vec<u8>> {
        self.transaction = self.transaction.wrapping_add(1);
        let question = wrap(self.transaction, self.unit, pdu);
        match timeout(self.patience, exchange_on(&mut self.stream, &question)).await {
            Ok(answer) => answer,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within the master's patience")),
        }
    }
}

async fn exchange_on(stream: &mut TcpStream, question: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(question).await?;
    let mut header = [0; 7];
    stream.read_exact(&mut header).await?;
    let [t1, t0, p1, p0, l1, l0, unit] = header;
    let length = usize::from(u16::from_be_bytes([l1, l0]));
    let fits = question.starts_with(&[t1, t0, p1, p0]) && question.get(6) == Some(&unit) && (2..=ANSWER_BYTES_MAX - 6).contains(&length);
    if !fits {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "an answer to something else"));
    }
    let mut pdu = vec![0; length - 1];
    stream.read_exact(&mut pdu).await?;
    Ok(pdu)
}
