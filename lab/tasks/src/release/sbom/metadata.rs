//! What cargo knows of the workspace and its dependencies.

use std::{collections::HashMap, env, ffi::OsString, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::release::target::BuildTarget;

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
    pub fn read(workspace: &Path, targets: &[BuildTarget]) -> Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command.current_dir(workspace);
        command.args(["metadata", "--locked", "--format-version", "1"]);
        for target in targets {
            command.args(["--filter-platform", target.triple()]);
        }
        let output = command.output().context("cannot run cargo metadata")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo metadata failed: {said}");
        serde_json::from_slice(&output.stdout).context("cannot parse the output of cargo metadata")
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
    pub fn read(workspace: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(workspace.join("Cargo.lock"))
            .context("cannot read Cargo.lock")?;
        let file: LockFile = toml::from_str(&text).context("cannot parse Cargo.lock")?;
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
