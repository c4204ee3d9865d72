//! Headless Chromium, driven as a person would drive it: for the tests of pages, and for screenshots.
//!
//! [`Browser::open`] starts a browser with a profile of its own. It ends with the value, whatever happens. Its elements
//! are those of `thirtyfour`, which speaks WebDriver; what WebDriver lacks goes over Chromium's DevTools protocol.

pub mod axe;
mod driver;
mod profile;

use std::{
    io,
    time::{Duration, Instant},
};

use lab_runner::install;
use serde_json::{Value, json};
use thirtyfour::{
    By, ChromeCapabilities, ChromiumLikeCapabilities as _, TypingData, WebDriver,
    common::log::LoggingPrefsLogLevel,
};
pub use thirtyfour::{Key, WebElement, error::WebDriverError};
use tokio::time::sleep;

use self::{driver::Driver, profile::Profile};

/// A page that does not show what is waited for within this never will.
pub const PATIENCE: Duration = Duration::from_secs(20);

const POLL: Duration = Duration::from_millis(50);

/// Of one command. Longer than WebDriver's own limit for a page's load would be.
const REQUEST: Duration = Duration::from_mins(1);

/// As root Chromium has no sandbox, and nothing but the page under test is to use the network.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Install(#[from] install::Error),
    #[error(transparent)]
    Packages(#[from] install::packages::Error),
    #[error("can't make a profile for the browser")]
    Profile(#[source] io::Error),
    #[error("can't start chromedriver")]
    Start(#[source] io::Error),
    #[error("chromedriver named no port within {0} s")]
    NotStarted(u64),
    #[error("can't read {path}")]
    Read {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("no client for chromedriver")]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    WebDriver(#[from] WebDriverError),
    #[error("`{wanted}` did not come true within {seconds} s on {url}, which shows\n{shown}")]
    Waited {
        wanted: String,
        seconds: u64,
        url: String,
        shown: String,
    },
    #[error("the browser answers {method} without `{member}`")]
    Incomplete {
        method: &'static str,
        member: &'static str,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    Light,
    Dark,
}

/// How much of a page is seen, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Pixels of a picture for one of CSS.
    pub scale: f64,
    pub scheme: Scheme,
}

impl View {
    pub const DESKTOP: Self = Self {
        width: 1440,
        height: 900,
        scale: 1.0,
        scheme: Scheme::Light,
    };
    pub const PHONE: Self = Self {
        width: 360,
        height: 740,
        ..Self::DESKTOP
    };

    #[must_use]
    pub fn dark(self) -> Self {
        let scheme = Scheme::Dark;
        Self { scheme, ..self }
    }
}

/// One browser with one tab.
#[derive(Debug)]
pub struct Browser {
    tab: WebDriver,
    // Ended before its files are removed: fields are dropped in this order.
    _driver: Driver,
    _profile: Profile,
}

impl Browser {
    /// Starts Chromium, which is installed where it is missing.
    pub async fn open(view: View) -> Result<Self, Error> {
        let programs = install::browser()?;
        let profile = Profile::new().map_err(Error::Profile)?;
        let driver = Driver::start(&programs.chromedriver, profile.path()).await?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(REQUEST)
            .build()?;
        let mut chromium = ChromeCapabilities::new();
        chromium.set_binary(&programs.chromium.to_string_lossy())?;
        chromium.set_browser_log_level(LoggingPrefsLogLevel::Warning)?;
        for argument in ARGUMENTS {
            chromium.add_arg(argument)?;
        }
        chromium.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        let tab = WebDriver::builder(driver.url(), chromium)
            .client(client)
            .connect()
            .await?;
        // The process is ended with all that it started, so that there is nothing to say goodbye to.
        let _ = tab.clone().leak();
        let browser = Self {
            tab,
            _driver: driver,
            _profile: profile,
        };
        browser.show(view).await?;
        Ok(browser)
    }

    /// Changes size and colours; a page that is open follows.
    pub async fn show(&self, view: View) -> Result<(), Error> {
        let scheme = match view.scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let size = json!({
            "width": view.width,
            "height": view.height,
            "deviceScaleFactor": view.scale,
            "mobile": false,
        });
        let media = json!({
            "features": [
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ],
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await?;
        self.devtools("Emulation.setEmulatedMedia", media).await?;
        // They take up room on no phone, and differ from desktop to desktop.
        self.devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true }))
            .await?;
        Ok(())
    }

    /// Opens a page, and returns once it is loaded.
    pub async fn goto(&self, url: &str) -> Result<(), Error> {
        Ok(self.tab.goto(url).await?)
    }

    /// The first element of a CSS selector, waited for.
    pub async fn find(&self, css: &str) -> Result<WebElement, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(element) = self.tab.find(By::Css(css)).await {
                return Ok(element);
            }
            if Instant::now() >= deadline {
                return Err(self.waited(css).await?);
            }
            sleep(POLL).await;
        }
    }

    pub async fn find_all(&self, css: &str) -> Result<Vec<WebElement>, Error> {
        Ok(self.tab.find_all(By::Css(css)).await?)
    }

    pub async fn click(&self, css: &str) -> Result<(), Error> {
        Ok(self.find(css).await?.click().await?)
    }

    /// Types into a field what stands in none yet.
    pub async fn type_into(&self, css: &str, text: &str) -> Result<(), Error> {
        Ok(self.find(css).await?.send_keys(text).await?)
    }

    /// Types where the focus is: a text, or keys such as [`Key::Tab`].
    pub async fn press(&self, keys: impl Into<TypingData>) -> Result<(), Error> {
        let typed = self.tab.action_chain().send_keys(keys);
        Ok(typed.perform().await?)
    }

    /// Moves the pointer onto an element.
    pub async fn hover(&self, css: &str) -> Result<(), Error> {
        let element = self.find(css).await?;
        let pointer = self.tab.action_chain().move_to_element_center(&element);
        Ok(pointer.perform().await?)
    }

    /// Presses the mouse button on an element, until [`Self::let_go`].
    pub async fn hold(&self, css: &str) -> Result<(), Error> {
        let element = self.find(css).await?;
        let pointer = self.tab.action_chain().click_and_hold_element(&element);
        Ok(pointer.perform().await?)
    }

    /// Lets go of the mouse button where the pointer is.
    pub async fn let_go(&self) -> Result<(), Error> {
        Ok(self.tab.action_chain().release().perform().await?)
    }

    /// What a person reads in an element.
    pub async fn text(&self, css: &str) -> Result<String, Error> {
        Ok(self.find(css).await?.text().await?)
    }

    /// Waits until an expression of JavaScript is true in the page.
    pub async fn until(&self, expression: &str) -> Result<(), Error> {
        let script = format!("return Boolean({expression})");
        let deadline = Instant::now() + PATIENCE;
        loop {
            // An element that is not there yet makes an error of the expression.
            if matches!(self.run(&script, vec![]).await, Ok(Value::Bool(true))) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(self.waited(expression).await?);
            }
            sleep(POLL).await;
        }
    }

    /// Waits until a text can be read in the page.
    pub async fn until_shown(&self, text: &str) -> Result<(), Error> {
        let text = Value::from(text);
        self.until(&format!("document.body.innerText.includes({text})"))
            .await
    }

    /// Runs the body of a function in the page, and returns what it returns.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value, Error> {
        let returned = self.tab.execute(script, arguments).await?;
        Ok(returned.json().clone())
    }

    /// What the page is wide beyond the view, in CSS pixels: 0 where nothing overflows.
    pub async fn overflow(&self) -> Result<i64, Error> {
        let script =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        Ok(self.run(script, vec![]).await?.as_i64().unwrap_or(i64::MAX))
    }

    /// Warnings and errors since they were asked for last: of scripts, of blocked or failed requests.
    pub async fn complaints(&self) -> Result<Vec<String>, Error> {
        let entries = self.tab.browser_log().await?;
        Ok(entries
            .into_iter()
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect())
    }

    /// Takes the network away, or gives it back.
    pub async fn set_offline(&self, offline: bool) -> Result<(), Error> {
        let conditions = json!({
            "offline": offline,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        });
        // Without it only `navigator.onLine` would change.
        self.devtools("Network.enable", json!({})).await?;
        self.devtools("Network.emulateNetworkConditions", conditions)
            .await?;
        Ok(())
    }

    /// Whether the scripts of pages run; for those that are opened from now on.
    pub async fn set_scripts(&self, run: bool) -> Result<(), Error> {
        let setting = json!({ "value": !run });
        self.devtools("Emulation.setScriptExecutionDisabled", setting)
            .await?;
        Ok(())
    }

    /// The language that pages are told, such as `de-DE`; for those that are opened from now on.
    pub async fn set_language(&self, language: &str) -> Result<(), Error> {
        let agent = self.run("return navigator.userAgent", vec![]).await?;
        let setting = json!({ "userAgent": agent, "acceptLanguage": language });
        self.devtools("Emulation.setUserAgentOverride", setting)
            .await?;
        Ok(())
    }

    /// All text that a screen reader can come to.
    pub async fn readable(&self) -> Result<String, Error> {
        let tree = self
            .devtools("Accessibility.getFullAXTree", json!({}))
            .await?;
        let nodes = tree["nodes"].as_array();
        let texts = nodes.into_iter().flatten().filter_map(|node| {
            let is_text = node["role"]["value"] == "StaticText" && node["ignored"] == false;
            is_text.then(|| node["name"]["value"].as_str())?
        });
        Ok(texts.collect::<Vec<_>>().join("\n"))
    }

    /// What is seen, as PNG.
    pub async fn screenshot(&self) -> Result<Vec<u8>, Error> {
        Ok(self.tab.screenshot_as_png().await?)
    }

    async fn devtools(&self, method: &'static str, parameters: Value) -> Result<Value, Error> {
        Ok(self.tab.cdp().send_raw(method, parameters).await?)
    }

    async fn waited(&self, wanted: &str) -> Result<Error, Error> {
        let shown = self.run("return document.body.innerText", vec![]).await?;
        Ok(Error::Waited {
            wanted: wanted.to_owned(),
            seconds: PATIENCE.as_secs(),
            url: self.tab.current_url().await?.into(),
            shown: shown.as_str().unwrap_or_default().to_owned(),
        })
    }
}
