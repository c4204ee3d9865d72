//! The commands, one module each.

mod check;
mod down;
mod env;
mod fault;
mod fuzz;
mod kill;
mod logs;
mod pay;
mod reach;
mod restart;
mod sql;
mod status;
mod supervise;
mod tool;
mod up;

use std::{convert::Infallible, env as process_env, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use lab_runner::{
    command_line::{DirOption, INTERRUPTED},
    control,
    lab::Lab,
    output,
    process::Identity,
    relay,
    shutdown::Shutdown,
    state::LabDir,
    vpc,
    workspace::Workspace,
};

use self::tool::become_program;
use crate::cli::{Cli, Command, Passed};

/// What every command gets.
#[derive(Clone, Debug)]
pub struct Context {
    workspace: Workspace,
    dir: LabDir,
    /// The directory, if given on the command line.
    named: Option<PathBuf>,
    /// The command prefix for this lab: `cargo lab`, with the directory if it is not the usual one.
    cargo_lab: String,
}

impl Context {
    fn of(option: &DirOption) -> Result<Self> {
        let workspace = Workspace::find()?;
        let variable = process_env::var_os("LAB_DIR").map(PathBuf::from);
        let named = option.dir.clone().filter(|_| option.dir != variable);
        let cargo_lab = match &named {
            Some(dir) => {
                let dir = env::quoted(&dir.to_string_lossy());
                format!("cargo lab --dir {dir}")
            }
            None => "cargo lab".to_owned(),
        };
        Ok(Self {
            dir: option.lab_dir(&workspace)?,
            workspace,
            named,
            cargo_lab,
        })
    }

    /// Returns the lab that was prepared here.
    fn lab(&self) -> Result<Lab> {
        Lab::load(self.dir.clone(), self.workspace.clone())
    }
}

/// Listens for what ends a command.
fn shutdown(owner: Option<Identity>) -> Result<Shutdown> {
    Shutdown::listen(owner).context("cannot listen for signals")
}

/// Runs one command.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    let context = Context::of(&cli.dir)?;
    match cli.command {
        Command::Up(args) => up::run(&args, &context).await,
        Command::Down => down::run(&context).await,
        Command::Status(args) => status::run(&args, &context),
        Command::Env(args) => env::run(&args, &context),
        Command::Logs(args) => logs::run(&args, &context).await,
        Command::Pay(args) => pay::run(args, &context).await,
        Command::Sql(args) => sql::run(&args, &context).await,
        Command::Kill(args) => kill::run(&args, &context),
        Command::Restart(args) => restart::run(&args, &context).await,
        Command::Fault(args) => fault::run(&args, &context).await,
        Command::Bench(args) => match become_program("lab-bench", &[], &args, &context).await? {},
        Command::Chaos(args) => match become_program("lab-chaos", &[], &args, &context).await? {},
        Command::Screenshots(args) => match task("screenshots", &args, &context).await? {},
        Command::Fuzz(args) => fuzz::run(&args, &context).await,
        Command::Runbook(args) => match task("runbook", &args, &context).await? {},
        Command::Dist(args) => match task("dist", &args, &context).await? {},
        Command::Test(args) => check::run(&args, &context).await,
        Command::Db(args) => check::database(&args, &context).await,
        Command::Relay { config } => {
            let mut shutdown = shutdown(None)?;
            relay::run(&config, &mut shutdown).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Control { config } => {
            let mut shutdown = shutdown(None)?;
            control::run(&config, &mut shutdown).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Enter {
            hosts,
            namespace,
            program,
        } => match vpc::enter::run(&namespace, hosts.as_deref(), &program)? {},
        Command::TryS3 { endpoint } => {
            output::say(lab_runner::reach::s3::tried(&endpoint).await);
            Ok(ExitCode::SUCCESS)
        }
        Command::Reach(args) => reach::run(&args, &context).await,
        Command::Supervise => supervise::run(&context).await,
    }
}

/// Runs a command of a program that has several.
async fn task(name: &str, args: &Passed, context: &Context) -> Result<Infallible> {
    become_program("lab-tasks", &[name], args, context).await
}
