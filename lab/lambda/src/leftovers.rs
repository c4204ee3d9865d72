//! Function processes that outlived a killed host.
//!
//! A host that shuts down ends its processes; a killed one cannot. What it leaves behind ends in one of three ways. A
//! process at work loses the Runtime API, and exits when its event is done. A frozen one is a stopped process group
//! that has just been orphaned, so the kernel sends it SIGHUP and SIGCONT, which end it. In the remaining cases (a
//! subreaper in the same session adopts it, it ignores SIGHUP, its event is not done yet) the next host kills it. For
//! that, each process has a record here. A pid may have been reused, so the record also holds the process's start time
//! and the boot id, and all three must match.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::proc;

/// The process records of one state folder.
#[derive(Debug)]
pub struct Leftovers {
    dir: PathBuf,
}

/// Identifies one process uniquely.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Identity {
    pid: i32,
    start_ticks: u64,
    boot_id: String,
}

/// A record of a running process; removed when dropped.
#[derive(Debug)]
pub struct Record(PathBuf);

impl Leftovers {
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.into() })
    }

    /// Kills what an earlier host left behind. Only the holder of the state folder's lock may call it.
    pub fn end_all(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let recorded: Option<Identity> = serde_json::from_slice(&fs::read(&path)?).ok();
            if let Some(process) = recorded.filter(Identity::is_alive) {
                process.end();
            }
            fs::remove_file(&path)?;
        }
        Ok(())
    }

    /// Records a process, which leads its own process group, until the record is dropped.
    pub fn record(&self, pid: Pid) -> io::Result<Record> {
        let identity = Identity::of(pid.as_raw()).ok_or(io::ErrorKind::NotFound)?;
        let path = self.dir.join(pid.to_string());
        fs::write(&path, serde_json::to_vec(&identity)?)?;
        Ok(Record(path))
    }
}

impl Identity {
    fn of(pid: i32) -> Option<Self> {
        Some(Self {
            pid,
            start_ticks: proc::start_ticks(pid)?,
            boot_id: proc::boot_id()?,
        })
    }

    fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    fn end(&self) {
        match killpg(Pid::from_raw(self.pid), Signal::SIGKILL) {
            Ok(()) => tracing::info!(pid = self.pid, "ended a leftover function process"),
            Err(error) => {
                tracing::warn!(pid = self.pid, %error, "cannot end a leftover function process");
            }
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // A record of a process that is gone does no harm.
        fs::remove_file(&self.0).ok();
    }
}
