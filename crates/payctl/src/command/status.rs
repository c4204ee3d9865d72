//! `payctl status`.

use payment_core::PaymentId;
use reqwest::StatusCode;
use tier_kit::Env;

use crate::alb::{self, Alb};
use crate::cli::{Failure, Verdict};
use crate::output;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The payment's id
    #[arg(value_parser = id)]
    id: PaymentId,
}

pub async fn run(args: Args, mut env: Env) -> Result<Verdict, Failure> {
    let url = alb::required(&mut env);
    let url = env.finish(|| url).map_err(Failure::config)?;
    let answer = Alb::new(url)?.status(&args.id).await?;
    output::say(&format!("{}\n", answer.body.trim_end()))?;
    match answer.status {
        StatusCode::OK => Ok(Verdict::Clean),
        StatusCode::NOT_FOUND => Ok(Verdict::Different),
        status => Err(format!("the load balancer answered {status}").into()),
    }
}

pub fn id(text: &str) -> Result<PaymentId, &'static str> {
    PaymentId::parse(text)
        .ok_or("a payment's id is 1 to 64 of A-Z a-z 0-9 . _ : - and no card number")
}
