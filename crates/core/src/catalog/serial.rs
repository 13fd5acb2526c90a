//! Serial numbers: what tells a device from all others wherever it answers.

use std::collections::HashMap;
use std::net::IpAddr;

use super::Told;
use super::assets::Number;
use super::places::{Place, Places};
use crate::claim::{Claim, Field, OWN_COMPONENT};

/// Who answers at two addresses of one network within this time, at the first one again behind the second, is at both at once: longer than
/// the day between two rounds of questions, shorter than a device is away for repair.
const AT_ONCE_NS: u64 = 36 * 3_600_000_000_000;
/// Bits that addresses of one network have in common: an IPv4 network of a plant rarely has fewer, an IPv6 one never (RFC 4291, 2.5.1).
const NETWORK_BITS: (u32, u32) = (24, 64);
/// What stands where nobody set a serial number, in lower case letters and digits: seen in the field, or what a keyboard gives.
const NEVER_SET: [&str; 16] = [
    "na",
    "none",
    "null",
    "nil",
    "unknown",
    "undefined",
    "default",
    "notset",
    "notavailable",
    "serial",
    "serialnumber",
    "sn",
    "tbd",
    "test",
    "empty",
    "deadbeef",
];
/// Digits that count up are typed, not printed on a plate, where there are at least so many.
const COUNTING_DIGITS_MIN: usize = 6;

/// A serial number and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Serial {
    /// Who made the device, or what it is; and the number.
    pub(super) key: (String, String),
    /// Where it is told: two products of one maker may count alike.
    product_code: Option<String>,
}

/// Who has a number, and where it was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    product_code: Option<String>,
    asset: Number,
    here: Option<(IpAddr, u64)>,
    before: Option<(IpAddr, u64)>,
}

/// Assets by serial number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Serials(HashMap<(String, String), Vec<Owner>>);

impl Serial {
    /// What these claims say of the device itself.
    pub(super) fn of(claims: &[Claim]) -> Option<Self> {
        let own = |field| claims.iter().find(|claim| claim.field == field && claim.component == OWN_COMPONENT).map(|claim| &claim.value);
        let serial = own(Field::SerialNumber).filter(|serial| tells_apart(serial))?;
        let kind = own(Field::Manufacturer).or_else(|| own(Field::Model)).or_else(|| own(Field::ProductCode))?;
        Some(Self { key: (kind.clone(), serial.clone()), product_code: own(Field::ProductCode).cloned() })
    }
}

impl Owner {
    fn fits(&self, serial: &Serial) -> bool {
        self.product_code.as_ref().zip(serial.product_code.as_ref()).is_none_or(|(own, said)| own == said)
    }
}

impl Serials {
    /// The asset with this number.
    pub(super) fn get(&self, serial: &Serial) -> Option<Number> {
        self.0.get(&serial.key)?.iter().find(|owner| owner.fits(serial)).map(|owner| owner.asset)
    }

    /// This asset told it there. True where it is told at two addresses of one network at once: then two devices have it.
    pub(super) fn put(&mut self, serial: &Serial, asset: Number, told: &Told<'_>, places: &Places) -> bool {
        let address = told.outline.address();
        let now = address.ip.filter(|_| Place::of(address).is_host()).map(|ip| (ip, told.time_ns));
        let Some(owners) = self.0.get_mut(&serial.key) else {
            let Serial { key, product_code } = serial.clone();
            self.0.insert(key, vec![Owner { product_code, asset, here: now, before: None }]);
            return false;
        };
        let Some(owner) = owners.iter_mut().find(|owner| owner.fits(serial)) else {
            owners.push(Owner { product_code: serial.product_code.clone(), asset, here: now, before: None });
            return false;
        };
        owner.asset = asset;
        if owner.product_code.is_none() {
            owner.product_code.clone_from(&serial.product_code);
        }
        let Some((ip, time_ns)) = now else { return false };
        match owner.here {
            Some((here, _)) if here != ip => {
                let back = owner
                    .before
                    .filter(|(before, since)| *before == ip && time_ns.saturating_sub(*since) <= AT_ONCE_NS && is_one_network(here, ip));
                (owner.before, owner.here) = (owner.here, now);
                back.is_some_and(|(_, since)| !places.made_room(address, asset, since))
            }
            _ => {
                owner.here = now;
                false
            }
        }
    }

    /// What one asset told is another's now.
    pub(super) fn hand_over(&mut self, from: Number, to: Number) {
        self.0.values_mut().flatten().filter(|owner| owner.asset == from).for_each(|owner| owner.asset = to);
    }
}

fn is_one_network(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= NETWORK_BITS.0,
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= NETWORK_BITS.1,
        _ => false,
    }
}

/// A serial number that was never set is the same everywhere: zeros, all `F`, one character again and again, `N/A`, `1234567890`.
pub(super) fn tells_apart(serial: &str) -> bool {
    let digits = serial.strip_prefix("0x").unwrap_or(serial);
    let letters: Vec<u8> = digits.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect();
    let Some(first) = letters.first() else { return false };
    // A single character may be a device's number; a run of one and the same is a filler.
    let is_filler = letters.iter().all(|byte| byte == first) && (letters.len() > 1 || *first == b'0');
    let counts = |step: u8| {
        let next = |byte: u8| {
            if byte == b'0' + (if step == 1 { 9 } else { 0 }) { b'0' + (if step == 1 { 0 } else { 9 }) } else { byte.wrapping_add(step) }
        };
        letters.len() >= COUNTING_DIGITS_MIN
            && letters.iter().all(u8::is_ascii_digit)
            && letters.windows(2).all(|pair| next(pair[0]) == pair[1])
    };
    !is_filler && !counts(1) && !counts(u8::MAX) && !NEVER_SET.iter().any(|word| word.as_bytes() == letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_nobody_set_tells_nothing() {
        for filler in [
            "",
            "0",
            "0000",
            "00000000",
            "0x00000000",
            "N/A",
            "n.a.",
            "none",
            "FFFFFFFF",
            "0xffffffff",
            "FF-FF-FF-FF",
            "1234567890",
            "123456789",
            "0123456789",
            "987654321",
            "xxxx",
            "-",
            "Unknown",
            "not set",
        ] {
            assert!(!tells_apart(filler), "{filler:?}");
        }
        for serial in ["7", "12", "12345", "0051aec3", "0x0051aec3", "SC 123456", "1122334455", "1234567891"] {
            assert!(tells_apart(serial), "{serial:?}");
        }
    }
}
