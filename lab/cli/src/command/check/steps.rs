//! Steps, each announced, timed, and named if it fails.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow};
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

const INTERRUPTED: &str = "interrupted";

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
    pub(super) async fn run(&mut self, step: &'static str, mut command: Command) -> Result<()> {
        announce(step, shown(&command));
        let started = Instant::now();
        let failed = || format!("cannot run the step {step}");
        let mut child = command.spawn().with_context(failed)?;
        let outcome = tokio::select! {
            exit = child.wait() => match exit.with_context(failed)? {
                status if status.success() => Ok(()),
                status => Err(anyhow!("{step} failed: {status}")),
            },
            cause = self.shutdown.wait() => {
                wind_down(&mut child, cause).await;
                Err(anyhow!(INTERRUPTED))
            }
        };
        self.finish(step, started, outcome)
    }

    /// Runs a step that is not a command.
    pub(super) async fn of<T>(
        &mut self,
        step: &'static str,
        what: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        announce(step, what);
        let started = Instant::now();
        let outcome = tokio::select! {
            outcome = work => outcome,
            _ = self.shutdown.wait() => Err(anyhow!(INTERRUPTED)),
        };
        self.finish(step, started, outcome)
    }

    pub(super) fn passed(&self) -> String {
        self.passed.join(", ")
    }

    fn finish<T>(&mut self, step: &'static str, started: Instant, outcome: Result<T>) -> Result<T> {
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
