//! A recorder that is not ours (dumpcap) and a reader that is not ours (tshark): the referees of what passed on a loopback port.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::place;

/// Between two tries of a sentinel: dumpcap hands on what it has at least this often once it records.
const SENTINEL_EVERY: Duration = Duration::from_millis(20);
/// A recorder that shows no sentinel by then is broken.
const SENTINEL_SECONDS_MAX: Duration = Duration::from_secs(20);
/// Sentinels begin so; what a test records does not.
const SENTINEL: &[u8] = b"nameplate recording sentinel ";
/// A record longer than this is no record of ours: dumpcap's own snap length.
const RECORD_BYTES_MAX: usize = 262_144;
/// Header of a classic pcap file, and of a record in it (draft-ietf-opsawg-pcap).
const FILE_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;

/// Between the values of a field that occurs more than once in a frame, in a cell of [`tshark`].
pub const AND: char = '\u{1f}';

/// dumpcap at work on the loopback interface. Dropping it ends it, by its process id.
#[derive(Debug)]
pub struct Recording {
    child: Child,
    sentinel: UdpSocket,
    seen: Receiver<Vec<u8>>,
    reading: Option<JoinHandle<io::Result<()>>>,
    file: PathBuf,
}

/// Whether dumpcap and tshark can be used here.
///
/// # Errors
/// What is missing, and the package that has it.
pub fn available() -> Result<(), String> {
    for program in ["dumpcap", "tshark"] {
        let run = Command::new(program).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !run.is_ok_and(|status| status.success()) {
            return Err(format!("{program} does not start: apt-get install tshark"));
        }
    }
    Ok(())
}

impl Recording {
    /// Records these TCP ports of the loopback interface; returns when the recorder has shown that it does.
    ///
    /// # Errors
    /// What is missing, or what dumpcap would not do.
    pub fn start(ports: &[u16]) -> Result<Self, String> {
        let each: Vec<String> = ports.iter().map(|port| format!("tcp port {port}")).collect();
        Self::of(&each.join(" or "))
    }

    /// Records what passes this filter (pcap-filter) on the loopback interface.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn of(filter: &str) -> Result<Self, String> {
        available()?;
        let sentinel = sentinel_socket().map_err(|error| format!("a port for sentinels: {error}"))?;
        let sentinel_port = sentinel.local_addr().map_err(|error| error.to_string())?.port();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = place::scratch()?.join(format!("recording-{}-{number}.pcap", std::process::id()));
        let out = File::create(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut child = Command::new("dumpcap")
            .args(["-q", "-i", "lo", "-P", "-w", "-", "-f"])
            .arg(format!("({filter}) or udp port {sentinel_port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("dumpcap: {error}"))?;
        let says = child.stdout.take().ok_or("dumpcap: no pipe")?;
        let (sender, seen) = mpsc::channel();
        let reading = thread::spawn(move || copy_records(BufReader::new(says), BufWriter::new(out), &sender));
        let recording = Self { child, sentinel, seen, reading: Some(reading), file };
        recording.await_sentinel("start")?;
        Ok(recording)
    }

    /// Ends the recording once all that passed before is in it; gives the file, a classic pcap in target/tmp.
    ///
    /// # Errors
    /// That dumpcap ended early or lost packets, or what writing the file says.
    pub fn stop(mut self) -> Result<PathBuf, String> {
        self.await_sentinel("stop")?;
        // Asked to end, it tells what it lost; killed, it would not.
        let asked = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        asked.map_err(|error| format!("kill: {error}"))?;
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said).map_err(|error| format!("dumpcap: {error}"))?;
        }
        self.child.wait().map_err(|error| format!("dumpcap: {error}"))?;
        let reading = self.reading.take().map(JoinHandle::join);
        let Some(Ok(copied)) = reading else { return Err("the recording's reader ended early".to_owned()) };
        copied.map_err(|error| format!("{}: {error}", self.file.display()))?;
        if !lost_nothing(&said) {
            return Err(format!("dumpcap lost packets: {said}"));
        }
        Ok(self.file.clone())
    }

    /// Sends sentinels until one with this word comes out of the recorder.
    fn await_sentinel(&self, word: &str) -> Result<(), String> {
        // Its port is in the word: another test's sentinels may pass a filter that is as wide as ours.
        let port = self.sentinel.local_addr().map_err(|error| error.to_string())?.port();
        let word = format!("{word} {port}");
        let sentinel = [SENTINEL, word.as_bytes()].concat();
        let begun = Instant::now();
        while begun.elapsed() < SENTINEL_SECONDS_MAX {
            self.sentinel.send(&sentinel).map_err(|error| format!("a sentinel: {error}"))?;
            match self.seen.recv_timeout(SENTINEL_EVERY) {
                Ok(seen) if seen == word.as_bytes() => return Ok(()),
                Ok(_) | Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        Err(format!("dumpcap showed no sentinel at {word}: may this user record on lo?"))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // Ended already after `stop`; there is nobody to tell here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "sentinels go from a loopback port to itself, to be seen by the recorder")]
fn sentinel_socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(socket.local_addr()?)?;
    Ok(socket)
}

/// dumpcap's closing line: `Packets received/dropped on interface 'Loopback: lo': 12/0 (pcap:0/dumpcap:0/flushed:0/ps_ifdrop:0) (100.0%)`.
fn lost_nothing(said: &str) -> bool {
    let Some((_, counts)) = said.lines().find(|line| line.starts_with("Packets received/dropped")).and_then(|line| line.rsplit_once("': "))
    else {
        return false;
    };
    counts.split_whitespace().next().and_then(|counts| counts.split_once('/')).is_some_and(|(_, dropped)| dropped == "0")
}

/// Copies a pcap stream to the file without its sentinels, which go to the channel as they come.
fn copy_records(mut from: impl Read, mut to: impl Write, seen: &Sender<Vec<u8>>) -> io::Result<()> {
    let mut header = [0; FILE_HEADER_BYTES];
    from.read_exact(&mut header)?;
    to.write_all(&header)?;
    loop {
        let mut record = vec![0; RECORD_HEADER_BYTES];
        match from.read_exact(&mut record) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return to.flush(),
            other => other?,
        }
        // dumpcap writes in the machine's byte order.
        let captured = record.get(8..12).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes);
        let captured = usize::try_from(captured).ok().filter(|bytes| *bytes <= RECORD_BYTES_MAX);
        record.resize(RECORD_HEADER_BYTES + captured.ok_or_else(|| io::Error::other("no record length of dumpcap's"))?, 0);
        from.read_exact(record.get_mut(RECORD_HEADER_BYTES..).unwrap_or_default())?;
        match record.windows(SENTINEL.len()).position(|window| window == SENTINEL) {
            // Nobody may listen any more; the stream is read to its end all the same.
            Some(at) => drop(seen.send(record.split_off(at + SENTINEL.len()))),
            None => to.write_all(&record)?,
        }
    }
}

/// tshark's reading of a capture: a row for each frame that passes the display filter, a cell for each field; several values of one field
/// stand in one cell with [`AND`] between them. `modbus_port` is the port that servers of Modbus TCP have in it.
///
/// # Errors
/// What tshark says.
pub fn tshark(file: &Path, fields: &[&str], filter: &str, modbus_port: u16) -> Result<Vec<Vec<String>>, String> {
    // By the preference, not by decode-as (-d): by it alone tshark knows which end asks.
    told(file, fields, filter, &["-o", &format!("mbtcp.tcp.port:{modbus_port}")])
}

/// The same of another protocol, which tshark is told is spoken where: `tcp.port==1102,tpkt`.
///
/// # Errors
/// What tshark says.
pub fn tshark_as(file: &Path, fields: &[&str], filter: &str, decode_as: &str) -> Result<Vec<Vec<String>>, String> {
    told(file, fields, filter, &["-d", decode_as])
}

/// The same with further words for tshark.
///
/// # Errors
/// What tshark says.
pub fn told(file: &Path, fields: &[&str], filter: &str, options: &[&str]) -> Result<Vec<Vec<String>>, String> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(file).arg("-Y").arg(filter).args(options);
    command.args(["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E"]).arg(format!("aggregator={AND}"));
    command.args(fields.iter().flat_map(|field| [OsStr::new("-e"), OsStr::new(field)]));
    let run = command.stdin(Stdio::null()).output().map_err(|error| format!("tshark: {error}"))?;
    if !run.status.success() {
        return Err(format!("tshark: {}: {}", run.status, String::from_utf8_lossy(&run.stderr)));
    }
    let text = String::from_utf8_lossy(&run.stdout);
    Ok(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}
