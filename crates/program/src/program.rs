//! How every program starts and ends: `--help` and `--version`, logs, configuration, run, exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use tokio::runtime;

use crate::env::{self, Env, Mistakes, Variable};
use crate::{chain, logs};

/// The configuration can't be used (`EX_USAGE` of sysexits.h).
const EXIT_USAGE: u8 = 64;

/// What makes one program differ from another before it runs.
#[derive(Debug)]
pub struct Program {
    pub name: &'static str,
    pub about: &'static str,
    pub variables: &'static [Variable],
    pub threads: Threads,
}

/// What runs a program's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// One a core.
    PerCore,
    /// The one that the program starts with. To hand work to another thread and back costs more than it brings, where
    /// there is one thing to do at a time.
    One,
}

impl Program {
    /// Runs a program on a runtime of its own. `run` returns when the program has ended in order, or why it can't go on.
    pub fn main<C, F>(
        &self,
        read: impl FnOnce(Env) -> Result<C, Mistakes>,
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
        match self.block_on(run(config)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => self.complain(&chain(&*error), 1),
        }
    }

    fn block_on<F>(&self, run: F) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    where
        F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>>,
    {
        let mut runtime = match self.threads {
            Threads::PerCore => runtime::Builder::new_multi_thread(),
            Threads::One => runtime::Builder::new_current_thread(),
        };
        runtime.enable_all().build()?.block_on(run)
    }

    fn complain(&self, text: &str, code: u8) -> ExitCode {
        // Nothing is left to do where stderr is closed.
        let _ = writeln!(io::stderr(), "{}: {text}", self.name);
        ExitCode::from(code)
    }
}

fn say(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
