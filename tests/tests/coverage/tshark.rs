//! What tshark names in a capture: how often a dissector's name stands in `frame.protocols`, a message each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::table::PROTOCOLS;

/// Captures that are read at a time.
const AT_ONCE: usize = 2;
/// Function code of UMAS, which tshark reads as Modbus.
const UMAS_FUNCTION: &str = "90";
/// How the interfaces of PROFINET's remote procedure calls begin (IEC 61158-6-10, 4.10); tshark names them DCE/RPC like anybody's.
const PROFINET_INTERFACE: &str = "dea0000";

/// File, our name of the protocol, messages.
pub fn counts(files: &[PathBuf]) -> Vec<(PathBuf, &'static str, u64)> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let counted = count(file).into_iter().map(|(protocol, messages)| (file.clone(), protocol, messages));
                    found.lock().unwrap_or_else(PoisonError::into_inner).extend(counted);
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn count(file: &Path) -> BTreeMap<&'static str, u64> {
    let fields = ["-T", "fields", "-E", "separator=/t", "-e", "frame.protocols", "-e", "modbus.func_code", "-e", "dcerpc.dg_if_id"];
    let run = Command::new("tshark").args(["-n", "-r"]).arg(file).args(fields).stdin(Stdio::null()).output().expect("tshark runs");
    let mut counts = BTreeMap::new();
    // A capture that is cut off ends tshark with an error behind what it read; so do ours.
    for line in String::from_utf8_lossy(&run.stdout).lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let [layers, functions, interfaces] = cells[..] else { continue };
        let umas = functions.split(',').filter(|code| *code == UMAS_FUNCTION).count() as u64;
        let profinet = interfaces.split(',').filter(|interface| interface.starts_with(PROFINET_INTERFACE)).count() as u64;
        for (name, messages) in named(layers).into_iter().chain([("umas", umas), ("pn-io", profinet)]) {
            *counts.entry(name).or_default() += messages;
        }
    }
    counts
}

/// Messages of each protocol in a frame with these layers. What an ICMP message quotes was not said by who sent it.
fn named(layers: &str) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    let mut below = "";
    for layer in layers.split(':').take_while(|layer| !["icmp", "icmpv6"].contains(layer)) {
        let theirs = |name: &&str| match name.split_once('>') {
            // A dissector that calls itself for the parts of a message: only what stands directly on the carrier is one.
            Some((carrier, name)) => layer == name && below == carrier,
            None => layer == *name,
        };
        for protocol in PROTOCOLS.iter().filter(|protocol| protocol.tshark.iter().any(theirs)) {
            *counts.entry(protocol.name).or_default() += 1;
        }
        below = layer;
    }
    counts
}

#[test]
fn messages_are_counted_and_their_parts_and_quotes_are_not() {
    let check = |layers: &str, expected: &[(&'static str, u64)]| assert_eq!(named(layers), expected.iter().copied().collect(), "{layers}");
    check("eth:ethertype:ip:tcp:enip:cip:cipcls:cip:cipcls", &[("enip", 1), ("cip", 1)]);
    check("eth:ethertype:ip:tcp:mbtcp:modbus:mbtcp:modbus", &[("modbus", 2)]);
    check("eth:ethertype:ip:icmp:ip:udp:snmp", &[]);
    check("eth:ethertype:ip:udp:cipio:cipio", &[("enip", 1)]);
}
