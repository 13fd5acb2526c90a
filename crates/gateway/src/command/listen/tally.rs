//! What a run met besides devices, and what it says of that at its end.

use std::collections::BTreeMap;

use nameplate_core::observation::Observation;
use nameplate_core::profile::Interpretation;
use nameplate_core::wire::Malformed;
use nameplate_core::wire::conversation::Coverage;
use nameplate_field::capture::live::Counters;

use super::told::Told;
use crate::intake::Intake;
use crate::{memory, print};

/// Findings of one kind that are printed in full; the rest is counted.
const FINDINGS_SHOWN_MAX: usize = 5;

/// What a run met besides devices.
#[derive(Default)]
pub struct Tally {
    /// Frames that were read.
    pub frames: u64,
    /// Frames that were not to be listened to.
    pub(super) passed_over: u64,
    /// What the kernel counted on an interface.
    pub(super) counted: Option<(String, Counters)>,
    pub(super) readings: u64,
    /// Claims that are told when all was heard.
    pub(super) waiting: Vec<(Observation, Interpretation)>,
    /// Claims that were told.
    pub(super) told: Told,
    pub(super) gaps: u64,
    pub(super) gap_bytes: u64,
    pub(super) fragments: u64,
    pub(super) findings: BTreeMap<(&'static str, &'static str), u64>,
    pub(super) coverage: BTreeMap<&'static str, Coverage>,
    pub(super) undecoded: BTreeMap<u32, u64>,
    /// Conversations between addresses that were followed at once.
    pub(super) followed: usize,
}

impl Tally {
    /// Adds what a conversation had.
    pub(super) fn covers(&mut self, protocol: &'static str, more: Coverage) {
        let coverage = self.coverage.entry(protocol).or_default();
        coverage.seen = coverage.seen.saturating_add(more.seen);
        coverage.decoded = coverage.decoded.saturating_add(more.decoded);
    }

    /// Shows a finding, or counts it where there were enough of its kind.
    pub(super) fn finding(&mut self, file: &str, text: &str, malformed: &Malformed) {
        let count = self.findings.entry((malformed.layer, malformed.said_by)).or_default();
        *count += 1;
        if *count <= FINDINGS_SHOWN_MAX as u64 {
            eprintln!("{file}: {text}");
        }
    }

    /// Says all of it, on standard error.
    pub(super) fn report(&self, intake: &Intake<'_>, keep: bool) {
        let Self { frames, passed_over, counted, readings, gaps, gap_bytes, fragments, findings, coverage, undecoded, followed, .. } = self;
        let (devices, times) = (print::count(intake.seen.len() as u64, "device"), print::count(*readings, "time"));
        eprintln!("{}, {devices}; what a device is was told {times}; nothing was sent", print::count(*frames, "frame"));
        if *passed_over > 0 {
            eprintln!("{} not to be listened to", print::count(*passed_over, "further frame"));
        }
        if let Some((interface, Counters { received, dropped, frozen })) = counted {
            let received = print::count(*received, "frame");
            eprintln!(
                "{interface}: {received} received, {dropped} dropped by the kernel; the ring was full {}",
                print::count(*frozen, "time")
            );
        }
        for (protocol, Coverage { seen, decoded }) in coverage.iter().filter(|(_, coverage)| coverage.seen > 0) {
            eprintln!("{protocol}: {decoded} of {seen} messages decoded");
        }
        for ((layer, rule), count) in findings.iter().filter(|(_, count)| **count > FINDINGS_SHOWN_MAX as u64) {
            eprintln!("{count} findings in {layer}: {rule}");
        }
        if *gaps > 0 {
            eprintln!("{gaps} gaps in followed connections, {gap_bytes} bytes were not captured");
        }
        if *fragments > 0 {
            eprintln!("not read, because not all their parts (IP fragments) were captured: {}", print::count(*fragments, "packet"));
        }
        for (link, count) in undecoded {
            eprintln!("{count} frames of link type {link} were not decoded");
        }
        if let Some(kib) = memory::peak_kib() {
            eprintln!("{}, {devices}: {kib} KiB of memory at the peak", print::count(*followed as u64, "conversation"));
        }
        if keep {
            eprintln!("{} new to the catalog", print::count(intake.kept as u64, "observation"));
        }
    }
}
