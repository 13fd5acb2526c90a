//! What the owner of a site rules beyond docs/read-only.md: whom nobody may contact, when nobody is asked, when a device may be, and how often. It can
//! only tighten. Pure: time is an argument.

mod place;
mod window;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

pub use self::place::{BadPlace, Place};
pub use self::window::{BadWindow, Window};

use crate::guard::Endpoint;

/// The owner's rules. The default forbids nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whom nobody may contact: safety systems.
    pub never: Vec<Never>,
    /// When nobody is asked.
    pub blackouts: Vec<Blackout>,
    /// When a device may be asked, where that is not always; by endpoint (see [`Endpoint::canonical`]) and station.
    pub windows: BTreeMap<(Endpoint, String), Window>,
    /// Endpoints of which the owner says that masters have all their connections, and how many: one more would cost a master his.
    pub full: BTreeMap<Endpoint, String>,
    /// Readings of a device per UTC day, where that is fewer than [`crate::pacing::REASONED_READINGS_MAX`].
    pub readings_per_day: Option<usize>,
    /// Readings of all devices together per UTC day: every connection that stands in the touch record counts.
    pub readings_per_day_in_all: Option<usize>,
    /// The zone of a device, where that has a budget of its own; by endpoint (see [`Endpoint::canonical`]) and station.
    pub zones: BTreeMap<(Endpoint, String), Zone>,
}

/// A part of a site with a budget of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// As the owner calls it.
    pub name: String,
    /// Readings of its devices together per UTC day.
    pub readings_per_day: usize,
}

/// Whom nobody may contact, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// Where.
    pub place: Place,
    /// In the owner's words.
    pub why: String,
}

/// A stretch of time in which nobody is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blackout {
    /// Its first moment.
    pub from: SystemTime,
    /// The first moment after it.
    pub until: SystemTime,
    /// In the owner's words.
    pub why: String,
}

/// What the owner's rules forbid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    /// `site.never`, `site.connections`, `site.blackout` or `site.window`.
    pub rule: &'static str,
    /// In words.
    pub why: String,
    /// When it may be tried again, where time is what it lacks; since 1970-01-01T00:00:00Z.
    pub not_before: Option<Duration>,
}

impl Rules {
    /// Whether nobody may contact what answers there, at any time.
    ///
    /// # Errors
    /// [`Barred`] by `site.never`.
    pub fn may_contact(&self, endpoint: &Endpoint) -> Result<(), Barred> {
        let never = self.never.iter().find(|never| never.place.holds(endpoint));
        never.map_or(Ok(()), |never| {
            let why = format!("the site file lists {} as never to be contacted: {}", never.place, never.why);
            Err(Barred { rule: "site.never", why, not_before: None })
        })
    }

    /// Whether a device may be asked `now` (since 1970-01-01T00:00:00Z).
    ///
    /// # Errors
    /// [`Barred`] by `site.never`, `site.connections`, `site.blackout` or `site.window`, in this order.
    pub fn may_ask(&self, endpoint: &Endpoint, station: &str, now: Duration) -> Result<(), Barred> {
        self.may_contact(endpoint)?;
        if let Some(why) = self.full.get(&endpoint.canonical()) {
            return Err(Barred {
                rule: "site.connections",
                why: format!("no connection of its own is left for us: {why}"),
                not_before: None,
            });
        }
        let moment = SystemTime::UNIX_EPOCH + now;
        if let Some(blackout) = self.blackouts.iter().find(|blackout| (blackout.from..blackout.until).contains(&moment)) {
            let until = blackout.until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let why = format!("nobody is asked until {}: {}", humantime::format_rfc3339_seconds(blackout.until), blackout.why);
            return Err(Barred { rule: "site.blackout", why, not_before: Some(until) });
        }
        let window = self.windows.get(&(endpoint.canonical(), station.to_owned()));
        if let Some(window) = window.filter(|window| !window.is_open(now)) {
            let why = format!("its window {} is not open", window.name);
            return Err(Barred { rule: "site.window", why, not_before: window.opens_after(now) });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Duration {
        let time = humantime::parse_rfc3339(text).expect("a time");
        time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970")
    }

    fn rules() -> Rules {
        let pump: Endpoint = "192.0.2.7:502".parse().expect("an endpoint");
        let night = Window::read("night", &[], "22:00", "05:00", "+01:00").expect("a window");
        Rules {
            never: vec![Never { place: "192.0.2.48/29".parse().expect("a place"), why: "SIS of boiler 2".to_owned() }],
            blackouts: vec![Blackout {
                from: humantime::parse_rfc3339("2026-12-24T00:00:00Z").expect("a time"),
                until: humantime::parse_rfc3339("2026-12-27T00:00:00Z").expect("a time"),
                why: "change freeze".to_owned(),
            }],
            windows: BTreeMap::from([((pump, "1".to_owned()), night)]),
            full: BTreeMap::from([("192.0.2.8:502".parse().expect("an endpoint"), "2 of 2".to_owned())]),
            ..Rules::default()
        }
    }

    #[test]
    fn the_owners_rules_say_who_may_be_asked_when() {
        let check = |target: &str, station: &str, now: &str, expected: Option<(&str, Option<&str>)>| {
            let said = rules().may_ask(&target.parse().expect("an endpoint"), station, seconds(now)).err();
            let said = said.as_ref().map(|barred| (barred.rule, barred.not_before));
            assert_eq!(said, expected.map(|(rule, at)| (rule, at.map(seconds))), "{target}/{station} at {now}");
        };
        check("192.0.2.9:502", "1", "2026-11-22T12:00:00Z", None);
        check("192.0.2.50:502", "1", "2026-11-22T12:00:00Z", Some(("site.never", None)));
        check("udp:192.0.2.55:161", "", "2026-12-25T12:00:00Z", Some(("site.never", None)));
        check("192.0.2.56:502", "1", "2026-11-22T12:00:00Z", None);
        check("192.0.2.8:502", "1", "2026-12-25T12:00:00Z", Some(("site.connections", None)));
        check("192.0.2.9:502", "1", "2026-12-25T12:00:00Z", Some(("site.blackout", Some("2026-12-27T00:00:00Z"))));
        check("192.0.2.9:502", "1", "2026-12-27T00:00:00Z", None);
        check("192.0.2.7:502", "1", "2026-11-22T12:00:00Z", Some(("site.window", Some("2026-11-22T21:00:00Z"))));
        check("[::ffff:192.0.2.7]:502", "1", "2026-11-22T12:00:00Z", Some(("site.window", Some("2026-11-22T21:00:00Z"))));
        check("192.0.2.7:502", "2", "2026-11-22T12:00:00Z", None);
        check("192.0.2.7:502", "1", "2026-11-22T21:00:00Z", None);
        check("192.0.2.7:502", "1", "2026-11-23T03:59:59Z", None);
        check("192.0.2.7:502", "1", "2026-11-23T04:00:00Z", Some(("site.window", Some("2026-11-23T21:00:00Z"))));
    }
}
