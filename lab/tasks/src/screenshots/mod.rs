//! Takes pictures of a lab at work in a browser, for the manual.
//!
//! The order tells a story: first one payment, by a person in a terminal and on the page; then every service under
//! load; then the database goes down under load, and comes back.

mod shoot;
mod terminal;

use std::{fs, io, path::Path, path::PathBuf};

use lab_runner::{lab::Lab, part::PartName};

use self::shoot::{Studio, WIDE};
use crate::browser::{self, View};

/// Seconds of load before the pictures of it are taken.
const SETTLED_SECONDS: u32 = 45;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Browser(#[from] browser::Error),
    #[error("cannot run {program}")]
    Run {
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("`{command}` failed: {said}")]
    Failed { command: String, said: String },
    #[error("cannot write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot render the terminal's page")]
    Page(#[from] askama::Error),
    #[error("the console did not show the expected state: `{script}` last returned {number:?}")]
    NotShown { script: String, number: Option<f64> },
    #[error("the console shows no payment to follow")]
    NoPayment,
}

/// Takes all pictures of a fresh lab into a folder.
pub async fn take(lab: &Lab, folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::Write {
        path: folder.to_owned(),
        source,
    })?;
    let studio = Studio::open(lab, folder).await?;
    one_payment(&studio).await?;
    under_load(&studio).await?;
    without_database(&studio).await?;
    Ok(())
}

async fn one_payment(studio: &Studio<'_>) -> Result<(), Error> {
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

async fn under_load(studio: &Studio<'_>) -> Result<(), Error> {
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
async fn without_database(studio: &Studio<'_>) -> Result<(), Error> {
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
