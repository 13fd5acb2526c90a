//! Users of simulated agents of SNMP version 3. Their passwords are no secrets: they are printed.

use clap::ValueEnum;
use nameplate_simulators::snmp::{self, Cipher, Hash};

/// The password that authenticates, and the one that encrypts; and the settings of the environment that `simulate` names for them.
const AUTH: (&str, &str) = ("SIMULATED_AUTH", "simulated-auth");
const PRIVACY: (&str, &str) = ("SIMULATED_PRIVACY", "simulated-privacy");

/// Users by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum User {
    /// Neither authenticated nor encrypted
    None,
    /// Authenticated with SHA-256
    Auth,
    /// Authenticated with SHA-512 and encrypted with AES-256
    Sealed,
}

impl User {
    /// As the agent knows it.
    pub fn user(self) -> snmp::User {
        let (name, hash, cipher) = match self {
            Self::None => ("none", None, None),
            Self::Auth => ("auth", Some(Hash::Sha256), None),
            Self::Sealed => ("sealed", Some(Hash::Sha512), Some(Cipher::Aes256)),
        };
        let [auth, privacy] = [AUTH, PRIVACY].map(|(_, password)| password.as_bytes().to_vec());
        snmp::User { name: name.as_bytes().to_vec(), auth: hash.map(|hash| (hash, auth)), privacy: cipher.map(|cipher| (cipher, privacy)) }
    }

    /// As somebody asks who is it.
    pub fn words(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::None => &["--snmp-user", "none"],
            Self::Auth => &["--snmp-user", "auth", "--snmp-auth", "sha256", "--snmp-auth-env", AUTH.0],
            Self::Sealed => &[
                "--snmp-user",
                "sealed",
                "--snmp-auth",
                "sha512",
                "--snmp-auth-env",
                AUTH.0,
                "--snmp-privacy",
                "aes256",
                "--snmp-privacy-env",
                PRIVACY.0,
            ],
        };
        ["--snmp-version", "3"].iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    /// Settings of the environment that the words name.
    pub fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::None => &[],
            Self::Auth => &[AUTH],
            Self::Sealed => &[AUTH, PRIVACY],
        }
    }
}
