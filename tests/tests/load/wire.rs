//! What left for the devices, as a recorder and a dissector that we did not write saw it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nameplate_tests::product::run;
use nameplate_tests::segment::Segment;

/// All devices of a fleet, and nothing else.
const DEVICES: &str = "net 127.64.0.0/10 and (tcp or udp)";
/// The first packet of a connection, or a question by datagram.
const CONTACTS: &str = "ip.dst==127.64.0.0/10 && ((tcp.flags.syn==1 && tcp.flags.ack==0) || udp.dstport==161)";
/// What a question is, in each of the three protocols; its parts may share a packet, never a message.
const QUESTIONS: &str = "ip.dst==127.64.0.0/10 && (udp.dstport==161 || mbtcp || enip)";
const MICROSECOND: f64 = 1e-6;

/// A recorder at work on the loopback interface of a network.
pub struct Wire {
    dumpcap: Child,
    file: PathBuf,
}

/// What was seen of one device.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    /// Seconds since 1970 of each.
    pub at: Vec<f64>,
}

impl Wire {
    /// Begins; returns when it records.
    ///
    /// # Panics
    /// dumpcap does not start.
    pub fn record(segment: &Segment, file: PathBuf) -> Self {
        let mut command = segment.command("dumpcap");
        command.args(["-i", "lo", "-f", DEVICES, "-B", "16", "-w"]).arg(&file).stderr(Stdio::piped());
        let mut dumpcap = command.spawn().expect("dumpcap starts");
        let mut said = BufReader::new(dumpcap.stderr.take().expect("a pipe"));
        let mut line = String::new();
        // "File: ..." is the last that it says before it records.
        while !line.starts_with("File:") {
            line.clear();
            assert!(said.read_line(&mut line).is_ok_and(|bytes| bytes > 0), "dumpcap says nothing");
        }
        std::thread::spawn(move || said.lines().map_while(Result::ok).for_each(drop));
        Self { dumpcap, file }
    }

    /// Ends it; contacts by device, in the order of time, and how many questions there were.
    ///
    /// # Panics
    /// The recording cannot be read.
    pub fn end(mut self) -> (BTreeMap<String, Contacts>, usize) {
        let asked = Command::new("kill").args(["-INT", &self.dumpcap.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()));
        self.dumpcap.wait().expect("an end");
        let read = |filter: &str| {
            let mut command = Command::new("tshark");
            command.args(["-r"]).arg(&self.file).args(["-Y", filter, "-T", "fields", "-e", "ip.dst", "-e", "frame.time_epoch"]);
            run(&mut command).expect(0).out
        };
        let mut contacts: BTreeMap<String, Contacts> = BTreeMap::new();
        for line in read(CONTACTS).lines() {
            let (device, time) = line.split_once('\t').expect("two columns");
            contacts.entry(device.to_owned()).or_default().at.push(time.parse().unwrap_or_else(|e| panic!("{time}: {e}")));
        }
        (contacts, read(QUESTIONS).lines().count())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = self.dumpcap.kill();
        let _ = self.dumpcap.wait();
    }
}

/// How close two contacts came: of one device, and of two on one segment; and how many there were at most in a minute.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Devices that were contacted, and how often in all.
    pub devices: usize,
    pub contacts: usize,
    /// The most contacts of one device.
    pub most_of_one: usize,
    /// The shortest time between two of one device; `None` where none was contacted twice.
    pub device_gap: Option<Duration>,
    /// The shortest between two on one /24.
    pub segment_gap: Option<Duration>,
    /// The most in any minute.
    pub in_a_minute: usize,
}

impl Manners {
    /// Of what was seen.
    pub fn of(contacts: &BTreeMap<String, Contacts>) -> Self {
        let mut segments: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        let mut all: Vec<f64> = Vec::new();
        for (device, Contacts { at }) in contacts {
            segments.entry(device.rsplit_once('.').map_or("", |(segment, _)| segment)).or_default().extend(at);
            all.extend(at);
        }
        let gap = |times: &[f64]| {
            let mut times = times.to_vec();
            times.sort_unstable_by(f64::total_cmp);
            times.windows(2).map(|pair| pair[1] - pair[0]).min_by(f64::total_cmp)
        };
        let least = |gaps: Option<f64>| gaps.map(|gap| Duration::from_secs_f64(gap.max(MICROSECOND)));
        all.sort_unstable_by(f64::total_cmp);
        let in_a_minute =
            all.iter().enumerate().map(|(at, time)| all[..at].iter().rev().take_while(|before| time - **before < 60.0).count() + 1);
        Self {
            devices: contacts.len(),
            contacts: all.len(),
            most_of_one: contacts.values().map(|of| of.at.len()).max().unwrap_or_default(),
            device_gap: least(contacts.values().filter_map(|of| gap(&of.at)).min_by(f64::total_cmp)),
            segment_gap: least(segments.values().filter_map(|times| gap(times)).min_by(f64::total_cmp)),
            in_a_minute: in_a_minute.max().unwrap_or_default(),
        }
    }
}
