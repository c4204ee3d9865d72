//! The operator's tool.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    payctl::run().await
}
