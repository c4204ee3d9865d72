//! `cargo lab sql "…"`: asks the database, as the user that can only read.

use std::process::ExitCode;

use anyhow::Context as _;
use lab_runner::database::User;

use super::{Context, Error};
use crate::cli::Sql;

pub(super) async fn run(args: &Sql, context: &Context) -> Result<ExitCode, Error> {
    let lab = context.lab()?;
    let mut command = lab.database()?.client(User::Reader).command();
    command.arg("--table").arg("payments");
    if let Some(statement) = &args.statement {
        command.arg(format!("--execute={statement}"));
    }
    let status = command.status().await;
    let status = status
        .with_context(|| format!("can't start {}", command.as_std().get_program().display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
