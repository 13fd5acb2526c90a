//! The desk's configuration: one TOML file. Whom may be asked, and when, stands in the field side's site file; here stands what is wanted of it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::plan::Plan;
use crate::failure::Failure;
use crate::web::Door;

/// A device has one scheduled reading a day (docs/read-only.md, 3); a plan that wants more would only be refused.
const PERIOD_DAYS_MIN: Duration = Duration::from_secs(24 * 60 * 60);
/// What was missed is spread over so long behind a start, where the file says nothing of it.
const CATCH_UP: Duration = Duration::from_secs(15 * 60);
/// Longer than that nobody plans.
const PERIOD_DAYS_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);
/// Where the page is, where the file says nothing of it: on this machine alone.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);
/// Characters of a plan's name: it stands in each line of the touch record.
const NAME_CHARS_MAX: usize = 80;

/// What the desk is to do.
#[derive(Debug)]
pub struct Config {
    /// Where the field side is found.
    pub hatch: PathBuf,
    /// Fingerprint of the field side's key, where its owner pinned it.
    pub field_key: Option<String>,
    /// Where the page and the API are.
    pub door: Door,
    /// What is asked when.
    pub plans: Vec<Plan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    hatch: PathBuf,
    field_key: Option<Spanned<String>>,
    page: Option<Spanned<Page>>,
    #[serde(default)]
    plan: Vec<Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Page {
    listen: SocketAddr,
    names: Vec<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
    tls: bool,
}

impl Default for Page {
    fn default() -> Self {
        Self { listen: LISTEN, names: Vec::new(), certificate: None, key: None, client_ca: None, tls: true }
    }
}

impl Page {
    fn door(self) -> Result<Door, &'static str> {
        let Self { listen, names, certificate, key, client_ca, tls } = self;
        if !tls && !listen.ip().is_loopback() {
            return Err("without TLS the page listens on a loopback address alone");
        }
        let certificate = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            _ => return Err("certificate and key go together"),
        };
        Ok(Door { listen, names, certificate, client_ca, tls })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default)]
    devices: Vec<String>,
    every: String,
    catch_up: Option<String>,
}

impl Config {
    /// Reads a configuration whole; nothing of one with a mistake counts.
    ///
    /// # Errors
    /// The file, its line, and what is wrong there.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|e| Failure::input(path.display(), e))?;
        Self::of(&text).map_err(|why| Failure::input(path.display(), why))
    }

    fn of(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|e| e.to_string())?;
        let at = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count().saturating_add(1));
        let field_key = written.field_key.map(|key| {
            let is_one = key.get_ref().len() == 64 && key.get_ref().bytes().all(|byte| byte.is_ascii_hexdigit());
            let line = at(key.span().start);
            is_one
                .then(|| key.into_inner().to_ascii_lowercase())
                .ok_or(format!("line {line}: field_key is the fingerprint that the field side prints"))
        });
        let mut plans: Vec<Plan> = Vec::new();
        for row in written.plan {
            let (line, row) = (at(row.span().start), row.into_inner());
            let bad = |why: &str| format!("line {line}: plan {:?}: {why}", row.name);
            if row.name.is_empty() || row.name.chars().count() > NAME_CHARS_MAX || row.name.chars().any(char::is_control) {
                return Err(bad(&format!("a name has 1 to {NAME_CHARS_MAX} characters that can be printed")));
            }
            if plans.iter().any(|plan| plan.name == row.name) {
                return Err(bad("it stands there twice"));
            }
            let time = |key: &str, text: &str| humantime::parse_duration(text).map_err(|e| bad(&format!("{key} = {text:?}: {e}")));
            let every = time("every", &row.every)?;
            let catch_up = row.catch_up.as_deref().map_or(Ok(CATCH_UP), |text| time("catch_up", text))?;
            if !(PERIOD_DAYS_MIN..=PERIOD_DAYS_MAX).contains(&every) {
                return Err(bad("every is a day to a year: a device has one scheduled reading a day, see docs/read-only.md"));
            }
            plans.push(Plan { name: row.name, devices: row.devices, every, catch_up });
        }
        let line = written.page.as_ref().map_or(0, |page| at(page.span().start));
        let page = written.page.map(Spanned::into_inner).unwrap_or_default();
        let door = page.door().map_err(|why| format!("line {line}: [page]: {why}"))?;
        Ok(Self { door, hatch: written.hatch, field_key: field_key.transpose()?, plans })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_whole_or_says_where_it_is_wrong() {
        let config = Config::of("hatch = \"/run/h\"\n[[plan]]\nname = \"daily\"\nevery = \"1day\"\n").expect("a configuration");
        assert_eq!((config.plans.len(), config.plans[0].every, config.field_key), (1, PERIOD_DAYS_MIN, None));
        let check = |text: &str, parts: &[&str]| {
            let why = Config::of(text).expect_err(text);
            assert!(parts.iter().all(|part| why.contains(part)), "{text:?}: {why}");
        };
        check("", &["hatch"]);
        check("hatch = \"h\"\nhatches = 1\n", &["line 2", "hatches"]);
        check("hatch = \"h\"\n\n[[plan]]\nname = \"a\"\nevery = \"1h\"\n", &["line 3", "\"a\"", "a day"]);
        check("hatch = \"h\"\n[[plan]]\nname = \"a\"\nevery = \"soon\"\n", &["line 2", "soon"]);
        check("hatch = \"h\"\n[[plan]]\nname = \"\"\nevery = \"1day\"\n", &["line 2", "characters"]);
        check("hatch = \"h\"\n[[plan]]\nname = \"a\"\nevery = \"1day\"\n[[plan]]\nname = \"a\"\nevery = \"1day\"\n", &["line 5", "twice"]);
        check("hatch = \"h\"\n[[plan]]\nname = \"a\"\nevery = \"1day\"\ncatch_up = \"x\"\n", &["line 2", "catch_up"]);
        check("hatch = \"h\"\nfield_key = \"abc\"\n", &["line 2", "fingerprint"]);
    }
}
