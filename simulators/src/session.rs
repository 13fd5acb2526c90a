//! One connection of a device, from accept to its end; or what one peer sends it by datagrams.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use tokio::time::{Instant, sleep, sleep_until};

use crate::account::{Entered, Shared};
use crate::device::Machine;
use crate::fault::{Fault, Step, steps_on_connect, steps_on_question};
use crate::judge::Judge;
use crate::language::Carrier;
use crate::line::Line;
use crate::report::{Ended, Speaker};
use crate::tap::Conversation;

/// Datagrams that a device sends "for ever": no peer can close on it, so that this must end.
const DATAGRAMS_MAX: usize = 1_000;

/// A connection's place in the device's account.
pub(crate) struct Place {
    pub(crate) entered: Entered,
    pub(crate) conversation: Option<Conversation>,
    pub(crate) over: Carrier,
}

/// How a connection is left.
enum Left {
    Ended(Ended),
    /// The device resets it.
    Reset,
}

/// Talks until the peer leaves, the fault says so, or the device closes.
pub(crate) async fn run(machine: Arc<Machine>, shared: Arc<Shared>, mut line: Line, mut place: Place) {
    let close = Arc::clone(&place.entered.close);
    let most = machine.manners.questions_max.unwrap_or_else(|| machine.persona.questions_max(place.over));
    let most = (place.entered.speaker == Speaker::Asker).then_some(most);
    let mut judge = Judge::new(machine.persona.talk(place.entered.speaker, place.over), most);
    let left = tokio::select! {
        biased;
        () = close.notified() => Left::Ended(Ended::Device),
        talked = talk(&machine, &shared, &mut line, &mut place, &mut judge) => talked.unwrap_or(Left::Ended(Ended::PeerReset)),
    };
    let resets = matches!(left, Left::Reset) || machine.fault == Some(Fault::RstOnConnect);
    let ended = match left {
        _ if place.over == Carrier::Udp => Ended::Datagrams,
        Left::Ended(ended) => ended,
        Left::Reset => Ended::Device,
    };
    if let Some(conversation) = &mut place.conversation {
        if resets { conversation.reset_by_device() } else { conversation.end(ended) }
    }
    if resets {
        line.break_off();
    }
    let mut state = shared.state();
    state.trip(judge.end(ended == Ended::Device));
    // Closed before it is entered as left, so that a full device has a free slot when its account says so.
    drop(line);
    state.leave(place.entered.index, ended);
    drop(state);
    shared.changed.notify_waiters();
}

async fn talk(machine: &Machine, shared: &Shared, line: &mut Line, place: &mut Place, judge: &mut Judge) -> io::Result<Left> {
    let mut steps = steps_on_connect(machine.fault.as_ref(), &*machine.persona, place.over, judge.greets());
    let mut not_before = Instant::now();
    // What a device sends on connect answers nobody: a question that comes meanwhile is no second one.
    let mut owed = false;
    let mut repeated = 0_usize;
    loop {
        tokio::select! {
            // What has come is read before anything is answered, so that a question sent without waiting is seen to be one.
            biased;
            read = line.read() => {
                let Some(bytes) = read? else {
                    linger(machine, place.over).await;
                    return Ok(Left::Ended(Ended::PeerFin));
                };
                let idle = steps.is_empty();
                let answer = hear(machine, shared, place, judge, &bytes, owed && !idle);
                owed = (owed && !idle) || !answer.is_empty();
                steps.extend(answer);
                if idle {
                    not_before = Instant::now();
                }
            }
            () = due(not_before), if !steps.is_empty() => match steps.pop_front() {
                Some(Step::Send(bytes)) => say(shared, place, line, &bytes).await?,
                Some(Step::SendForever(bytes)) => {
                    say(shared, place, line, &bytes).await?;
                    repeated = repeated.saturating_add(1);
                    if place.over == Carrier::Tcp || repeated < DATAGRAMS_MAX {
                        steps.push_front(Step::SendForever(bytes));
                    }
                }
                Some(Step::Wait(wait)) => not_before = Instant::now() + wait,
                Some(Step::Fin) => {
                    linger(machine, place.over).await;
                    line.finish().await?;
                    if place.over == Carrier::Tcp {
                        return Ok(Left::Ended(Ended::Device));
                    }
                }
                Some(Step::Reset) if place.over == Carrier::Tcp => return Ok(Left::Reset),
                Some(Step::Reset) | None => {}
            },
        }
    }
}

/// Keeps the connection open for as long as the fault says.
async fn linger(machine: &Machine, over: Carrier) {
    if let (Some(Fault::ClosesLate { delay }), Carrier::Tcp) = (&machine.fault, over) {
        sleep(*delay).await;
    }
}

/// Gives the runtime one turn at least, so that what else came on the socket is heard first.
async fn due(at: Instant) {
    tokio::task::yield_now().await;
    if at > Instant::now() {
        sleep_until(at).await;
    }
}

fn hear(machine: &Machine, shared: &Shared, place: &mut Place, judge: &mut Judge, bytes: &[u8], answering: bool) -> VecDeque<Step> {
    if let Some(conversation) = &mut place.conversation {
        conversation.from_client(bytes);
    }
    let (asked, trips) = match place.over {
        Carrier::Tcp => judge.take(bytes, answering),
        Carrier::Udp => judge.take_datagram(bytes, answering),
    };
    let mut state = shared.state();
    state.trip(trips);
    let mut number = 0;
    if let Some((session, since)) = state.sessions.get_mut(place.entered.index) {
        number = session.requests;
        session.bytes_in = session.bytes_in.saturating_add(bytes.len() as u64);
        session.requests = session.requests.saturating_add(u32::try_from(asked.len()).unwrap_or(u32::MAX));
        session.held = since.elapsed();
    }
    if let (Some(watchdog), false) = (state.watchdog.as_mut(), asked.is_empty()) {
        watchdog.feed(Instant::now(), place.entered.speaker);
        shared.fed.notify_one();
    }
    drop(state);
    let mut steps = VecDeque::new();
    for asked in asked {
        number = number.saturating_add(1);
        let hangs_up = asked.hangs_up;
        steps.extend(steps_on_question(machine.fault.as_ref(), &*machine.persona, asked.answers, number));
        steps.extend(hangs_up.then_some(Step::Fin));
    }
    steps
}

async fn say(shared: &Shared, place: &mut Place, line: &mut Line, bytes: &[u8]) -> io::Result<()> {
    if let Some(conversation) = &mut place.conversation {
        conversation.from_device(bytes);
    }
    line.write(bytes).await?;
    if let Some((session, _)) = shared.state().sessions.get_mut(place.entered.index) {
        session.bytes_out = session.bytes_out.saturating_add(bytes.len() as u64);
    }
    Ok(())
}
