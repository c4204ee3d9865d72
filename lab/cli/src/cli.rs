//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::{
    bench::scenario::Scenario,
    database::User,
    dist::target::Target as DistTarget,
    fault::Target,
    part::PartName,
    secret::Secret,
    state::settings::{LogLayout, Via},
};

/// Runs the whole payment pipeline on this machine.
#[derive(Debug, Parser)]
#[command(name = "cargo lab", bin_name = "cargo lab", version)]
pub struct Cli {
    /// Where the lab keeps its state, data and logs [default: .lab in the workspace]
    #[arg(long, global = true, env = "LAB_DIR", value_name = "DIR")]
    pub dir: Option<PathBuf>,
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
    Chaos(Chaos),
    /// Make the pictures in screenshots/ anew, from a run of a lab of its own
    Screenshots(Screenshots),
    /// Measure speed and cost beside what else one could use
    Bench(Bench),
    /// Try the parsers with inputs that a fuzzer makes up
    Fuzz(Fuzz),
    /// Run the pages of deploy-notes against a stand-in of AWS, and check what they made
    Runbook(Runbook),
    /// Build and pack what is shipped, reproducibly, under target/dist
    Dist(Dist),
    /// Check format and lints, build, and run every test
    Test(Test),
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
    /// Each host in a network namespace of its own, with the subnets, routes, security groups and ACLs of AWS
    #[arg(long, conflicts_with_all = ["relay", "database_url"])]
    pub vpc: bool,
    /// With --vpc: a NAT gateway, by which private subnets reach the internet
    #[arg(long, requires = "vpc")]
    pub nat: bool,
    /// With --vpc: the network [default: deploy-notes/network.toml]
    #[arg(long, requires = "vpc", value_name = "FILE")]
    pub network: Option<PathBuf>,
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
pub struct Chaos {
    /// How long faults come and go
    #[arg(long, default_value_t = 2.0, value_parser = minutes)]
    pub minutes: f64,
    /// Payments a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub rate: u32,
    /// Decides the payments and the plan of the faults
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How S3's events reach the function
    #[arg(long, value_enum, default_value_t)]
    pub via: Via,
    /// In a VPC, of which now and then a zone is cut off; without the faults of single links
    #[arg(long)]
    pub vpc: bool,
    /// Only these faults, such as s3/slow-down or kill/app-a; `none` where you switch them yourself
    #[arg(long, value_name = "PART/KIND", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How long all may take to be well again, and every row to be there, after the last fault
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    pub patience: u64,
    /// Run the programs as they were built last
    #[arg(long)]
    pub no_build: bool,
}

#[derive(Debug, Args)]
pub struct Bench {
    /// Only these; all where none is named
    #[arg(value_enum)]
    pub scenarios: Vec<Scenario>,
    /// Each measurement comes so often; medians count
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Of one measurement
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Of the table that has grown
    #[arg(long, default_value_t = 10_000_000)]
    pub rows: u64,
    /// Run the programs as they were built last
    #[arg(long)]
    pub no_build: bool,
}

#[derive(Debug, Args)]
pub struct Screenshots {
    /// Where to put them [default: screenshots in the workspace]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Run the programs as they were built last
    #[arg(long)]
    pub no_build: bool,
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
    positive(text, 86_400.0)
}

fn minutes(text: &str) -> Result<f64, String> {
    positive(text, 1_440.0)
}

fn positive(text: &str, most: f64) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=most).contains(&number) => Ok(number),
        _ => Err(format!("a number from 0 to {most} is expected")),
    }
}

#[derive(Debug, Args)]
pub struct Fuzz {
    /// For each target
    #[arg(long, default_value_t = 60)]
    pub seconds: u32,
}

#[derive(Debug, Args)]
pub struct Runbook {
    /// Stop after this page
    #[arg(long, value_name = "N")]
    pub page: Option<u8>,
    /// Leave out the tear down, and the stand-in running until Ctrl-C
    #[arg(long)]
    pub keep: bool,
}

#[derive(Debug, Args)]
pub struct Dist {
    /// For this processor; may be repeated [default: all that this machine can build for]
    #[arg(long, value_enum, value_name = "TRIPLE")]
    pub target: Vec<DistTarget>,
    /// Install what the machine lacks
    #[arg(long)]
    pub install: bool,
}

#[derive(Debug, Args)]
pub struct Restart {
    pub parts: Vec<PartName>,
}

#[derive(Debug, Args)]
pub struct Test {
    /// Run only tests whose name contains one of these
    pub filters: Vec<String>,
    /// Install what the machine lacks, with sudo if need be
    #[arg(long)]
    pub install: bool,
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
        assert_eq!(cli.dir, Some("/tmp/x".into()));
    }

    #[test]
    fn a_part_that_does_not_exist_is_refused_with_the_names_that_do() {
        let error = Cli::try_parse_from(["lab", "kill", "redis"]).unwrap_err();
        assert!(error.to_string().contains("web-a"));
    }
}
