//! `cargo xtask soak --bench`: packets per second of `listen` beside tshark's field pass and `capinfos -c`, in one run on one machine,
//! because a figure alone says nothing about another machine; then what each decoder takes for a message. See docs/performance.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use crate::run::{Tree, shown};

/// Rounds in the long file: seconds of work for `listen`, so that starting up does not count.
const LISTEN_ROUNDS: u32 = 20;

/// tshark keeps state for each packet and is slower by orders: one round is enough for it.
const TSHARK_ROUNDS: u32 = 1;

/// Runs of each program, of which the fastest counts: what else a machine does only makes one slower.
const RUNS: u32 = 3;

const MODBUS: &str = "modbus";
/// The industrial protocols that `listen` reads, as far as tshark 4.0 has a name for them.
const INDUSTRIAL: &str = "modbus||mbrtu||s7comm||enip||cip||dnp3||bacnet||opcua||mms||goose||sv||synphasor||iec60870_104||hart_ip||omron||ams\
                          ||ecat||epl||pn_dcp||pn_rt||pn_io||snmp||lldp||cdp";

/// The bars: times as fast as tshark's industrial pass, and as `capinfos -c`, which counts records and reads none.
const TSHARK_TIMES_MIN: f64 = 100.0;
/// Half of what it takes to walk the records at all.
const CAPINFOS_TIMES_MIN: f64 = 0.5;
/// The bar of memory: so much, and so much for each conversation that is followed and each device.
const PEAK_MEMORY_KIB: u64 = 48 << 10;
const EACH_MEMORY_KIB: u64 = 1;

/// How the rows are called that the bars look for.
const CAPINFOS: &str = "capinfos -c";
const TSHARK: &str = "tshark, industrial";

/// One program's run over a file.
struct Figure {
    name: String,
    packets: u64,
    seconds: f64,
    peak_kib: u64,
    /// What it said on standard error.
    said: String,
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
            bars(&figures).into_iter().for_each(|bar| println!("{bar}"));
            decoders(tree)
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// What a message takes in each decoder, from the messages of all captures.
fn decoders(tree: &Tree) -> ExitCode {
    let captures = tree.shared().join("captures");
    match shown("decoders", tree.cargo(&["bench", "--quiet", "--package", "nameplate-wire", "--"]).arg(captures)) {
        Ok(()) => ExitCode::SUCCESS,
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
        best(tree, "nameplate listen", path(&binary)?, &listen, long_packets)?,
        best(tree, CAPINFOS, "capinfos", &capinfos, long_packets)?,
        best(tree, "tshark, modbus", "tshark", &fields(MODBUS), short_packets)?,
        best(tree, TSHARK, "tshark", &fields(INDUSTRIAL), short_packets)?,
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

/// The fastest of a few runs.
fn best(tree: &Tree, name: &str, program: &str, words: &[&str], packets: u64) -> Result<Figure, String> {
    eprintln!("== {name}");
    let mut best = timed(tree, name, program, words, packets)?;
    for _ in 1..RUNS {
        let again = timed(tree, name, program, words, packets)?;
        if again.seconds < best.seconds {
            best = again;
        }
    }
    Ok(best)
}

/// Runs a program under GNU time, which sees the peak of its memory; what it prints goes nowhere.
fn timed(tree: &Tree, name: &str, program: &str, words: &[&str], packets: u64) -> Result<Figure, String> {
    let mut command = tree.command("time");
    command.args(["--quiet", "-f", "%e %M", "--", program]).args(words).stdout(Stdio::null());
    let output = command.output().map_err(|error| format!("GNU time (apt-get install -y time): {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let figures = said.lines().last().and_then(|line| line.split_once(' '));
    let figures = figures.and_then(|(seconds, kib)| Some((seconds.parse().ok()?, kib.parse().ok()?)));
    match figures {
        Some((seconds, peak_kib)) if output.status.success() => {
            Ok(Figure { name: name.to_owned(), packets, seconds, peak_kib, said: said.into_owned() })
        }
        _ => Err(format!("{name}: {}: {said}", output.status)),
    }
}

/// One line for each bar: what was reached, what was to be, and whether it is held.
fn bars(figures: &[Figure]) -> Vec<String> {
    let Some(ours) = figures.first() else { return Vec::new() };
    let times = |name: &str, wanted: f64| {
        let other = figures.iter().find(|figure| figure.name == name)?;
        let reached = ours.packets_per_s() / other.packets_per_s();
        let floor = 1e9 / (wanted * other.packets_per_s());
        Some(format!("{}: {reached:.2}x {name}, of {wanted}x ({floor:.0} ns a packet)", word(reached >= wanted)))
    };
    let memory = || {
        let (conversations, devices, peak_kib) = held(&ours.said)?;
        let allowed = PEAK_MEMORY_KIB + EACH_MEMORY_KIB * (conversations + devices);
        let what = format!("{conversations} conversations and {devices} devices");
        Some(format!("{}: {peak_kib} KiB at the peak, of {allowed} KiB for {what}", word(peak_kib <= allowed)))
    };
    let all = [times(TSHARK, TSHARK_TIMES_MIN), times(CAPINFOS, CAPINFOS_TIMES_MIN), memory()];
    all.into_iter().map(|bar| bar.unwrap_or_else(|| "not measured".to_owned())).collect()
}

const fn word(held: bool) -> &'static str {
    if held { "held" } else { "SHORT" }
}

/// `listen`'s own word: `65536 conversations, 5660 devices: 70088 KiB of memory at the peak`.
fn held(said: &str) -> Option<(u64, u64, u64)> {
    let line = said.lines().find(|line| line.ends_with(" KiB of memory at the peak"))?;
    let mut numbers = line.split([' ', ',', ':']).filter_map(|word| word.parse().ok());
    Some((numbers.next()?, numbers.next()?, numbers.next()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, packets: u64, seconds: f64, said: &str) -> Figure {
        Figure { name: name.to_owned(), packets, seconds, peak_kib: 0, said: said.to_owned() }
    }

    #[test]
    fn a_bar_is_held_or_short() {
        let said = |kib: u64| format!("9 frames\n100 conversations, 24 devices: {kib} KiB of memory at the peak\n1.0 2");
        let figures = |seconds: f64, kib: u64| {
            let ours = figure("nameplate listen", 1_000, seconds, &said(kib));
            [ours, figure(CAPINFOS, 1_000, 1.0, ""), figure(TSHARK, 10, 1.0, "")]
        };
        let held =
            ["held: 100.00x tshark, industrial, of 100x (1000000 ns a packet)", "held: 1.00x capinfos -c, of 0.5x (2000000 ns a packet)"];
        let memory = "held: 49276 KiB at the peak, of 49276 KiB for 100 conversations and 24 devices";
        assert_eq!(bars(&figures(1.0, 49_276)), [held[0], held[1], memory]);
        assert!(bars(&figures(2.1, 49_277)).iter().all(|bar| bar.starts_with("SHORT: ")));
        assert_eq!(bars(&figures(1.0, 1)[..1])[..2], ["not measured", "not measured"]);
    }
}
