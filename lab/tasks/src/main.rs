//! `cargo lab runbook`, `dist` and `screenshots`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use lab_runner::{
    command_line::{self, DirOption},
    workspace::Workspace,
};
use lab_tasks::command::{
    release::{self, Dist},
    runbook::{self, Runbook},
    screenshots::{self, Screenshots},
};

#[derive(Debug, Parser)]
#[command(name = "lab-tasks", bin_name = "cargo lab")]
struct Arguments {
    #[command(flatten)]
    dir: DirOption,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Take the pictures in screenshots/ again, from a lab of its own
    Screenshots(Screenshots),
    /// Run the pages of deploy-notes against a simulated AWS, and check the result
    Runbook(Runbook),
    /// Build and package the programs, reproducibly, under target/dist
    Dist(Dist),
}

fn main() -> ExitCode {
    command_line::run(run)
}

async fn run(args: Arguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match args.task {
        Task::Screenshots(task) => {
            let dir = args.dir.lab_dir(&workspace)?;
            screenshots::run(&task, &dir, workspace).await
        }
        Task::Runbook(task) => Box::pin(runbook::run(&task, &workspace)).await,
        Task::Dist(task) => release::run(&task, &workspace).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }
}
