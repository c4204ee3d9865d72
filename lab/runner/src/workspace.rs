//! Where this repository keeps what the lab runs and enforces.

use std::{
    env, io,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error)]
#[error("cannot tell where this program is")]
pub struct Error(#[source] io::Error);

/// Folder of programs to run instead of the release build's, such as those that `cargo lab dist` built.
pub const PROGRAMS: &str = "LAB_PROGRAMS";

/// The work tree, and the folder of its release binaries.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    programs: PathBuf,
    preferred: Option<PathBuf>,
    lab: PathBuf,
}

impl Workspace {
    /// Call it before anything is built: a build may replace the running program.
    pub fn find() -> Result<Self, Error> {
        let program = env::current_exe().map_err(Error)?;
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.ancestors().nth(2).unwrap_or(manifest);
        // A test's own program is one folder deeper.
        let folder = program
            .ancestors()
            .skip(1)
            .find(|dir| !dir.ends_with("deps"));
        let target = folder.and_then(Path::parent).unwrap_or(root);
        Ok(Self {
            root: root.to_owned(),
            programs: target.join("release"),
            preferred: env::var_os(PROGRAMS).map(PathBuf::from),
            lab: program.with_file_name("lab"),
        })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Path of `cargo lab`, which is beside its tools: this program, or the one that started it.
    pub fn lab(&self) -> &Path {
        &self.lab
    }

    /// Path of a release binary, or of the one with that name under [`PROGRAMS`].
    pub fn program(&self, name: &str) -> PathBuf {
        self.provided(name)
            .unwrap_or_else(|| self.programs.join(name))
    }

    /// Whether it is provided under [`PROGRAMS`], and so must not be built.
    pub fn is_provided(&self, name: &str) -> bool {
        self.provided(name).is_some()
    }

    fn provided(&self, name: &str) -> Option<PathBuf> {
        let preferred = self.preferred.as_ref().map(|folder| folder.join(name));
        preferred.filter(|path| path.is_file())
    }

    /// Folder of what the lab's commands install for themselves.
    pub fn tools(&self) -> PathBuf {
        self.root.join(".lab/tools")
    }

    /// Path of the network file, which the runbook builds on AWS.
    pub fn network(&self) -> PathBuf {
        self.root.join("deploy-notes/network.toml")
    }

    /// Path of an IAM policy, which the runbook creates on AWS.
    pub fn policy(&self, file: &str) -> PathBuf {
        self.root.join("deploy-notes/iam").join(file)
    }
}
