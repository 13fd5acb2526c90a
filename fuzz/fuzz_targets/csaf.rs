#![no_main]

#[path = "../slowest.rs"]
mod slowest;
#[path = "../targets.rs"]
#[allow(dead_code, reason = "each binary runs one of the targets")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| slowest::timed(|| targets::csaf(data)));
