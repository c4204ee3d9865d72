//! `cargo lab sql "…"`: `payctl sql` on the lab's database, as the user that can only read.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use lab_runner::{build, database::User};
use tokio::process::Command;

use super::Context;
use crate::cli::Sql;

pub(super) async fn run(args: &Sql, context: &Context) -> Result<ExitCode> {
    build::if_missing(&context.workspace, build::OPERATOR_TOOL).await?;
    let url = context.lab()?.database()?.url(User::Reader);
    let program = context.workspace.program("payctl");
    // Ignores the shell's own settings, which may name a database on AWS.
    let status = Command::new(&program)
        .env_clear()
        .env("DATABASE_URL", url.expose())
        .args(["sql", "--"])
        .args(&args.statement)
        .status()
        .await
        .with_context(|| format!("cannot start {}", program.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
