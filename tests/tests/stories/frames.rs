//! Frames that were written by hand: EtherNet/IP's ListIdentity over UDP (CIP Vol. 2, 2-4.2), LLDP (IEEE 802.1AB-2016, 8 and 9), and
//! Modbus/TCP (`nameplate_tests::pcap`).

use nameplate_tests::pcap::record;

const ENIP_PORT: u16 = 44_818;
const LIST_IDENTITY: u16 = 0x0063;

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
        let Self { mac, ip, vendor, code, revision, serial, name } = self;
        let item = [
            &1_u16.to_le_bytes()[..],
            &2_u16.to_be_bytes(),
            &ENIP_PORT.to_be_bytes(),
            &ip,
            &[0; 8],
            &vendor.to_le_bytes(),
            &14_u16.to_le_bytes(),
            &code.to_le_bytes(),
            &revision,
            &0x0030_u16.to_le_bytes(),
            &serial.to_le_bytes(),
            &[u8::try_from(name.len()).expect("a short name")],
            name.as_bytes(),
            &[3],
        ]
        .concat();
        let items = [&1_u16.to_le_bytes()[..], &0x000C_u16.to_le_bytes(), &u16::try_from(item.len()).expect("short").to_le_bytes(), &item];
        let items = items.concat();
        let length = u16::try_from(items.len()).expect("short").to_le_bytes();
        let message = [&LIST_IDENTITY.to_le_bytes()[..], &length, &[0; 20], &items].concat();
        record(second, &udp([0x02, 0, 0, 0, 0, mac], ip, ENIP_PORT, &message))
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

/// Read Device Identification, and its answer, of a unit behind a gateway (MODBUS V1.1b3, 6.21).
pub fn modbus(unit: u8, vendor: &str, code: &str, revision: &str) -> [(bool, Vec<u8>); 2] {
    let object = |id: u8, text: &str| [&[id, u8::try_from(text.len()).expect("short")][..], text.as_bytes()].concat();
    let objects = [object(0, vendor), object(1, code), object(2, revision)].concat();
    let framed = |pdu: &[u8]| {
        let length = u16::try_from(pdu.len() + 1).expect("short").to_be_bytes();
        [&[0, unit, 0, 0][..], &length, &[unit], pdu].concat()
    };
    [(false, framed(&[0x2B, 0x0E, 1, 0])), (true, framed(&[&[0x2B, 0x0E, 1, 1, 0, 0, 3][..], &objects].concat()))]
}
