//! All that must be there before the first process starts.

use std::time::Instant;

use super::{CommandError, Context, Error};
use crate::{
    cli,
    install::Tools,
    lab::Lab,
    output,
    part::mysql::Server,
    ports::{Ports, Taken},
    process::Identity,
    state::{credentials::Credentials, settings::Settings},
};

/// Decides how the lab is to be, writes it down, and makes the database's files.
pub(super) async fn lab(
    args: &cli::Up,
    tools: Tools,
    context: &Context,
) -> Result<Lab, CommandError> {
    let ports = if args.free_ports {
        Ports::free()?
    } else {
        Ports::default()
    };
    let lab = Lab {
        workspace: context.workspace.clone(),
        dir: context.dir.clone(),
        settings: Settings {
            ports,
            tools,
            log_layout: args.log_layout,
            via: args.via,
            relay: args.relay,
            database_url: args.database_url.clone(),
            owner: args.owner.map(owner).transpose()?,
        },
        credentials: Credentials::keep(&context.dir)?,
    };
    check_ports(&lab)?;
    // Whether every part can be described shows here, before anything runs.
    lab.parts()?;
    lab.settings.save(&lab.dir)?;
    if lab.settings.tools.database.is_some() {
        initialise(&lab).await?;
    }
    Ok(lab)
}

fn owner(pid: i32) -> Result<Identity, Error> {
    let process = Identity::of(pid);
    if process.is_alive() {
        Ok(process)
    } else {
        Err(Error::NoOwner(pid))
    }
}

fn check_ports(lab: &Lab) -> Result<(), Error> {
    let taken = lab.settings.ports.taken(&lab.part_names());
    if taken.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = taken.iter().map(Taken::to_string).collect();
    Err(Error::PortsTaken(lines.join("\n  ")))
}

async fn initialise(lab: &Lab) -> Result<(), CommandError> {
    let server = Server::of(lab)?;
    if server.is_initialised() {
        return Ok(());
    }
    let started = Instant::now();
    server.initialise(&lab.dir.log("mysql")).await?;
    output::done("data", "database files", started.elapsed());
    Ok(())
}
