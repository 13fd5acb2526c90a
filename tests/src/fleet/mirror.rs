//! What a mirror port shows of a fleet: an engineering station that reads every identity, a master that polls, and some devices that say another release
//! in between. The devices' own answers, recorded.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

use nameplate_simulators::device::{Door, Running};
use nameplate_simulators::flash::Flash;
use nameplate_simulators::language::Language;
use nameplate_simulators::modbus;
use nameplate_simulators::tap::Tap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, UdpSocket};

use super::{Fleet, Ports, controller, kind, meter, switch};

/// Polls behind each identity: what a plant says most of the time.
const POLLS: usize = 10;
/// Devices that say another release in the middle; it takes them to be meters.
const TURNING: [u32; 4] = [0, 3, 6, 9];
/// The release that they say.
const OTHER: &[u8] = b"V9.99";
/// The longest answer here.
const ANSWER_BYTES_MAX: usize = 2_048;
/// Room of the recording: 2,000 devices come to some 6 MB.
const ROOM_BYTES: usize = 256 << 20;

/// Starts a fleet, has it recorded, and stops it: a whole capture, Ethernet. Played in a loop, [`TURNING`] devices change twice in each round.
///
/// # Errors
/// What a socket says.
pub async fn recorded(devices: u32, segments: u32, ports: Ports) -> io::Result<Vec<u8>> {
    let tap = Tap::with_room(SystemTime::now(), ROOM_BYTES);
    let fleet = Fleet::start_as(devices, segments, ports, Some(&tap)).await?;
    for (device, number) in fleet.devices.iter().zip(0..) {
        read(device, number, POLLS).await?;
    }
    for number in TURNING {
        let Some(device) = usize::try_from(number).ok().and_then(|number| fleet.devices.get(number)) else { continue };
        let mut release = meter(number);
        release.objects.insert(2, OTHER.to_vec());
        device.flash(Flash { phases: Vec::new(), release }).await;
        read(device, number, 1).await?;
    }
    fleet.stop().await;
    Ok(tap.pcap())
}

/// Reads who a device is, and polls it.
async fn read(device: &Running, number: u32, polls: usize) -> io::Result<()> {
    let poll = modbus::wrap(2, u8::MAX, &[0x03, 0, 0, 0, 10]);
    match kind(number) {
        0 => over_tcp(&device.door(), &meter(number).sample(), &poll, polls).await,
        1 => over_udp(device.address, &switch(number).sample(), polls).await,
        _ => {
            let question = controller(number).sample();
            over_tcp(&device.door(), &question, &question, polls).await
        }
    }
}

async fn over_tcp(door: &Door, identity: &[u8], poll: &[u8], polls: usize) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a simulated device on loopback")]
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    door.admit(socket.local_addr()?);
    #[expect(clippy::disallowed_methods, reason = "a simulated device on loopback")]
    let mut stream = socket.connect(door.address).await?;
    let mut answer = [0; ANSWER_BYTES_MAX];
    for question in std::iter::once(identity).chain(std::iter::repeat_n(poll, polls)) {
        stream.write_all(question).await?;
        if stream.read(&mut answer).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{} answers nothing", door.address)));
        }
    }
    stream.shutdown().await?;
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}

async fn over_udp(at: SocketAddr, question: &[u8], polls: usize) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a simulated device on loopback")]
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let mut answer = [0; ANSWER_BYTES_MAX];
    for _ in 0..=polls {
        socket.send_to(question, at).await?;
        socket.recv(&mut answer).await?;
    }
    Ok(())
}
