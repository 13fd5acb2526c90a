//! What is asked over SNMP, and with which credential.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nameplate_core::wire::snmp::Oid;
use nameplate_field::guard::Secret;
use nameplate_field::guard::usm::{Auth, Privacy, User};
use nameplate_field::snmp::{Access, Questions};

use super::secret;
use crate::failure::{Code, Failure};

/// The community that devices are sold with; it is used only where somebody says so.
const PUBLIC: &str = "public";

/// SNMP's own options.
#[derive(Debug, Args)]
pub struct Snmp {
    /// The version that the agent speaks; it is never tried out
    #[arg(long, value_enum, default_value = "2c", help_heading = "SNMP")]
    snmp_version: Spoken,
    /// The community is in this environment variable
    #[arg(long, value_name = "NAME", group = "community", help_heading = "SNMP")]
    snmp_community_env: Option<String>,
    /// The community is in this file, which nobody else may read (mode 0600)
    #[arg(long, value_name = "FILE", group = "community", help_heading = "SNMP")]
    snmp_community_file: Option<PathBuf>,
    /// The community is `public`
    #[arg(long, group = "community", help_heading = "SNMP")]
    snmp_community_public: bool,
    /// Version 3: who asks
    #[arg(long, value_name = "NAME", help_heading = "SNMP")]
    snmp_user: Option<String>,
    /// Version 3: how messages are authenticated; without it nothing is
    #[arg(long, value_enum, help_heading = "SNMP")]
    snmp_auth: Option<Authentication>,
    /// Version 3: the password that authenticates is in this environment variable
    #[arg(long, value_name = "NAME", group = "auth-password", requires = "snmp_auth", help_heading = "SNMP")]
    snmp_auth_env: Option<String>,
    /// Version 3: the password that authenticates is in this file, which nobody else may read (mode 0600)
    #[arg(long, value_name = "FILE", group = "auth-password", requires = "snmp_auth", help_heading = "SNMP")]
    snmp_auth_file: Option<PathBuf>,
    /// Version 3: how messages are encrypted; without it they are not
    #[arg(long, value_enum, requires = "snmp_auth", help_heading = "SNMP")]
    snmp_privacy: Option<Encryption>,
    /// Version 3: the password that encrypts is in this environment variable
    #[arg(long, value_name = "NAME", group = "privacy-password", requires = "snmp_privacy", help_heading = "SNMP")]
    snmp_privacy_env: Option<String>,
    /// Version 3: the password that encrypts is in this file, which nobody else may read (mode 0600)
    #[arg(long, value_name = "FILE", group = "privacy-password", requires = "snmp_privacy", help_heading = "SNMP")]
    snmp_privacy_file: Option<PathBuf>,
    /// Ask for the rows of entPhysicalTable, too: modules with their revisions and serial numbers; at most 64 rows
    #[arg(long, help_heading = "SNMP")]
    snmp_entity: bool,
    /// Ask for this object, too, a whole instance such as 1.3.6.1.4.1.248.14.1.1.1.0; not in version 1
    #[arg(long, value_name = "OID", value_delimiter = ',', help_heading = "SNMP")]
    snmp_object: Vec<Oid>,
}

/// Versions by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Spoken {
    /// Version 1: the community in clear text
    #[value(name = "1")]
    One,
    /// Version 2c: the community in clear text
    #[value(name = "2c")]
    Two,
    /// Version 3: a user, with passwords that are never sent
    #[value(name = "3")]
    Three,
}

/// Hashes by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Authentication {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Ciphers by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Encryption {
    Aes128,
    Aes192,
    Aes256,
    /// AES-192 with the longer key made Cisco's way
    #[value(name = "aes192-c")]
    Aes192C,
    /// AES-256 with the longer key made Cisco's way
    #[value(name = "aes256-c")]
    Aes256C,
}

impl Snmp {
    /// What each agent is asked.
    ///
    /// # Errors
    /// No credential, or it could not be read.
    pub fn questions(&self) -> Result<Questions, Failure> {
        let access = match self.snmp_version {
            Spoken::One => Access::V1(self.community()?),
            Spoken::Two => Access::V2c(self.community()?),
            Spoken::Three => Access::V3(self.user()?),
        };
        Ok(Questions { access, objects: self.snmp_object.clone(), entities: self.snmp_entity })
    }

    fn community(&self) -> Result<Secret, Failure> {
        if self.snmp_community_public {
            return Ok(Secret::new(PUBLIC));
        }
        let named = secret::read(self.snmp_community_env.as_deref(), self.snmp_community_file.as_ref())?;
        let why =
            "SNMP needs a community: --snmp-community-env NAME, --snmp-community-file FILE, or --snmp-community-public. It is tried once";
        named.ok_or_else(|| Failure::new(Code::Usage, why))
    }

    fn user(&self) -> Result<User, Failure> {
        let usage = |why: &str| Failure::new(Code::Usage, why);
        let name = self.snmp_user.as_deref().ok_or_else(|| usage("SNMP version 3 needs a user: --snmp-user NAME"))?;
        let mut start = [0; 8];
        getrandom::fill(&mut start).map_err(|e| Failure::input("random numbers", e))?;
        let user = User::new(name, u64::from_be_bytes(start));
        let Some(auth) = self.snmp_auth else { return Ok(user) };
        let password = secret::read(self.snmp_auth_env.as_deref(), self.snmp_auth_file.as_ref())?;
        let password = password.ok_or_else(|| usage("--snmp-auth needs a password: --snmp-auth-env NAME or --snmp-auth-file FILE"))?;
        let user = user.authenticated(auth.into(), &password);
        let Some(privacy) = self.snmp_privacy else { return Ok(user) };
        let password = secret::read(self.snmp_privacy_env.as_deref(), self.snmp_privacy_file.as_ref())?;
        let why = "--snmp-privacy needs a password: --snmp-privacy-env NAME or --snmp-privacy-file FILE";
        Ok(user.encrypted(privacy.into(), &password.ok_or_else(|| usage(why))?))
    }
}

impl From<Authentication> for Auth {
    fn from(named: Authentication) -> Self {
        match named {
            Authentication::Sha1 => Self::Sha1,
            Authentication::Sha224 => Self::Sha224,
            Authentication::Sha256 => Self::Sha256,
            Authentication::Sha384 => Self::Sha384,
            Authentication::Sha512 => Self::Sha512,
        }
    }
}

impl From<Encryption> for Privacy {
    fn from(named: Encryption) -> Self {
        match named {
            Encryption::Aes128 => Self::Aes128,
            Encryption::Aes192 => Self::Aes192,
            Encryption::Aes256 => Self::Aes256,
            Encryption::Aes192C => Self::Aes192Reeder,
            Encryption::Aes256C => Self::Aes256Reeder,
        }
    }
}
