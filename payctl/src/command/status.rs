//! `payctl status`.

use payment_core::{PaymentId, PaymentState};
use program::Env;

use crate::outcome::{Failure, Outcome};
use crate::output;
use crate::pay_client::AlbArgs;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The payment's id
    #[arg(value_parser = id)]
    id: PaymentId,
    #[command(flatten)]
    alb: AlbArgs,
}

pub async fn run(args: Args, env: Env) -> Result<Outcome, Failure> {
    let answer = args.alb.connect(env)?.status(&args.id).await?;
    output::say(&output::lines(&answer.body))?;
    match answer.state_of(args.id.as_str()) {
        Some(PaymentState::Recorded) => Ok(Outcome::Clean),
        // It is on its way, or the tier that answers does not look at the database.
        Some(PaymentState::Accepted) => Ok(Outcome::Unfinished),
        Some(PaymentState::Conflict | PaymentState::Rejected) => Ok(Outcome::Different),
        None if answer.is_not_found() => Ok(Outcome::Different),
        None => Err(format!(
            "{} is not an answer about this payment; is ALB_URL right?",
            answer.status
        )
        .into()),
    }
}

pub fn id(text: &str) -> Result<PaymentId, &'static str> {
    // In a path, dots alone would name another page.
    PaymentId::parse(text)
        .filter(|id| id.as_str().bytes().any(|byte| byte != b'.'))
        .ok_or(
            "a payment's id is 1 to 64 of A-Z a-z 0-9 . _ : -, not only dots, and no card number",
        )
}
