//! What goes in and out: the interface, the hatch, the page's port and its certificate, the firewall.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::unistd::{Gid, Group, Uid, User};

use super::Finding;
use crate::command::ask::Site;
use crate::command::serve::config::Page;
use crate::stamp::holds_until;

/// The desk's own certificate in its directory, where none is configured.
const OWN_CERTIFICATE: &str = "page.crt";
/// So long before its end a certificate is to be renewed.
const RENEWED_DAYS_MIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Ports below are root's; the packaged desk has no capability.
const OWN_PORTS_MIN: u16 = 1_024;

/// Where is listened.
pub fn interfaces(names: &[String]) -> Vec<Finding> {
    if names.is_empty() {
        let what = "[listen] interface = \"eth1\" in the site file, where there is a mirror port";
        return vec![Finding::look("listening", "no interface is named", what)];
    }
    names.iter().map(|name| interface(name)).collect()
}

fn interface(name: &str) -> Finding {
    match fs::read_to_string(Path::new("/sys/class/net").join(name).join("operstate")) {
        Err(_) => {
            Finding::wrong("listening", format!("there is no interface {name}"), "`ip link` lists them; see [listen] in the site file")
        }
        Ok(state) if state.trim() == "down" => {
            Finding::wrong("listening", format!("{name} is down"), format!("ip link set {name} up, and have it so after a restart"))
        }
        Ok(_) => Finding::ok("listening", format!("{name} is there")),
    }
}

/// The socket between the two processes, and who may open it.
pub fn hatch(path: &Path) -> Finding {
    let shown = path.display();
    let of = match fs::metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Finding::wrong("hatch", format!("{shown} is not there"), "start the field side: systemctl start nameplate-field");
        }
        Err(e) => return Finding::wrong("hatch", format!("{shown}: {e}"), "run `nameplate doctor` as root"),
        Ok(of) if !of.file_type().is_socket() => {
            return Finding::wrong("hatch", format!("{shown} is no socket"), "see hatch in serve.toml");
        }
        Ok(of) => of,
    };
    let user = User::from_uid(Uid::from_raw(of.uid())).ok().flatten().map_or_else(|| of.uid().to_string(), |user| user.name);
    let group = Group::from_gid(Gid::from_raw(of.gid())).ok().flatten().map_or_else(|| of.gid().to_string(), |group| group.name);
    let told = format!("{shown}, for {user} and the group {group}, mode {:03o}", of.mode() & 0o777);
    if of.mode() & 0o007 != 0 {
        return Finding::wrong("hatch", told, "every account may have devices asked: chmod 660, and see docs/gateway.md");
    }
    match UnixStream::connect(path) {
        Ok(_) => Finding::ok("hatch", told),
        Err(e) => Finding::wrong("hatch", format!("{told}: nobody is behind it: {e}"), "systemctl start nameplate-field"),
    }
}

/// Whether the page's address is this machine's, and its port to be had.
pub fn port(listen: SocketAddr) -> Finding {
    if (1..OWN_PORTS_MIN).contains(&listen.port()) {
        return Finding::look(
            "page",
            format!("port {} takes a capability that the packaged unit does not have", listen.port()),
            "take 8443, or a reverse proxy",
        );
    }
    match TcpListener::bind(listen) {
        Ok(_) => Finding::ok("page", format!("{listen} is free for it; nobody listens there now")),
        Err(e) if e.kind() == ErrorKind::AddrInUse => Finding::ok("page", format!("somebody listens on {listen}; the desk, where it runs")),
        Err(e) => Finding::wrong("page", format!("{listen}: {e}"), "see listen under [page]: it is an address of this machine"),
    }
}

/// Until when the page's certificate holds.
pub fn certificate(page: &Page, directory: &Path) -> Option<Finding> {
    if !page.tls {
        return None;
    }
    let own = directory.join(OWN_CERTIFICATE);
    let path = page.certificate.as_deref().unwrap_or(&own);
    if page.certificate.is_none() && !own.exists() {
        return Some(Finding::look("certificate", "there is none yet", "one is made at the first start"));
    }
    let told = fs::read(path).map_err(|e| e.to_string()).and_then(|bytes| holds_until(&bytes));
    let until = told.and_then(|until| humantime::parse_rfc3339(&until).map(|time| (until, time)).map_err(|e| e.to_string()));
    Some(match until {
        Err(why) => Finding::wrong("certificate", format!("{}: {why}", path.display()), "give a PEM file in [page], or leave it out"),
        Ok((until, end)) => {
            let told = format!("{} holds until {until}", path.display());
            match end.duration_since(SystemTime::now()) {
                Err(_) => Finding::wrong("certificate", told, "it is over: browsers refuse it. Renew it"),
                Ok(left) if left < RENEWED_DAYS_MIN => Finding::look("certificate", told, "renew it"),
                Ok(_) => Finding::ok("certificate", told),
            }
        }
    })
}

/// What has to be let through, and whom the packaged unit does not let through.
pub fn firewall(site: &Site) -> Vec<Finding> {
    let mut findings: Vec<Finding> = site.firewall().lines().map(|line| Finding::ok("firewall", line)).collect();
    let addresses = site.listed().filter_map(|(ask, _, _)| ask.endpoint.ip()).map(|ip| ip.to_canonical());
    let mut outside: Vec<String> = addresses.filter(|ip| !is_private(*ip)).map(|ip| ip.to_string()).collect();
    outside.sort();
    outside.dedup();
    if !outside.is_empty() {
        let told = format!("no private address: {}", outside.join(", "));
        findings.push(Finding::look(
            "firewall",
            told,
            "the packaged unit lets private addresses through; a drop-in with IPAddressAllow (docs/operating.md) adds these",
        ));
    }
    findings
}

/// What the packaged unit of the field side has in its IPAddressAllow.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}
