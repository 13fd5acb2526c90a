//! One connection: opened by the guard, asked by the adapter, closed politely, and put on record where it failed.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use nameplate_wire::Mac;
use nameplate_wire::conversation::{self, Heard, Over, Said};
use nameplate_wire::pn_dcp::ETHERTYPE;
use nameplate_wire::tcp::At;
use nameplate_wire::tls;

use super::history::{BROKEN_OFF, Device, HOLD_SPENT, HOSTILE, LOGIN, UNWILLING, since_1970};
use super::{Ask, Clock, Event, What};
use crate::breaker::{Attempt, End};
use crate::dialogue::{self, Dialogue, Step, With, converse};
use crate::guard::{Ended, Endpoint, Failed, Guarded, Handshake, Permit, Refused, connect};
use crate::pacing::{Pace, TimeFactor};
use crate::touch::{Kind, Line, TouchRecord};
use crate::uptime::{News, Uptime, Watch};

/// Connections of one reading, one after the other: a protocol that looks for whom to trust before it says more needs two.
const CONNECTIONS_MAX: usize = 2;

/// One device, while it is asked.
pub(super) struct Connection {
    pub(super) ask: Ask,
    /// Who is asked behind the endpoint.
    pub(super) station: String,
    /// The work order; it stands in every line of the record.
    pub(super) reason: String,
    pub(super) touch: Arc<TouchRecord>,
    pub(super) clock: Clock,
    /// What it said last of how long it had run.
    pub(super) watch: Watch,
    pub(super) tell: UnboundedSender<Event>,
}

impl Connection {
    /// From the connect to the close; what the breaker learns of it.
    pub(super) async fn run(self, permit: Permit, pace: Pace) -> (Device, Attempt) {
        let began = since_1970((self.clock)());
        let mut dialogue = self.ask.via.adapter().dialogue();
        let (mut permit, mut end) = (permit, End::Unknown);
        for _ in 0..CONNECTIONS_MAX {
            let next = permit.clone();
            end = self.one(permit, pace, dialogue.as_mut()).await;
            let Some(onward) = dialogue.onward().filter(|_| matches!(end, End::Answered { .. })) else { break };
            match onward.and_then(|grant| next.onward(grant)) {
                Ok(further) => permit = further,
                Err(refused) => {
                    self.refuse(refused);
                    break;
                }
            }
            tokio::time::sleep(pace.message_gap).await;
        }
        let ended = since_1970((self.clock)());
        // Whose attempt it is, the history knows.
        (Device::new(&self.ask.endpoint, self.station), Attempt { began, ended, end, of_change: false })
    }

    /// One connection.
    async fn one(&self, permit: Permit, pace: Pace, dialogue: &mut dyn Dialogue) -> End {
        match connect(permit, Arc::clone(&self.touch)).await {
            Ok(mut stream) => {
                self.say(What::Opened);
                let Some(source) = stream.handshake().and_then(|handshake| self.shaken(handshake)) else {
                    return self.talk(stream, pace, dialogue).await;
                };
                let end = self.judge(dialogue::End::Io { operation: "handshake", source });
                self.close(stream, Vec::new()).await;
                end
            }
            Err(failed) => {
                let end = match &failed {
                    Failed::Refused(_) => End::Unknown,
                    Failed::Io { source, .. } => end_of(source),
                };
                self.say_failed(failed);
                end
            }
        }
    }

    /// Tells what a server showed in a handshake; why nothing can be asked behind it, where that is so.
    fn shaken(&self, Handshake { server, certificate, broke }: Handshake) -> Option<io::Error> {
        let said = match certificate {
            Some(certificate) => tls::in_clear(&server, &certificate),
            None => Some(server),
        };
        let (ip, port) = (self.ask.endpoint.ip(), self.ask.endpoint.address().map(|address| address.port()));
        let (from, to) = (conversation::End { mac: None, ip, port }, conversation::End::default());
        let at = At { frame: 0, time_ns: u64::try_from(since_1970((self.clock)()).as_nanos()).unwrap_or(u64::MAX) };
        let mut conversation = (tls::HTTPS_PROTOCOL.start)(Over::Tcp);
        let mut tell = |heard| {
            if let Heard::Reading(reading) = heard {
                self.say(What::Reading(Box::new(reading)));
            }
        };
        let said = said.unwrap_or_default();
        conversation.hear(&Said { bytes: &said, missing: 0, at, from: &from, to: &to, by_server: true }, &mut tell);
        conversation.finish(at, &mut tell);
        broke
    }

    /// What was not asked because of what the device said of itself, or because somebody said so, on record.
    fn refuse(&self, refused: Refused) {
        let mut line = Line::new(Kind::Refused);
        (line.rule, line.why) = (Some(refused.rule.to_owned()), Some(refused.why.clone()));
        self.put_on_record(line);
        self.say_failed(refused.into());
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: Guarded<S>, pace: Pace, dialogue: &mut dyn Dialogue) -> End {
        let adapter = self.ask.via.adapter();
        let (over, line) = match &self.ask.endpoint {
            Endpoint::Tcp(_) => (Over::Tcp, None),
            Endpoint::Udp(_) => (Over::Udp, None),
            Endpoint::Serial(line) => (Over::Serial, Some(line.path.clone())),
            Endpoint::Station(_) => (Over::Link(conversation::Kind::Ethertype(ETHERTYPE)), None),
        };
        let mac = if let Endpoint::Station(station) = &self.ask.endpoint { Some(Mac(station.mac)) } else { None };
        let (ip, port) = (self.ask.endpoint.ip(), self.ask.endpoint.address().map(|address| address.port()));
        let with = With { protocol: adapter.protocol(), over, device: conversation::End { mac, ip, port } };
        // The guard's clock started with the connection; ours must not end after it.
        let pace = Pace { hold_max: pace.hold_max.saturating_sub(stream.hold()), ..pace };
        let clock = || u64::try_from(since_1970((self.clock)()).as_nanos()).unwrap_or(u64::MAX);
        let mut password_is_out = false;
        let mut out = |step| {
            self.say(match step {
                Step::Sent { question, bytes } => {
                    password_is_out = question == LOGIN;
                    What::Sent { question, bytes }
                }
                Step::Reading(mut reading) => {
                    reading.speaker.line.clone_from(&line);
                    What::Reading(Box::new(reading))
                }
                Step::Stray { bytes, malformed } => What::Stray { bytes, malformed },
            });
        };
        let end = converse(&mut stream, dialogue, with, pace, &clock, &mut out).await;
        let unasked = match &end {
            dialogue::End::Answered { unasked, .. } => unasked.clone(),
            _ => Vec::new(),
        };
        let end = self.judge(end);
        let end = dialogue.uptime_ticks().map_or(end, |ticks| self.ran(ticks, end));
        let end = if password_is_out { End::Denied } else { end };
        self.close(stream, unasked).await;
        end
    }

    async fn close<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: Guarded<S>, unasked: Vec<&'static str>) {
        match stream.close().await {
            Ok(closed) => self.say(What::Closed { closed, unasked }),
            Err(failed) => self.say_failed(failed),
        }
    }

    /// Says how it ended and puts a failure on record, so that the next process's breaker sees it, too.
    fn judge(&self, end: dialogue::End) -> End {
        let why = end.to_string();
        let (judged, on_record, what) = match end {
            dialogue::End::Answered { latency, .. } => return End::Answered { latency },
            dialogue::End::Refused(refused) => {
                self.say_failed(refused.into());
                return End::Unknown;
            }
            dialogue::End::Quiet { why } => {
                self.refuse(Refused::quiet(&why));
                return End::Unknown;
            }
            dialogue::End::Silent { partial } => {
                // The guard has written `timeout`.
                self.say(What::NoAnswer { why, partial });
                return End::Failed;
            }
            dialogue::End::Closed { partial } => (End::Failed, BROKEN_OFF.to_owned(), What::NoAnswer { why: why.clone(), partial }),
            dialogue::End::HoldSpent { partial } => (End::Failed, HOLD_SPENT.to_owned(), What::NoAnswer { why: why.clone(), partial }),
            dialogue::End::Hostile { partial, .. } => (End::Hostile, HOSTILE.to_owned(), What::Hostile { why: why.clone(), partial }),
            dialogue::End::Unwilling { .. } => {
                (End::Failed, UNWILLING.to_owned(), What::NoAnswer { why: why.clone(), partial: Vec::new() })
            }
            dialogue::End::Io { operation, source } => {
                (end_of(&source), Ended::of(&source).to_string(), What::Failed { operation, why: source.to_string() })
            }
        };
        self.say(what);
        let mut line = Line::new(Kind::Failed);
        (line.ended, line.why) = (Some(on_record), Some(why));
        self.put_on_record(line);
        judged
    }

    /// Puts on record how long it has run, and what that says beside the last time.
    fn ran(&self, ticks: u32, end: End) -> End {
        let news = self.watch.judge(Uptime { at: since_1970((self.clock)()), ticks });
        let mut line = Line::new(Kind::Uptime);
        line.uptime_ticks = Some(ticks);
        if let Some(News::Explained(why)) = &news {
            line.why = Some(why.clone());
        }
        self.put_on_record(line);
        let Some(news) = news else { return end };
        let (kind, why, end) = match &news {
            News::Explained(_) => (None, "", end),
            News::Restarted(why) => (Some(Kind::Restarted), why.as_str(), End::Restarted { upset: false }),
            News::Upset(why) => (Some(Kind::Upset), why.as_str(), End::Restarted { upset: true }),
        };
        if let Some(kind) = kind {
            let mut line = Line::new(kind);
            line.why = Some(why.to_owned());
            self.put_on_record(line);
        }
        self.say(What::Uptime(news));
        end
    }

    fn put_on_record(&self, mut line: Line) {
        (line.target, line.station) = (Some(self.ask.endpoint.clone()), Some(self.station.clone()));
        (line.protocol, line.reason) = (Some(self.ask.via.adapter().name().to_owned()), Some(self.reason.clone()));
        if let Err(error) = self.touch.append(line) {
            self.say_failed(Refused::before_any_byte("touch.record", error.to_string()).into());
        }
    }

    fn say_failed(&self, failed: Failed) {
        self.say(match failed {
            Failed::Refused(refused) => What::Refused { refused, not_before: None },
            Failed::Io { operation, source, .. } => What::Failed { operation, why: source.to_string() },
        });
    }

    fn say(&self, what: What) {
        // Where nobody listens any more the round was dropped, and this task with it.
        let _told = self.tell.send(Event { endpoint: self.ask.endpoint.clone(), station: self.station.clone(), what });
    }
}

/// Asks over a line that stands; [`super::ask`] is this with the decision whether it may, and a connection. For devices that are simulated in
/// memory. What happened is returned, and stands in the touch record but for the connect.
pub async fn ask_over<S: AsyncRead + AsyncWrite + Unpin>(
    ask: Ask,
    stream: Guarded<S>,
    clock: Clock,
    touch: Arc<TouchRecord>,
) -> Vec<Event> {
    let (tell, mut told) = unbounded_channel();
    let (station, reason) = (stream.permit().station().to_owned(), stream.permit().reason().to_owned());
    let pace = ask.via.adapter().pace(TimeFactor::default());
    let connection = Connection { ask, station, reason, touch, clock, watch: Watch::default(), tell };
    let mut dialogue = connection.ask.via.adapter().dialogue();
    connection.talk(stream, pace, dialogue.as_mut()).await;
    std::iter::from_fn(|| told.try_recv().ok()).collect()
}

/// What an IO error tells the breaker: once is enough where the device itself said no.
fn end_of(error: &io::Error) -> End {
    match Ended::of(error) {
        Ended::Refused | Ended::Reset => End::Rebuffed,
        _ => End::Failed,
    }
}
