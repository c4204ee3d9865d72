//! One browser, whose pages are saved as PNG files.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use lab_runner::{lab::Lab, output, part::PartName};
use serde_json::Value;
use tokio::time::sleep;

use crate::browser::{Browser, View};

/// Sharp on a high-density screen, and small enough to keep in a repository.
pub const WIDE: View = View {
    width: 1280,
    height: 720,
    scale: 1.5,
    ..View::DESKTOP
};

/// Greatest height; only the top of a longer page is shown.
const HEIGHT_MAX: u32 = 1_050;

const POLL: Duration = Duration::from_millis(500);

/// Longest wait for slow changes, such as a chart that fills or a backlog of events.
const SHOT_TIMEOUT: Duration = Duration::from_mins(3);

/// Script that returns the number of queued events and the rows per second.
const BACKLOG: &str = "return Number(document.querySelectorAll('.tiles .quiet')[5].textContent.match(/[0-9,]+/)[0].replaceAll(',', ''))";
const ROWS: &str = "return fetch('/series.json').then(a => a.json()).then(s => s.rows.slice(-3).reduce((a, b) => a + b, 0) / 3)";
const BUSY: &str = "return fetch('/series.json').then(a => a.json()).then(s => s.accepted.filter(n => n > 10).length)";

pub struct Studio<'a> {
    pub lab: &'a Lab,
    pub browser: Browser,
    folder: &'a Path,
}

impl<'a> Studio<'a> {
    pub async fn open(lab: &'a Lab, folder: &'a Path) -> Result<Self> {
        Ok(Self {
            lab,
            browser: Browser::open(WIDE).await?,
            folder,
        })
    }

    /// Saves the tab's content, in its full height.
    pub async fn shoot(&self, name: &str, view: View) -> Result<()> {
        let started = Instant::now();
        self.browser.show(view).await?;
        // A chart is redrawn a moment after its width changed.
        sleep(POLL * 3).await;
        let height = "return Math.ceil(document.body.getBoundingClientRect().bottom)";
        let height = self.browser.run(height, vec![]).await?;
        let height = height
            .as_u64()
            .and_then(|height| u32::try_from(height).ok());
        let most = if view.width < view.height {
            u32::MAX
        } else {
            HEIGHT_MAX
        };
        let height = height.unwrap_or(view.height).min(most);
        self.browser.show(View { height, ..view }).await?;
        let path = self.folder.join(format!("{name}.png"));
        let picture = self.browser.screenshot().await?;
        fs::write(&path, picture).with_context(|| format!("cannot write {}", path.display()))?;
        self.browser.show(view).await?;
        output::done(name, path.display(), started.elapsed());
        Ok(())
    }

    /// Saves a page that is given as HTML.
    pub async fn show_page(&self, name: &str, html: &str, view: View) -> Result<()> {
        let path = self.lab.dir.config(&format!("{name}.html"));
        fs::write(&path, html).with_context(|| format!("cannot write {}", path.display()))?;
        self.browser
            .goto(&format!("file://{}", path.display()))
            .await?;
        self.shoot(name, view).await
    }

    pub async fn open_console(&self, path: &str, view: View) -> Result<()> {
        self.browser.show(view).await?;
        let url = format!("{}{path}", self.lab.url(PartName::Console));
        self.browser.goto(&url).await
    }

    /// Opens the target of the first link that matches a selector.
    pub async fn follow(&self, css: &str) -> Result<()> {
        let link = self.browser.find(css).await?;
        // The page updates itself once a second, so the link may be gone when it is clicked.
        let href = link.prop("href").await.ok().flatten();
        let href = href.context("the console shows no payment to follow")?;
        self.browser.goto(&href).await
    }

    /// Waits until the console has seen so many busy seconds.
    pub async fn until_busy(&self, seconds: u32) -> Result<()> {
        self.until(BUSY, |busy| busy >= f64::from(seconds)).await
    }

    pub async fn until_rows(&self, wanted: impl Fn(f64) -> bool) -> Result<()> {
        self.until(ROWS, wanted).await
    }

    /// Waits until no events are queued.
    pub async fn until_caught_up(&self) -> Result<()> {
        self.until(BACKLOG, |waiting| waiting < 1.0).await
    }

    async fn until(&self, script: &str, wanted: impl Fn(f64) -> bool) -> Result<()> {
        let deadline = Instant::now() + SHOT_TIMEOUT;
        loop {
            let seen = self.browser.run(script, vec![]).await;
            let number = seen.as_ref().ok().and_then(Value::as_f64);
            if number.is_some_and(&wanted) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                seen?;
                bail!(
                    "the console did not show the expected state: `{script}` last returned {number:?}"
                );
            }
            sleep(POLL).await;
        }
    }
}
