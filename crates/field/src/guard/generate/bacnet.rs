//! BACnet/IP.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Bacnet, Endpoint, Limits, Permit};

/// BACnet/IP's way.
pub static MAKER: Maker = Maker {
    protocol: "bacnet",
    cells: &[
        "broadcast",
        "foreign device",
        "length",
        "network message",
        "route",
        "segmented",
        "service",
        "write",
        "who is",
        "instance",
        "other object",
        "property",
        "bytes behind the message",
    ],
    start: |random, cell| {
        let routed = cell == "route" || random.one_in(3);
        let station = (0..[1, 6][random.below(2)]).map(|_| random.below(255) as u8).collect();
        let route = routed.then(|| (1 + random.below(65_534) as u16, station));
        let instance = if random.one_in(8) { 0x3f_ffff } else { random.below(0x3f_ffff) as u32 };
        let asked = Bacnet { instance, route };
        let grant = asked.grant()?;
        let limits = Limits::of(&grant);
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
        let permit = Permit::new(Endpoint::Udp(([192, 0, 2, 1], 47_808).into()), grant, "generated", limits)?;
        Ok((permit, Granted::Bacnet(asked.clone()), Box::new(Datagrams { asked })))
    },
};

/// Identity properties of a device object, and services that change or stop one.
const PROPERTIES: [u16; 8] = [75, 120, 121, 70, 44, 12, 77, 372];
const WRITES: [u8; 14] = [5, 6, 7, 8, 9, 10, 11, 15, 16, 17, 18, 20, 27, 28];

struct Datagrams {
    asked: Bacnet,
}

/// What a datagram is made of.
struct Parts {
    function: u8,
    control: u8,
    route: Option<(u16, Vec<u8>)>,
    apdu: u8,
    service: u8,
    object: u32,
    property: u16,
    behind: Vec<u8>,
}

impl Writer for Datagrams {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let parts = self.parts(random);
        Some(datagram(random, &parts))
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let allowed = self.parts(random);
        let parts = match cell {
            "broadcast" => Parts { function: [0x0b, 0x09, 0x04][random.below(3)], ..allowed },
            "foreign device" => Parts { function: [0x05, 0x01, 0x08, 0x02, 0x06][random.below(5)], ..allowed },
            "network message" => Parts { control: allowed.control | 0x80, ..allowed },
            "route" => Parts { route: allowed.route.map(|(network, station)| elsewhere(random, network, station)), ..allowed },
            "segmented" => Parts { apdu: 1 << (1 + random.below(3)), ..allowed },
            "service" => Parts { service: random.other_than(&[12]), ..allowed },
            "write" => Parts { service: WRITES[random.below(WRITES.len())], ..allowed },
            "who is" => return vec![0x81, 0x0b, 0, 12, 1, 0x20, 0xff, 0xff, 0, 0xff, 0x10, 8],
            "instance" => Parts { object: allowed.object ^ (1 << random.below(22)), ..allowed },
            "other object" => Parts { object: allowed.object ^ (1 << (22 + random.below(10))), ..allowed },
            "property" => Parts { property: another(random), ..allowed },
            "bytes behind the message" => {
                // An array index, or a property value: what a longer request has there.
                let behind = (0..=random.below(6)).map(|_| random.byte()).collect();
                Parts { behind, ..allowed }
            }
            _ => {
                let mut bytes = datagram(random, &allowed);
                bytes[3] ^= random.change().to_be_bytes()[1].max(1);
                return bytes;
            }
        };
        datagram(random, &parts)
    }
}

impl Datagrams {
    fn parts(&self, random: &mut Random) -> Parts {
        let control = if self.asked.route.is_some() { 0x24 } else { 0x04 };
        let property = PROPERTIES[random.below(PROPERTIES.len())];
        let (route, object) = (self.asked.route.clone(), 8 << 22 | self.asked.instance);
        Parts { function: 0x0a, control, route, apdu: 0, service: 12, object, property, behind: Vec::new() }
    }
}

fn elsewhere(random: &mut Random, network: u16, mut station: Vec<u8>) -> (u16, Vec<u8>) {
    match random.below(3) {
        0 => (network ^ (1 << random.below(16)), station),
        1 => (network, Vec::new()),
        _ => {
            let at = random.below(station.len());
            station[at] ^= 1 << random.below(8);
            (network, station)
        }
    }
}

fn another(random: &mut Random) -> u16 {
    loop {
        let property = random.below(512) as u16;
        if !PROPERTIES.contains(&property) {
            return property;
        }
    }
}

fn datagram(random: &mut Random, parts: &Parts) -> Vec<u8> {
    let mut npdu = vec![1, parts.control];
    if let Some((network, station)) = &parts.route {
        npdu.extend(network.to_be_bytes());
        npdu.push(station.len() as u8);
        npdu.extend(station);
        npdu.push(0xff);
    }
    let most = if parts.route.is_some() { 0x03 } else { 0x05 };
    npdu.extend([parts.apdu, most, random.byte(), parts.service, 0x0c]);
    npdu.extend(parts.object.to_be_bytes());
    match parts.property {
        property @ ..=0xff => npdu.extend([0x19, property as u8]),
        property => npdu.extend([&[0x1a][..], &property.to_be_bytes()].concat()),
    }
    npdu.extend(&parts.behind);
    [&[0x81, parts.function][..], &(npdu.len() as u16 + 4).to_be_bytes(), &npdu].concat()
}
