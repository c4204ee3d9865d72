//! The programs' components: an SBOM in `CycloneDX` 1.6, from `cargo metadata` and the lock file.

mod cyclonedx;
mod metadata;

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use anyhow::{Context as _, Result};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use self::{
    cyclonedx::{
        Bom, Component, ComponentKind, Dependency, Hash, Licence, Metadata as BomMetadata,
    },
    metadata::{Lock, Metadata, Package},
};
use super::{
    package::{Commit, PROGRAMS, Product},
    target::BuildTarget,
};

const NAME: &str = "payment-pipeline";

/// Returns the SBOM of the programs for these targets, without libraries that only tests use.
pub fn product(workspace: &Path, targets: &[BuildTarget], commit: &Commit) -> Result<Product> {
    let metadata = Metadata::read(workspace, targets)?;
    let lock = Lock::read(workspace)?;
    let bom = bom(&metadata, &lock, commit)?;
    let mut content = serde_json::to_vec_pretty(&bom).context("cannot write the SBOM")?;
    content.push(b'\n');
    Ok(Product {
        name: format!("{NAME}-{}.cdx.json", commit.version),
        content,
    })
}

fn bom(metadata: &Metadata, lock: &Lock, commit: &Commit) -> Result<Bom> {
    let shipped = shipped(metadata);
    let reference: HashMap<&str, String> = shipped
        .iter()
        .map(|package| (package.id.as_str(), purl(package)))
        .collect();
    let mut components: Vec<_> = shipped
        .iter()
        .map(|package| component(package, lock))
        .collect();
    components.sort_by(|one, other| one.reference.cmp(&other.reference));
    let mut dependencies: Vec<_> = shipped
        .iter()
        .map(|package| {
            let on = metadata.dependencies(&package.id);
            Dependency {
                reference: purl(package),
                depends_on: on.filter_map(|id| reference.get(id).cloned()).collect(),
            }
        })
        .collect();
    dependencies.sort_by(|one, other| one.reference.cmp(&other.reference));
    Ok(Bom::new(about(commit)?, components, dependencies))
}

fn rfc3339(epoch: u64) -> Result<String> {
    let time = OffsetDateTime::from_unix_timestamp(epoch.try_into()?)?;
    Ok(time.format(&Rfc3339)?)
}

fn about(commit: &Commit) -> Result<BomMetadata> {
    let time = rfc3339(commit.epoch).context("cannot format the time of the commit")?;
    Ok(BomMetadata {
        timestamp: time,
        component: Component {
            kind: ComponentKind::Application,
            reference: NAME.to_owned(),
            name: NAME.to_owned(),
            version: commit.version.clone(),
            purl: None,
            licenses: Licence::of("Apache-2.0"),
            hashes: Vec::new(),
        },
    })
}

/// Returns the programs and their dependencies.
fn shipped(metadata: &Metadata) -> Vec<&Package> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = metadata.members(&PROGRAMS).collect();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(metadata.dependencies(id));
        }
    }
    let packages = metadata.packages.iter();
    packages
        .filter(|package| seen.contains(package.id.as_str()))
        .collect()
}

fn component(package: &Package, lock: &Lock) -> Component {
    let checksum = lock.checksum(&package.name, &package.version);
    Component {
        kind: if PROGRAMS.contains(&package.name.as_str()) {
            ComponentKind::Application
        } else {
            ComponentKind::Library
        },
        reference: purl(package),
        name: package.name.clone(),
        version: package.version.clone(),
        purl: Some(purl(package)),
        licenses: package.license.as_deref().map_or(Vec::new(), Licence::of),
        hashes: checksum.map(Hash::sha256).into_iter().collect(),
    }
}

fn purl(package: &Package) -> String {
    // The only character of a version that a package URL escapes.
    let version = package.version.replace('+', "%2B");
    format!("pkg:cargo/{}@{version}", package.name)
}
