//! `cargo lab supervise`: the process that `up` leaves running, in a session of its own.

use std::process::ExitCode;

use anyhow::{Error, Result};
use lab_runner::{
    database,
    fault::expiry,
    lab::Lab,
    output,
    part::{self, PartName, START},
    process,
    state::status::Failure,
    supervisor::Supervisor,
    vpc::{user, wiring},
};
use nix::unistd;

use super::Context;

pub(super) async fn run(context: &Context) -> Result<ExitCode> {
    // Detaches it from the terminal. Fails only for a process that already leads a group.
    let _ = unistd::setsid();
    process::allow_open_files();
    let Some(_held) = context.dir.lock()? else {
        output::warn("another supervisor runs in this directory");
        return Ok(ExitCode::FAILURE);
    };
    let lab = context.lab()?;
    let mut shutdown = super::shutdown(lab.settings.owner)?;
    let mut supervisor = Supervisor::new(lab.dir.clone(), &lab.parts()?);
    let s3_port = lab.address(PartName::S3).port();
    let made = |vpc| user::cover_names(vpc).and_then(|()| wiring::make(vpc, s3_port));
    if let Some(Err(error)) = lab.vpc.as_deref().map(made) {
        supervisor.failed(Failure::of(None, error.as_ref()));
        wiring::remove_or_warn(&lab.dir);
        supervisor.stop().await;
        return Ok(ExitCode::FAILURE);
    }

    let brought_up = tokio::select! {
        outcome = bring_up(&lab, &mut supervisor) => Some(outcome),
        _ = shutdown.wait() => None,
    };
    let mut code = ExitCode::SUCCESS;
    match brought_up {
        Some(Ok(())) => {
            supervisor.running();
            tokio::select! {
                _ = shutdown.wait() => {}
                never = expiry::keep(&lab) => match never {},
            }
        }
        Some(Err(failure)) => {
            supervisor.failed(failure);
            code = ExitCode::FAILURE;
        }
        None => {}
    }
    supervisor.stop().await;
    wiring::remove_or_warn(&lab.dir);
    Ok(code)
}

/// Starts everything in order.
async fn bring_up(lab: &Lab, supervisor: &mut Supervisor) -> Result<(), Failure> {
    let names = lab.part_names();
    for (rank, group) in START.iter().enumerate() {
        let parts = group
            .iter()
            .filter(|name| names.contains(name))
            .map(|&name| part::of(name, lab))
            .collect::<Result<_, _>>()
            .map_err(|error: Error| Failure::of(None, error.as_ref()))?;
        let started = supervisor.start(parts).await;
        started.map_err(|error| Failure::of(error.part(), &error))?;
        // The first rank contains the database; the following ones expect its schema.
        if rank == 0 {
            prepare_database(lab).await?;
        }
    }
    Ok(())
}

async fn prepare_database(lab: &Lab) -> Result<(), Failure> {
    // A server elsewhere has no log here.
    let own = lab.part_names().contains(&PartName::Mysql);
    let failed = |error: Error| Failure::of(own.then_some(PartName::Mysql), error.as_ref());
    let database = lab.database().map_err(failed)?;
    database::prepare(lab, &database).await.map_err(failed)
}
