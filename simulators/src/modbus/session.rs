//! One connection of a device, from accept to its end.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::device::{Device, Shared};
use super::fault::{Step, steps_on_connect, steps_on_question};
use super::{Fault, Judge, Speaker};
use crate::report::Ended;
use crate::tap::Conversation;

/// One read; an identity question has 11 bytes.
const READ_BYTES: usize = 4096;

/// A connection's place in the device's account.
pub(super) struct Place {
    pub(super) index: usize,
    pub(super) speaker: Speaker,
    pub(super) close: Arc<Notify>,
    pub(super) conversation: Option<Conversation>,
}

/// Talks until the peer leaves, the fault says so, or the device closes.
pub(super) async fn run(device: Arc<Device>, shared: Arc<Shared>, mut stream: TcpStream, mut place: Place) {
    let close = Arc::clone(&place.close);
    let mut judge = Judge::new(place.speaker, device.manners.clone());
    let ended = tokio::select! {
        biased;
        () = close.notified() => Ended::Device,
        talked = talk(&device, &shared, &mut stream, &mut place, &mut judge) => match talked {
            Ok(ended) => ended,
            Err(_) => Ended::PeerReset,
        },
    };
    if let Some(conversation) = &mut place.conversation {
        let resets = device.fault == Some(Fault::RstOnConnect);
        if resets { conversation.reset_by_device() } else { conversation.end(ended) }
    }
    let mut state = shared.state();
    state.trip(judge.end());
    // Closed before it is entered as left, so that a full device has a free slot when its account says so.
    drop(stream);
    state.leave(place.index, ended);
    drop(state);
    shared.changed.notify_waiters();
}

async fn talk(device: &Device, shared: &Shared, stream: &mut TcpStream, place: &mut Place, judge: &mut Judge) -> io::Result<Ended> {
    let (mut reader, mut writer) = stream.split();
    let mut steps: VecDeque<Step> = steps_on_connect(device.fault.as_ref(), &device.persona);
    let mut not_before = Instant::now();
    // What a fault sends on connect answers nobody: a question that comes meanwhile is no second one.
    let mut owed = false;
    let mut buffer = [0; READ_BYTES];
    loop {
        tokio::select! {
            // What has come is read before anything is answered, so that a question sent without waiting is seen to be one.
            biased;
            read = reader.read(&mut buffer) => {
                let bytes = buffer.get(..read?).unwrap_or_default();
                if bytes.is_empty() {
                    return Ok(Ended::PeerFin);
                }
                let idle = steps.is_empty();
                let answer = hear(device, shared, place, judge, bytes, owed && !idle);
                owed = (owed && !idle) || !answer.is_empty();
                steps.extend(answer);
                if idle {
                    not_before = Instant::now();
                }
            }
            () = due(not_before), if !steps.is_empty() => match steps.pop_front() {
                Some(Step::Send(bytes)) => say(shared, place, &mut writer, &bytes).await?,
                Some(Step::SendForever(bytes)) => {
                    say(shared, place, &mut writer, &bytes).await?;
                    steps.push_front(Step::SendForever(bytes));
                }
                Some(Step::Wait(wait)) => not_before = Instant::now() + wait,
                Some(Step::Fin) => {
                    writer.shutdown().await?;
                    return Ok(Ended::Device);
                }
                None => {}
            },
        }
    }
}

/// Gives the runtime one turn at least, so that what else came on the socket is heard first.
async fn due(at: Instant) {
    tokio::task::yield_now().await;
    if at > Instant::now() {
        sleep_until(at).await;
    }
}

fn hear(device: &Device, shared: &Shared, place: &mut Place, judge: &mut Judge, bytes: &[u8], answering: bool) -> Vec<Step> {
    if let Some(conversation) = &mut place.conversation {
        conversation.from_client(bytes);
    }
    let (questions, trips) = judge.take(bytes, answering);
    let mut state = shared.state();
    state.trip(trips);
    if let Some((session, _)) = state.sessions.get_mut(place.index) {
        session.bytes_in = session.bytes_in.saturating_add(bytes.len() as u64);
        session.requests = session.requests.saturating_add(u32::try_from(questions.len()).unwrap_or(u32::MAX));
    }
    if let (Some(watchdog), false) = (state.watchdog.as_mut(), questions.is_empty()) {
        watchdog.feed(Instant::now(), place.speaker);
        shared.fed.notify_one();
    }
    questions.iter().flat_map(|question| steps_on_question(device.fault.as_ref(), &device.persona, question)).collect()
}

async fn say(shared: &Shared, place: &mut Place, writer: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) -> io::Result<()> {
    if let Some(conversation) = &mut place.conversation {
        conversation.from_device(bytes);
    }
    writer.write_all(bytes).await?;
    if let Some((session, _)) = shared.state().sessions.get_mut(place.index) {
        session.bytes_out = session.bytes_out.saturating_add(bytes.len() as u64);
    }
    Ok(())
}
