//! A fresh lab for one command, under the user's directory, so that nothing else is in what the command finds.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::{lab::Lab, shutdown::Shutdown, state::LabDir, workspace::Workspace};

/// Started and ended by `cargo lab`, as a person would.
#[derive(Debug)]
pub struct ScratchLab {
    dir: LabDir,
    workspace: Workspace,
}

impl ScratchLab {
    /// Options of `up` for a lab beside others, without what a measurement would measure too.
    pub const BESIDE_OTHERS: [&str; 2] = ["--free-ports", "--no-console"];

    /// In the folder of that name in the user's directory.
    pub fn new(name: &str, user: &LabDir, workspace: Workspace) -> Result<Self> {
        let dir = LabDir::at(&user.root().join(name))?;
        Ok(Self { dir, workspace })
    }

    /// Works on a fresh lab, started with these options of `up`, and ends it whatever comes of the work.
    /// Returns nothing if a person interrupted it.
    pub async fn with<T>(
        &self,
        options: &[&str],
        work: impl AsyncFnOnce(Lab) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut shutdown = Shutdown::listen(None).context("can't listen for signals")?;
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

    /// A command of `cargo lab`, for this lab.
    async fn command(&self, arguments: &[&str]) -> Result<()> {
        let program = self.workspace.lab();
        let status = Command::new(program)
            .arg("--dir")
            .arg(self.dir.root())
            .args(arguments)
            .stdin(Stdio::null())
            .status()
            .await
            .with_context(|| format!("can't start {}", program.display()))?;
        let command = arguments.first().copied().unwrap_or_default();
        ensure!(
            status.success(),
            "the lab did not start or end: {command} ended with {status}"
        );
        Ok(())
    }
}
