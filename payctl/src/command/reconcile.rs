//! `payctl reconcile`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use payment_core::chain::checker::Span;
use program::Env;

use crate::audit::report::Report;
use crate::audit::setup::Audit;
use crate::audit::{journal, rows};
use crate::clock;
use crate::config::{self, User};
use crate::journal::Journal;
use crate::outcome::{Failure, Outcome};
use crate::proof::chain::Proof;
use crate::range::Range;

/// More than this many connections do not make a small database faster.
const CONNECTIONS_MAX: u32 = 16;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub range: Range,
    /// Objects and rows younger than this are left to their events
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub settle: u32,
    /// Objects that are read at one time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: u32,
    /// Every difference and the counts as lines of JSON
    #[arg(long)]
    pub json: bool,
}

pub async fn run(args: Args, env: Env) -> Result<Outcome, Failure> {
    let json = args.json;
    let audit = prepare(args, env, None).await?;
    let mut report = hold(&audit, json, None).await?;
    Ok(report.finish(audit.covered())?)
}

/// What the arguments and the environment ask for, shared with `verify`.
pub async fn prepare(args: Args, mut env: Env, chain: Option<Span>) -> Result<Audit, Failure> {
    let place = config::place(&mut env);
    let store = config::store(&mut env, User::Reader, args.jobs.min(CONNECTIONS_MAX));
    args.range.note_mistakes(&mut env);
    let (place, store) = env
        .finish(|| Some((place?, store?)))
        .map_err(Failure::config)?;
    let log = Arc::new(Journal::open(place).await.map_err(Failure::config)?);
    log.expect_prefix(&store).await.map_err(Failure::config)?;
    clock::expect_right(&store).await?;
    let settle = Duration::from_secs(args.settle.into());
    let jobs = usize::try_from(args.jobs)?;
    Ok(Audit::new(log, store, args.range, settle, jobs, chain).await?)
}

/// Objects against rows, rows against objects, and with `proof` the objects against each other.
pub async fn hold(audit: &Audit, json: bool, proof: Option<Proof>) -> io::Result<Report> {
    let mut report = Report::new(json);
    let mut proof = proof;
    let is_whole = journal::audit(audit, &mut report, proof.as_mut()).await?;
    if let Some(proof) = proof {
        let (proven, findings) = proof.finish(audit.log()).await;
        report.add(findings)?;
        report.prove(proven);
    }
    rows::audit(audit, &mut report, is_whole).await?;
    Ok(report)
}
