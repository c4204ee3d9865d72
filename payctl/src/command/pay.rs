//! `payctl pay`.

mod file;

use std::path::PathBuf;

use payment_core::PaymentId;
use program::{Env, chain};
use uuid::Uuid;

use crate::outcome::{Failure, Outcome};
use crate::output::{self, safe};
use crate::pay_client::{AlbArgs, Payment};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    payment: Payment,
    /// Send the payments of a file instead: newline-delimited JSON, one payment a line, each with its id. To send the file
    /// again is safe
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "transaction", "amount", "currency", "payer_name", "status"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    alb: AlbArgs,
}

pub async fn run(args: Args, env: Env) -> Result<Outcome, Failure> {
    let alb = args.alb.connect(env)?;
    if let Some(path) = &args.file {
        return file::send(&alb, path).await;
    }
    let mut payment = args.payment;
    let id = payment
        .id
        .get_or_insert_with(|| PaymentId::made_from(Uuid::now_v7()).to_string())
        .clone();
    // Before anything is sent: a run that is killed can then be repeated.
    output::say(&format!("id {}\n", safe(&id)))?;
    let sent = alb.pay(&payment).await;
    let again = || format!("send it again with --id {}", safe(&id));
    let answer = sent
        .answer
        .map_err(|error| format!("{}; {}", chain(&error), again()))?;
    output::say(&format!(
        "{}\n{}",
        answer.status,
        output::lines(&answer.body)
    ))?;
    if answer.is_receipt_of(&id) {
        return Ok(Outcome::Clean);
    }
    if answer.status.is_server_error() {
        return Err(again().into());
    }
    if !answer.is_refusal() {
        let what = "this is neither a receipt for the payment nor a refusal of the pipeline";
        return Err(format!("{what}; is ALB_URL right? Then {}", again()).into());
    }
    if sent.unsure {
        let what = "an earlier try had no such answer and may have been taken";
        return Err(format!("{what}: see payctl trace {}", safe(&id)).into());
    }
    Ok(Outcome::Different)
}
