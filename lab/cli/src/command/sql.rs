//! `cargo lab sql "…"`: `payctl sql` on the lab's database, as the user that can only read.

use std::process::ExitCode;

use tokio::process::Command;

use super::{Context, Error};
use crate::{cli::Sql, database::User};

pub(super) async fn run(args: &Sql, context: &Context) -> Result<ExitCode, Error> {
    let url = context.lab()?.database()?.url(User::Reader);
    let program = context.workspace.program("payctl");
    // A shell's own database, such as one on AWS, is not the lab's.
    let status = Command::new(&program)
        .env_clear()
        .env("DATABASE_URL", url.expose())
        .args(["sql", "--"])
        .args(&args.statement)
        .status()
        .await
        .map_err(|source| Error::Spawn { program, source })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
