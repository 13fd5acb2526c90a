//! How a web server is asked, and for which pages.

use std::net::SocketAddr;

use clap::Args;
use nameplate_core::profile::ProfileSet;
use nameplate_core::wire::http::{PORT, TLS_PORT};
use nameplate_field::ask::{Ask, Target, Via};
use nameplate_field::guard::Endpoint;
use nameplate_field::http::{FIRST_PAGE, Questions};

use crate::failure::{Code, Failure};

/// Options of HTTP, in clear and over TLS.
#[derive(Debug, Args)]
pub struct Http {
    /// HTTP: the path of a page to ask for instead of /, literally, without a query; may be given twice. Know the device: some have pages that
    /// do something when they are fetched
    #[arg(long, value_name = "PATH", help_heading = "HTTP")]
    http_path: Vec<String>,
    /// HTTP: ask for the pages that this profile of ours names (`nameplate profile list`)
    #[arg(long, value_name = "ID", conflicts_with = "http_path", help_heading = "HTTP")]
    http_profile: Option<String>,
}

impl Http {
    /// A target in HTTP, `sealed` by TLS or not.
    ///
    /// # Errors
    /// It is no target, or no profile of ours has pages under that name.
    pub fn ask(&self, target: &Target<'_>, sealed: bool) -> Result<Ask, Failure> {
        target.without_station()?;
        let usual = if sealed { TLS_PORT } else { PORT };
        let address = target.address(usual)?;
        let questions = Questions { host: host(address, usual), paths: self.paths()?, sealed };
        Ok(Ask { endpoint: Endpoint::Tcp(address), via: Via::Http(questions) })
    }

    fn paths(&self) -> Result<Vec<String>, Failure> {
        let Some(id) = &self.http_profile else {
            return Ok(if self.http_path.is_empty() { vec![FIRST_PAGE.to_owned()] } else { self.http_path.clone() });
        };
        // A site's own profile may read answers; what is asked stands in ours, or literally in the owner's words.
        let ours = ProfileSet::built_in().map_err(|e| Failure::new(Code::Failed, e.to_string()))?;
        let paths = ours.get(id).map(|profile| profile.ask.clone()).unwrap_or_default();
        let why = || Failure::new(Code::Usage, format!("no profile of ours with the id {id:?} names pages to ask for"));
        if paths.is_empty() { Err(why()) } else { Ok(paths) }
    }
}

/// The address as a message names it (RFC 9110, 7.2).
fn host(address: SocketAddr, usual: u16) -> String {
    match address {
        _ if address.port() != usual => address.to_string(),
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}
