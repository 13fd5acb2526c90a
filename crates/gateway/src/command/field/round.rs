//! One round of questions, as the desk wanted it and the site file allows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use nameplate_core::observation::Source;
use nameplate_core::text::printable;
use nameplate_field::ask::{self, Event, Reason, Settings, What};
use nameplate_field::guard::Endpoint;
use nameplate_field::uptime::News;

use super::side::Side;
use crate::command::ask::{Prepared, prepared};
use crate::hatch::{Report, Why};
use crate::log::say;
use crate::store::now_ns;

/// A round.
pub struct Round {
    /// The desk's number.
    pub number: u64,
    /// Names or targets.
    pub devices: Vec<String>,
    /// Why.
    pub why: Why,
}

/// Account of a round.
#[derive(Default)]
struct Account {
    refused: usize,
    unanswered: usize,
    upset: usize,
    /// Which device answers where, as the desk named it.
    names: BTreeMap<(Endpoint, String), String>,
    /// With whom somebody began, or tried to; and with whom nobody did.
    begun: BTreeSet<String>,
    left: BTreeSet<String>,
}

impl Account {
    fn report(self, round: u64) -> Report {
        let Self { refused, unanswered, upset, begun, left, .. } = self;
        let unasked: Vec<String> = left.difference(&begun).cloned().collect();
        let not_asked = match unasked.len() {
            0 => String::new(),
            count => format!(", {} not asked", crate::print::count(count as u64, "device")),
        };
        say!(
            ROUND_DONE { round, refused = refused as u64, unanswered = unanswered as u64, upset = upset as u64, unasked = unasked.len() as u64 },
            "round {round} is over: {refused} refused, {unanswered} without a sound answer, {upset} ALARMS{not_asked}"
        );
        Report::Asked { round, refused, unanswered, upset, unasked }
    }
}

/// Asks; what was read was told on the way.
pub async fn ask(side: &Side<'_>, Round { number, devices, why }: Round) -> Report {
    let (mut asks, mut account, mut wanted) = (Vec::new(), Account::default(), 0_usize);
    let (reason, text) = match &why {
        Why::Plan(name) => (Reason::Schedule(name.clone()), name.clone()),
        Why::WorkOrder(text) => (Reason::WorkOrder(text.clone()), text.clone()),
    };
    let count = devices.len() as u64;
    say!(ROUND_TAKEN { round = number, count, reason = text.as_str() }, "round {number}: {} wanted", crate::print::count(count, "device"));
    for device in &devices {
        match side.site.asks(std::slice::from_ref(device)) {
            Ok(listed) => {
                let all = listed.len();
                account.names.extend(listed.iter().map(|ask| ((ask.endpoint.canonical(), ask.station()), device.clone())));
                asks.extend(listed.into_iter().filter(|ask| side.grants(&ask.place(), now_ns())));
                wanted += all;
            }
            Err(_) => account.refused += 1,
        }
    }
    account.refused += wanted.saturating_sub(asks.len());
    let known = side.with_catalog(|catalog| prepared(catalog, asks, &text, &side.touch, || account.refused += 1));
    let Prepared { asks, kinds } = match known {
        Ok(prepared) => prepared,
        Err(failure) => {
            say!(ROUND_REFUSED { round = number }, "round {number}: {failure}");
            account.refused += devices.len();
            return account.report(number);
        }
    };
    let settings = Settings {
        time_factor: side.time_factor,
        rules: Arc::clone(&side.rules),
        kinds: Arc::new(kinds),
        ..Settings::new(reason, Arc::new(SystemTime::now))
    };
    let asked = asks.len();
    let touched = ask::ask(asks, &settings, Arc::clone(&side.touch), |event| take(side, event, &why, &mut account)).await;
    if let Err(refused) = touched {
        say!(ROUND_REFUSED { round = number }, "round {number}: {refused}");
        account.refused += asked;
    }
    seal(side);
    account.report(number)
}

fn take(side: &Side<'_>, event: Event, why: &Why, account: &mut Account) {
    let device = account.names.get(&(event.endpoint.canonical(), event.station.clone())).cloned().unwrap_or_else(|| event.place());
    let (name, shown) = (device.as_str(), printable(&device));
    match event.what {
        What::Unasked => {
            account.left.insert(device);
            return;
        }
        What::Reading(reading) => {
            let said = match why {
                Why::Plan(name) => side.said(&reading, Source::Asked { reason: name.as_str().into() }),
                // Before and after a change are two readings, also where they are equal.
                Why::WorkOrder(order) => side.said_to_order(&reading, Source::Asked { reason: order.as_str().into() }),
            };
            if let Err(failure) = said {
                say!(READING_LOST { device = name }, "{shown}: {failure}");
            }
        }
        What::NoAnswer { why, .. } | What::Hostile { why, .. } | What::Failed { why, .. } => {
            say!(DEVICE_SILENT { device = name }, "{shown}: {}", printable(&why));
            account.unanswered += 1;
        }
        What::Refused { refused, .. } => {
            say!(DEVICE_REFUSED { device = name, kind = refused.rule }, "{shown}: rule {}: {}", refused.rule, printable(&refused.why));
            account.refused += 1;
        }
        What::Uptime(News::Upset(why)) => {
            say!(DEVICE_UPSET { device = name }, "ALARM: {shown}: {why}");
            account.upset += 1;
        }
        What::Closed { closed, .. } => {
            let ms = u64::try_from(closed.hold.as_millis()).unwrap_or(u64::MAX);
            say!(DEVICE_ASKED { device = name, ms, state = %closed.ended }, "{shown}: asked, {ms} ms, {}", closed.ended);
            seal(side);
        }
        // Its bytes may be a community's: the name says what it was.
        What::Sent { question, .. } => say!(QUESTION { device = name, kind = question }, "{shown}: {question}"),
        What::Opened | What::Stray { .. } | What::Uptime(_) => {}
    }
    account.begun.insert(device);
}

/// Lines without a seal are on record, and the desk gets them with the next one.
fn seal(side: &Side<'_>) {
    if let Err(e) = side.touch.seal() {
        say!(UNSEALED, "the touch record was not sealed: {e}");
    }
    side.news.notify_one();
}
