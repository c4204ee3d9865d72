//! Process information from `/proc`.

use std::fs;
use std::time::Duration;

/// A function that allocates as fast as it can gets some ten megabytes in this time.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Returns when the process started, in clock ticks since boot. With the boot id this identifies a process uniquely,
/// which its pid does not. `None` if there is no such process.
pub fn start_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name, in parentheses, may contain anything; the state, field 3, follows it.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(22 - 3)?.parse().ok()
}

/// Returns the peak memory of the process, in KiB.
pub fn peak_memory_kib(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Waits until the process has held more memory than that. Checks the peak, so that nothing is missed between two
/// checks.
pub async fn exceeds(pid: i32, limit_kib: u64) {
    while peak_memory_kib(pid).is_none_or(|kib| kib <= limit_kib) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Returns the id of the machine's current boot.
pub fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_start_time_and_memory_and_an_absent_one_has_neither() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(start_ticks(own).unwrap() > 0);
        assert!(peak_memory_kib(own).unwrap() > 100);
        assert_eq!((start_ticks(-1), peak_memory_kib(-1)), (None, None));
    }
}
