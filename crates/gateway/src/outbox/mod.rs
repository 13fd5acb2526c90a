//! What happened at the site, told to programs of IT: each event at least once, in the order of the ledger, for as long as it takes.
//!
//! The ledger is the outbox: what happened is in it before anybody is told, in the very transaction that makes it so, and a target is a cursor over it
//! ([`place`]). Nothing is kept twice, and a target that is down for a month costs nothing. An event's id is its entry's index and a digest of what it says, so
//! whoever is told twice can see it. Decision 56.
//!
//! [`event`] says what is told, [`courier`] goes on with one target, [`webhook`] and [`syslog`] are how, and [`dial`] is the one place of the desk that opens a
//! connection: to a target that its owner wrote down, and never to a device.

pub mod courier;
mod dial;
pub mod event;
mod place;
pub mod standing;
mod syslog;
mod webhook;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use axum::http::Uri;

pub use self::standing::{Dead, Standing};

/// Who is told, how, and of what: a `[[target]]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What its owner calls it; its cursor has that name, too.
    pub name: String,
    /// Where.
    pub url: Url,
    /// The file with the secret that messages are signed with; a webhook has one.
    pub secret: Option<PathBuf>,
    /// Who vouches for the target's certificate, PEM.
    pub ca: PathBuf,
    /// First words of the events that it is told; all but `account` where there are none.
    pub events: Vec<String>,
    /// Whether it is told all that is in the ledger when it is new, or only what comes from then on.
    pub from: From,
}

/// Where a new target begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Now,
    Beginning,
}

/// How a target is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// POST of a CloudEvent (CloudEvents 1.0.2, HTTP binding 3.2: structured), signed as Standard Webhooks 1.0 has it.
    Webhook,
    /// RFC 5424 over a stream: RFC 5425 with TLS, octets counted as in RFC 6587, 3.4.1.
    Syslog,
}

/// Where a target is: `https://host:port/path` or `syslog+tls://host:port`. Without TLS on this machine alone: `http://`, `syslog+tcp://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub way: Way,
    pub tls: bool,
    pub host: String,
    pub port: u16,
    /// Path and query.
    pub path: String,
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "it is written as https://host/path or syslog+tls://host:6514";
        let uri: Uri = text.parse().map_err(|e| format!("{text:?}: {e}; {wanted}"))?;
        let (way, tls, port) = match uri.scheme_str() {
            Some("https") => (Way::Webhook, true, 443),
            Some("http") => (Way::Webhook, false, 80),
            Some("syslog+tls") => (Way::Syslog, true, 6514),
            Some("syslog+tcp") => (Way::Syslog, false, 601),
            _ => return Err(format!("{text:?}: {wanted}")),
        };
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        if authority.contains('@') {
            return Err("a name and a password do not stand in it: the messages are signed".to_owned());
        }
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(format!("{text:?}: {wanted}"));
        }
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !tls && !is_here {
            return Err(format!("without TLS only this machine is told anything: {host} is another one"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        if way == Way::Syslog && !matches!(path.as_str(), "" | "/") {
            return Err("syslog has no path".to_owned());
        }
        Ok(Self { way, tls, host, port: uri.port_u16().unwrap_or(port), path })
    }
}

impl Url {
    /// Host and port, as they stand in a `Host` field.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}", self.port)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.way, self.tls) {
            (Way::Webhook, true) => "https",
            (Way::Webhook, false) => "http",
            (Way::Syslog, true) => "syslog+tls",
            (Way::Syslog, false) => "syslog+tcp",
        };
        // A query may hold what its owner takes for a secret.
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{}", self.authority(), if self.way == Way::Syslog { "" } else { path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target of that kind.
    pub fn target(url: &str) -> Target {
        let url = url.parse().expect("a URL");
        Target { name: "cmdb".to_owned(), url, secret: None, ca: PathBuf::new(), events: Vec::new(), from: From::Now }
    }

    #[test]
    fn where_a_target_is_has_one_form_and_never_leaves_without_tls() {
        for (text, expected) in [
            ("https://cmdb.example/hooks?x=1", Ok("https://cmdb.example:443/hooks")),
            ("https://[2001:db8::1]:8443/a", Ok("https://[2001:db8::1]:8443/a")),
            ("http://127.0.0.1:8080/", Ok("http://127.0.0.1:8080/")),
            ("http://localhost/", Ok("http://localhost:80/")),
            ("http://[::1]/", Ok("http://[::1]:80/")),
            ("syslog+tls://Logs.example", Ok("syslog+tls://logs.example:6514")),
            ("syslog+tcp://127.0.0.1:514", Ok("syslog+tcp://127.0.0.1:514")),
            ("http://cmdb.example/", Err("only this machine")),
            ("syslog+tcp://10.0.0.1:514", Err("only this machine")),
            ("http://localhost.example/", Err("only this machine")),
            ("https://ada:secret@cmdb.example/", Err("password")),
            ("syslog+tls://logs.example/a", Err("no path")),
            ("ftp://cmdb.example/", Err("it is written as")),
            ("cmdb.example", Err("it is written as")),
            ("https://", Err("it is written as")),
            ("", Err("it is written as")),
        ] {
            let url = text.parse::<Url>().map(|url| url.to_string());
            match expected {
                Ok(told) => assert_eq!(url.as_deref(), Ok(told), "{text}"),
                Err(why) => assert!(url.as_ref().is_err_and(|said| said.contains(why)), "{text}: {url:?}"),
            }
        }
    }
}
