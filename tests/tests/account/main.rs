//! The gate of the desk: who comes in, who does not, and what the ledger knows of it. Time is a number here.

mod attempts;
mod command;
mod gate;
mod secrets;

use std::net::IpAddr;

use nameplate::account::{Act, Gate, NewPassword, Refused, Session};
use nameplate_core::account::{Accounts, Event, Role, SHELL};
use nameplate_tests::product::State;

/// When these tests begin: 2026-01-01.
const BEGUN_NS: u64 = 1_767_225_600_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;
const HOUR_NS: u64 = 3_600 * SECOND_NS;
/// From where people come.
const OFFICE: &str = "192.0.2.7";

/// A gate, what the ledger knows, and a clock that somebody else turns.
struct Desk {
    state: State,
    gate: Gate,
    accounts: Accounts,
    now_ns: u64,
    /// All that the ledger was told.
    told: Vec<Event>,
    /// The address of the next guess.
    guesser: u32,
}

impl Desk {
    fn new() -> Self {
        let state = State::new();
        let gate = Gate::open(state.path()).expect("a gate");
        Self { state, gate, accounts: Accounts::default(), now_ns: BEGUN_NS, told: Vec::new(), guesser: 0 }
    }

    /// With Ada, the first administrator, and Eve, an engineer.
    fn with_people() -> Self {
        let mut desk = Self::new();
        let secret = desk.gate.first_link(&desk.accounts, desk.now_ns).expect("nobody is there yet");
        desk.redeem(&secret, "Ada", &password_of("Ada"));
        desk.person("Eve", Role::Engineer);
        desk
    }

    /// Makes an account and sets its password.
    fn person(&mut self, name: &str, role: Role) {
        self.record(vec![Event::Created { name: name.into(), role, by: "Ada".into() }]);
        let (secret, act) = self.gate.make_link(name, SHELL, &self.accounts, self.now_ns).expect("a link");
        self.act(act);
        self.redeem(&secret, name, &password_of(name));
    }

    fn redeem(&mut self, secret: &str, name: &str, password: &str) {
        let new = NewPassword::hash(name, password).expect("a good password");
        let act = self.gate.redeem(secret, new, &self.accounts, self.now_ns).expect("a good link");
        self.act(act);
    }

    /// As a caller does it: the ledger first.
    fn act(&mut self, act: Act) {
        self.record(act.events.clone());
        self.gate.take(act).expect("kept");
    }

    /// Every event that the gate hands out is one that the ledger takes.
    fn record(&mut self, events: Vec<Event>) {
        for event in events {
            assert_eq!(self.accounts.allows(&event, self.now_ns), Ok(()), "{event:?}");
            self.accounts.take(&event, self.told.len() as u64 + 1, self.now_ns);
            self.told.push(event);
        }
    }

    /// The process ends and starts again: what was in memory is gone.
    fn restart(&mut self) {
        self.gate = Gate::open(self.state.path()).expect("a gate");
    }

    fn wait(&mut self, time_ns: u64) {
        self.now_ns += time_ns;
    }

    fn log_in_from(&mut self, name: &str, password: &str, from: &str) -> Result<Session, Refused> {
        let from: IpAddr = from.parse().expect("an address");
        let attempt = self.gate.begin(name, from, &self.accounts, self.now_ns)?;
        let (session, events) = self.gate.end(attempt.verify(password), &self.accounts, self.now_ns);
        self.record(events);
        session
    }

    fn log_in(&mut self, name: &str) -> Session {
        self.log_in_from(name, &password_of(name), OFFICE).unwrap_or_else(|refused| panic!("{name}: {refused}"))
    }

    /// A wrong password from an address that did nothing before.
    fn guess(&mut self, name: &str) -> Refused {
        self.guesser += 1;
        let from = IpAddr::V4((0x0a00_0000 + self.guesser).into()).to_string();
        self.log_in_from(name, "not the password", &from).err().expect("refused")
    }
}

/// Each has another, however the name is written.
fn password_of(name: &str) -> String {
    format!("the long words of {}", name.to_lowercase())
}
