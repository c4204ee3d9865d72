//! `payctl verify`.

use program::Env;

use super::reconcile;
use crate::audit::hashes;
use crate::outcome::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    log: reconcile::Args,
}

pub async fn run(args: Args, env: Env) -> Result<Outcome, Failure> {
    let json = args.log.json;
    let audit = reconcile::prepare(args.log, env).await?;
    let mut report = reconcile::hold(&audit, json).await?;
    hashes::audit(&audit, &mut report).await?;
    Ok(report.finish(audit.covered())?)
}
