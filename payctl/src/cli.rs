//! The commands.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use program::{Env, chain};

use crate::command::{
    client, doctor, key, migrate, pay, receipt, reconcile, replay, sql, status, trace, users,
    verify,
};
use crate::config;
use crate::outcome::{Outcome, USAGE};
use crate::output;

#[derive(Debug, Parser)]
#[command(
    name = "payctl",
    version,
    about = "Operates the payment pipeline, on AWS and in the lab",
    after_help = config::HELP
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say who may pay: change the web tier's file of clients, and make their keys
    Client(client::Args),
    /// Hold the account against the notes, and try the pipeline from here: each fault with its cause and what to do
    Doctor(doctor::Args),
    /// Make the key that signs checkpoints of verify, or print its public half
    Key(key::Args),
    /// Bring the database's schema up to date
    Migrate,
    /// Send a payment; it can be repeated under its id
    Pay(pay::Args),
    /// Ask what became of a payment
    Status(status::Args),
    /// Show every hop of one payment, with times
    Trace(trace::Args),
    /// Print the receipt of a recorded payment, or prove one against the journal
    Receipt(receipt::Args),
    /// Hold the log against the database: counts, what is missing, what differs
    Reconcile(reconcile::Args),
    /// Ingest objects by hand, with the function's own code
    Replay(replay::Args),
    /// Ask the database by a statement that reads, as the user reader
    Sql(sql::Args),
    /// As the database's administrator: make the users ingest, reader and migrator, with their rights and the schema
    Users(users::Args),
    /// Reconcile, hold every row against its own hash, and every object against the chain
    Verify(verify::Args),
}

/// Runs the command that the process's arguments name.
pub async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return show_usage(&error),
    };
    let env = Env::from_process();
    // Boxed: each future holds a whole pipeline of calls.
    let done = match cli.command {
        Command::Client(args) => client::run(args, env),
        Command::Doctor(args) => Box::pin(doctor::run(args, env)).await,
        Command::Key(args) => key::run(args),
        Command::Migrate => Box::pin(migrate::run(env)).await,
        Command::Pay(args) => Box::pin(pay::run(args, env)).await,
        Command::Status(args) => Box::pin(status::run(args, env)).await,
        Command::Trace(args) => Box::pin(trace::run(args, env)).await,
        Command::Receipt(args) => Box::pin(receipt::run(args, env)).await,
        Command::Reconcile(args) => Box::pin(reconcile::run(args, env)).await,
        Command::Replay(args) => Box::pin(replay::run(args, env)).await,
        Command::Sql(args) => Box::pin(sql::run(args, env)).await,
        Command::Users(args) => Box::pin(users::run(args, env)).await,
        Command::Verify(args) => Box::pin(verify::run(args, env)).await,
    };
    match done {
        Ok(outcome) => ExitCode::from(outcome.exit_status()),
        Err(failure) => {
            output::warn(&chain(failure.error()));
            ExitCode::from(failure.exit_status())
        }
    }
}

/// Also for `--help` and `--version`, which are no mistakes.
fn show_usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() {
        // Nothing is left to do if the terminal is gone.
        return ExitCode::from(USAGE);
    }
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::warn(&error.to_string());
            ExitCode::from(Outcome::Unfinished.exit_status())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }
}
