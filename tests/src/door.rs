//! A door on loopback that stays where it is while the server behind it becomes another one: so a server that we did not write is flashed.
#![expect(clippy::disallowed_methods, reason = "between the program under test and a server on loopback; no device is behind it")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A server on loopback that has not answered a datagram by then will not.
const DATAGRAM_MS_MAX: Duration = Duration::from_millis(1_000);
/// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// A door; its threads end with the process.
#[derive(Debug)]
pub struct Door {
    /// Where it is.
    pub address: SocketAddr,
    behind: Behind,
}

type Behind = Arc<Mutex<Option<SocketAddr>>>;

impl Door {
    /// A door for connections, behind which nobody is.
    ///
    /// # Panics
    /// Without a port on loopback.
    #[must_use]
    pub fn tcp() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let (address, behind) = (listener.local_addr().expect("an address"), Behind::default());
        let door = Arc::clone(&behind);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = there(&door).and_then(|there| TcpStream::connect(there).ok());
                // Where nobody is, the connection is closed at once.
                let Some(server) = server else { continue };
                let (Ok(to_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { continue };
                thread::spawn(move || pass(client, to_server));
                thread::spawn(move || pass(server, to_client));
            }
        });
        Self { address, behind }
    }

    /// A door for datagrams, one question at a time.
    ///
    /// # Panics
    /// Without a port on loopback.
    #[must_use]
    pub fn udp() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let (address, behind) = (socket.local_addr().expect("an address"), Behind::default());
        let door = Arc::clone(&behind);
        thread::spawn(move || {
            let mut bytes = vec![0; DATAGRAM_BYTES_MAX];
            while let Ok((length, client)) = socket.recv_from(&mut bytes) {
                let answer = there(&door).and_then(|there| ask(&bytes[..length], there).ok());
                // Nobody else is told where it fails: silence is what a device that is gone says.
                let _ = answer.map(|answer| socket.send_to(&answer, client));
            }
        });
        Self { address, behind }
    }

    /// From now on this is behind it; nobody where there is `None`.
    pub fn leads_to(&self, there: Option<SocketAddr>) {
        *self.behind.lock().unwrap_or_else(PoisonError::into_inner) = there;
    }
}

fn there(behind: &Behind) -> Option<SocketAddr> {
    *behind.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 4_096];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn ask(question: &[u8], there: SocketAddr) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(DATAGRAM_MS_MAX))?;
    socket.send_to(question, there)?;
    let mut answer = vec![0; DATAGRAM_BYTES_MAX];
    let (length, _) = socket.recv_from(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}
