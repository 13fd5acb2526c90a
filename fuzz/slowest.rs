//! Times every input, because libFuzzer itself counts whole seconds and `cargo xtask soak --fuzz` holds inputs to 100 ms.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Runs the target on one input and prints `slowest_ms: N` where no input before took so long.
pub fn timed(run: impl FnOnce()) {
    static SLOWEST_MS: AtomicU64 = AtomicU64::new(0);
    let begun = Instant::now();
    run();
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if SLOWEST_MS.fetch_max(ms, Ordering::Relaxed) < ms {
        eprintln!("slowest_ms: {ms}");
    }
}
