//! How an SEL relay is asked, and with which password.

use std::path::PathBuf;

use clap::Args;
use nameplate_core::wire::sel_ascii::PORT;
use nameplate_field::ask::{Ask, Target, Via};
use nameplate_field::guard::Endpoint;
use nameplate_field::sel_ascii::Questions;

use super::secret;
use crate::failure::{Code, Failure};

/// Options of SEL's ASCII protocol.
#[derive(Debug, Args)]
pub struct Sel {
    /// Consent to log in at level 1 (ACC) where the relay answers ID there only. The password is tried once; a relay that does not take it is
    /// left alone for a day, because some lock at the third wrong one
    #[arg(long, help_heading = "SEL")]
    sel_login: bool,
    /// The password of level 1 is in this environment variable
    #[arg(long, value_name = "NAME", group = "sel-password", requires = "sel_login", help_heading = "SEL")]
    sel_password_env: Option<String>,
    /// The password of level 1 is in this file, which nobody else may read (mode 0600)
    #[arg(long, value_name = "FILE", group = "sel-password", requires = "sel_login", help_heading = "SEL")]
    sel_password_file: Option<PathBuf>,
}

impl Sel {
    /// A target on its command line.
    ///
    /// # Errors
    /// It is no target, or there is consent without a password that can be read.
    pub fn ask(&self, target: &Target<'_>) -> Result<Ask, Failure> {
        target.without_station()?;
        let password = secret::read(self.sel_password_env.as_deref(), self.sel_password_file.as_ref())?;
        if self.sel_login && password.is_none() {
            let why = "--sel-login needs the password of level 1: --sel-password-env NAME or --sel-password-file FILE. It is tried once";
            return Err(Failure::new(Code::Usage, why));
        }
        let endpoint = match target.line() {
            Some(line) => Endpoint::Serial(line.clone()),
            None => Endpoint::Tcp(target.address(PORT)?),
        };
        Ok(Ask { endpoint, via: Via::SelAscii(Questions { password }) })
    }
}
