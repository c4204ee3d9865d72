//! The process of an environment: start, freeze, thaw, kill.

use std::io::{self, PipeReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::leftovers::{Leftovers, Record};
use crate::proc;

/// A function's process and its children: one process group, which is signalled as a whole.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: Pid,
    _record: Record,
}

impl Process {
    /// Starts `command`. The reader yields stdout and stderr in the order in which they were written.
    pub fn start(mut command: Command, leftovers: &Leftovers) -> io::Result<(Self, PipeReader)> {
        let (reader, writer) = io::pipe()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let pid = Pid::from_raw(pid.ok_or(io::ErrorKind::NotFound)?);
        let record = leftovers.record(pid)?;
        Ok((
            Self {
                child,
                pid,
                _record: record,
            },
            reader,
        ))
    }

    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Stops every thread, as Lambda does between invocations.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the process to exit; returns text such as `exit status 1`, or `None` for status 0. Cancel safe.
    pub async fn exited(&mut self) -> Option<String> {
        match self.child.wait().await {
            Ok(status) => termination(status),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Kills the process, frozen or not, waits until it is gone, and returns how it ended.
    pub async fn kill(&mut self) -> Option<String> {
        self.signal(Signal::SIGKILL);
        self.exited().await
    }

    /// Returns the peak memory so far, in MB rounded up; 0 if the process is gone.
    pub fn peak_memory_mb(&self) -> u64 {
        proc::peak_memory_kib(self.pid())
            .unwrap_or_default()
            .div_ceil(1024)
    }

    /// The pid stays the child's until it is waited for, even if the child has exited.
    fn signal(&self, signal: Signal) {
        if self.child.id().is_some()
            && let Err(error) = killpg(self.pid, signal)
        {
            tracing::debug!(pid = self.pid(), %signal, %error, "signal not delivered");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

fn termination(status: ExitStatus) -> Option<String> {
    let by_signal = status.signal().map(|number| {
        let name = Signal::try_from(number).map_or("unknown", Signal::as_str);
        format!("signal: {name}")
    });
    by_signal.or_else(|| {
        status
            .code()
            .filter(|code| *code != 0)
            .map(|code| format!("exit status {code}"))
    })
}
