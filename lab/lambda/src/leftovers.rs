//! Function processes that outlived a host which was killed.
//!
//! A host that ends by itself ends its processes. One that is killed can't. What is left of it goes in one of
//! three ways. A process at work loses the Runtime API, and ends by itself when its event is done. A frozen
//! one, being a stopped process group that has just become an orphan, gets SIGHUP and SIGCONT from the kernel
//! and ends by them. Where neither applies (a subreaper in the same session adopts it, it ignores SIGHUP, its
//! event is not done yet) the next host ends it. For that each process has a record here. A pid alone could
//! have passed to a stranger, so the record also holds the process's start time and the boot it belongs to,
//! and all three must fit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::proc;

/// The records of one state folder.
#[derive(Debug)]
pub struct Leftovers {
    dir: PathBuf,
}

/// Names one process for ever.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Identity {
    pid: i32,
    start_ticks: u64,
    boot_id: String,
}

/// Withdrawn when dropped, once the process has ended.
#[derive(Debug)]
pub struct Record(PathBuf);

impl Leftovers {
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.into() })
    }

    /// Ends what an earlier host left behind. Only for the holder of the state folder's lock.
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

    /// Remembers a process, which leads its own process group, until the record is dropped.
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
