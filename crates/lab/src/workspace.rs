//! Where this repository keeps what the lab runs and enforces.

use std::{
    env, io,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error)]
#[error("can't tell where the lab's own program is")]
pub struct Error(#[source] io::Error);

/// The work tree, and the folder of its release binaries.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    programs: PathBuf,
    lab: PathBuf,
}

impl Workspace {
    /// To be called before anything is built: a build may replace the program that runs now.
    pub fn find() -> Result<Self, Error> {
        let lab = env::current_exe().map_err(Error)?;
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.ancestors().nth(2).unwrap_or(manifest);
        let target = lab.ancestors().nth(2).unwrap_or(root);
        Ok(Self {
            root: root.to_owned(),
            programs: target.join("release"),
            lab,
        })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// This program.
    pub fn lab(&self) -> &Path {
        &self.lab
    }

    /// A release binary of the workspace.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// What commands of the lab install for themselves.
    pub fn tools(&self) -> PathBuf {
        self.root.join(".lab/tools")
    }

    /// The network, as the runbook builds it on AWS.
    pub fn network(&self) -> PathBuf {
        self.root.join("deploy-notes/network.toml")
    }

    /// An IAM policy, as the runbook gives it to AWS.
    pub fn policy(&self, file: &str) -> PathBuf {
        self.root.join("deploy-notes/iam").join(file)
    }
}
