//! Servers that we did not write, each its own process with its own persona: tests/rig says which they are and how they are installed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::personas::Persona;
use crate::place;

/// A server that is not ready by then never will be; on an idle machine each is in 4 s.
const READY_SECONDS_MAX: Duration = Duration::from_secs(30);
/// Where Debian's packages put their programs; a user's own PATH may lack the second.
const BINARIES: [&str; 2] = ["/usr/bin", "/usr/sbin"];

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// pymodbus: FC 43/14 with pages, FC 17 without an id byte; answers every unit unless the persona is silent for others.
    Pymodbus,
    /// pymodbus with frames of RTU over TCP.
    PymodbusRtu,
    /// pymodbus with RTU on a serial line, the one end of two terminals: [`Server::line`] is the other.
    PymodbusSerial,
    /// The same behind a serial device server, ser2net: TCP in front, whose bytes go to the line as they are.
    PymodbusSer2net,
    /// npm modbus-serial: FC 43/14 with pages, regular objects to a basic question; silent to FC 17.
    ModbusSerial,
    /// modbus_tk: no identity.
    ModbusTk,
    /// uModbus: no identity.
    Umodbus,
    /// py1815, an outstation of DNP3: attributes of group 0 are the persona's objects, by variation.
    Py1815,
    /// dnp3py, an outstation of DNP3 without group 0: IIN2.1 says so. Address: the persona's unit.
    Dnp3py,
    /// dnp3-outstation: answers any READ, of group 0 too, with its analogs. Address: the persona's unit; master: 1.
    Dnp3Outstation,
    /// Net-SNMP's snmpd by UDP: v1 and v2c by the plate's community; v3 users `none`, `auth` (SHA-256), `sha256` (with AES-128) and
    /// `sha512` (with AES-256) by its secrets. The system group, and row 1 of entPhysicalTable.
    Snmpd,
    /// snmpsim by UDP: the same objects; v1 and v2c by the plate's community, v3 user `sha256`.
    Snmpsim,
    /// npm net-snmp's agent by UDP: the system group alone; v2c by the plate's community, v3 user `sha256`.
    NetSnmp,
    /// cpppo: EtherNet/IP by TCP and UDP on one port, ListIdentity and the Identity object.
    Cpppo,
    /// The C library snap7, in python-snap7 2: S7comm whose system status lists are fixed in the library, so none of it is the persona's.
    Snap7,
    /// bacpypes3: a device of BACnet/IP, on a loopback address of its own.
    Bacpypes3,
    /// virtual-plc: MELSEC 3E by TCP. Its type name is the library's own.
    VirtualPlc,
    /// open61850: MMS with LPHD1.PhyNam and LLN0.NamPlt.
    Open61850,
    /// asyncua: BuildInfo and a DeviceSet with one device, without security.
    Asyncua,
    /// asyncua with Basic256Sha256 in front of it, Sign or SignAndEncrypt only; its certificate is `server.der` in [`Server::folder`].
    AsyncuaSecure,
    /// node-opcua: BuildInfo and a DeviceSet from the real nodeset of DI, with and without security.
    NodeOpcua,
    /// Python's own web server: `Server` is the plate's model and software, the page's title its description.
    Http,
    /// The same over TLS, in this version alone; the certificate's name is the plate's, and it stands in [`Server::folder`].
    Https(Tls),
    /// nginx: the page's title is the plate's description.
    Nginx,
    /// The same over TLS.
    NginxTls(Tls),
    /// OpenSSH: behind its version stands the plate's model.
    Sshd,
    /// pyftpdlib: the banner is the plate's description.
    Pyftpdlib,
    /// telnetlib3: negotiates, then shows the plate's description and firmware and asks for a name.
    Telnetlib3,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// 1.2, where the certificate is in clear.
    V12,
    /// 1.3, where it is encrypted.
    V13,
}

impl Tls {
    /// The word that scripts take.
    const fn word(self) -> &'static str {
        match self {
            Self::V12 => "tls12",
            Self::V13 => "tls13",
        }
    }
}

/// The script in tests/rig, the word that it is told, and the programs that are no part of pip's or npm's.
fn script(kind: Kind) -> (&'static str, &'static str, &'static [&'static str]) {
    match kind {
        Kind::Pymodbus => ("pymodbus_server.py", "tcp", &[]),
        Kind::PymodbusRtu => ("pymodbus_server.py", "rtu", &[]),
        Kind::PymodbusSerial => ("pymodbus_server.py", "serial", &["socat"]),
        Kind::PymodbusSer2net => ("pymodbus_server.py", "ser2net", &["socat", "ser2net"]),
        Kind::ModbusSerial => ("modbus_serial_server.js", "", &[]),
        Kind::ModbusTk => ("modbus_tk_server.py", "", &[]),
        Kind::Umodbus => ("umodbus_server.py", "", &[]),
        Kind::Py1815 => ("py1815_outstation.py", "", &[]),
        Kind::Dnp3py => ("dnp3py_outstation.py", "", &[]),
        Kind::Dnp3Outstation => ("dnp3_outstation_server.py", "", &[]),
        Kind::Snmpd => ("snmpd_agent.py", "", &["snmpd"]),
        Kind::Snmpsim => ("snmpsim_agent.py", "", &[]),
        Kind::NetSnmp => ("net_snmp_agent.js", "", &[]),
        Kind::Cpppo => ("cpppo_server.py", "", &[]),
        Kind::Snap7 => ("snap7_server.py", "", &[]),
        Kind::Bacpypes3 => ("bacpypes3_device.py", "", &[]),
        Kind::VirtualPlc => ("virtual_plc_server.py", "", &[]),
        Kind::Open61850 => ("open61850_server.py", "", &[]),
        Kind::Asyncua => ("asyncua_server.py", "none", &[]),
        Kind::AsyncuaSecure => ("asyncua_server.py", "secure", &[]),
        Kind::NodeOpcua => ("node_opcua_server.js", "", &[]),
        Kind::Http => ("http_server.py", "clear", &[]),
        Kind::Https(version) => ("http_server.py", version.word(), &[]),
        Kind::Nginx => ("nginx_server.py", "clear", &["nginx"]),
        Kind::NginxTls(version) => ("nginx_server.py", version.word(), &["nginx"]),
        Kind::Sshd => ("sshd_server.py", "", &["sshd"]),
        Kind::Pyftpdlib => ("pyftpdlib_server.py", "", &[]),
        Kind::Telnetlib3 => ("telnetlib3_server.py", "", &[]),
    }
}

/// A server at work on loopback. Dropping it ends its process, by its id, and waits for that.
#[derive(Debug)]
pub struct Server {
    /// The port where it listens; 0 on a serial line.
    pub port: u16,
    /// The loopback address where it listens: 127.0.0.1, unless its kind says otherwise.
    pub address: Ipv4Addr,
    /// The serial line that it answers on.
    pub line: Option<PathBuf>,
    /// What it may write to; gone with it.
    pub folder: PathBuf,
    child: Child,
    // The server ends when this closes: so it does even where this process is killed.
    _leash: ChildStdin,
}

impl Server {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell here.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether the rig is installed.
///
/// # Errors
/// What is missing, and what installs it.
pub fn available() -> Result<(), String> {
    // The newest part of each half: an older rig has not got it.
    for part in [python(), python().with_file_name("telnetlib3-server"), modules().join("axe-core")] {
        if !part.exists() {
            return Err(format!("the rig is not installed ({} is missing): cargo xtask rig", part.display()));
        }
    }
    Ok(())
}

/// Whether all is there that a server of this kind takes.
///
/// # Errors
/// What is missing, and what installs it.
pub fn available_for(kind: Kind) -> Result<(), String> {
    available()?;
    let (_, _, programs) = script(kind);
    let there = |program: &&str| BINARIES.iter().any(|folder| Path::new(folder).join(program).is_file());
    match programs.iter().find(|program| !there(program)) {
        Some(&"sshd") => Err("sshd is not installed: apt-get install openssh-server".to_owned()),
        Some(&"nginx") => Err("nginx is not installed: apt-get install nginx-light".to_owned()),
        Some(program) => Err(format!("{program} is not installed: apt-get install {program}")),
        None => Ok(()),
    }
}

/// Starts a server and waits until it says that it listens.
///
/// # Errors
/// That the rig is not installed, or what went wrong.
pub fn start(kind: Kind, persona: &Persona) -> Result<Server, String> {
    available_for(kind)?;
    let (script, word, _) = script(kind);
    let interpreter = if script.ends_with(".js") { PathBuf::from("node") } else { python() };
    let folder = folder()?;
    let mut command = Command::new(interpreter);
    command.arg(place::root().join("tests").join("rig").join(script)).arg(modules()).arg(&folder).arg(word);
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| format!("{script}: {error}"))?;
    let (Some(mut leash), Some(says)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(format!("{script}: no pipes"));
    };
    let told = writeln!(leash, "{}", persona.json());
    // From here on the process ends with the value, whichever way this returns.
    let mut server = Server { port: 0, address: Ipv4Addr::LOCALHOST, line: None, folder, child, _leash: leash };
    told.map_err(|error| format!("{script}: it did not read its persona: {error}"))?;
    match ready(says).map_err(|why| format!("{script}: {why}"))? {
        Ready::At(at) => (server.address, server.port) = (*at.ip(), at.port()),
        Ready::On(line) => server.line = Some(line),
    }
    Ok(server)
}

/// A folder of its own for each server of each process.
fn folder() -> Result<PathBuf, String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = place::scratch()?.join(format!("rig-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    std::path::absolute(&folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Where a server says that it is.
enum Ready {
    At(SocketAddrV4),
    On(PathBuf),
}

impl Ready {
    /// `READY 1502`, `READY 127.1.2.3:47808` or `READY /a/line`.
    fn read(line: &str) -> Option<Self> {
        let place = line.strip_prefix("READY ")?.trim();
        if place.starts_with('/') {
            return Some(Self::On(PathBuf::from(place)));
        }
        let at = place.parse().ok();
        at.or_else(|| Some(SocketAddrV4::new(Ipv4Addr::LOCALHOST, place.parse().ok()?))).map(Self::At)
    }
}

fn ready(says: ChildStdout) -> Result<Ready, String> {
    let (place, heard) = mpsc::channel();
    // Reads on to the end, so that a server that talks never blocks on a full pipe.
    thread::spawn(move || {
        for line in BufReader::new(says).split(b'\n').map_while(Result::ok) {
            if let Some(ready) = Ready::read(&String::from_utf8_lossy(&line)) {
                let _ = place.send(ready);
            }
        }
    });
    heard.recv_timeout(READY_SECONDS_MAX).map_err(|_| "it ended, or did not get ready".to_owned())
}

fn rig() -> PathBuf {
    std::env::var_os("NAMEPLATE_RIG").map_or_else(|| place::target().join("rig"), PathBuf::from)
}

/// The Python of the rig, with its packages.
#[must_use]
pub fn python() -> PathBuf {
    rig().join("venv").join("bin").join("python")
}

/// The packages of npm in the rig.
#[must_use]
pub fn modules() -> PathBuf {
    rig().join("npm").join("node_modules")
}
