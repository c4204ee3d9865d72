//! axe-core: finds accessibility problems of a page.

use std::fs;

use anyhow::{Context as _, Result};
use lab_runner::{install::packages, workspace::Workspace};
use serde::Deserialize;

use super::Browser;

/// Checks the rules of WCAG 2.2 AA, and other good practice.
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
        result => done(result.violations.flatMap(violation => violation.nodes.map(node => ({
            rule: violation.id,
            help: violation.help,
            element: node.html,
            summary: node.failureSummary,
        })))),
        error => done([{ rule: 'axe', help: String(error), element: '', summary: '' }]),
    );";

/// The axe-core script from npm.
#[derive(Clone, Debug)]
pub struct Axe(String);

/// One element that violates one rule.
#[derive(Clone, Debug, Deserialize)]
pub struct Violation {
    pub rule: String,
    pub help: String,
    pub element: String,
    pub summary: String,
}

impl Axe {
    /// Installs it if it is missing.
    pub async fn install(workspace: &Workspace) -> Result<Self> {
        let source = workspace.root().join("lab/tasks/browser");
        let dir = workspace.tools().join("browser");
        packages::npm(&source, &dir, &[]).await?;
        let path = dir.join("node_modules/axe-core/axe.min.js");
        let script =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self(script))
    }
}

impl Browser {
    /// Returns the violations of the page that is open.
    pub async fn violations(&self, axe: &Axe) -> Result<Vec<Violation>> {
        self.tab.execute(axe.0.as_str(), vec![]).await?;
        let found = self.tab.execute_async(RUN, vec![]).await?;
        Ok(found.convert()?)
    }
}
