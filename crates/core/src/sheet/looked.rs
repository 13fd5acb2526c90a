//! Where we looked, and where not. A device that stands only in a sheet is not gone: it is not seen, and whoever reads that must know what
//! was listened to and asked, and that whole kinds of reach (a serial line) may never have been.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::Row;
use crate::observation::{Address, Source, rfc3339};

/// Captures and interfaces that are named each; more are counted.
const NAMED_PLACES_MAX: usize = 3;

/// From the first to the latest time that somebody was heard, in nanoseconds since 1970.
type Span = (u64, u64);

/// Places that were listened to or asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    captures: HashMap<String, Span>,
    interfaces: HashMap<String, Span>,
    /// When an address was asked last.
    addresses: HashMap<IpAddr, u64>,
    /// When a serial line was.
    lines: BTreeMap<String, u64>,
}

impl Looked {
    /// Takes the place of a reading.
    pub fn take(&mut self, address: &Address, source: &Source, time_ns: u64) {
        let (places, name) = match source {
            Source::Capture { file, .. } => (&mut self.captures, file),
            Source::Live { interface, .. } => (&mut self.interfaces, interface),
            Source::Asked { .. } => return self.asked(address.ip, address.line.as_deref(), time_ns),
            Source::Imported { .. } | Source::ByHand { .. } => return,
        };
        match places.get_mut(&**name) {
            Some(span) => *span = (span.0.min(time_ns), span.1.max(time_ns)),
            None => drop(places.insert(name.to_string(), (time_ns, time_ns))),
        }
    }

    /// A capture was listened to, whether or not somebody was heard in it.
    pub fn listened(&mut self, capture: &str) {
        self.captures.entry(capture.to_owned()).or_insert((u64::MAX, 0));
    }

    /// A connection to a device was opened, or tried: to an address, or on a serial line.
    pub fn asked(&mut self, ip: Option<IpAddr>, line: Option<&str>, time_ns: u64) {
        if let Some(ip) = ip {
            let last = self.addresses.entry(ip).or_default();
            *last = time_ns.max(*last);
        } else if let Some(line) = line {
            let last = self.lines.entry(line.to_owned()).or_default();
            *last = time_ns.max(*last);
        }
    }

    /// Where a row's device was looked for and where not, a sentence for each kind of reach.
    #[must_use]
    pub fn words(&self, row: &Row<'_>) -> Vec<String> {
        let address = row.address();
        let others = self.addresses.len().saturating_sub(usize::from(address.ip.is_some_and(|ip| self.addresses.contains_key(&ip))));
        let asked = match (address.ip, address.ip.and_then(|ip| self.addresses.get(&ip))) {
            (Some(ip), Some(last)) => format!("{ip} was asked, last on {}", rfc3339(*last)),
            (Some(ip), None) => format!("{ip} was never asked ({others} other addresses were)"),
            (None, _) => format!("the row names no network address to ask ({others} addresses were)"),
        };
        vec![heard("capture", &self.captures), heard("interface", &self.interfaces), asked, self.serial_lines()]
    }

    /// The same for all rows, without the one address.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let last = self.addresses.values().max();
        let asked = last.map_or_else(
            || "no address was ever asked".to_owned(),
            |last| format!("{} addresses were asked, last on {}", self.addresses.len(), rfc3339(*last)),
        );
        vec![heard("capture", &self.captures), heard("interface", &self.interfaces), asked, self.serial_lines()]
    }

    fn serial_lines(&self) -> String {
        if self.lines.is_empty() {
            return "no serial line was ever asked: what answers only there was not looked for".to_owned();
        }
        let named = self.lines.iter().take(NAMED_PLACES_MAX).map(|(line, last)| format!("{line}, last on {}", rfc3339(*last)));
        let more = more(self.lines.len());
        format!("serial lines asked: {}{more}; on no other", named.collect::<Vec<_>>().join("; "))
    }
}

fn heard(kind: &str, places: &HashMap<String, Span>) -> String {
    if places.is_empty() {
        return format!("no {kind} was listened to");
    }
    let span = |(from, to): &Span| match from > to {
        true => "nobody was heard".to_owned(),
        false => format!("heard from {} to {}", rfc3339(*from), rfc3339(*to)),
    };
    // The latest say most.
    let mut latest: Vec<(&String, &Span)> = places.iter().collect();
    latest.sort_by_key(|(name, span)| (std::cmp::Reverse(span.1), *name));
    let named = latest.iter().take(NAMED_PLACES_MAX).map(|(name, times)| format!("{name} ({})", span(times)));
    format!("{kind}s listened to: {}{}", named.collect::<Vec<_>>().join(", "), more(places.len()))
}

fn more(count: usize) -> String {
    count.checked_sub(NAMED_PLACES_MAX).filter(|more| *more > 0).map(|more| format!(" and {more} more")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::read;

    #[test]
    fn what_was_never_looked_at_is_named() {
        let sheet = read(b"ip,tag\n10.0.0.1,A\n10.0.0.2,B\n,RELAY\n").unwrap().sheet;
        let rows: Vec<Row<'_>> = sheet.rows().collect();
        let mut looked = Looked::default();
        let never = "no serial line was ever asked: what answers only there was not looked for";
        let nothing = [
            "no capture was listened to",
            "no interface was listened to",
            "the row names no network address to ask (0 addresses were)",
            never,
        ];
        assert_eq!(looked.words(&rows[2]), nothing);
        for file in ["a", "b", "c", "d"] {
            looked.listened(file);
        }
        looked.asked("10.0.0.1".parse().ok(), None, 1_000_000_000);
        looked.asked("10.0.0.1".parse().ok(), None, 0);
        assert_eq!(
            looked.words(&rows[0])[..3],
            [
                "captures listened to: a (nobody was heard), b (nobody was heard), c (nobody was heard) and 1 more",
                "no interface was listened to",
                "10.0.0.1 was asked, last on 1970-01-01T00:00:01.000000Z",
            ]
        );
        assert_eq!(looked.words(&rows[1])[2], "10.0.0.2 was never asked (1 other addresses were)");
        looked.asked(None, Some("/dev/ttyS0"), 0);
        assert_eq!(looked.words(&rows[2])[3], "serial lines asked: /dev/ttyS0, last on 1970-01-01T00:00:00.000000Z; on no other");
    }
}
