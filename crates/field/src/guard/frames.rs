//! Ethernet frames to and from one station, as a stream: each write is one frame, each read gives one. The header is written and read here, so that
//! whoever writes into the stream cannot choose whom it reaches.
//!
//! A packet socket (packet(7)) of EtherType 8892 on one interface; it takes the capability CAP_NET_RAW and no other. It is not promiscuous, and what
//! is not for us, not from the station, or no Get's or Set's answer (cyclic data, alarms) is not passed on.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::station::Station;

#[cfg(target_os = "linux")]
pub use self::linux::{Frames, open};

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        io::{self, ErrorKind, Read},
        os::fd::AsRawFd,
        task::{Context, Poll, ready},
    };

    use nix::{
        ifaddrs::getifaddrs,
        libc::{AF_PACKET, ARPHRD_ETHER, SOCK_RAW},
        net::if_::InterfaceFlags,
        sys::socket::{LinkAddr, bind},
    };
    use socket2::{Domain, Protocol, Socket, Type};
    use tokio::{io::ReadBuf, net::UdpSocket};

    use super::Station;

    /// The shortest Ethernet frame without its check sequence; shorter ones are padded with zeros.
    const FRAME_BYTES_MIN: usize = 60;
    /// The longest, with a tag.
    const FRAME_BYTES_MAX: usize = 1_518;
    /// PROFINET's EtherType, and the frame id of DCP's Get and Set (IEC 61158-6-10, 4.2.2).
    const ETHERTYPE: u16 = 0x8892;
    const GET_SET: [u8; 2] = [0xfe, 0xfd];
    /// Frames that may have come between the socket's opening and its interface: of other networks, perhaps.
    const FRAMES_BEFORE_MAX: usize = 1_024;

    /// A way to one station.
    #[derive(Debug)]
    pub struct Frames {
        /// To the system it is read and written as any datagram socket is, and tokio has a type for those.
        socket: UdpSocket,
        /// Where it goes, and from whom.
        header: [u8; 14],
        /// Nothing more is sent, and nobody waits for more: there is no goodbye on layer 2.
        pub(super) over: bool,
    }

    /// Opens a way to a station.
    pub fn open(station: &Station) -> io::Result<Frames> {
        let (link, own) = interface(&station.interface)?;
        let protocol = Protocol::from(i32::from(ETHERTYPE.to_be()));
        let socket = Socket::new(Domain::from(AF_PACKET), Type::from(SOCK_RAW), Some(protocol)).map_err(|error| {
            if error.kind() != ErrorKind::PermissionDenied {
                return error;
            }
            let why = "asking on layer 2 takes the capability CAP_NET_RAW: give it to the program once (setcap cap_net_raw+ep FILE), or start it as root";
            io::Error::new(ErrorKind::PermissionDenied, why)
        })?;
        bind(socket.as_raw_fd(), &link)?;
        socket.set_nonblocking(true)?;
        let mut before = [0; 1];
        for _ in 0..FRAMES_BEFORE_MAX {
            if (&socket).read(&mut before).is_err() {
                break;
            }
        }
        let mut header = [0; 14];
        header[..6].copy_from_slice(&station.mac);
        header[6..12].copy_from_slice(&own);
        header[12..].copy_from_slice(&ETHERTYPE.to_be_bytes());
        Ok(Frames { socket: UdpSocket::from_std(socket.into())?, header, over: false })
    }

    /// An interface of Ethernet that is up: its place in the kernel, and its hardware address.
    fn interface(name: &str) -> io::Result<(LinkAddr, [u8; 6])> {
        let no = |kind, why: String| Err(io::Error::new(kind, why));
        let mut named = getifaddrs()?.filter(|entry| entry.interface_name == name);
        let Some((link, flags)) = named.find_map(|entry| Some((*entry.address?.as_link_addr()?, entry.flags))) else {
            return no(ErrorKind::NotFound, format!("there is no interface {name}"));
        };
        if link.hatype() != ARPHRD_ETHER {
            return no(ErrorKind::Unsupported, format!("{name} is no Ethernet"));
        }
        if !flags.contains(InterfaceFlags::IFF_UP) {
            return no(ErrorKind::NetworkDown, format!("the interface is down: ip link set dev {name} up"));
        }
        link.addr().map_or_else(|| no(ErrorKind::Unsupported, format!("{name} has no hardware address")), |own| Ok((link, own)))
    }

    impl Frames {
        /// What stands behind the header of a frame of ours.
        fn payload<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8]> {
            let (header, payload) = frame.split_first_chunk::<14>()?;
            let ours = header[..6] == self.header[6..12] && header[6..12] == self.header[..6] && header[12..] == self.header[12..];
            (ours && payload.starts_with(&GET_SET)).then_some(payload)
        }

        pub(super) fn poll_hear(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let mut frame = [0; FRAME_BYTES_MAX];
            loop {
                let mut frame = ReadBuf::new(&mut frame);
                ready!(self.socket.poll_recv(cx, &mut frame))?;
                if let Some(payload) = self.payload(frame.filled()) {
                    let count = payload.len().min(buffer.remaining());
                    buffer.put_slice(payload.get(..count).unwrap_or_default());
                    return Poll::Ready(Ok(()));
                }
            }
        }

        pub(super) fn poll_say(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let mut frame = [&self.header[..], bytes].concat();
            frame.resize(frame.len().max(FRAME_BYTES_MIN), 0);
            self.socket.poll_send(cx, &frame).map_ok(|_| bytes.len())
        }
    }
}

/// Where there is no packet socket: opening says so.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub struct Frames {
    over: bool,
}

/// Says that there is no way.
#[cfg(not(target_os = "linux"))]
pub fn open(_: &Station) -> io::Result<Frames> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "stations on layer 2 are asked from Linux only"))
}

#[cfg(not(target_os = "linux"))]
impl Frames {
    fn poll_hear(&self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn poll_say(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl AsyncRead for Frames {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.over { Poll::Ready(Ok(())) } else { self.poll_hear(cx, buffer) }
    }
}

impl AsyncWrite for Frames {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_say(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.over = true;
        Poll::Ready(Ok(()))
    }
}
