//! `cargo lab chaos`: runs on a lab of its own, so that nothing else affects the verdict.

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use lab_chaos::{Options, saboteur};
use lab_runner::{
    command_line::{self, DirOption, INTERRUPTED},
    files,
    known_client::{self, KnownClient},
    lab::Lab,
    output,
    scratch_lab::ScratchLab,
    state::settings::EventRoute,
    workspace::Workspace,
};

/// Directory of the chaos lab, under the lab's own.
const DIR: &str = "chaos";

/// Clients of a run with known callers.
const CLIENTS: [&str; 3] = ["shop", "market", "kiosk"];

/// Post payments while faults of all kinds come and go, then prove that none was lost or duplicated
#[derive(Debug, Parser)]
#[command(name = "lab-chaos", bin_name = "cargo lab chaos")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch")]
struct Arguments {
    /// Duration of the faults, in minutes
    #[arg(long, default_value_t = 2.0, value_parser = minutes)]
    minutes: f64,
    /// Payments per second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5000))]
    rate: u32,
    /// Seed of the payments and of the faults' plan
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How S3 events reach the function
    #[arg(long, value_enum, default_value_t)]
    via: EventRoute,
    /// Run in a VPC and cut off zones at times; without faults of single links
    #[arg(long)]
    vpc: bool,
    /// Let only known clients pay, which use each other's ids, while others try without a valid key
    #[arg(long)]
    clients: bool,
    /// Speak TLS on every hop from the client to the app tier
    #[arg(long)]
    tls: bool,
    /// Faults to inject, such as s3/slow-down or kill/app-a; `none` to switch them by hand [default: all]
    #[arg(long, value_name = "PART/KIND", value_delimiter = ',')]
    only: Vec<String>,
    /// Instead of faults, perform so many acts of someone with all rights over bucket and database, each of which `payctl verify`
    /// has to name
    #[arg(long, value_name = "ACTS", conflicts_with_all = ["minutes", "rate", "via", "vpc", "tls", "only", "patience"])]
    saboteur: Option<usize>,
    /// Longest time after the last fault until every part is healthy and every row is there
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    patience: u64,
    /// Run the programs as last built, without building
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    dir: DirOption,
}

fn minutes(text: &str) -> Result<f64, String> {
    command_line::number_to(1_440.0, text)
}

fn main() -> ExitCode {
    command_line::run(run)
}

async fn run(args: Arguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut up = ScratchLab::BESIDE_OTHERS.to_vec();
    match args.saboteur {
        Some(_) => {}
        None if args.vpc => up.push("--vpc"),
        None => up.push("--relay"),
    }
    if args.via == EventRoute::Sqs {
        up.extend(["--via", "sqs"]);
    }
    if args.no_build {
        up.push("--no-build");
    }
    if args.tls {
        up.push("--tls");
    }
    let dir = args.dir.lab_dir(&workspace)?;
    // Beside the chaos lab, which starts empty.
    let file = dir.root().join("chaos-clients.toml");
    let file = file.to_string_lossy();
    let clients = if args.clients || args.saboteur.is_some() {
        up.extend(["--clients", &file]);
        known_clients(Path::new(&*file))?
    } else {
        Vec::new()
    };
    let scratch = ScratchLab::new(DIR, &dir, workspace)?;
    let judged = async |lab: Lab| match args.saboteur {
        Some(acts) => sabotage(acts, &args, clients.clone(), &lab).await,
        None => judge(&args, clients.clone(), &lab).await,
    };
    Ok(match scratch.with(&up, judged).await? {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => ExitCode::from(INTERRUPTED),
    })
}

/// Makes the clients of a run, and writes their file.
fn known_clients(file: &Path) -> Result<Vec<KnownClient>> {
    let clients: Vec<_> = CLIENTS
        .map(KnownClient::new)
        .into_iter()
        .collect::<Result<_, _>>()?;
    if let Some(folder) = file.parent() {
        files::create_dir(folder)?;
    }
    known_client::write_file(file, &clients)?;
    Ok(clients)
}

/// Returns whether every promise held.
async fn judge(args: &Arguments, clients: Vec<KnownClient>, lab: &Lab) -> Result<bool> {
    let history = lab.dir.root().join("history.ndjson");
    let options = Options {
        length: Duration::from_secs_f64(args.minutes * 60.0),
        rate: args.rate,
        seed: args.seed,
        clients,
        only: args.only.clone(),
        zones: lab
            .vpc
            .as_ref()
            .map(|vpc| vpc.network.zones())
            .unwrap_or_default(),
        patience: Duration::from_secs(args.patience),
        history,
    };
    let report = lab_chaos::run(&options, lab).await?;
    output::say(format_args!("\n{report}"));
    output::say(format_args!(
        "seed {}; every request is in {}",
        options.seed,
        options.history.display()
    ));
    output::say(if report.holds() {
        "every promise held"
    } else {
        "a promise broke"
    });
    Ok(report.holds())
}

/// Returns whether each act was named, and nothing else.
async fn sabotage(
    acts: usize,
    args: &Arguments,
    clients: Vec<KnownClient>,
    lab: &Lab,
) -> Result<bool> {
    let seed = args.seed;
    let options = saboteur::Options {
        acts,
        seed,
        clients,
    };
    let report = saboteur::run(&options, lab).await?;
    output::say(format_args!("\n{report}, seed {seed}"));
    output::say(if report.holds() {
        "every act was named, and nothing else"
    } else {
        "the verdict on an act was wrong"
    });
    Ok(report.holds())
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
