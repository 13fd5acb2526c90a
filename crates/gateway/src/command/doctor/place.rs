//! What is on this machine's disk, and its clock.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User};

use super::Finding;
use crate::disk::{FreeMin, Room, Size};
use crate::store::{Store, now_ns};

/// Bits of a mode that let others than the owner do something.
const OTHERS: u32 = 0o077;
/// systemd's time service makes it when it has the time from somewhere.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
/// A clock that is so far behind the ledger's last entry was put back, or the entry came from one that was ahead.
const BEHIND_SECONDS_MAX: u64 = 5;

/// A state directory: whose it is, and whether anybody else may look into it.
pub fn directory(what: &'static str, path: &Path) -> Vec<Finding> {
    let shown = path.display();
    let of = match fs::metadata(path) {
        Ok(of) => of,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return vec![Finding::look(what, format!("{shown} is not there yet"), "it is made at the first start")];
        }
        Err(e) => return vec![Finding::wrong(what, format!("{shown}: {e}"), "run `nameplate doctor` as root")],
    };
    if of.mode() & OTHERS != 0 {
        return vec![Finding::wrong(what, format!("{shown} is open to other accounts"), format!("chmod 700 {shown}"))];
    }
    let mut findings = Vec::new();
    let entries = fs::read_dir(path).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    for entry in &entries {
        let (name, Ok(file)) = (entry.path(), entry.metadata()) else { continue };
        if file.uid() != of.uid() {
            let told = format!("{} belongs to {}, and its directory to {}", name.display(), owner(&file), owner(&of));
            findings.push(Finding::wrong(what, told, format!("chown {} {}", owner(&of), name.display())));
        }
        if name.extension().is_some_and(|end| end == "key") && file.mode() & OTHERS != 0 {
            let told = format!("{} can be read by other accounts", name.display());
            findings.push(Finding::wrong(
                what,
                told,
                format!("chmod 600 {0}; who read it can sign in its name: see `nameplate ledger change-key`", name.display()),
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(what, format!("{shown}, of {} alone", owner(&of))));
    }
    findings
}

fn owner(of: &Metadata) -> String {
    let name = User::from_uid(Uid::from_raw(of.uid())).ok().flatten().map(|user| user.name);
    name.unwrap_or_else(|| of.uid().to_string())
}

/// The ledger, and whether the clock is behind it.
pub fn ledger(directory: &Path) -> Vec<Finding> {
    let store = match Store::read(directory) {
        Ok(Some(store)) => store,
        Ok(None) => return vec![Finding::look("ledger", "there is none yet", "it is made at the first start")],
        Err(failure) => return vec![Finding::wrong("ledger", failure.why, "restore it from its backup: `nameplate ledger restore`")],
    };
    let opens = Finding::ok("ledger", format!("{} entries", store.size()));
    let last_ns = match store.size().checked_sub(1).map(|last| store.entry(last)) {
        Some(Ok(entry)) => entry.time_ns,
        Some(Err(failure)) => return vec![opens, Finding::wrong("ledger", failure.why, "see `nameplate ledger verify`")],
        None => return vec![opens],
    };
    let behind = last_ns.saturating_sub(now_ns()) / 1_000_000_000;
    let clock = if behind > BEHIND_SECONDS_MAX {
        let told = format!("it is {behind} s behind the ledger's last entry");
        Finding::wrong("clock", told, "set it; entries keep their order, but their times are what the clock said")
    } else {
        Finding::ok("clock", "it is not behind the ledger")
    };
    vec![opens, clock]
}

/// Whether this machine has the time from somewhere.
pub fn synchronised() -> Finding {
    let by_systemd = Path::new(SYNCHRONISED).exists();
    let told = || Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output().ok();
    if by_systemd || told().is_some_and(|told| told.stdout.trim_ascii() == b"yes") {
        return Finding::ok("time", "it comes from elsewhere (NTP or PTP)");
    }
    Finding::look(
        "time",
        "nothing says that this machine's clock is set by another one",
        "set up NTP: reports and windows rest on the clock",
    )
}

/// Room for the ledger.
pub fn disk(directory: &Path, limit: FreeMin) -> Finding {
    let there = directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    match Room::at(there) {
        Err(e) => Finding::wrong("disk", format!("{}: {e}", there.display()), ""),
        Ok(room) => {
            let (free, least) = (Size(room.free_bytes), Size(limit.bytes_of(room.all_bytes)));
            let told = format!("{free} are free, {least} have to be (disk_free_min)");
            if room.is_scarce(limit) {
                Finding::wrong("disk", told, "make room: nobody is asked by plan until there is")
            } else {
                Finding::ok("disk", told)
            }
        }
    }
}
