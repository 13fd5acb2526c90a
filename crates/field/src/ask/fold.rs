//! The folds over the touch record, all of them at once and over all devices: what is old of it is read for the last time.
//!
//! Whoever asks afterwards meets the same breakers, budgets and classes as if he had read every line; the tests hold one against the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nameplate_core::observation::unhex;
use nameplate_wire::dnp3::{Frame, PROTOCOL};

use super::classes::Classes;
use super::history::{ATTEMPTS_MAX, Device, History, since_1970};
use crate::breaker::Attempt;
use crate::guard::{ENDING, Endpoint};
use crate::touch::{Kept, KeptAttempt, KeptDevice, Kind, Line, Told, TouchError, TouchRecord, recall};

/// Lines stay lines for a week: what a change's own reboots are is told from its work order, and a plant's outage is rarely longer.
const LINES_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// Old bytes that are worth folding: some days' at a large site, and years' at a small one.
const FOLDED_BYTES_MIN: u64 = 4 * 1024 * 1024;
/// Reasons to ask a device of which it is known when they last were one: plans, and the work orders since.
const REASONS_MAX: usize = 32;

/// When each reason was last a reason to ask, by endpoint and station, in nanoseconds since 1970-01-01T00:00:00Z.
pub type LastAsked = BTreeMap<(Endpoint, String), BTreeMap<String, u64>>;

/// When these reasons were last a reason to ask a device, by the touch record in `state`. Who was refused only because the process ended has not been asked.
///
/// # Errors
/// [`TouchError`] where the record cannot be read; one that does not exist has no lines.
pub fn last_asked(state: &Path, reasons: &[String]) -> Result<LastAsked, TouchError> {
    let mut asked = LastAsked::new();
    let mut put = |device: Device, reason: &str, time: Duration| {
        if reasons.iter().any(|wanted| wanted == reason) {
            let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            asked.entry(device.into_parts()).or_default().insert(reason.to_owned(), time);
        }
    };
    recall(state, |told| match told {
        Told::Kept(Kept::Device(kept)) => {
            kept.asked.iter().for_each(|(reason, at)| put(Device::of(&kept), reason, Duration::from_micros(*at)));
        }
        Told::Kept(_) => {}
        Told::Line { line, .. } => asked_by(line).into_iter().for_each(|(device, reason, time)| put(device, reason, time)),
    })?;
    Ok(asked)
}

/// From where we asked DNP3 outstations, and with which link address, by the touch record in `state`.
///
/// # Errors
/// As [`last_asked`].
pub fn own_masters(state: &Path) -> Result<BTreeSet<(IpAddr, u16)>, TouchError> {
    let mut masters = BTreeSet::new();
    recall(state, |told| match told {
        Told::Kept(Kept::Master(ip, link)) => masters.extend([(ip, link)]),
        Told::Kept(_) => {}
        Told::Line { line, .. } => masters.extend(master(line)),
    })?;
    Ok(masters)
}

fn asked_by(line: &Line) -> Option<(Device, &str, Duration)> {
    let is_asking = matches!(line.kind, Kind::Connect | Kind::Refused) && line.rule.as_deref() != Some(ENDING);
    let (target, reason) = (line.target.as_ref().filter(|_| is_asking)?, line.reason.as_deref()?);
    Some((Device::new(target, line.station.clone().unwrap_or_default()), reason, since_1970(line.time)))
}

fn master(line: &Line) -> Option<(IpAddr, u16)> {
    let is_ours = line.kind == Kind::Sent && line.protocol.as_deref() == Some(PROTOCOL.name);
    let frame = unhex(line.bytes.as_deref().filter(|_| is_ours)?).ok()?;
    Some((line.from?.to_canonical(), Frame::read(&frame).ok()?.source))
}

/// How far the lines of a record are old, as they are read.
pub(super) struct Old {
    /// Lines before this are old.
    before: SystemTime,
    /// Where the record is sealed, what is folded ends behind a seal.
    by_seals: bool,
    /// Where reading began.
    from: Option<u64>,
    /// Where the old lines end.
    end: u64,
    /// A line was met that is not old: all behind it stay.
    is_over: bool,
    /// There are seals, and whoever reads has not their key: what he folded would be no fold to who has.
    is_anothers: bool,
}

impl Old {
    pub(super) fn of(touch: &TouchRecord) -> Self {
        let before = touch.now().checked_sub(LINES_KEPT).unwrap_or(SystemTime::UNIX_EPOCH);
        Self { before, by_seals: touch.is_sealed(), from: None, end: 0, is_over: false, is_anothers: false }
    }

    /// The next line, which ends there.
    pub(super) fn take(&mut self, text: &str, line: &Line, end: u64) {
        self.from.get_or_insert(end.saturating_sub(text.len() as u64).saturating_sub(1));
        self.is_over |= line.time >= self.before;
        self.is_anothers |= !self.by_seals && line.seal.is_some();
        if !self.is_over && (!self.by_seals || line.seal.is_some()) {
            self.end = end;
        }
    }

    /// Folds them, where it is worth it.
    ///
    /// # Errors
    /// [`TouchError`]: the lines are read again the next time.
    pub(super) fn fold(&self, touch: &TouchRecord) -> Result<(), TouchError> {
        let bytes = self.end.saturating_sub(self.from.unwrap_or_default());
        if bytes < FOLDED_BYTES_MIN || self.is_anothers { Ok(()) } else { fold(touch, self.end) }
    }
}

/// Folds what the record has up to the byte `end`, at which a line ends.
pub(super) fn fold(touch: &TouchRecord, end: u64) -> Result<(), TouchError> {
    let (mut folded, mut last) = (Fold::default(), String::new());
    recall(touch.directory(), |told| match told {
        Told::Kept(kept) => folded.recall(kept),
        Told::Line { text, line, end: line_end } if line_end <= end => {
            folded.take(line);
            text.clone_into(&mut last);
        }
        Told::Line { .. } => {}
    })?;
    touch.keep_folded(end, &last, folded.kept())
}

/// Every fold over all devices.
#[derive(Default)]
struct Fold {
    history: History,
    classes: Classes,
    /// The reason of each attempt that the history has.
    reasons: BTreeMap<Device, VecDeque<String>>,
    asked: BTreeMap<Device, BTreeMap<String, Duration>>,
    masters: BTreeSet<(IpAddr, u16)>,
}

impl Fold {
    fn take(&mut self, line: &Line) {
        self.history.take(line);
        self.classes.take(line, false);
        self.masters.extend(master(line));
        if let (Kind::Connect, Some(target)) = (line.kind, &line.target) {
            let device = Device::new(target, line.station.clone().unwrap_or_default());
            self.attempted(device, line.reason.clone().unwrap_or_default());
        }
        if let Some((device, reason, time)) = asked_by(line) {
            self.asked(device, reason.to_owned(), time);
        }
    }

    fn recall(&mut self, kept: Kept) {
        self.history.recall(&kept);
        self.classes.recall(&kept);
        match kept {
            Kept::Device(kept) => {
                let device = Device::of(&kept);
                let KeptDevice { attempts, asked, .. } = kept;
                attempts.into_iter().for_each(|KeptAttempt(_, _, _, reason)| self.attempted(device.clone(), reason));
                asked.into_iter().for_each(|(reason, at)| self.asked(device.clone(), reason, Duration::from_micros(at)));
            }
            Kept::Master(ip, link) => drop(self.masters.insert((ip, link))),
            Kept::Class(_) => {}
        }
    }

    fn attempted(&mut self, device: Device, reason: String) {
        let reasons = self.reasons.entry(device).or_default();
        if reasons.len() == ATTEMPTS_MAX {
            reasons.pop_front();
        }
        reasons.push_back(reason);
    }

    fn asked(&mut self, device: Device, reason: String, time: Duration) {
        let asked = self.asked.entry(device).or_default();
        asked.insert(reason, time);
        if asked.len() > REASONS_MAX
            && let Some(oldest) = asked.iter().min_by_key(|(_, at)| **at).map(|(reason, _)| reason.clone())
        {
            asked.remove(&oldest);
        }
    }

    fn kept(mut self) -> Vec<Kept> {
        let mut devices: BTreeSet<Device> = self.asked.keys().cloned().collect();
        devices.extend(self.history.devices().cloned());
        devices.extend(self.classes.devices().cloned());
        let mut kept = Vec::with_capacity(devices.len());
        for device in devices {
            let (attempts, uptime) = self.history.give(&device);
            let reasons = self.reasons.remove(&device).unwrap_or_default();
            let attempts = attempts.iter().zip(reasons).map(|(attempt, reason)| kept_attempt(attempt, reason)).collect();
            let class = self.classes.class_of(&device).map(str::to_owned);
            let asked = self.asked.remove(&device).unwrap_or_default();
            let asked = asked.into_iter().map(|(reason, at)| (reason, micros(at))).collect();
            let (target, station) = device.into_parts();
            kept.push(Kept::Device(KeptDevice { target, station, class, attempts, uptime, asked }));
        }
        kept.extend(self.classes.kept().map(Kept::Class));
        kept.extend(self.masters.into_iter().map(|(ip, link)| Kept::Master(ip, link)));
        kept
    }
}

fn kept_attempt(attempt: &Attempt, reason: String) -> KeptAttempt {
    KeptAttempt(micros(attempt.began), micros(attempt.ended.saturating_sub(attempt.began)), attempt.end.into(), reason)
}

/// As exact as the record.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Change;
    use crate::ask::tally::Tally;
    use crate::site::{Rules, Zone};
    use crate::touch::FILE_NAME;

    const START: Duration = Duration::from_secs(20_000 * 86_400);

    /// What is drawn is the same in each run.
    struct Draw(u64);

    impl Draw {
        fn below(&mut self, most: u64) -> u64 {
            // Knuth's MMIX; its high bits are the good ones.
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % most
        }

        fn of<T: Clone>(&mut self, all: &[T]) -> T {
            all[self.below(all.len() as u64) as usize].clone()
        }
    }

    fn endpoints() -> Vec<Endpoint> {
        ["192.0.2.1:502", "192.0.2.2:502", "192.0.2.2:20000", "198.51.100.9:502", "udp:198.51.100.9:161"]
            .map(|at| at.parse().expect("an endpoint"))
            .to_vec()
    }

    fn change() -> Change {
        let at = |days: u64| SystemTime::UNIX_EPOCH + START + Duration::from_secs(days * 86_400);
        let (scope, neighbours) = ((endpoints()[0].clone(), "1".to_owned()), (endpoints()[1].clone(), "1".to_owned()));
        Change {
            order: "WO-1".to_owned(),
            from: at(2),
            until: at(30),
            scope: BTreeSet::from([scope]),
            neighbours: BTreeSet::from([neighbours]),
            rebooting_since: Some(at(3)),
        }
    }

    /// The life of a small plant, whose clock is set back at times.
    fn life(seed: u64) -> Vec<Line> {
        use Kind::{Answer, Closed, Connect, Failed, Refused, Released, Restarted, Sent, Timeout, Upset, Uptime};
        let mut draw = Draw(seed);
        let mut now = START;
        let mut lines = Vec::new();
        for _ in 0..6_000 {
            now = now.saturating_add(Duration::from_micros(draw.below(7_200_000_000)));
            if draw.below(200) == 0 {
                now = now.saturating_sub(Duration::from_secs(draw.below(3 * 86_400)));
            }
            let kinds = [Connect, Connect, Connect, Sent, Answer, Answer, Answer, Failed, Timeout, Closed, Uptime, Restarted, Refused];
            let mut line = Line::new(if draw.below(150) == 0 { draw.of(&[Released, Upset]) } else { draw.of(&kinds) });
            line.time = SystemTime::UNIX_EPOCH + now;
            line.target = (line.kind != Released).then(|| draw.of(&endpoints()));
            line.station = draw.of(&[None, Some("1".to_owned()), Some("2".to_owned())]);
            line.class = draw.of(&[None, Some("modbus A".to_owned()), Some("modbus B".to_owned())]);
            line.reason = Some(draw.of(&["plan day".to_owned(), "WO-1".to_owned(), format!("WO-{}", draw.0 % 60)]));
            match line.kind {
                Answer => line.latency_us = Some(draw.below(2_000_000)),
                Uptime => line.uptime_ticks = Some(draw.below(1 << 31) as u32),
                Failed => line.ended = Some(draw.of(&["time-out", "reset", "hostile"]).to_owned()),
                Refused => line.rule = Some(draw.of(&[ENDING, "budget.day"]).to_owned()),
                Sent => {
                    line.question = draw.of(&[None, Some(crate::ask::history::LOGIN.to_owned())]);
                    line.protocol = Some(PROTOCOL.name.to_owned());
                    line.from = draw.of(&[None, Some([192, 0, 2, 100].into()), Some([192, 0, 2, 101].into())]);
                    // From the link addresses 1 and 10; and what is no frame.
                    line.bytes =
                        Some(draw.of(&["05640dc40a00010075bac3c30100f2000000824d", "0564058001000a00", "0564058b0a00010048ac"]).to_owned());
                }
                _ => {}
            }
            lines.push(line);
        }
        lines
    }

    /// All that whoever asks next would go by.
    fn comes_to(touch: &TouchRecord, now: Duration, change: Option<&Change>) -> String {
        use std::fmt::Write;
        let zones = endpoints().into_iter().map(|at| ((at, "1".to_owned()), Zone { name: "Pumps".to_owned(), readings_per_day: 1_000 }));
        let rules = Rules { readings_per_day_in_all: Some(3), zones: zones.collect(), ..Rules::default() };
        let mut tally = Tally::new(&rules, now);
        let all: BTreeSet<Endpoint> = endpoints().into_iter().collect();
        let (history, classes) = History::read(touch, &all, change, &mut tally).expect("a record");
        let mut text = String::new();
        for (endpoint, station) in endpoints().iter().flat_map(|at| ["", "1", "2"].map(|station| (at, station))) {
            let device = Device::new(endpoint, station);
            let watch = history.watch(&device, &[]);
            writeln!(text, "{endpoint} {station} {:?}\n{:?} {:?}", history.of(&device), watch.before, watch.reboots).expect("written");
        }
        for class in ["modbus A", "modbus B", "modbus C"] {
            writeln!(text, "{class} {:?}", classes.may(class)).expect("written");
        }
        writeln!(text, "{tally:?} {:?}", classes.stopped()).expect("written");
        let reasons = ["plan day", "WO-1"].map(str::to_owned);
        writeln!(text, "{:?} {:?}", last_asked(touch.directory(), &reasons), own_masters(touch.directory())).expect("written");
        text
    }

    #[test]
    fn whoever_asks_meets_the_same_with_a_folded_beginning() {
        let state = std::env::temp_dir().join(format!("nameplate-fold-{}", std::process::id()));
        for seed in 0..6 {
            let _ = std::fs::remove_dir_all(&state);
            std::fs::create_dir_all(&state).expect("a folder");
            let lines = life(seed);
            let mut text = "{\"touch_record\":1}\n".to_owned();
            let mut ends = Vec::new();
            for line in &lines {
                text.push_str(&serde_json::to_string(line).expect("a line"));
                text.push('\n');
                ends.push(text.len() as u64);
            }
            std::fs::write(state.join(FILE_NAME), text).expect("written");
            let last = lines.last().expect("lines").time;
            let touch = TouchRecord::open(&state, move || last).expect("a record");
            let ask = |change: Option<&Change>| comes_to(&touch, since_1970(last), change);
            let (whole, of_change) = (ask(None), ask(Some(&change())));
            assert_ne!(whole, of_change, "a change has a past of its own");
            let mut draw = Draw(seed);
            let mut cuts: Vec<u64> = (0..5).map(|_| draw.of(&ends)).collect();
            cuts.sort_unstable();
            for cut in cuts {
                fold(&touch, cut).expect("folded");
                let mut behind = 0;
                recall(&state, |told| behind += u64::from(matches!(told, Told::Line { .. }))).expect("recalled");
                assert_eq!(behind, ends.iter().filter(|end| **end > cut).count() as u64);
                assert_eq!(ask(None), whole, "seed {seed}, folded up to {cut}");
            }
            // What a change expects of its devices is in their attempts; a class that its devices stopped is stopped once that is folded.
            let devices = |text: &str| {
                text.lines().filter(|line| !line.starts_with("modbus") && !line.contains("Tally")).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(devices(&ask(Some(&change()))), devices(&of_change), "seed {seed}");
        }
        std::fs::remove_dir_all(&state).expect("removed");
    }
}
