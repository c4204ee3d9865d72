//! A fresh lab for one command, in a subdirectory of the user's lab, so that the command finds nothing else in it.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::{lab::Lab, shutdown::Shutdown, state::LabDir, workspace::Workspace};

/// A lab that is started and stopped by `cargo lab`, as by a person.
#[derive(Debug)]
pub struct ScratchLab {
    dir: LabDir,
    workspace: Workspace,
}

impl ScratchLab {
    /// Options of `up` for a lab next to others, without parts that would affect a measurement.
    pub const BESIDE_OTHERS: [&str; 2] = ["--free-ports", "--no-console"];

    /// Uses the subdirectory `name` of the user's lab.
    pub fn new(name: &str, user: &LabDir, workspace: Workspace) -> Result<Self> {
        let dir = LabDir::at(&user.root().join(name))?;
        Ok(Self { dir, workspace })
    }

    /// Starts a fresh lab with these options of `up`, does the work, and stops the lab whatever the result. Returns
    /// `None` if a person interrupted it.
    pub async fn with<T>(
        &self,
        options: &[&str],
        work: impl AsyncFnOnce(Lab) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut shutdown = Shutdown::listen(None).context("cannot listen for signals")?;
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
        work: impl AsyncFnOnce(Lab) -> Result<T>,
    ) -> Result<T> {
        let owner = std::process::id().to_string();
        let up = ["up", "--detach", "--fresh", "--owner", &owner];
        self.command(&[&up, options].concat()).await?;
        work(Lab::load(self.dir.clone(), self.workspace.clone())?).await
    }

    /// Runs a command of `cargo lab` on this lab.
    async fn command(&self, arguments: &[&str]) -> Result<()> {
        let program = self.workspace.lab();
        let status = Command::new(program)
            .arg("--dir")
            .arg(self.dir.root())
            .args(arguments)
            .stdin(Stdio::null())
            .status()
            .await
            .with_context(|| format!("cannot start {}", program.display()))?;
        let command = arguments.first().copied().unwrap_or_default();
        ensure!(
            status.success(),
            "the lab did not start or stop: {command} exited with {status}"
        );
        Ok(())
    }
}
