//! What is asked over OPC UA, on which channel, and as whom.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use nameplate_core::observation::{hex, unhex};
use nameplate_core::wire::opcua::{CLIENT_URI, PORT};
use nameplate_field::ask::{Ask, Target, Via};
use nameplate_field::guard::uasc::{Identity, Policy, fingerprint, thumbprint};
use nameplate_field::guard::{Endpoint, OpcuaUser};
use nameplate_field::opcua::{Questions, Secured};

use super::secret;
use crate::failure::{Code, Failure};
use crate::{key, state};

/// Our certificate and its key in the state directory, and the thumbprints of servers that are trusted, one a line.
const CERTIFICATE: &str = "opcua.der";
const KEY: &str = "opcua.key";
const TRUSTED: &str = "opcua.trusted";
/// Bytes of a SHA-1 and of a SHA-256.
const THUMBPRINT_BYTES: [usize; 2] = [20, 32];

/// OPC UA's own options.
#[derive(Debug, Args)]
pub struct Opcua {
    /// Ask only what needs no session: which endpoints the server has and who it is. For servers that have few sessions
    #[arg(long, help_heading = "OPC UA")]
    opcua_endpoints_only: bool,
    /// Ask for the servers that it knows, too (FindServers)
    #[arg(long, help_heading = "OPC UA")]
    opcua_servers: bool,
    /// How messages are protected. Nothing else is tried where the server has no such endpoint
    #[arg(long, value_enum, default_value = "none", help_heading = "OPC UA")]
    opcua_security: Protection,
    /// By which policy they are signed and encrypted
    #[arg(long, value_enum, default_value = "basic256sha256", help_heading = "OPC UA")]
    opcua_policy: Named,
    /// Trust the server whose certificate has this thumbprint (SHA-1 or SHA-256 in hexadecimal digits); may be repeated. An unknown one is refused,
    /// and its thumbprint said. A line of opcua.trusted in the state directory does it for every run
    #[arg(long, value_name = "THUMBPRINT", help_heading = "OPC UA")]
    opcua_trust: Vec<String>,
    /// Who asks; nobody in particular where it is left out. Only with --opcua-security sign or encrypt
    #[arg(long, value_name = "NAME", help_heading = "OPC UA")]
    opcua_user: Option<String>,
    /// The user's password is in this environment variable
    #[arg(long, value_name = "NAME", group = "opcua-password", requires = "opcua_user", help_heading = "OPC UA")]
    opcua_password_env: Option<String>,
    /// The user's password is in this file, which nobody else may read (mode 0600)
    #[arg(long, value_name = "FILE", group = "opcua-password", requires = "opcua_user", help_heading = "OPC UA")]
    opcua_password_file: Option<PathBuf>,
    /// Who asks, by a certificate (X.509, DER) instead of a name. Only with --opcua-security sign or encrypt
    #[arg(long, value_name = "FILE", requires = "opcua_user_key", conflicts_with = "opcua_user", help_heading = "OPC UA")]
    opcua_user_certificate: Option<PathBuf>,
    /// The key of that certificate (PKCS #8, PEM) is in this file, which nobody else may read (mode 0600)
    #[arg(long, value_name = "FILE", requires = "opcua_user_certificate", help_heading = "OPC UA")]
    opcua_user_key: Option<PathBuf>,
}

/// Ways of protection by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protection {
    /// Not at all
    None,
    /// Signed: readable by others, changed by nobody
    Sign,
    /// Signed and encrypted
    Encrypt,
}

/// Policies by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Named {
    /// Basic256Sha256: nearly every server has it
    Basic256sha256,
    /// Aes128_Sha256_RsaOaep
    Aes128,
    /// Aes256_Sha256_RsaPss
    Aes256,
}

/// Where certificates are kept, and whether one may be made.
pub struct Kept {
    /// The state directory, where it was named.
    pub state: Option<PathBuf>,
    /// A dry run writes nothing.
    pub writes: bool,
}

impl Opcua {
    /// One target.
    ///
    /// # Errors
    /// It is none, or as [`Opcua::questions`].
    pub fn ask(&self, target: &Target<'_>, kept: &Kept) -> Result<Ask, Failure> {
        target.without_station()?;
        let address = target.address(PORT)?;
        Ok(Ask { endpoint: Endpoint::Tcp(address), via: Via::Opcua(self.questions(address, kept)?) })
    }

    /// What each server is asked.
    ///
    /// # Errors
    /// A thumbprint that is none, a user on a channel without security, a credential or certificate that could not be read.
    fn questions(&self, address: SocketAddr, kept: &Kept) -> Result<Questions, Failure> {
        let secured = match self.opcua_security {
            Protection::None if self.opcua_user.is_some() => {
                let why = "a password is not sent over a channel without security: --opcua-user needs --opcua-security sign or encrypt";
                return Err(Failure::new(Code::Usage, why));
            }
            Protection::None if self.opcua_user_certificate.is_some() => {
                let why =
                    "a user signs over a channel with security alone: --opcua-user-certificate needs --opcua-security sign or encrypt";
                return Err(Failure::new(Code::Usage, why));
            }
            Protection::None => None,
            Protection::Sign => Some(self.secured(false, kept)?),
            Protection::Encrypt => Some(self.secured(true, kept)?),
        };
        let (servers, endpoints_only) = (self.opcua_servers, self.opcua_endpoints_only);
        Ok(Questions { url: format!("opc.tcp://{address}"), servers, endpoints_only, secured })
    }

    fn secured(&self, encrypted: bool, kept: &Kept) -> Result<Secured, Failure> {
        let directory = state::directory(kept.state.as_ref())?;
        let policy = match self.opcua_policy {
            Named::Basic256sha256 => Policy::Basic256Sha256,
            Named::Aes128 => Policy::Aes128Sha256RsaOaep,
            Named::Aes256 => Policy::Aes256Sha256RsaPss,
        };
        let mut trusted = Vec::new();
        for text in &self.opcua_trust {
            let why = || Failure::new(Code::Usage, format!("--opcua-trust {text}: a thumbprint has 40 or 64 hexadecimal digits"));
            trusted.push(thumbprint_of(text).ok_or_else(why)?);
        }
        trusted.extend(trusted_in(&directory.join(TRUSTED))?);
        Ok(Secured { policy, encrypted, identity: identity(&directory, kept.writes)?, trusted, user: self.user()? })
    }

    fn user(&self) -> Result<Option<OpcuaUser>, Failure> {
        if let (Some(certificate), Some(key)) = (&self.opcua_user_certificate, &self.opcua_user_key) {
            let der = fs::read(certificate).map_err(|e| Failure::input(certificate.display(), e))?;
            let user = Identity::read(&der, &secret::key(key)?).map_err(|why| Failure::input(certificate.display(), why))?;
            return Ok(Some(OpcuaUser::Certificate(user)));
        }
        let Some(user) = &self.opcua_user else { return Ok(None) };
        let password = secret::read(self.opcua_password_env.as_deref(), self.opcua_password_file.as_ref())?;
        let why = "--opcua-user needs a password: --opcua-password-env NAME or --opcua-password-file FILE";
        Ok(Some(OpcuaUser::Password(user.clone(), password.ok_or_else(|| Failure::new(Code::Usage, why))?)))
    }
}

/// Digits, with or without colons and blanks between them.
fn thumbprint_of(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    unhex(&digits).ok().filter(|bytes| THUMBPRINT_BYTES.contains(&bytes.len()))
}

/// The thumbprints in a file, one a line; `#` begins a remark. A file that is not there holds none.
fn trusted_in(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Failure::input(path.display(), e)),
    };
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).zip(1..).filter(|(line, _)| !line.is_empty());
    let read = |(line, number)| {
        let why = || Failure::input(path.display(), format!("line {number}: a thumbprint has 40 or 64 hexadecimal digits"));
        thumbprint_of(line).ok_or_else(why)
    };
    lines.map(read).collect()
}

/// Our certificate: the one that is kept, or a new one, which is kept unless nothing may be written.
fn identity(directory: &Path, writes: bool) -> Result<Identity, Failure> {
    let (certificate, key) = (directory.join(CERTIFICATE), directory.join(KEY));
    if let Ok(der) = fs::read(&certificate) {
        let pem = fs::read_to_string(&key).map_err(|e| Failure::input(key.display(), e))?;
        return Identity::read(&der, &pem).map_err(|why| Failure::input(key.display(), why));
    }
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let made = Identity::make(CLIENT_URI, now_s).map_err(|why| Failure::input(key.display(), why))?;
    if writes {
        let pem = made.key_pem().map_err(|why| Failure::input(key.display(), why))?;
        fs::create_dir_all(directory).map_err(|e| Failure::input(directory.display(), e))?;
        key::write_private(&key, pem.as_bytes()).map_err(|e| Failure::input(key.display(), e))?;
        fs::write(&certificate, made.certificate()).map_err(|e| Failure::input(certificate.display(), e))?;
        key::sync_directory(directory).map_err(|e| Failure::input(directory.display(), e))?;
        eprintln!(
            "nameplate: a certificate was made for asking over OPC UA, {}: SHA-1 {}, SHA-256 {}. Servers may have to be told to trust it",
            certificate.display(),
            hex(&thumbprint(made.certificate())),
            hex(&fingerprint(made.certificate()))
        );
    }
    Ok(made)
}
