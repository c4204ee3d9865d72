//! `cargo lab pay`: sends one payment through the front door.

use std::process::ExitCode;

use anyhow::Result;
use lab_runner::{
    output,
    payment::{self, Payment},
};

use super::Context;
use crate::cli::Pay;

pub(super) async fn run(args: Pay, context: &Context) -> Result<ExitCode> {
    let lab = context.lab()?;
    let payment = Payment {
        id: args.id,
        transaction: args.transaction,
        amount: args.amount,
        currency: args.currency,
        payer_name: args.payer_name,
    };
    output::say(format_args!("POST {}", payment::url(&lab)));
    let answer = payment.post(&lab).await?;
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
