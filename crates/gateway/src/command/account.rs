//! `nameplate account`: accounts of the gateway's page and API, for whoever owns its state directory, while the desk is stopped.

use clap::{Args, Subcommand, ValueEnum};
use nameplate_core::account::{Account, Accounts, Event, Role as AccountRole, SHELL, Token, key};
use nameplate_core::ledger::Body;
use nameplate_core::observation::rfc3339;
use serde::Serialize;

use crate::account::{Act, Gate};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};
use crate::{print, state};

/// Say who may use the gateway's page and API.
#[derive(Debug, Args)]
#[command(
    after_help = "For whoever owns the state directory. All but `list` need the desk (`nameplate serve`) to be stopped; while it runs, an\n\
                        administrator does the same on the page. `add` and `link` print a path that is opened on the page, once and within a day, to\n\
                        set a password: whoever has the path is let in, so hand it over as one hands over a key.\n\n\
                        Roles: viewer reads; engineer reads, has devices read and records; approver reads and approves; auditor reads and sees who\n\
                        did what; administrator reads, sees who did what and makes accounts.\n\n\
                        Examples:\n  nameplate account add \"Ada Byron\" --role engineer --state /var/lib/nameplate\n  \
                        nameplate account disable \"Ada Byron\" --why \"left the company\"\n  nameplate account list"
)]
pub struct AccountCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all accounts
    List,
    /// Make an account, and a link with which its person sets a password
    Add(Add),
    /// Let an account do nothing any more; its tokens are void for good
    Disable(Disable),
    /// Let a disabled account do again what its role says
    Enable(Named),
    /// Give an account another role
    Role(Add),
    /// Make a link with which a person sets a new password
    Link(Named),
}

#[derive(Debug, Args)]
struct Named {
    /// Whose: upper and lower case are one
    name: String,
}

#[derive(Debug, Args)]
struct Add {
    /// Whose: 1 to 80 characters; a name is given once
    name: String,
    /// What the account is for
    #[arg(long, value_enum)]
    role: Role,
}

#[derive(Debug, Args)]
struct Disable {
    /// Whose: upper and lower case are one
    name: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Reads
    Viewer,
    /// Reads, has devices read, records
    Engineer,
    /// Reads, approves what others recorded
    Approver,
    /// Reads, sees who did what
    Auditor,
    /// Reads, sees who did what, makes accounts
    Administrator,
}

impl From<Role> for AccountRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Engineer => Self::Engineer,
            Role::Approver => Self::Approver,
            Role::Auditor => Self::Auditor,
            Role::Administrator => Self::Administrator,
        }
    }
}

impl AccountCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// Usage: a rule of accounts; the state, or its secrets.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        if let What::List = self.what {
            return list(options);
        }
        let mut desk = Desk::open(options)?;
        let by = SHELL.to_owned();
        match &self.what {
            What::List => Ok(()),
            What::Add(Add { name, role }) => {
                let name = name.trim().to_owned();
                desk.record(Event::Created { name: name.clone(), role: (*role).into(), by })?;
                desk.link(&name, options)
            }
            What::Disable(Disable { name, why }) => {
                let name = desk.name(name);
                desk.record(Event::Disabled { name, by, why: why.trim().to_owned() })
            }
            What::Enable(Named { name }) => {
                let name = desk.name(name);
                desk.record(Event::Enabled { name, by })
            }
            What::Role(Add { name, role }) => {
                let name = desk.name(name);
                desk.record(Event::Role { name, role: (*role).into(), by })
            }
            What::Link(Named { name }) => desk.link(name, options),
        }
    }
}

/// A state whose writer's lock is held.
struct Desk {
    store: Store,
    gate: Gate,
    accounts: Accounts,
}

impl Desk {
    fn open(options: &Options) -> Result<Self, Failure> {
        let directory = state::directory(options.state.as_ref())?;
        let store = Store::write(&directory)?;
        let accounts = store.view(None)?.accounts;
        Ok(Self { gate: Gate::open(&directory)?, store, accounts })
    }

    /// The account's name as it was written when it was made.
    fn name(&self, typed: &str) -> String {
        self.accounts.get(typed).map_or(typed, |account| &account.name).to_owned()
    }

    /// No entry, no action.
    fn record(&mut self, event: Event) -> Result<(), Failure> {
        let now = now_ns();
        self.accounts.allows(&event, now).map_err(usage)?;
        let said = event.to_string();
        self.append(vec![event], now)?;
        eprintln!("{}", nameplate_core::text::printable(&said));
        Ok(())
    }

    fn append(&mut self, events: Vec<Event>, now: u64) -> Result<(), Failure> {
        let drafts: Vec<Draft> = events.iter().map(|event| Draft::new(now, Body::Account(event.clone()))).collect();
        let indices = self.store.append(&drafts)?;
        indices.zip(&events).for_each(|(index, event)| self.accounts.take(event, index, now));
        Ok(())
    }

    fn link(&mut self, name: &str, options: &Options) -> Result<(), Failure> {
        let now = now_ns();
        let (secret, act) = self.gate.make_link(name, SHELL, &self.accounts, now).map_err(usage)?;
        let Act { events, .. } = &act;
        self.append(events.clone(), now)?;
        self.gate.take(act)?;
        let name = self.name(name);
        eprintln!(
            "open this path on the page, within a day, to set a password for {}; it works once",
            nameplate_core::text::printable(&name)
        );
        let path = format!("/first/{secret}");
        print::out(&match print::format(options) {
            Format::Ndjson | Format::Claims => print::json_line(&serde_json::json!({"name": name, "path": path})),
            Format::Table | Format::Csv => path + "\n",
        })
    }
}

/// A rule of accounts that a command breaks.
fn usage(why: String) -> Failure {
    Failure::new(Code::Usage, why)
}

/// One account, as a program reads it.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    role: &'static str,
    rights: Vec<&'static str>,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_why: Option<&'a str>,
    /// False where a link is needed first.
    has_password: bool,
    created: String,
    password_set: Option<String>,
    logged_in: Option<String>,
    locked_until: Option<String>,
    /// Wrong passwords since it logged in, as far as the ledger tells.
    refused: u64,
    /// Ids of the tokens that are good now.
    tokens: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn new(account: &'a Account, accounts: &'a Accounts, gate: &Gate, now: u64) -> Self {
        let own = |token: &&Token| key(&token.name) == key(&account.name) && token.is_good(now);
        Self {
            name: &account.name,
            role: account.role.name(),
            rights: account.rights().iter().map(nameplate_core::account::Right::name).collect(),
            active: account.is_active(),
            disabled_by: account.disabled.as_ref().map(|(by, _)| by.as_str()),
            disabled_why: account.disabled.as_ref().map(|(_, why)| why.as_str()),
            has_password: gate.has_password(&account.name),
            created: rfc3339(account.created_ns),
            password_set: account.password_ns.map(rfc3339),
            logged_in: account.logged_in_ns.map(rfc3339),
            locked_until: account.locked_until(now).map(rfc3339),
            refused: account.refused,
            tokens: accounts.tokens().filter(own).map(|token| token.id.as_str()).collect(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let state = match (self.active, &self.locked_until, self.has_password) {
            (false, _, _) => "disabled".to_owned(),
            (true, Some(until), _) => format!("locked until {until}"),
            (true, None, false) => "has no password: make a link".to_owned(),
            (true, None, true) => "active".to_owned(),
        };
        let logged_in = self.logged_in.clone().unwrap_or_else(|| "never".to_owned());
        vec![self.name.to_owned(), self.role.to_owned(), state, logged_in, self.tokens.len().to_string()]
    }
}

fn list(options: &Options) -> Result<(), Failure> {
    let directory = state::directory(options.state.as_ref())?;
    let accounts = Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default().accounts;
    let (gate, now) = (Gate::open(&directory)?, now_ns());
    let lines: Vec<Line<'_>> = accounts.iter().map(|account| Line::new(account, &accounts, &gate, now)).collect();
    let header = ["NAME", "ROLE", "STATE", "LAST LOGIN", "TOKENS"];
    let cells = || lines.iter().map(Line::cells);
    print::out(&match print::format(options) {
        Format::Table => print::table(&header, &cells().collect::<Vec<_>>()),
        Format::Csv => print::csv_line(&header.map(str::to_lowercase)) + &cells().map(|row| print::csv_line(&row)).collect::<String>(),
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
    })?;
    for remark in &accounts.remarks {
        eprintln!("does not count: {}", nameplate_core::text::printable(remark));
    }
    if lines.is_empty() {
        eprintln!("no accounts in {}; the first start of `nameplate serve` prints a link for an administrator", directory.display());
    }
    Ok(())
}
