//! What `serve` and `field` say on standard error while they run: events, each with a name that stays, as text for people or as JSON for what collects logs.
//! docs/logs.md lists them, decision 51 says why. Every other command prints as it always did.
//!
//! An event is said by [`say!`] alone. Its name and level come from [`events`], and a field that is not in [`line::FIELDS`] is not written, so that nothing gets
//! into a log by being at hand. Fields are said by `Display`: no secret of this program has one.

pub mod events;
mod line;
mod often;

use std::fmt::Display;
use std::io::{self, Write};
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};
use std::{env, panic};

use tracing::field::Visit;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use self::line::{Line, Said};
use self::often::Often;
use crate::failure::{Code, Failure};

/// What comes before the configuration: a level, a form, or both with a comma between them.
pub const VARIABLE: &str = "NAMEPLATE_LOG";

/// Says an event: `say!(ROUND_OVER { round, refused }, "round {round} is over")`.
macro_rules! say {
    ($event:ident { $($fields:tt)* }, $($message:tt)+) => {
        ::tracing::event!(name: $crate::log::events::$event.name, $crate::log::events::$event.level, { $($fields)* }, $($message)+)
    };
    ($event:ident, $($message:tt)+) => {
        ::tracing::event!(name: $crate::log::events::$event.name, $crate::log::events::$event.level, $($message)+)
    };
}
pub(crate) use say;

/// Which process speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `nameplate serve`.
    Serve,
    /// `nameplate field`.
    Field,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Field => "field",
        }
    }
}

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// Somebody has to do something.
    Error,
    /// Somebody should look.
    Warn,
    /// What happens by itself.
    #[default]
    Info,
    /// Each request, and each device that is asked.
    Debug,
    /// Each word between the two processes.
    Trace,
}

impl Level {
    const ALL: [(&'static str, Self); 5] =
        [("error", Self::Error), ("warn", Self::Warn), ("info", Self::Info), ("debug", Self::Debug), ("trace", Self::Trace)];

    const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

/// How it is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// A line for people.
    #[default]
    Text,
    /// A line with a JSON object.
    Json,
}

impl Form {
    const ALL: [(&'static str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}

/// The value of a name; an error lists the names.
fn named<T: Copy>(all: &[(&str, T)], text: &str) -> Result<T, String> {
    let names = || all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| format!("{text:?}: it is one of {}", names()))
}

/// The name of a value.
fn name_of<T: Copy + PartialEq>(all: &[(&'static str, T)], value: T) -> &'static str {
    all.iter().find(|(_, own)| *own == value).map_or("", |(name, _)| name)
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named(&Self::ALL, text)
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named(&Self::ALL, text)
    }
}

impl Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(name_of(&Self::ALL, *self))
    }
}

impl Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(name_of(&Self::ALL, *self))
    }
}

/// How much, and how: `[log]` of a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How much is said.
    pub level: Level,
    /// How it is said.
    pub form: Form,
}

impl Settings {
    /// With what the environment says in their place.
    fn overridden(self, variable: Option<&str>) -> Result<Self, String> {
        let words = variable.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
        words.into_iter().try_fold(self, |settings, word| match (word.parse(), word.parse()) {
            (Ok(level), _) => Ok(Self { level, ..settings }),
            (_, Ok(form)) => Ok(Self { form, ..settings }),
            (Err(level), Err(form)) => Err(format!("{level}, or {}", form.rsplit("one of ").next().unwrap_or_default())),
        })
    }
}

/// The process's own log, once it has one.
static OWN: OnceLock<Arc<Shared>> = OnceLock::new();

/// What a log is, apart from what tracing wants of it.
struct Shared {
    part: Part,
    level: AtomicU8,
    form: AtomicU8,
    /// Whether the journal reads along: lines of text say their priority then.
    is_journal: bool,
    out: Mutex<Out>,
}

/// Where it goes; behind one lock, so that lines stay whole.
struct Out {
    to: Box<dyn Write + Send>,
    often: Often,
}

/// Begins the log of this process, on standard error. Called once, before anything is said.
///
/// # Errors
/// `NAMEPLATE_LOG` says what there is not.
pub fn begin(part: Part, settings: Settings) -> Result<(), Failure> {
    let settings = of_environment(settings)?;
    let shared = Arc::new(Shared::of(part, settings, is_journal(), Box::new(io::stderr())));
    if OWN.set(Arc::clone(&shared)).is_ok() {
        // Nothing else in this program sets one.
        let _ = tracing::subscriber::set_global_default(Log(shared));
        panic::set_hook(Box::new(|panic| say!(PANICKED, "panicked: {panic}")));
    }
    Ok(())
}

/// Takes other settings from here on, as they are behind a configuration that was read again.
pub fn take(settings: Settings) {
    let Some(own) = OWN.get() else { return };
    // What the environment says was right at the start, and does not change.
    let settings = of_environment(settings).unwrap_or(settings);
    own.level.store(settings.level as u8, Ordering::Relaxed);
    own.form.store(settings.form as u8, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

/// Whether this process says events: what others share with it is said as one, too.
pub fn is_on() -> bool {
    OWN.get().is_some()
}

fn of_environment(settings: Settings) -> Result<Settings, Failure> {
    let variable = env::var(VARIABLE).ok();
    settings.overridden(variable.as_deref()).map_err(|why| Failure::new(Code::Usage, format!("{VARIABLE}: {why}")))
}

/// Whether standard error is the stream that systemd means with `JOURNAL_STREAM` (systemd.exec(5)): its device and inode.
fn is_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    #[cfg(unix)]
    let is_own = nix::sys::stat::fstat(io::stderr()).is_ok_and(|own| format!("{}:{}", own.st_dev, own.st_ino) == stream);
    #[cfg(not(unix))]
    let is_own = stream.is_empty();
    is_own
}

impl Shared {
    fn of(part: Part, Settings { level, form }: Settings, is_journal: bool, to: Box<dyn Write + Send>) -> Self {
        let out = Mutex::new(Out { to, often: Often::default() });
        Self { part, level: AtomicU8::new(level as u8), form: AtomicU8::new(form as u8), is_journal, out }
    }

    fn filter(&self) -> LevelFilter {
        let level = self.level.load(Ordering::Relaxed);
        Level::ALL.iter().find(|(_, own)| *own as u8 == level).map_or(LevelFilter::INFO, |(_, own)| own.filter())
    }

    fn take(&self, said: Said, metadata: &Metadata<'_>) {
        let is_json = self.form.load(Ordering::Relaxed) == Form::Json as u8;
        let (part, is_journal, time) = (self.part.name(), self.is_journal, SystemTime::now());
        let line = |said: Said, name, level, more| {
            let line = Line { time, level, part, event: name, said, more };
            if is_json { line.json() } else { line.text(is_journal) }
        };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, now) = (metadata.name(), Instant::now());
        let event = events::ALL.iter().find(|event| event.name == name);
        let more = if event.is_some_and(|event| event.is_often) { out.often.passes(name, now) } else { Some(0) };
        let mut text = String::new();
        // What was held back and did not come again is told with the next event, whichever that is.
        for (held, count) in out.often.overdue(now) {
            let level = events::ALL.iter().find(|event| event.name == held).map_or(tracing::Level::INFO, |event| event.level);
            text += &line(Said::of(format!("{held} came again")), held, level, count);
        }
        if let Some(more) = more {
            text += &line(said, name, *metadata.level(), more);
        }
        // Nobody is there to be told that nobody can be told.
        let _ = out.to.write_all(text.as_bytes());
    }
}

/// What tracing knows of it. Events of other crates are none of ours: nobody looked through what they say.
struct Log(Arc<Shared>);

impl Log {
    fn is_ours(metadata: &Metadata<'_>) -> bool {
        metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME")) && metadata.is_event()
    }
}

impl Subscriber for Log {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::is_ours(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Self::is_ours(metadata) && *metadata.level() <= self.0.filter()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.filter())
    }

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said as &mut dyn Visit);
        self.0.take(said, event.metadata());
    }

    // There are no spans: a request and a round are fields.
    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

/// docs/logs.md.
#[cfg(test)]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Logs\n\n`nameplate serve` and `nameplate field` say on standard error what happens; under systemd that is the journal (`journalctl -u nameplate-serve`). \
         This page is made of the\ntable in the program (`NAMEPLATE_GOLDEN=write cargo test -p nameplate --lib log`).\n\n\
         ```toml\n# serve.toml, and site.toml for the field side\n[log]\nlevel = \"info\"     # error, warn, info, debug, trace\nform = \"text\"      # text, json\n```\n\n\
         `NAMEPLATE_LOG=debug`, `=json` or `=debug,json` comes before both files. `systemctl reload nameplate-serve` takes `[log]` anew.\n\n\
         - **text**: a line for people. In the journal each has its priority, so `journalctl -p warning` shows what somebody should look at.\n\
         - **json**: an object a line. `time` (RFC 3339, UTC), `level`, `part` (`serve` or `field`), `event`, `message`, and the fields that the event has. Names of events and fields\n  \
         stay as they are; words of `message` may change.\n\n\
         An event that may come often is told at most once a second, then with how many more there were (`more`). Whatever a device or a stranger says, a line stays a line: it is cut, and\n\
         invisible characters are written out.\n\n\
         **No secret is in a log**, at any level: passwords, tokens, cookies, one-time links, communities, keys. `tests/tests/serve/logs.rs` looks for all of them. The one-time link of a first\n\
         start is printed as a line of its own, also where the form is json: it is no event.\n\n\
         ## Events\n\n| event | level | says |\n|---|---|---|\n",
    );
    for event in events::ALL {
        let often = if event.is_often { " At most once a second." } else { "" };
        text += &format!("| `{}` | {} | {}{often} |\n", event.name, event.level.as_str().to_lowercase(), event.text);
    }
    text += "\n## Fields\n\n| field | is |\n|---|---|\n";
    for (name, is) in line::FIELDS {
        text += &format!("| `{name}` | {is} |\n");
    }
    text
}

#[cfg(test)]
mod tests;
