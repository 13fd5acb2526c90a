//! Live news: who waits for them, from which entry of the ledger on, and what is told. A device or a change is told with the last entry about it, so whoever
//! says which entry came last misses nothing.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::HeaderMap;
use hyper::body::{Body, Bytes, Frame};
use nameplate_core::change::Change;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use utoipa::ToSchema;

use super::Web;
use super::problem::Problem;
use crate::house::House;

/// Streams at once: each holds a connection, of which there are 512, and costs a look at what is known with each commit.
const STREAMS_MAX: usize = 32;
/// Streams of one account: a browser has six connections to a host and wants some for pages.
const STREAMS_PER_ACCOUNT_MAX: usize = 4;
/// A stream that tells nothing says that it is there: proxies cut what is silent for a minute, and who left is noticed so.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Between two events of a stream: people read no faster.
const GAP: Duration = Duration::from_secs(1);
/// Who takes nothing for so long is gone.
const TAKEN_SECONDS_MAX: Duration = Duration::from_secs(30);
/// A stream ends then and is asked for again, as `EventSource` does by itself.
pub const STREAM_SECONDS_MAX: u64 = 3_600;
/// Devices or changes of one event; what is beyond comes in the next.
const EVENT_IDS_MAX: usize = 500;
/// Pieces that wait to be sent.
const PIECES_MAX: usize = 4;

/// What changed.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct News {
    /// Entries of the ledger.
    size: u64,
    /// Ids of devices about which something was entered; `/deltas` has them in full, and ids that went.
    devices: Vec<String>,
    /// Work orders of changes about which something was entered.
    changes: Vec<String>,
    /// More comes at once.
    is_more: bool,
}

/// The last entry about each device and each change, in the order of the entries, at one moment.
struct Entered {
    size: u64,
    devices: Vec<(u64, String)>,
    changes: Vec<(u64, String)>,
}

/// Who waits for news, and what was last worked out for all of them.
#[derive(Default)]
pub struct Newsroom {
    entered: Mutex<Option<Arc<Entered>>>,
    streams: Arc<Mutex<HashMap<String, usize>>>,
}

/// A stream's place; it is given back when it is dropped.
struct Seat {
    streams: Arc<Mutex<HashMap<String, usize>>>,
    account: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = streams.get_mut(&self.account) {
            *count -= 1;
        }
        streams.retain(|_, count| *count > 0);
    }
}

impl Newsroom {
    fn seat(&self, account: &str) -> Result<Seat, Problem> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.values().sum::<usize>() >= STREAMS_MAX {
            return Err(Problem::too_many(format!("{STREAMS_MAX} streams are open already"), HEARTBEAT.as_secs()));
        }
        let count = streams.entry(account.to_owned()).or_default();
        if *count >= STREAMS_PER_ACCOUNT_MAX {
            return Err(Problem::too_many(format!("this account has {STREAMS_PER_ACCOUNT_MAX} streams already"), HEARTBEAT.as_secs()));
        }
        *count += 1;
        Ok(Seat { streams: Arc::clone(&self.streams), account: account.to_owned() })
    }

    /// What is entered now; worked out once for all streams.
    fn entered(&self, house: &House) -> Arc<Entered> {
        let mut kept = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        let size = *house.size.borrow();
        if let Some(entered) = kept.as_ref().filter(|entered| entered.size == size) {
            return Arc::clone(entered);
        }
        let entered = house.known(|known| {
            let mut devices: Vec<(u64, String)> =
                known.view.catalog.entered().into_iter().map(|(entry, id)| (entry, id.to_owned())).collect();
            let mut changes: Vec<(u64, String)> =
                known.view.changes.iter().map(|change| (last_entry(change), change.plan.order.clone())).collect();
            devices.sort_unstable();
            changes.sort_unstable();
            // What is known may be ahead of the disk: of that nothing is told yet.
            devices.retain(|(entry, _)| *entry < size);
            changes.retain(|(entry, _)| *entry < size);
            Entered { size, devices, changes }
        });
        let entered = Arc::new(entered);
        *kept = Some(Arc::clone(&entered));
        entered
    }
}

/// The last entry about a change.
fn last_entry(change: &Change) -> u64 {
    let steps = change.approved.iter().chain(&change.rings_opened).chain(&change.installed);
    let steps = steps.chain(change.verifications.iter().map(|(step, _)| step)).map(|step| step.index);
    let readings = change.before.iter().chain(&change.after).map(|readings| readings.index);
    let rest = change.checks.iter().map(|(entry, _)| *entry).chain(change.left.iter().map(|(entry, _)| *entry));
    let closed = change.closed.iter().map(|closed| closed.index);
    steps.chain(readings).chain(rest).chain(closed).fold(change.opened.0, u64::max)
}

impl Entered {
    /// What was entered from this entry on, and up to which entry it is told. What does not fit waits; what one entry brought stays together.
    fn since(&self, from: u64) -> (News, u64) {
        let behind = |all: &[(u64, String)]| all.partition_point(|(entry, _)| *entry < from);
        let (devices, changes) = (behind(&self.devices), behind(&self.changes));
        let (devices, changes) = (self.devices.get(devices..).unwrap_or_default(), self.changes.get(changes..).unwrap_or_default());
        let fitting =
            |all: &[(u64, String)]| all.get(EVENT_IDS_MAX).map(|_| all.get(EVENT_IDS_MAX - 1).map_or(from, |(entry, _)| entry + 1));
        let end = [fitting(devices), fitting(changes)].into_iter().flatten().fold(self.size, u64::min);
        let told = |all: &[(u64, String)]| all.iter().take_while(|(entry, _)| *entry < end).map(|(_, id)| id.clone()).collect();
        (News { size: self.size, devices: told(devices), changes: told(changes), is_more: end < self.size }, end)
    }
}

/// A stream of events, as it is sent.
pub struct Stream {
    pieces: mpsc::Receiver<Bytes>,
    _seat: Seat,
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// Opens a stream for somebody: from this entry on, for so long.
///
/// # Errors
/// 429: too many are open.
pub fn open(web: &Web, account: &str, headers: HeaderMap, from: u64, lasts: Duration) -> Result<Stream, Problem> {
    let seat = web.news().seat(account)?;
    let (tell, pieces) = mpsc::channel(PIECES_MAX);
    tokio::spawn(follow(web.clone(), headers, from, Instant::now() + lasts, tell));
    Ok(Stream { pieces, _seat: seat })
}

/// Tells news until nobody takes them, the time is over, or whoever wanted them may not any more.
async fn follow(web: Web, headers: HeaderMap, mut from: u64, end: Instant, tell: mpsc::Sender<Bytes>) {
    let mut size = web.house().size.subscribe();
    let mut stop = web.stop();
    let mut piece = "retry: 2000\n\n".to_owned();
    loop {
        let now = *size.borrow_and_update();
        // Somebody who was told more than there is had another ledger: all of it is news.
        from = if from > now { 0 } else { from };
        let mut is_more = false;
        if from < now {
            let room = web.clone();
            let Ok((news, next)) = web.apart(move |house| Ok(room.news().entered(house).since(from))).await else { return };
            (from, is_more) = (next, news.is_more);
            // JSON of our own has no line ends.
            let Ok(json) = serde_json::to_string(&news) else { return };
            piece += &format!("id: {}\nevent: news\ndata: {json}\n\n", next.saturating_sub(1));
        }
        if !piece.is_empty() && !matches!(timeout(TAKEN_SECONDS_MAX, tell.send(Bytes::from(std::mem::take(&mut piece)))).await, Ok(Ok(())))
        {
            return;
        }
        if is_more {
            continue;
        }
        let rest = tokio::select! {
            () = tell.closed() => return,
            () = sleep_until(end) => return,
            _ = stop.wait_for(|stop| *stop) => return,
            Ok(()) = size.changed() => GAP,
            () = sleep_until(Instant::now() + HEARTBEAT) => {
                piece = ": there\n\n".to_owned();
                Duration::ZERO
            }
        };
        // Behind what came: more may come with it.
        sleep_until(Instant::now() + rest).await;
        if !web.stands(&headers) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(devices: usize) -> Entered {
        let id = |number: usize| (number as u64 / 2, format!("a-{number}"));
        Entered { size: devices as u64, devices: (0..devices).map(id).collect(), changes: vec![(3, "WO-1".to_owned())] }
    }

    #[test]
    fn whoever_says_what_came_last_misses_nothing_and_gets_nothing_twice() {
        for devices in [0, 1, 7, EVENT_IDS_MAX, EVENT_IDS_MAX + 1, 4 * EVENT_IDS_MAX + 3] {
            let entered = entered(devices);
            let (mut from, mut all) = (0, Vec::new());
            loop {
                let (news, next) = entered.since(from);
                assert!(news.devices.len() <= EVENT_IDS_MAX + 1 && (next > from || devices == 0), "{devices}: {from} to {next}");
                all.extend(news.devices);
                from = next;
                if !news.is_more {
                    break;
                }
            }
            let expected: Vec<String> = (0..devices).map(|number| format!("a-{number}")).collect();
            assert_eq!((all, from), (expected, devices as u64));
        }
    }

    #[test]
    fn places_are_few_and_come_back() {
        let room = Newsroom::default();
        let mut seats: Vec<Seat> = (0..STREAMS_PER_ACCOUNT_MAX).map(|_| room.seat("Ada").expect("a place")).collect();
        assert!(room.seat("Ada").is_err());
        seats.pop();
        seats.push(room.seat("Ada").expect("the place that was given back"));
        seats.extend((seats.len()..STREAMS_MAX).map(|number| room.seat(&format!("p{number}")).expect("a place")));
        assert!(room.seat("Grace").is_err());
        drop(seats);
        assert!(room.streams.lock().expect("a lock").is_empty());
    }
}
