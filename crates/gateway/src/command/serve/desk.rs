//! What the desk makes of the field side's reports: entries of the ledger. It has no clock and no socket.

use std::collections::BTreeMap;

use nameplate_core::ledger::{Body, PublicKey};
use nameplate_core::observation::hex;
use nameplate_core::seal::Chain;
use nameplate_core::text::printable;
use nameplate_field::touch::Line;
use sha2::{Digest, Sha256};

use super::plan::{Plan, Wanted};
use crate::failure::{Code, Failure};
use crate::hatch::{FORMAT, Heard, Listed, Report, Request, Why};
use crate::house::{FieldSide, House, Round};
use crate::log::say;
use crate::store::{Store, now_ns};

/// Lines of the touch record that wait for their seal; a connection has some ten, and it is sealed behind each.
const UNSEALED_LINES_MAX: usize = 100_000;

/// Profiles of one conversation: there are some hundred, and an owner's own.
const PROFILES_MAX: usize = 2_000;
/// What a report rests on has to come before it.
const UNTOLD: &str = "the field side names a profile that it did not tell";

/// A desk at work with one field side.
pub struct Desk<'a> {
    house: &'a House,
    plans: &'a [Plan],
    /// Fingerprint of the key that seals the touch record, as somebody pinned it.
    pinned: Option<&'a str>,
    /// What seals are checked with; `None` before the field side has said who it is.
    key: Option<PublicKey>,
    chain: Chain,
    /// Lines behind the last seal, and where the last of them ends.
    unsealed: (Vec<String>, u64),
    wanted: &'a mut Wanted,
    /// Profiles that it was told, by their SHA-256.
    profiles: BTreeMap<String, String>,
    /// The last number that waits to be on disk.
    said: u64,
    kept: u64,
    rounds: u64,
    /// The plan and the devices of the round that is being asked.
    asking: Option<(String, Vec<String>)>,
    /// Whether the field side says that it is ending: it would ask nobody more.
    is_ending: bool,
}

impl<'a> Desk<'a> {
    /// A desk over a ledger, for one conversation.
    ///
    /// # Errors
    /// The ledger's.
    pub fn new(house: &'a House, (plans, wanted): (&'a [Plan], &'a mut Wanted), pinned: Option<&'a str>) -> Result<Self, Failure> {
        let (chain, key) = house.with_store(last_seal).transpose()?.unwrap_or_default();
        Ok(Self {
            house,
            plans,
            pinned,
            key,
            chain,
            unsealed: (Vec::new(), 0),
            wanted,
            profiles: BTreeMap::new(),
            said: 0,
            kept: 0,
            rounds: 0,
            asking: None,
            is_ending: false,
        })
    }

    /// The first line to the field side.
    pub fn hello(&self) -> Request {
        let plans = self.plans.iter().map(|plan| plan.name.clone()).collect();
        Request::Hello { format: FORMAT, touched: self.house.with_store(Store::touch_bytes).unwrap_or_default(), plans }
    }

    /// Takes a report. What the field side says where it does not want this desk (there is another one, say): the conversation is over then.
    ///
    /// # Errors
    /// The store's; a field side that is not the one that is known, or a touch record that somebody changed on the way.
    pub fn take(&mut self, report: Report) -> Result<Option<String>, Failure> {
        say!(REPORT { kind = report.name() }, "the field side says: {}", report.name());
        match report {
            Report::Welcome { format, program, site, devices, key, interfaces } => {
                self.welcome(format, &key)?;
                let listens =
                    if interfaces.is_empty() { String::new() } else { format!(", listens on {}", printable(&interfaces.join(", "))) };
                let count = devices.len() as u64;
                let devices_told = crate::print::count(count, "device");
                say!(
                    FIELD_THERE { count, site = site.as_str() },
                    "{}, {}: {devices_told} listed{listens}", printable(&program), printable(&site)
                );
                for Listed { name, asked, .. } in &devices {
                    asked.iter().for_each(|(plan, time_ns)| self.wanted.at(plan, name, *time_ns));
                }
                let listed = devices.iter().map(|device| device.name.clone()).collect();
                let at = devices.into_iter().map(|device| (device.name, device.at)).collect();
                let key = self.key.map_or_else(String::new, |key| key.fingerprint());
                let since_ns = Some(now_ns());
                let interfaces = interfaces.into_iter().map(|interface| Heard { interface, ..Heard::default() }).collect();
                *self.house.field() = FieldSide { since_ns, program, site, key, interfaces, listed, at, ..FieldSide::default() };
            }
            Report::Profile { sha256, text } => {
                if hex(&Sha256::digest(&text)) != sha256 {
                    return Err(Failure::new(Code::Input, "the field side told a profile under the hash of another one"));
                }
                if self.profiles.len() >= PROFILES_MAX {
                    return Err(Failure::new(Code::Input, "the field side tells more profiles than there are"));
                }
                self.profiles.insert(sha256, text);
            }
            Report::Said { number, observation, meaning, profile } => {
                let text = |sha256: &String| self.profiles.get(sha256).ok_or_else(|| Failure::new(Code::Input, UNTOLD));
                let profile = profile.as_ref().map(|sha256| text(sha256).map(|text| (sha256.as_str(), text.as_str()))).transpose()?;
                self.house.take(|intake| intake.accept(&observation, &meaning, profile))?;
                self.said = self.said.max(number);
            }
            Report::Done { number, happening } => {
                let (device, what) = (crate::lines::place(&happening.device), happening.what.text());
                say!(HAPPENED { device = device.as_str(), kind = %what, protocol = happening.protocol.as_str() }, "{}: {what}", printable(&device));
                self.house.take(|intake| intake.done(*happening))?;
                self.said = self.said.max(number);
            }
            Report::Touched { lines, end } => self.touched(lines, end)?,
            Report::Asked { round, refused, unanswered, upset, unasked } => self.asked(round, (refused, unanswered, upset), &unasked),
            Report::Counted { interfaces, given_up } => self.counted(interfaces, given_up),
            Report::Wrong { why } => return Ok(Some(why)),
        }
        Ok(None)
    }

    /// A round is over. Who was not asked in it has not had his moment.
    fn asked(&mut self, round: u64, (refused, unanswered, upset): (usize, usize, usize), unasked: &[String]) {
        let not_asked = match unasked.len() {
            0 => String::new(),
            count => format!(", {} not asked because the field side is ending", crate::print::count(count as u64, "device")),
        };
        say!(
            ROUND_OVER { round, refused = refused as u64, unanswered = unanswered as u64, upset = upset as u64, unasked = unasked.len() as u64 },
            "round {round} is over: {refused} refused, {unanswered} without a sound answer, {upset} ALARMS{not_asked}"
        );
        self.house.field().round = None;
        if let Some((plan, devices)) = self.asking.take() {
            devices.iter().filter(|device| unasked.contains(device)).for_each(|device| self.wanted.forget(&plan, device));
        }
        self.is_ending |= !unasked.is_empty();
    }

    /// The field side is gone, in the middle of a round perhaps: the next one says who was asked in it, and the others have not had their moment. What to say of
    /// it.
    pub fn lost(&mut self, why: &str) -> String {
        if let Some((plan, devices)) = self.asking.take() {
            devices.iter().for_each(|device| self.wanted.forget(&plan, device));
        }
        format!("the field side is gone: {why}")
    }

    /// What was counted over there; what got worse is said.
    fn counted(&self, interfaces: Vec<Heard>, given_up: u64) {
        let (before, given_up_before) = {
            let mut field = self.house.field();
            (std::mem::replace(&mut field.interfaces, interfaces.clone()), std::mem::replace(&mut field.given_up, given_up))
        };
        for Heard { interface, received, dropped, .. } in interfaces {
            if dropped > before.iter().find(|one| one.interface == interface).map_or(0, |one| one.dropped) {
                say!(
                    FRAMES_DROPPED { interface = interface.as_str(), received, dropped },
                    "{}: of {received} frames {dropped} were dropped", printable(&interface)
                );
            }
        }
        if given_up > given_up_before {
            say!(REPORTS_GIVEN_UP { given_up }, "{given_up} reports were given up");
        }
    }

    fn welcome(&mut self, format: u32, key: &str) -> Result<(), Failure> {
        let refused = |why: String| Failure::new(Code::Input, format!("the field side is not believed: {why}"));
        if format != FORMAT {
            return Err(refused(format!("it speaks format {format}, and this program {FORMAT}")));
        }
        let key = PublicKey::from_digits(key).ok_or_else(|| refused("its key is none".to_owned()))?;
        let fingerprint = key.fingerprint();
        if self.pinned.is_some_and(|pinned| pinned != fingerprint) {
            return Err(refused(format!("its key is {fingerprint}, which is not the one that field_key pins")));
        }
        if self.key.is_some_and(|known| known != key) {
            return Err(refused(format!(
                "its key is {fingerprint}, and the ledger has seals of {}",
                self.key.map_or(String::new(), |key| key.fingerprint())
            )));
        }
        if self.key.is_none() {
            say!(FIELD_KEY { fingerprint = fingerprint.as_str() }, "the field side's key is {fingerprint}; pin it with field_key");
        }
        self.key = Some(key);
        Ok(())
    }

    /// Lines of the touch record go into the ledger when their seal is there and holds.
    fn touched(&mut self, lines: Vec<String>, end: u64) -> Result<(), Failure> {
        let refused = |why: String| Failure::new(Code::Failed, format!("ALARM: the field side's touch record is not believed: {why}"));
        let Some(key) = self.key else { return Err(refused("it came before its key".to_owned())) };
        let mut sealed = 0;
        for line in lines {
            if line.contains('\n') {
                return Err(refused("a line has a line feed in it".to_owned()));
            }
            let seal = serde_json::from_str::<Line>(&line).map_err(|e| refused(e.to_string()))?.seal;
            match &seal {
                None => self.chain.take(&line),
                Some(seal) => {
                    self.chain.check(seal, &key).map_err(|unsealed| refused(unsealed.to_string()))?;
                    self.chain = Chain::behind(seal);
                }
            }
            self.unsealed.0.push(line);
            if seal.is_some() {
                sealed = self.unsealed.0.len();
            }
        }
        self.unsealed.1 = end;
        if self.unsealed.0.len() > UNSEALED_LINES_MAX {
            return Err(refused(format!("{UNSEALED_LINES_MAX} lines are under no seal")));
        }
        if sealed == 0 {
            return Ok(());
        }
        let open: u64 = self.unsealed.0.get(sealed..).unwrap_or_default().iter().map(|line| line.len() as u64 + 1).sum();
        let rest = self.unsealed.0.split_off(sealed);
        let lines = std::mem::replace(&mut self.unsealed.0, rest);
        self.house.take(|intake| intake.touched_elsewhere(&lines, end.saturating_sub(open)))
    }

    /// Brings what waits to the disk; what to say to the field side then.
    ///
    /// # Errors
    /// The store's.
    pub fn commit(&mut self) -> Result<Option<Request>, Failure> {
        self.house.commit()?;
        let news = self.said > self.kept;
        self.kept = self.said;
        Ok(news.then_some(Request::Kept { number: self.kept }))
    }

    /// The next round, where nobody is being asked: what a person wants, else the devices whose moment has come.
    pub fn due(&mut self, now_ns: u64) -> Option<Request> {
        if self.is_ending || self.house.field().round.is_some() {
            return None;
        }
        let wish = self.house.next_wish().map(|wish| (Why::WorkOrder(wish.order), wish.devices));
        let mut field = self.house.field();
        let due = |plan: &Plan| {
            let devices = plan.due(&field.listed, self.wanted, self.house.started_ns, now_ns);
            (!devices.is_empty()).then(|| (Why::Plan(plan.name.clone()), devices))
        };
        let (why, devices) = wish.or_else(|| self.plans.iter().find_map(due))?;
        self.asking = None;
        let told = match &why {
            Why::Plan(name) => {
                devices.iter().for_each(|device| self.wanted.at(name, device, now_ns));
                self.asking = Some((name.clone(), devices.clone()));
                format!("plan {}", printable(name))
            }
            Why::WorkOrder(order) => format!("work order {}", printable(order)),
        };
        self.rounds = self.rounds.saturating_add(1);
        let (round, count) = (self.rounds, devices.len() as u64);
        let (Why::Plan(reason) | Why::WorkOrder(reason)) = &why;
        say!(ROUND_BEGUN { round, count, reason = reason.as_str() }, "{told}: {} asked", crate::print::count(count, "device"));
        field.round = Some(Round { number: self.rounds, why: told, devices: devices.len() });
        Some(Request::Ask { round: self.rounds, devices, why })
    }
}

impl Drop for Desk<'_> {
    /// The field side is gone; what was counted there stays as the last word.
    fn drop(&mut self) {
        {
            let mut field = self.house.field();
            (field.since_ns, field.round) = (None, None);
        }
        let forgotten = self.house.forget_wishes();
        if forgotten > 0 {
            let told = crate::print::count(forgotten as u64, "round");
            say!(WISHES_FORGOTTEN { count = forgotten as u64 }, "{told} that people wanted will not be asked");
        }
    }
}

/// The last seal in the ledger, and whose it is. Lines are taken in up to a seal only, so none stands open behind it.
fn last_seal(store: &Store) -> Result<(Chain, Option<PublicKey>), Failure> {
    if store.touch_bytes() == 0 {
        return Ok((Chain::default(), None));
    }
    for index in (0..store.size()).rev() {
        let Body::Touch { line } = store.entry(index)?.body else { continue };
        let Some(seal) = serde_json::from_str::<Line>(&line).ok().and_then(|line| line.seal) else {
            let why = "it has a touch record without seals: it was used by `nameplate ask`; begin another --state for `nameplate serve`";
            return Err(Failure::input(store.directory().display(), why));
        };
        return Ok((Chain::behind(&seal), PublicKey::from_digits(&seal.key)));
    }
    Ok((Chain::default(), None))
}

#[cfg(test)]
mod tests {
    use nameplate_core::ledger::SiteKey;
    use nameplate_field::touch::Kind;

    use super::*;

    /// Lines of a record under one seal.
    fn sealed(key: &SiteKey, words: &[&str]) -> Vec<String> {
        let line = |line: &Line| serde_json::to_string(line).expect("JSON");
        let mut lines: Vec<String> =
            words.iter().map(|why| line(&Line { why: Some((*why).to_owned()), ..Line::new(Kind::Refused) })).collect();
        let mut chain = Chain::default();
        lines.iter().for_each(|line| chain.take(line));
        lines.push(line(&Line { seal: Some(chain.seal(key)), ..Line::new(Kind::Sealed) }));
        lines
    }

    fn welcome(key: &SiteKey) -> Report {
        let (program, site, interfaces) = ("nameplate".to_owned(), "North".to_owned(), Vec::new());
        Report::Welcome { format: FORMAT, program, site, devices: Vec::new(), key: key.public().digits(), interfaces }
    }

    fn check(reports: Vec<Report>, pinned: Option<&str>, expected: Option<&str>) {
        let (house, mut wanted) = (House::without_store(), Wanted::default());
        let mut desk = Desk::new(&house, (&[], &mut wanted), pinned).expect("a desk");
        let said = reports.into_iter().try_for_each(|report| desk.take(report).map(drop)).err().map(|failure| failure.to_string());
        assert_eq!(said.is_some(), expected.is_some(), "{said:?}, expected {expected:?}");
        assert!(said.iter().zip(expected).all(|(said, expected)| said.contains(expected)), "{said:?}, expected {expected:?}");
    }

    #[test]
    fn lines_of_the_touch_record_are_believed_under_their_seal_alone() {
        let (key, other) = (SiteKey::of(&[7; 32]), SiteKey::of(&[8; 32]));
        let lines = sealed(&key, &["a", "b", "c"]);
        let touched = |lines: &[String]| Report::Touched { lines: lines.to_vec(), end: 1_000 };
        check(vec![welcome(&key), touched(&lines)], None, None);
        check(vec![welcome(&key), touched(&lines[..2]), touched(&lines[2..])], None, None);
        check(vec![touched(&lines)], None, Some("before its key"));
        check(vec![welcome(&other), touched(&lines)], None, Some("another key"));
        for at in 0..3 {
            let mut changed = lines.clone();
            changed[at] = changed[at].replace("\"why\":\"", "\"why\":\"not ");
            check(vec![welcome(&key), touched(&changed)], None, Some("changed, dropped or added"));
            let without: Vec<String> = lines.iter().enumerate().filter(|(number, _)| *number != at).map(|(_, line)| line.clone()).collect();
            check(vec![welcome(&key), touched(&without)], None, Some("changed, dropped or added"));
            let mut twice = lines.clone();
            twice.insert(at, lines[at].clone());
            check(vec![welcome(&key), touched(&twice)], None, Some("changed, dropped or added"));
        }
        check(vec![welcome(&key), touched(&["x".to_owned()])], None, Some("not believed"));
        check(vec![welcome(&key), touched(&["{}\n{}".to_owned()])], None, Some("line feed"));
    }

    #[test]
    fn who_was_not_asked_because_the_field_side_ended_is_asked_by_the_next() {
        let (house, mut wanted) = (House::without_store(), Wanted::default());
        let day = std::time::Duration::from_secs(24 * 60 * 60);
        let plan = Plan { name: "identity".to_owned(), devices: Vec::new(), every: day, catch_up: std::time::Duration::ZERO };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        let listed = |name: String| Listed { name, at: Vec::new(), asked: std::collections::BTreeMap::new() };
        let there = || {
            let mut there = welcome(&SiteKey::of(&[7; 32]));
            if let Report::Welcome { devices, .. } = &mut there {
                *devices = names(&["A", "B", "C"]).into_iter().map(listed).collect();
            }
            there
        };
        let due = |desk: &mut Desk<'_>| match desk.due(house.started_ns) {
            Some(Request::Ask { devices, .. }) => devices,
            _ => Vec::new(),
        };
        // What it says of others than those that it was to ask changes nothing.
        let over = |round, unasked: &[&str]| Report::Asked { round, refused: 0, unanswered: 0, upset: 0, unasked: names(unasked) };
        // What is told of the round, whom the next field side is wanted to ask, and that nobody else is asked before it is there.
        for (told, expected) in [
            (Some(over(1, &["B", "C", "D"])), vec!["B", "C"]),
            // It was killed: what was asked stands in the record, of which this one has no line.
            (None, vec!["B", "C"]),
            (Some(over(1, &[])), vec![]),
        ] {
            let mut desk = Desk::new(&house, (std::slice::from_ref(&plan), &mut wanted), None).expect("a desk");
            desk.take(there()).expect("a field side");
            assert!(!due(&mut desk).is_empty());
            assert_eq!(due(&mut desk), Vec::<String>::new(), "one round at a time");
            let is_told = told.is_some();
            told.map(|told| desk.take(told).expect("taken"));
            if is_told {
                assert_eq!(
                    due(&mut desk),
                    Vec::<String>::new(),
                    "of an ending field side nothing is wanted, and of another one nothing twice"
                );
            }
            desk.lost("it closed the hatch");
            drop(desk);
            let mut desk = Desk::new(&house, (std::slice::from_ref(&plan), &mut wanted), None).expect("a desk");
            desk.take(there()).expect("a field side");
            assert_eq!(due(&mut desk), expected);
            // It ends at once, so that the next row begins with the same.
            desk.lost("it closed the hatch");
        }
    }

    #[test]
    fn a_field_side_has_the_key_that_is_known() {
        let (key, other) = (SiteKey::of(&[7; 32]), SiteKey::of(&[8; 32]));
        let pinned = key.public().fingerprint();
        check(vec![welcome(&key)], Some(&pinned), None);
        check(vec![welcome(&other)], Some(&pinned), Some("pins"));
        check(vec![welcome(&key), welcome(&other)], None, Some("the ledger has seals of"));
        let Report::Welcome { program, site, .. } = welcome(&key) else { return };
        let (devices, interfaces) = (Vec::new(), Vec::new());
        let newer = Report::Welcome { format: FORMAT + 1, program, site, devices, key: key.public().digits(), interfaces };
        check(vec![newer], None, Some("format"));
    }
}
