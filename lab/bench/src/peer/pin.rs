//! Pins this process and its children to one core, so that whatever is measured has the other core to itself.

use std::fs;

use anyhow::{Context as _, Result};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// Keeps this process on a core until dropped. Processes started meanwhile stay there.
#[derive(Debug)]
pub struct Pinned {
    before: CpuSet,
}

pub fn pin_self(core: usize) -> Result<Pinned> {
    let failed = || format!("cannot pin a process to core {core}");
    let before = sched_getaffinity(Pid::from_raw(0)).with_context(failed)?;
    let mut wanted = CpuSet::new();
    wanted.set(core).with_context(failed)?;
    let pinned = Pinned { before };
    set(&wanted).with_context(failed)?;
    Ok(pinned)
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // These are the cores that it had before.
        let _ = set(&self.before);
    }
}

/// Sets the affinity of every thread, because any of them may start the next process.
fn set(cores: &CpuSet) -> Result<(), nix::Error> {
    let threads = fs::read_dir("/proc/self/task");
    let threads = threads.into_iter().flatten().flatten();
    threads
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .try_for_each(|thread| sched_setaffinity(Pid::from_raw(thread), cores))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_started_while_pinned_has_one_core() {
        let mine = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let core = (0..CpuSet::count())
            .find(|&core| mine.is_set(core).unwrap())
            .unwrap();
        let pinned = pin_self(core).unwrap();
        let seen = std::thread::spawn(|| std::thread::available_parallelism().unwrap().get());
        assert_eq!(seen.join().unwrap(), 1);
        drop(pinned);
        assert_eq!(sched_getaffinity(Pid::from_raw(0)).unwrap(), mine);
    }
}
