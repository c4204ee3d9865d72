//! A journal that has everything: runs that ended, runs that were killed, and their open tails.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lab_runner::{
    lab::Lab,
    part::PartName,
    state::status::{PartState, PartStatus, Status},
};
use nix::sys::signal::Signal;
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use super::{Options, world::World};
use crate::{history::History, load::Load};

/// Payments per second, so few that most objects hold one or two.
const RATE: u32 = 40;

/// Length of the load in each life of the tiers.
const LENGTH: Duration = Duration::from_secs(4);

/// Longest time for a part to start or end, and for the last object to be ingested.
const PATIENCE: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(100);

/// An object of an older system, with a line that is no payment.
const OLDER: (&str, &str) = (
    "transactions/older.ndjson",
    "{\"id\":\"older-1\",\"amount\":\"12.00\"}\n{\"amount\":\"much\"}\n",
);

/// Pays, restarts one node and kills the other, pays again, and stops all that writes.
pub async fn set(options: &Options, lab: &Lab, world: &World) -> Result<()> {
    pay(options, lab, 0).await?;
    let restarted = Command::new(lab.workspace.lab())
        .arg("--dir")
        .arg(lab.dir.root())
        .args(["restart", "app-a"])
        .status();
    ensure!(restarted.await?.success(), "app-a did not restart");
    pay(options, lab, 1).await?;
    kill_and_await(lab, PartName::AppB).await?;
    pay(options, lab, 2).await?;
    // At once, before anything names what it wrote last.
    stop(lab, PartName::AppB, Signal::SIGKILL).await?;
    stop(lab, PartName::AppA, Signal::SIGTERM).await?;
    world.put(OLDER.0, OLDER.1).await?;
    until("every object is ingested", async || {
        Ok(world.not_ingested().await? == 0)
    })
    .await?;
    stop(lab, PartName::Lambda, Signal::SIGKILL).await
}

async fn pay(options: &Options, lab: &Lab, life: u64) -> Result<()> {
    let history = History::create(&lab.dir.root().join("history.ndjson"))?;
    let seed = options.seed.wrapping_mul(3).wrapping_add(life);
    let load = Load::start(RATE, seed, &options.clients, lab, &history)?;
    sleep(LENGTH).await;
    load.end().await;
    history.flush()?;
    Ok(())
}

async fn kill_and_await(lab: &Lab, part: PartName) -> Result<()> {
    let former = status(lab, part)?.identity();
    ensure!(
        Status::signal(&lab.dir, part, Signal::SIGKILL)?,
        "{part} is not running"
    );
    until("the part that was killed is back", async || {
        let status = status(lab, part)?;
        Ok(status.state == PartState::Healthy && status.identity() != former)
    })
    .await
}

/// Stops a part for good.
async fn stop(lab: &Lab, part: PartName, signal: Signal) -> Result<()> {
    lab.dir.hold(part).set(None)?;
    let process = status(lab, part)?
        .identity()
        .context("the part is not running")?;
    process.signal(signal);
    until("a part stopped", async || Ok(!process.is_alive())).await
}

fn status(lab: &Lab, part: PartName) -> Result<PartStatus> {
    let status = Status::load(&lab.dir)?.context("the lab has no status")?;
    status
        .part(part)
        .cloned()
        .context("the lab has no such part")
}

async fn until(what: &str, is_so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await? {
        ensure!(
            Instant::now() < deadline,
            "not within {} s: {what}",
            PATIENCE.as_secs()
        );
        sleep(POLL).await;
    }
    Ok(())
}
