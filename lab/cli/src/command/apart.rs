//! A lab of a command's own under the user's directory, so that nothing else is in what it finds.

use std::process::Stdio;

use tokio::process::Command;

use super::{Context, Error};
use crate::{lab::Lab, shutdown::Shutdown, state::LabDir};

#[derive(Debug, thiserror::Error)]
#[error("the lab did not start or end: {command} ended with {status}")]
pub struct Failed {
    command: String,
    status: std::process::ExitStatus,
}

/// Beside whatever runs, and without what a measurement would measure too.
pub(super) const ASIDE: [&str; 2] = ["--free-ports", "--no-console"];

pub(super) struct Apart<'a> {
    dir: LabDir,
    context: &'a Context,
}

impl<'a> Apart<'a> {
    pub(super) fn at(name: &str, context: &'a Context) -> Result<Self, Error> {
        let dir = LabDir::at(&context.dir.root().join(name))?;
        Ok(Self { dir, context })
    }

    /// Works on a fresh lab, started with these options of `up`, and ends it whatever comes of the work.
    /// Nothing is returned where a person interrupted it.
    pub(super) async fn with<T>(
        &self,
        options: &[&str],
        work: impl AsyncFnOnce(Lab) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut shutdown = Shutdown::listen(None).map_err(Error::Signals)?;
        let outcome = tokio::select! {
            outcome = self.on_fresh_lab(options, work) => outcome.map(Some),
            _ = shutdown.wait() => Ok(None),
        };
        self.command(&["down"]).await?;
        outcome
    }

    async fn on_fresh_lab<T>(
        &self,
        options: &[&str],
        work: impl AsyncFnOnce(Lab) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let owner = std::process::id().to_string();
        let up = ["up", "--detach", "--fresh", "--owner", &owner];
        self.command(&[&up, options].concat()).await?;
        work(Lab::load(self.dir.clone(), self.context.workspace.clone())?).await
    }

    /// Another command of this program, for this lab.
    async fn command(&self, arguments: &[&str]) -> Result<(), Error> {
        let program = self.context.workspace.lab();
        let status = Command::new(program)
            .arg("--dir")
            .arg(self.dir.root())
            .args(arguments)
            .stdin(Stdio::null())
            .status()
            .await
            .map_err(|source| Error::Spawn {
                program: program.to_owned(),
                source,
            })?;
        if status.success() {
            return Ok(());
        }
        Err(Failed {
            command: arguments.first().copied().unwrap_or_default().to_owned(),
            status,
        }
        .into())
    }
}
