//! `payctl pay`.

use payment_core::PaymentId;
use tier_kit::Env;
use tier_kit::telemetry::chain;
use uuid::Uuid;

use crate::alb::{self, Alb, Payment};
use crate::cli::{Failure, Verdict};
use crate::output::{self, safe};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    payment: Payment,
}

pub async fn run(args: Args, mut env: Env) -> Result<Verdict, Failure> {
    let url = alb::required(&mut env);
    let url = env.finish(|| url).map_err(Failure::config)?;
    let mut payment = args.payment;
    let id = payment
        .id
        .get_or_insert_with(|| PaymentId::made_from(Uuid::now_v7()).to_string())
        .clone();
    let again = || format!("send it again with --id {}", safe(&id));
    let answer = Alb::new(url)?
        .pay(&payment)
        .await
        .map_err(|error| format!("{}; {}", chain(&error), again()))?;
    output::say(&format!("{}\n{}\n", answer.status, answer.body.trim_end()))?;
    if answer.status.is_server_error() {
        return Err(again().into());
    }
    if answer.unsure && answer.status.is_client_error() {
        output::say(&format!(
            "an earlier try may have been taken all the same: see payctl trace {}\n",
            safe(&id)
        ))?;
    }
    Ok(if answer.status.is_success() {
        Verdict::Clean
    } else {
        Verdict::Different
    })
}
