//! Takes pictures of a lab at work in a browser, for the manual.
//!
//! The order tells a story: first one payment, by a person in a terminal and on the page; then every service under
//! load; then the database goes down under load, and comes back.

mod shoot;
mod terminal;

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use lab_runner::{lab::Lab, part::PartName};

use self::shoot::{Studio, WIDE};
use crate::browser::View;

/// Seconds of load before the pictures of it are taken.
const SETTLED_SECONDS: u32 = 45;

/// Takes all pictures of a fresh lab into a folder.
pub async fn take(lab: &Lab, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let studio = Studio::open(lab, folder).await?;
    one_payment(&studio).await?;
    under_load(&studio).await?;
    without_database(&studio).await?;
    Ok(())
}

async fn one_payment(studio: &Studio<'_>) -> Result<()> {
    let session = terminal::session(studio.lab).await?;
    studio.show_page("terminal", &session, WIDE).await?;

    let browser = &studio.browser;
    let view = View {
        width: 720,
        height: 720,
        ..WIDE
    };
    browser.show(view).await?;
    let url = format!("{}/pay", studio.lab.url(PartName::Alb));
    browser.goto(&url).await?;
    for (field, text) in [
        ("#amount", "1250.50"),
        ("#payer_name", "Zoë Müller"),
        ("#transaction", "Invoice 1234"),
    ] {
        browser.type_into(field, text).await?;
    }
    studio.shoot("pay", view).await?;
    browser.click("#pay").await?;
    browser.until_shown("Payment recorded").await?;
    studio.shoot("paid", view).await?;
    Ok(())
}

async fn under_load(studio: &Studio<'_>) -> Result<()> {
    let browser = &studio.browser;
    studio.open_console("/", WIDE).await?;
    browser.click("button[name=rate][value='50']").await?;
    browser.until_shown("50 payments per second").await?;
    studio.until_busy(SETTLED_SECONDS).await?;
    studio.shoot("overview", WIDE).await?;
    studio.shoot("overview-dark", WIDE.dark()).await?;
    let phone = View {
        scale: WIDE.scale,
        ..View::PHONE
    };
    studio.shoot("overview-phone", phone).await?;

    for (name, path) in [
        ("load-balancers", "/load-balancers"),
        ("lambda", "/lambda"),
        ("database", "/database"),
        ("architecture", "/network"),
        ("faults", "/faults"),
    ] {
        studio.open_console(path, WIDE).await?;
        studio.shoot(name, WIDE).await?;
    }
    studio.open_console("/s3", WIDE).await?;
    studio.follow("main table a").await?;
    studio.shoot("s3", WIDE).await?;
    studio.follow("main table a").await?;
    browser.until_shown("recorded").await?;
    studio.shoot("trace", WIDE).await?;
    Ok(())
}

/// Payments are accepted all the time.
async fn without_database(studio: &Studio<'_>) -> Result<()> {
    let browser = &studio.browser;
    studio.open_console("/faults", WIDE).await?;
    browser.click("button[aria-label='down on']").await?;
    browser.until_shown("mysql/down is on").await?;
    studio.open_console("/", WIDE).await?;
    browser.until_shown("mysql is").await?;
    studio.until_rows(|rows| rows < 1.0).await?;
    studio.shoot("fault", WIDE).await?;
    browser.until_shown("mysql/down is over").await?;
    browser.until("!document.querySelector('.banner')").await?;
    studio.until_rows(|rows| rows > 45.0).await?;
    studio.until_caught_up().await?;
    studio.shoot("healed", WIDE).await?;
    Ok(())
}
