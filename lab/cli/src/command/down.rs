//! `cargo lab down`: stops every process of the lab; the data stays.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use lab_runner::{
    output,
    part::STOP,
    process::Identity,
    state::{
        LabDir,
        status::{PartStatus, Status},
    },
    vpc::wiring,
};
use nix::sys::signal::Signal;

use super::Context;

/// What the parts may take one after another, and a margin.
const SUPERVISOR_TIMEOUT: Duration = Duration::from_mins(2);

/// Time for a part whose supervisor is gone.
const PART_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) async fn run(context: &Context) -> Result<ExitCode> {
    let started = Instant::now();
    let status = Status::load(&context.dir)?;
    let parts = status.iter().flat_map(|status| &status.parts);
    let running = parts.filter(|part| part.pid.is_some()).count();
    stop(&context.dir, status.map(|status| status.supervisor)).await?;
    match running {
        0 => output::say("nothing runs"),
        parts => output::done("down", format_args!("{parts} parts"), started.elapsed()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops the supervisor, which stops the parts; then what a killed supervisor left.
pub(super) async fn stop(dir: &LabDir, supervisor: Option<Identity>) -> Result<()> {
    if let Some(supervisor) = supervisor {
        supervisor.signal(Signal::SIGTERM);
        if !supervisor.gone_within(SUPERVISOR_TIMEOUT).await {
            supervisor.signal(Signal::SIGKILL);
        }
        if !dir.unsupervised_within(PART_TIMEOUT).await? {
            bail!("the supervisor (pid {}) does not end", supervisor.pid);
        }
    }
    end_orphans(dir).await?;
    wiring::remove(dir)?;
    dir.forget_socket();
    Ok(())
}

/// Stops the parts that a killed supervisor left, in the usual order.
pub(super) async fn end_orphans(dir: &LabDir) -> Result<()> {
    let Some(status) = Status::load(dir)? else {
        return Ok(());
    };
    if status.parts.iter().any(|part| part.pid.is_some()) {
        output::say("ending what a killed supervisor left behind");
    }
    for group in STOP {
        let processes = status
            .parts
            .iter()
            .filter(|part| group.contains(&part.part))
            .filter_map(PartStatus::identity);
        let ending: Vec<_> = processes
            .map(|process| tokio::spawn(process.end(PART_TIMEOUT)))
            .collect();
        for task in ending {
            if let Err(error) = task.await {
                output::error(&error);
            }
        }
    }
    Ok(())
}
