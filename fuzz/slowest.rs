//! Times every input, because libFuzzer itself counts whole seconds and `cargo xtask soak --fuzz` holds inputs to 100 ms. Counted is
//! the processor time of this thread: what else the machine does at that moment is not the input's fault.

use std::sync::atomic::{AtomicU64, Ordering};

use cpu_time::ThreadTime;

/// Runs the target on one input and prints `slowest_ms: N` where no input before took so long.
pub fn timed(run: impl FnOnce()) {
    static SLOWEST_MS: AtomicU64 = AtomicU64::new(0);
    let begun = ThreadTime::now();
    run();
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if SLOWEST_MS.fetch_max(ms, Ordering::Relaxed) < ms {
        eprintln!("slowest_ms: {ms}");
    }
}
