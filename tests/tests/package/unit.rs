//! A unit as it is installed: its process started by its own words, and what that did held against what the unit allows.

use std::collections::BTreeSet;

use nameplate_tests::process::Process;

use crate::room::Room;

/// Settings of a unit, in their order.
pub struct Unit {
    name: &'static str,
    settings: Vec<(String, String)>,
}

impl Unit {
    /// Reads one out of the root.
    pub fn read(room: &Room, name: &'static str) -> Self {
        let text = room.run(&format!("cat /usr/lib/systemd/system/{name}.service"));
        let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
        Self { name, settings: lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect() }
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.settings.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn one(&self, key: &str) -> &str {
        self.all(key).last().unwrap_or_else(|| panic!("{} has no {key}", self.name))
    }

    fn trace(&self) -> String {
        format!("/tmp/{}.trace", self.name)
    }

    /// Starts its process as systemd would: state directory, account, capabilities, mask, and no way to get more. What it does is written down.
    pub fn start(&self, room: &Room) -> Process {
        let (user, group, state) = (self.one("User"), self.one("Group"), self.one("StateDirectory"));
        room.run(&format!("install -d -m {} -o {user} -g {group} /var/lib/{state}", self.one("StateDirectoryMode")));
        // As `setpriv` writes them: net_raw for CAP_NET_RAW.
        let capabilities = |key: &str| -> String {
            let names = self.one(key).split_whitespace().map(|name| format!(",+{}", name.trim_start_matches("CAP_").to_lowercase()));
            format!("-all{}", names.collect::<String>())
        };
        let own = capabilities("AmbientCapabilities");
        let environment = self.all("Environment").collect::<Vec<_>>().join(" ");
        let line = format!(
            "umask {}; exec env {environment} strace -D -f -qq -o {} setpriv --reuid={user} --regid={group} --clear-groups --bounding-set={} --inh-caps={own} \
             --ambient-caps={own} --no-new-privs {}",
            self.one("UMask"),
            self.trace(),
            capabilities("CapabilityBoundingSet"),
            self.one("ExecStart"),
        );
        Process::start(room.shell(&line))
    }

    /// Every call and every kind of socket of the process is one that the unit allows: no systemd runs here to forbid it.
    pub fn allows_what_was_done(&self, room: &Room) {
        let trace = room.run(&format!("cat {}", self.trace()));
        let program = format!("execve(\"{}\"", self.one("ExecStart").split(' ').next().unwrap_or_default());
        let own: Vec<&str> = trace.lines().skip_while(|line| !line.contains(&program)).skip(1).collect();
        assert!(own.len() > 100, "{} calls of {}", own.len(), self.name);
        // "4711 openat(AT_FDCWD, ..." and "4711 <... read resumed>...": a process id, a call.
        let calls: BTreeSet<&str> =
            own.iter().filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('(')).map(|(call, _)| call).collect();
        let calls =
            calls.into_iter().filter(|call| call.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
        let allowed = self.calls(room);
        let forbidden: Vec<&str> = calls.filter(|call| !allowed.contains(*call)).collect();
        assert!(forbidden.is_empty(), "{} is not allowed {forbidden:?}", self.name);
        let families: BTreeSet<&str> =
            own.iter().filter_map(|line| line.split_once("socket(AF_")?.1.split_once(',')).map(|(family, _)| family).collect();
        let may: Vec<&str> = self.one("RestrictAddressFamilies").split(' ').filter_map(|family| family.strip_prefix("AF_")).collect();
        assert!(families.contains("UNIX") && families.iter().all(|family| may.contains(family)), "{}: {families:?} of {may:?}", self.name);
    }

    /// What SystemCallFilter lets pass: its lists in their order, and what systemd always does.
    fn calls(&self, room: &Room) -> BTreeSet<String> {
        let mut allowed = of_set(room, "@default");
        for list in self.all("SystemCallFilter") {
            let (names, is_taken) = list.strip_prefix('~').map_or((list, false), |names| (names, true));
            for name in names.split(' ') {
                let set = if name.starts_with('@') { of_set(room, name) } else { BTreeSet::from([name.to_owned()]) };
                if is_taken {
                    allowed.retain(|call| !set.contains(call));
                } else {
                    allowed.extend(set);
                }
            }
        }
        allowed
    }
}

/// The calls in one of systemd's sets.
fn of_set(room: &Room, name: &str) -> BTreeSet<String> {
    let said = room.run(&format!("systemd-analyze syscall-filter --no-pager {name}"));
    let mut calls = BTreeSet::new();
    for word in said.lines().skip(1).map(str::trim).filter(|word| !word.is_empty() && !word.starts_with('#')) {
        if word.starts_with('@') {
            calls.extend(of_set(room, word));
        } else {
            calls.insert(word.to_owned());
        }
    }
    calls
}
