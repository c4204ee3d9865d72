//! Chaos: payments are posted while faults of all kinds come and go; then it is quiet; then the verdict.
//!
//! - [`payments`]: what the clients do, drawn from the seed.
//! - [`client`]: one payment posted, repeated until it is answered, every attempt written down.
//! - [`plan`]: which fault comes when, drawn from the seed.
//! - [`nemesis`]: carries the plan out.
//! - [`crowd`]: many clients at once at one server.
//! - [`poison`]: objects that the sweep has to get past.
//! - [`evidence`]: what the database holds in the end.
//! - [`report`]: what a person reads.
//!
//! The rules of the verdict are the crate `verdict`'s. The seed decides payments and plan; the moments at which
//! they meet are the machine's, so that a seed does not replay a run to the letter. The simulation does.

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

use std::{io, path::PathBuf, time::Duration};

use lab_runner::{
    fault,
    lab::Lab,
    process,
    state::{self, status::Status},
};
use tokio::time::{Instant, sleep};
use verdict::Verdict;

use self::{evidence::Evidence, history::History, load::Load, nemesis::Nemesis, plan::Plan};

pub use self::{plan::Episode, report::Report};

/// Between two verdicts, while the last rows are on their way.
const JUDGE_EVERY: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub struct Options {
    pub length: Duration,
    /// Payments a second.
    pub rate: u32,
    pub seed: u64,
    /// Only faults of these names; all where there are none.
    pub only: Vec<String>,
    /// Zones of the VPC that may be cut off; none in a lab without.
    pub zones: Vec<aws_model::network::Zone>,
    /// From the last fault until all is well and every row is there.
    pub patience: Duration,
    /// Every attempt, as a line of JSON.
    pub history: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no fault {name}; there are {known}")]
    NoFault { name: String, known: String },
    #[error("the history can't be kept in {}", path.display())]
    History {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("an HTTP client can't be made")]
    Client(#[source] reqwest::Error),
    #[error("the database can't be read")]
    Evidence(#[source] sqlx::Error),
    #[error(transparent)]
    Fault(#[from] fault::Error),
    #[error(transparent)]
    State(#[from] state::Error),
    #[error(transparent)]
    Database(#[from] lab_runner::database::Error),
}

/// Runs it all on a lab that is up.
pub async fn run(options: &Options, lab: &Lab) -> Result<Report, Error> {
    process::allow_open_files();
    let plan = Plan::draw(options)?;
    let spares_payments = plan.spares_payments();
    let evidence = Evidence::begin(lab).await?;
    let history = History::create(&options.history)?;
    let nemesis = Nemesis::start(plan, lab)?;
    let load = Load::start(options, lab, &history)?;

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

/// Judges until every rule holds and every part is well, or patience is over.
async fn settle(
    options: &Options,
    lab: &Lab,
    evidence: &Evidence,
) -> Result<(Verdict, bool), Error> {
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
