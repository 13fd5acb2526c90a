//! One round of questions, as the desk wanted it and the site file allows it.

use std::sync::Arc;
use std::time::SystemTime;

use nameplate_core::observation::Source;
use nameplate_field::ask::{self, Event, Reason, Settings, What};
use nameplate_field::uptime::News;

use super::side::Side;
use crate::command::ask::{Prepared, prepared};
use crate::hatch::{Report, Why};
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

/// Counts of a round.
#[derive(Default)]
struct Account {
    refused: usize,
    unanswered: usize,
    upset: usize,
}

/// Asks; what was read is told on the way.
pub async fn ask(side: &Side<'_>, Round { number, devices, why }: Round) -> Report {
    let (mut asks, mut account, mut wanted) = (Vec::new(), Account::default(), 0_usize);
    for device in &devices {
        match side.site.asks(std::slice::from_ref(device)) {
            Ok(listed) => {
                let all = listed.len();
                asks.extend(listed.into_iter().filter(|ask| side.grants(&ask.place(), now_ns())));
                wanted += all;
            }
            Err(_) => account.refused += 1,
        }
    }
    account.refused += wanted.saturating_sub(asks.len());
    let (reason, text) = match &why {
        Why::Plan(name) => (Reason::Schedule(name.clone()), name.clone()),
        Why::WorkOrder(text) => (Reason::WorkOrder(text.clone()), text.clone()),
    };
    let known = side.with_catalog(|catalog| prepared(catalog, asks, &text, &side.touch, || account.refused += 1));
    let report = |Account { refused, unanswered, upset }| Report::Asked { round: number, refused, unanswered, upset };
    let Prepared { asks, kinds } = match known {
        Ok(prepared) => prepared,
        Err(failure) => {
            eprintln!("field: {failure}");
            account.refused += devices.len();
            return report(account);
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
        eprintln!("field: round {number}: {refused}");
        account.refused += asked;
    }
    seal(side);
    report(account)
}

fn take(side: &Side<'_>, event: Event, why: &Why, account: &mut Account) {
    match event.what {
        What::Reading(reading) => {
            let said = match why {
                Why::Plan(name) => side.said(&reading, Source::Asked { reason: name.as_str().into() }),
                // Before and after a change are two readings, also where they are equal.
                Why::WorkOrder(order) => side.said_to_order(&reading, Source::Asked { reason: order.as_str().into() }),
            };
            if let Err(failure) = said {
                eprintln!("field: {failure}");
            }
        }
        What::NoAnswer { .. } | What::Hostile { .. } | What::Failed { .. } => account.unanswered += 1,
        What::Refused { .. } => account.refused += 1,
        What::Uptime(News::Upset(why)) => {
            eprintln!("field: ALARM: {why}");
            account.upset += 1;
        }
        What::Closed { .. } => seal(side),
        What::Opened | What::Sent { .. } | What::Stray { .. } | What::Uptime(_) => {}
    }
}

/// Lines without a seal are on record, and the desk gets them with the next one.
fn seal(side: &Side<'_>) {
    if let Err(e) = side.touch.seal() {
        eprintln!("field: the touch record was not sealed: {e}");
    }
    side.news.notify_one();
}
