//! A conversation with the desk. Whatever it says, the worst that comes of it is that it is shown out.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use nameplate_core::text::printable;
use nameplate_field::ask::{Ask, last_asked};
use nameplate_field::touch::{self, hush};
use tokio::io::{AsyncWriteExt, BufReader};
#[cfg(unix)]
use tokio::net::{UnixStream, unix::OwnedWriteHalf};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{interval, timeout};

use super::round::Round;
use super::side::Side;
use crate::hatch::{At, FORMAT, Lines, Listed, REQUEST_BYTES_MAX, Report, Request};
use crate::log::say;
use crate::print;

/// Counters are told so often.
const COUNTED_EVERY: Duration = Duration::from_secs(5);
/// A desk that takes nothing for so long is shown out.
const SLOW_SECONDS_MAX: Duration = Duration::from_secs(30);
/// Lines of the touch record in one report: of the longest that there can be, a quarter of what a report may have.
const LINES_MAX: usize = 64;
/// Characters of what a stranger said that are told back.
const SHOWN_CHARS_MAX: usize = 200;

/// Tells a second desk that there is one.
pub async fn turn_away(mut stream: UnixStream) {
    say!(DESK_REFUSED, "a second desk was turned away; there is one at a time");
    let wrong = Report::Wrong { why: "another desk is here; there is one at a time".to_owned() };
    // It may be gone by now.
    let _ = timeout(SLOW_SECONDS_MAX, stream.write_all(print::json_line(&wrong).as_bytes())).await;
}

/// Talks until the desk goes, or is shown out.
pub async fn converse(side: &Side<'_>, stream: UnixStream, rounds: &Sender<Round>) {
    let (from, to) = stream.into_split();
    let mut desk = Desk { side, to, touched: None };
    let mut lines = Lines::of(BufReader::new(from), REQUEST_BYTES_MAX);
    side.begin_again();
    match desk.attend(&mut lines, rounds).await {
        Ok(()) => say!(DESK_LEFT, "the conversation with the desk is over"),
        Err(why) => {
            let wrong = Report::Wrong { why: why.to_string() };
            let _ = desk.tell(&print::json_line(&wrong)).await;
            say!(DESK_REFUSED, "the desk was shown out: {}", printable(&why.to_string()));
        }
    }
}

/// Who is on the other side.
struct Desk<'a, 'p> {
    side: &'a Side<'p>,
    to: OwnedWriteHalf,
    /// Bytes of the touch record that it has; `None` until it has said.
    touched: Option<u64>,
}

impl Desk<'_, '_> {
    async fn attend(&mut self, lines: &mut Lines<BufReader<tokio::net::unix::OwnedReadHalf>>, rounds: &Sender<Round>) -> io::Result<()> {
        let mut counts = interval(COUNTED_EVERY);
        let mut over = self.side.over.subscribe();
        loop {
            tokio::select! {
                line = lines.next() => match line? {
                    None => return Ok(()),
                    Some(line) => self.take(&line, rounds).await?,
                },
                () = self.side.news.notified() => {}
                // The last round is over, and this process ends: what there is to tell is told, and no more is heard.
                () = async { drop(over.wait_for(|over| *over).await) } => return self.tell_what_is_new().await,
                _ = counts.tick() => if self.touched.is_some() {
                    self.tell(&print::json_line(&self.side.counts())).await?;
                },
            }
            self.tell_what_is_new().await?;
        }
    }

    async fn take(&mut self, line: &[u8], rounds: &Sender<Round>) -> io::Result<()> {
        let request: Request = serde_json::from_slice(line).map_err(|e| {
            let line: String = String::from_utf8_lossy(line).chars().take(SHOWN_CHARS_MAX).collect();
            wrong(format!("this is no request: {e}: {line}"))
        })?;
        say!(REQUESTED { kind = request.name() }, "the desk says: {}", request.name());
        match request {
            Request::Hello { format: FORMAT, touched, plans } if self.touched.is_none() => {
                self.touched = Some(touched);
                say!(DESK_CAME { bytes = touched }, "a desk is here, which has {touched} bytes of the touch record");
                let welcome = Report::Welcome {
                    format: FORMAT,
                    program: concat!("nameplate ", env!("CARGO_PKG_VERSION")).to_owned(),
                    site: self.side.site.name.clone(),
                    devices: listed(self.side, &plans)?,
                    key: self.side.key.clone(),
                    interfaces: self.side.site.interfaces.clone(),
                };
                self.tell(&print::json_line(&welcome)).await
            }
            Request::Hello { format, .. } => Err(wrong(format!("format {format} was said; once, and {FORMAT}, is what is spoken here"))),
            _ if self.touched.is_none() => Err(wrong("nothing is heard before hello".to_owned())),
            Request::Ask { devices, .. } if devices.is_empty() => Err(wrong("a round names its devices".to_owned())),
            Request::Ask { round, devices, why } => {
                let (refused, unasked) = match rounds.try_send(Round { number: round, devices, why }) {
                    Ok(()) => return Ok(()),
                    // Who wants more at once than can wait is told that nothing of it was asked.
                    Err(TrySendError::Full(round)) => (round.devices.len(), Vec::new()),
                    Err(TrySendError::Closed(round)) => (0, round.devices),
                };
                self.tell(&print::json_line(&Report::Asked { round, refused, unanswered: 0, upset: 0, unasked })).await
            }
            Request::Kept { number } => {
                self.side.kept(number);
                Ok(())
            }
            Request::Quiet { why } => {
                let words = format!("the desk: {}", printable(&why.chars().take(SHOWN_CHARS_MAX).collect::<String>()));
                hush(&self.side.directory, &words)
            }
        }
    }

    /// What the touch record has, then what was said: so the ledger has the question before its answer.
    async fn tell_what_is_new(&mut self) -> io::Result<()> {
        let Some(mut at) = self.touched else { return Ok(()) };
        let mut reports: Vec<(Vec<String>, u64)> = Vec::new();
        let read = touch::lines_from(&self.side.directory, at, |line, _, end| {
            match reports.last_mut().filter(|(lines, _)| lines.len() < LINES_MAX) {
                Some((lines, last)) => {
                    lines.push(line.to_owned());
                    *last = end;
                }
                None => reports.push((vec![line.to_owned()], end)),
            }
        });
        read.map_err(|e| wrong(format!("the touch record does not fit what the desk has of it: {e}")))?;
        for (lines, end) in reports {
            self.tell(&print::json_line(&Report::Touched { lines, end })).await?;
            at = end;
        }
        self.touched = Some(at);
        while let Some(line) = self.side.next() {
            self.tell(&line).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, line: &str) -> io::Result<()> {
        let told = timeout(SLOW_SECONDS_MAX, self.to.write_all(line.as_bytes())).await;
        told.map_err(|_| wrong("it takes nothing".to_owned()))?
    }
}

/// The devices of the site file, and when these plans last had them asked.
fn listed(side: &Side<'_>, plans: &[String]) -> io::Result<Vec<Listed>> {
    let asked = last_asked(&side.directory, plans).map_err(|e| wrong(e.to_string()))?;
    let of = |asks: &[Ask]| {
        let places = asks.iter().filter_map(|ask| asked.get(&(ask.endpoint.canonical(), ask.station())));
        places.flatten().fold(BTreeMap::new(), |mut all: BTreeMap<String, u64>, (plan, time)| {
            let last = all.entry(plan.clone()).or_default();
            *last = (*time).max(*last);
            all
        })
    };
    Ok(side
        .site
        .devices()
        .map(|(name, asks)| Listed { name: name.to_owned(), at: asks.iter().map(At::of).collect(), asked: of(asks) })
        .collect())
}

fn wrong(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
