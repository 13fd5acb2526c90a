//! What this process takes of the machine.

use std::fs;

/// The most memory that this process held at any time (resident, VmHWM), in KiB; `None` on systems that do not say so.
pub fn peak_kib() -> Option<u64> {
    of_status(&fs::read_to_string("/proc/self/status").ok()?)
}

/// Out of proc_pid_status(5): `VmHWM:\t   69944 kB`.
fn of_status(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_stands_in_the_status_of_the_process() {
        assert_eq!(of_status("Name:\tnameplate\nVmPeak:\t  90000 kB\nVmHWM:\t   69944 kB\nVmRSS:\t 100 kB\n"), Some(69_944));
        assert_eq!(of_status("Name:\tnameplate\n"), None);
    }
}
