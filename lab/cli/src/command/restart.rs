//! `cargo lab restart [PART…]`: restarts parts gracefully, one after another.
//!
//! Without a part it is the rolling restart of both tiers, as a deployment does it: the next instance is stopped only
//! when the load balancer sends requests to the previous one again.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use lab_runner::{
    http,
    lab::Lab,
    output,
    part::{
        self, PartName,
        haproxy::{self, TARGETS_PATH},
    },
    ports::TIERS,
    process::Identity,
    state::status::{PartState, PartStatus, Status},
};
use nix::sys::signal::Signal;
use tokio::time::sleep;

use super::{Context, kill::not_running};
use crate::cli::Restart;

/// Time for a start, and for the health checks of a load balancer.
const BACK: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(50);

pub(super) async fn run(args: &Restart, context: &Context) -> Result<ExitCode> {
    let lab = context.lab()?;
    let parts = match &args.parts[..] {
        [] => &TIERS[..],
        parts => parts,
    };
    for &part in parts {
        restart(part, &lab).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn restart(name: PartName, lab: &Lab) -> Result<()> {
    let started = Instant::now();
    let process = status(name, lab)?
        .and_then(|status| status.identity())
        .filter(|process| process.signal(Signal::SIGTERM))
        .ok_or_else(|| not_running(name))?;
    let stop_timeout = part::of(name, lab)?.stop_timeout;
    if !process.gone_within(stop_timeout).await {
        output::warn(format_args!(
            "{name} (pid {}) did not exit within {} s and is killed",
            process.pid,
            stop_timeout.as_secs()
        ));
        process.signal(Signal::SIGKILL);
    }
    let next = until(name, "healthy", async || healthy(name, lab, process)).await?;
    if let Some(balancer) = haproxy::before(name) {
        let wanted = async || Ok(is_in_service(name, balancer, lab).await.then_some(()));
        until(name, "in service", wanted).await?;
    }
    let detail = format!("pid {} → {}", process.pid, next.pid);
    output::done(name.as_str(), detail, started.elapsed());
    Ok(())
}

/// Polls until there is an answer.
async fn until<T>(
    part: PartName,
    wanted: &'static str,
    ask: impl AsyncFn() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + BACK;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            let seconds = BACK.as_secs();
            bail!("{part} is not {wanted} again within {seconds} s: see `cargo lab logs {part}`");
        }
        sleep(POLL).await;
    }
}

/// Returns the process that replaced `former`, once it is healthy.
fn healthy(name: PartName, lab: &Lab, former: Identity) -> Result<Option<Identity>> {
    Ok(status(name, lab)?
        .filter(|status| status.state == PartState::Healthy)
        .and_then(|status| status.identity())
        .filter(|&process| process != former))
}

/// Whether the load balancer sends requests to it.
async fn is_in_service(name: PartName, balancer: PartName, lab: &Lab) -> bool {
    let url = format!("{}{TARGETS_PATH}", lab.url(balancer));
    let ask = async {
        let targets = lab.client(http::TIMEOUT)?.get(&url).await?.body;
        // Each of its nodes has a line.
        let of_it = format!("{name} ");
        let mut nodes = targets
            .lines()
            .filter_map(|line| line.strip_prefix(&of_it))
            .peekable();
        anyhow::Ok(nodes.peek().is_some() && nodes.all(|node| node == "1"))
    };
    // A load balancer that does not answer sends nobody anything.
    ask.await.unwrap_or(false)
}

fn status(name: PartName, lab: &Lab) -> Result<Option<PartStatus>> {
    let status = Status::load(&lab.dir)?.ok_or_else(|| lab.dir.no_lab())?;
    Ok(status.part(name).cloned())
}
