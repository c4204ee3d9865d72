use std::process::ExitCode;

use app_tier::{App, config};
use mimalloc::MiMalloc;
use program::Program;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let program = Program {
        name: "app-tier",
        about: "Makes a payment durable in S3, then accepts it.",
        variables: config::VARIABLES,
    };
    program.main(config::Config::from_env, async |config| {
        Ok(App::build(config).await?.run().await?)
    })
}
