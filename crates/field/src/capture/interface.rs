//! A network interface of this machine: what it is, and what it would say on a wire where it should only hear.

use std::io::{self, ErrorKind};
use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use nix::libc;
use nix::net::if_::InterfaceFlags;

/// Hardware types whose frames begin with an Ethernet header (include/uapi/linux/if_arp.h).
const HARDWARE_ETHERNET: [u16; 2] = [libc::ARPHRD_ETHER, libc::ARPHRD_LOOPBACK];

/// An interface, as it stood when it was looked for.
pub struct Interface {
    /// Its name: `eth1`.
    pub name: String,
    /// Its number in the kernel.
    pub index: i32,
    flags: InterfaceFlags,
    addresses: Vec<IpAddr>,
}

/// Something by which an interface would be noticed, and the command that ends it.
pub struct Voice {
    /// What it does: `answers ARP`.
    pub does: String,
    /// As it is typed by an administrator.
    pub silenced_by: String,
}

impl Interface {
    /// Looks for an interface whose frames are Ethernet and that is up.
    ///
    /// # Errors
    /// There is none of that name, it is down, or it is of another kind; each says what to do.
    pub fn find(name: &str) -> io::Result<Self> {
        let (mut found, mut addresses, mut names) = (None, Vec::new(), Vec::new());
        for entry in getifaddrs()? {
            let Some(address) = entry.address else { continue };
            if let Some(link) = address.as_link_addr() {
                if entry.interface_name == name {
                    found = Some((link.ifindex(), link.hatype(), entry.flags));
                }
                names.push(entry.interface_name);
            } else if entry.interface_name == name {
                addresses.extend(address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip())));
                addresses.extend(address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())));
            }
        }
        let error = |kind, why: String| Err(io::Error::new(kind, why));
        let Some((index, hardware, flags)) = found else {
            return error(ErrorKind::NotFound, format!("there is no such interface; there are {}", names.join(", ")));
        };
        if !HARDWARE_ETHERNET.contains(&hardware) {
            let why = format!("its hardware type is {hardware}; only Ethernet (1) and loopback (772) are listened to");
            return error(ErrorKind::Unsupported, why);
        }
        if !flags.contains(InterfaceFlags::IFF_UP) {
            return error(ErrorKind::NetworkDown, format!("the interface is down: ip link set dev {name} up"));
        }
        let index = i32::try_from(index).map_err(|_| ErrorKind::InvalidData)?;
        Ok(Self { name: name.to_owned(), index, flags, addresses })
    }

    /// What it does by itself on the wire. A mirror port must do none of it: a switch may learn its address there, and a device may be
    /// asked. Loopback reaches nobody.
    pub fn voices(&self) -> Vec<Voice> {
        let (name, mut voices) = (&self.name, Vec::new());
        if self.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
            return voices;
        }
        let mut voice = |does: String, silenced_by: String| voices.push(Voice { does, silenced_by });
        if !self.addresses.is_empty() {
            let addresses: Vec<String> = self.addresses.iter().map(IpAddr::to_string).collect();
            voice(format!("has the address {}", addresses.join(" and ")), format!("ip addr flush dev {name}"));
        }
        if !self.flags.contains(InterfaceFlags::IFF_NOARP) {
            voice("speaks ARP".to_owned(), format!("ip link set dev {name} arp off"));
        }
        // Unlike sysfs, which shows the network namespace of who mounted it, this is always our own's. Where it is not there, IPv6 is not.
        let disabled = std::fs::read_to_string(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"));
        if disabled.is_ok_and(|text| text.trim() == "0") {
            // With slashes, because a VLAN's interface has a dot in its name.
            let key = if name.contains('.') {
                format!("net/ipv6/conf/{name}/disable_ipv6")
            } else {
                format!("net.ipv6.conf.{name}.disable_ipv6")
            };
            voice("speaks IPv6 (router solicitation, multicast reports)".to_owned(), format!("sysctl -w {key}=1"));
        }
        voices
    }
}
