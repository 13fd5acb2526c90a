//! Listening on the plant's network, on a thread of its own for each interface, as long as the field side runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nameplate_core::happening::{Happening, What};
use nameplate_core::observation::{Address, Source};
use nameplate_core::wire::capture::Frame;
use nameplate_core::wire::listen::{Event, Listener};
use nameplate_field::capture::live::{Counters, Live};

use super::side::Side;
use crate::failure::Failure;
use crate::log::say;
use crate::service::Pulse;

/// How often the kernel is asked what it counted: its own counters are short.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Listens on the interface of this number until it is over. A listener that broke down ends the field side: who started it starts it again, and sees that
/// it ended.
///
/// # Errors
/// The interface went down or away.
pub fn listen((number, mut live): (usize, Live), side: &Side<'_>, over: &AtomicBool, pulse: &Pulse) -> Result<(), Failure> {
    let interface = live.name().to_owned();
    let (mut listener, mut counted, mut dropped) = (Listener::new(&[]), Instant::now(), 0);
    let (mut trouble, mut heard) = (Ok(()), Ok(()));
    while heard.is_ok() && trouble.is_ok() && !over.load(Ordering::Relaxed) {
        pulse.beat();
        heard = live.hear(&mut |frame: &Frame<'_>| {
            listener.frame(frame, &mut |event| {
                if let Err(failure) = take(side, &interface, event) {
                    trouble = Err(failure);
                }
            });
            trouble.is_ok()
        });
        if counted.elapsed() >= COUNT_EVERY {
            heard = heard.and(live.counters().map(|counters| {
                if counters.dropped > dropped {
                    let Counters { received, dropped, .. } = counters;
                    say!(FRAMES_DROPPED { interface = interface.as_str(), received, dropped }, "{interface}: {dropped} frames were dropped");
                }
                dropped = counters.dropped;
                side.counted(number, counters);
            }));
            counted = Instant::now();
        }
    }
    if let Err(e) = &heard {
        say!(INTERFACE_LOST { interface = interface.as_str() }, "{interface}: {e}");
    }
    over.store(true, Ordering::Relaxed);
    listener.finish(&mut |event| {
        if let Err(failure) = take(side, &interface, event) {
            trouble = Err(failure);
        }
    });
    trouble.and(heard.map_err(|e| Failure::input(&interface, e)))
}

fn take(side: &Side<'_>, interface: &str, event: Event) -> Result<(), Failure> {
    let source = |frame| Source::Live { interface: interface.into(), frame };
    match event {
        Event::Reading(reading) => {
            let frame = reading.messages.last().map_or(0, |message| message.frame);
            side.said(&reading, source(frame))
        }
        Event::Present { protocol, over, role, speaker, at } => {
            side.present((protocol, over, role), &speaker, source(at.frame), at.time_ns)
        }
        Event::Happened { protocol, happening, device, by, at } => side.done(Happening {
            by: by.as_ref().map(Address::from),
            device: (&device).into(),
            protocol: protocol.to_owned(),
            source: source(at.frame),
            time_ns: at.time_ns,
            what: What::from(happening),
        }),
        // Counts and broken frames: a finding for whoever listens to a capture, and no knowledge about a device.
        Event::Covered { .. } | Event::Malformed { .. } | Event::Gap { .. } | Event::Fragment { .. } | Event::Undecoded { .. } => Ok(()),
    }
}
