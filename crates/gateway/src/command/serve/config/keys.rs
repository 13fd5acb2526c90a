//! All keys of the configuration, in one table: what each is, where it comes from when nobody writes it, and what it does to the configuration.

use std::time::Duration;

use toml::de::DeValue;

use super::super::plan::Plan;
use super::{Config, value};
use crate::outbox::event::SUBJECTS;
use crate::outbox::{From, Target, Way};

/// A device has one scheduled reading a day (docs/read-only.md, 3); a plan that wants more would only be refused.
const PERIOD_DAYS_MIN: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than that nobody plans.
const PERIOD_DAYS_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);
/// Bytes of a target's name: it is a file's.
const TARGET_BYTES_MAX: usize = 40;
/// Characters of a plan's name: it stands in each line of the touch record.
const NAME_CHARS_MAX: usize = 80;

/// A table of the file.
pub struct Section {
    /// Its name; empty for what stands above all tables.
    pub name: &'static str,
    /// Whether it may be there more than once: `[[plan]]`.
    pub repeats: bool,
    /// Whether the example has one that holds; else all of it is commented out there.
    pub is_usual: bool,
    /// What it is about.
    pub text: &'static str,
    /// What may stand in it.
    pub keys: &'static [Key],
    /// What its keys must be together; an error names one of them.
    pub check: fn(&Draft) -> Result<(), (&'static str, String)>,
    /// What becomes of a table in which no mistake is.
    pub done: fn(&mut Draft),
}

/// A key.
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value is, with its unit.
    pub is: &'static str,
    /// Whether it has to be written.
    pub written: Written,
    /// What it does.
    pub text: &'static str,
    /// Takes a value.
    pub set: fn(&mut Draft, &DeValue<'_>) -> Result<(), String>,
}

/// Whether a key has to be written. Values are as in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// What holds where it is not.
    Default(&'static str),
    /// It must be; this is one.
    Needed(&'static str),
    /// It may be; this is one, and without it there is none.
    Optional(&'static str),
}

/// A configuration as it is being read.
pub struct Draft {
    /// All so far.
    pub config: Config,
    /// The plan whose keys are being read.
    pub plan: Plan,
    /// The target whose keys are being read.
    pub target: Target,
}

/// All tables. What stands above them is the first.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "",
        repeats: false,
        is_usual: true,
        text: "What the desk of a gateway does: `nameplate serve --config FILE`. Whom may be asked, and when, says the site file of the field side.",
        keys: DESK,
        check: |_| Ok(()),
        done: |_| {},
    },
    Section {
        name: "plan",
        repeats: true,
        is_usual: true,
        text: "What is asked by itself. There may be several.",
        keys: PLAN,
        check: check_plan,
        done: |draft| draft.config.plans.push(draft.plan.clone()),
    },
    Section {
        name: "target",
        repeats: true,
        is_usual: false,
        text: "Who of IT is told what happens, each event at least once (docs/outbox.md). There may be several. The packaged unit lets this machine alone through; for others \
               see IPAddressAllow in docs/operating.md.",
        keys: TARGET,
        check: check_target,
        done: |draft| draft.config.targets.push(draft.target.clone()),
    },
    Section {
        name: "page",
        repeats: false,
        is_usual: true,
        text: "How people reach the desk. A change of it holds from the next start.",
        keys: PAGE,
        check: check_page,
        done: |_| {},
    },
    Section {
        name: "log",
        repeats: false,
        is_usual: true,
        text: "What is said on standard error, and so in the journal. NAMEPLATE_LOG in the environment comes before it. docs/logs.md lists the events.",
        keys: LOG,
        check: |_| Ok(()),
        done: |_| {},
    },
];

const DESK: &[Key] = &[
    Key {
        name: "hatch",
        is: "path of a socket",
        written: Written::Default("\"/run/nameplate/hatch\""),
        text: "Where `nameplate field` is found.",
        set: |draft, value| put(&mut draft.config.hatch, value::path(value)),
    },
    Key {
        name: "field_key",
        is: "64 hexadecimal digits",
        written: Written::Optional("\"f47246eb9996d45a1a8e9d103bc41919cc4c7e2c0a5779e52489c473c532af2d\""),
        text: "The fingerprint of the field side's key, as it prints it at its start. Where it is pinned, no other field side is believed.",
        set: |draft, value| put(&mut draft.config.field_key, value::fingerprint(value).map(Some)),
    },
    Key {
        name: "disk_free_min",
        is: "a size, a share of the file system, or both",
        written: Written::Default("\"512MB or 5%\""),
        text: "Where less is free in the state directory's file system, nobody is asked by plan, and the desk says so; all else goes on. Of two the \
               smaller counts.",
        set: |draft, value| put(&mut draft.config.disk_free_min, value::text(value)?.parse()),
    },
    Key {
        name: "publishers",
        is: "path of a folder",
        written: Written::Default("\"/etc/nameplate/publishers\""),
        text: "Whose updates are believed: a file NAME.pub with each publisher's public key (docs/updates.md), and NAME.asc with the OpenPGP key of one who \
               signs each document. Root alone writes there.",
        set: |draft, value| put(&mut draft.config.publishers, value::path(value)),
    },
];

const PLAN: &[Key] = &[
    Key {
        name: "name",
        is: "1 to 80 characters",
        written: Written::Needed("\"identity\""),
        text: "Stands as the reason in each line of the touch record.",
        set: |draft, value| {
            draft.plan.name = value::text(value)?;
            let count = draft.plan.name.chars().count();
            let is_one = (1..=NAME_CHARS_MAX).contains(&count) && !draft.plan.name.chars().any(char::is_control);
            is_one.then_some(()).ok_or(format!("a name has 1 to {NAME_CHARS_MAX} characters that can be printed"))
        },
    },
    Key {
        name: "every",
        is: "a time, a day to a year",
        written: Written::Needed("\"1day\""),
        text: "Each device is asked once in this period, at a moment of its own.",
        set: |draft, value| {
            draft.plan.every = value::time(value)?;
            let is_one = (PERIOD_DAYS_MIN..=PERIOD_DAYS_MAX).contains(&draft.plan.every);
            is_one.then_some(()).ok_or("it is a day to a year: a device has one scheduled reading a day, see docs/read-only.md".to_owned())
        },
    },
    Key {
        name: "catch_up",
        is: "a time",
        written: Written::Default("\"15min\""),
        text: "What was missed, and who was never asked, is spread over so long behind a start.",
        set: |draft, value| put(&mut draft.plan.catch_up, value::time(value)),
    },
    Key {
        name: "devices",
        is: "names or targets of the site file",
        written: Written::Default("[]"),
        text: "Who is asked; all devices of the site file where none is named.",
        set: |draft, value| put(&mut draft.plan.devices, value::texts(value)),
    },
];

const TARGET: &[Key] = &[
    Key {
        name: "name",
        is: "1 to 40 of a-z, 0-9 and -",
        written: Written::Needed("\"cmdb\""),
        text: "Its cursor has that name, in the state directory: a target under a new name begins anew.",
        set: |draft, value| {
            draft.target.name = value::text(value)?;
            let is_one = (1..=TARGET_BYTES_MAX).contains(&draft.target.name.len())
                && draft.target.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            is_one.then_some(()).ok_or(format!("it is 1 to {TARGET_BYTES_MAX} of a-z, 0-9 and -"))
        },
    },
    Key {
        name: "url",
        is: "a webhook or a syslog receiver",
        written: Written::Needed("\"https://cmdb.example/hooks/nameplate\""),
        text: "https://host/path is a webhook: each event is a CloudEvent in a POST, signed as Standard Webhooks has it. syslog+tls://host:6514 takes RFC 5424. Without TLS (http://, \
               syslog+tcp://) on this machine alone.",
        set: |draft, value| put(&mut draft.target.url, value::text(value)?.parse()),
    },
    Key {
        name: "secret",
        is: "path of a file",
        written: Written::Optional("\"/etc/nameplate/cmdb.secret\""),
        text: "What a webhook's messages are signed with: whsec_ and base64 of 24 to 64 bytes; a second line while the secret is being changed. The account nameplate must be able to \
               read it, and nobody else.",
        set: |draft, value| put(&mut draft.target.secret, value::path(value).map(Some)),
    },
    Key {
        name: "ca",
        is: "path of a PEM file",
        written: Written::Default("\"/etc/ssl/certs/ca-certificates.crt\""),
        text: "Who vouches for the target's certificate.",
        set: |draft, value| put(&mut draft.target.ca, value::path(value)),
    },
    Key {
        name: "events",
        is: "first words of events",
        written: Written::Default("[]"),
        text: "What it is told, such as [\"device\", \"change\"]; all but account where none is named. docs/outbox.md lists them.",
        set: |draft, value| {
            draft.target.events = value::texts(value)?;
            let unknown = draft.target.events.iter().find(|event| !SUBJECTS.iter().any(|(name, _)| name == event));
            let names = || SUBJECTS.map(|(name, _)| name).join(", ");
            unknown.map_or(Ok(()), |event| Err(format!("{event:?} is none of {}", names())))
        },
    },
    Key {
        name: "from",
        is: "now or beginning",
        written: Written::Default("\"now\""),
        text: "Whether a new target is told all that is in the ledger, or what comes from now on.",
        set: |draft, value| {
            draft.target.from = match value::text(value)?.as_str() {
                "now" => From::Now,
                "beginning" => From::Beginning,
                other => return Err(format!("it is now or beginning, not {other:?}")),
            };
            Ok(())
        },
    },
];

const PAGE: &[Key] = &[
    Key {
        name: "listen",
        is: "an address with its port",
        written: Written::Default("\"127.0.0.1:8443\""),
        text: "Where page and API listen. The packaged unit lets this machine alone through; for others see IPAddressAllow in docs/operating.md.",
        set: |draft, value| put(&mut draft.config.page.listen, value::listen(value)),
    },
    Key {
        name: "names",
        is: "host names and addresses, without a port",
        written: Written::Default("[]"),
        text: "What people type to get here. The generated certificate names them, and a request to another name is refused.",
        set: |draft, value| put(&mut draft.config.page.names, value::names(value)),
    },
    Key {
        name: "certificate",
        is: "path of a PEM file",
        written: Written::Optional("\"/etc/nameplate/page.crt\""),
        text: "The certificate, with those that vouch for it behind it. Without it and its key, one is generated in the state directory.",
        set: |draft, value| put(&mut draft.config.page.certificate, value::path(value).map(Some)),
    },
    Key {
        name: "key",
        is: "path of a PEM file",
        written: Written::Optional("\"/etc/nameplate/page.key\""),
        text: "The certificate's private key. The account nameplate must be able to read it, and nobody else.",
        set: |draft, value| put(&mut draft.config.page.key, value::path(value).map(Some)),
    },
    Key {
        name: "client_ca",
        is: "path of a PEM file",
        written: Written::Optional("\"/etc/nameplate/clients.crt\""),
        text: "Who vouches for the API's clients. Where it is there, the API wants their certificates.",
        set: |draft, value| put(&mut draft.config.page.client_ca, value::path(value).map(Some)),
    },
    Key {
        name: "tls",
        is: "true or false",
        written: Written::Default("true"),
        text: "False only on a loopback address, with a reverse proxy before it.",
        set: |draft, value| put(&mut draft.config.page.tls, value::whether(value)),
    },
];

const LOG: &[Key] = &[
    Key {
        name: "level",
        is: "error, warn, info, debug or trace",
        written: Written::Default("\"info\""),
        text: "How much is said: at debug each request, too. A reload takes it anew.",
        set: |draft, value| put(&mut draft.config.log.level, value::text(value)?.parse()),
    },
    Key {
        name: "form",
        is: "text or json",
        written: Written::Default("\"text\""),
        text: "A line for people, with its priority where the journal reads; or an object a line, for what collects logs.",
        set: |draft, value| put(&mut draft.config.log.form, value::text(value)?.parse()),
    },
];

fn put<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

fn check_plan(draft: &Draft) -> Result<(), (&'static str, String)> {
    if draft.config.plans.iter().any(|plan| plan.name == draft.plan.name) {
        return Err(("name", format!("plan {:?} stands there twice", draft.plan.name)));
    }
    Ok(())
}

fn check_target(draft: &Draft) -> Result<(), (&'static str, String)> {
    let target = &draft.target;
    if draft.config.targets.iter().any(|other| other.name == target.name) {
        return Err(("name", format!("target {:?} stands there twice", target.name)));
    }
    match (target.url.way, &target.secret) {
        (Way::Webhook, None) => Err(("secret", "a webhook needs one: whoever receives it must be able to know that it is ours".to_owned())),
        (Way::Syslog, Some(_)) => {
            Err(("secret", "syslog has none: TLS says who the receiver is, and that nobody changes what is sent".to_owned()))
        }
        _ => Ok(()),
    }
}

fn check_page(draft: &Draft) -> Result<(), (&'static str, String)> {
    let page = &draft.config.page;
    match (&page.certificate, &page.key) {
        (Some(_), None) => return Err(("certificate", "a certificate needs its key".to_owned())),
        (None, Some(_)) => return Err(("key", "a key needs its certificate".to_owned())),
        _ => {}
    }
    if !page.tls && !page.listen.ip().is_loopback() {
        return Err(("tls", format!("without TLS only this machine may get here: {} is no loopback address", page.listen)));
    }
    if page.client_ca.is_some() && !page.tls {
        return Err(("client_ca", "certificates of clients come with TLS alone".to_owned()));
    }
    Ok(())
}
