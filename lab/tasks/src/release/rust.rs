//! The compiler of this workspace, and the targets that it supports.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use lab_runner::workspace::Workspace;
use tokio::process::Command;

/// The compiler that cargo uses in this workspace.
#[derive(Clone, Debug)]
pub struct Rust {
    sysroot: PathBuf,
}

impl Rust {
    pub async fn find(workspace: &Workspace) -> Result<Self> {
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.current_dir(workspace.root());
        rustc.args(["--print", "sysroot"]);
        let output = rustc.output().await.context("cannot run rustc")?;
        let status = output.status;
        ensure!(
            status.success(),
            "rustc does not say where its standard libraries are ({status})"
        );
        let sysroot = String::from_utf8_lossy(&output.stdout).trim().into();
        Ok(Self { sysroot })
    }

    /// A compiler for tests, which is never run.
    #[cfg(test)]
    pub(super) fn at(sysroot: &str) -> Self {
        Self {
            sysroot: sysroot.into(),
        }
    }

    pub fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    /// Whether it has the standard library for a target.
    pub fn has_std(&self, triple: &str) -> bool {
        let libraries = self.sysroot.join("lib/rustlib").join(triple);
        libraries.join("lib").is_dir()
    }
}
