//! All protocols that are read, and how a conversation is found to be in one of them: the port makes a guess, the bytes decide. On a
//! protocol's own port it is enough that they can be it; on any other port they have to be it beyond doubt.

use std::collections::BTreeMap;

use crate::Reading;
use crate::conversation::{End, Heard, Kind, Likeness, Over, Protocol, Said};
use crate::tcp::At;

/// Every protocol. Where the bytes of an unknown port are certain to be two of them, the first here counts.
#[rustfmt::skip]
pub static ALL: &[&Protocol] = &[
    &crate::enip::PROTOCOL,
    &crate::opcua::PROTOCOL,
    &crate::ads::PROTOCOL,
    &crate::dnp3::PROTOCOL,
    &crate::fins::PROTOCOL,
    &crate::hart_ip::PROTOCOL,
    &crate::modbus::PROTOCOL,
    &crate::modbus::rtu::PROTOCOL,
    &crate::iso::PROTOCOL,
    &crate::c37_118::PROTOCOL,
    &crate::iec104::PROTOCOL,
    &crate::melsoft::PROTOCOL,
    &crate::slmp::PROTOCOL,
    &crate::bacnet::PROTOCOL,
    &crate::snmp::PROTOCOL,
    &crate::fox::PROTOCOL,
    &crate::srtp::PROTOCOL,
    &crate::pn_io::PROTOCOL,
    &crate::pn_dcp::PROTOCOL,
    &crate::goose::PROTOCOL,
    &crate::goose::SAMPLED_VALUES,
    &crate::lldp::PROTOCOL,
    &crate::cdp::PROTOCOL,
    &crate::ethercat::PROTOCOL,
    &crate::powerlink::PROTOCOL,
    &crate::dhcp::PROTOCOL,
    &crate::netbios::BROWSER,
    &crate::netbios::NAMES,
    &crate::mdns::PROTOCOL,
    &crate::ssdp::PROTOCOL,
    &crate::http::PROTOCOL,
    &crate::http::RTSP_PROTOCOL,
    &crate::ssh::PROTOCOL,
    &crate::greeting::FTP,
    &crate::greeting::SMTP,
    &crate::greeting::POP3,
    &crate::greeting::IMAP,
    &crate::greeting::VNC,
    &crate::telnet::PROTOCOL,
    // Behind Telnet, which has its port.
    &crate::sel_ascii::PROTOCOL,
    &crate::sip::PROTOCOL,
    &crate::tls::PROTOCOL,
    &crate::tls::HTTPS_PROTOCOL,
    &crate::dhcpv6::PROTOCOL,
    &crate::pcworx::PROTOCOL,
    &crate::codesys_v2::PROTOCOL,
    &crate::codesys_v3::PROTOCOL,
    &crate::veeder_root::PROTOCOL,
];

/// The protocol of that name, or the one whose conversations carry it.
#[must_use]
pub fn named(name: &str) -> Option<&'static Protocol> {
    ALL.iter().copied().find(|protocol| protocol.name == name || protocol.carries.contains(&name))
}

impl Protocol {
    /// What carries it, where nobody says otherwise.
    #[must_use]
    pub fn usually_over(&self) -> Over {
        match (self.tcp, self.udp, self.link) {
            ([_, ..], _, _) => Over::Tcp,
            (_, [], [kind, ..]) => Over::Link(*kind),
            _ => Over::Udp,
        }
    }

    /// Reads recorded messages again: the questions first, then the answers, as one conversation between two ends without addresses.
    #[must_use]
    pub fn replay<'a>(
        &self,
        over: Over,
        asked: impl IntoIterator<Item = &'a [u8]>,
        answers: impl IntoIterator<Item = &'a [u8]>,
    ) -> Vec<Reading> {
        self.replay_cut(over, asked, answers, 0)
    }

    /// As [`Protocol::replay`], where the capture did not hold the last `cut` bytes of the last message.
    #[must_use]
    pub fn replay_cut<'a>(
        &self,
        over: Over,
        asked: impl IntoIterator<Item = &'a [u8]>,
        answers: impl IntoIterator<Item = &'a [u8]>,
        cut: usize,
    ) -> Vec<Reading> {
        let mut readings = Vec::new();
        let mut keep = |heard| {
            if let Heard::Reading(reading) = heard {
                readings.push(reading);
            }
        };
        let (from, to, at) = (&End::default(), &End::default(), At::default());
        let mut conversation = (self.start)(over);
        let asked = asked.into_iter().map(|bytes| (bytes, false));
        let mut messages = asked.chain(answers.into_iter().map(|bytes| (bytes, true))).peekable();
        while let Some((bytes, by_server)) = messages.next() {
            let missing = if messages.peek().is_none() { cut } else { 0 };
            conversation.hear(&Said { bytes, missing, at, from, to, by_server }, &mut keep);
        }
        conversation.finish(at, &mut keep);
        readings
    }
}

/// Which protocol is spoken where, with one step for each look.
#[derive(Debug)]
pub struct Directory {
    tcp: Ports,
    udp: Ports,
    link: BTreeMap<Kind, &'static Protocol>,
}

/// For each port the protocol's place in [`ALL`] plus one, 0 for none: a byte each, because this is looked at for every packet and should
/// stay in the processor's cache.
type Ports = Box<[u8; PORTS]>;

const PORTS: usize = 1 << 16;

fn place_of(protocol: &Protocol) -> u8 {
    ALL.iter().zip(1..).find(|(known, _)| known.name == protocol.name).map_or(0, |(_, place)| place)
}

impl Directory {
    /// All protocols on their own ports, and on the server ports in `also`, which go before them.
    #[must_use]
    pub fn new(also: &[(u16, &'static Protocol)]) -> Self {
        let mut directory = Self { tcp: Box::new([0; PORTS]), udp: Box::new([0; PORTS]), link: BTreeMap::new() };
        for protocol in ALL.iter().copied().rev() {
            let place = place_of(protocol);
            protocol.tcp.iter().for_each(|port| directory.tcp[usize::from(*port)] = place);
            protocol.udp.iter().for_each(|port| directory.udp[usize::from(*port)] = place);
            directory.link.extend(protocol.link.iter().map(|kind| (*kind, protocol)));
        }
        for (port, protocol) in also {
            let place = place_of(protocol);
            for (ports, own) in [(&mut directory.tcp, protocol.tcp), (&mut directory.udp, protocol.udp)] {
                if !own.is_empty() {
                    ports[usize::from(*port)] = place;
                }
            }
        }
        directory
    }

    /// The protocol that a server's port promises.
    #[must_use]
    pub fn on_port(&self, over: Over, port: u16) -> Option<&'static Protocol> {
        let ports = match over {
            Over::Tcp => &self.tcp,
            Over::Udp => &self.udp,
            Over::Serial | Over::Link(_) => return None,
        };
        let place = usize::from(ports[usize::from(port)]).checked_sub(1)?;
        ALL.get(place).copied()
    }

    /// The protocol of frames of that kind.
    #[must_use]
    pub fn on_link(&self, kind: Kind) -> Option<&'static Protocol> {
        self.link.get(&kind).copied()
    }

    /// The protocol that these bytes are in, on a port that promises `expected`.
    #[must_use]
    pub fn of_bytes(&self, bytes: &[u8], over: Over, expected: Option<&'static Protocol>) -> Option<&'static Protocol> {
        let likeness = |protocol: &Protocol| (protocol.likeness)(bytes, over);
        if let Some(protocol) = expected.filter(|protocol| likeness(protocol) >= Likeness::Possible) {
            return Some(protocol);
        }
        let spoken_over = |protocol: &&&Protocol| match over {
            Over::Tcp => !protocol.tcp.is_empty(),
            Over::Udp => !protocol.udp.is_empty(),
            Over::Serial | Over::Link(_) => false,
        };
        ALL.iter().filter(spoken_over).copied().find(|protocol| likeness(protocol) == Likeness::Certain)
    }
}
