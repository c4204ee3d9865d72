//! Follows the supervisor by its status file, and prints progress.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, Error, Result, anyhow, bail};
use lab_runner::{
    files,
    lab::Lab,
    log, output,
    part::PartName,
    state::{
        LabDir,
        status::{Failure, PartStatus, Phase, Status},
    },
    vpc::user,
};
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use super::Context;

const POLL: Duration = Duration::from_millis(30);
const SLOW_POLL: Duration = Duration::from_secs(1);

const SUPERVISOR: &str = "supervisor";

/// Starts the supervisor, detached from this terminal.
pub(super) fn spawn_supervisor(lab: &Lab, context: &Context) -> Result<Child> {
    // An old status would be mistaken for the new one.
    files::remove(&context.dir.status())?;
    let log = context.dir.log(SUPERVISOR);
    files::remove(&log)?;
    let log = files::append(&log)?;
    let program = context.workspace.lab();
    let (starter, before) = user::started(lab.vpc.as_deref(), program);
    Command::new(starter)
        .args(before)
        .arg("--dir")
        .arg(context.dir.root())
        .arg("supervise")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

/// Prints each part when it becomes healthy; returns once the lab is running, or what went wrong.
pub(super) async fn until_running(lab: &Lab, supervisor: &mut Child) -> Result<()> {
    let mut shown: Vec<PartName> = Vec::new();
    loop {
        // Checked before the status is read, so that its final status is not missed.
        let ended = supervisor.try_wait().ok().flatten();
        if let Some(status) = files::read_json::<Status>(&lab.dir.status())? {
            show_ready(&status, &mut shown);
            if let (Some(failure), Some(_)) = (&status.failure, ended) {
                return Err(start_error(&lab.dir, failure));
            }
            if status.phase == Phase::Running {
                return Ok(());
            }
        }
        if let Some(exit) = ended {
            bail!(
                "the supervisor exited before the lab was up; its log ends with\n{}\n({exit})",
                log::end_of(&lab.dir.log(SUPERVISOR))
            );
        }
        sleep(POLL).await;
    }
}

fn show_ready(status: &Status, shown: &mut Vec<PartName>) {
    for part in &status.parts {
        if let Some(ready_ms) = part.ready_ms
            && !shown.contains(&part.part)
        {
            let detail = format!("{} on {}", part.about, part.addr);
            let took = Duration::from_millis(ready_ms);
            output::done(part.part.as_str(), detail, took);
            shown.push(part.part);
        }
    }
}

fn start_error(dir: &LabDir, failure: &Failure) -> Error {
    let log = failure.part.map(|part| log::end_of(&dir.log(part)));
    anyhow!("{}{}", failure.reason, log.unwrap_or_default())
}

/// Prints every part that dies and comes back; returns once the lab was stopped.
pub(super) async fn deaths(dir: &LabDir) -> Result<()> {
    let mut known: Vec<PartStatus> = Vec::new();
    loop {
        let Some(status) = Status::load(dir)? else {
            return Ok(());
        };
        if status.phase == Phase::Stopped {
            return Ok(());
        }
        for part in &status.parts {
            if let Some(before) = known.iter().find(|known| known.part == part.part)
                && let Some(news) = part.news_since(before)
            {
                output::say(format_args!("{:<7} {news}", part.part));
            }
        }
        known = status.parts;
        sleep(SLOW_POLL).await;
    }
}
