//! A Debian package, as dpkg reads it: what it says of itself, and whether it may follow the one that is installed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Code, Failure};
use crate::store::STATE_FORMAT;
use crate::update::manifest::states;

/// The package's name.
const NAME: &str = "nameplate";
/// The field of its control file that names the states that it opens.
const STATES: &str = "Nameplate-State";

/// Where dpkg notes what it installed.
const NOTED: &str = "/var/lib/dpkg/info";
/// Parts of a package that say what its files are, and what is run.
const PARTS: [&str; 4] = ["md5sums", "postinst", "prerm", "postrm"];

/// What a package says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its version.
    pub version: String,
    /// For which machines.
    pub architecture: String,
    /// States that it opens: the oldest and the newest.
    pub state: (u32, u32),
}

impl Package {
    /// Of a file.
    ///
    /// # Errors
    /// It is no package of ours.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let field = |name: &str| said(Command::new("dpkg-deb").arg("--field").arg(path).arg(name));
        let bad = |why: String| Failure::input(path.display(), why);
        if field("Package")? != NAME {
            return Err(bad(format!("this is no package of {NAME}")));
        }
        let state = field(STATES)?;
        let state = states(&state).ok_or_else(|| bad(format!("{STATES}: {state:?} names no states")))?;
        Ok(Self { version: field("Version")?, architecture: field("Architecture")?, state })
    }

    /// Whether it is what its update says, fits this machine, and is newer than what is installed.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, said: &Self, installed: &Installed, state: &Path) -> Result<(), String> {
        if self != said {
            return Err(format!("its package is {self:?}, and it says {said:?}"));
        }
        if self.architecture != installed.architecture && self.architecture != "all" {
            return Err(format!("it is for {}, and this machine is {}", self.architecture, installed.architecture));
        }
        let newer =
            Command::new("dpkg").args(["--compare-versions", &self.version, "gt", &installed.version]).stdin(Stdio::null()).status();
        if !newer.map_err(|e| format!("dpkg: {e}"))?.success() {
            return Err(format!(
                "it brings nameplate {}, and {} is installed: only `nameplate update back` goes back",
                self.version, installed.version
            ));
        }
        let (from, to) = self.state;
        if !(from..=to).contains(&STATE_FORMAT) {
            return Err(format!(
                "nameplate {} opens states {from} to {to}, and {} has state {STATE_FORMAT}",
                self.version,
                state.display()
            ));
        }
        Ok(())
    }
}

/// Whether a file is the package that is installed: of the same version, with the same files and the same scripts, as dpkg noted them when it was installed. It
/// is what root installs where it has to go back, and nobody signed it here.
///
/// # Errors
/// Why not.
pub fn is_installed(path: &Path, version: &str) -> Result<(), String> {
    let there = Package::read(path).map_err(|failure| failure.why)?.version;
    if there != version {
        return Err(format!("{} is of version {there}, and {version} is installed", path.display()));
    }
    for part in PARTS {
        let own = said(Command::new("dpkg-deb").arg("--info").arg(path).arg(part)).map_err(|failure| failure.why)?;
        let noted = fs::read_to_string(Path::new(NOTED).join(format!("{NAME}.{part}"))).unwrap_or_default();
        if own != noted.trim() {
            return Err(format!("{} is not the package that was installed: its {part} differ", path.display()));
        }
    }
    Ok(())
}

/// What is installed.
pub struct Installed {
    /// Its version.
    pub version: String,
    /// The machine's architecture.
    pub architecture: String,
}

/// What is installed here.
///
/// # Errors
/// Nothing is, or there is no dpkg.
pub fn installed() -> Result<Installed, Failure> {
    let version = said(Command::new("dpkg-query").args(["--show", "--showformat=${Version}", NAME]));
    let version =
        version.map_err(|failure| Failure::new(failure.code, format!("nameplate is not installed from its package: {}", failure.why)))?;
    Ok(Installed { version, architecture: said(Command::new("dpkg").arg("--print-architecture"))? })
}

/// What a program says, without the line's end.
fn said(command: &mut Command) -> Result<String, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|e| Failure::input(&name, e))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::new(Code::Input, format!("{name} ended with {}: {why}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
