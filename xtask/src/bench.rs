//! `cargo xtask soak --bench`: packets per second of `listen` beside tshark's field pass and `capinfos -c`, in one run on one machine,
//! because a figure alone says nothing about another machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use crate::run::{Tree, shown};

/// Rounds in the long file: seconds of work for `listen`, so that starting up does not count.
const LISTEN_ROUNDS: u32 = 20;

/// tshark keeps state for each packet and is slower by orders: one round is enough for it.
const TSHARK_ROUNDS: u32 = 1;

const MODBUS: &str = "modbus";
/// The industrial protocols that tshark 4 reads and later rooms of ours will.
const INDUSTRIAL: &str = "modbus||s7comm||enip||cip||dnp3||bacnet||opcua||mms";

/// One program's run over a file.
struct Figure {
    name: String,
    packets: u64,
    seconds: f64,
    peak_kib: u64,
}

impl Figure {
    fn packets_per_s(&self) -> f64 {
        self.packets as f64 / self.seconds.max(f64::EPSILON)
    }
}

/// Measures and prints the table. Failing to measure is a failure; no figure is.
pub fn bench(tree: &Tree) -> ExitCode {
    match measure(tree) {
        Ok(figures) => {
            print(&figures);
            println!("tshark dissects every packet, capinfos none; `listen` follows the protocols it knows and passes over the rest.");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(tree: &Tree) -> Result<Vec<Figure>, String> {
    shown("build", &mut tree.cargo(&["build", "--release", "--quiet"]))?;
    let (short, short_packets) = file(tree, TSHARK_ROUNDS)?;
    let (long, long_packets) = file(tree, LISTEN_ROUNDS)?;
    let (short, long, binary) = (path(&short)?, path(&long)?, tree.binary());
    let listen = ["listen", long, "--format", "claims"];
    let capinfos = ["-c", long];
    let fields = |filter| ["-r", short, "-Y", filter, "-T", "fields", "-e", "frame.number", "-e", "ip.src", "-e", "modbus.func_code"];
    Ok(vec![
        timed(tree, "nameplate listen", path(&binary)?, &listen, long_packets)?,
        timed(tree, "capinfos -c", "capinfos", &capinfos, long_packets)?,
        timed(tree, "tshark, modbus", "tshark", &fields(MODBUS), short_packets)?,
        timed(tree, "tshark, industrial", "tshark", &fields(INDUSTRIAL), short_packets)?,
    ])
}

/// Builds the capture of so many rounds with ../shared's script, once, and counts it.
fn file(tree: &Tree, rounds: u32) -> Result<(PathBuf, u64), String> {
    let file = tree.target.join(format!("bench-{rounds}.pcap"));
    if !file.exists() {
        // Written beside and renamed, so that an interrupted build leaves no half of a file.
        let (script, part) = (tree.shared().join("captures/mkbench.py"), file.with_extension("part"));
        let mut command = tree.command("python3");
        shown("mkbench.py", command.arg(script).arg(&part).arg(rounds.to_string()).stdout(Stdio::null()))?;
        fs::rename(&part, &file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    // -T table, -M exact: `<file>\t<count>`, without a header line (-r).
    let output =
        tree.command("capinfos").args(["-T", "-r", "-M", "-c"]).arg(&file).output().map_err(|error| format!("capinfos: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let count = said.trim().rsplit('\t').next().and_then(|count| count.parse().ok());
    Ok((file, count.ok_or_else(|| format!("capinfos counted nothing: {said}"))?))
}

fn path(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{}: a path that is no UTF-8", path.display()))
}

/// Runs a program under GNU time, which sees the peak of its memory; what it prints goes nowhere.
fn timed(tree: &Tree, name: &str, program: &str, words: &[&str], packets: u64) -> Result<Figure, String> {
    eprintln!("== {name}");
    let mut command = tree.command("time");
    command.args(["--quiet", "-f", "%e %M", "--", program]).args(words).stdout(Stdio::null());
    let output = command.output().map_err(|error| format!("GNU time (apt-get install -y time): {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let figures = said.lines().last().and_then(|line| line.split_once(' '));
    let figures = figures.and_then(|(seconds, kib)| Some((seconds.parse().ok()?, kib.parse().ok()?)));
    match figures {
        Some((seconds, peak_kib)) if output.status.success() => Ok(Figure { name: name.to_owned(), packets, seconds, peak_kib }),
        _ => Err(format!("{name}: {}: {said}", output.status)),
    }
}

fn print(figures: &[Figure]) {
    let Some(ours) = figures.first() else { return };
    println!("{:<20} {:>10} {:>9} {:>12} {:>14} {:>9}", "program", "packets", "seconds", "packets/s", "listen is", "peak MiB");
    for figure in figures {
        let ratio = ours.packets_per_s() / figure.packets_per_s();
        let (packets, seconds, rate, peak) = (figure.packets, figure.seconds, figure.packets_per_s(), figure.peak_kib as f64 / 1024.0);
        println!("{:<20} {packets:>10} {seconds:>9.2} {rate:>12.0} {ratio:>13.2}x {peak:>9.1}", figure.name);
    }
}
