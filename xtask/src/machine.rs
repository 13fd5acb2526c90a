//! What the tests need of the machine, by the packages of Debian and its children.

use std::collections::BTreeSet;
use std::process::Command;

use crate::run::{Tree, shown, starts};

/// A program to start as a probe, and the package that brings it.
struct Need {
    program: &'static str,
    words: &'static [&'static str],
    package: &'static str,
}

const NEEDS: &[Need] = &[
    Need { program: "tshark", words: &["--version"], package: "tshark" },
    Need { program: "dumpcap", words: &["--version"], package: "wireshark-common" },
    Need { program: "capinfos", words: &["--version"], package: "wireshark-common" },
    Need { program: "editcap", words: &["--version"], package: "wireshark-common" },
    Need { program: "gzip", words: &["--version"], package: "gzip" },
    Need { program: "zstd", words: &["--version"], package: "zstd" },
    Need { program: "strace", words: &["--version"], package: "strace" },
    Need { program: "python3", words: &["--version"], package: "python3" },
    // Debian ships python without the part that makes a virtual environment.
    Need { program: "python3", words: &["-c", "import venv, ensurepip"], package: "python3-venv" },
    Need { program: "node", words: &["--version"], package: "nodejs" },
    Need { program: "npm", words: &["--version"], package: "npm" },
    Need { program: "mkfs.ext4", words: &["-V"], package: "e2fsprogs" },
    Need { program: "tcpreplay", words: &["--version"], package: "tcpreplay" },
    // Servers of the rig that are programs of the machine, by their whole path: a user's own PATH may lack the folder.
    Need { program: "/usr/sbin/snmpd", words: &["-v"], package: "snmpd" },
    Need { program: "/usr/sbin/ser2net", words: &["-v"], package: "ser2net" },
    Need { program: "/usr/sbin/sshd", words: &["-V"], package: "openssh-server" },
    Need { program: "/usr/sbin/nginx", words: &["-v"], package: "nginx-light" },
    Need { program: "socat", words: &["-V"], package: "socat" },
    Need { program: "snmpget", words: &["-V"], package: "snmp" },
    // Asks the same servers as we do: who asks less?
    Need { program: "nmap", words: &["--version"], package: "nmap" },
    // A spreadsheet program that we did not write: 276 MB with all that it needs.
    Need { program: "soffice", words: &["--version"], package: "libreoffice-calc-nogui" },
    // A time-stamping authority that we did not write.
    Need { program: "openssl", words: &["version"], package: "openssl" },
    // A browser that we did not write: what it does with our pages decides whether they are harmless. 350 MB with all that it needs.
    Need { program: "chromium", words: &["--version"], package: "chromium" },
    // Signs documents as their publishers do.
    Need { program: "gpg", words: &["--version"], package: "gnupg" },
    // The package, and what judges its units and makes its accounts.
    Need { program: "dpkg-deb", words: &["--version"], package: "dpkg" },
    Need { program: "strip", words: &["--version"], package: "binutils" },
    Need { program: "systemd-analyze", words: &["--version"], package: "systemd" },
    Need { program: "ip", words: &["-V"], package: "iproute2" },
    // Event-Driven Ansible's rules run on it.
    Need { program: "java", words: &["-version"], package: "openjdk-17-jre-headless" },
    // Takes syslog over TLS.
    Need { program: "/usr/sbin/rsyslogd", words: &["-v"], package: "rsyslog" },
    Need { program: "dpkg-query", words: &["-W", "rsyslog-openssl"], package: "rsyslog-openssl" },
    // Scrapes a gateway, and brings promtool, which finds fault with metrics and alerts.
    Need { program: "prometheus", words: &["--version"], package: "prometheus" },
];

/// The packages that are missing here, as the one line that brings them; `None` when all is there.
fn missing() -> Option<String> {
    line(NEEDS.iter().filter(|need| !starts(need.program, need.words)))
}

fn line<'a>(missing: impl Iterator<Item = &'a Need>) -> Option<String> {
    let packages: BTreeSet<&str> = missing.map(|need| need.package).collect();
    if packages.is_empty() {
        return None;
    }
    let packages: Vec<&str> = packages.into_iter().collect();
    Some(format!("apt-get install -y --no-install-recommends {}", packages.join(" ")))
}

/// Looks for what the tests need. CI, where it is root, installs what is missing; a person is told the line, and the tests that lack it
/// say so themselves. Gives the line that is still to be run.
pub fn prepare(tree: &Tree) -> Option<String> {
    let wanted = missing()?;
    if !(tree.ci && is_root()) {
        eprintln!("missing here, so some tests will be left out; to have them run:\n  {wanted}");
        return Some(wanted);
    }
    for apt in ["apt-get update", wanted.as_str()] {
        let mut words = apt.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        // tshark's package asks whether everybody may capture; nobody is here to answer.
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
        if let Err(why) = shown(apt, &mut command) {
            eprintln!("{why}");
        }
    }
    missing()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_one_line_with_each_package_once() {
        let one = |at: &[usize]| line(at.iter().filter_map(|&at| NEEDS.get(at)));
        assert_eq!(one(&[]), None);
        assert_eq!(one(&[1, 2, 3, 4]).as_deref(), Some("apt-get install -y --no-install-recommends gzip wireshark-common"));
    }
}
