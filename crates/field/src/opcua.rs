//! Asks over OPC UA: who a server is, which software it is built of, and the nameplates of the devices behind it.
//!
//! What leaves first needs no session: hello, a channel, GetEndpoints. Then, unless the owner wants no more, one short session: its namespaces and
//! BuildInfo, and where it knows the namespace of DI what stands in its DeviceSet, which properties the first few devices have, and their values. The
//! session is closed and the channel is, whatever came. A server that would keep a forgotten session for more than a minute is left at once (H12).
//! What is put here is in clear; where the channel has security the guard seals it, and opens what comes back.

mod planned;
mod secured;

use std::collections::VecDeque;
use std::time::Duration;

use self::planned::planned;
pub use self::secured::Secured;
use self::secured::offers;
use nameplate_wire::Malformed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::opcua::{Answer, Endpoint, Line, Named, PROTOCOL, Part, Question, Token, length, said};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Grant, OPCUA_MESSAGES_MAX, Opcua, OpcuaUser, Refused};
use crate::pacing::{Pace, TimeFactor};

/// Wait for an answer: a small controller takes its time for a key.
const RESPONSE_S_MAX: Duration = Duration::from_secs(5);
/// The hold of a session (the guard's table says the same).
const HOLD_S_MAX: Duration = Duration::from_secs(20);
/// Milliseconds for which a server may keep a session that nobody closed (docs/read-only.md, section 2).
const SESSION_MS_MAX: f64 = 60_000.0;
/// Devices whose properties are asked for: three times 16 references are what the row has. The guard's table says the same.
const DEVICES_MAX: usize = 3;
/// Properties that are read: what two Reads have.
const NODES_MAX: usize = 32;
/// Properties of one Read (docs/read-only.md, section 2).
const NODES_OF_ONE_MAX: usize = 16;
/// Chunks of one answer: what our hello says.
const CHUNKS_MAX: u32 = 16;
/// Bytes of one answer: what our hello says.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// A null String: the id of a policy that nobody has told.
const NULL: [u8; 4] = [0xff; 4];

/// What one server is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// Where it is, as the hello and a session name it: `opc.tcp://192.0.2.1:4840`.
    pub url: String,
    /// Ask for the servers that it knows (FindServers), too.
    pub servers: bool,
    /// Ask nothing for which a session is needed.
    pub endpoints_only: bool,
    /// On a channel with security, in a second connection, once the first has told the server's certificate.
    pub secured: Option<Secured>,
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        let session = !self.endpoints_only && self.secured.is_none();
        Opcua { url: self.url.clone(), servers: self.servers, session }.grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Asking::new(self))
    }

    fn plan(&self) -> Vec<Planned> {
        let asking = Asking::new(self);
        planned(asking, !self.endpoints_only && self.secured.is_none())
    }

    /// The second connection, with our own certificate in the place of the server's, which nobody knows yet.
    fn plan_onward(&self) -> Option<Result<(Grant, Vec<Planned>), Refused>> {
        let secured = self.secured.as_ref().filter(|_| !self.endpoints_only)?;
        let server = secured.identity.certificate().to_vec();
        let mut asking = Asking::new(self);
        asking.begin(secured, secured.line(&self.url, &server));
        Some(secured.grant(&self.url, server).map(|grant| (grant, planned(asking, true))))
    }

    fn pace(&self, factor: TimeFactor) -> Pace {
        Pace { response_max: RESPONSE_S_MAX, hold_max: HOLD_S_MAX, ..Pace::new(factor) }
    }
}

/// A question, before its words are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Hello,
    Open,
    Servers,
    Endpoints,
    Create,
    Activate,
    Build,
    Devices,
    Parts,
    /// Which of the reads.
    Device(usize),
    Close,
    CloseChannel,
}

/// What a session begins with.
const SESSION: [Step; 3] = [Step::Create, Step::Activate, Step::Build];

/// One server, message by message.
struct Asking {
    line: Line,
    waiting: VecDeque<Step>,
    out: Step,
    /// Number of the last message, but for the hello.
    n: u8,
    messages: u8,
    /// What came of an answer whose last chunk is not here yet.
    joined: Vec<u8>,
    chunks: u32,
    channel_stands: bool,
    session_stands: bool,
    /// The endpoints that it told first.
    endpoints: Vec<Endpoint>,
    /// What is to come in a second connection.
    secured: Option<Secured>,
    user: Option<OpcuaUser>,
    /// The id of its policy for our user, a whole String.
    user_policy: Vec<u8>,
    di: u8,
    devices: Vec<Vec<u8>>,
    nodes: Vec<Vec<Vec<u8>>>,
    unasked: Vec<&'static str>,
}

impl Asking {
    fn new(asked: &Questions) -> Self {
        let discovery = [Step::Hello, Step::Open].into_iter().chain(asked.servers.then_some(Step::Servers)).chain([Step::Endpoints]);
        let in_clear = !asked.endpoints_only && asked.secured.is_none();
        let session = SESSION.into_iter().filter(|_| in_clear);
        Self {
            line: Line::plain(&asked.url),
            waiting: discovery.chain(session).collect(),
            out: Step::Hello,
            n: 0,
            messages: 0,
            joined: Vec::new(),
            chunks: 0,
            channel_stands: false,
            session_stands: false,
            endpoints: Vec::new(),
            secured: asked.secured.clone().filter(|_| !asked.endpoints_only),
            user: None,
            user_policy: NULL.to_vec(),
            di: 0,
            devices: Vec::new(),
            nodes: Vec::new(),
            unasked: Vec::new(),
        }
    }

    fn question(&self, step: Step) -> Question<'_> {
        match step {
            Step::Hello => Question::Hello,
            Step::Open => Question::Open,
            Step::Servers => Question::Servers,
            Step::Endpoints => Question::Endpoints,
            Step::Create => Question::Create,
            Step::Activate => {
                let token = match &self.user {
                    Some(OpcuaUser::Password(user, password)) => Token::Password(user.as_bytes(), password.bytes()),
                    Some(OpcuaUser::Certificate(user)) => Token::Certificate(user.certificate()),
                    None => Token::Anonymous,
                };
                Question::Activate(&self.user_policy, token)
            }
            Step::Build => Question::Build,
            Step::Devices => Question::Devices(self.di),
            Step::Parts => Question::Parts(&self.devices),
            Step::Device(index) => Question::Device(self.nodes.get(index).map_or(&[], Vec::as_slice)),
            Step::Close => Question::Close,
            Step::CloseChannel => Question::CloseChannel,
        }
    }

    fn put(&mut self, step: Step) -> Put {
        self.out = step;
        self.joined.clear();
        self.chunks = 0;
        if step != Step::Hello {
            self.n = self.n.saturating_add(1);
        }
        let question = self.question(step);
        let put = Put::new(question.name(), question.encode(&self.line, self.n));
        Put { answered: step != Step::CloseChannel, ..put }
    }

    /// Asks nothing more, and says why.
    fn stop(&mut self, why: &'static str) -> Take {
        self.drop_waiting();
        self.unasked.push(why);
        Take::Answer
    }

    fn drop_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let names: Vec<&str> = waiting.into_iter().map(|step| self.question(step).name()).collect();
        self.unasked.extend(names);
    }

    /// A part of an answer to the question that waits.
    fn part(&mut self, last: u8, body: &[u8]) -> Take {
        self.chunks = self.chunks.saturating_add(1);
        self.joined.extend_from_slice(body);
        if self.chunks > CHUNKS_MAX || self.joined.len() > ANSWER_BYTES_MAX {
            return Take::Hostile("its answer has more chunks or bytes than we said that we take");
        }
        match last {
            b'C' => Take::More,
            b'F' => {
                let body = std::mem::take(&mut self.joined);
                match Answer::read(&body, &self.question(self.out), self.n.into()) {
                    Ok(answer) => self.answer(answer),
                    Err(malformed) => {
                        self.chunks = 0;
                        Take::Stray(malformed)
                    }
                }
            }
            // A: an error code in the place of the rest.
            _ => self.stop(said(body.first_chunk().map_or(0, |code| u32::from_le_bytes(*code)))),
        }
    }

    fn answer(&mut self, answer: Answer) -> Take {
        match answer {
            Answer::Fault(code) => return self.stop(said(code)),
            Answer::Opened(channel) => {
                self.line.channel = channel;
                self.channel_stands = true;
            }
            Answer::Endpoints(endpoints) => return self.endpoints(endpoints),
            Answer::Created { session, timeout_ms, endpoints } => {
                self.line.session = session;
                self.session_stands = true;
                if !(0.0..=SESSION_MS_MAX).contains(&timeout_ms) {
                    return self.stop("the server would keep a forgotten session for more than a minute");
                }
                if self.line.certificate.is_some() && offers(&endpoints) != offers(&self.endpoints) {
                    return Take::Hostile(
                        "the endpoints that come with the session are not those that came before: somebody stands in between",
                    );
                }
                let told = self.policy_of_user(&endpoints).or_else(|| self.policy_of_user(&self.endpoints));
                match told {
                    Some(policy) => self.user_policy = policy,
                    None => return self.stop("the server takes no such user on this channel"),
                }
            }
            Answer::Values(Some(di)) => {
                self.di = di;
                self.waiting.push_back(Step::Devices);
            }
            Answer::Browsed(nodes) => self.browsed(nodes),
            Answer::Values(None) | Answer::Done => {}
        }
        Take::Answer
    }

    fn endpoints(&mut self, endpoints: Vec<Endpoint>) -> Take {
        let is_there = endpoints.iter().any(|endpoint| self.is_ours(endpoint));
        self.endpoints = endpoints;
        if !is_there && !self.waiting.is_empty() {
            return self.stop("the server has no endpoint without security (see --opcua-security)");
        }
        Take::Answer
    }

    /// The second connection: the channel that the owner wants, to the server that is trusted.
    fn secure(&mut self, secured: Secured) -> Result<Grant, Refused> {
        let server = secured.server(&self.endpoints)?;
        let url = self.line.url.clone();
        self.begin(&secured, secured.line(&url, &server));
        secured.grant(&url, server)
    }

    fn begin(&mut self, secured: &Secured, line: Line) {
        self.line = line;
        (self.n, self.messages) = (0, 0);
        self.waiting = [Step::Hello, Step::Open].into_iter().chain(SESSION).collect();
        self.user.clone_from(&secured.user);
    }

    fn is_ours(&self, endpoint: &Endpoint) -> bool {
        endpoint.mode == self.line.mode && endpoint.policy == self.line.policy.as_bytes()
    }

    fn policy_of_user(&self, endpoints: &[Endpoint]) -> Option<Vec<u8>> {
        let kind = self.user.as_ref().map_or(0, OpcuaUser::kind);
        let policies = endpoints.iter().filter(|endpoint| self.is_ours(endpoint)).flat_map(|endpoint| &endpoint.users);
        policies.into_iter().find(|policy| policy.kind == kind).map(|policy| policy.id.clone())
    }

    fn browsed(&mut self, nodes: Vec<Vec<(Vec<u8>, Named)>>) {
        let nodes = nodes.into_iter().flatten();
        if self.out == Step::Devices {
            let devices = nodes.filter(|(_, named)| *named != Named::NoDevice).map(|(node, _)| node);
            self.devices = devices.take(DEVICES_MAX).collect();
            self.waiting.extend((!self.devices.is_empty()).then_some(Step::Parts));
            return;
        }
        let parts = nodes.filter(|(_, named)| *named == Named::Part).map(|(node, _)| node);
        let parts: Vec<Vec<u8>> = parts.take(NODES_MAX).collect();
        self.nodes = parts.chunks(NODES_OF_ONE_MAX).map(<[Vec<u8>]>::to_vec).collect();
        self.waiting.extend((0..self.nodes.len()).map(Step::Device));
    }
}

impl Dialogue for Asking {
    fn next(&mut self) -> Next {
        if self.messages == OPCUA_MESSAGES_MAX {
            self.drop_waiting();
        }
        let Some(step) = self.waiting.pop_front() else { return Next::Done };
        self.messages = self.messages.saturating_add(1);
        Next::Put(self.put(step))
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        length(bytes)
    }

    fn take(&mut self, message: &[u8]) -> Take {
        let stray = |at, why| Take::Stray(Malformed::wrong(PROTOCOL.name, at, why));
        match Part::read(message) {
            Err(malformed) => Take::Stray(malformed),
            Ok(Part::Acknowledge) if self.out == Step::Hello => Take::Answer,
            Ok(Part::Acknowledge) => stray(0, "an acknowledge answers a hello (7.1.2.4)"),
            // It closes the connection next: there is nobody to say goodbye to.
            Ok(Part::Error(code)) => {
                (self.channel_stands, self.session_stands) = (false, false);
                self.stop(said(code))
            }
            Ok(Part::Of { request, .. }) if self.out == Step::Hello || request != u32::from(self.n) => {
                stray(20, "id of the request that waits (6.7.2.4)")
            }
            Ok(Part::Of { opens, .. }) if opens != (self.out == Step::Open) => stray(0, "kind of message that was asked for (6.7.2)"),
            Ok(Part::Of { opens, channel, .. }) if !opens && channel.to_le_bytes() != self.line.channel[..4] => {
                stray(8, "the channel that stands (6.7.2)")
            }
            Ok(Part::Of { last, body, .. }) => self.part(last, body),
        }
    }

    fn goodbye(&mut self) -> Option<Put> {
        std::mem::take(&mut self.session_stands).then(|| self.put(Step::Close))
    }

    fn farewell(&mut self) -> Option<Put> {
        std::mem::take(&mut self.channel_stands).then(|| self.put(Step::CloseChannel))
    }

    fn onward(&mut self) -> Option<Result<Grant, Refused>> {
        let secured = self.secured.take()?;
        if self.endpoints.is_empty() {
            return None;
        }
        Some(self.secure(secured))
    }

    fn unasked(&self) -> Vec<&'static str> {
        self.unasked.clone()
    }
}

#[cfg(test)]
mod tests;
