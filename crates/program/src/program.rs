//! How every program starts and ends: `--help` and `--version`, logs, configuration, run, exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use tokio::runtime;

use crate::env::{self, Env, EnvErrors, Variable};
use crate::{chain, logs};

/// The configuration can't be used (`EX_USAGE` of sysexits.h).
const EXIT_USAGE: u8 = 64;

/// What makes one program differ from another before it runs.
#[derive(Debug)]
pub struct Program {
    pub name: &'static str,
    pub about: &'static str,
    pub variables: &'static [&'static [Variable]],
}

impl Program {
    /// Runs a program on a runtime of its own. `run` returns when the program has ended in order, or why it can't go on.
    pub fn main<C, F>(
        &self,
        read: impl FnOnce(Env) -> Result<C, EnvErrors>,
        run: impl FnOnce(C) -> F,
    ) -> ExitCode
    where
        F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>>,
    {
        match std::env::args().nth(1).as_deref() {
            None => {}
            Some("--help" | "-h") => return say(&env::help(self.name, self.about, self.variables)),
            Some("--version" | "-V") => {
                return say(&format!("{} {}\n", self.name, env!("CARGO_PKG_VERSION")));
            }
            Some(_) => return self.complain("takes no arguments; see --help", EXIT_USAGE),
        }
        let mut env = Env::from_process();
        let filter: String = env.or("RUST_LOG", "info".to_owned());
        let config = match read(env) {
            Ok(config) => config,
            Err(mistakes) => return self.complain(&mistakes.to_string(), EXIT_USAGE),
        };
        if let Err(mistake) = logs::init(&filter) {
            return self.complain(&mistake, EXIT_USAGE);
        }
        tracing::info!(
            program = self.name,
            version = env!("CARGO_PKG_VERSION"),
            "starting"
        );
        match block_on(run(config)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => self.complain(&chain(&*error), 1),
        }
    }

    fn complain(&self, text: &str, code: u8) -> ExitCode {
        // Nothing is left to do where stderr is closed.
        let _ = writeln!(io::stderr(), "{}: {text}", self.name);
        ExitCode::from(code)
    }
}

/// Runs it on the thread that the program starts with: to hand work to another thread and back costs more than it brings. A
/// server makes one more for each further core.
fn block_on<F>(run: F) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>>,
{
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run)
}

fn say(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
