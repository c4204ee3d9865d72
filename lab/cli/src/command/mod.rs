//! The commands, one module each.

mod apart;
mod bench;
mod chaos;
mod dist;
mod down;
mod env;
mod fault;
mod fuzz;
mod kill;
mod logs;
mod pay;
mod reach;
mod restart;
mod runbook;
mod screenshots;
mod sql;
mod status;
mod supervise;
mod test;
mod up;

use std::{
    env as process_env, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    build,
    cli::{Cli, Command},
    control, database, files, install,
    lab::Lab,
    output,
    part::{self, PartName},
    payment,
    ports::NoFreePort,
    process, relay,
    shutdown::Shutdown,
    state::{self, LabDir},
    vpc,
    workspace::{self, Workspace},
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("can't start the runtime")]
    Runtime(#[source] io::Error),
    #[error("can't listen for signals")]
    Signals(#[source] io::Error),
    #[error("can't go on reading the log")]
    Follow(#[source] io::Error),
    #[error("can't start {}", program.display())]
    Spawn {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    #[error(transparent)]
    Lab(#[from] crate::lab::Error),
    #[error(transparent)]
    State(#[from] state::Error),
    #[error(transparent)]
    Files(#[from] files::Error),
    #[error(transparent)]
    Install(#[from] install::Error),
    #[error(transparent)]
    Build(#[from] build::Error),
    #[error(transparent)]
    Ports(#[from] NoFreePort),
    #[error(transparent)]
    Part(#[from] part::Error),
    #[error(transparent)]
    Mysql(#[from] part::mysql::Error),
    #[error(transparent)]
    Process(#[from] process::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Payment(#[from] payment::Error),
    #[error(transparent)]
    Fault(#[from] crate::fault::Error),
    #[error(transparent)]
    Apart(#[from] apart::Failed),
    #[error(transparent)]
    Bench(#[from] crate::bench::Error),
    #[error(transparent)]
    Chaos(#[from] crate::chaos::Error),
    #[error(transparent)]
    Screenshots(#[from] crate::screenshots::Error),
    #[error(transparent)]
    Relay(#[from] relay::Error),
    #[error(transparent)]
    Control(#[from] control::Error),
    #[error(transparent)]
    Vpc(#[from] vpc::Error),
    #[error(transparent)]
    Up(#[from] up::Error),
    #[error(transparent)]
    Fuzz(#[from] fuzz::Error),
    #[error(transparent)]
    Dist(#[from] dist::Error),
    #[error(transparent)]
    Runbook(#[from] crate::runbook::Error),
    #[error(transparent)]
    Test(#[from] test::Error),
    #[error("{0} does not run: see `cargo lab status`")]
    NotRunning(PartName),
    #[error("{part} is not {wanted} again within {seconds} s: see `cargo lab logs {part}`")]
    NotBack {
        part: PartName,
        wanted: &'static str,
        seconds: u64,
    },
    #[error("the supervisor (pid {0}) does not end")]
    Stuck(i32),
}

/// What a shell reports for a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// What every command gets.
#[derive(Clone, Debug)]
pub struct Context {
    workspace: Workspace,
    dir: LabDir,
    /// What to type for this lab: `cargo lab`, with the directory where it is not the usual one.
    cargo_lab: String,
}

impl Context {
    fn of(dir: Option<&Path>) -> Result<Self, Error> {
        let workspace = Workspace::find()?;
        let usual = workspace.root().join(".lab");
        let named_by_variable = process_env::var_os("LAB_DIR").is_some();
        let cargo_lab = match dir {
            Some(dir) if !named_by_variable => {
                let dir = env::quoted(&dir.to_string_lossy());
                format!("cargo lab --dir {dir}")
            }
            _ => "cargo lab".to_owned(),
        };
        Ok(Self {
            dir: LabDir::at(dir.unwrap_or(&usual))?,
            workspace,
            cargo_lab,
        })
    }

    /// The lab that was prepared here.
    fn lab(&self) -> Result<Lab, Error> {
        Ok(Lab::load(self.dir.clone(), self.workspace.clone())?)
    }
}

/// Runs one command.
pub async fn run(cli: Cli) -> Result<ExitCode, Error> {
    let context = Context::of(cli.dir.as_deref())?;
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
        Command::Bench(args) => Box::pin(bench::run(&args, &context)).await,
        Command::Chaos(args) => chaos::run(&args, &context).await,
        Command::Screenshots(args) => screenshots::run(&args, &context).await,
        Command::Fuzz(args) => fuzz::run(&args, &context).await,
        Command::Runbook(args) => Box::pin(runbook::run(&args, &context)).await,
        Command::Dist(args) => dist::run(&args, &context).await,
        Command::Test(args) => test::run(&args, &context).await,
        Command::Relay { config } => {
            let mut shutdown = Shutdown::listen(None).map_err(Error::Signals)?;
            relay::run(&config, &mut shutdown).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Control { config } => {
            let mut shutdown = Shutdown::listen(None).map_err(Error::Signals)?;
            control::run(&config, &mut shutdown).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Enter {
            hosts,
            namespace,
            program,
        } => match vpc::enter::run(&namespace, hosts.as_deref(), &program)? {},
        Command::TryS3 { endpoint } => {
            output::say(crate::reach::s3::tried(&endpoint).await);
            Ok(ExitCode::SUCCESS)
        }
        Command::Reach(args) => reach::run(&args, &context).await,
        Command::Supervise => supervise::run(&context).await,
    }
}
