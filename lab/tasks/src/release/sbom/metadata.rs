//! What cargo knows of the workspace and its dependencies.

use std::{collections::HashMap, env, ffi::OsString, io, path::Path, process::Command};

use serde::Deserialize;

use crate::release::target::BuildTarget;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot run cargo metadata")]
    Run(#[source] io::Error),
    #[error("cargo metadata failed: {0}")]
    Failed(String),
    #[error("cannot parse the output of cargo metadata")]
    Json(#[from] serde_json::Error),
    #[error("cannot read Cargo.lock")]
    Lock(#[source] io::Error),
    #[error("cannot parse Cargo.lock")]
    Toml(#[from] toml::de::Error),
}

#[derive(Debug, Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    pub license: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

/// `null` for what is linked, otherwise `dev` or `build`.
#[derive(Debug, Deserialize)]
struct DepKind {
    kind: Option<String>,
}

impl Metadata {
    pub fn read(workspace: &Path, targets: &[BuildTarget]) -> Result<Self, Error> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command.current_dir(workspace);
        command.args(["metadata", "--locked", "--format-version", "1"]);
        for target in targets {
            command.args(["--filter-platform", target.triple()]);
        }
        let output = command.output().map_err(Error::Run)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::Failed(said.into_owned()));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Returns the ids of the workspace packages with these names.
    pub fn members<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let packages = self.packages.iter();
        packages
            .filter(|package| names.contains(&package.name.as_str()))
            .map(|package| package.id.as_str())
            .filter(|&id| self.workspace_members.iter().any(|member| member == id))
    }

    /// Returns the ids of the packages linked into a package.
    pub fn dependencies(&self, id: &str) -> impl Iterator<Item = &str> {
        let node = self.resolve.nodes.iter().find(|node| node.id == id);
        let edges = node.into_iter().flat_map(|node| &node.deps);
        edges
            .filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()))
            .map(|edge| edge.pkg.as_str())
    }
}

/// Checksums by name and version.
#[derive(Debug)]
pub struct Lock(HashMap<(String, String), String>);

#[derive(Deserialize)]
struct LockFile {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

impl Lock {
    pub fn read(workspace: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(workspace.join("Cargo.lock")).map_err(Error::Lock)?;
        let file: LockFile = toml::from_str(&text)?;
        let packages = file.package.into_iter();
        Ok(Self(
            packages
                .filter_map(|locked| Some(((locked.name, locked.version), locked.checksum?)))
                .collect(),
        ))
    }

    pub fn checksum(&self, name: &str, version: &str) -> Option<&str> {
        let key = (name.to_owned(), version.to_owned());
        self.0.get(&key).map(String::as_str)
    }
}
