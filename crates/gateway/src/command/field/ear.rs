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
use crate::hatch::Heard;
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
    let (mut listener, mut counted) = (Listener::new(&[]), Instant::now());
    let mut count = Heard { interface: interface.clone(), ..Heard::default() };
    let (mut trouble, mut heard) = (Ok(()), Ok(()));
    while heard.is_ok() && trouble.is_ok() && !over.load(Ordering::Relaxed) {
        pulse.beat();
        heard = live.hear(&mut |frame: &Frame<'_>| {
            listener.frame(frame, &mut |event| {
                if let Err(failure) = take(side, &mut count, event) {
                    trouble = Err(failure);
                }
            });
            trouble.is_ok()
        });
        if counted.elapsed() >= COUNT_EVERY {
            heard = heard.and(live.counters().map(|Counters { received, dropped, .. }| {
                if dropped > count.dropped {
                    say!(FRAMES_DROPPED { interface = interface.as_str(), received, dropped }, "{interface}: {dropped} frames were dropped");
                }
                (count.received, count.dropped) = (received, dropped);
                side.counted(number, count.clone());
            }));
            counted = Instant::now();
        }
    }
    if let Err(e) = &heard {
        say!(INTERFACE_LOST { interface = interface.as_str() }, "{interface}: {e}");
    }
    over.store(true, Ordering::Relaxed);
    listener.finish(&mut |event| {
        if let Err(failure) = take(side, &mut count, event) {
            trouble = Err(failure);
        }
    });
    trouble.and(heard.map_err(|e| Failure::input(&interface, e)))
}

fn take(side: &Side<'_>, count: &mut Heard, event: Event) -> Result<(), Failure> {
    let source = |frame| Source::Live { interface: count.interface.as_str().into(), frame };
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
        // No knowledge about a device; many of them say that the mirror port or a decoder is not sound.
        Event::Malformed { malformed, .. } => {
            match count.malformed.get_mut(malformed.layer) {
                Some(times) => *times = times.saturating_add(1),
                None => drop(count.malformed.insert(malformed.layer.to_owned(), 1)),
            }
            Ok(())
        }
        Event::Gap { .. } => {
            count.gaps = count.gaps.saturating_add(1);
            Ok(())
        }
        // Findings for whoever listens to a capture.
        Event::Covered { .. } | Event::Fragment { .. } | Event::Undecoded { .. } => Ok(()),
    }
}
