//! What is asked over SNMP, and with which credential.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nameplate_core::wire::snmp::{Oid, Version};
use nameplate_field::guard::Secret;
use nameplate_field::snmp::Questions;

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
}

impl Snmp {
    /// What each agent is asked.
    ///
    /// # Errors
    /// No community, or it could not be read.
    pub fn questions(&self) -> Result<Questions, Failure> {
        let version = match self.snmp_version {
            Spoken::One => Version::V1,
            Spoken::Two => Version::V2c,
        };
        Ok(Questions { version, community: self.community()?, objects: self.snmp_object.clone(), entities: self.snmp_entity })
    }

    fn community(&self) -> Result<Secret, Failure> {
        if self.snmp_community_public {
            return Ok(Secret::new(PUBLIC));
        }
        let named = secret::read(self.snmp_community_env.as_deref(), self.snmp_community_file.as_ref())?;
        named.ok_or_else(|| {
            let why = "SNMP needs a community: --snmp-community-env NAME, --snmp-community-file FILE, or --snmp-community-public. It is tried once";
            Failure::new(Code::Usage, why)
        })
    }
}
