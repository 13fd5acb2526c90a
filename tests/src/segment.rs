//! A network of its own: two ends of a cable in a network namespace that nobody else sees, one to talk and one to listen at.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::product::{Ended, run};

/// Where frames are sent.
pub const TALK: &str = "talk0";
/// Where they arrive.
pub const TAP: &str = "tap0";

/// Makes the ends, silent: no address, no ARP, no IPv6. Lives until its input ends.
const CABLE: &str = "ip link add talk0 type veth peer name tap0 && \
    for end in talk0 tap0; do echo 1 > /proc/sys/net/ipv6/conf/$end/disable_ipv6 && ip link set dev $end mtu 9000 arp off up || exit 1; done && \
    echo there && read wait";

/// A cable in a namespace. It is gone with the value, and with the last process in it.
#[derive(Debug)]
pub struct Segment {
    holder: Child,
}

impl Segment {
    /// Lays a cable.
    ///
    /// # Errors
    /// What is missing: Linux, root, or a program of Debian's iproute2, util-linux and tcpreplay.
    pub fn new() -> Result<Self, String> {
        for (program, package) in [("unshare", "util-linux"), ("nsenter", "util-linux"), ("tcpreplay", "tcpreplay")] {
            let there = Command::new(program).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            there.map_err(|error| format!("{program} ({package}): {error}"))?;
        }
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", CABLE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.spawn().map_err(|error| format!("unshare: {error}"))?;
        let mut line = String::new();
        let said = holder.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        let segment = Self { holder };
        match said {
            Some(Ok(_)) if line == "there\n" => Ok(segment),
            _ => Err("no network namespace with a veth pair can be made here (it takes root)".to_owned()),
        }
    }

    /// Another program's words in front of a command, so that it runs in the namespace.
    pub fn words(&self) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net=/proc/{}/ns/net", self.holder.id())]
    }

    /// A command in the namespace.
    pub fn command(&self, program: &str) -> Command {
        let [enter, place] = self.words();
        let mut command = Command::new(enter);
        command.arg(place).arg(program).stdin(Stdio::null());
        command
    }

    /// Runs a line of shell in the namespace.
    ///
    /// # Panics
    /// When it fails.
    pub fn shell(&self, line: &str) -> Ended {
        run(self.command("sh").args(["-c", line])).expect(0)
    }

    /// Sends a capture from the talking end; `pace` as tcpreplay takes it. Gives the number of frames that left.
    ///
    /// # Panics
    /// When a frame could not be sent whole.
    pub fn replay(&self, file: &Path, pace: &[&str]) -> u64 {
        let ended = run(self.command("tcpreplay").args(["-q", "-i", TALK]).args(pace).arg(file)).expect(0);
        let count = |name: &str| {
            let line = ended.out.lines().find_map(|line| line.trim().strip_prefix(name));
            line.and_then(|count| count.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {}", ended.out))
        };
        assert_eq!((count("Failed packets:"), count("Truncated packets:")), (0, 0), "{}", ended.out);
        count("Successful packets:")
    }

    /// Frames that an end counted: received and, of what it was to send, dropped.
    ///
    /// # Panics
    /// When `ip` says something else.
    pub fn counted(&self, end: &str) -> (u64, u64) {
        let said: Value = serde_json::from_str(&self.shell(&format!("ip -j -s link show dev {end}")).out).expect("JSON");
        let count = |way: &str, what: &str| said[0]["stats64"][way][what].as_u64().expect("a count");
        (count("rx", "packets"), count("tx", "dropped"))
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // It ends by itself now; there is nobody to tell if it does not.
        let _ = self.holder.wait();
    }
}
