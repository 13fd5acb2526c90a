//! What simulated devices answer, in frames: EtherNet/IP's ListIdentity over UDP and Modbus/TCP behind a gateway. LLDP (IEEE
//! 802.1AB-2016, 8 and 9), which nobody asks and nobody simulates, is written by hand.

use std::net::SocketAddrV4;

use nameplate_simulators::language::Carrier;
use nameplate_simulators::rehearsal::rehearse;
use nameplate_simulators::{enip, modbus};
use nameplate_tests::pcap::record;

const ENIP_PORT: u16 = 44_818;
/// ListIdentity, no data, all else zero (CIP Vol. 2, 2-4.2).
const LIST_IDENTITY: [u8; 24] = {
    let mut request = [0; 24];
    request[0] = 0x63;
    request
};

/// Who answers ListIdentity, and as what.
#[derive(Clone, Copy)]
pub struct Plate {
    pub mac: u8,
    pub ip: [u8; 4],
    pub vendor: u16,
    pub code: u16,
    pub revision: [u8; 2],
    pub serial: u32,
    pub name: &'static str,
}

/// A controller as several stories have it; vendor 1 is Rockwell Automation.
pub const CONTROLLER: Plate =
    Plate { mac: 0x11, ip: [10, 0, 0, 11], vendor: 1, code: 166, revision: [20, 11], serial: 0x00AB_CDEF, name: "1769-L32E" };

/// One day, in seconds of a capture.
pub const DAY: u32 = 86_400;

impl Plate {
    /// Its answer, so many seconds after the capture began.
    pub fn says(self, second: u32) -> Vec<u8> {
        let Self { mac, ip, vendor, code, revision: [major, minor], serial, name } = self;
        let identity = enip::Identity {
            vendor,
            device_type: 14,
            product_code: code,
            revision: (major, minor),
            condition: 0x0030,
            serial,
            name: name.as_bytes().to_vec(),
            state: 3,
        };
        let persona = enip::Persona { tells_address: SocketAddrV4::new(ip.into(), ENIP_PORT), ..enip::Persona::new(identity) };
        let answer = rehearse(&persona, Carrier::Udp, &[LIST_IDENTITY.to_vec()]).answers().concat();
        record(second, &udp([0x02, 0, 0, 0, 0, mac], ip, ENIP_PORT, &answer))
    }
}

/// A datagram from a server to a client at 10.0.0.1.
fn udp(mac: [u8; 6], ip: [u8; 4], port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).expect("short");
    let datagram = [&port.to_be_bytes()[..], &49_152_u16.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat();
    let total = (20 + length).to_be_bytes();
    let packet = [&[0x45, 0][..], &total, &[0, 0, 0, 0, 64, 17, 0, 0], &ip, &[10, 0, 0, 1], &datagram].concat();
    [&[0x02, 0, 0, 0, 0, 1][..], &mac, &[0x08, 0x00], &packet].concat()
}

/// What a switch says of itself out of one of its ports: chassis and port as hardware addresses, its name, what it is, its address.
pub fn lldp(second: u32, port: u8, chassis: u8, ip: [u8; 4], description: &str) -> Vec<u8> {
    let mac = |last: u8| [0x02, 0, 0, 0, 0, last];
    let tlv = |kind: u16, value: &[u8]| {
        let head = kind << 9 | u16::try_from(value.len()).expect("short");
        [&head.to_be_bytes()[..], value].concat()
    };
    let frame = [
        &[0x01, 0x80, 0xC2, 0, 0, 0x0E][..],
        &mac(port),
        &[0x88, 0xCC],
        &tlv(1, &[&[4][..], &mac(chassis)].concat()),
        &tlv(2, &[&[3][..], &mac(port)].concat()),
        &tlv(3, &[0, 120]),
        &tlv(5, b"switch-1"),
        &tlv(6, description.as_bytes()),
        &tlv(8, &[&[5, 1][..], &ip, &[2, 0, 0, 0, 1, 0]].concat()),
        &tlv(0, &[]),
    ]
    .concat();
    record(second, &frame)
}

/// Read Device Identification, and a simulated unit's answer, behind a gateway (MODBUS V1.1b3, 6.21).
pub fn modbus(unit: u8, vendor: &str, code: &str, revision: &str) -> [(bool, Vec<u8>); 2] {
    let objects = [vendor, code, revision].map(|text| text.as_bytes().to_vec());
    let persona = modbus::Persona::from_objects((0..).zip(objects));
    let question = modbus::wrap(u16::from(unit), unit, &[0x2B, 0x0E, 1, 0]);
    let answer = modbus::answers(&persona, &question).concat();
    [(false, question), (true, answer)]
}
