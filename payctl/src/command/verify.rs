//! `payctl verify`.

mod checkpoints;

use std::path::PathBuf;

use payment_core::Timestamp;
use payment_core::chain::checker::Span;
use program::Env;
use time::OffsetDateTime;

use self::checkpoints::Plan;
use super::reconcile;
use crate::audit::hashes;
use crate::config;
use crate::outcome::{Failure, Outcome};
use crate::proof::chain::Proof;
use crate::range::parse_from;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    log: reconcile::Args,
    /// First moment from which each batch has a header: a batch without one is then a fault [default: the first header
    /// of the journal]
    #[arg(long, value_name = "TIME", value_parser = parse_from)]
    chain_from: Option<Timestamp>,
    /// Go on where the last checkpoint of this file ends and, with --key, append a checkpoint if all is clean; whole
    /// hours only
    #[arg(long, value_name = "FILE", conflicts_with = "against")]
    checkpoint: Option<PathBuf>,
    /// Verify the hours of this file's checkpoints again, and name those that are not what they were
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    against: Option<PathBuf>,
    /// Key that signs checkpoints, as payctl key new makes it; a public key does to check them
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

pub async fn run(args: Args, mut env: Env) -> Result<Outcome, Failure> {
    let Args {
        mut log,
        chain_from,
        checkpoint,
        against,
        key,
    } = args;
    let json = log.json;
    let plan = match against.as_ref().or(checkpoint.as_ref()) {
        None => None,
        Some(file) => {
            let Some(place) = config::place(&mut env) else {
                // Says so, together with all other mistakes.
                reconcile::prepare(log, env, None).await?;
                return Ok(Outcome::Unfinished);
            };
            let is_again = against.is_some();
            match Plan::new(file.clone(), is_again, key.as_deref(), place, &mut log)? {
                Ok(plan) => Some(plan),
                Err(outcome) => return Ok(outcome),
            }
        }
    };
    if chain_from.is_some_and(|from| from > Timestamp::new(OffsetDateTime::now_utc())) {
        return Err(Failure::config(
            "--chain-from lies in the future: no batch would be looked at",
        ));
    }
    let chain_from = chain_from.or_else(|| plan.as_ref()?.chained_since());
    let span = Span::around(log.range.hours());
    let audit = reconcile::prepare(log, env, Some(span)).await?;
    let proof = Proof::new(audit.prefix(), span, chain_from);
    let mut report = reconcile::hold(&audit, json, Some(proof)).await?;
    hashes::audit(&audit, &mut report).await?;
    if let Some(plan) = &plan {
        plan.compare(&mut report)?;
    }
    let outcome = report.finish(audit.covered())?;
    match plan {
        Some(plan) => plan.append(outcome, report.proven(), json),
        None => Ok(outcome),
    }
}
