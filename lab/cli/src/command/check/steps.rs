//! Steps, each announced, timed, and named if it fails.

use std::{
    fmt,
    time::{Duration, Instant},
};

use lab_runner::{
    output,
    process::Identity,
    shutdown::{Shutdown, ShutdownCause},
};
use nix::sys::signal::Signal;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::{CommandError, Error};

/// Time for a test runner to end its tests when it is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Steps {
    shutdown: Shutdown,
    passed: Vec<&'static str>,
}

impl Steps {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            passed: Vec::new(),
        }
    }

    /// Runs a command and shows its output.
    pub(super) async fn run(
        &mut self,
        step: &'static str,
        mut command: Command,
    ) -> Result<(), CommandError> {
        announce(step, shown(&command));
        let started = Instant::now();
        let failed = |source| Error::Run { step, source };
        let mut child = command.spawn().map_err(failed)?;
        let outcome = tokio::select! {
            exit = child.wait() => match exit.map_err(failed)? {
                status if status.success() => Ok(()),
                status => Err(Error::Failed { step, status }),
            },
            cause = self.shutdown.wait() => {
                wind_down(&mut child, cause).await;
                Err(Error::Interrupted)
            }
        };
        self.finish(step, started, outcome.map_err(CommandError::from))
    }

    /// Runs a step that is not a command.
    pub(super) async fn of<T>(
        &mut self,
        step: &'static str,
        what: &str,
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        announce(step, what);
        let started = Instant::now();
        let outcome = tokio::select! {
            outcome = work => outcome,
            _ = self.shutdown.wait() => Err(Error::Interrupted.into()),
        };
        self.finish(step, started, outcome)
    }

    pub(super) fn passed(&self) -> String {
        self.passed.join(", ")
    }

    fn finish<T>(
        &mut self,
        step: &'static str,
        started: Instant,
        outcome: Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let mark = if outcome.is_ok() { "✓" } else { "✗" };
        let took = output::seconds(started.elapsed());
        output::say(format_args!("{mark} {step:<10} {took}"));
        if outcome.is_ok() {
            self.passed.push(step);
        }
        outcome
    }
}

/// Waits for a runner to end its tests; it received Ctrl-C itself.
async fn wind_down(child: &mut Child, cause: ShutdownCause) {
    let Some(process) = Identity::of_child(child) else {
        return;
    };
    if cause != ShutdownCause::Terminal {
        process.signal(Signal::SIGTERM);
    }
    if timeout(STOP_TIMEOUT, child.wait()).await.is_err() {
        // The kill fails only if it exited meanwhile.
        let _ = child.kill().await;
    }
}

fn announce(step: &str, what: impl fmt::Display) {
    output::say(format_args!("▶ {step:<10} {what}"));
}

/// Formats a command as a person would type it.
fn shown(command: &Command) -> String {
    let arguments = command.as_std().get_args();
    let arguments: Vec<_> = arguments
        .map(|argument| argument.to_string_lossy())
        .collect();
    format!("cargo {}", arguments.join(" "))
}
