//! Runs the pages of `deploy-notes`: their commands with the AWS CLI against a simulated AWS. Compares their output
//! with what the pages show, and then the account itself with what is expected.
//!
//! - [`page`]: blocks of commands, and their expected output. [`expected`]: placeholders.
//! - [`session`]: the one bash that runs them. [`stand_in`]: moto, and an AWS CLI that reaches nothing else.
//! - [`install`]: both of them, from Python's registry. [`files`]: dummies for the release.
//! - [`check`]: what was created, against the network's file, the policies and the settings.
//!
//! It must not know the content of a page: a page is correct if its result is.

pub mod check;
pub mod expected;
pub mod files;
pub mod install;
pub mod page;
pub mod session;
pub mod stand_in;

use std::{ops::RangeInclusive, time::Instant};

use anyhow::{Context as _, Result, bail, ensure};
use lab_runner::{output, workspace::Workspace};

use self::{
    check::Check,
    page::{Block, Page, Way},
    session::{Outcome, Session},
    stand_in::StandIn,
};

/// Folder in the work tree.
const NOTES: &str = "deploy-notes";

/// The pages and an account of their own.
#[derive(Debug)]
pub struct Runbook<'a> {
    workspace: &'a Workspace,
    pages: Vec<Page>,
    account: StandIn,
}

impl<'a> Runbook<'a> {
    /// Installs what is missing, and starts the simulated AWS.
    pub async fn prepare(workspace: &'a Workspace) -> Result<Self> {
        let pages = page::read_all(&workspace.root().join(NOTES))?;
        let tools = install::tools(workspace)?;
        let account = StandIn::start(&tools, workspace)
            .await
            .context("cannot start the simulated AWS")?;
        Ok(Self {
            workspace,
            pages,
            account,
        })
    }

    /// Runs these pages in a new shell. Before the tear-down, everything must be as expected; after it, nothing may be
    /// left.
    pub async fn run(&self, pages: RangeInclusive<u8>) -> Result<()> {
        let mut session = self.account.session(self.workspace.root())?;
        let wanted = |page: &&Page| pages.contains(&page.number);
        for page in self.pages.iter().filter(wanted) {
            let is_tear_down = page.number == self.tear_down();
            if is_tear_down {
                let started = Instant::now();
                right("before the tear down", &self.faults().await?)?;
                output::done("account", "all as it must be", started.elapsed());
            }
            let started = Instant::now();
            let blocks = run_page(&mut session, page).await?;
            output::done(
                &page.name,
                format_args!("{blocks} blocks"),
                started.elapsed(),
            );
            if is_tear_down {
                let check = Check::of(&self.account, self.workspace).await?;
                right("after the tear down", &check.remains().await?)?;
            }
        }
        Ok(())
    }

    /// Returns the last page, after which nothing may be left.
    pub fn tear_down(&self) -> u8 {
        self.pages.last().map_or(u8::MAX, |page| page.number)
    }

    /// Returns what is not as expected, after all pages but the tear-down have run.
    pub async fn faults(&self) -> Result<Vec<String>> {
        let check = Check::of(&self.account, self.workspace).await?;
        check.everything().await
    }

    /// Returns the blocks that only a person can run, with the reason.
    pub fn by_hand(&self) -> impl Iterator<Item = String> {
        self.pages.iter().flat_map(|page| {
            let blocks = page.blocks.iter();
            blocks.filter_map(move |block| match &block.way {
                Way::ByHand { reason } => Some(format!("{}:{} {reason}", page.name, block.line)),
                Way::Run { .. } => None,
            })
        })
    }

    pub fn account(&self) -> &StandIn {
        &self.account
    }

    pub async fn end(self) {
        self.account.end().await;
    }
}

/// Returns the number of blocks that were run.
async fn run_page(session: &mut Session, page: &Page) -> Result<usize> {
    let mut run = 0;
    for block in &page.blocks {
        if let Way::Run { expected } = &block.way {
            run_block(session, page, block, expected.as_deref()).await?;
            run += 1;
        }
    }
    Ok(run)
}

async fn run_block(
    session: &mut Session,
    page: &Page,
    block: &Block,
    expected: Option<&str>,
) -> Result<()> {
    let place = format!("{NOTES}/{}, line {}", page.name, block.line);
    let outcome = session.run(&block.script).await;
    match outcome.context("cannot run bash")? {
        Outcome::Failed { command, seen } => bail!("{place}: `{command}` failed\nseen:\n{seen}"),
        Outcome::TimedOut { seen } => bail!("{place}: the block does not end\nseen:\n{seen}"),
        // A block without shown output must print nothing.
        Outcome::Done(seen) if expected::matches(expected.unwrap_or_default(), &seen) => Ok(()),
        Outcome::Done(seen) => bail!(
            "{place}: the output differs from the page, after\n{}expected:\n{}seen:\n{seen}",
            block.script,
            expected.unwrap_or("nothing\n"),
        ),
    }
}

fn right(when: &str, faults: &[String]) -> Result<()> {
    let faults = faults.join("\n  ");
    ensure!(
        faults.is_empty(),
        "{when} the account is not as expected:\n  {faults}"
    );
    Ok(())
}
