//! Keeps one part running.

use std::{
    convert::Infallible,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use tokio::{
    process::Child,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Board, backoff::Backoff, log};
use crate::{
    output,
    part::{Part, PartName},
    process::{Identity, kill_group},
    state::hold::Hold,
};

/// Interval between health checks of a part that is starting.
const STARTING: Duration = Duration::from_millis(50);
/// Interval between health checks of a part that was healthy.
const STEADY: Duration = Duration::from_secs(1);
/// Interval between checks whether a part must still stay down.
const HELD: Duration = Duration::from_millis(100);
/// Failed checks before a part counts as unhealthy: one late answer on a busy machine does not.
const FAILURES_TO_BE_UNHEALTHY: u32 = 2;

#[derive(Debug)]
pub(super) struct Keeper {
    part: PartName,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Keeper {
    pub(super) fn start(part: Part, log: PathBuf, hold: Hold, board: Board) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self {
            part: part.name,
            stop,
            task: tokio::spawn(keep(part, log, hold, board, stopped)),
        }
    }

    pub(super) fn part(&self) -> PartName {
        self.part
    }

    /// Asks the part to exit; the returned task ends with it.
    pub(super) fn stop(self) -> JoinHandle<()> {
        // Nobody is listening if the task ended by itself.
        let _ = self.stop.send(());
        self.task
    }
}

async fn keep(part: Part, log: PathBuf, hold: Hold, board: Board, mut stop: oneshot::Receiver<()>) {
    let mut backoff = Backoff::new();
    loop {
        tokio::select! {
            () = lifted(&hold) => {}
            _ = &mut stop => break,
        }
        let started = Instant::now();
        match part.launch.spawn(&log) {
            Ok(mut child) => {
                let process = Identity::of_child(&child);
                board.started(part.name, process);
                let exit = tokio::select! {
                    exit = child.wait() => exit,
                    never = watch(&part, &log, &board) => match never {},
                    _ = &mut stop => {
                        end(&mut child, part.stop_timeout).await;
                        break;
                    }
                };
                if let Some(process) = process {
                    kill_group(process.pid);
                }
                if board.was_healthy(part.name)
                    && exit.as_ref().is_ok_and(|&exit| is_in_order(exit))
                {
                    board.stopped(part.name);
                    backoff = Backoff::new();
                    continue;
                }
                board.died(part.name, describe(exit));
            }
            Err(error) => board.died(part.name, output::chain(error.as_ref())),
        }
        tokio::select! {
            () = sleep(backoff.after(started.elapsed())) => {}
            _ = &mut stop => break,
        }
    }
    board.stopped(part.name);
}

/// Waits as long as the part must stay down.
async fn lifted(hold: &Hold) {
    while hold.is_on() {
        sleep(HELD).await;
    }
}

/// Checks the part's health and rotates its log, as long as it lives.
async fn watch(part: &Part, log: &Path, board: &Board) -> Infallible {
    let started = Instant::now();
    let mut interval = STARTING;
    let mut failures = 0;
    // The health last reported to the board; nothing yet.
    let mut known = None;
    loop {
        let health = part.health.check(part.address).await;
        failures = if health.is_ok() { 0 } else { failures + 1 };
        if known.as_ref() != Some(&health) {
            match &health {
                Ok(()) => {
                    board.healthy(part.name, started.elapsed());
                    interval = STEADY;
                    known = Some(health);
                }
                Err(unhealthy) if failures >= FAILURES_TO_BE_UNHEALTHY => {
                    board.unhealthy(part.name, &unhealthy.to_string());
                    known = Some(health);
                }
                Err(_) => {}
            }
        }
        if let Err(error) = log::rotate(log) {
            output::error(&error);
        }
        sleep(interval).await;
    }
}

/// Ends it: SIGTERM, a wait, then SIGKILL; its process group ends with it.
async fn end(child: &mut Child, stop_timeout: Duration) {
    let Some(process) = Identity::of_child(child) else {
        return;
    };
    process.signal(Signal::SIGTERM);
    if timeout(stop_timeout, child.wait()).await.is_err() {
        output::warn(format_args!(
            "pid {} did not exit within {} s and is killed",
            process.pid,
            stop_timeout.as_secs()
        ));
        process.signal(Signal::SIGKILL);
        let _ = child.wait().await;
    }
    kill_group(process.pid);
}

/// Someone other than its keeper stopped it gracefully, as a restart does: it starts again at once, and this is not a
/// death.
fn is_in_order(exit: ExitStatus) -> bool {
    let asked_to_end = |signal| Signal::try_from(signal) == Ok(Signal::SIGTERM);
    exit.success() || exit.signal().is_some_and(asked_to_end)
}

fn describe(exit: std::io::Result<ExitStatus>) -> String {
    match exit {
        Ok(status) => format!("died: {status}"),
        Err(error) => format!("cannot be waited for: {error}"),
    }
}
