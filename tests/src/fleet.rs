//! Many simulated devices on loopback, as large sites have them: a third each of Modbus, SNMP and CIP, over segments of their own, and the site file
//! that names them.

pub mod mirror;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use nameplate_field::pacing::DEVICE_GAP_MS;
use nameplate_simulators::device::Running;
use nameplate_simulators::enip::{self, Identity};
use nameplate_simulators::report::Report;
use nameplate_simulators::tap::{Station, Tap};
use nameplate_simulators::{modbus, snmp};

/// Segments that share the second byte of their addresses.
const SEGMENTS_A_BLOCK: u32 = 200;
/// The first block, 127.64.x.y: nobody else listens there.
const BLOCK: u8 = 64;

/// A fleet at work.
#[derive(Debug)]
pub struct Fleet {
    devices: Vec<Running>,
    segments: u32,
}

/// What reached a fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Devices that were asked once, in one connection or by one peer.
    pub asked_once: usize,
    /// Devices with any other number of connections.
    pub otherwise: usize,
    /// Requests altogether.
    pub requests: u32,
    /// What must not have been sent.
    pub trips: usize,
}

impl Fleet {
    /// Starts so many devices, dealt out to so many /24 in turn.
    ///
    /// # Errors
    /// What binding a port says; `ulimit -n` has to allow as many files as there are devices.
    pub async fn start(devices: u32, segments: u32) -> io::Result<Self> {
        Self::start_as(devices, segments, Ports::Any, None).await
    }

    /// The same at these ports; a tap records each of them at its own address.
    ///
    /// # Errors
    /// As [`Fleet::start`].
    pub async fn start_as(devices: u32, segments: u32, ports: Ports, tap: Option<&Tap>) -> io::Result<Self> {
        let mut running = Vec::new();
        for number in 0..devices {
            let ip = address(number, segments);
            let at = SocketAddr::new(ip.into(), if ports == Ports::Any { 0 } else { PORTS[usize::from(kind(number))] });
            let link = tap.map(|tap| tap.link(station(ip), station(ENGINEER), station(ENGINEER)));
            running.push(match kind(number) {
                0 => modbus::Device { link, ..modbus::Device::new(meter(number)) }.start(at).await?,
                1 => snmp::Device { link, ..snmp::Device::new(switch(number)) }.start(at).await?,
                _ => enip::Device { link, ..enip::Device::new(controller(number)) }.start(at).await?,
            });
        }
        Ok(Self { devices: running, segments })
    }

    /// The site file of it.
    #[must_use]
    pub fn site(&self) -> String {
        let device = |(device, number): (&Running, u32)| {
            let keys = match kind(number) {
                0 => "via = \"modbus\"",
                1 => "via = \"snmp\"\nsnmp-community-public = true",
                _ => "via = \"cip\"\ncip-slot = 0",
            };
            format!("[[zone.device]]\ntarget = \"{}\"\n{keys}\n", device.address)
        };
        let devices: String = self.devices.iter().zip(0..).map(device).collect();
        format!("name = \"a fleet\"\n[[zone]]\nname = \"all\"\n{devices}")
    }

    /// The least time that pacing allows: each segment begins one device every [`DEVICE_GAP_MS`], and the last one has to be read.
    #[must_use]
    pub fn paced(&self, time_factor: f64) -> Duration {
        let longest = u32::try_from(self.devices.len()).unwrap_or(u32::MAX).div_ceil(self.segments);
        Duration::from_millis(DEVICE_GAP_MS).mul_f64(time_factor).saturating_mul(longest.saturating_sub(1))
    }

    /// Stops all, once nobody is connected, and gives the account.
    pub async fn stop(self) -> Account {
        let mut account = Account::default();
        for device in self.devices {
            device.settled().await;
            let report: Report = device.stop().await;
            if report.connections() == 1 {
                account.asked_once += 1
            } else {
                account.otherwise += 1
            }
            account.requests = account.requests.saturating_add(report.requests());
            account.trips += report.trips.len();
        }
        account
    }
}

/// Where a fleet listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Wherever the kernel has one free.
    Any,
    /// Where each protocol is at home: needs a network of its own, and root.
    Registered,
}

/// Ports of the three kinds, in their order.
const PORTS: [u16; 3] = [502, 161, 44_818];
/// The engineering station on the wire.
const ENGINEER: Ipv4Addr = Ipv4Addr::new(127, 63, 0, 2);

/// 0: Modbus, 1: SNMP, 2: CIP.
fn kind(number: u32) -> u8 {
    u8::try_from(number % 3).unwrap_or_default()
}

fn station(ip: Ipv4Addr) -> Station {
    let [_, a, b, c] = ip.octets();
    Station { mac: [0x02, 0, 0, a, b, c], ip }
}

fn address(number: u32, segments: u32) -> Ipv4Addr {
    let (segment, host) = (number % segments, number / segments + 1);
    let byte = |number: u32| u8::try_from(number).expect("at most 250 devices a segment");
    Ipv4Addr::new(127, BLOCK.saturating_add(byte(segment / SEGMENTS_A_BLOCK)), byte(segment % SEGMENTS_A_BLOCK), byte(host))
}

fn meter(number: u32) -> modbus::Persona {
    let objects = [(0, "Acme Helix".to_owned()), (1, format!("MTR-{number}")), (2, format!("V{}.{}", number % 9, number % 100))];
    modbus::Persona::from_objects(objects.into_iter().map(|(id, text)| (id, text.into_bytes())).collect::<BTreeMap<u8, Vec<u8>>>())
}

fn switch(number: u32) -> snmp::Persona {
    let description = format!("Acme Switch {}, firmware 08.{:03}", number % 7, number % 1_000);
    snmp::Persona::new(description.as_bytes(), &[1, 3, 6, 1, 4, 1, 248, 14, 10, number % 200], format!("sw-{number}").as_bytes(), 123_456)
}

fn controller(number: u32) -> enip::Persona {
    let minor = u8::try_from(number % 50).unwrap_or(1).max(1);
    let module = Identity {
        vendor: 1,
        device_type: 14,
        product_code: 166,
        revision: (33, minor),
        condition: 0x0030,
        serial: 0x00c0_0000 | number,
        name: b"1756-L83E/B".to_vec(),
        state: 3,
    };
    enip::Persona::new(module.clone()).with_slots([(0, module)])
}
