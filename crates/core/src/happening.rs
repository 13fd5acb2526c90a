//! What was seen to be done to a device: a firmware transfer, a restart, a name or a program written into it, and by whom. Heard in captures and on
//! interfaces, kept in the ledger, so that of a change without an order it can be said later who could have made it. See docs/decisions/0041.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_wire::conversation;
use serde::{Deserialize, Serialize};

use crate::catalog::{Asset, Catalog};
use crate::observation::{Address, Source};

/// Happenings of one device and UTC day that are kept: a person who works on a device is seen doing some things; who sends more wants to fill the ledger.
pub const HAPPENINGS_PER_DEVICE_DAY_MAX: usize = 16;
/// Happenings of all devices and one UTC day that are kept: senders' addresses can be made up, so there has to be an end to devices, too.
pub const HAPPENINGS_PER_DAY_MAX: usize = 1_024;
/// Nanoseconds of a UTC day.
const DAY_NS: u64 = 86_400_000_000_000;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A firmware transfer to the device began.
    FirmwareTransfer,
    /// The device was told to restart.
    Reset,
    /// Somebody wrote a name or an address into it.
    Renamed,
    /// Somebody began to load a program, or started or stopped one.
    Programmed,
}

impl What {
    /// For a person to read behind a device.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::FirmwareTransfer => "somebody began to write firmware into this device",
            Self::Reset => "somebody told this device to restart",
            Self::Renamed => "somebody wrote a name or an address into this device",
            Self::Programmed => "somebody loaded, started or stopped a program in this device",
        }
    }
}

impl From<conversation::Happening> for What {
    fn from(happening: conversation::Happening) -> Self {
        match happening {
            conversation::Happening::FirmwareTransfer => Self::FirmwareTransfer,
            conversation::Happening::Reset => Self::Reset,
            conversation::Happening::Renamed => Self::Renamed,
            conversation::Happening::Programmed => Self::Programmed,
        }
    }
}

/// Something that was done to a device.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happening {
    /// Who did it: the other end of that conversation, as its frames show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Address>,
    /// To whom.
    pub device: Address,
    /// In which protocol.
    pub protocol: String,
    /// Where it was heard.
    pub source: Source,
    /// When, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: u64,
    /// What.
    pub what: What,
}

/// Whether a happening goes into the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It does.
    News,
    /// The same by the same on that day is there.
    Known,
    /// There is no more room for this device, or for any, on that day.
    Full,
}

/// A happening as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// It.
    pub happening: Happening,
    /// Its entry.
    pub entry: u64,
}

/// What counts as the same on one day: to whom, by whom, what, in which protocol.
type Same = (Address, Option<Address>, What, String);

/// A UTC day's happenings.
#[derive(Clone, Debug, Default, PartialEq)]
struct Day {
    of_device: BTreeMap<Address, usize>,
    seen: BTreeSet<Same>,
}

/// All happenings of a ledger. A fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Happenings {
    kept: Vec<Kept>,
    days: BTreeMap<u64, Day>,
}

impl Happenings {
    /// Takes an entry.
    pub fn take(&mut self, happening: &Happening, entry: u64) {
        let day = self.days.entry(happening.time_ns / DAY_NS).or_default();
        if day.seen.insert(same(happening)) {
            let count = day.of_device.entry(host(&happening.device)).or_default();
            *count = count.saturating_add(1);
        }
        self.kept.push(Kept { happening: happening.clone(), entry });
    }

    /// Whether it would be news.
    #[must_use]
    pub fn admits(&self, happening: &Happening) -> Admission {
        let Some(day) = self.days.get(&(happening.time_ns / DAY_NS)) else { return Admission::News };
        match day.of_device.get(&host(&happening.device)) {
            _ if day.seen.contains(&same(happening)) => Admission::Known,
            Some(count) if *count >= HAPPENINGS_PER_DEVICE_DAY_MAX => Admission::Full,
            _ if day.seen.len() >= HAPPENINGS_PER_DAY_MAX => Admission::Full,
            _ => Admission::News,
        }
    }

    /// All of them, in the order of the ledger.
    pub fn iter(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter()
    }

    /// What was done to a device between two moments, both included, in the order of its time.
    #[must_use]
    pub fn of<'a>(&'a self, asset: &Asset, (from_ns, until_ns): (u64, u64)) -> Vec<&'a Kept> {
        let meanwhile = |kept: &&Kept| (from_ns..=until_ns).contains(&kept.happening.time_ns);
        let to_it = |kept: &&Kept| asset.addresses.iter().any(|address| is_at(address, &kept.happening.device));
        let mut found: Vec<&Kept> = self.kept.iter().filter(meanwhile).filter(to_it).collect();
        found.sort_by_key(|kept| (kept.happening.time_ns, kept.entry));
        found
    }
}

impl Kept {
    /// The asset that it was done to: of several at one host the first that it may mean.
    #[must_use]
    pub fn asset<'a>(&self, catalog: &'a Catalog) -> Option<&'a Asset> {
        let device = &self.happening.device;
        let is = |asset: &&Asset| asset.addresses.iter().any(|address| is_at(address, device));
        match device.ip {
            Some(ip) => catalog.at(ip.to_canonical()).find(is),
            None => catalog.assets().find(is),
        }
    }
}

/// Who stands at that address, whoever is behind it.
fn host(address: &Address) -> Address {
    let Address { mac, ip, line, zone, .. } = address.clone();
    Address { mac: mac.filter(|_| ip.is_none()), ip, line, zone, ..Address::default() }
}

/// By whom is a host: its ports are many.
fn same(happening: &Happening) -> Same {
    let mut device = happening.device.clone();
    device.port = None;
    if device.ip.is_some() {
        device.mac = None;
    }
    (device, happening.by.as_ref().map(host), happening.what, happening.protocol.clone())
}

/// Whether a happening at this address was done to who answers at the other. A part that is named by both must be the same.
fn is_at(own: &Address, device: &Address) -> bool {
    fn differ<T: PartialEq>(own: Option<&T>, other: Option<&T>) -> bool {
        own.zip(other).is_some_and(|(own, other)| own != other)
    }
    let one_host = match (own.ip, device.ip) {
        (Some(own), Some(other)) => own.to_canonical() == other.to_canonical(),
        _ => own.mac.is_some() && own.mac == device.mac || own.line.is_some() && own.line == device.line,
    };
    let parts = differ(own.unit.as_ref(), device.unit.as_ref())
        || differ(own.link.as_ref(), device.link.as_ref())
        || differ(own.slot.as_ref(), device.slot.as_ref())
        || differ(own.hart.as_ref(), device.hart.as_ref())
        || differ(own.path.as_ref(), device.path.as_ref());
    one_host && own.zone == device.zone && !parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: u8) -> Address {
        Address { ip: Some([192, 0, 2, host].into()), ..Address::default() }
    }

    fn happening(device: u8, by: u8, time_ns: u64) -> Happening {
        Happening {
            by: Some(at(by)),
            device: at(device),
            protocol: "enip".to_owned(),
            source: Source::Capture { file: "a.pcap".into(), frame: 1 },
            time_ns,
            what: What::Reset,
        }
    }

    fn take(happenings: &mut Happenings, happening: &Happening) -> Admission {
        let admission = happenings.admits(happening);
        if admission == Admission::News {
            happenings.take(happening, 0);
        }
        admission
    }

    #[test]
    fn the_same_by_the_same_is_kept_once_a_day() {
        let mut happenings = Happenings::default();
        let rows = [
            (happening(1, 9, 5), Admission::News),
            (happening(1, 9, 6), Admission::Known),
            (Happening { by: Some(Address { port: Some(49_152), ..at(9) }), ..happening(1, 9, 7) }, Admission::Known),
            (Happening { what: What::Programmed, ..happening(1, 9, 7) }, Admission::News),
            (happening(1, 8, 7), Admission::News),
            (happening(2, 9, 7), Admission::News),
            (happening(1, 9, DAY_NS + 5), Admission::News),
        ];
        for (happening, admission) in rows {
            assert_eq!(take(&mut happenings, &happening), admission, "{happening:?}");
        }
        assert_eq!(happenings.iter().count(), 5);
    }

    #[test]
    fn nobody_fills_the_ledger() {
        let mut happenings = Happenings::default();
        let one = (0..=u8::MAX).filter(|by| take(&mut happenings, &happening(1, *by, 5)) == Admission::News).count();
        assert_eq!(one, HAPPENINGS_PER_DEVICE_DAY_MAX);
        for device in 0..=u8::MAX {
            (0..=u8::MAX).for_each(|by| _ = take(&mut happenings, &happening(device, by, 5)));
        }
        assert_eq!(happenings.iter().count(), HAPPENINGS_PER_DAY_MAX);
        assert_eq!(take(&mut happenings, &happening(1, 1, DAY_NS)), Admission::News);
    }

    #[test]
    fn a_happening_is_of_the_part_that_it_names() {
        let unit = |unit| Address { unit: Some(unit), ..at(1) };
        let zone = Address { zone: Some("north".to_owned()), ..at(1) };
        let mac = |mac: &str| Address { mac: Some(mac.to_owned()), ..Address::default() };
        for (own, device, is) in [
            (at(1), at(1), true),
            (at(1), at(2), false),
            (unit(3), at(1), true),
            (unit(3), unit(3), true),
            (unit(3), unit(4), false),
            (at(1), zone, false),
            (mac("02:00:00:00:00:01"), mac("02:00:00:00:00:01"), true),
            (Address::default(), Address::default(), false),
        ] {
            assert_eq!(is_at(&own, &device), is, "{own:?} {device:?}");
        }
    }
}
