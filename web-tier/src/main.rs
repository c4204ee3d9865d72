use std::process::ExitCode;

use mimalloc::MiMalloc;
use program::Program;
use web_tier::{App, config};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let program = Program {
        name: "web-tier",
        about: "Public front of the payment pipeline: limits, the pay page, proxy to the app tier.",
        variables: config::VARIABLES,
    };
    program.main(config::Config::from_env, async |config| {
        Ok(App::build(config).await?.run().await?)
    })
}
