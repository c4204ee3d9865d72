//! Prepares everything that must exist before the first process starts.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use lab_runner::{
    certificate,
    install::{self, Tools},
    lab::Lab,
    output,
    part::mysql::Server,
    ports::{Ports, Taken},
    process::Identity,
    state::{self, credentials::Credentials, settings::Settings},
    vpc::{self, Vpc},
};
use nix::unistd::Uid;

use super::Context;
use crate::cli;

/// Decides the lab's settings, saves them, and creates the database's files.
pub(super) async fn lab(args: &cli::Up, tools: Tools, context: &Context) -> Result<Lab> {
    let ports = if args.free_ports {
        Ports::free()?
    } else {
        Ports::default()
    };
    let vpc = args.vpc.then(|| network(args, context)).transpose()?;
    let lab = Lab {
        vpc: vpc
            .as_ref()
            .map(|vpc| Vpc::of(vpc, &context.dir).map(Arc::new))
            .transpose()?,
        workspace: context.workspace.clone(),
        dir: context.dir.clone(),
        settings: Settings {
            ports,
            tools,
            log_layout: args.log_layout,
            via: args.via,
            iam: args.iam.as_deref().map(absolute).transpose()?,
            relay: args.relay,
            console: !args.no_console,
            vpc,
            object_lock: args.object_lock,
            tls: args.tls,
            clients: args.clients.as_deref().map(absolute).transpose()?,
            pay_key: args.pay_key.clone().filter(|_| args.clients.is_some()),
            database_url: args.database_url.clone(),
            owner: args.owner.map(owner).transpose()?,
        },
        credentials: Credentials::keep(&context.dir)?,
    };
    check_ports(&lab)?;
    if lab.vpc.is_some() || lab.settings.tls {
        certificate::Files::of(&lab.dir).make()?;
    }
    // Whether every part can be described shows here, before anything runs.
    lab.parts()?;
    lab.settings.save(&lab.dir)?;
    if lab.settings.tools.database.is_some() {
        initialise(&lab).await?;
    }
    Ok(lab)
}

/// Returns the requested network, and how to create it.
fn network(args: &cli::Up, context: &Context) -> Result<state::vpc::Settings> {
    vpc::is_possible()?;
    let usual = || context.workspace.network();
    let network = args.network.clone().unwrap_or_else(usual);
    Ok(state::vpc::Settings {
        network: std::path::absolute(&network).unwrap_or(network),
        nat: args.nat,
        rootless: !Uid::effective().is_root(),
        tools: install::network(args.install)?,
    })
}

/// Makes a path absolute, because the parts start in another folder.
fn absolute(folder: &Path) -> Result<PathBuf> {
    folder
        .canonicalize()
        .with_context(|| format!("no such folder: {}", folder.display()))
}

fn owner(pid: i32) -> Result<Identity> {
    let process = Identity::of(pid);
    ensure!(
        process.is_alive(),
        "the process {pid} that owns the lab is not running"
    );
    Ok(process)
}

fn check_ports(lab: &Lab) -> Result<()> {
    let taken = lab.settings.ports.taken(&lab.part_names());
    let lines: Vec<String> = taken.iter().map(Taken::to_string).collect();
    ensure!(
        lines.is_empty(),
        "{}\n\nstop the other program, or use other ports: cargo lab up --free-ports",
        lines.join("\n  ")
    );
    Ok(())
}

async fn initialise(lab: &Lab) -> Result<()> {
    let server = Server::of(lab)?;
    if server.is_initialised() {
        return Ok(());
    }
    let started = Instant::now();
    server.initialise(&lab.dir.log("mysql")).await?;
    output::done("data", "database files", started.elapsed());
    Ok(())
}
