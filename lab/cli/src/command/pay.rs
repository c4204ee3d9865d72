//! `cargo lab pay`: sends one payment through the front door.

use std::process::ExitCode;

use lab_runner::{output, part::PartName, payment::Payment};

use super::{Context, Error};
use crate::cli::Pay;

pub(super) async fn run(args: Pay, context: &Context) -> Result<ExitCode, Error> {
    let url = format!("{}/pay", context.lab()?.url(PartName::Alb));
    let payment = Payment {
        id: args.id,
        transaction: args.transaction,
        amount: args.amount,
        currency: args.currency,
        payer_name: args.payer_name,
    };
    output::say(format_args!("POST {url}"));
    let answer = payment.post(&url).await?;
    output::say(answer.status);
    if let Some(location) = answer.location {
        output::say(format_args!("location: {location}"));
    }
    output::say(answer.body);
    if answer.status.is_success() {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::FAILURE)
    }
}
