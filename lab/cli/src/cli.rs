//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use lab_runner::{
    command_line::{DirOption, number_to},
    database::User,
    fault::FaultTarget,
    install::{self, Flavour},
    part_name::PartName,
    secret::Secret,
    state::settings::{EventRoute, LogLayout},
};

/// Run the whole payment pipeline on this machine
#[derive(Debug, Parser)]
#[command(name = "cargo lab", bin_name = "cargo lab", version)]
pub struct Cli {
    #[command(flatten)]
    pub dir: DirOption,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build, start everything, and send one payment through
    Up(Up),
    /// Stop everything; the data stays
    Down,
    /// Show the parts and their state
    Status(Status),
    /// Print shell exports for aws, mysql, payctl and curl
    Env(Env),
    /// Show a part's log
    Logs(Logs),
    /// Send a payment
    Pay(Pay),
    /// Query the database as the user reader; without a statement, interactively
    Sql(Sql),
    /// Kill a part with SIGKILL, to see it come back
    Kill(Kill),
    /// Restart parts gracefully, one after another; without a part, both tiers
    Restart(Restart),
    /// Try every pair of hosts in the VPC, and compare what is reachable with what should be
    Reach(Reach),
    /// Switch a fault on or off; without a kind, list them
    Fault(Fault),
    /// Post payments while faults of all kinds come and go, then prove that none was lost or duplicated
    #[command(disable_help_flag = true)]
    Chaos(Passed),
    /// Take the pictures in screenshots/ again, from a lab of its own
    #[command(disable_help_flag = true)]
    Screenshots(Passed),
    /// Measure speed and cost against the alternatives
    #[command(disable_help_flag = true)]
    Bench(Passed),
    /// Fuzz the parsers
    Fuzz(Fuzz),
    /// Run the pages of deploy-notes against a simulated AWS, and check the result
    #[command(disable_help_flag = true)]
    Runbook(Passed),
    /// Build and package the programs, reproducibly, under target/dist
    #[command(disable_help_flag = true)]
    Dist(Passed),
    /// Build, and run the tests that prove the promises; with --full every test, lint and the documentation
    Test(Test),
    /// Run a private database server for tests, print its URL, and stop it with Ctrl-C
    Db(Db),
    /// Relay connections between the parts; the supervisor starts this
    #[command(hide = true)]
    Relay { config: PathBuf },
    /// Keep the doors into the VPC open; the supervisor starts this
    #[command(hide = true)]
    Control { config: PathBuf },
    /// Run a program in a namespace; the supervisor starts this
    #[command(hide = true)]
    Enter {
        /// File to mount over /etc/hosts
        #[arg(long)]
        hosts: Option<PathBuf>,
        namespace: String,
        #[arg(last = true, required = true)]
        program: Vec<OsString>,
    },
    /// Try what S3 allows the role in the environment to do; `reach` starts this
    #[command(hide = true)]
    TryS3 { endpoint: String },
    /// Supervise the parts; `up` starts this
    #[command(hide = true)]
    Supervise,
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Up {
    /// Return once everything is healthy, and keep running in the background
    #[arg(long)]
    pub detach: bool,
    /// Delete the data and credentials of earlier runs
    #[arg(long)]
    pub fresh: bool,
    /// Install missing programs, with sudo if needed
    #[arg(long)]
    pub install: bool,
    /// Use free ports instead of the usual ones
    #[arg(long)]
    pub free_ports: bool,
    /// Run the programs as last built, without building
    #[arg(long)]
    pub no_build: bool,
    /// How the app tier stores payments in the bucket
    #[arg(long, value_enum, default_value_t)]
    pub log_layout: LogLayout,
    /// How S3 events reach the function
    #[arg(long, value_enum, default_value_t)]
    pub via: EventRoute,
    /// Folder of IAM policies to enforce instead of deploy-notes/iam, with the same file names
    #[arg(long, value_name = "DIR")]
    pub iam: Option<PathBuf>,
    /// Put a relay between the parts, so that `fault relay` can slow down, reset and cut connections
    #[arg(long)]
    pub relay: bool,
    /// Run without the console, the lab's web pages
    #[arg(long)]
    pub no_console: bool,
    /// Object Lock on the bucket, as deploy-notes set it: versions are kept for a day, in GOVERNANCE mode
    #[arg(long)]
    pub object_lock: bool,
    /// TLS on every hop from the client to the app tier, by a CA of the lab's own
    #[arg(long)]
    pub tls: bool,
    /// Let only the clients of this file pay; see `payctl client`. Without a key no first payment is sent
    #[arg(long, value_name = "FILE")]
    pub clients: Option<PathBuf>,
    /// With --clients: key with which the lab itself pays, for the first payment and the console's buttons
    #[arg(long, value_name = "KEY", env = "PAY_KEY", hide_env_values = true)]
    pub pay_key: Option<Secret>,
    /// Each host in a network namespace of its own, with the subnets, routes, security groups and ACLs of AWS
    #[arg(long, conflicts_with_all = ["relay", "database_url"])]
    pub vpc: bool,
    /// With --vpc: add a NAT gateway, through which private subnets reach the internet
    #[arg(long, requires = "vpc")]
    pub nat: bool,
    /// With --vpc: network file [default: deploy-notes/network.toml]
    #[arg(long, requires = "vpc", value_name = "FILE")]
    pub network: Option<PathBuf>,
    /// Database server to run [default: the one that created the data, or MySQL if it is installed, or MariaDB]
    #[arg(long, value_enum, env = install::DATABASE)]
    pub database: Option<Flavour>,
    /// URL of a MySQL or MariaDB server to use instead of a private one, as its administrator
    #[arg(long, value_name = "URL")]
    pub database_url: Option<Secret>,
    /// Exit when this process exits: for tests, which may be killed
    #[arg(long, value_name = "PID", hide = true)]
    pub owner: Option<i32>,
}

#[derive(Debug, Args)]
pub struct Status {
    /// Print a JSON list of part, pid, addr and state
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Env {
    /// Database user: `payctl replay` needs ingest, `payctl migrate` needs migrator
    #[arg(long, value_enum, default_value_t)]
    pub user: User,
}

#[derive(Debug, Args)]
pub struct Logs {
    pub part: PartName,
    /// Keep printing lines as they are added
    #[arg(short, long)]
    pub follow: bool,
    /// Number of last lines to print
    #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
    pub lines: usize,
}

#[derive(Debug, Args)]
pub struct Pay {
    /// Payment id, with which the payment can be repeated safely
    #[arg(long)]
    pub id: Option<String>,
    /// Description of the payment
    #[arg(long)]
    pub transaction: Option<String>,
    /// Exact amount, such as 100.00
    #[arg(long)]
    pub amount: Option<String>,
    /// ISO 4217 currency code
    #[arg(long)]
    pub currency: Option<String>,
    /// Name of the payer
    #[arg(long, value_name = "NAME")]
    pub payer_name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Sql {
    pub statement: Option<String>,
}

#[derive(Debug, Args)]
pub struct Kill {
    pub part: PartName,
}

#[derive(Debug, Args)]
pub struct Fault {
    /// Part to inject the fault into; a fault of s3 spares the requests of the operator, such as those of payctl
    #[arg(value_enum)]
    pub part: Option<FaultTarget>,
    /// Kind of fault, such as slow-down; for relay with the name of the link, such as web-a-reset; for zone, the zone
    pub kind: Option<String>,
    /// Probability, from 0 to 1, with which the fault is injected
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    pub rate: f64,
    /// Duration of the fault, in milliseconds, for kinds that have one
    #[arg(long)]
    pub ms: Option<u64>,
    /// Switch the fault off after this many injections
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Switch the fault off after this many seconds; for mysql and zone, the command waits until then
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Switch faults off: this kind, all of the part, or all
    #[arg(long)]
    pub off: bool,
}

#[derive(Debug, Args)]
pub struct Reach {
    /// Explain by which rules a host reaches a port of another, or which rule blocks it
    #[arg(long, num_args = 2, value_names = ["FROM", "TO:PORT"])]
    pub explain: Option<Vec<String>>,
    /// Print what the rules allow, without a lab
    #[arg(long, conflicts_with = "explain")]
    pub rules: bool,
    /// Print the network as a Mermaid diagram, as in page 1 of the deployment notes
    #[arg(long, conflicts_with_all = ["explain", "rules"])]
    pub picture: bool,
    /// Network file, if no lab with a VPC is up [default: deploy-notes/network.toml]
    #[arg(long, value_name = "FILE")]
    pub network: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    number_to(86_400.0, text)
}

#[derive(Debug, Args)]
pub struct Fuzz {
    /// Duration of each target, in seconds
    #[arg(long, default_value_t = 60)]
    pub seconds: u32,
}

#[derive(Debug, Args)]
pub struct Restart {
    pub parts: Vec<PartName>,
}

#[derive(Debug, Args)]
pub struct Test {
    /// Run only tests whose name contains one of these, including long tests
    pub filters: Vec<String>,
    /// Build and test only this package; may be repeated
    #[arg(short, long = "package", value_name = "CRATE")]
    pub packages: Vec<String>,
    /// Also check formatting, lints and documentation, run the long tests, and test on MySQL: what CI runs
    #[arg(long, conflicts_with_all = ["filters", "packages"])]
    pub full: bool,
    /// Run all tests on this server only [default: all on MariaDB; with --full, also on MySQL those that it may break]
    #[arg(long, value_enum)]
    pub database: Option<Flavour>,
    /// Install missing programs, with sudo if needed
    #[arg(long)]
    pub install: bool,
}

#[derive(Debug, Args)]
pub struct Db {
    /// Database server to run [default: the one that is installed, MySQL first]
    #[arg(long, value_enum)]
    pub database: Option<Flavour>,
    /// Install missing programs, with sudo if needed
    #[arg(long)]
    pub install: bool,
}

/// The remaining arguments, for the program that implements the command.
#[derive(Debug, Args)]
#[command(override_usage = "cargo lab <COMMAND> [OPTIONS] (--help after the command lists them)")]
pub struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub arguments: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_directory_can_be_named_behind_the_command() {
        let cli = Cli::try_parse_from(["lab", "down", "--dir", "/tmp/x"]).unwrap();
        assert_eq!(cli.dir.dir, Some("/tmp/x".into()));
    }

    #[test]
    fn options_of_a_command_that_is_a_program_are_passed_on() {
        let words = ["--seed", "3", "--dir", "/tmp/x", "--help"];
        let cli = Cli::try_parse_from(["lab", "chaos"].into_iter().chain(words)).unwrap();
        let Command::Chaos(passed) = cli.command else {
            panic!("{:?}", cli.command);
        };
        assert_eq!(passed.arguments, words);
    }

    #[test]
    fn a_part_that_does_not_exist_is_refused_with_the_names_that_do() {
        let error = Cli::try_parse_from(["lab", "kill", "redis"]).unwrap_err();
        assert!(error.to_string().contains("web-a"));
    }
}
