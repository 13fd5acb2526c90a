//! The product under strace: which sockets of the network it opens, where they lead, and what leaves on them.

use std::process::{Command, Stdio};

use crate::product::{Ended, Product, State, run};

/// What strace saw of IP sockets: addresses connected to, and bytes sent, in order; and how many such sockets there were.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Traced {
    /// Sockets of IP, and packet sockets.
    pub sockets: usize,
    /// Addresses connected to, or sent to without.
    pub connects: Vec<String>,
    /// What was sent, in hexadecimal digits.
    pub sends: Vec<String>,
}

/// Runs the product with these arguments, and says what it did.
///
/// # Panics
/// Where strace does not work.
#[must_use]
pub fn traced(product: &Product, arguments: &[&str]) -> (Ended, Traced) {
    let folder = State::new();
    let log = folder.path().join("strace").to_string_lossy().into_owned();
    let words = ["strace", "-f", "-x", "-s", "4096", "-e", "trace=network,write,writev,close", "-o", &log];
    let ended = run(&mut product.command_under(&words, arguments));
    let text = std::fs::read_to_string(&log).expect("what strace wrote");
    let (mut traced, mut open) = (Traced::default(), Vec::new());
    for line in text.lines() {
        let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
        let (name, arguments) = call.split_once('(').unwrap_or((call, ""));
        let first = arguments.split([',', ')']).next().unwrap_or_default().to_owned();
        let part = |after: &str| call.split_once(after).and_then(|(_, rest)| rest.split([')', '"']).next()).unwrap_or_default();
        let address = || format!("{}:{}", part("inet_addr(\""), part("htons("));
        match name {
            "socket" if first.starts_with("AF_INET") || first == "AF_PACKET" => {
                traced.sockets += 1;
                open.push(call.rsplit(' ').next().unwrap_or_default().to_owned());
            }
            "close" => open.retain(|descriptor| *descriptor != first),
            "connect" if call.contains("AF_INET") => {
                traced.connects.push(address());
            }
            "write" | "writev" | "send" | "sendto" | "sendmsg" if open.contains(&first) => {
                // A socket that is not connected is told with each message whom it is for.
                if call.contains("inet_addr(") && !traced.connects.contains(&address()) {
                    traced.connects.push(address());
                }
                traced.sends.push(call.split('"').nth(1).unwrap_or_default().replace("\\x", ""));
            }
            _ => {}
        }
    }
    (ended, traced)
}

/// The product, where strace works.
///
/// # Errors
/// What is missing, and what installs it.
pub fn available() -> Result<Product, String> {
    let tried = Command::new("strace").args(["-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if tried.is_ok_and(|status| status.success()) {
        Product::find()
    } else {
        Err("strace does not work here: apt-get install strace".into())
    }
}
