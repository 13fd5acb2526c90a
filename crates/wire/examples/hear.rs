//! What the decoders read in captures, before any profile gives it a meaning: one line per event, one per fact.
//!
//! `cargo run --release -p nameplate-wire --example hear -- FILE...`

use std::collections::BTreeMap;

use nameplate_wire::capture::{Decoder, Step};
use nameplate_wire::conversation::Coverage;
use nameplate_wire::listen::{Event, Listener};

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let file = std::fs::read(&path)?;
        println!("{path}");
        let (mut decoder, mut listener, mut at) = (Decoder::new(), Listener::new(&[]), 0);
        let mut coverage = BTreeMap::new();
        loop {
            match decoder.next(&file[at..]) {
                Step::Need(_) => break,
                Step::Skip(consumed) => at += consumed,
                Step::Malformed { malformed, consumed, .. } => {
                    println!("  capture: {malformed}");
                    at += consumed;
                }
                Step::Frame { frame, consumed } => {
                    listener.frame(&frame, &mut |event| tell(event, &mut coverage));
                    at += consumed;
                }
            }
        }
        listener.finish(&mut |event| tell(event, &mut coverage));
        for (protocol, Coverage { seen, decoded }) in coverage {
            println!("  {protocol}: {decoded} of {seen} messages decoded");
        }
    }
    Ok(())
}

fn tell(event: Event, coverage: &mut BTreeMap<&'static str, Coverage>) {
    match event {
        Event::Reading(reading) => {
            let frame = reading.messages.last().map_or(0, |message| message.frame);
            let (by, whole) = (&reading.speaker, if reading.complete { "whole" } else { "part" });
            println!("  frame {frame}: {} {:?} {whole} {by:?}", reading.question, reading.authority);
            for fact in &reading.facts {
                println!("    {} = {:?} {}", fact.path, fact.shape, fact.bytes.escape_ascii());
            }
            for (message, malformed) in &reading.malformed {
                println!("    message {message}: {malformed}");
            }
        }
        Event::Covered { protocol, coverage: more } => {
            let sum: &mut Coverage = coverage.entry(protocol).or_default();
            sum.seen += more.seen;
            sum.decoded += more.decoded;
        }
        other => println!("  {other:?}"),
    }
}
