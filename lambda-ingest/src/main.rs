use std::process::ExitCode;

use lambda_ingest::{App, config};
use mimalloc::MiMalloc;
use program::Program;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let program = Program {
        name: "lambda-ingest",
        about: "AWS Lambda function: payments from objects in S3 to rows in MySQL.",
        variables: config::VARIABLES,
    };
    program.main(config::Config::from_env, async |config| {
        App::build(config).await?.run().await
    })
}
