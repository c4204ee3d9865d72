//! Processes: started independently of each other, identified reliably, and ended with their children.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File},
    io::{self, PipeWriter},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::{
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        signal::{self, Signal},
    },
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use tokio::{
    net::unix::pipe,
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{files, output};

/// Poll interval while a process ends.
const POLL: Duration = Duration::from_millis(20);

/// Raises the open file limit of this process and its children as far as allowed: a shell's usual limit is 1,024, and a
/// tier takes 8,192 connections.
pub fn allow_open_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // If it may not be raised, the administrator wants it so.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// How a child's output gets into its log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Output {
    /// The child holds the file itself, and so continues while nobody supervises it.
    File,
    /// A pipe, for a program that clears the file's append mode, and would then overwrite earlier lines.
    Pipe,
}

/// What to execute. A child gets `PATH` and the variables named here, nothing else.
#[derive(Clone, Debug)]
pub struct Launch {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub env: BTreeMap<&'static str, String>,
    pub output: Output,
}

impl Launch {
    /// Starts it in a process group of its own, with its output appended to `log`.
    pub fn spawn(&self, log: &Path) -> Result<Child> {
        let failed = || format!("cannot start {}", self.program.display());
        let log = files::append(log)?;
        let (stdout, stderr): (Stdio, Stdio) = match self.output {
            Output::File => (log.try_clone().with_context(failed)?.into(), log.into()),
            Output::Pipe => {
                let writer = piped(log).with_context(failed)?;
                (
                    writer.try_clone().with_context(failed)?.into(),
                    writer.into(),
                )
            }
        };
        Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(&self.env)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .with_context(failed)
    }
}

/// Returns a pipe that is copied to `log` until the last writer closes it.
fn piped(log: File) -> io::Result<PipeWriter> {
    let (reader, writer) = io::pipe()?;
    let mut reader = pipe::Receiver::from_owned_fd(reader.into())?;
    let mut log = tokio::fs::File::from_std(log);
    tokio::spawn(async move {
        if let Err(error) = tokio::io::copy(&mut reader, &mut log).await {
            output::error(&error);
        }
    });
    Ok(writer)
}

/// A pid with its start time, so that a reused pid is not mistaken for the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    pub pid: i32,
    /// Field 22 of `/proc/PID/stat`; `None` if there is no `/proc`.
    pub start_time: Option<u64>,
}

impl Identity {
    pub fn of(pid: i32) -> Self {
        Self {
            pid,
            start_time: stat(pid).map(|stat| stat.start_time),
        }
    }

    pub fn of_child(child: &Child) -> Option<Self> {
        let pid = i32::try_from(child.id()?).ok()?;
        Some(Self::of(pid))
    }

    /// Whether this exact process still runs. A zombie does not count.
    pub fn is_alive(self) -> bool {
        match (self.start_time, stat(self.pid)) {
            (Some(started), Some(stat)) => stat.start_time == started && !stat.ended,
            (Some(_), None) => false,
            // The process ended before its start time could be read, unless this system has no `/proc`.
            (None, _) if Path::new("/proc/self/stat").exists() => false,
            (None, _) => signal::kill(Pid::from_raw(self.pid), None).is_ok(),
        }
    }

    /// Sends a signal, if this exact process still runs.
    pub fn signal(self, signal: Signal) -> bool {
        self.is_alive() && signal::kill(Pid::from_raw(self.pid), signal).is_ok()
    }

    /// Waits until it is gone; returns `false` if it still exists after `timeout`.
    pub async fn gone_within(self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(POLL).await;
        }
        true
    }

    /// Ends it: SIGTERM, a wait, then SIGKILL. Its process group ends with it.
    pub async fn end(self, timeout: Duration) {
        if !self.signal(Signal::SIGTERM) {
            return;
        }
        if !self.gone_within(timeout).await {
            self.signal(Signal::SIGKILL);
            self.gone_within(timeout).await;
        }
        kill_group(self.pid);
    }
}

/// Kills what a dead group leader left behind. Call it right after the death.
pub fn kill_group(leader: i32) {
    let _ = signal::killpg(Pid::from_raw(leader), Signal::SIGKILL);
}

struct Stat {
    ended: bool,
    start_time: u64,
}

fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields are counted after the command name, which may contain spaces and parentheses.
fn parse_stat(line: &str) -> Option<Stat> {
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?; // field 3
    let start_time = fields.nth(18)?.parse().ok()?; // field 22
    Some(Stat {
        ended: matches!(state, "Z" | "X"),
        start_time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_with_brackets_does_not_shift_the_fields() {
        let line = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 1 2";
        let stat = parse_stat(line).unwrap();
        assert_eq!(stat.start_time, 777);
        assert!(!stat.ended);
    }

    #[tokio::test]
    async fn a_reused_pid_is_not_signalled() {
        let child = Command::new("sleep")
            .arg("60")
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let real = Identity::of_child(&child).unwrap();
        let earlier = Identity {
            start_time: real.start_time.map(|time| time - 1),
            ..real
        };
        assert!(!earlier.signal(Signal::SIGKILL));
        assert!(real.is_alive());
    }

    #[tokio::test]
    async fn one_that_ignores_sigterm_is_forced_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let launch = Launch {
            program: "/bin/sh".into(),
            args: vec![
                "-c".into(),
                "trap '' TERM; sleep 60 & echo $!; wait; wait".into(),
            ],
            env: BTreeMap::new(),
            output: Output::File,
        };
        let mut child = launch.spawn(&log).unwrap();
        let leader = Identity::of_child(&child).unwrap();
        let grandchild = loop {
            if let Ok(pid) = fs::read_to_string(&log).unwrap().trim().parse() {
                break Identity::of(pid);
            }
            sleep(POLL).await;
        };

        tokio::join!(leader.end(Duration::from_millis(200)), async {
            child.wait().await.unwrap()
        });
        assert!(!leader.is_alive());
        assert!(grandchild.gone_within(Duration::from_secs(5)).await);
    }
}
