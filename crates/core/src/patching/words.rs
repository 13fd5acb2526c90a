//! What patch servers call their columns and their states.

use super::State;
use crate::text::printable;

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Name,
    Ip,
    Mac,
    Manufacturer,
    Serial,
    Patch,
    Title,
    Field,
    Release,
    State,
    Said,
    /// Katello: the erratum is applicable, and can be installed from what the host may see.
    Installable,
}

/// Names of columns, in lower case, letters and digits only.
const COLUMNS: &[(Column, &[&str])] = &[
    (Column::Id, &["id", "assetid"]),
    (
        Column::Name,
        &[
            "host",
            "hostname",
            "name",
            "tag",
            "computer",
            "computername",
            "computertarget",
            "fulldomainname",
            "fqdn",
            "machinename",
            "machine",
            "netbiosname",
            "netbiosname0",
            "name0",
            "resourcename",
        ],
    ),
    (Column::Ip, &["ip", "ipaddress", "ipaddress0", "ipaddresses"]),
    (Column::Mac, &["mac", "macaddress", "macaddress0"]),
    (Column::Manufacturer, &["manufacturer", "vendor", "vendorname"]),
    (Column::Serial, &["serialnumber", "serial", "serialnumber0"]),
    (
        Column::Patch,
        &[
            "patch",
            "patchid",
            "kb",
            "kbarticle",
            "kbarticles",
            "knowledgebasearticles",
            "knowledgebasearticle",
            "articleid",
            "article",
            "errataid",
            "erratumid",
            "erratum",
            "errata",
            "advisory",
            "bulletinid",
            "update",
            "updateid",
        ],
    ),
    (Column::Title, &["title", "updatetitle", "description", "summary"]),
    (Column::Field, &["field"]),
    (Column::Release, &["release", "version", "fixedversion", "targetversion", "targetrelease"]),
    (
        Column::State,
        &[
            "state",
            "status",
            "statename",
            "installationstate",
            "updateinstallationstate",
            "compliancestate",
            "compliance",
            "laststatemessage",
        ],
    ),
    (
        Column::Said,
        &[
            "at",
            "time",
            "date",
            "laststatustime",
            "laststatuschangetime",
            "lastreportedstatustime",
            "installedat",
            "installedon",
            "laststatuscheck",
        ],
    ),
    (Column::Installable, &["installable"]),
];

impl Column {
    /// The column that a header cell means.
    pub(super) fn called(header: &str) -> Option<Self> {
        let plain: String = header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        COLUMNS.iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(column, _)| *column)
    }

    /// Which of a host's cells it is.
    pub(super) const fn of_host(self) -> Option<usize> {
        match self {
            Self::Id => Some(0),
            Self::Name => Some(1),
            Self::Ip => Some(2),
            Self::Mac => Some(3),
            Self::Manufacturer => Some(4),
            Self::Serial => Some(5),
            _ => None,
        }
    }
}

/// Words for states, in lower case, letters and digits only.
const STATES: &[(State, &[&str])] = &[
    (State::Installed, &["installed", "updateisinstalled", "successfullyinstalledupdates", "successfullyinstalledupdate", "compliant"]),
    (
        State::PendingRestart,
        &["pendingrestart", "installedpendingreboot", "pendingreboot", "pendingsystemrestart", "restartpending", "rebootrequired"],
    ),
    (
        State::Missing,
        &[
            "missing",
            "needed",
            "required",
            "updateisrequired",
            "notinstalled",
            "downloaded",
            "noncompliant",
            "applicable",
            "installable",
            "downloadedupdates",
            "downloadedupdate",
        ],
    ),
    (State::Failed, &["failed", "failedtoinstallupdates", "failedtoinstallupdate", "error"]),
    (State::NotApplicable, &["notapplicable", "notneeded", "notrequired", "updateisnotrequired", "superseded"]),
    (State::Unknown, &["unknown", "detectionstateunknown", "nostatus", "unreported"]),
];

/// A state by a server's word for it.
pub(super) fn state(word: &str) -> Result<State, String> {
    let plain: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let known = STATES.iter().find(|(_, words)| words.contains(&plain.as_str()));
    known.map(|(state, _)| *state).ok_or_else(|| {
        let names: Vec<&str> = State::ALL.into_iter().map(State::name).collect();
        let number = if plain.bytes().all(|byte| byte.is_ascii_digit()) {
            " (a number means one thing in WSUS and another in Configuration Manager)"
        } else {
            ""
        };
        format!(
            "{:?} is no state that is known{number}; there are {}, and the words of WSUS, Configuration Manager and Katello",
            printable(word),
            names.join(", ")
        )
    })
}
