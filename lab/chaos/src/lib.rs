//! Chaos: posts payments while faults of all kinds come and go, then waits for calm, then judges.
//!
//! - [`payments`]: what the clients do, drawn from the seed.
//! - [`client`]: posts one payment, repeats it until it is answered, and records every attempt.
//! - [`plan`]: which fault comes when, drawn from the seed.
//! - [`nemesis`]: carries the plan out.
//! - [`crowd`]: many clients at once at one server.
//! - [`poison`]: objects that the sweep has to get past.
//! - [`evidence`]: what the database holds at the end.
//! - [`report`]: what a person reads.
//! - [`saboteur`]: someone who changes what is recorded, and has to be found.
//!
//! The rules of the verdict are in the crate `verdict`. The seed decides payments and plan, but their timing depends on
//! the machine, so a seed does not reproduce a run exactly. The simulation does.

mod client;
mod crowd;
mod evidence;
mod history;
mod load;
mod nemesis;
mod payments;
mod plan;
mod poison;
mod report;
pub mod saboteur;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use lab_runner::{known_client::KnownClient, lab::Lab, process, state::status::Status};
use tokio::time::{Instant, sleep};
use verdict::Verdict;

use self::{evidence::Evidence, history::History, load::Load, nemesis::Nemesis, plan::Plan};

pub use self::{plan::Episode, report::Report};

/// Time between two verdicts, while the last rows are still to come.
const JUDGE_EVERY: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub struct Options {
    pub length: Duration,
    /// Payments per second.
    pub rate: u32,
    pub seed: u64,
    /// Clients that pay; none with open intake.
    pub clients: Vec<KnownClient>,
    /// Names of the faults to inject; all if empty.
    pub only: Vec<String>,
    /// Zones of the VPC that may be cut off; empty for a lab without a VPC.
    pub zones: Vec<aws_model::network::Zone>,
    /// Longest time from the last fault until every part is healthy and every row is there.
    pub patience: Duration,
    /// File with every attempt, as lines of JSON.
    pub history: PathBuf,
}

/// Runs chaos on a lab that is up.
pub async fn run(options: &Options, lab: &Lab) -> Result<Report> {
    process::allow_open_files();
    let plan = Plan::draw(options)?;
    let spares_payments = plan.spares_payments();
    let evidence = Evidence::begin(lab).await?;
    let history = History::create(&options.history)?;
    let nemesis = Nemesis::start(plan, lab)?;
    let load = Load::start(options.rate, options.seed, &options.clients, lab, &history)?;

    report::follow(options.length, &history, &nemesis).await;

    let quiet = Instant::now();
    let injected = nemesis.end().await;
    load.end().await;
    history.flush()?;
    let (verdict, is_well) = settle(options, lab, &evidence).await?;
    Ok(Report {
        verdict,
        is_well,
        spares_payments,
        injected,
        recovered_after: quiet.elapsed(),
    })
}

/// Judges until every rule holds and every part is healthy, or the time is over.
async fn settle(options: &Options, lab: &Lab, evidence: &Evidence) -> Result<(Verdict, bool)> {
    let deadline = Instant::now() + options.patience;
    loop {
        let is_well = Status::load(&lab.dir)?.is_some_and(|status| status.all_healthy());
        if is_well {
            let verdict = evidence.judge(&options.history).await?;
            if verdict.holds() || Instant::now() >= deadline {
                return Ok((verdict, is_well));
            }
            report::waiting(&verdict);
        } else if Instant::now() >= deadline {
            return Ok((evidence.judge(&options.history).await?, is_well));
        }
        sleep(JUDGE_EVERY).await;
    }
}
