//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use lab_runner::{
    command_line::{DirOption, number_to},
    database::User,
    fault::Target,
    install::{self, Flavour},
    part_name::PartName,
    secret::Secret,
    state::settings::{LogLayout, Via},
};

/// Runs the whole payment pipeline on this machine.
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
    /// Show the parts and how they are
    Status(Status),
    /// Print shell exports for aws, mysql, payctl and curl
    Env(Env),
    /// Show a part's log
    Logs(Logs),
    /// Send a payment
    Pay(Pay),
    /// Query the database as the user reader; without a statement, interactively
    Sql(Sql),
    /// Kill a part the hard way, to see it come back
    Kill(Kill),
    /// Ask parts to end, and wait until each serves again; without a part, both tiers one by one
    Restart(Restart),
    /// Try every pair of hosts in the VPC, and hold what is reached against what must be
    Reach(Reach),
    /// Switch a fault on or off; without a kind, list them
    Fault(Fault),
    /// Post payments while faults of all kinds come and go, then prove that none was lost or doubled
    #[command(disable_help_flag = true)]
    Chaos(Passed),
    /// Make the pictures in screenshots/ anew, from a run of a lab of its own
    #[command(disable_help_flag = true)]
    Screenshots(Passed),
    /// Measure speed and cost beside what else one could use
    #[command(disable_help_flag = true)]
    Bench(Passed),
    /// Try the parsers with inputs that a fuzzer makes up
    Fuzz(Fuzz),
    /// Run the pages of deploy-notes against a stand-in of AWS, and check what they made
    #[command(disable_help_flag = true)]
    Runbook(Passed),
    /// Build and pack what is shipped, reproducibly, under target/dist
    #[command(disable_help_flag = true)]
    Dist(Passed),
    /// Build, and run the tests that prove the promises; with --full every test, lint and document
    Test(Test),
    /// Run a private database server for tests, print its URL, and end it with Ctrl-C
    Db(Db),
    /// Pass on connections between the parts; the supervisor starts this
    #[command(hide = true)]
    Relay { config: PathBuf },
    /// Keep the doors into the VPC; the supervisor starts this
    #[command(hide = true)]
    Control { config: PathBuf },
    /// Become a program in a namespace; the supervisor starts this
    #[command(hide = true)]
    Enter {
        /// Laid over /etc/hosts
        #[arg(long)]
        hosts: Option<PathBuf>,
        namespace: String,
        #[arg(last = true, required = true)]
        program: Vec<OsString>,
    },
    /// Try what S3 lets the role in the environment do; `reach` starts this
    #[command(hide = true)]
    TryS3 { endpoint: String },
    /// Watch over the parts; `up` starts this
    #[command(hide = true)]
    Supervise,
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Up {
    /// Return once everything is healthy, and go on in the background
    #[arg(long)]
    pub detach: bool,
    /// Forget the data and credentials of earlier runs
    #[arg(long)]
    pub fresh: bool,
    /// Install what the machine lacks, with sudo if need be
    #[arg(long)]
    pub install: bool,
    /// Take ports that are free instead of the usual ones
    #[arg(long)]
    pub free_ports: bool,
    /// Run the programs as they were built last
    #[arg(long)]
    pub no_build: bool,
    /// How the app tier lays payments out in the bucket
    #[arg(long, value_enum, default_value_t)]
    pub log_layout: LogLayout,
    /// How S3's events reach the function
    #[arg(long, value_enum, default_value_t)]
    pub via: Via,
    /// IAM policies to enforce in place of deploy-notes/iam: a folder with the same files
    #[arg(long, value_name = "DIR")]
    pub iam: Option<PathBuf>,
    /// Put a relay on the links between the parts, so that `fault relay` can slow, reset and cut them
    #[arg(long)]
    pub relay: bool,
    /// Leave out the console, the lab's pages for a browser
    #[arg(long)]
    pub no_console: bool,
    /// TLS on every hop from the client to the app tier, by a CA of the lab's own
    #[arg(long)]
    pub tls: bool,
    /// Each host in a network namespace of its own, with the subnets, routes, security groups and ACLs of AWS
    #[arg(long, conflicts_with_all = ["relay", "database_url"])]
    pub vpc: bool,
    /// With --vpc: a NAT gateway, by which private subnets reach the internet
    #[arg(long, requires = "vpc")]
    pub nat: bool,
    /// With --vpc: the network [default: deploy-notes/network.toml]
    #[arg(long, requires = "vpc", value_name = "FILE")]
    pub network: Option<PathBuf>,
    /// Which server to run [default: the one that made the data, or MySQL where it is installed, or MariaDB]
    #[arg(long, value_enum, env = install::DATABASE)]
    pub database: Option<Flavour>,
    /// A MySQL or MariaDB server to use instead of a private one, as its administrator
    #[arg(long, value_name = "URL")]
    pub database_url: Option<Secret>,
    /// End with this process: for tests, which may be killed
    #[arg(long, value_name = "PID", hide = true)]
    pub owner: Option<i32>,
}

#[derive(Debug, Args)]
pub struct Status {
    /// As a JSON list of part, pid, addr and state
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Env {
    /// As whom the database is asked: `payctl replay` needs ingest, `payctl migrate` migrator
    #[arg(long, value_enum, default_value_t)]
    pub user: User,
}

#[derive(Debug, Args)]
pub struct Logs {
    pub part: PartName,
    /// Go on as lines are added
    #[arg(short, long)]
    pub follow: bool,
    /// How many of the last lines
    #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
    pub lines: usize,
}

#[derive(Debug, Args)]
pub struct Pay {
    /// The payment's id, by which it can be repeated safely
    #[arg(long)]
    pub id: Option<String>,
    /// What the payment is
    #[arg(long)]
    pub transaction: Option<String>,
    /// Exact, such as 100.00
    #[arg(long)]
    pub amount: Option<String>,
    /// ISO 4217 letters
    #[arg(long)]
    pub currency: Option<String>,
    /// Who pays
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
    /// Where
    #[arg(value_enum)]
    pub part: Option<Target>,
    /// What, such as slow-down; a fault of the relay is named after its link, such as web-a-reset; of zone, which one
    pub kind: Option<String>,
    /// Of the occasions, from 0 to 1, on which it strikes
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    pub rate: f64,
    /// Its time, where it has one, in milliseconds
    #[arg(long)]
    pub ms: Option<u64>,
    /// It ends after it struck this often
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// It ends after this many seconds; for mysql and zone the command waits for that
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Switch it off: the kind, all of the part, or all there are
    #[arg(long)]
    pub off: bool,
}

#[derive(Debug, Args)]
pub struct Reach {
    /// By which rules one host reaches a port of another, or against which it does not
    #[arg(long, num_args = 2, value_names = ["FROM", "TO:PORT"])]
    pub explain: Option<Vec<String>>,
    /// What the rules make of it, without a lab
    #[arg(long, conflicts_with = "explain")]
    pub rules: bool,
    /// Draw the network, as Mermaid: page 1 of the deployment notes shows it
    #[arg(long, conflicts_with_all = ["explain", "rules"])]
    pub picture: bool,
    /// Where no lab with a VPC is up: the network [default: deploy-notes/network.toml]
    #[arg(long, value_name = "FILE")]
    pub network: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    number_to(86_400.0, text)
}

#[derive(Debug, Args)]
pub struct Fuzz {
    /// For each target
    #[arg(long, default_value_t = 60)]
    pub seconds: u32,
}

#[derive(Debug, Args)]
pub struct Restart {
    pub parts: Vec<PartName>,
}

#[derive(Debug, Args)]
pub struct Test {
    /// Run only tests whose name contains one of these, long ones too
    pub filters: Vec<String>,
    /// Build and test this package alone; can be given more than once
    #[arg(short, long = "package", value_name = "CRATE")]
    pub packages: Vec<String>,
    /// Also check format, lints and documentation, run the long tests, and test on MySQL: what CI runs
    #[arg(long, conflicts_with_all = ["filters", "packages"])]
    pub full: bool,
    /// Run all on this server alone [default: all on MariaDB; with --full, on MySQL those that its differences can break]
    #[arg(long, value_enum)]
    pub database: Option<Flavour>,
    /// Install what the machine lacks, with sudo if need be
    #[arg(long)]
    pub install: bool,
}

#[derive(Debug, Args)]
pub struct Db {
    /// Which server to run [default: the one that is installed, MySQL first]
    #[arg(long, value_enum)]
    pub database: Option<Flavour>,
    /// Install what the machine lacks, with sudo if need be
    #[arg(long)]
    pub install: bool,
}

/// The rest of the command line, for the program that the command is.
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
