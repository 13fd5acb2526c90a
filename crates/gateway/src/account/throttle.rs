//! How often one source may try a password, whatever the name. Behind it stand the locks of accounts.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use super::SECOND_NS;

/// Attempts of one source in a row: a person who mistypes, and an office behind one address.
const ATTEMPTS_MAX: u64 = 10;
/// Then one in so many seconds.
const INTERVAL_S: u64 = 6;
const INTERVAL_NS: u64 = INTERVAL_S * SECOND_NS;
/// Sources that are remembered, some 50 bytes each; all others share one account.
const SOURCES_MAX: usize = 4_096;

/// By source, when its attempts are all paid for (the generic cell rate algorithm, ITU-T I.371).
#[derive(Default)]
pub(super) struct Throttle {
    paid_ns: HashMap<IpAddr, u64>,
}

impl Throttle {
    /// Takes an attempt.
    ///
    /// # Errors
    /// From when on the next is taken, in nanoseconds since 1970.
    pub fn take(&mut self, from: IpAddr, now_ns: u64) -> Result<(), u64> {
        let source = self.place(source(from), now_ns);
        let window_ns = ATTEMPTS_MAX * INTERVAL_NS;
        // What lies further ahead than it can is of a clock that was put back.
        let paid_ns = self.paid_ns.get(&source).copied().unwrap_or(0).clamp(now_ns, now_ns.saturating_add(window_ns));
        let next_ns = paid_ns.saturating_add(INTERVAL_NS);
        let is_taken = next_ns <= now_ns.saturating_add(window_ns);
        // Kept when it is refused, too: so far from now counts by the new clock.
        self.paid_ns.insert(source, if is_taken { next_ns } else { paid_ns });
        if is_taken { Ok(()) } else { Err(next_ns.saturating_sub(window_ns)) }
    }

    /// The source itself where there is room for it.
    fn place(&mut self, source: IpAddr, now_ns: u64) -> IpAddr {
        if self.paid_ns.len() >= SOURCES_MAX && !self.paid_ns.contains_key(&source) {
            self.paid_ns.retain(|_, paid_ns| *paid_ns > now_ns);
            if self.paid_ns.len() >= SOURCES_MAX {
                return IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        source
    }
}

/// Whom an address belongs to: of IPv6 a subnet of 64 bits, all of which one machine may use.
fn source(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_NS: u64 = 1_767_225_600 * SECOND_NS;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn taken(throttle: &mut Throttle, from: &str, tries: u64, now_ns: u64) -> u64 {
        (0..tries).filter(|_| throttle.take(address(from), now_ns).is_ok()).count() as u64
    }

    #[test]
    fn a_source_has_ten_attempts_and_then_one_in_six_seconds() {
        let mut throttle = Throttle::default();
        assert_eq!(taken(&mut throttle, "192.0.2.1", 100, NOW_NS), 10);
        assert_eq!(throttle.take(address("192.0.2.1"), NOW_NS), Err(NOW_NS + 6 * SECOND_NS), "it says when");
        assert_eq!(taken(&mut throttle, "192.0.2.2", 100, NOW_NS), 10, "another source is another");
        assert_eq!(taken(&mut throttle, "192.0.2.1", 100, NOW_NS + 6 * SECOND_NS - 1), 0);
        assert_eq!(taken(&mut throttle, "192.0.2.1", 100, NOW_NS + 6 * SECOND_NS), 1);
        assert_eq!(taken(&mut throttle, "192.0.2.1", 100, NOW_NS + 3_600 * SECOND_NS), 10);
    }

    #[test]
    fn a_machine_is_one_source_however_it_writes_its_address() {
        let mut throttle = Throttle::default();
        assert_eq!(taken(&mut throttle, "2001:db8::1", 6, NOW_NS) + taken(&mut throttle, "2001:db8::ffff", 6, NOW_NS), 10);
        assert_eq!(taken(&mut throttle, "2001:db8:0:1::1", 6, NOW_NS), 6, "another subnet");
        assert_eq!(taken(&mut throttle, "192.0.2.1", 6, NOW_NS) + taken(&mut throttle, "::ffff:192.0.2.1", 6, NOW_NS), 10);
    }

    #[test]
    fn a_clock_that_is_put_back_locks_nobody_out() {
        let mut throttle = Throttle::default();
        assert_eq!(taken(&mut throttle, "192.0.2.1", 100, NOW_NS), 10);
        assert_eq!(taken(&mut throttle, "192.0.2.1", 1, 0), 0);
        assert_eq!(taken(&mut throttle, "192.0.2.1", 100, 6 * SECOND_NS), 1);
    }

    #[test]
    fn more_sources_than_are_remembered_share_what_is_left() {
        let mut throttle = Throttle::default();
        for number in 0..10_000_u32 {
            let _ = throttle.take(IpAddr::V4(number.into()), NOW_NS);
        }
        assert!(throttle.paid_ns.len() <= SOURCES_MAX + 1);
        assert_eq!(taken(&mut throttle, "203.0.113.1", 100, NOW_NS), 0);
        assert_eq!(taken(&mut throttle, "203.0.113.1", 100, NOW_NS + 60 * SECOND_NS), 10, "a minute later there is room again");
    }
}
